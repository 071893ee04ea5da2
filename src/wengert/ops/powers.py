"""Powers and roots.

PyTorch has three kinds of power, by what is a tensor: the base, the exponent or both. They are three records here,
since their rules differ: an exponent that is a number costs no logarithm.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.ops.checks import FLOAT, FLOATS, NOT_BOOL, category
from wengert.ops.record import Kind, Promote, defop
from wengert.spaces.raw import RAW, REAL

_INTEGER_KINDS = "iu"


def power(a: Any, b: Any) -> Any:
    """``a ** b`` with PyTorch's meaning of negative integer exponents: 1 / a^|b| rounded towards zero."""
    if getattr(a, "dtype", None) is not None and a.dtype.kind in _INTEGER_KINDS and np.any(np.less(b, 0)):
        b = np.asarray(b)
        inverse = np.where(a == 1, 1, np.where(a == -1, np.where(b % 2 == 0, 1, -1), 0))
        return np.where(b < 0, inverse, a ** np.where(b < 0, 0, b)).astype(a.dtype)[()]
    return a**b


def power_of_number(a: Any, b: Any) -> Any:
    """``a ** b`` for a number; the common exponents are products and roots, which are faster and more accurate."""
    if b == 2:
        return a * a
    if b == 1:
        return a.copy()
    kind = a.dtype.kind
    if kind in "fc":
        if b == 3:
            return a * a * a
        if b == 0.5:
            return np.sqrt(a)
        if b == -1:
            return 1.0 / a
        if b == -0.5:
            return 1.0 / np.sqrt(a)
        if b == -2:
            return 1.0 / (a * a)
    elif kind == "b":  # NumPy makes an int8 of it
        return a | (not b)
    return power(a, b)


def _power_in_rule(a: Any, b: Any) -> Any:
    """As :func:`power_of_number`; the first power is the value itself, which a rule does not write to."""
    return a if b == 1 else power_of_number(a, b)


RAW.pow_number = REAL.pow_number = _power_in_rule  # type: ignore[attr-defined]


def _refuse_negative_power(_: str, raws: Sequence[Any]) -> None:
    base, exponent = raws
    if category(base) < FLOATS and category(exponent) < FLOATS and exponent < 0:
        raise RuntimeError(
            f"Integers to negative integer powers are not allowed. The base is an integer tensor and the exponent is "
            f"{exponent}: write the exponent as {float(exponent)} to get a float tensor"
        )


def _pow_number_vjp(xp: Any, g: Any, y: Any, x: Any, exponent: Any) -> Any:
    if exponent == 0:
        return xp.zeros_like(g)
    return g * xp.conj(exponent * xp.pow_number(x, exponent - 1))


def _pow_base_vjp(xp: Any, g: Any, y: Any, a: Any, b: Any) -> Any:
    return g * xp.where(b == 0, 0.0, xp.conj(b * a ** (b - 1)))


def _pow_exponent_vjp(xp: Any, g: Any, y: Any, a: Any, b: Any) -> Any:
    # 0^b is 0 for every b > 0 (and 1 at b = 0), so it does not change with b, although log 0 is infinite.
    flat = (a == 0) & (xp.real(b) >= 0) & (b == xp.real(b))
    return g * xp.where(flat, 0.0, xp.conj(y * xp.log(a)))


def _pow_number_exponent_vjp(xp: Any, g: Any, y: Any, x: Any, exponent: Any) -> Any:
    return _pow_exponent_vjp(xp, g, y, x, exponent)


def _number_pow_base_vjp(xp: Any, g: Any, y: Any, base: Any, x: Any) -> Any:
    return _pow_base_vjp(xp, g, y, base, x)


def _number_pow_vjp(xp: Any, g: Any, y: Any, base: Any, x: Any) -> Any:
    if base == 0:
        return g * xp.where((xp.real(x) >= 0) & (x == xp.real(x)), 0.0, xp.conj(y * -math.inf))
    return g * xp.conj(y * _log_of_number(base, x.dtype.kind))


def _log_of_number(base: Any, kind: str) -> Any:
    if isinstance(base, complex) or (base < 0 and kind == "c"):
        return cmath.log(base)
    return math.log(base) if base > 0 else math.nan


# The rules for the argument that is a number are never used while it is one; they make the records complete.
POW_NUMBER = defop(
    "pow_number",
    power_of_number,
    Kind.ELEMENTWISE,
    vjp=(_pow_number_vjp, _pow_number_exponent_vjp),
    args=("self", "exponent"),
    promote=Promote.COMMON,
    node="PowBackward0",
    check=_refuse_negative_power,
    formula="x^p",
    doc="Each element raised to the power of one number.",
    domain="positive",
)

POW = defop(
    "pow",
    power,
    Kind.ELEMENTWISE,
    vjp=(_pow_base_vjp, _pow_exponent_vjp),
    args=("self", "exponent"),
    promote=Promote.COMMON,
    node="PowBackward1",
    check=NOT_BOOL,
    formula="a^b",
    doc="Each element of one tensor raised to the power of the other's.",
    domain="positive",
)

NUMBER_POW = defop(
    "number_pow",
    power,
    Kind.ELEMENTWISE,
    vjp=(_number_pow_base_vjp, _number_pow_vjp),
    args=("self", "exponent"),
    promote=Promote.COMMON,
    node="PowBackward2",
    check=NOT_BOOL,
    formula="c^x",
    doc="One number raised to the power of each element.",
)

SQRT = defop(
    "sqrt",
    np.sqrt,
    Kind.ELEMENTWISE,
    vjp=(lambda xp, g, y, x: g / xp.conj(y * 2),),
    promote=Promote.FLOAT,
    ufunc=np.sqrt,
    formula="sqrt(x)",
    doc="Square root of each element.",
    domain="positive",
)


def reciprocal_root(x: Any) -> Any:
    """1 / sqrt(x) with one temporary."""
    root = np.sqrt(x)
    return np.divide(1.0, root, out=root) if root.__class__ is np.ndarray else 1.0 / root


RSQRT = defop(
    "rsqrt",
    reciprocal_root,
    Kind.ELEMENTWISE,
    vjp=(lambda xp, g, y, x: g * -0.5 * xp.conj(y * y * y),),
    promote=Promote.FLOAT,
    formula="1 / sqrt(x)",
    doc="Reciprocal of the square root of each element.",
    domain="positive",
)

HYPOT = defop(
    "hypot",
    np.hypot,
    Kind.ELEMENTWISE,
    vjp=(lambda xp, g, y, a, b: g * (a / y), lambda xp, g, y, a, b: g * (b / y)),
    args=("self", "other"),
    promote=Promote.COMMON,
    ufunc=np.hypot,
    check=FLOAT,
    formula="sqrt(a^2 + b^2)",
    doc="Length of the hypotenuse of a right triangle, without overflow in between.",
)
