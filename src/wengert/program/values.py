"""Values of a program: what an equation reads and gives."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert._traced import Traced

Number = bool | int | float | complex


class Value(Traced):
    """One value: the result of one equation, or an input. Two values are equal if they are the same object.

    >>> Value(np.dtype("f4"), (3, 2))
    <f32[3,2]>
    """

    __slots__ = ()

    def __init__(self, dtype: np.dtype[Any], shape: tuple[int, ...]) -> None:
        self.dtype = dtype
        self.shape = shape

    __eq__ = object.__eq__
    __hash__ = object.__hash__

    @property
    def type(self) -> tuple[np.dtype[Any], tuple[int, ...]]:
        """Dtype and shape."""
        return self.dtype, self.shape

    def __repr__(self) -> str:
        return f"<{type_text(self)}>"


Operand = Value | Number

# Short names of dtypes: the kind and the bits.
_SHORT = {"b": "bool", "u": "u", "i": "i", "f": "f", "c": "c"}


def dtype_text(dtype: np.dtype[Any]) -> str:
    """The short name of a dtype.

    >>> dtype_text(np.dtype("int64")), dtype_text(np.dtype("bool"))
    ('i64', 'bool')
    """
    return "bool" if dtype.kind == "b" else f"{_SHORT[dtype.kind]}{8 * dtype.itemsize}"


DTYPES = {dtype_text(np.dtype(code)): np.dtype(code) for code in "?bhilqBHILQefdFD"}


def type_text(value: Any) -> str:
    """The type of a value as it stands in a program's text: ``f32[3,2]``, ``f32`` for a 0-d value."""
    sizes = ",".join(map(str, value.shape))
    return dtype_text(value.dtype) + (f"[{sizes}]" if value.shape else "")
