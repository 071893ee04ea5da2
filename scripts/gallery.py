"""Makes docs/gallery.md, its pictures and its pages from the programs in docs/gallery; --check only compares.

python scripts/gallery.py           write
python scripts/gallery.py --check   say what is out of date, and exit with 1 if anything is
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wengert.cli.asking import run_and_ask
from wengert.see.drawing import draw
from wengert.see.explain import explain
from wengert.see.explore import explore

DOCS = Path(__file__).resolve().parent.parent / "docs"
FOLDER = DOCS / "gallery"


@dataclass(frozen=True)
class Example:
    """One program of the gallery, and what is shown of it."""

    name: str
    title: str
    target: str
    text: str
    explained: bool = True
    pages: bool = True  # a page to walk through


EXAMPLES = (
    Example("square", "A derivative", "y", "The first example of any course: the slope of x² at 3.", pages=False),
    Example("nested", "A function of a function", "z", "Two steps, and the chain rule between them.", pages=False),
    Example(
        "neuron",
        "A neuron by hand",
        "loss",
        "A weighted sum, a sigmoid, binary cross entropy. Unnamed values are part of the formulas in the explanation "
        "and nodes of their own in the picture; the function of the program is a box.",
    ),
    Example("vector", "A vector", "y", "Formulas of tensors are for one element; `draw` shows short vectors in full."),
    Example(
        "loop",
        "A loop",
        "loss",
        "The body of a loop is shown once, with its number of times.",
        explained=False,
    ),
    Example(
        "layers",
        "A deep network",
        "loss",
        "Modules are boxes, known by the names of their parameters; twelve equal blocks are one. "
        "`draw(loss, fold=False)` shows each of them, `draw(loss, max_nodes=20)` closes the boxes.",
        explained=False,
    ),
)

_HEAD = """\
# Gallery

What `draw`, `explain` and `explore` make of some programs. [scripts/gallery.py](../scripts/gallery.py) made this page
from the programs in [gallery](gallery); a test checks that it is up to date. The same from the command line:

    wengert draw neuron.py --target loss -o neuron.svg
    wengert explain neuron.py --target loss
    wengert explore neuron.py --target loss
"""


def made() -> dict[Path, str]:
    """Every file of the gallery with its content."""
    files: dict[Path, str] = {}
    parts = [_HEAD]
    for example in EXAMPLES:
        parts += [f"\n## {example.title}\n", f"{example.text}\n"]
        source = FOLDER / f"{example.name}.py"
        parts.append(f"```python\n{source.read_text(encoding='utf-8').strip()}\n```\n")
        shown = _asked(source, example)
        files[FOLDER / f"{example.name}.svg"] = shown["picture"]
        parts.append(f"![the graph of {example.target}](gallery/{example.name}.svg)\n")
        if example.explained:
            parts.append(f"`print(wengert.explain({example.target}))`:\n\n```text\n{shown['explanation']}\n```\n")
        if example.pages:
            files[FOLDER / f"{example.name}.html"] = shown["page"]
            parts.append(f"[Walk through it step by step](gallery/{example.name}.html): a page for the browser.\n")
    files[DOCS / "gallery.md"] = "\n".join(parts)
    return files


def _asked(source: Path, example: Example) -> dict[str, str]:
    """What the functions make of the program's result, each asked as if it stood at the program's end."""

    def answer(question: Callable[[Any], Any]) -> Any:
        return run_and_ask(source, [], [example.target], question).answer

    shown = {"picture": answer(draw).svg()}
    if example.explained:
        shown["explanation"] = str(answer(explain)).strip()
    if example.pages:
        shown["page"] = answer(explore).html()
    return shown


def main() -> int:
    """Write or check the gallery."""
    parser = argparse.ArgumentParser(description="Make docs/gallery.md from the programs in docs/gallery.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if anything is out of date")
    check = parser.parse_args().check
    stale = [path for path, text in made().items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    if check and stale:
        names = ", ".join([os.path.relpath(path, DOCS.parent) for path in stale])
        sys.stderr.write(f"out of date: {names}; run: python scripts/gallery.py\n")
        return 1
    if not check:
        for path, text in made().items():
            path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
