"""Rounding and the pieces of a floating-point number."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.ops.checks import FLOAT, INTEGER_OR_FLOAT, NOT_COMPLEX
from wengert.ops.record import MISSING, Kind, Op, Promote, defop

LN2 = math.log(2.0)


def _rounding(name: str, ufunc: Any, doc: str) -> Op:
    return defop(
        name,
        _for_floats(ufunc),
        Kind.ELEMENTWISE,
        vjp=(lambda xp, g, y, x: xp.zeros_like(g),),
        ufunc=ufunc,
        check=INTEGER_OR_FLOAT,
        formula=f"{name}(x)",
        doc=doc,
    )


def _for_floats(ufunc: Any) -> Callable[[Any], Any]:
    def impl(x: Any) -> Any:
        return ufunc(x) if x.dtype.kind == "f" else x.copy()

    return impl


FLOOR = _rounding("floor", np.floor, "Each element rounded down.")
CEIL = _rounding("ceil", np.ceil, "Each element rounded up.")
TRUNC = _rounding("trunc", np.trunc, "Each element rounded towards zero.")
ROUND = _rounding("round", np.rint, "Each element rounded to the nearest integer, halves to the even one.")


def _round_decimals(x: Any, *, decimals: int) -> Any:
    scale = float(np.float64(10.0) ** abs(decimals))
    return np.rint(x * scale) / scale if decimals >= 0 else np.rint(x / scale) * scale


ROUND_DECIMALS = defop(
    "round_decimals",
    _round_decimals,
    Kind.ELEMENTWISE,
    vjp=(lambda xp, g, y, x, decimals: xp.zeros_like(g),),
    node="RoundBackward1",
    check=FLOAT,
    formula="round(x 10^d) / 10^d",
    doc="Each element rounded to a number of decimals.",
)

FRAC = defop(
    "frac",
    lambda x: x - np.trunc(x),
    Kind.ELEMENTWISE,
    vjp=(lambda xp, g, y, x: g,),
    check=FLOAT,
    formula="x - trunc(x)",
    doc="The part of each element behind the decimal point.",
)

HEAVISIDE = defop(
    "heaviside",
    lambda a, b: np.where(a != a, 0, np.where(a == 0, b, a > 0)).astype(a.dtype, copy=False)[()],
    Kind.ELEMENTWISE,
    vjp=(MISSING, MISSING),
    args=("self", "values"),
    node="NotImplemented",
    check=NOT_COMPLEX,
    formula="step(a)",
    doc="Step function: 0 below zero, 1 above, and the second tensor's value at zero.",
)


def _copysign_self(xp: Any, g: Any, y: Any, a: Any, b: Any) -> Any:
    return g * xp.where(a == 0, 0.0, y / xp.where(a == 0, 1.0, a))


COPYSIGN = defop(
    "copysign",
    np.copysign,
    Kind.ELEMENTWISE,
    vjp=(_copysign_self, lambda xp, g, y, a, b: xp.zeros_like(g)),
    args=("self", "other"),
    promote=Promote.FLOAT,
    ufunc=np.copysign,
    check=NOT_COMPLEX,
    formula="|a| sign(b)",
    doc="Size of one tensor with the sign of the other.",
    points=(0.0,),
)

COPYSIGN_NUMBER = defop(
    "copysign_number",
    np.copysign,
    Kind.ELEMENTWISE,
    vjp=(_copysign_self, lambda xp, g, y, a, b: xp.zeros_like(g)),
    args=("self", "other"),
    promote=Promote.FLOAT,
    node="CopysignBackward1",
    check=NOT_COMPLEX,
    formula="|a| sign(b)",
    doc="Size of a tensor with the sign of a number.",
    points=(0.0,),
)

NEXTAFTER = defop(
    "nextafter",
    np.nextafter,
    Kind.ELEMENTWISE,
    vjp=(lambda xp, g, y, a, b: xp.where(a == b, 0.0, g), lambda xp, g, y, a, b: xp.zeros_like(g)),
    args=("self", "other"),
    promote=Promote.COMMON,
    ufunc=np.nextafter,
    check=FLOAT,
    formula="next float from a to b",
    doc="The next floating-point number after one tensor's in the direction of the other's.",
)


def _ldexp(a: Any, b: Any) -> Any:
    if b.dtype.kind in "biu":
        b = b.astype(a.real.dtype)  # NumPy would make float64 of it
    return a * np.exp2(b)


LDEXP = defop(
    "ldexp",
    _ldexp,
    Kind.ELEMENTWISE,
    vjp=(lambda xp, g, y, a, b: xp.ldexp(g, xp.conj(b)), lambda xp, g, y, a, b: g * xp.conj(y * LN2)),
    args=("self", "other"),
    promote=Promote.FLOAT,
    linear=(0,),
    formula="a 2^b",
    doc="A tensor times two to the power of the other.",
)

FREXP = defop(
    "frexp",
    np.frexp,
    Kind.ELEMENTWISE,
    vjp=(lambda xp, g, y, x: xp.ldexp(g[0], -y[1]),),
    outputs=2,
    differentiable_outputs=(0,),
    check=FLOAT,
    formula="x = m 2^e",
    doc="Mantissa (size in 0.5..1) and exponent of each element.",
    domain="positive",
)
