"""Running operations and users' backward once more, undisturbed by the modes and hooks that the user has set."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from wengert.engine.apply import compute, promoted
from wengert.engine.custom import FunctionNode
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


def raw_results(op: Op, raws: Sequence[Any], meta: dict[str, Any]) -> tuple[Any, ...]:
    """What an operation gives for raw values, always as a tuple."""
    given = list(raws)
    y = compute(op, given if op.promote is Promote.KEEP else promoted(op, given), meta)
    return (y,) if op.outputs == 1 else tuple(y)


def pulled_back(node: FunctionNode, grads: Sequence[Any]) -> tuple[Any, ...]:
    """What a user's ``backward`` makes of cotangents (tensors); what it raises goes on."""
    tracked = STATE.grad_enabled
    STATE.grad_enabled = False
    try:
        return node.pull(tuple(grads))
    finally:
        STATE.grad_enabled = tracked


__all__ = [
    "pulled_back",
    "raw_results",
    "undisturbed",
]
