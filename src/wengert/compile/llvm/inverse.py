"""Inverse circular and hyperbolic functions in IR, and the length of a vector."""

from __future__ import annotations

import math
from typing import Final

from wengert.compile.llvm import coefficients as fits
from wengert.compile.llvm.elementary import absolute, copysign, ir_narrow, is_single, log, log1p, sqrt, strict, widen
from wengert.compile.llvm.ir import Ir, Val

_LN2: Final = math.log(2.0)
_ROOT_2_LESS_1: Final = math.sqrt(2.0) - 1.0


def _constants(x: Val) -> tuple[float, float]:
    """Pi / 2 in two parts of the value's type."""
    return fits.HALF_PI_F[:2] if is_single(x) else fits.HALF_PI_D[:2]


def _asin_rest(ir: Ir, x: Val, z: Val) -> Val:
    """arcsin(x) - x for z = x^2 <= 1/4."""
    return x * z * ir.polynomial(fits.ASIN_F if is_single(x) else fits.ASIN_D, z)


def _half_angle(ir: Ir, size: Val) -> tuple[Val, Val]:
    """arccos(size) = 2 arcsin(sqrt((1 - size) / 2)), for size >= 1/2: half of it as a root and the rest."""
    z = (1.0 - size) * 0.5
    root = sqrt(ir, z)
    # what the rounding of the root lost; at 1 the root is 0
    lost = root.eq(0.0).where(0.0, ir.product_less(z, root, root) / (root * 2.0))
    return root, _asin_rest(ir, root, z) + lost


def asin(ir: Ir, x: Val) -> Val:
    """Arc sine: at most 1.5 ulp."""
    with strict(ir):
        size = absolute(ir, x)
        near = size + _asin_rest(ir, size, size * size)
        root, rest = _half_angle(ir, size)
        high, low = _constants(x)
        far = high - 2.0 * root
        far = far + (((high - far) - 2.0 * root) + (low - 2.0 * rest))
        return copysign(ir, (size < 0.5).where(near, far), x)


def acos(ir: Ir, x: Val) -> Val:
    """Arc cosine: at most 1.5 ulp."""
    with strict(ir):
        size = absolute(ir, x)
        high, low = _constants(x)
        rest = _asin_rest(ir, x, x * x)
        y = high - x
        near = y + (((high - y) - x) + (low - rest))
        root, rest = _half_angle(ir, size)
        right = 2.0 * root + 2.0 * rest
        y = 2.0 * high - 2.0 * root
        left = y + (((2.0 * high - y) - 2.0 * root) + (2.0 * low - 2.0 * rest))
        return (size < 0.5).where(near, (x < 0.0).where(left, right))


def _atan_of_ratio(ir: Ir, a: Val, b: Val) -> Val:
    """arctan(a / b) for 0 <= a <= b: folded at tan(pi / 8) once more, so that the quotient is at most that."""
    high, low = _constants(a)
    fold = a > b * _ROOT_2_LESS_1
    over, under = fold.where(a - b, a), fold.where(a + b, b)
    t = over / under
    z = t * t
    # what the roundings of the quotient, and of the sum and the difference, lost
    rest = ir.product_less(over, t, under)
    less = (a - (over + b)) - t * ((b - under) + a)
    rest = rest + fold.where(less, 0.0)
    correction = rest / under
    y = t * z * ir.polynomial(fits.ATAN_F if is_single(t) else fits.ATAN_D, z) + correction
    start = high * 0.5
    whole = t + start
    return fold.where(whole + (((start - whole) + t) + (y + low * 0.5)), t + y)


def atan(ir: Ir, x: Val) -> Val:
    """Arc tangent: at most 1 ulp."""
    with strict(ir):
        size = absolute(ir, x)
        inverted = size > 1.0
        endless = size > 2.0**60  # there the angle is pi / 2 to all digits
        finite = endless.where(1.0, size)
        y = _atan_of_ratio(ir, inverted.where(x.like(1.0), finite), inverted.where(finite, 1.0))
        high, low = _constants(x)
        turned = high - y
        turned = turned + (((high - turned) - y) + low)
        y = endless.where(x.like(high), inverted.where(turned, y))
        return copysign(ir, y, x)


def atan2(ir: Ir, a: Val, b: Val) -> Val:
    """Angle of the point (b, a), with C's special cases: at most 1.5 ulp."""
    with strict(ir):
        up, across = absolute(ir, a), absolute(ir, b)
        steep = up > across
        small, large = steep.where(across, up), steep.where(up, across)
        # scaled so that neither the sum of both overflows nor a quotient of denormals loses its digits
        big = 2.0**100 if is_single(a) else 2.0**1000
        tiny = 2.0**-100 if is_single(a) else 2.0**-900
        factor = (large > big).where(large.like(2.0**-20), (large < tiny).where(large.like(1.0 / tiny), 1.0))
        both = small.eq(math.inf)
        none = large.eq(0.0)
        endless = large.eq(math.inf) & ~both
        p = both.where(1.0, (none | endless).where(0.0, small * factor))
        q = (both | none | endless).where(1.0, large * factor)
        y = _atan_of_ratio(ir, p, q)
        high, low = _constants(a)
        y = steep.where(_from(y, high, low), y)
        left = copysign(ir, b.like(1.0), b) < 0.0
        y = left.where(_from(y, 2.0 * high, 2.0 * low), y)
        y = (a.is_nan() | b.is_nan()).where(a + b, y)
        return copysign(ir, y, a)


def _from(y: Val, high: float, low: float) -> Val:
    """High + low - y."""
    turned = high - y
    return turned + (((high - turned) - y) + low)


def asinh(ir: Ir, x: Val) -> Val:
    """Inverse hyperbolic sine: at most 2 ulp."""
    if is_single(x):
        return ir_narrow(asinh(ir, widen(x)))
    with strict(ir):
        size = absolute(ir, x)
        large = size > 2.0**28
        square = large.where(0.0, size * size)
        root = sqrt(ir, square + 1.0)
        near = log1p(ir, size + square / (root + 1.0))
        far = log(ir, large.where(size, 1.0)) + _LN2
        return copysign(ir, large.where(far, near), x)


def acosh(ir: Ir, x: Val) -> Val:
    """Inverse hyperbolic cosine: at most 2 ulp; NaN below 1."""
    if is_single(x):
        return ir_narrow(acosh(ir, widen(x)))
    with strict(ir):
        large = x > 2.0**28
        t = large.where(1.0, x - 1.0)
        near = log1p(ir, t + sqrt(ir, t * 2.0 + t * t))
        far = log(ir, large.where(x, 1.0)) + _LN2
        return (x < 1.0).where(math.nan, large.where(far, near))


def atanh(ir: Ir, x: Val) -> Val:
    """Inverse hyperbolic tangent: at most 2 ulp; infinite at -1 and 1, NaN beyond."""
    if is_single(x):
        return ir_narrow(atanh(ir, widen(x)))
    with strict(ir):
        size = absolute(ir, x)
        y = log1p(ir, size * 2.0 / (1.0 - size)) * 0.5
        return (size > 1.0).where(math.nan, copysign(ir, y, x))


def hypot(ir: Ir, a: Val, b: Val) -> Val:
    """sqrt(a^2 + b^2) without overflow in between: at most 1 ulp."""
    with strict(ir):
        if is_single(a):
            wide_a, wide_b = widen(a), widen(b)
            y = ir_narrow(sqrt(ir, ir.fma(wide_a, wide_a, wide_b * wide_b)))
            endless = absolute(ir, a).eq(math.inf) | absolute(ir, b).eq(math.inf)
            return endless.where(math.inf, y)
        p, q = absolute(ir, a), absolute(ir, b)
        large = (p > q).where(p, q)
        up = large < 2.0**-500
        factor = up.where(large.like(2.0**600), (large > 2.0**500).where(large.like(2.0**-600), 1.0))
        back = up.where(large.like(2.0**-600), (large > 2.0**500).where(large.like(2.0**600), 1.0))
        s, t = p * factor, q * factor
        y = sqrt(ir, ir.fma(s, s, t * t)) * back
        endless = p.eq(math.inf) | q.eq(math.inf)
        return endless.where(math.inf, y)
