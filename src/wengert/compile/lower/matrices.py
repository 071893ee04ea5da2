"""Products of matrices as statements of a kernel: where operands begin, how far their rows and columns lie apart.

Movement costs nothing here: a transposed, sliced, flipped or expanded operand is read where its elements are.
"""

from __future__ import annotations

from typing import Any

from wengert.compile.llvm.places import place_of
from wengert.compile.lower.places import Place
from wengert.compile.lower.steps import short
from wengert.compile.nest import Affine, Loop, MatMul, Operand, Ref, Statement, at
from wengert.program.values import Value


def product_statement(body: Any, y: Value, target: Value | None = None, scale: Operand = 1.0) -> Statement:
    """A product, or a loop of them over the stacks; with a target, times the scale it is added to what lies there."""
    a, b = body.group.makers[y].values
    number = body.new_number()
    extent = body.sizes.extent
    axes = [f"i{number}_{axis}" for axis in range(y.ndim - 2)]
    first = tuple(map(at, axes))
    row, column, inner = (f"i{number}_{name}" for name in ("row", "column", "inner"))
    out, left, right = (
        _matrix(body, body.located(x, (*first, at(down), at(along))), down, along)
        for x, down, along in ((y if target is None else target, row, column), (a, row, inner), (b, inner, column))
    )
    m, n = map(extent, y.shape[-2:])
    k, dtype, adds = extent(a.shape[-1]), short(y.dtype), target is not None
    statement: Statement = MatMul(out, left, right, m, n, k, dtype, adds, scale)
    for level, axis in reversed(list(enumerate(axes))):
        statement = Loop(axis, extent(y.shape[level]), (statement,), parallel=level == 0)
    return statement


def _matrix(body: Any, element: tuple[str, Place], row: str, column: str) -> Ref:
    """A matrix by where its element (row, column) stands."""
    name, place = element
    buffer = next(each for each in body.buffers if each.name == name)
    whole = place_of(buffer, place)
    begin = tuple([Affine(tuple([t for t in p.terms if t[0] not in (row, column)]), p.offset) for p in place])
    return Ref(name, begin, whole.along(row), whole.along(column))


__all__ = ["product_statement"]
