"""Operations that put several arrays together, and those that take one apart."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert._batched import physical
from wengert.ops.record import EachInput, Kind, Promote, defop
from wengert.ops.scatter import tangent_or_zeros

Shape = tuple[int, ...]


def _tangents(xp: Any, ts: Any, xs: Any) -> list[Any]:
    return [tangent_or_zeros(xp, t, x) for t, x in zip(ts, xs, strict=True)]


# --- together ---


def _cat(*xs: Any, dim: int, sizes: Shape) -> Any:
    for x in xs:
        if not x.flags.c_contiguous:  # NumPy would keep the order of the memory, PyTorch gives row-major results
            shape = x.shape
            out = np.empty((*shape[:dim], sum(sizes), *shape[dim + 1 :]), x.dtype)
            return np.concatenate(xs, dim, out=out)
    return np.concatenate(xs, dim)


def _stack(*xs: Any, dim: int) -> Any:
    shape = xs[0].shape
    one = (*shape[:dim], 1, *shape[dim:])
    return _cat(*[x.reshape(one) for x in xs], dim=dim, sizes=(1,) * len(xs))


def _cat_vjp(xp: Any, g: Any, y: Any, i: int, *xs: Any, dim: int, sizes: Shape) -> Any:
    start = sum(sizes[:i])
    return xp.slice(g, dim=dim, start=start, stop=start + sizes[i], step=1)


CAT = defop(
    "cat",
    _cat,
    Kind.MOVEMENT,
    vjp=EachInput(_cat_vjp),
    args=("tensors",),
    promote=Promote.COMMON,
    jvp=lambda xp, ts, y, *xs, dim, sizes: xp.cat(*_tangents(xp, ts, xs), dim=dim, sizes=sizes),
    formula="(a, b, ...) along one axis",
    doc="Arrays one after the other along an axis; `sizes` are their lengths there.",
)
STACK = defop(
    "stack",
    _stack,
    Kind.MOVEMENT,
    vjp=EachInput(lambda xp, g, y, i, *xs, dim: xp.select(g, dim=dim, index=i)),
    args=("tensors",),
    promote=Promote.COMMON,
    jvp=lambda xp, ts, y, *xs, dim: xp.stack(*_tangents(xp, ts, xs), dim=dim),
    formula="y_k = the k-th of (a, b, ...)",
    doc="Arrays of one shape side by side along a new axis.",
)


def _block_diag(*xs: Any, shapes: tuple[Shape, ...]) -> Any:
    return _blocks(0, *xs, shapes=shapes)


def _blocks(k: int, *xs: Any, shapes: tuple[Shape, ...]) -> Any:
    """One matrix for each place along the first ``k`` axes."""
    lead = xs[0].shape[:k]
    out = np.zeros((*lead, sum(s[0] for s in shapes), sum(s[1] for s in shapes)), xs[0].dtype)
    row = column = 0
    for x, (height, width) in zip(xs, shapes, strict=True):
        out[..., row : row + height, column : column + width] = x.reshape(*lead, height, width)
        row, column = row + height, column + width
    return out


def _block_diag_vjp(xp: Any, g: Any, y: Any, i: int, *xs: Any, shapes: tuple[Shape, ...]) -> Any:
    row, column = (sum(s[axis] for s in shapes[:i]) for axis in (0, 1))
    height, width = shapes[i]
    rows = xp.slice(g, dim=0, start=row, stop=row + height, step=1)
    return xp.reshape(xp.slice(rows, dim=1, start=column, stop=column + width, step=1), shape=xs[i].shape)


BLOCK_DIAG = defop(
    "block_diag",
    _block_diag,
    Kind.MOVEMENT,
    batch=physical(_blocks),
    vjp=EachInput(_block_diag_vjp, shape_only=lambda _: True),
    args=("tensors",),
    promote=Promote.COMMON,
    jvp=lambda xp, ts, y, *xs, shapes: xp.block_diag(*_tangents(xp, ts, xs), shapes=shapes),
    formula="diag(a, b, ...)",
    doc="Matrices of the shapes `shapes` along the diagonal of a matrix of zeros.",
)

# --- apart: several views of one array ---


def _split(x: Any, *, dim: int, sizes: Shape) -> tuple[Any, ...]:
    lead = (slice(None),) * dim
    parts = []
    start = 0
    for size in sizes:
        parts.append(x[(*lead, slice(start, start + size))])
        start += size
    return tuple(parts)


def _split_vjp(xp: Any, g: Any, y: Any, x: Any, *, dim: int, sizes: Shape) -> Any:
    return xp.cat(*g, dim=dim, sizes=sizes)


def _split_record(name: str, view: bool) -> Any:
    return defop(
        name,
        _split,
        Kind.MOVEMENT,
        vjp=(_split_vjp,),
        outputs=0,
        view=view,
        linear=(0,),
        formula="x[:s_0], x[s_0:s_0 + s_1], ...",
        doc="Consecutive parts along an axis, of the lengths `sizes`.",
    )


SPLIT = _split_record("split", True)
SPLIT_WITH_SIZES = _split_record("split_with_sizes", True)
UNSAFE_SPLIT = _split_record("unsafe_split", False)
UNSAFE_SPLIT_WITH_SIZES = _split_record("unsafe_split_with_sizes", False)


def _unbind(x: Any, *, dim: int) -> tuple[Any, ...]:
    lead = (slice(None),) * dim
    return tuple(x[(*lead, i, ...)] for i in range(x.shape[dim]))


UNBIND = defop(
    "unbind",
    _unbind,
    Kind.MOVEMENT,
    vjp=(lambda xp, g, y, x, *, dim: xp.stack(*g, dim=dim),),
    outputs=0,
    view=True,
    linear=(0,),
    formula="x[0], x[1], ...",
    doc="The parts at each index of one axis.",
)
