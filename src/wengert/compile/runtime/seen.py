"""The sizes that calls of a kernel may have: a hash table that grows, and in which the entry code looks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from wengert.compile.runtime import entry_table as words
from wengert.compile.runtime.seen_code import FACTOR, SHIFT

_WORD: Final = (1 << 64) - 1
_FIRST: Final = 8  # rows, a power of two


class Seen:
    """Tuples of sizes. ``numbers`` are the words of the entry code in which it finds each size of a call."""

    def __init__(self, numbers: Sequence[int]) -> None:
        self._numbers = np.array(numbers, np.int64)
        self._all: set[tuple[int, ...]] = set()
        self._head = np.zeros(4, np.int64)
        self._head[words.SEEN_COUNT] = len(numbers)
        self._head[words.SEEN_NUMBERS] = self._numbers.ctypes.data
        self._grow(_FIRST)

    @property
    def address(self) -> int:
        """Where the entry code finds it."""
        return int(self._head.ctypes.data)

    def add(self, sizes: tuple[int, ...]) -> None:
        """Let calls have these sizes."""
        if sizes in self._all:
            return
        self._all.add(sizes)
        if 2 * len(self._all) > len(self._rows):
            self._grow(2 * len(self._rows))
        else:
            self._enter(self._rows, sizes)

    def _grow(self, size: int) -> None:
        rows = np.zeros((size, 1 + len(self._numbers)), np.int64)
        for sizes in self._all:
            self._enter(rows, sizes)
        self._rows: Any = rows
        self._head[words.SEEN_MASK], self._head[words.SEEN_ROWS] = size - 1, rows.ctypes.data

    @staticmethod
    def _enter(rows: Any, sizes: tuple[int, ...]) -> None:
        place = _hash(sizes) & (len(rows) - 1)
        while rows[place, 0]:
            place = (place + 1) & (len(rows) - 1)
        rows[place, 1:] = sizes
        rows[place, 0] = 1  # last: from now on it counts


def _hash(sizes: Sequence[int]) -> int:
    found = 0
    for size in sizes:
        found = (found ^ size) * FACTOR & _WORD
        found ^= found >> SHIFT
    return found


__all__ = ["Seen"]
