"""Operations that write values into chosen places of a copy of their first input."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from wengert.ops.accumulate import add_flat, flat_index
from wengert.ops.indexed import MANY, added_into
from wengert.ops.record import Kind, defop

Shape = tuple[int, ...]


def tangent_or_zeros(xp: Any, t: Any, x: Any) -> Any:
    """The tangent of ``x``, zeros where it has none; ``x`` may be a number, as in rules that write zeros."""
    if t is not None:
        return t
    return xp.zeros_like(x) if hasattr(x, "dtype") else 0.0


def _flat_copy(x: Any) -> Any:
    return np.array(x, order="C").reshape(-1)


# --- along one axis, an index for each element ---


def _scatter(x: Any, index: Any, src: Any, *, dim: int) -> Any:
    out = _flat_copy(x)
    out[flat_index(index, x.shape, dim)] = src
    return out.reshape(x.shape)


def _scatter_add(x: Any, index: Any, src: Any, *, dim: int) -> Any:
    if index.size >= MANY:
        added = np.array(x, order="C")
        if added_into(added, index, src, dim):
            return added
    out = _flat_copy(x)
    add_flat(out, flat_index(index, x.shape, dim), src)
    return out.reshape(x.shape)


SCATTER = defop(
    "scatter",
    _scatter,
    Kind.INDEXING,
    batch=Kind.SCAN,
    vjp=(
        lambda xp, g, y, x, index, src, *, dim: xp.scatter_value(g, index, dim=dim, value=0.0),
        None,
        lambda xp, g, y, x, index, src, *, dim: xp.gather(g, index, dim=dim),
    ),
    args=("self", "index", "src"),
    jvp=lambda xp, ts, y, x, index, src, *, dim: xp.scatter(
        tangent_or_zeros(xp, ts[0], x), index, tangent_or_zeros(xp, ts[2], src), dim=dim
    ),
    formula="y[index[i, j], j] = src[i, j]",
    doc="The input with each element of `src` written at its index along one axis.",
)


SCATTER_VALUE = defop(
    "scatter_value",
    lambda x, index, *, dim, value: _scatter(x, index, value, dim=dim),
    Kind.INDEXING,
    batch=Kind.SCAN,
    vjp=(lambda xp, g, y, x, index, *, dim, value: xp.scatter_value(g, index, dim=dim, value=0.0), None),
    args=("self", "index"),
    node="ScatterBackward1",
    jvp=lambda xp, ts, y, x, index, *, dim, value: xp.scatter_value(ts[0], index, dim=dim, value=0.0),
    formula="y[index[i, j], j] = value",
    doc="The input with one number written at each index along one axis.",
)
SCATTER_ADD = defop(
    "scatter_add",
    _scatter_add,
    Kind.INDEXING,
    batch=Kind.SCAN,
    vjp=(
        lambda xp, g, y, x, index, src, *, dim: g,
        None,
        lambda xp, g, y, x, index, src, *, dim: xp.gather(g, index, dim=dim),
    ),
    args=("self", "index", "src"),
    jvp=lambda xp, ts, y, x, index, src, *, dim: xp.scatter_add(
        tangent_or_zeros(xp, ts[0], x), index, tangent_or_zeros(xp, ts[2], src), dim=dim
    ),
    formula="y[index[i, j], j] += src[i, j]",
    doc="The input with each element of `src` added at its index along one axis.",
)

# --- along one axis, an index for each element, combined with what is there ---

_COMBINE: Final = {
    "sum": np.add,
    "mean": np.add,
    "prod": np.multiply,
    "amax": np.maximum,
    "amin": np.minimum,
}


def _identity(reduce: str, dtype: Any) -> Any:
    if reduce in ("sum", "mean"):
        return 0
    if reduce == "prod":
        return 1
    low = reduce == "amax"
    if dtype.kind == "f":
        return -np.inf if low else np.inf
    if dtype.kind == "b":
        return not low
    return np.iinfo(dtype).min if low else np.iinfo(dtype).max


def _scatter_reduce(x: Any, index: Any, src: Any, *, dim: int, reduce: str, include_self: bool) -> Any:
    out = _flat_copy(x)
    places = flat_index(index, x.shape, dim).reshape(-1)
    if not include_self:
        out[places] = _identity(reduce, out.dtype)
    _COMBINE[reduce].at(out, places, np.asarray(src).reshape(-1))
    if reduce == "mean":
        count = np.bincount(places, minlength=out.size) + (1 if include_self else 0)
        count = np.maximum(count, 1).astype(out.dtype)
        out = out // count if out.dtype.kind in "iu" else out / count
    return out.reshape(x.shape)


def _share(xp: Any, x: Any, index: Any, src: Any, *, dim: int, include_self: bool) -> Any:
    """How many values were combined at each place, the input's own included if it took part; at least one."""
    ones = xp.ones_like(x)
    start = ones if include_self else xp.scatter_value(ones, index, dim=dim, value=0.0)
    count = xp.scatter_add(start, index, xp.ones_like(src), dim=dim)
    return xp.where(count == 0, ones, count)


def _shares_of_ties(xp: Any, g: Any, y: Any, x: Any, index: Any, src: Any, dim: int, include_self: bool) -> Any:
    """The cotangent over the number of winners, and which elements of the input and of `src` won."""
    src_wins = xp.cast(xp.gather(y, index, dim=dim) == src, dtype=g.dtype)
    self_wins = xp.cast(x == y, dtype=g.dtype)
    if not include_self:
        self_wins = xp.scatter_value(self_wins, index, dim=dim, value=0.0)
    return g / xp.scatter_add(self_wins, index, src_wins, dim=dim), self_wins, src_wins


def _scatter_reduce_self_vjp(
    xp: Any, g: Any, y: Any, x: Any, index: Any, src: Any, *, dim: int, reduce: str, include_self: bool
) -> Any:
    if reduce == "mean":
        g = g / _share(xp, x, index, src, dim=dim, include_self=include_self)
    elif reduce == "prod":
        one_for_zero = xp.where(x == 0, xp.ones_like(x), x)
        others = xp.scatter_reduce(one_for_zero, index, src, dim=dim, reduce=reduce, include_self=include_self)
        g = g * others / one_for_zero
    elif reduce in ("amax", "amin"):
        shared, self_wins, _ = _shares_of_ties(xp, g, y, x, index, src, dim, include_self)
        g = shared * self_wins
    return g if include_self else xp.scatter_value(g, index, dim=dim, value=0.0)


def _scatter_reduce_src_vjp(
    xp: Any, g: Any, y: Any, x: Any, index: Any, src: Any, *, dim: int, reduce: str, include_self: bool
) -> Any:
    if reduce == "mean":
        g = g / _share(xp, x, index, src, dim=dim, include_self=include_self)
    elif reduce == "prod":
        return _scatter_prod_src(xp, g, y, x, index, src, dim, include_self)
    elif reduce in ("amax", "amin"):
        shared, _, src_wins = _shares_of_ties(xp, g, y, x, index, src, dim, include_self)
        return xp.gather(shared, index, dim=dim) * src_wins
    return xp.gather(g, index, dim=dim)


def _scatter_prod_src(xp: Any, g: Any, y: Any, x: Any, index: Any, src: Any, dim: int, include_self: bool) -> Any:
    # The factor of one element is the product of all the others: y / src, and where src is the only zero among the
    # elements of its place, the product with a one in place of that zero. With two zeros y itself is right: 0.
    zero = src == 0
    zeros_at = xp.scatter_add(xp.zeros_like(x), index, xp.cast(zero, dtype=x.dtype), dim=dim)
    only_zero = xp.cast(xp.gather(zeros_at, index, dim=dim) * xp.cast(zero, dtype=x.dtype) == 1, dtype=np.dtype(bool))
    without = xp.where(only_zero, xp.ones_like(src), src)
    product = xp.scatter_reduce(x, index, without, dim=dim, reduce="prod", include_self=include_self)
    divided = xp.gather(g * y, index, dim=dim) / xp.where(zero, xp.ones_like(src), src)
    return xp.where(only_zero, xp.gather(g * product, index, dim=dim), divided)


SCATTER_REDUCE = defop(
    "scatter_reduce",
    _scatter_reduce,
    Kind.INDEXING,
    batch=Kind.SCAN,
    vjp=(_scatter_reduce_self_vjp, None, _scatter_reduce_src_vjp),
    args=("self", "index", "src"),
    formula="y[index[i, j], j] = combined with src[i, j]",
    doc="The input with the elements of `src` combined at their indices along one axis.",
)
