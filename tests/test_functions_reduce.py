"""Reductions against PyTorch: values, dtypes, node names, gradients of both orders, ties, NaN, empty tensors, errors."""

from __future__ import annotations

import copy
import pickle
import warnings
from collections.abc import Callable
from math import inf, nan
from typing import Any

import numpy as np
import pytest

import wengert
from wengert.functions.norms import vector_norm

torch = pytest.importorskip("torch")

from torch_pairs import compare, same_error  # noqa: E402

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


# The variance along an axis of size one is undefined, and PyTorch's gradient for `dim=()` is infinite: it takes the number of
# elements from the axes that were named.
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
    if (name in ("mean", "nanmean") and wanted in ("int32", "bool")) or (name.startswith("nan") and "complex" in wanted):
        same_error(lambda lib, x: getattr(lib, name)(x.detach(), dtype=getattr(lib, wanted)), x, beginning=20)
        return
    # PyTorch cannot differentiate into another kind of dtype.
    order, frozen = (2, ()) if wanted.startswith("float") else (0, (0,))
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


@pytest.mark.parametrize("shape", [(1_000_000,), (300_000, 3), (3, 300_000), (1000, 1000)])
def test_long_sums_lose_few_digits(shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).random(shape).astype("float32")
    for dim in range(len(shape)):
        exact = x.astype("float64").sum(dim)
        got = wengert.from_numpy(x).sum(dim).numpy()
        assert np.max(np.abs(got - exact) / exact) < 2e-6


# --- ties, zeros, NaN, infinities ------------------------------------------------------------------------------------

TIES = np.array([[1.0, 3.0, 3.0, 2.0], [2.0, 2.0, 2.0, 2.0], [0.0, -1.0, 0.0, -1.0]])
HOLES = np.array([[1.0, nan, 3.0, 2.0], [nan, nan, nan, nan], [0.0, -1.0, 0.5, -inf], [inf, inf, -inf, 1.0]])


@pytest.mark.parametrize("x", [TIES, HOLES], ids=["ties", "holes"])
@pytest.mark.parametrize("name", ["max", "min", "amax", "amin", "median", "nanmedian", "sum", "nansum", "nanmean", "prod"])
def test_ties_and_holes(name: str, x: np.ndarray) -> None:
    compare(call(name), x, order=1)
    for dim in (0, 1):
        if name in ("max", "min", "median", "nanmedian"):
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


# --- norms -----------------------------------------------------------------------------------------------------------

ORDERS = [0, 0.5, 1, 1.5, 2, 3, inf, -inf, -1, -2, "fro"]


@pytest.mark.parametrize("p", ORDERS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("meta", [{}, {"dim": 0}, {"dim": (0, 1), "keepdim": True}, {"dim": -1, "keepdim": True}])
def test_norms(meta: dict[str, Any], dtype: str, p: Any) -> None:
    compare(lambda lib, x: lib.norm(x, p, **meta), r(3, 4, dtype=dtype), scale=20)


@pytest.mark.parametrize("p", ORDERS[:-1])
def test_norms_at_and_next_to_zero(p: Any) -> None:
    for x in ([0.0, 0.0, 0.0], [0.0, 3.0, -3.0, 1.0], [-2.0], [3.0, 3.0, -3.0]):
        compare(lambda lib, x: lib.norm(x, p), np.array(x), order=1)


@pytest.mark.parametrize("p", [1, 1.5, 2, 3])
def test_second_derivative_of_a_norm_at_zero_is_finite(p: float) -> None:
    x = wengert.zeros(3, dtype=wengert.float64, requires_grad=True)
    (g,) = wengert.autograd.grad(x.norm(p), x, create_graph=True)
    if g.requires_grad:
        (h,) = wengert.autograd.grad(g.sum(), x)
        assert h.tolist() == [0, 0, 0]


def test_norm_forms() -> None:
    x = r(3, 4)
    compare(lambda lib, x: lib.norm(x), x)
    compare(lambda lib, x: x.norm(3, 1), x)
    compare(lambda lib, x: x.norm(dtype=lib.float64), x.astype("float32"))
    compare(lambda lib, x: x.norm(lib.tensor(3.0)), x)
    compare(lambda lib, x: (vector_norm if lib is wengert else lib.linalg.vector_norm)(x, 3, dim=0), x)


@pytest.mark.parametrize("p", [0, 1, 2, 3, inf, -inf])
def test_dist(p: float) -> None:
    compare(lambda lib, x, y: lib.dist(x, y, p), r(3, 4), r(4, seed=1), order=2 if p else 0)
    compare(lambda lib, x, y: lib.dist(x, y, p), r(3), r(3), order=1 if p else 0)


def test_renorm() -> None:
    x = np.array([[3.0, 4.0, 1.0], [0.1, 0.2, 0.3], [-1.0, 2.0, 0.0]])
    for p, dim, limit in ((2, 0, 1.0), (1, 1, 2.0), (3, 0, 0.5), (inf, -1, 1.0)):
        compare(lambda lib, x, p=p, dim=dim, limit=limit: lib.renorm(x, p, dim, limit), x, scale=100)
    compare(lambda lib, x: (x * 1).renorm_(2, 0, 1.0), x)
    compare(lambda lib, x: lib.renorm(x, 2, 0, 1.0), r(3, 2, dtype="complex128"), order=1)


# --- 0-d and empty ---------------------------------------------------------------------------------------------------

ZERO_D = """
sum sum:0 sum:-1 sum:() mean mean:0 prod prod:0 nansum nanmean var_0 std_0 amax amax:0 amin aminmax max max:0 min min:-1
argmax argmax:0 median median:0 nanmedian:0 mode all all:0 any count_nonzero:0 norm norm_0 logsumexp:0 cumsum:0
cumprod:0 cummax:0 logcumsumexp:0
""".split()


@pytest.mark.parametrize("spec", ZERO_D)
def test_0d(spec: str) -> None:
    name, _, dim = spec.partition(":")
    args = () if not dim else ((),) if dim == "()" else (int(dim),)
    name, _, zero = name.partition("_") if name.endswith("_0") else (name, "", "")
    meta: dict[str, Any] = {} if not zero else {"dim": 0} if name == "norm" else {"dim": 0, "correction": 0}

    def run(lib: Any, x: Any) -> Any:
        y = getattr(lib, name)(x, *args, **meta)
        return y[0] if isinstance(y, tuple) else y

    compare(run, np.array(3.0), order=1)
    compare(lambda lib, x: run(lib, x * 2), np.array(3.0), order=1)


@pytest.mark.parametrize("name", ["sum", "mean", "prod", "nansum", "var", "all", "any", "amax", "max", "norm", "argmax"])
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


# --- results and errors ----------------------------------------------------------------------------------------------


def test_named_results() -> None:
    x = wengert.tensor([[1.0, 5.0], [7.0, 2.0]])
    found = x.max(1)
    assert repr(found) == "torch.return_types.max(\nvalues=tensor([5., 7.]),\nindices=tensor([1, 0]))"
    assert repr(x.aminmax()) == repr(torch.tensor([[1.0, 5.0], [7.0, 2.0]]).aminmax())
    assert isinstance(found, tuple)
    assert found[0] is found.values
    assert type(found).__name__ == "max"
    values, indices = found
    assert values is found.values
    assert indices is found.indices
    for again in (pickle.loads(pickle.dumps(found)), copy.deepcopy(found)):  # noqa: S301 - our own bytes
        assert type(again) is type(found)
        assert again.indices.tolist() == [1, 0]
    with pytest.raises(TypeError, match=r"takes a 2-sequence \(1-sequence given\)"):
        type(found)([1])


def test_two_tensor_forms_of_max_and_min() -> None:
    for name in ("max", "min"):
        compare(lambda lib, x, y, name=name: getattr(lib, name)(x, y), r(3), r(3, seed=1))
        compare(lambda lib, x, y, name=name: getattr(x, name)(other=y), r(3), r(3, seed=1))


def test_out() -> None:
    x = wengert.tensor([[1.0, 2.0], [3.0, 5.0]])
    out = wengert.empty(2)
    assert wengert.sum(x, 0, out=out) is out
    assert out.tolist() == [4, 7]
    wide = wengert.empty(2, dtype=wengert.float64)
    wengert.mean(x / 3, 1, out=wide)
    assert wide.tolist() == (torch.mean(torch.tensor([[1.0, 2.0], [3.0, 5.0]]) / 3, 1, out=torch.empty(2).double())).tolist()
    values, indices = wengert.empty(2), wengert.empty(2, dtype=wengert.int64)
    found = wengert.max(x, 0, out=(values, indices))
    assert found.values is values
    assert indices.tolist() == [1, 1]
    with pytest.raises(RuntimeError, match="out=... arguments don't support automatic differentiation"):
        wengert.sum(x.requires_grad_(), 0, out=out)


ERRORS: dict[str, tuple[Reduction, int | None]] = {
    "no such axis": (lambda lib, x: x.sum(5), None),
    "no such axis among several": (lambda lib, x: x.mean((0, 5)), None),
    "axis twice": (lambda lib, x: x.sum((0, 0)), None),
    "axis twice, once negative": (lambda lib, x: x.var((1, -1)), None),
    "axis by name": (lambda lib, x: x.nansum("a"), 0),
    "axis as float": (lambda lib, x: x.amax(1.5), 0),
    "several axes where one is meant": (lambda lib, x: x.max((0, 1)), 0),
    "prod over several axes": (lambda lib, x: x.prod((0, 1)), 0),
    "keepdim no bool": (lambda lib, x: x.sum(0, 1), 0),
    "mean of integers": (lambda lib, x: x.long().mean(), None),
    "mean of bools": (lambda lib, x: (x > 0).mean(0), None),
    "mean as integer": (lambda lib, x: x.mean(dtype=lib.int64), None),
    "nanmean of integers": (lambda lib, x: x.long().nanmean(), None),
    "nansum of complex": (lambda lib, x: (x + 1j).nansum(), None),
    "var of integers": (lambda lib, x: x.long().var(), None),
    "var twice told": (lambda lib, x: x.var(0, unbiased=False, correction=1), 0),
    "logsumexp without dim": (lambda lib, x: lib.logsumexp(x), None),
    "amax of complex": (lambda lib, x: (x + 1j).amax(), None),
    "amin of complex": (lambda lib, x: (x + 1j).amin(), None),
    "max of complex": (lambda lib, x: (x + 1j).max(), None),
    "max of complex along": (lambda lib, x: (x + 1j).max(0), None),
    "aminmax of complex": (lambda lib, x: (x + 1j).aminmax(), None),
    "aminmax of nothing": (lambda lib, x: x[:0].aminmax(), None),
    "argmax of bools": (lambda lib, x: (x > 0).argmax(), None),
    "argmin of complex": (lambda lib, x: (x + 1j).argmin(), None),
    "argmax of nothing": (lambda lib, x: x[:0].argmax(), None),
    "amin of nothing": (lambda lib, x: x[:0].amin(), None),
    "min along nothing": (lambda lib, x: x[:0].min(0), None),
    "mode along nothing": (lambda lib, x: x[:0].mode(0), None),
    "median of bools": (lambda lib, x: (x > 0).median(), None),
    "median of complex": (lambda lib, x: (x + 1j).median(0), None),
    "norm of integers": (lambda lib, x: x.long().norm(), None),
    "norm of unknown order": (lambda lib, x: x.norm("foo"), 40),
    "norm as integer": (lambda lib, x: x.norm(dtype=lib.int64), None),
    "narrowing norm": (lambda lib, x: x.norm(dtype=lib.float32), None),
    "infinite norm of nothing": (lambda lib, x: x[:0].norm(inf), None),
    "negative norm of nothing": (lambda lib, x: x[:0].norm(-1), None),
    "infinite norm along nothing": (lambda lib, x: x[:0].norm(inf, 0), 60),
    "renorm of a vector": (lambda lib, x: x[0].renorm(2, 0, 1.0), 50),
    "renorm of order 0": (lambda lib, x: x.renorm(0, 0, 1.0), 40),
    "renorm to a negative norm": (lambda lib, x: x.renorm(2, 0, -1.0), None),
    "no tensor": (lambda lib, x: lib.sum(1.0), None),
    "no tensor in max": (lambda lib, x: lib.max([1.0]), None),
    "out of another dtype": (lambda lib, x: lib.amax(x.detach(), 0, out=lib.zeros(3).half()), None),
    "out that is no tuple": (lambda lib, x: lib.mode(x.detach(), 0, out=lib.zeros(3)), None),
    "truth into floats": (lambda lib, x: lib.all(x.detach(), 0, out=lib.zeros(3)), 40),
}


@pytest.mark.parametrize(("run", "beginning"), ERRORS.values(), ids=ERRORS)
def test_errors(run: Reduction, beginning: int | None) -> None:
    assert len(same_error(run, r(2, 3), beginning=beginning)) > 20


def test_both_names_of_an_argument() -> None:
    with pytest.raises(TypeError, match="'dim' and 'axis', which mean the same"):
        wengert.ones(2).sum(0, axis=0)
