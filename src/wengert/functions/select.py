"""Choosing between values: ``where``, bounds, the larger and the smaller: functions and methods."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from wengert._dtypes import from_numpy_dtype
from wengert._promotion import result_type_of
from wengert.engine.apply import apply
from wengert.engine.base import TensorBase, array_of, wrap
from wengert.engine.inplace import inplace
from wengert.engine.out import deliver
from wengert.engine.pointwise import unary
from wengert.engine.state import STATE
from wengert.functions.convert import cast_to
from wengert.functions.elementwise import call, is_number, of_tensors, shown
from wengert.functions.options import number, require_tensor
from wengert.ops.checks import type_name
from wengert.ops.record import Op
from wengert.ops.select import (
    CLAMP,
    CLAMP_FROM,
    CLAMP_MAX,
    CLAMP_MAX_TENSOR,
    CLAMP_MIN,
    CLAMP_MIN_TENSOR,
    CLAMP_TENSOR,
    CLAMP_TO,
    FMAX,
    FMIN,
    MAXIMUM,
    MINIMUM,
    NAN_TO_NUM,
    WHERE,
)

__all__ = [
    "SelectMethods",
    "clamp",
    "clamp_max",
    "clamp_min",
    "clip",
    "fmax",
    "fmin",
    "maximum",
    "minimum",
    "nan_to_num",
    "where",
]

NumpyDtype = np.dtype[Any]
_F32 = np.dtype(np.float32)
_F64 = np.dtype(np.float64)
_PLAIN = frozenset({int, float, type(None)})


def where(condition: Any, input: Any = None, other: Any = None, *, out: Any = None) -> Any:
    """Takes elements of ``input`` where ``condition`` holds, of ``other`` elsewhere.

    ``input`` and ``other`` may be numbers. Shapes broadcast, dtypes promote. With ``condition`` alone: the indices of
    its nonzero elements, a tuple with one tensor for each dimension.

    Raises:
        RuntimeError: ``condition`` is not boolean, or the shapes do not broadcast.
        TypeError: an argument is of the wrong type.

    >>> import wengert as torch
    >>> x = torch.tensor([-1.0, 2.0])
    >>> torch.where(x > 0, x, 0.0)
    tensor([0., 2.])
    >>> torch.where(x > 0)
    (tensor([1]),)
    """
    if condition.__class__ is input.__class__ is other.__class__ and isinstance(condition, TensorBase) and out is None:
        dtype = input._data.dtype
        if condition._data.dtype.char == "?" and other._data.dtype is dtype:
            return apply(WHERE, condition, input, other)
    require_tensor("where", condition, "condition")
    if input is None and other is None:
        return tuple([wrap(index) for index in np.nonzero(np.atleast_1d(array_of(condition)))])
    for position, (name, x) in enumerate((("input", input), ("other", other)), start=2):
        if not is_number(x):
            require_tensor("where", x, name, position)
    kind = condition._data.dtype
    if kind.kind != "b":
        if kind != np.uint8:  # the type that comparisons gave before there was bool
            raise RuntimeError(
                "where expected condition to be a boolean tensor, but got a tensor with dtype "
                f"{type_name(condition._data)}. Write a comparison, for example condition != 0"
            )
        condition = wrap(condition._data != 0)
    a, b = getattr(input, "_data", input), getattr(other, "_data", other)
    if is_number(a) or is_number(b) or a.dtype is not b.dtype:
        dtype = result_type_of((a, b))
        input, other = _as_dtype(input, dtype), _as_dtype(other, dtype)
    return deliver(out, apply(WHERE, condition, input, other), input, other)


def _as_dtype(x: Any, dtype: NumpyDtype) -> Any:
    if isinstance(x, TensorBase):
        return cast_to(x, dtype)
    return wrap(np.asarray(x).astype(dtype)[()]) if STATE.trace is None else STATE.trace.number(x, dtype)


def _where_method(self: Any, condition: Any, other: Any) -> Any:
    """The tensor's own elements where ``condition`` holds, those of ``other`` elsewhere."""
    return where(condition, self, other)


# --- bounds ----------------------------------------------------------------------------------------------------------


_clamp_by_numbers = unary(CLAMP)


def clamp(input: Any, min: Any = None, max: Any = None, *, out: Any = None) -> Any:
    """Limits each element to the interval from ``min`` to ``max``, two numbers or two tensors.

    One of the two may be left out. Where ``min > max`` the result is ``max``. The derivative is 1 on the interval,
    its ends included, and 0 outside.

    Raises:
        RuntimeError: no bound is given, or a bound does not fit into the dtype.
        TypeError: one bound is a tensor and the other a number.

    >>> import wengert as torch
    >>> torch.clamp(torch.tensor([-1.0, 0.5, 2.0]), 0, 1)
    tensor([0.0000, 0.5000, 1.0000])
    """
    kind = require_tensor("clamp", input)._data.dtype
    plain = min.__class__ in _PLAIN and max.__class__ in _PLAIN and min is not max
    if plain and (kind is _F32 or kind is _F64):  # nothing to promote or to check
        return _clamp_by_numbers(input, out=out, depth=2, meta={"min": min, "max": max})
    low, high = _bounds("clamp", min, max)
    op, bounds = _by_tensors(low, high)
    if op is not None:
        return call(op, out, input, *bounds)
    dtype = result_type_of([x for x in (input._data, low, high) if x is not None])
    low, high = _fitting(low, dtype), _fitting(high, dtype)
    return deliver(out, apply(CLAMP, cast_to(input, dtype), min=low, max=high), input)


clip = clamp


def _bounds(function: str, low: Any, high: Any) -> tuple[Any, Any]:
    """The two bounds, both numbers or both tensors."""
    if low is None and high is None:
        raise RuntimeError(f"torch.{function}: At least one of 'min' or 'max' must not be None")
    kinds = {isinstance(x, TensorBase) for x in (low, high) if x is not None}
    if kinds == {True}:
        return low, high
    try:
        return tuple(
            None if x is None else number(function, name, position, x)
            for position, (name, x) in enumerate((("min", low), ("max", high)), start=2)
        )  # type: ignore[return-value]
    except TypeError:
        raise TypeError(
            f"{function}() received an invalid combination of arguments: min is {type(low).__name__} and max is "
            f"{type(high).__name__}, but both must be numbers, or both tensors"
        ) from None


def _by_tensors(low: Any, high: Any) -> tuple[Op | None, tuple[Any, ...]]:
    """The operation for tensors as bounds, and the bounds it takes; None for numbers."""
    if isinstance(low, TensorBase):
        return (CLAMP_FROM, (low,)) if high is None else (CLAMP_TENSOR, (low, high))
    return (CLAMP_TO, (high,)) if isinstance(high, TensorBase) else (None, ())


def _fitting(bound: Any, dtype: NumpyDtype) -> Any:
    """The bound as a Python number that the dtype can hold."""
    if bound is None or dtype.kind in "bc":
        return bound
    if dtype.kind in "iu":
        bound = int(bound)
        limits: Any = np.iinfo(dtype)
        fits = limits.min <= bound <= limits.max
    else:
        fits = not float(np.finfo(dtype).max) < abs(bound) < math.inf
    if not fits:
        raise RuntimeError(
            f"value cannot be converted to type {from_numpy_dtype(dtype)} without overflow. Got the bound {bound}"
        )
    return bound


def clamp_min(input: Any, min: Any, *, out: Any = None) -> Any:
    """Limits each element from below by ``min``, a number or a tensor: ``max(x, min)``.

    >>> import wengert as torch
    >>> torch.clamp_min(torch.tensor([-1.0, 2.0]), 0)
    tensor([0., 2.])
    """
    require_tensor("clamp_min", input)
    if isinstance(min, TensorBase):
        return call(CLAMP_MIN_TENSOR, out, input, min)
    low = number("clamp_min", "min", 2, min)
    dtype = result_type_of([input._data, low])
    return deliver(out, apply(CLAMP_MIN, cast_to(input, dtype), min=_fitting(low, dtype)), input)


def clamp_max(input: Any, max: Any, *, out: Any = None) -> Any:
    """Limits each element from above by ``max``, a number or a tensor: ``min(x, max)``.

    >>> import wengert as torch
    >>> torch.clamp_max(torch.tensor([-1.0, 2.0]), 0)
    tensor([-1.,  0.])
    """
    require_tensor("clamp_max", input)
    if isinstance(max, TensorBase):
        return call(CLAMP_MAX_TENSOR, out, input, max)
    high = number("clamp_max", "max", 2, max)
    dtype = result_type_of([input._data, high])
    return deliver(out, apply(CLAMP_MAX, cast_to(input, dtype), max=_fitting(high, dtype)), input)


def _clamp_(self: Any, min: Any = None, max: Any = None) -> Any:
    """In-place version of :func:`clamp`."""
    low, high = _bounds("clamp_", min, max)
    op, bounds = _by_tensors(low, high)
    if op is not None:
        return inplace(op, self, *bounds)
    dtype = _own_dtype(self, low, high)
    return inplace(CLAMP, self, min=_fitting(low, dtype), max=_fitting(high, dtype))


def _clamp_min_(self: Any, min: Any) -> Any:
    """In-place version of :func:`clamp_min`."""
    if isinstance(min, TensorBase):
        return inplace(CLAMP_MIN_TENSOR, self, min)
    low = number("clamp_min_", "min", 1, min)
    return inplace(CLAMP_MIN, self, min=_fitting(low, _own_dtype(self, low)))


def _clamp_max_(self: Any, max: Any) -> Any:
    """In-place version of :func:`clamp_max`."""
    if isinstance(max, TensorBase):
        return inplace(CLAMP_MAX_TENSOR, self, max)
    high = number("clamp_max_", "max", 1, max)
    return inplace(CLAMP_MAX, self, max=_fitting(high, _own_dtype(self, high)))


def _own_dtype(self: Any, *bounds: Any) -> NumpyDtype:
    """The tensor's dtype, which the bounds must not raise when it is written in place."""
    own: NumpyDtype = self._data.dtype
    got = result_type_of([self._data, *[b for b in bounds if b is not None]])
    if got is not own:
        raise RuntimeError(
            f"result type {type_name(np.empty((), got))} can't be cast to the desired output type "
            f"{type_name(self._data)}. The bounds must be of the tensor's own category"
        )
    return own


# --- the larger and the smaller of two -------------------------------------------------------------------------------

maximum = shown(
    of_tensors(MAXIMUM), __name__, "maximum(torch.tensor([1.0, 5.0]), torch.tensor([3.0, 2.0]))", "tensor([3., 5.])"
)
minimum = shown(
    of_tensors(MINIMUM), __name__, "minimum(torch.tensor([1.0, 5.0]), torch.tensor([3.0, 2.0]))", "tensor([1., 2.])"
)
fmax = shown(
    of_tensors(FMAX), __name__, 'fmax(torch.tensor([1.0, float("nan")]), torch.tensor([3.0, 2.0]))', "tensor([3., 2.])"
)
fmin = shown(
    of_tensors(FMIN), __name__, 'fmin(torch.tensor([1.0, float("nan")]), torch.tensor([3.0, 2.0]))', "tensor([1., 2.])"
)


def nan_to_num(
    input: Any, nan: float | None = None, posinf: float | None = None, neginf: float | None = None, *, out: Any = None
) -> Any:
    """Replaces nan by ``nan`` (0 unless given) and the infinities by ``posinf`` and ``neginf`` (the dtype's limits).

    The derivative is 0 where something was replaced.

    >>> import wengert as torch
    >>> torch.nan_to_num(torch.tensor([1.0, float("nan"), float("inf")]), posinf=9.0)
    tensor([1., 0., 9.])
    """
    return call(NAN_TO_NUM, out, require_tensor("nan_to_num", input), **_replacements(nan, posinf, neginf))


def _replacements(nan: Any, posinf: Any, neginf: Any) -> dict[str, float | None]:
    return {
        "nan": 0.0 if nan is None else float(nan),
        "posinf": None if posinf is None else float(posinf),
        "neginf": None if neginf is None else float(neginf),
    }


def _nan_to_num_(self: Any, nan: float | None = None, posinf: float | None = None, neginf: float | None = None) -> Any:
    """In-place version of :func:`nan_to_num`."""
    return inplace(NAN_TO_NUM, self, **_replacements(nan, posinf, neginf))


class SelectMethods:
    """Bounds and choices as methods."""

    __slots__ = ()

    clamp = clamp
    clamp_ = _clamp_
    clamp_max = clamp_max
    clamp_max_ = _clamp_max_
    clamp_min = clamp_min
    clamp_min_ = _clamp_min_
    clip = clamp
    clip_ = _clamp_
    fmax = fmax
    fmin = fmin
    maximum = maximum
    minimum = minimum
    nan_to_num = nan_to_num
    nan_to_num_ = _nan_to_num_
    where = _where_method
