"""Operations that choose elements: one index, a slice, index arrays, masks; and their adjoints.

Index arrays and masks are inputs; the position of each among the axes is metadata (`spec`). Indices come in checked
against the bounds: the function layer does that.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.ops.accumulate import flat_index, sum_indexed, sum_into, sum_rows
from wengert.ops.record import EachInput, Kind, defop

Shape = tuple[int, ...]

# --- one index or a slice along one axis: views ---


def _select(x: Any, *, dim: int, index: int) -> Any:
    if dim == 0:
        return x[index, ...]  # the ellipsis keeps a 0-d result an array that shares memory
    return x[(slice(None),) * dim + (index, ...)]


def _select_vjp(xp: Any, g: Any, y: Any, x: Any, *, dim: int, index: int) -> Any:
    return xp.select_backward(g, shape=x.shape, dim=dim, index=index)


def _select_backward(g: Any, *, shape: Shape, dim: int, index: int) -> Any:
    out = np.zeros(shape, g.dtype)
    out[(slice(None),) * dim + (index,)] = g
    return out


def _select_backward_vjp(xp: Any, g: Any, y: Any, x: Any, *, shape: Shape, dim: int, index: int) -> Any:
    return xp.select(g, dim=dim, index=index)


SELECT = defop(
    "select",
    _select,
    Kind.MOVEMENT,
    vjp=(_select_vjp,),
    view=True,
    linear=(0,),
    formula="x[index]",
    doc="The part of the input at one index of one axis.",
)
SELECT_BACKWARD = defop(
    "select_backward",
    _select_backward,
    Kind.MOVEMENT,
    vjp=(_select_backward_vjp,),
    linear=(0,),
    doc="Zeros with the input at one index of one axis.",
)


def _key(dim: int, start: int | None, stop: int | None, step: int | None) -> tuple[slice, ...]:
    return (slice(None),) * dim + (slice(start, stop, step),)


def _slice(x: Any, *, dim: int, start: int | None, stop: int | None, step: int | None) -> Any:
    return x[slice(start, stop, step)] if dim == 0 else x[_key(dim, start, stop, step)]


def _slice_vjp(
    xp: Any, g: Any, y: Any, x: Any, *, dim: int, start: int | None, stop: int | None, step: int | None
) -> Any:
    return xp.slice_backward(g, shape=x.shape, dim=dim, start=start, stop=stop, step=step)


def _slice_backward(g: Any, *, shape: Shape, dim: int, start: int | None, stop: int | None, step: int | None) -> Any:
    out = np.zeros(shape, g.dtype)
    out[_key(dim, start, stop, step)] = g
    return out


def _slice_backward_vjp(
    xp: Any, g: Any, y: Any, x: Any, *, shape: Shape, dim: int, start: int | None, stop: int | None, step: int | None
) -> Any:
    return xp.slice(g, dim=dim, start=start, stop=stop, step=step)


SLICE = defop(
    "slice",
    _slice,
    Kind.MOVEMENT,
    vjp=(_slice_vjp,),
    view=True,
    linear=(0,),
    formula="x[start:stop:step]",
    doc="Every `step`-th part of the input from `start` up to `stop` along one axis.",
)
SLICE_BACKWARD = defop(
    "slice_backward",
    _slice_backward,
    Kind.MOVEMENT,
    vjp=(_slice_backward_vjp,),
    linear=(0,),
    doc="Zeros with the input in a slice of one axis.",
)

# --- index arrays and masks among the axes: x[i, :, j], x[mask] ---


def index_key(spec: tuple[bool, ...], indices: tuple[Any, ...]) -> tuple[Any, ...]:
    """The NumPy key: the index arrays where ``spec`` says so, full slices elsewhere."""
    following = iter(indices)
    return tuple([next(following) if here else slice(None) for here in spec])


def is_mask(indices: tuple[Any, ...]) -> bool:
    """Whether the key is one mask, which names no element twice."""
    return len(indices) == 1 and indices[0].dtype.kind == "b"


def _index(x: Any, *indices: Any, spec: tuple[bool, ...]) -> Any:
    if len(indices) == 1 and indices[0].dtype.kind != "b":
        return x.take(indices[0], len(spec) - 1)  # twice as fast as x[key] on rows
    y = np.asarray(x)[index_key(spec, indices)]
    return y if y.flags.c_contiguous else y.copy()  # NumPy puts the indexed axes first in memory, PyTorch does not


def _index_vjp(xp: Any, g: Any, y: Any, i: int, *xs: Any, spec: tuple[bool, ...]) -> Any:
    return xp.index_backward(g, *xs[1:], shape=xs[0].shape, spec=spec)


def _index_backward(g: Any, *indices: Any, shape: Shape, spec: tuple[bool, ...]) -> Any:
    key = index_key(spec, indices)
    if not is_mask(indices):
        return sum_indexed(g, key, shape)
    out = np.zeros(shape, g.dtype)
    out[key] = g
    return out


def _index_backward_vjp(xp: Any, g: Any, y: Any, i: int, *xs: Any, shape: Shape, spec: tuple[bool, ...]) -> Any:
    return xp.index(g, *xs[1:], spec=spec)


def _first(i: int) -> bool:
    return i == 0


INDEX = defop(
    "index",
    _index,
    Kind.INDEXING,
    vjp=EachInput(_index_vjp, _first, shape_only=_first),
    args=("self", "indices"),
    linear=(0,),
    formula="x[i, j, ...]",
    doc="The elements named by index arrays or a mask.",
)
INDEX_BACKWARD = defop(
    "index_backward",
    _index_backward,
    Kind.INDEXING,
    vjp=EachInput(_index_backward_vjp, _first, shape_only=_first),
    args=("grad", "indices"),
    node="IndexPutBackward0",
    linear=(0,),
    doc="Zeros with the input added at the places named by index arrays or a mask.",
)

# --- one index array along one axis ---

INDEX_SELECT = defop(
    "index_select",
    lambda x, index, *, dim: np.take(x, index, dim) if x.ndim else x,
    Kind.INDEXING,
    vjp=(
        lambda xp, g, y, x, index, *, dim: xp.index_select_backward(g, index, shape=x.shape, dim=dim),
        None,
    ),
    args=("self", "index"),
    linear=(0,),
    formula="x[index]",
    doc="The parts of the input at several indices of one axis.",
)


def _index_select_backward(g: Any, index: Any, *, shape: Shape, dim: int) -> Any:
    if not shape:
        return g
    rows = np.moveaxis(g, dim, 0)
    return np.moveaxis(sum_rows(shape[dim], np.reshape(index, -1), rows), 0, dim)


INDEX_SELECT_BACKWARD = defop(
    "index_select_backward",
    _index_select_backward,
    Kind.INDEXING,
    vjp=(lambda xp, g, y, x, index, *, shape, dim: xp.index_select(g, index, dim=dim), None),
    args=("grad", "index"),
    linear=(0,),
    doc="Zeros with parts of the input added at several indices of one axis.",
)


def _gather(x: Any, index: Any, *, dim: int) -> Any:
    return np.reshape(x, -1).take(flat_index(index, x.shape, dim))


def _gather_backward(g: Any, index: Any, *, shape: Shape, dim: int) -> Any:
    return sum_into(shape, flat_index(index, shape, dim), g, g.dtype)


GATHER = defop(
    "gather",
    _gather,
    Kind.INDEXING,
    vjp=(lambda xp, g, y, x, index, *, dim: xp.gather_backward(g, index, shape=x.shape, dim=dim), None),
    args=("self", "index"),
    linear=(0,),
    formula="y[i, j] = x[index[i, j], j]",
    doc="Along one axis, for each element of the index array the input's element at that index.",
)
GATHER_BACKWARD = defop(
    "gather_backward",
    _gather_backward,
    Kind.INDEXING,
    vjp=(lambda xp, g, y, x, index, *, shape, dim: xp.gather(g, index, dim=dim), None),
    args=("grad", "index"),
    linear=(0,),
    doc="Zeros with each element of the input added at its index along one axis.",
)
TAKE = defop(
    "take",
    np.take,
    Kind.INDEXING,
    vjp=(lambda xp, g, y, x, index: xp.take_backward(g, index, shape=x.shape), None),
    args=("self", "index"),
    linear=(0,),
    formula="flat(x)[index]",
    doc="The elements at indices into the flattened input.",
)
TAKE_BACKWARD = defop(
    "take_backward",
    lambda g, index, *, shape: sum_into(shape, index, g, g.dtype),
    Kind.INDEXING,
    vjp=(lambda xp, g, y, x, index, *, shape: xp.take(g, index), None),
    args=("grad", "index"),
    linear=(0,),
    doc="Zeros with the input added at flat indices.",
)

# --- masks ---


def _masked_select(x: Any, mask: Any) -> Any:
    if x.shape != mask.shape:
        x, mask = np.broadcast_arrays(x, mask)
    return np.asarray(x)[np.asarray(mask)]


def _masked_select_vjp(xp: Any, g: Any, y: Any, x: Any, mask: Any) -> Any:
    return xp.masked_select_backward(g, mask, shape=np.broadcast_shapes(x.shape, mask.shape))


def _masked_select_backward(g: Any, mask: Any, *, shape: Shape) -> Any:
    out = np.zeros(shape, g.dtype)
    out[np.broadcast_to(mask, shape)] = g
    return out


def _masked_select_backward_vjp(xp: Any, g: Any, y: Any, x: Any, mask: Any, *, shape: Shape) -> Any:
    return xp.masked_select(xp.expand(g, shape=shape), mask)


MASKED_SELECT = defop(
    "masked_select",
    _masked_select,
    Kind.INDEXING,
    vjp=(_masked_select_vjp, None),
    args=("self", "mask"),
    linear=(0,),
    formula="x[mask]",
    doc="The elements where a mask holds, as one row.",
)
MASKED_SELECT_BACKWARD = defop(
    "masked_select_backward",
    _masked_select_backward,
    Kind.INDEXING,
    vjp=(_masked_select_backward_vjp, None),
    args=("grad", "mask"),
    linear=(0,),
    doc="Zeros with the input's elements where a mask holds.",
)
NONZERO = defop(
    "nonzero",
    lambda x: np.argwhere(x) if x.ndim else np.zeros((int(x != 0), 0), np.int64),
    Kind.INDEXING,
    vjp=(None,),
    doc="The indices of the elements that are not zero, one row each.",
)
