"""The fewest axes under which arrays can be seen, so that one kernel serves all shapes alike.

Neighbouring axes that an operation treats alike are one axis: a normalisation over the last two of four axes is one of
rows of a table. Axes of length 1 are none.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, Final, NamedTuple

Shape = tuple[int, ...]

# The last axis keeps a length up to this: its loops are unrolled.
SHORT: Final = 16
MOST_AXES: Final = 4
ANY: Final = 0  # a length that the kernel takes as it comes; 1 is for an array that is the same along an axis


class Seen(NamedTuple):
    """Shapes as a kernel sees them."""

    shapes: tuple[Shape, ...]  # of the arrays, to be reshaped so
    kinds: tuple[Shape, ...]  # the same with `ANY` for lengths that are not part of the code
    dims: Shape | None  # the axes that the operation goes along, if it names any
    groups: tuple[Shape, ...]  # the lengths of the axes that became each one

    def result(self, kind: Shape, dims: Shape | None) -> Shape:
        """The shape of a result that the kernel gives under the shape ``kind``.

        Its axes of length 1 have that length, and are left out where they are in ``dims``.
        """
        sizes: list[int] = []
        axis = 0
        for given, group in zip(kind, self.groups, strict=True):
            for n in group:
                if dims is None or axis not in dims:
                    sizes.append(1 if given == 1 else n)
                axis += 1
        return tuple(sizes)


def seen(shapes: Sequence[Shape], dims: Shape | None) -> Seen | None:
    """The shapes with as few axes as there can be; None if they do not fit the largest one or there are too many."""
    whole = max(shapes, key=prod)
    rank = len(whole)
    if any([len(shape) > rank for shape in shapes]):
        return None
    padded = [(1,) * (rank - len(shape)) + shape for shape in shapes]
    if any([n not in (1, m) for shape in padded for n, m in zip(shape, whole, strict=True)]):
        return None
    groups: list[list[int]] = []
    signs: list[Any] = []
    ones: list[int] = []  # lengths 1 that wait for an axis to join
    for axis, n in enumerate(whole):
        if n == 1:
            (groups[-1] if groups else ones).append(1)
            continue
        sign = ([shape[axis] == 1 for shape in padded], dims is not None and axis in dims)
        if signs and signs[-1] == sign:
            groups[-1].append(n)
        else:
            groups.append([*ones, n])
            signs.append(sign)
            ones = []
    if not groups or len(groups) > MOST_AXES:
        return None
    lengths = [prod(group) for group in groups]
    found = [
        tuple([1 if sign[0][i] else n for sign, n in zip(signs, lengths, strict=True)]) for i in range(len(padded))
    ]
    last = len(groups) - 1
    kinds = [
        tuple([n if n == 1 or (axis == last and n <= SHORT) else ANY for axis, n in enumerate(shape)])
        for shape in found
    ]
    along = None if dims is None else tuple([axis for axis, sign in enumerate(signs) if sign[1]])
    return Seen(tuple(found), tuple(kinds), along, tuple(map(tuple, groups)))


__all__ = ["ANY", "Seen", "seen"]
