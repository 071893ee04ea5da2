"""Running a program on NumPy: each equation by its operation's implementation, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wengert._fpenv import SILENT, enter, leave
from wengert.program.program import Program
from wengert.program.values import Value


class Evaluator:
    """A program made ready to run: values are numbered places of a list, and are let go after their last use.

    >>> import numpy as np
    >>> from wengert.program.parse import parse
    >>> import wengert
    >>> run = Evaluator(parse('''program(a: f64[2]):
    ...   b: f64[2] = mul(a, 2.0)
    ...   return b'''))
    >>> run(np.array([1.0, 2.0]))
    (array([2., 4.]),)
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        place: dict[Value, int] = {}
        for value in (*program.inputs, *program.constants):
            place[value] = len(place)
        self._constants = list(program.constants.values())
        last = _last_uses(program)
        self._steps: list[tuple[Any, Any, Any, Any, Any]] = []
        for number, equation in enumerate(program.equations):
            arguments = tuple([_address(x, place) for x in equation.inputs])
            for value in equation.results:
                place[value] = len(place)
            results = tuple([place[value] for value in equation.results])
            dead = tuple([place[x] for x in {*equation.values, *equation.results} if last.get(x, number) == number])
            several = equation.op.outputs != 1
            meta = dict(equation.meta)
            self._steps.append((equation.op.impl, arguments, meta, results if several else results[0], dead))
        self._size = len(place)
        self._outputs = tuple([_address(x, place) for x in program.outputs])

    def __call__(self, *raws: Any) -> tuple[Any, ...]:
        """The outputs for these raw inputs (arrays or NumPy scalars, of the types of the program's inputs)."""
        values: list[Any] = [*raws, *self._constants]
        values += [None] * (self._size - len(values))
        token = enter(SILENT)
        try:
            for impl, arguments, meta, results, dead in self._steps:
                y = impl(*[values[a] if a.__class__ is int else a[0] for a in arguments], **meta)
                if results.__class__ is int:
                    values[results] = y
                else:
                    for place, part in zip(results, y, strict=True):
                        values[place] = part
                y = None
                for place in dead:
                    values[place] = None
        finally:
            leave(token)
        return tuple([values[a] if a.__class__ is int else a[0] for a in self._outputs])


def _address(x: Any, place: dict[Value, int]) -> Any:
    """A place, or a literal in a tuple."""
    return place[x] if isinstance(x, Value) else (x,)


def _last_uses(program: Program) -> dict[Value, int]:
    """After which equation a value is not read any more; inputs and outputs are never let go."""
    last = {x: number for number, equation in enumerate(program.equations) for x in equation.values}
    for x in (*program.inputs, *program.constants, *program.outputs):
        if isinstance(x, Value):
            last[x] = len(program.equations)
    return last


def evaluate(program: Program, raws: Sequence[Any]) -> tuple[Any, ...]:
    """The outputs of a program for raw inputs."""
    return Evaluator(program)(*raws)
