"""What is wrong with a result and its gradients: all questions asked in turn.

Knows the order of the questions. Knows no answer.
"""

from __future__ import annotations

from types import FrameType
from typing import Any

from wengert._source import user_frame
from wengert.engine.base import TensorBase, is_tracking
from wengert.see.explain_nan import nan_findings, without_graph
from wengert.see.explain_zero import zero_findings
from wengert.see.findings import Finding, Report
from wengert.see.flow import Flow, asking, nearest_name
from wengert.see.graph import Value
from wengert.see.graph_report import accumulated, kept_alive
from wengert.see.why_none import Names, check_tensors, none_findings, untracked_finding

# Reasons for a gradient that is not there yet, or not any more: to be told, and no mistake in themselves.
_NO_FAULT = frozenset({"no_backward", "removed", "returned", "not_asked", "not_retained"})


def diagnose(y: Any, x: Any = None) -> Report:
    """What is wrong with ``y`` and its gradients: missing, not finite, zero, vanishing, added up, kept alive.

    Asks in turn what :func:`why_none`, :func:`explain_nan`, :func:`explain_zero` and :func:`graph_report` answer, and
    reports the faults, with notes on what only explains. The graph is evaluated again for it; tensors, hooks and
    gradients are left as they are. It may be asked before or after ``backward()``; after it, some values are gone.

    Args:
        y: the result, such as the loss.
        x: the tensor whose gradient is in question; by default all leaves that ``y`` depends on.

    Returns:
        The findings, the most telling first; ``report.ok`` says whether there is no fault among them.

    Raises:
        TypeError: one of the two is no tensor.

    >>> import wengert as torch
    >>> w = torch.tensor([3.0, 4.0], requires_grad=True)
    >>> loss = torch.log(torch.relu(-w).sum())
    >>> report = diagnose(loss, w)
    >>> report.ok, report[0].kind
    (False, 'log_of_zero')
    """
    frame = user_frame(2)
    check_tensors(*[t for t in (y, x) if x is not None or t is y])
    names = Names(frame, y, y if x is None else x)
    question = f"What is wrong with {names.y}{f' and its gradient by {names.x}' if x is not None else ''}?"
    with asking():
        findings = _findings(y, x, names, frame)
    faults = [finding for finding in findings if finding.fault]
    ordered = faults + [f for f in findings if not f.fault and not (faults and f.kind in _NO_FAULT)]
    return Report(question, tuple(ordered), "Nothing wrong was found.")


def _findings(y: TensorBase, x: TensorBase | None, names: Names, frame: FrameType) -> list[Finding]:
    if not is_tracking(y):
        return [untracked_finding(y, names), *without_graph(y, names)]
    flow = Flow(y, frame)
    found: list[Finding] = []
    if x is not None:
        found += [_as_note(f) if f.kind in _NO_FAULT else f for f in none_findings(y, x, names, flow.graph)]
    reached = x is None or flow.graph.value_of(x) is not None
    found += _missing_rules(flow) + _raising(flow)
    found += nan_findings(flow, x if reached else None)
    if reached and not any([f.fault for f in found]):
        found += _zeros(flow, x)
    return found + _passes(flow, x, names) + kept_alive(frame)


def _missing_rules(flow: Flow) -> list[Finding]:
    """The operations at which backward() ends with an error, for want of a derivative."""
    found = []
    for operation in flow.again.stopped:
        if operation.op is not None:
            name = operation.op.name
            what = f"{name} has no derivative by one of its inputs that requires grad: backward() cannot pass there."
            remedy = "detach() that input if it is meant to be fixed, or give the function a derivative of your own"
            found.append(Finding("no_rule", what, nearest_name(operation), operation.location, remedy=remedy))
    return found


def _raising(flow: Flow) -> list[Finding]:
    """The functions of the user's whose backward raises.

    It may only lack what it dropped itself in an earlier pass: after one, this is no fault. What the engine freed is
    not told at all.
    """
    graph = flow.graph
    passed = any([leaf.gradient is not None for leaf in graph.leaves()]) or any([op.freed for op in graph.operations])
    found = []
    for operation, error in flow.again.raised.items():
        if getattr(operation.node, "freed", None) is not None:
            continue
        reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        name = operation.function_name
        what = f"{name}.backward raises {reason.rstrip('.')}. backward() cannot pass there."
        remedy = f"mend {name}.backward; torch.autograd.gradcheck({name}.apply, inputs) tests it"
        found.append(
            Finding(
                "backward_raises", what, nearest_name(operation), operation.location, remedy=remedy, fault=not passed
            )
        )
    return found


def _as_note(finding: Finding) -> Finding:
    return Finding(
        finding.kind, finding.what, finding.variable, finding.location, finding.index, finding.numbers, finding.remedy,
        fault=False,
    )  # fmt: skip


def _zeros(flow: Flow, x: TensorBase | None) -> list[Finding]:
    """Gradients that are zero altogether, vanishing or exploding; not those that are zero in some elements only."""
    wanted: list[Any] = [x] if x is not None else [_tensor(leaf) for leaf in flow.graph.leaves()]
    found: dict[Any, Finding] = {}
    for t in wanted:
        for finding in zero_findings(flow, t) if t is not None else ():
            if finding.fault or (finding.kind == "stationary" and finding.numbers.get("share") == 1.0):
                found.setdefault((finding.kind, finding.location), finding)
    return list(found.values())


def _tensor(leaf: Value) -> Any:
    return leaf.node.variable if leaf.node is not None else None  # type: ignore[attr-defined]


def _passes(flow: Flow, x: TensorBase | None, names: Names) -> list[Finding]:
    """Parameters whose gradients were added up over several passes and updates."""
    if x is not None:
        pairs: list[tuple[str, Any]] = [(names.x_name or "x", x)]
    else:
        pairs = [(leaf.name or "a leaf", _tensor(leaf)) for leaf in flow.graph.leaves()]
    found = [accumulated(name, t) for name, t in pairs if t is not None]
    return [finding for finding in found if finding is not None and finding.fault]


__all__ = ["diagnose"]
