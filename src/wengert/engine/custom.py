"""What the graph keeps of a user-written function (``autograd.Function``): its node, and the ``ctx`` it gets.

They are two objects, because the user may put anything on ``ctx`` (``ctx.shape = ...``) and the sweep needs such names
on the node. The node owns the ctx; the ctx knows the node weakly, so no cycle is made.
"""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Callable
from typing import Any, ClassVar

from wengert._batched import Batched, merged
from wengert.engine import messages
from wengert.engine.base import TensorBase, cell_of, wrap
from wengert.engine.batch_scope import batches_again
from wengert.engine.hooks import RemovableHandle
from wengert.engine.node import FreedAt, Node, Port, RecordedNode
from wengert.engine.saved import Packed, SavedTensor, as_tensor, pack_one, pack_result
from wengert.engine.state import STATE


class FunctionCtx:
    """The ``ctx`` of one call of a user's Function; anything may be stored on it."""

    __slots__ = (
        "__dict__",
        "_constant",
        "_dirty",
        "_forward",
        "_materialize",
        "_node",
        "_pushed",
        "_to_save",
        "needs_input_grad",
    )

    needs_input_grad: tuple[bool, ...]

    def __init__(self, needs_input_grad: tuple[bool, ...]) -> None:
        self.needs_input_grad = needs_input_grad
        self._node: Callable[[], FunctionNode | None] = _no_node
        self._to_save: tuple[Any, ...] = ()
        self._forward: tuple[Any, ...] = ()
        self._dirty: tuple[Any, ...] = ()
        self._constant: tuple[Any, ...] = ()
        self._materialize = True
        self._pushed: tuple[Any, ...] | None = None  # while jvp runs

    # --- what forward calls ----------------------------------------------------------------------------------------

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep tensors for backward; each must be a tensor or None."""
        for position, t in enumerate(tensors):
            if t is not None and not isinstance(t, TensorBase):
                raise TypeError(
                    f"save_for_backward can only save variables, but argument {position} is of type "
                    f"{type(t).__name__}: keep other things as attributes, ctx.name = ..."
                )
        self._to_save = tensors

    def save_for_forward(self, *tensors: Any) -> None:
        """Keep tensors for ``jvp``."""
        self._forward = tensors

    def mark_dirty(self, *tensors: Any) -> None:
        """Say which inputs ``forward`` wrote in place; they must be returned."""
        self._dirty = tensors

    def mark_non_differentiable(self, *tensors: Any) -> None:
        """Say which results carry no derivative."""
        self._constant = tensors

    def set_materialize_grads(self, value: bool) -> None:
        """Whether ``backward`` gets zeros (True, the default) or None for results that nothing flowed into."""
        self._materialize = bool(value)

    # --- what backward reads ---------------------------------------------------------------------------------------

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """What ``save_for_backward`` was given, connected to the graph; raises once freed or changed in place.

        In ``jvp`` it is what ``save_for_forward`` was given.
        """
        if self._pushed is not None:
            return self._pushed
        node = self._node()
        return () if node is None else node.saved_tensors

    @property
    def saved_for_forward(self) -> tuple[Any, ...]:
        """What ``save_for_forward`` was given."""
        return self._forward

    # --- what it has of its node -----------------------------------------------------------------------------------

    def name(self) -> str:
        """The node's name."""
        return type(self).__name__

    @property
    def next_functions(self) -> tuple[tuple[Node | None, int], ...]:
        """See :attr:`wengert.autograd.graph.Node.next_functions`."""
        return self._recorded().next_functions

    @property
    def metadata(self) -> dict[Any, Any]:
        """See :attr:`wengert.autograd.graph.Node.metadata`."""
        return self._recorded().metadata

    def register_hook(self, fn: Callable[..., Any]) -> RemovableHandle:
        """See :meth:`wengert.autograd.graph.Node.register_hook`."""
        return self._recorded().register_hook(fn)

    def register_prehook(self, fn: Callable[..., Any]) -> RemovableHandle:
        """See :meth:`wengert.autograd.graph.Node.register_prehook`."""
        return self._recorded().register_prehook(fn)

    def _recorded(self) -> FunctionNode:
        node = self._node()
        if node is None:
            raise RuntimeError(f"{self.name()} is not part of a graph: no input is tracked, or tracking is off")
        return node


def _no_node() -> None:
    return None


class SavedValue:
    """One tensor given to ``save_for_backward``: its raw value, version, and where it stands in the graph."""

    __slots__ = ("cell", "edge", "raw", "result", "stray", "version")

    def __init__(self, t: Any, edge: Node | None, *, stray: bool) -> None:
        packed = pack_one(t, edge)
        self.raw: Any = t._data if packed is None else packed
        self.cell = cell_of(t)
        self.version = self.cell[0] if self.cell else 0
        self.edge = edge
        self.result: int | None = None
        self.stray = stray  # neither an input nor a result: the second order cannot see how it came about

    @classmethod
    def of_result(cls, t: Any, place: Node, index: int) -> SavedValue:
        """A saved result: its edge is the function's own node, which is added when it is asked for."""
        saved = cls.__new__(cls)
        packed = pack_result(t._data, place, cell_of(t))
        saved.raw = t._data if packed is None else packed
        saved.cell = cell_of(t)
        saved.version = saved.cell[0] if saved.cell else 0
        saved.edge, saved.result, saved.stray = None, index, False
        return saved


class Stray(RecordedNode):
    """Where the gradient of a saved intermediate would go: nowhere, and the user should know."""

    __slots__ = ("owner",)
    owner: str

    def pull(self, grads: tuple[Any, ...]) -> tuple[Any, ...]:
        """Warn that a second derivative is incomplete."""
        warnings.warn(messages.stray(self.owner, self), UserWarning, stacklevel=2)
        return ()


class FunctionNode(RecordedNode):
    """Base of the per-function node classes; subclasses bind ``function``."""

    __slots__ = ("axes", "batches", "ctx", "n_outputs", "of_tensors", "port_references", "saved")

    function: ClassVar[Any]
    ctx: FunctionCtx

    def __init__(self, following: tuple[Node | None, ...], of_tensors: tuple[bool, ...], ctx: FunctionCtx) -> None:
        super().__init__(following, None, None)
        self.of_tensors = of_tensors  # which arguments are tensors
        self.ctx = ctx
        self.saved: tuple[SavedValue | None, ...] | None = ()
        self.n_outputs = 1
        self.axes = ()
        self.batches = STATE.axes, STATE.randomness  # the vmaps in which it is called
        self.port_references: dict[int, Callable[[], Port | None]] = {}
        ctx._node = weakref.ref(self)

    def __repr__(self) -> str:
        return f"<torch.autograd.function.{type(self).__name__} object at {id(self):#x}>"

    @property
    def next_functions(self) -> tuple[tuple[Node | None, int], ...]:
        """As of other nodes; arguments that are no tensors do not count."""
        return tuple([pair for pair, counts in zip(super().next_functions, self.of_tensors, strict=True) if counts])

    def __getattr__(self, name: str) -> Any:
        try:
            return getattr(self.ctx, name)
        except AttributeError:
            raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'") from None

    @property
    def materialize(self) -> bool:  # type: ignore[override]
        """See :meth:`FunctionCtx.set_materialize_grads`."""
        return self.ctx._materialize

    @property
    def ports(self) -> bool:  # type: ignore[override]
        """Whether the function has several results."""
        return self.n_outputs != 1

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """See :attr:`FunctionCtx.saved_tensors`."""
        if self.saved is None:
            raise RuntimeError(messages.freed(self))
        return tuple([None if s is None else self._restore(position, s) for position, s in enumerate(self.saved)])

    @property
    def _raw_saved_tensors(self) -> tuple[SavedTensor, ...]:
        """The saved values, to be given hooks."""
        if self.saved is None:
            raise RuntimeError(messages.freed(self))
        return tuple([SavedTensor(self, position) for position in range(len(self.saved))])

    def saved_value(self, slot: int) -> tuple[Any, Any, Node | None]:
        """One saved value, the cell of its version, and where its gradient goes."""
        s: SavedValue | None = (self.saved or ())[slot]
        return (None, None, None) if s is None else (s.raw, s.cell or [0], s.edge)

    def keep_packed(self, slot: int, packed: Any) -> None:
        """Keep what a hook has made of a saved value instead."""
        saved: Any = self.saved
        saved[slot].raw = packed

    def _restore(self, position: int, s: SavedValue) -> Any:
        edge = s.edge if s.result is None else self.place(s.result)
        if s.raw.__class__ is Packed:
            return s.raw.tensor(edge)
        if s.cell and s.cell[0] != s.version:
            raise RuntimeError(messages.changed_in_place(self, position, s.cell, s.version))
        if s.stray and s.raw.dtype.kind in "fc" and STATE.grad_enabled:
            stray = Stray((), s.raw.shape, s.raw.dtype)
            stray.owner, stray.code, stray.lasti = type(self).__name__, self.code, self.lasti
            edge = stray
        return as_tensor(s.raw, edge, s.cell)

    # --- the engine's side -----------------------------------------------------------------------------------------

    def describe_results(self, raws: list[Any]) -> None:
        """Remember the shapes and dtypes of the results; None stands for one that is no tensor."""
        self.n_outputs = len(raws)
        self.axes = merged([raw.axes for raw in raws if raw.__class__ is Batched] or [()])
        shapes = tuple([None if raw is None else raw.shape for raw in raws])
        dtypes = tuple([_NOTHING if raw is None else raw.dtype for raw in raws])
        self.shape, self.dtype = (shapes[0], dtypes[0]) if self.n_outputs == 1 else (shapes, dtypes)

    def place(self, index: int) -> Node:
        """Where a cotangent of result number ``index`` goes."""
        if self.n_outputs == 1:
            return self
        known = self.port_references.get(index)
        port = known() if known is not None else None
        if port is None:
            port = Port(self, index, self.shape[index], self.dtype[index])
            self.port_references[index] = weakref.ref(port)
        return port

    def keep(self, inputs: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        """Turn the tensors given to ``save_for_backward`` into saved values, now that the results are known."""
        saved: list[SavedValue | None] = []
        for t in self.ctx._to_save:
            if t is None:
                saved.append(None)
                continue
            result = next((i for i, o in enumerate(outputs) if o is t), None)
            if result is not None:
                saved.append(SavedValue.of_result(t, self.place(result), result))
                continue
            position = next((i for i, x in enumerate(inputs) if x is t), None)
            edge = self.next[position] if position is not None else t._node
            saved.append(SavedValue(t, edge, stray=position is None and edge is None))
        self.ctx._to_save = self.ctx._dirty = self.ctx._constant = ()
        self.saved = tuple(saved)

    def release(self, where: FreedAt) -> None:
        """Free the saved values, if there are any."""
        if self.saved:
            self.saved = None
            self.mark_freed(where)

    def pull(self, grads: tuple[Any, ...]) -> tuple[Any, ...]:
        """Run the user's ``backward`` and check what it returns."""
        if self.batches[0]:
            with batches_again(*self.batches):
                got = self.function._backward(self.ctx, *grads)
        else:
            got = self.function._backward(self.ctx, *grads)
        results = got if isinstance(got, tuple) else (got,)
        return messages.checked_gradients(self, results)


class _Nothing:
    """Stands for the dtype of a result that is not a tensor: nothing flows into it."""

    kind = "O"


_NOTHING = _Nothing()


class OnceNode(RecordedNode):
    """The graph ends here: what lies behind may be differentiated only once."""

    __slots__ = ("function_name",)
    function_name: str

    def name(self) -> str:
        """What PyTorch calls it."""
        return "torch::autograd::Error"

    def pull(self, grads: tuple[Any, ...]) -> tuple[Any, ...]:
        """Refuse."""
        raise RuntimeError(messages.once_only(self.function_name))


def only_once(result: Any, name: str) -> Any:
    """A copy of a gradient whose own derivative is an error."""
    if not isinstance(result, TensorBase):
        return result
    t = wrap(result._data)
    node = OnceNode((), t._data.shape, t._data.dtype)
    node.function_name = name
    t._node, t._rg = node, True
    return t
