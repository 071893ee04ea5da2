"""Softmax and its logarithm along an axis, exact for logits of any size."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.ops.kernels import in_float32
from wengert.ops.record import Kind, deffused, defop
from wengert.spaces.raw import RAW


def _shifted(x: Any, dim: int) -> Any:
    """Subtract each row's maximum, so that no exponential overflows."""
    return x - np.maximum.reduce(x, axis=dim, keepdims=True, initial=-np.inf) if x.ndim else x - x


@in_float32
def _softmax(x: Any, *, dim: int) -> Any:
    e = _shifted(x, dim)
    if not x.ndim:
        return np.exp(e)
    np.exp(e, out=e)
    e /= np.add.reduce(e, axis=dim, keepdims=True)
    return e


@in_float32
def _log_softmax(x: Any, *, dim: int) -> Any:
    z = _shifted(x, dim)
    if x.ndim:
        z -= np.log(np.add.reduce(np.exp(z), axis=dim, keepdims=True))
    return z


def _total(xp: Any, v: Any, dim: int) -> Any:
    return xp.sum(v, dim=(dim,), keepdim=True) if v.ndim else v


def _softmax_pull_parts(xp: Any, g: Any, y: Any, *, dim: int) -> Any:
    gy = g * y
    return gy - y * _total(xp, gy, dim)


def _softmax_pull(g: Any, y: Any, *, dim: int) -> Any:
    if not y.ndim or y.dtype.char == "e":
        return _softmax_pull_parts(RAW, g, y, dim=dim)
    gy = g * y
    gy -= y * np.add.reduce(gy, axis=dim, keepdims=True)
    return gy


def _log_softmax_pull_parts(xp: Any, g: Any, y: Any, *, dim: int) -> Any:
    return g - xp.exp(y) * _total(xp, g, dim)


def _log_softmax_pull(g: Any, y: Any, *, dim: int) -> Any:
    if not y.ndim or y.dtype.char == "e":
        return _log_softmax_pull_parts(RAW, g, y, dim=dim)
    e = np.exp(y)
    e *= np.add.reduce(g, axis=dim, keepdims=True)
    return np.subtract(g, e, out=e)


deffused("softmax_pull", _softmax_pull_parts, _softmax_pull)
deffused("log_softmax_pull", _log_softmax_pull_parts, _log_softmax_pull)


SOFTMAX = defop(
    "softmax",
    _softmax,
    Kind.OTHER,
    batch=Kind.SCAN,
    vjp=(lambda xp, g, y, x, *, dim: xp.softmax_pull(g, y, dim=dim),),
    jvp=lambda xp, ts, y, x, *, dim: xp.softmax_pull(ts[0], y, dim=dim),
    formula="exp(x_i) / sum_j exp(x_j)",
    doc="Exponentials along an axis, scaled to sum to one.",
)
LOG_SOFTMAX = defop(
    "log_softmax",
    _log_softmax,
    Kind.OTHER,
    batch=Kind.SCAN,
    vjp=(lambda xp, g, y, x, *, dim: xp.log_softmax_pull(g, y, dim=dim),),
    jvp=lambda xp, ts, y, x, *, dim: ts[0] - _total(xp, xp.exp(y) * ts[0], dim),
    formula="x_i - log sum_j exp(x_j)",
    doc="Logarithm of softmax.",
)
