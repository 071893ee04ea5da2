"""The short path of view operations: what :func:`wengert.engine.apply.apply` does for them, in half of the time.

A view operation has one input, computes nothing (so NumPy cannot warn), and its rule reads at most the shape of its
input. What can be known beforehand is worked out once per operation. Tests compare the results with those of ``apply``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert._source import user_code
from wengert.engine import pointwise
from wengert.engine.apply import apply
from wengert.engine.base import accumulator_of, array_of, cell_of
from wengert.engine.node import Port, next_seq, save_plan
from wengert.engine.opnode import node_class
from wengert.engine.state import STATE
from wengert.engine.views import TRACKED, View, origin_of
from wengert.ops.reads import Read
from wengert.ops.record import Op

_new = object.__new__


def view_function(op: Op) -> Callable[[Any, dict[str, Any]], Any]:
    """``f(x, meta)``, the same as ``apply(op, x, **meta)``; the caller gives ``meta`` away.

    The impl of ``op`` must give a view of its input whenever it gets an array.
    """
    impl, name = op.impl, op.name
    keep = _keeps_input(op)
    real, complex_ = node_class(op, {}, is_complex=False), node_class(op, {}, is_complex=True)

    def view(x: Any, meta: dict[str, Any]) -> Any:
        cls = x.__class__
        if cls is not pointwise._Tensor:
            return apply(op, x, **meta)
        a = x._data
        if a.__class__ is not np.ndarray:
            a = array_of(x)
        y = impl(a, **meta)
        parent = x._view
        cell = x._cell
        if cell is None:
            cell = x._cell = [0]
        out = _new(cls)
        out._data = y if y is not a else a.view()
        out._cell = cell
        out._view = made = _new(View)
        if parent is None:
            made.base = x
            made.steps = ((name, meta, 0),)
            made.origin = TRACKED if STATE.grad_enabled else origin_of(None)
        else:
            parent.refresh(x)
            made.base = parent.base
            made.steps = (*parent.steps, (name, meta, 0))
            made.origin = parent.origin if STATE.grad_enabled else origin_of(parent)
        made.seen = cell[0] if cell else 0
        dtype = y.dtype
        if x._rg and STATE.grad_enabled and dtype.kind in "fc":
            following = x._node or accumulator_of(x)
            kind = real if dtype.kind == "f" else complex_
            node: Any = kind.first()
            node.links = (kind.form, following, None, following if keep else None)
            node.seq = next_seq()
            node.code, node.lasti = user_code(3)
            node.meta = meta or None
            node.state = None
            node.shape = y.shape
            node.dtype = dtype
            node.scalar = y.__class__
            out._node = node
            out._rg = True
        else:
            out._node = None
            out._rg = False
        return out

    return view


def _keeps_input(op: Op) -> bool:
    """Whether the rule of a view operation reads the shape of the input."""
    keep_y, keep_x = save_plan(op, 1, 1)
    if not op.view or keep_y is not Read.NOTHING or keep_x is Read.VALUES:
        raise ValueError(f"{op.name} is no view operation whose rule reads shapes alone")
    return keep_x is Read.METADATA


def views_function(op: Op) -> Callable[[Any, dict[str, Any]], tuple[Any, ...]]:
    """As :func:`view_function` for an operation that gives any number of views."""
    impl, name = op.impl, op.name
    keep = _keeps_input(op)
    real, complex_ = node_class(op, {}, is_complex=False), node_class(op, {}, is_complex=True)

    def views(x: Any, meta: dict[str, Any]) -> tuple[Any, ...]:
        cls = x.__class__
        if cls is not pointwise._Tensor:
            return apply(op, x, **meta)  # type: ignore[no-any-return]
        a = array_of(x)
        parts = impl(a, **meta)
        cell = cell_of(x)
        parent = x._view
        before: tuple[Any, ...] = ()
        base = x
        if parent is not None:
            parent.refresh(x)
            base, before = parent.base, parent.steps
        origin = origin_of(parent, several=True)
        node = None
        if x._rg and STATE.grad_enabled and a.dtype.kind in "fc":
            following = x._node or accumulator_of(x)
            node = _new(real if a.dtype.kind == "f" else complex_)
            node.links = (None, following, None, following if keep else None)
            node.state = node.scalar = None
            node.seq = next_seq()
            node.code, node.lasti = user_code(3)
            node.meta = meta or None
            node.shape = tuple([part.shape for part in parts])
            node.dtype = (a.dtype,) * len(parts)
        outs = []
        for index, part in enumerate(parts):
            out = _new(cls)
            out._data = part
            out._cell = cell
            out._view = View(base, (*before, (name, meta, index)), cell[0] if cell else 0, origin)
            out._node = None if node is None else Port(node, index, part.shape, part.dtype)
            out._rg = node is not None
            outs.append(out)
        return tuple(outs)

    return views
