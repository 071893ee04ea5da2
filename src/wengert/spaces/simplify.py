"""Simplifying: what the algebra makes of each operation it understands; all others are factors of their own.

Whether a value is spread over more elements makes no difference to a formula for one element, so an expression that is
used element by element loses such steps. Inside other operations (a sum over elements) they stay.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

import numpy as np

from wengert.ops.record import TABLE, Kind
from wengert.spaces import algebra
from wengert.spaces.algebra import constant_of, factor, multiply, number, plain
from wengert.spaces.expression import ONE, ZERO, Call, Exact, Expression, Number, Product, is_condition

Meaning = Callable[..., Product | None]


Decision = Callable[[Expression], bool | None]


def simplified(expression: Expression, decided: Decision | None = None) -> Product:
    """An expression in normal form, as a formula for its elements.

    `decided` says of a condition whether it holds, or does not hold, for all elements; it is asked for equalities and
    the like, which rules use to step around singular points.
    """
    product = _Simplifier(decided).of(expression, spread=True)
    return Product(product.coefficient, {b: e for b, e in product.powers.items() if not _is_idle(b, product)})


def _is_idle(condition: Expression, product: Product) -> bool:
    """Whether a factor only says that another, which is in the product, is not zero."""
    return (
        isinstance(condition, Call)
        and condition.name == "ne"
        and condition.args[1] == Number(0)
        and product.powers.get(condition.args[0], Exact(0)) > 0
    )


class _Simplifier:
    """Simplifies the parts of one expression, each once."""

    def __init__(self, decided: Decision | None) -> None:
        self.done: dict[tuple[Expression, bool], Product] = {}
        self.decided = decided

    def of(self, expression: Expression, *, spread: bool) -> Product:
        """The normal form; `spread` says that it is used element by element."""
        key = (expression, spread)
        if key not in self.done:
            self.done[key] = self._simplify(expression, spread=spread)
        return self.done[key]

    def _simplify(self, expression: Expression, *, spread: bool) -> Product:
        if isinstance(expression, Number):
            return number(expression.value)
        if isinstance(expression, Product):
            return expression
        if not isinstance(expression, Call):
            return factor(expression)
        op = TABLE.ops.get(expression.name)
        inner = spread and op is not None and op.kind is Kind.ELEMENTWISE
        if spread and expression.name == "expand":
            return self.of(expression.args[0], spread=True)
        args = [self.of(part, spread=inner) for part in expression.args]
        if spread and op is not None and 0 in op.linear and not args[0].coefficient:
            return ZERO
        for meaning in (_MEANINGS.get(expression.name), _OF_ELEMENTS.get(expression.name) if spread else None):
            found = meaning(*args, **expression.meta) if meaning is not None else None
            if found is not None:
                return found
        simple = Call(expression.name, tuple([plain(arg) for arg in args]), expression.meta, expression.part)
        if self.decided is not None and spread and simple.name in _GUARDS:
            holds = self.decided(simple)
            if holds is not None:
                return ONE if holds else ZERO
        return factor(simple)


# --- what operations mean --------------------------------------------------------------------------------------------


def _first(x: Product, *others: Product, **meta: Any) -> Product:
    return x


def _difference(a: Product, b: Product) -> Product:
    return algebra.add(a, algebra.negative(b))


def _power(a: Product, b: Product) -> Product | None:
    exponent = constant_of(b)
    return algebra.power(a, exponent) if exponent is not None else None


def _root(exponent: Exact, x: Product) -> Product | None:
    value = constant_of(x)
    if value is not None:
        root = float(value) ** float(exponent) if value > 0 else -1.0
        return number(root) if root > 0 and root == int(root) else None
    return algebra.power(x, exponent)


def _cast(x: Product, *, dtype: Any) -> Product | None:
    return x if np.dtype(dtype).kind in "fc" else None


def _unless_constant(x: Product, **meta: Any) -> Product | None:
    """Moving the elements of something that is the same everywhere changes nothing."""
    return x if constant_of(x) is not None else None


def _where(condition: Product, a: Product, b: Product) -> Product | None:
    if a == b or constant_of(condition) == 1:
        return a
    if not condition.coefficient:
        return b
    holds = _condition(condition)
    if holds is None:
        return None
    if not b.coefficient:
        return multiply(factor(holds), a)
    if not a.coefficient:
        return multiply(factor(negation(holds)), b)
    common = {base: e for base, e in a.powers.items() if b.powers.get(base) == e}
    if not common:
        return None
    outside = Product(Exact(1), common)
    inverse = Product(Exact(1), {base: -e for base, e in common.items()})
    a, b = multiply(a, inverse), multiply(b, inverse)
    inside = _where(condition, a, b)
    if inside is None:
        inside = factor(Call("where", (holds, plain(a), plain(b)), {}))
    return multiply(outside, inside)


def _zero_where(x: Product, mask: Product) -> Product | None:
    if constant_of(mask) is not None:
        return ZERO if mask.coefficient else x
    holds = _condition(mask)
    return None if holds is None else multiply(x, factor(negation(holds)))


def _condition(product: Product) -> Expression | None:
    """The condition, or the mask, that a product is."""
    return plain(product) if product.coefficient == 1 and list(product.powers.values()) == [1] else None


_GUARDS: Final = frozenset(("eq", "ne", "isnan", "isinf", "isfinite"))
_OPPOSITES: Final = {"lt": "ge", "ge": "lt", "le": "gt", "gt": "le", "eq": "ne", "ne": "eq"}


def negation(condition: Expression) -> Expression:
    """The opposite of a condition, or `not` of a mask."""
    if isinstance(condition, Call):
        if condition.name in _OPPOSITES:
            return Call(_OPPOSITES[condition.name], condition.args, {})
        if condition.name in ("logical_or", "logical_and"):
            other = "logical_and" if condition.name == "logical_or" else "logical_or"
            return Call(other, tuple([negation(part) for part in condition.args]), {})
        if condition.name == "logical_not" and is_condition(condition.args[0]):
            return condition.args[0]
    return Call("logical_not", (condition,), {})


def _negation(x: Product) -> Product | None:
    if constant_of(x) is not None:
        return ZERO if x.coefficient else ONE
    holds = _condition(x)
    return None if holds is None else factor(negation(holds))


def _swapped(x: Product, **meta: Any) -> Product | None:
    """A matrix whose axes are swapped twice is itself."""
    inner = _condition(x)
    if isinstance(inner, Call) and _swaps(inner.name, inner.meta) and _swaps("", meta):
        return factor(inner.args[0])
    return None


def _swaps(name: str, meta: Any) -> bool:
    """Whether an operation swaps the two axes of a matrix, so that it undoes itself."""
    if name not in ("", "permute", "transpose", "t"):
        return False
    return meta.get("dims", (1, 0)) == (1, 0) and {meta.get("dim0", 0), meta.get("dim1", 1)} == {0, 1}


def _and(a: Product, b: Product) -> Product | None:
    if constant_of(a) is not None:
        return b if a.coefficient else ZERO
    return None if constant_of(b) is None else a if b.coefficient else ZERO


def _or(a: Product, b: Product) -> Product | None:
    if constant_of(a) is not None:
        return ONE if a.coefficient else b
    return None if constant_of(b) is None else ONE if b.coefficient else a


def _zero(*args: Product, **meta: Any) -> Product:
    return ZERO


def _one(*args: Product, **meta: Any) -> Product:
    return ONE


_MEANINGS: Final[dict[str, Meaning]] = {
    "add": algebra.add,
    "sub": _difference,
    "rsub": lambda a, b: _difference(b, a),
    "rsub_number": lambda a, b: _difference(b, a),
    "mul": multiply,
    "div": algebra.divide,
    "neg": algebra.negative,
    "reciprocal": lambda x: algebra.power(x, Exact(-1)),
    "pow": _power,
    "pow_number": _power,
    "sqrt": partial(_root, Exact(1, 2)),
    "rsqrt": partial(_root, Exact(-1, 2)),
    "where": _where,
    "zero_where": _zero_where,
    "logical_not": _negation,
    "permute": _swapped,
    "transpose": _swapped,
    "t": _swapped,
    "logical_and": _and,
    "logical_or": _or,
    "cast": _cast,
    "clone": _first,
    "contiguous": _first,
    "alias": _first,
}

# These change which elements there are, so they count only where each element is looked at by itself.
_OF_ELEMENTS: Final[dict[str, Meaning]] = {
    "zeros_like": _zero,
    "ones_like": _one,
    "expand": _unless_constant,
    "unsqueeze": _unless_constant,
    "squeeze": _unless_constant,
    "squeeze_dim": _unless_constant,
    "squeeze_all": _unless_constant,
    "reshape": _unless_constant,
    "view": _unless_constant,
    "permute": _unless_constant,
    "transpose": _unless_constant,
    "t": _unless_constant,
    "flip": _unless_constant,
}

__all__ = ["negation", "simplified"]
