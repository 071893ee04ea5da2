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

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from wengert.compile.llvm.ir import Ir, Val, type_text
from wengert.compile.llvm.tiles import counting, element, first_lanes, load, only_if, store

NAME: Final = "wengert_correlate"
# The words of a plan. Letters: a, b, w axes of space; g groups, n images, c channels of an image, o of the result, t
# taps, p places. Distances are in elements.
WORDS: Final = (
    *("groups", "n", "c", "o"),
    *("a", "b", "w"),  # sizes of the images
    *("a_low", "b_low", "w_low", "a_stride", "b_stride", "w_stride", "a_step"),  # step: from tap to tap
    *("pa", "pb", "pw", "ta", "tr"),  # places; taps along a, and for each of them
    *("x_g", "x_n", "x_c", "x_a", "x_b", "x_w"),  # distances in the images
    *("w_g", "w_o", "w_c"),  # in the weights, whose taps are neighbours
    *("y_g", "y_n", "y_o"),  # in the result, whose places are neighbours
    *("blocks", "bands", "splits", "channel_chunks", "tap_bands"),  # into how many parts each of these is cut
    *("is_direct", "is_packed", "is_merged", "is_shared"),
    *("r_n", "r_c", "r_a", "r_b", "r_w"),  # distances in the buffer; r_w: of what a stride leaves out
    *("region", "chunk", "whole"),  # elements of the buffer, of a chunk's packed weights, of the result
    *(
        "tile",
        "pack",
        "channels",
        "rows",
        "columns",
        "packed",
    ),  # a tile's functions and shape (:mod:`.correlate_tiles`)
    *("taps", "from", "to"),  # where the tables begin, in the plan
)
_PLACE: Final = {name: i for i, name in enumerate(WORDS)}
_THREADS: Final = 1  # the word of the pool that says how many may work
_SLACK: Final = 64  # elements that rows, copied by whole vectors, may write beyond the end of a buffer
# What a task is given: addresses of the plan, images, weights, result, packed weights, the splits' sums, of rooms for
# tasks, and of how many there are and which are taken.
_CONTEXT: Final = ("plan", "x", "weights", "y", "packed", "parts", "rooms", "taken")


def correlate_text(dtype: str, *, register: int) -> str:
    """The module for one dtype, on a machine with vector registers of so many bytes."""
    ir, elem = Ir(), "float" if dtype == "f4" else "double"
    lanes = register // _size(elem)
    _emit_row(ir, elem, lanes)
    _emit_region(ir, elem, lanes)
    _emit_weights(ir, elem)
    _emit_tiles(ir, elem)
    _emit_unit(ir, elem)
    _emit_task(ir, elem)
    _emit_entry(ir, elem, lanes)
    ir.helpers["pool"] = "@wengert_pool = external global [64 x i64]"
    ir.declared["wengert_share_out"] = "declare void @wengert_share_out(ptr, ptr, i64, i64)"
    ir.declared["wengert_arena_take"] = "declare ptr @wengert_arena_take(i64)"
    ir.declared["wengert_arena_give"] = "declare void @wengert_arena_give(ptr)"
    return ir.module()


class _Plan:
    """The plan's words by name."""

    def __init__(self, ir: Ir, base: Val) -> None:
        self.ir = ir
        self.base = base

    def __getitem__(self, name: str) -> Val:
        place = self.ir.line("ptr", 0, f"getelementptr i64, {self.base.typed}, i64 {_PLACE[name]}")
        return self.ir.line("i64", 0, f"load i64, ptr {place.text}, align 8")

    def function(self, name: str) -> str:
        """A function whose address is one of the words, as it is called."""
        return self.ir.line("ptr", 0, f"inttoptr {self[name].typed} to ptr").text

    def table(self, name: str) -> Val:
        """Where a table begins."""
        return element(self.ir, self.base, "i64", self[name])


@contextmanager
def _function(ir: Ir, name: str, pointers: Sequence[str], numbers: Sequence[str]) -> Iterator[dict[str, Val]]:
    """An internal function, and its arguments by name; its first is the plan."""
    kinds = {"plan": "ptr", **dict.fromkeys(pointers, "ptr"), **dict.fromkeys(numbers, "i64")}
    arguments = ", ".join([f"{kind} %{x}" for x, kind in kinds.items()])
    with ir.function(f"define internal void @{name}({arguments})"):
        yield {x: Val(ir, f"%{x}", kind, 0) for x, kind in kinds.items()}
        ir.do("ret void")


def _call(ir: Ir, function: str, *operands: Val) -> None:
    ir.do(f"call void {function}({', '.join([x.typed for x in operands])})")


def _size(elem: str) -> int:
    return 4 if elem == "float" else 8


def _slack(plan: _Plan) -> Val:
    """Elements beyond the end of packed weights that packing, by whole squares, may write to."""
    return plan["packed"] * plan["channels"]


def _lesser(a: Val, b: Val) -> Val:
    return (a < b).where(a, b)


def _share(number: Val, count: Val, whole: Val) -> tuple[Val, Val]:
    """Where one of ``count`` nearly equal parts begins and ends."""
    return number * whole / count, (number + 1) * whole / count


# --- images ----------------------------------------------------------------------------------------------------------


def _emit_row(ir: Ir, elem: str, lanes: int) -> None:
    """``row(plan, to, from, length)``: a row of an image, with what is around it; of none if the length is 0."""
    with _function(ir, "row", ("to", "source"), ("length",)) as given:
        plan = _Plan(ir, given["plan"])
        to, source, length = given["to"], given["source"], given["length"]
        low, stride, apart, wide = plan["w_low"], plan["w_stride"], plan["x_w"], plan["r_w"]
        zero, lane = low.like(0), _lanes(ir, lanes)
        with only_if(ir, stride.eq(1) & apart.eq(1)):
            with counting(ir, zero, wide, lanes) as j:
                first = j - low
                place, there = element(ir, source, elem, first), element(ir, to, elem, j)
                whole = (first >= 0) & (first + lanes <= length)
                with only_if(ir, whole):
                    store(ir, load(ir, place, elem, lanes), there)
                with only_if(ir, ~whole):
                    at = first.splat(lanes) + lane
                    store(ir, load(ir, place, elem, lanes, (at >= 0) & (at < length.splat(lanes))), there)
            ir.do("ret void")
            ir.start(ir.label())
        with only_if(ir, stride.eq(2) & apart.eq(1)):
            with counting(ir, zero, wide, lanes) as j:
                halves = []
                for begin in (j * 2 - low, j * 2 - low + lanes):
                    at = begin.splat(lanes) + lane
                    inside = (at >= 0) & (at < length.splat(lanes))
                    halves.append(load(ir, element(ir, source, elem, begin), elem, lanes, inside))
                # The second phase begins where the first ends, and is there already.
                store(ir, _every_second(ir, *halves, 0), element(ir, to, elem, j), first_lanes(ir, wide - j, lanes))
                store(ir, _every_second(ir, *halves, 1), element(ir, to, elem, wide + j))
            ir.do("ret void")
            ir.start(ir.label())
        with counting(ir, zero, stride, 1) as phase, counting(ir, zero, wide, lanes) as j:
            at = (j.splat(lanes) + lane) * stride.splat(lanes) + (phase - low).splat(lanes)
            mask = (at >= 0) & (at < length.splat(lanes))
            values = _gathered(ir, source, elem, at * apart.splat(lanes), mask)
            store(ir, values, element(ir, to, elem, phase * wide + j))


def _every_second(ir: Ir, a: Val, b: Val, first: int) -> Val:
    order = ", ".join([f"i32 {first + 2 * i}" for i in range(a.lanes)])
    return ir.line(a.elem, a.lanes, f"shufflevector {a.typed}, {b.typed}, <{a.lanes} x i32> <{order}>")


def _gathered(ir: Ir, base: Val, elem: str, index: Val, mask: Val) -> Val:
    """Elements at any distances, zeros where the mask is not set."""
    lanes, size = index.lanes, _size(elem)
    places = ir.line("ptr", lanes, f"getelementptr {elem}, ptr {base.text}, {index.typed}")
    kind = type_text(elem, lanes)
    name = f"llvm.masked.gather.v{lanes}{'f32' if elem == 'float' else 'f64'}.v{lanes}p0"
    ir.declared[name] = f"declare {kind} @{name}(<{lanes} x ptr>, i32, {mask.type}, {kind})"
    operands = f"{places.typed}, i32 {size}, {mask.typed}, {kind} zeroinitializer"
    return ir.line(elem, lanes, f"call {kind} @{name}({operands})")


def _emit_region(ir: Ir, elem: str, lanes: int) -> None:
    """``region(plan, to, x, images, channels, first, rows)``: copy what a chunk reads, from row ``first`` of a on."""
    with _function(ir, "region", ("to", "x"), ("images", "channels", "first", "rows")) as given:
        plan = _Plan(ir, given["plan"])
        low, length = plan["w_low"], plan["w"]
        is_plain = plan["w_stride"].eq(1) & plan["x_w"].eq(1)
        with only_if(ir, is_plain & (plan["r_w"] <= lanes)):  # a row is one vector
            at = _lanes(ir, lanes) - low.splat(lanes)
            mask = (at >= 0) & (at < length.splat(lanes))
            with _rows(ir, elem, plan, given) as (to, source, inside):
                place = element(ir, source, elem, -low)
                store(ir, load(ir, place, elem, lanes, mask & inside.splat(lanes)), to)
            ir.do("ret void")
            ir.start(ir.label())
        with _rows(ir, elem, plan, given) as (to, source, inside):
            _call(ir, "@row", given["plan"], to, source, inside.where(length, length.like(0)))


@contextmanager
def _rows(ir: Ir, elem: str, plan: _Plan, given: dict[str, Val]) -> Iterator[tuple[Val, Val, Val]]:
    """For each row of a chunk: where it goes, where it comes from, and whether it lies in the image."""
    distances = {x: plan[x] for x in ("x_n", "x_c", "x_a", "x_b", "r_n", "r_c", "r_a", "r_b")}
    high, across, low = plan["a"], plan["b"], plan["b_low"]
    rows_of_b, zero = distances["r_a"] / distances["r_b"], low.like(0)
    with counting(ir, zero, given["images"], 1) as n, counting(ir, zero, given["channels"], 1) as c:
        image = n * distances["x_n"] + c * distances["x_c"]
        there = n * distances["r_n"] + c * distances["r_c"]
        with counting(ir, zero, given["rows"], 1) as i, counting(ir, zero, rows_of_b, 1) as j:
            a, b = given["first"] + i, j - low
            inside = (a >= 0) & (a < high) & (b >= 0) & (b < across)
            source = inside.where(image + a * distances["x_a"] + b * distances["x_b"], zero)
            to = there + i * distances["r_a"] + j * distances["r_b"]
            yield element(ir, given["to"], elem, to), element(ir, given["x"], elem, source), inside


def _lanes(ir: Ir, lanes: int) -> Val:
    """A vector of 0, 1 ..."""
    return Val(ir, f"<{', '.join([f'i64 {i}' for i in range(lanes)])}>", "i64", lanes)


# --- weights ---------------------------------------------------------------------------------------------------------


def _emit_weights(ir: Ir, elem: str) -> None:
    """``weights(plan, to, from, channels, first, taps)``: pack what a chunk reads, from tap ``first`` of a on."""
    with _function(ir, "weights", ("to", "source"), ("channels", "first", "taps")) as given:
        plan = _Plan(ir, given["plan"])
        zero, merged = given["first"].like(0), plan["is_merged"].ne(0)
        of_one = given["taps"] * plan["tr"]
        count = given["channels"] * of_one
        run, runs = merged.where(count, of_one), merged.where(zero.like(1), given["channels"])
        across, begin = plan["w_o"], given["first"] * plan["tr"]
        channel, all_channels = plan["w_c"], plan["o"]
        step, wide, pack = plan["channels"], plan["packed"], plan.function("pack")
        with counting(ir, zero, all_channels, step) as o:
            strip = element(ir, given["to"], elem, o * count)
            with counting(ir, zero, step, wide) as further:
                left = all_channels - (o + further)
                with only_if(ir, left > 0), counting(ir, zero, runs, 1) as c:
                    to = element(ir, strip, elem, c * run * step + further)
                    source = element(ir, given["source"], elem, (o + further) * across + c * channel + begin)
                    _call(ir, pack, to, step, source, _lesser(left, wide), run, across, zero.like(1))


# --- units -----------------------------------------------------------------------------------------------------------


def _emit_tiles(ir: Ir, elem: str) -> None:
    """``tiles(plan, packed, x, y, count, rows, add)``: all tiles of a chunk of ``count`` taps."""
    with _function(ir, "tiles", ("packed", "x", "y"), ("count", "rows", "add")) as given:
        plan = _Plan(ir, given["plan"])
        taps, begins, ends = plan.table("taps"), plan.table("from"), plan.table("to")
        channels, wide, apart = plan["o"], plan["pw"], plan["y_o"]
        count, rows, add = given["count"], given["rows"], given["add"].ne(0)
        zero, tile = count.like(0), plan.function("tile")
        high, across = plan["rows"], plan["columns"]
        with counting(ir, zero, channels, plan["channels"]) as o:
            weights, y = element(ir, given["packed"], elem, o * count), element(ir, given["y"], elem, o * apart)
            with counting(ir, zero, rows, high) as i, counting(ir, zero, wide, across) as j:
                # The last of a row or column begins early, and leaves what the one before it has.
                row, column = _lesser(i, rows - high), _lesser(j, wide - across)
                x, c = element(ir, given["x"], elem, column), element(ir, y, elem, column)
                source, to = element(ir, begins, "i64", row), element(ir, ends, "i64", row)
                _call(ir, tile, count, taps, weights, x, source, c, to, apart, channels - o, i - row, j - column, add)


def _emit_unit(ir: Ir, elem: str) -> None:
    """``unit(plan, x, weights, y, packed, parts, own_x, own_w, number)``: all chunks of a unit.

    ``own_x`` and ``own_w`` are buffers for a part of the images and packed weights.
    """
    pointers = ("x", "weights", "y", "packed", "parts", "own_x", "own_w")
    with _function(ir, "unit", pointers, ("number",)) as given:
        plan = _Plan(ir, given["plan"])
        left, digits = given["number"], {}
        for name in ("splits", "bands", "blocks"):
            of = plan[name]
            digits[name], left = left - left / of * of, left / of
        g = left
        n0, n1 = _share(digits["blocks"], plan["blocks"], plan["n"])
        p0, p1 = _share(digits["bands"], plan["bands"], plan["pa"])
        tap_bands = plan["tap_bands"]
        chunks = plan["channel_chunks"] * tap_bands
        first, last = _share(digits["splits"], plan["splits"], chunks)
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
            c0, c1 = _share(number, plan["channel_chunks"], plan["c"])
            t0, t1 = _share(chunk - number * tap_bands, tap_bands, plan["ta"])
            source = element(ir, x, elem, c0 * plan["x_c"])
            start = p0 * plan["a_stride"] + t0 * plan["a_step"] - plan["a_low"]
            with only_if(ir, ~direct):
                extent = (p1 - p0 - 1) * plan["a_stride"] + (t1 - t0 - 1) * plan["a_step"] + 1
                _call(ir, "@region", given["plan"], given["own_x"], source, n1 - n0, c1 - c0, start, extent)
            with only_if(ir, ~packed):
                of_chunk = element(ir, w, elem, c0 * plan["w_c"])
                _call(ir, "@weights", given["plan"], given["own_w"], of_chunk, c1 - c0, t0, t1 - t0)
            lying = element(
                ir, source, elem, start * plan["x_a"] - plan["b_low"] * plan["x_b"] - plan["w_low"] * plan["x_w"]
            )
            ready = element(ir, given["packed"], elem, (g * chunks + chunk) * plan["chunk"])
            images, weights = direct.where(lying, given["own_x"]), packed.where(ready, given["own_w"])
            count = (c1 - c0) * (t1 - t0) * plan["tr"]
            add = (chunk > first).convert("zext", "i64")
            _call(ir, "@tiles", given["plan"], weights, images, y, count, rows, add)


def _given(ir: Ir) -> dict[str, Val]:
    """What a task was given."""
    found = {}
    for number, name in enumerate(_CONTEXT):
        place = ir.line("ptr", 0, f"getelementptr ptr, ptr %context, i64 {number}")
        found[name] = ir.line("ptr", 0, f"load ptr, ptr {place.text}, align 8")
    return found


def _room_of_task(plan: _Plan) -> tuple[Val, Val]:
    """Elements that a task needs for a part of the images, and for packed weights."""
    zero = plan["n"].like(0)
    of_images = plan["is_direct"].ne(0).where(zero, plan["region"] + _SLACK)
    return of_images, plan["is_packed"].ne(0).where(zero, plan["chunk"] + _slack(plan))


def _emit_task(ir: Ir, elem: str) -> None:
    """The units with these numbers, in memory that no other task has meanwhile."""
    with ir.function("define internal void @task(ptr %context, i64 %low, i64 %up, i64 %number)"):
        found = _given(ir)
        rooms, taken = found.pop("rooms"), found.pop("taken")
        plan = _Plan(ir, found["plan"])
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
            _call(ir, "@unit", *found.values(), memory, own, number)
        ir.do(f"store atomic i64 0, {flag.typed} release, align 8")
        ir.do("ret void")


def _emit_entry(ir: Ir, elem: str, lanes: int) -> None:
    """``wengert_correlate(plan, x, w, y)``: all of it; 1 if there is no memory for it, else 0."""
    with ir.function(f"define i64 @{NAME}(ptr %plan, ptr %x, ptr %weights, ptr %y)"):
        given = {name: Val(ir, f"%{name}", "ptr", 0) for name in ("plan", "x", "weights", "y")}
        plan = _Plan(ir, given["plan"])
        zero = plan["n"].like(0)
        units = plan["groups"] * plan["blocks"] * plan["bands"] * plan["splits"]
        pool = ir.line("ptr", 0, f"getelementptr i64, ptr @wengert_pool, i64 {_THREADS}")
        threads = ir.line("i64", 0, f"load atomic i64, ptr {pool.text} monotonic, align 8")
        threads = plan["is_shared"].ne(0).where(_lesser(threads, units), zero.like(1))
        splits, chunks, packed = plan["splits"], plan["channel_chunks"] * plan["tap_bands"], plan["is_packed"].ne(0)
        of_parts = (splits > 1).where(splits * plan["whole"], zero) + _SLACK
        of_weights = packed.where(plan["groups"] * chunks * plan["chunk"], zero) + _slack(plan)
        of_task, of_task_weights = _room_of_task(plan)
        of_rooms = threads * (of_task + of_task_weights)
        flags = (threads + 1) * 8
        size = flags + (of_parts + of_weights + of_rooms) * _size(elem)
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
        for i, value in enumerate((*given.values(), prepared, parts, rooms, arena)):
            place = ir.line("ptr", 0, f"getelementptr i64, ptr {context}, i64 {i}")
            ir.do(f"store {value.typed}, ptr {place.text}, align 8")
        with only_if(ir, threads > 1):
            ir.do(f"call void @wengert_share_out(ptr @task, ptr {context}, {units.typed}, i64 1)")
        with only_if(ir, threads < 2):
            ir.do(f"call void @task(ptr {context}, i64 0, {units.typed}, i64 0)")
        _add_parts(ir, (elem, lanes), plan, parts, given["y"])
        ir.do(f"call void @wengert_arena_give({arena.typed})")
        ir.do("ret i64 0")


def _prepare_weights(ir: Ir, elem: str, plan: _Plan, source: Val, to: Val) -> None:
    """Pack all weights, if that is to be done once."""
    zero, chunks = plan["n"].like(0), plan["channel_chunks"] * plan["tap_bands"]
    packed = plan["is_packed"].ne(0)
    with only_if(ir, packed), counting(ir, zero, plan["groups"], 1) as g, counting(ir, zero, chunks, 1) as chunk:
        number = chunk / plan["tap_bands"]
        c0, c1 = _share(number, plan["channel_chunks"], plan["c"])
        t0, t1 = _share(chunk - number * plan["tap_bands"], plan["tap_bands"], plan["ta"])
        there = element(ir, to, elem, (g * chunks + chunk) * plan["chunk"])
        begin = element(ir, source, elem, g * plan["w_g"] + c0 * plan["w_c"])
        _call(ir, "@weights", plan.base, there, begin, c1 - c0, t0, t1 - t0)


def _add_parts(ir: Ir, vector: tuple[str, int], plan: _Plan, parts: Val, y: Val) -> None:
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


__all__ = ["NAME", "WORDS", "correlate_text"]
