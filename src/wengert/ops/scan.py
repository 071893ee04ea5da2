"""Scans: running sums, products, extrema and log-sum-exps along one axis, and what their derivatives need.

Two helpers carry the derivatives of the products: :data:`SHIFT` moves elements along an axis, and
:data:`LINEAR_RECURRENCE` solves ``s_k = a_k s_(k-1) + b_k``. With them no derivative divides by an input, so zeros are
no special case at any order.
"""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np

from wengert.ops.record import Kind, deffused, defop
from wengert.ops.reduce import halves_in_single

# PyTorch keeps the running value of floats in double precision.
_RUNNING = {"e": np.dtype("f4"), "f": np.dtype("f8"), "F": np.dtype("c16")}


def _running(ufunc: np.ufunc, x: Any, dim: int) -> Any:
    if not x.ndim:
        return x.copy()
    dtype = x.dtype
    wide: Any = _RUNNING.get(dtype.char)
    return ufunc.accumulate(x, dim, dtype) if wide is None else ufunc.accumulate(x, dim, wide).astype(dtype)


# --- helpers of the derivatives --------------------------------------------------------------------------------------


def _shift(x: Any, *, dim: int, by: int, fill: float) -> Any:
    out = np.empty(x.shape, x.dtype)
    lead = (slice(None),) * dim
    if by > 0:
        out[(*lead, slice(None, by))] = fill
        out[(*lead, slice(by, None))] = x[(*lead, slice(None, -by))]
    else:
        out[(*lead, slice(by, None))] = fill
        out[(*lead, slice(None, by))] = x[(*lead, slice(-by, None))]
    return out


SHIFT = defop(
    "shift",
    _shift,
    Kind.MOVEMENT,
    vjp=(lambda xp, g, y, x, *, dim, by, fill: xp.shift(g, dim=dim, by=-by, fill=0.0),),
    jvp=lambda xp, ts, y, x, *, dim, by, fill: xp.shift(ts[0], dim=dim, by=by, fill=0.0),
    formula="x_(k-by)",
    doc="The elements moved along an axis by `by` (not zero) places, `fill` where nothing comes in.",
)


def _linear_recurrence(a: Any, b: Any, *, dim: int, reverse: bool) -> Any:
    # Doubling: after the step of length s, row k holds the effect of the last 2s rows, as one factor and one sum.
    total = np.array(b, dtype=np.result_type(a, b))
    factor = np.array(np.broadcast_to(a, b.shape))
    rows_sum, rows_factor = np.moveaxis(total, dim, 0), np.moveaxis(factor, dim, 0)
    if reverse:
        rows_sum, rows_factor = rows_sum[::-1], rows_factor[::-1]
    step = 1
    while step < len(rows_sum):
        rows_sum[step:] += rows_factor[step:] * rows_sum[:-step]
        rows_factor[step:] *= rows_factor[:-step].copy()
        step *= 2
    return total


def _adjoint(xp: Any, g: Any, a: Any, dim: int, reverse: bool) -> Any:
    back = xp.shift(xp.conj(a), dim=dim, by=1 if reverse else -1, fill=0.0)
    return xp.linear_recurrence(back, g, dim=dim, reverse=not reverse)


def _recurrence_vjp_a(xp: Any, g: Any, y: Any, a: Any, b: Any, *, dim: int, reverse: bool) -> Any:
    before = xp.shift(xp.conj(y), dim=dim, by=-1 if reverse else 1, fill=0.0)
    return _adjoint(xp, g, a, dim, reverse) * before


def _recurrence_vjp_b(xp: Any, g: Any, y: Any, a: Any, b: Any, *, dim: int, reverse: bool) -> Any:
    return _adjoint(xp, g, a, dim, reverse)


def _recurrence_jvp(xp: Any, ts: Any, y: Any, a: Any, b: Any, *, dim: int, reverse: bool) -> Any:
    ta, tb = ts
    driven = tb
    if ta is not None:
        through = ta * xp.shift(y, dim=dim, by=-1 if reverse else 1, fill=0.0)
        driven = through if tb is None else through + tb
    return xp.linear_recurrence(a, driven, dim=dim, reverse=reverse)


LINEAR_RECURRENCE = defop(
    "linear_recurrence",
    _linear_recurrence,
    Kind.SCAN,
    vjp=(_recurrence_vjp_a, _recurrence_vjp_b),
    jvp=_recurrence_jvp,
    args=("a", "b"),
    linear=(1,),
    formula="s_k = a_k s_(k-1) + b_k",
    doc="Solution of a first-order linear recurrence along an axis (from the end with `reverse`).",
)

# --- sums and products -----------------------------------------------------------------------------------------------


def _reversed_parts(xp: Any, g: Any, *, dim: int) -> Any:
    return xp.flip(xp.cumsum(xp.flip(g, dims=(dim,)), dim=dim), dims=(dim,)) if g.ndim else g


deffused(
    "cumsum_reversed",
    _reversed_parts,
    lambda g, *, dim: np.flip(_running(np.add, np.flip(g, dim), dim), dim) if g.ndim else g,
)


def _cumsum_vjp(xp: Any, g: Any, y: Any, x: Any, *, dim: int) -> Any:
    return xp.cumsum_reversed(g, dim=dim)


CUMSUM = defop(
    "cumsum",
    lambda x, *, dim: _running(np.add, x, dim),
    Kind.SCAN,
    vjp=(_cumsum_vjp,),
    linear=(0,),
    formula="sum_(i<=k) x_i",
    doc="Running sum along an axis.",
)


def _cumprod_vjp(xp: Any, g: Any, y: Any, x: Any, *, dim: int) -> Any:
    # dy_j/dx_k is the product of those before k and those from k+1 to j; the sum over j is a recurrence from the end.
    if not g.ndim:
        return g
    before = xp.shift(y, dim=dim, by=1, fill=1.0)
    following = xp.shift(x, dim=dim, by=-1, fill=0.0)
    return xp.conj(before) * xp.linear_recurrence(xp.conj(following), g, dim=dim, reverse=True)


def _cumprod_jvp(xp: Any, ts: Any, y: Any, x: Any, *, dim: int) -> Any:
    t = ts[0]
    if not t.ndim:
        return t
    return xp.linear_recurrence(x, xp.shift(y, dim=dim, by=1, fill=1.0) * t, dim=dim, reverse=False)


CUMPROD = defop(
    "cumprod",
    lambda x, *, dim: _running(np.multiply, x, dim),
    Kind.SCAN,
    vjp=(_cumprod_vjp,),
    jvp=_cumprod_jvp,
    formula="prod_(i<=k) x_i",
    doc="Running product along an axis.",
)

# --- log-sum-exp -----------------------------------------------------------------------------------------------------


def _logcumsumexp(x: Any, *, dim: int) -> Any:
    if not x.ndim:
        return x.copy()
    if x.dtype.kind == "f":
        return np.logaddexp.accumulate(x, dim)
    rows = np.moveaxis(x.copy(), dim, 0)
    step = 1
    while step < len(rows):
        rows[step:] = _complex_logaddexp(rows[step:], rows[:-step])
        step *= 2
    return np.moveaxis(rows, 0, dim)


def _complex_logaddexp(a: Any, b: Any) -> Any:
    top = np.maximum(a.real, b.real)
    top = np.where(np.isinf(top), top.dtype.type(0), top)
    return np.log(np.exp(a - top) + np.exp(b - top)) + top


def _step(xp: Any, a: Any, b: Any) -> Any:
    return xp.where(xp.eq(a, b), 0.0, a - b)  # equal infinities too


def _logcumsumexp_vjp(xp: Any, g: Any, y: Any, x: Any, *, dim: int) -> Any:
    # y never falls, so the factors exp(y_k - y_(k+1)) lie between 0 and 1 and nothing overflows: beyond the end, too,
    # where the factor multiplies nothing but has derivatives.
    if not g.ndim:
        return g
    decay = xp.exp(xp.conj(_step(xp, y, xp.shift(y, dim=dim, by=-1, fill=inf))))
    return xp.linear_recurrence(decay, g, dim=dim, reverse=True) * xp.exp(xp.conj(x - y))


def _logcumsumexp_jvp(xp: Any, ts: Any, y: Any, x: Any, *, dim: int) -> Any:
    t = ts[0]
    if not t.ndim:
        return t
    decay = xp.exp(_step(xp, xp.shift(y, dim=dim, by=1, fill=-inf), y))
    return xp.linear_recurrence(decay, t * xp.exp(x - y), dim=dim, reverse=False)


LOGCUMSUMEXP = defop(
    "logcumsumexp",
    halves_in_single(_logcumsumexp),
    Kind.SCAN,
    vjp=(_logcumsumexp_vjp,),
    jvp=_logcumsumexp_jvp,
    formula="log sum_(i<=k) exp(x_i)",
    doc="Running logarithm of the sum of exponentials along an axis, without overflow.",
)

# --- extrema ---------------------------------------------------------------------------------------------------------


def _running_extremum(ufunc: np.ufunc, x: Any, dim: int) -> tuple[Any, Any]:
    if not x.ndim:
        return x.copy(), np.int64(0)
    values = ufunc.accumulate(x, dim)
    places = np.arange(x.shape[dim]).reshape((-1,) + (1,) * (x.ndim - dim - 1))
    new = (x == values) | (x != x)  # of ties the last counts; NaN is taken whenever it comes, and then stays
    return values, np.maximum.accumulate(np.where(new, places, 0), dim)


def _picked_vjp(xp: Any, g: Any, y: Any, x: Any, *, dim: int) -> Any:
    return xp.gather_backward(g[0], y[1], shape=x.shape, dim=dim) if x.ndim else g[0]


def _picked_jvp(xp: Any, ts: Any, y: Any, x: Any, *, dim: int) -> Any:
    return (xp.gather(ts[0], y[1], dim=dim) if x.ndim else ts[0]), None


CUMMAX = defop(
    "cummax",
    lambda x, *, dim: _running_extremum(np.maximum, x, dim),
    Kind.SCAN,
    vjp=(_picked_vjp,),
    jvp=_picked_jvp,
    outputs=2,
    formula="max_(i<=k) x_i",
    doc="Running maximum along an axis, and where it stands.",
)
CUMMIN = defop(
    "cummin",
    lambda x, *, dim: _running_extremum(np.minimum, x, dim),
    Kind.SCAN,
    vjp=(_picked_vjp,),
    jvp=_picked_jvp,
    outputs=2,
    formula="min_(i<=k) x_i",
    doc="Running minimum along an axis, and where it stands.",
)
