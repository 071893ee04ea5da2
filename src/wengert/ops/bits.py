"""Bitwise operations and integer arithmetic; none has a derivative."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.ops.record import Kind, Op, Promote, defop


def _binary(name: str, ufunc: Any, formula: str, doc: str) -> Op:
    return defop(
        name,
        ufunc,
        Kind.ELEMENTWISE,
        vjp=(None, None),
        args=("self", "other"),
        promote=Promote.COMMON,
        ufunc=ufunc,
        formula=formula,
        doc=doc,
    )


BITWISE_AND = _binary("bitwise_and", np.bitwise_and, "a & b", "Bits set in both.")
BITWISE_OR = _binary("bitwise_or", np.bitwise_or, "a | b", "Bits set in at least one.")
BITWISE_XOR = _binary("bitwise_xor", np.bitwise_xor, "a ^ b", "Bits set in exactly one.")
BITWISE_LEFT_SHIFT = _binary("bitwise_left_shift", np.left_shift, "a << b", "Bits moved up: a times 2^b.")
BITWISE_RIGHT_SHIFT = _binary("bitwise_right_shift", np.right_shift, "a >> b", "Bits moved down: floor(a / 2^b).")
GCD = _binary("gcd", np.gcd, "gcd(a, b)", "Greatest common divisor.")
LCM = _binary("lcm", np.lcm, "lcm(a, b)", "Least common multiple.")

BITWISE_NOT = defop(
    "bitwise_not",
    np.invert,
    Kind.ELEMENTWISE,
    vjp=(None,),
    ufunc=np.invert,
    formula="~x",
    doc="Every bit turned over; logical negation of booleans.",
)
