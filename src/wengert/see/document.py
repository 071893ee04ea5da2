"""A derivation as text, Markdown and LaTeX: sections of equations and sentences.

Knows how a page is set. Knows nothing of what stands on it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from textwrap import wrap
from typing import Final

from wengert.see.latex import LatexWriter
from wengert.see.notation import Writer

Side = Callable[[Writer], str]  # one side of an equation, in whichever notation

_PAGE: Final = 100  # sentences are wrapped there, formulas are not
_WIDEST: Final = 28  # what stands left of the first equals sign is aligned up to this width


@dataclass(frozen=True, slots=True)
class Equation:
    """Several things that are equal, each behind the last."""

    sides: tuple[Side, ...]
    broken: bool = False  # each further side on a line of its own

    def texts(self, writer: Writer) -> list[str]:
        """The sides in a notation, without empty ones and those that repeat the one before."""
        texts: list[str] = []
        for side in self.sides:
            text = side(writer)
            if text and (not texts or text != texts[-1]):
                texts.append(text)
        return texts


@dataclass(slots=True)
class Section:
    """A heading with equations and sentences."""

    title: str
    items: list[Equation | str] = field(default_factory=list)


@dataclass(slots=True)
class Document:
    """A title and sections."""

    title: Equation | str
    sections: list[Section]

    def text(self) -> str:
        """As plain text."""
        writer = Writer()
        title = self.title if isinstance(self.title, str) else " = ".join(self.title.texts(writer))
        blocks = [title]
        for section in self.sections:
            lines = [section.title]
            rows = [item.texts(writer) if isinstance(item, Equation) else None for item in section.items]
            width = max([len(row[0]) for row in rows if row and len(row[0]) <= _WIDEST], default=0)
            for item, row in zip(section.items, rows, strict=True):
                if isinstance(item, Equation) and row is not None:
                    lines += _rows(row, width, broken=item.broken)
                else:
                    lines += wrap(
                        str(item), _PAGE, initial_indent="  ", subsequent_indent="    ", break_long_words=False
                    )
            blocks.append("\n".join([line.rstrip() for line in lines]))
        return "\n\n".join(blocks)

    def markdown(self) -> str:
        """As Markdown with formulas between dollar signs, which Jupyter and GitHub show."""
        blocks = [f"### {self._title()}"]
        for section in self.sections:
            blocks.append(f"**{section.title}**")
            for chunk in _chunks(section.items):
                if isinstance(chunk[0], Equation):
                    blocks.append(f"$$\n{_aligned(chunk)}\n$$")
                else:
                    blocks.append("\n".join([f"- {item}" for item in chunk]))
        return "\n\n".join(blocks)

    def latex(self) -> str:
        """As LaTeX: paragraphs and displayed equations, for `amsmath`."""
        blocks = []
        for title, items in [(None, [self.title]), *[(s.title, s.items) for s in self.sections]]:
            if title is not None:
                blocks.append(rf"\paragraph{{{_latex_words(title)}}}")
            for chunk in _chunks(items):
                if isinstance(chunk[0], Equation):
                    blocks.append(f"\\[\n{_aligned(chunk)}\n\\]")
                else:
                    blocks.append("\n\n".join([_latex_words(str(item)) for item in chunk]))
        return "\n\n".join(blocks)

    def _title(self) -> str:
        return self.title if isinstance(self.title, str) else f"${' = '.join(self.title.texts(LatexWriter()))}$"


def _rows(texts: Sequence[str], width: int, *, broken: bool) -> list[str]:
    left, *others = texts
    if not broken:
        return [f"  {left:{width}} = {' = '.join(others)}" if others else f"  {left}"]
    pad = " " * max(width, len(left))
    return [f"  {left if not k else pad:{width}} = {side}" for k, side in enumerate(others)]


def _chunks(items: Sequence[Equation | str]) -> list[list[Equation | str]]:
    """Neighbours of one kind together."""
    chunks: list[list[Equation | str]] = []
    for item in items:
        if chunks and isinstance(chunks[-1][0], Equation) == isinstance(item, Equation):
            chunks[-1].append(item)
        else:
            chunks.append([item])
    return chunks


def _aligned(items: Sequence[Equation | str]) -> str:
    writer = LatexWriter()
    lines = []
    for item in items:
        assert isinstance(item, Equation)
        left, *others = item.texts(writer)
        if item.broken:
            lines += [f"{left if not k else ''} &= {side}" for k, side in enumerate(others)]
        else:
            lines.append(f"{left} &= {' = '.join(others)}" if others else f"& {left}")
    body = " \\\\\n".join(lines)
    return f"\\begin{{aligned}}\n{body}\n\\end{{aligned}}"


def _latex_words(text: str) -> str:
    for sign in "\\{}$&#^_%~":
        text = text.replace(sign, {"\\": r"\textbackslash ", "^": r"\^{}", "~": r"\~{}"}.get(sign, f"\\{sign}"))
    return text


__all__ = ["Document", "Equation", "Section", "Side"]
