"""Outer-axis fusion: loops over the same rows become one pass over them, a tile of rows at a time.

A kernel's loops follow one another, so what one leaves for the next lies in memory as large as the batch. Where a loop
reads of what the others write only what belongs to the same row, a tile of rows goes through all of them before the
next one comes: what they leave for each other stays in the cache, in memory for one tile. The loops themselves are not
changed, and become lanes as they would alone. Knows nests alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from math import prod
from typing import Final

from wengert._records import replace
from wengert.compile.llvm.places import count_of, names_read, product, total, walk, within_part
from wengert.compile.nest import (
    Affine,
    Buffer,
    Check,
    Compute,
    Expr,
    Extent,
    If,
    Index,
    Iota,
    Kernel,
    Load,
    Loop,
    MatMul,
    Role,
    Statement,
    Store,
    Tiles,
    at,
)

_TILE: Final = 1 << 16  # bytes that a tile's rows take, of all that its loops touch
_WHOLE: Final = 16  # tiles of more rows than this have a multiple of it
_MOST: Final = 120  # statements: what is longer takes too long to look through

Factors = tuple[int, tuple[str, ...]]


def tiled(kernel: Kernel) -> Kernel:
    """The kernel with such loops as tiles."""
    first = 1 + max([number for number, s in enumerate(kernel.body) if isinstance(s, Check)], default=-1)
    head, body = kernel.body[:first], kernel.body[first:]
    if len(body) > _MOST or len([s for s in body if isinstance(s, Loop)]) < 2:
        return kernel
    memory = _Memory(kernel)
    parts = [_Part(memory, s) for s in body]
    for extent in _row_counts(body):
        parts = _grouped(memory, parts, extent)
    if len(parts) == len(body):
        return kernel
    statements = [s for part in parts for s in part.finished(memory)]
    buffers = tuple([memory.buffers[b.name] for b in kernel.buffers])
    return replace(kernel, buffers=buffers, body=(*head, *statements))


def _row_counts(body: Iterable[Statement]) -> list[Extent]:
    """The numbers of rows to try: those of loops with loops in them, or that reduce."""
    found: dict[Factors, Extent] = {}
    for s in body:
        if isinstance(s, Loop) and any([isinstance(inner, Loop) for inner in s.body]):
            rows = _over_rows(s).extent
            factors = _factors(rows)
            if factors is not None and factors[1]:
                found.setdefault(factors, rows)
    return list(found.values())


def _over_rows(loop: Loop) -> Loop:
    """The loop that has rows for its rounds: a loop itself, or the one over the rows of a part within it.

    What begins a part leaves nothing but memory for its rows then, as tiles do not always begin with a part.
    """
    inner = within_part(loop)
    return loop if inner is None or any([True for s in loop.body[:-1] for _ in _given(s)]) else inner


# --- sizes ------------------------------------------------------------------------------------------------------------


def _factors(extent: Extent) -> Factors | None:
    """A size as a number times names; None if it is no product."""
    if isinstance(extent, int):
        return extent, ()
    if isinstance(extent, str):
        return 1, (extent,)
    parts = [_factors(arg) for arg in extent.args] if extent.op == "*" else [None]
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    return prod([n for n, _ in known]), tuple(sorted([name for _, names in known for name in names]))


def _quotient(extent: Extent, rows: Extent) -> Extent | None:
    """How often a number of rows goes into an extent."""
    whole, part = _factors(extent), _factors(rows)
    if whole is None or part is None or not part[0] or whole[0] % part[0]:
        return None
    left = list(whole[1])
    for name in part[1]:
        if name not in left:
            return None
        left.remove(name)
    number: Extent = whole[0] // part[0]
    for name in left:
        number = product(number, name)
    return number


def _row_size(buffer: Buffer, rows: Extent) -> Extent | None:
    """The elements of a row, if the first axes of a buffer are the rows."""
    wanted = _factors(rows)
    for axis in range(len(buffer.shape)):
        if _factors(count_of(buffer.shape[: axis + 1])) == wanted:
            return count_of(buffer.shape[axis + 1 :])
    return None


# --- what statements touch --------------------------------------------------------------------------------------------


class _Memory:
    """The buffers of a kernel; what lies between loops changes its role."""

    def __init__(self, kernel: Kernel) -> None:
        self.buffers = {buffer.name: buffer for buffer in kernel.buffers}

    def root(self, name: str) -> Buffer:
        """The buffer whose memory this is."""
        buffer = self.buffers[name]
        return buffer if buffer.alias is None else self.root(buffer.alias)

    def keep_rows(self, root: str) -> None:
        """Let a buffer, under all of its names, have a tile's rows alone."""
        for name, buffer in self.buffers.items():
            if self.root(name).name == root:
                self.buffers[name] = replace(buffer, role=Role.ROWS)

    def is_by_row(self, loop: Loop, access: Load | Store, rows: Extent) -> bool:
        """Whether an access in a loop touches only what belongs to the row of the iteration."""
        buffer = self.buffers[access.buffer]
        index = [(i, n) for i, n in zip(access.index, buffer.shape, strict=True) if n != 1]
        if not index or index[0][0] != at(loop.axis) or _factors(index[0][1]) != _factors(loop.extent):
            return False
        if isinstance(access, Load) and access.outside is not None:
            return False
        is_flat = _factors(loop.extent) != _factors(rows)
        return len(index) == 1 if is_flat else not any([_mentions(i, loop.axis) for i, _ in index[1:]])

    def is_row(self, name: str, rows: Extent) -> Extent | None:
        """The elements of a row of the memory of a buffer; None if its first axes are not the rows."""
        root = self.root(name)
        return None if root.strided else _row_size(root, rows)


def _mentions(index: Index, axis: str) -> bool:
    return isinstance(index, Affine) and axis in dict(index.terms)


class _Part:
    """A statement, or several loops that are to be tiles."""

    def __init__(self, memory: _Memory, statement: Statement) -> None:
        self.statements: tuple[Statement, ...] = (statement,)
        self.rows: Extent | None = None  # if the statements are loops that belong together
        self.loose: set[str] | None = None  # what is not touched row by row; None for what is no loop over the rows
        inner = list(walk(self.statements))
        self.given = {name for s in inner for name in _given(s)}
        self.asked = {name for s in inner for name in names_read(s)} - self.given
        self.written = {memory.root(name).name for s in inner for name in _written(s)}
        self.touched = {memory.root(name).name for s in inner for name in _touched(s)}

    def joined(self, other: _Part, rows: Extent) -> _Part:
        """Both as loops that belong together."""
        both = copy(self)
        both.statements, both.rows = (*self.statements, *other.statements), rows
        both.given, both.asked = self.given | other.given, self.asked | other.asked
        both.written, both.touched = self.written | other.written, self.touched | other.touched
        both.loose = (self.loose or set()) | (other.loose or set())
        return both

    def follows(self, other: _Part) -> bool:
        """Whether this must come after another part that stood before it."""
        if self.asked & other.given:
            return True
        return bool(self.written & other.touched or other.written & self.touched)

    def finished(self, memory: _Memory) -> tuple[Statement, ...]:
        """The statements: loops that belong together as tiles."""
        if self.rows is None or len(self.statements) == 1:
            return self.statements
        loops = tuple([s for s in self.statements if isinstance(s, Loop)])
        sizes = {name: _row_size(memory.buffers[name], self.rows) for name in sorted(self.touched)}
        buffers = tuple([(n, size) for n, size in sizes.items() if memory.buffers[n].role is Role.ROWS and size])
        row: Extent = 0
        for name, size in sizes.items():
            row = total(row, product(size or 0, int(memory.buffers[name].dtype[1])))
        per_row = tuple([_quotient(_over_rows(loop).extent, self.rows) or 1 for loop in loops])
        parts = [inner.part[1] for loop in loops if (inner := within_part(loop)) is not None and inner.part]
        part = max(parts, default=None)
        return (Tiles(self.rows, _rows_of_a_tile(row, part), loops, per_row, buffers, part),)


def _rows_of_a_tile(row: Extent, part: int | None) -> Extent:
    """As many rows as the cache holds, of this many bytes each; a part is a number of whole tiles where it can be."""
    fitting: Extent = Expr("//", (_TILE, Expr("max", (row, 1))))
    if part is not None:
        sizes = [part >> n for n in range(part.bit_length())]
        return Expr("max", tuple([product(Expr("min", (1, Expr("//", (fitting, n)))), n) for n in sizes] + [1]))
    whole = Expr("*", (Expr("//", (fitting, _WHOLE)), _WHOLE))
    return Expr("max", (whole, Expr("min", (fitting, _WHOLE - 1)), 1))


def _given(s: Statement) -> Iterator[str]:
    if isinstance(s, (Load, Compute, Iota)):
        yield s.name
    elif isinstance(s, Loop):
        yield from [acc.name for acc in s.accs]
        yield from [name for c in s.carries for name in (c.name, c.final)]
    elif isinstance(s, If):
        yield from [phi.name for phi in s.phis]


def _written(s: Statement) -> Iterator[str]:
    if isinstance(s, Store):
        yield s.buffer
    elif isinstance(s, MatMul):
        yield s.out.buffer


def _touched(s: Statement) -> Iterator[str]:
    if isinstance(s, (Load, Store)):
        yield s.buffer
    elif isinstance(s, MatMul):
        yield from [ref.buffer for ref in (s.out, s.a, s.b)]


# --- which loops belong together --------------------------------------------------------------------------------------


def _grouped(memory: _Memory, parts: list[_Part], rows: Extent) -> list[_Part]:
    """The parts with loops over these rows put together, as far as nothing between them has to wait."""
    done: list[_Part] = []
    for part in parts:
        part.loose = _loose(memory, part.statements[0], rows) if part.rows is None else None
        for place in range(len(done) if part.loose is not None else 0):
            if (waiting := _join(memory, done, place, part, rows)) is not None:
                both = done[place].joined(part, rows)
                free = [each for each in done[place + 1 :] if each not in waiting]
                done = [*done[:place], *free, both, *waiting]
                break
        else:
            done.append(part)
    for part in done:
        if part.rows is rows:
            _keep_rows(memory, part, done)
    return done


def _join(memory: _Memory, before: Sequence[_Part], place: int, part: _Part, rows: Extent) -> list[_Part] | None:
    """The parts that then come after both, if a part's loop can be one of the loops of an earlier part."""
    other = before[place]
    if other.loose is None or part.loose is None or not (part.touched & other.touched) or part.asked & other.given:
        return None
    shared = (part.written & other.touched) | (other.written & part.touched)
    if shared & (part.loose | other.loose) or any([memory.is_row(name, rows) is None for name in shared]):
        return None
    waiting = [other]  # parts that come after the earlier one, and what has to come after those
    for each in before[place + 1 :]:
        if any([each.follows(first) for first in waiting]):
            waiting.append(each)
    return None if any([part.follows(each) for each in waiting[1:]]) else waiting[1:]


def _loose(memory: _Memory, s: Statement, rows: Extent) -> set[str] | None:
    """What a loop over rows does not touch row by row; None for what goes along in other ways."""
    if not _is_over(s, rows):
        return None
    assert isinstance(s, Loop)
    loop, found = _over_rows(s), set()
    for access in walk(s.body):
        if isinstance(access, (Load, Store)) and not memory.is_by_row(loop, access, rows):
            if any([_mentions(i, loop.axis) for i in access.index]):
                return None
            found.add(memory.root(access.buffer).name)
    return found


def _is_over(s: Statement, rows: Extent) -> bool:
    """Whether a statement is a loop over rows that may be run for some of them at a time."""
    if not isinstance(s, Loop) or not s.parallel or s.carries or s.vector is not None or s.part is not None:
        return False
    loop = _over_rows(s)
    if _quotient(loop.extent, rows) is None or any([acc.op.startswith("arg") for acc in s.accs]):
        return False
    if loop is not s and _factors(loop.extent) != _factors(rows):
        return False
    return not any([isinstance(inner, (MatMul, If, Check)) for inner in walk(s.body)])


def _keep_rows(memory: _Memory, part: _Part, parts: Sequence[_Part]) -> None:
    """Let what lies between the loops of a part alone be as large as a tile."""
    assert part.rows is not None
    elsewhere = {name for other in parts if other is not part for name in other.touched}
    for name in sorted(part.written - elsewhere):
        is_row = memory.is_row(name, part.rows) is not None
        if memory.buffers[name].role is Role.TEMP and is_row and name not in (part.loose or ()):
            memory.keep_rows(name)


__all__ = ["tiled"]
