"""Objects that machine code reads in a call besides its arguments, and that Python may exchange for others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


class Held:
    """Objects by number. ``words`` are their addresses, as machine code finds them."""

    __slots__ = ("objects", "words")

    def __init__(self, objects: Sequence[Any]) -> None:
        self.objects = list(objects)
        self.words = np.array([id(each) for each in self.objects] or [0], np.int64)

    def __len__(self) -> int:
        return len(self.objects)

    def put(self, number: int, new: Any) -> None:
        """Another object in the place of one, which lives until its address is forgotten."""
        old, self.objects[number] = self.objects[number], new
        self.words[number] = id(new)
        del old


__all__ = ["Held"]
