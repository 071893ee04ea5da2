"""Operations on the memory layout of one array: sliding windows, arbitrary strides, padding."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.lib.stride_tricks import as_strided

from wengert._batched import physical
from wengert._traced import Traced, TraceError
from wengert.ops.accumulate import add_flat
from wengert.ops.movement import strided_view
from wengert.ops.record import Kind, defop

Shape = tuple[int, ...]

# --- sliding windows ---


def _unfold(x: Any, *, dim: int, size: int, step: int) -> Any:
    x = np.asarray(x)
    if not x.ndim:
        return x.reshape(1)[:size]
    count = (x.shape[dim] - size) // step + 1
    shape = (*x.shape[:dim], count, *x.shape[dim + 1 :], size)
    strides = (*x.strides[:dim], x.strides[dim] * step, *x.strides[dim + 1 :], x.strides[dim])
    return strided_view(x, shape, strides, (0,) * x.ndim)


def _unfold_vjp(xp: Any, g: Any, y: Any, x: Any, *, dim: int, size: int, step: int) -> Any:
    return xp.unfold_backward(g, shape=x.shape, dim=dim, size=size, step=step)


def _unfold_backward(g: Any, *, shape: Shape, dim: int, size: int, step: int) -> Any:
    out = np.zeros(shape, g.dtype)
    if not shape:
        return out + g.sum()
    windows = _unfold(out, dim=dim, size=size, step=step)
    if step >= size:  # no two windows overlap
        windows[...] = g
    else:
        for place in range(size):
            windows[..., place] += g[..., place]
    return out


UNFOLD = defop(
    "unfold",
    _unfold,
    Kind.MOVEMENT,
    vjp=(_unfold_vjp,),
    view=True,
    linear=(0,),
    formula="y_ik = x_(i step + k)",
    doc="All windows of `size` elements along one axis, `step` apart; the window is the new last axis.",
)
UNFOLD_BACKWARD = defop(
    "unfold_backward",
    _unfold_backward,
    Kind.MOVEMENT,
    vjp=(lambda xp, g, y, x, *, shape, dim, size, step: xp.unfold(g, dim=dim, size=size, step=step),),
    linear=(0,),
    formula="y_(i step + k) += x_ik",
    doc="Windows added up where they came from.",
)

# --- arbitrary strides; all in elements, `offset` from the first element of the input ---


def storage_of(x: Any) -> tuple[Any, int]:
    """The whole memory that an array is a view of, as a flat array, and the place of the array's first element."""
    if isinstance(x, Traced):
        if getattr(x, "_base", None) is not None:
            raise TraceError(
                "as_strided() of a view cannot be part of a compiled program, where only the view's own elements are "
                "known. Take it of the view's base."
            )
        return np.broadcast_to(x.dtype.type(0), (x.size,)), 0
    root = x
    while isinstance(root.base, np.ndarray) and root.base.dtype == x.dtype:
        root = root.base
    flat = root.reshape(-1, order="A") if root.flags.forc else root.view().reshape(-1)
    address = x.__array_interface__["data"][0] - flat.__array_interface__["data"][0]
    return flat, address // x.itemsize


def _as_strided(x: Any, *, size: Shape, stride: Shape, offset: int, strides: Shape) -> Any:
    x = np.asarray(x)
    if tuple([s // x.itemsize for s in x.strides]) != strides:
        raise RuntimeError(
            f"as_strided() was recorded on memory with the strides {strides} and cannot be taken again on another "
            "layout. Take it of a contiguous() tensor."
        )
    flat, first = storage_of(x)
    return as_strided(flat[first + offset :], size, [s * x.itemsize for s in stride])


def _places(shape: Shape, strides: Shape, offset: int) -> Any:
    places: Any = offset
    for axis, (length, stride) in enumerate(zip(shape, strides, strict=True)):
        places = places + (np.arange(length) * stride).reshape((-1,) + (1,) * (len(shape) - axis - 1))
    return np.broadcast_to(places, shape)


def _restride(x: Any, *, source: tuple[Shape, int], target: tuple[Shape, Shape, int]) -> Any:
    written, read = _places(x.shape, *source), _places(*target)
    if not written.size or not read.size:
        return np.zeros(target[0], x.dtype)
    low = min(written.min(), read.min())
    memory = np.zeros(max(written.max(), read.max()) - low + 1, x.dtype)
    add_flat(memory, written - low, x)
    return memory[read - low]


def _restride_vjp(
    xp: Any, g: Any, y: Any, x: Any, *, source: tuple[Shape, int], target: tuple[Shape, Shape, int]
) -> Any:
    strides, offset = source
    return xp.restride(g, source=target[1:], target=(x.shape, strides, offset))


AS_STRIDED = defop(
    "as_strided",
    _as_strided,
    Kind.MOVEMENT,
    batch=lambda xp, x, **_: NotImplemented,
    vjp=(
        lambda xp, g, y, x, *, size, stride, offset, strides: xp.restride(
            g, source=(stride, offset), target=(x.shape, strides, 0)
        ),
    ),
    view=True,
    linear=(0,),
    jvp=lambda xp, ts, y, x, *, size, stride, offset, strides: xp.restride(
        ts[0], source=(strides, 0), target=(size, stride, offset)
    ),
    formula="y_ij = memory[offset + i s_0 + j s_1]",
    doc="The memory behind the input (whose own strides are `strides`) seen with other sizes and strides.",
)
RESTRIDE = defop(
    "restride",
    _restride,
    Kind.MOVEMENT,
    batch=lambda xp, x, **_: NotImplemented,
    vjp=(_restride_vjp,),
    linear=(0,),
    formula="memory += x; y = memory with other strides",
    doc="The input added into zeroed memory with one layout, then read with another.",
)

# --- padding: `pads` is a pair (before, after) for each axis, in wrapping modes for each of the last axes ---

Pads = tuple[tuple[int, int], ...]


def _constant_pad(x: Any, *, pads: Pads, value: Any) -> Any:
    shape = tuple([size + before + after for size, (before, after) in zip(x.shape, pads, strict=True)])
    out = np.full(shape, value, x.dtype) if value else np.zeros(shape, x.dtype)
    inside, kept = [], []
    for size, length, (before, after) in zip(x.shape, shape, pads, strict=True):
        inside.append(slice(max(before, 0), length - max(after, 0)))
        kept.append(slice(max(-before, 0), size - max(-after, 0)))
    out[tuple(inside)] = x[tuple(kept)]
    return out


def _constant_pad_vjp(xp: Any, g: Any, y: Any, x: Any, *, pads: Pads, value: Any) -> Any:
    return xp.constant_pad(g, pads=tuple((-before, -after) for before, after in pads), value=0.0)


CONSTANT_PAD = defop(
    "constant_pad",
    _constant_pad,
    Kind.MOVEMENT,
    batch=physical(lambda k, x, *, pads, value: _constant_pad(x, pads=(*((0, 0),) * k, *pads), value=value)),
    vjp=(_constant_pad_vjp,),
    node="ConstantPadNdBackward0",
    jvp=lambda xp, ts, y, x, *, pads, value: xp.constant_pad(ts[0], pads=pads, value=0.0),
    formula="y_i = x_(i - before), value outside",
    doc="The input with a number around it; negative pads cut away.",
)


def _sources(size: int, before: int, after: int, mode: str) -> Any:
    """The index in an axis of length ``size`` that each index of the padded axis shows."""
    places = np.arange(-before, size + after)
    if mode == "replicate":
        return places.clip(0, size - 1)
    if mode == "circular":
        return places % size
    return size - 1 - abs(size - 1 - abs(places))


def _wrapping_pad(x: Any, *, pads: Pads, mode: str) -> Any:
    y = x
    for axis, (before, after) in enumerate(pads, start=x.ndim - len(pads)):
        if before or after:
            y = y.take(_sources(y.shape[axis], before, after, mode), axis)
    return y if y is not x else x.copy()  # memory of its own: it may be written in place


def _wrapping_pad_backward(g: Any, *, shape: Shape, pads: Pads, mode: str) -> Any:
    for axis, (before, after) in enumerate(pads, start=g.ndim - len(pads)):
        if before or after:
            g = _fold(g, axis, shape[axis], before, after, mode)
    return g


def _fold(g: Any, axis: int, size: int, before: int, after: int, mode: str) -> Any:
    """Add what the padded axis shows back to where it came from: the middle in one slice, the rest part by part."""
    lead = (slice(None),) * axis
    first, last = max(-before, 0), size - max(-after, 0)
    out = np.zeros((*g.shape[:axis], size, *g.shape[axis + 1 :]), g.dtype)
    out[(*lead, slice(first, last))] = g[(*lead, slice(max(before, 0), max(before, 0) + last - first))]
    sources = _sources(size, before, after, mode)
    for place in (*range(max(before, 0)), *range(g.shape[axis] - max(after, 0), g.shape[axis])):
        out[(*lead, sources[place])] += g[(*lead, place)]
    return out


_MODE_NODES: Final = {"reflect": "ReflectionPad", "replicate": "ReplicationPad", "circular": "CircularPad"}


def _pad_node(meta: dict[str, Any]) -> str:
    return f"{_MODE_NODES[meta['mode']]}{len(meta['pads'])}DBackward0"


WRAPPING_PAD = defop(
    "wrapping_pad",
    _wrapping_pad,
    Kind.MOVEMENT,
    vjp=(lambda xp, g, y, x, *, pads, mode: xp.wrapping_pad_backward(g, shape=x.shape, pads=pads, mode=mode),),
    node=_pad_node,
    linear=(0,),
    formula="y_i = x_i mirrored, repeated or wrapped around",
    doc="The input with its own elements around it: mirrored, its edge repeated, or wrapped around.",
)
WRAPPING_PAD_BACKWARD = defop(
    "wrapping_pad_backward",
    _wrapping_pad_backward,
    Kind.MOVEMENT,
    vjp=(lambda xp, g, y, x, *, shape, pads, mode: xp.wrapping_pad(g, pads=pads, mode=mode),),
    linear=(0,),
    formula="y_j = sum of the x_i that show it",
    doc="The padding added back to the elements that it shows.",
)
