"""Operations that rearrange the elements of one array: views, copies in another order, triangles.

A view operation returns a NumPy view whenever NumPy can give one, so that writing into the result writes into the
input. Shapes and axes come in checked and non-negative: the function layer does that.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, Final

import numpy as np
from numpy.lib.stride_tricks import as_strided

from wengert._batched import Batched, aligned, physical
from wengert.ops.record import Kind, defop
from wengert.spaces.raw import computed

Shape = tuple[int, ...]

_LARGE: Final = 1 << 16
_TILE: Final = 256
_ALL: Final = slice(None)
_BACKWARDS: Final = slice(None, None, -1)

# --- the same elements in another shape ---


def _reshape(x: Any, *, shape: Shape) -> Any:
    return x.reshape(shape)


def _reshape_vjp(xp: Any, g: Any, y: Any, x: Any, *, shape: Shape) -> Any:
    return xp.reshape(g, shape=x.shape)


RESHAPE = defop(
    "reshape",
    _reshape,
    Kind.MOVEMENT,
    vjp=(_reshape_vjp,),
    node="ViewBackward0",
    view=True,
    linear=(0,),
    formula="y_k = x_k, counted row by row",
    doc="The same elements in another shape, without a copy where the memory layout allows it.",
)
VIEW = defop(
    "view",
    _reshape,
    Kind.MOVEMENT,
    vjp=(_reshape_vjp,),
    view=True,
    linear=(0,),
    formula="y_k = x_k, counted row by row",
    doc="The same memory in another shape.",
)
RESHAPE_ALIAS = defop(
    "reshape_alias",
    _reshape,
    Kind.MOVEMENT,
    vjp=(_reshape_vjp,),
    view=True,
    linear=(0,),
    formula="y_k = x_k, counted row by row",
    doc="Another shape of memory with gaps or in another order, where that needs no copy.",
)
UNSAFE_VIEW = defop(
    "unsafe_view",
    _reshape,
    Kind.MOVEMENT,
    vjp=(_reshape_vjp,),
    linear=(0,),
    formula="y_k = x_k, counted row by row",
    doc="Another shape of a fresh copy that nobody else holds.",
)


def _view_dtype(x: Any, *, dtype: Any) -> Any:
    return x.view(dtype)


VIEW_DTYPE = defop(
    "view_dtype",
    _view_dtype,
    Kind.OTHER,
    batch=lambda xp, x, *, dtype: NotImplemented,
    vjp=(None,),
    node="ViewBackward1",
    view=True,
    doc="The same memory read as another dtype.",
)


def _alias(x: Any) -> Any:
    return x.view() if isinstance(x, np.ndarray) else x


ALIAS = defop(
    "alias",
    _alias,
    Kind.MOVEMENT,
    vjp=(lambda xp, g, y, x: g,),
    view=True,
    linear=(0,),
    formula="x",
    doc="A view of the whole input.",
)


def _cast(x: Any, *, dtype: Any) -> Any:
    kind, target = x.dtype.kind, np.dtype(dtype).kind
    if kind == "c" and target not in "cb":
        x, kind = x.real, "f"
    if kind == "f" and target in "iu":  # NaN and out-of-range values have no integer; PyTorch does not warn
        with np.errstate(invalid="ignore"):
            return x.astype(dtype)
    return x.astype(dtype)


CAST = defop(
    "cast",
    _cast,
    Kind.ELEMENTWISE,
    vjp=(lambda xp, g, y, x, *, dtype: g,),
    node="ToCopyBackward0",
    linear=(0,),
    formula="x",
    doc="The same values in another dtype.",
)


def _clone(x: Any) -> Any:
    return x.copy("K") if isinstance(x, np.ndarray) else x


def _contiguous(x: Any) -> Any:
    if not isinstance(x, np.ndarray):
        return x
    if x.ndim == 2 and x.size >= _LARGE and x.flags.f_contiguous:
        return _turned_by_tiles(x)
    return x.copy("C")


def _channels_last(x: Any, axis: int = 1) -> Any:
    if not isinstance(x, np.ndarray):
        return x
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(x, axis, -1)), -1, axis)


def _turned_by_tiles(x: Any) -> Any:
    """The row-major copy of a column-major matrix; in tiles that stay in the cache it takes half of the time."""
    out = np.empty(x.shape, x.dtype)
    rows, columns = x.shape
    for i in range(0, rows, _TILE):
        for j in range(0, columns, _TILE):
            out[i : i + _TILE, j : j + _TILE] = x[i : i + _TILE, j : j + _TILE]
    return out


CLONE = defop(
    "clone",
    _clone,
    Kind.ELEMENTWISE,
    vjp=(lambda xp, g, y, x: g,),
    linear=(0,),
    formula="x",
    doc="A copy with the same memory layout.",
)
CONTIGUOUS = defop(
    "contiguous",
    _contiguous,
    Kind.ELEMENTWISE,
    vjp=(lambda xp, g, y, x: g,),
    node="CloneBackward0",
    linear=(0,),
    formula="x",
    doc="A copy in row-major memory order.",
)
CHANNELS_LAST = defop(
    "channels_last",
    _channels_last,
    Kind.OTHER,
    batch=physical(lambda k, x: _channels_last(x, 1 + k)),
    vjp=(lambda xp, g, y, x: g,),
    node="CloneBackward0",
    linear=(0,),
    formula="x",
    doc="A copy whose second axis, that of channels, varies fastest in memory.",
)

# --- other steps through the same memory ---


def strided_view(x: Any, shape: Shape, strides: Shape, corner: Sequence[int]) -> Any:
    """The memory of an array with other sizes and steps (in bytes), from the element at ``corner`` on: a writable view.

    The constructor takes a tenth of the time of NumPy's ``as_strided``, but wants memory without gaps.
    """
    if x.flags.forc and x.size:
        offset = sum([place * stride for place, stride in zip(corner, x.strides, strict=True)])
        return np.ndarray(shape, x.dtype, x, offset, strides)
    return as_strided(x[tuple([slice(place, None) for place in corner])], shape, strides)


# --- size-one axes ---


def _expand(x: Any, *, shape: Shape) -> Any:
    # Without repetition the view is a reshape, which stays writable. Else strides of 0, as np.broadcast_to makes them,
    # but by the constructor, which takes a fifth of its time; the cotangent of every sum and mean comes through here.
    if prod(shape) == x.size:
        return x.reshape(shape)
    if isinstance(x, np.generic):  # its memory is read-only, and so is what is made of it
        return np.ndarray(shape, x.dtype, x, 0, (0,) * len(shape))
    if x.ndim == 0:
        return _repeated(x, shape, (0,) * len(shape))
    lead = len(shape) - x.ndim
    if (
        not x.flags.c_contiguous
        or lead < 0
        or any([n not in (1, m) for n, m in zip(x.shape, shape[lead:], strict=True)])
    ):
        return np.broadcast_to(x, shape)
    kept = [0 if n == 1 else stride for n, stride in zip(x.shape, x.strides, strict=True)]
    return _repeated(x, shape, ((0,) * lead + tuple(kept)))


def _repeated(x: Any, shape: Shape, strides: Shape) -> Any:
    y: Any = np.ndarray(shape, x.dtype, x, 0, strides)
    y.setflags(False)
    return y


def _expand_vjp(xp: Any, g: Any, y: Any, x: Any, *, shape: Shape) -> Any:
    lead = len(shape) - x.ndim
    kept = x.shape
    repeated = tuple(i for i, size in enumerate(kept) if size == 1 and shape[lead + i] != 1)
    if lead:
        g = xp.sum(g, dim=tuple(range(lead)), keepdim=False)
    return xp.sum(g, dim=repeated, keepdim=True) if repeated else g


def _expand_batch(xp: Any, x: Any, *, shape: Shape) -> Any:
    lead = tuple([axis.size for axis in x.axes])
    return Batched(computed(EXPAND, (aligned(x, x.axes, len(shape)),), {"shape": (*lead, *shape)}), x.axes)


EXPAND = defop(
    "expand",
    _expand,
    Kind.MOVEMENT,
    batch=_expand_batch,
    vjp=(_expand_vjp,),
    view=True,
    linear=(0,),
    formula="y_ij = x_j",
    doc="Size-one and new leading axes repeated without a copy.",
)


def _unsqueeze(x: Any, *, dim: int) -> Any:
    shape = x.shape
    return x.reshape((*shape[:dim], 1, *shape[dim:]))  # unlike x[None], this gives the new axis PyTorch's stride


UNSQUEEZE = defop(
    "unsqueeze",
    _unsqueeze,
    Kind.MOVEMENT,
    vjp=(lambda xp, g, y, x, *, dim: xp.squeeze(g, dims=(dim,)),),
    view=True,
    linear=(0,),
    formula="y_i0 = x_i",
    doc="A new axis of size one.",
)


def _squeeze(x: Any, *, dims: Shape) -> Any:
    key: list[Any] = [slice(None)] * x.ndim
    for dim in dims:
        if x.shape[dim] == 1:
            key[dim] = 0
    return x[(*key, ...)]


def _squeeze_vjp(xp: Any, g: Any, y: Any, x: Any, *, dims: Shape) -> Any:
    return xp.reshape(g, shape=x.shape)


def _squeeze_record(name: str, node: str) -> Any:
    return defop(
        name,
        _squeeze,
        Kind.MOVEMENT,
        vjp=(_squeeze_vjp,),
        node=node,
        view=True,
        linear=(0,),
        formula="y_i = x_i0",
        doc="Without those of the named axes that have size one.",
    )


SQUEEZE_ALL = _squeeze_record("squeeze_all", "SqueezeBackward0")
SQUEEZE_DIM = _squeeze_record("squeeze_dim", "SqueezeBackward1")
SQUEEZE = _squeeze_record("squeeze", "SqueezeBackward2")

# --- the axes in another order ---


def _permute_vjp(xp: Any, g: Any, y: Any, x: Any, *, dims: Shape) -> Any:
    inverse = [0] * len(dims)
    for position, dim in enumerate(dims):
        inverse[dim] = position
    return xp.permute(g, dims=tuple(inverse))


PERMUTE = defop(
    "permute",
    lambda x, *, dims: x.transpose(dims),
    Kind.MOVEMENT,
    batch=physical(lambda k, x, *, dims: x.transpose(*range(k), *[k + dim for dim in dims])),
    vjp=(_permute_vjp,),
    view=True,
    linear=(0,),
    formula="y_ij = x_ji",
    doc="The axes in the order `dims`.",
)
TRANSPOSE = defop(
    "transpose",
    lambda x, *, dim0, dim1: x.swapaxes(dim0, dim1) if x.ndim else x,
    Kind.MOVEMENT,
    vjp=(lambda xp, g, y, x, *, dim0, dim1: xp.transpose(g, dim0=dim0, dim1=dim1),),
    view=True,
    linear=(0,),
    formula="y_ij = x_ji",
    doc="Two axes exchanged.",
)


def _t_batch(xp: Any, x: Any) -> Any:
    return Batched(x.array.swapaxes(-1, -2), x.axes) if x.ndim == 2 else x


T = defop(
    "t",
    lambda x: x.T,
    Kind.MOVEMENT,
    batch=_t_batch,
    vjp=(lambda xp, g, y, x: xp.t(g),),
    node="TBackward0",
    view=True,
    linear=(0,),
    formula="x^T",
    doc="A matrix with rows and columns exchanged.",
)

# --- the elements in another order, copied ---


def _flip(x: Any, *, dims: Shape) -> Any:
    return x[tuple([_BACKWARDS if axis in dims else _ALL for axis in range(x.ndim)])].copy("K")


FLIP = defop(
    "flip",
    _flip,
    Kind.MOVEMENT,
    vjp=(lambda xp, g, y, x, *, dims: xp.flip(g, dims=dims),),
    linear=(0,),
    formula="y_i = x_(n-1-i)",
    doc="The elements in reverse order along the named axes.",
)


def _roll(x: Any, *, shifts: Shape, dims: Shape | None) -> Any:
    if dims is None:
        return _roll(x.reshape(-1), shifts=shifts, dims=(0,)).reshape(x.shape)
    for shift, dim in zip(shifts, dims, strict=True):
        cut = -shift % x.shape[dim] if x.shape[dim] else 0
        if cut:
            lead = (slice(None),) * dim
            x = np.concatenate((x[(*lead, slice(cut, None))], x[(*lead, slice(0, cut))]), dim)
    return x.copy()


def _roll_vjp(xp: Any, g: Any, y: Any, x: Any, *, shifts: Shape, dims: Shape | None) -> Any:
    return xp.roll(g, shifts=tuple(-shift for shift in shifts), dims=dims)


def _roll_batch(k: int, x: Any, *, shifts: Shape, dims: Shape | None) -> Any:
    if dims is None:
        return _roll(x.reshape((*x.shape[:k], -1)), shifts=shifts, dims=(k,)).reshape(x.shape)
    return _roll(x, shifts=shifts, dims=tuple([k + dim for dim in dims]))


ROLL = defop(
    "roll",
    _roll,
    Kind.MOVEMENT,
    batch=physical(_roll_batch),
    vjp=(_roll_vjp,),
    linear=(0,),
    formula="y_i = x_((i - shift) mod n)",
    doc="The elements moved along the named axes; those that fall off the end come in at the start.",
)
ROT90 = defop(
    "rot90",
    lambda x, *, k, dims: np.rot90(x, k, dims).copy("K"),
    Kind.MOVEMENT,
    vjp=(lambda xp, g, y, x, *, k, dims: xp.rot90(g, k=-k, dims=dims),),
    node="Rot90Backward0",
    linear=(0,),
    formula="y_ij = x_(j, n-1-i), k times",
    doc="Turned by k quarter turns in the plane of two axes.",
)


def _repeat(x: Any, *, repeats: Shape) -> Any:
    return np.tile(x, repeats)


def _repeat_vjp(xp: Any, g: Any, y: Any, x: Any, *, repeats: Shape) -> Any:
    lead = len(repeats) - x.ndim
    padded = (1,) * lead + x.shape
    interleaved = tuple(size for pair in zip(repeats, padded, strict=True) for size in pair)
    summed = xp.sum(xp.reshape(g, shape=interleaved), dim=tuple(range(0, 2 * len(repeats), 2)), keepdim=False)
    return xp.reshape(summed, shape=x.shape)


def _repeat_batch(space: Any, x: Any, *, repeats: Shape) -> Any:
    return Batched(np.tile(aligned(x, x.axes, len(repeats)), (*(1,) * len(x.axes), *repeats)), x.axes)


REPEAT = defop(
    "repeat",
    _repeat,
    Kind.MOVEMENT,
    batch=_repeat_batch,
    vjp=(_repeat_vjp,),
    linear=(0,),
    formula="y_i = x_(i mod n)",
    doc="The whole array repeated along each axis.",
)

# --- another's values ---


def _copy_batch(xp: Any, x: Any, src: Any) -> Any:
    return xp.fill_with(x, src)


COPY = defop(
    "copy",
    lambda x, src: np.broadcast_to(src, x.shape).astype(x.dtype) if x.shape else src.astype(x.dtype).reshape(()),
    Kind.OTHER,
    batch=_copy_batch,
    vjp=(lambda xp, g, y, x, src: xp.zeros_like(g), lambda xp, g, y, x, src: g),
    args=("self", "src"),
    node="CopyBackwards",
    jvp=lambda xp, ts, y, x, src: xp.zeros_like(y) if ts[1] is None else xp.expand(ts[1], shape=y.shape),
    formula="src",
    doc="The values of `src` in the place of the input's.",
)
