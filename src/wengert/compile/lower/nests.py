"""One kernel from a group of equations: which values are stored, in which loops each is computed.

A value that is stored (a result, a reduction, what several loops would compute at great cost) is a root. Everything
else is computed where it is read. Roots over the same axes in the same order, none of which needs another one, share
their loops.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from wengert.compile.lower.body import Body
from wengert.compile.lower.collapse import collapsed
from wengert.compile.lower.components import outer_length
from wengert.compile.lower.gathers import indices_of, is_gather, is_joining
from wengert.compile.lower.parts import is_worth_parts
from wengert.compile.lower.places import EMBEDDINGS, RESHAPES, is_movement, only_ones_differ
from wengert.compile.lower.sizes import Sizes
from wengert.compile.lower.steps import PRODUCTS, REDUCTIONS, Fused, short
from wengert.compile.lower.tiling import tiled
from wengert.compile.lower.updates import Update, updates_among, with_updates
from wengert.compile.nest import Buffer, Kernel, Loop, Role, Tiles
from wengert.program.partition import LIGHT
from wengert.program.passes.constants import is_uniform
from wengert.program.program import Equation
from wengert.program.values import Value

# Computing a value anew in each of several loops is cheaper than storing and loading it, up to this many instructions.
_CHEAP: Final = 12.0
_DEEPEST: Final = 100
# Bytes of what is stored rather than computed again for nests that come later.
_LEAST_KEPT: Final = 1 << 12
_MOST_KEPT: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Lowered:
    """A kernel, the values that its arguments are, and those that it gives, in order."""

    kernel: Kernel
    arguments: tuple[Value, ...]
    results: tuple[Value, ...]
    equations: tuple[Equation, ...]
    in_place: Mapping[Value, Value] = field(default_factory=dict)  # what is written into the memory of an argument

    @property
    def nests(self) -> int:
        """The number of loops that stand in no other one."""
        return len([s for s in self.kernel.body if isinstance(s, (Loop, Tiles))])


@dataclass(slots=True, eq=False)
class Root:
    """A value that is stored, or kept in a register if it is 0-d."""

    value: Value
    shape: tuple[int, ...]  # of the loops
    reduced: tuple[int, ...]  # the axes of `shape` over which it is reduced
    stage: int = 0
    is_product: bool = False  # of matrices: not computed in loops with others
    in_parts: bool = False  # a sum over rows that is kept in memory for each part of them
    update: Update | None = None  # the product that is added to what lies where this goes

    @property
    def order(self) -> tuple[int, ...]:
        """The axes as the loops have them, from outside in: those that are reduced come last."""
        if self.in_parts:
            return tuple(range(len(self.shape)))
        kept = tuple([axis for axis in range(len(self.shape)) if axis not in self.reduced])
        return (*kept, *self.reduced)


@dataclass(slots=True)
class Group:
    """What one kernel is made of."""

    makers: Mapping[Value, Equation]
    constants: Mapping[Value, np.ndarray[Any, Any]]
    roots: dict[Value, Root] = field(default_factory=dict)

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


def lower(
    step: Fused,
    constants: Mapping[Value, np.ndarray[Any, Any]],
    order: Mapping[Value, int],
    targets: Mapping[Value, Value] = MappingProxyType({}),
    *,
    by_rows: bool = False,
    fixes_inner: bool = False,
) -> Lowered:
    """The kernel of a group of equations; its arguments come in the given order.

    ``targets`` are results with the arguments that they may be written into, where nothing is read there afterwards.
    With ``fixes_inner`` inner axes of up to some tens keep their length in the kernel.
    With ``by_rows`` for loops that will be joined: what is costly is computed once, and no loop runs over all axes.
    """
    group, outer = None if by_rows else _component_group(step, constants), True
    if group is None:
        group, outer = grouped(step, constants, by_rows=by_rows), False
    arguments = tuple(sorted(_arguments(step, group), key=order.__getitem__))
    sizes = Sizes([x.shape for x in arguments], fixes_inner=fixes_inner)
    body = Body(group, sizes)
    body.may_be_flat = not by_rows
    nests = [] if outer else together(group)
    in_place = {y: x for y, x in targets.items() if x in arguments and may_replace(group, nests, y, x)}
    nests = with_updates(group, nests, updates_among(group, step.equations, step.results, in_place))
    for i, x in enumerate(arguments):
        role = Role.INOUT if x in in_place.values() else Role.IN
        body.add_buffer(x, Buffer(f"x{i}", short(x.dtype), tuple(map(sizes.extent, x.shape)), role))
    for y, x in in_place.items():
        body.set_buffer(y, body.buffer_of(x))
    results = tuple([x for x in step.results if x not in in_place])
    for i, x in enumerate(results):
        body.add_buffer(x, Buffer(f"y{i}", short(x.dtype), tuple(map(sizes.extent, x.shape)), Role.OUT))
    for i, x in enumerate([x for x in group.roots if x not in step.results and x.ndim]):
        body.add_buffer(x, Buffer(f"t{i}", short(x.dtype), tuple(map(sizes.extent, x.shape)), Role.TEMP))
    for index, extent in _chosen_from(step, sizes):
        body.add_check(index, extent)
    if outer:
        body.add_components(list(group.roots.values()))
    else:
        for roots in nests:
            body.add_nest(roots, frozenset(in_place))
    kernel = collapsed(Kernel("kernel", tuple(body.buffers), tuple(body.statements)))
    kernel = kernel if by_rows else tiled(kernel)
    return Lowered(kernel, arguments, results, step.equations, in_place)


def may_replace(group: Group, nests: Sequence[Sequence[Root]], y: Value, x: Value) -> bool:
    """Whether ``y`` may be written where ``x`` lies: its loops read that at the same places, and none after them."""
    root = group.roots.get(y)
    if root is None or root.reduced:
        return False
    when = {other.value: number for number, roots in enumerate(nests) for other in roots}
    if y not in when:
        return False
    readers = [(when[value], aligned) for value in group.roots for leaf, aligned in group.leaves_of(value) if leaf is x]
    return all([number < when[y] or (number == when[y] and aligned) for number, aligned in readers])


def _component_group(step: Fused, constants: Mapping[Value, np.ndarray[Any, Any]]) -> Group | None:
    """The equations, if they become one loop in which all but the first axis are written out."""
    if outer_length(step) is None:
        return None
    group = Group({x: equation for equation in step.equations for x in equation.results}, constants)
    group.roots = {y: Root(y, y.shape, ()) for y in step.results}
    return group


def _chosen_from(step: Fused, sizes: Sizes) -> dict[tuple[Value, Any], None]:
    """The index arrays of a step, each with the length of what it chooses from."""
    found: dict[tuple[Value, Any], None] = {}
    for equation in step.equations:
        if is_gather(equation) or equation.op.name == "class_spread":
            whole = next(iter(equation.values)) if is_gather(equation) else equation.results[0]
            for index, axis in indices_of(equation):
                found[index, sizes.extent(whole.shape[axis])] = None
    return found


def grouped(step: Fused, constants: Mapping[Value, np.ndarray[Any, Any]], *, by_rows: bool = False) -> Group:
    """The equations with what is stored of them, and when."""
    group = Group({x: equation for equation in step.equations for x in equation.results}, constants)
    _choose_roots(step, group, by_rows)
    _set_stages(step, group)
    if not by_rows and _store_for_later(step, group):
        _set_stages(step, group)
    return group


def _arguments(step: Fused, group: Group) -> tuple[Value, ...]:
    """What the kernel reads from outside, in order; constants of one number are part of the code."""
    read: dict[Value, None] = {}
    in_memory = {x for equation in step.equations for x in _operands(equation, group)}
    in_memory |= {next(iter(equation.values)) for equation in step.equations if is_gather(equation)}
    for equation in step.equations:
        for x in equation.values:
            if x not in group.makers and (x in in_memory or not _is_number(x, group)):
                read[x] = None
    wanted = {x for root in group.roots for x, _ in group.leaves_of(root)}
    return tuple([x for x in read if x in wanted])


def _is_number(x: Value, group: Group) -> bool:
    """Whether a value is a constant that is the same number throughout."""
    return x in group.constants and is_uniform(group.constants[x])


# --- roots -----------------------------------------------------------------------------------------------------------


def _choose_roots(step: Fused, group: Group, by_rows: bool) -> None:
    """Results, reductions, and what must lie in memory: a reshape of something computed, costly values read twice."""
    for equation in step.equations:
        (y,) = equation.results
        if equation.op.name in REDUCTIONS:
            group.roots[y] = _reduction_root(equation, by_rows)
        elif equation.op.name in PRODUCTS:
            group.roots[y] = Root(y, y.shape, (), is_product=True)
            for x in _operands(equation, group):
                if x in group.makers:
                    group.roots.setdefault(x, Root(x, x.shape, ()))
        elif y in step.results:
            group.roots[y] = Root(y, y.shape, ())
        if is_joining(equation):  # each part is computed once, and not for every place beside it
            for x in (y, *equation.values):
                if x in group.makers and x not in group.roots and not is_movement(group.makers[x]):
                    group.roots[x] = Root(x, x.shape, ())
        if equation.op.name in RESHAPES or equation.op.name == "slice_backward":
            (x,) = equation.values
            same = equation.op.name in RESHAPES and only_ones_differ(x.shape, y.shape)
            if not same and x in group.makers:
                group.roots.setdefault(x, Root(x, x.shape, ()))
    _store_deep(step, group)
    _store_costly(step, group, by_rows)


def _operands(equation: Equation, group: Group) -> list[Value]:
    """What a product reads in memory, under the movement that is index arithmetic."""
    if equation.op.name not in PRODUCTS:
        return []
    found = []
    for x in equation.values:
        maker = group.inlined(x)
        while maker is not None and is_movement(maker):
            (x,) = maker.values  # noqa: PLW2901 - what this is a view of
            maker = group.inlined(x)
        found.append(x)
    return found


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


def _store_for_later(step: Fused, group: Group) -> bool:
    """Store what is costly and needed again by later nests, as long as the cache holds it: beyond, memory is slower."""
    readers, roots = _readers(step, group), list(group.roots.values())
    costly = []
    for equation in step.equations:
        (y,) = equation.results
        is_costly = not equation.op.view and equation.op.name not in LIGHT
        if y not in group.roots and is_costly and _LEAST_KEPT < y.size * y.dtype.itemsize < _MOST_KEPT:
            nests = {(roots[n].stage, roots[n].shape, roots[n].order) for n in readers.get(y, ())}
            if len(nests) > 1:
                costly.append(y)
    group.roots |= {y: Root(y, y.shape, ()) for y in costly}
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
    """Store what is costly to compute and would be computed in several nests; of rows, for several roots."""
    cost: dict[Value, float] = {}
    readers = _readers(step, group)
    for equation in step.equations:
        (y,) = equation.results
        own = 0.0 if equation.op.view else 1.0 if equation.op.name in LIGHT else 20.0
        cost[y] = own + sum([cost.get(x, 0.0) for x in set(equation.values) if x not in group.roots])
        is_large = y.size > 64
        shapes = {(group_root.shape, group_root.order) for group_root in _roots_at(group, readers.get(y, set()))}
        several = len(readers.get(y, ())) > 1 if by_rows else len(shapes) > 1
        if y not in group.roots and is_large and several and cost[y] > _CHEAP:
            group.roots[y] = Root(y, y.shape, ())


def _roots_at(group: Group, numbers: set[int]) -> list[Root]:
    roots = list(group.roots.values())
    return [roots[number] for number in numbers if number < len(roots)]


# --- which roots share loops ------------------------------------------------------------------------------------------


def _set_stages(step: Fused, group: Group) -> None:
    """When each root is computed; sums in parts only beside others over the same rows."""
    _find_stages(step, group)
    alone = [root for roots in together(group) if all([root.in_parts for root in roots]) for root in roots]
    for root in alone:
        root.in_parts = False
    if alone:
        _find_stages(step, group)


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
    nests: dict[tuple[int, Any, tuple[int, ...]], list[Root]] = {}
    for root in group.roots.values():
        nests.setdefault((root.stage, root if root.is_product else root.shape, root.order), []).append(root)
    return [nests[key] for key in sorted(nests, key=lambda key: key[0])]
