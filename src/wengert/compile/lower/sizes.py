"""Which sizes of a kernel are names, so that it serves every length."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod

from wengert.compile.nest import MIDDLE, Expr, Extent

# Axes up to this long keep their length in the kernel: short loops are unrolled.
SHORT = 16
# Inner axes up to this long keep theirs where they were not seen to vary.
INNER = 128
# Other inner axes up to this long have a name that says so: their vectors are not longer than they are.
_MIDDLE = 96


def inner_lengths(shapes: Iterable[tuple[int, ...]]) -> tuple[int, ...]:
    """The lengths of inner axes that a kernel may have as numbers."""
    return tuple(dict.fromkeys([n for shape in shapes for n in shape[1:] if SHORT < n <= INNER]))


class Sizes:
    """Names for the lengths of the axes of a kernel's arguments; equal lengths have one name.

    A kernel is looked up by its structure, so two programs share it only if their sizes are equal in the same places.
    Names of short lengths begin with ``MIDDLE``: a hint for the emitter, which is right for other lengths too.
    """

    def __init__(self, shapes: Iterable[tuple[int, ...]], *, fixes_inner: bool = False) -> None:
        self._names: dict[int, str] = {}
        shapes = tuple(shapes)
        inner = {n for shape in shapes for n in shape[1:]}
        fixed = set(inner_lengths(shapes)) if fixes_inner else set()
        for n in [n for shape in shapes for n in shape]:
            if n > SHORT and n not in self._names and n not in fixed:
                is_middle = n in inner and n <= _MIDDLE
                self._names[n] = f"{MIDDLE if is_middle else 'n'}{len(self._names)}"

    def extent(self, n: int) -> Extent:
        """The name of a length, what it is of named ones, or the number itself."""
        if n in self._names or n <= SHORT:
            return self._names.get(n, n)
        found = self.product(n)
        return n if found is None else found

    def total(self, shape: tuple[int, ...]) -> Extent:
        """The number of elements."""
        number = prod([n for n in shape if n not in self._names])
        names: list[Extent] = [self._names[n] for n in shape if n in self._names]
        factors = [*([number] if number != 1 or not names else []), *names]
        return factors[0] if len(factors) == 1 else Expr("*", tuple(factors))

    def product(self, value: float) -> Extent | None:
        """``value`` as the number of elements of one or two named axes, or of one and short ones, if it is that."""
        if value in self._names:
            return self._names[int(value)]
        for n, name in self._names.items():
            if value % n == 0 and value // n in self._names:
                return Expr("*", (name, self._names[int(value // n)]))
        for n, name in self._names.items():
            if value % n == 0 and value // n <= SHORT:
                return Expr("*", (name, int(value // n)))
        return None
