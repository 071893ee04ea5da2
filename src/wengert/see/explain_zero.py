"""Why a gradient is exactly zero, vanishing or exploding.

Knows what each operation lets through of the gradient that arrives. Knows no graph beyond that.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np

from wengert._source import user_frame
from wengert.engine.base import is_tracking
from wengert.ops.record import Kind
from wengert.see.findings import Finding, Report, share
from wengert.see.flow import Flow, Step, asking, called, nearest_name
from wengert.see.graph import Operation, Value
from wengert.see.why_none import Names, check_tensors

_STEPS = frozenset({"round", "floor", "ceil", "trunc", "sign", "sgn", "heaviside", "round_decimals", "div_rounding"})
_RELUS = frozenset({"relu", "threshold", "hardtanh", "hardsigmoid", "hardswish", "softshrink", "hardshrink"})
_SATURATING = frozenset(
    {
        "sigmoid",
        "tanh",
        "softmax",
        "erf",
        "erfc",
        "normal_cdf",
        "gelu",
        "gelu_tanh",
        "silu",
        "mish",
        "elu",
        "celu",
        "atan",
    }
)
_CHOOSING = frozenset(
    {
        *("amax", "amin", "max_all", "min_all", "max_dim", "min_dim", "maximum", "minimum", "fmax", "fmin", "aminmax"),
        *("kthvalue", "median_all", "median_dim", "mode", "topk", "cummax", "cummin"),
    }
)
_STATIONARY = frozenset({"cos", "cosh", "hypot", "var", "std", "var_mean", "std_mean", "sinc"})
_OVERWRITING = frozenset({"zero", "fill", "fill_in_place", "fill_with", "fill_with_in_place", "copy"})
_CLAMPS = frozenset({"clamp", "clamp_min", "clamp_max", "clamp_tensor", "clamp_min_tensor", "clamp_max_tensor"})
_MASKS = frozenset({"where", "masked_fill", "masked_fill_tensor", "tril", "triu", "nan_to_num"})
_REMEDIES = {
    "relu_off": "use leaky_relu or gelu, a smaller learning rate, or an initialisation that keeps some inputs above 0",
    "kink": "this is the convention of PyTorch at that point; start from somewhere else if it matters",
    "saturated": "keep its input small (normalise, initialise smaller); for a loss use the form on logits, such as "
    "binary_cross_entropy_with_logits or cross_entropy",
    "clamped": "clamp for the value only, or use a smooth bound; inside of the bounds the gradient passes",
    "step_function": "it is constant between its jumps. Leave it out of the training path, or pass the gradient by "
    "hand: "
    "`x + (round(x) - x).detach()`",
    "times_zero": "look at the factor that is 0",
    "not_chosen": "use logsumexp or a softmax-weighted sum where all elements should learn",
    "not_selected": "look at the mask; elements that it leaves out learn nothing",
    "overwritten": "write into a clone() if the old values are to learn, or leave the write out",
    "underflow": "scale the values, or compute with logarithms (log_softmax, logsumexp) or in float64",
    "vanishing": "use activations that do not saturate (relu, gelu), normalisation, residual connections, or a larger "
    "initialisation",
    "exploding": "clip the gradient's norm, use a smaller factor or gates, or shorten the chain",
    "cancels": "its terms add up to a constant: check that the loss depends on it, for example that softmax is not "
    "summed "
    "over all of its elements",
}
_REPEATED = 3
_LARGE = 1e6


def explain_zero(y: Any, x: Any) -> Report:
    """Why the gradient of ``y`` by ``x`` is exactly zero, vanishing or exploding, and in which elements.

    Each operation between the two is asked, by evaluating its rule again, what it lets through of the gradient that
    arrives at it. Where it hands on zeros for what was not zero, it is named with the share of its elements. A gradient
    that is zero only in part, or zero because ``y`` is at a minimum, is explained and is no fault.

    Args:
        y: the result, such as the loss.
        x: the tensor whose gradient is asked for.

    Returns:
        A report; no finding where the gradient is neither zero anywhere nor very small or large.

    Raises:
        TypeError: one of the two is no tensor.
        ValueError: ``y`` has no graph.

    >>> import wengert as torch
    >>> x = torch.tensor([-1.0, -2.0], requires_grad=True)
    >>> y = torch.relu(x).sum()
    >>> report = explain_zero(y, x)
    >>> report[0].kind, report[0].numbers["share"]
    ('relu_off', 1.0)
    """
    frame = user_frame(2)
    check_tensors(y, x)
    names = Names(frame, y, x)
    question = f"Why is the gradient of {names.y} by {names.x} zero or nearly so?"
    if not is_tracking(y):
        raise ValueError(f"{names.y} has no graph, so it has no gradient: wengert.why_none says where it was cut")
    well = f"No element of the gradient by {names.x} is zero, vanishing or exploding."
    with asking():
        return Report(question, tuple(zero_findings(Flow(y, frame), x)), well)


def zero_findings(flow: Flow, x: Any) -> list[Finding]:
    """What takes a gradient away on its way to ``x``, the operation that takes most first."""
    value = flow.graph.value_of(x)
    if flow.refused is not None:
        return [Finding("too_large", f"The graph was not evaluated again: {flow.refused}.", fault=False)]
    if value is None:
        return [Finding("not_used", "The graph does not lead there: wengert.why_none says why.")]
    gradient = flow.gradient(value)
    if gradient is None:
        what = "The gradient cannot be evaluated again: values that it depends on were written over, or freed, "
        what += "since, or they ran inside of vmap."
        stopped = [f"{op.name} ({op.location})" for op in flow.again.stopped]
        if stopped:
            what = f"The gradient cannot be evaluated again: it does not come through {', '.join(stopped[:3])}, which "
            what += "has no derivative here, or whose own backward() can run no more."
        return [Finding("changed", what, value.name, fault=False)]
    array = np.asarray(gradient)
    if not np.isfinite(array).all() or not array.size:
        return []
    if array.any():
        return _chain_findings(flow, value, array) or _partial(flow, value, array)
    return _all_zero(flow, value)


# --- zeros -----------------------------------------------------------------------------------------------------------


def _losses(flow: Flow, x: Value) -> list[tuple[float, Finding]]:
    """The operations between ``x`` and the roots that hand on zeros for what is not zero, with their share."""
    found: list[tuple[float, Finding]] = []
    on_way = flow.between(x)
    reached = {x, *[result for operation in on_way for result in operation.results]}
    for operation in on_way:
        for slot, given in enumerate(operation.inputs):
            step = flow.step(operation, slot) if given in reached else None
            if step is None or not step.arriving.any():
                continue
            count, came = _lost(flow, step)
            if count:
                found.append((count / came, _loss(flow, step, count, came)))
            elif not step.handed_on.any():
                found.append((1.0, _sum_of_nothing(step)))
    return found


def _lost(flow: Flow, step: Step) -> tuple[int, int]:
    """How many elements lose a gradient that is not zero because of the operation, and of how many."""
    op = step.operation.op
    arriving, handed_on = step.arriving, step.handed_on
    if op is not None and op.kind is Kind.ELEMENTWISE:
        arriving, handed_on = np.broadcast_arrays(arriving, handed_on)
        return int(np.count_nonzero((arriving != 0) & (handed_on == 0))), int(np.count_nonzero(arriving))
    probe = flow.probe(step.operation, step.slot)  # else a zero may only be one that arrived
    if probe is None:
        return 0, handed_on.size
    return int(np.count_nonzero((handed_on == 0) & (np.broadcast_to(probe, handed_on.shape) == 0))), handed_on.size


def _sum_of_nothing(step: Step) -> Finding:
    """An operation whose rule adds up what arrives to zero, though it need not."""
    operation = step.operation
    name = operation.function_name
    why = "what arrives adds up to 0"
    if name in ("softmax", "log_softmax"):
        why = f"the same arrives at all elements, and the results of {name} always have the same sum"
    what = f"{name} hands on a gradient of 0 for {share(step.handed_on.size, step.handed_on.size)}: {why}."
    variable = step.value.name or operation.results[0].name or nearest_name(operation)
    return Finding("cancels", what, variable, operation.location, None, {"share": 1.0}, _REMEDIES["cancels"])


def _loss(flow: Flow, step: Step, count: int, came: int) -> Finding:
    kind, why = _reason(flow, step)
    operation = step.operation
    name = operation.function_name
    part = share(count, came)
    what = f"{name} hands on a gradient of 0 for {part}: {why}."
    variable = step.value.name or operation.results[0].name or nearest_name(operation)
    fault = kind != "stationary"
    return Finding(kind, what, variable, operation.location, None, {"share": count / came}, _REMEDIES.get(kind), fault)


def _reason(flow: Flow, step: Step) -> tuple[str, str]:
    """Why an operation hands on zeros, by what it is and by its values where it does."""
    operation = step.operation
    name = operation.function_name
    operand = called(step.value, operation, step.slot)
    raw = flow.raw(step.value)
    at = _values_there(step, raw)
    if name in _RELUS or name in _CLAMPS:
        return _reason_of_bounds(operation, name, operand, at)
    if name in _STEPS:
        return "step_function", f"{name} is constant between its jumps, so its derivative is 0"
    if name in ("softmax", "logsumexp"):
        return "saturated", f"{name} gives them a weight of 0"
    if name in _SATURATING or name in ("logsigmoid", "log_softmax", "binary_cross_entropy"):
        reach = f" (`{operand}` there is {_range(at)})" if at is not None and at.size else ""
        return "saturated", f"{name} is saturated{reach}, and its derivative is 0 in {operation.results[0].dtype}"
    if name in _CHOOSING:
        return "not_chosen", f"{name} passes the gradient to the elements that it chooses, and these are not"
    if name in _MASKS:
        return "not_selected", f"{name} does not select them"
    if name == "mul":
        return _reason_of_product(flow, step)
    if name in ("pow", "mse_loss", "smooth_l1_loss", "huber_loss", "abs", "linalg_vector_norm"):
        where = "its two operands are equal" if name.endswith("_loss") else f"`{operand}` is 0"
        return "stationary", f"{where} there, where {name} has the derivative 0"
    if name in ("exp", "exp2", "number_pow"):
        reach = f" (`{operand}` is {_range(at)})" if at is not None and at.size else ""
        return "underflow", f"{name} underflows to 0{reach}"
    if name.startswith("nll_loss") or (
        operation.op is not None and operation.op.kind in (Kind.INDEXING, Kind.MOVEMENT)
    ):
        return "not_selected", f"{name} uses other elements"
    if operation.op is not None and operation.op.kind is Kind.PRODUCT:
        return "times_zero", "they are multiplied with values that are 0 everywhere"
    return _plain_reason(name)


def _plain_reason(name: str) -> tuple[str, str]:
    """What can be said without looking at values."""
    if name in _STATIONARY:
        return "stationary", f"{name} has the derivative 0 at these values"
    if name in _OVERWRITING:
        return "overwritten", "its values are written over there"
    return "zero_derivative", f"the derivative of {name} is 0 there"


def _values_there(step: Step, raw: Any) -> Any:
    """The operand's values where an elementwise operation loses the gradient."""
    if raw is None or step.operation.op is None or step.operation.op.kind is not Kind.ELEMENTWISE:
        return None
    arriving, handed_on, values = np.broadcast_arrays(step.arriving, step.handed_on, np.asarray(raw))
    return values[(arriving != 0) & (handed_on == 0)]


def _range(values: Any) -> str:
    low, high = float(values.min()), float(values.max())
    return f"{low:.4g}" if low == high else f"between {low:.4g} and {high:.4g}"


def _reason_of_bounds(operation: Operation, name: str, operand: str, at: Any) -> tuple[str, str]:
    if at is None or not at.size:
        return "clamped", f"{name} is constant there"
    if name == "relu":
        if (at == 0).all():
            return "kink", f"`{operand}` is exactly 0 there, where relu has a kink: its derivative is taken to be 0"
        return "relu_off", f"relu is off, since `{operand}` is {_range(at)} there"
    bounds = [f"{key} = {value}" for key, value in operation.meta.items() if value is not None]
    limits = f" ({', '.join(bounds)})" if bounds else ""
    return "clamped", f"{name}{limits} is constant there, since `{operand}` is {_range(at)}"


def _reason_of_product(flow: Flow, step: Step) -> tuple[str, str]:
    other = step.operation.inputs[1 - step.slot]
    raw = flow.raw(other)
    if other is step.value:
        return "stationary", f"`{called(other, step.operation, step.slot)}` is 0, so its square is at its minimum"
    if raw is not None and not np.any(raw):
        text = called(other, step.operation, 1 - step.slot)
        return "times_zero", f"it multiplies by `{text}`, which is 0"
    there = _values_there(step, raw)
    if there is not None and there.size and not there.any():
        text = called(other, step.operation, 1 - step.slot)
        return "times_zero", f"it multiplies by `{text}`, which is 0 there"
    return "underflow", "the product is smaller than the smallest number of its dtype"


def _partial(flow: Flow, x: Value, gradient: Any) -> list[Finding]:
    """What explains the zeros of a gradient that is not zero everywhere: no fault in itself."""
    zeros = int(gradient.size - np.count_nonzero(gradient))
    if not zeros:
        return []
    losses = sorted(_losses(flow, x), key=lambda pair: -pair[0])
    return [
        Finding(f.kind, f.what, f.variable, f.location, f.index, f.numbers, f.remedy, fault=False) for _, f in losses
    ]


def _all_zero(flow: Flow, x: Value) -> list[Finding]:
    losses = sorted(_losses(flow, x), key=lambda pair: -pair[0])
    whole = [finding for part, finding in losses if part == 1.0]
    if whole:
        stationary = [finding for finding in whole if finding.kind == "stationary"]
        return stationary[:1] if stationary and len(stationary) == len(whole) else [f for f in whole if f.fault]
    if losses:
        return [finding for _, finding in losses]
    cancelled = _cancelled(flow, x)
    return [cancelled] if cancelled is not None else []


def _cancelled(flow: Flow, x: Value) -> Finding | None:
    """Where terms that are not zero add up to a gradient that is."""
    for value in (x, *[result for operation in flow.between(x) for result in operation.results]):
        steps = list(flow.steps_to(value))
        gradient = flow.gradient(value)
        if gradient is not None and not np.any(gradient) and any([step.handed_on.any() for step in steps]):
            name = f"`{value.name}`" if value.name is not None else "a value on the way"
            what = f"The contributions to the gradient of {name} are not zero, and add up to exactly 0."
            place = steps[0].operation.location
            return Finding("cancels", what, value.name, place, None, {}, _REMEDIES["cancels"])
    return None


# --- vanishing and exploding -----------------------------------------------------------------------------------------


def _chain_findings(flow: Flow, x: Value, gradient: Any) -> list[Finding]:
    """A gradient that shrinks or grows from operation to operation along its largest path."""
    path = _largest_path(flow, x)
    places = Counter([_place(step.operation) for step, _ in path])
    counted = [
        (step, factor)
        for step, factor in path
        if step.operation.function_name in _SATURATING or places[_place(step.operation)] >= _REPEATED
    ]
    if not counted:
        return []
    exponent = math.fsum([math.log10(factor) for _, factor in counted if factor > 0])
    largest = float(np.max(np.abs(gradient)))
    raw = flow.raw(x)
    size = float(np.max(np.abs(raw))) if raw is not None else 0.0
    eps = float(np.finfo(gradient.dtype).eps)
    if 10.0**exponent < eps and largest < eps * max(size, float(np.finfo(gradient.dtype).tiny)):
        return [_chain(x, counted, exponent, largest, "vanishing")]
    repeated = [pair for pair in counted if places[_place(pair[0].operation)] >= _REPEATED]
    growth = math.fsum([math.log10(factor) for _, factor in repeated if factor > 0])
    if growth > math.log10(_LARGE) and largest > _LARGE:
        return [_chain(x, repeated, growth, largest, "exploding")]
    return []


def _place(operation: Operation) -> Any:
    return (operation.node.code, operation.node.lasti)


def _largest_path(flow: Flow, x: Value) -> list[tuple[Step, float]]:
    """From ``x`` towards a root, each time to the operation that hands on most; with what each multiplies."""
    path: list[tuple[Step, float]] = []
    value, roots = x, set(flow.graph.roots)
    while value not in roots:
        if value not in flow.largest:
            flow.largest[value] = _largest_step(flow, value)
        largest = flow.largest[value]
        if largest is None:
            break
        path.append(largest)
        value = largest[0].operation.results[0]
    return path


def _largest_step(flow: Flow, value: Value) -> tuple[Step, float] | None:
    steps = list(flow.steps_to(value))
    if not steps:
        return None
    peaks = [_peak(step.handed_on) for step in steps]
    peak = max(peaks)
    step = steps[peaks.index(peak)]
    came = _peak(step.arriving)
    return step, peak / came if came else 0.0


def _peak(array: Any) -> float:
    if array.size == 1:
        return float(abs(array.item()))
    return float(np.maximum.reduce(np.absolute(array), axis=None, initial=0.0))


def _chain(x: Value, steps: list[tuple[Step, float]], exponent: float, largest: float, kind: str) -> Finding:
    groups: dict[Any, list[tuple[Step, float]]] = {}
    for step, factor in steps:
        groups.setdefault(_place(step.operation), []).append((step, factor))

    def effect(group: list[tuple[Step, float]]) -> float:
        return abs(math.fsum([math.log10(factor) for _, factor in group if factor > 0]))

    worst = max(groups.values(), key=effect)
    step = worst[0][0]
    name = step.operation.function_name
    typical = float(np.exp(np.mean([math.log(factor) for _, factor in worst if factor > 0])))
    times = f"{len(worst)} times in a row on the way, and multiplies the gradient by about {typical:.2g} each time"
    if len(worst) == 1:
        times = f"on the way, and multiplies the gradient by at most {typical:.2g}"
    subject = f"`{x.name}`" if x.name is not None else "the tensor"
    end = "is too small to change it" if kind == "vanishing" else "is very large"
    what = (
        f"The gradient of {subject} {end}: its largest element is {largest:.3g}. {name} stands {times}; all such "
        f"operations together multiply it by {10.0**exponent:.2g}."
    )
    numbers = {"largest |gradient|": largest, "factor": 10.0**exponent}
    return Finding(kind, what, x.name, step.operation.location, None, numbers, _REMEDIES[kind])


__all__ = ["explain_zero", "zero_findings"]
