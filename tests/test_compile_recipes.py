"""Schedules from the cache on disk: the same results as without, and none that belongs to another program."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

pytest.importorskip("llvmlite")

import wengert
from random_programs import Program as Drawn
from random_programs import programs
from wengert.compile import machine, recipes
from wengert.compile.runtime.cache import Cache, folder
from wengert.ops.record import TABLE
from wengert.program.program import Equation, Program
from wengert.program.values import Value


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("WENGERT_CACHE_DIR", str(tmp_path / "own"))
    _forget()
    yield
    _forget()


def _forget() -> None:
    """As if the process had just begun."""
    recipes._kernels.clear()
    machine._kernels.clear()


def long(x: Any) -> Any:
    for i in range(recipes.LEAST):
        x = x * 1.01 + (x.sin() if i % 10 == 0 else 0.1)
    return x.sum(), x


def _refuse(*args: Any, **options: Any) -> Any:
    raise AssertionError("lowered again")


def _twice(monkeypatch: pytest.MonkeyPatch, call: Callable[[], Any]) -> tuple[Any, Any]:
    """What it gives with nothing in the cache, and what with all of it, in processes of their own as it were."""
    first = call()
    _forget()
    with monkeypatch.context() as patch:
        patch.setattr(machine, "lower", _refuse)
        return first, call()


def _same(a: Any, b: Any) -> None:
    np.testing.assert_array_equal(np.asarray(a.detach()), np.asarray(b.detach()))


class TestTheSecondTime:
    def test_nothing_is_lowered(self, monkeypatch: pytest.MonkeyPatch) -> None:
        x = wengert.linspace(0, 1, 1000)
        first, second = _twice(monkeypatch, lambda: wengert.compile(long)(x))
        for a, b, eager in zip(first, second, long(x), strict=True):
            _same(a, b)
            assert wengert.allclose(b, eager, rtol=1e-5)

    def test_in_the_same_process_neither(self, monkeypatch: pytest.MonkeyPatch) -> None:
        x = wengert.linspace(0, 1, 1000)
        first = wengert.compile(long)(x)
        monkeypatch.setattr(machine, "lower", _refuse)
        _same(first[1], wengert.compile(long)(x)[1])

    def test_gradients(self, monkeypatch: pytest.MonkeyPatch) -> None:
        x = wengert.linspace(0, 1, 100, dtype=wengert.float64)

        def gradient() -> Any:
            return wengert.compile(wengert.func.grad(lambda x: long(x)[0]))(x)

        _same(*_twice(monkeypatch, gradient))

    def test_gradients_of_tracked_tensors(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def gradient() -> Any:
            x = wengert.linspace(0, 1, 100).requires_grad_()
            f = wengert.compile(long)
            f(x)[0].backward()
            return x.grad

        _same(*_twice(monkeypatch, gradient))

    def test_writes_in_place(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def training() -> Any:
            x = wengert.linspace(0, 1, 100)
            step = wengert.func.grad(lambda x: long(x)[0])

            def update(x: Any) -> None:
                x.sub_(step(x) * 0.1)

            f = wengert.compile(update)
            f(x)
            f(x)
            return x

        _same(*_twice(monkeypatch, training))

    def test_constants_and_captured_tensors(self, monkeypatch: pytest.MonkeyPatch) -> None:
        weight = wengert.linspace(-1, 1, 50)

        def f(x: Any) -> Any:
            return long(x * weight + wengert.tensor(np.arange(50, dtype=np.float32)))[1]

        x = wengert.ones(50)
        first, second = _twice(monkeypatch, lambda: wengert.compile(f)(x))
        _same(first, second)
        weight.mul_(2)
        assert wengert.allclose(wengert.compile(f)(x), f(x))

    def test_what_is_told_is_the_same(self) -> None:
        x = wengert.linspace(0, 1, 100)
        told = []
        for _ in range(2):
            _forget()
            f = wengert.compile(long)
            f(x)
            explained = [line for line in f.explain().splitlines() if "traced because" not in line]
            told.append((str(f.program(x)), f.loops(x), f.llvm(x), explained, len(f.explain(x)) > 0))
        assert told[0] == told[1]

    def test_a_new_process(self, tmp_path: Path) -> None:
        script = """
import wengert as torch
from importlib import import_module
def long(x):
    for i in range(100):
        x = x * 1.01 + 0.1
    return x.sum()
f = torch.compile(long)
y = f(torch.ones(9))
plan = next(iter(f._plans.values()))[0]
print(y.item(), "machine" in vars(plan.forward))
"""
        environment = os.environ | {"WENGERT_CACHE_DIR": str(tmp_path / "shared")}
        said = [
            subprocess.run(
                [sys.executable, "-c", script], env=environment, stdout=subprocess.PIPE, text=True, check=True
            ).stdout.split()
            for _ in range(2)
        ]
        assert said[0][0] == said[1][0]
        assert [lowered for _, lowered in said] == ["True", "False"]


class TestIsMadeAgain:
    def _count(self) -> int:
        """How often a compiled function lowers its program."""
        x = wengert.ones(70)
        made = wengert.compile(long)
        _same(made(x)[1], wengert.compile(long)(x)[1])
        (plans,) = made._plans.values()
        return int("machine" in vars(plans[0].forward))

    def test_for_other_source(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert self._count() == 1
        assert self._count() == 0
        monkeypatch.setattr(recipes, "source_version", lambda: "another")
        assert self._count() == 1

    @pytest.mark.parametrize("damage", [b"", b"x" * 300])
    def test_where_it_is_damaged(self, damage: bytes) -> None:
        assert self._count() == 1
        for place, status in Cache(folder()).entries():
            if status.st_size < 2000:  # no kernel, but a recipe
                place.write_bytes(damage)
        assert self._count() == 1
        assert self._count() == 0

    def test_where_a_kernel_is_gone(self) -> None:
        assert self._count() == 1
        for place, _ in Cache(folder()).entries():
            if b"reduction" in place.read_bytes() or place.stat().st_size > 2000:
                place.unlink()
        _forget()
        assert self._count() == 1

    def test_short_programs_leave_no_recipe(self) -> None:
        f = wengert.compile(lambda x: x.sin() + 1)
        f(wengert.ones(100))
        before = Cache(folder()).size()
        for n in range(101, 109):
            f(wengert.ones(n))
        assert Cache(folder()).size() == before


F32 = np.dtype(np.float32)
SIN, MUL = TABLE["sin"], TABLE["mul"]


def _program(
    *, op: Any = MUL, number: Any = 1.0, shape: tuple[int, ...] = (3,), dtype: Any = F32, constant: Any = 2.0
) -> Program:
    x, c, y, z = Value(dtype, shape), Value(dtype, shape), Value(dtype, shape), Value(dtype, shape)
    given: Any = (x, number) if op is MUL else (x,)
    equations = (Equation(op, given, {}, (y,)), Equation(MUL, (y, c), {}, (z,)))
    return Program((x,), equations, (z,), {c: np.full(shape, constant, dtype)})


class TestNames:
    """A digest of everything."""

    @pytest.fixture(autouse=True)
    def _short_ones(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(recipes, "LEAST", 1)

    def test_of_programs_that_differ(self) -> None:
        numbers = (1.0, 1, True, -0.0, 0.0, 0, False, float("nan"), float("inf"), 1 + 0j, 2**70)
        different = [_program(number=number) for number in numbers]
        different += [_program(op=SIN), _program(shape=(4,)), _program(shape=(3, 1)), _program(dtype=np.dtype("f8"))]
        different += [_program(constant=constant) for constant in (3.0, -0.0, 0.0, float("nan"))]
        uniform = _program()
        ((c, _),) = uniform.constants.items()
        different.append(
            Program(uniform.inputs, uniform.equations, uniform.outputs, {c: np.broadcast_to(F32.type(2), 3)})
        )
        whole = _program()
        (x,), (first, last) = whole.inputs, whole.equations
        for outputs in ((first.results[0],), (x,), (*last.results, *last.results), (1.0, *last.results)):
            different.append(Program(whole.inputs, whole.equations, outputs, whole.constants))
        different.append(whole.replaced(equations=(first, last.with_inputs(last.inputs[::-1]))))
        names = {recipes.name_of(program, (), simplify=True) for program in different}
        assert None not in names
        assert len(names) == len(different)

    def test_of_what_is_written_and_of_passes(self) -> None:
        program = _program()
        names = {recipes.name_of(program, written, simplify=s) for written in ((), ((0, 0),)) for s in (True, False)}
        assert len(names) == 4

    def test_of_the_same_program(self) -> None:
        assert recipes.name_of(_program(), (), simplify=True) == recipes.name_of(_program(), (), simplify=True)

    def test_metadata_count(self) -> None:
        def summed(dim: int) -> Any:
            x, y = Value(F32, (3, 3)), Value(F32, (3,))
            op = TABLE["sum"]
            program = Program((x,), (Equation(op, (x,), {"dim": (dim,), "keepdim": False}, (y,)),), (y,))
            return recipes.name_of(program, (), simplify=True)

        assert summed(0) != summed(1)

    def test_what_has_no_name(self) -> None:
        large = _program(shape=(1 << 19,))
        assert recipes.name_of(large, (), simplify=True) is None

        def step(c: Any, x: Any) -> Any:
            return c * 2 + x, c

        f = wengert.compile(lambda x: wengert.func.scan(step, x, wengert.ones(50))[0])
        program = f.program(wengert.ones(3))
        assert recipes.name_of(program, (), simplify=True) is None


@settings(
    deadline=None,
    max_examples=60,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)
@given(programs(in_place=True))
def test_random_programs(monkeypatch: pytest.MonkeyPatch, drawn: Drawn) -> None:
    """Values and gradients have the same bits from a recipe as without."""

    def run() -> list[Any]:
        leaves = [wengert.tensor(leaf, dtype=wengert.float64, requires_grad=True) for leaf in drawn.leaves]
        values = wengert.compile(lambda *leaves: drawn.run(wengert, leaves))(*leaves)
        loss = sum([v.sum() for v in values])
        if isinstance(loss, wengert.Tensor) and loss.requires_grad:
            loss.backward()
        return [*values, *[leaf.grad for leaf in leaves if leaf.grad is not None]]

    with monkeypatch.context() as patch:
        patch.setattr(recipes, "LEAST", 1)
        try:
            first = run()
        except RuntimeError:
            return
        recipes._kernels.clear()
        second = run()
    assert len(first) == len(second)
    for a, b in zip(first, second, strict=True):
        _same(a, b)
