"""Curved activation functions: with exponentials, the error function, and gates."""

from __future__ import annotations

from math import pi, sqrt
from typing import Any, Final

import numpy as np

from wengert.ops.activations import activation, negative_part, positive_part
from wengert.ops.elementary import SIGMOID
from wengert.ops.kernels import in_float32, takes
from wengert.ops.masks import choose
from wengert.ops.normal_cdf import normal_cdf
from wengert.ops.record import Kind, Op, defop

_SQRT_2_OVER_PI: Final = sqrt(2 / pi)
_ONE_OVER_SQRT_2PI: Final = 1 / sqrt(2 * pi)
_GELU_CUBIC: Final = 0.044715
_MISH_CAP: Final = 20.0  # above it mish(x) is x in every dtype, and exp(x)**4 would overflow in float32

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


def _elu_record(name: str) -> Op:
    return activation(
        name,
        _elu,
        _elu_vjp,
        check=takes("elu_cpu"),
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
    return g * xp.conj(s * (x * (1 - s) + 1))


SILU = activation(
    "silu",
    _silu,
    _silu_vjp,
    check=takes("silu_cpu", "fc"),
    formula="x / (1 + exp(-x))",
    points=(0.0,),
    doc="Each element times its sigmoid.",
)


@in_float32
def _mish(x: Any) -> Any:
    e = np.exp(x.clip(-np.inf, _MISH_CAP))
    n = e * (e + 2)
    return x * n / (n + 2)


def _mish_vjp(xp: Any, g: Any, y: Any, x: Any) -> Any:
    # With e = exp(x): tanh(log(1 + e)) = n / (n + 2) where n = e (e + 2); its derivative is 4 e (1 + e) / (n + 2)^2.
    # The second term is capped too: it is nothing there, unless multiplied by 1e30.
    low = xp.minimum(x, _MISH_CAP)
    e = xp.exp(low)
    n = e * (e + 2)
    d = n + 2
    return g * (n / d + low * (e * (e + 1) * 4 / (d * d)))


MISH = activation(
    "mish",
    _mish,
    _mish_vjp,
    check=takes("mish_cpu"),
    formula="x tanh(log(1 + exp(x)))",
    points=(0.0,),
    doc="Each element times the tanh of its softplus.",
)


@in_float32
def _softplus(x: Any, *, beta: float, threshold: float) -> Any:
    z = x if beta == 1 else x * beta
    y = np.exp(z)
    y = np.log1p(y, out=y if y.__class__ is np.ndarray else None)
    if beta != 1:
        y /= beta
    if z.__class__ is not np.ndarray:
        return x if z > threshold else y
    # The largest element, or a NaN, is found in a third of the time that a mask takes.
    if not z.size or z.item(z.argmax()) <= threshold:
        return y
    return choose(z > threshold, x, y)


def _softplus_vjp(xp: Any, g: Any, y: Any, x: Any, *, beta: float, threshold: float) -> Any:
    z = x if beta == 1 else x * beta
    if x.dtype.itemsize == 4 and threshold >= 17:  # there the sigmoid of a float32 is exactly 1
        return g * xp.sigmoid(z)
    return xp.where(z > threshold, g, g * xp.sigmoid(z))


SOFTPLUS = activation(
    "softplus",
    _softplus,
    _softplus_vjp,
    check=takes("softplus_cpu"),
    formula="log(1 + exp(beta x)) / beta",
    doc="A smooth positive part; the element itself where beta x is above a threshold.",
)


@in_float32
def _logsigmoid(x: Any) -> Any:
    return negative_part(x) - np.log1p(np.exp(-np.abs(x)))


LOGSIGMOID = activation(
    "logsigmoid",
    _logsigmoid,
    lambda xp, g, y, x: g * xp.sigmoid(-x),
    node="LogSigmoidBackward0",
    check=takes("log_sigmoid_cpu"),
    formula="log(1 / (1 + exp(-x)))",
    points=(0.0,),
    doc="Logarithm of the sigmoid, exact in both tails.",
)

# --- with the error function, or the tanh that stands for it ---


@in_float32
def _gelu(x: Any) -> Any:
    return x * normal_cdf(x)


def _gelu_vjp(xp: Any, g: Any, y: Any, x: Any) -> Any:
    return g * (xp.normal_cdf(x) + x * xp.exp(x * x * -0.5) * _ONE_OVER_SQRT_2PI)


GELU = activation(
    "gelu",
    _gelu,
    _gelu_vjp,
    check=takes("GeluKernelImpl"),
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


GELU_TANH = activation(
    "gelu_tanh",
    _gelu_tanh,
    _gelu_tanh_vjp,
    node="GeluBackward0",
    check=takes("GeluKernelImpl"),
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
    return a * SIGMOID.impl(b)


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
    batch=Kind.SCAN,
    vjp=(_glu_vjp,),
    jvp=_glu_jvp,
    check=takes("glu_cpu"),
    formula="a / (1 + exp(-b))",
    doc="The first half of an axis times the sigmoid of its second half.",
)
