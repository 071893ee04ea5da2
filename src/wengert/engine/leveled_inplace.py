"""In-place forms on batched and dual tensors.

A write replaces the tangent of the whole memory, functionally: that of the base of a view is a new tensor with one
region replaced. Duals of views notice by the version of the memory and take their part of it anew (see ``split``).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert._batched import Batched, merged
from wengert.engine.apply import apply
from wengert.engine.base import wrap
from wengert.engine.inplace import inplace, written
from wengert.engine.leveled import Level, become_dual, innermost, refreshed, split
from wengert.engine.push import push
from wengert.ops.movement import CLONE, COPY
from wengert.ops.record import Op
from wengert.spaces.batching import evaluate
from wengert.spaces.tensors import TENSOR


def inplace_leveled(op: Op, self: Any, others: tuple[Any, ...], meta: dict[str, Any]) -> Any:
    """:func:`wengert.engine.inplace.inplace` where ``self`` or another operand is batched or dual."""
    level = innermost((self, *others))
    if level is not None:
        return _write_dual(op, self, others, meta, level)
    return written(op, self, others, meta, evaluate, batched=True)


def _write_dual(op: Op, self: Any, others: tuple[Any, ...], meta: dict[str, Any], level: Level) -> Any:
    """Write the primals' result, and give the memory the tangent that belongs to it.

    The forward rule is evaluated on a copy of what stood there before, so that nothing that it saves is overwritten.
    """
    primal, t = split(self, level)
    rest, ts = zip(*[split(x, level) for x in others], strict=True) if others else ((), ())
    source = apply(CLONE, primal)
    y = apply(op, source, *rest, **meta)
    (pushed,) = push(op, (t, *ts), y, (source, *rest), meta)
    if y._data.dtype is not primal._data.dtype:
        y = TENSOR.cast(y, dtype=primal._data.dtype)
    inplace(COPY, primal, y)
    if pushed is None and t is None:
        return self
    if pushed is None:
        pushed = _zeros(primal._data, primal._data)
    elif pushed._data.dtype is not primal._data.dtype:
        pushed = TENSOR.cast(pushed, dtype=primal._data.dtype)
    _replace_tangent(self, primal, level, pushed)
    return self


def _replace_tangent(self: Any, primal: Any, level: Level, pushed: Any) -> None:
    view = primal._view
    if view is not None:
        base = view.base
        whole = refreshed(base, level)
        if whole is None:
            whole = _zeros(base._data, pushed._data)
        elif not _holds(whole._data, pushed._data):
            whole = TENSOR.repeat_batch(whole, axes=pushed._data.axes)
        become_dual(base, level, TENSOR.view_write(whole, pushed, steps=view.steps))
    become_dual(self, level, pushed)


def _zeros(primal: Any, pushed: Any) -> Any:
    """A tangent of zeros for a primal, with a place for each member of the batch that ``pushed`` has."""
    own = primal.axes if primal.__class__ is Batched else ()
    axes = merged((own, pushed.axes if pushed.__class__ is Batched else ()))
    zeros = np.zeros((*[axis.size for axis in axes], *primal.shape), primal.dtype)
    return wrap(Batched(zeros, axes) if axes else zeros)


def _holds(raw: Any, pushed: Any) -> bool:
    """Whether a value has a place for each member of the batch that ``pushed`` has."""
    own = raw.axes if raw.__class__ is Batched else ()
    return set(pushed.axes if pushed.__class__ is Batched else ()) <= set(own)


__all__ = ["inplace_leveled"]
