"""Sums over rows beside loops that go row by row: part by part of the rows, in memory, so that one pass serves both.

A sum over the first axis alone runs with columns as lanes. Where loops over the same array need it row by row (sums of
rows, results of its shape), that would be a second pass over memory, or a third. Here each row is added to the sums
of its part, which the first cache holds, and the parts' sums are added up afterwards. Threads share the parts; a part
is so short that its sums are as good as those of blocks elsewhere.
"""

from __future__ import annotations

from math import prod
from typing import Any, Final

from wengert.compile.lower.places import Place
from wengert.compile.lower.steps import REDUCTIONS, short
from wengert.compile.nest import Affine, Buffer, Expr, Extent, Loop, Role, Statement, Store, at
from wengert.program.program import Equation

ROWS: Final = 64  # of a part
_LEAST_ROWS: Final = 4 * ROWS
_LEAST_COLUMNS: Final = 16
_LEAST: Final = 1 << 14  # elements: less is in the first cache, where a second pass costs nothing


def is_worth_parts(root: Any, equation: Equation) -> bool:
    """Whether a root is a sum over the rows of a large array of numbers."""
    if REDUCTIONS.get(equation.op.name) != "sum" or root.reduced != (0,) or len(root.shape) < 2:
        return False
    is_large = root.shape[0] >= _LEAST_ROWS and prod(root.shape) >= _LEAST
    return is_large and root.shape[-1] >= _LEAST_COLUMNS and short(root.value.dtype) in ("f4", "f8")


def number_of_parts(rows: Extent, size: int = ROWS) -> Extent:
    """The number of parts, the last of which may be shorter."""
    return -(-rows // size) if isinstance(rows, int) else Expr("//", (Expr("+", (rows, size - 1)), size))


def add_to_part(body: Any, root: Any, place: Place) -> Buffer:
    """Add an element to the sum of its part of the rows, in the loops that stand open; the sums of all parts."""
    value = body.summand(body.group.makers[root.value], place, flat=False)
    part, number = body.levels[1], body.new_number()
    columns = tuple(map(body.sizes.extent, root.shape[1:]))
    buffer = Buffer(f"p{number}", short(root.value.dtype), (part.extent, *columns), Role.TEMP)
    body.buffers.append(buffer)
    axes = [(f"i{number}_{axis}", n) for axis, n in enumerate(columns, 1)]
    zero: Statement = Store(buffer.name, (at(part.axis), *[at(axis) for axis, _ in axes]), 0.0)
    for axis, extent in reversed(axes):
        zero = Loop(axis, extent, (zero,))
    part.before.append(zero)
    to = at(part.axis), *place[1:]
    if root.alone:
        kept = len(body.levels) - 2  # all but the rows
        body.put(Store(buffer.name, to, body.accumulate("sum", value, kept, buffer.dtype), add=True), kept)
    else:
        body.levels[-1].before.append(Store(buffer.name, to, value, add=True))
    return buffer


def add_sum(body: Any, root: Any, buffer: Buffer) -> None:
    """The loops that add up the sums of the parts, in float64."""
    number = body.new_number()
    axes = [f"i{number}_{axis}" for axis in range(len(buffer.shape))]
    order = [axis for axis in range(1, len(axes)) if root.shape[axis] != 1]
    body.open([(axes[axis], buffer.shape[axis]) for axis in (*order, 0)])
    place = tuple([at(axes[axis]) if axis in (0, *order) else Affine() for axis in range(len(axes))])
    value = body.compute("cast", (body.load_from(buffer.name, place),), "f8")
    body.reduce(root, value, "f8", place, len(order))
    body.close()


__all__ = ["ROWS", "add_sum", "add_to_part", "is_worth_parts", "number_of_parts"]
