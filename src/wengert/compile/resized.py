"""A traced program for other lengths of its inputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

import numpy as np

from wengert._opaque import at, has_opaque
from wengert.program.program import Equation, Program
from wengert.program.values import Value

# What metadata hold that is no container: anything else might know of lengths without showing it.
_PLAIN: Final = (bool, int, float, complex, str, bytes, type, type(None), type(...), np.dtype, np.generic, np.ndarray)


class Symbolic(NamedTuple):
    """A program as it was traced: its equations with what stands for lengths, and the shapes of values that have some.

    The values themselves have the shapes of the call that was traced.
    """

    program: Program
    shapes: Mapping[Value, Any]

    @property
    def shows_lengths(self) -> bool:
        """Whether whatever its equations know of lengths can be seen."""
        return all([_shows(x) for equation in self.program.equations for x in equation.meta.values()])

    def resized(self, values: Mapping[int, int]) -> Program:
        """The program with these lengths, by the identities of what stands for them."""
        made = {x: Value(x.dtype, at(shape, values)) for x, shape in self.shapes.items()}

        def renamed(xs: Iterable[Any]) -> tuple[Any, ...]:
            return tuple([made.get(x, x) if isinstance(x, Value) else at(x, values) for x in xs])

        program = self.program
        equations = [
            Equation(each.op, renamed(each.inputs), at(dict(each.meta), values), renamed(each.results), each.where)
            for each in program.equations
        ]
        return Program(renamed(program.inputs), tuple(equations), renamed(program.outputs), program.constants)


def settled(program: Program, made: Iterable[Value], values: Mapping[int, int]) -> tuple[Program, Symbolic]:
    """The program with the lengths that were traced, and as it was: shapes of all values ``made`` become numbers."""
    shapes: dict[Value, Any] = {}
    known: dict[int, Any] = {}  # by the identities of shapes, of which there are few
    for x in made:
        shape = x.shape
        found = known.get(id(shape))
        if found is None:
            found = known[id(shape)] = at(shape, values)
        if found is not shape:
            shapes[x], x.shape = shape, found
    equations = [_with_numbers(each, values) for each in program.equations]
    return Program(program.inputs, tuple(equations), program.outputs, program.constants), Symbolic(program, shapes)


def _with_numbers(equation: Equation, values: Mapping[int, int]) -> Equation:
    """The equation with numbers for lengths among its operands and metadata."""
    meta, inputs = equation.meta, equation.inputs
    if len(equation.values) == len(inputs) and not meta:
        return equation
    if not has_opaque(inputs) and not has_opaque(meta.values()):
        return equation
    return Equation(equation.op, at(inputs, values), at(dict(meta), values), equation.results, equation.where)


def _shows(x: Any) -> bool:
    if isinstance(x, (tuple, list)):
        return all(map(_shows, x))
    if isinstance(x, dict):
        return all(map(_shows, x.values()))
    return isinstance(x, (*_PLAIN, slice))


__all__ = ["Symbolic", "settled"]
