"""Exponentials, logarithms, circular and hyperbolic functions and their inverses."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.ops.checks import FLOAT, FLOAT_OR_COMPLEX, NOT_COMPLEX, Check
from wengert.ops.record import Kind, Op, Promote, Rule, defop

LN2 = math.log(2.0)
LN10 = math.log(10.0)


def _unary(
    name: str,
    impl: Callable[..., Any],
    rule: Rule,
    formula: str,
    doc: str,
    *,
    node: str | None = None,
    domain: str = "real",
    points: tuple[float, ...] = (),
    check: Check | None = None,
) -> Op:
    """A function of one variable: integers become floats, and a ufunc serves as it is."""
    return defop(
        name,
        impl,
        Kind.ELEMENTWISE,
        vjp=(rule,),
        promote=Promote.FLOAT,
        node=node,
        ufunc=impl if isinstance(impl, np.ufunc) else None,
        formula=formula,
        doc=doc,
        domain=domain,
        points=points,
        check=check,
    )


# --- exponentials and logarithms -----------------------------------------------------------------------------------

EXP = _unary("exp", np.exp, lambda xp, g, y, x: g * xp.conj(y), "exp(x)", "Exponential of each element.")
EXP2 = _unary("exp2", np.exp2, lambda xp, g, y, x: g * xp.conj(y * LN2), "2^x", "Two to the power of each element.")
EXPM1 = _unary(
    "expm1",
    np.expm1,
    lambda xp, g, y, x: g * xp.conj(y + 1),
    "exp(x) - 1",
    "Exponential of each element minus one, accurate for small values.",
)
LOG = _unary(
    "log",
    np.log,
    lambda xp, g, y, x: g / xp.conj(x),
    "ln(x)",
    "Natural logarithm of each element.",
    domain="positive",
)
LOG2 = _unary(
    "log2",
    np.log2,
    lambda xp, g, y, x: g / xp.conj(x * LN2),
    "log2(x)",
    "Logarithm to the base 2 of each element.",
    domain="positive",
)


def _log10(x: Any) -> Any:
    """NumPy's vectorised log10 gives 2.0000002 for 100 in float32; the powers of ten should come out whole."""
    return np.log10(x) if x.dtype.itemsize >= 8 else np.log10(x, dtype=np.float64).astype(x.dtype)


LOG10 = _unary(
    "log10",
    _log10,
    lambda xp, g, y, x: g / xp.conj(x * LN10),
    "log10(x)",
    "Logarithm to the base 10 of each element.",
    domain="positive",
)
LOG1P = _unary(
    "log1p",
    np.log1p,
    lambda xp, g, y, x: g / xp.conj(x + 1),
    "ln(1 + x)",
    "Natural logarithm of one plus each element, accurate for small values.",
    node="Log1PBackward0",
    domain="positive",
)


def sigmoid_of(x: Any) -> Any:
    """1 / (1 + exp(-x)) in the memory of the result."""
    t = -x
    if t.__class__ is not np.ndarray:
        return 1.0 / (1.0 + np.exp(t))
    np.exp(t, out=t)
    t += 1.0
    return np.reciprocal(t, out=t)


SIGMOID = _unary(
    "sigmoid",
    sigmoid_of,
    lambda xp, g, y, x: g * xp.conj((1 - y) * y),
    "1 / (1 + exp(-x))",
    "Logistic function of each element.",
)

# --- circular functions --------------------------------------------------------------------------------------------

SIN = _unary("sin", np.sin, lambda xp, g, y, x: g * xp.conj(xp.cos(x)), "sin(x)", "Sine of each element, in radians.")
COS = _unary(
    "cos", np.cos, lambda xp, g, y, x: g * -xp.conj(xp.sin(x)), "cos(x)", "Cosine of each element, in radians."
)
TAN = _unary(
    "tan", np.tan, lambda xp, g, y, x: g * xp.conj(1 + y * y), "tan(x)", "Tangent of each element, in radians."
)
# (1 - x)(1 + x) and not 1 - x^2: in float32 near 1 the latter has lost half of its digits.
ASIN = _unary(
    "asin",
    np.arcsin,
    lambda xp, g, y, x: g * xp.conj(xp.rsqrt((1 - x) * (1 + x))),
    "arcsin(x)",
    "Angle whose sine is each element, in -pi/2..pi/2.",
    domain="open_unit",
)
ACOS = _unary(
    "acos",
    np.arccos,
    lambda xp, g, y, x: g * -xp.conj(xp.rsqrt((1 - x) * (1 + x))),
    "arccos(x)",
    "Angle whose cosine is each element, in 0..pi.",
    domain="open_unit",
)
ATAN = _unary(
    "atan",
    np.arctan,
    lambda xp, g, y, x: g / xp.conj(x * x + 1),
    "arctan(x)",
    "Angle whose tangent is each element, in -pi/2..pi/2.",
)


def _atan2_factor(xp: Any, a: Any, b: Any) -> Any:
    """1 / (a^2 + b^2), and 0 at the origin, where the angle has no derivative."""
    square = a * a + b * b
    return xp.where(square == 0, 0.0, 1 / square)


ATAN2 = defop(
    "atan2",
    np.arctan2,
    Kind.ELEMENTWISE,
    vjp=(
        lambda xp, g, y, a, b: g * (b * _atan2_factor(xp, a, b)),
        lambda xp, g, y, a, b: g * (-a * _atan2_factor(xp, a, b)),
    ),
    args=("self", "other"),
    promote=Promote.FLOAT,
    ufunc=np.arctan2,
    check=NOT_COMPLEX,
    formula="arctan(a / b)",
    doc="Angle of the point (b, a), in -pi..pi.",
)


def _sinc(x: Any) -> Any:
    t = x * math.pi
    return np.where(t == 0, 1.0, np.sin(t) / np.where(t == 0, 1.0, t))[()]


# The Taylor coefficients of d/dt sin(t)/t = (t cos t - sin t) / t^2, which cancels for small t:
# -t/3 + t^3/30 - t^5/840 + ..., the coefficient of t^(2k-1) being (-1)^k 2k / (2k + 1)!.
_SINC_SERIES = tuple((-1) ** k * 2 * k / math.factorial(2 * k + 1) for k in range(9, 0, -1))


def _sinc_vjp(xp: Any, g: Any, y: Any, x: Any) -> Any:
    t = x * math.pi
    small = xp.abs(t) < 1
    far = xp.where(small, 1.0, t)
    near = xp.where(small, t, 0.0)
    square = near * near
    series = square * 0.0
    for coefficient in _SINC_SERIES:
        series = series * square + coefficient
    slope = xp.where(small, near * series, (far * xp.cos(far) - xp.sin(far)) / (far * far))
    return g * xp.conj(slope * math.pi)


SINC = _unary("sinc", _sinc, _sinc_vjp, "sin(pi x) / (pi x)", "Normalised sinc of each element; 1 at 0.", points=(0.0,))

# --- hyperbolic functions ------------------------------------------------------------------------------------------

SINH = _unary("sinh", np.sinh, lambda xp, g, y, x: g * xp.conj(xp.cosh(x)), "sinh(x)", "Hyperbolic sine.")
COSH = _unary("cosh", np.cosh, lambda xp, g, y, x: g * xp.conj(xp.sinh(x)), "cosh(x)", "Hyperbolic cosine.")
TANH = _unary("tanh", np.tanh, lambda xp, g, y, x: g * xp.conj(1 - y * y), "tanh(x)", "Hyperbolic tangent.")
ASINH = _unary(
    "asinh",
    np.arcsinh,
    lambda xp, g, y, x: g * xp.conj(xp.rsqrt(x * x + 1)),
    "arsinh(x)",
    "Inverse hyperbolic sine of each element.",
)
ACOSH = _unary(
    "acosh",
    np.arccosh,
    # two roots: the root of the product has the other sign for complex numbers left of the imaginary axis
    lambda xp, g, y, x: g * xp.conj(xp.rsqrt(x - 1) * xp.rsqrt(x + 1)),
    "arcosh(x)",
    "Inverse hyperbolic cosine of each element.",
    domain="above_one",
)
ATANH = _unary(
    "atanh",
    np.arctanh,
    lambda xp, g, y, x: g / xp.conj((1 - x) * (1 + x)),
    "artanh(x)",
    "Inverse hyperbolic tangent of each element.",
    domain="open_unit",
)

# --- angles in degrees ---------------------------------------------------------------------------------------------

DEG2RAD = _unary(
    "deg2rad",
    lambda x: x * (math.pi / 180.0),
    lambda xp, g, y, x: g * (math.pi / 180.0),
    "x pi / 180",
    "Degrees to radians.",
    node="Deg2RadBackward0",
    check=NOT_COMPLEX,
)
RAD2DEG = _unary(
    "rad2deg",
    lambda x: x * (180.0 / math.pi),
    lambda xp, g, y, x: g * (180.0 / math.pi),
    "x 180 / pi",
    "Radians to degrees.",
    node="Rad2DegBackward0",
    check=NOT_COMPLEX,
)

# --- logarithms of sums and of products ----------------------------------------------------------------------------


def _logaddexp(a: Any, b: Any) -> Any:
    if np.result_type(a, b).kind != "c":
        return np.logaddexp(a, b)
    swap = np.real(a) < np.real(b)
    large, small = np.where(swap, b, a), np.where(swap, a, b)
    return np.where(large == small, large + LN2, large + np.log1p(np.exp(small - large)))[()]


LOGADDEXP = defop(
    "logaddexp",
    _logaddexp,
    Kind.ELEMENTWISE,
    vjp=(
        lambda xp, g, y, a, b: g / xp.conj(1 + xp.exp(b - a)),
        lambda xp, g, y, a, b: g / xp.conj(1 + xp.exp(a - b)),
    ),
    args=("self", "other"),
    promote=Promote.COMMON,
    check=FLOAT_OR_COMPLEX,
    formula="ln(exp(a) + exp(b))",
    doc="Logarithm of the sum of the exponentials, without overflow in between.",
)

LOGADDEXP2 = defop(
    "logaddexp2",
    np.logaddexp2,
    Kind.ELEMENTWISE,
    vjp=(
        lambda xp, g, y, a, b: g / (1 + xp.exp2(b - a)),
        lambda xp, g, y, a, b: g / (1 + xp.exp2(a - b)),
    ),
    args=("self", "other"),
    promote=Promote.COMMON,
    ufunc=np.logaddexp2,
    check=FLOAT,
    formula="log2(2^a + 2^b)",
    doc="Base-2 logarithm of the sum of the powers of two, without overflow in between.",
)


def _log(xp: Any, b: Any) -> Any:
    """The logarithm of an input that may be a Python number, whose logarithm must be one, too, to stay weak."""
    if hasattr(b, "dtype"):
        return xp.log(b)
    return math.log(b) if b > 0 else -math.inf if b == 0 else math.nan


def _xlogy(a: Any, b: Any) -> Any:
    return np.where((a == 0) & (b == b), 0.0, a * _log(np, b))[()]


def _xlogy_self(xp: Any, g: Any, y: Any, a: Any, b: Any) -> Any:
    return xp.where((a == 0) & (b <= 0), 0.0, g * _log(xp, b))


def _xlogy_other(xp: Any, g: Any, y: Any, a: Any, b: Any) -> Any:
    return g * (a / b)


# Three records, because PyTorch's node says which of the two is a number.
XLOGY, XLOGY_FROM_NUMBER, XLOGY_NUMBER = (
    defop(
        name,
        _xlogy,
        Kind.ELEMENTWISE,
        vjp=(_xlogy_self, _xlogy_other),
        args=("self", "other"),
        promote=Promote.FLOAT,
        node=node,
        check=NOT_COMPLEX,
        formula="a ln(b)",
        doc="Product with a logarithm; 0 where the factor is 0, whatever the logarithm.",
        domain="positive",
    )
    for name, node in (
        ("xlogy", "XlogyBackward0"),
        ("xlogy_from_number", "XlogyBackward1"),
        ("xlogy_number", "XlogyBackward2"),
    )
)
