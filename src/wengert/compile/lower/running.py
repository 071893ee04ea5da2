"""Exponentials of long rows without a pass for their largest elements: relative to the largest of a part of the row.

``exp(x - top)`` with the largest element of a row needs that first: a pass over memory. Here a part of a row, some KB,
goes from memory to the first cache once. Its own largest element is found there, then its exponentials relative to
that and their sum, while the next part is fetched. The largest of the row follows from those of the parts, and each
part's factor ``exp(its largest - top)``. The sum takes the parts' sums times these, and so do the exponentials where
later loops read them, if they are kept; else those compute them from the row's largest, as they would anyway.

A part's largest element is kept within the finite numbers: of a part that is all -inf (or has +inf) the exponentials
are 0 (or infinite), whatever the rest of the row is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from wengert._records import replace
from wengert.compile.lower.levels import Level
from wengert.compile.lower.parts import number_of_parts
from wengert.compile.lower.places import Place, broadcast
from wengert.compile.lower.steps import short
from wengert.compile.nest import Affine, Buffer, Extent, Load, Loop, Operand, Role, Statement, Store, at
from wengert.program.program import Equation
from wengert.program.values import Value

PART: Final = 1 << 15  # bytes: the next one has room beside it in the first cache
LEAST: Final = 1 << 18  # bytes of a row: what the second cache holds is read twice at little cost


@dataclass(frozen=True, slots=True, eq=False)
class Running:
    """What belongs together: the rows, their largest elements, what is subtracted, the exponentials, their sums."""

    x: Value
    top: Value
    shift: Value
    exponentials: Value
    total: Value

    @property
    def size(self) -> int:
        """The elements of a part."""
        return PART // self.x.dtype.itemsize


# --- which roots -----------------------------------------------------------------------------------------------------


def mark_running(step: Any, group: Any) -> None:
    """Mark the roots that are the largest elements of long rows, and the exponentials that these serve, with sums."""
    for equation in step.equations:
        running = _found(equation, group)
        if running is None or running.exponentials in step.results or not _readers_follow(running, group):
            continue
        for value in (running.top, running.exponentials, running.total):
            if value in group.roots:
                group.roots[value].running = running
        group.running[running.exponentials] = running


def _found(equation: Equation, group: Any) -> Running | None:
    """The sum of exponentials that an equation is, if it is one of long rows."""
    (total,) = equation.results
    if not _is_over_rows(equation, "sum", group):
        return None
    (exponentials,) = equation.values
    rest = _argument(group, exponentials, "exp")
    maker = None if rest is None else group.makers.get(rest)
    if maker is None or maker.op.name != "sub" or len(maker.values) != 2 or len(maker.inputs) != 2:
        return None
    x, shift = maker.inputs
    clamped = _argument(group, shift, "clamp")
    top = shift if clamped is None or shift in group.roots else clamped
    largest = group.makers.get(top)
    if largest is None or not _is_over_rows(largest, "amax", group) or largest.inputs[0] is not x:
        return None
    is_long = x.shape[-1] * x.dtype.itemsize >= LEAST and short(x.dtype) in ("f4", "f8")
    if not is_long or group.roots[top].running is not None or total.dtype != x.dtype:
        return None
    return Running(x, top, shift, exponentials, total)


def _argument(group: Any, value: Value, name: str) -> Value | None:
    """The argument of the operation of this name that a value is the result of."""
    maker = group.makers.get(value)
    return maker.values[0] if maker is not None and maker.op.name == name and maker.values else None


def _is_over_rows(equation: Equation, name: str, group: Any) -> bool:
    """Whether an equation is a reduction over the last axis."""
    root = group.roots.get(equation.results[0])
    if equation.op.name != name or root is None:
        return False
    return root.reduced == (len(root.shape) - 1,) and not root.in_parts


def _readers_follow(running: Running, group: Any) -> bool:
    """Whether all that reads kept exponentials goes along the rows, part by part."""
    kept = running.exponentials
    for value, root in group.roots.items():
        found = [is_aligned for x, is_aligned in group.leaves_of(value) if x is kept]
        in_order = root.order == tuple(range(kept.ndim)) and root.shape == kept.shape
        follows = in_order and not (root.is_product or root.in_parts or root.update is not None)
        if found and not (follows and all(found)):
            return False
    return True


def read_by(roots: Any, group: Any) -> list[Running]:
    """Those of whose kept exponentials the loops of some roots read."""
    stored = {kept: running for kept, running in group.running.items() if kept in group.roots}
    leaves = {x for root in roots for x, _ in group.leaves_of(root.value)} if stored else set()
    return [running for kept, running in stored.items() if kept in leaves]


# --- loops -----------------------------------------------------------------------------------------------------------


def split(body: Any, running: Running) -> None:
    """Let the innermost loop that stands open go part by part."""
    row = body.levels[-1]
    row.part = f"{row.axis}_part", running.size
    body.levels.insert(-1, Level(row.part[0], number_of_parts(row.extent, running.size)))


def scaled(body: Any, kept: Value, name: str, place: Place) -> str:
    """An element of kept exponentials, relative to the largest element of its row."""
    part = at(body.levels[-1].part[0])
    factor = body.load_from(body.factors[kept], (*place[:-1], part))
    return body.compute("mul", (name, factor), short(kept.dtype))  # type: ignore[no-any-return]


def add_running(body: Any, running: Running) -> None:
    """The loops for the largest elements, the exponentials, if they are kept, and their sums."""
    x, dtype, number = running.x, short(running.x.dtype), body.new_number()
    rows = [(f"i{number}_{axis}", body.sizes.extent(n)) for axis, n in enumerate(x.shape[:-1]) if n != 1]
    axes = dict(rows)
    row = tuple([at(name) if (name := f"i{number}_{axis}") in axes else Affine() for axis in range(x.ndim - 1)])
    length = body.sizes.extent(x.shape[-1])
    count = number_of_parts(length, running.size)
    shape = (*map(body.sizes.extent, x.shape[:-1]), count)
    buffers = [Buffer(f"{name}{number}", dtype, shape, Role.TEMP) for name in ("top", "part", "factor")]
    body.buffers += buffers
    tops, sums, factors = [buffer.name for buffer in buffers]
    body.factors[running.exponentials] = factors
    part, depth = f"i{number}_part", len(rows) + 1

    def begin(axis: str) -> Place:
        body.open([*rows, (part, count)])
        body.levels.append(Level(axis, length, (part, running.size)))
        return (*row, at(axis))

    place, start = begin(f"i{number}_top"), len(body.statements)
    value = body.summand(body.group.makers[running.top], place, flat=False)
    body.put(Store(tops, (*row, at(part)), body.accumulate("max", value, depth, dtype)), depth)
    body.close()
    first = _taken(body.statements, start)
    place = begin(f"i{number}_exp")
    value = body.named(body.operand(x, place, flat=False), dtype)
    e = body.compute("exp", (body.compute("sub", (value, _top(body, tops, (*row, at(part)))), dtype),), dtype)
    if body.is_in_memory(running.exponentials):
        buffer, index = body.located(running.exponentials, place)
        body.levels[-1].before.append(Store(buffer, index, e))
    body.put(Store(sums, (*row, at(part)), body.accumulate("sum", e, depth, dtype)), depth)
    body.close()
    second = _taken(body.statements, start)
    body.statements += [*first[:-1], *second[:-1], _one_after_the_other(first[-1], second[-1], running.size)]
    _add_rows(body, running, rows, row, (tops, sums, factors), count)


def _add_rows(
    body: Any,
    running: Running,
    rows: list[tuple[str, Extent]],
    row: Place,
    buffers: tuple[str, str, str],
    count: Extent,
) -> None:
    """What belongs to a row, from what belongs to its parts."""
    tops, sums, factors = buffers
    dtype, roots = short(running.x.dtype), body.group.roots
    part = f"i{body.new_number()}_part"
    place = (*row, at(part))
    body.open([*rows, (part, count)])
    body.reduce(roots[running.top], body.load_from(tops, place), dtype, place, len(rows))
    body.close()
    body.open([*rows, (part, count)])
    shift = body.operand(running.shift, broadcast(place, running.shift.shape), flat=False)
    rest = body.compute("sub", (_top(body, tops, place), shift), dtype)
    factor = body.compute("exp", (rest,), dtype)
    body.levels[-1].before.append(Store(factors, place, factor))
    value = body.compute("mul", (body.load_from(sums, place), factor), dtype)
    body.reduce(roots[running.total], value, dtype, place, len(rows))
    body.close()


def _top(body: Any, tops: str, place: Place) -> str:
    """The largest element of a part, or the finite number that is next to it."""
    buffer = body.load_from(tops, place)
    dtype = next(b.dtype for b in body.buffers if b.name == tops)
    most = float(np.finfo(dtype).max)
    bounds: tuple[tuple[str, Operand], ...] = (("min", -most), ("max", most))
    return body.compute("clamp", (buffer,), dtype, bounds)  # type: ignore[no-any-return]


def _taken(statements: list[Statement], start: int) -> list[Statement]:
    """The statements from there on, which are taken away."""
    taken = statements[start:]
    del statements[start:]
    return taken


def _one_after_the_other(first: Statement, second: Statement, size: int) -> Loop:
    """Two nests as one: a part goes through the first one's innermost loop, then through the second's."""
    assert isinstance(first, Loop)
    assert isinstance(second, Loop)
    inner = second.body[-1]
    if isinstance(inner, Loop) and inner.part is None:
        both = _one_after_the_other(first.body[-1], inner, size)
        return replace(first, body=(*first.body[:-1], *second.body[:-1], both))
    ahead = tuple([_fetching(s, size) for s in second.body])
    return replace(first, body=first.body + ahead)


def _fetching(statement: Statement, size: int) -> Statement:
    """A loop over a part with loads that fetch the next part, too."""
    if not isinstance(statement, Loop):
        return statement
    along = at(statement.axis)
    body = [
        replace(s, ahead=size) if isinstance(s, Load) and s.index and s.index[-1] == along else s
        for s in statement.body
    ]
    return replace(statement, body=tuple(body))


__all__ = ["Running", "add_running", "mark_running", "read_by", "scaled", "split"]
