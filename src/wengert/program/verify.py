"""Checking a program: each value is made once, before it is read, with the type that its operation gives."""

from __future__ import annotations

from wengert.ops.record import TABLE
from wengert.program.infer import result_types
from wengert.program.loops import LOOPS
from wengert.program.program import Equation, Program
from wengert.program.text import bodies_of, equation_text, value_names
from wengert.program.values import Operand, Value, type_text


class InvalidProgramError(ValueError):
    """A program breaks a rule that every program keeps."""


def verify(program: Program) -> Program:
    """The program itself, if it is valid.

    Raises:
        InvalidProgramError: what is wrong, and in which equation.
    """
    names = value_names(program)
    known: set[Value] = set()
    for value in (*program.inputs, *program.constants):
        _define(value, known, "the inputs")
    for value, array in program.constants.items():
        if (array.dtype, array.shape) != value.type:
            raise InvalidProgramError(
                f"the constant {names[value]} is {type_text(array)}, said to be {type_text(value)}"
            )
    for equation in program.equations:
        text = equation_text(equation, names)
        for x in equation.inputs:
            _check_operand(x, known, text)
        for _, body in bodies_of(equation):
            verify(body)
        if (LOOPS.get(equation.op.name) or TABLE.ops.get(equation.op.name)) is not equation.op:
            raise InvalidProgramError(f"{equation.op.name} is no operation of the table: {text}")
        _check_types(equation, text)
        for value in equation.results:
            _define(value, known, text)
    for x in program.outputs:
        _check_operand(x, known, "return")
    return program


def _define(value: Value, known: set[Value], text: str) -> None:
    if value in known:
        raise InvalidProgramError(f"a value is made twice: {text}")
    known.add(value)


def _check_operand(x: Operand, known: set[Value], text: str) -> None:
    if isinstance(x, Value):
        if x not in known:
            raise InvalidProgramError(f"a value is read before it is made: {text}")
    elif type(x) not in (bool, int, float, complex):
        raise InvalidProgramError(f"{x!r} is neither a value nor a Python number: {text}")


def _check_types(equation: Equation, text: str) -> None:
    try:
        expected = result_types(equation.op, equation.inputs, equation.meta)
    except ValueError as error:
        raise InvalidProgramError(f"{error}: {text}") from None
    got = tuple([value.type for value in equation.results])
    if got != expected:
        raise InvalidProgramError(f"the operation gives {list(expected)}: {text}")
