"""Calls of a compiled function that differ only in Python numbers: which of them are inputs of one program.

The first numbers are constants of the trace. One that is another at a later call varies from then on, unless the
function wants to know its value.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dis import get_instructions
from types import CodeType, FrameType
from typing import Any, Final

from wengert._source import is_passed_over
from wengert.compile.numbers import NumberNeededError, Numbers
from wengert.compile.plan import Plan
from wengert.engine.state import STATE

MOST_PLANS: Final = 8  # where comparisons lead so many ways for the same varying numbers, these are constants


class NumbersAskedError(NumberNeededError):
    """Numbers at some leaves cannot vary."""

    def __init__(self, asked: frozenset[int]) -> None:
        super().__init__("numbers must be constants")
        self.asked = asked


class Family:
    """What is known of the calls that are alike but for their numbers.

    Args:
        key: that of the first call.
        places: the leaves that are numbers.
    """

    def __init__(self, key: Any, places: Sequence[int]) -> None:
        self._first = key
        self._places = tuple(places)
        self._refused: frozenset[int] = frozenset()
        self.varying: tuple[int, ...] = ()  # the leaves that are inputs
        self.doubtful: tuple[int, ...] = ()  # those that cannot be inputs, unless constants cannot be traced either

    def candidates(self, key: Any) -> tuple[int, ...]:
        """The leaves that should be inputs, given that a call has this key."""
        first, refused = self._first, self._refused
        found = [i for i in self._places if i in self.varying or key[1 + i] != first[1 + i]]
        return tuple([i for i in found if i not in refused])

    def refuse(self, places: Iterable[int]) -> None:
        """These leaves stay constants."""
        self._refused |= frozenset(places)
        self.varying = tuple([i for i in self.varying if i not in self._refused])


def traced(
    function: Callable[..., Any],
    leaves: Sequence[Any],
    structure: Any,
    *,
    effects: bool,
    fast_math: bool,
    varying: Sequence[int],
    lengths_vary: bool = False,
) -> Plan:
    """A new plan.

    Raises:
        NumbersAskedError: the function asked for the value or type of a varying number (whatever it did then), or
            keeps it.
    """
    numbers = Numbers(varying, leaves) if varying else None
    if numbers is None:
        return Plan(function, leaves, structure, effects=effects, fast_math=fast_math, lengths_vary=lengths_vary)
    codes: set[CodeType] = set()
    try:
        with _noting(codes):
            plan = Plan(function, leaves, structure, effects=effects, fast_math=fast_math, numbers=numbers)
    except Exception as error:  # whatever it is, the function says it itself when it is traced with constants
        raise NumbersAskedError(frozenset(numbers.asked)) from error
    finally:
        numbers.close()
    if numbers.asked or numbers.is_held() or any(map(_names_type, codes)):
        raise NumbersAskedError(frozenset(numbers.asked))
    return plan


@contextmanager
def _noting(codes: set[CodeType]) -> Iterator[None]:
    """Note which code runs in this thread while it traces."""

    def note(frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and STATE.trace is not None:
            codes.add(frame.f_code)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        yield
    finally:
        sys.setprofile(before)


def _names_type(code: CodeType) -> bool:
    """Whether code of the user calls ``type``: nothing can tell that it does so with a number, whose type is another.

    ``isinstance`` and ``__class__`` are fine.
    """
    if "type" not in code.co_names or is_passed_over(code.co_filename):
        return False
    return any([x.argval == "type" and x.opname in ("LOAD_GLOBAL", "LOAD_NAME") for x in get_instructions(code)])


__all__ = ["MOST_PLANS", "Family", "NumbersAskedError", "traced"]
