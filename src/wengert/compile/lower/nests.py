"""One kernel from a group of equations: its arguments, memory and loops, and the passes over them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from wengert.compile.llvm.places import walk
from wengert.compile.lower.body import Body
from wengert.compile.lower.collapse import collapsed
from wengert.compile.lower.components import outer_length
from wengert.compile.lower.gathers import indices_of, is_gather
from wengert.compile.lower.roots import Group, Root, grouped, operands, together
from wengert.compile.lower.sizes import Sizes
from wengert.compile.lower.steps import Fused, short
from wengert.compile.lower.tiling import tiled
from wengert.compile.lower.updates import updates_among, with_updates
from wengert.compile.nest import Buffer, Kernel, Load, Loop, Role, Store, Tiles
from wengert.program.passes.constants import is_uniform
from wengert.program.program import Equation
from wengert.program.values import Value

_MOST_KEPT_IN_RESULT: Final = 1 << 23  # bytes of what lies in a result's memory and is read again from there


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

    def attempt(again: frozenset[Value]) -> tuple[Lowered, frozenset[Value]]:
        return _lowered(step, constants, order, targets, again, by_rows=by_rows, fixes_inner=fixes_inner)

    again: frozenset[Value] = frozenset()
    lowered, too_large = attempt(again)
    while too_large:
        again |= too_large
        lowered, too_large = attempt(again)
    return lowered


def _lowered(
    step: Fused,
    constants: Mapping[Value, np.ndarray[Any, Any]],
    order: Mapping[Value, int],
    targets: Mapping[Value, Value],
    again: frozenset[Value],
    *,
    by_rows: bool,
    fixes_inner: bool,
) -> tuple[Lowered, frozenset[Value]]:
    """The kernel if some values are computed ``again`` for each nest, and more of which that would be better.

    Large values are kept for later nests if a tile of them is all that is ever kept, or they lie in the memory of a
    result, which is written anyway; the finished kernel tells.
    """
    group, outer = None if by_rows else _component_group(step, constants), True
    if group is None:
        group, outer = grouped(step, constants, again, by_rows=by_rows), False
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
    kept_in = _kept_in_results(group, nests, step, results)
    for x, y in kept_in.items():
        body.set_buffer(x, body.buffer_of(y))
    read = {x for equation in step.equations for x in operands(equation, group)}  # by products: in memory, numbers too
    between = [x for x in group.roots if x not in step.results and x not in kept_in and (x.ndim or x in read)]
    for i, x in enumerate(between):
        body.add_buffer(x, Buffer(f"t{i}", short(x.dtype), tuple(map(sizes.extent, x.shape)), Role.TEMP))
    for index, extent in _chosen_from(step, sizes):
        body.add_check(index, extent)
    if outer:
        body.add_components(list(group.roots.values()))
    else:
        for roots in nests:
            body.add_nest(roots, frozenset({*in_place, *kept_in.values()}))
    kernel = collapsed(Kernel("kernel", tuple(body.buffers), tuple(body.statements)))
    kernel = kernel if by_rows else tiled(kernel)
    too_large = frozenset([x for x in group.large if _is_too_large(kernel, body.buffer_of(x).name, x)])
    return Lowered(kernel, arguments, results, step.equations, in_place), too_large


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


def _kept_in_results(
    group: Group, nests: Sequence[Sequence[Root]], step: Fused, results: Sequence[Value]
) -> dict[Value, Value]:
    """What lies between loops, with the result in whose memory it can lie until that is written."""
    when = {root.value: number for number, roots in enumerate(nests) for root in roots}
    kept: dict[Value, Value] = {}
    for x, root in group.roots.items():
        if x in step.results or not x.ndim or root.is_product or root.in_parts:
            continue
        for y in results:
            same = y.shape == x.shape and y.dtype == x.dtype and y not in kept.values()
            if same and when.get(x, 0) < when.get(y, 0) and may_replace(group, nests, y, x):
                kept[x] = y
                break
    return kept


def _is_too_large(kernel: Kernel, name: str, x: Value) -> bool:
    """Whether a large value between loops is better computed again: it is stored as a whole, and read from memory."""
    role = kernel.buffer(name).role
    if role is Role.OUT and x.size * x.dtype.itemsize > _MOST_KEPT_IN_RESULT:
        names = {b.name for b in kernel.buffers if name in (b.name, b.alias)}
        loops = [s for s in kernel.body if isinstance(s, Loop)]
        return any([isinstance(s, (Load, Store)) and s.buffer in names for s in walk(tuple(loops))])
    return role is Role.TEMP


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


def _arguments(step: Fused, group: Group) -> tuple[Value, ...]:
    """What the kernel reads from outside, in order; constants of one number are part of the code."""
    read: dict[Value, None] = {}
    in_memory = {x for equation in step.equations for x in operands(equation, group)}
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
