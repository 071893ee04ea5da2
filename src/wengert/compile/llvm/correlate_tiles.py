"""The inner part of a correlation: a tile of the result in registers, for some channels at some places.

The lanes of its vectors are neighbouring places, or, where a row of places is short, channels; such a tile is turned
before it is stored. What it reads of the images lies at the same distances from each of its places: a table has those
of all taps. The weights are packed: for each tap those of the tile's channels, side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from wengert._records import record
from wengert.compile.llvm.ir import Ir, Val, type_text
from wengert.compile.llvm.tiles import counting, element, emit_packing, load, only_if, store, turned

TILE, PACK = "wengert_correlate_tile", "wengert_correlate_pack"
_RUN: Final = 32  # taps that are summed one after the other


@record
class Tile:
    """How many channels, rows of places and places in a row a tile has; its elements, and how many make a vector."""

    elem: str
    lanes: int
    channels: int
    rows: int
    columns: int
    is_turned: bool  # the lanes are channels

    @property
    def bytes(self) -> int:
        """Bytes of an element."""
        return 4 if self.elem == "float" else 8

    @property
    def packed(self) -> int:
        """How many channels are packed together: as many as a square that packing turns has."""
        return self.lanes if self.is_turned else self.channels

    @property
    def vectors(self) -> int:
        """Vectors of the channels, or of the places in a row."""
        return (self.channels if self.is_turned else self.columns) // self.lanes


Sums = dict[tuple[int, ...], Val]


def tile_text(tile: Tile, *, fma: bool) -> str:
    """The module of a tile, and of what packs its weights (:func:`emit_packing`)."""
    ir = Ir(fma=fma)
    emit_packing(ir, tile.elem, tile.packed, PACK, seen="")
    _emit_tile(ir, tile)
    return ir.module()


def _emit_tile(ir: Ir, tile: Tile) -> None:
    """``tile(k, taps, w, x, from, c, to, apart, channels, rows, columns, add)``: the sums over ``k`` taps.

    ``from`` and ``to`` say where the rows lie from ``x`` and ``c``; channels of the result lie ``apart``. Stored are
    the first ``channels`` of them, without the first ``rows`` and ``columns``, which another tile has.
    """
    pointers = ("taps", "w", "x", "from", "c", "to")
    arguments = f"i64 %k, {', '.join([f'ptr %{p}' for p in pointers])}, i64 %apart, i64 %valid, i64 %top, i64 %left"
    with ir.function(f"define void @{TILE}({arguments}, i1 %add)"):
        emit_sums, emit_store = (_turned_sums, _store_turned) if tile.is_turned else (_straight_sums, _store_straight)
        emit_store(ir, tile, emit_sums(ir, tile))
        ir.do("ret void")


def _argument(ir: Ir, name: str, kind: str = "i64") -> Val:
    return Val(ir, f"%{name}", kind, 0)


def _word(ir: Ir, table: str, index: Val | int) -> Val:
    place = element(
        ir, _argument(ir, table, "ptr"), "i64", index if isinstance(index, Val) else ir.const("i64", 0, index)
    )
    return ir.line("i64", 0, f"load i64, ptr {place.text}, align 8")


Step = Callable[[Val, Sequence[Val], Sums], Sums]


def _over_taps(ir: Ir, tile: Tile, keys: Sequence[tuple[int, ...]], step: Step) -> Sums:
    """The sums over all taps, in runs of :data:`_RUN`, so that rounding errors do not add up along the whole.

    ``step`` gets the weights' address, the rows' addresses, and the sums until here.
    """
    k, x = _argument(ir, "k"), _argument(ir, "x", "ptr")
    rows = [element(ir, x, tile.elem, _word(ir, "from", i)) for i in range(tile.rows)]
    end = (k < _RUN).where(k, k.like(_RUN))
    totals = _run_of_taps(ir, tile, keys, step, rows, (k.like(0), end))
    before = ir.block
    with counting(ir, end, k, _RUN) as tap:
        phis = {key: ir.phi(tile.elem, tile.lanes) for key in keys}
        following = tap + _RUN
        sums = _run_of_taps(ir, tile, keys, step, rows, (tap, (following < k).where(following, k)))
        new = {key: total + sums[key] for key, (total, _) in phis.items()}
        last = ir.block
        for key, (_, incoming) in phis.items():
            incoming += [(totals[key], before), (new[key], last)]
    return _joined(ir, (totals, before), (new, last))


def _run_of_taps(
    ir: Ir,
    tile: Tile,
    keys: Sequence[tuple[int, ...]],
    step: Step,
    rows: Sequence[Val],
    taps: tuple[Val, Val],
) -> Sums:
    """The sums over some taps, one after the other."""
    start, before = ir.const(tile.elem, tile.lanes, 0.0), ir.block
    with counting(ir, *taps, 1) as tap:
        phis = {key: ir.phi(tile.elem, tile.lanes) for key in keys}
        away = _word(ir, "taps", tap)
        weights = element(ir, _argument(ir, "w", "ptr"), tile.elem, tap * tile.channels)
        there = [element(ir, row, tile.elem, away) for row in rows]
        ends = step(weights, there, {key: phi for key, (phi, _) in phis.items()})
        last = ir.block
        for key, (_, incoming) in phis.items():
            incoming += [(start, before), (ends[key], last)]
    return _joined(ir, (dict.fromkeys(keys, start), before), (ends, last))


def _joined(ir: Ir, *ways: tuple[Sums, str]) -> Sums:
    """Sums where two ways meet."""
    found: Sums = {}
    for key, value in ways[0][0].items():
        found[key], incoming = ir.phi(value.elem, value.lanes)
        incoming += [(sums[key], block) for sums, block in ways]
    return found


def _at(ir: Ir, base: Val, elem: str, number: int) -> Val:
    return element(ir, base, elem, ir.const("i64", 0, number)) if number else base


# --- lanes are places ------------------------------------------------------------------------------------------------


def _straight_sums(ir: Ir, tile: Tile) -> Sums:
    elem, lanes = tile.elem, tile.lanes
    keys = [(q, i, u) for q in range(tile.channels) for i in range(tile.rows) for u in range(tile.vectors)]

    def step(weights: Val, rows: Sequence[Val], sums: Sums) -> Sums:
        pixels = {
            (i, u): load(ir, _at(ir, row, elem, u * lanes), elem, lanes)
            for i, row in enumerate(rows)
            for u in range(tile.vectors)
        }
        ends: Sums = {}
        for q in range(tile.channels):
            weight = load(ir, _at(ir, weights, elem, q), elem, 0).splat(lanes)
            for (i, u), x in pixels.items():
                ends[q, i, u] = ir.fma(weight, x, sums[q, i, u])
        return ends

    return _over_taps(ir, tile, keys, step)


def _store_straight(ir: Ir, tile: Tile, sums: Sums) -> None:
    elem, lanes = tile.elem, tile.lanes
    valid, top, left, apart = (_argument(ir, x) for x in ("valid", "top", "left", "apart"))
    c, add = _argument(ir, "c", "ptr"), _argument(ir, "add", "i1")
    rows = [element(ir, c, elem, _word(ir, "to", i)) for i in range(tile.rows)]
    with only_if(ir, top.eq(0) & left.eq(0) & (valid >= tile.channels) & ~add):
        for (q, i, u), value in sums.items():
            store(ir, value, _at(ir, element(ir, rows[i], elem, apart * q), elem, u * lanes))
        ir.do("ret void")
        ir.start(ir.label())
    lane = _numbers(ir, lanes)
    masks = [lane >= (left - u * lanes).splat(lanes) for u in range(tile.vectors)]
    for q in range(tile.channels):
        for i in range(tile.rows):
            with only_if(ir, (valid > q) & (top <= i)):
                row = element(ir, rows[i], elem, apart * q)
                for u in range(tile.vectors):
                    _put(ir, sums[q, i, u], _at(ir, row, elem, u * lanes), masks[u], add)


def _put(ir: Ir, value: Val, place: Val, mask: Val, add: Val) -> None:
    """Store, or add to what is there, where the mask is set."""
    old = load(ir, place, value.elem, value.lanes, mask & add.splat(value.lanes))
    store(ir, old + value, place, mask)


# --- lanes are channels ----------------------------------------------------------------------------------------------


def _turned_sums(ir: Ir, tile: Tile) -> Sums:
    elem, lanes = tile.elem, tile.lanes
    keys = [(v, i, j) for v in range(tile.vectors) for i in range(tile.rows) for j in range(tile.columns)]

    def step(weights: Val, rows: Sequence[Val], sums: Sums) -> Sums:
        strips = [load(ir, _at(ir, weights, elem, v * lanes), elem, lanes) for v in range(tile.vectors)]
        ends: Sums = {}
        for i, row in enumerate(rows):
            for j in range(tile.columns):
                x = load(ir, _at(ir, row, elem, j), elem, 0).splat(lanes)
                for v, strip in enumerate(strips):
                    ends[v, i, j] = ir.fma(strip, x, sums[v, i, j])
        return ends

    return _over_taps(ir, tile, keys, step)


def _store_turned(ir: Ir, tile: Tile, sums: Sums) -> None:
    """A row of places of each channel, from columns of squares."""
    elem, lanes, columns = tile.elem, tile.lanes, tile.columns
    valid, top, left, apart = (_argument(ir, x) for x in ("valid", "top", "left", "apart"))
    c, add = _argument(ir, "c", "ptr"), _argument(ir, "add", "i1")
    begins = [element(ir, c, elem, _word(ir, "to", i)) for i in range(tile.rows)]
    nothing = ir.const(elem, lanes, 0.0)
    squares: list[list[list[Val]]] = []  # for each vector of channels, the squares beside each other
    for v in range(tile.vectors):
        flat = [sums[v, i, j] for i in range(tile.rows) for j in range(columns)]
        flat += [nothing] * (-len(flat) % lanes)
        squares.append([turned(ir, flat[s : s + lanes]) for s in range(0, len(flat), lanes)])
    lane = _numbers(ir, lanes)
    # Where all is stored, and rows follow each other, each channel is one row.
    follow = top.eq(0) & left.eq(0)
    for i in range(1, tile.rows):
        follow = follow & _word(ir, "to", i).eq(_word(ir, "to", 0) + i * columns)
    with only_if(ir, follow):
        for o in range(tile.channels):
            with only_if(ir, valid > o):
                row, rest = element(ir, begins[0], elem, apart * o), tile.rows * columns
                for number, square in enumerate(squares[o // lanes]):
                    _put(ir, square[o % lanes], _at(ir, row, elem, number * lanes), lane < lane.like(rest), add)
                    rest -= lanes
        ir.do("ret void")
        ir.start(ir.label())
    pieces = [(j, min(lanes, columns - j)) for j in range(0, columns, lanes)]
    masks = {j: (lane < lane.like(n)) & (lane >= (left - j).splat(lanes)) for j, n in pieces}
    for o in range(tile.channels):
        with only_if(ir, valid > o):
            for i in range(tile.rows):
                with only_if(ir, top <= i):
                    row = element(ir, begins[i], elem, apart * o)
                    for j, n in pieces:
                        value = _taken(ir, [square[o % lanes] for square in squares[o // lanes]], i * columns + j, n)
                        _put(ir, value, _at(ir, row, elem, j), masks[j], add)


def _numbers(ir: Ir, lanes: int) -> Val:
    """A vector of 0, 1 ..."""
    return Val(ir, f"<{', '.join([f'i64 {i}' for i in range(lanes)])}>", "i64", lanes)


def _taken(ir: Ir, vectors: Sequence[Val], first: int, count: int) -> Val:
    """Neighbours that begin anywhere in vectors side by side."""
    one = vectors[0]
    a, b = vectors[first // one.lanes], vectors[(first + count - 1) // one.lanes]
    begin = first % one.lanes
    if not begin:
        return a
    order = ", ".join([f"i32 {begin + n if n < count else 0}" for n in range(one.lanes)])
    kind = type_text(one.elem, one.lanes)
    return ir.line(
        one.elem, one.lanes, f"shufflevector {kind} {a.text}, {kind} {b.text}, <{one.lanes} x i32> <{order}>"
    )


__all__ = ["PACK", "TILE", "Tile", "tile_text"]
