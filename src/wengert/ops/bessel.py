"""Bessel's functions and their relatives, by SciPy; each derivative is one of them again.

The rules are those of NIST's Digital Library of Mathematical Functions, 10.6, 10.29 and 9.2.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.ops.checks import NOT_COMPLEX
from wengert.ops.record import Kind, Op, Promote, defop
from wengert.ops.scipy_functions import by_scipy


def _special(name: str, scipy_name: str, rule: Any, formula: str, doc: str, domain: str = "real") -> Op:
    return defop(
        name,
        by_scipy(scipy_name),
        Kind.ELEMENTWISE,
        vjp=(rule,),
        promote=Promote.FLOAT,
        check=NOT_COMPLEX,
        formula=formula,
        doc=f"{doc}. Computed by SciPy (the extra ``[scipy]``).",
        domain=domain,
    )


def _i0(x: Any) -> Any:
    return np.asarray(np.i0(x)).reshape(x.shape).astype(x.dtype)[()]


def _over(xp: Any, y: Any, x: Any) -> Any:
    """Y / x, and one half at zero, as for functions that begin like x / 2."""
    zero = xp.eq(x, 0.0)
    return xp.where(zero, 0.5, y / xp.where(zero, 1.0, x))


I0 = defop(
    "i0",
    _i0,
    Kind.ELEMENTWISE,
    vjp=(lambda xp, g, y, x: g * xp.i1(x),),
    promote=Promote.FLOAT,
    check=NOT_COMPLEX,
    formula="I0(x)",
    doc="Modified Bessel function of the first kind, order 0.",
)
I1 = _special(
    "i1",
    "i1",
    lambda xp, g, y, x: g * (xp.i0(x) - _over(xp, y, x)),
    "I1(x)",
    "Modified Bessel function of the first kind, order 1",
)
I0E = _special(
    "i0e",
    "i0e",
    lambda xp, g, y, x: g * (xp.i1e(x) - xp.sgn(x) * y),
    "exp(-|x|) I0(x)",
    "Modified Bessel function of the first kind, order 0, scaled",
)
I1E = _special(
    "i1e",
    "i1e",
    lambda xp, g, y, x: g * (xp.i0e(x) - _over(xp, y, x) - xp.sgn(x) * y),
    "exp(-|x|) I1(x)",
    "Modified Bessel function of the first kind, order 1, scaled",
)
J0 = _special(
    "bessel_j0", "j0", lambda xp, g, y, x: -(g * xp.bessel_j1(x)), "J0(x)", "Bessel function of the first kind, order 0"
)
J1 = _special(
    "bessel_j1",
    "j1",
    lambda xp, g, y, x: g * (xp.bessel_j0(x) - _over(xp, y, x)),
    "J1(x)",
    "Bessel function of the first kind, order 1",
)
Y0 = _special(
    "bessel_y0",
    "y0",
    lambda xp, g, y, x: -(g * xp.bessel_y1(x)),
    "Y0(x)",
    "Bessel function of the second kind, order 0",
    "positive",
)
Y1 = _special(
    "bessel_y1",
    "y1",
    lambda xp, g, y, x: g * (xp.bessel_y0(x) - y / x),
    "Y1(x)",
    "Bessel function of the second kind, order 1",
    "positive",
)
K0 = _special(
    "modified_bessel_k0",
    "k0",
    lambda xp, g, y, x: -(g * xp.modified_bessel_k1(x)),
    "K0(x)",
    "Modified Bessel function of the second kind, order 0",
    "positive",
)
K1 = _special(
    "modified_bessel_k1",
    "k1",
    lambda xp, g, y, x: -(g * (xp.modified_bessel_k0(x) + y / x)),
    "K1(x)",
    "Modified Bessel function of the second kind, order 1",
    "positive",
)
K0E = _special(
    "scaled_modified_bessel_k0",
    "k0e",
    lambda xp, g, y, x: g * (y - xp.scaled_modified_bessel_k1(x)),
    "exp(x) K0(x)",
    "Modified Bessel function of the second kind, order 0, scaled",
    "positive",
)
K1E = _special(
    "scaled_modified_bessel_k1",
    "k1e",
    lambda xp, g, y, x: g * (y - xp.scaled_modified_bessel_k0(x) - y / x),
    "exp(x) K1(x)",
    "Modified Bessel function of the second kind, order 1, scaled",
    "positive",
)


def _airy(part: int) -> Any:
    compute = by_scipy("airy")

    def impl(x: Any) -> Any:
        wide = x.astype("d")
        return compute(wide)[part].astype(x.dtype)

    return impl


AIRY_AI = defop(
    "airy_ai",
    _airy(0),
    Kind.ELEMENTWISE,
    vjp=(lambda xp, g, y, x: g * xp.airy_ai_slope(x),),
    promote=Promote.FLOAT,
    check=NOT_COMPLEX,
    formula="Ai(x)",
    doc="Airy's function. Computed by SciPy (the extra ``[scipy]``).",
)
AIRY_AI_SLOPE = defop(
    "airy_ai_slope",
    _airy(1),
    Kind.ELEMENTWISE,
    vjp=(lambda xp, g, y, x: g * (x * xp.airy_ai(x)),),
    promote=Promote.FLOAT,
    check=NOT_COMPLEX,
    formula="Ai'(x)",
    doc="Derivative of Airy's function.",
)
