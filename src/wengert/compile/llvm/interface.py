"""What whoever calls a kernel's machine code must know of it."""

from __future__ import annotations

from typing import Any, Final

from wengert._records import record
from wengert.compile.nest import Extent
from wengert.compile.nest_data import extent_data, extent_of

NO_MEMORY: Final = 1  # what the machine code returns
OUT_OF_BOUNDS: Final = 2
PRODUCTS: Final = {"f4": "wengert_gemm_f4", "f8": "wengert_gemm_f8"}  # what products of matrices are called


@record
class Interface:
    """What the caller of a kernel must know."""

    name: str
    prepare: str  # the name of `i64 (ptr sizes, ptr shapes)`, which writes the results' shapes and returns the work
    pointers: tuple[str, ...]  # buffers whose addresses it takes, in order
    sizes: tuple[str, ...]  # symbolic sizes and strides that it takes, in order
    shares: int  # loops that threads may share
    arena: Extent  # bytes that it needs between its loops
    products: tuple[str, ...]  # the dtypes of which it calls products of matrices

    def as_data(self) -> list[Any]:
        """Plain lists, for a file."""
        own = [self.name, self.prepare, list(self.pointers), list(self.sizes), self.shares]
        return [*own, extent_data(self.arena), list(self.products)]

    @classmethod
    def from_data(cls, data: list[Any]) -> Interface:
        """From plain lists."""
        name, prepare, pointers, sizes, shares, arena, products = data
        return cls(name, prepare, tuple(pointers), tuple(sizes), shares, extent_of(arena), tuple(products))


__all__ = ["NO_MEMORY", "OUT_OF_BOUNDS", "PRODUCTS", "Interface"]
