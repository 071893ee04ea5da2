"""Sorting, ranks, quantiles, distinct elements and counts against PyTorch."""

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
    return np.random.default_rng([seed, *shape]).standard_normal(shape).astype(dtype)


INPUTS = {
    "vector": r(7),
    "matrix": r(3, 5),
    "transposed": r(4, 3, 2).transpose(2, 0, 1),
    "strided": r(8, 6)[::2, ::3],
    "long": r(2, 700),
    "integers": np.array([[3, 1, 2], [9, 7, 8]]),
    "halves": r(5, 20, dtype="float16"),
    "bytes": np.array([[3, 255, 0], [9, 7, 128]], "uint8"),
}
layouts = pytest.mark.parametrize("x", INPUTS.values(), ids=INPUTS)
TIES = np.array([[1.0, 3.0, 3.0, 2.0, 1.0], [2.0, 2.0, nan, -inf, nan]])


@pytest.mark.parametrize("meta", [{}, {"dim": 0}, {"descending": True}, {"stable": True}, {"stable": False, "dim": 0}])
@layouts
def test_sort(x: np.ndarray, meta: dict[str, Any]) -> None:
    for part in (0, 1):
        compare(lambda lib, x, part=part: lib.sort(x, **meta)[part], x)
    compare(lambda lib, x: lib.argsort(x, **meta), x)
    compare(lambda lib, x: x.msort(), x)


@pytest.mark.parametrize("descending", [False, True])
def test_sort_at_ties_and_nan(descending: bool) -> None:
    many = np.random.default_rng(0).integers(0, 5, 200).astype("float64")
    for x in (TIES, many, np.array([False, True, False, True]), np.array([0.0, -0.0, 0.0])):
        for part in (0, 1):
            compare(lambda lib, x, part=part: lib.sort(x, stable=True, dim=-1, descending=descending)[part], x)
    compare(lambda lib, x: lib.sort(x, descending=descending)[0], many, order=0)
    compare(lambda lib, x: lib.sort(x, -1, descending)[1], TIES)


@pytest.mark.parametrize("largest", [True, False])
@pytest.mark.parametrize(("k", "dim"), [(2, -1), (0, -1), (2, 0), (1, 0)])
@layouts
def test_topk(x: np.ndarray, k: int, dim: int, largest: bool) -> None:
    for part in (0, 1):
        compare(lambda lib, x, part=part: lib.topk(x, k, dim, largest)[part], x)
    compare(lambda lib, x: lib.topk(x, 1, sorted=False).values, x)


def test_topk_takes_nan_as_largest() -> None:
    compare(lambda lib, x: lib.topk(x, 3)[0], TIES, order=0)
    compare(lambda lib, x: lib.topk(x, 3, largest=False)[0], TIES, order=0)


@pytest.mark.parametrize("meta", [{}, {"dim": 0}, {"dim": -1, "keepdim": True}, {"axis": 0, "keepdims": True}])
@layouts
def test_ranks(x: np.ndarray, meta: dict[str, Any]) -> None:
    for part in (0, 1):
        compare(lambda lib, x, part=part: lib.kthvalue(x, 1, **meta)[part], x)
        if meta:
            compare(lambda lib, x, part=part: lib.median(x, **meta)[part], x)
            compare(lambda lib, x, part=part: lib.nanmedian(x, **meta)[part], x)
    compare(lambda lib, x: lib.kthvalue(x, 2)[0], x[..., :2])


def test_medians_of_long_rows_with_ties_and_nan() -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(0, 50, (3, 600)).astype("float64")
    compare(lambda lib, x: lib.median(x, 1)[1], x)
    compare(lambda lib, x: lib.kthvalue(x, 37, 1)[0], x, order=0)
    x[1, rng.integers(0, 600, 20)] = nan
    for part in (0, 1):
        compare(lambda lib, x, part=part: lib.median(x, 1)[part], x)
    compare(lambda lib, x: lib.nanmedian(x, 1)[0], x, order=0)
    compare(lambda lib, x: lib.nanmedian(x), x)


# --- quantiles -------------------------------------------------------------------------------------------------------

LEVELS = [0.0, 0.3, 0.5, 1.0, [0.25, 0.75, 0.1], [0.5]]


@pytest.mark.parametrize("q", LEVELS)
@pytest.mark.parametrize("interpolation", ["linear", "lower", "higher", "midpoint", "nearest"])
@pytest.mark.parametrize("meta", [{}, {"dim": 0}, {"dim": -1, "keepdim": True}, {"keepdim": True}])
def test_quantiles(meta: dict[str, Any], interpolation: str, q: Any) -> None:
    holes = r(3, 5)
    holes[1, 2] = holes[1, 3] = holes[2, 0] = nan
    for name, arrays in (("quantile", (r(3, 5), holes, r(5, 3).T)), ("nanquantile", (r(3, 5), holes))):

        def run(lib: Any, x: Any, name: str = name) -> Any:
            levels = lib.tensor(q, dtype=x.dtype) if isinstance(q, list) else q
            return getattr(lib, name)(x, levels, interpolation=interpolation, **meta)

        for x in arrays:
            compare(run, x, name=False)
            compare(run, x.astype("float32"), name=False)


def test_quantiles_follow_their_levels() -> None:
    compare(lambda lib, x, q: lib.quantile(x, q), r(5), np.array([0.3, 0.6]), name=False)
    compare(lambda lib, x, q: lib.nanquantile(x, q, dim=0), r(5, 2), np.array(0.3), name=False)


def test_quantiles_at_the_edges() -> None:
    compare(lambda lib, x: lib.quantile(x, 0.5), np.array(3.0), name=False)
    compare(lambda lib, x: lib.quantile(x, 0.6), np.array([1.0, inf, 3.0]), name=False, order=0)
    compare(lambda lib, x: lib.nanquantile(x, 0.6), np.array([nan, nan]), name=False, order=0)


# --- distinct elements, places, counts -------------------------------------------------------------------------------


@pytest.mark.parametrize("dim", [None, 0, 1])
def test_unique(dim: int | None) -> None:
    # Where rows hold NaN, PyTorch's order of them is left to chance.
    holes = np.array([[1.0, nan], [nan, 1.0], [2.0, 0.5]]) if dim is None else np.zeros((2, 2))
    for x in (np.array([[3, 1, 3], [1, 2, 1], [3, 1, 3]]), holes):
        for part in range(3):

            def run(lib: Any, x: Any, part: int = part) -> Any:
                return lib.unique(x, return_inverse=True, return_counts=True, dim=dim)[part]

            compare(run, x, order=0)
        compare(lambda lib, x: lib.unique(x, dim=dim), x, order=0)
        compare(lambda lib, x: x.unique(return_counts=True, dim=dim)[1], x, order=0)


@pytest.mark.parametrize("dim", [None, 0, 1])
def test_unique_consecutive(dim: int | None) -> None:
    x = np.array([[1, 1, 2], [1, 1, 2], [2, 2, 2]])
    for part in range(3):
        compare(lambda lib, x, part=part: lib.unique_consecutive(x, True, True, dim)[part], x)
        compare(
            lambda lib, x, part=part: lib.unique_consecutive(x, True, True, dim)[part], x.T.astype("float64"), order=0
        )


def test_unique_of_little() -> None:
    for x in (np.array(3.0), np.zeros(0), np.array([True, False, True])):
        compare(lambda lib, x: lib.unique(x, return_inverse=True)[1], x, order=0)
        compare(lambda lib, x: lib.unique_consecutive(x), x, order=0)


def test_unique_has_no_derivative() -> None:
    x = wengert.ones(2, requires_grad=True)
    with pytest.raises(NotImplementedError, match="unique"):
        wengert.unique(x).sum().backward()


@pytest.mark.parametrize("meta", [{}, {"right": True}, {"side": "right", "out_int32": True}])
def test_searchsorted(meta: dict[str, Any]) -> None:
    edges = np.array([1.0, 3.0, 3.0, 5.0])
    values = np.array([[0.0, 1.0, 3.0], [4.0, 5.0, 6.0]])
    find: Callable[..., Any] = lambda lib, a, b: lib.searchsorted(a, b, **meta)
    compare(find, edges, values)
    compare(find, edges.astype("int64"), values)
    compare(find, edges, values.astype("int32"))
    compare(lambda lib, a: lib.searchsorted(a, 3, **meta), edges)
    rows = np.sort(np.random.default_rng(0).integers(0, 9, (2, 3, 7)), -1)
    wanted = np.random.default_rng(1).integers(-1, 11, (2, 3, 5))
    compare(find, rows, wanted)
    compare(lambda lib, a, b: lib.searchsorted(a, b, sorter=lib.argsort(a), **meta), edges[::-1].copy(), values)
    if "side" not in meta:
        compare(lambda lib, a, b: lib.bucketize(b, a, **meta), edges, values)


def test_counts() -> None:
    x = np.array([3, 1, 1, 0])
    compare(lambda lib, x: lib.bincount(x), x)
    compare(lambda lib, x: lib.bincount(x, minlength=9), x.astype("uint8"))
    for dtype in ("float32", "float64", "int32"):
        compare(
            lambda lib, x, w: lib.bincount(x, w),
            x,
            np.array([1, 2, 3, 4]).astype(dtype),
            order=0,
            name=False,
            frozen=(1,),
        )
    compare(lambda lib, x: lib.bincount(x), np.zeros(0, "int64"))
    for values in (r(100), np.array([1.0, 1.0]), np.array([1.0, 2.0, 3.0]), np.zeros(0)):
        compare(lambda lib, x: lib.histc(x, 7), values)
        compare(lambda lib, x: lib.histc(x.float(), bins=5, min=-1, max=2), values)
    compare(lambda lib, x: lib.histc(x, 3, 0, 2), np.array([1.0, 2.0, inf, nan]))


ERRORS: dict[str, tuple[Callable[..., Any], int | None]] = {
    "sort of complex": (lambda lib, x: (x + 1j).sort(), 0),
    "sort along no axis": (lambda lib, x: x.sort(5), None),
    "topk of too many": (lambda lib, x: x.topk(9), None),
    "topk of less than none": (lambda lib, x: x.topk(-1), None),
    "topk of bools": (lambda lib, x: (x > 0).topk(1), None),
    "topk by half": (lambda lib, x: x.topk(1.5), None),
    "kthvalue 0": (lambda lib, x: x.kthvalue(0), None),
    "kthvalue too large": (lambda lib, x: x.kthvalue(4, 1), None),
    "kthvalue of complex": (lambda lib, x: (x + 1j).kthvalue(1), None),
    "kthvalue of nothing": (lambda lib, x: x[:0].kthvalue(1, 0), None),
    "median keepdim without dim": (lambda lib, x: x.median(keepdim=True), None),
    "median along several": (lambda lib, x: x.median((0, 1)), 0),
    "quantile beyond 1": (lambda lib, x: x.quantile(2.0), None),
    "quantile below 0": (lambda lib, x: x.quantile(-0.1), None),
    "quantile of integers": (lambda lib, x: x.long().quantile(0.5), None),
    "quantile of nothing": (lambda lib, x: x[:0].quantile(0.5), None),
    "quantile with levels of another dtype": (lambda lib, x: x.quantile(lib.tensor([0.5])), None),
    "quantile with a matrix of levels": (lambda lib, x: x.quantile(x.detach()), None),
    "quantile with levels beyond 1": (lambda lib, x: x.quantile(x[0].detach().abs() + 1), None),
    "unknown interpolation": (lambda lib, x: x.quantile(0.5, interpolation="cubic"), None),
    "unique of complex": (lambda lib, x: lib.unique(x + 1j), None),
    "unique along no axis": (lambda lib, x: lib.unique(x, dim=4), None),
    "unique of empty parts": (lambda lib, x: lib.unique(x[:, :0], dim=0), None),
    "searchsorted rows that differ": (lambda lib, x: lib.searchsorted(x.detach(), x[0].detach()), None),
    "searchsorted number in rows": (lambda lib, x: lib.searchsorted(x.detach(), 3), None),
    "searchsorted in 0-d": (lambda lib, x: lib.searchsorted(x[0, 0].detach(), 3), None),
    "searchsorted on no side": (lambda lib, x: lib.searchsorted(x[0].detach(), 3, side="up"), None),
    "searchsorted on both sides": (lambda lib, x: lib.searchsorted(x[0].detach(), 3, side="left", right=True), None),
    "searchsorted with a short sorter": (
        lambda lib, x: lib.searchsorted(x[0].detach(), 3, sorter=lib.tensor([1, 0])),
        None,
    ),
    "searchsorted with a float sorter": (lambda lib, x: lib.searchsorted(x[0].detach(), 3, sorter=x[0].detach()), None),
    "searchsorted with a wild sorter": (
        lambda lib, x: lib.searchsorted(x[0].detach(), 3, sorter=lib.tensor([0, 1, 7])),
        None,
    ),
    "bucketize with rows": (lambda lib, x: lib.bucketize(x.detach(), x.detach()), None),
    "bincount of floats": (lambda lib, x: lib.bincount(x[0]), None),
    "bincount of a matrix": (lambda lib, x: lib.bincount(x.long()), None),
    "bincount of negatives": (lambda lib, x: lib.bincount(lib.tensor([1, -1])), None),
    "bincount with few weights": (lambda lib, x: lib.bincount(lib.tensor([1, 1]), x[0]), None),
    "bincount of negative length": (lambda lib, x: lib.bincount(lib.tensor([1]), minlength=-1), None),
    "histc of integers": (lambda lib, x: lib.histc(lib.tensor([1])), None),
    "histc without bins": (lambda lib, x: lib.histc(x.detach(), 0), None),
    "histc upside down": (lambda lib, x: lib.histc(x.detach(), 3, 5, 1), None),
    "histc of NaN": (lambda lib, x: lib.histc(x.detach() * nan), 20),
}


@pytest.mark.parametrize(("run", "beginning"), ERRORS.values(), ids=ERRORS)
def test_errors(run: Callable[..., Any], beginning: int | None) -> None:
    assert len(same_error(run, r(2, 3), beginning=beginning)) > 20
