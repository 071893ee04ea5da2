"""Updates of parameters as machine code: for which settings there is some.

It has the bits of the functions on NumPy arrays that it is made from, so that which of the two runs is a matter of time
alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from wengert.engine.kernels import KERNELS

Update = Callable[..., None]

_MOST_SETTINGS: Final = (
    8  # of an update: it takes some 20 ms to make its code, and a schedule may change them each step
)
_PLAIN: Final = 1 << 13  # elements from which it pays where there is no state: these are two calls of NumPy
_FLOATS: Final = frozenset("fd")


class _Updates:
    """What is known of updates: their machine code, or None."""

    def __init__(self) -> None:
        self.known: dict[Any, Update | None] = {}
        self.settings: Counter[Any] = Counter()

    def find(self, update: Update, arrays: Any, numbers: Any, settings: Any) -> Update | None:
        """The machine code for arrays of one axis, if there is some."""
        char = arrays[0].dtype.char
        key = update, char, len(arrays), len(numbers), settings
        try:
            return self.known[key]
        except KeyError:
            maker = KERNELS.find_maker() if char in _FLOATS else None
            self.settings[update, char] += 1
            found = None
            if maker is not None and self.settings[update, char] <= _MOST_SETTINGS:
                found = maker.update(update, len(arrays), len(numbers), settings, arrays[0].dtype.str[1:])
            elif char in _FLOATS:
                return None
            return self.known.setdefault(key, found)


_UPDATES: Final = _Updates()


def run_machine_update(update: Update, lines: list[Any], numbers: tuple[Any, ...], settings: tuple[Any, ...]) -> bool:
    """Whether machine code could change these lines of one length and dtype in place, and did."""
    target, g = lines[0], lines[1]
    if not KERNELS.is_on or target.size < (KERNELS.elements if len(lines) > 2 else _PLAIN):
        return False
    dtype = target.dtype
    if any([x.dtype is not dtype for x in lines]) or np.may_share_memory(target, g):
        return False
    kernel = _UPDATES.find(update, lines, numbers, settings)
    if kernel is None:
        return False
    kernel(*lines, *numbers)
    return True


__all__ = ["run_machine_update"]
