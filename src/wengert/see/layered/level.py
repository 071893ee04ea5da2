"""One level of a layered drawing: rectangles in layers and the lines between them.

Knows numbered rectangles with sizes, and nets: a value that one of them gives to several. Knows no nesting.

The steps are those of Sugiyama, Tagawa and Toda (1981): layers, bends where a line passes a layer, an order with few
crossings, places. A net has one bend in each layer that it passes, however many of its targets lie beyond, so that a
value used in a hundred places is one line with branches.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from wengert.see.layered.crossings import Link, order_layers
from wengert.see.layered.layers import assign_layers
from wengert.see.layered.places import Column, place_columns

Point = tuple[float, float]

NODE_MARGIN = 26.0
LINE_MARGIN = 13.0
_LEAST_GAP = 30.0  # between layers
_MOST_GAP = 84.0
_ARRIVALS_APART = 12.0

# How hard a line pulls to be straight: a chain of operations more than the leaves beside it.
_CHAIN_WEIGHT = 4.0
_SOURCE_WEIGHT = 1.0
_BEND_WEIGHTS = (0.0, 1.0, 8.0)  # by the number of its ends that are bends


@dataclass(slots=True)
class Rectangle:
    """A rectangle to be placed; lines arrive at most `inlet` / 2 beside the middle of its upper side."""

    width: float
    height: float
    inlet: float = 0.0
    margin: float = NODE_MARGIN
    x: float = 0.0  # its middle
    y: float = 0.0  # its upper side


@dataclass(slots=True)
class Net:
    """A value that leaves one rectangle, `end` beside the middle of its lower side, and arrives at others."""

    source: int
    end: float = 0.0
    targets: list[tuple[int, float | None]] = field(default_factory=list)  # rectangle, where beside its middle if fixed
    lines: list[list[Point]] = field(default_factory=list)  # for each target the points between which its line runs


@dataclass(slots=True)
class Bounds:
    """The size of a finished level."""

    width: float
    height: float


def arrange(
    rectangles: list[Rectangle],
    nets: list[Net],
    first: frozenset[int] = frozenset(),
    last: frozenset[int] = frozenset(),
) -> Bounds:
    """Set the places of all rectangles and the lines of all nets."""
    level = _Level(rectangles, nets, first, last)
    level.add_bends()
    level.place()
    level.draw_lines()
    return Bounds(level.width, level.height)


class _Level:
    def __init__(
        self, rectangles: list[Rectangle], nets: list[Net], first: frozenset[int], last: frozenset[int]
    ) -> None:
        self.rectangles = rectangles
        self.nets = nets
        self.first = first
        edges = [(net.source, target) for net in nets for target, _ in net.targets]
        self.layer_of = assign_layers(len(rectangles), edges, first, last)
        self.columns = [Column(r.width / 2, r.margin) for r in rectangles]
        self.layers: list[list[int]] = [[] for _ in range(max(self.layer_of, default=-1) + 1)]
        for node, layer in enumerate(self.layer_of):
            self.layers[layer].append(node)
        self.bends: list[dict[int, int]] = []  # for each net: layer -> column
        self.has_input = {target for _, target in edges}
        self.width = self.height = 0.0

    def add_bends(self) -> None:
        """A column for each layer that a net passes, and the links between neighbouring layers."""
        for net in self.nets:
            start = self.layer_of[net.source]
            end = max([self.layer_of[target] for target, _ in net.targets], default=start)
            bends = {}
            for layer in range(start + 1, end):
                bends[layer] = len(self.columns)
                self.columns.append(Column(0.0, LINE_MARGIN, bend=True))
                self.layers[layer].append(bends[layer])
            self.bends.append(bends)
            for layer in range(start + 1, end):
                self._link(net.source if layer == start + 1 else bends[layer - 1], net, layer - 1, bends[layer], None)
            for target, target_end in net.targets:
                before = self.layer_of[target] - 1
                self._link(net.source if before == start else bends[before], net, before, target, target_end)

    def _link(self, upper: int, net: Net, layer: int, lower: int, lower_end: float | None) -> None:
        upper_end = net.end if layer == self.layer_of[net.source] else 0.0
        lower_end = lower_end or 0.0
        bends = self.columns[upper].bend + self.columns[lower].bend
        weight = _BEND_WEIGHTS[bends] if bends else _CHAIN_WEIGHT if upper in self.has_input else _SOURCE_WEIGHT
        self.columns[upper].below.append((lower, lower_end - upper_end, weight))
        self.columns[lower].above.append((upper, upper_end - lower_end, weight))

    def place(self) -> None:
        """Order the layers, then give everything its place."""
        order_layers(self.layers, self._links("above"), self._links("below"))
        place_columns(self.layers, self.columns)
        self.width = max([column.x + column.half for column in self.columns], default=0.0)
        for node, rectangle in enumerate(self.rectangles):
            rectangle.x = self.columns[node].x
        tall = [
            max([self.rectangles[n].height for n in layer if n < len(self.rectangles)], default=0.0)
            for layer in self.layers
        ]
        self.tops = [0.0]
        for layer, height in enumerate(tall):
            self.tops.append(self.tops[-1] + height + (self._gap(layer) if layer + 1 < len(tall) else 0.0))
        self.bottoms = [top + height for top, height in zip(self.tops, tall, strict=False)]
        self.height = self.bottoms[-1] if self.bottoms else 0.0
        for node, rectangle in enumerate(self.rectangles):
            layer = self.layer_of[node]
            low = node not in self.has_input and node not in self.first
            rectangle.y = self.bottoms[layer] - rectangle.height if low else self.tops[layer]

    def _links(self, side: str) -> list[list[Link]]:
        """Neighbours with the place of the line's end on them: what matters where a wide box has several."""
        links: list[list[Link]] = []
        for column in self.columns:
            links.append([])
            for other, shift, _ in column.above if side == "above" else column.below:
                half = self.columns[other].half
                links[-1].append((other, max(-0.49, min(0.49, shift / (2 * half))) if half > NODE_MARGIN else 0.0))
        return links

    def _gap(self, layer: int) -> float:
        """More room between layers whose lines run far to the side."""
        reach = [
            abs(self.columns[other].x + shift - self.columns[index].x)
            for index in self.layers[layer]
            for other, shift, _ in self.columns[index].below
        ]
        return min(_MOST_GAP, _LEAST_GAP + 0.1 * max(reach, default=0.0))

    def draw_lines(self) -> None:
        """The points between which each line runs: straight down inside layers, a curve between them."""
        arriving: dict[int, list[tuple[float, int, int]]] = {}
        for number, (net, bends) in enumerate(zip(self.nets, self.bends, strict=True)):
            for target, end in net.targets:
                net.lines.append(self._line(net, bends, target))
                if end is None:
                    arriving.setdefault(target, []).append((net.lines[-1][-1][0], number, len(net.lines) - 1))
                else:
                    self._arrive(net.lines[-1], target, end)
        for target, arrivals in arriving.items():
            inlet = self.rectangles[target].inlet
            apart = min(_ARRIVALS_APART, inlet / max(1, len(arrivals) - 1))
            for place, (_, number, line) in enumerate(sorted(arrivals)):
                end = (place - (len(arrivals) - 1) / 2) * apart
                self._arrive(self.nets[number].lines[line], target, end)

    def _line(self, net: Net, bends: dict[int, int], target: int) -> list[Point]:
        source = self.rectangles[net.source]
        layer = self.layer_of[net.source]
        x = source.x + net.end
        line = [(x, source.y + source.height), (x, self.bottoms[layer])]
        for passed in range(layer + 1, self.layer_of[target]):
            x = self.columns[bends[passed]].x
            line += [(x, self.tops[passed]), (x, self.bottoms[passed])]
        return line

    def _arrive(self, line: list[Point], target: int, end: float) -> None:
        rectangle = self.rectangles[target]
        x = rectangle.x + end
        line += [(x, self.tops[self.layer_of[target]]), (x, rectangle.y)]
