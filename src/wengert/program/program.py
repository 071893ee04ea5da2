"""A program: a list of equations in single assignment form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import CodeType
from typing import Any

import numpy as np

from wengert.ops.record import Op
from wengert.program.text import program_text
from wengert.program.values import Operand, Value


@dataclass(slots=True, eq=False)
class Equation:
    """``results = op(*inputs, **meta)``; numbers among the inputs are literals, weak as Python's are in NumPy.

    ``where`` is the user's code position (a code object and an offset), if it came from there. Nothing is ever set in
    an equation; it is not a frozen dataclass because making one of those takes Python four times as long, and tracing
    makes one for each operation.
    """

    op: Op
    inputs: tuple[Operand, ...]
    meta: Mapping[str, Any]
    results: tuple[Value, ...]
    where: tuple[CodeType, int] | None = None
    values: tuple[Value, ...] = field(init=False, repr=False)  # the inputs that are values

    def __post_init__(self) -> None:
        self.values = tuple([x for x in self.inputs if isinstance(x, Value)])

    def with_inputs(self, inputs: Iterable[Operand]) -> Equation:
        """The same equation on other inputs of the same types."""
        return Equation(self.op, tuple(inputs), self.meta, self.results, self.where)


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """Inputs, constant arrays, equations in an order in which they can run, outputs.

    Two programs are equal if they are the same up to the names of their values: the text of one reads back as an equal
    program (:func:`wengert.program.parse.parse`).
    """

    inputs: tuple[Value, ...]
    equations: tuple[Equation, ...]
    outputs: tuple[Operand, ...]
    constants: Mapping[Value, np.ndarray[Any, Any]] = field(default_factory=dict)

    def __str__(self) -> str:
        return program_text(self)

    __repr__ = __str__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Program) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))

    def uses(self) -> dict[Value, int]:
        """How often each value is read, by equations and as an output."""
        count: dict[Value, int] = {}
        for equation in self.equations:
            for x in equation.values:
                count[x] = count.get(x, 0) + 1
        for output in self.outputs:
            if isinstance(output, Value):
                count[output] = count.get(output, 0) + 1
        return count

    def replaced(
        self,
        *,
        inputs: tuple[Value, ...] | None = None,
        equations: Iterable[Equation] | None = None,
        outputs: Iterable[Operand] | None = None,
    ) -> Program:
        """The program with some of its parts replaced; constants that nothing reads any more are left out."""
        new = Program(
            self.inputs if inputs is None else inputs,
            self.equations if equations is None else tuple(equations),
            self.outputs if outputs is None else tuple(outputs),
            self.constants,
        )
        if not new.constants:
            return new
        used = new.uses()
        kept = {value: array for value, array in self.constants.items() if value in used}
        return new if len(kept) == len(self.constants) else Program(new.inputs, new.equations, new.outputs, kept)
