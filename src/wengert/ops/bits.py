"""Bitwise operations and integer arithmetic; none has a derivative."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.ops.checks import INTEGER, INTEGER_OR_BOOL, Check
from wengert.ops.record import Kind, Op, Promote, defop


def _left_shift(a: Any, b: Any) -> Any:
    """NumPy leaves a shift by a negative number open; PyTorch moves all bits out."""
    return np.where(b < 0, 0, np.left_shift(a, b)).astype(a.dtype, copy=False)[()]


def _right_shift(a: Any, b: Any) -> Any:
    return np.right_shift(a, np.where(b < 0, 8 * a.dtype.itemsize, b).astype(a.dtype, copy=False))


def _binary(name: str, ufunc: Any, formula: str, doc: str, check: Check = INTEGER_OR_BOOL) -> Op:
    return defop(
        name,
        ufunc,
        Kind.ELEMENTWISE,
        vjp=(None, None),
        args=("self", "other"),
        promote=Promote.COMMON,
        ufunc=ufunc if isinstance(ufunc, np.ufunc) else None,
        check=check,
        formula=formula,
        doc=doc,
    )


BITWISE_AND = _binary("bitwise_and", np.bitwise_and, "a & b", "Bits set in both.")
BITWISE_OR = _binary("bitwise_or", np.bitwise_or, "a | b", "Bits set in at least one.")
BITWISE_XOR = _binary("bitwise_xor", np.bitwise_xor, "a ^ b", "Bits set in exactly one.")
BITWISE_LEFT_SHIFT = _binary("bitwise_left_shift", _left_shift, "a << b", "Bits moved up: a times 2^b.", INTEGER)
BITWISE_RIGHT_SHIFT = _binary(
    "bitwise_right_shift", _right_shift, "a >> b", "Bits moved down: floor(a / 2^b).", INTEGER
)
GCD = _binary("gcd", np.gcd, "gcd(a, b)", "Greatest common divisor.", INTEGER)
LCM = _binary("lcm", np.lcm, "lcm(a, b)", "Least common multiple.", INTEGER)

BITWISE_NOT = defop(
    "bitwise_not",
    np.invert,
    Kind.ELEMENTWISE,
    vjp=(None,),
    ufunc=np.invert,
    check=INTEGER_OR_BOOL,
    formula="~x",
    doc="Every bit turned over; logical negation of booleans.",
)
