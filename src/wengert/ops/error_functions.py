"""The error function and its relatives."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from wengert.ops.checks import NOT_COMPLEX
from wengert.ops.evaluate import Array, blockwise, by_regions, polynomial, scalar_or_array
from wengert.ops.record import Kind, Promote, defop
from wengert.ops.special_fits import (
    ERF_CORE,
    ERF_CORE_SINGLE,
    ERFC_TAIL,
    ERFC_TAIL_SINGLE,
    ERFINV_CENTRE,
    ERFINV_TAIL,
)

TWO_OVER_ROOT_PI: Final = 2.0 / math.sqrt(math.pi)
_FIT_END: Final = 28.0  # erfc is below the smallest float64 from 27.3 on


def scaled_tail(a: Array) -> Array:
    """exp(a^2) erfc(a) for a >= 1."""
    fit = ERFC_TAIL if a.dtype == np.float64 else ERFC_TAIL_SINGLE
    y = polynomial(fit, (a - 3.0) / (a + 3.0))
    y /= 1.0 + 2.0 * a
    return y


# erf(x) = tanh(x P(x^2)) to 7e-8 of itself: a weighted least-squares fit to atanh(erf(x)) / x on 0..4, beyond which
# the tanh is 1 in float32. NumPy's float32 tanh is several times faster than an exponential and a quotient.
_ERF_TANH: Final = (
    1.1283792471353369,
    0.10276986465105345,
    -0.00019528933757089774,
    -0.0006148373134708532,
    8.459621070758685e-05,
    -4.794529052310367e-06,
    2.756903849666716e-08,
    5.421831971290799e-09,
)


def _erf_single(x: Array) -> Array:
    square = x * x
    y = square * _ERF_TANH[-1]
    y += _ERF_TANH[-2]
    for c in _ERF_TANH[-3::-1]:
        y *= square
        y += c
    y *= x
    return np.tanh(y, out=y)


def _erf_block(x: Array) -> Array:
    if x.dtype == np.float32:
        return _erf_single(x)
    size = np.minimum(np.abs(x), _FIT_END)
    square = size * size
    core = polynomial(ERF_CORE, square)
    core *= x
    far = scaled_tail(size)
    far *= np.exp(-square)
    return np.where(size < 1.0, core, np.copysign(1.0 - far, x))


def _erfc_block(x: Array) -> Array:
    size = np.minimum(np.abs(x), _FIT_END)
    square = size * size
    core = polynomial(ERF_CORE if x.dtype == np.float64 else ERF_CORE_SINGLE, square)
    core *= x
    far = scaled_tail(size)
    far *= np.exp(-square) * (1.0 - _rounding_of_square(size, square))
    return np.where(size < 1.0, 1.0 - core, np.where(x < 0, 2.0 - far, far))


def _rounding_of_square(a: Array, square: Array) -> Array:
    """a^2 minus its rounded value, exactly (Dekker's product): it matters in exp(-a^2), which multiplies it by a^2."""
    high = a * (134217729.0 if a.dtype == np.float64 else 4097.0)
    high = high - (high - a)
    low = a - high
    error: Array = ((high * high - square) + 2.0 * high * low) + low * low
    return error


def _working_type(x: Any) -> Any:
    return np.float64 if x.dtype == np.float64 else np.float32


ERF = defop(
    "erf",
    scalar_or_array(math.erf, lambda x: blockwise(_erf_block, x, _working_type(x)), few=24),
    Kind.ELEMENTWISE,
    vjp=(lambda xp, g, y, x: g * (xp.exp(-(x * x)) * TWO_OVER_ROOT_PI),),
    promote=Promote.FLOAT,
    check=NOT_COMPLEX,
    formula="erf(x)",
    doc="Error function of each element.",
)

ERFC = defop(
    "erfc",
    scalar_or_array(math.erfc, lambda x: blockwise(_erfc_block, x, _working_type(x)), few=200),
    Kind.ELEMENTWISE,
    vjp=(lambda xp, g, y, x: g * (xp.exp(-(x * x)) * -TWO_OVER_ROOT_PI),),
    promote=Promote.FLOAT,
    check=NOT_COMPLEX,
    formula="1 - erf(x)",
    doc="One minus the error function of each element, accurate where that is tiny.",
)


def _erfinv_block(y: Array) -> Array:
    size = np.abs(y)
    # log(1 - y^2) from the factor that is small, so that nothing is lost near 1
    w = np.where(size < 0.5, -np.log1p(-size * size), -np.log((1.0 - size) * (1.0 + size)))
    ratio = by_regions(
        w,
        (
            (w <= 6.25, lambda part: polynomial(ERFINV_CENTRE, part)),
            ((w > 6.25) & (w < 37.3), lambda part: polynomial(ERFINV_TAIL, np.sqrt(part))),
        ),
        math.nan,
    )
    return np.where(size == 1.0, np.copysign(np.inf, y), ratio * y)


ERFINV = defop(
    "erfinv",
    lambda x: blockwise(_erfinv_block, x, np.float64),
    Kind.ELEMENTWISE,
    vjp=(lambda xp, g, y, x: g * (xp.exp(y * y) * (1.0 / TWO_OVER_ROOT_PI)),),
    promote=Promote.FLOAT,
    check=NOT_COMPLEX,
    formula="erfinv(x)",
    doc="Inverse of the error function; infinite at -1 and 1, nan outside.",
    domain="open_unit",
)


def _logit(x: Any, *, eps: float | None) -> Any:
    if eps is not None:
        x = np.clip(x, eps, 1.0 - eps)
    return np.log(x / (1.0 - x))


def _logit_vjp(xp: Any, g: Any, y: Any, x: Any, *, eps: float | None) -> Any:
    inside = (x >= 0) & (x <= 1) if eps is None else (x >= eps) & (x <= 1.0 - eps)
    slope = g / (x * (1.0 - x))
    return xp.where(inside, slope, math.nan if eps is None else 0.0)


LOGIT = defop(
    "logit",
    _logit,
    Kind.ELEMENTWISE,
    vjp=(_logit_vjp,),
    promote=Promote.FLOAT,
    check=NOT_COMPLEX,
    formula="ln(x / (1 - x))",
    doc="Inverse of the logistic function; with `eps`, elements are first limited to eps..1-eps.",
    domain="unit",
)
