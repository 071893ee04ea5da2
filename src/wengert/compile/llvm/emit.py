"""A kernel as an LLVM module: its entry function, and a function for the share of a thread in each parallel loop.

The entry is ``i32 name(ptr buffers, ptr sizes)``: the addresses of the buffers that are not its own, and the symbolic
sizes and strides. It returns 0, or 1 where there is no memory, or 2 where an index is out of bounds. Threads come in
through ``wengert_share_out``, memory between loops through ``wengert_arena_take`` and ``wengert_arena_give``, which the
run time supplies.
"""

from __future__ import annotations

import re
from functools import reduce
from math import lcm
from typing import Final

from wengert.compile.llvm.accumulate import Total, add_to_total, finished, new_total
from wengert.compile.llvm.frame import Frame, Layout, dtypes_of
from wengert.compile.llvm.interface import NO_MEMORY, OUT_OF_BOUNDS, Interface
from wengert.compile.llvm.ir import Ir, Val
from wengert.compile.llvm.layout import layout_of, slots_of
from wengert.compile.llvm.loops import emit_body, run_loop
from wengert.compile.llvm.passes import lanes_of, run_tiles
from wengert.compile.llvm.places import (
    LINE,
    names_read,
    product,
    total,
    walk,
    within_part,
)
from wengert.compile.llvm.plan import Plan, Planner, work_of
from wengert.compile.llvm.products import dtypes_of_products, with_products_as_loops
from wengert.compile.llvm.registry import ELEMENTS
from wengert.compile.llvm.rows_together import put_together
from wengert.compile.llvm.target import Target
from wengert.compile.nest import (
    Acc,
    Check,
    Expr,
    Extent,
    Kernel,
    Loop,
    Role,
    Tiles,
)

MOST_SHARES: Final = 64
# Sixteenths of an instruction in one share: 10 to 20 microseconds.
SHARE: Final = 16 * 100_000
# ... in a loop that threads share at all: to wake one, and to have half of the data in the cache of another core, takes
# as long as 50 microseconds of work.
_LEAST_SHARED: Final = 10 * SHARE


def emit_kernel(
    kernel: Kernel, target: Target, *, fast_math: bool = False, share: int = SHARE
) -> tuple[str, Interface]:
    """The kernel as IR, and what its caller must know.

    Args:
        kernel: what to compute.
        target: the machine.
        fast_math: let sums be reordered and products and sums be fused.
        share: the least work, in sixteenths of an instruction, that is worth another thread.
    """
    products = tuple(sorted(dtypes_of_products(kernel)))
    kernel = with_products_as_loops(kernel)
    ir = Ir(fma=target.fma, fast=fast_math, tables=target.tables)
    plan = Planner(kernel, target).plan
    layout = layout_of(kernel, plan)
    module = _Module(ir, kernel, plan, layout, share)
    module.emit()
    module.prepare()
    pointers, sizes = tuple(layout.pointers), tuple(layout.sizes)
    names = _symbol(kernel), _prepare_name(kernel)
    return ir.module(), Interface(*names, pointers, sizes, module.shares, layout.arena, products)


def _symbol(kernel: Kernel) -> str:
    """The name of the entry; no kernel may take the name of a function that it calls."""
    return "wengert.kernel." + re.sub(r"\W", "_", kernel.name, flags=re.ASCII)


def _prepare_name(kernel: Kernel) -> str:
    return f"{_symbol(kernel)}.prepare"


class _Module:
    """The functions of one kernel."""

    def __init__(self, ir: Ir, kernel: Kernel, plan: Plan, layout: Layout, share: int) -> None:
        self.ir, self.kernel, self.plan, self.layout, self.share = ir, kernel, plan, layout, share
        self.shares = 0
        self.dtypes = dtypes_of(kernel)
        put_together(kernel, plan, self.dtypes)

    def emit(self) -> None:
        """Emit all."""
        ir = self.ir
        with ir.function(f"define i32 @{_symbol(self.kernel)}(ptr %buffers, ptr %sizes)"):
            frame = Frame(ir, self.kernel, self.plan, self.layout, self.dtypes)
            arena = self._take_arena(frame)
            if arena is not None:
                self._refuse_without(Val(ir, "%arena", "ptr", 0))
            for statement in self.kernel.body:
                if isinstance(statement, Tiles) or (isinstance(statement, Loop) and self._is_shared(statement)):
                    self._share(frame, statement)
                elif isinstance(statement, Check):
                    self._give_up_if(frame.values[statement.condition][0], arena is not None)
                else:
                    emit_body(frame, (statement,))
            self._return(0, gives_arena=arena is not None)

    def _return(self, status: int, *, gives_arena: bool) -> None:
        if gives_arena:
            self._external("wengert_arena_give", "void", "ptr")
            self.ir.do("call void @wengert_arena_give(ptr %arena)")
        self.ir.do(f"ret i32 {status}")

    def _give_up_if(self, wrong: Val, gives_arena: bool) -> None:
        """Return where an index is out of bounds."""
        ir = self.ir
        bad, good = ir.label(), ir.label()
        ir.branch(wrong, bad, good)
        ir.start(bad)
        self._return(OUT_OF_BOUNDS, gives_arena=gives_arena)
        ir.start(good)

    def prepare(self) -> None:
        """Emit the function that is called before the kernel."""
        ir = self.ir
        with ir.function(f"define i64 @{_prepare_name(self.kernel)}(ptr %sizes, ptr %shapes)"):
            frame = Frame(ir, self.kernel, self.plan, self.layout, self.dtypes)
            extents = [extent for buffer in self.kernel.of_role(Role.OUT) for extent in buffer.shape]
            for i, extent in enumerate(extents):
                self._put("%shapes", i, frame.size(extent).typed)
            ir.do(f"ret {frame.size(work_of(self.kernel.body, self.plan)).typed}")

    def _take_arena(self, frame: Frame) -> Val | None:
        ir, size = self.ir, self.layout.arena
        if size == 0:
            with ir.at_entry():
                ir.do("%arena = getelementptr i8, ptr null, i64 0")
            return None
        if isinstance(size, int) and size <= 1 << 15:
            ir.entry.append(f"  %arena = alloca i8, i64 {size}, align {LINE}")
            return None
        n = frame.size(size)
        self._external("wengert_arena_take", "ptr", "i64")
        with ir.at_entry():
            ir.do(f"%arena = call ptr @wengert_arena_take(i64 {n.text})")
        return n

    def _refuse_without(self, arena: Val) -> None:
        """Return 1 if there is no memory."""
        ir = self.ir
        missing, there = ir.label(), ir.label()
        absent = ir.line("i1", 0, f"icmp eq ptr {arena.text}, null")
        ir.branch(absent, missing, there)
        ir.start(missing)
        ir.do(f"ret i32 {NO_MEMORY}")
        ir.start(there)

    def _external(self, name: str, result: str, *args: str) -> None:
        self.ir.declared[name] = f"declare {result} @{name}({', '.join(args)})"

    # --- parallel loops ----------------------------------------------------------------------------------------------

    def _is_shared(self, loop: Loop) -> bool:
        if not loop.parallel or id(loop) in self.plan.unrolled or loop.carries:
            return False
        if any([acc.op.startswith("arg") for acc in loop.accs]):
            return False
        lanes = self.plan.lanes.get(id(loop), 1)
        work = product(loop.extent, work_of(loop.body, self.plan, lanes))
        return not isinstance(work, int) or work >= _LEAST_SHARED

    def _share(self, frame: Frame, loop: Loop | Tiles) -> None:
        """Emit a parallel loop or tiles: a function for a range of it, and the call that deals ranges out."""
        ir, name = self.ir, f"{_symbol(self.kernel)}.share{self.shares}"
        self.shares += 1
        captured = self._captured(frame, loop)
        self._share_function(name, loop, captured)
        slots = 4 + len(captured)
        context = ir.allocate("i64", slots + 1)
        partial = ir.allocate("double", 2 * MOST_SHARES * max(1, len(loop.accs)))
        fixed = ("%buffers", "%sizes", "%arena", partial)
        for i, text in enumerate(fixed):
            self._put(context, i, f"ptr {text}")
        for i, (_, value, _) in enumerate(captured):
            self._put(context, 4 + i, value.typed)
        self._put(context, slots, "i64 0")
        n = frame.size(loop.extent)
        work = n * frame.size(self._work(loop))
        chunk = self._chunk(frame, loop, n, work)
        count = ir.line("i64", 0, f"sdiv i64 {(n + chunk - 1).text}, {chunk.text}")
        self._external("wengert_share_out", "void", "ptr", "ptr", "i64", "i64", "i64")
        ir.do(f"call void @wengert_share_out(ptr @{name}, ptr {context}, {n.typed}, {chunk.typed}, {work.typed})")
        self._combine(frame, loop, partial, count)

    def _put(self, context: str, slot: int, typed: str) -> None:
        place = self.ir.line("ptr", 0, f"getelementptr i64, ptr {context}, i64 {slot}")
        self.ir.do(f"store {typed}, ptr {place.text}")

    def _captured(self, frame: Frame, loop: Loop | Tiles) -> list[tuple[str, Val, str]]:
        """Values from before the loop that its body reads: name, value, dtype."""
        wanted: dict[str, None] = {}
        for statement in walk((loop,)):
            for name in names_read(statement):
                if name in frame.values:
                    wanted[name] = None
        return [(name, *frame.values[name]) for name in wanted]

    def _chunk(self, frame: Frame, loop: Loop | Tiles, n: Val, all_work: Val) -> Val:
        """Iterations in a share, by their work and number alone: results do not depend on the number of threads."""
        ir = self.ir
        lanes = lanes_of(loop, self.plan) if isinstance(loop, Tiles) else self.plan.lanes.get(id(loop), 1)
        grain = lanes * 16 if lanes > 1 else 1
        if isinstance(loop, Tiles) and loop.part is not None:
            grain = lcm(grain, loop.part)
        work = frame.size(self._work(loop))
        work = (work < 1).where(work.like(1), work)
        enough = ir.line("i64", 0, f"sdiv i64 {self.share}, {work.text}") + 1
        even = ir.line("i64", 0, f"sdiv i64 {n.text}, {MOST_SHARES}") + 1
        chunk = (enough > even).where(enough, even) + (grain - 1)
        chunk = ir.line("i64", 0, f"sdiv i64 {chunk.text}, {grain}") * grain
        return (all_work < _LEAST_SHARED).where(n + 1, chunk)

    def _work(self, loop: Loop | Tiles) -> Extent:
        """The work of one iteration, or of one row."""
        if isinstance(loop, Loop):
            return work_of(loop.body, self.plan, self.plan.lanes.get(id(loop), 1))
        works: list[Extent] = []
        for each, per_row in zip(loop.loops, loop.per_row, strict=True):
            inner, work = within_part(each), self._work(each)
            is_part = inner is not None and inner.part is not None
            works.append(Expr("//", (work, loop.part or 1)) if is_part else product(per_row, work))
        return reduce(total, works)

    def _share_function(self, name: str, loop: Loop | Tiles, captured: list[tuple[str, Val, str]]) -> None:
        ir = self.ir
        signature = f"define internal void @{name}(ptr %context, i64 %low, i64 %high, i64 %number)"
        with ir.function(signature):
            frame = Frame(ir, self.kernel, self.plan, self.layout, self.dtypes)
            for i, text in enumerate(("%buffers", "%sizes", "%arena", "%partial")):
                ir.entry.append(f"  %slot{i} = getelementptr i64, ptr %context, i64 {i}")
                ir.entry.append(f"  {text} = load ptr, ptr %slot{i}")
            for i, (value_name, outer, dtype) in enumerate(captured):
                place = ir.line("ptr", 0, f"getelementptr i64, ptr %context, i64 {4 + i}")
                value = ir.line(outer.elem, 0, f"load {outer.elem}, ptr {place.text}")
                frame.values[value_name] = value, dtype
            low, high = Val(ir, "%low", "i64", 0), Val(ir, "%high", "i64", 0)
            if isinstance(loop, Tiles):
                taken = ir.line("ptr", 0, f"getelementptr i64, ptr %context, i64 {4 + len(captured)}")
                results = run_tiles(frame, loop, low, high, self._slots(frame, loop), taken)
            else:
                results = run_loop(frame, loop, low, high)
            number = Val(ir, "%number", "i64", 0)
            for k, value in enumerate(results):
                place = ir.line(
                    "ptr", 0, f"getelementptr double, ptr %partial, i64 {(number * (2 * len(results)) + 2 * k).text}"
                )
                ir.do(f"store {value.typed}, ptr {place.text}")
            ir.do("ret void")

    def _slots(self, frame: Frame, tiles: Tiles) -> Val:
        """The memory for the rows of all tiles."""
        name = slots_of(tiles)
        offset = frame.size(self.layout.offsets[name]) if name in self.layout.offsets else frame.size(0)
        return self.ir.line("ptr", 0, f"getelementptr i8, ptr %arena, i64 {offset.text}")

    def _combine(self, frame: Frame, loop: Loop | Tiles, partial: str, count: Val) -> None:
        """Put the shares' results together, in their order."""
        if not loop.accs:
            return
        ir = self.ir
        starts = [self._empty(acc) for acc in loop.accs]
        before, top, done = ir.block, ir.label(), ir.label()
        ir.branch(count > 0, top, done)
        ir.start(top)
        i, i_in = ir.phi("i64", 0)
        i_in.append((i.like(0), before))
        loops = []
        for acc, start in zip(loop.accs, starts, strict=True):
            phis = [ir.phi(part.elem, 0) for part in start.parts()]
            for (_, incoming), part in zip(phis, start.parts(), strict=True):
                incoming.append((part, before))
            loops.append((acc, start, phis))
        ends = []
        for k, (acc, _, phis) in enumerate(loops):
            dtype = self.dtypes[acc.value]
            state = Total(*[value for value, _ in phis])
            elem = state.value.elem
            place = ir.line("ptr", 0, f"getelementptr double, ptr {partial}, i64 {(i * (2 * len(loops)) + 2 * k).text}")
            part = ir.line(elem, 0, f"load {elem}, ptr {place.text}")
            ends.append(add_to_total(ir, acc.op, dtype, state, part))
        for (_, _, phis), state in zip(loops, ends, strict=True):
            for (_, incoming), value in zip(phis, state.parts(), strict=True):
                incoming.append((value, top))
        following = i + 1
        i_in.append((following, top))
        ir.branch(following < count, top, done)
        ir.start(done)
        totals = []  # all values that come in before anything is computed from them
        for (acc, start, _), state in zip(loops, ends, strict=True):
            parts = []
            for first, last in zip(start.parts(), state.parts(), strict=True):
                value, incoming = ir.phi(first.elem, 0)
                empty = first.like(abs(first.number or 0)) if acc.op == "sum" else first
                incoming += [(empty, before), (last, top)]
                parts.append(value)
            totals.append(Total(*parts))
        for acc, state in zip(loop.accs, totals, strict=True):
            dtype = self.dtypes[acc.value]
            frame.values[acc.name] = finished(ir, dtype, state)[0], dtype

    def _empty(self, acc: Acc) -> Total:
        dtype = self.dtypes[acc.value]
        return new_total(self.ir, acc.op, dtype, ELEMENTS[dtype], 0, exact=True)
