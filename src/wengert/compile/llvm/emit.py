"""A kernel as an LLVM module: its entry function, and a function for the share of a thread in each parallel loop.

The entry is ``i32 name(ptr buffers, ptr sizes)``: the addresses of the buffers that are not its own, and the symbolic
sizes and strides. It returns 0, or 1 where there is no memory, or 2 where an index is out of bounds. Threads come in
through ``wengert_share_out``, memory between loops through ``wengert_arena_take`` and ``wengert_arena_give``, which the
run time supplies.
"""

from __future__ import annotations

import re
from typing import Final

from wengert.compile.llvm.accumulate import Total, add_to_total, finished, new_total
from wengert.compile.llvm.frame import Frame, Layout, dtypes_of
from wengert.compile.llvm.interface import Interface
from wengert.compile.llvm.ir import Ir, Val
from wengert.compile.llvm.loops import emit_body, run_loop
from wengert.compile.llvm.places import count_of, product, sizes_in, stride_name, total, walk
from wengert.compile.llvm.plan import Plan, Planner, Target, work_of
from wengert.compile.llvm.products import dtypes_of_products, with_products_as_loops
from wengert.compile.llvm.registry import ELEMENTS
from wengert.compile.nest import (
    Acc,
    Affine,
    Check,
    Compute,
    Expr,
    Extent,
    If,
    Index,
    Indirect,
    Iota,
    Kernel,
    Load,
    Loop,
    MatMul,
    Role,
    Statement,
    Store,
)

MOST_SHARES: Final = 64
NO_MEMORY: Final = 1  # what the entry returns
OUT_OF_BOUNDS: Final = 2
# Sixteenths of an instruction in one share: some 20 microseconds.
SHARE: Final = 16 * 100_000
_ALIGN: Final = 64
_OUTSIDE: Final = (Role.IN, Role.INOUT, Role.OUT, Role.CONST)


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
    ir = Ir(fma=target.fma, fast=fast_math)
    plan = Planner(kernel, target).plan
    layout = layout_of(kernel)
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


def layout_of(kernel: Kernel) -> Layout:
    """Where the kernel's function finds its buffers and sizes."""
    outside = [b for b in kernel.buffers if b.role in _OUTSIDE and b.alias is None]
    sizes: dict[str, int] = {}
    for name in [n for b in kernel.buffers for extent in b.shape for n in sizes_in(extent)]:
        sizes.setdefault(name, len(sizes))
    for statement in walk(kernel.body):
        for name in _sizes_of(statement):
            sizes.setdefault(name, len(sizes))
    for b in outside:
        if b.strided:
            for axis in range(len(b.shape)):
                sizes.setdefault(stride_name(b.name, axis), len(sizes))
    offsets, end = _arena_of(kernel)
    return Layout({b.name: i for i, b in enumerate(outside)}, sizes, offsets, end)


def _arena_of(kernel: Kernel) -> tuple[dict[str, Extent], Extent]:
    """Where the buffers between loops lie in the arena, and its size.

    A buffer may lie where one of its size lay that is not needed any more.
    """
    roots: dict[str, str] = {}
    for b in kernel.buffers:
        root = b
        while root.alias is not None:
            root = kernel.buffer(root.alias)
        roots[b.name] = root.name
    last: dict[str, int] = {}
    first: dict[str, int] = {}
    for number, statement in enumerate(kernel.body):
        for name in {roots[n] for inner in walk((statement,)) for n in _buffers_of(inner)}:
            first.setdefault(name, number)
            last[name] = number
    offsets: dict[str, Extent] = {}
    places: list[tuple[Extent, Extent, int]] = []  # offset, size, the last statement that needs it
    end: Extent = 0
    for b in sorted(kernel.of_role(Role.TEMP), key=lambda b: first.get(b.name, 0)):
        size = _aligned(product(count_of(b.shape), int(b.dtype[1])))
        free = [p for p in places if p[1] == size and p[2] < first.get(b.name, 0)]
        if free:
            places.remove(free[0])
            offsets[b.name] = free[0][0]
        else:
            offsets[b.name] = end
            end = total(end, size)
        places.append((offsets[b.name], size, last.get(b.name, 0)))
    return offsets, end


def _buffers_of(statement: Statement) -> tuple[str, ...]:
    match statement:
        case Load() | Store():
            return (statement.buffer,)
        case MatMul():
            return (statement.out.buffer, statement.a.buffer, statement.b.buffer)
        case _:
            return ()


def _aligned(size: Extent) -> Extent:
    if isinstance(size, int):
        return -(-size // _ALIGN) * _ALIGN
    return product(Expr("//", (total(size, _ALIGN - 1), _ALIGN)), _ALIGN)


def _sizes_of(statement: Statement) -> list[str]:
    indices: tuple[Index, ...]
    if isinstance(statement, Loop):
        return list(sizes_in(statement.extent))
    if isinstance(statement, MatMul):
        refs = (statement.out, statement.a, statement.b)
        extents = [statement.m, statement.n, statement.k, *[ref.row for ref in refs]]
        indices = tuple([index for ref in refs for index in ref.index])
        return [n for e in (*extents, *_extents_of(indices)) for n in sizes_in(e)]
    indices = statement.index if isinstance(statement, (Load, Store)) else ()
    if isinstance(statement, Iota):
        indices = (statement.index,)
    return [name for extent in _extents_of(indices) for name in sizes_in(extent)]


def _extents_of(indices: tuple[Index, ...]) -> list[Extent]:
    return [e for i in indices if isinstance(i, Affine) for e in (i.offset, *[c for _, c in i.terms])]


class _Module:
    """The functions of one kernel."""

    def __init__(self, ir: Ir, kernel: Kernel, plan: Plan, layout: Layout, share: int) -> None:
        self.ir, self.kernel, self.plan, self.layout, self.share = ir, kernel, plan, layout, share
        self.shares = 0
        self.dtypes = dtypes_of(kernel)

    def emit(self) -> None:
        """Emit all."""
        ir = self.ir
        with ir.function(f"define i32 @{_symbol(self.kernel)}(ptr %buffers, ptr %sizes)"):
            frame = Frame(ir, self.kernel, self.plan, self.layout, self.dtypes)
            arena = self._take_arena(frame)
            if arena is not None:
                self._refuse_without(Val(ir, "%arena", "ptr", 0))
            for statement in self.kernel.body:
                if isinstance(statement, Loop) and self._is_shared(statement):
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
            ir.entry.append(f"  %arena = alloca i8, i64 {size}, align {_ALIGN}")
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
        return not isinstance(work, int) or work >= 2 * self.share

    def _share(self, frame: Frame, loop: Loop) -> None:
        """Emit a parallel loop: a function for a range of it, and the call that deals ranges out."""
        ir, name = self.ir, f"{_symbol(self.kernel)}.share{self.shares}"
        self.shares += 1
        captured = self._captured(frame, loop)
        self._share_function(name, loop, captured)
        slots = 4 + len(captured)
        context = ir.allocate("i64", slots)
        partial = ir.allocate("double", 2 * MOST_SHARES * max(1, len(loop.accs)))
        fixed = ("%buffers", "%sizes", "%arena", partial)
        for i, text in enumerate(fixed):
            self._put(context, i, f"ptr {text}")
        for i, (_, value, _) in enumerate(captured):
            self._put(context, 4 + i, value.typed)
        n = frame.size(loop.extent)
        chunk = self._chunk(frame, loop, n)
        count = ir.line("i64", 0, f"sdiv i64 {(n + chunk - 1).text}, {chunk.text}")
        self._external("wengert_share_out", "void", "ptr", "ptr", "i64", "i64")
        ir.do(f"call void @wengert_share_out(ptr @{name}, ptr {context}, i64 {n.text}, i64 {chunk.text})")
        self._combine(frame, loop, partial, count)

    def _put(self, context: str, slot: int, typed: str) -> None:
        place = self.ir.line("ptr", 0, f"getelementptr i64, ptr {context}, i64 {slot}")
        self.ir.do(f"store {typed}, ptr {place.text}")

    def _captured(self, frame: Frame, loop: Loop) -> list[tuple[str, Val, str]]:
        """Values from before the loop that its body reads: name, value, dtype."""
        wanted: dict[str, None] = {}
        for statement in walk(loop.body):
            for name in _operands(statement):
                if name in frame.values:
                    wanted[name] = None
        for acc in loop.accs:
            if acc.value in frame.values:
                wanted[acc.value] = None
        return [(name, *frame.values[name]) for name in wanted]

    def _chunk(self, frame: Frame, loop: Loop, n: Val) -> Val:
        """Iterations in a share, by their work and number alone: results do not depend on the number of threads."""
        ir = self.ir
        lanes = self.plan.lanes.get(id(loop), 1)
        grain = lanes * 16 if lanes > 1 else 1
        work = frame.size(work_of(loop.body, self.plan, lanes))
        work = (work < 1).where(work.like(1), work)
        enough = ir.line("i64", 0, f"sdiv i64 {self.share}, {work.text}") + 1
        even = ir.line("i64", 0, f"sdiv i64 {n.text}, {MOST_SHARES}") + 1
        chunk = (enough > even).where(enough, even) + (grain - 1)
        return ir.line("i64", 0, f"sdiv i64 {chunk.text}, {grain}") * grain

    def _share_function(self, name: str, loop: Loop, captured: list[tuple[str, Val, str]]) -> None:
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
            results = run_loop(frame, loop, Val(ir, "%low", "i64", 0), Val(ir, "%high", "i64", 0))
            number = Val(ir, "%number", "i64", 0)
            for k, value in enumerate(results):
                place = ir.line(
                    "ptr", 0, f"getelementptr double, ptr %partial, i64 {(number * (2 * len(results)) + 2 * k).text}"
                )
                ir.do(f"store {value.typed}, ptr {place.text}")
            ir.do("ret void")

    def _combine(self, frame: Frame, loop: Loop, partial: str, count: Val) -> None:
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


def _operands(statement: Statement) -> list[str]:
    """The names of values that a statement reads."""
    match statement:
        case Compute():
            return [arg for arg in statement.args if isinstance(arg, str)]
        case Store():
            named = [statement.value] if isinstance(statement.value, str) else []
            return named + [i.value for i in statement.index if isinstance(i, Indirect)]
        case Load():
            return [i.value for i in statement.index if isinstance(i, Indirect)]
        case Check():
            return [statement.condition]
        case If():
            phis = [name for phi in statement.phis for name in (phi.then, phi.other) if isinstance(name, str)]
            return [statement.condition, *phis]
        case Loop():
            carried = [x for c in statement.carries for x in (c.init, c.next) if isinstance(x, str)]
            return [acc.value for acc in statement.accs] + carried
        case MatMul():
            return [statement.scale] if isinstance(statement.scale, str) else []
        case _:
            return []
