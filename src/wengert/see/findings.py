"""What a diagnosis finds, as objects and as sentences.

Knows how a finding and a report look as data, as text and as Markdown. Knows no graph and no question.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from wengert._source import Location, quoted

_WIDTH = 110
_LONGEST = 72


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found, with what it was found from.

    ``fault`` tells what most probably is a mistake from what only explains (a gradient that is zero at a minimum).
    """

    kind: str  # a short word for the cause: `cut`, `rebound`, `log_of_zero`
    what: str  # what was found, in one sentence or a few
    variable: str | None = None  # what the user calls the tensor that it is about
    location: Location | None = None  # the place in the user's program
    index: tuple[int, ...] | None = None  # of the element that it is shown for
    numbers: dict[str, Any] = field(default_factory=dict)  # what was measured there
    remedy: str | None = None
    fault: bool = True

    @property
    def line(self) -> int | None:
        """The line in the user's program."""
        return self.location.lineno if self.location is not None else None

    def __str__(self) -> str:
        lines = [_filled(self.what, "")]
        if self.location is not None:
            lines.append(f"  {place(self.location)}")
        if self.numbers:
            lines.append(_filled(", ".join([f"{name} = {shown(value)}" for name, value in self.numbers.items()]), "  "))
        if self.remedy is not None:
            lines.append(_filled(f"Remedy: {self.remedy}", "  "))
        return "\n".join(lines)

    def _repr_markdown_(self) -> str:
        parts = [self.what]
        if self.location is not None:
            text = self.location.statement() or self.location.source_line()
            parts.append(f"at {self.location}" + (f": `{text}`" if text is not None else ""))
        if self.numbers:
            parts.append(", ".join([f"`{name} = {shown(value)}`" for name, value in self.numbers.items()]))
        if self.remedy is not None:
            parts.append(f"**Remedy:** {self.remedy}")
        return "  \n".join(parts)


@dataclass(frozen=True, slots=True)
class Report:
    """The findings on one question, the most telling first; it prints as text and shows as Markdown in Jupyter."""

    question: str
    findings: tuple[Finding, ...] = ()
    all_well: str = "Nothing wrong was found."  # what is said where nothing was found

    @property
    def ok(self) -> bool:
        """Whether no fault was found; notes that only explain do not count."""
        return not self.faults

    @property
    def faults(self) -> tuple[Finding, ...]:
        """The findings that most probably are mistakes."""
        return tuple([finding for finding in self.findings if finding.fault])

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def __len__(self) -> int:
        return len(self.findings)

    def __getitem__(self, index: int) -> Finding:
        return self.findings[index]

    def __bool__(self) -> bool:
        return bool(self.findings)

    def __str__(self) -> str:
        if not self.findings:
            return f"{self.question}\n  {self.all_well}"
        numbered = len(self.findings) > 1
        texts = [f"{i}. {finding}" if numbered else str(finding) for i, finding in enumerate(self.findings, 1)]
        return "\n".join([self.question, *[textwrap.indent(text, "  ") for text in texts]])

    __repr__ = __str__

    def _repr_markdown_(self) -> str:
        if not self.findings:
            return f"**{self.question}**\n\n{self.all_well}"
        items = [textwrap.indent(finding._repr_markdown_(), "   ").lstrip() for finding in self.findings]
        return "\n".join([f"**{self.question}**", "", *[f"{i}. {item}" for i, item in enumerate(items, 1)]])


def place(location: Location) -> str:
    """``train.py:12: p = torch.sigmoid(z)``."""
    text = location.statement() or location.source_line()
    return f"{location}: {_shortened(text)}" if text is not None else str(location)


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def shown(value: Any) -> str:
    """A number as it is printed in a finding."""
    if isinstance(value, bool) or not isinstance(value, (float, complex)):
        return str(value)
    return f"{value:.6g}"


def share(count: int, size: int) -> str:
    """``3 of 8 elements (38 %)``."""
    if size == 1:
        return "the only element" if count else "no element"
    if count == size:
        return f"all {size:,} elements"
    return f"{count:,} of {size:,} elements ({100 * count / size:.2g} %)"


def _filled(text: str, indent: str) -> str:
    return textwrap.fill(
        text, _WIDTH, initial_indent=indent, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def listed(names: list[str], most: int = 3) -> str:
    """```a`, `b` and 4 more``."""
    few = ", ".join([quoted(name, "") for name in names[:most]])
    return few if len(names) <= most else f"{few} and {len(names) - most} more"


__all__ = ["Finding", "Report", "listed", "place", "share", "shown"]
