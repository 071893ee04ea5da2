"""Lengths of a function's arguments that may be others at the next call.

In a trace such a length is a number that nobody reads unasked. What is computed from it is an expression, which knows
what it would be for other lengths. What is decided by it narrows the lengths for which the trace holds: to a side of
what it was compared with, or, where code wants to know it, to the one that it is. So a trace is always right for some
lengths, those of its call among them, whatever the function does.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import prod
from sys import _getframe
from typing import Any, Final

import numpy as np

from wengert._batched import new_axis
from wengert._opaque import OpaqueNumber, at, has_opaque, plain
from wengert._source import is_passed_over
from wengert._traced import Traced
from wengert.compile.lower.sizes import INNER, SHORT
from wengert.functions import array_protocol, info

Shape = tuple[Any, ...]
_HIGHEST: Final = 1 << 40
# Where functions say of a tensor what shape it has: who calls them is who looks at it.
_SAYING: Final = frozenset(
    [each.__code__.co_filename for each in (info.numel, array_protocol.to_device, Traced.layout, new_axis)]
)

_COMPARISONS: Final = frozenset({operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne})


class Lengths:
    """The lengths of one trace; those that are equal are one.

    Short ones, and inner ones up to some tens, are known numbers: kernels have them in their code.
    """

    def __init__(self, shapes: Iterable[tuple[int, ...]]) -> None:
        shapes = tuple(shapes)
        inner = {n for shape in shapes for n in shape[1:] if n <= INNER}
        found = [n for n in dict.fromkeys([n for shape in shapes for n in shape]) if n > SHORT and n not in inner]
        self.all = {n: Length(self, n) for n in found}
        self.is_open = True
        self._expressions: dict[Any, Expression] = {}

    def shape(self, shape: tuple[int, ...]) -> Shape:
        """A shape with these lengths in place of numbers."""
        return tuple([self.all.get(n, n) for n in shape])

    def expression(self, function: Callable[..., Any], operands: Sequence[Any], value: Any) -> Expression:
        """What ``function`` gives for operands with lengths among them; the same one each time."""
        key = (function, *[id(x) if isinstance(x, OpaqueNumber) else (type(x), repr(x)) for x in operands])
        found = self._expressions.get(key)
        if found is None:
            found = self._expressions[key] = Expression(self, function, tuple(operands), value)
        return found

    def close(self) -> None:
        """Tracing is over: from now on they are the numbers of the call that was traced."""
        self.is_open = False

    def settle(self) -> None:
        """Let the trace hold for these lengths only."""
        for length in self.all.values():
            length.pin()

    @property
    def values(self) -> dict[int, int]:
        """What they are in the call that is traced, by their identities."""
        return {id(length): length.concrete for length in self.all.values()}

    @property
    def free(self) -> list[Length]:
        """Those that may be others."""
        return [length for length in self.all.values() if length.low < length.high]


def as_seen(shape: Shape) -> Shape:
    """A shape for who asks for it, two frames above: code of the user gets numbers."""
    if not has_opaque(shape):
        return shape
    frame = _getframe(2)
    while frame.f_code.co_filename in _SAYING and frame.f_back is not None:
        frame = frame.f_back
    return shape if is_passed_over(frame.f_code.co_filename) else plain(shape)


class Symbol(OpaqueNumber):
    """A length, or what was computed from lengths."""

    __slots__ = ("lengths", "origins")

    lengths: Lengths
    origins: tuple[Length, ...]

    @property
    def interval(self) -> tuple[Any, Any] | None:
        """The smallest and the largest that it may be, if that is known."""
        raise NotImplementedError

    def at(self, values: Mapping[int, int]) -> Any:
        """What it is where lengths (by their identities) are these."""
        raise NotImplementedError

    def ask(self, read: Callable[[Any], Any]) -> Any:
        """Read the value: the trace holds for these lengths only."""
        self.pin()
        return read(self.concrete)

    def pin(self) -> None:
        """Let the trace hold for these lengths only."""
        if self.lengths.is_open:
            for length in self.origins:
                length.low = length.high = length.concrete

    def computed(self, function: Callable[..., Any], *operands: Any) -> Any:
        """An expression, or the outcome of a comparison, which narrows the lengths for which the trace holds."""
        if not all([isinstance(x, Symbol) or type(x) in (int, float, bool) for x in operands]):
            if any([isinstance(x, (complex, int, float, np.generic, np.ndarray)) for x in operands if x is not self]):
                return function(*[plain(x) for x in operands])
            return NotImplemented
        values = [x.concrete if isinstance(x, Symbol) else x for x in operands]
        if not self.lengths.is_open:
            return function(*values)
        if function is bool:
            return self.computed(operator.ne, self, 0)
        if function in _COMPARISONS:
            return _compared(function, *operands)
        exact = _of_products(self.lengths, function, *operands) if len(operands) == 2 else None
        if exact is not None:
            return exact
        try:
            value = function(*values)
        except (ArithmeticError, ValueError, TypeError):
            self.pin()
            raise
        if type(value) not in (int, float):
            return function(*[plain(x) for x in operands])
        return self.lengths.expression(function, operands, value)


def _factors(x: Any) -> tuple[int, list[Length]] | None:
    """A number and lengths whose product it is, if it is a product of such."""
    if type(x) is int:
        return x, []
    if type(x) is Length:
        return 1, [x]
    if type(x) is Expression and x.function is _product:
        first, *rest = x.operands
        return first, rest
    return None


def _product(*factors: int) -> int:
    return prod(factors)


def _product_of(lengths: Lengths, number: int, factors: Sequence[Length]) -> Any:
    if not factors:
        return number
    if number == 1 and len(factors) == 1:
        return factors[0]
    operands = (number, *sorted(factors, key=id))  # the same product is the same object
    return lengths.expression(_product, operands, _product(number, *[each.concrete for each in factors]))


def _of_products(lengths: Lengths, function: Callable[..., Any], a: Any, b: Any) -> Any:
    """A product of products, one divided by a part of it, and the remainder nought of that; None for anything else."""
    one, two = _factors(a), _factors(b)
    if one is None or two is None:
        return None
    (n, own), (m, other) = one, two
    if function is operator.mul and n * m > 0:
        return _product_of(lengths, n * m, [*own, *other])
    if function in (operator.floordiv, operator.mod) and m > 0 and n % m == 0:
        rest = list(own)
        for length in other:
            if not any([length is each for each in rest]):
                return None
            rest = [each for place, each in enumerate(rest) if place != _place(rest, length)]
        return 0 if function is operator.mod else _product_of(lengths, n // m, rest)
    return None


def _place(lengths: Sequence[Length], length: Length) -> int:
    return next(place for place, each in enumerate(lengths) if each is length)


class Length(Symbol):
    """The length of an axis; ``low`` and ``high`` are the least and most for which the trace holds."""

    __slots__ = ("high", "low")

    def __init__(self, lengths: Lengths, value: int) -> None:
        self.lengths = lengths
        self.concrete = value
        self.origins = (self,)
        self.low, self.high = SHORT + 1, _HIGHEST

    @property
    def interval(self) -> tuple[Any, Any]:
        """From the least to the most."""
        return self.low, self.high

    def at(self, values: Mapping[int, int]) -> Any:
        """That one."""
        return values.get(id(self), self.concrete)  # one of another trace is known


class Expression(Symbol):
    """``function`` of lengths and numbers."""

    __slots__ = ("function", "operands")

    def __init__(self, lengths: Lengths, function: Callable[..., Any], operands: tuple[Any, ...], value: Any) -> None:
        self.lengths = lengths
        self.function = function
        self.operands = operands
        self.concrete = value
        origins = [each for x in operands if isinstance(x, Symbol) for each in x.origins]
        self.origins = tuple({id(each): each for each in origins}.values())

    @property
    def interval(self) -> tuple[Any, Any] | None:
        """That of a sum, a difference, a product, or a part; None where it is not known."""
        parts = [_interval(x) for x in self.operands]
        if None in parts:
            return None
        low, high = zip(*parts, strict=True)
        if self.function in (operator.mul, _product):
            return (prod(low), prod(high)) if min(low) >= 0 else None
        if self.function is operator.add:
            return sum(low), sum(high)
        if self.function is operator.sub:
            return low[0] - high[1], high[0] - low[1]
        if self.function is operator.truediv and low[0] >= 0 and low[1] > 0:
            return low[0] / high[1], high[0] / low[1]
        return None

    def at(self, values: Mapping[int, int]) -> Any:
        """The function of that."""
        return self.function(*[at(x, values) for x in self.operands])


def _interval(x: Any) -> tuple[Any, Any] | None:
    return x.interval if isinstance(x, Symbol) else (x, x)


def _compared(function: Any, a: Any, b: Any) -> bool:
    """The outcome of a comparison, for all lengths for which the trace holds from now on."""
    if a is b:
        return bool(function(0, 0))
    one, two = _interval(a), _interval(b)
    if one is None or two is None or not (one[1] < two[0] or two[1] < one[0]):
        _separate(a, b)
    values = [x.concrete if isinstance(x, Symbol) else x for x in (a, b)]
    return bool(function(*values))


def _separate(a: Any, b: Any) -> None:
    """Narrow lengths so that one of two is always less than the other; if they are equal, to what they are."""
    if not isinstance(a, Symbol):
        a, b = b, a
    value, other = a.concrete, b.concrete if isinstance(b, Symbol) else b
    if type(a) is not Length or not (type(b) is Length or type(b) is int) or value == other:
        for x in (a, b):
            if isinstance(x, Symbol):
                x.pin()
        return
    if type(b) is Length:
        lesser, greater = (a, b) if value < other else (b, a)
        middle = (lesser.concrete + greater.concrete) // 2
        lesser.high, greater.low = min(lesser.high, middle), max(greater.low, middle + 1)
    elif value > other:
        a.low = max(a.low, other + 1)
    else:
        a.high = min(a.high, other - 1)


__all__ = ["Length", "Lengths", "Symbol", "as_seen"]
