"""Reading and writing a region of a base, where the region is given by the movement steps that lead to it."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert._batched import Batched, aligned, merged, packed, spread
from wengert._traced import tie
from wengert.ops.record import TABLE, Kind, defop
from wengert.ops.scatter import tangent_or_zeros
from wengert.spaces.raw import RAW


def follow(xp: Any, x: Any, steps: Any) -> Any:
    """Take the movement steps ``(operation, metadata, result index)`` one after the other in the world ``xp``."""
    for name, meta, index in steps:
        x = getattr(xp, name)(x, **meta)
        if TABLE[name].outputs != 1:
            x = x[index]
    return x


def same_memory(data: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The same region of the same memory, to be written: NumPy lets nobody write into what was broadcast.

    Raises:
        ValueError: the memory is not NumPy's own to write to.
    """
    owner: Any = data
    while getattr(owner, "base", None) is not None:  # np.broadcast_to has something between that is no array
        owner = owner.base
    if not isinstance(owner, np.ndarray) or not owner.flags.writeable:
        raise ValueError("the memory is read-only")
    memory = owner if owner.flags.c_contiguous else owner.T
    offset = data.__array_interface__["data"][0] - memory.__array_interface__["data"][0]
    return np.ndarray(data.shape, data.dtype, memory, offset, data.strides)


def _view_write(base: Any, value: Any, *, steps: Any) -> Any:
    whole = np.array(base, order="C")
    region = follow(RAW, whole, steps)
    if not region.flags.writeable:
        region = same_memory(region)
    region[...] = value
    return whole


def _view_write_batch(space: Any, base: Any, value: Any, *, steps: Any) -> Any:
    axes = merged([v.axes for v in (base, value) if v.__class__ is Batched])
    whole = packed(spread(base, axes).copy("C"), axes)
    region = follow(space, whole, steps)
    array = region.array if region.array.flags.writeable else same_memory(region.array)
    tie(array, whole.array)
    np.copyto(array, aligned(value, axes, region.ndim))
    return whole


VIEW_WRITE = defop(
    "view_write",
    _view_write,
    Kind.MOVEMENT,
    batch=_view_write_batch,
    args=("base", "value"),
    node="CopySlices",
    vjp=(
        lambda xp, g, y, base, value, *, steps: xp.view_write(g, 0.0, steps=steps),
        lambda xp, g, y, base, value, *, steps: follow(xp, g, steps),
    ),
    jvp=lambda xp, ts, y, base, value, *, steps: xp.view_write(
        tangent_or_zeros(xp, ts[0], base), tangent_or_zeros(xp, ts[1], value), steps=steps
    ),
    formula="base with one region replaced by value",
    doc="What a base becomes when a view of it is written in place.",
)
