"""Operations that make a dimension a batch axis and the reverse: the doors of ``vmap``.

They stand in no table, since only the engine applies them; every world has them as attributes, so that their rules can
name each other.
"""

from __future__ import annotations

from typing import Any, Final

from wengert._batched import Axes, BatchAxis, Batched, enter, leave, merged, spread, without
from wengert.ops.record import Kind, Op, defop
from wengert.spaces.batching import BATCHED
from wengert.spaces.raw import RAW, REAL


def _add_up(x: Any, *, axes: Axes) -> Any:
    return without(x, axes)


def _repeat(x: Any, *, axes: Axes) -> Any:
    whole = merged((x.axes if x.__class__ is Batched else (), axes))
    return Batched(spread(x, whole), whole)


def _enter(x: Any, *, axis: BatchAxis, dim: int) -> Any:
    return enter(x, axis, dim)


def _leave(x: Any, *, axis: BatchAxis, dim: int) -> Any:
    return leave(x, axis, dim)


def _same(xp: Any, g: Any, y: Any, x: Any, *, axes: Axes) -> Any:
    return g  # the sweep fits it to the batch axes of the input


def _door(name: str, impl: Any, rule: Any, doc: str) -> Op:
    op = defop(
        name,
        impl,
        Kind.OTHER,
        vjp=(rule,),
        linear=(0,),
        doc=doc,
        table=None,
        batch=lambda xp, x, **meta: impl(x, **meta),
    )
    for space in (RAW, REAL, BATCHED):
        setattr(space, name, impl)
    return op


ENTER: Final = _door(
    "enter_batch",
    _enter,
    lambda xp, g, y, x, *, axis, dim: xp.leave_batch(g, axis=axis, dim=dim),
    "A dimension made a batch axis.",
)
LEAVE: Final = _door(
    "leave_batch",
    _leave,
    lambda xp, g, y, x, *, axis, dim: xp.enter_batch(g, axis=axis, dim=dim),
    "A batch axis made a dimension.",
)
ADD_UP: Final = _door("add_up_batch", _add_up, _same, "The sum over batch axes.")
REPEAT: Final = _door("repeat_batch", _repeat, _same, "The same value for every member of a batch.")
