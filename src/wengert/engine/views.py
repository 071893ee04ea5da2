"""Views: tensors that share memory with a base, and stay differentiable when either is written in place.

A view remembers its base and the operations that lead from the base to it. After an in-place write to that memory its
node is stale; it is replayed from the base when next needed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.engine.base import TensorBase, cell_of, edge_of, wrap
from wengert.engine.node import Node
from wengert.engine.state import STATE
from wengert.ops.record import Op
from wengert.spaces.tensors import TENSOR

# One step from base to view: the operation's name, its metadata, which of its results.
Step = tuple[str, dict[str, Any], int]


class View:
    """How a view was made: its base, the steps from there, and the version at which its node was right."""

    __slots__ = ("base", "multi", "no_grad", "seen", "steps")

    def __init__(self, base: TensorBase, steps: tuple[Step, ...], seen: int, multi: str, no_grad: bool) -> None:
        self.base = base
        self.steps = steps
        self.seen = seen
        self.multi = multi  # the name of the operation if it gave several views at once
        self.no_grad = no_grad  # made while tracking was off

    def refresh(self, view: TensorBase) -> None:
        """Replay the view's node from its base if the memory was written to since it was worked out."""
        cell = view._cell
        if not cell or self.seen == cell[0]:
            return
        self.seen = cell[0]
        if self.no_grad:
            return
        edge = edge_of(self.base)
        if edge is not None:
            view._node, view._rg = self._replay(edge), True
        elif view._node is not None:
            view._node, view._rg = None, False

    def _replay(self, edge: Node) -> Node:
        """The node of this view as a function of the base as it is now."""
        result: Any = wrap(self.base._data)
        result._node, result._rg = edge, True
        modes = STATE.grad_enabled, STATE.inference
        STATE.grad_enabled, STATE.inference = True, False
        try:
            for name, meta, index in self.steps:
                result = getattr(TENSOR, name)(result, **meta)
                if not isinstance(result, TensorBase):
                    result = result[index]
        finally:
            STATE.grad_enabled, STATE.inference = modes
        return result._node  # type: ignore[no-any-return]


def adopt_view(op: Op, meta: dict[str, Any], source: TensorBase, out: TensorBase, index: int = 0) -> None:
    """Make ``out`` a view of ``source`` if it shares its memory."""
    data, origin = out._data, source._data
    if data.__class__ is not np.ndarray:
        return
    if data is origin:
        out._data = data = origin.view()
    elif data.base is None:
        return
    elif data.base is not origin and data.base is not origin.base and not np.may_share_memory(data, origin):
        return
    out._cell = cell = cell_of(source)
    parent = source._view
    step = (op.name, meta, index)
    base, steps = (source, (step,)) if parent is None else (parent.base, (*parent.steps, step))
    multi = op.name if op.outputs != 1 else (parent.multi if parent is not None else "")
    no_grad = not STATE.grad_enabled or (parent is not None and parent.no_grad)
    out._view = View(base, steps, cell[0] if cell else 0, multi, no_grad)
