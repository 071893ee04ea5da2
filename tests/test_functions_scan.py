"""Scans, differences and trapezoids against PyTorch: values, node names, gradients of both orders, errors."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, nan
from typing import Any

import numpy as np
import pytest

import wengert

torch = pytest.importorskip("torch")

from torch_pairs import compare, same_error


def r(*shape: int, dtype: str = "float64", seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng([seed, *shape])
    x = rng.standard_normal(shape)
    return np.asarray(x + 1j * rng.standard_normal(shape) if dtype.startswith("complex") else x).astype(dtype)


INPUTS = {
    "vector": lambda dtype: r(7, dtype=dtype),
    "matrix": lambda dtype: r(3, 5, dtype=dtype),
    "transposed": lambda dtype: r(4, 3, 2, dtype=dtype).transpose(2, 0, 1),
    "strided": lambda dtype: r(4, 6, dtype=dtype)[::2, ::3],
    "one": lambda dtype: r(1, dtype=dtype),
    "empty": lambda dtype: r(0, 3, dtype=dtype),
}
layouts = pytest.mark.parametrize("make", INPUTS.values(), ids=INPUTS)


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
@pytest.mark.parametrize("name", ["cumsum", "cumprod", "logcumsumexp"])
@pytest.mark.parametrize("meta", [{"dim": 0}, {"dim": -1}, {"axis": 0}])
@layouts
def test_scans(make: Any, meta: dict[str, int], name: str, dtype: str) -> None:
    compare(lambda lib, x: getattr(lib, name)(x, **meta), make(dtype), scale=20)


@pytest.mark.parametrize("name", ["cummax", "cummin"])
@pytest.mark.parametrize("dim", [0, -1])
@layouts
def test_running_extrema(make: Any, dim: int, name: str) -> None:
    for part in (0, 1):
        compare(lambda lib, x, part=part: getattr(lib, name)(x, dim)[part], make("float32"))


@pytest.mark.parametrize("name", ["cummax", "cummin"])
def test_running_extrema_at_ties_and_nan(name: str) -> None:
    for row in ([1.0, 3.0, 3.0, 2.0, 3.0], [1.0, nan, 3.0, nan, 2.0], [nan, 1.0], [-inf, inf, inf]):
        for part in (0, 1):
            compare(lambda lib, x, part=part: getattr(lib, name)(x, 0)[part], np.array(row))
    compare(lambda lib, x: getattr(lib, name)(x, 0)[1], np.array([True, False, True]))


ZEROS = [[1.0, 0.0, 2.0, 3.0], [0.0, 0.0, 2.0], [0.0, 0.0, 0.0], [2.0, 3.0], [1.5, -2.0, 0.0], [0.0]]


@pytest.mark.parametrize("row", ZEROS)
def test_cumprod_where_elements_are_zero(row: list[float]) -> None:
    compare(lambda lib, x: lib.cumprod(x, 0), np.array(row))
    compare(lambda lib, x: lib.cumprod(x, 1), np.array([row, row[::-1]]))


def test_long_scans_run_in_double_precision() -> None:
    x = np.random.default_rng(0).random(1_000_000).astype("float32")
    exact = np.cumsum(x.astype("float64"))
    assert np.max(np.abs(wengert.from_numpy(x).cumsum(0).numpy() - exact) / exact) < 1e-6


@pytest.mark.parametrize("n", [2, 3, 63, 64, 65, 1000])
def test_cumprod_of_many_factors(n: int) -> None:
    compare(lambda lib, x: lib.cumprod(x, 0), 1 + 0.1 * r(n), scale=1e3)
    compare(lambda lib, x: lib.logcumsumexp(x, 0), 5 * r(n), scale=1e3)


def test_logcumsumexp_beyond_what_exp_can_take() -> None:
    compare(lambda lib, x: lib.logcumsumexp(x, 0), np.array([9000.0, 9001.0, 9000.5, -9000.0]), scale=1e3)


@pytest.mark.parametrize(
    "row", [[-inf, -inf], [inf, 1.0], [-inf, 1.0], [inf, inf], [nan, 1.0], [inf, -inf], [1e4, 1e4, -1e4], [1.0, nan]]
)
def test_logcumsumexp_of_infinities(row: list[float]) -> None:
    compare(lambda lib, x: lib.logcumsumexp(x, 0), np.array(row), order=1)


def test_dtypes() -> None:
    compare(lambda lib, x: x.cumsum(0, dtype=lib.float64), r(3, 2, dtype="float32"))
    compare(lambda lib, x: x.cumprod(0, dtype=lib.int32), np.array([1, 2, 3], "int64"))
    compare(lambda lib, x: x.cumsum(0), r(50, dtype="float16"), order=1)


def test_in_place() -> None:
    compare(lambda lib, x: (x * 1).cumsum_(0), r(3, 2))
    compare(lambda lib, x: (x * 1).cumprod_(1), r(3, 2))
    x = np.array([100, 100, 100], "int8")
    compare(lambda lib, x: x.cumsum_(0), x)
    same_error(lambda lib, x: x.cumsum_(0, dtype=lib.float32), x)
    same_error(lambda lib, x: x.cumsum_(0), r(3), beginning=26)


# --- differences and trapezoids --------------------------------------------------------------------------------------


@pytest.mark.parametrize("meta", [{}, {"n": 2}, {"dim": 0}, {"n": 0}, {"n": 9}, {"n": 3, "dim": -2}])
def test_diff(meta: dict[str, int]) -> None:
    name = meta.get("n") != 0  # PyTorch copies there under a name of its own
    compare(lambda lib, x: lib.diff(x, **meta), r(4, 5), name=name)
    compare(lambda lib, x: lib.diff(x, **meta), np.array([[9, 4, 1], [0, 4, 2]], "uint8"))
    compare(lambda lib, x: lib.diff(x, **meta), np.array([[True, False, False], [True, True, False]]))


def test_diff_with_more_at_the_ends() -> None:
    compare(lambda lib, x, y: lib.diff(x, prepend=y), r(2, 3), r(2, 1))
    compare(lambda lib, x, y: x.diff(append=y, prepend=y, dim=0), r(2, 3), r(4, 3))
    compare(lambda lib, x, y: lib.diff(x, append=y), np.array([1, 2, 4]), np.array([1.0]))


X1 = np.array([0.0, 1.0, 3.0, 3.5])


@pytest.mark.parametrize("name", ["trapezoid", "trapz", "cumulative_trapezoid"])
def test_trapezoids(name: str) -> None:
    def rule(lib: Any) -> Callable[..., Any]:
        return getattr(lib, name)  # type: ignore[no-any-return]

    y = r(3, 4)
    compare(lambda lib, y: rule(lib)(y), y, name=False)
    compare(lambda lib, y: rule(lib)(y, dx=0.5, dim=0), y, name=False)
    compare(lambda lib, y, x: rule(lib)(y, x), y, X1, name=False)
    compare(lambda lib, y, x: rule(lib)(y, x, dim=0), y, X1[:3], name=False)
    compare(lambda lib, y, x: rule(lib)(y, x), y, r(3, 4, seed=1), name=False)
    compare(lambda lib, y, x: rule(lib)(y, x, dim=1), r(2, 3, 4), r(3, 4, seed=1), name=False)
    compare(lambda lib, y: rule(lib)(y), np.array([1, 2, 3]))
    compare(lambda lib, y: rule(lib)(y, dx=2), np.array([1, 2, 3]))
    for shape in ((1,), (0,), (2, 0), (2, 1)):
        compare(lambda lib, y: rule(lib)(y), np.ones(shape), name=False)
        compare(lambda lib, y, x: rule(lib)(y, x), np.ones(shape), np.ones(shape[-1]), name=False)


ERRORS: dict[str, tuple[Callable[..., Any], int | None]] = {
    "no dim": (lambda lib, x: x.cumsum(), None),
    "no such axis": (lambda lib, x: x.cumprod(5), None),
    "cummax of complex": (lambda lib, x: (x + 1j).cummax(0), None),
    "cummin without dim": (lambda lib, x: lib.cummin(x), None),
    "logcumsumexp of integers": (lambda lib, x: x.long().logcumsumexp(0), None),
    "logcumsumexp along no axis": (lambda lib, x: lib.logcumsumexp(x, -3), None),
    "diff of 0-d": (lambda lib, x: x[0, 0].diff(), None),
    "diff of negative order": (lambda lib, x: x.diff(-1), None),
    "diff with parts of another rank": (lambda lib, x: x.diff(prepend=x[0]), None),
    "trapezoid of bools": (lambda lib, x: lib.trapezoid(x > 0), 70),
    "trapezoid of 0-d": (lambda lib, x: lib.trapezoid(x[0, 0]), 0),
    "trapezoid with too few points": (lambda lib, x: lib.trapezoid(x, x[0, :2]), None),
    "trapezoid with points and distance": (lambda lib, x: lib.trapezoid(x, x, dx=1), 0),
}


@pytest.mark.parametrize(("run", "beginning"), ERRORS.values(), ids=ERRORS)
def test_errors(run: Callable[..., Any], beginning: int | None) -> None:
    assert len(same_error(run, r(2, 3), beginning=beginning)) > 20


def test_third_derivatives() -> None:
    compare(lambda lib, x: lib.cumprod(x, 1), r(2, 5), order=3, scale=10)
    # PyTorch's own has NaN from the third derivative on.
    plain = lambda lib, x: lib.logcumsumexp(x, 1) if lib is wengert else x.exp().cumsum(1).log()
    compare(plain, r(2, 5), order=3, scale=10, name=False)


def test_third_derivative_of_cumprod_where_elements_are_zero() -> None:
    def naive(lib: Any, x: Any) -> Any:
        return lib.stack([x[0], x[0] * x[1], x[0] * x[1] * x[2], x[0] * x[1] * x[2] * x[3]])

    compare(
        lambda lib, x: lib.cumprod(x, 0) if lib is wengert else naive(lib, x),
        np.array([2.0, 0, 0, 3]),
        order=3,
        name=False,
    )
