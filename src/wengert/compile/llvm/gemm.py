"""Matrix products as machine code of our own: ``c = a @ b`` or ``c += scale * (a @ b)``, with any strides of both.

The result is cut into blocks, which threads share. Of each, some hundred places of the inner axis at a time: the left
operand's part is packed once. The right one's is read where it lies if its columns are neighbours: the second cache
gives a tile what it reads in a quarter of the time of its arithmetic. Otherwise, and at its edge, it is packed for each
strip of columns. Each element's sum is the same, however the blocks are cut.
"""

from __future__ import annotations

from typing import Final

from wengert.compile.llvm.interface import PRODUCTS
from wengert.compile.llvm.ir import Ir, Val
from wengert.compile.llvm.tiles import VECTORS, Shape, counting, element, emit_packing, emit_tile, only_if

_ROWS: Final = 128  # of a block
_PLACES: Final = {"f4": 192, "f8": 96}  # of the inner axis that are packed at a time
_SHARE: Final = 1 << 19  # multiplications of float32 that are worth a thread
# What a task is given, in this order.
_WORDS: Final = ("m", "n", "k", "a", "ar", "ac", "b", "br", "bc", "c", "cr", "add", "scale", "high", "wide", "across")


def gemm_text(dtype: str, *, register: int, registers: int, fma: bool) -> str:
    """The module for one dtype, on a machine with so many vector registers of so many bytes."""
    elem = "float" if dtype == "f4" else "double"
    lanes = register // (4 if dtype == "f4" else 8)
    shape = Shape(elem, lanes, 8 if registers >= 32 else 4)
    ir = Ir(fma=fma)
    for wide in {shape.rows, lanes}:
        emit_packing(ir, elem, wide, f"pack.{wide}")
    for rows in (shape.rows, shape.rows // 2):
        for vectors in range(1, VECTORS + 1):
            emit_tile(ir, shape, rows, vectors, f"tile.{rows}.{vectors}")
    _emit_block(ir, shape, _PLACES[dtype])
    _emit_task(ir, shape)
    _emit_entry(ir, shape, PRODUCTS[dtype])
    ir.declared["wengert_threads_for"] = "declare i64 @wengert_threads_for(i64)"
    ir.declared["wengert_share_among"] = "declare void @wengert_share_among(i64, ptr, ptr, i64, i64, i64)"
    return ir.module()


def _lesser(a: Val, b: Val) -> Val:
    return (a < b).where(a, b)


def _rounded_up(a: Val, step: Val | int) -> Val:
    step = a.like(step) if isinstance(step, int) else step
    return (a + step - 1) / step * step


def _kinds(elem: str) -> dict[str, str]:
    """The type of each word."""
    return {x: "ptr" if x in ("a", "b", "c") else elem if x == "scale" else "i64" for x in _WORDS}


def _context(ir: Ir, elem: str) -> dict[str, Val]:
    """What a task was given."""
    found = {}
    for number, (name, kind) in enumerate(_kinds(elem).items()):
        place = ir.line("ptr", 0, f"getelementptr i64, ptr %context, i64 {number}")
        found[name] = ir.line(kind, 0, f"load {kind}, ptr {place.text}, align 8")
    return found


def _emit_block(ir: Ir, shape: Shape, places: int) -> None:
    """``block(context, top, bottom, first, last)``: these rows and columns of the result."""
    elem = shape.elem
    with ir.function("define internal void @block(ptr %context, i64 %top, i64 %bottom, i64 %first, i64 %last)"):
        w = _context(ir, elem)
        top, bottom, first, last = (Val(ir, f"%{x}", "i64", 0) for x in ("top", "bottom", "first", "last"))
        slack = max(shape.rows, shape.lanes)  # packing goes by whole squares
        left = Val(ir, ir.allocate(elem, (places + slack) * _ROWS), "ptr", 0)
        right = Val(ir, ir.allocate(elem, (places + slack) * shape.columns), "ptr", 0)
        with counting(ir, top.like(0), w["k"], places) as p:
            some = _lesser(w["k"] - p, top.like(places))
            depth = _rounded_up(some, slack)
            with counting(ir, top, bottom, shape.rows) as i:
                source = element(ir, w["a"], elem, i * w["ar"] + p * w["ac"])
                to = element(ir, left, elem, (i - top) * depth)
                valid = _lesser(bottom - i, top.like(shape.rows))
                _call_packing(ir, shape.rows, to, top.like(shape.rows), source, valid, some, w["ar"], w["ac"])
            adds = (p > 0) | w["add"].ne(0)
            with counting(ir, first, last, shape.columns) as j:
                wide = _lesser(last - j, top.like(shape.columns))
                for vectors in range(1, VECTORS + 1):
                    fits = wide > (vectors - 1) * shape.lanes
                    with only_if(ir, fits & (wide <= vectors * shape.lanes)):
                        _strip(ir, shape, vectors, w, (left, right, depth), (p, some, j, wide, adds), (top, bottom))
        ir.do("ret void")


def _call_packing(ir: Ir, wide: int, to: Val, step: Val, source: Val, *rest: Val) -> None:
    ir.do(f"call void @pack.{wide}({', '.join([x.typed for x in (to, step, source, *rest)])})")


def _strip(
    ir: Ir,
    shape: Shape,
    vectors: int,
    w: dict[str, Val],
    packed: tuple[Val, Val, Val],
    where: tuple[Val, Val, Val, Val, Val],
    rows: tuple[Val, Val],
) -> None:
    """Pack a strip of the right operand's columns if it needs that, and compute the tiles below each other."""
    elem, lanes = shape.elem, shape.lanes
    left, right, depth = packed
    p, some, j, wide, adds = where
    top, bottom = rows
    packs = w["bc"].ne(1) | (wide < vectors * lanes)
    with only_if(ir, packs):
        for v in range(vectors):
            source = element(ir, w["b"], elem, p * w["br"] + (j + v * lanes) * w["bc"])
            to = element(ir, right, elem, p.like(v * lanes))
            _call_packing(ir, lanes, to, p.like(vectors * lanes), source, wide - v * lanes, some, w["bc"], w["br"])
    there = element(ir, w["b"], elem, p * w["br"] + j * w["bc"])
    right = ir.line("ptr", 0, f"select i1 {packs.text}, ptr {right.text}, ptr {there.text}")
    step = packs.where(p.like(vectors * lanes), w["br"])
    with counting(ir, top, bottom, shape.rows) as i:
        high = bottom - i
        c = element(ir, w["c"], elem, i * w["cr"] + j)
        a = element(ir, left, elem, (i - top) * depth)
        operands = ", ".join([x.typed for x in (some, a, right, c, w["cr"], high, wide, adds, w["scale"], step)])
        half = shape.rows // 2
        for count, condition in ((shape.rows, high > half), (half, high <= half)):
            with only_if(ir, condition):
                ir.do(f"call void @tile.{count}.{vectors}({operands})")


def _emit_task(ir: Ir, shape: Shape) -> None:
    """The blocks with these numbers."""
    with ir.function("define internal void @task(ptr %context, i64 %low, i64 %up, i64 %number)"):
        w = _context(ir, shape.elem)
        with counting(ir, Val(ir, "%low", "i64", 0), Val(ir, "%up", "i64", 0), 1) as number:
            row = number / w["across"]
            top, first = row * w["high"], (number - row * w["across"]) * w["wide"]
            bottom, last = _lesser(top + w["high"], w["m"]), _lesser(first + w["wide"], w["n"])
            ir.do(f"call void @block(ptr %context, {top.typed}, {bottom.typed}, {first.typed}, {last.typed})")
        ir.do("ret void")


def _emit_entry(ir: Ir, shape: Shape, name: str) -> None:
    """The whole product: how it is cut."""
    kinds = dict(list(_kinds(shape.elem).items())[:13])
    with ir.function(f"define void @{name}({', '.join([f'{kind} %{x}' for x, kind in kinds.items()])})"):
        w = {x: Val(ir, f"%{x}", kind, 0) for x, kind in kinds.items()}
        m, n, k = w["m"], w["n"], w["k"]
        with only_if(ir, (m < 1) | (n < 1)):
            ir.do("ret void")
            ir.start(ir.label())
        with only_if(ir, (k < 1) & w["add"].eq(0)):
            with counting(ir, m.like(0), m, 1) as i, counting(ir, n.like(0), n, 1) as j:
                place = element(ir, w["c"], shape.elem, i * w["cr"] + j)
                ir.do(f"store {shape.elem} {ir.const(shape.elem, 0, 0.0).text}, ptr {place.text}")
            ir.do("ret void")
            ir.start(ir.label())
        work = m * n * k * shape.bytes / 4
        wanted = ir.line("i64", 0, f"call i64 @wengert_threads_for({work.typed})")
        threads = _lesser(wanted, work / _SHARE + 1)
        high, wide = _cut(shape, m, n, threads)
        down, across = (m + high - 1) / high, (n + wide - 1) / wide
        w |= {"high": high, "wide": wide, "across": across}
        context = ir.allocate("i64", len(_WORDS))
        for number, x in enumerate(_WORDS):
            place = ir.line("ptr", 0, f"getelementptr i64, ptr {context}, i64 {number}")
            ir.do(f"store {w[x].typed}, ptr {place.text}, align 8")
        count = down * across
        several = (threads > 1) & (count > 1)
        with only_if(ir, several):
            job = f"ptr @task, ptr {context}, {count.typed}, i64 1, {work.typed}"
            ir.do(f"call void @wengert_share_among({threads.typed}, {job})")
        with only_if(ir, ~several):
            ir.do(f"call void @task(ptr {context}, i64 0, {count.typed}, i64 0)")
        ir.do("ret void")


def _cut(shape: Shape, m: Val, n: Val, threads: Val) -> tuple[Val, Val]:
    """Rows and columns of a block: as many blocks as threads, or a multiple of that, of nearly the same size.

    Where the right operand is much larger than the left one, it is cut by columns: each thread packs the left operand,
    and reads its own part of the right one, the same each time, which stays in its cache. Otherwise by rows, as nothing
    is packed twice then. A part of the columns is whole vectors, not whole tiles.
    """
    blocks = (m + (_ROWS - 1)) / m.like(_ROWS)
    much_larger = (blocks < 2) & (n >= m * 2) & (n >= threads * shape.columns)
    by_columns = much_larger | (m < threads * shape.rows)
    down = by_columns.where(blocks, _rounded_up(blocks, threads))
    high = _rounded_up((m + down - 1) / down, shape.rows)
    across = by_columns.where(threads, m.like(1))
    wide = _rounded_up((n + across - 1) / across, shape.lanes)
    one = threads < 2
    return one.where(_lesser(_rounded_up(m, shape.rows), m.like(_ROWS)), high), one.where(n, wide)


__all__ = ["gemm_text"]
