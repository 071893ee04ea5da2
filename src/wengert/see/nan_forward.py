"""Where values that are not finite come from: the first operation that made NaN or an infinity of finite operands.

Knows the values of a graph in forward order. Knows no gradients.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from wengert.ops.record import Kind
from wengert.see.findings import Finding, shown
from wengert.see.finite import first_bad
from wengert.see.flow import Flow, at_element, at_index, called, element, nearest_name
from wengert.see.graph import Operation, Value
from wengert.see.patterns import clamp_without_effect, one_minus, remedy_of

_LOGS = frozenset({"log", "log2", "log10", "xlogy"})
_GROWING = frozenset({"sum", "prod", "cumsum", "cumprod", "mm", "matmul", "mv", "dot", "linear", "addmm", "bmm"})
_DOMAINS = {
    "acos": "[-1, 1]",
    "asin": "[-1, 1]",
    "acosh": "[1, inf)",
    "atanh": "(-1, 1)",
    "erfinv": "(-1, 1)",
    "logit": "(0, 1)",
    "sqrt": "[0, inf)",
    "rsqrt": "(0, inf)",
}


def _has_nan(raw: Any) -> bool:
    array = np.asarray(raw)
    return raw is not None and array.dtype.kind in "fc" and bool(np.isnan(array).any())


def forward_findings(flow: Flow) -> list[Finding]:
    """Why the roots are not finite: the operation at the start of it, and values that are not finite and do no harm."""
    poisoned = _poisoned(flow)
    found = _origin(flow, poisoned) if poisoned else None
    return [found] if found is not None else []


def dead_findings(flow: Flow, harmful: set[Operation]) -> list[Finding]:
    """Notes on operations that made NaN or infinities which never arrived at the roots."""
    poisoned = _poisoned(flow)
    notes = []
    makers = {value.source for value in flow.bad if value.source is not None}
    for operation in sorted(makers, key=lambda operation: operation.index):
        if operation in harmful or _is_meant(operation) or any([result in poisoned for result in operation.results]):
            continue
        if _starts(flow, operation):
            found = describe(flow, operation)
            what = f"{found.what} It does no harm: nothing of it arrives at the result."
            notes.append(Finding("dead", what, found.variable, found.location, found.index, found.numbers, fault=False))
    return notes


def _poisoned(flow: Flow) -> set[Value]:
    """The values that are not finite and lead to a root that is not finite because of them."""
    found: set[Value] = set()
    pending = [root for root in flow.graph.roots if root in flow.bad]
    while pending:
        value = pending.pop()
        if value in found:
            continue
        found.add(value)
        if value.source is not None:
            pending.extend([given for given in value.source.inputs if _passes(flow, value.source, given, value)])
    return found


def _passes(flow: Flow, operation: Operation, given: Value, result: Value) -> bool:
    """Whether what is not finite in an operand stands where the result is not finite."""
    raw = flow.raw(given)
    if raw is None:  # not known any more: perhaps
        return given.source is not None
    if given not in flow.bad:
        return False
    if operation.op is None or operation.op.kind is not Kind.ELEMENTWISE or flow.raw(result) is None:
        return True
    wrong = ~np.isfinite(np.asarray(raw)) & ~np.isfinite(np.asarray(flow.raw(result)))
    if operation.op.name == "where":
        condition, chosen = flow.raw(operation.inputs[0]), operation.inputs[1] is given
        if condition is not None:
            wrong = wrong & (np.asarray(condition) if chosen else ~np.asarray(condition))
    return bool(wrong.any())


def _starts(flow: Flow, operation: Operation) -> bool:
    """Whether an operation made something that is not finite of operands that all are."""
    if not any([result in flow.bad for result in operation.results]):
        return False
    return not any([flow.raw(value) is None or value in flow.bad for value in operation.inputs])


def _is_meant(operation: Operation) -> bool:
    """Whether the program writes an infinity there itself, as a mask does."""
    return any([isinstance(value, float) and math.isinf(value) for value in operation.meta.values()])


def _origin(flow: Flow, poisoned: set[Value]) -> Finding | None:
    given = sorted([v for v in poisoned if v.source is None], key=lambda value: value.index)
    spoilt = next((value for value in given if _has_nan(flow.raw(value))), None)
    if spoilt is not None:
        return _of_input(flow, spoilt)
    operations = sorted({v.source for v in poisoned if v.source is not None}, key=lambda operation: operation.index)
    nans = [
        operation
        for operation in operations
        if any([_has_nan(flow.raw(result)) for result in operation.results])
        and not any([_has_nan(flow.raw(value)) for value in operation.inputs])
    ]
    for operation in operations:
        if not _is_meant(operation) and _starts(flow, operation):
            then = next((later for later in nans if later.index > operation.index), None)
            found = describe(flow, operation, then)
            return found if all([flow.raw(value) is not None for value in poisoned]) else _with_gaps(found)
    if nans:  # of infinities that the program put there itself
        return describe(flow, nans[0])
    known = [value for value in given if flow.raw(value) is not None]
    return _of_input(flow, known[0]) if known else _unknown(flow)


def _with_gaps(found: Finding) -> Finding:
    what = f"{found.what} Some values between it and the result are not known any more: backward has freed them."
    return Finding(found.kind, what, found.variable, found.location, found.index, found.numbers, found.remedy)


def _unknown(flow: Flow) -> Finding:
    (root, *_) = flow.graph.roots
    name = f"`{root.name}`" if root.name is not None else "The result"
    what = f"{name} is not finite, and the values that it came of are not known any more: backward has freed them."
    location = root.source.location if root.source is not None else None
    remedy = "ask before backward(), or call it with retain_graph=True"
    return Finding("changed", what, root.name, location, first_bad(flow.raw(root)), remedy=remedy)


def _of_input(flow: Flow, value: Value) -> Finding:
    raw = flow.raw(value)
    index = first_bad(raw) or ()
    name = f"`{value.name}`" if value.name is not None else "an input"
    got = element(raw, index)
    location = value.users[0].location if value.users else None
    what = f"{name} itself is {shown(got)}{at_index(index)}: it came into the computation so."
    return Finding(
        "input", what, value.name, location, index, {at_element(value.name or "input", index): got},
        remedy="look at where it is read or made; `torch.isfinite(x).all()` checks data before training",
    )  # fmt: skip


def describe(flow: Flow, operation: Operation, then: Operation | None = None) -> Finding:
    """One operation whose result is not finite, at its first such element."""
    result = next((value for value in operation.results if value in flow.bad), operation.results[0])
    raw = flow.raw(result)
    index = first_bad(raw) or ()
    got = element(raw, index)
    operands = _operands(flow, operation, index)
    known = len(operands) == len(operation.inputs)
    kind, why = _cause(flow, operation, [value for _, value in operands] if known else [], got)
    name = operation.function_name
    subject = f"`{result.name}`" if result.name is not None else f"The result of {name}"
    what = f"{subject} is {shown(got)}{at_index(index)}: {why}."
    if then is not None and then is not operation:
        place = f" at {then.location}" if then.location is not None else ""
        what += f" From there it goes on: {then.name}{place} makes nan of it."
    numbers = {
        at_element(text, index): value for text, value in operands if text and not text.replace(".", "").isdigit()
    }
    if not operands:
        numbers = _sizes(flow, operation)
    variable = result.name or nearest_name(operation)
    return Finding(kind, what, variable, operation.location, index, numbers, remedy_of(operation))


def _operands(flow: Flow, operation: Operation, index: tuple[int, ...]) -> list[tuple[str, Any]]:
    """The operands at one element of the result; nothing for operations that combine elements."""
    if operation.op is None or operation.op.kind is not Kind.ELEMENTWISE:
        return []
    found = []
    for slot, value in enumerate(operation.inputs):
        raw = flow.raw(value)
        if raw is not None:
            found.append((called(value, operation, slot), element(raw, index)))
    return found


def _sizes(flow: Flow, operation: Operation) -> dict[str, Any]:
    numbers = {}
    for slot, value in enumerate(operation.inputs):
        raw = flow.raw(value)
        if raw is not None and np.asarray(raw).dtype.kind in "fc" and np.size(raw):
            with np.errstate(all="ignore"):
                numbers[f"largest |{called(value, operation, slot)}|"] = float(np.max(np.abs(raw)))
    return numbers


def _cause(flow: Flow, operation: Operation, at: list[Any], got: Any) -> tuple[str, str]:
    """A word for the cause, and the cause in words with its numbers."""
    name = operation.function_name
    if not at:
        return _cause_of_combination(flow, operation, name, got)
    last = at[-1] if name == "xlogy" else at[0]
    if name in _LOGS or name == "log1p":
        return _cause_of_log(operation, name, last)
    if name in ("div", "reciprocal"):
        a, b = (1, at[0]) if name == "reciprocal" else (at[0], at[1])
        if b == 0:
            return ("zero_by_zero", "0 / 0") if a == 0 else ("division_by_zero", f"{shown(a)} / 0")
        if abs(a) == math.inf and abs(b) == math.inf:
            return "inf_by_inf", "inf / inf"
    if name in ("add", "sub", "rsub") and math.isnan(abs(got)):
        return "inf_minus_inf", "inf - inf"
    if name == "mul" and 0 in at:
        return "zero_times_inf", "0 * inf"
    if name == "pow" and len(at) == 2 and all([isinstance(value, (int, float)) for value in at]):
        return _cause_of_pow(operation, at[0], at[1], got)
    return _cause_of_function(operation, name, at, got)


def _cause_of_pow(operation: Operation, a: float, b: float, got: Any) -> tuple[str, str]:
    if a == 0 and b < 0:
        return "division_by_zero", f"0 ** {shown(b)}"
    if a < 0 and math.isnan(got):
        return "outside_domain", f"a negative number ({shown(a)}) to a power that is no integer"
    return _cause_of_function(operation, "pow", [a, b], got)


def _cause_of_function(operation: Operation, name: str, at: list[Any], got: Any) -> tuple[str, str]:
    if name in _DOMAINS and all([math.isfinite(abs(value)) for value in at]):
        return "outside_domain", f"{name}({shown(at[0])}), and {name} is finite on {_DOMAINS[name]} only"
    if all([math.isfinite(abs(value)) for value in at]) and math.isinf(abs(got)):
        largest = float(np.finfo(operation.results[0].dtype).max)
        return "overflow", f"{name} overflows: {operation.results[0].dtype} ends at {largest:.3g}"
    return "not_finite", f"{name}({', '.join([shown(value) for value in at])})"


def _cause_of_log(operation: Operation, name: str, x: Any) -> tuple[str, str]:
    edge = -1 if name == "log1p" else 0
    if x != edge:
        return ("outside_domain", f"{name}({shown(x)}), and a negative number has no real logarithm")
    why = f"{name}({edge})"
    value = operation.inputs[-1] if name == "xlogy" else operation.inputs[0]
    p = one_minus(value)
    trap = clamp_without_effect(p if p is not None else value)
    if p is not None:
        name_of_p = f"`{p.name}`" if p.name is not None else "the other operand"
        why += f", since {name_of_p} is exactly 1 there and 1 - 1 is 0"
    if trap is not None:
        why += f"; {trap}"
    return "log_of_zero", why


def _cause_of_combination(flow: Flow, operation: Operation, name: str, got: Any) -> tuple[str, str]:
    infinite = [value for value in operation.inputs if value in flow.bad]
    if not infinite and name in _GROWING and math.isinf(abs(got)):
        largest = float(np.finfo(operation.results[0].dtype).max)
        return "overflow", f"{name} overflows: {operation.results[0].dtype} ends at {largest:.3g}"
    if infinite:
        return (
            "not_finite",
            f"{name} of infinities (every element it is taken over is infinite, or they have both signs)",
        )
    return "not_finite", f"{name} is not finite for these operands"


__all__ = ["dead_findings", "describe", "forward_findings"]
