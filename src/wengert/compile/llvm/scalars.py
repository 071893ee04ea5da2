"""The elementwise operations of the table as IR, by name: one function each, on scalars and vectors alike.

An entry takes the builder, the NumPy dtype of its inputs and the inputs, and the operation's metadata. The formulas are
those of the NumPy implementations, so that compiled results equal eager ones to rounding.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

from wengert.compile.llvm import circular, elementary, inverse, special
from wengert.compile.llvm.elementary import absolute, copysign
from wengert.compile.llvm.ir import Ir, Val

ELEMENTS: Final = {
    "f4": "float",
    "f8": "double",
    "i1": "i8",
    "i2": "i16",
    "i4": "i32",
    "i8": "i64",
    "u1": "i8",
    "b1": "i1",
}
Scalar = Callable[..., Val]
FLOATS: Final = ("f4", "f8")
SIGNED: Final = ("i1", "i2", "i4", "i8")
INTEGERS: Final = (*SIGNED, "u1")
NUMBERS: Final = (*FLOATS, *INTEGERS)
ALL: Final = (*NUMBERS, "b1")

TABLE: Final[dict[str, tuple[Scalar, tuple[str, ...]]]] = {}


def scalar(*names: str, dtypes: tuple[str, ...] = FLOATS) -> Callable[[Scalar], Scalar]:
    """Enter a function under these names, for inputs of these dtypes."""

    def enter(function: Scalar) -> Scalar:
        for name in names:
            TABLE[name] = function, dtypes
        return function

    return enter


def supports(op: str, dtype: str, meta: tuple[tuple[str, Any], ...] = ()) -> bool:
    """Whether the operation can be emitted for inputs of a dtype (the second input's, for `where`)."""
    if op in ("cast", "where"):
        return dtype in ELEMENTS
    return op in TABLE and dtype in TABLE[op][1]


def emit(ir: Ir, op: str, dtype: str, args: tuple[Val, ...], meta: dict[str, Any]) -> Val:
    """The operation on inputs of one dtype and one number of lanes."""
    return TABLE[op][0](ir, dtype, *args, **meta)


def cast(x: Val, source: str, target: str) -> Val:
    """X as another dtype, with NumPy's meaning."""
    elem = ELEMENTS[target]
    if source == target:
        return x
    if target == "b1":
        return x.ne(0)
    if source in FLOATS:
        if target in FLOATS:
            return x.convert("fpext" if target == "f8" else "fptrunc", elem)
        wide = x.convert("fptosi", "i64" if target == "i8" else "i32")
        return wide if wide.elem == elem else wide.convert("trunc", elem)
    unsigned = source in ("b1", "u1")
    if target in FLOATS:
        return x.convert("uitofp" if unsigned else "sitofp", elem)
    have, want = bits_of(x.elem), bits_of(elem)
    if have == want:
        return x
    return x.convert("trunc" if have > want else "zext" if unsigned else "sext", elem)


def bits_of(elem: str) -> int:
    """The width of an integer type."""
    return int(elem[1:])


# --- arithmetic ------------------------------------------------------------------------------------------------------


@scalar("add", dtypes=ALL)
def _add(ir: Ir, dtype: str, a: Val, b: Val) -> Val:
    return a | b if dtype == "b1" else a + b


@scalar("sub", dtypes=NUMBERS)
def _sub(ir: Ir, dtype: str, a: Val, b: Val) -> Val:
    return a - b


@scalar("rsub", "rsub_number", dtypes=NUMBERS)
def _rsub(ir: Ir, dtype: str, a: Val, b: Val) -> Val:
    return b - a


@scalar("mul", dtypes=ALL)
def _mul(ir: Ir, dtype: str, a: Val, b: Val) -> Val:
    return a & b if dtype == "b1" else a * b


@scalar("div")
def _div(ir: Ir, dtype: str, a: Val, b: Val) -> Val:
    return a / b


@scalar("neg", dtypes=NUMBERS)
def _neg(ir: Ir, dtype: str, x: Val) -> Val:
    return -x


@scalar("abs", dtypes=ALL)
def _abs(ir: Ir, dtype: str, x: Val) -> Val:
    if dtype in FLOATS:
        return absolute(ir, x)
    return x if dtype in ("u1", "b1") else (x < 0).where(-x, x)


@scalar("reciprocal")
def _reciprocal(ir: Ir, dtype: str, x: Val) -> Val:
    return 1.0 / x


@scalar("sqrt")
def _sqrt(ir: Ir, dtype: str, x: Val) -> Val:
    return elementary.sqrt(ir, x)


@scalar("rsqrt")
def _rsqrt(ir: Ir, dtype: str, x: Val) -> Val:
    return 1.0 / elementary.sqrt(ir, x)


@scalar("fma")
def _fma(ir: Ir, dtype: str, a: Val, b: Val, c: Val) -> Val:
    return ir.fma(a, b, c)


@scalar("clone", "contiguous", "conj", "conj_physical", "real", dtypes=ALL)
def _same(ir: Ir, dtype: str, x: Val) -> Val:
    return x


# --- comparison and choice -------------------------------------------------------------------------------------------


def _ordered(dtype: str, a: Val, b: Val) -> tuple[Val, Val]:
    """Values that signed comparison orders rightly."""
    return (a.convert("zext", "i16"), b.convert("zext", "i16")) if dtype in ("u1", "b1") else (a, b)


def _comparison(name: str, compare: Callable[[Val, Val], Val]) -> None:
    @scalar(name, dtypes=ALL)
    def function(ir: Ir, dtype: str, a: Val, b: Val) -> Val:
        return compare(*_ordered(dtype, a, b))


_comparison("gt", lambda a, b: a > b)
_comparison("ge", lambda a, b: a >= b)
_comparison("lt", lambda a, b: a < b)
_comparison("le", lambda a, b: a <= b)
_comparison("eq", lambda a, b: a.eq(b))
_comparison("ne", lambda a, b: a.ne(b))


def _extremum(name: str, compare: Callable[[Val, Val], Val], *, nan_wins: bool) -> None:
    @scalar(name, dtypes=ALL)
    def function(ir: Ir, dtype: str, a: Val, b: Val) -> Val:
        keep = compare(*_ordered(dtype, a, b))
        if dtype in FLOATS:
            keep = keep | (a.is_nan() if nan_wins else b.is_nan())
        return keep.where(a, b)


_extremum("maximum", lambda a, b: a >= b, nan_wins=True)
_extremum("minimum", lambda a, b: a <= b, nan_wins=True)
_extremum("fmax", lambda a, b: a >= b, nan_wins=False)
_extremum("fmin", lambda a, b: a <= b, nan_wins=False)


@scalar("zero_where", dtypes=ALL)
def _zero_where(ir: Ir, dtype: str, x: Val, mask: Val) -> Val:
    return mask.where(0, x)


@scalar("clamp", dtypes=NUMBERS)
def _clamp(ir: Ir, dtype: str, x: Val, *, min: Any, max: Any) -> Val:
    if min is not None:
        x = emit(ir, "lt", dtype, (x, x.like(min)), {}).where(x.like(min), x)
    if max is not None:
        x = emit(ir, "gt", dtype, (x, x.like(max)), {}).where(x.like(max), x)
    return x


@scalar("sign", "sgn", dtypes=NUMBERS)
def _sign(ir: Ir, dtype: str, x: Val) -> Val:
    if dtype == "u1":
        return x.ne(0).where(x.like(1), 0)
    return (x > 0).where(x.like(1), (x < 0).where(x.like(-1), 0))


@scalar("isnan")
def _isnan(ir: Ir, dtype: str, x: Val) -> Val:
    return x.is_nan()


@scalar("isinf")
def _isinf(ir: Ir, dtype: str, x: Val) -> Val:
    return absolute(ir, x).eq(math.inf)


@scalar("isfinite")
def _isfinite(ir: Ir, dtype: str, x: Val) -> Val:
    return absolute(ir, x) < math.inf


@scalar("signbit")
def _signbit(ir: Ir, dtype: str, x: Val) -> Val:
    return x.bits() < 0


@scalar("copysign")
def _copysign(ir: Ir, dtype: str, a: Val, b: Val) -> Val:
    return copysign(ir, a, b)


# --- logic and bits ---------------------------------------------------------------------------------------------------


def _truth(x: Val) -> Val:
    return x if x.elem == "i1" else x.ne(0)


@scalar("logical_and", dtypes=ALL)
def _logical_and(ir: Ir, dtype: str, a: Val, b: Val) -> Val:
    return _truth(a) & _truth(b)


@scalar("logical_or", dtypes=ALL)
def _logical_or(ir: Ir, dtype: str, a: Val, b: Val) -> Val:
    return _truth(a) | _truth(b)


@scalar("logical_xor", dtypes=ALL)
def _logical_xor(ir: Ir, dtype: str, a: Val, b: Val) -> Val:
    return _truth(a) ^ _truth(b)


@scalar("logical_not", dtypes=ALL)
def _logical_not(ir: Ir, dtype: str, x: Val) -> Val:
    return ~_truth(x)


@scalar("bitwise_and", dtypes=(*INTEGERS, "b1"))
def _bitwise_and(ir: Ir, dtype: str, a: Val, b: Val) -> Val:
    return a & b


@scalar("bitwise_or", dtypes=(*INTEGERS, "b1"))
def _bitwise_or(ir: Ir, dtype: str, a: Val, b: Val) -> Val:
    return a | b


@scalar("bitwise_xor", dtypes=(*INTEGERS, "b1"))
def _bitwise_xor(ir: Ir, dtype: str, a: Val, b: Val) -> Val:
    return a ^ b


@scalar("bitwise_not", dtypes=(*INTEGERS, "b1"))
def _bitwise_not(ir: Ir, dtype: str, x: Val) -> Val:
    return ~x


def _shift_is_wide(dtype: str, b: Val) -> Val:
    """Where a shift moves all bits out (a negative one counts as such)."""
    return ir_unsigned_ge(b, bits_of(b.elem))


def ir_unsigned_ge(a: Val, b: int) -> Val:
    """Unsigned comparison with a number."""
    return a.ir.line("i1", a.lanes, f"icmp uge {a.typed}, {a.like(b).text}")


@scalar("bitwise_left_shift", dtypes=INTEGERS)
def _left_shift(ir: Ir, dtype: str, a: Val, b: Val) -> Val:
    wide = _shift_is_wide(dtype, b)
    return wide.where(0, a << wide.where(0, b))


@scalar("bitwise_right_shift", dtypes=INTEGERS)
def _right_shift(ir: Ir, dtype: str, a: Val, b: Val) -> Val:
    wide = _shift_is_wide(dtype, b)
    if dtype == "u1":
        return wide.where(0, a.lshr(wide.where(0, b)))
    return a.ashr(wide.where(b.like(bits_of(b.elem) - 1), b))


# --- rounding --------------------------------------------------------------------------------------------------------


def _rounding(name: str, intrinsic: str) -> None:
    @scalar(name, dtypes=NUMBERS)
    def function(ir: Ir, dtype: str, x: Val) -> Val:
        return ir.intrinsic(intrinsic, x) if dtype in FLOATS else x


_rounding("floor", "floor")
_rounding("ceil", "ceil")
_rounding("trunc", "trunc")
_rounding("round", "rint")


@scalar("frac")
def _frac(ir: Ir, dtype: str, x: Val) -> Val:
    return x - ir.intrinsic("trunc", x)


# --- functions -------------------------------------------------------------------------------------------------------


def _function(name: str, function: Scalar) -> None:
    TABLE[name] = (lambda ir, dtype, *args: function(ir, *args)), FLOATS


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


@scalar("pow", "number_pow", "pow_number")
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


@scalar("hypot")
def _hypot(ir: Ir, dtype: str, a: Val, b: Val) -> Val:
    return inverse.hypot(ir, a, b)


@scalar("atan2")
def _atan2(ir: Ir, dtype: str, a: Val, b: Val) -> Val:
    return inverse.atan2(ir, a, b)


# --- quotients and remainders of floats ---------------------------------------------------------------------------


@scalar("fmod", "fmod_number")
def _fmod(ir: Ir, dtype: str, a: Val, b: Val) -> Val:
    return ir.line(a.elem, a.lanes, f"frem {a.typed}, {b.text}")


@scalar("remainder", "remainder_number", "number_remainder")
def _remainder(ir: Ir, dtype: str, a: Val, b: Val) -> Val:
    y = _fmod(ir, dtype, a, b)
    return (((y < 0.0) ^ (b < 0.0)) & y.ne(0.0) & y.eq(y)).where(y + b, y)


@scalar("floor_divide")
def _floor_divide(ir: Ir, dtype: str, a: Val, b: Val) -> Val:
    """NumPy's: from the exact remainder, so that the quotient is rounded down and not first up."""
    rest = _fmod(ir, dtype, a, b)
    quotient = (a - rest) / b
    quotient = (rest.ne(0.0) & ((b < 0.0) ^ (rest < 0.0))).where(quotient - 1.0, quotient)
    whole = ir.intrinsic("floor", quotient)
    whole = (quotient - whole > 0.5).where(whole + 1.0, whole)
    y = quotient.eq(0.0).where(copysign(ir, quotient.like(0.0), a / b), whole)
    return b.eq(0.0).where(a / b, y)


@scalar("div_rounding")
def _div_rounding(ir: Ir, dtype: str, a: Val, b: Val, *, rounding_mode: str) -> Val:
    return _floor_divide(ir, dtype, a, b) if rounding_mode == "floor" else ir.intrinsic("trunc", a / b)


# --- logarithms of sums and products ---------------------------------------------------------------------------------


@scalar("logaddexp")
def _logaddexp(ir: Ir, dtype: str, a: Val, b: Val) -> Val:
    top = _larger(a, b)
    y = top + elementary.log1p(ir, elementary.exp(ir, -absolute(ir, a - b)))
    y = a.eq(b).where(a + math.log(2.0), y)  # two infinities too
    return (a.is_nan() | b.is_nan()).where(a + b, y)


@scalar("logaddexp2")
def _logaddexp2(ir: Ir, dtype: str, a: Val, b: Val) -> Val:
    top = _larger(a, b)
    y = top + elementary.log1p(ir, elementary.exp2(ir, -absolute(ir, a - b))) * elementary.LOG2E
    y = a.eq(b).where(a + 1.0, y)
    return (a.is_nan() | b.is_nan()).where(a + b, y)


def _larger(a: Val, b: Val) -> Val:
    return (a > b).where(a, b)


@scalar("xlogy", "xlogy_from_number", "xlogy_number")
def _xlogy(ir: Ir, dtype: str, a: Val, b: Val) -> Val:
    return (a.eq(0.0) & b.eq(b)).where(0.0, a * elementary.log(ir, b))


# --- activations, by the formulas of the eager implementations -------------------------------------------------------


@scalar("relu", dtypes=NUMBERS)
def _relu(ir: Ir, dtype: str, x: Val) -> Val:
    positive = x > 0
    if dtype in FLOATS:
        positive = positive | x.is_nan()
    return positive.where(x, 0) if dtype != "u1" else x


@scalar("silu")
def _silu(ir: Ir, dtype: str, x: Val) -> Val:
    return x / (elementary.exp(ir, -x) + 1.0)


@scalar("softplus")
def _softplus(ir: Ir, dtype: str, x: Val, *, beta: float, threshold: float) -> Val:
    z = x if beta == 1 else x * beta
    y = elementary.log1p(ir, elementary.exp(ir, z))
    y = y if beta == 1 else y / beta
    return (z > threshold).where(x, y)


@scalar("logsigmoid")
def _logsigmoid(ir: Ir, dtype: str, x: Val) -> Val:
    low = emit(ir, "minimum", dtype, (x, x.like(0.0)), {})
    return low - elementary.log1p(ir, elementary.exp(ir, -absolute(ir, x)))


@scalar("gelu")
def _gelu(ir: Ir, dtype: str, x: Val) -> Val:
    return x * special.normal_cdf(ir, x)
