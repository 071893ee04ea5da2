"""Trace, Kronecker and cross products, the inverse, and distances between the rows of two matrices."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from wengert._batched import Batched, aligned, merged, packed, spread
from wengert.ops.norms import VECTOR_NORM
from wengert.ops.products import adjoint, dot, stacked
from wengert.ops.record import Kind, Promote, defop

Shape = tuple[int, ...]


def _both(a: Any, b: Any) -> tuple[Any, Any, Any]:
    """The batch axes of two values, and their arrays with those and equally many others."""
    axes = merged([v.axes for v in (a, b) if v.__class__ is Batched])
    ndim = max(a.ndim, b.ndim)
    first, second = [aligned(packed(spread(v, axes), axes), axes, ndim) for v in (a, b)]
    return axes, first, second


# --- trace ---


def _spread_trace(g: Any, *, shape: Shape) -> Any:
    out = np.zeros(shape, g.dtype)
    np.fill_diagonal(out[: shape[1]], g)  # a tall matrix's diagonal would start again below the square
    return out


TRACE = defop(
    "trace",
    lambda x: np.trace(x, dtype=x.dtype if x.dtype.kind in "fc" else np.int64),
    Kind.REDUCTION,
    batch=lambda xp, x: xp.sum(xp.diagonal(x, offset=0, dim1=0, dim2=1), dim=(0,), keepdim=False),
    vjp=(lambda xp, g, y, x: xp.spread_trace(g, shape=x.shape),),
    linear=(0,),
    formula="sum_i x_ii",
    doc="Sum of the diagonal of a matrix.",
)


SPREAD_TRACE = defop(
    "spread_trace",
    _spread_trace,
    Kind.MOVEMENT,
    batch=lambda xp, g, *, shape: xp.diagonal_backward(
        xp.expand(xp.unsqueeze(g, dim=0), shape=(min(shape),)), shape=shape, offset=0, dim1=0, dim2=1
    ),
    vjp=(lambda xp, g, y, x, *, shape: xp.trace(g),),
    linear=(0,),
    formula="y_ii = x, else 0",
    doc="A matrix of zeros with one number all along its diagonal.",
)

# --- Kronecker product ---


def interleaved(a: Shape, b: Shape) -> tuple[Shape, Shape, Shape]:
    """Give the shapes in which two arrays multiply to a Kronecker product, and the product's shape."""
    n = max(len(a), len(b))
    a, b = (1,) * (n - len(a)) + a, (1,) * (n - len(b)) + b
    apart_a = tuple(size for s in a for size in (s, 1))
    apart_b = tuple(size for s in b for size in (1, s))
    return apart_a, apart_b, tuple(i * j for i, j in zip(a, b, strict=True))


def _kron(a: Any, b: Any) -> Any:
    apart_a, apart_b, shape = interleaved(a.shape, b.shape)
    return (a.reshape(apart_a) * b.reshape(apart_b)).reshape(shape)


def _kron_blocks(xp: Any, g: Any, a: Shape, b: Shape) -> Any:
    apart_a, apart_b, _ = interleaved(a, b)
    return xp.reshape(g, shape=tuple(i * j for i, j in zip(apart_a, apart_b, strict=True)))


def _kron_vjp_a(xp: Any, g: Any, y: Any, a: Any, b: Any) -> Any:
    apart_a, apart_b, _ = interleaved(a.shape, b.shape)
    blocks = _kron_blocks(xp, g, a.shape, b.shape) * xp.conj(xp.reshape(b, shape=apart_b))
    return xp.reshape(xp.sum(blocks, dim=tuple(range(1, len(apart_a), 2)), keepdim=False), shape=a.shape)


def _kron_vjp_b(xp: Any, g: Any, y: Any, a: Any, b: Any) -> Any:
    apart_a, _, _ = interleaved(a.shape, b.shape)
    blocks = _kron_blocks(xp, g, a.shape, b.shape) * xp.conj(xp.reshape(a, shape=apart_a))
    return xp.reshape(xp.sum(blocks, dim=tuple(range(0, len(apart_a), 2)), keepdim=False), shape=b.shape)


def _kron_batch(xp: Any, a: Any, b: Any) -> Any:
    ndim = max(a.ndim, b.ndim)
    one, two = [(*(1,) * (ndim - v.ndim), *v.shape) for v in (a, b)]
    left = xp.reshape(a, shape=tuple([size for n in one for size in (n, 1)]))
    right = xp.reshape(b, shape=tuple([size for n in two for size in (1, n)]))
    return xp.reshape(left * right, shape=tuple([n * m for n, m in zip(one, two, strict=True)]))


KRON = defop(
    "kron",
    _kron,
    Kind.PRODUCT,
    batch=_kron_batch,
    vjp=(_kron_vjp_a, _kron_vjp_b),
    args=("self", "other"),
    promote=Promote.COMMON,
    node="UnsafeViewBackward0",
    linear=(0, 1),
    formula="a_ij b_kl at (i K + k, j L + l)",
    doc="Kronecker product: each element of the first times the whole second.",
)

# --- cross product ---


def _cross(a: Any, b: Any, *, dim: int) -> Any:
    a, b = np.broadcast_arrays(a, b)
    a0, a1, a2 = np.moveaxis(a, dim, 0)
    b0, b1, b2 = np.moveaxis(b, dim, 0)
    out = np.empty(a.shape, a.dtype)
    o = np.moveaxis(out, dim, 0)
    o[0] = a1 * b2 - a2 * b1
    o[1] = a2 * b0 - a0 * b2
    o[2] = a0 * b1 - a1 * b0
    return out


def _cross_batch(xp: Any, a: Any, b: Any, *, dim: int) -> Any:
    axes, first, second = _both(a, b)
    return packed(xp.cross(first, second, dim=len(axes) + dim), axes)


CROSS = defop(
    "cross",
    _cross,
    Kind.PRODUCT,
    batch=_cross_batch,
    vjp=(
        lambda xp, g, y, a, b, *, dim: xp.cross(xp.conj(b), g, dim=dim),
        lambda xp, g, y, a, b, *, dim: xp.cross(g, xp.conj(a), dim=dim),
    ),
    args=("self", "other"),
    promote=Promote.COMMON,
    node="LinalgCrossBackward0",
    linear=(0, 1),
    formula="(a1 b2 - a2 b1, a2 b0 - a0 b2, a0 b1 - a1 b0)",
    doc="Cross product of vectors of three along one axis; the other axes broadcast.",
)

# --- inverse ---

INV = defop(
    "inv",
    np.linalg.inv,
    Kind.OTHER,
    batch="...",
    vjp=(lambda xp, g, y, x: -xp.matmul(xp.matmul(adjoint(xp, y), g), adjoint(xp, y)),),
    args=("A",),
    node="LinalgInvExBackward0",
    jvp=lambda xp, ts, y, x: -xp.matmul(xp.matmul(y, ts[0]), y),
    formula="x^-1",
    doc="Inverse of square matrices.",
)

# --- distances between rows ---

ROW_NORM = defop(
    "row_norm",
    VECTOR_NORM.impl,
    Kind.REDUCTION,
    vjp=VECTOR_NORM.vjp,
    node="NormBackward1",
    jvp=VECTOR_NORM.jvp,
    formula="(sum_i |x_i|^ord)^(1/ord)",
    doc="Vector norm over given axes, under the name that PyTorch's distances record it.",
)

_P: Final = (0.0, 1.0, 2.0, float("inf"))


def _by_products(a: Any, b: Any) -> Any:
    """Euclidean distances by |a|^2 + |b|^2 - 2 a b: one matrix product, but it loses digits for close rows."""
    square = np.einsum("...i,...i->...", a, a)[..., :, None] + np.einsum("...i,...i->...", b, b)[..., None, :]
    b = b.swapaxes(-1, -2)
    square -= 2 * (dot(a, b) if a.ndim == b.ndim == 2 else stacked(a, b))
    return np.sqrt(np.maximum(square, 0))


def _cdist(a: Any, b: Any, *, p: float, products: bool) -> Any:
    if products:
        return _by_products(a, b)
    d = np.abs(a[..., :, None, :] - b[..., None, :, :])
    if p == 2:
        return np.sqrt(np.einsum("...i,...i->...", d, d))
    if p == 0:
        return np.add.reduce(d != 0, axis=-1, dtype=d.dtype)
    if p == 1:
        return np.add.reduce(d, axis=-1)
    if p == _P[3]:
        return np.maximum.reduce(d, axis=-1, initial=0)
    return np.add.reduce(d**p, axis=-1) ** (1 / p)


def _cdist_slope(xp: Any, y: Any, a: Any, b: Any, p: float) -> Any:
    """Give the derivative of each distance by each coordinate of ``a``; zero where two rows are equal."""
    d = xp.unsqueeze(a, dim=a.ndim - 1) - xp.unsqueeze(b, dim=b.ndim - 2)
    if p == 0:
        return xp.zeros_like(d)
    if p == 1:
        return xp.sign(d)
    y = xp.unsqueeze(y, dim=y.ndim)
    if p == _P[3]:
        return xp.zero_where(xp.sign(d), xp.abs(d) != y)
    safe = xp.where(y == 0, 1.0, y)
    ratio = xp.zero_where(d, y == 0) / safe
    if p == 2:
        return ratio
    size = xp.where(ratio == 0, 1.0, xp.abs(ratio))
    return xp.sign(ratio) * xp.pow_number(size, p - 1)


def _cdist_vjp_a(xp: Any, g: Any, y: Any, a: Any, b: Any, *, p: float, products: bool) -> Any:
    if products:
        pull = xp.zero_where(g, y == 0) / xp.where(y == 0, 1.0, y)
        return xp.sum(pull, dim=(pull.ndim - 1,), keepdim=True) * a - xp.matmul(pull, b)
    slope = _cdist_slope(xp, y, a, b, p)
    return xp.sum(xp.unsqueeze(g, dim=g.ndim) * slope, dim=(g.ndim - 1,), keepdim=False)


def _cdist_vjp_b(xp: Any, g: Any, y: Any, a: Any, b: Any, *, p: float, products: bool) -> Any:
    if products:
        pull = xp.zero_where(g, y == 0) / xp.where(y == 0, 1.0, y)
        rows = xp.sum(pull, dim=(pull.ndim - 2,), keepdim=False)
        return xp.unsqueeze(rows, dim=rows.ndim) * b - xp.matmul(adjoint(xp, pull), a)
    slope = _cdist_slope(xp, y, a, b, p)
    return -xp.sum(xp.unsqueeze(g, dim=g.ndim) * slope, dim=(g.ndim - 2,), keepdim=False)


def _cdist_jvp(xp: Any, ts: Any, y: Any, a: Any, b: Any, *, p: float, products: bool) -> Any:
    slope = _cdist_slope(xp, y, a, b, p)
    parts = [] if ts[0] is None else [slope * xp.unsqueeze(ts[0], dim=a.ndim - 1)]
    parts += [] if ts[1] is None else [-slope * xp.unsqueeze(ts[1], dim=b.ndim - 2)]
    return xp.sum(sum(parts[1:], parts[0]), dim=(y.ndim,), keepdim=False)


def _cdist_batch(xp: Any, a: Any, b: Any, **meta: Any) -> Any:
    axes, first, second = _both(a, b)
    return packed(_cdist(first, second, **meta), axes)


CDIST = defop(
    "cdist",
    _cdist,
    Kind.OTHER,
    batch=_cdist_batch,
    vjp=(_cdist_vjp_a, _cdist_vjp_b),
    args=("x1", "x2"),
    node=lambda meta: "ViewBackward0" if meta["products"] else "CdistBackward0",
    jvp=_cdist_jvp,
    formula="(sum_k |a_ik - b_jk|^p)^(1/p)",
    doc="Distance between each row of one matrix and each row of another.",
)
