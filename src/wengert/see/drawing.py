"""`wengert.draw`: the picture of a graph."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

from wengert._memory import without_collection
from wengert._source import user_frame
from wengert.see.arguments import check_max_nodes, check_theme, one_of
from wengert.see.diagram import Diagram, Shown, diagram
from wengert.see.graph import Graph, Value, read
from wengert.see.notations import dot, mermaid
from wengert.see.outline import outline
from wengert.see.placed import Placed, place
from wengert.see.png import png
from wengert.see.replay import replay
from wengert.see.svg import svg
from wengert.see.terminal import text

_DIRECTIONS = ("down", "right")
_MOST_PIXELS = 4e7
MOST_REPLAYED = 20_000  # operations up to which unknown values and gradients are computed for a picture


class Drawing:
    """The picture of a graph in several forms; Jupyter shows it as SVG."""

    def __init__(self, picture: Diagram, direction: str, theme: str, legend: bool) -> None:
        self._diagram = picture
        self._direction = direction
        self._theme = theme
        self._legend = legend

    @cached_property
    def _placed(self) -> Placed:
        return place(self._diagram, self._direction)

    def svg(self, theme: str | None = None) -> str:
        """The picture as an SVG document."""
        theme = self._theme if theme is None else check_theme(theme)
        return svg(self._placed, self._diagram.notes, theme, self._legend)

    def png(self, scale: float | None = None, theme: str | None = None) -> bytes:
        """The picture as PNG; needs the extra `[see]`.

        Args:
            scale: pixels for each unit of the SVG; by default 2, less for pictures that would be very large.
            theme: `light` or `dark`.

        Raises:
            ImportError: resvg-py is not installed.
        """
        theme = self._theme if theme is None else check_theme(theme)
        if scale is None:
            scale = min(2.0, (_MOST_PIXELS / max(1.0, self._placed.width * self._placed.height)) ** 0.5)
        return png(self.svg("light" if theme == "auto" else theme), scale)

    def dot(self) -> str:
        """The graph in the language of Graphviz."""
        return dot(self._diagram, self._direction)

    def mermaid(self) -> str:
        """The graph in the language of Mermaid, which GitHub, GitLab and Jupyter's Markdown show as a picture."""
        return mermaid(self._diagram, self._direction)

    def text(self) -> str:
        """The graph as lines of text, for a terminal."""
        return text(self._diagram)

    def save(self, path: str | Path) -> Path:
        """Write the picture to a file; its suffix decides the form: .svg .png .dot .gv .mmd .md .txt.

        Raises:
            ValueError: another suffix.
            ImportError: PNG without resvg-py.
        """
        target = Path(path)
        forms: dict[str, Callable[[], Any]] = {
            ".svg": self.svg, ".png": self.png, ".dot": self.dot, ".gv": self.dot, ".mmd": self.mermaid,
            ".md": lambda: f"```mermaid\n{self.mermaid()}```\n", ".txt": self.text,
        }  # fmt: skip
        if target.suffix not in forms:
            raise ValueError(f"expected a file with one of the suffixes {' '.join(forms)}, but got {str(path)!r}")
        content = forms[target.suffix]()
        if isinstance(content, bytes):
            target.write_bytes(content)
        else:
            target.write_text(content, encoding="utf-8")
        return target

    def _repr_svg_(self) -> str:
        return self.svg()

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return f"<drawing of {self._diagram.notes[-1]}>"


def draw(
    y: Any,
    *,
    direction: str = "down",
    theme: str = "auto",
    max_nodes: int | None = 150,
    fold: bool = True,
    boxes: bool = True,
    values: bool = True,
    gradients: bool = True,
    shapes: bool = True,
    saved: bool = True,
    legend: bool = True,
) -> Drawing:
    """The computation graph of a tensor as a picture: SVG, PNG, DOT, Mermaid or text, without any system program.

    Shown are names, shapes, dtypes, values, the gradients of `y` by each value, what each operation keeps for
    backward, and in the tips of the SVG the source lines. Values and gradients that nothing kept are computed again,
    so it does not matter whether `backward` has run; no tensor and no `.grad` is changed.

    Args:
        y: a tensor with a graph, or a sequence of them.
        direction: `down` or `right`, where the evaluation goes.
        theme: `light`, `dark`, or `auto`: as the reader's system is set.
        max_nodes: close modules, functions and repeats, and join what is left, until there are at most about so many
            nodes; None for no limit.
        fold: show a sequence of operations that occurs three or more times in a row once.
        boxes: put the operations of a module or function into a box.
        values: show values.
        gradients: show gradients.
        shapes: show shapes and dtypes.
        saved: show what is kept for backward.
        legend: show what the kinds of nodes are.

    Raises:
        TypeError: `y` is no tensor.
        ValueError: `y` has no graph, or an argument is none of those named.

    Example:
        >>> import wengert
        >>> x = wengert.tensor(3.0, requires_grad=True)
        >>> y = x**2
        >>> print(wengert.draw(y))
        x = 3, grad 6
        y = ^ 2 (x) = 9, grad 1
    """
    one_of("direction", direction, _DIRECTIONS)
    check_theme(theme)
    check_max_nodes(max_nodes)
    frame = user_frame()
    with without_collection():
        graph = read(y, frame)
        found = known_gradients(graph) if values or gradients else {}
        scope = outline(graph, boxes=boxes, fold=fold, most=max_nodes)
        picture = diagram(graph, scope, found, Shown(values, gradients, shapes, saved))
    return Drawing(picture, direction, theme, legend)


def known_gradients(graph: Graph) -> dict[Value, Any]:
    """The gradient by each value; sets the values too that can be computed. Where it is not known, `.grad`."""
    kept = {value: value.gradient for value in graph.values if value.gradient is not None}
    return kept | replay(graph).gradients if len(graph.operations) <= MOST_REPLAYED else kept
