"""How the elementwise operations are entered by name, and the dtypes that they take."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from wengert.compile.llvm.ir import Val

ELEMENTS: Final = {
    "f4": "float",
    "f8": "double",
    "i1": "i8",
    "i2": "i16",
    "i4": "i32",
    "i8": "i64",
    "u1": "i8",
    "b1": "i1",
}
Scalar = Callable[..., Val]  # (builder, dtype of the inputs, *inputs, **metadata)
FLOATS: Final = ("f4", "f8")
SIGNED: Final = ("i1", "i2", "i4", "i8")
INTEGERS: Final = (*SIGNED, "u1")
NUMBERS: Final = (*FLOATS, *INTEGERS)
ALL: Final = (*NUMBERS, "b1")


class Scalars(dict[str, tuple[Scalar, tuple[str, ...]]]):
    """Functions and the dtypes of their inputs, by the names of operations."""

    def enter(self, *names: str, dtypes: tuple[str, ...] = FLOATS) -> Callable[[Scalar], Scalar]:
        """Enter a function under these names, for inputs of these dtypes."""

        def entered(function: Scalar) -> Scalar:
            for name in names:
                self[name] = function, dtypes
            return function

        return entered


def bits_of(elem: str) -> int:
    """The width of an integer type."""
    return int(elem[1:])
