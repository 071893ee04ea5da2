"""In-place forms: write into a tensor's memory, count the write, and move the tensor on in the graph.

Memory is written in place; the graph stays functional. Writing ``f(x)`` into ``x`` gives ``x`` the node of ``f``; writing into
a view gives its base the node "the base with that region replaced" and lets every view replay itself from there.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert._dtypes import from_numpy_dtype
from wengert.engine import messages
from wengert.engine.apply import compute, compute_dtype, promoted, raw_inputs, record
from wengert.engine.base import INFERENCE, TensorBase, array_of, cell_of, edge_of, is_tracking, wrap
from wengert.engine.out import mark_written
from wengert.engine.state import STATE
from wengert.ops.record import EachInput, Op, Promote
from wengert.ops.viewing import VIEW_WRITE


def inplace(op: Op, self: Any, *others: Any, **meta: Any) -> Any:
    """Write ``op(self, *others)`` into ``self`` and return it.

    Raises:
        RuntimeError: ``self`` is a leaf that requires grad (or a view of one), one of several views of one operation, the
            result has another shape or a dtype that does not fit. Nothing has been written then.
    """
    tracked = STATE.grad_enabled and (is_tracking(self) or any([_tracked(x) for x in others]))
    tracked = tracked and self._data.dtype.kind in "fc" and _differentiable(op)
    check_writable(self, tracked)
    inputs = (self, *others)
    raws = raw_inputs(op, inputs)
    if op.check is not None:
        op.check(op.name, raws)
    _check_dtype(op, self, raws)
    y = compute(op, raws if op.promote is Promote.KEEP else promoted(op, raws), meta)
    dtype = self._data.dtype
    if y.shape != self._data.shape:
        raise RuntimeError(messages.inplace_shape(op, self, y))
    if y.dtype is not dtype:
        y = y.astype(dtype)
    node = None
    if tracked:
        source = _before(self)
        node = record(op, (source, *others), [source._data, *raws[1:]], y, (wrap(y),), meta)
    write(self, y)
    if node is not None:
        _reconnect_saved_result(node, self)
        move_on(self, node)
    return self


def _tracked(x: Any) -> bool:
    return isinstance(x, TensorBase) and is_tracking(x)


def _differentiable(op: Op) -> bool:
    return isinstance(op.vjp, EachInput) or op.differentiable


def check_writable(t: TensorBase, tracked: bool) -> None:
    """Raise if ``t`` may not be written in place now."""
    if t._cell is INFERENCE and not STATE.inference:
        raise RuntimeError(
            "Inplace update to inference tensor outside InferenceMode is not allowed. You can make a clone to get a "
            "normal tensor before doing inplace update."
        )
    data = t._data
    if data.__class__ is np.ndarray and not data.flags.writeable:
        _check_broadcast(data)
    view = t._view
    if not STATE.grad_enabled:
        return
    if view is None:
        if t._rg and t._node is None:
            raise RuntimeError(messages.leaf_in_place(t))
        return
    if view.base._rg and view.base._node is None and view.base._view is None and not view.no_grad:
        raise RuntimeError(messages.leaf_view_in_place(t))
    if tracked and (view.multi or view.no_grad):
        raise RuntimeError(messages.view_in_place(t, view))


def _check_broadcast(data: np.ndarray[Any, Any]) -> None:
    if 0 in data.strides:
        raise RuntimeError(
            "unsupported operation: more than one element of the written-to tensor refers to a single memory location. "
            "Please clone() the tensor before performing the operation."
        )
    raise RuntimeError("the tensor's memory is read-only; write to a clone() of it")


def _check_dtype(op: Op, self: TensorBase, raws: list[Any]) -> None:
    if op.promote is Promote.KEEP:
        return
    got, own = compute_dtype(op, raws), self._data.dtype
    if not np.can_cast(got, own, casting="same_kind") and _rank(got) > _rank(own):
        raise RuntimeError(
            f"result type {_type_name(got)} can't be cast to the desired output type {_type_name(own)}"
        )


def _rank(dtype: np.dtype[Any]) -> int:
    return "buifc".index(dtype.kind) if dtype.kind != "u" else 2


_TYPE_NAMES = {"float32": "Float", "float64": "Double", "float16": "Half", "int64": "Long", "int32": "Int", "int16": "Short"}
_TYPE_NAMES |= {"int8": "Char", "uint8": "Byte", "bool": "Bool", "complex64": "ComplexFloat", "complex128": "ComplexDouble"}


def _type_name(dtype: np.dtype[Any]) -> str:
    return _TYPE_NAMES.get(dtype.name, from_numpy_dtype(dtype).name)


def _before(self: TensorBase) -> Any:
    """The tensor as it was: same place in the graph, own copy of the values, so that a rule can still read them."""
    source = wrap(self._data.copy())
    edge = edge_of(self)
    if edge is not None:
        source._node, source._rg = edge, True
    return source


def write(t: TensorBase, y: Any) -> None:
    """Put ``y`` (same shape and dtype) into the memory of ``t`` and count the write."""
    if t._data.__class__ is np.ndarray:
        np.copyto(t._data, y)
    else:  # a NumPy scalar shares its memory with nobody
        t._data = y if y.__class__ is not np.ndarray else y[()]
    mark_written(t)


def _reconnect_saved_result(node: Any, self: TensorBase) -> None:
    """A rule that reads the result must notice later writes to it: watch the tensor's own version."""
    if isinstance(node.saved[0], (np.ndarray, np.generic)):
        node.relink((self._data, *node.saved[1:]), (cell_of(self), *node.cells[1:]))
        node.versions = tuple([c[0] for c in node.cells])


def move_on(t: Any, node: Any) -> None:
    """Make ``node`` the place of ``t`` in the graph; for a view, by way of its base."""
    view = t._view
    if view is None:
        t._node, t._rg = node, True
        return
    base = view.base
    before, value = wrap(base._data), wrap(t._data)
    edge = edge_of(base) if base._view is None else None
    before._node, before._rg = edge, edge is not None
    value._node, value._rg = node, True
    base._node = record(VIEW_WRITE, (before, value), [base._data, t._data], base._data, (base,), {"steps": view.steps})
    base._rg = True
    array_of(base)
    view.refresh(t)
