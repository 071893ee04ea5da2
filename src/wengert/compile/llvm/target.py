"""What matters about a machine to whoever writes code for it."""

from __future__ import annotations

from typing import NamedTuple


class Target(NamedTuple):
    """What matters about the machine.

    Attributes:
        register: bytes in a vector register.
        fma: whether products and sums are fused.
        registers: how many vector registers there are.
        tables: whether it has the instructions of ``wide``.
    """

    register: int = 64
    fma: bool = True
    registers: int = 32
    tables: bool = False


__all__ = ["Target"]
