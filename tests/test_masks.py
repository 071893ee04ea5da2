"""Choices by a mask made with bit operations, and the normal distribution function that gelu uses."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest

from wengert.ops.masks import choose, zero_where
from wengert.ops.normal_cdf import normal_cdf


def _operands(n: int) -> list[Any]:
    rng = np.random.default_rng(n)
    x, y = rng.standard_normal((2, n)).astype(np.float32)
    x[0], y[0] = np.nan, -np.inf
    return [
        x,
        y[::-1],
        x.astype(np.float64),
        x.astype(np.float16),
        x.astype(np.complex64),
        np.arange(n),
        x[:1],
        x[None],
        np.stack([x, y]),
        np.broadcast_to(np.float32(2), (n,)),
        np.float32(3),
        np.float64(3),
        np.asarray(np.float32(3)),
        1.5,
        2,
        True,
        math.nan,
    ]


def _masks(n: int) -> list[Any]:
    mask = np.random.default_rng(1).random(n) < 0.5
    return [mask, mask[::-1], mask[None], np.stack([mask, ~mask]), mask[:1], mask[0]]


@pytest.mark.parametrize("n", [5, 5000])
def test_choose_is_where(n: int) -> None:
    for a, b in itertools.product(_operands(n), repeat=2):
        for mask in _masks(n):
            want, got = np.where(mask, a, b), choose(mask, a, b)
            assert got.dtype == want.dtype
            np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("n", [5, 5000])
def test_zero_where_gives_exact_positive_zeros(n: int) -> None:
    for x in [x for x in _operands(n) if hasattr(x, "dtype")]:
        for mask in _masks(n):
            want, got = np.where(mask, x.dtype.type(0), x), zero_where(x, mask)
            assert got.dtype == want.dtype
            np.testing.assert_array_equal(got, want)
            if np.ndim(got) and x.dtype.kind == "f":
                assert not np.signbit(got[np.broadcast_to(mask, got.shape)]).any()


def test_normal_cdf() -> None:
    grid = np.linspace(-9, 9, 5001)
    want = np.array([0.5 * math.erfc(-v / math.sqrt(2)) for v in grid])
    np.testing.assert_allclose(normal_cdf(grid), want, rtol=0, atol=3e-16)
    np.testing.assert_allclose(normal_cdf(grid.astype(np.float32)), want, rtol=0, atol=1.3e-7)
    np.testing.assert_allclose(normal_cdf(grid[:40].astype(np.float32)), want[:40], rtol=0, atol=1e-7)
    ends = np.array([-np.inf, -1e30, 1e30, np.inf, np.nan] * 20, np.float32)
    with np.errstate(over="ignore"):  # the engine runs every operation so
        np.testing.assert_array_equal(normal_cdf(ends), np.array([0, 0, 1, 1, np.nan] * 20, np.float32))


@pytest.mark.parametrize("number", [0.0, -0.0, 2.5, np.nan, -np.inf])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_choice_between_a_few_elements_and_a_number(dtype: Any, number: float) -> None:
    x = np.array([[1.0, -0.0], [np.nan, np.inf], [0.0, -2.0]], dtype)
    for array in (x, x.T, x[:, :1]):
        mask = np.arange(array.size).reshape(array.shape) % 2 == 0
        for got, expected in (
            (choose(mask, array, number), np.where(mask, array, dtype(number))),
            (choose(mask, number, array), np.where(mask, dtype(number), array)),
        ):
            assert got.dtype == dtype
            np.testing.assert_array_equal(got, expected)
            np.testing.assert_array_equal(np.signbit(got), np.signbit(expected))
