"""Cutting a program with its backward sweep in two: a forward program, which also gives what the backward one needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from wengert.ops.record import Kind
from wengert.program.passes.cleaning import without_dead_code
from wengert.program.program import Equation, Program
from wengert.program.values import Operand, Value


@dataclass(frozen=True, slots=True)
class Cut:
    """A forward and a backward program.

    ``forward(*inputs) -> (*outputs, *residuals)``; ``backward(*kept_inputs, *residuals, *cotangents) -> gradients``.
    ``kept_inputs`` are the numbers of the inputs that the backward program reads.
    """

    forward: Program
    backward: Program
    kept_inputs: tuple[int, ...]
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
    backward = [*_recomputed(forward, backward, gradients), *backward]
    wanted = _read_from_outside(backward, gradients)
    kept_inputs = tuple([number for number, x in enumerate(inputs) if x in wanted])
    known = {*inputs, *joint.constants, *cotangents}
    residuals = tuple([x for x in wanted if x not in known])
    given = (*[inputs[number] for number in kept_inputs], *residuals, *cotangents)
    first = joint.replaced(inputs=inputs, equations=forward, outputs=(*outputs, *residuals))
    second = joint.replaced(inputs=given, equations=backward, outputs=gradients)
    return Cut(without_dead_code(first), without_dead_code(second), kept_inputs, len(residuals))


def _read_from_outside(equations: Sequence[Equation], outputs: Sequence[Operand]) -> dict[Value, None]:
    """The values that equations and outputs read and no equation gives, in order."""
    made = {x for equation in equations for x in equation.results}
    read = [x for equation in equations for x in equation.values]
    read += [x for x in outputs if isinstance(x, Value)]
    return dict.fromkeys([x for x in read if x not in made])


def _recomputed(forward: list[Equation], backward: list[Equation], gradients: Sequence[Operand]) -> list[Equation]:
    """The forward equations that the backward program does again, because they cost nothing."""
    makers = {x: equation for equation in forward for x in equation.results}
    again: set[Equation] = set()
    stack = list(_read_from_outside(backward, gradients))
    while stack:
        maker = makers.get(stack.pop())
        if maker is not None and maker not in again and is_free(maker):
            again.add(maker)
            stack.extend(maker.values)
    return [equation for equation in forward if equation in again]


def is_free(equation: Equation) -> bool:
    """Whether an equation only looks at memory in another way."""
    return equation.op.view and equation.op.kind is Kind.MOVEMENT
