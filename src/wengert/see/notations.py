"""A picture in the languages of other programs that draw graphs.

Knows a diagram. Knows no places.
"""

from __future__ import annotations

from collections.abc import Iterator

from wengert.see.colours import LIGHT
from wengert.see.diagram import Diagram, Frame, Item

_DOT_SHAPES = {
    "leaf": 'shape=box style="rounded,filled"',
    "constant": 'shape=box style="filled,dashed"',
    "root": 'shape=box style="filled" peripheries=2',
    "closed": 'shape=box3d style="filled"',
    "sources": 'shape=box3d style="filled"',
}
_MERMAID_SHAPES = {
    "leaf": ("([", "])"), "constant": ("[", "]"), "root": ("[[", "]]"), "closed": ("[/", "/]"), "sources": ("[/", "/]"),
}  # fmt: skip


def dot(diagram: Diagram, direction: str) -> str:
    """The graph in the language of Graphviz."""
    lines = [
        "digraph {",
        f"  rankdir={'TB' if direction == 'down' else 'LR'}",
        '  node [fontname="Helvetica" fontsize=12]',
    ]
    lines += _dot_items(diagram.root, "  ")
    lines += [f"  {_dot_text(source)} -> {_dot_text(target)}" for source, target in diagram.edges]
    return "\n".join([*lines, "}", ""])


def _dot_items(frame: Frame, indent: str) -> Iterator[str]:
    for one in frame.items:
        if isinstance(one, Item):
            shape = _DOT_SHAPES.get(one.kind, 'shape=box style="filled"')
            fill = LIGHT.get("closed" if one.kind == "sources" else one.kind, LIGHT["result"])
            tip = _dot_text("\n".join(one.tip))
            label = _dot_text(_label(one))
            yield f'{indent}{_dot_text(one.key)} [label={label} tooltip={tip} {shape} fillcolor="{fill}"]'
            continue
        yield f"{indent}subgraph {_dot_text('cluster_' + one.key)} {{"
        yield f"{indent}  label={_dot_text(one.title)}"
        yield from _dot_items(one, indent + "  ")
        yield f"{indent}}}"


def _dot_text(text: str) -> str:
    quoted = text.replace("\\", "\\\\").replace('"', '\\"').replace("\r", " ").replace("\n", "\\n")
    return f'"{quoted}"'


def _label(item: Item) -> str:
    head = " ".join([part for part in (item.name, *[t for style, t in item.facts if style == "shape"]) if part])
    facts = [f"grad {t}" if style == "gradient" else t for style, t in item.facts if style != "shape"]
    return "\n".join([part for part in (item.operation, head, *facts) if part])


def mermaid(diagram: Diagram, direction: str) -> str:
    """The graph in the language of Mermaid."""
    lines = [f"flowchart {'TB' if direction == 'down' else 'LR'}"]
    lines += _mermaid_items(diagram.root, "  ")
    lines += [f"  {source} --> {target}" for source, target in diagram.edges]
    for kind in ("leaf", "constant", "root", "closed"):
        name = f"fill:{LIGHT[kind]},stroke:{LIGHT[kind + '-edge']},color:{LIGHT['text']}"
        lines.append(f"  classDef {kind} {name}{',stroke-dasharray:4 3' if kind == 'constant' else ''}")
    return "\n".join([*lines, ""])


def _mermaid_items(frame: Frame, indent: str) -> Iterator[str]:
    for one in frame.items:
        if isinstance(one, Item):
            kind = "closed" if one.kind == "sources" else one.kind
            start, end = _MERMAID_SHAPES.get(one.kind, ("[", "]"))
            style = f":::{kind}" if kind != "result" else ""
            yield f'{indent}{one.key}{start}"{_mermaid_text(_label(one))}"{end}{style}'
            continue
        yield f'{indent}subgraph {one.key}["{_mermaid_text(one.title)}"]'
        yield from _mermaid_items(one, indent + "  ")
        yield f"{indent}end"


def _mermaid_text(text: str) -> str:
    """Escaped as Mermaid does, `#` and a number, whatever it could take for its own."""
    escaped = "".join([c if c.isalnum() or c in " .,:|…·×−+=()_'" or c == "\n" else f"#{ord(c)};" for c in text])
    return escaped.replace("\n", "<br>")


__all__ = ["dot", "mermaid"]
