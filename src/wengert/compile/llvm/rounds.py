"""Loops in rounds: blocks of whole vectors, and a last vector that is not whole.

A loop over n elements in lanes runs in rounds. A round is a block of whole vectors, or the last vector, of which only
the first lanes are real. For that one, neighbours in memory are first copied to scratch memory and results copied back,
so that one body, without masks on its loads and stores, serves all rounds. A block is also what accumulators add up
before they add to their totals.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from wengert.compile.llvm import accumulate, memory
from wengert.compile.llvm.accumulate import Total
from wengert.compile.llvm.frame import Frame, Lanes, memory_elem
from wengert.compile.llvm.ir import Val, type_text
from wengert.compile.llvm.places import Place
from wengert.compile.llvm.registry import ELEMENTS
from wengert.compile.nest import Acc, Compute, Iota, Load, Loop, Statement, Store

_FEW_LANES: Final = 8  # the lanes of partial sums that come together in float64
_FEW_VECTORS: Final = 16  # of a loop whose last elements are worth code of their own
_BLOCK: Final = 128  # additions one after the other before the sum goes to the total


def dtype_of(frame: Frame, acc: Acc) -> str:
    """The dtype of an accumulator's value, as its definition says."""
    return frame.dtypes[acc.value]


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


class Rounds:
    """A loop without carried values."""

    def __init__(
        self, frame: Frame, loop: Loop, low: Val, high: Val, width: int, body: Callable[[], None], *, step: int = 1
    ) -> None:
        self.frame, self.ir, self.loop, self.low, self.high = frame, frame.ir, loop, low, high
        self.width = width
        self.body = body
        self.step = self.width or step
        lanes = self.width or (frame.lanes.count if frame.lanes else 0)
        span = high.number - low.number if high.number is not None and low.number is not None else None
        whole_panels = width != 0 and width == frame.plan.panels.get(id(loop))
        self.rest = 0 if span is None or whole_panels else self._known_rest(int(span))
        if self.rest:
            self.high = high.like(int(high.number or 0) - self.rest)
        self.ragged = width != 0 and not self.rest and not whole_panels and (span is None or span % width != 0)
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
        if self.rest:
            values = self._with_rest(values)
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

    # --- the end of a short loop -----------------------------------------------------------------------------------

    def _known_rest(self, span: int) -> int:
        """How many elements whole vectors leave in a short loop of known length that is worth code for them."""
        apart = self.frame.plan.registers | self.frame.plan.per_lane
        for s in self.loop.body:
            if not isinstance(s, (Load, Store, Compute, Iota)) or getattr(s, "buffer", None) in apart:
                return 0
        return span % self.width if self.width and self.width < span <= _FEW_VECTORS * self.width else 0

    def _with_rest(self, values: list[Val]) -> list[Val]:
        """The accumulators after the last elements, which are one shorter vector (masked where its length is odd)."""
        ir, frame, loop = self.ir, self.frame, self.loop
        lanes = 1 << max(1, (self.rest - 1).bit_length())
        mask = self._first(lanes) if lanes != self.rest else None
        frame.axes[loop.axis] = self.high
        frame.lanes = Lanes(loop.axis, lanes, self.high, mask)
        with frame.scope():
            self.body()
            found = [frame.values[acc.acc.value][0].splat(lanes) for acc in self.accs]
        results = []
        for acc, value, last in zip(self.accs, values, found, strict=True):
            order = ", ".join([f"i32 {i}" if i < self.rest else "i32 poison" for i in range(self.width)])
            text = f"shufflevector {last.typed}, {last.type} poison, <{self.width} x i32> <{order}>"
            widened = self._first(self.width).where(ir.line(last.elem, self.width, text), acc.start)
            results.append(accumulate.combine(ir, acc.acc.op, acc.dtype, value, widened))
        return results

    def _first(self, lanes: int) -> Val:
        """The mask of the lanes that remain."""
        bits = ", ".join([f"i1 {'true' if i < self.rest else 'false'}" for i in range(lanes)])
        return Val(self.ir, f"<{bits}>", "i1", lanes)

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
            self.body()
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
