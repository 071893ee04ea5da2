"""Choosing between values: `where`, bounds, the larger and the smaller."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from wengert.ops.checks import INTEGER_OR_FLOAT, NOT_COMPLEX
from wengert.ops.masks import choose
from wengert.ops.record import Kind, Promote, defop

_FLOAT_SCALARS = frozenset({np.float16, np.float32, np.float64, np.complex64, np.complex128})


def where(condition: Any, a: Any, b: Any) -> Any:
    """``np.where``, quick on scalars (NumPy takes 1.3 us there)."""
    if condition.__class__ is np.bool_:
        chosen, other = (a, b) if condition else (b, a)
        kind, other_kind = chosen.__class__, other.__class__
        if kind in _FLOAT_SCALARS and (other_kind is kind or other_kind is float):
            return chosen
        if kind is float and other_kind in _FLOAT_SCALARS:
            return other_kind(chosen)
    return choose(condition, a, b)


WHERE = defop(
    "where",
    where,
    Kind.ELEMENTWISE,
    vjp=(
        None,
        lambda xp, g, y, condition, a, b: xp.where(condition, g, 0.0),
        lambda xp, g, y, condition, a, b: xp.where(condition, 0.0, g),
    ),
    args=("condition", "self", "other"),
    formula="a if c else b",
    doc="Elements of one tensor where a condition holds, of another elsewhere.",
)

ZEROS_LIKE = defop(
    "zeros_like",
    lambda x: np.zeros(x.shape, x.dtype),
    Kind.CREATION,
    vjp=(None,),
    formula="0",
    doc="Zeros with the shape and dtype of a tensor.",
)

ONES_LIKE = defop(
    "ones_like",
    lambda x: np.ones(x.shape, x.dtype),
    Kind.CREATION,
    vjp=(None,),
    formula="1",
    doc="Ones with the shape and dtype of a tensor.",
)

# --- bounds --------------------------------------------------------------------------------------------------------


def _clamp_vjp(xp: Any, g: Any, y: Any, x: Any, *, min: Any, max: Any) -> Any:
    inside = x <= max if min is None else x >= min if max is None else (x >= min) & (x <= max)
    return xp.where(inside, g, 0.0)


def _clamp(x: Any, *, min: Any, max: Any) -> Any:
    scalar: Any = x.__class__
    if scalar in _FLOAT_SCALARS:  # NumPy takes 2 us for these
        if min is not None and x < min:
            x = scalar(min)
        return scalar(max) if max is not None and x > max else x
    # NumPy's clip is four times as fast as maximum and minimum with a number, which it does not vectorise.
    if x.dtype.kind == "f":
        return x.clip(-math.inf if min is None else min, math.inf if max is None else max)
    y = x if min is None else np.maximum(x, min)
    return y if max is None else np.minimum(y, max)


CLAMP = defop(
    "clamp",
    _clamp,
    Kind.ELEMENTWISE,
    vjp=(_clamp_vjp,),
    node="ClampBackward1",
    check=INTEGER_OR_FLOAT,
    formula="min(max(x, lo), hi)",
    doc="Each element limited to an interval; the derivative is 1 on the interval, its ends included, and 0 outside.",
)

CLAMP_MIN = defop(
    "clamp_min",
    lambda x, *, min: _clamp(x, min=min, max=None),
    Kind.ELEMENTWISE,
    vjp=(lambda xp, g, y, x, min: xp.where(x >= min, g, 0.0),),
    check=INTEGER_OR_FLOAT,
    formula="max(x, lo)",
    doc="Each element, but not less than a number.",
)

CLAMP_MAX = defop(
    "clamp_max",
    lambda x, *, max: _clamp(x, min=None, max=max),
    Kind.ELEMENTWISE,
    vjp=(lambda xp, g, y, x, max: xp.where(x <= max, g, 0.0),),
    check=INTEGER_OR_FLOAT,
    formula="min(x, hi)",
    doc="Each element, but not more than a number.",
)

CLAMP_TENSOR = defop(
    "clamp_tensor",
    lambda x, a, b: np.minimum(np.maximum(x, a), b),
    Kind.ELEMENTWISE,
    vjp=(
        lambda xp, g, y, x, a, b: xp.where((x >= a) & (x <= b), g, 0.0),
        lambda xp, g, y, x, a, b: xp.where((x < a) & (a < b), g, 0.0),
        lambda xp, g, y, x, a, b: xp.where((x > b) | (b < a), g, 0.0),
    ),
    args=("self", "min", "max"),
    promote=Promote.COMMON,
    node="ClampBackward0",
    check=INTEGER_OR_FLOAT,
    formula="min(max(x, lo), hi)",
    doc="Each element limited to the interval that two tensors give for it.",
)


def _tensor_bound(name: str, ufunc: Any, node: str, above: bool) -> Any:
    def keeps(xp: Any, g: Any, y: Any, x: Any, bound: Any) -> Any:
        return xp.where(x >= bound if above else x <= bound, g, 0.0)

    def gives_way(xp: Any, g: Any, y: Any, x: Any, bound: Any) -> Any:
        return xp.where(x < bound if above else x > bound, g, 0.0)

    return defop(
        name,
        ufunc,
        Kind.ELEMENTWISE,
        vjp=(keeps, gives_way),
        args=("self", "min" if above else "max"),
        promote=Promote.COMMON,
        node=node,
        ufunc=ufunc,
        check=NOT_COMPLEX,
        formula="max(x, lo)" if above else "min(x, hi)",
        doc="Each element, but not beyond the bound that a tensor gives for it.",
    )


CLAMP_MIN_TENSOR = _tensor_bound("clamp_min_tensor", np.maximum, "ClampMinBackward1", above=True)
CLAMP_MAX_TENSOR = _tensor_bound("clamp_max_tensor", np.minimum, "ClampMaxBackward1", above=False)
# `clamp` with one of its two tensors, whose node has the name of `clamp`.
CLAMP_FROM = _tensor_bound("clamp_from", np.maximum, "ClampBackward0", above=True)
CLAMP_TO = _tensor_bound("clamp_to", np.minimum, "ClampBackward0", above=False)

# --- the larger and the smaller of two -----------------------------------------------------------------------------


def _shared(xp: Any, g: Any, loses: Any, ties: Any) -> Any:
    """The winner's cotangent: all, half of it at a tie (the smallest subgradient), nothing for the loser."""
    return xp.where(loses, 0.0, xp.where(ties, g / 2, g))


MAXIMUM = defop(
    "maximum",
    np.maximum,
    Kind.ELEMENTWISE,
    vjp=(
        lambda xp, g, y, a, b: _shared(xp, g, a < b, a == b),
        lambda xp, g, y, a, b: _shared(xp, g, b < a, a == b),
    ),
    args=("self", "other"),
    promote=Promote.COMMON,
    ufunc=np.maximum,
    check=NOT_COMPLEX,
    formula="max(a, b)",
    doc="The larger of two elements; nan if either is.",
    points=(0.0,),
)

MINIMUM = defop(
    "minimum",
    np.minimum,
    Kind.ELEMENTWISE,
    vjp=(
        lambda xp, g, y, a, b: _shared(xp, g, a > b, a == b),
        lambda xp, g, y, a, b: _shared(xp, g, b > a, a == b),
    ),
    args=("self", "other"),
    promote=Promote.COMMON,
    ufunc=np.minimum,
    check=NOT_COMPLEX,
    formula="min(a, b)",
    doc="The smaller of two elements; nan if either is.",
    points=(0.0,),
)

FMAX = defop(
    "fmax",
    np.fmax,
    Kind.ELEMENTWISE,
    vjp=(
        lambda xp, g, y, a, b: xp.where((a >= b) | (b != b), g, 0.0),
        lambda xp, g, y, a, b: xp.where((a >= b) | (b != b), 0.0, g),
    ),
    args=("self", "other"),
    promote=Promote.COMMON,
    ufunc=np.fmax,
    check=NOT_COMPLEX,
    formula="max(a, b)",
    doc="The larger of two elements; the other one if one is nan.",
)

FMIN = defop(
    "fmin",
    np.fmin,
    Kind.ELEMENTWISE,
    vjp=(
        lambda xp, g, y, a, b: xp.where((a <= b) | (b != b), g, 0.0),
        lambda xp, g, y, a, b: xp.where((a <= b) | (b != b), 0.0, g),
    ),
    args=("self", "other"),
    promote=Promote.COMMON,
    ufunc=np.fmin,
    check=NOT_COMPLEX,
    formula="min(a, b)",
    doc="The smaller of two elements; the other one if one is nan.",
)


def _nan_to_num(x: Any, *, nan: float, posinf: float | None, neginf: float | None) -> Any:
    return np.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf) if x.dtype.kind in "fc" else x.copy()


def _nan_to_num_vjp(xp: Any, g: Any, y: Any, x: Any, *, nan: float, posinf: float | None, neginf: float | None) -> Any:
    return xp.where(xp.isfinite(x), g, 0.0)


NAN_TO_NUM = defop(
    "nan_to_num",
    _nan_to_num,
    Kind.ELEMENTWISE,
    vjp=(_nan_to_num_vjp,),
    formula="x, finite",
    doc="Each element, with nan and the infinities replaced by numbers.",
)
