"""What a kernel is made of: which values are stored, and when.

A value that is stored (a result, a reduction, what several loops would compute at great cost) is a root. Everything
else is computed where it is read. Roots over the same axes in the same order, none of which needs another one, share
their loops. Knows equations and costs, not loops.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any, Final

import numpy as np

from wengert.compile.lower.gathers import is_gather, is_joining, joins_long
from wengert.compile.lower.parts import is_worth_parts
from wengert.compile.lower.places import EMBEDDINGS, RESHAPES, is_movement, only_ones_differ
from wengert.compile.lower.running import Running, mark_running
from wengert.compile.lower.steps import PRODUCTS, REDUCTIONS, Fused
from wengert.compile.lower.updates import Update
from wengert.program.partition import LIGHT
from wengert.program.program import Equation
from wengert.program.values import Value

# Computing a value anew in each of several loops is cheaper than storing and loading it, up to this many instructions.
_CHEAP: Final = 12.0
_DEEPEST: Final = 100
# How often a smaller value is computed anew in a nest, and how large the nest is, before it is worth a nest of its own.
_REPEATED: Final = 4
_LEAST_REPEATED: Final = 1 << 10
_AGAIN: Final = "again"
# Bytes of what is stored rather than computed again for nests that come later.
_LEAST_KEPT: Final = 1 << 12
_MOST_KEPT: Final = 1 << 20


@dataclass(slots=True, eq=False)
class Root:
    """A value that is stored, or kept in a register if it is 0-d."""

    value: Value
    shape: tuple[int, ...]  # of the loops
    reduced: tuple[int, ...]  # the axes of `shape` over which it is reduced
    stage: int = 0
    is_product: bool = False  # of matrices: not computed in loops with others
    in_parts: bool = False  # a sum over rows that is kept in memory for each part of them
    alone: bool = False  # in parts, but in loops of its own, with the columns outside
    update: Update | None = None  # the product that is added to what lies where this goes
    running: Running | None = None  # the exponentials of rows in parts that this belongs to

    @property
    def order(self) -> tuple[int, ...]:
        """The axes as the loops have them, from outside in: those that are reduced come last."""
        if self.in_parts and not self.alone:
            return tuple(range(len(self.shape)))
        kept = tuple([axis for axis in range(len(self.shape)) if axis not in self.reduced])
        return (*kept, *self.reduced)


@dataclass(slots=True)
class Group:
    """What one kernel is made of."""

    makers: Mapping[Value, Equation]
    constants: Mapping[Value, np.ndarray[Any, Any]]
    roots: dict[Value, Root] = field(default_factory=dict)
    has_tiles: bool = False  # whether loops over the same rows may become tiles
    large: frozenset[Value] = frozenset()  # roots for later nests alone that must not be as large as the batch
    running: dict[Value, Running] = field(default_factory=dict)  # by exponentials of rows in parts

    def inlined(self, value: Value) -> Equation | None:
        """The equation by which a value is computed where it is read; None for what is loaded."""
        return None if value in self.roots else self.makers.get(value)

    def leaves_of(self, value: Value) -> Iterator[tuple[Value, bool]]:
        """What is loaded for the computation of a root, and whether only at the place that is computed."""
        root = self.roots[value]
        pointwise = not (root.is_product or _moves(self.makers[value]))
        is_aligned = dict.fromkeys(self.makers[value].values, pointwise)
        stack = list(is_aligned)
        leaves: dict[Value, bool] = {}
        while stack:
            x = stack.pop()
            aligned = is_aligned[x] and x.shape == root.shape
            maker = self.inlined(x)
            if maker is None:
                leaves[x] = aligned
                continue
            inner = aligned and not _moves(maker)
            for each in maker.values:
                if is_aligned.get(each, True) and is_aligned.get(each) is not inner:
                    is_aligned[each] = inner
                    stack.append(each)
        yield from leaves.items()


def _moves(equation: Equation) -> bool:
    """Whether elements of the result come from other places of the operand."""
    return is_movement(equation) or is_gather(equation) or is_joining(equation) or equation.op.name in EMBEDDINGS


def grouped(
    step: Fused,
    constants: Mapping[Value, np.ndarray[Any, Any]],
    again: frozenset[Value] | None = None,
    *,
    by_rows: bool = False,
) -> Group:
    """The equations with what is stored of them, and when; some are computed ``again`` for each later nest.

    Without these nothing becomes tiles, and nothing that is large is kept for later nests.
    """
    group = Group({x: equation for equation in step.equations for x in equation.results}, constants)
    group.has_tiles = again is not None
    _choose_roots(step, group, by_rows)
    _set_stages(step, group)
    if not by_rows and _store_for_later(step, group, again):
        _set_stages(step, group)
    if not by_rows:
        mark_running(step, group)
    return group


# --- roots -----------------------------------------------------------------------------------------------------------


def _choose_roots(step: Fused, group: Group, by_rows: bool) -> None:
    """Results, reductions, and what must lie in memory: a reshape of something computed, costly values read twice."""
    for equation in step.equations:
        (y,) = equation.results
        if equation.op.name in REDUCTIONS:
            group.roots[y] = _reduction_root(equation, by_rows)
        elif equation.op.name in PRODUCTS:
            group.roots[y] = Root(y, y.shape, (), is_product=True)
            for x in operands(equation, group):
                if x in group.makers:
                    group.roots.setdefault(x, Root(x, x.shape, ()))
        elif y in step.results:
            group.roots[y] = Root(y, y.shape, ())
        if is_joining(equation):
            _store_parts(equation, group)
        if equation.op.name in RESHAPES or equation.op.name == "slice_backward":
            (x,) = equation.values
            same = equation.op.name in RESHAPES and only_ones_differ(x.shape, y.shape)
            if not same and x in group.makers:
                group.roots.setdefault(x, Root(x, x.shape, ()))
    _store_deep(step, group)
    _store_costly(step, group, by_rows)


def _store_parts(equation: Equation, group: Group) -> None:
    """Store what is put side by side: each part is computed once, and not for every place beside it.

    Along a long axis, what the parts are views of is enough; the result may be computed where it is read.
    """
    if joins_long(equation):
        parts = list(_bases(equation, group))
    else:
        parts = [x for x in (*equation.results, *equation.values) if x in group.makers]
        parts = [x for x in parts if not is_movement(group.makers[x])]
    for x in parts:
        if x in group.makers and x not in group.roots:
            group.roots[x] = Root(x, x.shape, ())


def _bases(equation: Equation, group: Group) -> Iterator[Value]:
    """What the inputs of an equation are views of, under the movement that is index arithmetic."""
    for x in equation.values:
        maker = group.inlined(x)
        while maker is not None and is_movement(maker):
            (x,) = maker.values  # noqa: PLW2901 - what this is a view of
            maker = group.inlined(x)
        yield x


def operands(equation: Equation, group: Group) -> list[Value]:
    """What a product reads in memory, under the movement that is index arithmetic."""
    return list(_bases(equation, group)) if equation.op.name in PRODUCTS else []


def _store_deep(step: Fused, group: Group) -> None:
    """Store what hangs on a very long chain: what is computed where it is read is found by recursion."""
    depth: dict[Value, int] = {}
    for equation in step.equations:
        (y,) = equation.results
        depth[y] = 1 + max([0 if x in group.roots else depth.get(x, 0) for x in equation.values], default=0)
        if depth[y] > _DEEPEST and y not in group.roots:
            group.roots[y] = Root(y, y.shape, ())
            depth[y] = 0


def _reduction_root(equation: Equation, by_rows: bool) -> Root:
    (x,) = equation.values
    dim = equation.meta.get("dim")
    axes = tuple(range(x.ndim)) if dim is None else (dim,) if isinstance(dim, int) else tuple(dim)
    root = Root(equation.results[0], x.shape, tuple(sorted({axis for axis in axes if axis < x.ndim})))
    root.in_parts = not by_rows and is_worth_parts(root, equation)
    return root


def _store_for_later(step: Fused, group: Group, again: frozenset[Value] | None) -> bool:
    """Store what is costly and needed again by later nests: a tile of it, or as much as the cache holds."""
    most = _MOST_KEPT if again is None else math.inf
    readers, roots = _readers(step, group), list(group.roots.values())
    costly = []
    for equation in step.equations:
        (y,) = equation.results
        is_costly = not equation.op.view and equation.op.name not in LIGHT
        fits = _LEAST_KEPT < y.size * y.dtype.itemsize < most and y not in (again or ())
        if y not in group.roots and is_costly and fits:
            nests = {(roots[n].stage, roots[n].shape, roots[n].order) for n in readers.get(y, ())}
            if len(nests) > 1:
                costly.append(y)
    group.roots |= {y: Root(y, y.shape, ()) for y in costly}
    group.large = frozenset([y for y in costly if y.size * y.dtype.itemsize >= _MOST_KEPT])
    return bool(costly)


def _readers(step: Fused, group: Group) -> dict[Value, set[int]]:
    """The roots, by their numbers, for each of which a value is computed."""
    readers: dict[Value, set[int]] = {}
    ends = {root: {number} for number, root in enumerate(group.roots)}
    for equation in reversed(step.equations):
        (y,) = equation.results
        mine = ends.get(y) or readers.get(y, set())
        for x in equation.values:
            readers.setdefault(x, set()).update(mine)
    return readers


def _store_costly(step: Fused, group: Group, by_rows: bool) -> None:
    """Store what is costly and would be computed several times: in several nests, or along an axis that it has not.

    What lies nearest to those that read it is stored, so that little has to be; but not what follows from that at
    little cost. Of rows, several roots count as several nests.
    """
    cost = _costs(step, group.roots)
    needed: dict[Value, set[Any]] = {}
    chosen: dict[Value, set[Any]] = {}
    for equation in reversed(step.equations):
        (y,) = equation.results
        root, wanted = group.roots.get(y), needed.get(y, set())
        is_large = y.size > (64 if by_rows or not _again(wanted) else 1)
        if root is not None:
            wanted = {y if by_rows else (root.shape, root.order)}
        elif is_large and len(wanted) > 1 and cost[y] > _CHEAP and not equation.op.view:
            chosen[y] = wanted = {y if by_rows else (y.shape, tuple(range(y.ndim)))}
        for x in equation.values:
            mine = needed.setdefault(x, set())
            mine |= wanted
            if not by_rows:
                mine |= {(*key, _AGAIN) for key in wanted if len(key) == 2 and _is_repeated(x, y, *key)}
    cost = _costs(step, {**group.roots, **chosen})
    group.roots |= {y: Root(y, y.shape, ()) for y in reversed(chosen) if cost[y] > _CHEAP}


def _again(wanted: set[Any]) -> bool:
    return any([isinstance(key, tuple) and key[-1] == _AGAIN for key in wanted])


def _costs(step: Fused, stored: Mapping[Value, Any]) -> dict[Value, float]:
    """What each element takes, of inputs that are as large: what is smaller may be stored by itself."""
    cost: dict[Value, float] = {}
    for equation in step.equations:
        (y,) = equation.results
        own = 0.0 if equation.op.view else 1.0 if equation.op.name in LIGHT else 20.0
        inputs = {x for x in equation.values if x not in stored and x.size >= y.size}
        cost[y] = own + sum([cost.get(x, 0.0) for x in inputs])
    return cost


def _is_repeated(x: Value, y: Value, shape: tuple[int, ...], order: tuple[int, ...]) -> bool:
    """Whether loops around those along the axes of an input of an elementwise operation would compute it anew."""
    if y.shape != shape or x.size == y.size or y.size < _LEAST_REPEATED:
        return False
    own = (1,) * (y.ndim - x.ndim) + x.shape
    places = [place for place, axis in enumerate(order) if own[axis] != 1]
    around = [shape[axis] for axis in order[: max(places, default=0)] if own[axis] == 1]
    return prod(around) >= _REPEATED


# --- which roots share loops ------------------------------------------------------------------------------------------


def _set_stages(step: Fused, group: Group) -> None:
    """When each root is computed; sums in parts only beside others over the same rows."""
    _find_stages(step, group)
    nests = [roots for roots in together(group) if all([root.in_parts for root in roots])]
    for roots in nests:
        goes_along = group.has_tiles and any([_goes_along(group, root) for root in roots])
        for root in roots:
            root.in_parts, root.alone = goes_along, goes_along
    if nests:
        _find_stages(step, group)


def _goes_along(group: Group, root: Root) -> bool:
    """Whether other loops go row by row over an array that a sum over rows reads, and do not need its result.

    Then tiles of rows go through both, and the array is read once.
    """
    read = {x for x, is_aligned in group.leaves_of(root.value) if is_aligned}
    for other in group.roots.values():
        is_over_rows = other.shape[:1] == root.shape[:1] and not (other.in_parts or other.is_product)
        if is_over_rows and other.order[0] == 0 and read & {x for x, _ in group.leaves_of(other.value)}:
            return root.value not in _needed(group, other.value)
    return False


def _needed(group: Group, value: Value) -> set[Value]:
    """All that a value is computed from."""
    found, stack = {value}, [value]
    while stack:
        maker = group.makers.get(stack.pop())
        new = [x for x in maker.values if x not in found] if maker is not None else []
        found.update(new)
        stack += new
    return found


def _find_stages(step: Fused, group: Group) -> None:
    order = [x for equation in step.equations for x in equation.results if x in group.roots]
    for value in order:
        root = group.roots[value]
        root.stage = 0
        for x, is_aligned in group.leaves_of(value):
            other = group.roots.get(x)
            if other is not None:
                at_hand = is_aligned and not (other.reduced or other.is_product) and other.order == root.order
                root.stage = max(root.stage, other.stage + (not at_hand))
    group.roots = {value: group.roots[value] for value in order}


def together(group: Group) -> list[Sequence[Root]]:
    """The roots in the order of their stages, those together that share their loops."""
    nests: dict[tuple[Any, ...], list[Root]] = {}
    for root in group.roots.values():
        key = root.stage, root if root.is_product else root.shape, root.order, root.alone, root.running
        nests.setdefault(key, []).append(root)
    return [nests[key] for key in sorted(nests, key=lambda key: key[0])]


__all__ = ["Group", "Root", "grouped", "operands", "together"]
