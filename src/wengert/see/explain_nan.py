"""Why a result or a gradient is NaN or infinite.

Knows the order in which to ask: values first, then gradients. Knows no operation.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert._source import user_frame
from wengert.engine.base import TensorBase, is_tracking
from wengert.see.findings import Finding, Report
from wengert.see.finite import first_bad, is_bad
from wengert.see.flow import Flow, asking
from wengert.see.graph import Operation, Value
from wengert.see.nan_backward import backward_findings, steep_findings
from wengert.see.nan_forward import dead_findings, forward_findings
from wengert.see.why_none import Names, check_tensors


def explain_nan(y: Any, x: Any = None) -> Report:
    """Why ``y`` is NaN or infinite, or else the gradient of ``y`` by ``x``.

    The graph is evaluated again, forwards and backwards. If ``y`` is not finite, the finding is the first operation in
    forward order that made something not finite of finite operands; else it is the first rule in backward order that
    made a gradient not finite. Values that are not finite and never arrive are noted, and are no fault.

    Args:
        y: the result, such as the loss.
        x: the tensor whose gradient is looked at; by default every leaf.

    Returns:
        A report with the operation, an element where it happens, the operands there, the local derivative, the gradient
        that arrives, and the remedy.

    Raises:
        TypeError: one of the two is no tensor.
        ValueError: ``y`` has no graph.

    >>> import wengert as torch
    >>> x = torch.tensor([0.0, 1.0], requires_grad=True)
    >>> y = (x * torch.log(x)).sum()
    >>> report = explain_nan(y, x)
    >>> report[0].kind, report[0].index
    ('log_of_zero', (0,))
    """
    frame = user_frame(2)
    check_tensors(*[t for t in (y, x) if x is not None or t is y])
    names = Names(frame, y, y if x is None else x)
    asked = f" or the gradient of {names.x}" if x is not None else " or a gradient of it"
    question = f"Why is {names.y}{asked} not finite?"
    if not is_tracking(y):
        return Report(question, tuple(without_graph(y, names)), f"{names.y} is finite.")
    with asking():
        findings = nan_findings(Flow(y, frame), x)
    return Report(question, tuple(findings), "All values and gradients on the way are finite.")


def without_graph(y: TensorBase, names: Names) -> list[Finding]:
    """That a tensor without a graph is not finite, if so."""
    index = first_bad(y._data)
    if index is None:
        return []
    what = f"{names.y} is not finite, and it has no graph that would tell where that comes from."
    return [Finding("no_graph", what, names.y_name, names.assigned(names.y_name), index)]


def nan_findings(flow: Flow, x: Any) -> list[Finding]:
    """What is not finite in an evaluated graph, and why."""
    if flow.refused is not None:
        return [Finding("too_large", f"The graph was not evaluated again: {flow.refused}.", fault=False)]
    found = forward_findings(flow)
    harmful: set[Operation] = set()
    if not found:
        targets = [flow.graph.value_of(x)] if x is not None else list(flow.graph.leaves())
        blamed = set()
        for value in targets:
            if value is not None:
                spoilt, operations = backward_findings(flow, value)
                harmful |= operations
                found += [f for f in spoilt if (f.location, f.kind) not in blamed]
                blamed |= {(f.location, f.kind) for f in spoilt}
        if not found:
            found += [note for value in targets if value is not None for note in _stale(flow, value)]
    return found + dead_findings(flow, harmful)


def _stale(flow: Flow, value: Value) -> list[Finding]:
    """A `.grad` that is not finite although this graph gives a finite gradient."""
    if value.gradient is None or not is_bad(value.gradient):
        return []
    index = first_bad(value.gradient)
    name = value.name or "the leaf"
    fresh = flow.gradient(value)
    if fresh is None:
        steep = steep_findings(flow, value, index or ())
        if steep:
            return steep
        what = (
            f"`{name}.grad` is not finite, and the gradient cannot be evaluated again: values that it depends on were "
            "written over since. Ask before the update."
        )
        return [Finding("changed", what, value.name, None, index)]
    what = (
        f"`{name}.grad` is not finite, although this graph gives a finite gradient: what is there was added by an "
        "earlier "
        "backward pass, or written into it."
    )
    remedy = f"set `{name}.grad = None` (or call zero_grad()) before the next backward()"
    return [
        Finding(
            "stale", what, value.name, None, index, {"largest |gradient| now": float(np.max(np.abs(fresh)))}, remedy
        )
    ]


__all__ = ["explain_nan", "nan_findings", "without_graph"]
