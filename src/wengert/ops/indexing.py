"""Operations that choose elements: one index, a slice, index arrays, masks; and their adjoints.

Index arrays and masks are inputs; the position of each among the axes is metadata (`spec`). Indices come in checked
against the bounds: the function layer does that.
"""

from __future__ import annotations

from math import prod
from typing import Any, Final

import numpy as np

from wengert._batched import Batched, merged, packed, spread
from wengert._traced import Traced
from wengert.ops.accumulate import sum_along, sum_indexed, sum_into, taken_along
from wengert.ops.indexed import chosen
from wengert.ops.record import EachInput, Kind, defop

Shape = tuple[int, ...]

_MANY_ROWS: Final = 512  # elements from which machine code is quicker than the one call that this takes NumPy

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
    formula="y[index] = x, else 0",
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
    formula="y[start:stop:step] = x, else 0",
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


# --- for a whole batch ---


def open_key(lead: Shape, shape: Shape, spec: tuple[bool, ...], indices: Any) -> tuple[Any, ...]:
    """The key ``x[i, :, j]`` with index arrays for the batch axes and the slices too.

    ``indices`` have the batch axes in front. In the result come the batch axes, then the others in NumPy's order.
    """
    k = len(lead)
    named = np.broadcast_shapes(*[index.shape[k:] for index in indices])
    places = [place for place, here in enumerate(spec) if here]
    slices = [place for place in range(len(shape)) if place >= len(spec) or not spec[place]]
    together = places == list(range(places[0], places[0] + len(places)))
    before = [place for place in slices if place < places[0]] if together else []
    order: list[Any] = [*before, *[("named", i) for i in range(len(named))], *[s for s in slices if s not in before]]
    total = k + len(order)

    def along(position: int, size: int) -> Any:
        return np.arange(size).reshape((size, *(1,) * (total - position - 1)))

    following = iter(indices)
    key = [along(position, size) for position, size in enumerate(lead)]
    for place, size in enumerate(shape):
        if place < len(spec) and spec[place]:
            index = next(following)
            start = k + len(before)
            own = (*index.shape[:k], *(1,) * len(before), *(1,) * (len(named) - index.ndim + k), *index.shape[k:])
            key.append(index.reshape((*own, *(1,) * (total - start - len(named)))))
        else:
            key.append(along(k + order.index(place), size))
    return tuple(key)


def batched_key(axes: Any, shape: Shape, spec: tuple[bool, ...], indices: Any) -> Any:
    """The key into an array with batch axes in front; None for a mask that differs between members."""
    lead = tuple([axis.size for axis in axes])
    if any([index.dtype.kind == "b" for index in indices]):
        if any([index.__class__ is Batched for index in indices]):
            return None
        whole: list[Any] = []
        wide: list[bool] = []
        following = iter(indices)
        for here in spec:
            parts: Any = (next(following),) if here else (None,)
            if here and parts[0].dtype.kind == "b":
                parts = np.asarray(parts[0]).nonzero()
            whole += [part for part in parts if here]
            wide += [here] * len(parts)
        spec, indices = tuple(wide), whole
    return open_key(lead, shape, spec, [spread(index, axes) for index in indices])


def _axes_of(*xs: Any) -> Any:
    return merged([x.axes for x in xs if x.__class__ is Batched])


def _index_batch(xp: Any, x: Any, *indices: Any, spec: tuple[bool, ...]) -> Any:
    axes = _axes_of(x, *indices)
    key = batched_key(axes, x.shape, spec, indices)
    return NotImplemented if key is None else packed(spread(x, axes)[key], axes)


def _index_backward_batch(space: Any, g: Any, *indices: Any, shape: Shape, spec: tuple[bool, ...]) -> Any:
    axes = _axes_of(g, *indices)
    key = batched_key(axes, shape, spec, indices)
    if key is None:
        return NotImplemented
    whole = (*[axis.size for axis in axes], *shape)
    if any([isinstance(x, Traced) for x in (spread(g, axes), *key)]):  # an equation, as it is for one member
        return packed(space.index_backward(spread(g, axes), *key, shape=whole, spec=(True,) * len(key)), axes)
    flat = np.ravel_multi_index(key, whole, mode="wrap") if all(whole) else np.zeros(0, np.int64)
    return packed(sum_into(whole, np.broadcast_to(flat, spread(g, axes).shape), spread(g, axes), g.dtype), axes)


def _rows_batch(space: Any, x: Any, index: Any, *, dim: int) -> Any:
    if index.__class__ is Batched:
        return space.index(x, index, spec=(*(False,) * dim, True)) if x.ndim and index.ndim else NotImplemented
    return Batched(space.index_select(x.array, index, dim=len(x.axes) + dim), x.axes) if x.ndim else x


def _rows_backward_batch(xp: Any, g: Any, index: Any, *, shape: Shape, dim: int) -> Any:
    if not shape or not index.ndim:
        return NotImplemented
    return xp.index_backward(g, index, shape=shape, spec=(*(False,) * dim, True))


def _take_batch(xp: Any, x: Any, index: Any) -> Any:
    return xp.index(xp.reshape(x, shape=(x.size,)), index, spec=(True,))


def _take_backward_batch(xp: Any, g: Any, index: Any, *, shape: Shape) -> Any:
    return xp.reshape(xp.index_backward(g, index, shape=(prod(shape),), spec=(True,)), shape=shape)


def _first(i: int) -> bool:
    return i == 0


INDEX = defop(
    "index",
    _index,
    Kind.INDEXING,
    batch=_index_batch,
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
    batch=_index_backward_batch,
    vjp=EachInput(_index_backward_vjp, _first, shape_only=_first),
    args=("grad", "indices"),
    node="IndexPutBackward0",
    linear=(0,),
    formula="y[i, j, ...] += x",
    doc="Zeros with the input added at the places named by index arrays or a mask.",
)

# --- one index array along one axis ---


def _index_select(x: Any, index: Any, *, dim: int) -> Any:
    if x.size >= _MANY_ROWS and index.size:
        y = chosen(x, index.reshape(-1), dim)
        if y is not None:
            return y
    return x.take(index, dim) if x.ndim else x


INDEX_SELECT = defop(
    "index_select",
    _index_select,
    Kind.INDEXING,
    batch=_rows_batch,
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
    return sum_along(shape, index.reshape(-1), g, dim)


INDEX_SELECT_BACKWARD = defop(
    "index_select_backward",
    _index_select_backward,
    Kind.INDEXING,
    batch=_rows_backward_batch,
    vjp=(lambda xp, g, y, x, index, *, shape, dim: xp.index_select(g, index, dim=dim), None),
    args=("grad", "index"),
    linear=(0,),
    formula="y[index] += x",
    doc="Zeros with parts of the input added at several indices of one axis.",
)


def _gather(x: Any, index: Any, *, dim: int) -> Any:
    return taken_along(np.asarray(x), index, dim)


def _gather_backward(g: Any, index: Any, *, shape: Shape, dim: int) -> Any:
    return sum_along(shape, index, g, dim)


GATHER = defop(
    "gather",
    _gather,
    Kind.INDEXING,
    batch=Kind.SCAN,
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
    batch=Kind.SCAN,
    vjp=(lambda xp, g, y, x, index, *, shape, dim: xp.gather(g, index, dim=dim), None),
    args=("grad", "index"),
    linear=(0,),
    formula="y[index[i, j], j] += x[i, j]",
    doc="Zeros with each element of the input added at its index along one axis.",
)
TAKE = defop(
    "take",
    np.take,
    Kind.INDEXING,
    batch=_take_batch,
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
    batch=_take_backward_batch,
    vjp=(lambda xp, g, y, x, index, *, shape: xp.take(g, index), None),
    args=("grad", "index"),
    linear=(0,),
    formula="flat(y)[index] += x",
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


def _masked_select_batch(space: Any, x: Any, mask: Any) -> Any:
    if mask.__class__ is Batched:
        return NotImplemented
    shape = np.broadcast_shapes(x.shape, mask.shape)
    whole = np.broadcast_to(mask, shape)
    key: Any = (*(slice(None),) * len(x.axes), whole)
    return Batched(space.expand(x, shape=shape).array[key], x.axes)


def _masked_select_backward_batch(space: Any, g: Any, mask: Any, *, shape: Shape) -> Any:
    if mask.__class__ is Batched:
        return NotImplemented
    out = np.zeros((*[axis.size for axis in g.axes], *shape), g.dtype)
    key: Any = (*(slice(None),) * len(g.axes), np.broadcast_to(mask, shape))
    out[key] = g.array
    return Batched(out, g.axes)


MASKED_SELECT = defop(
    "masked_select",
    _masked_select,
    Kind.INDEXING,
    batch=_masked_select_batch,
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
    batch=_masked_select_backward_batch,
    vjp=(_masked_select_backward_vjp, None),
    args=("grad", "mask"),
    linear=(0,),
    formula="y[mask] = x, else 0",
    doc="Zeros with the input's elements where a mask holds.",
)
NONZERO = defop(
    "nonzero",
    lambda x: np.argwhere(x) if x.ndim else np.zeros((int(x != 0), 0), np.int64),
    Kind.INDEXING,
    vjp=(None,),
    doc="The indices of the elements that are not zero, one row each.",
)
