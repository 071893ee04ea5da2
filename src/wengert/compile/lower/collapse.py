"""Two loops that run over memory in order become one: longer rows make better vectors, sums over columns wider ones.

It knows nests alone: loops directly inside of each other whose axes stand side by side in every index that has them.
"""

from __future__ import annotations

from collections.abc import Iterator

from wengert._records import replace
from wengert.compile.llvm.places import product, walk
from wengert.compile.nest import (
    Affine,
    Buffer,
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
    at,
)


def collapsed(kernel: Kernel) -> Kernel:
    """The kernel with such loops as one."""
    collapsing = _Collapsing(kernel)
    body = collapsing.body(kernel.body)
    return replace(kernel, buffers=tuple(collapsing.buffers.values()), body=body)


class _Collapsing:
    """The rewriting of one kernel."""

    def __init__(self, kernel: Kernel) -> None:
        self.buffers = {buffer.name: buffer for buffer in kernel.buffers}

    def body(self, body: tuple[Statement, ...]) -> tuple[Statement, ...]:
        """The statements, loops in them as one where that can be, from the inside out."""
        return tuple([self.loop(s) if isinstance(s, Loop) else s for s in body])

    def loop(self, loop: Loop) -> Loop:
        """One loop."""
        loop = replace(loop, body=self.body(loop.body))
        if len(loop.body) != 1 or loop.accs or loop.carries or loop.vector is not None or loop.part is not None:
            return loop
        inner = loop.body[0]
        if not isinstance(inner, Loop) or inner.accs or inner.carries or inner.vector is not None or inner.part:
            return loop
        if not all([self.is_in_order(s, loop, inner) for s in walk(inner.body)]):
            return loop
        body = tuple([self.merged(s, loop, inner) for s in inner.body])
        return replace(loop, extent=product(loop.extent, inner.extent), body=body)

    def is_in_order(self, s: Statement, outer: Loop, inner: Loop) -> bool:
        """Whether a statement's index has both axes side by side, over all of the memory there, or none of them."""
        axes = {outer.axis, inner.axis}
        if isinstance(s, MatMul):
            return not any([_has(index, axes) for ref in (s.out, s.a, s.b) for index in ref.index])
        if isinstance(s, Iota):
            return not _has(s.index, axes)
        if not isinstance(s, (Load, Store)):
            return True
        places = [place for place, index in enumerate(s.index) if _has(index, axes)]
        if not places:
            return True
        buffer, first = self.buffers[s.buffer], places[0]
        if buffer.role is Role.LOCAL or buffer.strided or (isinstance(s, Load) and s.outside is not None):
            return False
        side_by_side = s.index[first : first + 2] == (at(outer.axis), at(inner.axis))
        return len(places) == 2 and side_by_side and buffer.shape[first : first + 2] == (outer.extent, inner.extent)

    def merged(self, s: Statement, outer: Loop, inner: Loop) -> Statement:
        """A statement with one axis in place of both."""
        match s:
            case Loop():
                return replace(s, body=tuple([self.merged(each, outer, inner) for each in s.body]))
            case If():
                then, other = (tuple([self.merged(each, outer, inner) for each in b]) for b in (s.then, s.other))
                return replace(s, then=then, other=other)
            case Load() | Store() if at(outer.axis) in s.index:
                first = s.index.index(at(outer.axis))
                index: tuple[Index, ...] = (*s.index[: first + 1], *s.index[first + 2 :])
                return replace(s, buffer=self.alias(s.buffer, first), index=index)
            case _:
                return s

    def alias(self, name: str, first: int) -> str:
        """The buffer with two axes as one."""
        buffer = self.buffers[name]
        one = product(buffer.shape[first], buffer.shape[first + 1])
        shape: tuple[Extent, ...] = (*buffer.shape[:first], one, *buffer.shape[first + 2 :])
        if (known := next(self.like(buffer, shape), None)) is not None:
            return known
        new = f"{name}.{first}"
        self.buffers[new] = Buffer(new, buffer.dtype, shape, buffer.role, alias=buffer.alias or buffer.name)
        return new

    def like(self, buffer: Buffer, shape: tuple[Extent, ...]) -> Iterator[str]:
        """Buffers of this shape in the same memory."""
        root = buffer.alias or buffer.name
        for other in self.buffers.values():
            if other.shape == shape and root in (other.alias, other.name):
                yield other.name


def _has(index: Index, axes: set[str]) -> bool:
    return isinstance(index, Affine) and any([axis in axes for axis, _ in index.terms])


__all__ = ["collapsed"]
