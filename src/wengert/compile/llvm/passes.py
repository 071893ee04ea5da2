"""Tiles in IR: the loops of a share of rows, tile after tile, in memory that no other share uses meanwhile."""

from __future__ import annotations

from typing import Final

from wengert.compile.llvm.accumulate import Total, add_to_total, finished, new_total
from wengert.compile.llvm.frame import Frame, memory_elem, times
from wengert.compile.llvm.ir import Ir, Val
from wengert.compile.llvm.loops import emit_body, run_loop
from wengert.compile.llvm.places import aligned, product, total, within_part
from wengert.compile.llvm.plan import Plan
from wengert.compile.llvm.registry import ELEMENTS
from wengert.compile.nest import Expr, Extent, Kernel, Loop, Tiles

SLOTS: Final = 64  # pieces of memory for shares that run at the same time: the bits of a word


def rows_of(tiles: Tiles, plan: Plan) -> Extent:
    """The rows of a tile: some vectors of them at least, where a loop has the rows as lanes."""
    lanes = lanes_of(tiles, plan)
    rows = Expr("max", (tiles.rows, 4 * lanes)) if lanes > 1 else tiles.rows
    return rows if tiles.part is None else Expr("min", (rows, tiles.part))


def lanes_of(tiles: Tiles, plan: Plan) -> int:
    """The most rows that are lanes of a vector."""
    return max([plan.lanes.get(id(within_part(loop) or loop), 1) for loop in tiles.loops])


def slot_layout(kernel: Kernel, tiles: Tiles, plan: Plan) -> tuple[dict[str, Extent], Extent]:
    """Where each buffer of the tiles begins in a slot, and how long a slot is, in bytes."""
    rows = rows_of(tiles, plan)
    offsets: dict[str, Extent] = {}
    end: Extent = 0
    for name, row in tiles.buffers:
        offsets[name] = end
        end = total(end, aligned(product(product(rows, row), int(kernel.buffer(name).dtype[1]))))
    return offsets, end


def slots_size(size: Extent, tiles: Tiles) -> Extent:
    """The bytes of all slots; there are never more shares than tiles' rows."""
    return product(size, Expr("min", (SLOTS, tiles.extent)))


def run_tiles(frame: Frame, tiles: Tiles, low: Val, high: Val, slots: Val, taken: Val) -> list[Val]:
    """Emit the loops for the rows from ``low`` up to ``high``; returns the accumulators' results unrounded.

    Args:
        frame: the function of a share.
        tiles: what to emit.
        low: the first row.
        high: the end, after ``low``.
        slots: the memory of all slots.
        taken: the address of a word whose bits say which slots are in use.
    """
    ir = frame.ir
    offsets, size = slot_layout(frame.kernel, tiles, frame.plan)
    bit, place = _take_slot(ir, taken)
    slot = ir.line("ptr", 0, f"getelementptr i8, ptr {slots.text}, i64 {(place * frame.size(size)).text}")
    dtypes = [frame.dtypes[acc.value] for acc in tiles.accs]
    empty = [
        new_total(ir, acc.op, dtype, ELEMENTS[dtype], 0, exact=True)
        for acc, dtype in zip(tiles.accs, dtypes, strict=True)
    ]
    before, top, done = ir.block, ir.label(), ir.label()
    ir.jump(top)
    ir.start(top)
    start, starts = ir.phi("i64", 0)
    starts.append((low, before))
    phis = [[ir.phi(part.elem, 0) for part in each.parts()] for each in empty]
    for made, each in zip(phis, empty, strict=True):
        for (_, incoming), part in zip(made, each.parts(), strict=True):
            incoming.append((part, before))
    end = start + frame.size(rows_of(tiles, frame.plan))
    end = (end < high).where(end, high)
    number = start.like(0)
    if tiles.part is not None:
        number = ir.line("i64", 0, f"sdiv i64 {start.text}, {tiles.part}")
        whole = (number + 1) * tiles.part
        end = (end < whole).where(end, whole)
    for name, row in tiles.buffers:
        elem = memory_elem(ELEMENTS[frame.buffers[name].dtype])
        base = ir.line("ptr", 0, f"getelementptr i8, ptr {slot.text}, i64 {frame.size(offsets[name]).text}")
        back = start.like(0) - times(start, frame.size(row))  # so that a row is found by its number among all rows
        frame.set_pointer(name, ir.line("ptr", 0, f"getelementptr {elem}, ptr {base.text}, i64 {back.text}"))
    found: list[Val] = []
    for loop, per_row in zip(tiles.loops, tiles.per_row, strict=True):
        each_row = frame.size(per_row)
        if (inner := within_part(loop)) is None:
            found += run_loop(frame, loop, times(start, each_row), times(end, each_row))
        else:
            found += _run_part(frame, loop, inner, start, end, number)
    totals = [
        add_to_total(ir, acc.op, dtype, Total(*[value for value, _ in made]), x)
        for acc, dtype, made, x in zip(tiles.accs, dtypes, phis, found, strict=True)
    ]
    starts.append((end, ir.block))
    for made, after in zip(phis, totals, strict=True):
        for (_, incoming), part in zip(made, after.parts(), strict=True):
            incoming.append((part, ir.block))
    ir.branch(end < high, top, done)
    ir.start(done)
    ir.line("i64", 0, f"atomicrmw xor ptr {taken.text}, i64 {bit.text} acq_rel, align 8")
    return [finished(ir, dtype, each)[1] for dtype, each in zip(dtypes, totals, strict=True)]


def _run_part(frame: Frame, loop: Loop, inner: Loop, start: Val, end: Val, number: Val) -> list[Val]:
    """The rows of a tile in a loop over parts: what begins a part comes before its first tile."""
    ir, (_, size) = frame.ir, inner.part or ("", 1)
    frame.axes[loop.axis] = number
    begin, go = ir.label(), ir.label()
    ir.branch(start.eq(number * size), begin, go)
    ir.start(begin)
    with frame.scope():
        emit_body(frame, loop.body[:-1])
    ir.jump(go)
    ir.start(go)
    if loop.body[-1] is inner:
        found = dict(zip([acc.name for acc in inner.accs], run_loop(frame, inner, start, end), strict=True))
        return [found[acc.value] for acc in loop.accs]
    frame.ranges[loop.axis] = start, end
    with frame.scope():
        emit_body(frame, loop.body[-1:])
    del frame.ranges[loop.axis]
    return []


def _take_slot(ir: Ir, taken: Val) -> tuple[Val, Val]:
    """The bit of a slot that is free, and its number. There are as many slots as shares, so one is."""
    look, mine = ir.label(), ir.label()
    ir.jump(look)
    ir.start(look)
    busy = ir.line("i64", 0, f"load atomic i64, ptr {taken.text} monotonic, align 8")
    ir.declared["llvm.cttz.i64"] = "declare i64 @llvm.cttz.i64(i64, i1)"
    free = busy ^ -1
    number = ir.line("i64", 0, f"call i64 @llvm.cttz.i64(i64 {free.text}, i1 false)")
    bit = ir.line("i64", 0, f"shl i64 1, {number.text}")
    old = ir.line("i64", 0, f"atomicrmw or ptr {taken.text}, i64 {bit.text} acq_rel, align 8")
    ir.branch((old & bit).eq(0), mine, look)
    ir.start(mine)
    return bit, number


__all__ = ["SLOTS", "lanes_of", "run_tiles", "slot_layout", "slots_size"]
