"""The number of threads that large computations use, who wants to know when it changes; what is made only once."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from functools import wraps
from typing import Final, TypeVar

Made = TypeVar("Made")

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


class Lock:
    """A lock that its holder may take again, and that is free in a child process, which has no other threads."""

    __slots__ = ("held",)

    def __init__(self) -> None:
        self._renew()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._renew)

    def _renew(self) -> None:
        self.held = threading.RLock()


def once(make: Callable[[], Made]) -> Callable[[], Made]:
    """``make`` as a function that makes one thing in a process, even if several threads ask for it at first.

    Of what ``functools.cache`` is asked for by two threads at a time there are two, and the one that it drops may be in
    use by its address.
    """
    lock, made = Lock(), list[Made]()

    @wraps(make)
    def get() -> Made:
        if not made:
            with lock.held:
                if not made:
                    made.append(make())
        return made[0]

    return get
