"""Exponentials of long rows part by part: the results of eager functions, special values and all lengths included."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
import pytest

import wengert as torch
from wengert._tree import flatten
from wengert.testing import assert_close

pytest.importorskip("llvmlite")
from wengert.compile.llvm.target import Target
from wengert.compile.lower import running
from wengert.compile.runtime import linking

compile_machine = import_module("wengert.compile.machine")  # `wengert.compile` is a function, too

EPS = {"f4": 2.0**-23, "f8": 2.0**-52}
LONG = {"f4": running.LEAST // 4, "f8": running.LEAST // 8}


def normal(seed: int, *shape: int, dtype: str = "f8", scale: float = 3.0) -> Any:
    return torch.tensor((scale * np.random.default_rng(seed).standard_normal(shape)).astype(dtype))


def by_hand(x: Any) -> Any:
    e = (x - x.amax(-1, keepdim=True)).exp()
    return e / e.sum(-1, keepdim=True)


def weighted(x: Any) -> Any:
    """Something that differs from place to place, so that a mistake in one part of a row shows."""
    return (x * torch.arange(x.shape[-1], dtype=x.dtype).sin()).sum()


VALUES: dict[str, Callable[[Any], Any]] = {
    "logsumexp": lambda x: torch.logsumexp(x, -1),
    "softmax": lambda x: torch.softmax(x, -1),
    "log_softmax": lambda x: torch.log_softmax(x, -1),
    "by hand": by_hand,
}
FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    **VALUES,
    "gradient of logsumexp": torch.func.grad_and_value(lambda x: torch.logsumexp(x, -1).sum()),
    "gradient of softmax": torch.func.grad_and_value(lambda x: weighted(torch.softmax(x, -1))),
    "gradient of log_softmax": torch.func.grad_and_value(lambda x: weighted(torch.log_softmax(x, -1))),
    "gradient by hand": torch.func.grad(lambda x: weighted(by_hand(x))),
    "of something computed": lambda x: torch.softmax(x.sin() * 3, -1),
    "exponentials beside": lambda x: ((e := (x - x.amax(-1, keepdim=True)).exp()), e.sum(-1)),
    "along both axes": lambda x: (x - x.amax(-1, keepdim=True)).exp() / x.exp().sum(0),
    "two of the same": lambda x: (torch.softmax(x, -1), torch.logsumexp(x, -1), torch.softmax(2 * x, -1)),
    "entropy": lambda x: (torch.softmax(x, -1) * torch.log_softmax(x, -1)).sum(-1),
    "second order": torch.func.grad(lambda x: weighted(torch.func.grad(lambda x: weighted(torch.softmax(x, -1)))(x))),
}


def compare(f: Callable[[Any], Any], x: Any, units: float = 64.0) -> None:
    """Compiled and eager results, to some units of the largest element."""
    eps = EPS[x.numpy().dtype.str[1:]]
    for got, want in zip(flatten(torch.compile(f)(x))[0], flatten(f(x))[0], strict=True):
        assert got.dtype == want.dtype
        assert got.shape == want.shape
        finite = np.abs(np.where(np.isfinite(want), want, 0))
        np.testing.assert_allclose(got, want, rtol=units * eps, atol=units * eps * finite.max(initial=1e-300))


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let rows of any length be in parts, of 16 elements of float32."""
    monkeypatch.setattr(running, "LEAST", 0)
    monkeypatch.setattr(running, "PART", 64)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_same_as_eager(name: str, dtype: str) -> None:
    size = running.PART // int(dtype[1])
    lengths = (LONG[dtype], LONG[dtype] + size - 1) if name in VALUES else (LONG[dtype] + 1,)
    for n in lengths:
        compare(FUNCTIONS[name], normal(n, n, dtype=dtype))
        compare(FUNCTIONS[name], normal(n, 3, n, dtype=dtype))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_length(name: str, small_parts: None) -> None:
    for dtype in ("f4", "f8"):
        for n in (1, 9, 16, 17, 32, 33, 127, 200):
            compare(FUNCTIONS[name], normal(n, n, dtype=dtype))
    compare(FUNCTIONS[name], normal(0, 5, 37))
    compare(FUNCTIONS[name], normal(0, 2, 3, 41, dtype="f4"))


@pytest.mark.parametrize("target", [Target(16, fma=False), Target(32), Target(64)], ids=str)
def test_other_registers(target: Target, small_parts: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linking, "host_target", lambda: target)
    monkeypatch.setattr(compile_machine, "_kernels", {})
    for name in ("gradient of logsumexp", "gradient of softmax", "log_softmax"):
        for dtype in ("f4", "f8"):
            for shape in ((9,), (45,), (128,), (3, 37)):
                compare(FUNCTIONS[name], normal(0, *shape, dtype=dtype))


def test_lengths_that_were_not_traced() -> None:
    f = torch.func.grad_and_value(lambda x: torch.logsumexp(x, 0))
    compiled = torch.compile(f)
    for n in (LONG["f8"], 1, 5, LONG["f8"] + 3, 4095, 4096, 4097, 100_000):
        x = normal(n, n)
        for got, want in zip(compiled(x), f(x), strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-12)
    assert compiled(torch.zeros(0, dtype=torch.float64))[1] == -np.inf


INF, NAN = np.inf, np.nan
SPECIAL: dict[str, list[float]] = {
    "all -inf": [-INF] * 40,
    "a part of -inf": [-INF] * 16 + [1.0, 2.0] * 12,
    "mostly -inf": [-INF] * 39 + [3.0],
    "inf": [1.0, 2.0, INF] + [0.5] * 37,
    "inf in the last part": [100.0, 800.0] * 19 + [1.0, INF],
    "inf and -inf": [-INF] * 20 + [INF] + [5.0] * 19,
    "two inf": [INF] + [300.0] * 38 + [INF],
    "nan": [1.0] * 20 + [NAN] + [2.0] * 19,
    "nan and inf": [INF] + [1.0] * 30 + [NAN] + [-INF] * 8,
    "far apart": [-1e30] * 16 + [0.0] * 8 + [1e30] * 16,
    "the largest numbers": [3.4e38, -3.4e38] * 20,
    "large": [1e4 + i for i in range(40)],
    "underflow": [-100.0 * i for i in range(40)],
    "zeros": [0.0, -0.0] * 20,
}


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("values", SPECIAL.values(), ids=list(SPECIAL))
def test_special_values(values: list[float], dtype: str, small_parts: None) -> None:
    x = torch.tensor(np.array(values, dtype))
    for name in ("logsumexp", "softmax", "log_softmax", "gradient of logsumexp", "gradient of softmax"):
        eager = flatten(FUNCTIONS[name](x))[0]
        if name == "gradient of logsumexp" and np.isfinite(values).all():
            eager[0] = torch.softmax(x, -1)  # exp(x - y) has the rounding error of y in its exponent
        for got, want in zip(flatten(torch.compile(FUNCTIONS[name])(x))[0], eager, strict=True):
            np.testing.assert_allclose(got, want, rtol=64 * EPS[dtype], atol=64 * EPS[dtype], err_msg=name)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_an_infinite_element_beside_large_ones(dtype: str) -> None:
    """The gradient is that of eager functions in short rows, too: 0 beside the infinite element, which has NaN."""
    x = torch.tensor(np.array([100.0, 800.0, INF, -INF, 3e38], dtype))
    f = torch.func.grad_and_value(lambda x: torch.logsumexp(x, 0))
    for compute in (f, torch.compile(f)):
        gradient, value = compute(x)
        assert value == INF
        np.testing.assert_array_equal(gradient, [0, 0, NAN, 0, 0])


def test_gradients_sum_to_one_where_parts_differ() -> None:
    x = normal(0, 100_000) + torch.linspace(0, 400, 100_000, dtype=torch.float64)
    gradient, value = torch.compile(torch.func.grad_and_value(lambda x: torch.logsumexp(x, 0)))(x)
    exact = x.numpy().astype(np.longdouble)
    whole = np.exp(exact - exact.max())
    np.testing.assert_allclose(value, float(np.log(whole.sum()) + exact.max()), rtol=2e-16)
    np.testing.assert_allclose(gradient, (whole / whole.sum()).astype("f8"), rtol=2e-13)
    assert_close(gradient.sum(), torch.tensor(1.0, dtype=torch.float64), rtol=1e-14, atol=0)


def test_the_same_bits_on_any_number_of_threads() -> None:
    f = torch.compile(torch.func.grad_and_value(lambda x: torch.logsumexp(x, 0)))
    x, before, found = normal(0, 300_001), torch.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            found.append([y.numpy().tobytes() for y in f(x)])
    finally:
        torch.set_num_threads(before)
    assert found[0] == found[1] == found[2]


def test_one_pass_before_the_gradient_is_written() -> None:
    f = torch.func.grad_and_value(lambda x: torch.logsumexp(x, 0))
    text = torch.compile(f).loops(normal(0, LONG["f8"]))
    assert text.count("ahead") == 1
    assert text.count("for i1_part") == 1
    assert text.count("exp(") == 2  # of the elements, and of the parts
    assert "ahead" not in torch.compile(f).loops(normal(0, LONG["f8"] - 1))


def test_what_large_arrays_need_again_is_computed_again() -> None:
    x = normal(0, (1 << 20) + 1)
    f = torch.func.grad_and_value(lambda x: torch.logsumexp(x, 0))
    assert torch.compile(f).loops(x).count("exp(") == 3
    compare(f, x)


def test_in_a_loop_of_the_program(small_parts: None) -> None:
    rows = normal(0, 5, 45)

    def f(rows: Any) -> Any:
        def step(carry: Any, row: Any) -> Any:
            p = torch.softmax(row + carry, 0)
            return p, torch.logsumexp(p * row, 0)

        return torch.func.scan(step, torch.zeros(45, dtype=torch.float64), rows)

    compare(f, rows)
    compare(torch.func.grad(lambda rows: f(rows)[1].sum()), rows)


def test_written_where_the_argument_lies() -> None:
    def f(x: Any) -> Any:
        return x.copy_(torch.softmax(x, -1))

    n = LONG["f8"] + 5
    x, y = normal(0, n), normal(0, n)
    torch.compile(f)(x)
    f(y)
    np.testing.assert_allclose(x, y, rtol=1e-13)
