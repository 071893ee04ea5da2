"""A picture as lines of text.

Knows a diagram. Knows no places, and no colours of a terminal.
"""

from __future__ import annotations

from collections.abc import Iterator

from wengert.see.diagram import Diagram, Frame, Item


def text(diagram: Diagram) -> str:
    """One line for each node, in the order of the evaluation: its name, what it was made of, value and gradient."""
    names = _names(diagram)
    inputs: dict[str, list[str]] = {}
    for source, target in diagram.edges:
        inputs.setdefault(target, []).append(names[source])
    return "\n".join(_lines(diagram.root, names, inputs, ""))


def _names(diagram: Diagram) -> dict[str, str]:
    """A name for each item; those without one, or with that of another, get a number."""
    names: dict[str, str] = {}
    used: set[str] = set()
    number = 0
    for item in diagram.items():
        full = item.values[0].name if len(item.values) == 1 else None
        name = " ".join((full or item.name).split())
        if not name or name in used:
            number += 1
            name = f"{name}%{number}"
        used.add(name)
        names[item.key] = name
    return names


def _lines(frame: Frame, names: dict[str, str], inputs: dict[str, list[str]], indent: str) -> Iterator[str]:
    for one in frame.items:
        if isinstance(one, Item):
            yield indent + _line(one, names[one.key], inputs.get(one.key, []))
        else:
            yield f"{indent}┌ {one.title}"
            yield from _lines(one, names, inputs, indent + "│ ")
            yield f"{indent}└"


def _line(item: Item, name: str, inputs: list[str]) -> str:
    facts = dict(item.facts)
    parts = [name]
    if "shape" in facts:
        parts[0] += " " + facts["shape"] if facts["shape"].startswith("[") else f" [{facts['shape']}]"
    if item.operation:
        parts.append(f"{item.operation} ({', '.join(inputs)})")
    if "value" in facts:
        parts.append(facts["value"])
    line = " = ".join(parts)
    rest = [f"grad {facts['gradient']}"] if "gradient" in facts else []
    rest += [facts[style] for style in ("note", "saved") if style in facts]
    return ", ".join([line, *rest])
