"""Leaving out what is computed twice or for nothing."""

from __future__ import annotations

from typing import Any

from wengert.program.program import Equation, Program
from wengert.program.text import meta_text
from wengert.program.values import Operand, Value


def without_dead_code(program: Program) -> Program:
    """Without the equations whose results nothing reads."""
    live = {x for x in program.outputs if isinstance(x, Value)}
    kept: list[Equation] = []
    for equation in reversed(program.equations):
        if any([x in live for x in equation.results]):
            kept.append(equation)
            live.update(equation.values)
    kept.reverse()
    return program.replaced(equations=kept)


def without_repetition(program: Program) -> Program:
    """With each equation once: a second one on the same inputs gives the first one's results."""
    same: dict[Operand, Operand] = {}
    seen: dict[Any, Equation] = {}
    kept: list[Equation] = []
    for equation in program.equations:
        inputs = tuple([substitute(x, same) for x in equation.inputs]) if same else equation.inputs
        meta = meta_text(dict(equation.meta)) if equation.meta else ""
        key = (equation.op.name, tuple([x if x.__class__ is Value else operand_key(x) for x in inputs]), meta)
        first = seen.get(key)
        if first is None:
            seen[key] = equation
            kept.append(equation if inputs is equation.inputs else equation.with_inputs(inputs))
        else:
            same.update(zip(equation.results, first.results, strict=True))
    return program.replaced(equations=kept, outputs=[substitute(x, same) for x in program.outputs])


def substitute(x: Operand, same: dict[Any, Any]) -> Operand:
    """``x``, or what stands for it; numbers stand for themselves."""
    return same.get(x, x) if isinstance(x, Value) else x


def operand_key(x: Operand) -> Any:
    """What tells operands apart: 1, 1.0, True and -0.0, 0.0 are different."""
    return x if isinstance(x, Value) else (type(x), repr(x))
