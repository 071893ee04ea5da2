"""Nodes of user-written functions (``autograd.Function``): the node is the ``ctx`` that the user's code sees."""

from __future__ import annotations

from typing import Any, ClassVar

from wengert.engine import messages
from wengert.engine.base import TensorBase, cell_of, edge_of, is_tracking
from wengert.engine.node import Node, Port, RecordedNode
from wengert.engine.saved import Packed, as_tensor, pack_one
from wengert.engine.state import STATE


class SavedValue:
    """One tensor given to ``save_for_backward``: its raw value, version, and where it stands in the graph."""

    __slots__ = ("cell", "edge", "raw", "result", "stray", "version")

    def __init__(self, t: Any, edge: Node | None, result: int | None, stray: bool) -> None:
        packed = pack_one(t, edge) if result is None else None
        self.raw: Any = t._data if packed is None else packed
        self.cell = cell_of(t)
        self.version = self.cell[0] if self.cell else 0
        self.edge = edge
        self.result = result  # which result of the function it is, if it is one
        self.stray = stray  # neither an input nor a result: the second order cannot see how it came about


class Stray(RecordedNode):
    """Where the gradient of a saved intermediate would go: nowhere, and the user should know."""

    __slots__ = ("owner",)
    owner: str

    def pull(self, grads: tuple[Any, ...]) -> tuple[Any, ...]:
        """Warn that a second derivative is incomplete."""
        messages.warn_stray(self)
        return ()


class FunctionNode(RecordedNode):
    """Base of the per-function node classes; subclasses bind ``function``."""

    __slots__ = ("__dict__", "_dirty", "_non_differentiable", "_to_save", "n_outputs", "needs_input_grad", "saved")

    function: ClassVar[Any]
    needs_input_grad: tuple[bool, ...]

    def __init__(self, inputs: tuple[Any, ...]) -> None:
        super().__init__(tuple([edge_of(x) if isinstance(x, TensorBase) else None for x in inputs]), None, None)
        self.needs_input_grad = tuple([isinstance(x, TensorBase) and is_tracking(x) for x in inputs])
        self.saved: tuple[SavedValue | None, ...] | None = ()
        self._to_save: tuple[Any, ...] = ()
        self._dirty: tuple[Any, ...] = ()
        self._non_differentiable: tuple[Any, ...] = ()
        self.n_outputs = 1

    # --- the ctx interface -----------------------------------------------------------------------------------------

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep tensors for backward; each must be a tensor or None."""
        for t in tensors:
            if t is not None and not isinstance(t, TensorBase):
                raise TypeError(f"save_for_backward can only save variables, but argument is of type {type(t).__name__}")
        self._to_save = tensors

    def save_for_forward(self, *tensors: Any) -> None:
        """Keep tensors for ``jvp``."""
        self.__dict__["_saved_for_forward"] = tensors

    def mark_dirty(self, *tensors: Any) -> None:
        """Say which inputs ``forward`` wrote in place; they must be returned."""
        self._dirty = tensors

    def mark_non_differentiable(self, *tensors: Any) -> None:
        """Say which results carry no derivative."""
        self._non_differentiable = tensors

    def set_materialize_grads(self, value: bool) -> None:
        """Whether ``backward`` gets zeros (True, the default) or None for results that nothing flowed into."""
        self.__dict__["_materialize"] = bool(value)

    @property
    def materialize(self) -> bool:  # type: ignore[override]
        """See :meth:`set_materialize_grads`."""
        return bool(self.__dict__.get("_materialize", True))

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """What ``save_for_backward`` was given, connected to the graph; raises once freed or changed in place."""
        if self.saved is None:
            raise RuntimeError(messages.freed(self))
        return tuple([None if s is None else self._restore(position, s) for position, s in enumerate(self.saved)])

    def _restore(self, position: int, s: SavedValue) -> Any:
        if s.cell and s.cell[0] != s.version:
            raise RuntimeError(messages.changed_in_place(self, position, s.cell, s.version))
        if s.raw.__class__ is Packed:
            return s.raw.tensor()
        if s.stray and s.raw.dtype.kind in "fc" and STATE.grad_enabled:
            stray = Stray((), s.raw.shape, s.raw.dtype)
            stray.owner, stray.code, stray.lasti = type(self).__name__, self.code, self.lasti
            return as_tensor(s.raw, stray, s.cell)
        edge: Node | None = s.edge
        if s.result is not None:
            edge = self if self.n_outputs == 1 else Port(self, s.result, s.raw.shape, s.raw.dtype)
        return as_tensor(s.raw, edge, s.cell)

    @property
    def ports(self) -> bool:  # type: ignore[override]
        """Whether the function has several results."""
        return self.n_outputs != 1

    # --- the engine's side -----------------------------------------------------------------------------------------

    def keep(self, inputs: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        """Turn the tensors given to ``save_for_backward`` into saved values, now that the results are known."""
        saved: list[SavedValue | None] = []
        for t in self._to_save:
            if t is None:
                saved.append(None)
                continue
            result = next((i for i, o in enumerate(outputs) if o is t), None)
            known = any([x is t for x in inputs])
            edge = edge_of(t) if result is None else None
            stray = result is None and not known and edge is None
            saved.append(SavedValue(t, edge, result, stray))
        self._to_save = ()
        self.saved = tuple(saved)

    def release(self) -> None:
        """Free the saved values, if there are any."""
        if self.saved:
            self.saved = None

    def pull(self, grads: tuple[Any, ...]) -> tuple[Any, ...]:
        """Run the user's ``backward`` and check what it returns."""
        got = self.function._backward(self, *grads)
        results = got if isinstance(got, tuple) else (got,)
        return messages.checked_gradients(self, results)
