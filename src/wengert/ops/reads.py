"""Which values a rule reads: worked out from its code, so that a graph keeps nothing that no rule needs.

A rule that uses an input's values makes the graph hold that input until backward; one that uses only its shape or
dtype does not. The answer is read off the rule's bytecode: a parameter that is loaded and at once asked for a metadata
attribute is a metadata read, any other load is a value read. Anything unclear counts as a value read, which costs
memory but is never wrong.
"""

from __future__ import annotations

import dis
from collections.abc import Callable
from enum import IntEnum
from typing import Any

_METADATA = frozenset({"shape", "ndim", "dtype", "size"})


class Read(IntEnum):
    """How much of a value a rule reads."""

    NOTHING = 0
    METADATA = 1
    VALUES = 2


def reads_of(rule: Callable[..., Any]) -> dict[str, Read]:
    """Say for each parameter of a rule how much of it the rule reads.

    >>> reads_of(lambda xp, g, y, x: g * y + x.shape[0])["x"].name
    'METADATA'
    """
    code = rule.__code__
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount + bool(code.co_flags & 0x04)]
    found = dict.fromkeys(names, Read.NOTHING)
    for cell in code.co_cellvars:  # captured by an inner function: anything may happen there
        if cell in found:
            found[cell] = Read.VALUES
    instructions = list(dis.get_instructions(code))
    for here, following in zip(instructions, [*instructions[1:], None], strict=True):
        if "LOAD_FAST" not in here.opname and "LOAD_DEREF" not in here.opname:
            continue
        loaded = here.argval if isinstance(here.argval, tuple) else (here.argval,)
        for position, name in enumerate(loaded):
            if name in found:
                last = position == len(loaded) - 1
                found[name] = max(found[name], _read_at(following if last else None))
    return found


def items_read(rule: Callable[..., Any], name: str) -> frozenset[int] | None:
    """Which items of a tuple a rule reads: those that it asks for by number; None where it does anything else with it.

    >>> sorted(items_read(lambda xp, g, y, x: g[0] * y[1], "y"))
    [1]
    """
    code = rule.__code__
    if name in code.co_cellvars:
        return None
    found = set()
    instructions = [*dis.get_instructions(code), None, None]
    for here, number, subscript in zip(instructions, instructions[1:], instructions[2:], strict=False):
        if here is None or "LOAD_FAST" not in here.opname:
            continue
        loaded = here.argval if isinstance(here.argval, tuple) else (here.argval,)
        if name not in loaded:
            continue
        is_item = number is not None and number.opname in _NUMBERS and isinstance(number.argval, int)
        if loaded.count(name) > 1 or loaded[-1] != name or not is_item or not _is_subscript(subscript):
            return None
        found.add(number.argval)  # type: ignore[union-attr]
    return frozenset(found)


_NUMBERS = frozenset({"LOAD_CONST", "LOAD_SMALL_INT"})


def _is_subscript(instruction: dis.Instruction | None) -> bool:
    return instruction is not None and (instruction.opname == "BINARY_SUBSCR" or instruction.argrepr == "[]")


def _read_at(following: dis.Instruction | None) -> Read:
    if following is not None and following.opname == "LOAD_ATTR" and following.argval in _METADATA:
        return Read.METADATA
    return Read.VALUES
