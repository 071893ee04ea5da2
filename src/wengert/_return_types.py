"""Tuples with named items, which functions with several results return: ``torch.return_types``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Self

__all__ = [
    "ReturnType",
    "aminmax",
    "cummax",
    "cummin",
    "frexp",
    "kthvalue",
    "max",
    "median",
    "min",
    "mode",
    "nanmedian",
    "sort",
    "topk",
]


class ReturnType(tuple[Any, ...]):
    """A tuple whose items also have names; made of one sequence, as PyTorch's are."""

    __slots__ = ()
    __match_args__: ClassVar[tuple[str, ...]] = ()

    def __new__(cls, items: Iterable[Any], /) -> Self:
        made = tuple.__new__(cls, items)
        if len(made) != len(cls.__match_args__):
            takes = f"torch.return_types.{cls.__name__}() takes a {len(cls.__match_args__)}-sequence"
            raise TypeError(f"{takes} ({len(made)}-sequence given)")
        return made

    def __repr__(self) -> str:
        items = [f"{name}={item!r}" for name, item in zip(self.__match_args__, self, strict=True)]
        return f"torch.return_types.{type(self).__name__}(\n" + ",\n".join(items) + ")"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (tuple(self),)


class _ValuesIndices(ReturnType):
    __slots__ = ()
    __match_args__ = ("values", "indices")

    @property
    def values(self) -> Any:
        """The chosen elements."""
        return self[0]

    @property
    def indices(self) -> Any:
        """Where each stood along the axis."""
        return self[1]


class frexp(ReturnType):
    """A mantissa and an exponent for each element."""

    __slots__ = ()
    __match_args__ = ("mantissa", "exponent")

    @property
    def mantissa(self) -> Any:
        """The numbers of size 0.5 to 1."""
        return self[0]

    @property
    def exponent(self) -> Any:
        """The powers of two that go with them."""
        return self[1]


class aminmax(ReturnType):
    """The smallest and the largest element."""

    __slots__ = ()
    __match_args__ = ("min", "max")

    @property
    def min(self) -> Any:
        """The smallest."""
        return self[0]

    @property
    def max(self) -> Any:
        """The largest."""
        return self[1]


class cummax(_ValuesIndices):
    """Result of :func:`cummax`."""

    __slots__ = ()


class cummin(_ValuesIndices):
    """Result of :func:`cummin`."""

    __slots__ = ()


class kthvalue(_ValuesIndices):
    """Result of :func:`kthvalue`."""

    __slots__ = ()


class max(_ValuesIndices):
    """Result of :func:`max` along an axis."""

    __slots__ = ()


class median(_ValuesIndices):
    """Result of :func:`median` along an axis."""

    __slots__ = ()


class min(_ValuesIndices):
    """Result of :func:`min` along an axis."""

    __slots__ = ()


class mode(_ValuesIndices):
    """Result of :func:`mode`."""

    __slots__ = ()


class nanmedian(_ValuesIndices):
    """Result of :func:`nanmedian` along an axis."""

    __slots__ = ()


class sort(_ValuesIndices):
    """Result of :func:`sort`."""

    __slots__ = ()


class topk(_ValuesIndices):
    """Result of :func:`topk`."""

    __slots__ = ()
