"""Piecewise linear activation functions, one element at a time; the curved ones are in ``smooth_activations``.

At a kink each takes the one-sided derivative that PyTorch takes; the records' `points` name the kinks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy._core import umath as _umath

from wengert.ops.checks import category
from wengert.ops.kernels import in_float32, takes
from wengert.ops.masks import choose, zero_where
from wengert.ops.record import Kind, Op, Rule, defop

# The ufunc behind np.clip: its loop is vectorised, and it keeps the sign of -0.0 at any length; np.maximum not.
_clip: Final[Any] = getattr(_umath, "clip", np.clip)


def positive_part(x: Any) -> Any:
    """Give ``maximum(x, 0)``; -0.0 and NaN stay what they are."""
    return _clip(x, 0.0, np.inf) if x.dtype.kind == "f" else np.maximum(x, 0)


def negative_part(x: Any) -> Any:
    """Give ``minimum(x, 0)``; -0.0 and NaN stay what they are."""
    return _clip(x, -np.inf, 0.0) if x.dtype.kind == "f" else np.minimum(x, 0)


def activation(name: str, impl: Rule, vjp: Rule, **facets: Any) -> Op:
    """Define an elementwise operation of one input."""
    return defop(name, impl, Kind.ELEMENTWISE, vjp=(vjp,), **facets)


def _real(complaint: str) -> Any:
    """Make a check that refuses complex numbers, and booleans with ``complaint``."""

    def check(name: str, raws: Sequence[Any]) -> None:
        if category(raws[0]) == 0:
            raise RuntimeError(f"{complaint}: convert them first, for example with .float()")
        if category(raws[0]) == 3:
            raise NotImplementedError(f"clamp is not supported for complex types: {name} needs an order of its numbers")

    return check


# --- piecewise linear ---

RELU = activation(
    "relu",
    positive_part,
    lambda xp, g, y, x: xp.tied(xp.zero_where(g, y <= 0), y),
    check=_real("Boolean inputs not supported for relu"),
    formula="max(x, 0)",
    points=(0.0,),
    doc="The positive part of each element; its derivative at zero is zero.",
)


def _threshold(x: Any, *, threshold: float, value: float) -> Any:
    return choose(x <= threshold, x.dtype.type(value), x)


THRESHOLD = activation(
    "threshold",
    _threshold,
    lambda xp, g, y, x, *, threshold, value: xp.tied(xp.zero_where(g, x <= threshold), x),
    check=takes("threshold_cpu", "if"),
    formula="x if x > threshold else value",
    doc="The elements above a threshold; a constant for the others.",
)


def _leaky_relu(x: Any, *, negative_slope: float) -> Any:
    if 0 < negative_slope <= 1:
        return np.maximum(x, x * negative_slope)
    return positive_part(x) + negative_part(x) * negative_slope


LEAKY_RELU = activation(
    "leaky_relu",
    in_float32(_leaky_relu),
    lambda xp, g, y, x, *, negative_slope: xp.tied(xp.where(x > 0, g, g * negative_slope), x),
    check=takes("leaky_relu_cpu"),
    formula="max(x, 0) + negative_slope min(x, 0)",
    doc="The positive part plus a small multiple of the negative part.",
)


def _hardtanh(x: Any, *, min_val: float, max_val: float) -> Any:
    return x.clip(min_val, max_val)


HARDTANH = activation(
    "hardtanh",
    _hardtanh,
    lambda xp, g, y, x, *, min_val, max_val: xp.tied(xp.zero_where(g, (x <= min_val) | (x >= max_val)), x),
    check=_real("Bool inputs not supported for hardtanh"),
    formula="min(max(x, min_val), max_val)",
    doc="Each element cut off at two limits, where its derivative is zero.",
)


@in_float32
def _softshrink(x: Any, *, lambd: float) -> Any:
    return choose(x > lambd, x - lambd, choose(x < -lambd, x + lambd, x * 0))


SOFTSHRINK = activation(
    "softshrink",
    _softshrink,
    lambda xp, g, y, x, *, lambd: xp.tied(xp.zero_where(g, (x >= -lambd) & (x <= lambd)), x),
    check=takes("softshrink_check"),
    formula="sign(x) max(|x| - lambd, 0)",
    doc="Each element moved towards zero by a distance, and zero where it would pass it.",
)
HARDSHRINK = activation(
    "hardshrink",
    lambda x, *, lambd: zero_where(x, (x >= -lambd) & (x <= lambd)),
    lambda xp, g, y, x, *, lambd: xp.tied(xp.zero_where(g, (x >= -lambd) & (x <= lambd)), x),
    check=takes("hardshrink_cpu"),
    formula="x if |x| > lambd else 0",
    doc="Each element, or zero where its magnitude is at most a limit.",
)
HARDSIGMOID = activation(
    "hardsigmoid",
    in_float32(lambda x: (x + 3).clip(0.0, 6.0) / 6),
    lambda xp, g, y, x: xp.zero_where(g / 6, (x <= -3) | (x >= 3)),
    check=takes("hardsigmoid_cpu"),
    formula="min(max(x + 3, 0), 6) / 6",
    points=(-3.0, 3.0),
    doc="A sigmoid made of three straight pieces.",
)
HARDSWISH = activation(
    "hardswish",
    in_float32(lambda x: x * (x + 3).clip(0.0, 6.0) / 6),
    lambda xp, g, y, x: xp.zero_where(xp.where(x >= 3, g, g * (x / 3 + 0.5)), x <= -3),
    check=takes("hardswish_cpu"),
    formula="x min(max(x + 3, 0), 6) / 6",
    points=(-3.0, 3.0),
    doc="Each element times its hardsigmoid.",
)


def _prelu(x: Any, w: Any) -> Any:
    return choose(x > 0, x, x * w)


PRELU = defop(
    "prelu",
    in_float32(_prelu),
    Kind.ELEMENTWISE,
    vjp=(
        lambda xp, g, y, x, w: xp.tied(xp.where(x > 0, g, g * w), x),
        lambda xp, g, y, x, w: xp.zero_where(g * x, x > 0),
    ),
    args=("self", "weight"),
    node="PreluKernelBackward0",
    check=takes("prelu_cpu"),
    formula="max(x, 0) + w min(x, 0)",
    points=(0.0,),
    doc="The positive part plus a learned multiple of the negative part.",
)
RRELU = defop(
    "rrelu",
    lambda x, slopes: x * slopes,
    Kind.ELEMENTWISE,
    vjp=(lambda xp, g, y, x, slopes: g * slopes, None),
    args=("self", "noise"),
    node="RreluWithNoiseBackward0",
    linear=(0,),
    check=takes("rrelu_with_noise_out_cpu"),
    formula="x slope",
    doc="Each element times the slope that was drawn for it.",
)
