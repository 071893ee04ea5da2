"""For which lengths what was made of a program serves: those at whose ends the same would be made.

Kernels have names for long axes and run for any length. But which kernels they are may follow from lengths (how much
fits into a cache), and a number that equals a length is taken for one (the n of a mean). So the program is lowered
again for shorter and for longer ones: as every threshold has one side, and no other number equals them all, what comes
out the same at both ends serves between them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from typing import Any, Final

from wengert.compile.execute import Executable
from wengert.compile.lengths import Length, Lengths
from wengert.compile.lower.sizes import INNER
from wengert.compile.resized import Symbolic
from wengert.program.passes.pipeline import simplified
from wengert.program.program import Program

Ranges = dict[int, tuple[int, int]]  # the least and the most, by the lengths that were traced

LONG: Final = 64  # equations from which the ranges are looked for only where lengths vary
# How much shorter and longer it may get: kernels for much larger arrays are others.
_FACTOR: Final = 8
_HALVINGS: Final = 7  # of the way to a threshold, where there is one on it: some percent of the length are left


def ranges(
    lengths: Lengths, symbolic: Symbolic, traced: Program, executable: Executable, written: Sequence[tuple[int, int]]
) -> Ranges:
    """The lengths for which serves what runs a ``traced`` program; none if all are known.

    ``symbolic`` is the same with what stands for lengths.
    """
    if not lengths.free or executable.schedule is None or not symbolic.shows_lengths:
        return {}
    bounds = [(each.concrete, each.low, each.high) for each in lengths.free]
    fixes = executable.machine.fixes if len(traced.equations) < LONG else None  # what has a recipe has no machine yet
    recipes = import_module("wengert.compile.recipes")
    found: Ranges = recipes.known_ranges(
        traced,
        f"{bounds} {written} {fixes} {executable.fast_math}",
        lambda: _found(lengths, symbolic, executable.machine, written),
    )
    return found


def _found(lengths: Lengths, symbolic: Symbolic, machine: Any, written: Sequence[tuple[int, int]]) -> Ranges:
    free = lengths.free
    program, shapes = symbolic
    taken = {n for x in (*program.inputs, *program.constants) for n in shapes.get(x, x.shape) if type(n) is int}

    def end(factor: float, *, is_inner: bool = True) -> list[int]:
        """Lengths so much shorter or longer, which have nothing to do with each other or with known ones.

        Those of inner axes keep away from where they are numbers in kernels.
        """
        found: list[int] = []
        for length in free:
            n = min(max(int(length.concrete * factor), length.low), length.high)
            if is_inner and n <= INNER < length.concrete:
                n = INNER + 1
            while n != length.concrete and (n in taken or n in found or any([n % k == 0 for k in (2, 3, 5, 7)])):
                n += 1 if factor < 1 else -1
            found.append(n)
        return found

    def serves(ends: Sequence[int]) -> bool:
        return _serves(lengths, symbolic, machine, written, dict(_by_identity(free, ends)))

    low, high = [_farthest(end, serves, factor) for factor in (1 / _FACTOR, _FACTOR)]
    found = zip(free, low, high, strict=True)
    return {each.concrete: (shortest, longest) for each, shortest, longest in found if shortest < longest}


def _farthest(end: Callable[..., list[int]], serves: Callable[[list[int]], bool], factor: float) -> list[int]:
    """The lengths that are farthest in the direction of a factor, among those for which a machine serves."""
    for ends in (end(factor, is_inner=False), end(factor)):
        if serves(ends):
            return ends
    found, good, bad = end(1), 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (good + bad) / 2
        ends = end(factor**middle)
        if serves(ends):
            found, good = ends, middle
        else:
            bad = middle
    return found


def _by_identity(free: Sequence[Length], ends: Sequence[int]) -> Iterator[tuple[int, int]]:
    return ((id(length), n) for length, n in zip(free, ends, strict=True))


def _serves(
    lengths: Lengths, symbolic: Symbolic, machine: Any, written: Sequence[tuple[int, int]], ends: dict[int, int]
) -> bool:
    values = lengths.values | ends
    module = import_module("wengert.compile.machine")
    try:
        other = module.Machine(simplified(symbolic.resized(values)), written, fast_math=machine.fast_math, like=machine)
    except module.UnknownKernelError:
        return False
    return bool(machine.does_the_same(other))


__all__ = ["Ranges", "ranges"]
