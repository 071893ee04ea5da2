"""How each node of a picture looks: its size, and where its texts stand in it.

Knows the texts of items and how wide they are. Knows no places of nodes and no file formats.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from wengert.see.diagram import Item
from wengert.see.text_width import shortened, text_width

LINE = 17.0
PILL_HEIGHT = 22.0
PILL_SIZE = 12.5
NAME_SIZE = 13.0
FACT_SIZE = 12.0
SMALL_SIZE = 10.5
TITLE_SIZE = 12.0
_PAD = 11.0
_MOST = 230.0  # of any text
_JOINT = 7.0  # between an operation and its result, where they stand beside each other


@dataclass(slots=True)
class Word:
    """A text, centred at a place in its card."""

    text: str
    style: str  # `operation`, `name`, `shape`, `value`, `gradient`, `saved` or `note`
    x: float
    y: float  # of its base line
    width: float


@dataclass(slots=True)
class Shape:
    """A rectangle of a card: `pill` of an operation, or `card`."""

    style: str
    x: float
    y: float
    width: float
    height: float


@dataclass(slots=True)
class Card:
    """A node with its shapes and words, relative to its upper left corner."""

    item: Item
    width: float = 0.0
    height: float = 0.0
    inlet: float = 0.0
    shapes: list[Shape] = field(default_factory=list)
    words: list[Word] = field(default_factory=list)


_SIZES = {"name": NAME_SIZE, "operation": PILL_SIZE, "saved": SMALL_SIZE, "note": SMALL_SIZE, "shape": SMALL_SIZE}


def size_of(style: str) -> float:
    """The font size of a style."""
    return _SIZES.get(style, FACT_SIZE)


def is_bold(style: str) -> bool:
    """Whether a style is set in bold."""
    return style in ("name", "operation")


def card(item: Item, right: bool = False) -> Card:
    """The card of an item, in a picture that runs down or to the right."""
    rows = _rows(item)
    body_width = max([_row_width(row) for row in rows], default=0.0) + 2 * _PAD if rows else 0.0
    body_height = LINE * len(rows) + 10.0 if rows else 0.0
    made = Card(item)
    operation = shortened(item.operation, _MOST, PILL_SIZE, bold=True)
    pill = max(30.0, text_width(operation, PILL_SIZE, bold=True) + 18.0) if operation else 0.0
    if not operation:
        made.width, made.height, made.inlet = body_width, body_height, body_width - 16
        body = (0.0, 0.0)
    elif right:
        made.width = pill + (body_width + _JOINT if rows else 0.0)
        made.height = max(PILL_HEIGHT, body_height)
        made.inlet = PILL_HEIGHT - 6
        body = (pill + _JOINT, (made.height - body_height) / 2)
        _add_pill(made, operation, 0.0, (made.height - PILL_HEIGHT) / 2, pill)
    else:
        body_width = max(body_width, pill + 16) if rows else 0.0
        made.width = max(pill, body_width)
        made.height = PILL_HEIGHT + (body_height if rows else 0.0)
        made.inlet = pill - 14
        # The pill covers the upper side of the card by half of its height.
        body = ((made.width - body_width) / 2, PILL_HEIGHT / 2)
        body_height += PILL_HEIGHT / 2 if rows else 0.0
        _add_pill(made, operation, (made.width - pill) / 2, 0.0, pill)
    if rows:
        made.shapes.insert(0, Shape("card", *body, body_width, body_height))
        below = 0.0 if right or not operation else PILL_HEIGHT / 2
        _add_rows(made, rows, body[0] + body_width / 2, body[1] + below)
    return made


def _add_pill(made: Card, text: str, x: float, y: float, width: float) -> None:
    made.shapes.append(Shape("pill", x, y, width, PILL_HEIGHT))
    own = text_width(text, PILL_SIZE, bold=True)
    made.words.append(Word(text, "operation", x + width / 2, y + PILL_HEIGHT / 2 + PILL_SIZE * 0.36, own))


_Row = list[tuple[str, str]]  # texts with their styles, side by side


def _rows(item: Item) -> list[_Row]:
    head: _Row = [(item.name, "name")] if item.name else []
    rows: list[_Row] = []
    for style, text in item.facts:
        if style == "shape":
            head.append((text, style))
        else:
            rows.append([(f"grad {text}" if style == "gradient" else text, style)])
    rows = [head, *rows] if head else rows
    return [[(shortened(text, _MOST, size_of(style), is_bold(style)), style) for text, style in row] for row in rows]


def _row_width(row: _Row) -> float:
    return sum([text_width(text, size_of(style), is_bold(style)) for text, style in row]) + 8.0 * (len(row) - 1)


def _add_rows(made: Card, rows: list[_Row], middle: float, top: float) -> None:
    for number, row in enumerate(rows):
        x = middle - _row_width(row) / 2
        for text, style in row:
            width = text_width(text, size_of(style), is_bold(style))
            made.words.append(Word(text, style, x + width / 2, top + 5.0 + LINE * number + 13.0, width))
            x += width + 8.0
