"""One pass over rows, a tile at a time: as eager for all lengths, in memory for a tile alone, where that is allowed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as torch
from wengert.func import grad, vmap

pytest.importorskip("llvmlite")
F = torch.nn.functional


def random(seed: int, *shape: int, dtype: str = "f8") -> Any:
    return torch.tensor(np.random.default_rng(seed).standard_normal(shape).astype(dtype))


def entropy(x: Any) -> Any:
    p = x.softmax(1)
    return (p * p.log()).sum()


def squared_log_sums(x: Any) -> Any:
    return (x.logsumexp(1) ** 2).sum()


def normalised(x: Any) -> Any:
    return (F.layer_norm(x, x.shape[1:]).sigmoid() * x).sum()


def centred_by_columns(x: Any) -> Any:
    """The means over the rows must be there before any row is done."""
    return ((x - x.mean(0)).softmax(1) ** 2).sum()


def neighbours(x: Any) -> Any:
    """A row reads what belongs to the next one."""
    y = x.exp() / x.exp().sum(1, keepdim=True)
    return (y[1:] * y[:-1]).sum() + y.sum()


def turned(x: Any) -> Any:
    """Rows, and columns of the same values."""
    y = (x - x.amax(1, keepdim=True)).exp()
    return (y / y.sum(1, keepdim=True)).sum() + (y / y.sum(0)).square().sum()


def several_sums(x: Any) -> Any:
    p = x.softmax(1)
    return p.square().sum() * p.log().mean() + p.amax()


FUNCTIONS = (entropy, squared_log_sums, normalised, centred_by_columns, neighbours, turned, several_sums)


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_as_eager(function: Callable[..., Any], dtype: str) -> None:
    f = torch.func.grad_and_value(function)
    compiled = torch.compile(f)
    tolerance = 1e-4 if dtype == "f4" else 1e-9
    for n, m in ((2, 20), (300, 20), (1, 64), (17, 70), (1000, 33), (40, 3000), (3, 100), (301, 20)):
        x = random(n, n, m, dtype=dtype)
        for got, want in zip(compiled(x), f(x), strict=True):
            assert got.dtype == want.dtype
            np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance)


def test_what_lies_between_loops_is_as_large_as_a_tile() -> None:
    loops = torch.compile(grad(squared_log_sums)).loops(random(0, 500, 50))
    assert "tile by tile of n0 rows" in loops
    assert "rows t0" in loops
    assert "temp" not in loops
    assert "tile by tile" not in torch.compile(lambda x: x.exp().sum(1)).loops(random(0, 500, 50))


def test_a_loop_that_needs_the_whole_of_another_one_is_no_part_of_its_tiles() -> None:
    loops = torch.compile(lambda x: (x - x.mean(0)).softmax(1)).loops(random(0, 500, 50))
    means, rest = loops.split("tile by tile", 1)
    assert "= sum(" in means
    assert "= max(" in rest


def test_the_last_sum_waits_for_all_tiles() -> None:
    """What a loop has found over all rows is known after the last tile."""

    def shares(x: Any) -> Any:
        weight = x.exp().sum(1)
        return x.softmax(1) * (weight / weight.sum())[:, None]

    x = random(1, 700, 40)
    np.testing.assert_allclose(torch.compile(shares)(x), shares(x), rtol=1e-12)


def test_the_number_of_threads_changes_nothing() -> None:
    x = random(0, 20_000, 40, dtype="f4")
    compiled = torch.compile(torch.func.grad_and_value(several_sums))
    before = torch.get_num_threads()
    results = []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            results.append([y.numpy().tobytes() for y in compiled(x)])
    finally:
        torch.set_num_threads(before)
    assert results[0] == results[1] == results[2]


def test_vmapped_gradients_of_a_quadratic_form() -> None:
    def f(x: Any, a: Any) -> Any:
        return (x @ (a @ x)).tanh()

    g = vmap(grad(f, (0, 1)))
    for n, d in ((50, 32), (7, 20), (600, 24)):
        x, a = random(0, n, d) / d, random(1, n, d, d) / d
        for got, want in zip(torch.compile(g)(x, a), g(x, a), strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-12)


def test_empty_rows() -> None:
    compiled = torch.compile(lambda x: x - x.sum(1, keepdim=True).exp() + x.sum(1, keepdim=True))
    for n, m in ((40, 30), (0, 30), (40, 1), (30, 40)):
        x = random(0, n, m)
        assert compiled(x).shape == (n, m)


def test_lengths_of_rows_that_vary_get_a_name() -> None:
    """The first two become numbers of the code; then one kernel serves all."""

    def f(x: Any) -> Any:
        return (x.sinh() * x.asinh()).sum(1).cosh() + 0.125

    compiled = torch.compile(f)
    code = [compiled.llvm(random(0, 100, m)) for m in (20, 21, 22, 23)]
    assert code[0] != code[1] != code[2]
    assert code[2] == code[3]
    assert compiled.llvm(random(0, 200, 20)) == code[0]
    for m in (20, 21, 22, 23, 60):
        x = random(m, 100, m)
        np.testing.assert_allclose(compiled(x), f(x), rtol=1e-12)
