"""Cutting a program with its backward sweep in two: a forward program, which also gives what the backward one needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from wengert.ops.record import Kind
from wengert.program.passes.cleaning import without_dead_code
from wengert.program.program import Equation, Program
from wengert.program.values import Operand, Value

# Operations that cost an instruction or two an element.
LIGHT: Final = frozenset(
    {
        *("add", "sub", "rsub", "rsub_number", "mul", "neg", "abs", "cast", "where", "zero_where", "clamp", "sign"),
        *("tril", "triu", "diag_embed", "diagonal_backward"),
        *("maximum", "minimum", "gt", "ge", "lt", "le", "eq", "ne", "logical_and", "logical_or", "logical_not"),
    }
)


@dataclass(frozen=True, slots=True)
class Cut:
    """A forward and a backward program.

    ``forward(*inputs) -> (*outputs, *residuals)``; ``backward(*kept_inputs, *kept_outputs, *residuals,
    *cotangents) -> gradients``.
    ``kept_inputs`` and ``kept_outputs`` are the numbers of those that the backward program reads.
    """

    forward: Program
    backward: Program
    kept_inputs: tuple[int, ...]
    kept_outputs: tuple[int, ...]
    residuals: int


def cut(joint: Program, cotangents: Sequence[Value], n_outputs: int) -> Cut:
    """Cut ``joint``: its inputs end with ``cotangents``; its outputs after the first ``n_outputs`` are gradients."""
    inputs = joint.inputs[: len(joint.inputs) - len(cotangents)]
    outputs, gradients = joint.outputs[:n_outputs], joint.outputs[n_outputs:]
    late = set(cotangents)
    forward: list[Equation] = []
    backward: list[Equation] = []
    for equation in joint.equations:
        if any([x in late for x in equation.values]):
            late.update(equation.results)
            backward.append(equation)
        else:
            forward.append(equation)
    backward = [*_recomputed(forward, backward, gradients, set(outputs)), *backward]
    wanted = _read_from_outside(backward, gradients)
    kept_inputs = tuple([number for number, x in enumerate(inputs) if x in wanted])
    known = {*inputs, *joint.constants, *cotangents}
    made = tuple([x for x in wanted if x not in known])
    kept_outputs = tuple([outputs.index(x) for x in made if x in outputs])
    residuals = tuple([x for x in made if x not in outputs])
    kept = (*[inputs[number] for number in kept_inputs], *[outputs[number] for number in kept_outputs], *residuals)
    given: Any = (*kept, *cotangents)
    first = joint.replaced(inputs=inputs, equations=forward, outputs=(*outputs, *residuals))
    second = joint.replaced(inputs=given, equations=backward, outputs=gradients)
    return Cut(without_dead_code(first), without_dead_code(second), kept_inputs, kept_outputs, len(residuals))


def _read_from_outside(equations: Sequence[Equation], outputs: Sequence[Operand]) -> dict[Value, None]:
    """The values that equations and outputs read and no equation gives, in order."""
    made = {x for equation in equations for x in equation.results}
    read = [x for equation in equations for x in equation.values]
    read += [x for x in outputs if isinstance(x, Value)]
    return dict.fromkeys([x for x in read if x not in made])


def _recomputed(
    forward: list[Equation], backward: list[Equation], gradients: Sequence[Operand], stored: set[Operand]
) -> list[Equation]:
    """The forward equations that the backward program does again, because they cost little and save memory.

    Those are views, and light arithmetic on no more than what it gives; ``stored`` is in memory anyway.
    """
    makers = {x: equation for equation in forward for x in equation.results}
    again: set[Equation] = set()
    kept = dict.fromkeys(_read_from_outside(backward, gradients))
    for equation in reversed(forward):
        if not any([y in kept for y in equation.results]):
            continue
        new = [x for x in dict.fromkeys(equation.values) if x not in kept and x in makers and x not in stored]
        smaller = sum([x.nbytes for x in new]) <= sum([y.nbytes for y in equation.results])
        is_stored = all([y in stored or y not in kept for y in equation.results])
        if not is_stored and (is_free(equation) or (equation.op.name in LIGHT and smaller)):
            again.add(equation)
            for y in equation.results:
                kept.pop(y, None)
            kept.update(dict.fromkeys(equation.values))
    return [equation for equation in forward if equation in again]


def is_free(equation: Equation) -> bool:
    """Whether an equation only looks at memory in another way."""
    return equation.op.view and equation.op.kind is Kind.MOVEMENT
