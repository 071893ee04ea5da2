"""Activation functions and other formulas of a few operations, as the eager implementations have them."""

from __future__ import annotations

import math
from typing import Final

from wengert.compile.llvm import circular, elementary, special
from wengert.compile.llvm.elementary import absolute
from wengert.compile.llvm.ir import Ir, Val
from wengert.compile.llvm.registry import ALL, NUMBERS, Scalars

ACTIVATIONS: Final = Scalars()


@ACTIVATIONS.enter("relu", dtypes=NUMBERS)
def _relu(ir: Ir, dtype: str, x: Val) -> Val:
    return (x < 0).where(0, x) if dtype != "u1" else x


@ACTIVATIONS.enter("silu")
def _silu(ir: Ir, dtype: str, x: Val) -> Val:
    return x / (elementary.exp(ir, -x) + 1.0)


@ACTIVATIONS.enter("softplus")
def _softplus(ir: Ir, dtype: str, x: Val, *, beta: float, threshold: float) -> Val:
    z = x if beta == 1 else x * beta
    y = elementary.log1p(ir, elementary.exp(ir, z))
    y = y if beta == 1 else y / beta
    return (z > threshold).where(x, y)


@ACTIVATIONS.enter("logsigmoid")
def _logsigmoid(ir: Ir, dtype: str, x: Val) -> Val:
    low = (x > 0.0).where(0.0, x)
    return low - elementary.log1p(ir, elementary.exp(ir, -absolute(ir, x)))


@ACTIVATIONS.enter("gelu")
def _gelu(ir: Ir, dtype: str, x: Val) -> Val:
    return x * special.normal_cdf(ir, x)


def _negative(x: Val) -> Val:
    """min(x, 0); NaN stays."""
    return ((x < 0.0) | x.is_nan()).where(x, 0.0)


def _within(x: Val, low: float | None, high: float | None) -> Val:
    """NumPy's clip: NaN stays."""
    if low is not None:
        x = (x < low).where(x.like(low), x)
    return x if high is None else (x > high).where(x.like(high), x)


@ACTIVATIONS.enter("leaky_relu")
def _leaky_relu(ir: Ir, dtype: str, x: Val, *, negative_slope: float) -> Val:
    return ((x > 0.0) | x.is_nan()).where(x, x * negative_slope)


@ACTIVATIONS.enter("prelu")
def _prelu(ir: Ir, dtype: str, x: Val, w: Val) -> Val:
    return (x > 0.0).where(x, x * w)


@ACTIVATIONS.enter("rrelu")
def _rrelu(ir: Ir, dtype: str, x: Val, slopes: Val) -> Val:
    return x * slopes


@ACTIVATIONS.enter("threshold")
def _threshold(ir: Ir, dtype: str, x: Val, *, threshold: float, value: float) -> Val:
    return (x <= threshold).where(x.like(value), x)


@ACTIVATIONS.enter("hardtanh")
def _hardtanh(ir: Ir, dtype: str, x: Val, *, min_val: float, max_val: float) -> Val:
    return _within(x, min_val, max_val)


@ACTIVATIONS.enter("softshrink")
def _softshrink(ir: Ir, dtype: str, x: Val, *, lambd: float) -> Val:
    return (x > lambd).where(x - lambd, (x < -lambd).where(x + lambd, x * 0.0))


@ACTIVATIONS.enter("hardshrink")
def _hardshrink(ir: Ir, dtype: str, x: Val, *, lambd: float) -> Val:
    return ((x >= -lambd) & (x <= lambd)).where(0.0, x)


@ACTIVATIONS.enter("hardsigmoid")
def _hardsigmoid(ir: Ir, dtype: str, x: Val) -> Val:
    return _within(x + 3.0, 0.0, 6.0) / 6.0


@ACTIVATIONS.enter("hardswish")
def _hardswish(ir: Ir, dtype: str, x: Val) -> Val:
    return x * _within(x + 3.0, 0.0, 6.0) / 6.0


@ACTIVATIONS.enter("elu", "celu")
def _elu(ir: Ir, dtype: str, x: Val, *, alpha: float, scale: float, input_scale: float) -> Val:
    low = _negative(x)
    y = elementary.expm1(ir, low if input_scale == 1 else low * input_scale)
    y = y if alpha * scale == 1 else y * (alpha * scale)
    return (x < 0).where(y, x if scale == 1 else x * scale)


@ACTIVATIONS.enter("mish")
def _mish(ir: Ir, dtype: str, x: Val) -> Val:
    e = elementary.exp(ir, _within(x, None, 20.0))
    n = e * (e + 2.0)
    return x * n / (n + 2.0)


@ACTIVATIONS.enter("gelu_tanh")
def _gelu_tanh(ir: Ir, dtype: str, x: Val) -> Val:
    inner = (x * x * 0.044715 + 1.0) * x * math.sqrt(2 / math.pi)
    return (elementary.tanh(ir, inner) + 1.0) * x * 0.5


# --- bounds and other choices ----------------------------------------------------------------------------------------


@ACTIVATIONS.enter("clamp_min")
def _clamp_min(ir: Ir, dtype: str, x: Val, *, min: float) -> Val:
    return _within(x, min, None)


@ACTIVATIONS.enter("clamp_max")
def _clamp_max(ir: Ir, dtype: str, x: Val, *, max: float) -> Val:
    return _within(x, None, max)


def _larger(a: Val, b: Val) -> Val:
    """NumPy's maximum."""
    return ((a >= b) | a.is_nan()).where(a, b)


def _smaller(a: Val, b: Val) -> Val:
    """NumPy's minimum."""
    return ((a <= b) | a.is_nan()).where(a, b)


@ACTIVATIONS.enter("clamp_min_tensor", "clamp_from")
def _clamp_min_tensor(ir: Ir, dtype: str, x: Val, bound: Val) -> Val:
    return _larger(x, bound)


@ACTIVATIONS.enter("clamp_max_tensor", "clamp_to")
def _clamp_max_tensor(ir: Ir, dtype: str, x: Val, bound: Val) -> Val:
    return _smaller(x, bound)


@ACTIVATIONS.enter("clamp_tensor")
def _clamp_tensor(ir: Ir, dtype: str, x: Val, a: Val, b: Val) -> Val:
    return _smaller(_larger(x, a), b)


@ACTIVATIONS.enter("masked_fill", dtypes=ALL)
def _masked_fill(ir: Ir, dtype: str, x: Val, mask: Val, *, value: float) -> Val:
    return mask.where(x.like(value), x)


@ACTIVATIONS.enter("nan_to_num")
def _nan_to_num(ir: Ir, dtype: str, x: Val, *, nan: float, posinf: float | None, neginf: float | None) -> Val:
    largest = 3.4028234663852886e38 if dtype == "f4" else 1.7976931348623157e308
    y = x.is_nan().where(x.like(nan), x)
    y = x.eq(math.inf).where(x.like(largest if posinf is None else posinf), y)
    return x.eq(-math.inf).where(x.like(-largest if neginf is None else neginf), y)


@ACTIVATIONS.enter("isposinf")
def _isposinf(ir: Ir, dtype: str, x: Val) -> Val:
    return x.eq(math.inf)


@ACTIVATIONS.enter("isneginf")
def _isneginf(ir: Ir, dtype: str, x: Val) -> Val:
    return x.eq(-math.inf)


@ACTIVATIONS.enter("isclose")
def _isclose(ir: Ir, dtype: str, a: Val, b: Val, *, rtol: float, atol: float, equal_nan: bool) -> Val:
    finite = (absolute(ir, a) < math.inf) & (absolute(ir, b) < math.inf)
    near = absolute(ir, a - b) <= absolute(ir, b * rtol) + atol
    close = a.eq(b) | (finite & near)
    return close | (a.is_nan() & b.is_nan()) if equal_nan else close


@ACTIVATIONS.enter("heaviside")
def _heaviside(ir: Ir, dtype: str, a: Val, b: Val) -> Val:
    return a.is_nan().where(0.0, a.eq(0.0).where(b, (a > 0.0).where(a.like(1.0), 0.0)))


@ACTIVATIONS.enter("angle")
def _angle(ir: Ir, dtype: str, x: Val) -> Val:
    return x.is_nan().where(x, (x < 0.0).where(x.like(math.pi), 0.0))


# --- formulas --------------------------------------------------------------------------------------------------------


@ACTIVATIONS.enter("add_alpha", dtypes=NUMBERS)
def _add_alpha(ir: Ir, dtype: str, a: Val, b: Val, *, alpha: float) -> Val:
    return a + alpha * b


@ACTIVATIONS.enter("sub_alpha", dtypes=NUMBERS)
def _sub_alpha(ir: Ir, dtype: str, a: Val, b: Val, *, alpha: float) -> Val:
    return a - alpha * b


@ACTIVATIONS.enter("rsub_alpha", dtypes=NUMBERS)
def _rsub_alpha(ir: Ir, dtype: str, a: Val, b: Val, *, alpha: float, number: bool) -> Val:
    return b - alpha * a


@ACTIVATIONS.enter("addcmul", dtypes=NUMBERS)
def _addcmul(ir: Ir, dtype: str, x: Val, a: Val, b: Val, *, value: float) -> Val:
    return x + (a * b if value == 1 else value * a * b)


@ACTIVATIONS.enter("addcdiv")
def _addcdiv(ir: Ir, dtype: str, x: Val, a: Val, b: Val, *, value: float) -> Val:
    return x + (a / b if value == 1 else value * a / b)


@ACTIVATIONS.enter("lerp_number")
def _lerp_number(ir: Ir, dtype: str, a: Val, b: Val, *, weight: float) -> Val:
    return a + weight * (b - a) if abs(weight) < 0.5 else b - (b - a) * (1 - weight)


@ACTIVATIONS.enter("lerp")
def _lerp(ir: Ir, dtype: str, a: Val, b: Val, weight: Val) -> Val:
    step = b - a
    return (absolute(ir, weight) < 0.5).where(a + weight * step, b - step * (1.0 - weight))


@ACTIVATIONS.enter("share")
def _share(ir: Ir, dtype: str, x: Val, *, count: float) -> Val:
    return x / (count or math.nan)


@ACTIVATIONS.enter("batch_norm_fixed")
def _batch_norm_fixed(ir: Ir, dtype: str, x: Val, mean: Val, scale: Val, w: Val, b: Val) -> Val:
    return (x - mean) * (scale * w) + b


@ACTIVATIONS.enter("deg2rad")
def _deg2rad(ir: Ir, dtype: str, x: Val) -> Val:
    return x * (math.pi / 180.0)


@ACTIVATIONS.enter("rad2deg")
def _rad2deg(ir: Ir, dtype: str, x: Val) -> Val:
    return x * (180.0 / math.pi)


@ACTIVATIONS.enter("round_decimals")
def _round_decimals(ir: Ir, dtype: str, x: Val, *, decimals: int) -> Val:
    unit = 10.0 ** abs(decimals)
    return ir.intrinsic("rint", x * unit) / unit if decimals >= 0 else ir.intrinsic("rint", x / unit) * unit


@ACTIVATIONS.enter("ldexp")
def _ldexp(ir: Ir, dtype: str, a: Val, b: Val) -> Val:
    return a * elementary.exp2(ir, b)


@ACTIVATIONS.enter("sinc")
def _sinc(ir: Ir, dtype: str, x: Val) -> Val:
    t = x * math.pi
    zero = t.eq(0.0)
    return zero.where(1.0, circular.sin(ir, t) / zero.where(1.0, t))


@ACTIVATIONS.enter("logit")
def _logit(ir: Ir, dtype: str, x: Val, *, eps: float | None) -> Val:
    if eps is not None:
        x = _within(x, eps, 1.0 - eps)
    return elementary.log(ir, x / (1.0 - x))


@ACTIVATIONS.enter("ndtr")
def _ndtr(ir: Ir, dtype: str, x: Val) -> Val:
    return special.erfc(ir, x * -math.sqrt(0.5)) * 0.5


@ACTIVATIONS.enter("entr")
def _entr(ir: Ir, dtype: str, x: Val) -> Val:
    y = -x * elementary.log(ir, (x > 0.0).where(x, 1.0))
    return (x > 0.0).where(y, x.eq(0.0).where(0.0, x.is_nan().where(x, x.like(-math.inf))))


@ACTIVATIONS.enter("xlog1py")
def _xlog1py(ir: Ir, dtype: str, a: Val, b: Val) -> Val:
    return (a.eq(0.0) & b.eq(b)).where(0.0, a * elementary.log1p(ir, b))
