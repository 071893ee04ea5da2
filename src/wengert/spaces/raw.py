"""The world of raw values: rules run here on NumPy arrays and scalars, as fast as NumPy goes.

``RAW.name`` is the NumPy implementation of the operation ``name`` of the table.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any, Final

from numpy import ndarray

from wengert._traced import Traced
from wengert.ops.record import TABLE, Fused


def computed(op: Any, xs: Any, meta: dict[str, Any]) -> Any:
    """``op.impl`` on raw values; while a program is traced, an equation of it."""
    for x in xs:
        if x.__class__ is ndarray:
            continue
        if isinstance(x, Traced) and op.name in TABLE.ops:  # the doors of vmap are in no table
            return x.emit(op, xs, meta)  # type: ignore[misc]
    return op.impl(*xs, **meta)


class _Fusing:
    """How a fused combination is computed: by its NumPy implementation, unless an engine knows better."""

    @staticmethod
    def of(fused: Fused) -> Callable[..., Any]:
        return fused.impl


FUSING: Final = _Fusing()


class RawSpace:
    """The operations of the table as functions of raw values; looked up once, then plain attributes."""

    def __getattr__(self, name: str) -> Any:
        op, fused = TABLE.ops.get(name), TABLE.fused.get(name)
        if op is not None:
            impl = op.impl
        elif fused is not None:
            impl = FUSING.of(fused)
        else:
            raise AttributeError(f"no operation {name!r} is in the table; a rule may only use operations")
        setattr(self, name, impl)
        return impl

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
