"""Layered drawings with boxes in boxes.

Knows cells that may hold cells, and edges between any two of them. Knows nothing of what they stand for.

A box is laid out by itself and is then one rectangle of the level around it. A value that enters a box does so at one
place of its upper side, whatever the number of its uses inside; one that leaves it, at one place of its lower side.
So boxes never overlap, and no line crosses a box that it has no business in.
"""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field

from wengert.see.layered.level import LINE_MARGIN, Net, Point, Rectangle, arrange

_UNDER_TITLE = 30.0


@dataclass(slots=True, eq=False)
class Cell:
    """A rectangle, or a box around others; the layout sets the place of its upper left corner."""

    key: Hashable
    width: float = 0.0  # of a box: the least width
    height: float = 0.0
    inlet: float = 0.0  # how wide the part of its upper side is at which lines may arrive
    children: list[Cell] = field(default_factory=list)
    inset: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)  # of a box: room above, right, below, left
    least_length: float = 0.0  # of a box: the least height
    title: float = 0.0  # of a box: how much of its upper side, from the left, no line may enter through
    x: float = 0.0
    y: float = 0.0

    def walk(self) -> Iterator[Cell]:
        """The cell and all that it holds."""
        pending = [self]
        while pending:
            cell = pending.pop()
            yield cell
            pending += reversed(cell.children)


@dataclass(slots=True)
class _Signal:
    """A value inside one box: where it comes from there and where it goes."""

    source: Hashable  # a child's key, or None where it enters from outside
    # child or None for leaving; the edge that ends
    targets: dict[tuple[Hashable, int | None], None] = field(default_factory=dict)
    lines: dict[tuple[Hashable, int | None], list[Point]] = field(default_factory=dict)


class Nested:
    """Lays out a root cell and the edges between cells inside it."""

    def __init__(self, root: Cell, edges: Sequence[tuple[Hashable, Hashable]]) -> None:
        self.root = root
        self.edges = edges
        self.parent: dict[Hashable, Cell] = {c.key: cell for cell in root.walk() for c in cell.children}
        self.signals: dict[Hashable, dict[Hashable, _Signal]] = {cell.key: {} for cell in root.walk() if cell.children}
        self.entries: dict[tuple[Hashable, Hashable], float] = {}  # (box, source) -> x in the box
        self.exits: dict[tuple[Hashable, Hashable], float] = {}
        self.routes: list[tuple[list[tuple[Hashable, Hashable]], tuple[Hashable, Hashable]]] = []

    def layout(self) -> list[list[Point]]:
        """Place all cells; the points of each edge's line, from its source to its target."""
        ways = [self._route(number, source, target) for number, (source, target) in enumerate(self.edges)]
        for cell in [cell for cell in self.root.walk() if cell.children][::-1]:
            self._arrange(cell)
        for cell in self.root.walk():
            for child in cell.children:
                child.x += cell.x
                child.y += cell.y
        boxes = {cell.key: cell for cell in self.root.walk() if cell.children}
        lines = []
        for (source, _), way in zip(self.edges, ways, strict=True):
            line: list[Point] = []
            for box, end in way:
                line += [(x + boxes[box].x, y + boxes[box].y) for x, y in self.signals[box][source].lines[end]]
            lines.append(line)
        return lines

    def _boxes_around(self, key: Hashable) -> list[Hashable]:
        around = []
        while key in self.parent:
            key = self.parent[key].key
            around.append(key)
        return around

    def _route(
        self, number: int, source: Hashable, target: Hashable
    ) -> list[tuple[Hashable, tuple[Hashable, int | None]]]:
        """The boxes through which an edge runs, each with where it goes there."""
        out, into = self._boxes_around(source), self._boxes_around(target)
        while len(out) > 1 and len(into) > 1 and out[-2] == into[-2]:
            out.pop()
            into.pop()
        way = []
        inner = source
        for box in out[:-1]:
            way.append((box, self._signal(box, source, inner, (None, None))))
            inner = box
        path = [*into[:-1][::-1], target]
        way.append((out[-1], self._signal(out[-1], source, inner, (path[0], number if path[0] == target else None))))
        for box, following in itertools.pairwise(path):
            end = (following, number if following == target else None)
            way.append((box, self._signal(box, source, None, end)))
        return way

    def _signal(
        self, box: Hashable, source: Hashable, inner: Hashable, end: tuple[Hashable, int | None]
    ) -> tuple[Hashable, int | None]:
        signal = self.signals[box].setdefault(source, _Signal(inner))
        signal.targets[end] = None
        return end

    def _arrange(self, box: Cell) -> None:
        rectangles = [Rectangle(cell.width, cell.height, cell.inlet) for cell in box.children]
        number = {cell.key: index for index, cell in enumerate(box.children)}
        signals = self.signals[box.key]
        first, last = [], []
        nets = []
        for source, signal in signals.items():
            if signal.source is None:
                first.append((source, len(rectangles)))
                net = Net(len(rectangles))
                rectangles.append(Rectangle(0.0, 0.0, margin=LINE_MARGIN))
            else:
                index = number[signal.source]
                net = Net(index, self._end(self.exits, box.children[index], source) or 0.0)
            for child, _ in signal.targets:
                if child is None:
                    last.append((source, len(rectangles)))
                    net.targets.append((len(rectangles), 0.0))
                    rectangles.append(Rectangle(0.0, 0.0, margin=LINE_MARGIN))
                else:
                    index = number[child]
                    net.targets.append((index, self._end(self.entries, box.children[index], source)))
            nets.append(net)
        bounds = arrange(rectangles, nets, frozenset([i for _, i in first]), frozenset([i for _, i in last]))
        above, right, below, left = box.inset
        box.width = max(box.width, bounds.width + left + right)
        dx = left + (box.width - left - right - bounds.width) / 2
        doors, dy = self._doors(box, sorted([(rectangles[index].x + dx, source) for source, index in first], key=_by_x))
        box.height = max(box.least_length, bounds.height + dy + below)
        for cell, rectangle in zip(box.children, rectangles, strict=False):
            cell.x = rectangle.x - rectangle.width / 2 + dx
            cell.y = rectangle.y + dy
        self.entries.update({(box.key, source): door for source, door in doors.items()})
        self.exits.update({(box.key, source): rectangles[index].x + dx for source, index in last})
        for (source, signal), net in zip(signals.items(), nets, strict=True):
            for end, line in zip(signal.targets, net.lines, strict=True):
                points = [(x + dx, y + dy) for x, y in line]
                if signal.source is None:
                    points[:0] = [(doors[source], 0.0), (doors[source], above)]
                if end[0] is None:
                    points.append((points[-1][0], box.height))
                signal.lines[end] = points

    def _doors(self, box: Cell, entries: list[tuple[float, Hashable]]) -> tuple[dict[Hashable, float], float]:
        """Where values enter a box, right of its title, and how far below its upper side its inside begins."""
        doors: dict[Hashable, float] = {}
        least = box.title
        moved = False
        for x, source in entries:
            doors[source] = max(x, least)
            moved = moved or doors[source] > x
            least = doors[source] + LINE_MARGIN
        if moved:
            box.width = max(box.width, least)
        return doors, box.inset[0] + (_UNDER_TITLE if moved else 0.0)

    def _end(self, ports: dict[tuple[Hashable, Hashable], float], cell: Cell, source: Hashable) -> float | None:
        """How far beside the middle of a box a value enters or leaves it; None for what is no box."""
        place = ports.get((cell.key, source))
        return None if place is None else place - cell.width / 2


def _by_x(entry: tuple[float, Hashable]) -> float:
    return entry[0]
