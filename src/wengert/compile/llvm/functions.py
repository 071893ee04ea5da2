"""Functions of the table by name: elementary and special ones, powers, quotients that round, logarithms of sums."""

from __future__ import annotations

import math
from typing import Final

from wengert.compile.llvm import circular, elementary, inverse, special
from wengert.compile.llvm.elementary import absolute, copysign
from wengert.compile.llvm.ir import Ir, Val
from wengert.compile.llvm.registry import FLOATS, Scalar, Scalars

FUNCTIONS: Final = Scalars()


def _function(name: str, function: Scalar) -> None:
    FUNCTIONS[name] = (lambda ir, dtype, *args: function(ir, *args)), FLOATS


for _name, _call in {
    "exp": elementary.exp,
    "exp2": elementary.exp2,
    "expm1": elementary.expm1,
    "log": elementary.log,
    "log2": elementary.log2,
    "log10": elementary.log10,
    "log1p": elementary.log1p,
    "sigmoid": elementary.sigmoid,
    "tanh": elementary.tanh,
    "sinh": elementary.sinh,
    "cosh": elementary.cosh,
    "sin": circular.sin,
    "cos": circular.cos,
    "tan": circular.tan,
    "asin": inverse.asin,
    "acos": inverse.acos,
    "atan": inverse.atan,
    "asinh": inverse.asinh,
    "acosh": inverse.acosh,
    "atanh": inverse.atanh,
    "erf": special.erf,
    "erfc": special.erfc,
    "erfinv": special.erfinv,
    "normal_cdf": special.normal_cdf,
    "lgamma": special.lgamma,
    "digamma": special.digamma,
}.items():
    _function(_name, _call)


@FUNCTIONS.enter("pow", "number_pow", "pow_number")
def _pow(ir: Ir, dtype: str, a: Val, b: Val) -> Val:
    """The common exponents are products and roots, as in the eager implementation."""
    match b.number:
        case 1:
            return a
        case 2:
            return a * a
        case 3:
            return a * a * a
        case 0.5:
            return elementary.sqrt(ir, a)
        case -0.5:
            return 1.0 / elementary.sqrt(ir, a)
        case -1:
            return 1.0 / a
        case -2:
            return 1.0 / (a * a)
    return elementary.power(ir, a, b)


@FUNCTIONS.enter("hypot")
def _hypot(ir: Ir, dtype: str, a: Val, b: Val) -> Val:
    return inverse.hypot(ir, a, b)


@FUNCTIONS.enter("atan2")
def _atan2(ir: Ir, dtype: str, a: Val, b: Val) -> Val:
    return inverse.atan2(ir, a, b)


# --- quotients and remainders of floats ---------------------------------------------------------------------------


@FUNCTIONS.enter("fmod", "fmod_number")
def _fmod(ir: Ir, dtype: str, a: Val, b: Val) -> Val:
    return ir.line(a.elem, a.lanes, f"frem {a.typed}, {b.text}")


@FUNCTIONS.enter("remainder", "remainder_number", "number_remainder")
def _remainder(ir: Ir, dtype: str, a: Val, b: Val) -> Val:
    y = _fmod(ir, dtype, a, b)
    return (((y < 0.0) ^ (b < 0.0)) & y.ne(0.0) & y.eq(y)).where(y + b, y)


@FUNCTIONS.enter("floor_divide")
def _floor_divide(ir: Ir, dtype: str, a: Val, b: Val) -> Val:
    """NumPy's: from the exact remainder, so that the quotient is rounded down and not first up."""
    rest = _fmod(ir, dtype, a, b)
    quotient = (a - rest) / b
    quotient = (rest.ne(0.0) & ((b < 0.0) ^ (rest < 0.0))).where(quotient - 1.0, quotient)
    whole = ir.intrinsic("floor", quotient)
    whole = (quotient - whole > 0.5).where(whole + 1.0, whole)
    y = quotient.eq(0.0).where(copysign(ir, quotient.like(0.0), a / b), whole)
    return b.eq(0.0).where(a / b, y)


@FUNCTIONS.enter("div_rounding")
def _div_rounding(ir: Ir, dtype: str, a: Val, b: Val, *, rounding_mode: str) -> Val:
    return _floor_divide(ir, dtype, a, b) if rounding_mode == "floor" else ir.intrinsic("trunc", a / b)


# --- logarithms of sums and products ---------------------------------------------------------------------------------


@FUNCTIONS.enter("logaddexp")
def _logaddexp(ir: Ir, dtype: str, a: Val, b: Val) -> Val:
    top = _larger(a, b)
    y = top + elementary.log1p(ir, elementary.exp(ir, -absolute(ir, a - b)))
    y = a.eq(b).where(a + math.log(2.0), y)  # two infinities too
    return (a.is_nan() | b.is_nan()).where(a + b, y)


@FUNCTIONS.enter("logaddexp2")
def _logaddexp2(ir: Ir, dtype: str, a: Val, b: Val) -> Val:
    top = _larger(a, b)
    y = top + elementary.log1p(ir, elementary.exp2(ir, -absolute(ir, a - b))) * elementary.LOG2E
    y = a.eq(b).where(a + 1.0, y)
    return (a.is_nan() | b.is_nan()).where(a + b, y)


def _larger(a: Val, b: Val) -> Val:
    return (a > b).where(a, b)


@FUNCTIONS.enter("xlogy", "xlogy_from_number", "xlogy_number")
def _xlogy(ir: Ir, dtype: str, a: Val, b: Val) -> Val:
    return (a.eq(0.0) & b.eq(b)).where(0.0, a * elementary.log(ir, b))
