"""How each loop runs: as lanes of a vector, unrolled, or step by step.

One axis becomes lanes on each path from the outermost loop to a statement. Which one is decided by a rough count of
instructions: an access along the lanes is one instruction if neighbours are neighbours in memory, and as many as
there are lanes if not.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from wengert.compile.llvm.places import Place, place_of, product, total, walk
from wengert.compile.llvm.target import Target
from wengert.compile.nest import (
    MIDDLE,
    Affine,
    Compute,
    Extent,
    If,
    Iota,
    Kernel,
    Load,
    Loop,
    MatMul,
    Role,
    Statement,
    Store,
    Tiles,
)

_UNKNOWN: Final = 1000  # the length that a symbolic size is taken to have
_TENS: Final = 48  # ... if its name says that it is short
_ACCESS: Final = 8.0  # instructions in the time of a load or store of what streams through the caches
_LIGHT: Final = 8  # instructions of a loop whose time goes to memory
_PANEL_REGISTERS: Final = 16
_UNROLLED: Final = 400  # statements that unrolling may make of one loop
_CHEAP: Final = {
    *("add", "sub", "rsub", "mul", "neg", "abs", "fma", "sign", "cast", "floor", "ceil", "trunc", "round"),
    *(
        "gt",
        "ge",
        "lt",
        "le",
        "eq",
        "ne",
        "where",
        "zero_where",
        "maximum",
        "minimum",
        "fmax",
        "fmin",
        "clamp",
        "isnan",
    ),
    *("relu", "leaky_relu", "prelu", "threshold", "hardtanh", "hardshrink", "softshrink", "hardsigmoid", "hardswish"),
    *("clamp_min", "clamp_max", "clamp_tensor", "clamp_min_tensor", "clamp_max_tensor", "clamp_from", "clamp_to"),
    *("add_alpha", "sub_alpha", "rsub_alpha", "rsub_number", "addcmul", "lerp", "lerp_number", "copysign", "sgn"),
    *("nan_to_num", "frac", "deg2rad", "rad2deg", "clone", "masked_fill", "rrelu"),
    *("bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_not", "logical_and", "logical_or", "logical_not"),
}
_MIDDLE: Final = frozenset(["div", "reciprocal", "sqrt", "rsqrt", "pow_number", "remainder", "fmod", "floor_divide"])


@dataclass(slots=True)
class Plan:
    """The decisions, by the identity of the loops; ``lanes`` of those that become lanes."""

    lanes: dict[int, int] = field(default_factory=dict)
    panels: dict[int, int] = field(default_factory=dict)  # more lanes, for as far as they fit
    unrolled: set[int] = field(default_factory=set)
    registers: set[str] = field(default_factory=set)  # local buffers that live in registers
    per_lane: set[str] = field(default_factory=set)  # ... on the stack, each element a vector
    together: dict[int, tuple[Statement, ...]] = field(default_factory=dict)  # the bodies for several rounds at a time


def weight(statement: Statement) -> float:
    """Machine instructions of a computation."""
    if not isinstance(statement, Compute):
        return 1.0
    if statement.op in _CHEAP:
        return 1.0
    return 6.0 if statement.op in _MIDDLE else 22.0


def length(extent: Extent) -> int:
    """The number of iterations, or a guess."""
    if isinstance(extent, int):
        return extent
    return _TENS if _is_middle(extent) else _UNKNOWN


def _is_middle(extent: Extent) -> bool:
    return isinstance(extent, str) and extent.startswith(MIDDLE)


def span(loop: Loop) -> Extent:
    """How many iterations one run of a loop has."""
    return loop.extent if loop.part is None else loop.part[1]


class Planner:
    """Makes the plan of one kernel."""

    def __init__(self, kernel: Kernel, target: Target) -> None:
        self.buffers = {buffer.name: buffer for buffer in kernel.buffers}
        self.uses = Counter([s.buffer for s in walk(kernel.body) if isinstance(s, (Load, Store))])
        self.target = target
        self.plan = Plan()
        for statement in kernel.body:
            self._top(statement)
        self._find_registers(kernel)

    def _top(self, statement: Statement) -> None:
        if isinstance(statement, Loop):
            self._choose(statement)
        elif isinstance(statement, If):
            for inner in (*statement.then, *statement.other):
                self._top(inner)
        elif isinstance(statement, Tiles):
            for loop in statement.loops:
                self._choose(loop)

    # --- costs -------------------------------------------------------------------------------------------------------

    def _choose(self, loop: Loop, *, inner: bool = False) -> float:
        """Plan a loop that stands in no vector loop; returns its cost."""
        before = Plan(dict(self.plan.lanes), dict(self.plan.panels), set(self.plan.unrolled))
        stepwise = sum([self._choose_within(s) for s in loop.body])
        stepwise = (stepwise + 2) * length(span(loop))
        if isinstance(loop.extent, int) and self._unrolls(loop):
            stepwise -= 2 * loop.extent
        if not self._can_be_lanes(loop):
            self._mark(loop)
            return stepwise
        lanes = self._width(loop, inner=inner and loop.part is None)
        n = length(span(loop))
        vector = -(-n // lanes) * (self._in_lanes(loop.body, loop, lanes) + 2) + 3
        if loop.vector is False or (loop.vector is None and stepwise <= vector):
            self._mark(loop)
            return stepwise
        self.plan.lanes, self.plan.panels, self.plan.unrolled = before.lanes, before.panels, before.unrolled
        self.plan.lanes[id(loop)] = lanes
        if panel := self._panel(loop, lanes):
            self.plan.panels[id(loop)] = panel
        for statement in walk(loop.body):
            if isinstance(statement, Loop):
                self._mark(statement)
        return vector

    def _choose_within(self, statement: Statement) -> float:
        if isinstance(statement, Loop):
            return self._choose(statement, inner=True)
        if isinstance(statement, If):
            return sum([self._choose_within(s) for s in (*statement.then, *statement.other)]) / 2
        return self._scalar(statement)

    def _scalar(self, statement: Statement) -> float:
        if isinstance(statement, If):
            return sum([self._scalar(s) for s in (*statement.then, *statement.other)]) / 2
        if isinstance(statement, Loop):
            return length(span(statement)) * sum([self._scalar(s) for s in statement.body])
        if isinstance(statement, MatMul):
            return float(length(statement.m) * length(statement.n) * length(statement.k)) / 8
        return weight(statement)

    def _in_lanes(self, body: tuple[Statement, ...], loop: Loop, lanes: int) -> float:
        cost = 0.0
        for statement in body:
            if isinstance(statement, Loop):
                cost += length(span(statement)) * self._in_lanes(statement.body, loop, lanes)
            elif isinstance(statement, (Load, Store)):
                cost += self._access(statement, loop, lanes)
            else:
                registers = max(1, lanes * 4 // self.target.register)
                cost += weight(statement) * registers
        return cost

    def _access(self, statement: Load | Store, loop: Loop, lanes: int) -> float:
        buffer = self.buffers[statement.buffer]
        if buffer.role is Role.LOCAL:
            return 0.5
        place = self.place(statement)
        along = place.along(loop.axis)
        if _varies(place, loop):
            return lanes
        registers = max(1, lanes * int(buffer.dtype[1]) // self.target.register)
        return registers if along in (0, 1) else 2 * registers if along == -1 and isinstance(statement, Load) else lanes

    def place(self, statement: Load | Store) -> Place:
        """The place of an access."""
        return place_of(self.buffers[statement.buffer], statement.index)

    # --- what may be done ---------------------------------------------------------------------------------------------

    def _can_be_lanes(self, loop: Loop) -> bool:
        if loop.carries or loop.extent == 1 or any([acc.op.startswith("arg") for acc in loop.accs]):
            return False
        for statement in walk(loop.body):
            if isinstance(statement, (If, MatMul)) or (loop.part is not None and not self._is_along(statement, loop)):
                return False
            if isinstance(statement, Loop) and statement.part is not None and statement.part[0] == loop.axis:
                return False
            if isinstance(statement, Store):
                place = self.place(statement)
                if place.along(loop.axis) == 0 and not place.computed and not self._is_private(statement.buffer, loop):
                    return False
                if statement.add and (_varies(place, loop) or (place.computed and place.along(loop.axis) == 0)):
                    return False
        return True

    def _is_along(self, statement: Statement, loop: Loop) -> bool:
        """Whether lanes of a loop have neighbours in memory for a statement, or it is none that has others in it."""
        if isinstance(statement, (Load, Store)):
            return self.place(statement).along(loop.axis) in (0, 1)
        return not isinstance(statement, Loop)

    def _is_private(self, buffer: str, loop: Loop) -> bool:
        """Whether a local buffer is used inside of this loop alone, so that each lane can have its own."""
        if self.buffers[buffer].role is not Role.LOCAL:
            return False
        inside = [s for s in walk(loop.body) if isinstance(s, (Load, Store)) and s.buffer == buffer]
        return len(inside) == self.uses[buffer]

    def _width(self, loop: Loop, *, inner: bool) -> int:
        """The number of lanes: a whole small loop, or enough for several registers of independent work.

        Four registers for costly functions where there are 32, as many as a chain of instructions needs; of loops
        inside of others, which may be rows of a hundred elements, two.
        """
        widest, work = 4, 0.0
        for statement in walk(loop.body):
            if isinstance(statement, (Load, Store)):
                widest = max(widest, int(self.buffers[statement.buffer].dtype[1]))
            elif isinstance(statement, Compute):
                widest = max(widest, int(statement.dtype[1]))
            work += weight(statement)
        per_register = max(2, self.target.register // widest)
        known = loop.extent if isinstance(loop.extent, int) and loop.part is None else 0
        if known and known <= 2 * per_register:
            return known
        several = 4 if self.target.tables and not inner else 2
        several = 1 if work > 60 or _is_middle(loop.extent) else several if work > 12 else 4
        lanes = per_register * several
        while known and lanes > per_register and known % lanes:
            lanes //= 2
        return lanes

    def _panel(self, loop: Loop, lanes: int) -> int:
        """Lanes for sums over rows, one for each column: the more columns at once, the longer the pieces of a row."""
        inner = [s for s in loop.body if isinstance(s, Loop)]
        light = sum([weight(s) for s in walk(loop.body)]) <= _LIGHT
        if len(inner) != 1 or loop.accs or not light or not inner[0].accs or isinstance(loop.extent, int):
            return 0
        most = lanes * _PANEL_REGISTERS // (4 * len(inner[0].accs))
        return most if most >= 2 * lanes else 0

    def _mark(self, loop: Loop) -> None:
        if self._unrolls(loop):
            self.plan.unrolled.add(id(loop))

    def _unrolls(self, loop: Loop) -> bool:
        """Whether a loop is short and of known length, all within included."""
        if not isinstance(loop.extent, int) or loop.part is not None:
            return False
        if any([isinstance(s, Loop) and not isinstance(s.extent, int) for s in walk(loop.body)]):
            return loop.extent <= 1
        return loop.extent <= 1 or loop.extent * _statements(loop.body) <= _UNROLLED

    def _find_registers(self, kernel: Kernel) -> None:
        """Sort local buffers: registers, one piece of stack for each lane, or one piece of memory.

        Registers need places that are known numbers once loops are unrolled, and stores that all stand in the same loop
        as far as loops remain, around or before every load.
        """
        local = {buffer.name for buffer in kernel.buffers if buffer.role is Role.LOCAL}
        aliased = {buffer.alias for buffer in kernel.buffers if buffer.alias}
        accesses: dict[str, list[tuple[Load | Store, tuple[int, ...], str | None]]] = {name: [] for name in local}
        stepped: set[str] = set()
        self._collect(kernel.body, (), None, accesses, stepped)
        for name, found in accesses.items():
            chains = {chain for access, chain, _ in found if isinstance(access, Store)}
            known = all([self._is_known(access, stepped) for access, _, _ in found])
            if known and len(chains) == 1 and name not in aliased:
                (chain,) = chains
                if all([other[: len(chain)] == chain for _, other, _ in found]):
                    self.plan.registers.add(name)
                    continue
            if (
                found
                and all([lanes and not self.place(a).along(lanes) for a, _, lanes in found])
                and name not in aliased
            ):
                self.plan.per_lane.add(name)

    def _collect(
        self,
        body: tuple[Statement, ...],
        chain: tuple[int, ...],
        lanes: str | None,
        accesses: dict[str, list[tuple[Load | Store, tuple[int, ...], str | None]]],
        stepped: set[str],
    ) -> None:
        for s in body:
            if isinstance(s, (Load, Store)) and s.buffer in accesses:
                accesses[s.buffer].append((s, chain, lanes))
            elif isinstance(s, Loop) and id(s) in self.plan.unrolled:
                self._collect(s.body, chain, lanes, accesses, stepped)
            elif isinstance(s, Loop):
                stepped.add(s.axis)
                inner = s.axis if id(s) in self.plan.lanes else lanes
                self._collect(s.body, (*chain, id(s)), inner, accesses, stepped)
            elif isinstance(s, Tiles):
                self._collect(s.loops, chain, lanes, accesses, stepped)
            elif isinstance(s, If):
                self._collect(s.then, (*chain, id(s)), lanes, accesses, stepped)
                self._collect(s.other, (*chain, -id(s)), lanes, accesses, stepped)

    @staticmethod
    def _is_known(access: Load | Store, stepped: set[str]) -> bool:
        return all(
            [isinstance(i, Affine) and isinstance(i.offset, int) and not _axes(i) & stepped for i in access.index]
        )


def _varies(place: Place, loop: Loop) -> bool:
    """Whether a computed part of a place may differ between iterations of a loop: it is worked out within it."""
    if not place.computed:
        return False
    within = {s.name for s in walk(loop.body) if isinstance(s, (Load, Compute, Iota))}
    within |= {acc.name for s in walk(loop.body) if isinstance(s, Loop) for acc in s.accs}
    within |= {carry.name for s in walk(loop.body) if isinstance(s, Loop) for carry in s.carries}
    within |= {carry.final for s in walk(loop.body) if isinstance(s, Loop) for carry in s.carries}
    within |= {phi.name for s in walk(loop.body) if isinstance(s, If) for phi in s.phis}
    return any([name in within for name, _, _ in place.computed])


def _axes(index: Affine) -> set[str]:
    return {axis for axis, _ in index.terms}


def _statements(body: tuple[Statement, ...]) -> int:
    return sum(
        [s.extent * _statements(s.body) if isinstance(s, Loop) and isinstance(s.extent, int) else 1 for s in body]
    )


def work_of(body: tuple[Statement, ...], plan: Plan, lanes: int = 1) -> Extent:
    """Sixteenths of an instruction that one run of a body takes, as a size expression."""
    work: Extent = 0
    for statement in body:
        if isinstance(statement, Loop):
            inner = work_of(statement.body, plan, plan.lanes.get(id(statement), lanes))
            work = total(work, product(span(statement), inner))
        elif isinstance(statement, If):
            longer = max((statement.then, statement.other), key=lambda branch: len(list(walk(branch))))
            work = total(work, work_of(longer, plan, lanes))
        elif isinstance(statement, Tiles):
            work = total(work, work_of(statement.loops, plan, lanes))
        elif isinstance(statement, MatMul):
            work = total(work, product(product(statement.m, statement.n), product(statement.k, 2)))
        else:
            own = _ACCESS if isinstance(statement, (Load, Store)) else weight(statement)
            if isinstance(statement, Compute) and statement.dtype == "f8":
                own *= 2  # half as many fit in a register
            work = total(work, max(1, int(16 * own / min(lanes, 16))))
    return work
