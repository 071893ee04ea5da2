"""Machine code that implementations ask for themselves, by name, in whichever world they run.

It comes from above: the engine binds who makes it. An implementation must give the same with it as without it, but for
rounding, so that which of the two runs is a matter of time alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

Kernel = Callable[..., Any]


class Machine:
    """Who makes machine code: ``find(name, dtype)`` gives that of a name for ``"f4"`` or ``"f8"``, or None."""

    __slots__ = ("find", "known")

    def __init__(self) -> None:
        self.bind(None)

    def bind(self, find: Callable[[str, str], Kernel | None] | None) -> None:
        """Ask ``find`` from now on; nobody, where it is None."""
        self.find = find
        self.known: dict[tuple[str, str], Kernel | None] = {}

    def kernel(self, name: str, char: str) -> Kernel | None:
        """The machine code of this name for a dtype, given by its character; None where there is none."""
        try:
            return self.known[name, char]
        except KeyError:
            if self.find is None or char not in "fd":
                return None
            return self.known.setdefault((name, char), self.find(name, "f4" if char == "f" else "f8"))


MACHINE: Final = Machine()

__all__ = ["MACHINE", "Kernel", "Machine"]
