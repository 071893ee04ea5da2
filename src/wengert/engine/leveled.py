"""Operations on tensors that stand for more than one value: batches (``vmap``) and dual numbers (forward mode).

A dual tensor is a primal and a tangent, both tensors, for one level; nested levels are duals of duals. An operation on
duals is taken apart, innermost level first: the operation on the primals, and its forward rule on the tangents. Both
are operations on tensors, so whatever surrounds them (the graph, outer levels, batches) sees them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from operator import itemgetter
from typing import Any, Final
from weakref import ref

from wengert.engine import batch_axes
from wengert.engine.apply import apply, apply_batched
from wengert.engine.base import TensorBase, array_of, is_tracking, wrap
from wengert.engine.push import push
from wengert.engine.state import STATE
from wengert.ops.record import Op
from wengert.ops.viewing import follow
from wengert.spaces.batching import evaluate
from wengert.spaces.tensors import TENSOR

_new = object.__new__
_numbers = count(1)


class Level:
    """One level of forward mode; closed once its block is over, and its duals count as their primals then.

    It opens when it is made; ``with Level() as level:`` closes it in every case.
    """

    __slots__ = ("number", "open")

    def __init__(self) -> None:
        self.number = next(_numbers)
        self.open = True
        STATE.duals = (*STATE.duals, self)

    def __enter__(self) -> Level:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """End the level."""
        self.open = False
        STATE.duals = tuple([level for level in STATE.duals if level is not self])


def transforms_now() -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """The transforms that run in this thread: functions in reverse mode, levels of forward mode."""
    return STATE.levels, STATE.duals


@contextmanager
def transforms_again(then: tuple[tuple[Any, ...], tuple[Any, ...]]) -> Iterator[None]:
    """A block in which those transforms run that did then: for what is computed again after some are over."""
    levels, duals = then
    before, ends = transforms_now(), [run.end for run in levels]
    closed = [level for level in duals if not level.open]
    STATE.levels, STATE.duals = levels, duals
    for run in levels:
        run.end = None
    for level in closed:
        level.open = True
    try:
        yield
    finally:
        STATE.levels, STATE.duals = before
        for run, end in zip(levels, ends, strict=True):
            run.end = end
        for level in closed:
            level.open = False


class DualState:
    """What makes a tensor a dual: all its state is that of its primal."""

    __slots__ = ()


def _of_primal(name: str) -> property:
    def read(t: Any) -> Any:
        return getattr(t._dual[1], name)

    def write(t: Any, value: Any) -> None:
        setattr(t._dual[1], name, value)

    return property(read, write)


_STATE: Final = ("_data", "_node", "_rg", "_cell", "_view", "_grad", "_accumulator", "_hooks", "_retains")
for _name in _STATE:
    setattr(DualState, _name, _of_primal(_name))

_dual_class: type[TensorBase] = TensorBase


def bind_dual_class(cls: type[TensorBase]) -> None:
    """Say which class duals have; called once, where it is defined."""
    global _dual_class  # noqa: PLW0603 - bound once, by the layer above
    _dual_class = cls


def dual(level: Level, primal: Any, tangent: Any) -> Any:
    """A dual tensor; both parts are taken as they are. The primal belongs to this dual alone."""
    t = _new(_dual_class)
    t._dual = (level, primal, tangent, _version(primal))
    _note(t, level, tangent)
    return t


def _plain(t: Any) -> Any:
    """The tensor behind duals of all levels."""
    while t.__class__ is _dual_class:
        t = t._dual[1]
    return t


def _note(t: Any, level: Level, tangent: Any) -> None:
    """Let the plain tensor behind the dual ``t`` know its tangent at a level: views of its memory ask for it."""
    plain = _plain(t)
    others = [known for known in plain._tangents if known[0] is not level and known[0].open]
    plain._tangents = (*others, (level, tangent, ref(t)))


def _known(t: Any, level: Level) -> Any:
    """What the plain tensor behind ``t`` knows of a level: ``(level, tangent, the dual, weakly)``, or None."""
    return next((known for known in _plain(t)._tangents if known[0] is level), None)


def _holder(plain: Any) -> Any:
    """The innermost dual of a plain tensor, the tensor itself where it is none, None if its duals are gone."""
    duals = [(level.number, reference()) for level, _, reference in plain._tangents if level.open]
    alive = [pair for pair in duals if pair[1] is not None]
    return max(alive, key=itemgetter(0))[1] if alive else None if duals else plain


def become_dual(t: Any, level: Level, tangent: Any) -> None:
    """Make an existing tensor a dual in place, or give it another tangent; what it was becomes its primal.

    The base of a view may be the plain tensor behind a dual: then it only learns its tangent, which its dual asks for,
    or that dual becomes one of this level too.
    """
    own = t._dual
    if own is not None and own[0] is level:
        t._dual = (level, own[1], tangent, _version(own[1]))
        _note(t, level, tangent)
        return
    if own is None and t._tangents:
        known, holder = _known(t, level), _holder(t)
        if known is not None or holder is None:
            others = [other for other in t._tangents if other is not known]
            t._tangents = (*others, (level, tangent, ref(t) if known is None else known[2]))
            return
        if holder is not t:
            become_dual(holder, level, tangent)
            return
    before = _new(t.__class__)
    if own is not None:  # all its state is that of its primal
        before._dual = own
    for name in _STATE if own is None else ():
        try:
            setattr(before, name, getattr(t, name))
        except AttributeError:
            continue
    t.__class__ = _dual_class
    before._tangents, t._tangents = t._tangents, ()
    t._dual = (level, before, tangent, _version(before))
    _note(t, level, tangent)


def _version(t: Any) -> int:
    cell = t._cell
    return cell[0] if cell else 0


def refreshed(t: Any, level: Level) -> Any:
    """The tangent at ``level`` of a dual or of the primal of one; None if it has none."""
    if t.__class__ is _dual_class and t._dual[0] is level:
        return split(t, level)[1]
    known = _known(t, level)
    return None if known is None else known[1]


def innermost(values: Any) -> Level | None:
    """The innermost open level of the duals among ``values``."""
    found: Level | None = None
    for x in values:
        if x.__class__ is _dual_class:
            level = opened(x)._dual
            if level is not None and (found is None or level[0].number > found.number):
                found = level[0]
    return found


def opened(x: Any) -> Any:
    """The tensor without the duals of levels that are over."""
    while x.__class__ is _dual_class and not x._dual[0].open:
        x = x._dual[1]
    return x


def split(x: Any, level: Level) -> tuple[Any, Any]:
    """The primal and the tangent (or None) of anything at an open level, which no level inside it may hide."""
    x = opened(x)
    if x.__class__ is not _dual_class or x._dual[0] is not level:
        return x, None
    _, primal, tangent, seen = x._dual
    if _version(primal) != seen:  # the memory was written: its base knows the tangent
        view = primal._view
        whole = refreshed(primal if view is None else view.base, level)
        if whole is not None:
            tangent = whole if view is None else follow(TENSOR, whole, view.steps)
        x._dual = (level, primal, tangent, _version(primal))
    return primal, tangent


def apply_leveled(op: Op, inputs: tuple[Any, ...], meta: dict[str, Any]) -> Any:
    """:func:`wengert.engine.apply.apply` for inputs some of which are batched or dual."""
    for x in inputs:
        if x.__class__ is _dual_class:
            level = innermost(inputs)
            break
    else:
        return apply_batched(op, inputs, meta, evaluate)
    if level is None:
        return apply_batched(op, tuple([opened(x) for x in inputs]), meta, evaluate)
    xs, ts = zip(*[split(x, level) for x in inputs], strict=True)
    y = apply(op, *xs, **meta) if op.name not in _DOORS else apply_leveled(op, xs, meta)
    tangents = push(op, ts, y, xs, meta)
    if op.outputs == 1:
        return y if tangents[0] is None else dual(level, y, tangents[0])
    return tuple([part if t is None else dual(level, part, t) for part, t in zip(y, tangents, strict=True)])


def _through_door(op: Op, x: Any, **meta: Any) -> Any:
    if STATE.trace is None and x.__class__ is not _dual_class and not (STATE.grad_enabled and is_tracking(x)):
        return wrap(op.impl(array_of(x), **meta))
    return apply_leveled(op, (x if STATE.trace is None else STATE.trace.inside(x),), meta)


_DOORS: Final = {op.name: op for op in (batch_axes.ENTER, batch_axes.LEAVE, batch_axes.ADD_UP, batch_axes.REPEAT)}
for _op in _DOORS.values():
    setattr(TENSOR, _op.name, partial(_through_door, _op))

__all__ = [
    "DualState",
    "Level",
    "apply_leveled",
    "become_dual",
    "bind_dual_class",
    "dual",
    "innermost",
    "refreshed",
    "split",
    "transforms_again",
    "transforms_now",
]
