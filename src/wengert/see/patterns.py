"""Known formulas that lose their numbers, recognised around an operation, and the function that computes them well.

Knows shapes of formulas in a graph. Knows no values but those written into the program.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.see.graph import Operation, Value

_CLAMPS = frozenset({"clamp", "clamp_max"})
_THROUGH = frozenset(
    {"clamp", "clamp_min", "clamp_max", "cast", "clone", "reshape", "view", "squeeze_all", "squeeze_dim"}
)
DOUBLE_WHERE = (
    "choose a harmless operand first and then the result (the double where): "
    "`torch.where(ok, f(torch.where(ok, x, 1.0)), other)`"
)


def op_name(value: Value | None) -> str | None:
    """The operation that made a value, without the word for the form with a Python number."""
    if value is None or value.source is None or value.source.op is None:
        return None
    return value.source.op_name


def behind(value: Value) -> Value:
    """The value that was clamped, reshaped or converted to give this one."""
    while value.source is not None and op_name(value) in _THROUGH:
        value = value.source.inputs[0]
    return value


def number_of(value: Value) -> Any:
    """A Python number or a single element that stands in the program; None for anything else."""
    raw = value.raw
    if not value.is_constant or raw is None or np.size(raw) != 1:
        return None
    return np.asarray(raw).item()


def one_minus(value: Value) -> Value | None:
    """``p`` of ``1 - p``."""
    if op_name(value) not in ("sub", "rsub") or value.source is None:
        return None
    first, second = value.source.inputs
    if value.source.op is not None and value.source.op.name.startswith("rsub"):
        first, second = second, first
    return second if number_of(first) == 1 else None


def plus_one(value: Value) -> Value | None:
    """``x`` of ``x + 1`` and of ``1 + x``."""
    if op_name(value) != "add" or value.source is None:
        return None
    first, second = value.source.inputs
    if number_of(second) == 1:
        return first
    return second if number_of(first) == 1 else None


def minus_one(value: Value) -> Value | None:
    """``x`` of ``x - 1``."""
    if value.source is None:
        return None
    name, inputs = op_name(value), value.source.inputs
    if name == "sub" and number_of(inputs[1]) == 1:
        return inputs[0]
    return inputs[0] if name == "add" and number_of(inputs[1]) == -1 else None


def is_square(value: Value) -> Value | None:
    """``x`` of ``x * x`` and of ``x ** 2``."""
    if value.source is None:
        return None
    inputs = value.source.inputs
    if op_name(value) == "mul" and inputs[0] is inputs[1]:
        return inputs[0]
    return inputs[0] if op_name(value) == "pow" and number_of(inputs[1]) == 2 else None


def clamp_without_effect(value: Value) -> str | None:
    """Why a clamp just below 1 does not keep its result from being 1: the bound rounds to 1 in its dtype."""
    while value.source is not None and op_name(value) in _THROUGH:
        operation = value.source
        bound: Any = operation.meta.get("max")
        clamps = op_name(value) in _CLAMPS and isinstance(bound, float) and bound < 1
        if clamps and value.dtype is not None and float(value.dtype.type(bound)) == 1.0:
            return (
                f"the clamp at {operation.location} does not protect it: in {value.dtype}, 1 - {1 - bound:.3g} is "
                f"exactly 1 (the nearest number below 1 is 1 - {float(np.finfo(value.dtype).epsneg):.3g})"
            )
        value = operation.inputs[0]
    return None


def remedy_of_log(operation: Operation) -> str:
    """What to write instead of a logarithm of something that can be 0."""
    x = operation.inputs[0]
    inner = behind(x)
    p = one_minus(inner)
    made = op_name(inner)
    if made == "sigmoid" or (p is not None and op_name(behind(p)) == "sigmoid"):
        return (
            "compute from the logits: `binary_cross_entropy_with_logits(z, y)` for the whole loss, or "
            "`logsigmoid(z)` for log(sigmoid(z)) and `logsigmoid(-z)` for log(1 - sigmoid(z))"
        )
    if p is not None:
        return "write `log1p(-p)`, and compute p so that it stays below 1; for a loss use binary_cross_entropy"
    if made == "softmax":
        return "write `log_softmax(z, dim)`, or `cross_entropy(z, target)` for the whole loss"
    if made == "sum" and inner.source is not None and op_name(inner.source.inputs[0]) == "exp":
        return "write `torch.logsumexp(x, dim)`"
    added = plus_one(inner)
    if added is not None and op_name(added) == "exp":
        return "write `softplus(x)` for log(1 + exp(x))"
    if added is not None:
        return "write `torch.log1p(x)` for log(1 + x)"
    if _multiplied_with(operation, x):
        return "write `torch.xlogy(x, x)` for x * log(x): it is 0 where x is 0"
    if any([user.op is not None and user.op.name == "mul" for user in operation.results[0].users]):
        return "write `torch.xlogy(a, x)` for a * log(x), if a is 0 where x is 0; else keep x above 0"
    return f"keep the operand above 0, as with `.clamp(min=1e-12)`, or {DOUBLE_WHERE}"


def _multiplied_with(operation: Operation, x: Value) -> bool:
    """Whether the result is multiplied with its own operand."""
    users = operation.results[0].users
    return any([user.op is not None and user.op.name == "mul" and x in user.inputs for user in users])


def remedy_of_exp(operation: Operation) -> str:
    """What to write instead of an exponential that overflows."""
    users = operation.results[0].users
    names = {user.op_name for user in users}
    nexts = [user for user in users if user.op is not None and user.op.name.startswith(("sum", "add"))]
    logs = [
        u for user in nexts for result in user.results for u in result.users if u.op is not None and u.op.name == "log"
    ]
    if logs and any([user.op is not None and user.op.name == "sum" for user in nexts]):
        return "write `torch.logsumexp(x, dim)` for log(sum(exp(x)))"
    if logs:
        return "write `softplus(x)` for log(1 + exp(x))"
    if "div" in names:
        return "write `torch.softmax(x, dim)`, which takes the largest element away first"
    if nexts and any([u.op is not None and u.op.name == "reciprocal" for n in nexts for u in n.results[0].users]):
        return "write `torch.sigmoid(x)` for 1 / (1 + exp(-x))"
    return "keep the exponent small (subtract its maximum, clamp it), or stay with the logarithm of the result"


def remedy_of_sqrt(operation: Operation) -> str:
    """What to write instead of a square root whose operand can be 0."""
    inner = behind(operation.inputs[0])
    if op_name(inner) == "sum" and inner.source is not None and is_square(inner.source.inputs[0]) is not None:
        return "write `torch.linalg.vector_norm(x)`: its gradient at 0 is 0"
    parts = inner.source.inputs if op_name(inner) == "add" and inner.source is not None else ()
    if parts and all([is_square(part) is not None for part in parts]):
        return f"add a small number under the root, or {DOUBLE_WHERE}; `torch.hypot(a, b)` computes the value"
    return f"add a small number under the root, `torch.sqrt(x + 1e-12)`, or {DOUBLE_WHERE}"


def remedy_of_division(operation: Operation) -> str:
    """What to write instead of a division by something that can be 0."""
    a = operation.inputs[0]
    taken = minus_one(a)
    if taken is not None and op_name(taken) == "exp":
        return f"write `torch.expm1(x)` for exp(x) - 1, and {DOUBLE_WHERE}"
    inner = a.source.inputs[0] if op_name(a) == "log" and a.source is not None else None
    if inner is not None and plus_one(inner) is not None:
        return f"write `torch.log1p(x)` for log(1 + x), and {DOUBLE_WHERE}"
    norm = op_name(operation.inputs[1]) if len(operation.inputs) > 1 else None
    if norm in ("sqrt", "linalg_vector_norm", "row_norm"):
        return "write `torch.nn.functional.normalize(x, dim=...)`, which divides by max(norm, eps)"
    return f"keep the divisor away from 0, or {DOUBLE_WHERE}"


def remedy_of(operation: Operation) -> str:
    """What to write instead of an operation whose value or derivative is not finite."""
    name = operation.op_name
    if name in ("log", "log2", "log10", "log1p"):
        return remedy_of_log(operation)
    if name in ("exp", "exp2", "expm1", "number_pow"):
        return remedy_of_exp(operation)
    if name in ("sqrt", "rsqrt", "pow", "hypot"):
        return remedy_of_sqrt(operation)
    if name in ("div", "reciprocal"):
        return remedy_of_division(operation)
    if name in ("mul", "addcmul"):
        made = {op_name(value) for value in operation.inputs}
        if "log" in made:
            return "write `torch.xlogy(a, x)` for a * log(x): it is 0 where a is 0"
        if "sigmoid" in made and made & {"div", "reciprocal"}:
            return "compute the loss from the logits: `binary_cross_entropy_with_logits(z, y)`"
    if name in ("softmax", "log_softmax", "logsumexp"):
        return "leave at least one element unmasked in each row, or put another row in its place before the operation"
    if name in ("acos", "asin", "atanh", "acosh", "erfinv", "logit"):
        return f"keep the operand inside of the domain with .clamp(...), or {DOUBLE_WHERE}"
    return f"keep the operands where the operation is finite, or {DOUBLE_WHERE}"


__all__ = ["DOUBLE_WHERE", "clamp_without_effect", "one_minus", "remedy_of"]
