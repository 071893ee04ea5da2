"""Algebra of expressions: a normal form in which a derivative looks as a person would write it.

A product keeps its factors, so ``p(1 - p)`` stays as it is. A sum is put over a common denominator, common factors are
taken out, what remains is multiplied out, and factors of the denominator that divide it are cancelled:
``-y/p + (1 - y)/(1 - p)`` becomes ``(p - y)/(p(1 - p))``. Everything that is no sum, product or power is a factor of
its own, whatever it is called.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from math import gcd, isfinite, lcm
from typing import Any, Final

from wengert.spaces.expression import ONE, ZERO, Call, Exact, Expression, Name, Number, Product, Sum, is_condition

_MOST_TERMS: Final = 48  # of a sum that is multiplied out
_LARGEST_DENOMINATOR: Final = 1000

Powers = Mapping[Expression, Exact]
_Terms = dict[frozenset[tuple[Expression, Exact]], Exact]


class TooLongError(Exception):
    """A sum has too many terms to be read by anybody."""


# --- numbers and single factors --------------------------------------------------------------------------------------


def number(value: Any) -> Product:
    """A number as a product; decimals are taken as they are written, so 0.1 is a tenth."""
    if isinstance(value, (bool, int)):
        return Product(Exact(int(value)), {})
    if isinstance(value, float) and isfinite(value):
        return Product(Exact(repr(value)), {})
    return factor(Number(value))


def factor(expression: Expression) -> Product:
    """Anything as a product of one factor."""
    if isinstance(expression, Product):
        return expression
    return Product(Exact(1), {expression: Exact(1)})


def constant_of(product: Product) -> Exact | None:
    """The number that a product is; None if it is none."""
    return product.coefficient if not product.powers else None


# --- products --------------------------------------------------------------------------------------------------------


def multiply(a: Product, b: Product) -> Product:
    """The product of two."""
    coefficient = a.coefficient * b.coefficient
    if not coefficient:
        return ZERO
    powers = dict(a.powers)
    grouped: list[tuple[Sum, Exact]] = []
    for base, exponent in b.powers.items():
        total = powers.pop(base, Exact(0)) + exponent
        if is_condition(base):
            powers[base] = Exact(1)
        elif isinstance(base, Sum) and len(base.terms) == 1 and total.denominator == 1:
            grouped.append((base, total))  # the square of a root of a product: the product
        elif total:
            powers[base] = total
    product = Product(coefficient, powers)
    for group, exponent in grouped:
        whole = power(group.terms[0], exponent)
        product = multiply(product, whole if whole is not None else ONE)
    return product


def power(a: Product, exponent: Exact) -> Product | None:
    """A power of a product; None where the law of powers does not hold or there is no number for it."""
    if exponent.denominator == 1:
        if not a.coefficient:
            return ZERO if exponent > 0 else ONE if not exponent else None
        if any([is_condition(base) for base in a.powers]) and exponent < 0:
            return None
        powers = {base: Exact(1) if is_condition(base) else e * exponent for base, e in a.powers.items()}
        return Product(a.coefficient ** int(exponent), powers if exponent else {})
    if a.coefficient == 1 and list(a.powers.values()) == [1]:
        return Product(Exact(1), dict.fromkeys(a.powers, exponent))
    bases = list(a.powers)
    if len(bases) == 1 and isinstance(bases[0], Sum) and a.powers[bases[0]] == 1:
        terms = tuple([Product(term.coefficient * a.coefficient, term.powers) for term in bases[0].terms])
        return Product(Exact(1), {Sum(terms): exponent})
    if a.powers and a.coefficient > 0:  # (x^2)^(1/2) is not x: the whole is one factor
        return Product(Exact(1), {Sum((a,)): exponent})
    return None


def divide(a: Product, b: Product) -> Product | None:
    """The quotient of two; None where the second is zero."""
    inverse = power(b, Exact(-1))
    return None if inverse is None else _reduced(multiply(a, inverse))


def _reduced(a: Product) -> Product:
    """A product whose sums above the line are divided by those below it where that leaves no remainder."""
    below: dict[Expression, Exact] = {
        base: e for base, e in a.powers.items() if isinstance(base, Sum) and e < 0 and e.denominator == 1
    }
    if not below:
        return a
    above = Product(a.coefficient, {base: e for base, e in a.powers.items() if base not in below})
    try:
        return multiply(_cancelled(above, below), Product(Exact(1), below))
    except TooLongError:
        return a


def negative(a: Product) -> Product:
    """The negative."""
    return Product(-a.coefficient, a.powers)


# --- sums ------------------------------------------------------------------------------------------------------------


def add(a: Product, b: Product) -> Product:
    """The sum of two products: multiplied out where that makes it shorter or lets something cancel."""
    if not a.coefficient or not b.coefficient:
        return b if not a.coefficient else a
    common = _common(a.powers, b.powers)
    outside = Product(Exact(1), common)
    a, b = _without(a, common), _without(b, common)
    gathered = multiply(outside, _collected(_gathered(a, b)))
    try:
        terms = _expand(a)
        for powers, coefficient in _expand(b).items():
            terms[powers] = terms.get(powers, Exact(0)) + coefficient
        expanded = multiply(outside, _cancelled(_collected(terms), common))
    except TooLongError:
        return gathered
    return expanded if size_of(expanded) <= size_of(gathered) else gathered


def _gathered(a: Product, b: Product) -> _Terms:
    """The terms of a sum of two products, which are themselves taken apart only where they are sums."""
    terms: _Terms = {}
    for product in (a, b):
        ((base, exponent),) = product.powers.items() if len(product.powers) == 1 else ((None, Exact(0)),)
        parts = base.terms if isinstance(base, Sum) and exponent == 1 else (Product(Exact(1), product.powers),)
        for part in parts:
            key = frozenset(part.powers.items())
            terms[key] = terms.get(key, Exact(0)) + part.coefficient * product.coefficient
    return terms


def substituted(expression: Expression, others: Mapping[Expression, Expression]) -> Product:
    """An expression with some of its names replaced, in normal form again."""
    if expression in others:
        return substituted(others[expression], others)
    if isinstance(expression, Sum):
        total = ZERO
        for term in expression.terms:
            total = add(total, substituted(term, others))
        return total
    if isinstance(expression, Product):
        product = Product(expression.coefficient, {})
        for base, exponent in expression.powers.items():
            raised = power(substituted(base, others), exponent)
            product = multiply(product, raised if raised is not None else Product(Exact(1), {base: exponent}))
        return product
    if isinstance(expression, Call):
        args = [substituted(part, others) for part in expression.args]
        return factor(Call(expression.name, tuple(map(plain, args)), expression.meta, expression.part))
    return factor(expression)


def plain(product: Product) -> Expression:
    """A product of one factor as that factor, one without factors as a number."""
    if not product.powers:
        value = product.coefficient
        return Number(int(value) if value.denominator == 1 else float(value))
    if product.coefficient == 1 and list(product.powers.values()) == [1]:
        return next(iter(product.powers))
    return product


def size_of(expression: Expression) -> int:
    """How long an expression is: its names, numbers and operations."""
    if isinstance(expression, Product):
        own = expression.coefficient not in (1, -1) or not expression.powers
        return own + sum([size_of(base) + (abs(e) != 1) for base, e in expression.powers.items()])
    return 1 + sum([size_of(part) for part in expression.parts()])


def _common(a: Powers, b: Powers) -> dict[Expression, Exact]:
    """The smaller exponent of each base, so that both have none below zero when it is taken out."""
    found = {}
    for base in {**a, **b}:
        least = min(a.get(base, Exact(0)), b.get(base, Exact(0)))
        if least:
            found[base] = least
    return found


def _without(a: Product, common: Powers) -> Product:
    return multiply(a, Product(Exact(1), {base: -exponent for base, exponent in common.items()}))


def _expand(a: Product) -> _Terms:
    """A product without negative exponents, multiplied out."""
    terms: _Terms = {frozenset(): a.coefficient}
    for base, exponent in a.powers.items():
        if isinstance(base, Sum) and exponent.denominator == 1 and exponent > 0:
            for _ in range(int(exponent)):
                terms = _times(terms, {frozenset(term.powers.items()): term.coefficient for term in base.terms})
        else:
            terms = _times(terms, {frozenset([(base, exponent)]): Exact(1)})
    return terms


def _times(a: _Terms, b: _Terms) -> _Terms:
    if len(a) * len(b) > _MOST_TERMS:
        raise TooLongError
    product: _Terms = {}
    for powers, coefficient in a.items():
        for others, factor_ in b.items():
            both = multiply(Product(coefficient, dict(powers)), Product(factor_, dict(others)))
            key = frozenset(both.powers.items())
            product[key] = product.get(key, Exact(0)) + both.coefficient
    return product


def _collected(terms: _Terms) -> Product:
    """Terms as a product: what all have in common, times a sum that is the same for all its multiples."""
    left = {powers: coefficient for powers, coefficient in terms.items() if coefficient}
    if not left:
        return ZERO
    if len(left) == 1:
        ((powers, coefficient),) = left.items()
        return Product(coefficient, dict(powers))
    common: dict[Expression, Exact] | None = None
    for powers in left:
        common = dict(powers) if common is None else {b: min(e, common[b]) for b, e in powers if b in common}
    assert common is not None
    content = _content(left)
    primitive = [_without(Product(c / content, dict(powers)), common) for powers, c in left.items()]
    if _leading(primitive).coefficient < 0:
        content, primitive = -content, [negative(term) for term in primitive]
    return Product(content, {**common, Sum(tuple(primitive)): Exact(1)})


def _content(terms: _Terms) -> Exact:
    """What all coefficients have in common; of decimals with many digits the coefficient of the leading term."""
    numerators = [abs(c.numerator) for c in terms.values()]
    denominators = [c.denominator for c in terms.values()]
    if max(denominators) > _LARGEST_DENOMINATOR:
        return abs(_leading([Product(c, dict(powers)) for powers, c in terms.items()]).coefficient)
    return Fraction(gcd(*numerators), lcm(*denominators))


def _leading(terms: Iterable[Product]) -> Product:
    """The term whose sign is made positive: the constant, else the first by the order of names."""
    return min(terms, key=term_order)


def term_order(term: Product) -> Any:
    """An order of terms that does not depend on how they came about."""
    return len(term.powers) > 0, sorted([(_base_order(base), -exponent) for base, exponent in term.powers.items()])


def _base_order(base: Expression) -> Any:
    if isinstance(base, Name):
        return 0, base.order, base.text
    return 1, 0, str(base.key()) if not isinstance(base, Sum) else str(len(base.terms))


def _cancelled(a: Product, common: Powers) -> Product:
    """A sum divided by those factors of the denominator that divide it."""
    for base, exponent in common.items():
        for _ in range(int(-exponent) if isinstance(base, Sum) else 0):
            divided = _divided(a, base)  # type: ignore[arg-type]
            if divided is None:
                break
            a = multiply(divided, factor(base))
    return a


def _divided(a: Product, divisor: Sum) -> Product | None:
    """A product whose sum is divided by another without remainder; None where one remains or there is no sum."""
    for base, exponent in a.powers.items():
        if isinstance(base, Sum) and exponent == 1 and base != divisor:
            quotient = _long_division(_expand(factor(base)), _expand(factor(divisor)))
            if quotient is not None:
                rest = {b: e for b, e in a.powers.items() if b is not base}
                return multiply(Product(a.coefficient, rest), _collected(quotient))
    return None


def _long_division(dividend: _Terms, divisor: _Terms) -> _Terms | None:
    """The quotient of two polynomials by their leading terms; None where a remainder is left."""
    bases = sorted({base for powers in (*dividend, *divisor) for base, _ in powers}, key=_base_order)

    def degree(powers: frozenset[tuple[Expression, Exact]]) -> list[Exact]:
        exponents = dict(powers)
        return [exponents.get(base, Exact(0)) for base in bases]

    lead = max(divisor, key=degree)
    inverse = Product(1 / divisor[lead], {base: -exponent for base, exponent in lead})
    quotient: _Terms = {}
    rest = dict(dividend)
    for _ in range(_MOST_TERMS):
        rest = {powers: c for powers, c in rest.items() if c}
        if not rest:
            return quotient
        top = max(rest, key=degree)
        step = multiply(Product(rest[top], dict(top)), inverse)
        if any([exponent < 0 for exponent in step.powers.values()]):
            return None
        key = frozenset(step.powers.items())
        quotient[key] = quotient.get(key, Exact(0)) + step.coefficient
        for powers, coefficient in _times({key: step.coefficient}, divisor).items():
            rest[powers] = rest.get(powers, Exact(0)) - coefficient
    return None


__all__ = [
    "TooLongError",
    "add",
    "constant_of",
    "divide",
    "factor",
    "multiply",
    "negative",
    "number",
    "plain",
    "power",
    "size_of",
    "substituted",
    "term_order",
]
