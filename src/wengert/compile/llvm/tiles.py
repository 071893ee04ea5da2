"""The inner parts of a matrix product: a tile of the result kept in registers, and operands packed for it.

A tile has a few rows and up to three vectors of columns. What it reads is packed before: for each of the inner places
the left operand's elements of the tile's rows, side by side, and the right operand's vectors, unless those are
neighbours in memory anyway.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from wengert._records import record
from wengert.compile.llvm.ir import Ir, Val, type_text

VECTORS = 3  # columns of a full tile, in vectors


@record
class Shape:
    """What tiles are made of: the type of their elements, elements in a vector, rows of a full tile."""

    elem: str
    lanes: int
    rows: int

    @property
    def bytes(self) -> int:
        """Bytes of an element."""
        return 4 if self.elem == "float" else 8

    @property
    def columns(self) -> int:
        """Columns of a full tile."""
        return VECTORS * self.lanes


@contextmanager
def counting(ir: Ir, start: Val, end: Val, step: Val | int) -> Iterator[Val]:
    """A loop: what is written inside is done for ``start``, ``start + step`` ... before ``end``."""
    before, top, done = ir.block, ir.label(), ir.label()
    ir.branch(start < end, top, done)
    ir.start(top)
    i, incoming = ir.phi("i64", 0)
    incoming.append((start, before))
    yield i
    following = i + step
    incoming.append((following, ir.block))
    ir.branch(following < end, top, done)
    ir.start(done)


@contextmanager
def only_if(ir: Ir, condition: Val) -> Iterator[None]:
    """What is written inside is done only if the condition holds."""
    then, done = ir.label(), ir.label()
    ir.branch(condition, then, done)
    ir.start(then)
    yield
    ir.jump(done)
    ir.start(done)


def element(ir: Ir, base: Val, elem: str, index: Val) -> Val:
    """The address of an element."""
    return ir.line("ptr", 0, f"getelementptr {elem}, ptr {base.text}, i64 {index.text}")


def load(ir: Ir, base: Val, elem: str, lanes: int, mask: Val | None = None) -> Val:
    """Neighbours in memory, zeros where the mask is not set."""
    kind = type_text(elem, lanes)
    size = 4 if elem == "float" else 8
    if mask is None:
        return ir.line(elem, lanes, f"load {kind}, ptr {base.text}, align {size}")
    name = f"llvm.masked.load.v{lanes}{'f32' if elem == 'float' else 'f64'}.p0"
    ir.declared[name] = f"declare {kind} @{name}(ptr, i32, {mask.type}, {kind})"
    return ir.line(elem, lanes, f"call {kind} @{name}({base.typed}, i32 {size}, {mask.typed}, {kind} zeroinitializer)")


def store(ir: Ir, value: Val, base: Val, mask: Val | None = None) -> None:
    """Neighbours to memory, where the mask is set."""
    size = 4 if value.elem == "float" else 8
    if mask is None:
        ir.do(f"store {value.typed}, ptr {base.text}, align {size}")
        return
    name = f"llvm.masked.store.v{value.lanes}{'f32' if value.elem == 'float' else 'f64'}.p0"
    ir.declared[name] = f"declare void @{name}({value.type}, ptr, i32, {mask.type})"
    ir.do(f"call void @{name}({value.typed}, {base.typed}, i32 {size}, {mask.typed})")


def first_lanes(ir: Ir, count: Val, lanes: int) -> Val:
    """A mask of the first lanes."""
    numbers = ", ".join([f"i64 {i}" for i in range(lanes)])
    return Val(ir, f"<{numbers}>", "i64", lanes) < count.splat(lanes)


# --- packing ---------------------------------------------------------------------------------------------------------


def emit_packing(ir: Ir, elem: str, wide: int, name: str, *, seen: str = "internal ") -> None:
    """``name(to, step, from, valid, k, across, along)``: a strip of ``wide`` elements for each of ``k`` places.

    The strip's elements lie ``across`` apart in memory, its places ``along``; ``step`` apart they are put. Beyond the
    ``valid`` ones of a strip comes anything: what a tile computes from that is not stored.
    """
    arguments = "ptr %to, i64 %step, ptr %from, i64 %valid, i64 %k, i64 %across, i64 %along"
    with ir.function(f"define {seen}void @{name}({arguments})"):
        to, source = Val(ir, "%to", "ptr", 0), Val(ir, "%from", "ptr", 0)
        step, valid, k, across, along = (Val(ir, f"%{x}", "i64", 0) for x in ("step", "valid", "k", "across", "along"))
        zero = k.like(0)
        with only_if(ir, across.eq(1)):
            mask = first_lanes(ir, valid, wide)
            with counting(ir, zero, k, 1) as p:
                strip = load(ir, element(ir, source, elem, p * along), elem, wide, mask)
                store(ir, strip, element(ir, to, elem, p * step))
            ir.do("ret void")
            ir.start(ir.label())
        with only_if(ir, along.eq(1)):
            with counting(ir, zero, k, wide) as p:
                mask = first_lanes(ir, k - p, wide)
                rows = []
                for j in range(wide):
                    row = (valid > j).where(zero.like(j), valid - 1)
                    rows.append(load(ir, element(ir, source, elem, row * across + p), elem, wide, mask))
                for further, strip in enumerate(turned(ir, rows)):
                    store(ir, strip, element(ir, to, elem, (p + further) * step))
            ir.do("ret void")
            ir.start(ir.label())
        with counting(ir, zero, k, 1) as p, counting(ir, zero, valid, 1) as place:
            one = load(ir, element(ir, source, elem, p * along + place * across), elem, 0)
            store(ir, one, element(ir, to, elem, p * step + place))
        ir.do("ret void")


def turned(ir: Ir, rows: list[Val]) -> list[Val]:
    """Columns of a square block from its rows: each round interleaves its two halves."""
    n = len(rows)
    kind = rows[0].type
    for _ in range(n.bit_length() - 1):
        found = []
        for i in range(n // 2):
            a, b = rows[i], rows[i + n // 2]
            for first in (0, n // 2):
                order = ", ".join([f"i32 {first + j // 2 + n * (j % 2)}" for j in range(n)])
                text = f"shufflevector {kind} {a.text}, {kind} {b.text}, <{n} x i32> <{order}>"
                found.append(ir.line(a.elem, n, text))
        rows = found
    return rows


# --- a tile ----------------------------------------------------------------------------------------------------------


def emit_tile(ir: Ir, shape: Shape, rows: int, vectors: int, name: str) -> None:
    """``name(k, a, b, c, apart, high, wide, add, scale, step)``: a tile of ``c = a @ b`` or ``c += scale * (a @ b)``.

    So many of its rows and columns are real. Where nothing is added, the scale is 1. The rows of ``b`` lie ``step``
    apart.
    """
    arguments = "i64 %k, ptr %a, ptr %b, ptr %c, i64 %apart, i64 %high, i64 %wide, i1 %add"
    arguments += f", {shape.elem} %scale, i64 %step"
    with ir.function(f"define internal void @{name}({arguments})"):
        k, high, wide, apart = (Val(ir, f"%{x}", "i64", 0) for x in ("k", "high", "wide", "apart"))
        sums = _sums(ir, shape, rows, vectors, k)
        c, add = Val(ir, "%c", "ptr", 0), Val(ir, "%add", "i1", 0)
        scale = Val(ir, "%scale", shape.elem, 0).splat(shape.lanes)
        whole = (high >= rows) & (wide >= vectors * shape.lanes)
        with only_if(ir, whole):
            for adds in (True, False):
                with only_if(ir, add if adds else ~add):
                    for r in range(rows):
                        row = [x * scale for x in sums[r]] if adds else sums[r]
                        _put(ir, shape, row, element(ir, c, shape.elem, apart * r), adds, None)
                    ir.do("ret void")
                    ir.start(ir.label())
        mask = first_lanes(ir, wide - (vectors - 1) * shape.lanes, shape.lanes)
        for r in range(rows):
            with only_if(ir, high > r):
                row = [x * scale for x in sums[r]]
                _put(ir, shape, row, element(ir, c, shape.elem, apart * r), add, mask)
        ir.do("ret void")


def _sums(ir: Ir, shape: Shape, rows: int, vectors: int, k: Val) -> list[list[Val]]:
    """The tile's sums over all inner places."""
    elem, lanes = shape.elem, shape.lanes
    a, b = Val(ir, "%a", "ptr", 0), Val(ir, "%b", "ptr", 0)
    start = ir.const(elem, lanes, 0.0)
    before = ir.block
    with counting(ir, k.like(0), k, 1) as p:
        top = ir.block
        phis = [[ir.phi(elem, lanes) for _ in range(vectors)] for _ in range(rows)]
        left, right = element(ir, a, elem, p * shape.rows), element(ir, b, elem, p * Val(ir, "%step", "i64", 0))
        strip = [load(ir, element(ir, right, elem, p.like(v * lanes)), elem, lanes) for v in range(vectors)]
        ends = []
        for r in range(rows):
            one = load(ir, element(ir, left, elem, p.like(r)), elem, 0).splat(lanes)
            ends.append([ir.fma(one, x, phi) for x, (phi, _) in zip(strip, phis[r], strict=True)])
        for row, new in zip(phis, ends, strict=True):
            for (_, incoming), end in zip(row, new, strict=True):
                incoming += [(start, before), (end, ir.block)]
    found: list[list[Val]] = []
    for new in ends:
        found.append([])
        for end in new:
            value, incoming = ir.phi(elem, lanes)
            incoming += [(start, before), (end, top)]
            found[-1].append(value)
    return found


def _put(ir: Ir, shape: Shape, sums: list[Val], row: Val, adds: Val | bool, mask: Val | None) -> None:
    """Store one row of a tile; the mask is of its last vector."""
    for v, value in enumerate(sums):
        place = element(ir, row, shape.elem, ir.const("i64", 0, v * shape.lanes))
        only = mask if v == len(sums) - 1 else None
        old = only
        if isinstance(adds, Val):  # where nothing is added there are zeros to add
            old = adds.splat(shape.lanes) if only is None else adds.splat(shape.lanes) & only
        store(ir, load(ir, place, shape.elem, shape.lanes, old) + value if adds else value, place, only)


__all__ = [
    "VECTORS",
    "Shape",
    "counting",
    "element",
    "emit_packing",
    "emit_tile",
    "first_lanes",
    "load",
    "only_if",
    "store",
    "turned",
]
