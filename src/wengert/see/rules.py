"""The rules of one operation of a graph, run on raw values: what it hands on of the gradients of its results.

Knows how a rule is called on what is known of a graph. Knows no order in which operations are asked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.engine.again import pulled_back
from wengert.engine.base import wrap
from wengert.engine.custom import FunctionNode
from wengert.engine.node import zeros_of
from wengert.ops.record import MISSING, EachInput
from wengert.see.structure import Operation, Value

Known = Callable[[Value], Any]  # the raw value; None if it is not known
Raised = dict[Operation, Exception]  # what a user's backward raised


def handed_on(
    operation: Operation, slots: Sequence[int], grads: Sequence[Any], known: Known, raised: Raised | None = None
) -> list[Any] | None:
    """What an operation hands on to its inputs ``slots``, before it is summed over broadcast dimensions.

    Where a value is not known its rules get zeros of its form: only ask for inputs whose rules read no more of it.

    Args:
        operation: of the graph.
        slots: which inputs; None stands in the answer for one without a rule.
        grads: raw gradients of its results; None where nothing arrives.
        known: what is known of a value.
        raised: is given the error of a user's ``backward``.

    Returns:
        None where nobody can tell: a node of no operation, or a user's ``backward`` that raises.
    """
    op, node = operation.op, operation.node
    if isinstance(node, FunctionNode):
        try:
            pulled = _by_user(operation, node, grads)
        except Exception as error:  # noqa: BLE001 - the user's code: it may raise anything
            if raised is not None:
                raised[operation] = error
            return None
        return [pulled[slot] for slot in slots]
    if op is None:
        return None
    y: Any
    g: Any
    if op.outputs == 1:
        y, g = _raw_or_form(known, operation.results[0]), grads[0]
    else:
        y = tuple([_raw_or_form(known, value) for value in operation.results])
        pairs = zip(grads, operation.results, strict=True)
        g = tuple([zeros_of(r.shape, r.dtype) if g is None and r.dtype.kind in "fc" else g for g, r in pairs])
    xs = [_raw_or_form(known, value) for value in operation.inputs] if node.reads_inputs else ()  # type: ignore[attr-defined]
    space, meta = node.space, operation.meta  # type: ignore[attr-defined]
    if isinstance(op.vjp, EachInput):
        each = op.vjp.rule
        return [each(space, g, y, slot, *xs, **meta) for slot in slots]
    rules = op.vjp
    return [
        None if (rule := rules[slot]) is None or rule is MISSING else rule(space, g, y, *xs, **meta) for slot in slots
    ]


def _raw_or_form(known: Known, value: Value) -> Any:
    raw = known(value)
    return raw if raw is not None or value.shape is None else zeros_of(value.shape, value.dtype)


def _by_user(operation: Operation, node: FunctionNode, grads: Sequence[Any]) -> list[Any]:
    """What the backward of a user's function hands on to its inputs."""
    pairs = zip(grads, operation.results, strict=True)
    given = [_zeros(result) if g is None and node.materialize else g for g, result in pairs]
    pulled = pulled_back(node, [None if g is None else wrap(np.asarray(g)) for g in given])
    return [None if t is None else t._data for t in pulled]


def _zeros(value: Value) -> Any:
    is_tensor = getattr(value.dtype, "kind", "O") != "O"
    return np.zeros(value.shape or (), value.dtype if is_tensor else np.float32)


__all__ = ["handed_on"]
