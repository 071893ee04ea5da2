"""How far to the right each node of a layer stands.

Knows ordered layers, widths and the lines between neighbouring layers. Knows no heights.

Each sweep fixes one layer after the other: the nodes get the places that are nearest to where their lines come from and
keep their distances. That is a least-squares problem under chain constraints, which isotonic regression solves
exactly by pooling neighbours that stand too close (Ayer, Brunk, Ewing, Reid and Silverman 1955). Lines through
several layers are then straightened within the room that is free.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

_SWEEPS = 10


@dataclass(slots=True)
class Column:
    """One node, or one bend of a line that passes a layer."""

    half: float  # half of its width
    margin: float  # the room it wants on each side
    bend: bool = False
    x: float = 0.0  # its middle
    above: list[tuple[int, float, float]] = field(default_factory=list)  # neighbour, its end minus ours, weight
    below: list[tuple[int, float, float]] = field(default_factory=list)


def place_columns(layers: Sequence[Sequence[int]], columns: Sequence[Column]) -> None:
    """Set the `x` of all columns, the least left edge being 0."""
    for layer in layers:
        _pack(layer, columns)
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        for layer in layers if down else reversed(layers):
            _settle(layer, columns, up=down or sweep >= _SWEEPS - 2, down=not down or sweep >= _SWEEPS - 2)
    _straighten(layers, columns)
    left = min([column.x - column.half for column in columns], default=0.0)
    for column in columns:
        column.x -= left


def _distance(left: Column, right: Column) -> float:
    return left.half + right.half + min(left.margin, right.margin)


def _pack(layer: Sequence[int], columns: Sequence[Column]) -> None:
    x = 0.0
    previous: Column | None = None
    for index in layer:
        column = columns[index]
        x = x + _distance(previous, column) if previous is not None else column.half
        column.x = x
        previous = column
    for index in layer:
        columns[index].x -= x / 2


def _settle(layer: Sequence[int], columns: Sequence[Column], *, up: bool, down: bool) -> None:
    """Move the columns of one layer as near as their distances let them to where their lines come from."""
    blocks: list[list[float]] = []  # weight, weighted sum, number of columns
    shifts = []
    shift = 0.0
    previous: Column | None = None
    for index in layer:
        column = columns[index]
        shift += _distance(previous, column) if previous is not None else 0.0
        shifts.append(shift)
        previous = column
        links = [*(column.above if up else ()), *(column.below if down else ())]
        weight = sum([w for _, _, w in links])
        wanted = sum([w * (columns[n].x + end) for n, end, w in links]) / weight if links else column.x
        weight = weight or 0.05
        block = [weight, weight * (wanted - shift), 1]
        while blocks and blocks[-1][1] / blocks[-1][0] > block[1] / block[0]:
            block = [a + b for a, b in zip(blocks.pop(), block, strict=True)]
        blocks.append(block)
    means = [total / weight for weight, total, number in blocks for _ in range(int(number))]
    for index, mean, shift in zip(layer, means, shifts, strict=True):
        columns[index].x = mean + shift


def _straighten(layers: Sequence[Sequence[int]], columns: Sequence[Column]) -> None:
    """Put the bends of a line above each other as far as the free room between their neighbours allows."""
    beside: dict[int, tuple[int | None, int | None]] = {}
    for layer in layers:
        for place, index in enumerate(layer):
            if columns[index].bend:
                after = layer[place + 1] if place + 1 < len(layer) else None
                beside[index] = (layer[place - 1] if place else None, after)
    done: set[int] = set()
    for layer in layers:
        for index in layer:
            if index not in done and columns[index].bend:
                chain = _chain(index, columns)
                done.update(chain)
                _straighten_chain(chain, columns, beside)


def _chain(start: int, columns: Sequence[Column]) -> list[int]:
    chain = [start]
    while True:
        following = [n for n, _, _ in columns[chain[-1]].below if columns[n].bend]
        if not following:
            return chain
        chain.append(following[0])


def _straighten_chain(
    chain: list[int], columns: Sequence[Column], beside: dict[int, tuple[int | None, int | None]]
) -> None:
    rooms = [_room(index, columns, beside[index]) for index in chain]
    ends = columns[chain[-1]].below
    aims = [columns[chain[0]].x, *[columns[n].x + end for n, end, _ in columns[chain[0]].above]]
    aims += [columns[n].x + end for n, end, _ in ends[:1]]
    position = 0
    while position < len(chain):
        low, high = rooms[position]
        last = position
        while last + 1 < len(chain) and max(low, rooms[last + 1][0]) <= min(high, rooms[last + 1][1]):
            last += 1
            low, high = max(low, rooms[last][0]), min(high, rooms[last][1])
        mean = sum([columns[index].x for index in chain[position : last + 1]]) / (last + 1 - position)
        fitting = [aim for aim in aims if low <= aim <= high] if last + 1 == len(chain) or position == 0 else []
        x = min(fitting, key=lambda aim: abs(aim - mean)) if fitting else min(max(mean, low), high)
        for index in chain[position : last + 1]:
            columns[index].x = x
        position = last + 1


def _room(index: int, columns: Sequence[Column], beside: tuple[int | None, int | None]) -> tuple[float, float]:
    column = columns[index]
    left, right = beside
    low = columns[left].x + _distance(columns[left], column) if left is not None else column.x - 200
    high = columns[right].x - _distance(column, columns[right]) if right is not None else column.x + 200
    return min(low, column.x), max(high, column.x)
