"""Random programs give the same compiled as eager, and each pass keeps what a program means."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

import wengert
from random_programs import Program as Drawn
from random_programs import programs
from wengert.compile import traced as traced_module
from wengert.compile.function import CompiledFunction
from wengert.program.evaluate import evaluate
from wengert.program.parse import parse
from wengert.program.passes.pipeline import PASSES
from wengert.program.program import Program
from wengert.program.verify import verify

_QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large]
FEW = settings(deadline=None, max_examples=150, suppress_health_check=_QUIET, derandomize=True)
MANY = settings(deadline=None, max_examples=2500, suppress_health_check=_QUIET, derandomize=True)


class Counted:
    """A drawn program as a function of its leaves that counts how often Python runs it."""

    def __init__(self, drawn: Drawn) -> None:
        self.drawn, self.runs = drawn, 0

    def __call__(self, *leaves: Any) -> Any:
        self.runs += 1
        return self.drawn.run(wengert, leaves)


def _leaves(drawn: Drawn) -> list[Any]:
    return [wengert.tensor(leaf, dtype=wengert.float64, requires_grad=True) for leaf in drawn.leaves]


def _outcome(function: Any, drawn: Drawn, order: int) -> list[Any] | str:
    """Values, gradients, and for order 2 gradients of those; or the error."""
    leaves = _leaves(drawn)
    try:
        values = function(*leaves)
        found = [v.detach().clone() for v in values]
        loss = sum([((i % 3) + 1) * v.sum() for i, v in enumerate(values)])
        if not loss.requires_grad:
            return found
        grads = wengert.autograd.grad(loss, leaves, create_graph=order > 1, allow_unused=True)
        found += [g if g is None else g.detach() for g in grads]
        second = sum([(g * g).sum() for g in grads if g is not None and g.requires_grad]) if order > 1 else None
        if isinstance(second, wengert.Tensor):
            found += wengert.autograd.grad(second, leaves, allow_unused=True)
    except RuntimeError as error:
        return str(error)
    return found


def _values(t: Any) -> np.ndarray[Any, Any]:
    """The values; whether a gradient that is zero is known to be none is nobody's business."""
    return np.zeros(()) if t is None else t.numpy()


def _agree(drawn: Drawn, order: int) -> None:
    eager = _outcome(Counted(drawn), drawn, order)
    if isinstance(eager, str):  # the compiled program never reads memory that was written since
        return
    counted = Counted(drawn)
    f = wengert.compile(counted)
    first = _outcome(f, drawn, order)
    runs = counted.runs
    second = _outcome(f, drawn, order)
    assert counted.runs == runs
    for found in (first, second):
        assert not isinstance(found, str), found
        assert len(found) == len(eager)
        for i, (a, b) in enumerate(zip(found, eager, strict=True)):
            x, y = _values(a), _values(b)
            scale = np.abs(y[np.isfinite(y)]).max(initial=1.0)
            np.testing.assert_allclose(x, y, rtol=1e-9, atol=1e-11 * scale, err_msg=f"value {i}")


class TestAgainstEager:
    @FEW
    @given(programs(in_place=False))
    def test_pure_programs(self, drawn: Drawn) -> None:
        _agree(drawn, order=2)

    @FEW
    @given(programs(in_place=True))
    def test_programs_that_write(self, drawn: Drawn) -> None:
        _agree(drawn, order=1)

    @pytest.mark.slow
    @MANY
    @given(programs(in_place=False))
    def test_many_pure_programs(self, drawn: Drawn) -> None:
        _agree(drawn, order=2)

    @pytest.mark.slow
    @MANY
    @given(programs(in_place=True))
    def test_many_programs_that_write(self, drawn: Drawn) -> None:
        _agree(drawn, order=1)


def _traced(drawn: Drawn, monkeypatch: pytest.MonkeyPatch) -> Iterator[Program]:
    """The whole program of a drawn one, forward and backward, before any pass."""
    found: list[Program] = []
    with monkeypatch.context() as patched:
        patched.setattr(traced_module, "simplified", lambda program: found.append(program) or program)
        f: CompiledFunction = wengert.compile(drawn_function(drawn))
        with suppress(RuntimeError):  # not every drawn program can run
            f.program(*_leaves(drawn))
    yield from found


def drawn_function(drawn: Drawn) -> Any:
    return lambda *leaves: drawn.run(wengert, leaves)


class TestPasses:
    @FEW
    @given(drawn=programs(in_place=True))
    def test_each_pass_keeps_the_outputs(self, drawn: Drawn) -> None:
        for program in _traced(drawn, pytest.MonkeyPatch()):
            verify(program)
            rng = np.random.default_rng(0)
            raws = [np.asarray(rng.uniform(-2, 2, x.shape)).astype(x.dtype) for x in program.inputs]
            want = evaluate(program, raws)
            for each in PASSES:
                program = verify(each(program))
                got = evaluate(program, raws)
                for a, b in zip(got, want, strict=True):
                    np.testing.assert_array_equal(a, b, err_msg=each.__name__)

    @FEW
    @given(drawn=programs(in_place=True))
    def test_the_text_reads_back(self, drawn: Drawn) -> None:
        for program in _traced(drawn, pytest.MonkeyPatch()):
            again = parse(str(program))
            assert again == program
            assert str(verify(again)) == str(program)


def test_nothing_is_left_out_that_may_be_nan() -> None:
    f = wengert.compile(lambda x: x.sin() + 0 * x.cos())
    f(wengert.ones(2))
    (plans,) = f._plans.values()
    assert [equation.op.name for equation in plans[0].program.equations] == ["sin", "cos", "mul", "add"]
