"""The error function, the gamma function and their relatives in IR, from the polynomials of the eager operations."""

from __future__ import annotations

import math
from typing import Final

from wengert.compile.llvm import coefficients as fits
from wengert.compile.llvm.circular import sin, tan
from wengert.compile.llvm.elementary import (
    absolute,
    copysign,
    exp,
    ir_narrow,
    is_single,
    log,
    log1p,
    sqrt,
    strict,
    widen,
)
from wengert.compile.llvm.ir import Ir, Val
from wengert.ops.special_fits import (
    DIGAMMA_FAR,
    DIGAMMA_NEAR,
    DIGAMMA_ZERO,
    ERFC_TAIL,
    ERFC_TAIL_SINGLE,
    ERFINV_CENTRE,
    ERFINV_TAIL,
    LGAMMA_FAR,
    LGAMMA_NEAR,
    Fit,
)

_TWO_OVER_ROOT_PI: Final = 2.0 / math.sqrt(math.pi)
_HALF_LOG_TWO_PI: Final = 0.5 * math.log(2.0 * math.pi)
_LOG_PI: Final = math.log(math.pi)
_FIT_END: Final = 28.0


def fitted(ir: Ir, fit: Fit, x: Val) -> Val:
    """A fitted polynomial."""
    middle, scale, coefficients = fit
    return ir.polynomial(coefficients, (x - middle) * scale)


def _erf_near(ir: Ir, x: Val) -> Val:
    """erf(x) for |x| <= 1."""
    z = x * x
    rest = ir.polynomial(fits.ERF_F if is_single(x) else fits.ERF_D, z)
    return ir.fma(x, _TWO_OVER_ROOT_PI, x * rest)


def _erfc_far(ir: Ir, size: Val) -> Val:
    """erfc(x) for x >= 1."""
    bounded = (size > _FIT_END).where(_FIT_END, size)
    square = bounded * bounded
    lost = ir.product_rest(bounded, bounded, square)
    tail = fitted(ir, ERFC_TAIL_SINGLE if is_single(size) else ERFC_TAIL, (bounded - 3.0) / (bounded + 3.0))
    tail = tail / (bounded * 2.0 + 1.0)
    # exp(-x^2) is scaled up, as it is a denormal where its product with the tail is not accurate any more
    return tail * exp(ir, -square) * (1.0 - lost)


def erf(ir: Ir, x: Val) -> Val:
    """Error function: at most 2 ulp."""
    with strict(ir):
        size = absolute(ir, x)
        far = copysign(ir, 1.0 - _erfc_far(ir, size), x)
        return (size < 1.0).where(copysign(ir, _erf_near(ir, x), x), x.is_nan().where(x, far))


def erfc(ir: Ir, x: Val) -> Val:
    """One minus the error function: at most 4 ulp."""
    if is_single(x):
        return ir_narrow(erfc(ir, widen(x)))
    with strict(ir):
        size = absolute(ir, x)
        far = _erfc_far(ir, size)
        y = (size < 1.0).where(1.0 - _erf_near(ir, x), (x < 0.0).where(2.0 - far, far))
        return x.is_nan().where(x, y)


def erfinv(ir: Ir, x: Val) -> Val:
    """Inverse of the error function: at most 3 ulp; infinite at -1 and 1, NaN beyond."""
    if is_single(x):
        return ir_narrow(erfinv(ir, widen(x)))
    with strict(ir):
        size = absolute(ir, x)
        w = (size < 0.5).where(-log1p(ir, -size * size), -log(ir, (1.0 - size) * (1.0 + size)))
        centre = fitted(ir, ERFINV_CENTRE, (w > 6.25).where(6.25, w))
        tail = fitted(ir, ERFINV_TAIL, sqrt(ir, (w > 6.25).where(w, 6.25)))
        y = (w <= 6.25).where(centre, tail) * x
        return size.eq(1.0).where(copysign(ir, x.like(math.inf), x), (size > 1.0).where(math.nan, y))


def normal_cdf(ir: Ir, x: Val) -> Val:
    """(1 + erf(x / sqrt(2))) / 2."""
    return erf(ir, x * math.sqrt(0.5)) * 0.5 + 0.5


def _lgamma_positive(ir: Ir, x: Val) -> Val:
    small = x < 1.0
    z = small.where(x + 1.0, x)
    middle = (z > 3.0).where(3.0, z)
    near = fitted(ir, LGAMMA_NEAR, middle) * ((middle - 1.0) * (middle - 2.0)) + 0.0
    logarithm = log(ir, x)
    near = small.where(near - logarithm, near)
    far_x = (x > 3.0).where(x, 3.0)
    inverse = 1.0 / far_x
    stirling = (far_x - 0.5) * logarithm - far_x + _HALF_LOG_TWO_PI
    far = stirling + fitted(ir, LGAMMA_FAR, inverse * inverse) * inverse
    # what is left of it for large x, which does not overflow before its time
    far = (x > 1e17).where(x * (logarithm - 1.0), far)
    return (x > 3.0).where(far, near)


def lgamma(ir: Ir, x: Val) -> Val:
    """ln|gamma(x)|: some ulp of the larger of the result and 1; infinite at the poles."""
    if is_single(x):
        return ir_narrow(lgamma(ir, widen(x)))
    with strict(ir):
        negative = x < 0.0
        y = _lgamma_positive(ir, negative.where(1.0 - x, x))
        nearest = ir.intrinsic("rint", x)
        sine = absolute(ir, sin(ir, (x - nearest) * math.pi))
        reflected = _LOG_PI - log(ir, negative.where(sine, 1.0)) - y
        pole = (nearest.eq(x) & (x <= 0.0)) | absolute(ir, x).eq(math.inf)
        return pole.where(math.inf, negative.where(reflected, y))


def _digamma_positive(ir: Ir, x: Val) -> Val:
    small = x < 1.0
    z = small.where(x + 1.0, x)
    middle = (z > 2.0).where(2.0, z)
    near = fitted(ir, DIGAMMA_NEAR, middle) * ((middle - DIGAMMA_ZERO[0]) - DIGAMMA_ZERO[1])
    near = small.where(near - 1.0 / x, near)
    far_x = (x > 2.0).where(x, 2.0)
    inverse = 1.0 / far_x
    square = inverse * inverse
    far = log(ir, far_x) - 0.5 * inverse - fitted(ir, DIGAMMA_FAR, square) * square
    return (x > 2.0).where(far, near)


def digamma(ir: Ir, x: Val) -> Val:
    """Derivative of ln gamma: some ulp of the larger of the result and 1; NaN at the poles but 0, infinite there."""
    if is_single(x):
        return ir_narrow(digamma(ir, widen(x)))
    with strict(ir):
        negative = x < 0.0
        y = _digamma_positive(ir, negative.where(1.0 - x, x))
        nearest = ir.intrinsic("rint", x)
        reflected = y - math.pi / tan(ir, (x - nearest) * math.pi)
        y = negative.where(nearest.eq(x).where(math.nan, reflected), y)
        return x.eq(0.0).where(copysign(ir, x.like(math.inf), -x), y)
