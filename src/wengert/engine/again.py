"""Recording operations once more, on tensors of our own, to ask a graph that is gone or freed what it would answer.

The new graph has the structure of the old one and none of its hooks. The user's modes and hooks do not reach it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from wengert.engine.apply import compute, promoted, record
from wengert.engine.backward import run_grad
from wengert.engine.base import wrap_plain
from wengert.engine.node import zeros_of
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


def gradients(roots: Sequence[Any], tensors: Sequence[Any], cotangents: Sequence[Any]) -> list[Any]:
    """What one sweep from ``roots`` brings to each of ``tensors``, raw; None where nothing arrives. Frees the graph."""
    given = [None if g is None else wrap_plain(g) for g in cotangents]
    found = run_grad(roots, tensors, given, retain_graph=False, create_graph=False, allow_unused=True)
    return [None if t is None else t._data for t in found]


__all__ = ["constant", "gradients", "leaf", "placeholder", "raw_results", "recorded", "undisturbed"]
