"""Equations that are known to give one of their inputs, or the same as a cheaper one: exactly, in IEEE arithmetic.

So ``x + 0`` stays (it makes 0 of -0), and so does ``0 * x`` (NaN and infinities).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from wengert.ops.record import TABLE
from wengert.program.passes.cleaning import substitute
from wengert.program.passes.constants import first_of, is_uniform
from wengert.program.program import Equation, Program
from wengert.program.values import Operand, Value

Rule = Callable[[Equation, "Context"], Operand | Equation | None]


class Context:
    """What rules may look at: the constants, and which equation makes a value."""

    def __init__(self, program: Program) -> None:
        self.constants = program.constants
        self.makers: dict[Value, Equation] = {}

    def number(self, x: Operand) -> Any:
        """The number that an operand is throughout; None if it is not known."""
        if not isinstance(x, Value):
            return x
        array = self.constants.get(x)
        return first_of(array).item() if array is not None and array.size and is_uniform(array) else None

    def made_by(self, x: Operand, name: str) -> Equation | None:
        """The equation that makes ``x``, if it is one of that operation."""
        maker = self.makers.get(x) if isinstance(x, Value) else None
        return maker if maker is not None and maker.op.name == name else None


def simplified_algebra(program: Program) -> Program:
    """With such equations left out or replaced."""
    context = Context(program)
    same: dict[Value, Operand] = {}
    kept: list[Equation] = []
    for original in program.equations:
        equation = original
        if any([x in same for x in original.values]):
            equation = original.with_inputs([substitute(x, same) for x in original.inputs])
        rule = RULES.get(equation.op.name)
        found = rule(equation, context) if rule is not None else None
        (*_, result) = equation.results
        if isinstance(found, Equation):
            equation = found
        elif isinstance(found, Value) and found.type == result.type:
            same[result] = found
            continue
        kept.append(equation)
        context.makers.update(dict.fromkeys(equation.results, equation))
    return program.replaced(equations=kept, outputs=[substitute(x, same) for x in program.outputs])


# --- rules: an operand that is the result, an equation that gives it, or None
# ------------------------------------------


def _first(equation: Equation, context: Context) -> Operand | None:
    del context
    return equation.inputs[0]


def _of_real(equation: Equation, context: Context) -> Operand | None:
    del context
    x = equation.inputs[0]
    return x if isinstance(x, Value) and x.dtype.kind != "c" else None


def _copy(equation: Equation, context: Context) -> Operand | Equation | None:
    """``copy(x, y)`` is ``y``, broadcast and cast to the type of ``x``."""
    del context
    x, y = equation.inputs
    if not isinstance(x, Value) or not isinstance(y, Value) or x.dtype is not y.dtype:
        return None
    if x.shape == y.shape:
        return y
    return Equation(TABLE["expand"], (y,), {"shape": x.shape}, equation.results, equation.where)


def _mul(equation: Equation, context: Context) -> Operand | None:
    a, b = equation.inputs
    if context.number(b) == 1:
        return a
    return b if context.number(a) == 1 else None


def _div(equation: Equation, context: Context) -> Operand | None:
    return equation.inputs[0] if context.number(equation.inputs[1]) == 1 else None


def _sub(equation: Equation, context: Context) -> Operand | None:
    a, b = equation.inputs
    zero = context.number(b)
    return a if zero == 0 and not np.signbit(zero) else None


def _neg(equation: Equation, context: Context) -> Operand | None:
    inner = context.made_by(equation.inputs[0], "neg")
    return inner.inputs[0] if inner is not None else None


def _pow(equation: Equation, context: Context) -> Operand | Equation | None:
    del context
    x, exponent = equation.inputs
    if exponent == 1:
        return x
    if exponent == 2 and equation.results[0].dtype.kind == "f":
        return Equation(TABLE["mul"], (x, x), {}, equation.results, equation.where)
    return None


def _twice(equation: Equation, context: Context) -> Operand | Equation | None:
    """A transpose of a transpose."""
    inner = context.made_by(equation.inputs[0], equation.op.name)
    if inner is not None and dict(inner.meta) == dict(equation.meta):
        return inner.inputs[0]
    return None


def _expand(equation: Equation, context: Context) -> Operand | Equation | None:
    x = equation.inputs[0]
    inner = context.made_by(x, "expand")
    if inner is not None:
        return equation.with_inputs(inner.inputs)
    return x


def _reshape(equation: Equation, context: Context) -> Operand | Equation | None:
    x = equation.inputs[0]
    inner = context.made_by(x, "reshape") or context.made_by(x, "view")
    if inner is not None and isinstance(inner.inputs[0], Value):
        source = inner.inputs[0]
        return source if source.type == equation.results[0].type else equation.with_inputs(inner.inputs)
    return x


RULES: Final[dict[str, Rule]] = {
    **dict.fromkeys(("tied", "alias", "clone", "contiguous", "cast"), _first),
    **dict.fromkeys(("conj", "conj_physical", "real"), _of_real),
    "copy": _copy,
    "mul": _mul,
    "div": _div,
    "sub": _sub,
    "neg": _neg,
    "pow_number": _pow,
    **dict.fromkeys(("t", "transpose"), _twice),
    "expand": _expand,
    **dict.fromkeys(("reshape", "view"), _reshape),
}
