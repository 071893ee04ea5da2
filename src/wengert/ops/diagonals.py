"""Operations on the diagonals and triangles of the plane of two axes."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import numpy as np

from wengert.ops.movement import strided_view
from wengert.ops.record import Kind, defop

Shape = tuple[int, ...]


def diagonal_of(x: Any, *, offset: int, dim1: int, dim2: int) -> Any:
    """The diagonal of the plane of two axes as the last axis: a writable view."""
    start0, start1 = max(-offset, 0), max(offset, 0)
    length = max(min(x.shape[dim1] - start0, x.shape[dim2] - start1), 0)
    if not length:
        start0 = start1 = 0
    rest = [i for i in range(x.ndim) if i != dim1 and i != dim2]
    shape = (*[x.shape[i] for i in rest], length)
    strides = (*[x.strides[i] for i in rest], x.strides[dim1] + x.strides[dim2])
    corner = [0] * x.ndim
    corner[dim1], corner[dim2] = start0, start1
    return strided_view(x, shape, strides, corner)


def _diagonal_vjp(xp: Any, g: Any, y: Any, x: Any, *, offset: int, dim1: int, dim2: int) -> Any:
    return xp.diagonal_backward(g, shape=x.shape, offset=offset, dim1=dim1, dim2=dim2)


def _diagonal_backward(g: Any, *, shape: Shape, offset: int, dim1: int, dim2: int) -> Any:
    out = np.zeros(shape, g.dtype)
    diagonal_of(out, offset=offset, dim1=dim1, dim2=dim2)[...] = g
    return out


def _diagonal_backward_vjp(xp: Any, g: Any, y: Any, x: Any, *, shape: Shape, offset: int, dim1: int, dim2: int) -> Any:
    return xp.diagonal(g, offset=offset, dim1=dim1, dim2=dim2)


DIAGONAL = defop(
    "diagonal",
    diagonal_of,
    Kind.MOVEMENT,
    vjp=(_diagonal_vjp,),
    view=True,
    linear=(0,),
    formula="y_i = x_ii",
    doc="The diagonal of the plane of two axes, as the last axis.",
)
DIAGONAL_COPY = defop(
    "diagonal_copy",
    lambda x, *, offset, dim1, dim2: diagonal_of(x, offset=offset, dim1=dim1, dim2=dim2).copy(),
    Kind.MOVEMENT,
    vjp=(_diagonal_vjp,),
    node="DiagonalBackward0_copy",
    linear=(0,),
    formula="y_i = x_ii",
    doc="As diagonal, copied.",
)
DIAGONAL_BACKWARD = defop(
    "diagonal_backward",
    _diagonal_backward,
    Kind.MOVEMENT,
    vjp=(_diagonal_backward_vjp,),
    node="DiagonalBackwardBackward0",
    linear=(0,),
    formula="y_ii = x_i, else 0",
    doc="Zeros with the input on the diagonal of the plane of two axes.",
)


def _diag_embed(x: Any, *, offset: int, dim1: int, dim2: int) -> Any:
    size = x.shape[-1] + abs(offset)
    shape = list(x.shape[:-1])
    for dim in sorted((dim1, dim2)):
        shape.insert(dim, size)
    return _diagonal_backward(x, shape=tuple(shape), offset=offset, dim1=dim1, dim2=dim2)


DIAG_EMBED = defop(
    "diag_embed",
    _diag_embed,
    Kind.MOVEMENT,
    vjp=(lambda xp, g, y, x, *, offset, dim1, dim2: xp.diagonal(g, offset=offset, dim1=dim1, dim2=dim2),),
    linear=(0,),
    formula="y_ii = x_i, else 0",
    doc="Zeros with the last axis of the input on the diagonal of two new axes.",
)
_ROWS: Final = 64  # a triangle is copied in blocks of this many rows


def _lower(x: Any, diagonal: int) -> Any:
    """The lower triangle: of a small matrix by a mask; of a large one by blocks, whose left parts are copied whole."""
    rows, columns = x.shape[-2:]
    if rows <= _ROWS and columns <= 2 * _ROWS:
        return np.where(_mask(rows, columns, diagonal), np.ascontiguousarray(x), x.dtype.type(0))
    out = np.zeros(x.shape, x.dtype)
    for first in range(0, rows, _ROWS):
        last = min(first + _ROWS, rows)
        whole = min(max(first + diagonal + 1, 0), columns)
        end = min(max(last + diagonal, 0), columns)
        out[..., first:last, :whole] = x[..., first:last, :whole]
        mask = _mask(last - first, end - whole, first + diagonal - whole)
        np.copyto(out[..., first:last, whole:end], x[..., first:last, whole:end], where=mask)
    return out


def _upper(x: Any, diagonal: int) -> Any:
    rows, columns = x.shape[-2:]
    if rows <= _ROWS and columns <= 2 * _ROWS:
        return np.where(_mask(rows, columns, diagonal - 1), x.dtype.type(0), np.ascontiguousarray(x))
    out = np.zeros(x.shape, x.dtype)
    for first in range(0, rows, _ROWS):
        last = min(first + _ROWS, rows)
        start = min(max(first + diagonal, 0), columns)
        whole = min(max(last - 1 + diagonal, 0), columns)
        out[..., first:last, whole:] = x[..., first:last, whole:]
        mask = ~_mask(last - first, whole - start, first + diagonal - 1 - start)
        np.copyto(out[..., first:last, start:whole], x[..., first:last, start:whole], where=mask)
    return out


@lru_cache(maxsize=64)
def _mask(rows: int, columns: int, diagonal: int) -> Any:
    return np.arange(diagonal, rows + diagonal)[:, None] >= np.arange(columns)


TRIL = defop(
    "tril",
    lambda x, *, diagonal: _lower(x, diagonal),
    Kind.MOVEMENT,
    vjp=(lambda xp, g, y, x, *, diagonal: xp.tril(g, diagonal=diagonal),),
    linear=(0,),
    formula="x_ij where j <= i + diagonal, else 0",
    doc="The lower triangle of the last two axes, zero above diagonal `diagonal`.",
)
TRIU = defop(
    "triu",
    lambda x, *, diagonal: _upper(x, diagonal),
    Kind.MOVEMENT,
    vjp=(lambda xp, g, y, x, *, diagonal: xp.triu(g, diagonal=diagonal),),
    linear=(0,),
    formula="x_ij where j >= i + diagonal, else 0",
    doc="The upper triangle of the last two axes, zero below diagonal `diagonal`.",
)
