"""Reductions against PyTorch: values, dtypes, node names, gradients of both orders, ties, NaN, empty tensors."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from math import inf, nan
from typing import Any

import numpy as np
import pytest

import wengert

torch = pytest.importorskip("torch")

from torch_pairs import compare, same_error

Reduction = Callable[..., Any]


def r(*shape: int, dtype: str = "float64", seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng([seed, *shape])
    x = rng.standard_normal(shape)
    return np.asarray(x + 1j * rng.standard_normal(shape) if dtype.startswith("complex") else x).astype(dtype)


FLOATS = ["float32", "float64"]
DTYPES = [*FLOATS, "complex64", "complex128"]

# Shapes and layouts that every reduction over axes meets.
INPUTS = {
    "matrix": lambda dtype: r(2, 3, dtype=dtype),
    "cube": lambda dtype: r(2, 3, 4, dtype=dtype),
    "transposed": lambda dtype: r(4, 3, 2, dtype=dtype).transpose(2, 0, 1),
    "strided": lambda dtype: r(4, 6, dtype=dtype)[::2, ::3],
    "reversed": lambda dtype: r(3, 4, dtype=dtype)[::-1].copy(),
    "one row": lambda dtype: r(1, 4, dtype=dtype),
}
DIMS: dict[str, dict[str, Any]] = {
    "all": {},
    "first": {"dim": 0},
    "last": {"dim": -1},
    "kept": {"dim": 0, "keepdim": True},
    "several": {"dim": (0, -1)},
    "a list, kept": {"dim": [1, 0], "keepdim": True},
    "none named": {"dim": ()},
    "numpy's names": {"axis": 1, "keepdims": True},
}
ONE_DIM = {name: DIMS[name] for name in ("first", "last", "kept", "numpy's names")}

over_axes = pytest.mark.parametrize("meta", DIMS.values(), ids=DIMS)
along_axis = pytest.mark.parametrize("meta", ONE_DIM.values(), ids=ONE_DIM)
layouts = pytest.mark.parametrize("make", INPUTS.values(), ids=INPUTS)


def call(name: str, **meta: Any) -> Reduction:
    return lambda lib, x: getattr(lib, name)(x, **meta)


# --- over axes: every layout, dim form, dtype ------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["sum", "mean"])
@over_axes
@layouts
def test_sums_and_means(make: Any, meta: dict[str, Any], name: str, dtype: str) -> None:
    compare(call(name, **meta), make(dtype), scale=4)


@pytest.mark.parametrize("name", ["nansum", "nanmean", "amax", "amin"])
@over_axes
@layouts
def test_float_reductions(make: Any, meta: dict[str, Any], name: str) -> None:
    for dtype in FLOATS:
        compare(call(name, **meta), make(dtype), scale=10)


# The variance along an axis of size one is undefined, and PyTorch's gradient for `dim=()` is infinite: it takes the
# number of elements from the axes that were named.
@pytest.mark.parametrize("name", ["var", "std"])
@pytest.mark.parametrize("meta", [DIMS[k] for k in DIMS if k != "none named"])
@pytest.mark.parametrize("make", [INPUTS[k] for k in INPUTS if k != "one row"])
def test_spread(make: Any, meta: dict[str, Any], name: str) -> None:
    for dtype in FLOATS:
        compare(call(name, **meta), make(dtype), scale=10)


@pytest.mark.parametrize("name", ["var", "std", "var_mean", "std_mean"])
def test_spread_over_no_named_axis_is_over_all(name: str) -> None:
    first = call(name, dim=()) if not name.endswith("mean") else (lambda lib, x: getattr(lib, name)(x, dim=())[0])
    compare(first, r(2, 3), order=0)
    x = wengert.from_numpy(r(2, 3)).requires_grad_()
    (got,) = wengert.autograd.grad(first(wengert, x), x)
    (want,) = wengert.autograd.grad(first(wengert, x.reshape(6)), x)
    assert got.tolist() == want.tolist()


@pytest.mark.parametrize("dtype", DTYPES)
@layouts
@pytest.mark.parametrize("meta", [DIMS[k] for k in DIMS if k not in ("all", "none named", "numpy's names")])
def test_logsumexp(make: Any, meta: dict[str, Any], dtype: str) -> None:
    compare(call("logsumexp", **meta), make(dtype), scale=10)


@pytest.mark.parametrize("dtype", DTYPES)
@layouts
@pytest.mark.parametrize("meta", [{}, *ONE_DIM.values()])
def test_prod(make: Any, meta: dict[str, Any], dtype: str) -> None:
    compare(call("prod", **meta), make(dtype), scale=20)


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
@pytest.mark.parametrize("name", ["var", "std"])
@pytest.mark.parametrize("meta", [DIMS[k] for k in DIMS if k != "none named"])
def test_spread_of_complex_numbers(meta: dict[str, Any], name: str, dtype: str) -> None:
    compare(call(name, **meta), r(2, 3, dtype=dtype), scale=10)


@pytest.mark.parametrize("name", ["var_mean", "std_mean"])
@pytest.mark.parametrize("part", [0, 1])
@pytest.mark.parametrize("meta", [DIMS[k] for k in DIMS if k != "none named"])
def test_spread_with_mean(meta: dict[str, Any], part: int, name: str) -> None:
    compare(lambda lib, x: getattr(lib, name)(x, **meta)[part], r(2, 3, 4), scale=10)
    compare(lambda lib, x: sum(t.sum() for t in getattr(lib, name)(x, **meta)), r(2, 3, 4), scale=10)


@pytest.mark.parametrize("name", ["aminmax", "max", "min", "median", "nanmedian"])
@layouts
def test_extrema_of_everything(make: Any, name: str) -> None:
    for dtype in FLOATS:
        if name == "aminmax":
            compare(lambda lib, x: lib.aminmax(x).min, make(dtype))
            compare(lambda lib, x: lib.aminmax(x).max * lib.aminmax(x)[0], make(dtype))
        else:
            compare(call(name), make(dtype))


@pytest.mark.parametrize("name", ["aminmax", "max", "min", "median", "nanmedian", "mode"])
@along_axis
@layouts
def test_extrema_along_an_axis(make: Any, meta: dict[str, Any], name: str) -> None:
    for part in (0, 1):
        compare(lambda lib, x, part=part: getattr(lib, name)(x, **meta)[part], make("float32"))


@pytest.mark.parametrize("name", ["all", "any", "count_nonzero"])
@pytest.mark.parametrize("dtype", ["bool", "uint8", "int32", "float32", "complex64"])
@over_axes
def test_truth(meta: dict[str, Any], dtype: str, name: str) -> None:
    if name == "count_nonzero":
        meta = {key: value for key, value in meta.items() if not key.startswith("keepdim")}
    compare(call(name, **meta), np.array([[0, 1, 2], [0, 0, 3]]).astype(dtype))


@pytest.mark.parametrize("name", ["argmax", "argmin"])
@pytest.mark.parametrize("meta", [{}, {"keepdim": True}, *ONE_DIM.values()])
def test_places_of_extrema(meta: dict[str, Any], name: str) -> None:
    compare(call(name, **meta), np.array([[1.0, 3.0, 3.0], [2.0, 1.0, 0.5]]))
    compare(call(name, **meta), np.array([[1, 3, 3], [2, 1, 0]]))
    compare(call(name, **meta), np.array([[1.0, nan, 3.0], [nan, 1.0, nan]]))


# --- dtypes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int8", "int16", "int32", "int64"])
@pytest.mark.parametrize("name", ["sum", "nansum", "prod", "cumsum", "cumprod"])
def test_integers_are_added_as_int64(name: str, dtype: str) -> None:
    x = np.array([[1, 0, 3], [1, 1, 100]]).astype(dtype)
    compare(call(name, dim=1), x)
    if not name.startswith("cum"):
        compare(call(name), x)


@pytest.mark.parametrize("name", ["amax", "amin", "max", "min"])
@pytest.mark.parametrize("dtype", ["bool", "uint8", "int32"])
def test_extrema_keep_the_dtype(name: str, dtype: str) -> None:
    compare(call(name), np.array([[1, 0, 3], [1, 1, 100]]).astype(dtype))


@pytest.mark.parametrize("name", ["sum", "nansum", "mean", "nanmean", "prod"])
@pytest.mark.parametrize("wanted", ["float32", "float64", "complex128", "int32", "bool"])
def test_dtype_argument(name: str, wanted: str) -> None:
    x = np.array([[1.5, 2.5, 3.0]], "float32")
    is_float, is_complex = wanted.startswith("float"), wanted.startswith("complex")
    if ("mean" in name and not (is_float or is_complex)) or (name.startswith("nan") and is_complex):
        same_error(lambda lib, x: getattr(lib, name)(x.detach(), dtype=getattr(lib, wanted)), x, beginning=20)
        return
    # PyTorch cannot differentiate into another kind of dtype.
    order, frozen = (2, ()) if is_float else (0, (0,))
    compare(lambda lib, x: getattr(lib, name)(x, dtype=getattr(lib, wanted)), x, order=order, frozen=frozen)
    axes = 1 if name == "prod" else (0, 1)
    compare(lambda lib, x: getattr(lib, name)(x, axes, dtype=getattr(lib, wanted)), x, order=order, frozen=frozen)


@pytest.mark.parametrize("name", ["sum", "mean", "prod", "var", "std", "norm", "amax", "logsumexp"])
def test_half_precision(name: str) -> None:
    x = r(3, 50).astype("float16")
    meta = {"dim": 1} if name == "logsumexp" else {}
    compare(call(name, **meta), x, order=1 if name != "prod" else 0)
    compare(call(name, dim=1), x, order=0, scale=3)


def test_float16_sums_do_not_overflow_on_the_way() -> None:
    x = np.array([60000, 60000, -60000, -60000], "float16")
    compare(call("sum"), x)
    assert wengert.from_numpy(np.full(4000, 100, "float16")).mean().item() == 100


LARGE = {
    "one run": lambda: np.random.default_rng(0).random(1_000_001),
    "thin rows": lambda: np.random.default_rng(1).random((300_000, 3)),
    "long rows": lambda: np.random.default_rng(2).random((3, 100_003)),
    "square": lambda: np.random.default_rng(3).random((1000, 1000)),
    "columns in memory": lambda: np.random.default_rng(4).random((700, 900)).T,
    "cube": lambda: np.random.default_rng(5).random((40, 50, 60)),
    "gaps": lambda: np.random.default_rng(6).random((2000, 600))[:, ::2],
}
PLAIN = {
    "sum": np.sum,
    "mean": np.mean,
    "norm": lambda x, axis, keepdims: np.sqrt(np.sum(x * x, axis=axis, keepdims=keepdims)),
    "var": lambda x, axis, keepdims: np.var(x, axis=axis, keepdims=keepdims, ddof=1),
}


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.parametrize("make", LARGE.values(), ids=LARGE)
def test_reductions_of_many_elements_lose_few_digits(make: Any, name: str, dtype: str) -> None:
    x = make().astype(dtype)
    limit = 2e-6 if dtype == "float32" else 1e-13
    t = wengert.from_numpy(x)
    for dim in (None, *range(x.ndim), (0, x.ndim - 1), tuple(range(x.ndim - 1, max(x.ndim - 3, -1), -1))):
        if isinstance(dim, tuple) and len(set(dim)) < len(dim):
            continue
        for keep in (False, True):
            exact = PLAIN[name](x.astype("float64"), axis=dim, keepdims=keep)
            got = getattr(t, name)(dim=dim, keepdim=keep).numpy()
            assert got.dtype == x.dtype
            assert got.shape == np.shape(exact)
            assert np.max(np.abs(got - exact) / exact) < limit


# --- ties, zeros, NaN, infinities ------------------------------------------------------------------------------------

CHOOSING = ["max", "min", "median", "nanmedian"]
TIES = np.array([[1.0, 3.0, 3.0, 2.0], [2.0, 2.0, 2.0, 2.0], [0.0, -1.0, 0.0, -1.0]])
HOLES = np.array([[1.0, nan, 3.0, 2.0], [nan, nan, nan, nan], [0.0, -1.0, 0.5, -inf], [inf, inf, -inf, 1.0]])


@pytest.mark.parametrize("x", [TIES, HOLES], ids=["ties", "holes"])
@pytest.mark.parametrize("name", [*CHOOSING, "amax", "amin", "sum", "nansum", "nanmean", "prod"])
def test_ties_and_holes(name: str, x: np.ndarray) -> None:
    compare(call(name), x, order=1)
    for dim in (0, 1):
        if name in CHOOSING:
            # Where all are NaN, PyTorch's nanmedian points at any of them.
            some = x[[0, 2]] if name == "nanmedian" else x
            compare(lambda lib, x, dim=dim: getattr(lib, name)(x, dim)[0], some)
            compare(lambda lib, x, dim=dim: getattr(lib, name)(x, dim)[1], some)
        else:
            compare(call(name, dim=dim), x, order=1)


def test_mode_takes_the_smallest_of_the_most_frequent() -> None:
    for x in (TIES, np.array([5.0, 1, 5, 1, 5, 1, 3, 3, 3, 2])):
        compare(lambda lib, x: lib.mode(x)[0], x)
        compare(lambda lib, x: lib.mode(x)[1], x)
    compare(lambda lib, x: lib.mode(x, 0)[0], np.array([[True, False], [True, True]]))


@pytest.mark.parametrize("dim", [0, 1, None])
def test_prod_where_elements_are_zero(dim: int | None) -> None:
    x = np.array([[1.5, 0.0, -2.0], [0.0, 0.0, 3.0], [2.0, 4.0, 1.0]])
    compare(lambda lib, x: lib.prod(x) if dim is None else lib.prod(x, dim), x)
    compare(lambda lib, x: lib.prod(x) if dim is None else lib.prod(x, dim), x[2:], scale=10)
    compare(lambda lib, x: lib.prod(x), np.array([2.0, 0.0, 4.0]))
    compare(lambda lib, x: lib.prod(x), np.array([2.0, 0.0, 0.0]))


def test_third_derivative_of_prod_where_elements_are_zero() -> None:
    x = wengert.tensor([2.0, 0.0, 0.0, 5.0], requires_grad=True)
    g = wengert.autograd.grad(x.prod(), x, create_graph=True)[0]
    h = wengert.autograd.grad(g[1], x, create_graph=True)[0]
    t = wengert.autograd.grad(h[2], x)[0]
    assert t.tolist() == [5.0, 0.0, 0.0, 2.0]


@pytest.mark.parametrize(
    "row", [[-inf, -inf], [inf, 1.0], [-inf, 1.0], [inf, inf], [nan, 1.0], [inf, -inf], [1e4, 1e4], [-1e4, -1e4]]
)
def test_logsumexp_of_infinities(row: list[float]) -> None:
    compare(call("logsumexp", dim=0), np.array(row), order=1)
    compare(call("logsumexp", dim=0), np.array(row, "float32"), order=1)


def test_logsumexp_of_integers() -> None:
    compare(call("logsumexp", dim=1), np.array([[1, 2], [3, 1000]]))


@pytest.mark.parametrize("name", ["var", "std"])
def test_undefined_variances(name: str) -> None:
    for x, correction in ((np.array([2.0]), 1), (np.array([1.0, 2.0, 3.0]), 3), (np.array([1.0, 2.0, 3.0]), 7)):
        for lib in (wengert, torch):
            with pytest.warns(UserWarning, match=rf"{name}\(\): degrees of freedom is <= 0"):
                getattr(lib, name)(lib.tensor(x), correction=correction)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compare(call(name, correction=correction), x, order=1)


@pytest.mark.parametrize("name", ["var", "std"])
def test_forms_of_variance(name: str) -> None:
    x = r(3, 4)
    compare(lambda lib, x: getattr(lib, name)(x, False), x)
    compare(lambda lib, x: getattr(lib, name)(x, 0, False), x)
    compare(lambda lib, x: getattr(lib, name)(x, 0, False, True), x)
    compare(lambda lib, x: getattr(lib, name)(x, unbiased=False), x)
    compare(lambda lib, x: getattr(lib, name)(x, 1, correction=2), x)
    compare(lambda lib, x: getattr(lib, name)(x, correction=0.5, keepdim=True), x)
    compare(lambda lib, x: getattr(x, name)(1, True), x)


def test_std_of_equal_elements_has_gradient_zero() -> None:
    compare(call("std"), np.full(3, 2.0))
    compare(lambda lib, x: lib.std_mean(x)[0], np.full(3, 2.0))


# --- 0-d and empty ---------------------------------------------------------------------------------------------------

SUMS = ["sum", "mean", "prod", "nansum", "nanmean", "all", "any", "count_nonzero"]
PICKS = ["amax", "amin", "aminmax", "max", "min", "argmax", "median", "nanmedian", "mode"]


def first_of(name: str, **meta: Any) -> Reduction:
    def run(lib: Any, x: Any) -> Any:
        y = getattr(lib, name)(x, **meta)
        return y[0] if isinstance(y, tuple) else y

    return run


@pytest.mark.parametrize("name", [*SUMS, *PICKS, "norm"])
def test_0d(name: str) -> None:
    for x in (np.array(3.0), np.array(0.0)):
        compare(first_of(name), x, order=1)
        compare(lambda lib, x: first_of(name)(lib, x * 2), x, order=1)


@pytest.mark.parametrize("name", [*SUMS, *PICKS, "logsumexp", "cumsum", "cumprod", "cummax", "logcumsumexp", "norm"])
@pytest.mark.parametrize("dim", [0, -1])
def test_0d_along_its_only_axis(name: str, dim: int) -> None:
    compare(first_of(name, dim=dim), np.array(3.0), order=1)
    compare(lambda lib, x: first_of(name, dim=dim)(lib, x * 2), np.array(3.0), order=1)


def test_0d_forms() -> None:
    compare(lambda lib, x: x.sum(()), np.array(3.0))
    compare(lambda lib, x: x.var(0, correction=0), np.array(3.0))
    compare(lambda lib, x: x.std(correction=0), np.array(3.0))
    compare(lambda lib, x: x.amax(keepdim=True), np.array(3.0))


@pytest.mark.parametrize("name", [*SUMS, "var", "amax", "max", "norm", "argmax"])
@pytest.mark.parametrize("dim", [None, 0, 1])
def test_empty(name: str, dim: int | None) -> None:
    def run(lib: Any, x: Any) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the variance of nothing
            y = getattr(lib, name)(x) if dim is None else getattr(lib, name)(x, dim=dim)
        return y[0] if isinstance(y, tuple) else y

    x = np.zeros((0, 3))
    if name in ("amax", "max", "argmax") and dim != 1:
        same_error(run, x)
    else:
        compare(run, x, order=1)


def test_medians_of_nothing() -> None:
    compare(call("median"), np.zeros(0))
    compare(call("nanmedian"), np.zeros(0))
    compare(call("nanmedian"), np.full(2, nan), order=0)


@pytest.mark.parametrize("name", ["prod", "std", "norm", "logsumexp", "var"])
def test_third_derivatives(name: str) -> None:
    compare(call(name, dim=1), r(2, 4), order=3, scale=20)
