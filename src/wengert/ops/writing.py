"""Operations that write a value into a region of a copy: index arrays, masks, one index, a slice, a diagonal."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.ops.accumulate import add_flat, add_rows, strides_of
from wengert.ops.diagonals import diagonal_of
from wengert.ops.indexing import index_key
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
    if dim == 0:
        rows = np.reshape(added, (index.size, *x.shape[1:]))
        add_rows(out if out.ndim else out.reshape(1), np.reshape(index, -1), rows)
        return out
    places: Any = 0
    for axis, (length, stride) in enumerate(zip(added.shape, strides_of(x.shape), strict=True)):
        along = index if axis == dim else np.arange(length)
        places = places + (along * stride).reshape((-1,) + (1,) * (added.ndim - axis - 1))
    add_flat(out.reshape(-1), places, added)
    return out


def _index_copy(x: Any, index: Any, source: Any, *, dim: int) -> Any:
    out = _copy(x)
    (out if out.ndim else out.reshape(1))[_at(dim, index)] = source
    return out


def _index_fill(x: Any, index: Any, value: Any, *, dim: int) -> Any:
    return _index_copy(x, index, value, dim=dim)


INDEX_ADD = defop(
    "index_add",
    _index_add,
    Kind.INDEXING,
    vjp=(
        lambda xp, g, y, x, index, source, *, dim, alpha: g,
        None,
        lambda xp, g, y, x, index, source, *, dim, alpha: xp.reshape(
            xp.index_select(g, index, dim=dim) * alpha, shape=source.shape
        ),
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
INDEX_FILL = defop(
    "index_fill",
    lambda x, index, *, dim, value: _index_fill(x, index, value, dim=dim),
    Kind.INDEXING,
    vjp=(lambda xp, g, y, x, index, *, dim, value: xp.index_fill(g, index, dim=dim, value=0.0), None),
    args=("self", "index"),
    jvp=lambda xp, ts, y, x, index, *, dim, value: xp.index_fill(ts[0], index, dim=dim, value=0.0),
    formula="y[index] = value",
    doc="The input with one number written at several indices of one axis.",
)


def _sum_all(xp: Any, g: Any) -> Any:
    return xp.sum(g, dim=None, keepdim=False)


INDEX_FILL_TENSOR = defop(
    "index_fill_tensor",
    _index_fill,
    Kind.INDEXING,
    vjp=(
        lambda xp, g, y, x, index, value, *, dim: xp.index_fill(g, index, dim=dim, value=0.0),
        None,
        lambda xp, g, y, x, index, value, *, dim: _sum_all(xp, xp.index_select(g, index, dim=dim)),
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


INDEX_PUT = defop(
    "index_put",
    _index_put,
    Kind.INDEXING,
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


PUT = defop(
    "put",
    _put,
    Kind.INDEXING,
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


MASKED_SCATTER = defop(
    "masked_scatter",
    _masked_scatter,
    Kind.INDEXING,
    vjp=(_masked_scatter_self_vjp, None, _masked_scatter_source_vjp),
    args=("self", "mask", "source"),
    jvp=lambda xp, ts, y, x, mask, source: xp.masked_scatter(
        tangent_or_zeros(xp, ts[0], x), mask, tangent_or_zeros(xp, ts[2], source)
    ),
    doc="The input with the elements of `source`, one after the other, where a mask holds.",
)
MASKED_SCATTER_BACKWARD = defop(
    "masked_scatter_backward",
    _masked_scatter_backward,
    Kind.INDEXING,
    vjp=(lambda xp, g, y, x, mask, *, shape: xp.masked_scatter(xp.zeros_like(x), mask, g), None),
    args=("grad", "mask"),
    linear=(0,),
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
