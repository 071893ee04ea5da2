"""Operations on tensors that stand for more than one value: batches (``vmap``) and dual numbers (forward mode).

A dual tensor is a primal and a tangent, both tensors, for one level; nested levels are duals of duals. An operation on
duals is taken apart, innermost level first: the operation on the primals, and its forward rule on the tangents. Both
are operations on tensors, so whatever surrounds them (the graph, outer levels, batches) sees them.
"""

from __future__ import annotations

from functools import partial
from itertools import count
from typing import Any, Final

from wengert.engine import batch_axes
from wengert.engine.apply import apply, apply_batched
from wengert.engine.base import TensorBase
from wengert.engine.push import push
from wengert.ops.record import Op
from wengert.spaces.batching import evaluate
from wengert.spaces.tensors import TENSOR

_new = object.__new__
_numbers = count(1)


class Level:
    """One level of forward mode; closed once its block is over, and its duals count as their primals then."""

    __slots__ = ("number", "open")

    def __init__(self) -> None:
        self.number = next(_numbers)
        self.open = True


class DualState:
    """What makes a tensor a dual: all its state is that of its primal."""

    __slots__ = ()


def _of_primal(name: str) -> property:
    def read(t: Any) -> Any:
        return getattr(t._dual[1], name)

    def write(t: Any, value: Any) -> None:
        setattr(t._dual[1], name, value)

    return property(read, write)


for _name in ("_data", "_node", "_rg", "_cell", "_view", "_grad", "_accumulator", "_hooks", "_retains"):
    setattr(DualState, _name, _of_primal(_name))

_dual_class: type[TensorBase] = TensorBase


def bind_dual_class(cls: type[TensorBase]) -> None:
    """Say which class duals have; called once, where it is defined."""
    global _dual_class  # noqa: PLW0603 - bound once, by the layer above
    _dual_class = cls


def dual(level: Level, primal: Any, tangent: Any) -> Any:
    """A dual tensor; both parts are taken as they are."""
    t = _new(_dual_class)
    t._dual = (level, primal, tangent)
    return t


def innermost(values: Any) -> Level | None:
    """The innermost open level of the duals among ``values``."""
    found: Level | None = None
    for x in values:
        if x.__class__ is _dual_class:
            level = _opened(x)._dual
            if level is not None and (found is None or level[0].number > found.number):
                found = level[0]
    return found


def _opened(x: Any) -> Any:
    """The tensor without the duals of levels that are over."""
    while x.__class__ is _dual_class and not x._dual[0].open:
        x = x._dual[1]
    return x


def split(x: Any, level: Level) -> tuple[Any, Any]:
    """The primal and the tangent (or None) of anything at an open level that is the innermost of all."""
    x = _opened(x)
    if x.__class__ is _dual_class and x._dual[0] is level:
        return x._dual[1], x._dual[2]
    return x, None


def apply_leveled(op: Op, inputs: tuple[Any, ...], meta: dict[str, Any]) -> Any:
    """:func:`wengert.engine.apply.apply` for inputs some of which are batched or dual."""
    level = innermost(inputs)
    if level is None:
        return apply_batched(op, tuple([_opened(x) for x in inputs]), meta, evaluate)
    xs, ts = zip(*[split(x, level) for x in inputs], strict=True)
    y = apply(op, *xs, **meta) if op.name not in _DOORS else apply_leveled(op, xs, meta)
    tangents = push(op, ts, y, xs, meta)
    if op.outputs == 1:
        return y if tangents[0] is None else dual(level, y, tangents[0])
    return tuple([part if t is None else dual(level, part, t) for part, t in zip(y, tangents, strict=True)])


_DOORS: Final = {op.name: op for op in (batch_axes.ENTER, batch_axes.LEAVE, batch_axes.ADD_UP, batch_axes.REPEAT)}
for _op in _DOORS.values():
    setattr(TENSOR, _op.name, partial(lambda op, x, **meta: apply_leveled(op, (x,), meta), _op))

__all__ = ["DualState", "Level", "apply_leveled", "bind_dual_class", "dual", "innermost", "split"]
