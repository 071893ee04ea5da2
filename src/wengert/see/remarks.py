"""What a reader of a derivation should know besides: subgradients that were chosen, numbers that were rounded.

Knows at which places operations have a kink, a jump or a tie. Knows no form in which it is said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import numpy as np

from wengert.see.graph import Operation
from wengert.see.layouts import display_name
from wengert.see.notation import Writer
from wengert.see.numerals import number_text, short_number
from wengert.see.steps import Step, Steps
from wengert.spaces.raw import RAW

# operation -> what its points are called, and a mask of where its input stands on one
Kink = tuple[str, Callable[..., Any]]


def _at(*points: float) -> Kink:
    return " or ".join(map(number_text, points)), lambda x, **_: np.isin(x, points)


def _at_bound(*names: str) -> Kink:
    def on_bound(x: Any, **meta: Any) -> Any:
        bounds = [np.asarray(meta[name], x.dtype) for name in names if meta[name] is not None]
        return np.isin(x, bounds)

    return "a bound" if "threshold" not in names else "the threshold", on_bound


def _equal(a: Any, b: Any) -> Any:
    return np.equal(a, b)


_KINKS: Final[Mapping[str, Kink]] = {
    **dict.fromkeys(("relu", "leaky_relu", "abs", "sgn", "sign", "angle", "sqrt"), _at(0.0)),
    "prelu": ("0", lambda x, *_: np.equal(x, 0)),
    **dict.fromkeys(("hardsigmoid", "hardswish"), _at(-3.0, 3.0)),
    "threshold": _at_bound("threshold"),
    "clamp": _at_bound("min", "max"),
    "clamp_min": _at_bound("min"),
    "clamp_max": _at_bound("max"),
    "hardtanh": _at_bound("min_val", "max_val"),
    **dict.fromkeys(("softshrink", "hardshrink"), ("a bound", lambda x, lambd: np.isin(np.abs(x), [lambd]))),
    **dict.fromkeys(("maximum", "minimum", "fmax", "fmin"), ("a tie", _equal)),
    **dict.fromkeys(("clamp_min_tensor", "clamp_max_tensor", "clamp_from", "clamp_to"), ("a bound", _equal)),
}


def _ties(x: Any, y: Any, dim: Any) -> int:
    """How many elements share the largest (or smallest) value, at most over all results; 1 without a tie."""
    axes = tuple(range(x.ndim)) if dim is None else dim if isinstance(dim, tuple) else (dim,)
    whole = np.reshape(y, [1 if axis in axes else size for axis, size in enumerate(x.shape)])
    return int(np.max(np.sum(x == whole, axis=axes), initial=0))


_TIES: Final = {
    **dict.fromkeys(("amax", "amin", "max_all", "min_all", "aminmax"), "share the gradient evenly"),
    **dict.fromkeys(("median_all", "nanmedian_all"), "share the gradient evenly"),
    **dict.fromkeys(("max_dim", "min_dim"), "are as large, and the first of them gets the whole gradient"),
}


def remarks(steps: Steps, shown: list[Step]) -> list[str]:
    """Sentences about the operations of the shown steps, each once."""
    found: dict[str, None] = {}
    for step in shown:
        for operation in step.operations:
            for sentence in (*_rounded(steps, operation), *_kinks(steps, operation)):
                found[sentence] = None
    return list(found)


def _kinks(steps: Steps, operation: Operation) -> Iterator[str]:
    op = operation.op
    raws = [steps.replayed.raw(value) for value in operation.inputs]
    if op is None or any([raw is None for raw in raws]):
        return
    name = display_name(op.name)
    if op.name in _TIES:
        yield from _tie(steps, operation, name)
    if op.name not in _KINKS:
        return
    where, mask_of = _KINKS[op.name]
    mask = np.asarray(mask_of(*raws, **operation.meta))
    if not mask.any():
        return
    slopes = [_slope(steps, operation, slot, mask) for slot, v in enumerate(operation.inputs) if v in steps.depending]
    taken = " and ".join([slope for slope in slopes if slope is not None])
    share = "" if not mask.ndim else f" in {int(mask.sum()):,} of {mask.size:,} elements"
    what = f"{name} of {_text(steps, operation, 0)} stands at {where}{share}"
    if taken:
        yield f"{what}, where it has no derivative of its own: {taken} is taken{_place(operation)}."


def _slope(steps: Steps, operation: Operation, slot: int, mask: Any) -> str | None:
    """The derivative that the rule of an elementwise operation gives on a mask."""
    op: Any = operation.op
    raws = [steps.replayed.raw(value) for value in operation.inputs]
    y = steps.raw(operation.results[0])
    rule = op.vjp[slot]
    if not callable(rule):
        return None
    with np.errstate(all="ignore"):
        slope = np.broadcast_to(rule(RAW, np.ones(y.shape, y.dtype)[()], y, *raws, **operation.meta), mask.shape)[mask]
    return " or ".join(sorted({short_number(part) for part in np.atleast_1d(slope)}))


def _tie(steps: Steps, operation: Operation, name: str) -> Iterator[str]:
    x, y = steps.raw(operation.inputs[0]), steps.raw(operation.results[0])
    if not x.ndim or operation.results[0] not in steps.replayed.raws or not x.size:
        return
    count = _ties(x, y, operation.meta.get("dim"))
    if count > 1:
        op: Any = operation.op
        yield f"{name} of {_text(steps, operation, 0)}: {count} elements tie; they {_TIES[op.name]}{_place(operation)}."


# --- numbers that a dtype rounds to another --------------------------------------------------------------------------


def _rounded(steps: Steps, operation: Operation) -> Iterator[str]:
    """A number of the user's that is another, whole number in the dtype that it is used in."""
    dtype = operation.results[0].dtype
    if getattr(dtype, "kind", "O") != "f":
        return
    numbers = [(key, value) for key, value in operation.meta.items() if type(value) is float]
    numbers += [("", v.raw) for v in operation.inputs if v.is_constant and v.dtype is None and type(v.raw) is float]
    for key, number in numbers:
        rounded = float(dtype.type(number))
        if rounded == number or not np.isfinite(rounded) or rounded != int(rounded):
            continue
        sentence = f"{number_text(number)} is exactly {number_text(rounded)} in {dtype}"
        op: Any = operation.op
        if op.name in ("clamp", "clamp_max", "clamp_min") and key in ("min", "max"):
            x, side = _text(steps, operation, 0), "below" if key == "max" else "above"
            sentence += (
                f", so {display_name(op.name)} does not keep {x} {side} {number_text(rounded)}: where {x} rounds to "
                f"{number_text(rounded)}, the difference of the two is 0 and its logarithm infinite"
            )
        yield f"{sentence}{_place(operation)}."


def _place(operation: Operation) -> str:
    return f" ({operation.location})" if operation.location is not None else ""


def _text(steps: Steps, operation: Operation, slot: int) -> str:
    """An operand as it is written in formulas."""
    value = operation.inputs[slot]
    if value in steps.labels:
        return steps.labels[value]
    return Writer().write(steps.expression(value))


__all__ = ["remarks"]
