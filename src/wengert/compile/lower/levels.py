"""Statements in nests of loops: each stands in the outermost loop in which all that it reads is known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any

from wengert.compile.lower.sizes import SHORT, Sizes
from wengert.compile.nest import (
    Acc,
    Affine,
    Compute,
    Extent,
    Index,
    Indirect,
    Iota,
    Load,
    Loop,
    Operand,
    Statement,
)


class Level:
    """What stands in one loop of a nest: before the next inner loop, and after it."""

    def __init__(self, axis: str | None, extent: Extent, part: tuple[str, int] | None = None) -> None:
        self.axis = axis
        self.extent = extent
        self.part = part
        self.before: list[Statement] = []
        self.after: list[Statement] = []
        self.accs: list[Acc] = []


class Nests:
    """The statements of a kernel under construction, nest by nest; with ``numbers`` their names go on from others."""

    def __init__(self, sizes: Sizes, numbers: Iterator[int] | None = None) -> None:
        self.sizes = sizes
        self.statements: list[Statement] = []
        self._numbers: Iterator[int] = count(1) if numbers is None else numbers
        # Of the nest that is being written:
        self.levels: list[Level] = []
        self._known: dict[Any, str] = {}
        self._depth: dict[str, int] = {}  # at which level a name was given

    def new_number(self) -> int:
        """A number that no other name has."""
        return next(self._numbers)

    def name(self) -> str:
        """A new name."""
        return f"v{next(self._numbers)}"

    def open(self, axes: Sequence[tuple[str, Extent]]) -> None:
        """Begin a nest of loops along these axes."""
        self.levels = [Level(None, 1), *[Level(axis, extent) for axis, extent in axes]]
        self._known, self._depth = {}, {}

    def close(self) -> None:
        """End the nest."""
        self.statements += self._closed()
        self.levels = []

    def _closed(self) -> list[Statement]:
        """The loops put together."""
        inner: list[Statement] = []
        for number, level in reversed(list(enumerate(self.levels))):
            inner = [*level.before, *inner, *level.after]
            if level.axis is not None:
                accs = tuple(level.accs)
                inner = [Loop(level.axis, level.extent, tuple(inner), accs=accs, parallel=number == 1, part=level.part)]
        return inner

    def accumulate(self, op: str, value: str, kept: int, dtype: str) -> str:
        """Accumulate a value over the loops inside of the first ``kept``; the name of the result, known there."""
        inner = self.levels[kept + 1 :]
        if not inner and op == "sum":  # over axes of length 1: a sum starts from plus zero
            return self.compute("add", (value, 0), dtype)
        for level in reversed(inner):
            name = self.name()
            level.accs.append(Acc(name, op, value))
            value = name
        self._depth[value] = kept
        return value

    def put(self, statement: Statement, depth: int) -> None:
        """A statement after the inner loops of a level."""
        (self.levels[depth].after if depth < len(self.levels) - 1 else self.levels[depth].before).append(statement)

    def compute_at(self, depth: int, op: str, args: tuple[Operand, ...], dtype: str) -> str:
        """A computation with the result of a reduction."""
        name = self.name()
        self.put(Compute(name, op, args, dtype), depth)
        self._depth[name] = depth
        return name

    def load_from(self, buffer: str, place: tuple[Index, ...], outside: int | None = None) -> str:
        """The element of a buffer at a place."""
        name = self.name()
        depth = self._depth_of_place(place)
        self.levels[depth].before.append(Load(name, buffer, place, outside))
        self._depth[name] = depth
        return name

    def iota(self, index: Affine) -> str:
        """A place along an axis as a value."""
        key = ("iota", index)
        if key not in self._known:
            name, depth = self.name(), self._depth_of_place((index,))
            self.levels[depth].before.append(Iota(name, index))
            self._known[key], self._depth[name] = name, depth
        return self._known[key]

    def number(self, x: float, dtype: str) -> Operand:
        """A number; one that is a size of the kernel is computed from that, outside of all loops."""
        extent = self.sizes.product(x) if x > SHORT else None
        if extent is None:
            return x
        key = ("size", x, dtype)
        if key not in self._known:
            whole, name = self.name(), self.name()
            outermost = self.levels[0].before
            outermost.append(Iota(whole, Affine((), extent)))
            outermost.append(Compute(name, "cast", (whole,), dtype))
            self._depth[whole] = self._depth[name] = 0
            self._known[key] = name
        return self._known[key]

    def compute(self, op: str, args: tuple[Operand, ...], dtype: str, meta: Any = ()) -> str:
        """An elementwise operation on elements, in the innermost loop that one of them needs; once."""
        depth = max([self._depth.get(arg, 0) for arg in args if isinstance(arg, str)], default=0)
        key = (op, args, tuple(map(type, args)), dtype, repr(meta) if meta else "")
        if key not in self._known:
            name = self.name()
            self.levels[depth].before.append(Compute(name, op, args, dtype, meta))
            self._depth[name] = depth
            self._known[key] = name
        return self._known[key]

    def named(self, value: Operand, dtype: str) -> str:
        """A value as a name: a number is computed."""
        return value if isinstance(value, str) else self.compute("clone", (value,), dtype)

    def _depth_of_place(self, place: tuple[Index, ...]) -> int:
        used = {axis for p in place if isinstance(p, Affine) for axis, _ in p.terms}
        computed = [self._depth.get(p.value, 0) for p in place if isinstance(p, Indirect)]
        return max([number for number, level in enumerate(self.levels) if level.axis in used] + computed, default=0)


__all__ = ["Level", "Nests"]
