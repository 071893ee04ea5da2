"""The sizes that calls of a kernel may have: a range of each, and a hash table; the entry code looks in both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from wengert import _threads
from wengert.compile.runtime import entry_table as words
from wengert.compile.runtime.seen_code import FACTOR, SHIFT

_WORD: Final = (1 << 64) - 1
_FIRST: Final = 8  # rows, a power of two


class Seen:
    """Tuples of sizes. ``numbers`` are the words of the entry code in which it finds each size of a call.

    The entry code may look at any time: a table is ready before the one word that says where it is changes, and a row
    before the word that says that it counts.
    """

    def __init__(self, numbers: Sequence[int]) -> None:
        self._numbers = np.array(numbers, np.int64)
        self._all: set[tuple[int, ...]] = set()
        self._ranges = np.zeros(0, np.int64)  # the least and the most of each size
        self._lock = _threads.Lock()
        self._where = np.zeros(1, np.int64)
        self._grow(_FIRST)

    @property
    def address(self) -> int:
        """The word that says where the table is."""
        return int(self._where.ctypes.data)

    def add(self, sizes: tuple[int, ...]) -> None:
        """Let calls have these sizes."""
        with self._lock.held:
            if sizes in self._all:
                return
            self._all.add(sizes)
            if 2 * len(self._all) > len(self._rows):
                self._grow(2 * len(self._rows))
            else:
                self._enter(self._rows, sizes)

    def add_between(self, ranges: Sequence[tuple[int, int]]) -> None:
        """Let calls have any sizes from the first to the second number, both included, or leave it at a wider range."""
        with self._lock.held:
            new = np.array(ranges, np.int64)
            if _width(new) > _width(self._ranges.reshape(-1, 2)):
                self._ranges = new.reshape(-1)
                self._tell()

    def _grow(self, size: int) -> None:
        rows = np.zeros((size, 1 + len(self._numbers)), np.int64)
        for sizes in self._all:
            self._enter(rows, sizes)
        self._rows: Any = rows
        self._tell()

    def _tell(self) -> None:
        """Let the entry code look in this table and these ranges."""
        head = np.zeros(words.SEEN_WORDS, np.int64)
        head[words.SEEN_COUNT], head[words.SEEN_NUMBERS] = len(self._numbers), self._numbers.ctypes.data
        head[words.SEEN_MASK], head[words.SEEN_ROWS] = len(self._rows) - 1, self._rows.ctypes.data
        head[words.SEEN_RANGES] = self._ranges.ctypes.data if len(self._ranges) else 0
        before, self._head = getattr(self, "_head", None), (head, self._rows, self._ranges)
        self._where[0] = head.ctypes.data
        del before  # only now: it may be what calls look at

    @staticmethod
    def _enter(rows: Any, sizes: tuple[int, ...]) -> None:
        place = _hash(sizes) & (len(rows) - 1)
        while rows[place, 0]:
            place = (place + 1) & (len(rows) - 1)
        rows[place, 1:] = sizes
        rows[place, 0] = 1  # last: from now on it counts


def _width(ranges: Any) -> float:
    """The logarithm of how many sizes there are within ranges."""
    return float(np.log(ranges[:, 1] - ranges[:, 0] + 1.0).sum())


def _hash(sizes: Sequence[int]) -> int:
    found = 0
    for size in sizes:
        found = (found ^ size) * FACTOR & _WORD
        found ^= found >> SHIFT
    return found


__all__ = ["Seen"]
