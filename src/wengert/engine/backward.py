"""What starts a sweep: ``backward`` (into ``.grad``) and ``grad`` (returned)."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Sequence
from operator import add
from typing import Any, Final, Literal

import numpy as np
from numpy import ndarray

from wengert._batched import Batched
from wengert._fpenv import run_silently
from wengert._source import user_code
from wengert.engine import start_messages as messages
from wengert.engine.base import TensorBase, accumulator_of, edge_of, wrap, wrap_plain
from wengert.engine.node import AccumulateGrad, FreedAt, Node
from wengert.engine.past import note_pass
from wengert.engine.state import STATE
from wengert.engine.sweep import OnTheWay, Sweep, drain_plain, lead_to_these_only, needed_nodes
from wengert.ops.record import TABLE
from wengert.spaces.tensors import TENSOR

_commit_lock = threading.Lock()

_F32: Final = np.dtype(np.float32)
_ONE: Final = np.float32(1)  # to make it anew takes 0.2 us, a twelfth of the whole pass over one node


def run_backward(
    tensors: Sequence[TensorBase],
    gradients: Sequence[Any],
    *,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Sequence[TensorBase] | None = None,
) -> None:
    """Sweep from ``tensors`` and add what arrives to ``.grad`` of the leaves (or of ``inputs`` only)."""
    sweep = Sweep(create_graph, create_graph if retain_graph is None else retain_graph, user_code(2), _is_traced())
    roots = _start(sweep, tensors, gradients)
    if inputs is None:
        arrivals = sweep.run()
    else:
        targets = [_target_edge(t) for t in inputs]
        for t in inputs:
            if t._node is not None:
                retain_grad(t)
        sweep.ask_for(needed_nodes(roots, targets), targets)
        sweep.run()
        arrivals = {n: g for n, g in sweep.captured.items() if isinstance(n, AccumulateGrad)}
    if STATE.axes:
        _check_shared(arrivals)
    _commit(arrivals, sweep)


def _check_shared(arrivals: dict[Any, Any]) -> None:
    """Raise if a leaf that all members of a running batch share would get a gradient for each of them."""
    for leaf, g in arrivals.items():
        raw = g._data if isinstance(g, TensorBase) else g
        if raw.__class__ is Batched and not leaf.axes:
            raise RuntimeError(
                "backward() called inside vmap: each member of the batch has a gradient of its own for a tensor of "
                f"shape {list(leaf.shape)} from outside, which has one. Use func.grad or func.vjp inside vmap, or "
                "call backward() on what vmap returns"
            )


def _is_traced() -> bool:
    return STATE.trace is not None


def backward_from_scalar(t: TensorBase, retain_graph: bool | None) -> None:
    """The commonest case of :func:`run_backward`: one tracked float result of one element, nothing else asked."""
    if STATE.trace is not None or t._data.__class__ is Batched:
        run_backward((t,), (None,), retain_graph=retain_graph)
        return
    node: Any = t._node
    where = user_code(3)
    dtype = t._data.dtype
    on_the_way: OnTheWay = [(node.seq, node)], {node: _ONE if dtype is _F32 else dtype.type(1)}, set()
    unusual = None
    if not STATE.one_by_one and not STATE.axes:
        unusual = run_silently(drain_plain, on_the_way, retain_graph, where)
        if unusual is None and _are_first(on_the_way[1]):
            return
    sweep = Sweep(False, bool(retain_graph), where, False)
    sweep.on_the_way = on_the_way
    _commit(sweep.run(unusual), sweep)


def _are_first(arrivals: dict[Any, Any]) -> bool:
    """Give leaves their gradients, if all are the first ones and nobody hooked in: nothing to add to."""
    with _commit_lock:
        arrays = False
        for leaf, g in arrivals.items():
            t = leaf.variable
            if leaf.state is not None or t is None or t._grad is not None or not t._rg or t._view is not None:
                return False
            if g.__class__ is ndarray:
                arrays = True
        if arrays:
            taken: set[int] = set()
            arrivals = {leaf: _own(g, taken) for leaf, g in arrivals.items()}
        try:
            for leaf, g in arrivals.items():
                leaf.variable._grad = wrap_plain(g)
        except BaseException:  # an interrupt between two leaves: finish, so that no gradient is half there
            for leaf, g in arrivals.items():
                leaf.variable._grad = wrap_plain(g)
            raise
    return True


def run_grad(
    outputs: Sequence[TensorBase],
    inputs: Sequence[TensorBase],
    gradients: Sequence[Any],
    *,
    retain_graph: bool,
    create_graph: bool,
    allow_unused: bool,
    ends: frozenset[Node] = frozenset(),
) -> list[Any]:
    """The gradients of ``outputs`` with respect to ``inputs``; None where an input was not used (if allowed).

    What lies behind the nodes ``ends`` is taken as constant.
    """
    where, is_traced = user_code(2), STATE.trace is not None
    if len(outputs) == 1 and not (create_graph or is_traced or ends or STATE.one_by_one or STATE.axes):
        root, g = _root(0, outputs[0], gradients[0], False)
        edges = [_target_edge(t) for t in inputs]
        if root.seq and lead_to_these_only((root,), edges):
            exposed: set[int] = (
                set() if gradients[0] is None else {id(g)}
            )  # a cotangent that the user gave stays the user's
            arrived = _swept_plainly(root, g, exposed, retain_graph, where)
            return _in_order(edges, arrived, exposed, inputs, outputs, allow_unused)
    sweep = Sweep(create_graph, retain_graph, where, is_traced)
    roots = _start(sweep, outputs, gradients)
    edges = [_target_edge(t) for t in inputs]
    if not ends and lead_to_these_only(roots, edges):
        arrived = sweep.run()  # the short way, as of `backward`
    else:
        sweep.ask_for(needed_nodes(roots, edges, ends), edges, ends)
        sweep.run()
        arrived = sweep.captured
    return _in_order(edges, arrived, None if sweep.on_tensors else sweep.exposed, inputs, outputs, allow_unused)


def _swept_plainly(root: Node, g: Any, exposed: set[int], retain_graph: bool, where: FreedAt) -> dict[Any, Any]:
    """What arrives at the leaves from one root, without a pass object unless something unusual is met."""
    on_the_way: OnTheWay = [(root.seq, root)], {root: g}, set()
    unusual = run_silently(drain_plain, on_the_way, retain_graph, where)
    arrived = on_the_way[1]
    if unusual is None:
        for leaf in arrived:
            if leaf.state is not None:
                break
        else:
            return arrived
    sweep = Sweep(False, retain_graph, where, False)
    sweep.on_the_way, sweep.exposed = on_the_way, exposed
    return sweep.run(unusual)


def _in_order(
    edges: Sequence[Node],
    arrived: dict[Any, Any],
    exposed: set[int] | None,
    inputs: Sequence[TensorBase],
    outputs: Sequence[TensorBase],
    allow_unused: bool,
) -> list[Any]:
    """The gradient of each input as a tensor: what arrived, which is one already where ``exposed`` is None."""
    results: list[Any] = []
    for position, edge in enumerate(edges):
        g = arrived.get(edge)
        if g is None:
            if not allow_unused:
                raise RuntimeError(messages.unused(position, inputs[position], outputs))
            results.append(None)
        else:
            results.append(g if exposed is None else wrap(_own(g, exposed, "K")))
    return results


def partial_gradients(
    outputs: Sequence[Any],
    inputs: Sequence[Any],
    cotangents: Sequence[Any],
    *,
    constants: Sequence[Any] = (),
    retain_graph: bool,
    create_graph: bool,
) -> list[Any]:
    """The gradients of ``outputs`` by ``inputs`` as if none of these depended on another; None for those not used.

    An input may lead to another one (``b = a * a``, both used), and what arrives at it goes no further; nor does what
    arrives at ``constants``. Outputs that are not tracked, or have no cotangent (None), are left out.
    """
    live = [(y, v) for y, v in zip(outputs, cotangents, strict=True) if v is not None and y._rg]
    if not live:
        return [None] * len(inputs)
    return run_grad(
        [y for y, _ in live],
        inputs,
        [v for _, v in live],
        retain_graph=retain_graph,
        create_graph=create_graph,
        allow_unused=True,
        ends=frozenset([edge for t in (*inputs, *constants) if (edge := edge_of(t)) is not None]),
    )


def run_to_leaves(
    outputs: Sequence[TensorBase], leaves: Sequence[TensorBase], gradients: Sequence[Any], *, retain_graph: bool
) -> list[Any]:
    """:func:`run_grad` where the graph has no leaves but ``leaves``, nobody hooked into it, and nothing is recorded."""
    sweep = Sweep(False, retain_graph, user_code(2), _is_traced())
    _start(sweep, outputs, gradients)
    arrived = sweep.run()
    found = [arrived.get(_target_edge(leaf)) for leaf in leaves]
    if sweep.on_tensors:
        return found
    return [None if g is None else wrap(_own(g, sweep.exposed, "K")) for g in found]


def _own(raw: Any, taken: set[int], order: Literal["C", "K"] = "C") -> Any:
    """``raw`` itself if nobody else can hold its memory, else a copy (in its own order with K); marks it as taken."""
    if raw.__class__ is not np.ndarray:
        return raw
    if raw.base is not None or id(raw) in taken or not raw.flags.writeable:
        return raw.copy(order)
    taken.add(id(raw))
    return raw


def _root(position: int, t: TensorBase, g: Any, on_tensors: bool) -> tuple[Node, Any]:
    """Where the sweep starts for one output, and with which cotangent."""
    edge = edge_of(t)
    if edge is None:
        raise RuntimeError(messages.no_graph(position, t))
    raw = t._data
    if g is None:
        if raw.size != 1:
            raise RuntimeError(messages.not_scalar(t))
        if raw.dtype.kind != "f":
            raise RuntimeError(messages.not_real(t))
        one = raw.dtype.type(1) if not raw.ndim else np.ones(raw.shape, raw.dtype)
        return edge, wrap(one) if on_tensors else one
    if g._data.shape != raw.shape:
        raise RuntimeError(messages.wrong_root_gradient(position, t, g))
    if (g._data.dtype.kind == "c") != (raw.dtype.kind == "c"):
        raise RuntimeError(messages.complex_mismatch(position, t, g))
    if g._data.dtype is not raw.dtype:
        g = TENSOR.cast(g, dtype=raw.dtype) if on_tensors else wrap(g._data.astype(raw.dtype))
    return edge, g if on_tensors else g._data


def _start(sweep: Sweep, outputs: Sequence[TensorBase], gradients: Sequence[Any]) -> list[Node]:
    """Give the sweep its roots; a cotangent that the user gave stays the user's."""
    roots = []
    for position, (t, given) in enumerate(zip(outputs, gradients, strict=True)):
        node, g = _root(position, t, given, sweep.on_tensors)
        if given is not None and not sweep.on_tensors:
            sweep.exposed.add(id(g))
        sweep.start(node, g)
        roots.append(node)
    return roots


def _target_edge(t: TensorBase) -> Node:
    edge = edge_of(t)
    if edge is None:
        raise RuntimeError(messages.not_required(t))
    return edge


# --- adding to .grad -------------------------------------------------------------------------------------------------


def _commit(arrivals: dict[Any, Any], sweep: Sweep) -> None:
    """Add each arrived gradient to its tensor's ``.grad``: all of them, or none if a post-accumulate hook raises."""
    for leaf in arrivals:
        if leaf.state is not None:
            _commit_with_hooks(arrivals, sweep)
            return
    done = 0
    try:
        with _commit_lock:
            for leaf, g in arrivals.items():
                done += 1
                _receive(leaf.variable, g, sweep)
    except BaseException:  # an interrupt between two leaves: finish, so that no gradient is half there
        sweep.forget_retained()
        for leaf, g in list(arrivals.items())[done:]:
            _receive(leaf.variable, g, sweep)
        raise


def _commit_with_hooks(arrivals: dict[Any, Any], sweep: Sweep) -> None:
    tensors = [leaf.variable for leaf in arrivals if leaf.variable is not None]
    before = [(t, _snapshot(t)) for t in tensors]
    try:
        with _commit_lock:
            for leaf, g in arrivals.items():
                _receive(leaf.variable, g, sweep)
        for t in tensors:
            if t._hooks is not None:
                _run_post_hooks(t)
    except BaseException:
        sweep.forget_retained()
        _restore(before)
        raise


def _receive(t: Any, g: Any, sweep: Sweep) -> None:
    """Add a gradient to ``t``: not if it is gone, was switched off, or is an untracked view."""
    if t is None or not t._rg or (t._view is not None and not t._view.receives(t)):
        return
    if g.__class__ is np.ndarray or sweep.on_tensors or t._grad is not None:
        _accumulate(t, g, sweep)
    else:  # the first scalar gradient: nothing to add to, no memory to share
        t._grad = wrap_plain(g)


def _accumulate(t: Any, g: Any, sweep: Sweep) -> None:
    """Add one gradient to ``t.grad``, in place where PyTorch does."""
    old = t._grad
    if sweep.create_graph:
        t._grad = _tracked_sum(old, g)
        if t._grad._rg:
            accumulator_of(t).weaken()
    elif sweep.on_tensors:
        STATE.trace.reads_grad(t)
        t._grad = g if old is None else STATE.trace.inplace(TABLE["add"], old, (g,), {})
    elif old is None:
        t._grad = wrap_plain(_own(g, sweep.exposed))
    else:
        data = old._data
        if data.__class__ is np.ndarray and data.flags.writeable:
            run_silently(np.add, data, g, out=data, casting="unsafe")
        else:
            old._data = run_silently(add, data, g)
        if old._cell:
            old._cell[0] += 1
        elif old._cell is None:
            old._cell = [1]
        if old._cell:
            note_pass(t, old, sweep.where)


def _tracked_sum(old: Any, g: Any) -> Any:
    """A new tensor with the graph of both: ``g`` itself may be another leaf's too, or someone's outside."""
    tracked, STATE.grad_enabled = STATE.grad_enabled, True
    try:
        return TENSOR.copy(g.detach(), g) if old is None else TENSOR.add(old, g)
    finally:
        STATE.grad_enabled = tracked


def retain_grad(t: Any) -> None:
    """Have the node of ``t`` store the gradient in ``t.grad``; it knows the tensor weakly, so there is no cycle."""
    if getattr(t, "_retains", False):
        return
    t._retains = True
    reference = weakref.ref(t)

    def retain(g: Any) -> None:
        target = reference()
        if target is not None:
            old = getattr(target, "_grad", None)
            STATE.sweep.retained.append((target, old))
            target._grad = TENSOR.clone(g) if old is None else TENSOR.add(old, g)

    t._node.hang().retain = retain


def _run_post_hooks(t: Any) -> None:
    grad_enabled, STATE.grad_enabled = STATE.grad_enabled, False
    try:
        for hook in list(t._hooks.post_accumulate.values()):
            hook(t)
        for hook in list(t._hooks.post.values()):
            hook((), (t._grad,))
    finally:
        STATE.grad_enabled = grad_enabled


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
