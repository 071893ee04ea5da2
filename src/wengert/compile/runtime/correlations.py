"""Correlations in this process: the plan of each, and the machine code for tiles of the shape that suits it."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from functools import cache
from itertools import product
from math import ceil, prod
from typing import Final, NamedTuple

import numpy as np
from numpy import ndarray

from wengert.compile.llvm import machine
from wengert.compile.llvm.correlate import NAME, correlate_text
from wengert.compile.llvm.correlate_reads import SLACK, WORDS
from wengert.compile.llvm.correlate_tiles import PACK, TILE, Tile, tile_text
from wengert.compile.runtime.linking import host_target
from wengert.compile.runtime.objects import compiled_object
from wengert.compile.runtime.support import support
from wengert.ops.correlation import Correlation

Call = Callable[[int, int, int], int]

_CALL: Final = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)
_REGION: Final = 1 << 18  # bytes of the images that are copied at a time
_BEYOND: Final = 4  # times as much, where a few rows of all channels need it
_BAND: Final = 8  # rows of places that a band should have
_LONGEST: Final = 1 << 16  # elements in a row of an image, or taps in a chunk: beyond, nothing stays in the cache
_TAPS: Final = 768  # in a chunk: packed weights of a tile's channels should stay near
_UNIT: Final = 1 << 19  # multiplications that a unit should have at least
_SHARED: Final = 1 << 22  # ... from which threads share the units
_UNITS: Final = 32  # at most by cutting into blocks and bands
_SPLITS: Final = 16
_PARTS: Final = 1 << 21  # elements of the sums of all splits
_ROWS: Final = 24  # of places that a unit should have at least: tiles of some rows fit in


class _Cut(NamedTuple):
    """Into how many parts each of these is cut."""

    blocks: int  # of images
    bands: int  # of places along a
    channel_chunks: int
    tap_bands: int
    splits: int


# --- tiles -----------------------------------------------------------------------------------------------------------


def _tiles(what: Correlation, rows: int) -> Iterator[Tile]:
    """The tiles that fit this machine's registers and a result of so many rows of places."""
    target, columns = host_target(), what.places[2]
    elem, size = ("float", 4) if what.dtype == "f4" else ("double", 8)
    lanes, most = target.register // size, target.registers - 4
    for vectors, channels, high in product((3, 2, 1), (8, 4, 2, 1), (4, 2, 1)):
        if vectors * channels * high <= most and vectors * lanes <= columns and high <= rows:
            yield Tile(elem, lanes, channels, high, vectors * lanes, False)
    for vectors, wide in product((2, 1), (16, 14, 12, 10, 8, 7, 6, 5, 4, 3, 2, 1)):
        high = min(rows, most // (vectors * wide), max(1, 16 // wide))
        if wide <= columns and high:
            of_image = what.places[0] * what.places[1]
            for some in (high, max([h for h in range(1, high + 1) if of_image % h == 0])):
                yield Tile(elem, lanes, vectors * lanes, some, wide, True)


def _cost(tile: Tile, what: Correlation, rows: int, taps: int) -> float:
    """Cycles, roughly, of all tiles for one group: two sums or two loads in a cycle, a sum known after four."""
    count = ceil(what.outputs / tile.channels) * ceil(rows / tile.rows) * ceil(what.places[2] / tile.columns)
    if tile.is_turned:
        sums, loads = tile.vectors * tile.rows * tile.columns, tile.vectors + tile.rows * tile.columns
        is_one_row = tile.columns == what.places[2] and what.places[0] * what.places[1] % tile.rows == 0
        stores = tile.channels * (4 if is_one_row or tile.rows == 1 else 4 + 3 * tile.rows)
    else:
        sums = tile.channels * tile.rows * tile.vectors
        loads = 2 * tile.rows * tile.vectors + tile.channels
        stores = 2 * sums
    return count * (taps * max(sums / 2, loads / 2, 4) + stores + 20)


def _best_tile(what: Correlation, rows: int, taps: int) -> Tile:
    return min(_tiles(what, rows), key=lambda tile: _cost(tile, what, rows, taps))


@cache
def _linked_tile(tile: Tile) -> machine.Linked:
    return machine.link(compiled_object(tile_text(tile, fma=host_target().fma)), (TILE, PACK), {})


@cache
def _linked(dtype: str) -> machine.Linked:
    text = correlate_text(dtype, register=host_target().register)
    return machine.link(compiled_object(text), (NAME,), support().addresses)


# --- plans -----------------------------------------------------------------------------------------------------------


def _extent(places: int, stride: int, taps: int, step: int) -> int:
    return (places - 1) * stride + (taps - 1) * step + 1


def _is_direct(what: Correlation) -> bool:
    """Whether no tap lies outside the images, and neighbouring places lie side by side."""
    if what.stride[2] != 1 or what.x[5] != 1:
        return False
    for n, low, *rest in zip(what.space, what.low, what.places, what.stride, what.taps, what.step, strict=True):
        if low > 0 or _extent(*rest) - low > n:
            return False
    return True


def _cut(what: Correlation) -> _Cut:
    """How to cut the work: into units worth a thread, whose parts of the images fit the cache."""
    (pa, pb, pw), (ta, tb, tw) = what.places, what.taps
    size = 4 if what.dtype == "f4" else 8
    row = size * _extent(pb, what.stride[1], tb, what.step[1]) * _extent(pw, what.stride[2], tw, what.step[2])
    room = max(1, _REGION // row)  # rows of a
    # The sum: chunks of some channels, or of some taps along a of one channel.
    few = _extent(min(pa, _BAND), what.stride[0], ta, what.step[0])
    channels = max(1, min(what.channels, _TAPS // (ta * tb * tw), _BEYOND * room // few))
    can_band = channels == 1 and not what.is_flipped
    tap_bands = max(1, min(ta, ta * tb * tw // _TAPS)) if can_band else 1
    channel_chunks = ceil(what.channels / channels)
    # The result: a band of places, or some images.
    rows_of_taps = ceil(ta / tap_bands)
    band = (room // channels - (rows_of_taps - 1) * what.step[0] - 1) // what.stride[0] + 1
    bands = ceil(pa / max(1, min(pa, band)))
    rows = channels * _extent(ceil(pa / bands), what.stride[0], rows_of_taps, what.step[0])
    images = max(1, room // rows) if bands == 1 else 1
    # For threads: the sum in parts where it is longer than the result is large, else more blocks or bands.
    units = what.work // (what.groups * _UNIT)
    splits = 1
    if what.images * prod(what.places) < what.channels * prod(what.taps):
        whole = what.groups * what.images * what.outputs * prod(what.places)
        splits = max(1, min(_SPLITS, channel_chunks * tap_bands, units, _PARTS // whole))
    units = 1 if splits > 1 else max(1, min(_UNITS, units, what.images * pa * pb // _ROWS))
    blocks = min(what.images, max(ceil(what.images / images), units))
    if blocks == what.images:
        bands = max(bands, min(pa, units // blocks))
    return _Cut(blocks, bands, channel_chunks, tap_bands, splits)


def _plan(what: Correlation) -> tuple[Tile, ndarray[tuple[int], np.dtype[np.int64]]]:
    """The tile for a correlation, and the words of its plan with the tables behind them."""
    cut = _cut(what)
    (pa, pb, pw), (ta, tb, tw) = what.places, what.taps
    images, channels = ceil(what.images / cut.blocks), ceil(what.channels / cut.channel_chunks)
    band, taps_of_a = ceil(pa / cut.bands), ceil(ta / cut.tap_bands)
    least = (what.images // cut.blocks) * (pa // cut.bands) * pb
    count = channels * taps_of_a * tb * tw
    tile = _best_tile(what, least, count)
    direct = _is_direct(what)
    of_b = _extent(pb, what.stride[1], tb, what.step[1])
    wide = ceil(_extent(pw, what.stride[2], tw, what.step[2]) / what.stride[2])
    r_b = wide * what.stride[2]
    r_a = r_b * of_b
    r_c = r_a * _extent(band, what.stride[0], taps_of_a, what.step[0])
    r_n = r_c * channels
    distances = (what.x[1], what.x[2], what.x[3], what.x[4]) if direct else (r_n, r_c, r_a, r_b)
    along_w = np.arange(tw) * what.step[2]
    along_w = along_w if direct else along_w % what.stride[2] * wide + along_w // what.stride[2]
    a, b = np.arange(taps_of_a) * what.step[0], np.arange(tb) * what.step[1]
    if what.is_flipped:
        a, b, along_w = a[::-1], b[::-1], along_w[::-1]
    taps = _sums(np.arange(channels) * distances[1], a * distances[2], b * distances[3], along_w)
    begins = _sums(
        np.arange(images) * distances[0],
        np.arange(band) * what.stride[0] * distances[2],
        np.arange(pb) * what.stride[1] * distances[3],
    )
    ends = _sums(np.arange(images) * what.y[1], np.arange(band) * (pb * pw), np.arange(pb) * pw)
    packs = cut.splits == 1 and cut.blocks * cut.bands > 1
    words = {
        **dict(zip(("groups", "n", "c", "o"), what[1:5], strict=True)),
        **dict(zip(("a", "b", "w"), what.space, strict=True)),
        **dict(zip(("a_low", "b_low", "w_low"), what.low, strict=True)),
        **dict(zip(("a_stride", "b_stride", "w_stride"), what.stride, strict=True)),
        "a_step": what.step[0],
        **dict(zip(("pa", "pb", "pw", "ta", "tr"), (pa, pb, pw, ta, tb * tw), strict=True)),
        **dict(zip(("x_g", "x_n", "x_c", "x_a", "x_b", "x_w"), what.x, strict=True)),
        **dict(zip(("w_g", "w_o", "w_c"), what.w, strict=True)),
        **dict(zip(("y_g", "y_n", "y_o"), what.y, strict=True)),
        **cut._asdict(),
        "is_direct": direct,
        "is_packed": packs,
        "is_merged": cut.tap_bands == 1 and what.w[2] == prod(what.taps),
        "shared_work": what.work if what.work >= _SHARED else 0,
        **dict(zip(("r_n", "r_c", "r_a", "r_b", "r_w"), (r_n, r_c, r_a, r_b, wide), strict=True)),
        "region": ceil(images * r_n / SLACK) * SLACK,
        "chunk": count * ceil(what.outputs / tile.channels) * tile.channels,
        "whole": what.groups * what.images * what.outputs * prod(what.places),
        "tile": _linked_tile(tile).address(TILE),
        "pack": _linked_tile(tile).address(PACK),
        "channels": tile.channels,
        "rows": tile.rows,
        "columns": tile.columns,
        "packed": tile.packed,
        "taps": len(WORDS),
        "from": len(WORDS) + taps.size,
        "to": len(WORDS) + taps.size + begins.size,
    }
    head = np.array([words[name] for name in WORDS], np.int64)
    return tile, np.concatenate([head, taps, begins, ends])


def _sums(*distances: ndarray[tuple[int], np.dtype[np.int64]]) -> ndarray[tuple[int], np.dtype[np.int64]]:
    """All sums of one of each, the last varying first."""
    total = np.zeros(1, np.int64)
    for each in distances:
        total = (total[:, None] + each).reshape(-1)
    return total


def correlation(what: Correlation) -> Call | None:
    """What computes it, of the addresses of the images, the weights and the result: 0, or 1 if there is no memory.

    No size may be 0. None for long rows: they would have to be cut, too.
    """
    if max(prod(what.taps[1:]), _extent(what.places[2], what.stride[2], what.taps[2], what.step[2])) > _LONGEST:
        return None
    _, plan = _plan(what)
    linked = _linked(what.dtype)
    support().use_threads()
    entry = _CALL(linked.address(NAME))
    begin = plan.ctypes.data

    def call(x: int, w: int, y: int) -> int:
        status: int = entry(begin, x, w, y)
        return status

    call.keeps = linked, plan  # type: ignore[attr-defined]
    return call


__all__ = ["correlation"]
