"""What stands for an array while a program is traced: it has a shape and a dtype, and no values."""

from __future__ import annotations

from math import prod
from typing import Any, NoReturn

import numpy as np

from wengert._source import locate, user_code

__all__ = ["NeedsValueError", "TraceError", "Traced"]


class TraceError(RuntimeError):
    """A function does something that no traced program can hold."""


class NeedsValueError(TraceError):
    """Python asked for a value that a traced function will only have when it runs."""


class Traced:
    """Base of the stand-ins: what would need values raises :class:`NeedsValueError`, which names the user's line."""

    __slots__ = ("dtype", "shape")

    dtype: np.dtype[Any]
    shape: tuple[int, ...]

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return prod(self.shape)

    @property
    def itemsize(self) -> int:
        """The size of one element in bytes."""
        return self.dtype.itemsize

    @property
    def nbytes(self) -> int:
        """The size of the values in bytes."""
        return self.size * self.dtype.itemsize

    @property
    def strides(self) -> tuple[int, ...]:
        """The strides in bytes of an array in C order: what the values will lie in when the program runs."""
        steps = [self.dtype.itemsize]
        for size in reversed(self.shape[1:]):
            steps.append(steps[-1] * max(size, 1))
        return tuple(reversed(steps))[: len(self.shape)] if self.shape else ()

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise NeedsValueError(_message(self))

    __bool__ = __int__ = __float__ = __complex__ = __index__ = __len__ = _refuse
    __array__ = __array_ufunc__ = __array_function__ = __iter__ = __contains__ = __getitem__ = __setitem__ = _refuse
    item = tolist = tobytes = copy = view = astype = reshape = ravel = transpose = squeeze = fill = _refuse
    sum = any = all = min = max = nonzero = argsort = sort = take = _refuse
    __lt__ = __le__ = __gt__ = __ge__ = __mod__ = __add__ = __sub__ = __mul__ = __neg__ = __invert__ = _refuse


def _message(value: Traced) -> str:
    location = locate(*user_code())
    line = location.source_line() if location is not None else None
    where = "Python" if location is None else f"`{line}` at {location}" if line else f"the code at {location}"
    return (
        f"{where} needs the values of a tensor (shape {list(value.shape)}, {value.dtype}) while compile() traces the "
        "function. There are none yet: the traced program must hold for all values. To choose by value, write "
        "torch.where(condition, a, b), which takes each element from a or from b; what does not depend on the "
        "arguments, compute before the call and pass in; or compile(..., fallback=True) runs a function like this one "
        "eagerly."
    )
