"""Accumulators: what a reduction keeps from one iteration to the next, and how lanes and parts come together.

A sum of floats is kept in two levels. A block of some thousand elements is summed in as many partial sums as there
are lanes; each block's sum then goes to a total that is exact to the last bits: float64 for float32, and for float64
a sum with the lost part beside it (Neumaier). So the error does not grow with the length, and no addition waits for
another.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from wengert.compile.llvm.ir import Ir, Val
from wengert.compile.llvm.registry import FLOATS
from wengert.compile.llvm.scalars import emit

_LEAST: Final = {"i1": -(2**7), "i2": -(2**15), "i4": -(2**31), "i8": -(2**63), "u1": 0, "b1": 0}
_MOST: Final = {"i1": 2**7 - 1, "i2": 2**15 - 1, "i4": 2**31 - 1, "i8": 2**63 - 1, "u1": 255, "b1": 1}


def identity(op: str, dtype: str) -> float | int:
    """What an accumulator begins with; a sum of minus zeros is plus zero then, as NumPy's and PyTorch's."""
    match op:
        case "sum":
            return 0.0 if dtype in FLOATS else 0
        case "prod" | "all":
            return 1
        case "any":
            return 0
        case "max" | "argmax":
            return -math.inf if dtype in FLOATS else _LEAST[dtype]
        case "min" | "argmin":
            return math.inf if dtype in FLOATS else _MOST[dtype]
    raise ValueError(f"unknown accumulator {op!r}")


def started(ir: Ir, op: str, dtype: str, x: Val) -> Val:
    """An accumulator that began with its first value as if it had begun with the identity."""
    if op != "sum" or dtype not in FLOATS:
        return x
    return combine(ir, op, dtype, ir.const(x.elem, x.lanes, identity(op, dtype)), x)


def result_dtype(op: str, dtype: str) -> str:
    """The dtype of the result."""
    return "i8" if op.startswith("arg") else dtype


def combine(ir: Ir, op: str, dtype: str, a: Val, b: Val) -> Val:
    """Two partial results as one."""
    names = {"sum": "add", "prod": "mul", "max": "maximum", "min": "minimum", "any": "bitwise_or", "all": "bitwise_and"}
    return emit(ir, names[op], dtype, (a, b), {})


def across(ir: Ir, op: str, dtype: str, x: Val) -> Val:
    """All lanes as one, in a fixed tree."""
    while x.lanes > 1:
        half = x.lanes // 2
        a, b = _part(ir, x, 0, half), _part(ir, x, half, half)
        rest = _part(ir, x, 2 * half, 1) if x.lanes % 2 else None
        x = combine(ir, op, dtype, a, b)
        if rest is not None:
            x = _join(ir, op, dtype, x, rest)
    if x.lanes == 1:
        return ir.line(x.elem, 0, f"extractelement {x.typed}, i64 0")
    return x


def folded(ir: Ir, op: str, dtype: str, x: Val, lanes: int) -> Val:
    """The upper half of the lanes put onto the lower, until no more than these are left."""
    while x.lanes > lanes and x.lanes % 2 == 0:
        half = x.lanes // 2
        x = combine(ir, op, dtype, _part(ir, x, 0, half), _part(ir, x, half, half))
    return x


def _join(ir: Ir, op: str, dtype: str, x: Val, one: Val) -> Val:
    """Put one more lane into the first of x."""
    first = ir.line(x.elem, 0, f"extractelement {x.typed}, i64 0")
    more = ir.line(x.elem, 0, f"extractelement {one.typed}, i64 0")
    both = combine(ir, op, dtype, first, more)
    return ir.line(x.elem, x.lanes, f"insertelement {x.typed}, {both.typed}, i64 0")


def _part(ir: Ir, x: Val, start: int, count: int) -> Val:
    picks = ", ".join([f"i32 {i}" for i in range(start, start + count)])
    return ir.line(x.elem, count, f"shufflevector {x.typed}, {x.type} poison, <{count} x i32> <{picks}>")


@dataclass(slots=True)
class Total:
    """The second level of a sum: the value, and for float64 what it lacks."""

    value: Val
    lost: Val | None = None

    def parts(self) -> list[Val]:
        """The values that go round the loop."""
        return [self.value] if self.lost is None else [self.value, self.lost]


def new_total(ir: Ir, op: str, dtype: str, elem: str, lanes: int, *, exact: bool) -> Total:
    """The total before anything is added."""
    start = identity(op, dtype)
    if op == "sum" and exact and dtype in FLOATS:
        zero = ir.const("double", lanes, start)
        return Total(zero, ir.const("double", lanes, 0.0) if dtype == "f8" else None)
    return Total(ir.const(elem, lanes, start))


def add_to_total(ir: Ir, op: str, dtype: str, total: Total, x: Val) -> Total:
    """The total with one more part (of the accumulator's type, or float64 for float32)."""
    if total.value.elem == "double" and dtype == "f4" and x.elem == "float":
        x = x.convert("fpext", "double")
    if total.lost is None:
        wide = "f8" if dtype == "f4" and total.value.elem == "double" else dtype
        return Total(combine(ir, op, wide, total.value, x))
    flags, ir.flags = ir.flags, ""
    a, s = total.value, total.value + x
    bigger = ir.intrinsic("fabs", a) >= ir.intrinsic("fabs", x)
    lost = bigger.where((a - s) + x, (x - s) + a)
    lost = lost.eq(lost).where(lost, 0.0)  # after an overflow there is nothing to lose
    result = Total(s, total.lost + lost)
    ir.flags = flags
    return result


def finished(ir: Ir, dtype: str, total: Total) -> tuple[Val, Val]:
    """The result in its dtype, and as float64 if that is how it was kept."""
    wide = total.value
    if total.lost is not None:
        # minus zero stays: nothing was lost then
        wide = total.lost.eq(0.0).where(wide, wide + total.lost)
    if dtype == "f4" and wide.elem == "double":
        return wide.convert("fptrunc", "float"), wide
    return wide, wide


@dataclass(slots=True)
class Best:
    """The state of an argmax or argmin: the best value so far and its place."""

    value: Val
    place: Val


def better(op: str, state: Best, x: Val, place: Val) -> Best:
    """The state after one more value: the first NaN wins, else the first of the best."""
    wins = x > state.value if op == "argmax" else x < state.value
    if x.is_float:
        wins = wins | (x.is_nan() & state.value.eq(state.value))
    return Best(wins.where(x, state.value), wins.where(place, state.place))
