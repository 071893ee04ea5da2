"""The logarithm of the gamma function and its derivatives."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from wengert.ops.checks import NOT_COMPLEX
from wengert.ops.evaluate import Array, blockwise, by_regions, polynomial, polynomial_at, scalar_or_array
from wengert.ops.record import Kind, Promote, defop
from wengert.ops.special_fits import DIGAMMA_FAR, DIGAMMA_NEAR, DIGAMMA_ZERO, LGAMMA_FAR, LGAMMA_NEAR

_HALF_LOG_TWO_PI: Final = 0.5 * math.log(2.0 * math.pi)
_LOG_PI: Final = math.log(math.pi)

# --- log gamma -----------------------------------------------------------------------------------------------------


def _lgamma_near(x: Array) -> Array:
    return polynomial(LGAMMA_NEAR, x) * ((x - 1.0) * (x - 2.0)) + 0.0  # no minus zero at 1


def _lgamma_far(x: Array) -> Array:
    stirling = (x - 0.5) * np.log(x) - x + _HALF_LOG_TWO_PI
    # x (log x - 1) is what is left of it for large x, and does not overflow before its time
    large = x * (np.log(x) - 1.0)
    return np.where(x > 1e17, large, stirling + polynomial(LGAMMA_FAR, 1.0 / (x * x)) / x)


def _lgamma_positive(x: Array) -> Array:
    regions = (
        (x < 1.0, lambda part: _lgamma_near(part + 1.0) - np.log(part)),
        ((x >= 1.0) & (x <= 3.0), _lgamma_near),
        (x > 3.0, _lgamma_far),
    )
    return by_regions(x, regions, math.nan)


def _lgamma_negative(x: Array) -> Array:
    """By reflection: gamma(x) gamma(1 - x) = pi / sin(pi x)."""
    sine = np.abs(np.sin(np.pi * (x - np.rint(x))))
    y: Array = _LOG_PI - np.log(sine) - _lgamma_positive(1.0 - x)
    return y


def _lgamma_block(x: Array) -> Array:
    poles = (np.floor(x) == x) & (x <= 0.0) | np.isinf(x)
    return by_regions(
        x,
        (
            ((x > 0.0) & ~poles, _lgamma_positive),
            ((x < 0.0) & ~poles, _lgamma_negative),
            (poles, lambda part: np.full_like(part, np.inf)),
        ),
        math.nan,
    )


def _lgamma_scalar(x: float) -> float:
    """As C's lgamma, but near its zeros at 1 and 2, where Python's is right to 13 digits only."""
    if 0.0 < x <= 3.0:
        z, log = (x, 0.0) if x >= 1.0 else (x + 1.0, math.log(x))
        return polynomial_at(LGAMMA_NEAR, z) * ((z - 1.0) * (z - 2.0)) - log + 0.0
    try:
        return math.lgamma(x)
    except (ValueError, OverflowError):  # at a pole, or beyond the largest float
        return math.inf


LGAMMA = defop(
    "lgamma",
    scalar_or_array(_lgamma_scalar, lambda x: blockwise(_lgamma_block, x, np.float64), few=20),
    Kind.ELEMENTWISE,
    vjp=(lambda xp, g, y, x: g * xp.digamma(x),),
    promote=Promote.FLOAT,
    check=NOT_COMPLEX,
    formula="ln|gamma(x)|",
    doc="Logarithm of the size of the gamma function of each element.",
    domain="positive",
)

# --- digamma -------------------------------------------------------------------------------------------------------


def _digamma_near(x: Array) -> Array:
    return polynomial(DIGAMMA_NEAR, x) * ((x - DIGAMMA_ZERO[0]) - DIGAMMA_ZERO[1])


def _digamma_far(x: Array) -> Array:
    inverse = 1.0 / x
    square = inverse * inverse
    y: Array = np.log(x) - 0.5 * inverse - polynomial(DIGAMMA_FAR, square) * square
    return y


def _digamma_positive(x: Array) -> Array:
    regions = (
        (x < 1.0, lambda part: _digamma_near(part + 1.0) - 1.0 / part),
        ((x >= 1.0) & (x <= 2.0), _digamma_near),
        (x > 2.0, _digamma_far),
    )
    return by_regions(x, regions, math.nan)


def _digamma_negative(x: Array) -> Array:
    """By reflection: digamma(1 - x) - digamma(x) = pi / tan(pi x)."""
    y: Array = _digamma_positive(1.0 - x) - np.pi / np.tan(np.pi * (x - np.rint(x)))
    return y


def _digamma_block(x: Array) -> Array:
    return by_regions(
        x,
        (
            (x > 0.0, _digamma_positive),
            ((x < 0.0) & (np.floor(x) != x), _digamma_negative),
            (x == 0.0, lambda part: np.copysign(np.inf, -part)),
        ),
        math.nan,
    )


def _digamma_scalar(x: float) -> float:
    if x > 2.0:
        inverse = 1.0 / x
        square = inverse * inverse
        return math.log(x) - 0.5 * inverse - polynomial_at(DIGAMMA_FAR, square) * square
    if x > 0.0:
        z, less = (x, 0.0) if x >= 1.0 else (x + 1.0, 1.0 / x)
        return polynomial_at(DIGAMMA_NEAR, z) * ((z - DIGAMMA_ZERO[0]) - DIGAMMA_ZERO[1]) - less
    return float(_digamma_block(np.array([x]))[0])


DIGAMMA = defop(
    "digamma",
    scalar_or_array(_digamma_scalar, lambda x: blockwise(_digamma_block, x, np.float64), few=20),
    Kind.ELEMENTWISE,
    vjp=(lambda xp, g, y, x: g * xp.polygamma(x, n=1),),
    promote=Promote.FLOAT,
    check=NOT_COMPLEX,
    formula="psi(x)",
    doc="Derivative of the logarithm of the gamma function.",
    domain="positive",
)

# --- higher derivatives --------------------------------------------------------------------------------------------

# B(2k) / (2k)! for k = 1..12, the coefficients of the Euler-Maclaurin sum.
_BERNOULLI: Final = tuple(
    numerator / denominator / math.factorial(2 * k)
    for k, (numerator, denominator) in enumerate(
        (
            (1, 6),
            (-1, 30),
            (1, 42),
            (-1, 30),
            (5, 66),
            (-691, 2730),
            (7, 6),
            (-3617, 510),
            (43867, 798),
            (-174611, 330),
            (854513, 138),
            (-236364091, 2730),
        ),
        start=1,
    )
)
_DIRECT_TERMS: Final = 12


def _hurwitz_zeta(s: int, x: Array) -> Array:
    """The sum of (x + k)^-s over k = 0, 1, ... for x > 0: some terms, and Euler-Maclaurin for the rest."""
    terms = _DIRECT_TERMS + s // 2  # the later derivatives grow with s
    total = np.zeros_like(x)
    for k in range(terms):
        total += (x + k) ** -s
    end = x + terms
    power = end**-s
    total += power * end / (s - 1) + power / 2
    factor = power * s / end
    for k, b in enumerate(_BERNOULLI, start=1):
        total += b * factor
        factor = factor * ((s + 2 * k - 1) * (s + 2 * k)) / (end * end)
    return total


def _cotangent_derivative(n: int, c: Array) -> Array:
    """The n-th derivative of pi cot(pi x), divided by pi^(n+1), as a polynomial in c = cot(pi x)."""
    powers = [0, 1]
    for _ in range(n):  # the derivative of c^k is -k c^(k-1) (1 + c^2)
        following = [0] * (len(powers) + 1)
        for k, a in enumerate(powers):
            if k:
                following[k - 1] -= k * a
                following[k + 1] -= k * a
        powers = following
    y = np.zeros_like(c)
    for a in reversed(powers):
        y = y * c + a
    return y


def _polygamma_block(n: int, x: Array) -> Array:
    if n == 0:
        return _digamma_block(x)
    sign = -1.0 if n % 2 == 0 else 1.0
    factorial = float(math.factorial(n))

    def positive(part: Array) -> Array:
        y: Array = sign * factorial * _hurwitz_zeta(n + 1, part)
        return np.where(np.isinf(part), sign * 0.0, y)

    def negative(part: Array) -> Array:
        slope = np.pi ** (n + 1) * _cotangent_derivative(n, 1.0 / np.tan(np.pi * (part - np.rint(part))))
        y: Array = -sign * positive(1.0 - part) - slope
        return y

    poles = (np.floor(x) == x) & (x <= 0.0) & np.isfinite(x)
    regions = (
        (x > 0.0, positive),
        ((x < 0.0) & ~poles & np.isfinite(x), negative),
        (poles, lambda part: np.full_like(part, sign * np.inf)),
    )
    return by_regions(x, regions, math.nan)


POLYGAMMA = defop(
    "polygamma",
    lambda x, *, n: blockwise(lambda block: _polygamma_block(n, block), x, np.float64),
    Kind.ELEMENTWISE,
    vjp=(lambda xp, g, y, x, n: g * xp.polygamma(x, n=n + 1),),
    promote=Promote.FLOAT,
    check=NOT_COMPLEX,
    formula="psi^(n)(x)",
    doc="The n-th derivative of digamma, which is its own for n = 0.",
    domain="positive",
)
