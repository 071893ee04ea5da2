"""Functions of probability: normal distribution, entropy, incomplete gamma functions, zeta."""

from __future__ import annotations

from math import inf, log1p, nan, pi, sqrt
from typing import Any

import numpy as np

from wengert.ops.checks import NOT_COMPLEX
from wengert.ops.error_functions import ERFC, scaled_tail
from wengert.ops.record import MISSING, Kind, Promote, defop
from wengert.ops.scipy_functions import by_scipy

_SQRT_HALF = sqrt(0.5)
_SQRT_2PI = sqrt(2 * pi)
_TWO_OVER_ROOT_PI = 2.0 / sqrt(pi)


def _elementwise(name: str, impl: Any, rule: Any, formula: str, doc: str, domain: str = "real") -> Any:
    return defop(
        name,
        impl,
        Kind.ELEMENTWISE,
        vjp=(rule,),
        promote=Promote.FLOAT,
        check=NOT_COMPLEX,
        formula=formula,
        doc=doc,
        domain=domain,
    )


# --- the normal distribution ---

_FAR = 27.0


def _erfcx(x: Any) -> Any:
    """By erfc below 1; from there on by its scaled tail, and far out by its series 1 - 1/(2 x^2) + 3/(4 x^4)."""
    wide: Any = np.asarray(x, np.float64 if x.dtype == np.float64 else np.float32)
    near = np.minimum(wide, 1.0)
    middle = np.clip(wide, 1.0, _FAR)
    far = np.maximum(wide, _FAR)
    square = far * far
    series = (1.0 - 0.5 / square + 0.75 / (square * square)) / (far * sqrt(pi))
    y = np.where(wide < 1.0, np.exp(near * near) * ERFC.impl(near), np.where(wide < _FAR, scaled_tail(middle), series))
    return y.astype(x.dtype)[()]


def _log_ndtr(x: Any) -> Any:
    low = np.minimum(x, -1)
    below = np.log(_erfcx(low * -_SQRT_HALF) * 0.5) - low * low * 0.5
    above = np.log1p(ERFC.impl(np.maximum(x, -1) * _SQRT_HALF) * -0.5)
    return np.where(x < -1, below, above).astype(x.dtype)[()]


NDTR = _elementwise(
    "ndtr",
    lambda x: (ERFC.impl(x * -_SQRT_HALF) * 0.5).astype(x.dtype),
    lambda xp, g, y, x: g * (xp.exp(x * x * -0.5) * (1 / _SQRT_2PI)),
    "erfc(-x / sqrt(2)) / 2",
    "Probability that a standard normal variable is below x.",
)
LOG_NDTR = _elementwise(
    "log_ndtr",
    _log_ndtr,
    lambda xp, g, y, x: g * (sqrt(2 / pi) / xp.erfcx(x * -_SQRT_HALF)),
    "ln(erfc(-x / sqrt(2)) / 2)",
    "Logarithm of the probability that a standard normal variable is below x.",
)
NDTRI = _elementwise(
    "ndtri",
    by_scipy("ndtri"),
    lambda xp, g, y, x: g * (xp.exp(y * y * 0.5) * _SQRT_2PI),
    "y with ndtr(y) = x",
    "Inverse of ndtr. By SciPy (the extra ``[scipy]``).",
    "unit",
)


ERFCX = _elementwise(
    "erfcx",
    _erfcx,
    lambda xp, g, y, x: g * (2.0 * x * y - _TWO_OVER_ROOT_PI),
    "exp(x^2) erfc(x)",
    "Complement of the error function, scaled.",
)

# --- entropy and logarithms ---


def _entr(x: Any) -> Any:
    inside = np.where(x > 0, x, 1)
    return np.where(x > 0, -x * np.log(inside), np.where(x == 0, 0, np.where(np.isnan(x), np.nan, -np.inf))).astype(
        x.dtype
    )[()]


ENTR = _elementwise(
    "entr",
    _entr,
    lambda xp, g, y, x: g * (-xp.log(x) - 1.0),
    "-x ln(x)",
    "Summand of the entropy: 0 at 0, minus infinity below.",
    "positive",
)


def _log1p(xp: Any, b: Any) -> Any:
    """The logarithm of 1 + b; of a Python number a Python number, which does not widen a float32."""
    if hasattr(b, "dtype"):
        return xp.log1p(b)
    return log1p(b) if b > -1 else -inf if b == -1 else nan


def _xlog1py(a: Any, b: Any) -> Any:
    return np.where((a == 0) & (b == b), 0.0, a * _log1p(np, b))[()]


XLOG1PY = defop(
    "xlog1py",
    _xlog1py,
    Kind.ELEMENTWISE,
    vjp=(
        lambda xp, g, y, a, b: xp.where((a == 0) & (b <= -1), 0.0, g * _log1p(xp, b)),
        lambda xp, g, y, a, b: g * (a / (b + 1.0)),
    ),
    args=("self", "other"),
    promote=Promote.FLOAT,
    check=NOT_COMPLEX,
    formula="a ln(1 + b)",
    doc="Product with log1p; 0 where the factor is 0, whatever the logarithm.",
    domain="positive",
)

# --- zeta and the incomplete gamma functions ---

ZETA = defop(
    "zeta",
    by_scipy("zeta"),
    Kind.ELEMENTWISE,
    vjp=(MISSING, lambda xp, g, y, a, b: -(g * a * xp.zeta(a + 1.0, b))),
    args=("self", "other"),
    promote=Promote.FLOAT,
    check=NOT_COMPLEX,
    formula="sum_k (b + k)^-a",
    doc="Hurwitz's zeta function. By SciPy (the extra ``[scipy]``).",
    domain="above_one",
)


def _gamma_density(xp: Any, a: Any, b: Any) -> Any:
    """b^(a-1) exp(-b) / Gamma(a)."""
    return xp.exp((a - 1.0) * xp.log(b) - b - xp.lgamma(a))


IGAMMA = defop(
    "igamma",
    by_scipy("gammainc"),
    Kind.ELEMENTWISE,
    vjp=(MISSING, lambda xp, g, y, a, b: g * _gamma_density(xp, a, b)),
    args=("self", "other"),
    promote=Promote.FLOAT,
    check=NOT_COMPLEX,
    formula="1/Gamma(a) integral_0^b t^(a-1) exp(-t) dt",
    doc="Lower incomplete gamma function, scaled. By SciPy (the extra ``[scipy]``).",
    domain="positive",
)
IGAMMAC = defop(
    "igammac",
    by_scipy("gammaincc"),
    Kind.ELEMENTWISE,
    vjp=(MISSING, lambda xp, g, y, a, b: -(g * _gamma_density(xp, a, b))),
    args=("self", "other"),
    promote=Promote.FLOAT,
    check=NOT_COMPLEX,
    formula="1/Gamma(a) integral_b^inf t^(a-1) exp(-t) dt",
    doc="Upper incomplete gamma function, scaled. By SciPy (the extra ``[scipy]``).",
    domain="positive",
)


def _beta_density(xp: Any, a: Any, b: Any, x: Any) -> Any:
    """x^(a-1) (1-x)^(b-1) / B(a, b)."""
    normal = xp.lgamma(a + b) - xp.lgamma(a) - xp.lgamma(b)
    return xp.exp((a - 1.0) * xp.log(x) + (b - 1.0) * xp.log1p(-x) + normal)


BETAINC = defop(
    "betainc",
    by_scipy("betainc"),
    Kind.ELEMENTWISE,
    vjp=(MISSING, MISSING, lambda xp, g, y, a, b, x: g * _beta_density(xp, a, b, x)),
    args=("a", "b", "x"),
    promote=Promote.FLOAT,
    check=NOT_COMPLEX,
    formula="1/B(a, b) integral_0^x t^(a-1) (1-t)^(b-1) dt",
    doc="Incomplete beta function, scaled. By SciPy (the extra ``[scipy]``).",
    domain="unit",
)
