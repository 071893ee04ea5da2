"""Python numbers that a compiled function gets as arguments, and that may be other ones at the next call.

In a trace such a number is a :class:`TracedNumber`. Arithmetic with it is not part of the program: Python does it
before each run, in the order and with the types of the function, so that it is what it would have been without a trace.
Where a tensor meets a number, that is an input of the program. A comparison gives its outcome now, and the program
holds only for numbers that give the same. Whoever wants the value itself is refused: then the number is a constant of
the trace.
"""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Sequence
from typing import Any, Final, NoReturn

import numpy as np

from wengert._opaque import OpaqueNumber
from wengert._traced import TraceError

_TYPES: Final = {float: np.dtype(np.float64), int: np.dtype(np.int64)}
_INT_LIMIT: Final = 2**63
_UNPREDICTABLE: Final = (ArithmeticError, ValueError, TypeError)  # what arithmetic with other numbers may raise

Compute = Callable[[list[Any]], Any]


class NumberNeededError(TraceError):
    """The value of a number is asked for while it stands for all numbers."""


class Numbers:
    """What a trace does with some of the numbers among its arguments.

    Args:
        places: which leaves of the arguments.
        leaves: the leaves of the call that is traced.
    """

    def __init__(self, places: Sequence[int], leaves: Sequence[Any]) -> None:
        self._places = tuple(places)
        self._steps: list[tuple[Compute, type, bool | None]] = []
        self._values: list[Any] = []  # those of the call that is traced
        self._known: dict[Any, int] = {}
        self._made: list[weakref.ref[TracedNumber]] = []
        self._inputs: dict[int, Any] = {}  # values of the program by the numbers they are
        self.is_open = True
        self.asked: set[int] = set()  # the leaves whose values someone wanted
        self.given = {i: self._new(leaves[i], frozenset((i,))) for i in self._places}

    def _new(self, value: Any, origins: frozenset[int]) -> TracedNumber:
        self._values.append(value)
        made = TracedNumber(self, len(self._values) - 1, value, origins)
        self._made.append(weakref.ref(made))
        return made

    # --- while tracing ---------------------------------------------------------------------------------------------

    def compute(self, function: Callable[..., Any], operands: Sequence[Any]) -> Any:
        """The result of arithmetic (another traced number) or of a comparison (a bool, which is a guard)."""
        traced = [x for x in operands if type(x) is TracedNumber]
        origins = frozenset().union(*[x.origins for x in traced])
        key = (function, *[(x.place,) if type(x) is TracedNumber else (type(x), repr(x)) for x in operands])
        place = self._known.get(key)
        if place is None:
            value = function(*[x.concrete if type(x) is TracedNumber else x for x in operands])
            if type(value) is not bool and type(value) not in _TYPES:  # a complex power
                self.refuse(origins)
            self._steps.append((_computation(function, operands), type(value), value if type(value) is bool else None))
            self._values.append(value)
            place = self._known[key] = len(self._values) - 1
        value = self._values[place]
        if type(value) is bool:
            return value
        made = TracedNumber(self, place, value, origins)
        self._made.append(weakref.ref(made))
        return made

    def refuse(self, origins: frozenset[int]) -> NoReturn:
        """Say that these leaves must be constants."""
        self.asked |= origins
        raise NumberNeededError(
            "Python needs the value of a number that is an argument of a compiled function: it is a constant then"
        )

    def input(self, trace: Any, number: TracedNumber) -> Any:
        """The value of the program that a number is."""
        if type(number.concrete) is int and abs(number.concrete) >= _INT_LIMIT:
            self.refuse(number.origins)
        found = self._inputs.get(number.place)
        if found is None:
            found = self._inputs[number.place] = trace.new(_TYPES[type(number.concrete)], ())
        return found

    def close(self) -> None:
        """Tracing is over: from now on the numbers are those of the call that was traced."""
        self.is_open = False
        self.given.clear()

    def is_held(self) -> bool:
        """Whether something still holds a number: it would be the same one at each call."""
        if not any([made() is not None for made in self._made]):
            return False
        gc.collect()  # what the trace has left behind
        return any([made() is not None for made in self._made])

    # --- at a call -------------------------------------------------------------------------------------------------

    def values(self, leaves: Sequence[Any]) -> list[Any] | None:
        """All numbers for these leaves; None if the program does not hold for them."""
        values = [leaves[i] for i in self._places]
        for compute, cls, outcome in self._steps:
            try:
                value = compute(values)
            except _UNPREDICTABLE:
                return None  # the function says it itself
            if value.__class__ is not cls or (outcome is not None and value is not outcome):
                return None
            values.append(value)
        for place in self._inputs:
            value = values[place]
            if value.__class__ is int and not -_INT_LIMIT < value < _INT_LIMIT:
                return None
        return values

    def raws(self, values: Sequence[Any]) -> list[Any]:
        """What the program reads, from :meth:`values`."""
        return [value.dtype.type(values[place]) for place, value in self._inputs.items()]

    @property
    def inputs(self) -> list[Any]:
        """The inputs of the program, in the order of :meth:`raws`."""
        return list(self._inputs.values())


def _computation(function: Callable[..., Any], operands: Sequence[Any]) -> Compute:
    """``function`` of earlier numbers and of constants."""
    if len(operands) == 1:
        only = operands[0].place
        return lambda values: function(values[only])
    a, b = operands
    if type(a) is not TracedNumber:
        right = b.place
        return lambda values: function(a, values[right])
    left = a.place
    if type(b) is not TracedNumber:
        return lambda values: function(values[left], b)
    right = b.place
    return lambda values: function(values[left], values[right])


class TracedNumber(OpaqueNumber):
    """A float or an int of which nobody gets to know the value: what reads it (in Python or in C) is refused."""

    __slots__ = ("numbers", "origins", "place")

    def __init__(self, numbers: Numbers, place: int, concrete: Any, origins: frozenset[int]) -> None:
        self.numbers = numbers
        self.place = place
        self.concrete = concrete
        self.origins = origins

    def ask(self, read: Callable[[Any], Any]) -> Any:
        """Refused while tracing."""
        return self.numbers.refuse(self.origins) if self.numbers.is_open else read(self.concrete)

    def computed(self, function: Callable[..., Any], *operands: Any) -> Any:
        """A traced number, or the outcome of a comparison."""
        numbers = self.numbers
        for x in operands:
            if type(x) is TracedNumber and x.numbers is numbers:
                continue
            if isinstance(x, (complex, np.generic, np.ndarray)):
                numbers.refuse(frozenset().union(*[y.origins for y in operands if type(y) is TracedNumber]))
            if type(x) not in (float, int, bool):
                return NotImplemented
        if not numbers.is_open:
            return function(*[x.concrete if type(x) is TracedNumber else x for x in operands])
        return numbers.compute(function, operands)


__all__ = ["NumberNeededError", "Numbers", "TracedNumber"]
