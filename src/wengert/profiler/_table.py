"""Events as a table of text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

_WIDTH = 12
_UNITS = {"s": 1e6, "ms": 1e3, "us": 1.0}


def time_text(us: float, unit: str | None = None) -> str:
    """Microseconds in the unit that suits them, or in a given one."""
    if unit is None:
        unit = "s" if us >= 1e6 else "ms" if us >= 1e3 else "us"
    return f"{us / _UNITS[unit]:.3f}{unit}"


def table(
    rows: Sequence[Any],
    total: float,
    grouped: frozenset[str],
    widths: tuple[int, int, int],
    header: str | None,
    unit: str | None,
) -> str:
    """The rows of a table, its head and the time of everything below it.

    ``widths`` are the most that names, shapes and places take; ``grouped`` says which of the latter two are columns.
    """
    if not rows:
        return ""
    columns = _columns(total, unit)
    cells = [[_cut(row.key, widths[0]), *[text(row) for _, text in columns]] for row in rows]
    heads = ["Name", *[name for name, _ in columns]]
    sizes = [max([4, *[len(line[0]) for line in cells]]) + 2, *[_WIDTH] * len(columns)]
    for name, head, most, text in (
        ("shapes", "Input Shapes", widths[1], _shapes_text),
        ("stack", "Source Location", widths[2], _place_text),
    ):
        if name in grouped:
            own = [_cut(text(row), most) for row in rows]
            cells = [[*line, cell] for line, cell in zip(cells, own, strict=True)]
            heads.append(head)
            sizes.append(max([len(head), *map(len, own)]) + 2)
    rule = "  ".join(["-" * size for size in sizes]) + "  "
    lines = ["=" * len(rule), header] if header is not None else []
    lines += [rule, _line(heads, sizes), rule, *[_line(line, sizes) for line in cells], rule]
    return "\n".join(lines) + f"\nSelf CPU time total: {time_text(total, unit)}\n"


def _columns(total: float, unit: str | None) -> list[tuple[str, Callable[[Any], str]]]:
    def share(us: float) -> str:
        return f"{100 * us / total if total else 0.0:.2f}%"

    return [
        ("Self CPU %", lambda row: share(row.self_cpu_time_total)),
        ("Self CPU", lambda row: time_text(row.self_cpu_time_total, unit)),
        ("CPU total %", lambda row: share(row.cpu_time_total)),
        ("CPU total", lambda row: time_text(row.cpu_time_total, unit)),
        ("CPU time avg", lambda row: time_text(row.cpu_time, unit)),
        ("# of Calls", lambda row: str(row.count)),
    ]


def _line(cells: Sequence[str], sizes: Sequence[int]) -> str:
    return "  ".join([cell.rjust(size) for cell, size in zip(cells, sizes, strict=True)]) + "  "


def _shapes_text(row: Any) -> str:
    return str([list(shape) for shape in row.input_shapes])


def _place_text(row: Any) -> str:
    return row.stack[0] if row.stack else ""


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: max(most - 3, 0)] + "..."


__all__ = ["table", "time_text"]
