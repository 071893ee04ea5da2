"""Looking into the graph and hooking into it."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Self

import numpy as np

from wengert.engine import messages, short_paths, start_messages
from wengert.engine.base import INFERENCE, TensorBase, cell_of, edge_of, wrap
from wengert.engine.hooks import RemovableHandle
from wengert.engine.node import AccumulateGrad, Node, Port
from wengert.engine.saved import port_of
from wengert.engine.state import STATE


class GradientEdge(NamedTuple):
    """A place in the graph: a node and which of its results.

    >>> import wengert as torch
    >>> x = torch.ones(2, requires_grad=True)
    >>> torch.autograd.graph.GradientEdge((x * 2).grad_fn, 0).output_nr
    0
    """

    node: Node
    output_nr: int
    ownership_token: Node | None = None  # PyTorch's; a node here keeps alive all that it needs


def get_gradient_edge(tensor: Any) -> GradientEdge:
    """The place in the graph to which the gradient of ``tensor`` goes.

    Raises:
        RuntimeError: the tensor is not tracked.

    >>> import wengert as torch
    >>> x = torch.tensor(2.0, requires_grad=True)
    >>> y = x * x
    >>> edge = torch.autograd.graph.get_gradient_edge(y)
    >>> edge.node is y.grad_fn, edge.output_nr
    (True, 0)
    >>> torch.autograd.grad(y * 3, edge)
    (tensor(3.),)
    """
    place = edge_of(tensor)
    if place is None:
        raise RuntimeError(
            "It is not possible to get the gradient edge for a Tensor that does not require gradients: "
            f"{messages.called(tensor)}."
        )
    node: Any = place
    return GradientEdge(node.next[0], node.index) if isinstance(place, Port) else GradientEdge(place.settled(), 0)


def tensor_at(edge: GradientEdge, near: Sequence[Node]) -> Any:
    """A tensor that stands for a place in the graph: same shape and dtype, no values.

    Args:
        edge: the place.
        near: nodes from which it can be reached, if it is one of several results.
    """
    node: Any = edge.node
    if isinstance(node, AccumulateGrad) and node.variable is not None:
        return node.variable
    place = _port(node, edge.output_nr, near) if node.ports else node
    t = wrap(np.broadcast_to(place.dtype.type(0), place.shape))
    t._node, t._rg = place, True
    return t


def _port(node: Node, index: int, near: Sequence[Node]) -> Node:
    seen: set[Node] = set()
    stack = list(near)
    while stack:
        found = stack.pop()
        if found not in seen:
            seen.add(found)
            if isinstance(found, Port) and found.next[0] is node and found.index == index:
                return found
            stack.extend([n for n in found.next if n is not None])
    return port_of(node, index)


class saved_tensors_hooks:
    """Within this block every tensor saved for backward goes through ``pack_hook``; ``unpack_hook`` gets it back.

    >>> import wengert as torch
    >>> x = torch.tensor(3.0, requires_grad=True)
    >>> with torch.autograd.graph.saved_tensors_hooks(lambda t: t.numpy(force=True), torch.from_numpy):
    ...     y = x * x
    >>> y.backward()
    >>> x.grad
    tensor(6.)
    """

    def __init__(self, pack_hook: Callable[[Any], Any], unpack_hook: Callable[[Any], Any]) -> None:
        self.hooks = (pack_hook, unpack_hook)

    def __enter__(self) -> Self:
        if STATE.saved_hooks_disabled is not None:
            raise RuntimeError(STATE.saved_hooks_disabled)
        short_paths.close()
        STATE.saved_hooks = (*STATE.saved_hooks, self.hooks)
        return self

    def __exit__(self, *exc: object) -> None:
        STATE.saved_hooks = STATE.saved_hooks[:-1]
        short_paths.reopen()


class save_on_cpu(saved_tensors_hooks):
    """Keep saved tensors in main memory: where they are already, so each is copied and nothing else changes.

    >>> import wengert as torch
    >>> x = torch.tensor(3.0, requires_grad=True)
    >>> with torch.autograd.graph.save_on_cpu():
    ...     y = x * x
    >>> y.backward()
    >>> x.grad
    tensor(6.)
    """

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda") -> None:
        del pin_memory, device_type
        super().__init__(lambda t: t._data.copy(), wrap)


class disable_saved_tensors_hooks:
    """Within this block ``saved_tensors_hooks`` raises RuntimeError with the given message.

    >>> import wengert as torch
    >>> with torch.autograd.graph.disable_saved_tensors_hooks("not here"):
    ...     with torch.autograd.graph.save_on_cpu():
    ...         pass
    Traceback (most recent call last):
    ...
    RuntimeError: not here
    """

    def __init__(self, error_message: str) -> None:
        self.error_message = error_message

    def __enter__(self) -> None:
        self.before = STATE.saved_hooks_disabled
        if STATE.saved_hooks:
            raise RuntimeError(self.error_message)
        STATE.saved_hooks_disabled = self.error_message

    def __exit__(self, *exc: object) -> None:
        STATE.saved_hooks_disabled = self.before


class _Kept:
    """A saved tensor that may be written: its values, copied before the first write to its memory."""

    __slots__ = ("__weakref__", "cell", "owner", "raw")

    def __init__(self, t: Any, owner: allow_mutation_on_saved_tensors) -> None:
        self.raw = t._data
        self.cell = cell_of(t)  # kept, so that its id stays its own
        self.owner = owner


class allow_mutation_on_saved_tensors:
    """Within this block tensors saved for backward may be written in place: they are copied before the write.

    Forward and backward must both be in the block.

    >>> import wengert as torch
    >>> x = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> with torch.autograd.graph.allow_mutation_on_saved_tensors():
    ...     a = x.clone()
    ...     y = (a * a).sum()
    ...     a.zero_()
    ...     y.backward()
    tensor([0., 0.], grad_fn=<ZeroBackward0>)
    >>> x.grad
    tensor([2., 4.])
    """

    def __init__(self) -> None:
        self.by_memory: dict[int, list[weakref.ref[_Kept]]] = {}
        self.all: weakref.WeakSet[_Kept] = weakref.WeakSet()
        self.hooks: saved_tensors_hooks | None = None

    def __enter__(self) -> Self:
        if STATE.before_write is not None:
            raise RuntimeError("allow_mutation_on_saved_tensors contexts cannot be nested")
        self.hooks = saved_tensors_hooks(self._pack, self._unpack)
        self.hooks.__enter__()
        STATE.before_write = self._before_write
        return self

    def __exit__(self, *exc: object) -> None:
        STATE.before_write = None
        if self.hooks is not None:
            self.hooks.__exit__(*exc)
            self.hooks = None  # it refers back to this object
        self.clear()

    def clear(self) -> None:
        """Forget what was saved so far: backward through it is an error from now on."""
        for kept in self.all:
            kept.raw = None
        self.by_memory.clear()
        self.all.clear()

    def _pack(self, t: Any) -> _Kept:
        kept = _Kept(t, self)
        self.all.add(kept)
        self.by_memory.setdefault(id(kept.cell), []).append(weakref.ref(kept))
        return kept

    def _before_write(self, t: Any) -> None:
        for reference in self.by_memory.pop(id(t._cell), ()):
            kept = reference()
            if kept is not None and kept.cell is t._cell:
                kept.raw = kept.raw.copy()

    def _unpack(self, kept: _Kept) -> Any:
        if kept.raw is None:
            raise AssertionError(
                "Trying to backward outside of the 'allow_mutation_on_saved_tensors' context in which the graph was "
                "originally recorded: put the backward pass into the same block."
            )
        return wrap(kept.raw)


class _MultiHandle(RemovableHandle):
    """One handle for a hook on several tensors."""

    __slots__ = ("handles",)

    def __init__(self, handles: Sequence[RemovableHandle]) -> None:
        self.handles = handles

    def remove(self) -> None:
        """Take the hook away everywhere."""
        for handle in self.handles:
            handle.remove()


def register_multi_grad_hook(tensors: Sequence[Any], fn: Callable[..., Any], *, mode: str = "all") -> RemovableHandle:
    """Call a hook once the gradients of several tensors are known.

    Args:
        tensors: tracked tensors.
        fn: with ``mode="all"`` called as ``fn(grads)``, a list with None where a tensor got no gradient, after all
            tensors that take part in the backward pass have theirs; with ``mode="any"`` as ``fn(grad)`` for the first.
        mode: ``"all"`` or ``"any"``.

    Raises:
        ValueError: another mode.

    >>> import wengert as torch
    >>> x, y = torch.ones(2, requires_grad=True), torch.tensor(3.0, requires_grad=True)
    >>> handle = torch.autograd.graph.register_multi_grad_hook((x, y), print)
    >>> (x * y).sum().backward()
    [tensor([3., 3.]), tensor(2.)]
    """
    if mode not in ("all", "any"):
        raise ValueError(f"Expects mode to be one of ('all', 'any') but got {mode}")
    for t in tensors:
        if edge_of(t) is None:
            raise RuntimeError(start_messages.no_hook(t))
    lock = threading.Lock()
    collector = _Collector(len(tensors), fn, lock)
    if mode == "any":
        return _MultiHandle([t.register_hook(collector.first) for t in tensors])
    return _MultiHandle([t.register_hook(collector.slot(i)) for i, t in enumerate(tensors)])


class _Collector:
    """Gathers the gradients of one backward pass; the sweep says when the pass is over."""

    def __init__(self, count: int, fn: Callable[..., Any], lock: Any) -> None:
        self.grads: dict[Any, list[Any]] = {}
        self.count = count
        self.fn = fn
        self.lock = lock

    def slot(self, index: int) -> Callable[[Any], None]:
        """The hook of tensor number ``index``."""

        def hook(grad: Any) -> None:
            sweep = STATE.sweep
            with self.lock:
                grads = self.grads.get(sweep)
                if grads is None:
                    grads = self.grads[sweep] = [None] * self.count
                    sweep.at_end.append(lambda: self._finish(sweep))
                grads[index] = grad
                full = all([g is not None for g in grads])
            if full:
                self._finish(sweep)

        return hook

    def _finish(self, sweep: Any) -> None:
        with self.lock:
            grads = self.grads.pop(sweep, None)
        if grads is not None:
            self.fn(grads)

    def first(self, grad: Any) -> None:
        """The hook of every tensor in mode "any"."""
        sweep = STATE.sweep
        with self.lock:
            if sweep in self.grads:
                return
            self.grads[sweep] = []
            sweep.at_end.append(lambda: self.grads.pop(sweep, None))
        self.fn(grad)


def increment_version(tensor: Any) -> None:
    """Say that the memory of a tensor (or of several) was written by code that the engine does not see.

    Raises:
        RuntimeError: the tensor was made under ``inference_mode`` and has no version.

    >>> import wengert as torch
    >>> x = torch.ones(2)
    >>> torch.autograd.graph.increment_version(x)
    >>> x._version
    1
    """
    for t in (tensor,) if isinstance(tensor, TensorBase) else tensor:
        cell = cell_of(t)
        if cell is INFERENCE:
            raise RuntimeError("Inference tensors do not track version counter, so there is nothing to increment.")
        cell[0] += 1


__all__ = [
    "GradientEdge",
    "Node",
    "allow_mutation_on_saved_tensors",
    "disable_saved_tensors_hooks",
    "get_gradient_edge",
    "increment_version",
    "register_multi_grad_hook",
    "save_on_cpu",
    "saved_tensors_hooks",
]
