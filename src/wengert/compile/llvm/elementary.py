"""Exponentials, logarithms and powers in IR: range reduction and a polynomial, in vectors of any width.

Every function takes the builder and a float32 or float64 value, and keeps NaN, the infinities, signed zeros and
denormals as IEEE 754 and C have them. The stated errors, in units in the last place, are what the tests hold them to.
"""

from __future__ import annotations

import math
from typing import Final

from wengert.compile.llvm import coefficients as fits
from wengert.compile.llvm import tables, wide
from wengert.compile.llvm.ir import Ir, Val

LOG2E: Final = 1.0 / math.log(2.0)
_MAGIC: Final = {"float": 1.5 * 2.0**23, "double": 1.5 * 2.0**52}
_MANTISSA: Final = {"float": 23, "double": 52}
_BIAS: Final = {"float": 127, "double": 1023}
# Beyond these, exp is infinite or zero, and the exponent of its scale would not fit two halves.
_EXP_RANGE: Final = {"float": (-105.0, 89.5), "double": (-746.0, 710.5)}
_ROOT_HALF_BITS: Final = {"float": 0x3F3504F3, "double": 0x3FE6A09E667F3BCD}
_MIN_NORMAL: Final = {"float": 2.0**-126, "double": 2.0**-1022}


def is_single(x: Val) -> bool:
    """Whether a value is float32."""
    return x.elem == "float"


def absolute(ir: Ir, x: Val) -> Val:
    """|x|."""
    return ir.intrinsic("fabs", x)


def copysign(ir: Ir, size: Val, sign: Val) -> Val:
    """The size of one with the sign of the other."""
    return ir.intrinsic("copysign", size, sign)


def strict(ir: Ir) -> _Strict:
    """Within this context nothing is reassociated: error-free transformations depend on it."""
    return _Strict(ir)


class _Strict:
    __slots__ = ("flags", "ir")

    def __init__(self, ir: Ir) -> None:
        self.ir = ir
        self.flags = ir.flags

    def __enter__(self) -> None:
        self.ir.flags = ""

    def __exit__(self, *_: object) -> None:
        self.ir.flags = self.flags


def round_to_int(x: Val) -> tuple[Val, Val]:
    """The nearest integer, as a float and as an integer of the same width: for |x| below 2^22 (2^51)."""
    magic = _MAGIC[x.elem]
    shifted = x + magic
    return shifted - magic, shifted.bits() - shifted.like(magic).bits()


def power_of_two(n: Val, elem: str) -> Val:
    """2^n as a float, for an n that a normal number can have."""
    return ((n + _BIAS[elem]) << _MANTISSA[elem]).bits()


def scale(y: Val, n: Val) -> Val:
    """Y * 2^n in two steps, so that results in the denormals and at the edge of overflow come out rounded once."""
    half = n.ashr(1)
    return y * power_of_two(half, y.elem) * power_of_two(n - half, y.elem)


def clamped(x: Val, low: float, high: float) -> Val:
    """X within bounds; NaN stays NaN."""
    x = (x < low).where(low, x)
    return (x > high).where(high, x)


def _reduced(ir: Ir, x: Val) -> tuple[Val, Val, Val]:
    """X = n ln 2 + r: n as a float and as an integer, and r."""
    high, low = fits.LN2_F if is_single(x) else fits.LN2_D
    n, whole = round_to_int(x * LOG2E)
    return n, whole, ir.fma(n, -low, ir.fma(n, -high, x))


def _exp_rest(ir: Ir, r: Val) -> Val:
    """exp(r) - 1 - r, for |r| <= ln(2) / 2."""
    return r * r * ir.polynomial(fits.EXP_F if is_single(r) else fits.EXP_D, r)


def _exp_by_table(ir: Ir, x: Val) -> Val:
    """exp(x) = 2^n 2^(j / 16) exp(r) with |r| <= ln(2) / 32."""
    single = is_single(x)
    high, low = fits.LN2_F if single else fits.LN2_D
    roots, lost, near = (
        (tables.ROOTS_OF_TWO_F, tables.ROOTS_LOST_F, tables.EXP_NEAR_F)
        if single
        else (tables.ROOTS_OF_TWO_D, tables.ROOTS_LOST_D, tables.EXP_NEAR_D)
    )
    magic = _MAGIC[x.elem] / wide.ENTRIES  # its last digit is worth a sixteenth
    shifted = ir.fma(x, LOG2E, magic)
    n = shifted - magic
    j = shifted.bits()
    root = wide.lookup(ir, roots, j)
    r = ir.fma(n, -high, x) + ir.fma(n, -low, wide.lookup(ir, lost, j))
    r = wide.within(ir, r, 0.03)  # n tells the result where x is huge, infinite or NaN
    square = r * r
    rest = ir.fma(square, ir.even_and_odd(near, r, square), r)
    return wide.scaled(ir, ir.fma(root, rest, root), n)


def exp(ir: Ir, x: Val) -> Val:
    """Exponential: at most 1.5 ulp."""
    with strict(ir):
        if wide.has_tables(ir):
            return _exp_by_table(ir, x)
        _, whole, r = _reduced(ir, clamped(x, *_EXP_RANGE[x.elem]))
        return scale((_exp_rest(ir, r) + r) + 1.0, whole)


def exp_of_sum(ir: Ir, high: Val, low: Val) -> Val:
    """exp(high + low) for a small ``low``, float64."""
    with strict(ir):
        bounded = clamped(high, *_EXP_RANGE["double"])
        low = bounded.eq(high).where(low, 0.0)
        _, whole, r = _reduced(ir, bounded)
        r = r + low
        return scale((_exp_rest(ir, r) + r) + 1.0, whole)


def exp2(ir: Ir, x: Val) -> Val:
    """Two to a power: at most 1.5 ulp."""
    if is_single(x):
        return ir_narrow(exp2(ir, widen(x)))
    with strict(ir):
        bounded = clamped(x, -1080.0, 1025.0)
        n, whole = round_to_int(bounded)
        part = bounded - n
        high, low = fits_ln2_full()
        r = part * high
        rest = ir.product_rest(part, high, r) + part * low
        return scale((_exp_rest(ir, r) + rest + r) + 1.0, whole)


def fits_ln2_full() -> tuple[float, float]:
    """Ln 2 as a float64 and what that lacks."""
    return math.log(2.0), 2.3190468138462996e-17


def expm1(ir: Ir, x: Val) -> Val:
    """exp(x) - 1: at most 2 ulp."""
    with strict(ir):
        low, high = _EXP_RANGE[x.elem]
        n, whole, r = _reduced(ir, clamped(x, low / 2, high))
        whole = n.ne(n).where(whole.like(0), whole)
        inner = _exp_rest(ir, r) + r
        # 2^n (e + 1) - 1 = 2^n e + (2^n - 1), where 2^n may be one more than the largest exponent
        half = whole.ashr(1)
        first, second = power_of_two(half, x.elem), power_of_two(whole - half, x.elem)
        top = whole > _BIAS[x.elem]
        bound = power_of_two(top.where(whole.like(0), whole), x.elem)
        y = top.where((inner + 1.0) * first * second, inner * bound + (bound - 1.0))
        return x.eq(0.0).where(x, y)


def _split(ir: Ir, x: Val) -> tuple[Val, Val]:
    """A positive x = 2^e m with m in sqrt(1/2) .. sqrt(2): e as a float, and m."""
    bits, small = _MANTISSA[x.elem], x < _MIN_NORMAL[x.elem]
    grown = small.where(x * 2.0 ** (bits + 1), x)
    start = _ROOT_HALF_BITS[x.elem]
    moved = grown.bits() - start
    exponent = moved.ashr(bits).convert("sitofp", x.elem)
    exponent = exponent - small.where(x.like(bits + 1.0), x.like(0.0))
    return exponent, ((moved & ((1 << bits) - 1)) + start).bits()


def _log_specials(x: Val, y: Val) -> Val:
    """The logarithm where x is positive and finite; -inf at 0, inf at inf, NaN below 0."""
    y = (x > 0.0).where(y, x.eq(0.0).where(x.like(-math.inf), math.nan))
    return x.eq(math.inf).where(x, y)


def log_core(ir: Ir, e: Val, f: Val) -> Val:
    """E ln 2 + ln(1 + f) for 1 + f in sqrt(1/2) .. sqrt(2)."""
    high, low = fits.LN2_F if is_single(f) else fits.LN2_D
    square = f * f
    half = square * 0.5
    if is_single(f):
        rest = f * square * ir.polynomial(fits.LOG_F, f)
        rest = ir.fma(e, low, rest)
        return ir.fma(e, high, f - (half - rest))
    s = f / (f + 2.0)
    z = s * s
    rest = ir.fma(s, half + z * ir.polynomial(fits.LOG_S_D, z), e * low)
    return ir.fma(e, high, f - (half - rest))


def log(ir: Ir, x: Val) -> Val:
    """Natural logarithm: at most 1 ulp."""
    with strict(ir):
        e, m = _split(ir, x)
        return _log_specials(x, log_core(ir, e, m - 1.0))


def log1p(ir: Ir, x: Val) -> Val:
    """ln(1 + x): at most 2 ulp."""
    with strict(ir):
        u = x + 1.0
        # what the rounding of 1 + x lost, relative to it
        big = x > 1.0
        lost = big.where(1.0 - (u - x), x - (u - 1.0))
        e, m = _split(ir, u)
        y = log_core(ir, e, m - 1.0) + lost / u
        y = _log_specials(u, y)
        return absolute(ir, x).__lt__(_MIN_NORMAL[x.elem] * 2.0**10).where(x, y)


def log_parts(ir: Ir, x: Val) -> tuple[Val, Val, Val]:
    """ln(m) as high + low (to about 2^-66 of it), for x = 2^e m, and e; float64 and positive."""
    e, m = _split(ir, x)
    f = m - 1.0
    d = f + 2.0
    s = f / d
    d_low = f - (d - 2.0)
    s_low = (ir.product_less(f, s, d) - s * d_low) / d
    z = s * s
    z_low = ir.product_rest(s, s, z) + 2.0 * s * s_low
    # 2 s (1 + z / 3 + z^2 P(z)), the middle term in two floats
    third = 1.0 / 3.0
    third_low = 1.850371707708594e-17
    a = z * third
    a_low = ir.product_rest(z, third, a) + (z * third_low + z_low * third)
    c = z * z * ir.polynomial(fits.LOG_S_REST_D, z) * 0.5
    b = a + c
    b_low = (a - b) + c + a_low
    s2, s2_low = s * 2.0, s_low * 2.0
    p = s2 * b
    p_low = ir.product_rest(s2, b, p) + (s2 * b_low + s2_low * b)
    high = s2 + p
    low = (s2 - high) + p + (p_low + s2_low)
    return high, low, e


def _log_to_base(ir: Ir, x: Val, base: tuple[float, ...], exponent: tuple[float, float]) -> Val:
    with strict(ir):
        high, low, e = log_parts(ir, x)
        p = high * base[0]
        p_low = ir.product_rest(high, base[0], p) + ir.fma(high, base[1], low * base[0])
        whole = e * exponent[0]
        total = whole + p
        rest = ((whole - total) + p) + ir.fma(e, exponent[1], p_low)
        # where the exponent is 0 the sum is p alone, and exact
        return _log_specials(x, total + rest)


def log2(ir: Ir, x: Val) -> Val:
    """Logarithm to the base 2: at most 1 ulp, exact for powers of 2."""
    if is_single(x):
        return ir_narrow(log2(ir, widen(x)))
    return _log_to_base(ir, x, fits.LOG2E_D, (1.0, 0.0))


def log10(ir: Ir, x: Val) -> Val:
    """Logarithm to the base 10: at most 1 ulp, exact for powers of 10."""
    if is_single(x):
        return ir_narrow(log10(ir, widen(x)))
    return _log_to_base(ir, x, fits.LOG10E_D, fits.LOG10_2_D)


def widen(x: Val) -> Val:
    """Float32 to float64."""
    return x.convert("fpext", "double")


def ir_narrow(x: Val) -> Val:
    """Float64 to float32, rounded."""
    return x.convert("fptrunc", "float")


def sqrt(ir: Ir, x: Val) -> Val:
    """Square root, rounded correctly."""
    return ir.intrinsic("sqrt", x)


def _pow_positive(ir: Ir, a: Val, b: Val) -> Val:
    """a^b for a > 0, finite, in float64."""
    high, low, e = log_parts(ir, a)
    ln2, ln2_low = fits.LN2_D
    whole = e * ln2  # exact
    total = whole + high
    rest = ((whole - total) + high) + ir.fma(e, ln2_low, low)
    log_high = total + rest
    log_low = (total - log_high) + rest
    p = b * log_high
    p_low = ir.product_rest(b, log_high, p) + b * log_low
    huge = absolute(ir, p) > 1e4
    return exp_of_sum(ir, p, huge.where(0.0, p_low))


def power(ir: Ir, a: Val, b: Val) -> Val:
    """a^b with C's special cases: at most 1 ulp."""
    if is_single(a):
        return ir_narrow(power(ir, widen(a), widen(b)))
    with strict(ir):
        size, reach = absolute(ir, a), absolute(ir, b)
        truncated = ir.intrinsic("trunc", b)
        integer = truncated.eq(b)  # infinite counts as even
        half = b * 0.5
        odd = integer & ir.intrinsic("trunc", half).ne(half) & (reach < math.inf)
        y = _pow_positive(ir, size, b)
        # zero and infinity to a power: infinite or zero by the sign of the power
        grows = (size > 1.0) ^ (b < 0.0)
        edge = size.eq(0.0) | size.eq(math.inf) | reach.eq(math.inf)
        y = edge.where(grows.where(y.like(math.inf), 0.0), y)
        negative = copysign(ir, a.like(1.0), a) < 0.0
        y = (negative & odd).where(-y, y)
        y = ((a < 0.0) & (size < math.inf) & ~integer).where(math.nan, y)
        y = (a.is_nan() | b.is_nan()).where(a + b, y)
        one = b.eq(0.0) | a.eq(1.0) | (size.eq(1.0) & reach.eq(math.inf))
        return one.where(1.0, y)


def sigmoid(ir: Ir, x: Val) -> Val:
    """1 / (1 + exp(-x)): at most 2.5 ulp."""
    return 1.0 / (exp(ir, -x) + 1.0)


def tanh(ir: Ir, x: Val) -> Val:
    """Hyperbolic tangent: at most 2 ulp."""
    with strict(ir):
        size = absolute(ir, x)
        if is_single(x) and wide.has_tables(ir):
            return copysign(ir, wide.piecewise(ir, tables.TANH, size), x)
        z = x * x
        near = ir.fma(x * z, ir.polynomial(fits.TANH_F if is_single(x) else fits.TANH_D, z), x)
        far = 1.0 - 2.0 / (exp(ir, size * 2.0) + 1.0)
        return copysign(ir, (size < 1.0).where(near, far), x)


def sinh(ir: Ir, x: Val) -> Val:
    """Hyperbolic sine: at most 2 ulp."""
    with strict(ir):
        size = absolute(ir, x)
        z = x * x
        near = ir.fma(x * z, ir.polynomial(fits.SINH_F if is_single(x) else fits.SINH_D, z), x)
        e = exp_half(ir, size)
        # e = exp(|x|) / 2 does not overflow before sinh does
        far = e - 0.25 / e
        return (size < 1.0).where(near, copysign(ir, far, x))


def cosh(ir: Ir, x: Val) -> Val:
    """Hyperbolic cosine: at most 2 ulp."""
    with strict(ir):
        e = exp_half(ir, absolute(ir, x))
        return e + 0.25 / e


def exp_half(ir: Ir, x: Val) -> Val:
    """exp(x) / 2 for x >= 0."""
    low, high = _EXP_RANGE[x.elem]
    _, whole, r = _reduced(ir, clamped(x, low, high + 0.7))
    return scale((_exp_rest(ir, r) + r) + 1.0, whole - 1)
