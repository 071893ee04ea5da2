"""Loops in IR: step by step, unrolled, or as lanes, with accumulators and values carried along.

A loop over n elements in lanes runs in rounds. A round is a block of whole vectors, or the last vector, of which only
the first lanes are real. For that one, neighbours in memory are first copied to scratch memory and results copied
back, so that one body, without masks on its loads and stores, serves all rounds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from wengert.compile.llvm import accumulate, memory
from wengert.compile.llvm.accumulate import Best, Total
from wengert.compile.llvm.frame import Frame, Lanes, memory_elem
from wengert.compile.llvm.ir import Val, type_text
from wengert.compile.llvm.places import Place
from wengert.compile.llvm.products import emit_product
from wengert.compile.llvm.registry import ELEMENTS
from wengert.compile.llvm.scalars import cast, emit
from wengert.compile.nest import Acc, Compute, If, Iota, Load, Loop, MatMul, Statement, Store

_FEW_LANES: Final = 8  # the lanes of partial sums that come together in float64
_BLOCK: Final = 128  # additions one after the other before the sum goes to the total


def emit_body(frame: Frame, body: tuple[Statement, ...]) -> None:
    """Emit statements in order."""
    for statement in body:
        match statement:
            case Compute():
                compute(frame, statement)
            case Load():
                memory.load(frame, statement)
            case Store():
                memory.store(frame, statement)
            case Loop():
                emit_loop(frame, statement)
            case Iota():
                iota(frame, statement)
            case If():
                emit_if(frame, statement)
            case MatMul():
                emit_product(frame, statement)


def compute(frame: Frame, statement: Compute) -> None:
    """Emit one elementwise operation, on scalars if nothing in it differs between lanes."""
    named = [frame.values[arg] for arg in statement.args if isinstance(arg, str)]
    ir, op = frame.ir, statement.op
    if op == "where":
        condition, *choices = statement.args
        values = [frame.value(condition, "b1"), *[frame.value(arg, statement.dtype) for arg in choices]]
        lanes = max([v.lanes for v in values])
        mask, a, b = [v.splat(lanes) for v in values]
        frame.values[statement.name] = mask.where(a, b), statement.dtype
        return
    dtype = next((kind for _, kind in named), statement.dtype)
    args = [frame.value(arg, dtype) for arg in statement.args]
    lanes = max([arg.lanes for arg in args])
    args = [arg.splat(lanes) for arg in args]
    if op == "cast":
        result = cast(args[0], dtype, statement.dtype)
    else:
        result = emit(ir, op, dtype, tuple(args), dict(statement.meta))
    frame.values[statement.name] = result, statement.dtype


def iota(frame: Frame, statement: Iota) -> None:
    """The value of an index."""
    place = Place(statement.index.offset, statement.index.terms, ())
    value = frame.linear(place)
    lanes = frame.lanes
    if lanes is not None and place.along(lanes.axis) != 0:
        step = frame.size(place.along(lanes.axis)).splat(lanes.count)
        value = value.splat(lanes.count) + memory.lane_numbers(frame) * step
    frame.values[statement.name] = value, "i8"


def emit_loop(frame: Frame, loop: Loop) -> None:
    """Emit a loop as the plan has it."""
    if id(loop) in frame.plan.unrolled:
        _unroll(frame, loop)
        return
    lanes = frame.plan.lanes.get(id(loop), 0)
    if loop.extent == lanes and lanes:
        _whole(frame, loop, lanes)
        return
    run_loop(frame, loop, frame.size(0), frame.size(loop.extent))


# --- without a loop --------------------------------------------------------------------------------------------------


def _unroll(frame: Frame, loop: Loop) -> None:
    states = [_Sum("") for _ in loop.accs]
    carried = {c.name: (frame.value(c.init, c.dtype), c.dtype) for c in loop.carries}
    assert isinstance(loop.extent, int)
    for i in range(loop.extent):
        with frame.scope():
            frame.values.update(carried)
            frame.axes[loop.axis] = frame.size(i)
            emit_body(frame, loop.body)
            states = [_step(frame, acc, state, frame.size(i)) for acc, state in zip(loop.accs, states, strict=True)]
            carried = {c.name: (frame.value(c.next, c.dtype), c.dtype) for c in loop.carries}
    for acc, state in zip(loop.accs, states, strict=True):
        _name_result(frame, acc, state)
    for c in loop.carries:
        frame.values[c.final] = carried[c.name]


@dataclass(slots=True)
class _Sum:
    """A running accumulator outside of a loop in IR: nothing yet, or a value, or for a place the best."""

    dtype: str
    total: Val | None = None
    best: Best | None = None


def _step(frame: Frame, acc: Acc, state: _Sum, place: Val) -> _Sum:
    value, dtype = frame.values[acc.value]
    if acc.op.startswith("arg"):
        place = place.splat(value.lanes)
        best = Best(value, place) if state.best is None else _better(frame, acc, state.best, value, place)
        return _Sum(dtype, best=best)
    if state.total is None:
        return _Sum(dtype, value)
    lanes = max(value.lanes, state.total.lanes)
    both = accumulate.combine(frame.ir, acc.op, dtype, state.total.splat(lanes), value.splat(lanes))
    return _Sum(dtype, both)


def _better(frame: Frame, acc: Acc, best: Best, value: Val, place: Val) -> Best:
    lanes = max(value.lanes, best.value.lanes)
    old = Best(best.value.splat(lanes), best.place.splat(lanes))
    return accumulate.better(acc.op, old, value.splat(lanes), place.splat(lanes))


def _name_result(frame: Frame, acc: Acc, state: _Sum) -> None:
    if state.best is not None:
        frame.values[acc.name] = state.best.place, "i8"
    elif state.total is not None:
        frame.values[acc.name] = state.total, state.dtype
    else:
        dtype = dtype_of(frame, acc)
        start = abs(accumulate.identity(acc.op, dtype)) if acc.op == "sum" else accumulate.identity(acc.op, dtype)
        frame.values[acc.name] = frame.ir.const(ELEMENTS[dtype], 0, start), dtype


def dtype_of(frame: Frame, acc: Acc) -> str:
    """The dtype of an accumulator's value, as its definition says."""
    return frame.dtypes[acc.value]


def _whole(frame: Frame, loop: Loop, lanes: int) -> None:
    """A short loop of known length: its iterations are the lanes of one vector."""
    frame.axes[loop.axis] = frame.size(0)
    frame.lanes = Lanes(loop.axis, lanes, frame.size(0))
    with frame.scope():
        emit_body(frame, loop.body)
        found = [frame.spread(frame.values[acc.value][0]) for acc in loop.accs]
        dtypes = [frame.values[acc.value][1] for acc in loop.accs]
    frame.lanes = None
    for acc, value, dtype in zip(loop.accs, found, dtypes, strict=True):
        frame.values[acc.name] = accumulate.across(frame.ir, acc.op, dtype, value), dtype


# --- loops in IR -----------------------------------------------------------------------------------------------------


class _Accumulator:
    """One accumulator of a loop in IR, in two levels."""

    def __init__(self, frame: Frame, acc: Acc, lanes: int, own: bool, exact: bool) -> None:
        self.frame, self.acc, self.own = frame, acc, own
        self.dtype = dtype_of(frame, acc)
        self.elem = ELEMENTS[self.dtype]
        self.lanes = lanes
        self.exact = exact and acc.op == "sum" and self.dtype in ("f4", "f8")
        self.start = frame.ir.const(self.elem, lanes, accumulate.identity(acc.op, self.dtype))
        outer = 0 if own else lanes
        self.total = accumulate.new_total(frame.ir, acc.op, self.dtype, self.elem, outer, exact=self.exact)

    def add(self, inner: Val) -> Val:
        """The inner accumulator after one more iteration."""
        frame = self.frame
        value = frame.values[self.acc.value][0].splat(self.lanes)
        if self.own and frame.lanes is not None and frame.lanes.mask is not None:
            value = frame.lanes.mask.where(value, self.start)
        return accumulate.combine(frame.ir, self.acc.op, self.dtype, inner, value)

    def close(self, total: Total, inner: Val) -> Total:
        """The total after a block."""
        ir = self.frame.ir
        dtype = self.dtype
        if self.own:
            if self.exact and dtype == "f4":
                inner = accumulate.folded(ir, self.acc.op, dtype, inner, _FEW_LANES)
                inner, dtype = inner.convert("fpext", "double"), "f8"
            inner = accumulate.across(ir, self.acc.op, dtype, inner)
        return accumulate.add_to_total(ir, self.acc.op, self.dtype, total, inner)


def run_loop(frame: Frame, loop: Loop, low: Val, high: Val) -> list[Val]:
    """Emit a loop from ``low`` up to ``high``; returns the accumulators' results unrounded."""
    if loop.carries or any([acc.op.startswith("arg") for acc in loop.accs]):
        _sequence(frame, loop, low, high)
        return []
    width, panel = frame.plan.lanes.get(id(loop), 0), frame.plan.panels.get(id(loop), 0)
    if panel:  # as many wide panels as fit, then the rest
        span = high - low
        middle = low + (span - frame.ir.line("i64", 0, f"srem i64 {span.text}, {panel}"))
        _Rounds(frame, loop, low, middle, panel).run()
        low = middle
    return _Rounds(frame, loop, low, high, width).run()


class _Rounds:
    """A loop without carried values."""

    def __init__(self, frame: Frame, loop: Loop, low: Val, high: Val, width: int) -> None:
        self.frame, self.ir, self.loop, self.low, self.high = frame, frame.ir, loop, low, high
        self.width = width
        self.step = self.width or 1
        lanes = self.width or (frame.lanes.count if frame.lanes else 0)
        span = high.number - low.number if high.number is not None and low.number is not None else None
        whole_panels = width != 0 and width == frame.plan.panels.get(id(loop))
        self.ragged = width != 0 and not whole_panels and (span is None or span % width != 0)
        long = span is None or span > _BLOCK * self.step
        self.accs = [_Accumulator(frame, acc, lanes, bool(self.width), long) for acc in loop.accs]
        self.blocked = any([acc.exact for acc in self.accs])
        self.outer = frame.lanes

    def run(self) -> list[Val]:
        """Emit it."""
        ir, frame = self.ir, self.frame
        bases = self._bases() if self.ragged else {}
        before, head, done = ir.block, ir.label(), ir.label()
        may_be_empty = self.low.number is None or self.high.number is None or self.high.number <= self.low.number
        if may_be_empty:
            ir.branch(self.low < self.high, head, done)
        else:
            ir.jump(head)
        ir.start(head)
        start, start_in = ir.phi("i64", 0)
        start_in.append((self.low, before))
        totals, totals_in = self._total_phis(before)
        end, mask, streams, whole = self._round(start, bases)
        values = self._inner(start, end, mask, streams)
        totals = [acc.close(t, v) for acc, t, v in zip(self.accs, totals, values, strict=True)]
        if self.ragged:
            self._copy_back(start, mask, whole, bases, streams)
        start_in.append((end, ir.block))
        self._feed(totals_in, totals)
        last = ir.block
        ir.branch(end < self.high, head, done)
        ir.start(done)
        frame.lanes = self.outer
        return self._results(totals, before if may_be_empty else None, last)

    # --- rounds ------------------------------------------------------------------------------------------------------

    def _round(
        self, start: Val, bases: dict[tuple[str, Place], Val]
    ) -> tuple[Val, Val | None, dict[tuple[str, Place], Val], Val | None]:
        """Where a round ends, which lanes are real, and where the streams lead."""
        ir, high, step = self.ir, self.high, self.step
        left = high - start
        if not self.ragged:
            if not self.blocked:
                return high, None, {}, None
            block = left.like(_BLOCK * step)
            return start + (left < block).where(left, block), None, {}, None
        whole = left >= step
        full = left & -step if step & (step - 1) == 0 else left - ir.line("i64", 0, f"srem i64 {left.text}, {step}")
        if self.blocked:
            block = left.like(_BLOCK * step)
            full = (full > block).where(block, full)
        end = whole.where(start + full, start + step)
        self._scratch = {
            key: Val(ir, ir.allocate(type_text(memory_elem(ELEMENTS[self._dtype(key)]), step)), "ptr", 0)
            for key in bases
        }
        streams = {}
        for key, base in bases.items():
            size = int(self._dtype(key)[1])
            scratch = self._scratch[key].text
            back = ir.line("ptr", 0, f"getelementptr i8, ptr {scratch}, i64 {(start * -size).text}")
            streams[key] = ir.line("ptr", 0, f"select i1 {whole.text}, ptr {base.text}, ptr {back.text}")
        rest, inner, before = ir.label(), ir.label(), ir.block
        ir.branch(whole, inner, rest)
        ir.start(rest)
        some = self._first_lanes(left)
        for key in self._loaded:
            self._copy(key, bases[key], start, some, into=True)
        came_from = ir.block
        ir.jump(inner)
        ir.start(inner)
        mask, incoming = ir.phi("i1", step)
        incoming += [(ir.const("i1", step, True), before), (some, came_from)]
        return end, mask, streams, whole

    def _first_lanes(self, count: Val) -> Val:
        """Which lanes come before a number that is less than all."""
        elem = "i8" if self.step < 128 else "i16"
        numbers = Val(self.ir, f"<{', '.join([f'{elem} {i}' for i in range(self.step)])}>", elem, self.step)
        return numbers < count.convert("trunc", elem).splat(self.step)

    def _dtype(self, key: tuple[str, Place]) -> str:
        return self.frame.buffers[key[0]].dtype

    def _bases(self) -> dict[tuple[str, Place], Val]:
        """The accesses to neighbours in memory that stand directly in this loop, each with its base address."""
        frame, axis = self.frame, self.loop.axis
        self._loaded: list[tuple[str, Place]] = []
        self._stored: list[tuple[str, Place]] = []
        bases = {}
        for s in self._direct(self.loop.body):
            if s.buffer in frame.plan.registers or s.buffer in frame.plan.per_lane:
                continue
            place = frame.place(s)
            if place.along(axis) != 1 or place.computed or (isinstance(s, Load) and s.outside is not None):
                continue
            if any([name not in frame.axes and name != axis for name, _ in place.terms]):
                continue
            key = (s.buffer, place)
            elem = ELEMENTS[frame.buffers[s.buffer].dtype]
            if key not in bases:
                bases[key] = frame.address(frame.pointer(s.buffer), elem, frame.linear(place, without=axis))
            if (isinstance(s, Load) or s.add) and key not in self._loaded:
                self._loaded.append(key)
            if isinstance(s, Store) and key not in self._stored:
                self._stored.append(key)
        return bases

    @staticmethod
    def _direct(body: tuple[Statement, ...]) -> list[Load | Store]:
        return [s for s in body if isinstance(s, (Load, Store))]

    def _copy(self, key: tuple[str, Place], base: Val, start: Val, mask: Val | None, *, into: bool) -> None:
        """Copy the real lanes of the last vector to scratch memory, or back."""
        frame, dtype = self.frame, self._dtype(key)
        elem, size = memory_elem(ELEMENTS[dtype]), int(dtype[1])
        assert mask is not None
        address = frame.address(base, elem, start)
        kind = type_text(elem, self.step)
        if into:
            self.ir.do(
                f"store {memory.masked_load(frame, elem, address, mask, size).typed}, ptr {self._scratch[key].text}"
            )
        else:
            held = self.ir.line(elem, self.step, f"load {kind}, ptr {self._scratch[key].text}")
            memory.masked_store(frame, held, address, mask, size)

    def _copy_back(
        self,
        start: Val,
        mask: Val | None,
        whole: Val | None,
        bases: dict[tuple[str, Place], Val],
        streams: dict[tuple[str, Place], Val],
    ) -> None:
        if not self._stored or whole is None:
            return
        back, after = self.ir.label(), self.ir.label()
        self.ir.branch(whole, after, back)
        self.ir.start(back)
        for key in self._stored:
            self._copy(key, bases[key], start, mask, into=False)
        self.ir.jump(after)
        self.ir.start(after)

    # --- inside a round ----------------------------------------------------------------------------------------------

    def _inner(self, start: Val, end: Val, mask: Val | None, streams: dict[tuple[str, Place], Val]) -> list[Val]:
        ir, frame, loop = self.ir, self.frame, self.loop
        before, top = ir.block, ir.label()
        ir.jump(top)
        ir.start(top)
        i, i_in = ir.phi("i64", 0)
        i_in.append((start, before))
        phis = [ir.phi(acc.elem, acc.lanes) for acc in self.accs]
        for acc, (_, incoming) in zip(self.accs, phis, strict=True):
            incoming.append((acc.start, before))
        frame.axes[loop.axis] = i
        if self.width:
            frame.lanes = Lanes(loop.axis, self.width, i, mask, streams)
        with frame.scope():
            emit_body(frame, loop.body)
            values = [acc.add(value) for acc, (value, _) in zip(self.accs, phis, strict=True)]
        following = i + self.step
        i_in.append((following, ir.block))
        for (_, incoming), value in zip(phis, values, strict=True):
            incoming.append((value, ir.block))
        after = ir.label()
        ir.branch(following < end, top, after)
        ir.start(after)
        return values

    # --- totals ------------------------------------------------------------------------------------------------------

    def _total_phis(self, before: str) -> tuple[list[Total], list[list[tuple[Val, str]]]]:
        totals, incoming = [], []
        for acc in self.accs:
            made = [self.ir.phi(part.elem, part.lanes) for part in acc.total.parts()]
            for (_, pairs), part in zip(made, acc.total.parts(), strict=True):
                pairs.append((part, before))
                incoming.append(pairs)
            totals.append(Total(*[value for value, _ in made]))
        return totals, incoming

    def _feed(self, incoming: list[list[tuple[Val, str]]], totals: list[Total]) -> None:
        parts = [part for total in totals for part in total.parts()]
        for pairs, part in zip(incoming, parts, strict=True):
            pairs.append((part, self.ir.block))

    def _results(self, totals: list[Total], skipped: str | None, last: str) -> list[Val]:
        """Name the accumulators' results; of an empty loop the sum is plus zero."""
        ir, frame, wide = self.ir, self.frame, []
        merged = []
        for acc, total in zip(self.accs, totals, strict=True):
            parts = []
            for part, start in zip(total.parts(), acc.total.parts(), strict=True):
                value = part
                if skipped is not None:
                    value, incoming = ir.phi(part.elem, part.lanes)
                    empty = start.like(abs(start.number or 0)) if acc.acc.op == "sum" else start
                    incoming += [(empty, skipped), (part, last)]
                parts.append(value)
            merged.append(Total(*parts))
        for acc, total in zip(self.accs, merged, strict=True):
            result, unrounded = accumulate.finished(ir, acc.dtype, total)
            frame.values[acc.acc.name] = result, acc.dtype
            wide.append(unrounded)
        return wide


# --- loops with an order ---------------------------------------------------------------------------------------------


def _sequence(frame: Frame, loop: Loop, low: Val, high: Val) -> None:
    """A loop whose iterations hand values on."""
    ir = frame.ir
    lanes = frame.lanes.count if frame.lanes else 0
    first: list[Val] = [frame.value(c.init, c.dtype).splat(lanes) for c in loop.carries]
    for acc in loop.accs:
        dtype = dtype_of(frame, acc)
        first.append(ir.const(ELEMENTS[dtype], lanes, accumulate.identity(acc.op, dtype)))
        if acc.op.startswith("arg"):
            first.append(ir.const("i64", lanes, 0))
    before, top, done = ir.block, ir.label(), ir.label()
    ir.branch(low < high, top, done)
    ir.start(top)
    i, i_in = ir.phi("i64", 0)
    i_in.append((low, before))
    phis = [ir.phi(x.elem, x.lanes) for x in first]
    for (_, incoming), x in zip(phis, first, strict=True):
        incoming.append((x, before))
    frame.axes[loop.axis] = i
    with frame.scope():
        for c, (value, _) in zip(loop.carries, phis, strict=False):
            frame.values[c.name] = value, c.dtype
        emit_body(frame, loop.body)
        following = [frame.value(c.next, c.dtype).splat(lanes) for c in loop.carries]
        following += _stepped(frame, loop, [value for value, _ in phis[len(loop.carries) :]], i, lanes)
    after = i + 1
    i_in.append((after, ir.block))
    for (_, incoming), x in zip(phis, following, strict=True):
        incoming.append((x, ir.block))
    last = ir.block
    ir.branch(after < high, top, done)
    ir.start(done)
    results = []
    for x, start in zip(following, first, strict=True):
        merged, incoming = ir.phi(x.elem, x.lanes)
        incoming += [(start, before), (x, last)]
        results.append(merged)
    _name_sequence(frame, loop, results)


def _stepped(frame: Frame, loop: Loop, states: list[Val], i: Val, lanes: int) -> list[Val]:
    """The accumulators after one more iteration."""
    result: list[Val] = []
    rest = iter(states)
    for acc in loop.accs:
        value, dtype = frame.values[acc.value]
        value = value.splat(lanes)
        state = next(rest)
        if acc.op.startswith("arg"):
            best = accumulate.better(acc.op, Best(state, next(rest)), value, i.splat(lanes))
            result += [best.value, best.place]
        else:
            result.append(accumulate.combine(frame.ir, acc.op, dtype, state, value))
    return result


def _name_sequence(frame: Frame, loop: Loop, results: list[Val]) -> None:
    rest = iter(results)
    for c in loop.carries:
        frame.values[c.final] = next(rest), c.dtype
    for acc in loop.accs:
        value = next(rest)
        if acc.op.startswith("arg"):
            frame.values[acc.name] = next(rest), "i8"
        else:
            frame.values[acc.name] = value, dtype_of(frame, acc)


def emit_if(frame: Frame, statement: If) -> None:
    """Emit a branch."""
    ir = frame.ir
    then, other, done = ir.label(), ir.label(), ir.label()
    ir.branch(frame.values[statement.condition][0], then, other)
    ends: list[tuple[list[Val], str]] = []
    for label, body, which in ((then, statement.then, "then"), (other, statement.other, "other")):
        ir.start(label)
        with frame.scope():
            emit_body(frame, body)
            values = [frame.value(getattr(phi, which), phi.dtype) for phi in statement.phis]
        ends.append((values, ir.block))
        ir.jump(done)
    ir.start(done)
    for k, phi in enumerate(statement.phis):
        result, incoming = ir.phi(ELEMENTS[phi.dtype], 0)
        incoming += [(values[k], block) for values, block in ends]
        frame.values[phi.name] = result, phi.dtype
