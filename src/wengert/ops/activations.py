"""Activation functions of neural networks, one element at a time.

At a kink each takes the one-sided derivative that PyTorch takes; the records' `points` name the kinks.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from math import pi, sqrt
from typing import Any, Final

import numpy as np

from wengert.ops.masks import choose, zero_where
from wengert.ops.record import TABLE, Kind, Rule, defop

_LARGE: Final = 4096
_SQRT_HALF: Final = sqrt(0.5)
_SQRT_2_OVER_PI: Final = sqrt(2 / pi)
_ONE_OVER_SQRT_2PI: Final = 1 / sqrt(2 * pi)
_GELU_CUBIC: Final = 0.044715
_MISH_CAP: Final = 20.0  # above it mish(x) is x in every dtype, and exp(x)**4 would overflow in float32


def in_float32(impl: Callable[..., Any]) -> Callable[..., Any]:
    """Make an implementation compute float16 in float32, as PyTorch's kernels do."""

    @wraps(impl)
    def computed(x: Any, *others: Any, **meta: Any) -> Any:
        if x.dtype.char != "e":
            return impl(x, *others, **meta)
        wide = [a.astype(np.float32) if getattr(a, "dtype", None) == np.float16 else a for a in others]
        return impl(x.astype(np.float32), *wide, **meta).astype(np.float16)

    return computed


def positive_part(x: Any) -> Any:
    """Give ``maximum(x, 0)``; NumPy's loop over two arrays is vectorised, that over an array and a number is not."""
    if x.size < _LARGE:
        return np.maximum(x, 0)
    out = np.zeros(x.shape, x.dtype)
    return np.maximum(x, out, out=out)


def negative_part(x: Any) -> Any:
    """Give ``minimum(x, 0)``."""
    if x.size < _LARGE:
        return np.minimum(x, 0)
    out = np.zeros(x.shape, x.dtype)
    return np.minimum(x, out, out=out)


def _activation(name: str, impl: Rule, vjp: Rule, *, node: str | None = None, **facets: Any) -> Any:
    return defop(name, impl, Kind.ELEMENTWISE, vjp=(vjp,), node=node, **facets)


# --- piecewise linear ---

RELU = _activation(
    "relu",
    positive_part,
    lambda xp, g, y, x: xp.zero_where(g, y <= 0),
    formula="max(x, 0)",
    points=(0.0,),
    doc="The positive part of each element; its derivative at zero is zero.",
)


def _threshold(x: Any, *, threshold: float, value: float) -> Any:
    return choose(x <= threshold, x.dtype.type(value), x)


THRESHOLD = _activation(
    "threshold",
    _threshold,
    lambda xp, g, y, x, *, threshold, value: xp.zero_where(g, x <= threshold),
    formula="x if x > threshold else value",
    doc="The elements above a threshold; a constant for the others.",
)


def _leaky_relu(x: Any, *, negative_slope: float) -> Any:
    if 0 <= negative_slope <= 1:
        return np.maximum(x, x * negative_slope)
    return positive_part(x) + negative_part(x) * negative_slope


LEAKY_RELU = _activation(
    "leaky_relu",
    in_float32(_leaky_relu),
    lambda xp, g, y, x, *, negative_slope: xp.where(x > 0, g, g * negative_slope),
    formula="max(x, 0) + negative_slope min(x, 0)",
    doc="The positive part plus a small multiple of the negative part.",
)


def _hardtanh(x: Any, *, min_val: float, max_val: float) -> Any:
    return np.minimum(np.maximum(x, min_val), max_val)


HARDTANH = _activation(
    "hardtanh",
    _hardtanh,
    lambda xp, g, y, x, *, min_val, max_val: xp.zero_where(g, (x <= min_val) | (x >= max_val)),
    formula="min(max(x, min_val), max_val)",
    doc="Each element cut off at two limits, where its derivative is zero.",
)


@in_float32
def _softshrink(x: Any, *, lambd: float) -> Any:
    return choose(x > lambd, x - lambd, choose(x < -lambd, x + lambd, x * 0))


SOFTSHRINK = _activation(
    "softshrink",
    _softshrink,
    lambda xp, g, y, x, *, lambd: xp.zero_where(g, (x >= -lambd) & (x <= lambd)),
    formula="sign(x) max(|x| - lambd, 0)",
    doc="Each element moved towards zero by a distance, and zero where it would pass it.",
)
HARDSHRINK = _activation(
    "hardshrink",
    lambda x, *, lambd: zero_where(x, (x >= -lambd) & (x <= lambd)),
    lambda xp, g, y, x, *, lambd: xp.zero_where(g, (x >= -lambd) & (x <= lambd)),
    formula="x if |x| > lambd else 0",
    doc="Each element, or zero where its magnitude is at most a limit.",
)
HARDSIGMOID = _activation(
    "hardsigmoid",
    in_float32(lambda x: np.minimum(positive_part(x + 3), 6) / 6),
    lambda xp, g, y, x: xp.zero_where(g / 6, (x <= -3) | (x >= 3)),
    formula="min(max(x + 3, 0), 6) / 6",
    points=(-3.0, 3.0),
    doc="A sigmoid made of three straight pieces.",
)
HARDSWISH = _activation(
    "hardswish",
    in_float32(lambda x: x * np.minimum(positive_part(x + 3), 6) / 6),
    lambda xp, g, y, x: xp.zero_where(xp.where(x >= 3, g, g * (x / 3 + 0.5)), x <= -3),
    formula="x min(max(x + 3, 0), 6) / 6",
    points=(-3.0, 3.0),
    doc="Each element times its hardsigmoid.",
)


def _prelu(x: Any, w: Any) -> Any:
    return positive_part(x) + negative_part(x) * w


PRELU = defop(
    "prelu",
    in_float32(_prelu),
    Kind.ELEMENTWISE,
    vjp=(
        lambda xp, g, y, x, w: xp.where(x > 0, g, g * w),
        lambda xp, g, y, x, w: xp.zero_where(g * x, x > 0),
    ),
    args=("self", "weight"),
    node="PreluKernelBackward0",
    formula="max(x, 0) + w min(x, 0)",
    points=(0.0,),
    doc="The positive part plus a learned multiple of the negative part.",
)
RRELU = defop(
    "rrelu",
    lambda x, slopes: x * slopes,
    Kind.ELEMENTWISE,
    vjp=(lambda xp, g, y, x, slopes: g * slopes, None),
    args=("self", "noise"),
    node="RreluWithNoiseBackward0",
    linear=(0,),
    formula="x slope",
    doc="Each element times the slope that was drawn for it.",
)

# --- exponential ---


@in_float32
def _elu(x: Any, *, alpha: float, scale: float, input_scale: float) -> Any:
    low = negative_part(x)
    y = np.expm1(low * input_scale if input_scale != 1 else low)
    if alpha * scale != 1:
        y *= alpha * scale
    high = positive_part(x)
    if scale != 1:
        high *= scale
    y += high
    return y


def _elu_vjp(xp: Any, g: Any, y: Any, x: Any, *, alpha: float, scale: float, input_scale: float) -> Any:
    slope = alpha * scale * input_scale
    low = xp.exp(xp.minimum(x, 0.0) * input_scale) * slope
    return xp.where(x <= 0, g * low, g * scale)


def _elu_record(name: str) -> Any:
    return _activation(
        name,
        _elu,
        _elu_vjp,
        formula="scale (max(x, 0) + alpha (exp(min(x, 0) input_scale) - 1))",
        doc="Straight above zero, an exponential that levels off below.",
    )


ELU = _elu_record("elu")
CELU = _elu_record("celu")


@in_float32
def _silu(x: Any) -> Any:
    e = np.exp(-x)
    e += 1
    return x / e


def _silu_vjp(xp: Any, g: Any, y: Any, x: Any) -> Any:
    s = xp.sigmoid(x)
    return g * (s * (x * (1 - s) + 1))


SILU = _activation(
    "silu", _silu, _silu_vjp, formula="x / (1 + exp(-x))", points=(0.0,), doc="Each element times its sigmoid."
)


@in_float32
def _mish(x: Any) -> Any:
    e = np.exp(np.minimum(x, _MISH_CAP))
    n = e * (e + 2)
    return x * n / (n + 2)


def _mish_vjp(xp: Any, g: Any, y: Any, x: Any) -> Any:
    # With e = exp(x): tanh(log(1 + e)) = n / (n + 2) where n = e (e + 2); its derivative is 4 e (1 + e) / (n + 2)^2.
    e = xp.exp(xp.minimum(x, _MISH_CAP))
    n = e * (e + 2)
    d = n + 2
    return g * (n / d + x * (e * (e + 1) * 4 / (d * d)))


MISH = _activation(
    "mish",
    _mish,
    _mish_vjp,
    formula="x tanh(log(1 + exp(x)))",
    points=(0.0,),
    doc="Each element times the tanh of its softplus.",
)


@in_float32
def _softplus(x: Any, *, beta: float, threshold: float) -> Any:
    z = x * beta
    y = np.log1p(np.exp(z))
    if beta != 1:
        y /= beta
    return choose(z > threshold, x, y)


def _softplus_vjp(xp: Any, g: Any, y: Any, x: Any, *, beta: float, threshold: float) -> Any:
    z = x * beta
    return xp.where(z > threshold, g, g * xp.sigmoid(z))


SOFTPLUS = _activation(
    "softplus",
    _softplus,
    _softplus_vjp,
    formula="log(1 + exp(beta x)) / beta",
    doc="A smooth positive part; the element itself where beta x is above a threshold.",
)


@in_float32
def _logsigmoid(x: Any) -> Any:
    return negative_part(x) - np.log1p(np.exp(-np.abs(x)))


LOGSIGMOID = _activation(
    "logsigmoid",
    _logsigmoid,
    lambda xp, g, y, x: g * xp.sigmoid(-x),
    node="LogSigmoidBackward0",
    formula="log(1 / (1 + exp(-x)))",
    points=(0.0,),
    doc="Logarithm of the sigmoid, exact in both tails.",
)

# --- with the error function, or the tanh that stands for it ---


@in_float32
def _gelu(x: Any) -> Any:
    y = TABLE["erf"].impl(x * _SQRT_HALF)
    y += 1
    y *= x
    y *= 0.5
    return y


def _gelu_vjp(xp: Any, g: Any, y: Any, x: Any) -> Any:
    cdf = xp.erf(x * _SQRT_HALF) * 0.5 + 0.5
    return g * (cdf + x * xp.exp(x * x * -0.5) * _ONE_OVER_SQRT_2PI)


GELU = _activation(
    "gelu",
    _gelu,
    _gelu_vjp,
    formula="x (1 + erf(x / sqrt(2))) / 2",
    points=(0.0,),
    doc="Each element times the probability that a standard normal variable is below it.",
)


@in_float32
def _gelu_tanh(x: Any) -> Any:
    y = np.tanh((x * x * _GELU_CUBIC + 1) * x * _SQRT_2_OVER_PI)
    y += 1
    y *= x
    y *= 0.5
    return y


def _gelu_tanh_vjp(xp: Any, g: Any, y: Any, x: Any) -> Any:
    xx = x * x
    t = xp.tanh((xx * _GELU_CUBIC + 1) * x * _SQRT_2_OVER_PI)
    slope = (xx * (3 * _GELU_CUBIC) + 1) * (0.5 * _SQRT_2_OVER_PI)
    return g * ((t + 1) * 0.5 + x * (1 - t * t) * slope)


GELU_TANH = _activation(
    "gelu_tanh",
    _gelu_tanh,
    _gelu_tanh_vjp,
    node="GeluBackward0",
    formula="x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) / 2",
    points=(0.0,),
    doc="As gelu, with a tanh in place of the error function.",
)

# --- gated ---


def _halves(x: Any, dim: int) -> tuple[Any, Any]:
    n = x.shape[dim] // 2
    lead = (slice(None),) * dim
    return x[(*lead, slice(0, n))], x[(*lead, slice(n, None))]


@in_float32
def _glu(x: Any, *, dim: int) -> Any:
    a, b = _halves(x, dim)
    return a * TABLE["sigmoid"].impl(b)


def _glu_vjp(xp: Any, g: Any, y: Any, x: Any, *, dim: int) -> Any:
    n = x.shape[dim] // 2
    a = xp.slice(x, dim=dim, start=0, stop=n, step=1)
    s = xp.sigmoid(xp.slice(x, dim=dim, start=n, stop=2 * n, step=1))
    return xp.cat(g * s, g * a * s * (1 - s), dim=dim, sizes=(n, n))


def _glu_jvp(xp: Any, ts: Any, y: Any, x: Any, *, dim: int) -> Any:
    n = x.shape[dim] // 2
    a, ta = (xp.slice(v, dim=dim, start=0, stop=n, step=1) for v in (x, ts[0]))
    b, tb = (xp.slice(v, dim=dim, start=n, stop=2 * n, step=1) for v in (x, ts[0]))
    s = xp.sigmoid(b)
    return ta * s + tb * (a * s * (1 - s))


GLU = defop(
    "glu",
    _glu,
    Kind.OTHER,
    vjp=(_glu_vjp,),
    jvp=_glu_jvp,
    formula="a / (1 + exp(-b))",
    doc="The first half of an axis times the sigmoid of its second half.",
)
