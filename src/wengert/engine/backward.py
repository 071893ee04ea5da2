"""What starts a sweep: ``backward`` (into ``.grad``) and ``grad`` (returned)."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.engine import messages
from wengert.engine.base import TensorBase, edge_of, is_tracking, wrap
from wengert.engine.node import AccumulateGrad, Node
from wengert.engine.sweep import Sweep, needed_nodes
from wengert.spaces.tensors import TENSOR

_commit_lock = threading.Lock()


def run_backward(
    tensors: Sequence[TensorBase],
    gradients: Sequence[Any],
    *,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Sequence[TensorBase] | None = None,
) -> None:
    """Sweep from ``tensors`` and add what arrives to ``.grad`` of the leaves (or of ``inputs`` only)."""
    retain = create_graph if retain_graph is None else retain_graph
    roots = [_root(t, g, create_graph) for t, g in zip(tensors, gradients, strict=True)]
    targets = None if inputs is None else {edge: t for t in inputs if (edge := _target_edge(t)) is not None}
    needed = None if targets is None else needed_nodes([node for node, _ in roots], targets)
    sweep = Sweep(
        create_graph=create_graph, retain_graph=retain, needed=needed, captures=() if targets is None else targets
    )
    _expose_given(sweep, roots, gradients)
    leaves = sweep.run(roots)
    if targets is None:
        arrivals = [(node.variable, g) for node, g in leaves.items()]
    else:
        arrivals = [(targets[node], g) for node, g in sweep.captured.items()]
    _commit(arrivals, create_graph, sweep.exposed)


def run_grad(
    outputs: Sequence[TensorBase],
    inputs: Sequence[TensorBase],
    gradients: Sequence[Any],
    *,
    retain_graph: bool,
    create_graph: bool,
    allow_unused: bool,
) -> list[Any]:
    """The gradients of ``outputs`` with respect to ``inputs``; None where an input was not used (if allowed)."""
    roots = [_root(t, g, create_graph) for t, g in zip(outputs, gradients, strict=True)]
    edges = [_target_edge(t) for t in inputs]
    targets = {edge for edge in edges if edge is not None}
    needed = needed_nodes([node for node, _ in roots], targets)
    sweep = Sweep(create_graph=create_graph, retain_graph=retain_graph, needed=needed, captures=targets)
    _expose_given(sweep, roots, gradients)
    sweep.run(roots)
    results: list[Any] = []
    for position, (edge, t) in enumerate(zip(edges, inputs, strict=True)):
        g = sweep.captured.get(edge) if edge is not None else None
        if g is None:
            if not allow_unused:
                raise RuntimeError(messages.unused(position, t, outputs))
            results.append(None)
        else:
            results.append(g if create_graph else wrap(_own(g, sweep.exposed)))
    return results


def _own(raw: Any, taken: set[int]) -> Any:
    """``raw`` itself if nobody else can hold its memory, else a copy; marks it as taken."""
    if raw.__class__ is not np.ndarray:
        return raw
    if raw.base is not None or id(raw) in taken or not raw.flags.writeable:
        return raw.copy()
    taken.add(id(raw))
    return raw


def _root(t: TensorBase, g: Any, create_graph: bool) -> tuple[Node, Any]:
    """Where the sweep starts for one output, and with which cotangent."""
    edge = edge_of(t)
    if edge is None:
        raise RuntimeError(messages.no_graph(t))
    raw = t._data
    if g is None:
        if raw.size != 1:
            raise RuntimeError(messages.not_scalar(t))
        if raw.dtype.kind not in "f":
            raise RuntimeError(
                f"grad can be implicitly created only for real scalar outputs but got {messages.dtype_name(raw.dtype)}"
            )
        one = raw.dtype.type(1) if not raw.ndim else np.ones(raw.shape, raw.dtype)
        return edge, wrap(one) if create_graph else one
    if g._data.shape != raw.shape:
        raise RuntimeError(messages.wrong_root_gradient(t, g))
    if (g._data.dtype.kind == "c") != (raw.dtype.kind == "c"):
        raise RuntimeError(messages.complex_mismatch(t, g))
    if g._data.dtype is not raw.dtype:
        g = TENSOR.cast(g, dtype=raw.dtype) if create_graph else wrap(g._data.astype(raw.dtype))
    return edge, g if create_graph else g._data


def _expose_given(sweep: Sweep, roots: list[tuple[Node, Any]], gradients: Sequence[Any]) -> None:
    for (_, g), given in zip(roots, gradients, strict=True):
        if given is not None and not isinstance(g, TensorBase):
            sweep.exposed.add(id(g))


def _target_edge(t: TensorBase) -> Node | None:
    if not is_tracking(t):
        raise RuntimeError(messages.not_required(t))
    return edge_of(t)


# --- adding to .grad -------------------------------------------------------------------------------------------------


def _commit(arrivals: list[tuple[TensorBase, Any]], create_graph: bool, exposed: set[int]) -> None:
    """Add each arrived gradient to its tensor's ``.grad``: all of them, or none if a post-accumulate hook raises."""
    hooked = any([getattr(t, "_post_hooks", None) for t, _ in arrivals])
    before = [(t, _snapshot(t)) for t, _ in arrivals] if hooked else []
    done = 0
    try:
        while done < len(arrivals):
            t, g = arrivals[done]
            done += 1
            with _commit_lock:
                accumulate(t, g, create_graph, exposed)
        if hooked:
            _run_post_hooks(arrivals)
    except BaseException:
        if hooked:
            _restore(before)
        else:  # an interrupt between two leaves: finish, so that no gradient is half there
            for t, g in arrivals[done:]:
                accumulate(t, g, create_graph, exposed)
        raise


def accumulate(t: Any, g: Any, create_graph: bool, exposed: set[int]) -> None:
    """Add one gradient to ``t.grad``, in place where PyTorch does."""
    old = getattr(t, "_grad", None)
    if create_graph:
        t._grad = g if old is None else old + g
    elif old is None:
        t._grad = wrap(_own(g, exposed))
        t._grad._cell = None  # a gradient is an ordinary tensor even when this runs under inference_mode
    elif old._rg:
        t._grad = wrap(old._data + g)
    else:
        data = old._data
        if data.__class__ is np.ndarray and data.flags.writeable:
            np.add(data, g, out=data, casting="unsafe")
        else:
            old._data = data + g
        if old._cell:
            old._cell[0] += 1


def _run_post_hooks(arrivals: list[tuple[TensorBase, Any]]) -> None:
    for t, _ in arrivals:
        for hook in list((getattr(t, "_post_hooks", None) or {}).values()):
            hook(t)


def _snapshot(t: TensorBase) -> tuple[Any, Any]:
    grad = getattr(t, "_grad", None)
    return grad, None if grad is None else grad._data.copy()


def _restore(before: list[tuple[TensorBase, tuple[Any, Any]]]) -> None:
    for t, (grad, values) in before:
        t._grad = grad
        if grad is not None:
            if grad._data.__class__ is np.ndarray:
                np.copyto(grad._data, values)
            else:
                grad._data = values
