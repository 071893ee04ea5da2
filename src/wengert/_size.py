"""``Size``: the shape of a tensor, a tuple of integers that stays a ``Size`` under slicing, ``+`` and ``*``."""

import math
import operator
from collections.abc import Iterable
from typing import Any, Self, SupportsIndex, overload

__all__ = ["Size", "size_of"]


class Size(tuple[int, ...]):
    """The shape of a tensor.

    Takes an iterable of integers (anything with ``__index__``) and raises TypeError for other items.

    >>> import wengert as torch
    >>> s = torch.Size([2, 3, 4])
    >>> s[1:], s.numel(), s == (2, 3, 4)
    (torch.Size([3, 4]), 24, True)
    """

    __slots__ = ()

    def __new__(cls, iterable: Iterable[SupportsIndex] = (), /) -> Self:
        items = tuple(iterable)
        for item in items:
            if type(item) is not int:
                return tuple.__new__(cls, _as_integers(items))
        return tuple.__new__(cls, items)

    def numel(self) -> int:
        """The number of elements of a tensor of this shape: the product of the entries, 1 for none.

        >>> import wengert as torch
        >>> torch.Size([2, 0]).numel(), torch.Size([]).numel()
        (0, 1)
        """
        return math.prod(self)

    def __repr__(self) -> str:
        return f"torch.Size({list(self)})"

    @overload
    def __getitem__(self, key: SupportsIndex, /) -> int: ...
    @overload
    def __getitem__(self, key: "slice[Any, Any, Any]", /) -> "Size": ...
    def __getitem__(self, key: Any, /) -> Any:
        found = tuple.__getitem__(self, key)
        return size_of(found) if type(found) is tuple else found

    def __add__(self, other: Any, /) -> "Size":
        if not isinstance(other, tuple):
            raise TypeError(f"can only concatenate tuple (not {type(other).__name__}) to torch.Size")
        return Size(tuple.__add__(self, other))

    def __radd__(self, other: Any, /) -> "Size":
        if not isinstance(other, tuple):
            return NotImplemented
        return Size(tuple.__add__(other, tuple(self)))

    def __mul__(self, times: SupportsIndex, /) -> "Size":
        return size_of(tuple.__mul__(self, times))

    def __rmul__(self, times: SupportsIndex, /) -> "Size":
        return size_of(tuple.__mul__(self, times))

    def __reduce__(self) -> tuple[Any, ...]:
        return Size, (tuple(self),)


def size_of(shape: tuple[int, ...]) -> Size:
    """The Size of an array's shape, which is known to hold integers: without the check of each item."""
    return tuple.__new__(Size, shape)


def _as_integers(items: tuple[Any, ...]) -> list[int]:
    integers = []
    for position, item in enumerate(items):
        try:
            integers.append(operator.index(item))
        except TypeError:
            raise TypeError(
                f"torch.Size() takes an iterable of 'int' (item {position} is '{type(item).__name__}')"
            ) from None
    return integers
