"""The world of raw values: rules run here on NumPy arrays and scalars, as fast as NumPy goes.

``RAW.name`` is the NumPy implementation of the operation ``name`` of the table.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

from numpy import ndarray

from wengert._traced import Traced
from wengert.ops.record import TABLE


def computed(op: Any, xs: Any, meta: dict[str, Any]) -> Any:
    """``op.impl`` on raw values; while a program is traced, an equation of it."""
    for x in xs:
        if x.__class__ is ndarray:
            continue
        if isinstance(x, Traced) and op.name in TABLE.ops:  # the doors of vmap are in no table
            return x.emit(op, xs, meta)  # type: ignore[misc]
    return op.impl(*xs, **meta)


class RawSpace:
    """The operations of the table as functions of raw values.

    They are plain attributes: with a ``__getattr__`` that looks them up when first used, Python takes the slow way for
    all attributes, found or not, and a rule asks for one or two.
    """

    def __init__(self) -> None:
        TABLE.follow(self.__dict__)

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...

    def __repr__(self) -> str:
        return "<raw values>"


RAW: Final = RawSpace()

# The same world where no value is complex: there the conjugate is the value itself, which ``x.real`` gives three times
# as fast as a function that has to look. Nearly every rule conjugates, so a real backward pass gains a tenth.
REAL: Final = RawSpace()
REAL.conj = attrgetter("real")  # type: ignore[attr-defined]


def _first(value: Any, _: Any) -> Any:
    return value


# A raw cotangent needs no memory of its own, as a tensor's value does.
RAW.tied = REAL.tied = _first  # type: ignore[attr-defined]
