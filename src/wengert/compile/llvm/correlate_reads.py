"""What a correlation reads: the words of its plan, rows of images with zeros around them, packed weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from wengert.compile.llvm.ir import Ir, Val, type_text
from wengert.compile.llvm.tiles import counting, element, first_lanes, load, only_if, store

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
    *("is_direct", "is_packed", "is_merged", "shared_work"),
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
SLACK: Final = 64  # elements that rows, copied by whole vectors, may write beyond the end of a buffer


class Plan:
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
def function(ir: Ir, name: str, pointers: Sequence[str], numbers: Sequence[str]) -> Iterator[dict[str, Val]]:
    """An internal function, and its arguments by name; its first is the plan."""
    kinds = {"plan": "ptr", **dict.fromkeys(pointers, "ptr"), **dict.fromkeys(numbers, "i64")}
    arguments = ", ".join([f"{kind} %{x}" for x, kind in kinds.items()])
    with ir.function(f"define internal void @{name}({arguments})"):
        yield {x: Val(ir, f"%{x}", kind, 0) for x, kind in kinds.items()}
        ir.do("ret void")


def call(ir: Ir, function: str, *operands: Val) -> None:
    """Call a function that gives nothing."""
    ir.do(f"call void {function}({', '.join([x.typed for x in operands])})")


def size_of(elem: str) -> int:
    """Bytes of an element."""
    return 4 if elem == "float" else 8


def packing_slack(plan: Plan) -> Val:
    """Elements beyond the end of packed weights that packing, by whole squares, may write to."""
    return plan["packed"] * plan["channels"] + SLACK


def lesser(a: Val, b: Val) -> Val:
    """The lesser of two numbers."""
    return (a < b).where(a, b)


def share(number: Val, count: Val, whole: Val) -> tuple[Val, Val]:
    """Where one of ``count`` nearly equal parts begins and ends."""
    return number * whole / count, (number + 1) * whole / count


# --- images ----------------------------------------------------------------------------------------------------------


def emit_row(ir: Ir, elem: str, lanes: int) -> None:
    """``row(plan, to, from, length)``: a row of an image, with what is around it; of none if the length is 0."""
    with function(ir, "row", ("to", "source"), ("length",)) as given:
        plan = Plan(ir, given["plan"])
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
                store(ir, _every_second(ir, halves, 0), element(ir, to, elem, j), first_lanes(ir, wide - j, lanes))
                store(ir, _every_second(ir, halves, 1), element(ir, to, elem, wide + j))
            ir.do("ret void")
            ir.start(ir.label())
        with counting(ir, zero, stride, 1) as phase, counting(ir, zero, wide, lanes) as j:
            at = (j.splat(lanes) + lane) * stride.splat(lanes) + (phase - low).splat(lanes)
            mask = (at >= 0) & (at < length.splat(lanes))
            values = _gathered(ir, source, elem, at * apart.splat(lanes), mask)
            store(ir, values, element(ir, to, elem, phase * wide + j))


def _every_second(ir: Ir, pair: Sequence[Val], first: int) -> Val:
    a, b = pair
    order = ", ".join([f"i32 {first + 2 * i}" for i in range(a.lanes)])
    return ir.line(a.elem, a.lanes, f"shufflevector {a.typed}, {b.typed}, <{a.lanes} x i32> <{order}>")


def _gathered(ir: Ir, base: Val, elem: str, index: Val, mask: Val) -> Val:
    """Elements at any distances, zeros where the mask is not set."""
    lanes, size = index.lanes, size_of(elem)
    places = ir.line("ptr", lanes, f"getelementptr {elem}, ptr {base.text}, {index.typed}")
    kind = type_text(elem, lanes)
    name = f"llvm.masked.gather.v{lanes}{'f32' if elem == 'float' else 'f64'}.v{lanes}p0"
    ir.declared[name] = f"declare {kind} @{name}(<{lanes} x ptr>, i32, {mask.type}, {kind})"
    operands = f"{places.typed}, i32 {size}, {mask.typed}, {kind} zeroinitializer"
    return ir.line(elem, lanes, f"call {kind} @{name}({operands})")


def emit_region(ir: Ir, elem: str, lanes: int) -> None:
    """``region(plan, to, x, images, channels, first, rows)``: copy what a chunk reads, from row ``first`` of a on."""
    with function(ir, "region", ("to", "x"), ("images", "channels", "first", "rows")) as given:
        plan = Plan(ir, given["plan"])
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
            call(ir, "@row", given["plan"], to, source, inside.where(length, length.like(0)))


@contextmanager
def _rows(ir: Ir, elem: str, plan: Plan, given: dict[str, Val]) -> Iterator[tuple[Val, Val, Val]]:
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


def emit_weights(ir: Ir, elem: str) -> None:
    """``weights(plan, to, from, channels, first, taps)``: pack what a chunk reads, from tap ``first`` of a on."""
    with function(ir, "weights", ("to", "source"), ("channels", "first", "taps")) as given:
        plan = Plan(ir, given["plan"])
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
                    call(ir, pack, to, step, source, lesser(left, wide), run, across, zero.like(1))


__all__ = [
    "SLACK",
    "WORDS",
    "Plan",
    "call",
    "emit_region",
    "emit_row",
    "emit_weights",
    "function",
    "lesser",
    "packing_slack",
    "share",
    "size_of",
]
