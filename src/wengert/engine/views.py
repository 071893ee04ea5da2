"""Views: tensors that share memory with a base, and stay differentiable when either is written in place.

A view remembers its base and the operations that lead from the base to it. After an in-place write to that memory its
node is stale; it is replayed from the base when next needed. Where that cannot give what the user wrote (the view was
made untracked, is one of several of one operation, or has a derivative of the user's) it is an error, as in PyTorch.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final

import numpy as np

from wengert._batched import Batched
from wengert.engine import inplace_messages as messages
from wengert.engine.base import TensorBase, cell_of, edge_of, set_inference, wrap
from wengert.engine.node import Node
from wengert.engine.state import STATE
from wengert.ops.record import Op
from wengert.spaces.tensors import TENSOR

# One step from base to view: the operation's name, its metadata, which of its results.
Step = tuple[str, dict[str, Any], int]


class Origin(StrEnum):
    """Under which circumstances a view was made; all but TRACKED forbid to write to it while tracking."""

    TRACKED = ""
    NO_GRAD = "no_grad"
    INFERENCE = "inference"
    SEVERAL = "several"  # one of several results of one operation
    FUNCTION = "function"  # the result of a user's autograd.Function


TRACKED: Final = Origin.TRACKED


class View:
    """How a view was made: its base, the steps from there, and the version at which its node was right."""

    # `own` and `missed` are unset until used.
    __slots__ = ("base", "missed", "origin", "own", "seen", "steps")

    base: TensorBase
    steps: tuple[Step, ...]
    seen: int
    origin: Origin
    own: bool  # the user switched requires_grad on or off on the view itself
    missed: bool  # the memory was written while the base was not tracked

    def __init__(self, base: TensorBase, steps: tuple[Step, ...], seen: int, origin: Origin) -> None:
        self.base = base
        self.steps = steps
        self.seen = seen
        self.origin = origin

    def refresh(self, view: TensorBase) -> None:
        """Bring the view's place in the graph up to date with its memory and its base.

        Raises:
            RuntimeError: the memory was written to and the view cannot follow; only while tracking.
        """
        cell = view._cell
        if cell and self.seen != cell[0]:
            self._renew(view, cell[0])
        if view._node is None and view._rg is not self.base._rg and not self.is_switched():
            if getattr(self, "missed", False):
                self._renew(view, self.seen)
            else:
                view._rg = self.base._rg and view._data.dtype.kind in "fc"

    def is_switched(self) -> bool:
        """Whether the user said of the view itself that it requires grad."""
        return getattr(self, "own", False)

    def receives(self, view: TensorBase) -> bool:
        """Whether gradients may be added to ``.grad`` of the view: not if it only looks tracked because its base is."""
        return view._node is not None or self.is_switched()

    def _renew(self, view: TensorBase, version: int) -> None:
        edge = edge_of(self.base)
        old = view._node
        if edge is not None or old is not None:
            if self.origin:
                if STATE.grad_enabled:
                    raise RuntimeError(messages.stale_view(view))
                return
            view._node = self._replay(edge) if edge is not None else None
            view._rg = view._node is not None or self.is_switched()
            carry_retain(view, old)
        self.missed = edge is None
        self.seen = version

    def _replay(self, edge: Node) -> Node | None:
        """The node of this view as a function of the base as it is now."""
        result: Any = wrap(self.base._data)
        result._node, result._rg = edge, True
        modes = STATE.grad_enabled, STATE.inference
        STATE.grad_enabled = True
        set_inference(False)
        try:
            for name, meta, index in self.steps:
                result = getattr(TENSOR, name)(result, **meta)
                if not isinstance(result, TensorBase):
                    result = result[index]
        finally:
            STATE.grad_enabled = modes[0]
            set_inference(modes[1])
        node = result._node
        if node is not None and self.steps[-1][0] not in _OF_COMPLEX:
            node.__class__ = _as_strided_class(type(node.settled()))
        return node  # type: ignore[no-any-return]


# PyTorch replays these by themselves, all others as a strided view of the memory; printed tensors show which.
_OF_COMPLEX = frozenset({"view_as_real", "view_as_complex", "real", "imag", "conj"})
_as_strided: dict[type[Node], type[Node]] = {}


def _as_strided_class(cls: type[Node]) -> type[Node]:
    made = _as_strided.get(cls)
    if made is None:
        made = type("AsStridedBackward0", (cls,), {"__slots__": (), "__module__": "wengert"})
        _as_strided[cls] = made
        _as_strided[made] = made
    return made


def carry_retain(t: TensorBase, old: Node | None) -> None:
    """Let ``retain_grad`` follow a tensor from its old node to its new one: ``.grad`` is that of its present value."""
    if old is None or old.hooks is None or old.hooks.retain is None or not getattr(t, "_retains", False):
        return
    if t._node is not None and t._node is not old:
        t._node.hang().retain = old.hooks.retain
        old.hooks.retain = None


def origin_of(parent: View | None, *, several: bool = False) -> Origin:
    """The origin of a view made now, from a base or from another view."""
    if STATE.inference:
        made = Origin.INFERENCE
    elif not STATE.grad_enabled:
        made = Origin.NO_GRAD
    else:
        made = Origin.SEVERAL if several else TRACKED
    if parent is None or (made and parent.origin is not Origin.INFERENCE):
        return made
    return parent.origin


def adopt_view(op: Op, meta: dict[str, Any], source: TensorBase, out: TensorBase, index: int = 0) -> None:
    """Make ``out`` a view of ``source`` if it shares its memory."""
    data, origin = out._data, source._data
    if data.__class__ is Batched:
        if data is origin or not np.may_share_memory(data.array, getattr(origin, "array", origin)):
            return
    elif data.__class__ is not np.ndarray:
        return
    elif data is origin:
        out._data = data = origin.view()
    elif data.base is None or (
        data.base is not origin and data.base is not origin.base and not np.may_share_memory(data, origin)
    ):
        return
    out._cell = cell = cell_of(source)
    parent = source._view
    step = (op.name, meta, index)
    base, steps = (source, (step,)) if parent is None else (parent.base, (*parent.steps, step))
    out._view = View(base, steps, cell[0] if cell else 0, origin_of(parent, several=op.outputs != 1))
