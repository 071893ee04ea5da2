"""What the source says about operations: whose result a name is, which operand a text stands for."""

from __future__ import annotations

import ast
from functools import lru_cache
from itertools import groupby
from types import CodeType, FrameType
from typing import Any

from wengert._names import operand_texts, variables_of
from wengert.engine.base import TensorBase
from wengert.see.structure import Operation, Value


def last_of_calls(operations: list[Operation]) -> set[Operation]:
    """The operations whose result is that of the user's call, which may have made several nodes at one place.

    Neighbours at one place are one call, or one in each round of a loop: as many as their names repeat.
    """
    last: set[Operation] = set()
    for _, group in groupby(operations, place_of):
        run = list(group)
        period = _period([operation.name for operation in run]) if len(run) > 1 else 1
        last.update(run[period - 1 :: period])
    return last


def place_of(operation: Operation) -> tuple[Any, int]:
    """Where in the user's code an operation was asked for."""
    return operation.node.code, operation.node.lasti


def _period(names: list[str]) -> int:
    """After how many names a list repeats itself to its end."""
    size = len(names)
    return next((p for p in range(1, size) if size % p == 0 and names[p:] == names[:-p]), size)


def argument_names(text: str) -> list[str]:
    """The names that stand as arguments in the text of a call."""
    try:
        call = ast.parse(text, mode="eval").body
    except SyntaxError:
        return []
    if not isinstance(call, ast.Call):
        return []
    return [part.id for part in (*call.args, *[k.value for k in call.keywords]) if isinstance(part, ast.Name)]


def constant_tensor(candidate: Any) -> Any:
    """Something that lies around, if it is a tensor that does not require grad."""
    is_constant = issubclass(type(candidate), TensorBase) and not candidate._rg
    return candidate if is_constant else None


def variable(name: str, code: CodeType, running: list[FrameType]) -> Any:
    """What a name in a code object stands for now: of its running frame, or global in its file; else None."""
    for frame in running:
        if frame.f_code is code:
            return variables_of(frame).get(name)
        if name in code.co_freevars and code in frame.f_code.co_consts:  # of the function that `code` is written in
            return variables_of(frame).get(name)
    if name not in (*code.co_varnames, *code.co_cellvars, *code.co_freevars):
        for frame in running:
            if frame.f_code.co_filename == code.co_filename:
                return frame.f_globals.get(name)
    return None


def operands(operation: Operation) -> list[tuple[Value, str]]:
    """The inputs with the texts that stand for them in the source; none where the two do not fit together.

    Python swaps the operands of a reflected operator: `1 - x` is `rsub` of x and 1, `2 * x` the product of x and 2.
    """
    texts = operand_texts(operation.location) if operation.location is not None else None
    return operands_among(operation, texts)


def operands_among(operation: Operation, texts: tuple[str, ...] | None) -> list[tuple[Value, str]]:
    """As :func:`operands`, of the texts of the operands at its place."""
    if texts is None or len(texts) != len(operation.inputs):
        return []
    orders = [texts, texts[::-1]]
    if operation.op is not None and operation.op.name.startswith("rsub"):
        orders.reverse()
    for order in orders:
        pairs = list(zip(operation.inputs, order, strict=True))
        if all([_may_be(value, text, texts) for value, text in pairs]):
            return pairs
    return []


def _may_be(value: Value, text: str, texts: tuple[str, ...]) -> bool:
    """Whether nothing speaks against this text, one of several, standing for this value."""
    if value.name is not None and value.name in texts:  # else it has another name where the operation stands
        return value.name == text
    number = number_in(text)
    return number is None or (value.dtype is None and (value.raw is None or value.raw == number))


@lru_cache(maxsize=1024)
def number_in(text: str) -> Any:
    """The number that a text is; None for another text."""
    try:
        number = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return None
    return number if isinstance(number, (int, float, complex)) else None


def is_name(text: str) -> bool:
    """Whether a text is a name or a chain of attributes."""
    return all([part.isidentifier() for part in text.split(".")])


__all__ = [
    "argument_names",
    "constant_tensor",
    "is_name",
    "last_of_calls",
    "number_in",
    "operands",
    "operands_among",
    "place_of",
    "variable",
]
