"""In-place forms: write into a tensor's memory, count the write, and move the tensor on in the graph.

Memory is written in place; the graph stays functional. Writing ``f(x)`` into ``x`` gives ``x`` the node of ``f``;
writing into a view gives its base the node "the base with that region replaced" and lets every view replay itself from
there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert._batched import Batched, aligned
from wengert.engine import inplace_messages as messages
from wengert.engine.apply import compute, compute_dtype, promoted, raw_inputs, record
from wengert.engine.base import LEVELED, TensorBase, cell_of, edge_of, is_tracking, wrap
from wengert.engine.node import save_plan
from wengert.engine.out import check_castable, check_writable, mark_written
from wengert.engine.state import STATE
from wengert.engine.views import carry_retain
from wengert.ops.reads import Read
from wengert.ops.record import EachInput, Op, Promote
from wengert.ops.viewing import VIEW_WRITE

__all__ = ["check_writable", "inplace", "move_on", "write"]


def inplace(op: Op, self: Any, *others: Any, **meta: Any) -> Any:
    """Write ``op(self, *others)`` into ``self`` and return it.

    Raises:
        RuntimeError: ``self`` is a leaf that requires grad (or a view of one), one of several views of one operation,
            the result has another shape or a dtype that does not fit. Nothing has been written then.
    """
    for x in (self, *others):
        if x.__class__ in LEVELED.classes:
            return LEVELED.inplace(op, self, others, meta)
    if STATE.trace is not None:
        return STATE.trace.inplace(op, self, others, meta)
    return written(op, self, others, meta, compute)


def written(
    op: Op,
    self: Any,
    others: tuple[Any, ...],
    meta: dict[str, Any],
    compute: Callable[..., Any],
    *,
    batched: bool = False,
) -> Any:
    """:func:`inplace` with the result computed by ``compute(op, raws, meta)``."""
    touched = STATE.grad_enabled and (is_tracking(self) or any([_tracked(x) for x in others]))
    check_writable(self, touched)
    tracked = touched and self._data.dtype.kind in "fc" and _differentiable(op)
    inputs = (self, *others)
    raws = raw_inputs(op, inputs)
    if op.check is not None:
        op.check(op.name, raws)
    _check_dtype(op, self, raws)
    y = compute(op, raws if op.promote is Promote.KEEP else promoted(op, raws), meta)
    dtype = self._data.dtype
    if y.shape != self._data.shape:
        raise RuntimeError(messages.inplace_shape(op, self, y))
    if batched:
        _check_batch(op, self, y)
    if y.dtype is not dtype:
        y = y.astype(dtype)
    node = None
    if tracked:
        source = _before(self, copy=save_plan(op, (1 << len(inputs)) - 1, len(inputs))[1] is Read.VALUES)
        node = record(op, (source, *others), y, (wrap(y),), meta, batched=batched)
    write(self, y)
    if node is not None:
        _reconnect_saved_result(node, self)
        move_on(self, node)
    return self


def _tracked(x: Any) -> bool:
    return isinstance(x, TensorBase) and is_tracking(x)


def _differentiable(op: Op) -> bool:
    return isinstance(op.vjp, EachInput) or op.differentiable


def _check_dtype(op: Op, self: TensorBase, raws: list[Any]) -> None:
    if op.promote is not Promote.KEEP:
        check_castable(compute_dtype(op, raws), self._data.dtype)


def _before(self: TensorBase, *, copy: bool) -> Any:
    """The tensor as it was: same place in the graph; own copy of the values, if a rule will read them."""
    source = wrap(self._data.copy() if copy else self._data)
    edge = edge_of(self)
    if edge is not None:
        source._node, source._rg = edge, True
    return source


def write(t: TensorBase, y: Any) -> None:
    """Put ``y`` (same shape and dtype) into the memory of ``t`` and count the write."""
    data = t._data
    if data.__class__ is np.ndarray:
        np.copyto(data, y)
    elif data.__class__ is Batched:
        np.copyto(data.array, aligned(y, data.axes, y.ndim))
    else:  # a NumPy scalar shares its memory with nobody
        t._data = y if y.__class__ is not np.ndarray else y[()]
    mark_written(t)


def _check_batch(op: Op, self: TensorBase, y: Any) -> None:
    """Raise if the members of a batch would be written into memory that they share."""
    own = self._data.axes if self._data.__class__ is Batched else ()
    if y.__class__ is Batched and not set(y.axes) <= set(own):
        raise RuntimeError(
            f"vmap: inplace arithmetic(self, *extra_args) is not possible because there exists a Tensor `other` in "
            f"extra_args that has more elements than `self`: {op.name}_ would write the values of a whole batch into "
            "one tensor that its members share. Make the target of them all: torch.zeros_like(x), x.new_zeros(...), or "
            "use the out-of-place form"
        )


def _reconnect_saved_result(node: Any, self: TensorBase) -> None:
    """A rule that reads the result must notice later writes to it: watch the tensor's own version."""
    if isinstance(node.saved[0], (np.ndarray, np.generic, Batched)):
        y, *inputs = node.kept
        if y.__class__ in (np.ndarray, Batched):
            y = self._data  # its memory is given up; a scalar stays what it was
        cell = cell_of(self)
        node.relink((y, *inputs), ((cell, cell[0]), *node.watched[1:]))


def move_on(t: Any, node: Any) -> None:
    """Make ``node`` the place of ``t`` in the graph; for a view, by way of its base."""
    view = t._view
    if view is None:
        _set_node(t, node)
        return
    base = view.base
    before, value = wrap(base._data), wrap(t._data)
    edge = edge_of(base)
    before._node, before._rg = edge, edge is not None
    value._node, value._rg = node, True
    batched = base._data.__class__ is Batched
    _set_node(base, record(VIEW_WRITE, (before, value), base._data, (base,), {"steps": view.steps}, batched=batched))
    view.refresh(t)


def _set_node(t: Any, node: Any) -> None:
    old = t._node
    t._node, t._rg = node, True
    carry_retain(t, old)
