"""Where gradients that are not finite come from, of values that are: the first rule in backward order that made one.

Knows what arrives at each operation and what it hands on. Knows no values but the operands it shows.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from wengert.ops.record import Kind
from wengert.see.findings import Finding, shown
from wengert.see.finite import first_bad, is_bad
from wengert.see.flow import Flow, Step, at_element, at_index, called, element, nearest_name
from wengert.see.graph import Operation, Value
from wengert.see.patterns import DOUBLE_WHERE, remedy_of

_MASKS = {"where": "`where`", "masked_fill": "`masked_fill`", "mul": "a multiplication by 0", "clamp": "`clamp`"}
_MASKING = frozenset(
    {
        *("where", "masked_fill", "masked_fill_tensor", "tril", "triu", "mul", "nan_to_num", "relu", "threshold"),
        *("clamp", "clamp_min", "clamp_max", "clamp_tensor", "clamp_min_tensor", "clamp_max_tensor"),
        *("maximum", "minimum", "fmax", "fmin"),
    }
)
_SQUARE_ROOTS = frozenset({"sqrt", "pow", "rsqrt"})


def backward_findings(flow: Flow, x: Value) -> tuple[list[Finding], set[Operation]]:
    """Why the gradient by ``x`` is not finite, and the operations that are to blame."""
    if not is_bad(flow.gradient(x)):
        return [], set()
    origins = _origins(flow, x)
    if not origins:
        return [], set()
    first = max(origins, key=lambda step: step.operation.index)  # the first that backward comes to
    return [_described(flow, first, x)], {step.operation for step in origins}


def _origins(flow: Flow, x: Value) -> list[Step]:
    """The steps on the way to ``x`` that hand on something not finite although what arrives is finite."""
    found, seen, pending = [], {x}, [x]
    while pending:
        value = pending.pop()
        for step in flow.steps_to(value):
            if not is_bad(step.handed_on):
                continue
            spoilt = [result for result in step.operation.results if is_bad(flow.gradient(result))]
            if not spoilt:
                found.append(step)
            for result in spoilt:
                if result not in seen:
                    seen.add(result)
                    pending.append(result)
    return found


def _described(flow: Flow, step: Step, x: Value) -> Finding:
    operation = step.operation
    index = first_bad(step.handed_on) or ()
    got = element(step.handed_on, index)
    slope = flow.local(operation, step.slot)
    numbers: dict[str, Any] = {}
    name = operation.function_name
    variable = nearest_name(operation)
    operand = called(step.value, operation, step.slot)
    if slope is None:
        what = (
            f"The gradient of {_subject(x)} is not finite. The rule of {name} makes {shown(got)} of "
            f"it{at_index(index)}, of "
            "finite operands and a finite gradient that arrives."
        )
        return Finding("not_finite", what, variable, operation.location, index, numbers, remedy_of(operation))
    local, arriving = element(slope, index), element(step.arriving, index)
    for slot, value in enumerate(operation.inputs):
        raw = flow.raw(value)
        if raw is not None and not value.is_constant | (value.dtype is None):
            numbers[at_element(called(value, operation, slot), index)] = element(raw, index)
    numbers["local derivative"] = local
    numbers["gradient that arrives"] = arriving
    said = (
        f"The gradient of {_subject(x)} is not finite because of {name}{at_index(index)}: its derivative by "
        f"`{operand}` is "
        f"{shown(local)}, and the gradient that arrives is {shown(arriving)}"
    )
    if arriving == 0 and not math.isfinite(abs(local)):
        return _zero_times_inf(flow, step, index, numbers, said)
    if not math.isfinite(abs(local)):
        kind = (
            "sqrt_at_zero"
            if name in _SQUARE_ROOTS and numbers.get(at_element(operand, index)) == 0
            else "infinite_slope"
        )
        what = f"{said}: {shown(arriving)} * {shown(local)} = {shown(got)}."
        if not math.isnan(abs(got)):
            what += _goes_on(flow, step)
        return Finding(kind, what, variable, operation.location, index, numbers, remedy_of(operation))
    what = f"{said}: their product overflows to {shown(got)}."
    return Finding("overflow", what, variable, operation.location, index, numbers, remedy_of(operation))


def _goes_on(flow: Flow, step: Step) -> str:
    """What becomes of an infinite gradient further down: it usually meets a zero."""
    value = step.value
    while value.source is not None:
        steps = [flow.step(value.source, slot) for slot in range(len(value.source.inputs))]
        spoilt = [further for further in steps if further is not None and is_bad(further.handed_on)]
        for further in spoilt:
            if np.isnan(further.handed_on).any():
                place = f" at {value.source.location}" if value.source.location is not None else ""
                name = f" of `{further.value.name}`" if further.value.name is not None else ""
                return (
                    f" Further down, {value.source.name}{place} multiplies it by 0 and makes nan of the gradient{name}."
                )
        if not spoilt:
            break
        value = spoilt[0].value
    return ""


def _zero_times_inf(flow: Flow, step: Step, index: tuple[int, ...], numbers: dict[str, Any], said: str) -> Finding:
    """A derivative that is infinite where the gradient that arrives is 0: mostly, where a mask does not select it."""
    operation = step.operation
    variable = nearest_name(operation)
    mask = _mask(flow, operation.results[0], index)
    if mask is None:
        what = f"{said}: 0 * inf = nan."
        return Finding(
            "zero_times_inf",
            what,
            variable,
            operation.location,
            index,
            numbers,
            remedy_of(operation),
        )
    name = mask.operation.op_name
    shown_name = _MASKS.get(name, f"`{name}`")
    place = f" ({mask.operation.location})" if mask.operation.location is not None else ""
    if name == "where":
        which = f"Branch {mask.slot} of {shown_name}{place} is not selected{at_index(index)}, so"
    else:
        which = f"{shown_name[0].upper()}{shown_name[1:]}{place} lets nothing through{at_index(index)}, so"
    what = f"{said}: 0 * inf = nan. {which} the value is not used there, but its derivative is still multiplied by 0."
    remedy = f"{DOUBLE_WHERE}, so that the branch which is not selected is finite too"
    return Finding("unselected_branch", what, variable, operation.location, index, numbers, remedy)


def _mask(flow: Flow, value: Value, index: tuple[int, ...]) -> Step | None:
    """The operation that turned a gradient into 0 at one element, upwards from ``value`` through equal shapes."""
    for _ in range(64):
        steps = list(flow.steps_to(value))
        if len(steps) != 1:
            return None
        (step,) = steps
        op = step.operation.op
        result = step.operation.results[0]
        if op is None or op.kind is not Kind.ELEMENTWISE or result.shape != value.shape:
            return None
        if element(step.arriving, index) != 0:
            return step if op.name in _MASKING else None
        value = result
    return None


def _subject(x: Value) -> str:
    return f"`{x.name}`" if x.name is not None else f"a tensor of shape {list(x.shape or ())}"


def steep_findings(flow: Flow, x: Value, index: tuple[int, ...]) -> list[Finding]:
    """Infinite derivatives on the way to ``x``, where what arrives there is not known any more."""
    for operation in reversed(flow.between(x)):
        for slot, value in enumerate(operation.inputs):
            if value.node is None or flow.raw(value) is None:
                continue
            slope = flow.local(operation, slot)
            if slope is None or not is_bad(slope):
                continue
            here = index if slope.shape == x.shape and not np.isfinite(slope[index]) else first_bad(slope) or ()
            operand = called(value, operation, slot)
            local = element(slope, here)
            what = (
                f"The gradient of {_subject(x)} is not finite. On its way the derivative of "
                f"{operation.name}{at_index(here)} "
                f"by `{operand}` is {shown(local)}. What arrived there is not known any more: backward has freed it. "
                "Ask "
                "before backward(), or call it with retain_graph=True, to be told."
            )
            numbers = {at_element(operand, here): element(flow.raw(value), here), "local derivative": local}
            name = nearest_name(operation)
            return [Finding("infinite_slope", what, name, operation.location, here, numbers, remedy_of(operation))]
    return []


__all__ = ["backward_findings", "steep_findings"]
