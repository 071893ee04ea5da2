"""Sizes and places as arithmetic: which element of a buffer an access touches, as a sum over the loop axes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from wengert._records import record
from wengert.compile.nest import (
    Affine,
    Buffer,
    Check,
    Compute,
    Expr,
    Extent,
    If,
    Indirect,
    Iota,
    Load,
    Loop,
    MatMul,
    Statement,
    Store,
    Tiles,
)

LINE: Final = 64  # bytes


def product(a: Extent, b: Extent) -> Extent:
    """``a * b``, numbers folded."""
    if isinstance(a, int) and isinstance(b, int):
        return a * b
    if a == 0 or b == 0:
        return 0
    return b if a == 1 else a if b == 1 else Expr("*", (a, b))


def total(a: Extent, b: Extent) -> Extent:
    """``a + b``, numbers folded and like terms put together: the sum of many is as long as they are different."""
    if isinstance(a, int) and isinstance(b, int):
        return a + b
    if a == 0 or b == 0:
        return b if a == 0 else a
    counts: dict[Extent, int] = {}
    for term in (*_terms(a), *_terms(b)):
        base, count = _counted(term)
        counts[base] = counts.get(base, 0) + count
    terms = [product(base, count) for base, count in counts.items() if count]
    return 0 if not terms else terms[0] if len(terms) == 1 else Expr("+", tuple(terms))


def _terms(extent: Extent) -> tuple[Extent, ...]:
    return extent.args if isinstance(extent, Expr) and extent.op == "+" else (extent,)


def _counted(term: Extent) -> tuple[Extent, int]:
    """A term as a number of times something else; a number is a number of ones."""
    if isinstance(term, int):
        return 1, term
    if isinstance(term, Expr) and term.op == "*" and len(term.args) == 2:
        first, last = term.args
        if isinstance(last, int):
            return first, last
        if isinstance(first, int):
            return last, first
    return term, 1


def count_of(shape: tuple[Extent, ...]) -> Extent:
    """The number of elements of a shape."""
    n: Extent = 1
    for extent in shape:
        n = product(n, extent)
    return n


def aligned(size: Extent) -> Extent:
    """A number of bytes, up to the next line of the cache."""
    if isinstance(size, int):
        return -(-size // LINE) * LINE
    return product(Expr("//", (total(size, LINE - 1), LINE)), LINE)


def stride_name(buffer: str, axis: int) -> str:
    """The symbolic size that holds the stride of a strided argument, in elements."""
    return f"{buffer}.stride{axis}"


def strides_of(buffer: Buffer) -> tuple[Extent, ...]:
    """How far neighbours along each axis lie apart, in elements."""
    if buffer.strided:
        return tuple(stride_name(buffer.name, axis) for axis in range(len(buffer.shape)))
    strides: list[Extent] = []
    step: Extent = 1
    for extent in reversed(buffer.shape):
        strides.append(step)
        step = product(step, extent)
    return tuple(reversed(strides))


@record
class Place:
    """An element of a buffer: ``offset + sum(coefficient * axis) + sum(stride * computed index)``."""

    offset: Extent
    terms: tuple[tuple[str, Extent], ...]
    computed: tuple[tuple[str, Extent, Extent], ...]  # name of the value, stride, extent of the axis

    def along(self, axis: str) -> Extent:
        """The coefficient of an axis."""
        return dict(self.terms).get(axis, 0)


def place_of(buffer: Buffer, index: tuple[Affine | Indirect, ...]) -> Place:
    """The place that an index names."""
    offset: Extent = 0
    terms: dict[str, Extent] = {}
    computed = []
    for one, stride, extent in zip(index, strides_of(buffer), buffer.shape, strict=True):
        if isinstance(one, Indirect):
            computed.append((one.value, stride, extent))
            continue
        offset = total(offset, product(one.offset, stride))
        for axis, coefficient in one.terms:
            terms[axis] = total(terms.get(axis, 0), product(coefficient, stride))
    return Place(offset, tuple([(a, c) for a, c in terms.items() if c != 0]), tuple(computed))


def walk(body: tuple[Statement, ...]) -> Iterator[Statement]:
    """All statements, those inside of others included."""
    for statement in body:
        yield statement
        if isinstance(statement, Loop):
            yield from walk(statement.body)
        elif isinstance(statement, If):
            yield from walk(statement.then)
            yield from walk(statement.other)
        elif isinstance(statement, Tiles):
            yield from walk(statement.loops)


def within_part(loop: Loop) -> Loop | None:
    """The loop over the rows of one part, last in a loop that numbers the parts, or last in what is last there."""
    inner = loop.body[-1] if loop.body else None
    while isinstance(inner, Loop) and inner.part is None:
        inner = next((s for s in inner.body if isinstance(s, Loop)), None)
    is_part = isinstance(inner, Loop) and inner.part is not None and inner.part[0] == loop.axis
    return inner if is_part and isinstance(inner, Loop) else None


def sizes_in(extent: Extent) -> Iterator[str]:
    """The symbolic sizes of an extent."""
    if isinstance(extent, str):
        yield extent
    elif isinstance(extent, Expr):
        for arg in extent.args:
            yield from sizes_in(arg)


def axes_of(statement: Statement) -> set[str]:
    """The loop axes that a single statement's indices mention."""
    if isinstance(statement, (Load, Store)):
        indices = statement.index
    elif isinstance(statement, Iota):
        indices = (statement.index,)
    elif isinstance(statement, MatMul):
        indices = (*statement.out.index, *statement.a.index, *statement.b.index)
    else:
        return set()
    return {axis for index in indices if isinstance(index, Affine) for axis, _ in index.terms}


def names_read(statement: Statement) -> list[str]:
    """The names of values that a statement reads itself."""
    match statement:
        case Compute():
            return [arg for arg in statement.args if isinstance(arg, str)]
        case Store():
            named = [statement.value] if isinstance(statement.value, str) else []
            return named + [i.value for i in statement.index if isinstance(i, Indirect)]
        case Load():
            return [i.value for i in statement.index if isinstance(i, Indirect)]
        case Check():
            return [statement.condition]
        case If():
            phis = [name for phi in statement.phis for name in (phi.then, phi.other) if isinstance(name, str)]
            return [statement.condition, *phis]
        case Loop():
            carried = [x for c in statement.carries for x in (c.init, c.next) if isinstance(x, str)]
            return [acc.value for acc in statement.accs] + carried
        case MatMul():
            return [statement.scale] if isinstance(statement.scale, str) else []
        case _:
            return []
