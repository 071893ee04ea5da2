"""Expressions: what an operation or a rule computes, as data that can be compared, evaluated and shown.

A written expression is made of names, numbers and calls of operations of the table. A simplified one (see
:mod:`wengert.spaces.algebra`) has products of powers and sums besides.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any, Final

import numpy as np

from wengert.ops.record import TABLE, Kind
from wengert.spaces.raw import RAW

Exact = Fraction


class Expression:
    """Any expression; equal if it is written alike."""

    __slots__ = ("_hash",)
    _hash: int

    def key(self) -> Any:
        """What makes it equal to another of its class."""
        raise NotImplementedError

    def parts(self) -> tuple[Expression, ...]:
        """The expressions that it is made of."""
        return ()

    def __hash__(self) -> int:
        try:
            return self._hash
        except AttributeError:
            self._hash = hash((type(self), self.key()))
            return self._hash

    def __eq__(self, other: object) -> bool:
        return self is other or (type(self) is type(other) and hash(self) == hash(other) and self.key() == other.key())

    def __repr__(self) -> str:
        return f"{type(self).__name__}{self.key()!r}"


class Name(Expression):
    """A value that is called by a name; two of the same name are two unless they are one object."""

    __slots__ = ("order", "shape", "text", "truth")

    def __init__(self, text: str, order: int = 0, shape: tuple[int, ...] = (), *, truth: bool = False) -> None:
        self.text = text
        self.order = order  # names stand in this order in products and sums
        self.shape = shape
        self.truth = truth  # it is a mask, true or false at each element

    def key(self) -> Any:
        """Its identity."""
        return id(self)

    def __repr__(self) -> str:
        return self.text


class Derivative(Name):
    """The derivative of one named value by another, as a name of its own."""

    __slots__ = ("above", "below")

    def __init__(self, above: str, below: Name) -> None:
        super().__init__(f"d{above}/d{below.text}", below.order, below.shape)
        self.above = above
        self.below = below


class Number(Expression):
    """A number that is written out."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def key(self) -> Any:
        """The number, NaN equal to itself."""
        return repr(self.value)


class Call(Expression):
    """An operation of the table applied to expressions; `part` says which of several results is meant."""

    __slots__ = ("args", "meta", "name", "part")

    def __init__(
        self, name: str, args: tuple[Expression, ...], meta: Mapping[str, Any], part: int | None = None
    ) -> None:
        self.name = name
        self.args = args
        self.meta = meta
        self.part = part

    def key(self) -> Any:
        """Operation, arguments and metadata."""
        return self.name, self.args, repr(sorted(self.meta.items())), self.part

    def parts(self) -> tuple[Expression, ...]:
        """The arguments."""
        return self.args


class Product(Expression):
    """A coefficient times powers of expressions, none of which is a number or a product."""

    __slots__ = ("coefficient", "powers")

    def __init__(self, coefficient: Exact, powers: Mapping[Expression, Exact]) -> None:
        self.coefficient = coefficient
        self.powers = powers

    def key(self) -> Any:
        """Coefficient and powers, in whatever order."""
        return self.coefficient, frozenset(self.powers.items())

    def parts(self) -> tuple[Expression, ...]:
        """The bases."""
        return tuple(self.powers)


class Sum(Expression):
    """Two or more products with different powers."""

    __slots__ = ("terms",)

    def __init__(self, terms: tuple[Product, ...]) -> None:
        self.terms = terms

    def key(self) -> Any:
        """The terms, in whatever order."""
        return frozenset(self.terms)

    def parts(self) -> tuple[Expression, ...]:
        """The terms."""
        return self.terms


ONE: Final = Product(Exact(1), {})
ZERO: Final = Product(Exact(0), {})


def all_parts(expression: Expression) -> Iterator[Expression]:
    """An expression and everything in it."""
    pending = [expression]
    while pending:
        current = pending.pop()
        yield current
        pending += current.parts()


def names_in(expression: Expression) -> set[Name]:
    """The names that stand in an expression."""
    return {part for part in all_parts(expression) if isinstance(part, Name)}


def evaluate(expression: Expression, values: Mapping[Expression, Any]) -> Any:
    """The number or array that an expression stands for, given those of its names.

    Conditions count as 0 and 1 in products. Shapes broadcast as NumPy's do.
    """
    if expression in values:
        return values[expression]
    if isinstance(expression, Number):
        return expression.value
    if isinstance(expression, Call):
        args = [evaluate(part, values) for part in expression.args]
        op = TABLE.ops.get(expression.name)
        alone = not any([hasattr(x, "dtype") for x in args])
        if alone or (op is not None and op.kind is not Kind.ELEMENTWISE):  # these look at shapes
            args = [np.asarray(x)[()] if type(x) in (int, float) else x for x in args]
        found = getattr(RAW, expression.name)(*args, **expression.meta)
        return found if expression.part is None else found[expression.part]
    if isinstance(expression, Sum):
        total: Any = 0.0
        for term in expression.terms:
            total = total + evaluate(term, values)
        return total
    if isinstance(expression, Product):
        product: Any = float(expression.coefficient)
        for base, exponent in expression.powers.items():
            product = product * _power(evaluate(base, values), exponent)
        return product
    raise KeyError(f"nothing is known of {expression!r}")


def _power(base: Any, exponent: Exact) -> Any:
    if getattr(base, "dtype", None) == np.bool_:
        base = base.astype(np.float64)
    if exponent == 1:
        return base
    if exponent.denominator == 1 and exponent < 0:
        return 1.0 / np.asarray(base) ** int(-exponent)
    return np.asarray(base) ** (int(exponent) if exponent.denominator == 1 else float(exponent))


def is_condition(expression: Expression) -> bool:
    """Whether an expression is true or false, not a number."""
    if isinstance(expression, Name):
        return expression.truth
    return isinstance(expression, Call) and expression.name in _CONDITIONS


_CONDITIONS: Final = frozenset(
    (
        *("gt", "ge", "lt", "le", "eq", "ne", "logical_and", "logical_or", "logical_xor", "logical_not"),
        *("isnan", "isinf", "isfinite", "isposinf", "isneginf", "isreal", "signbit", "isclose", "all", "any"),
    )
)
