"""Sums over rows in the loops that go row by row: part by part, the same on any number of threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as torch
from wengert._tree import flatten

pytest.importorskip("llvmlite")


def normal(seed: int, *shape: int, dtype: str = "f8") -> Any:
    return torch.tensor(np.random.default_rng(seed).standard_normal(shape).astype(dtype))


def both_ways(x: Any, row: Any) -> Any:
    """Sums over rows and over columns of the same thing."""
    y = torch.tanh(x * row)
    return (y * x).sum(0).square().sum() + y.sum(1).square().sum()


FUNCTIONS: dict[str, Callable[[Any, Any], Any]] = {
    "sums of rows and columns": lambda x, row: ((x * row).sum(0), (x * row).sum(1)),
    "a result beside": lambda x, row: ((x * row).exp(), (x * row).exp().mean(0, keepdim=True)),
    "several": lambda x, row: (x.sum(0), (x * x).sum(0), (x - row).sum(), x.amax(1)),
    "one after the other": lambda x, row: ((x - x.mean(0)) * row, (x - x.mean(0)).square().sum(0)),
    "value and gradient": torch.func.grad_and_value(both_ways, (0, 1)),
    "in another dtype": lambda x, row: ((x * row).sum(0, dtype=torch.float32), (x * row) * 2),
    "of stacks": lambda x, row: ((x.reshape(-1, 4, x.shape[1]) * row).sum(0), x.reshape(-1, 4, x.shape[1]) - row),
}


@pytest.mark.parametrize("shape", [(1024, 32), (1064, 50), (700, 172)])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_same_as_eager(name: str, shape: tuple[int, int]) -> None:
    x, row = normal(0, *shape), normal(1, shape[1])
    f = FUNCTIONS[name]
    got, want = torch.compile(f)(x, row), f(x, row)
    for a, b in zip(flatten(got)[0], flatten(want)[0], strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-4 if a.dtype == torch.float32 else 1e-11)


def test_one_pass_for_both() -> None:
    f = torch.compile(FUNCTIONS["value and gradient"])
    x, row = normal(0, 2000, 50), normal(1, 50)
    assert f.loops(x, row).count(", part i") == 2  # forward and back
    small = torch.compile(FUNCTIONS["value and gradient"])
    assert ", part i" not in small.loops(normal(0, 100, 50), row)


def test_sums_alone_have_columns_as_lanes() -> None:
    x, row = normal(0, 2000, 50), normal(1, 50)
    assert ", part i" not in torch.compile(lambda x, row: ((x * row).sum(0), x.mean(0))).loops(x, row)


def test_a_sum_over_the_only_axis_has_lanes() -> None:
    f = torch.func.grad_and_value(lambda x: (x.sin() * x).sum())
    assert ", part i" not in torch.compile(f).loops(normal(0, 100_000))


def test_what_large_arrays_need_again_is_computed_again() -> None:
    f = torch.func.grad_and_value(both_ways, (0, 1))
    for rows, times in ((1000, 1), (100_000, 2)):
        text = torch.compile(f).loops(normal(0, rows, 50, dtype="f4"), normal(1, 50, dtype="f4"))
        assert text.count("tanh") == times


def test_accurate_and_the_same_bits_on_any_number_of_threads() -> None:
    x, row = normal(0, 20_011, 37, dtype="f4") + 1, normal(1, 37, dtype="f4")
    f = torch.compile(lambda x, row: ((x * row).sum(0), x - row))
    before = torch.get_num_threads()
    try:
        found = []
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            found.append(f(x, row)[0].numpy())
    finally:
        torch.set_num_threads(before)
    for other in found[1:]:
        np.testing.assert_array_equal(found[0], other)
    exact = (x.numpy() * row.numpy()).astype("f8")
    bound = np.finfo("f4").eps * np.abs(exact).sum(0)
    assert (np.abs(found[0] - exact.sum(0)) <= bound).all()


def test_special_values() -> None:
    x = np.zeros((600, 40))
    x[5, 1], x[599, 2], x[300, 3], x[301, 3] = np.nan, np.inf, np.inf, -np.inf
    x[:, 4] = -0.0
    f = lambda x: (x.sum(0), x * 2)
    got, _ = torch.compile(f)(torch.tensor(x))
    want = np.zeros(40)
    want[1:4] = np.nan, np.inf, np.nan
    np.testing.assert_array_equal(got, want)
    assert not np.signbit(got.numpy()[[0, 4]]).any()


def test_written_where_it_is_read() -> None:
    def step(x: Any) -> Any:
        y = x * 2
        x.copy_(y)
        return y.sum(0)

    x = normal(0, 800, 40)
    want = (x * 2).sum(0)
    np.testing.assert_allclose(torch.compile(step)(x), want, rtol=1e-11, atol=1e-11)
