"""A picture with everything in its place: cards, boxes, lines.

Knows a diagram's cards and the layout. Knows no file formats.
"""

from __future__ import annotations

from dataclasses import dataclass

from wengert.see.cards import TITLE_SIZE, Card, card
from wengert.see.diagram import Diagram, Frame, Item
from wengert.see.layered.level import Point
from wengert.see.layered.nested import Cell, Nested
from wengert.see.text_width import shortened, text_width

_TITLE_ROOM = 26.0
_INSET = 16.0
_MOST_TITLE = 320.0


@dataclass(slots=True)
class PlacedCard:
    """A card with the place of its upper left corner."""

    card: Card
    x: float
    y: float


@dataclass(slots=True)
class PlacedFrame:
    """A box with its title, whose base line begins at (title_x, title_y)."""

    frame: Frame
    title: str
    x: float
    y: float
    width: float
    height: float

    @property
    def title_at(self) -> Point:
        """Where the base line of the title begins."""
        return self.x + 11.0, self.y + 17.0


@dataclass(slots=True)
class Line:
    """An edge: from the item `source` to `target`, running straight between equal places and curved between others."""

    source: str
    target: str
    points: list[Point]


@dataclass(slots=True)
class Placed:
    """Everything that is drawn."""

    width: float
    height: float
    right: bool
    cards: list[PlacedCard]
    frames: list[PlacedFrame]
    lines: list[Line]


def place(diagram: Diagram, direction: str = "down") -> Placed:
    """Lay out a diagram; `direction` is `down` or `right`."""
    right = direction == "right"
    cards = {item.key: card(item, right) for item in diagram.items()}
    frames: dict[str, Frame] = {}
    root = _cell(diagram.root, cards, frames, right)
    root.inset = (0.0, 0.0, 0.0, 0.0)
    root.title = 0.0
    lines = Nested(root, diagram.edges).layout()
    cells = [cell for cell in root.walk() if cell is not root]
    if right:
        for cell in [root, *cells]:
            cell.x, cell.y, cell.width, cell.height = cell.y, cell.x, cell.height, cell.width
        lines = [[(y, x) for x, y in line] for line in lines]
    return Placed(
        root.width,
        root.height,
        right,
        [PlacedCard(cards[str(cell.key)], cell.x, cell.y) for cell in cells if not cell.children],
        [
            PlacedFrame(frames[str(c.key)], _title(frames[str(c.key)]), c.x, c.y, c.width, c.height)
            for c in cells
            if c.children
        ],
        [Line(s, t, _straightened(points)) for (s, t), points in zip(diagram.edges, lines, strict=True)],
    )


def _title(frame: Frame) -> str:
    return shortened(frame.title, _MOST_TITLE, TITLE_SIZE, bold=True)


def _cell(frame: Frame, cards: dict[str, Card], frames: dict[str, Frame], right: bool) -> Cell:
    frames[frame.key] = frame
    children = [
        _item_cell(cards[o.key], right) if isinstance(o, Item) else _cell(o, cards, frames, right) for o in frame.items
    ]
    title = text_width(_title(frame), TITLE_SIZE, bold=True) + 22.0
    inset = (_TITLE_ROOM, _INSET, _INSET, _INSET)
    cell = Cell(frame.key, width=title + _INSET, children=children, inset=inset, title=title)
    if right:
        above, side, below, left = inset
        cell.width, cell.inset, cell.title = 0.0, (left, below, side, above), 0.0
        cell.least_length = title + _INSET
    return cell


def _item_cell(made: Card, right: bool) -> Cell:
    width, height = (made.height, made.width) if right else (made.width, made.height)
    return Cell(made.item.key, width=width, height=height, inlet=made.inlet)


def _straightened(points: list[Point]) -> list[Point]:
    """The points without those in the middle of a straight run."""
    kept: list[Point] = []
    for point in points:
        if kept and kept[-1] == point:
            continue
        if len(kept) > 1 and (kept[-2][0] == kept[-1][0] == point[0] or kept[-2][1] == kept[-1][1] == point[1]):
            kept.pop()
        kept.append(point)
    return kept
