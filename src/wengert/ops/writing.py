"""Operations that write a value into a region of a copy: index arrays, masks, one index, a slice, a diagonal."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from wengert._batched import Batched, aligned, merged, packed, spread
from wengert.ops.accumulate import add_flat, add_rows, flat_rows
from wengert.ops.diagonals import diagonal_of
from wengert.ops.indexed import MANY, added_into
from wengert.ops.indexing import batched_key, index_key, is_mask
from wengert.ops.masks import choose, zero_where
from wengert.ops.record import EachInput, Kind, Op, Rule, defop
from wengert.ops.scatter import tangent_or_zeros

Shape = tuple[int, ...]


def _copy(x: Any) -> Any:
    return np.array(x, order="C")


def _at(dim: int, part: Any) -> tuple[Any, ...]:
    return (*(slice(None),) * dim, part)


# --- one index array along one axis ---


def _index_add(x: Any, index: Any, source: Any, *, dim: int, alpha: Any) -> Any:
    out = _copy(x)
    added = source if alpha == 1 else source * alpha
    if source.size >= MANY and added_into(out, index, added, dim):
        return out
    if dim == 0:
        rows = np.reshape(added, (index.size, *x.shape[1:]))
        add_rows(out if out.ndim else out.reshape(1), np.reshape(index, -1), rows)
        return out
    add_flat(out.reshape(-1), flat_rows(index, added.shape, x.shape, dim), added)
    return out


def _index_copy(x: Any, index: Any, source: Any, *, dim: int) -> Any:
    out = _copy(x)
    (out if out.ndim else out.reshape(1))[_at(dim, index)] = source
    return out


def _index_fill(x: Any, index: Any, value: Any, *, dim: int) -> Any:
    return _index_copy(x, index, value, dim=dim)


def _along_batch(name: str, *, accumulate: bool = False) -> Rule:
    """For a whole batch that shares the indices: the same along an axis further back; else as ``x[:, i] = value``."""

    def batch(xp: Any, x: Any, index: Any, *source: Any, dim: int, **meta: Any) -> Any:
        if not x.ndim or any([getattr(s, "ndim", 0) == 0 for s in source]):
            return NotImplemented
        if index.__class__ is Batched:
            value = source[0] * meta.get("alpha", 1) if source else meta["value"]
            return xp.index_put(x, value, index, spec=(*(False,) * dim, True), accumulate=accumulate)
        axes = merged([v.axes for v in (x, *source) if v.__class__ is Batched])
        arrays = [spread(s, axes) for s in source]
        whole = getattr(xp, name)(spread(x, axes), index, *arrays, dim=len(axes) + dim, **meta)
        return packed(whole, axes)

    return batch


def _index_add_source(xp: Any, g: Any, y: Any, x: Any, index: Any, source: Any, *, dim: int, alpha: Any) -> Any:
    parts = xp.index_select(g, index, dim=dim)
    parts = parts if alpha == 1 else parts * alpha
    return parts if parts.shape == source.shape else xp.reshape(parts, shape=source.shape)


INDEX_ADD = defop(
    "index_add",
    _index_add,
    Kind.INDEXING,
    batch=_along_batch("index_add", accumulate=True),
    vjp=(
        lambda xp, g, y, x, index, source, *, dim, alpha: g,
        None,
        _index_add_source,
    ),
    args=("self", "index", "source"),
    jvp=lambda xp, ts, y, x, index, source, *, dim, alpha: xp.index_add(
        tangent_or_zeros(xp, ts[0], x), index, tangent_or_zeros(xp, ts[2], source), dim=dim, alpha=alpha
    ),
    formula="y[index] += alpha * source",
    doc="The input with the parts of `source` added at several indices of one axis.",
)
INDEX_COPY = defop(
    "index_copy",
    _index_copy,
    Kind.INDEXING,
    batch=_along_batch("index_copy"),
    vjp=(
        lambda xp, g, y, x, index, source, *, dim: xp.index_fill(g, index, dim=dim, value=0.0),
        None,
        lambda xp, g, y, x, index, source, *, dim: xp.reshape(xp.index_select(g, index, dim=dim), shape=source.shape),
    ),
    args=("self", "index", "source"),
    jvp=lambda xp, ts, y, x, index, source, *, dim: xp.index_copy(
        tangent_or_zeros(xp, ts[0], x), index, tangent_or_zeros(xp, ts[2], source), dim=dim
    ),
    formula="y[index] = source",
    doc="The input with the parts of `source` written at several indices of one axis.",
)


def _index_fill_batch(xp: Any, x: Any, index: Any, value: Any, *, dim: int) -> Any:
    return xp.index_copy(x, index, xp.expand(value, shape=(*x.shape[:dim], index.size, *x.shape[dim + 1 :])), dim=dim)


INDEX_FILL = defop(
    "index_fill",
    lambda x, index, *, dim, value: _index_fill(x, index, value, dim=dim),
    Kind.INDEXING,
    batch=_along_batch("index_fill"),
    vjp=(lambda xp, g, y, x, index, *, dim, value: xp.index_fill(g, index, dim=dim, value=0.0), None),
    args=("self", "index"),
    jvp=lambda xp, ts, y, x, index, *, dim, value: xp.index_fill(ts[0], index, dim=dim, value=0.0),
    formula="y[index] = value",
    doc="The input with one number written at several indices of one axis.",
)


def _sum_all(xp: Any, g: Any) -> Any:
    return xp.sum(g, dim=None, keepdim=False)


def _where_filled(xp: Any, g: Any, index: Any, dim: int) -> Any:
    """The cotangent at the places that are filled, each once, however often an index comes; 0 elsewhere."""
    filled = xp.index_fill(xp.zeros_like(g), index, dim=dim, value=1.0)
    return xp.where(xp.ne(filled, 0.0), g, 0.0)


INDEX_FILL_TENSOR = defop(
    "index_fill_tensor",
    _index_fill,
    Kind.INDEXING,
    batch=lambda xp, x, index, value, *, dim: (
        _index_fill_batch(xp, x, index, value, dim=dim) if x.ndim else NotImplemented
    ),
    vjp=(
        lambda xp, g, y, x, index, value, *, dim: xp.index_fill(g, index, dim=dim, value=0.0),
        None,
        lambda xp, g, y, x, index, value, *, dim: _sum_all(xp, _where_filled(xp, g, index, dim)),
    ),
    args=("self", "index", "value"),
    node="IndexFillBackward1",
    jvp=lambda xp, ts, y, x, index, value, *, dim: xp.index_fill_tensor(
        tangent_or_zeros(xp, ts[0], x), index, tangent_or_zeros(xp, ts[2], value), dim=dim
    ),
    formula="y[index] = value",
    doc="The input with a 0-d array written at several indices of one axis.",
)

# --- index arrays and masks among the axes: x[i, :, j] = value ---


def _index_put(x: Any, value: Any, *indices: Any, spec: tuple[bool, ...], accumulate: bool) -> Any:
    out = _copy(x)
    key = index_key(spec, indices)
    if accumulate:
        np.add.at(out, key, value)
    else:
        out[key] = value
    return out


def _index_put_vjp(xp: Any, g: Any, y: Any, i: int, *xs: Any, spec: tuple[bool, ...], accumulate: bool) -> Any:
    if i == 1:
        return xp.index(g, *xs[2:], spec=spec)
    return g if accumulate else xp.index_put(g, 0.0, *xs[2:], spec=spec, accumulate=False)


def _index_put_batch(space: Any, x: Any, value: Any, *indices: Any, spec: tuple[bool, ...], accumulate: bool) -> Any:
    if is_mask(indices) and not accumulate and getattr(value, "ndim", 0) == 0 and len(spec) == 1:
        mask = space.reshape(indices[0], shape=(*indices[0].shape, *(1,) * (x.ndim - indices[0].ndim)))
        return space.where(mask, value, x)
    axes = merged([v.axes for v in (x, value, *indices) if v.__class__ is Batched])
    key = batched_key(axes, x.shape, spec, indices)
    if key is None:
        return NotImplemented
    ndim = len(np.broadcast_shapes(*[part.shape for part in key])) - len(axes)
    placed = aligned(value, axes, ndim)
    whole = space.index_put(spread(x, axes), placed, *key, spec=(True,) * len(key), accumulate=accumulate)
    return packed(whole, axes)


INDEX_PUT = defop(
    "index_put",
    _index_put,
    Kind.INDEXING,
    batch=_index_put_batch,
    vjp=EachInput(_index_put_vjp, lambda i: i < 2, shape_only=lambda i: i < 2),
    args=("self", "values", "indices"),
    jvp=lambda xp, ts, y, x, value, *indices, spec, accumulate: xp.index_put(
        tangent_or_zeros(xp, ts[0], x), tangent_or_zeros(xp, ts[1], value), *indices, spec=spec, accumulate=accumulate
    ),
    formula="y[i, j, ...] = value",
    doc="The input with values written (or added) at the places named by index arrays or a mask.",
)


def _put(x: Any, index: Any, source: Any, *, accumulate: bool) -> Any:
    out = _copy(x)
    flat = out.reshape(-1)
    if accumulate:
        add_flat(flat, np.where(index < 0, index + flat.size, index), source)
    else:
        flat[index] = source
    return out


def _put_self_vjp(xp: Any, g: Any, y: Any, x: Any, index: Any, source: Any, *, accumulate: bool) -> Any:
    return g if accumulate else xp.put(g, index, 0.0, accumulate=False)


def _put_batch(xp: Any, x: Any, index: Any, source: Any, *, accumulate: bool) -> Any:
    if hasattr(source, "ndim"):
        source = xp.reshape(source, shape=index.shape)
    flat = xp.reshape(x, shape=(x.size,))
    return xp.reshape(xp.index_put(flat, source, index, spec=(True,), accumulate=accumulate), shape=x.shape)


PUT = defop(
    "put",
    _put,
    Kind.INDEXING,
    batch=_put_batch,
    vjp=(
        _put_self_vjp,
        None,
        lambda xp, g, y, x, index, source, *, accumulate: xp.reshape(xp.take(g, index), shape=source.shape),
    ),
    args=("self", "index", "source"),
    jvp=lambda xp, ts, y, x, index, source, *, accumulate: xp.put(
        tangent_or_zeros(xp, ts[0], x), index, tangent_or_zeros(xp, ts[2], source), accumulate=accumulate
    ),
    formula="flat(y)[index] = source",
    doc="The input with values written (or added) at indices into its flattened elements.",
)

# --- masks ---


def _masked_fill(x: Any, mask: Any, *, value: Any) -> Any:
    if value == 0 and not (value.__class__ is float and str(value) == "-0.0"):
        return zero_where(x, mask)
    return choose(mask, x.dtype.type(value), x)


MASKED_FILL = defop(
    "masked_fill",
    _masked_fill,
    Kind.ELEMENTWISE,
    vjp=(lambda xp, g, y, x, mask, *, value: xp.zero_where(g, mask), None),
    args=("self", "mask"),
    jvp=lambda xp, ts, y, x, mask, *, value: xp.zero_where(ts[0], mask),
    formula="value where mask else x",
    doc="The input with one number where a mask holds.",
)
MASKED_FILL_TENSOR = defop(
    "masked_fill_tensor",
    lambda x, mask, value: choose(mask, value.astype(x.dtype), x),
    Kind.ELEMENTWISE,
    vjp=(
        lambda xp, g, y, x, mask, value: xp.zero_where(g, mask),
        None,
        lambda xp, g, y, x, mask, value: _sum_all(xp, xp.where(mask, g, 0.0)),
    ),
    args=("self", "mask", "value"),
    node="MaskedFillBackward1",
    jvp=lambda xp, ts, y, x, mask, value: xp.where(
        mask, tangent_or_zeros(xp, ts[2], value), tangent_or_zeros(xp, ts[0], x)
    ),
    formula="value where mask else x",
    doc="The input with a 0-d array where a mask holds.",
)


def _masked_scatter(x: Any, mask: Any, source: Any) -> Any:
    shape = np.broadcast_shapes(x.shape, mask.shape)
    out = np.array(np.broadcast_to(x, shape), order="C")
    chosen = np.broadcast_to(mask, shape)
    out[chosen] = source.reshape(-1)[: np.count_nonzero(chosen)]
    return out


def _masked_scatter_self_vjp(xp: Any, g: Any, y: Any, x: Any, mask: Any, source: Any) -> Any:
    return xp.zero_where(g, mask)


def _masked_scatter_source_vjp(xp: Any, g: Any, y: Any, x: Any, mask: Any, source: Any) -> Any:
    return xp.masked_scatter_backward(g, mask, shape=source.shape)


def _masked_scatter_backward(g: Any, mask: Any, *, shape: Shape) -> Any:
    chosen = np.asarray(g)[np.broadcast_to(mask, g.shape)]
    out = np.zeros(shape, g.dtype)
    out.reshape(-1)[: chosen.size] = chosen
    return out


def _lines(xp: Any, axes: Any, shape: Shape, *xs: Any) -> list[Any]:
    """The values, expanded to one shape, with each member as one line."""
    lead = tuple([axis.size for axis in axes])
    return [spread(xp.expand(x, shape=shape), axes).reshape(*lead, prod(shape)) for x in xs]


def _masked_scatter_batch(xp: Any, x: Any, mask: Any, source: Any) -> Any:
    axes = merged([v.axes for v in (x, mask, source) if v.__class__ is Batched])
    shape = np.broadcast_shapes(x.shape, mask.shape)
    into, chosen = _lines(xp, axes, shape, x, mask)
    (given,) = _lines(xp, axes, source.shape, source)
    return packed(_scattered_lines(into, chosen, given).reshape(*into.shape[:-1], *shape), axes)


def _scattered_lines(into: Any, chosen: Any, given: Any) -> Any:
    if (np.count_nonzero(chosen, -1) > given.shape[-1]).any():
        raise RuntimeError("Number of elements of source < number of ones in mask")
    if not given.shape[-1]:
        return into
    places = np.maximum(np.cumsum(chosen, -1) - 1, 0).clip(max=given.shape[-1] - 1)
    return np.where(chosen, np.take_along_axis(given, places, -1), into)


def _masked_scatter_backward_batch(xp: Any, g: Any, mask: Any, *, shape: Shape) -> Any:
    axes = merged([v.axes for v in (g, mask) if v.__class__ is Batched])
    values, chosen = _lines(xp, axes, g.shape, g, mask)
    return packed(_chosen_of_lines(values, chosen, prod(shape)).reshape(*values.shape[:-1], *shape), axes)


def _chosen_of_lines(values: Any, chosen: Any, length: int) -> Any:
    """The chosen values of each line, and then zeros."""
    first = np.take_along_axis(np.where(chosen, values, 0), np.argsort(~chosen, -1, "stable"), -1)
    out = np.zeros((*first.shape[:-1], length), values.dtype)
    count = min(first.shape[-1], length)
    out[..., :count] = first[..., :count]
    return out


MASKED_SCATTER = defop(
    "masked_scatter",
    _masked_scatter,
    Kind.INDEXING,
    batch=_masked_scatter_batch,
    vjp=(_masked_scatter_self_vjp, None, _masked_scatter_source_vjp),
    args=("self", "mask", "source"),
    jvp=lambda xp, ts, y, x, mask, source: xp.masked_scatter(
        tangent_or_zeros(xp, ts[0], x), mask, tangent_or_zeros(xp, ts[2], source)
    ),
    formula="y[mask] = source",
    doc="The input with the elements of `source`, one after the other, where a mask holds.",
)
MASKED_SCATTER_BACKWARD = defop(
    "masked_scatter_backward",
    _masked_scatter_backward,
    Kind.INDEXING,
    batch=_masked_scatter_backward_batch,
    vjp=(lambda xp, g, y, x, mask, *, shape: xp.masked_scatter(xp.zeros_like(x), mask, g), None),
    args=("grad", "mask"),
    linear=(0,),
    formula="x[mask], then 0",
    doc="The elements where a mask holds, one after the other, then zeros.",
)

# --- one index, a slice, a diagonal ---


def _region_record(name: str, region: Any, read: Rule) -> Op:
    """``name(x, src, **meta)``: a copy of x with src in a region; ``read`` reads that region in any world."""

    def impl(x: Any, src: Any, **meta: Any) -> Any:
        out = np.array(x, order="K")
        region(out, **meta)[...] = src
        return out

    def self_vjp(xp: Any, g: Any, y: Any, x: Any, src: Any, **meta: Any) -> Any:
        return getattr(xp, name)(g, 0.0, **meta)

    def src_vjp(xp: Any, g: Any, y: Any, x: Any, src: Any, **meta: Any) -> Any:
        return read(xp, g, **meta)

    def jvp(xp: Any, ts: Any, y: Any, x: Any, src: Any, **meta: Any) -> Any:
        return getattr(xp, name)(tangent_or_zeros(xp, ts[0], x), tangent_or_zeros(xp, ts[1], src), **meta)

    return defop(
        name,
        impl,
        Kind.MOVEMENT,
        vjp=(self_vjp, src_vjp),
        args=("self", "src"),
        jvp=jvp,
        formula="y = x; y[region] = src",
        doc="The input with `src` written into one region.",
    )


SELECT_SCATTER = _region_record(
    "select_scatter",
    lambda x, *, dim, index: x[(*_at(dim, index), ...)],
    lambda xp, g, *, dim, index: xp.select(g, dim=dim, index=index),
)
SLICE_SCATTER = _region_record(
    "slice_scatter",
    lambda x, *, dim, start, stop, step: x[_at(dim, slice(start, stop, step))],
    lambda xp, g, *, dim, start, stop, step: xp.slice(g, dim=dim, start=start, stop=stop, step=step),
)
DIAGONAL_SCATTER = _region_record(
    "diagonal_scatter",
    diagonal_of,
    lambda xp, g, *, offset, dim1, dim2: xp.diagonal(g, offset=offset, dim1=dim1, dim2=dim2),
)
