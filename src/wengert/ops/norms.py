"""Vector norms of any order, the distance of two arrays, and slices scaled down to a norm."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np

from wengert.ops.record import Kind, Promote, defop
from wengert.ops.reduce import add_reduce, add_squares, halves_in_single, keep, largest, pushed_along, smallest
from wengert.ops.sums import Dims


def _vector_norm(x: Any, *, ord: float, dim: Dims, keepdim: bool) -> Any:
    if ord == 2.0:
        return np.sqrt(add_squares(x, dim=dim, keepdim=keepdim))
    size = np.abs(x)
    if ord == inf:
        return largest(size, dim, None, None, keepdim)
    if ord == -inf:
        return smallest(size, dim, None, None, keepdim)
    if ord == 0.0:
        return add_reduce((x != 0).astype(size.dtype), dim=dim, keepdim=keepdim)
    if ord == 1.0:
        return add_reduce(size, dim=dim, keepdim=keepdim)
    return add_reduce(size**ord, dim=dim, keepdim=keepdim) ** (1.0 / ord)


def norm_rule(xp: Any, g: Any, y: Any, x: Any, ord: float, dim: Dims) -> Any:
    """Pull the cotangent of a norm back; ``g`` and ``y`` broadcast against ``x``. The gradient at zero is zero."""
    if ord == 0.0:
        return xp.zeros_like(x) * g
    if ord == 1.0:
        return xp.sgn(x) * g
    if abs(ord) == inf:
        return xp.sgn(x) * _shared(xp, g, y, xp.abs(x), dim)
    no_norm = xp.eq(y, 0.0)
    safe = xp.where(no_norm, 1.0, y)
    if ord == 2.0:
        return x * xp.where(no_norm, 0.0, g / safe)
    zero = xp.eq(x, 0.0)
    ratio = xp.where(zero, 1.0, xp.abs(x) / safe)
    return xp.where(zero, 0.0, xp.sgn(x) * (xp.pow_number(ratio, ord - 1.0) * xp.where(no_norm, 0.0, g)))


def _shared(xp: Any, g: Any, y: Any, size: Any, dim: Dims) -> Any:
    hit = xp.where(xp.isnan(y), xp.isnan(size), xp.eq(size, y))
    hits = xp.sum(xp.cast(hit, dtype=np.dtype(g.dtype)), dim=dim, keepdim=True)
    return xp.where(hit, g / hits, 0.0)


def _vector_norm_vjp(xp: Any, g: Any, y: Any, x: Any, *, ord: float, dim: Dims, keepdim: bool) -> Any:
    g, y = keep(xp, g, x.shape, dim, keepdim), keep(xp, y, x.shape, dim, keepdim)
    return norm_rule(xp, g, y, x, ord, dim)


VECTOR_NORM = defop(
    "linalg_vector_norm",
    halves_in_single(_vector_norm),
    Kind.REDUCTION,
    vjp=(_vector_norm_vjp,),
    jvp=pushed_along(_vector_norm_vjp),
    formula="(sum_i |x_i|^ord)^(1/ord)",
    doc="Vector norm over the given axes.",
)


def _dist(a: Any, b: Any, *, p: float) -> Any:
    return VECTOR_NORM.impl(a - b, ord=p, dim=None, keepdim=False)


def _dist_vjp(xp: Any, g: Any, y: Any, a: Any, b: Any, *, p: float) -> Any:
    return norm_rule(xp, g, y, a - b, p, None)


def _dist_jvp(xp: Any, ts: Any, y: Any, a: Any, b: Any, *, p: float) -> Any:
    ta, tb = ts
    t = -tb if ta is None else ta if tb is None else ta - tb
    pushed = xp.sum(xp.conj(norm_rule(xp, xp.ones_like(y), y, a - b, p, None)) * t, dim=None, keepdim=False)
    return xp.real(pushed) if pushed.dtype.kind == "c" else pushed


DIST = defop(
    "dist",
    _dist,
    Kind.REDUCTION,
    batch=lambda xp, a, b, *, p: xp.linalg_vector_norm(a - b, ord=p, dim=None, keepdim=False),
    vjp=(_dist_vjp, lambda xp, g, y, a, b, *, p: -_dist_vjp(xp, g, y, a, b, p=p)),
    jvp=_dist_jvp,
    args=("self", "other"),
    promote=Promote.COMMON,
    formula="norm(a - b, p)",
    doc="The norm of the difference of two arrays.",
)

_MARGIN = 1e-7  # PyTorch adds it to the norm, so that the result does not exceed maxnorm


def _other_axes(ndim: int, dim: int) -> tuple[int, ...]:
    return tuple([axis for axis in range(ndim) if axis != dim])


def _renorm(x: Any, *, p: float, dim: int, maxnorm: float) -> Any:
    others = _other_axes(x.ndim, dim)
    norm = VECTOR_NORM.impl(x, ord=p, dim=others, keepdim=True)
    return x * np.where(norm > maxnorm, maxnorm / (norm + _MARGIN), norm.dtype.type(1))


def _real_dot(xp: Any, a: Any, b: Any, dim: Dims) -> Any:
    total = xp.sum(a * xp.conj(b), dim=dim, keepdim=True)
    return xp.real(total) if total.dtype.kind == "c" else total


def _renorm_vjp(xp: Any, g: Any, y: Any, x: Any, *, p: float, dim: int, maxnorm: float) -> Any:
    others = _other_axes(x.ndim, dim)
    norm = xp.linalg_vector_norm(x, ord=p, dim=others, keepdim=True)
    scale = maxnorm / (norm + _MARGIN)
    shrinking = _real_dot(xp, g, x, others) * (scale / (norm + _MARGIN))
    return xp.where(xp.gt(norm, maxnorm), g * scale - norm_rule(xp, shrinking, norm, x, p, others), g)


def _renorm_jvp(xp: Any, ts: Any, y: Any, x: Any, *, p: float, dim: int, maxnorm: float) -> Any:
    t = ts[0]
    others = _other_axes(x.ndim, dim)
    norm = xp.linalg_vector_norm(x, ord=p, dim=others, keepdim=True)
    scale = maxnorm / (norm + _MARGIN)
    longer = _real_dot(xp, t, norm_rule(xp, xp.ones_like(norm), norm, x, p, others), others)
    return xp.where(xp.gt(norm, maxnorm), t * scale - x * (longer * (scale / (norm + _MARGIN))), t)


def _renorm_batch(xp: Any, x: Any, *, p: float, dim: int, maxnorm: float) -> Any:
    norm = xp.linalg_vector_norm(x, ord=p, dim=_other_axes(x.ndim, dim), keepdim=True)
    return x * xp.where(xp.gt(norm, maxnorm), maxnorm / (norm + _MARGIN), 1.0)


RENORM = defop(
    "renorm",
    halves_in_single(_renorm),
    Kind.OTHER,
    batch=_renorm_batch,
    vjp=(_renorm_vjp,),
    jvp=_renorm_jvp,
    formula="x min(1, maxnorm / norm(x, p))",
    doc="Each slice along one axis scaled down to the norm `maxnorm` where its norm is larger.",
)
