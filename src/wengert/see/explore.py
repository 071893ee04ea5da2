"""`wengert.explore`: a page that walks through a graph, forward and backward."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import asdict
from html import escape
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import Any

from wengert._memory import without_collection
from wengert._source import user_frame
from wengert.see.arguments import check_max_nodes, check_theme
from wengert.see.chain_rule import ChainRule
from wengert.see.colours import DARK, LIGHT
from wengert.see.diagram import Diagram, Shown, diagram
from wengert.see.graph import Graph, read
from wengert.see.outline import outline
from wengert.see.placed import Placed, place
from wengert.see.replay import Replay, replay
from wengert.see.svg import path_data, points_to_head, svg
from wengert.see.walk import Step, Walk

MOST_EXPLAINED = 3_000  # operations of a graph for which formulas are worked out


class Exploration:
    """A page that walks through a graph: one HTML document that loads nothing else. Jupyter shows it in a frame."""

    def __init__(self, picture: Diagram, placed: Placed, steps: list[Step], title: str, theme: str) -> None:
        self._picture = picture
        self._placed = placed
        self._steps = steps
        self._title = title
        self._theme = theme

    def html(self) -> str:
        """The whole document."""
        script = _file("explore.js")
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        parts = {
            "POLICY": f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-{digest}'",
            "TITLE": escape(self._title),
            "THEME": self._theme,
            "STYLE": _colours() + _file("explore.css"),
            "PICTURE": svg(self._placed, self._picture.notes, "page", legend=False),
            "LEGEND": escape(" · ".join(self._picture.notes)),
            "DATA": _embedded(self._data()),
            "SCRIPT": script,
        }
        page = _file("explore.html")
        return "".join([parts.get(part, part) for part in page.split("%%")])

    def _data(self) -> dict[str, Any]:
        lines = [
            {"from": line.source, "to": line.target, "d": path_data(pairwise(points_to_head(line, False)), False)}
            for line in self._placed.lines
        ]
        nodes = {
            card.card.item.key: {
                "name": card.card.item.name or card.card.item.operation,
                "search": "\n".join([card.card.item.name, card.card.item.operation, *card.card.item.tip[:2]]),
                "kind": card.card.item.kind,
                "tip": card.card.item.tip,
                "box": [card.x, card.y, card.card.width, card.card.height],
            }
            for card in self._placed.cards
        }
        return {"steps": [asdict(step) for step in self._steps], "lines": lines, "nodes": nodes}

    def save(self, path: str | Path) -> Path:
        """Write the document to a file.

        Raises:
            ValueError: the file's suffix is neither .html nor .htm.
        """
        target = Path(path)
        if target.suffix not in (".html", ".htm"):
            raise ValueError(f"expected a file with the suffix .html, but got {str(path)!r}")
        target.write_text(self.html(), encoding="utf-8")
        return target

    def _repr_html_(self) -> str:
        # Without `allow-same-origin` the frame cannot reach the notebook around it.
        frame = 'sandbox="allow-scripts" style="width:100%;height:640px;border:1px solid #8888;border-radius:6px"'
        return f'<iframe srcdoc="{escape(self.html())}" title="{escape(self._title)}" {frame}></iframe>'

    def __repr__(self) -> str:
        return (
            f"<exploration of {self._picture.notes[-1]} in {len(self._steps)} steps; save it with .save('page.html')>"
        )


def explore(
    y: Any, *, theme: str = "auto", max_nodes: int | None = 150, fold: bool = True, boxes: bool = True
) -> Exploration:
    """A page on which one walks through the graph of a tensor: the evaluation step by step, then the gradients back.

    Each step shows its node in the picture, the formula with the user's names, the numbers, on the way back the chain
    rule with the local derivative, and the lines of the program. The page is one HTML document that needs no network.

    Args:
        y: a tensor with a graph, or a sequence of them.
        theme: `light`, `dark`, or `auto`: as the reader's system is set.
        max_nodes: fold the graph until about so many nodes are left; None for no limit.
        fold: show a sequence of operations that occurs three or more times in a row once.
        boxes: put the operations of a module or function into a box.

    Raises:
        TypeError: `y` is no tensor.
        ValueError: `y` has no graph, or an argument is none of those named.

    Example:
        >>> import wengert
        >>> x = wengert.tensor(3.0, requires_grad=True)
        >>> y = x**2
        >>> wengert.explore(y)
        <exploration of 1 operation in 2 steps; save it with .save('page.html')>
    """
    check_theme(theme)
    check_max_nodes(max_nodes)
    frame = user_frame()
    with without_collection():
        graph = read(y, frame)
        replayed, rule = _explained(graph)
        scope = outline(graph, boxes=boxes, fold=fold, most=max_nodes)
        labels = rule.labels if rule is not None else {}
        gradients = {v: v.gradient for v in graph.values if v.gradient is not None} | replayed.gradients
        picture = diagram(graph, scope, gradients, Shown(), labels)
        steps = list(Walk(graph, picture, replayed, rule).steps())
    name = graph.roots[0].name if graph.roots else None
    return Exploration(picture, place(picture), steps, f"The graph of {name}" if name else "A graph", theme)


def _explained(graph: Graph) -> tuple[Replay, ChainRule | None]:
    """The graph evaluated again and its formulas, as far as its size allows."""
    if len(graph.operations) > MOST_EXPLAINED:
        known = {value: value.raw for value in graph.values if value.raw is not None}
        return Replay(graph, known), None
    replayed = replay(graph)
    return replayed, ChainRule(graph, replayed) if len(graph.roots) == 1 else None


def _file(name: str) -> str:
    return resources.files("wengert.see").joinpath("page", name).read_text(encoding="utf-8")


def _embedded(data: Any) -> str:
    """JSON that can stand in a script element: no `<` or `&` of the data is one of the page."""
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":"), default=str)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _colours() -> str:
    """The colours as CSS variables, light and dark."""
    light, dark = ("".join([f"--{name}:{colour};" for name, colour in palette.items()]) for palette in (LIGHT, DARK))
    return (
        f":root{{color-scheme:light;{light}}}\n"
        f":root[data-theme=dark]{{color-scheme:dark;{dark}}}\n"
        f"@media (prefers-color-scheme:dark){{:root[data-theme=auto]{{color-scheme:dark;{dark}}}}}\n"
    )
