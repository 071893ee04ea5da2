"""Sorting and choosing by rank along one axis: sort, top k, k-th smallest, median, mode.

NaN counts as larger than everything, as NumPy and PyTorch have it. Each of these permutes or picks: its derivative puts
the cotangent back where the element came from.
"""

from __future__ import annotations

from math import prod
from typing import Any, Final, Literal

import numpy as np

from wengert.ops.accumulate import taken_along
from wengert.ops.extrema import chosen_jvp, chosen_vjp, shared_jvp_all, shared_vjp_all, take_chosen
from wengert.ops.record import Kind, defop

_SMALL: Final = 256  # up to this length one stable sort is cheaper than the passes of a selection
_FEW_TO_RANK: Final = 48  # the same for the k largest, where the selection does not look for ties
_ALWAYS_STABLE: Final = 16  # up to this length PyTorch's sort is stable unasked


def order_of(x: Any, dim: int, descending: bool, stable: bool) -> Any:
    """Indices that sort ``x`` along ``dim``, NaN last (first when descending)."""
    kind: Literal["stable"] | None = (
        "stable" if stable or x.shape[dim] <= _ALWAYS_STABLE else None
    )  # NumPy's default is 5 times faster
    if not descending:
        return np.argsort(x, dim, kind)
    backwards = (slice(None),) * dim + (slice(None, None, -1),)
    return x.shape[dim] - 1 - np.argsort(x[backwards], dim, kind)[backwards]


def _taken(x: Any, indices: Any, dim: int) -> Any:
    return x[indices] if x.ndim == 1 else taken_along(x, indices, dim)


# --- sort and top k --------------------------------------------------------------------------------------------------


def _sort(x: Any, *, dim: int, descending: bool, stable: bool | None) -> tuple[Any, Any]:
    if not x.ndim:
        return x.copy(), np.int64(0)
    indices = order_of(x, dim, descending, bool(stable))
    return _taken(x, indices, dim), indices


def _permuted_vjp(xp: Any, g: Any, y: Any, x: Any, *, dim: int, **meta: Any) -> Any:
    return xp.gather_backward(g[0], y[1], shape=x.shape, dim=dim) if x.ndim else g[0]


def _permuted_jvp(xp: Any, ts: Any, y: Any, x: Any, *, dim: int, **meta: Any) -> Any:
    return (xp.gather(ts[0], y[1], dim=dim) if x.ndim else ts[0]), None


def _topk(x: Any, *, k: int, dim: int, largest: bool) -> tuple[Any, Any]:
    if not x.ndim:
        return (x.copy(), np.int64(0)) if k else (np.empty(0, x.dtype), np.empty(0, np.int64))
    n = x.shape[dim]
    first = (slice(None),) * dim + (slice(None, k),)
    if n <= _FEW_TO_RANK or 8 * k > n or not k:
        indices = order_of(x, dim, largest, True)[first]
        return _taken(x, indices, dim), indices
    kept = (slice(None),) * dim + (slice(n - k, None) if largest else slice(None, k),)
    indices = np.sort(np.argpartition(x, n - k if largest else k - 1, dim)[kept], dim)
    values = _taken(x, indices, dim)
    order = order_of(values, dim, largest, True)
    return _taken(values, order, dim), _taken(indices, order, dim)


SORT = defop(
    "sort",
    _sort,
    Kind.OTHER,
    batch=Kind.SCAN,
    vjp=(_permuted_vjp,),
    jvp=_permuted_jvp,
    node=lambda meta: "SortBackward0" if meta["stable"] is None else "SortBackward1",
    outputs=2,
    formula="x_1 <= x_2 <= ...",
    doc="The elements in order along one axis, and where they came from.",
)
TOPK = defop(
    "topk",
    _topk,
    Kind.OTHER,
    batch=Kind.SCAN,
    vjp=(_permuted_vjp,),
    jvp=_permuted_jvp,
    outputs=2,
    formula="the k largest x_i, in order",
    doc="The k largest or smallest elements along one axis in order, and where they came from.",
)
ARGSORT = defop(
    "argsort",
    lambda x, *, dim, descending, stable: order_of(x, dim, descending, stable) if x.ndim else np.int64(0),
    Kind.OTHER,
    batch=Kind.SCAN,
    vjp=(None,),
    doc="Indices that sort along one axis.",
)

# --- one element by rank ---------------------------------------------------------------------------------------------


def _place_of_rank(x: Any, rank: int, dim: int) -> Any:
    """Where the element of this rank stands, as a stable sort would have it; the axis is kept."""
    if x.shape[dim] > _SMALL:
        values = np.partition(x, rank, dim).take([rank], dim)
        if not np.isnan(values).any():
            tied = rank - np.count_nonzero(x < values, dim, keepdims=True)
            return np.argmax(np.cumsum(x == values, dim) > tied, dim, keepdims=True)
    return np.argsort(x, dim, "stable").take([rank], dim)


def _kthvalue(x: Any, *, k: int, dim: int, keepdim: bool) -> tuple[Any, Any]:
    if not x.ndim:
        return x.copy(), np.int64(0)
    return take_chosen(x, _place_of_rank(x, k - 1, dim), dim, keepdim)


def _median_dim(x: Any, *, dim: int, keepdim: bool) -> tuple[Any, Any]:
    if not x.ndim:
        return x.copy(), np.int64(0)
    indices = _place_of_rank(x, (x.shape[dim] - 1) // 2, dim)
    if x.dtype.kind == "f":
        lost = np.isnan(x)
        indices = np.where(lost.any(dim, keepdims=True), lost.argmax(dim, keepdims=True), indices)
    return take_chosen(x, indices, dim, keepdim)


def _nanmedian_dim(x: Any, *, dim: int, keepdim: bool) -> tuple[Any, Any]:
    if not x.ndim:
        return x.copy(), np.int64(0)
    valid = np.count_nonzero(x == x, dim, keepdims=True)
    order = np.argsort(x, dim, "stable")
    indices = np.take_along_axis(order, np.maximum(valid - 1, 0) // 2, dim)
    return take_chosen(x, indices, dim, keepdim)


def _median_all(x: Any) -> Any:
    flat = x.reshape(-1)
    rank = (flat.size - 1) // 2
    if not flat.size or (x.dtype.kind == "f" and np.isnan(np.maximum.reduce(flat))):
        return x.dtype.type(np.nan)
    return np.partition(flat, rank)[rank]


def _nanmedian_all(x: Any) -> Any:
    flat = x.reshape(-1)
    return _median_all(flat[flat == flat])


def _mode(x: Any, *, dim: int, keepdim: bool) -> tuple[Any, Any]:
    if not x.ndim:
        return x.copy(), np.int64(0)
    order = np.argsort(x, dim, "stable")
    ordered = np.moveaxis(np.take_along_axis(x, order, dim), dim, -1)
    n = ordered.shape[-1]
    starts = np.ones(ordered.shape, np.bool_)
    starts[..., 1:] = ordered[..., 1:] != ordered[..., :-1]
    places = np.arange(n)
    run = places - np.maximum.accumulate(np.where(starts, places, 0), -1)  # how far into its run each element stands
    last = np.moveaxis(run.argmax(-1, keepdims=True), -1, dim)
    return take_chosen(x, np.take_along_axis(order, last, dim), dim, keepdim)


def _by_rank(name: str, impl: Any, doc: str, node: str | None = None) -> Any:
    return defop(
        name,
        impl,
        Kind.REDUCTION,
        vjp=(chosen_vjp,),
        jvp=chosen_jvp,
        node=node,
        outputs=2,
        formula=f"{name.partition('_')[0]} of x_i",
        doc=doc + ", and its index.",
    )


def _median_record(name: str, impl: Any, node: str, doc: str) -> Any:
    def batch(xp: Any, x: Any) -> Any:
        flat = xp.reshape(x, shape=(prod(x.shape),))
        return getattr(xp, name.replace("_all", "_dim"))(flat, dim=0, keepdim=False)[0]

    return defop(
        name,
        impl,
        Kind.REDUCTION,
        vjp=(shared_vjp_all,),
        jvp=shared_jvp_all,
        node=node,
        formula="median of x_i",
        doc=doc,
        batch=batch,
    )


KTHVALUE = _by_rank("kthvalue", _kthvalue, "The k-th smallest element along one axis")
MODE = _by_rank("mode", _mode, "The most frequent element along one axis, the smallest of those that tie")
MEDIAN_DIM = _by_rank(
    "median_dim",
    _median_dim,
    "The middle element (the lower of two) along one axis, NaN if there is one",
    "MedianBackward1",
)
NANMEDIAN_DIM = _by_rank(
    "nanmedian_dim", _nanmedian_dim, "The middle element along one axis, NaN left out", "NanmedianBackward1"
)
MEDIAN_ALL = _median_record(
    "median_all", _median_all, "MedianBackward0", "The middle element (the lower of two) of all, NaN if there is one."
)
NANMEDIAN_ALL = _median_record(
    "nanmedian_all", _nanmedian_all, "NanmedianBackward0", "The middle element of all, NaN left out."
)
