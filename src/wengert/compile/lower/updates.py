"""What is added to a matrix where it lies, as part of the product that it is: ``w -= rate * (x.T @ g)``.

A product's tile is in registers when it is done. Added to what it changes right there, the gradient of a weight is
never in memory: it is neither written nor read again, and the weight passes the cache once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from wengert._records import record
from wengert.compile.lower.places import is_movement
from wengert.compile.lower.steps import short
from wengert.program.program import Equation
from wengert.program.values import Value

_FEW: Final = {"f4": 192, "f8": 96}  # places of the inner axis for which a tile is done in one go
_SIGNS: Final = {"add": 1, "add_alpha": 1, "sub": -1, "sub_alpha": -1}


@record
class Update:
    """``target += sign * scale * product``; without a scale it is 1."""

    product: Value
    target: Value
    sign: int
    scale: Any = None


def updates_among(
    group: Any, equations: Sequence[Equation], kept: Any, in_place: Mapping[Value, Value]
) -> dict[Value, Update]:
    """Those of the results written in place that are updates by a product which nothing else reads."""
    readers: dict[Value, int] = {}
    for equation in equations:
        for x in equation.values:
            readers[x] = readers.get(x, 0) + 1
    found = {}
    for y, x in in_place.items():
        update = _update(group, y, x)
        if update is None or y in readers or not _is_alone(group, update, readers, kept, y):
            continue
        operands = {_source(group, each) for each in group.makers[update.product].values}
        if not operands & set(in_place.values()):
            found[y] = update
    return found


def _update(group: Any, y: Value, x: Value) -> Update | None:
    """A result as an update of what it is written over."""
    equation = group.makers[y]
    if equation.op.name not in _SIGNS:
        return None
    a, b = equation.inputs
    if equation.op.name == "add" and b is x:
        a, b = b, a
    if a is not x or b is x or not isinstance(b, Value):
        return None
    sign, scale = _SIGNS[equation.op.name], equation.meta.get("alpha")
    product, maker = b, group.inlined(b)
    if scale is None and maker is not None and maker.op.name == "mul" and not maker.meta:
        for p, s in (maker.inputs, maker.inputs[::-1]):
            if isinstance(p, Value) and _is_product(group, p) and _is_number(s, y):
                product, scale = p, s
    return Update(product, x, sign, scale) if _is_product(group, product) and product.type == y.type else None


def _is_number(s: Any, y: Value) -> bool:
    """Whether an operand is one number of the result's dtype."""
    return (s.ndim == 0 and s.dtype == y.dtype) if isinstance(s, Value) else isinstance(s, (int, float))


def _is_product(group: Any, x: Value) -> bool:
    """Whether a value is a product of two matrices whose tiles are done in one go."""
    root = group.roots.get(x)
    if root is None or not root.is_product or x.ndim != 2:
        return False
    a, _ = group.makers[x].values
    return bool(a.shape[1] <= _FEW[short(x.dtype)])


def _is_alone(group: Any, update: Update, readers: Mapping[Value, int], kept: Any, y: Value) -> bool:
    """Whether nothing but the update reads the product."""
    chain = [update.product]
    if update.product not in group.makers[y].values:
        chain += [b for b in group.makers[y].values if b is not update.target]
    return all([readers[x] == 1 and x not in kept for x in chain])


def _source(group: Any, x: Value) -> Value:
    """What a value is a view of."""
    maker = group.inlined(x)
    while maker is not None and is_movement(maker):
        (x,) = maker.values
        maker = group.inlined(x)
    return x


def with_updates(group: Any, nests: Sequence[Sequence[Any]], updates: Mapping[Value, Update]) -> list[Sequence[Any]]:
    """The nests without the products of updates, and each update alone, where its loops would be."""
    for y, update in updates.items():
        group.roots[y].update = update
        del group.roots[update.product]
    found: list[Sequence[Any]] = []
    for roots in nests:
        found.append([root for root in roots if root.value in group.roots and root.update is None])
        found += [[root] for root in roots if root.update is not None]
    return [roots for roots in found if roots]


__all__ = ["Update", "updates_among", "with_updates"]
