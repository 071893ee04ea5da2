"""The number of threads that large computations use, and who wants to know when it changes."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Final

_count = min(os.cpu_count() or 1, 8)
listeners: Final[list[Callable[[int], None]]] = []


def get() -> int:
    """The number."""
    return _count


def put(count: int) -> None:
    """Set the number."""
    global _count  # noqa: PLW0603 - the setting of the process
    _count = count
    for listener in listeners:
        listener(count)
