"""Arithmetic, comparison, choice, logic, bits and rounding in IR."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

from wengert.compile.llvm import elementary
from wengert.compile.llvm.elementary import absolute, copysign
from wengert.compile.llvm.ir import Ir, Val
from wengert.compile.llvm.registry import ALL, FLOATS, INTEGERS, NUMBERS, Scalars, bits_of

ARITHMETIC: Final = Scalars()


@ARITHMETIC.enter("add", dtypes=ALL)
def _add(ir: Ir, dtype: str, a: Val, b: Val) -> Val:
    return a | b if dtype == "b1" else a + b


@ARITHMETIC.enter("sub", dtypes=NUMBERS)
def _sub(ir: Ir, dtype: str, a: Val, b: Val) -> Val:
    return a - b


@ARITHMETIC.enter("rsub", "rsub_number", dtypes=NUMBERS)
def _rsub(ir: Ir, dtype: str, a: Val, b: Val) -> Val:
    return b - a


@ARITHMETIC.enter("mul", dtypes=ALL)
def _mul(ir: Ir, dtype: str, a: Val, b: Val) -> Val:
    return a & b if dtype == "b1" else a * b


@ARITHMETIC.enter("div")
def _div(ir: Ir, dtype: str, a: Val, b: Val) -> Val:
    return a / b


@ARITHMETIC.enter("neg", dtypes=NUMBERS)
def _neg(ir: Ir, dtype: str, x: Val) -> Val:
    return -x


@ARITHMETIC.enter("abs", dtypes=ALL)
def _abs(ir: Ir, dtype: str, x: Val) -> Val:
    if dtype in FLOATS:
        return absolute(ir, x)
    return x if dtype in ("u1", "b1") else (x < 0).where(-x, x)


@ARITHMETIC.enter("reciprocal")
def _reciprocal(ir: Ir, dtype: str, x: Val) -> Val:
    return 1.0 / x


@ARITHMETIC.enter("sqrt")
def _sqrt(ir: Ir, dtype: str, x: Val) -> Val:
    return elementary.sqrt(ir, x)


@ARITHMETIC.enter("rsqrt")
def _rsqrt(ir: Ir, dtype: str, x: Val) -> Val:
    return 1.0 / elementary.sqrt(ir, x)


@ARITHMETIC.enter("fma")
def _fma(ir: Ir, dtype: str, a: Val, b: Val, c: Val) -> Val:
    return ir.fma(a, b, c)


@ARITHMETIC.enter("clone", "contiguous", "conj", "conj_physical", "real", dtypes=ALL)
def _same(ir: Ir, dtype: str, x: Val) -> Val:
    return x


# --- comparison and choice -------------------------------------------------------------------------------------------


def ordered(dtype: str, a: Val, b: Val) -> tuple[Val, Val]:
    """Values that signed comparison orders rightly."""
    return (a.convert("zext", "i16"), b.convert("zext", "i16")) if dtype in ("u1", "b1") else (a, b)


def _comparison(name: str, compare: Callable[[Val, Val], Val]) -> None:
    @ARITHMETIC.enter(name, dtypes=ALL)
    def function(ir: Ir, dtype: str, a: Val, b: Val) -> Val:
        return compare(*ordered(dtype, a, b))


_comparison("gt", lambda a, b: a > b)
_comparison("ge", lambda a, b: a >= b)
_comparison("lt", lambda a, b: a < b)
_comparison("le", lambda a, b: a <= b)
_comparison("eq", lambda a, b: a.eq(b))
_comparison("ne", lambda a, b: a.ne(b))


def _extremum(name: str, beyond: Callable[[Val, Val], Val], *, nan_wins: bool) -> None:
    @ARITHMETIC.enter(name, dtypes=ALL)
    def function(ir: Ir, dtype: str, a: Val, b: Val) -> Val:
        y = beyond(*ordered(dtype, b, a)).where(b, a)  # a if either is NaN: one instruction on x86
        if dtype not in FLOATS:
            return y
        return (b if nan_wins else a).is_nan().where(b, y)


_extremum("maximum", lambda a, b: a > b, nan_wins=True)
_extremum("minimum", lambda a, b: a < b, nan_wins=True)
_extremum("fmax", lambda a, b: a > b, nan_wins=False)
_extremum("fmin", lambda a, b: a < b, nan_wins=False)


@ARITHMETIC.enter("zero_where", dtypes=ALL)
def _zero_where(ir: Ir, dtype: str, x: Val, mask: Val) -> Val:
    return mask.where(0, x)


@ARITHMETIC.enter("clamp", dtypes=NUMBERS)
def _clamp(ir: Ir, dtype: str, x: Val, *, min: Any, max: Any) -> Val:
    if min is not None:
        a, b = ordered(dtype, x, x.like(min))
        x = (a < b).where(x.like(min), x)
    if max is not None:
        a, b = ordered(dtype, x, x.like(max))
        x = (a > b).where(x.like(max), x)
    return x


@ARITHMETIC.enter("sign", "sgn", dtypes=NUMBERS)
def _sign(ir: Ir, dtype: str, x: Val) -> Val:
    if dtype == "u1":
        return x.ne(0).where(x.like(1), 0)
    return (x > 0).where(x.like(1), (x < 0).where(x.like(-1), 0))


@ARITHMETIC.enter("isnan")
def _isnan(ir: Ir, dtype: str, x: Val) -> Val:
    return x.is_nan()


@ARITHMETIC.enter("isinf")
def _isinf(ir: Ir, dtype: str, x: Val) -> Val:
    return absolute(ir, x).eq(math.inf)


@ARITHMETIC.enter("isfinite")
def _isfinite(ir: Ir, dtype: str, x: Val) -> Val:
    return absolute(ir, x) < math.inf


@ARITHMETIC.enter("signbit")
def _signbit(ir: Ir, dtype: str, x: Val) -> Val:
    return x.bits() < 0


@ARITHMETIC.enter("copysign")
def _copysign(ir: Ir, dtype: str, a: Val, b: Val) -> Val:
    return copysign(ir, a, b)


# --- logic and bits ---------------------------------------------------------------------------------------------------


def _truth(x: Val) -> Val:
    return x if x.elem == "i1" else x.ne(0)


@ARITHMETIC.enter("logical_and", dtypes=ALL)
def _logical_and(ir: Ir, dtype: str, a: Val, b: Val) -> Val:
    return _truth(a) & _truth(b)


@ARITHMETIC.enter("logical_or", dtypes=ALL)
def _logical_or(ir: Ir, dtype: str, a: Val, b: Val) -> Val:
    return _truth(a) | _truth(b)


@ARITHMETIC.enter("logical_xor", dtypes=ALL)
def _logical_xor(ir: Ir, dtype: str, a: Val, b: Val) -> Val:
    return _truth(a) ^ _truth(b)


@ARITHMETIC.enter("logical_not", dtypes=ALL)
def _logical_not(ir: Ir, dtype: str, x: Val) -> Val:
    return ~_truth(x)


@ARITHMETIC.enter("bitwise_and", dtypes=(*INTEGERS, "b1"))
def _bitwise_and(ir: Ir, dtype: str, a: Val, b: Val) -> Val:
    return a & b


@ARITHMETIC.enter("bitwise_or", dtypes=(*INTEGERS, "b1"))
def _bitwise_or(ir: Ir, dtype: str, a: Val, b: Val) -> Val:
    return a | b


@ARITHMETIC.enter("bitwise_xor", dtypes=(*INTEGERS, "b1"))
def _bitwise_xor(ir: Ir, dtype: str, a: Val, b: Val) -> Val:
    return a ^ b


@ARITHMETIC.enter("bitwise_not", dtypes=(*INTEGERS, "b1"))
def _bitwise_not(ir: Ir, dtype: str, x: Val) -> Val:
    return ~x


def _shift_is_wide(dtype: str, b: Val) -> Val:
    """Where a shift moves all bits out (a negative one counts as such)."""
    return ir_unsigned_ge(b, bits_of(b.elem))


def ir_unsigned_ge(a: Val, b: int) -> Val:
    """Unsigned comparison with a number."""
    return a.ir.line("i1", a.lanes, f"icmp uge {a.typed}, {a.like(b).text}")


@ARITHMETIC.enter("bitwise_left_shift", dtypes=INTEGERS)
def _left_shift(ir: Ir, dtype: str, a: Val, b: Val) -> Val:
    wide = _shift_is_wide(dtype, b)
    return wide.where(0, a << wide.where(0, b))


@ARITHMETIC.enter("bitwise_right_shift", dtypes=INTEGERS)
def _right_shift(ir: Ir, dtype: str, a: Val, b: Val) -> Val:
    wide = _shift_is_wide(dtype, b)
    if dtype == "u1":
        return wide.where(0, a.lshr(wide.where(0, b)))
    return a.ashr(wide.where(b.like(bits_of(b.elem) - 1), b))


# --- rounding --------------------------------------------------------------------------------------------------------


def _rounding(name: str, intrinsic: str) -> None:
    @ARITHMETIC.enter(name, dtypes=NUMBERS)
    def function(ir: Ir, dtype: str, x: Val) -> Val:
        return ir.intrinsic(intrinsic, x) if dtype in FLOATS else x


_rounding("floor", "floor")
_rounding("ceil", "ceil")
_rounding("trunc", "trunc")
_rounding("round", "rint")


@ARITHMETIC.enter("frac")
def _frac(ir: Ir, dtype: str, x: Val) -> Val:
    return x - ir.intrinsic("trunc", x)
