"""A picture as SVG.

Knows a placed picture and colours. Knows nothing of graphs.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Iterator
from html import escape

from wengert.see.cards import FACT_SIZE, NAME_SIZE, PILL_SIZE, SMALL_SIZE, TITLE_SIZE, Shape
from wengert.see.colours import DARK, LIGHT
from wengert.see.layered.level import Point
from wengert.see.placed import Line, Placed, PlacedCard, PlacedFrame
from wengert.see.text_width import text_width

MARGIN = 18.0
_ARROW = 7.0
_LEGEND_LINE = 24.0
_FONTS = "'Helvetica Neue',Helvetica,Arial,'Liberation Sans','DejaVu Sans',sans-serif"

_RULES = """
{s} text{{font-family:{fonts};text-anchor:middle;fill:{text}}}
{s} .ground{{fill:{ground}}}
{s} .line{{fill:none;stroke:{line};stroke-width:1.4}}
{s} .head{{fill:{line};stroke:none}}
{s} .pill{{fill:{operation};stroke:none}}
{s} .card{{fill:{result};stroke:{result-edge};stroke-width:1.2}}
{s} .leaf .card{{fill:{leaf};stroke:{leaf-edge};stroke-width:1.8}}
{s} .constant .card{{fill:{constant};stroke:{constant-edge};stroke-width:1.2;stroke-dasharray:4 3}}
{s} .root .card{{fill:{root};stroke:{root-edge};stroke-width:1.8}}
{s} .rim{{fill:none;stroke:{root-edge};stroke-width:1.2}}
{s} .closed .card,{s} .sources .card{{fill:{closed};stroke:{closed-edge};stroke-width:1.4}}
{s} .closed .pill{{fill:{closed-edge}}}
{s} .behind{{fill:{closed};stroke:{closed-edge};stroke-width:1}}
{s} .operation{{font-size:{pill_size}px;font-weight:bold;fill:{on-operation}}}
{s} .name{{font-size:{name_size}px;font-weight:bold}}
{s} .value{{font-size:{fact_size}px}}
{s} .gradient{{font-size:{fact_size}px;fill:{gradient}}}
{s} .shape,{s} .saved,{s} .note,{s} .legend{{font-size:{small_size}px;fill:{muted}}}
{s} .legend{{text-anchor:start}}
{s} .title{{font-size:{title_size}px;font-weight:bold;fill:{muted};text-anchor:start}}
{s} .module rect{{fill:{module};stroke:{module-edge}}}
{s} .function rect{{fill:{function};stroke:{function-edge}}}
{s} .repeat rect{{fill:{repeat};stroke:{repeat-edge};stroke-width:1.6;stroke-dasharray:7 4}}
"""


def svg(placed: Placed, notes: list[str], theme: str = "auto", legend: bool = True) -> str:
    """The picture as an SVG document.

    `theme` is `light`, `dark`, `auto` for what the reader's system is set to, or `page` for CSS variables of the page
    around it.
    """
    body = list(_body(placed))
    width = placed.width + 2 * MARGIN
    height = placed.height + 2 * MARGIN
    if legend:
        width = max(width, 2 * MARGIN + _LEAST_LEGEND)
        rows = list(_legend(placed, notes, width, height - MARGIN + 6.0))
        body += rows[:-1]
        height = float(rows[-1])
    body = [f'<rect class="ground" width="{_n(width)}" height="{_n(height)}" rx="6"/>', *body]
    name = "wengert-" + hashlib.sha256("".join([theme, *body]).encode()).hexdigest()[:10]
    shift = (width - placed.width) / 2
    text = "\n".join([part.replace("\0", f"translate({_n(shift)} {_n(MARGIN)})") for part in body])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" id="{name}" width="{_n(width)}" height="{_n(height)}" '
        f'viewBox="0 0 {_n(width)} {_n(height)}" role="img" aria-label="computation graph">\n'
        f"<style>{_style(name, theme)}</style>\n{text}\n</svg>\n"
    )


def _style(name: str, theme: str) -> str:
    sizes = {
        "fonts": _FONTS,
        "pill_size": PILL_SIZE,
        "name_size": NAME_SIZE,
        "fact_size": FACT_SIZE,
        "small_size": SMALL_SIZE,
        "title_size": TITLE_SIZE,
    }
    if theme == "page":
        return _RULES.format(s=f"#{name}", **sizes, **{key: f"var(--{key})" for key in LIGHT})
    light = _RULES.format(s=f"#{name}", **sizes, **LIGHT)
    dark = _RULES.format(s=f"#{name}", **sizes, **DARK)
    if theme == "auto":
        return f"{light}@media (prefers-color-scheme:dark){{{dark}}}"
    return dark if theme == "dark" else light


def _body(placed: Placed) -> Iterator[str]:
    yield '<g transform="\0">'
    for frame in placed.frames:
        yield from _frame(frame)
    yield from _lines(placed)
    for card in placed.cards:
        yield from _card(card)
    yield "</g>"


def _frame(frame: PlacedFrame) -> Iterator[str]:
    x, y = frame.title_at
    yield (
        f'<g class="{frame.frame.kind}"><title>{_text(_tip([frame.frame.title, *frame.frame.tip]))}</title>'
        f'<rect x="{_n(frame.x)}" y="{_n(frame.y)}" width="{_n(frame.width)}" height="{_n(frame.height)}" rx="8"/>'
        f'<text class="title" x="{_n(x)}" y="{_n(y)}">{_text(frame.title)}</text></g>'
    )


def _lines(placed: Placed) -> Iterator[str]:
    """One path for each value, since its edges share their first part, and a head for each edge."""
    pieces: dict[str, dict[tuple[Point, Point], None]] = {}
    for line in placed.lines:
        points = points_to_head(line, placed.right)
        own = pieces.setdefault(line.source, {})
        for piece in itertools.pairwise(points):
            own[piece] = None
    for source, parts in pieces.items():
        yield f'<path class="line" data-from="{_text(source)}" d="{path_data(parts, placed.right)}"/>'
    for line in placed.lines:
        ends = f'data-from="{_text(line.source)}" data-to="{_text(line.target)}"'
        yield f'<path class="head" {ends} d="{head(line, placed.right)}"/>'


def points_to_head(line: Line, right: bool) -> list[Point]:
    """The points of a line as far as its arrow head."""
    (x, y) = line.points[-1]
    return [*line.points[:-1], (x - _ARROW + 1, y) if right else (x, y - _ARROW + 1)]


def path_data(pieces: Iterable[tuple[Point, Point]], right: bool) -> str:
    """SVG path data of pieces: straight where they go on in the direction of the picture, else curved."""
    parts = []
    at: Point | None = None
    for start, end in pieces:
        if start != at:
            parts.append(f"M{_n(start[0])} {_n(start[1])}")
        (x0, y0), (x1, y1) = start, end
        if (y0 == y1) if right else (x0 == x1):
            parts.append(f"L{_n(x1)} {_n(y1)}")
        elif right:
            middle = (x0 + x1) / 2
            parts.append(f"C{_n(middle)} {_n(y0)} {_n(middle)} {_n(y1)} {_n(x1)} {_n(y1)}")
        else:
            middle = (y0 + y1) / 2
            parts.append(f"C{_n(x0)} {_n(middle)} {_n(x1)} {_n(middle)} {_n(x1)} {_n(y1)}")
        at = end
    return "".join(parts)


def head(line: Line, right: bool) -> str:
    """SVG path data of the arrow head of an edge."""
    x, y = line.points[-1]
    half = _ARROW * 0.5
    if right:
        return f"M{_n(x)} {_n(y)}L{_n(x - _ARROW)} {_n(y - half)}L{_n(x - _ARROW)} {_n(y + half)}Z"
    return f"M{_n(x)} {_n(y)}L{_n(x - half)} {_n(y - _ARROW)}L{_n(x + half)} {_n(y - _ARROW)}Z"


def _card(placed: PlacedCard) -> Iterator[str]:
    card, item = placed.card, placed.card.item
    at = f"translate({_n(placed.x)} {_n(placed.y)})"
    yield f'<g class="node {item.kind}" data-key="{_text(item.key)}" transform="{at}">'
    if item.tip:
        yield f"<title>{_text(_tip(item.tip))}</title>"
    for shape in card.shapes:
        yield from _shape(shape, item.kind)
    for word in card.words:
        yield f'<text class="{word.style}" x="{_n(word.x)}" y="{_n(word.y)}">{_text(word.text)}</text>'
    yield "</g>"


def _shape(shape: Shape, kind: str) -> Iterator[str]:
    radius = {"leaf": 15.0, "constant": 0.0}.get(kind, 7.0) if shape.style == "card" else shape.height / 2
    if shape.style == "card" and kind in ("closed", "sources"):
        yield _rect("behind", shape.x + 4, shape.y + 4, shape.width, shape.height, radius)
    yield _rect(shape.style, shape.x, shape.y, shape.width, shape.height, radius)
    if shape.style == "card" and kind == "root":
        yield _rect("rim", shape.x - 3, shape.y - 3, shape.width + 6, shape.height + 6, radius + 3)


def _rect(style: str, x: float, y: float, width: float, height: float, radius: float) -> str:
    return (
        f'<rect class="{style}" x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}" rx="{_n(radius)}"/>'
    )


# --- legend ----------------------------------------------------------------------------------------------------------

_LEAST_LEGEND = 250.0
_KINDS = (
    ("leaf", "leaf"),
    ("constant", "constant"),
    ("result", "operation and its result"),
    ("root", "asked for"),
    ("closed", "folded"),
)


def _legend(placed: Placed, notes: list[str], width: float, top: float) -> Iterator[str]:
    """The kinds of nodes that occur, then the notes; at last the height of the whole picture."""
    kinds = {card.card.item.kind for card in placed.cards}
    x, y = MARGIN, top + _LEGEND_LINE - 6
    for kind, text in _KINDS:
        if kind not in kinds:
            continue
        room = 26.0 + text_width(text, SMALL_SIZE) + 16.0
        if x + room > width - MARGIN + 16.0 and x > MARGIN:
            x, y = MARGIN, y + 18.0
        yield f'<g class="{kind}">{_sample(kind, x, y - 9.0)}</g>'
        yield f'<text class="legend" x="{_n(x + 26)}" y="{_n(y)}">{_text(text)}</text>'
        x += room
    line = ""
    y += 18.0
    for note in notes:
        longer = f"{line} · {note}" if line else note
        if line and text_width(longer, SMALL_SIZE) > width - 2 * MARGIN:
            yield f'<text class="legend" x="{_n(MARGIN)}" y="{_n(y)}">{_text(line)}</text>'
            line, y = note, y + 16.0
        else:
            line = longer
    yield f'<text class="legend" x="{_n(MARGIN)}" y="{_n(y)}">{_text(line)}</text>'
    yield str(y + 14.0)


def _sample(kind: str, x: float, y: float) -> str:
    radius = {"leaf": 5.5, "constant": 0.0}.get(kind, 3.0)
    sample = _rect("card", x, y, 20.0, 11.0, radius)
    if kind == "result":
        return sample + _rect("pill", x + 4, y - 3, 12.0, 6.0, 3.0)
    return sample + (_rect("rim", x - 2, y - 2, 24.0, 15.0, 5.0) if kind == "root" else "")


def _tip(lines: Iterable[str]) -> str:
    return "\n".join(lines)


def _text(text: str) -> str:
    """Escaped, and without the control characters that XML does not allow."""
    return escape("".join([c for c in text if c in "\n\t" or (ord(c) >= 32 and not 0xD800 <= ord(c) < 0xE000)]))


def _n(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
