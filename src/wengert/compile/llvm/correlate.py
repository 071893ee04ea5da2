"""Correlations as machine code of our own: ``y[n, o, p] = sum_{c, t} w[o, c, t] x[n, c, p stride + t step - low]``.

Outside the image there are zeros. Images have three axes of space, a, b and w, and there may be groups of channels.
The work is cut into units, which threads share: a group, some images, a band of places along a, and one of the parts
into which the sum is split. A unit goes through its part of the sum in chunks: some channels, or a band of taps along a
of one channel. What a chunk reads of the images is copied into one buffer, zeros around it, the places that a stride
leaves out put aside (or read where it lies, if nothing of this is needed). The weights are packed once beforehand, or
chunk by chunk. All patches lie in that buffer: none is copied. How the work is cut follows from the sizes alone,
so each element's sum is the same whatever the number of threads.
"""

from __future__ import annotations

from typing import Final

from wengert.compile.llvm.correlate_reads import (
    SLACK,
    Plan,
    call,
    emit_region,
    emit_row,
    emit_weights,
    function,
    lesser,
    packing_slack,
    share,
    size_of,
)
from wengert.compile.llvm.ir import Ir, Val
from wengert.compile.llvm.tiles import counting, element, first_lanes, load, only_if, store

NAME: Final = "wengert_correlate"
_THREADS: Final = 1  # the word of the pool that says how many may work
# What a task is given: addresses of the plan, images, weights, result, packed weights, the splits' sums, of rooms for
# tasks, and of how many there are and which are taken.
_CONTEXT: Final = ("plan", "x", "weights", "y", "packed", "parts", "rooms", "taken")


def correlate_text(dtype: str, *, register: int) -> str:
    """The module for one dtype, on a machine with vector registers of so many bytes."""
    ir, elem = Ir(), "float" if dtype == "f4" else "double"
    lanes = register // size_of(elem)
    emit_row(ir, elem, lanes)
    emit_region(ir, elem, lanes)
    emit_weights(ir, elem)
    _emit_tiles(ir, elem)
    _emit_unit(ir, elem)
    _emit_task(ir, elem)
    _emit_entry(ir, elem, lanes)
    ir.helpers["pool"] = "@wengert_pool = external global i64"
    ir.declared["wengert_share_out"] = "declare void @wengert_share_out(ptr, ptr, i64, i64, i64)"
    ir.declared["wengert_arena_take"] = "declare ptr @wengert_arena_take(i64)"
    ir.declared["wengert_arena_give"] = "declare void @wengert_arena_give(ptr)"
    return ir.module()


# --- units -----------------------------------------------------------------------------------------------------------


def _emit_tiles(ir: Ir, elem: str) -> None:
    """``tiles(plan, packed, x, y, count, rows, add)``: all tiles of a chunk of ``count`` taps."""
    with function(ir, "tiles", ("packed", "x", "y"), ("count", "rows", "add")) as given:
        plan = Plan(ir, given["plan"])
        taps, begins, ends = plan.table("taps"), plan.table("from"), plan.table("to")
        channels, wide, apart = plan["o"], plan["pw"], plan["y_o"]
        count, rows, add = given["count"], given["rows"], given["add"].ne(0)
        zero, tile = count.like(0), plan.function("tile")
        high, across = plan["rows"], plan["columns"]
        with counting(ir, zero, channels, plan["channels"]) as o:
            weights, y = element(ir, given["packed"], elem, o * count), element(ir, given["y"], elem, o * apart)
            with counting(ir, zero, rows, high) as i, counting(ir, zero, wide, across) as j:
                # The last of a row or column begins early, and leaves what the one before it has.
                row, column = lesser(i, rows - high), lesser(j, wide - across)
                x, c = element(ir, given["x"], elem, column), element(ir, y, elem, column)
                source, to = element(ir, begins, "i64", row), element(ir, ends, "i64", row)
                call(ir, tile, count, taps, weights, x, source, c, to, apart, channels - o, i - row, j - column, add)


def _emit_unit(ir: Ir, elem: str) -> None:
    """``unit(plan, x, weights, y, packed, parts, own_x, own_w, number)``: all chunks of a unit.

    ``own_x`` and ``own_w`` are buffers for a part of the images and packed weights.
    """
    pointers = ("x", "weights", "y", "packed", "parts", "own_x", "own_w")
    with function(ir, "unit", pointers, ("number",)) as given:
        plan = Plan(ir, given["plan"])
        left, digits = given["number"], {}
        for name in ("splits", "bands", "blocks"):
            of = plan[name]
            digits[name], left = left - left / of * of, left / of
        g = left
        n0, n1 = share(digits["blocks"], plan["blocks"], plan["n"])
        p0, p1 = share(digits["bands"], plan["bands"], plan["pa"])
        tap_bands = plan["tap_bands"]
        chunks = plan["channel_chunks"] * tap_bands
        first, last = share(digits["splits"], plan["splits"], chunks)
        begin = (
            plan["splits"].eq(1).where(given["y"], element(ir, given["parts"], elem, digits["splits"] * plan["whole"]))
        )
        y = element(ir, begin, elem, g * plan["y_g"] + n0 * plan["y_n"] + p0 * plan["pb"] * plan["pw"])
        x = element(ir, given["x"], elem, g * plan["x_g"] + n0 * plan["x_n"])
        w = element(ir, given["weights"], elem, g * plan["w_g"])
        rows = (n1 - n0) * (p1 - p0) * plan["pb"]
        direct, packed = plan["is_direct"].ne(0), plan["is_packed"].ne(0)
        with counting(ir, first, last, 1) as chunk:
            number = chunk / tap_bands
            c0, c1 = share(number, plan["channel_chunks"], plan["c"])
            t0, t1 = share(chunk - number * tap_bands, tap_bands, plan["ta"])
            source = element(ir, x, elem, c0 * plan["x_c"])
            start = p0 * plan["a_stride"] + t0 * plan["a_step"] - plan["a_low"]
            with only_if(ir, ~direct):
                extent = (p1 - p0 - 1) * plan["a_stride"] + (t1 - t0 - 1) * plan["a_step"] + 1
                call(ir, "@region", given["plan"], given["own_x"], source, n1 - n0, c1 - c0, start, extent)
            with only_if(ir, ~packed):
                of_chunk = element(ir, w, elem, c0 * plan["w_c"])
                call(ir, "@weights", given["plan"], given["own_w"], of_chunk, c1 - c0, t0, t1 - t0)
            lying = element(
                ir, source, elem, start * plan["x_a"] - plan["b_low"] * plan["x_b"] - plan["w_low"] * plan["x_w"]
            )
            ready = element(ir, given["packed"], elem, (g * chunks + chunk) * plan["chunk"])
            images, weights = direct.where(lying, given["own_x"]), packed.where(ready, given["own_w"])
            count = (c1 - c0) * (t1 - t0) * plan["tr"]
            add = (chunk > first).convert("zext", "i64")
            call(ir, "@tiles", given["plan"], weights, images, y, count, rows, add)


def _given(ir: Ir) -> dict[str, Val]:
    """What a task was given."""
    found = {}
    for number, name in enumerate(_CONTEXT):
        place = ir.line("ptr", 0, f"getelementptr ptr, ptr %context, i64 {number}")
        found[name] = ir.line("ptr", 0, f"load ptr, ptr {place.text}, align 8")
    return found


def _room_of_task(plan: Plan) -> tuple[Val, Val]:
    """Elements that a task needs for a part of the images, and for packed weights."""
    zero = plan["n"].like(0)
    of_images = plan["is_direct"].ne(0).where(zero, plan["region"] + SLACK)
    return of_images, plan["is_packed"].ne(0).where(zero, plan["chunk"] + packing_slack(plan))


def _emit_task(ir: Ir, elem: str) -> None:
    """The units with these numbers, in memory that no other task has meanwhile."""
    with ir.function("define internal void @task(ptr %context, i64 %low, i64 %up, i64 %number)"):
        found = _given(ir)
        rooms, taken = found.pop("rooms"), found.pop("taken")
        plan = Plan(ir, found["plan"])
        # There is a room for each thread that may work, so one is free or will be soon.
        before, look, mine = ir.block, ir.label(), ir.label()
        ir.jump(look)
        ir.start(look)
        room, incoming = ir.phi("i64", 0)
        flag = element(ir, taken, "i64", room + 1)
        old = ir.line("i64", 0, f"atomicrmw xchg {flag.typed}, i64 1 acquire, align 8")
        following = room + 1
        count = ir.line("i64", 0, f"load i64, {taken.typed}, align 8")
        incoming += [(room.like(0), before), ((following < count).where(following, room.like(0)), look)]
        ir.branch(old.eq(0), mine, look)
        ir.start(mine)
        of_images, of_weights = _room_of_task(plan)
        memory = element(ir, rooms, elem, room * (of_images + of_weights))
        own = element(ir, memory, elem, of_images)
        with counting(ir, Val(ir, "%low", "i64", 0), Val(ir, "%up", "i64", 0), 1) as number:
            call(ir, "@unit", *found.values(), memory, own, number)
        ir.do(f"store atomic i64 0, {flag.typed} release, align 8")
        ir.do("ret void")


def _emit_entry(ir: Ir, elem: str, lanes: int) -> None:
    """``wengert_correlate(plan, x, w, y)``: all of it; 1 if there is no memory for it, else 0."""
    with ir.function(f"define i64 @{NAME}(ptr %plan, ptr %x, ptr %weights, ptr %y)"):
        given = {name: Val(ir, f"%{name}", "ptr", 0) for name in ("plan", "x", "weights", "y")}
        plan = Plan(ir, given["plan"])
        zero = plan["n"].like(0)
        units = plan["groups"] * plan["blocks"] * plan["bands"] * plan["splits"]
        pool = ir.line("ptr", 0, f"getelementptr i64, ptr @wengert_pool, i64 {_THREADS}")
        threads = ir.line("i64", 0, f"load atomic i64, ptr {pool.text} monotonic, align 8")
        threads = plan["shared_work"].ne(0).where(lesser(threads, units), zero.like(1))
        splits, chunks, packed = plan["splits"], plan["channel_chunks"] * plan["tap_bands"], plan["is_packed"].ne(0)
        of_parts = ((splits > 1).where(splits * plan["whole"], zero) + SLACK) / SLACK * SLACK
        of_weights = packed.where(plan["groups"] * chunks * plan["chunk"], zero) + packing_slack(plan)
        of_task, of_task_weights = _room_of_task(plan)
        of_rooms = threads * (of_task + of_task_weights)
        flags = (threads + 8) / 8 * 64  # what follows begins with a line of the cache
        size = flags + (of_parts + of_weights + of_rooms) * size_of(elem)
        arena = ir.line("ptr", 0, f"call ptr @wengert_arena_take({size.typed})")
        with only_if(ir, ir.line("i1", 0, f"icmp eq {arena.typed}, null")):
            ir.do("ret i64 1")
            ir.start(ir.label())
        ir.do(f"store {threads.typed}, {arena.typed}, align 8")
        with counting(ir, zero, threads, 1) as i:
            ir.do(f"store i64 0, {element(ir, arena, 'i64', i + 1).typed}, align 8")
        parts = element(ir, arena, "i8", flags)
        prepared = element(ir, parts, elem, of_parts)
        _prepare_weights(ir, elem, plan, given["weights"], prepared)
        context = ir.allocate("i64", len(_CONTEXT))
        rooms = element(ir, prepared, elem, of_weights)
        for number, value in enumerate((*given.values(), prepared, parts, rooms, arena)):
            place = ir.line("ptr", 0, f"getelementptr i64, ptr {context}, i64 {number}")
            ir.do(f"store {value.typed}, ptr {place.text}, align 8")
        with only_if(ir, threads > 1):
            job = f"ptr @task, ptr {context}, {units.typed}, i64 1, {plan['shared_work'].typed}"
            ir.do(f"call void @wengert_share_out({job})")
        with only_if(ir, threads < 2):
            ir.do(f"call void @task(ptr {context}, i64 0, {units.typed}, i64 0)")
        _add_parts(ir, (elem, lanes), plan, parts, given["y"])
        ir.do(f"call void @wengert_arena_give({arena.typed})")
        ir.do("ret i64 0")


def _prepare_weights(ir: Ir, elem: str, plan: Plan, source: Val, to: Val) -> None:
    """Pack all weights, if that is to be done once."""
    zero, chunks = plan["n"].like(0), plan["channel_chunks"] * plan["tap_bands"]
    packed = plan["is_packed"].ne(0)
    with only_if(ir, packed), counting(ir, zero, plan["groups"], 1) as g, counting(ir, zero, chunks, 1) as chunk:
        number = chunk / plan["tap_bands"]
        c0, c1 = share(number, plan["channel_chunks"], plan["c"])
        t0, t1 = share(chunk - number * plan["tap_bands"], plan["tap_bands"], plan["ta"])
        there = element(ir, to, elem, (g * chunks + chunk) * plan["chunk"])
        begin = element(ir, source, elem, g * plan["w_g"] + c0 * plan["w_c"])
        call(ir, "@weights", plan.base, there, begin, c1 - c0, t0, t1 - t0)


def _add_parts(ir: Ir, vector: tuple[str, int], plan: Plan, parts: Val, y: Val) -> None:
    """The result as the sum of its splits, in order."""
    (elem, lanes), splits, whole = vector, plan["splits"], plan["whole"]
    with only_if(ir, splits > 1), counting(ir, whole.like(0), whole, lanes) as i:
        mask = first_lanes(ir, whole - i, lanes)
        total = load(ir, element(ir, parts, elem, i), elem, lanes, mask)
        before = ir.block
        with counting(ir, whole.like(1), splits, 1) as part:
            so_far, incoming = ir.phi(elem, lanes)
            more = load(ir, element(ir, parts, elem, part * whole + i), elem, lanes, mask)
            new = so_far + more
            incoming += [(total, before), (new, ir.block)]
            end = ir.block
        result, incoming = ir.phi(elem, lanes)
        incoming += [(total, before), (new, end)]
        store(ir, result, element(ir, y, elem, i), mask)


__all__ = ["NAME", "correlate_text"]
