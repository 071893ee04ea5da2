"""In which order a long chain of steps is reversed where only a few of its states can be kept.

The binomial schedule of A. Griewank and A. Walther, "Algorithm 799: revolve", ACM Transactions on Mathematical Software
26 (2000): with ``s`` states kept at once, a chain of ``C(s + r, s)`` parts is reversed by advancing over each part at
most ``r`` times, and no schedule advances less. A state is kept at the beginning of a range; to reverse the range, one
advances over its first ``cut`` parts, reverses what lies behind with the other ``s - 1`` states, and goes on with what
lies before.
"""

from __future__ import annotations

from math import comb
from typing import Final

PER_DOUBLING: Final = 4  # states kept for each doubling of the number of parts: each part is then advanced over 3 times


def states(parts: int) -> int:
    """How many states to keep at once for so many parts: a number that grows like their logarithm.

    >>> [states(parts) for parts in (1, 2, 100, 31250)]
    [1, 4, 28, 60]
    """
    return max(1, PER_DOUBLING * (parts - 1).bit_length())


def cut(parts: int, kept: int) -> int:
    """How many of at least two parts to advance over, before the rest is reversed with ``kept - 1`` states.

    >>> [cut(parts, 3) for parts in (2, 4, 10)]
    [1, 1, 4]
    """
    sweeps = 0
    while comb(kept + sweeps, kept) < parts:
        sweeps += 1
    least = comb(kept + sweeps - 2, kept) if sweeps > 1 else 0
    return min(max(parts - comb(kept + sweeps - 1, kept - 1), least, 1), parts - 1)


def first_states(parts: int) -> list[int]:
    """Before which parts the first states stand, that at the beginning left out: those of one run forward.

    >>> first_states(3)
    [1, 2]
    """
    places, at, kept = [], 0, states(parts)
    while parts - at > 1:
        at += cut(parts - at, kept)
        kept -= 1
        places.append(at)
    return places


__all__ = ["cut", "first_states", "states"]
