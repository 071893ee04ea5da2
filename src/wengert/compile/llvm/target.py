"""What matters about a machine to whoever writes code for it."""

from __future__ import annotations

from typing import NamedTuple


class Target(NamedTuple):
    """Bytes in a vector register, whether there is fused multiply-add, how many registers there are."""

    register: int = 64
    fma: bool = True
    registers: int = 32


__all__ = ["Target"]
