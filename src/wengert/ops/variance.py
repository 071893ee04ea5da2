"""Variance and standard deviation, alone and together with the mean."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.ops.record import Kind, defop
from wengert.ops.reduce import add_reduce, add_squares, count, halves_in_single, keep, pushed_along
from wengert.ops.sums import Dims, Shape


def _moments(x: Any, dim: Dims, correction: float) -> tuple[Any, Any]:
    """Variance and mean, both with the reduced axes kept."""
    n = count(x.shape, dim)
    mean = add_reduce(x, dim=dim, keepdim=True) / float(n or "nan")
    center = x - mean
    total = add_squares(center, dim=dim, keepdim=True)
    free = max(float(n - correction), 0.0)
    return np.divide(total, total.dtype.type(free)), mean  # NumPy's division: by zero it gives nan or inf


def _dropped(value: Any, shape: Shape, dim: Dims, keepdim: bool) -> Any:
    if keepdim:
        return value
    return value.reshape(() if dim is None else tuple([n for axis, n in enumerate(shape) if axis not in dim]))[()]


def _var(x: Any, *, dim: Dims, correction: float, keepdim: bool) -> Any:
    return _dropped(_moments(x, dim, correction)[0], x.shape, dim, keepdim)


def _std(x: Any, *, dim: Dims, correction: float, keepdim: bool) -> Any:
    return np.sqrt(_var(x, dim=dim, correction=correction, keepdim=keepdim))


def _var_mean(x: Any, *, dim: Dims, correction: float, keepdim: bool) -> tuple[Any, Any]:
    var, mean = _moments(x, dim, correction)
    return _dropped(var, x.shape, dim, keepdim), _dropped(mean, x.shape, dim, keepdim)


def _std_mean(x: Any, *, dim: Dims, correction: float, keepdim: bool) -> tuple[Any, Any]:
    var, mean = _var_mean(x, dim=dim, correction=correction, keepdim=keepdim)
    return np.sqrt(var), mean


def _var_vjp(xp: Any, g: Any, y: Any, x: Any, *, dim: Dims, correction: float, keepdim: bool) -> Any:
    free = max(1.0 * (count(x.shape, dim) - correction), 0.0)
    center = x - xp.mean(x, dim=dim, keepdim=True)
    kept = keep(xp, g, x.shape, dim, keepdim)
    if not free:  # no finite answer: PyTorch gives nan at the mean and infinity elsewhere
        return kept * float("inf") * (center * center)
    return kept * (2.0 / free) * center


def _std_vjp(xp: Any, g: Any, y: Any, x: Any, *, dim: Dims, correction: float, keepdim: bool) -> Any:
    return _var_vjp(xp, _through_root(xp, g, y), y, x, dim=dim, correction=correction, keepdim=keepdim)


def _through_root(xp: Any, g: Any, y: Any) -> Any:
    zero = xp.eq(y, 0.0)
    return xp.where(zero, 0.0, g / (2.0 * xp.where(zero, 1.0, y)))  # zero spread: gradient zero, at any order


def _mean_part(xp: Any, g: Any, x: Any, dim: Dims, keepdim: bool) -> Any:
    return keep(xp, g, x.shape, dim, keepdim) / (1.0 * count(x.shape, dim) or 1.0)


def _var_mean_vjp(xp: Any, g: Any, y: Any, x: Any, *, dim: Dims, correction: float, keepdim: bool) -> Any:
    var_part = _var_vjp(xp, g[0], None, x, dim=dim, correction=correction, keepdim=keepdim)
    return var_part + _mean_part(xp, g[1], x, dim, keepdim)


def _std_mean_vjp(xp: Any, g: Any, y: Any, x: Any, *, dim: Dims, correction: float, keepdim: bool) -> Any:
    std_part = _std_vjp(xp, g[0], y[0], x, dim=dim, correction=correction, keepdim=keepdim)
    return std_part + _mean_part(xp, g[1], x, dim, keepdim)


_var_jvp = pushed_along(_var_vjp)
_std_jvp = pushed_along(_std_vjp)


def _var_mean_jvp(xp: Any, ts: Any, y: Any, x: Any, *, dim: Dims, correction: float, keepdim: bool) -> Any:
    var = _var_jvp(xp, ts, y[0], x, dim=dim, correction=correction, keepdim=keepdim)
    return var, xp.mean(ts[0], dim=dim, keepdim=keepdim)


def _std_mean_jvp(xp: Any, ts: Any, y: Any, x: Any, *, dim: Dims, correction: float, keepdim: bool) -> Any:
    std = _std_jvp(xp, ts, y[0], x, dim=dim, correction=correction, keepdim=keepdim)
    return std, xp.mean(ts[0], dim=dim, keepdim=keepdim)


VAR = defop(
    "var",
    halves_in_single(_var),
    Kind.REDUCTION,
    vjp=(_var_vjp,),
    jvp=_var_jvp,
    formula="sum_i |x_i - mean|^2 / (n - correction)",
    doc="Variance over the given axes.",
)
STD = defop(
    "std",
    halves_in_single(_std),
    Kind.REDUCTION,
    vjp=(_std_vjp,),
    jvp=_std_jvp,
    formula="sqrt(sum_i |x_i - mean|^2 / (n - correction))",
    doc="Standard deviation over the given axes; its gradient is zero where it is zero.",
)
VAR_MEAN = defop(
    "var_mean",
    halves_in_single(_var_mean),
    Kind.REDUCTION,
    vjp=(_var_mean_vjp,),
    jvp=_var_mean_jvp,
    outputs=2,
    differentiable_outputs=(0, 1),
    formula="(var(x), mean(x))",
    doc="Variance and mean over the given axes.",
)
STD_MEAN = defop(
    "std_mean",
    halves_in_single(_std_mean),
    Kind.REDUCTION,
    vjp=(_std_mean_vjp,),
    jvp=_std_mean_jvp,
    outputs=2,
    differentiable_outputs=(0, 1),
    formula="(std(x), mean(x))",
    doc="Standard deviation and mean over the given axes.",
)
