"""Recording operations once more, on tensors of our own, to ask a graph that is gone or freed what it would answer.

The new graph has the structure of the old one and none of its hooks. The user's modes and hooks do not reach it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from wengert.engine.apply import compute, promoted, record
from wengert.engine.backward import run_grad
from wengert.engine.base import TensorBase, edge_of, wrap_plain
from wengert.engine.custom import FunctionNode
from wengert.engine.node import Port, RecordedNode, zeros_of
from wengert.engine.saved import port_of
from wengert.engine.state import STATE
from wengert.ops.record import Op, Promote


@contextmanager
def undisturbed() -> Iterator[None]:
    """Tracking on, and none of the modes and hooks that the user may have set."""
    before = STATE.grad_enabled, STATE.inference, STATE.anomaly, STATE.saved_hooks
    STATE.grad_enabled, STATE.inference, STATE.anomaly, STATE.saved_hooks = True, False, False, ()
    try:
        yield
    finally:
        STATE.grad_enabled, STATE.inference, STATE.anomaly, STATE.saved_hooks = before


def leaf(raw: Any) -> Any:
    """A new tensor on a raw value that requires grad if its dtype can."""
    t = wrap_plain(raw)
    t._rg = raw.dtype.kind in "fc"
    return t


def constant(raw: Any) -> Any:
    """A new tensor on a raw value, to which no gradient flows; a Python number stays one."""
    return raw if isinstance(raw, (bool, int, float, complex)) and not hasattr(raw, "dtype") else wrap_plain(raw)


def placeholder(shape: tuple[int, ...], dtype: Any) -> Any:
    """A raw value that stands for one that nobody knows: zeros without memory."""
    return zeros_of(shape, dtype)


def raw_results(op: Op, raws: Sequence[Any], meta: dict[str, Any]) -> tuple[Any, ...]:
    """What an operation gives for raw values, always as a tuple."""
    given = list(raws)
    y = compute(op, given if op.promote is Promote.KEEP else promoted(op, given), meta)
    return (y,) if op.outputs == 1 else tuple(y)


def recorded(op: Op, inputs: Sequence[Any], results: Sequence[Any], meta: dict[str, Any]) -> tuple[Any, ...]:
    """New tensors on given results, recorded as what ``op`` gives for ``inputs``."""
    outs = tuple([wrap_plain(raw) for raw in results])
    y = outs[0]._data if op.outputs == 1 else tuple([out._data for out in outs])
    node: Any = record(op, tuple(inputs), y, outs, meta)
    for index, out in enumerate(outs):
        carries = op.outputs <= 1 or index in op.differentiable_outputs
        if carries and out._data.dtype.kind in "fc":
            out._node = node if op.outputs == 1 else port_of(node, index)
            out._rg = True
    return outs


class _Again(RecordedNode):
    """A node of a user's function in a graph recorded once more: its gradients are those of the first node."""

    __slots__ = ("fails", "original")
    original: FunctionNode
    fails: Callable[[], None]

    @property
    def ports(self) -> bool:  # type: ignore[override]
        """Whether the function has several results."""
        return self.original.ports

    @property
    def materialize(self) -> bool:  # type: ignore[override]
        """Whether backward gets zeros for results that nothing flowed into."""
        return self.original.materialize

    def pull(self, grads: tuple[Any, ...]) -> tuple[Any, ...]:
        """Run the user's ``backward``; what it needs may be freed or written over by now."""
        pulled = pulled_back(self.original, grads)
        if pulled is None:
            self.fails()
            return (None,) * len(self.next)
        return pulled


def pulled_back(node: FunctionNode, grads: Sequence[Any]) -> tuple[Any, ...] | None:
    """What a user's ``backward`` makes of cotangents (tensors); None where it raises."""
    tracked = STATE.grad_enabled
    STATE.grad_enabled = False
    try:
        return node.pull(tuple(grads))
    except Exception:  # noqa: BLE001 - the user's code: it may raise anything
        return None
    finally:
        STATE.grad_enabled = tracked


def recorded_function(
    node: FunctionNode, inputs: Sequence[Any], results: Sequence[Any], fails: Callable[[], None]
) -> tuple[Any, ...]:
    """New tensors on given results, recorded as what a user's function gives for ``inputs``.

    ``fails`` is called in the sweep if the user's ``backward`` raises; nothing then flows to the inputs.
    """
    made = _Again(tuple([edge_of(t) if isinstance(t, TensorBase) else None for t in inputs]), node.shape, node.dtype)
    made.original, made.fails = node, fails
    outs = tuple([wrap_plain(raw) for raw in results])
    for index, (out, dtype) in enumerate(zip(outs, node.dtype if made.ports else (node.dtype,), strict=True)):
        if dtype.kind in "fc":
            out._node = Port(made, index, out._data.shape, out._data.dtype) if made.ports else made
            out._rg = True
    return outs


def gradients(roots: Sequence[Any], tensors: Sequence[Any], cotangents: Sequence[Any]) -> list[Any]:
    """What one sweep from ``roots`` brings to each of ``tensors``, raw; None where nothing arrives. Frees the graph."""
    given = [None if g is None else wrap_plain(g) for g in cotangents]
    found = run_grad(roots, tensors, given, retain_graph=False, create_graph=False, allow_unused=True)
    return [None if t is None else t._data for t in found]


__all__ = [
    "constant",
    "gradients",
    "leaf",
    "placeholder",
    "pulled_back",
    "raw_results",
    "recorded",
    "recorded_function",
    "undisturbed",
]
