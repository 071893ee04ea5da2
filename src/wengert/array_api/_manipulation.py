"""The standard's functions that rearrange arrays, and those that take elements by index."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.array_api._types import Axes, dims_of, in_dtype, promoted, require_arrays
from wengert.engine.base import wrap
from wengert.functions import axes as axis_functions
from wengert.functions import indexing, joining, movement, repeating

__all__ = [
    "broadcast_arrays",
    "broadcast_shapes",
    "broadcast_to",
    "concat",
    "expand_dims",
    "flip",
    "matrix_transpose",
    "moveaxis",
    "permute_dims",
    "repeat",
    "reshape",
    "roll",
    "squeeze",
    "stack",
    "take",
    "take_along_axis",
    "tile",
    "unstack",
]


def broadcast_shapes(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The shape to which arrays of these shapes broadcast.

    Raises:
        ValueError: they do not broadcast.

    >>> from wengert import array_api as xp
    >>> xp.broadcast_shapes((3, 1), (4,))
    (3, 4)
    """
    return tuple(np.broadcast_shapes(*shapes))


def broadcast_to(x: Any, /, shape: tuple[int, ...]) -> Any:
    """``x`` repeated, without copying, along new dimensions and those of length one.

    Raises:
        RuntimeError: it does not broadcast to that shape.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.broadcast_to(torch.tensor([1, 2]), (2, 2))
    tensor([[1, 2],
            [1, 2]])
    """
    require_arrays("broadcast_to", x)
    return movement.broadcast_to(x, tuple(shape))


def broadcast_arrays(*arrays: Any) -> tuple[Any, ...]:
    """The arrays, all broadcast to the same shape; each keeps its dtype.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> [x.shape for x in xp.broadcast_arrays(torch.ones(3, 1), torch.ones(2))]
    [torch.Size([3, 2]), torch.Size([3, 2])]
    """
    require_arrays("broadcast_arrays", *arrays)
    shape = broadcast_shapes(*[tuple(x.shape) for x in arrays])
    return tuple([broadcast_to(x, shape) for x in arrays])


def concat(arrays: Any, /, *, axis: int | None = 0) -> Any:
    """The arrays one after the other along an axis, or flattened where it is None, in their common dtype.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.concat([torch.tensor([1, 2]), torch.tensor([[3.0]])], axis=None)
    tensor([1., 2., 3.])
    """
    parts = promoted("concat", *arrays)
    if axis is None:
        return joining.cat([part.reshape(-1) for part in parts])
    return joining.cat(list(parts), axis)


def stack(arrays: Any, /, *, axis: int = 0) -> Any:
    """The arrays, all of one shape, along a new axis, in their common dtype.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.stack([torch.tensor([1, 2]), torch.tensor([3, 4])], axis=1)
    tensor([[1, 3],
            [2, 4]])
    """
    return joining.stack(list(promoted("stack", *arrays)), axis)


def unstack(x: Any, /, *, axis: int = 0) -> tuple[Any, ...]:
    """The parts of an array along an axis, which they lose: views, each of which may be written to.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.unstack(torch.tensor([[1, 2], [3, 4]]))
    (tensor([1, 2]), tensor([3, 4]))
    """
    require_arrays("unstack", x)
    (dim,) = dims_of(x, axis)
    return tuple([axis_functions.select(x, dim, number) for number in range(x.shape[dim])])


def expand_dims(x: Any, /, axis: int | tuple[int, ...] = 0) -> Any:
    """``x`` with new axes of length one at these places of the result.

    Raises:
        IndexError: no such place.
        ValueError: a place is named twice.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.expand_dims(torch.ones(3), axis=0).shape
    torch.Size([1, 3])
    """
    require_arrays("expand_dims", x)
    places = (axis,) if isinstance(axis, int) else tuple(axis)
    ndim = x.ndim + len(places)
    for place in places:
        if not -ndim <= place < ndim:
            raise IndexError(f"expand_dims(): axis {place} is out of range for a result of {ndim} dimensions")
    wanted = sorted([place % ndim for place in places])
    if len(set(wanted)) != len(wanted):
        raise ValueError(f"expand_dims(): axis {axis} names a place twice")
    for place in wanted:
        x = axis_functions.unsqueeze(x, place)
    return x


def squeeze(x: Any, /, axis: int | tuple[int, ...]) -> Any:
    """``x`` without these axes, which have length one.

    Raises:
        ValueError: an axis has another length.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.squeeze(torch.ones(1, 3), axis=0).shape
    torch.Size([3])
    """
    require_arrays("squeeze", x)
    dims = dims_of(x, axis)
    wrong = [dim for dim in dims if x.shape[dim] != 1]
    if wrong:
        raise ValueError(f"squeeze(): axis {wrong[0]} has length {x.shape[wrong[0]]}; only an axis of length 1 can go")
    return axis_functions.squeeze(x, dims)


def flip(x: Any, /, *, axis: Axes = None) -> Any:
    """``x`` in reverse order along axes, along all where it is None.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.flip(torch.tensor([1, 2, 3]))
    tensor([3, 2, 1])
    """
    require_arrays("flip", x)
    return repeating.flip(x, dims_of(x, axis))


def roll(x: Any, /, shift: int | tuple[int, ...], *, axis: Axes = None) -> Any:
    """``x`` shifted along axes, what leaves at one end entering at the other; as one row where ``axis`` is None.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.roll(torch.tensor([1, 2, 3]), 1)
    tensor([3, 1, 2])
    """
    require_arrays("roll", x)
    if axis is None:
        return repeating.roll(x, shift)
    count = 1 if isinstance(axis, int) else len(axis)
    shifts = (shift,) * count if isinstance(shift, int) else tuple(shift)
    return repeating.roll(x, shifts, dims_of(x, axis)) if count else x.clone()


def moveaxis(x: Any, source: int | tuple[int, ...], destination: int | tuple[int, ...], /) -> Any:
    """``x`` with axes moved to other places, the others keeping their order.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.moveaxis(torch.ones(2, 3, 4), 0, -1).shape
    torch.Size([3, 4, 2])
    """
    require_arrays("moveaxis", x)
    return axis_functions.movedim(x, source, destination)


def permute_dims(x: Any, /, axes: tuple[int, ...]) -> Any:
    """``x`` with its axes in another order.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.permute_dims(torch.ones(2, 3), (1, 0)).shape
    torch.Size([3, 2])
    """
    require_arrays("permute_dims", x)
    return axis_functions.permute(x, tuple(axes))


def matrix_transpose(x: Any, /) -> Any:
    """Matrices with rows and columns exchanged: the last two axes.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.matrix_transpose(torch.ones(5, 2, 3)).shape
    torch.Size([5, 3, 2])
    """
    require_arrays("matrix_transpose", x)
    return axis_functions.transpose(x, -2, -1)


def repeat(x: Any, repeats: Any, /, *, axis: int | None = None) -> Any:
    """Each element repeated, so many times or as an array says for each; of the flattened array where axis is None.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.repeat(torch.tensor([1, 2]), 2)
    tensor([1, 1, 2, 2])
    """
    require_arrays("repeat", x)
    counts = repeats if isinstance(repeats, int) else in_dtype(repeats, np.dtype(np.int64))
    flat = x.reshape(-1) if axis is None else x
    return repeating.repeat_interleave(flat, counts, 0 if axis is None else axis)


def reshape(x: Any, /, shape: int | tuple[int, ...], *, copy: bool | None = None) -> Any:
    """``x`` in another shape; one size may be -1. ``copy=True`` copies always, ``copy=False`` raises where needed.

    Raises:
        RuntimeError: another number of elements, or ``copy=False`` where the memory's order does not allow it.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.reshape(torch.arange(4), (2, -1))
    tensor([[0, 1],
            [2, 3]])
    """
    require_arrays("reshape", x)
    wanted = (shape,) if isinstance(shape, int) else tuple(shape)
    if copy is False:
        return x.view(wanted)
    return movement.reshape(x.clone() if copy else x, wanted)


def tile(x: Any, repetitions: Sequence[int], /) -> Any:
    """Copies of ``x`` beside each other along each axis.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.tile(torch.tensor([1, 2]), (2,))
    tensor([1, 2, 1, 2])
    """
    require_arrays("tile", x)
    return repeating.tile(x, tuple(repetitions))


def take(x: Any, indices: Any, /, *, axis: int | None = None) -> Any:
    """The parts of ``x`` at these places along an axis, which a one-dimensional ``x`` need not name.

    Raises:
        ValueError: no axis, and ``x`` has several.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.take(torch.tensor([5, 6, 7]), torch.tensor([2, 0]))
    tensor([7, 5])
    """
    require_arrays("take", x, indices)
    if axis is None and x.ndim != 1:
        raise ValueError(f"take() needs an axis for an array of {x.ndim} dimensions")
    (dim,) = dims_of(x, 0 if axis is None else axis)
    places = wrap(_counted(indices._data, x.shape[dim]))
    chosen = indexing.index_select(x, dim, places.reshape(-1))
    shape = tuple(x.shape)
    return chosen.reshape((*shape[:dim], *places.shape, *shape[dim + 1 :]))


def _counted(places: Any, size: int) -> Any:
    """Places counted from the front, in int64."""
    counted = places.astype(np.int64)
    return np.where(counted < 0, counted + size, counted)


def take_along_axis(x: Any, indices: Any, /, *, axis: int = -1) -> Any:
    """The elements of ``x`` at places along an axis that are given for each of the other places.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> x = torch.tensor([[3, 1], [2, 4]])
    >>> xp.take_along_axis(x, xp.argsort(x))
    tensor([[1, 3],
            [2, 4]])
    """
    require_arrays("take_along_axis", x, indices)
    return indexing.take_along_dim(x, wrap(indices._data.astype(np.int64)), axis)
