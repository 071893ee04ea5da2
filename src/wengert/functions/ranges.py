"""Evenly spaced numbers: ``arange``, ``range``, ``linspace``, ``logspace``."""

from __future__ import annotations

import math
import warnings
from typing import Any, NoReturn

import numpy as np

from wengert._dtypes import DEFAULTS, NumpyDtype, default_complex, int64
from wengert.engine.base import TensorBase
from wengert.functions.nested import cast
from wengert.functions.options import chosen_dtype, integer, made_into, number, type_name

_USUAL = frozenset((int, float))

__all__ = ["arange", "linspace", "logspace", "range"]


def arange(
    *bounds: Any,
    start: Any = None,
    end: Any = None,
    step: Any = None,
    out: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Any:
    """The numbers from ``start`` up to but without ``end`` in steps of ``step``: ``arange([start=0,] end[, step=1])``.

    There are ``ceil((end - start) / step)`` of them. The dtype is int64 if all bounds are integers, else the default
    float type. With float steps rounding may add a last number close to ``end``; :func:`linspace` has no such doubt.

    Raises:
        RuntimeError: a step of zero or of the wrong sign, or a bound that is not finite.
        ValueError: the dtype is int64 and the step is less than 1.
        NotImplementedError: a bool or complex dtype.

    >>> import wengert as torch
    >>> torch.arange(5), torch.arange(1, 2, 0.25)
    (tensor([0, 1, 2, 3, 4]), tensor([1.0000, 1.2500, 1.5000, 1.7500]))
    """
    low, high, stride = _bounds("arange", bounds, start, end, step)
    whole = isinstance(low, int) and isinstance(high, int) and isinstance(stride, int)
    default = int64.np if whole else DEFAULTS.float
    kind = chosen_dtype("arange", dtype, default, out=out, layout=layout, device=device, pin_memory=pin_memory)
    if kind.kind in "bc":
        raise NotImplementedError(f"\"arange_cpu\" not implemented for '{type_name(kind)}'")
    if kind.kind in "iu" and not whole:
        count, low, stride = _whole_progression(low, high, stride, kind)
    else:
        count = _count(low, high, stride)
    return made_into(out, _progression(low, stride, count, kind), requires_grad)


def range(
    start: Any,
    end: Any,
    step: Any = 1,
    *,
    out: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Any:
    """As :func:`arange` but including ``end``, and of float type by default. Deprecated in PyTorch, and warns.

    >>> import warnings
    >>> import wengert as torch
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     torch.range(1, 3)
    tensor([1., 2., 3.])
    """
    warnings.warn(
        "torch.range is deprecated: it includes the end, unlike Python's range. Use torch.arange, which produces "
        "values in [start, end).",
        UserWarning,
        stacklevel=2,
    )
    low, high, stride = _bounds("range", (start, end, step), None, None, None)
    kind = chosen_dtype("range", dtype, out=out, layout=layout, device=device, pin_memory=pin_memory)
    _check_step(low, high, stride)
    count = math.floor((high - low) / stride) + 1
    return made_into(out, _progression(low, stride, count, kind), requires_grad)


def _bounds(function: str, bounds: tuple[Any, ...], start: Any, end: Any, step: Any) -> tuple[Any, Any, Any]:
    """Start, end and step as Python numbers, from positions and keywords."""
    if start is None and end is None and step is None and {bound.__class__ for bound in bounds} <= _USUAL:
        if len(bounds) == 1:
            return 0, bounds[0], 1
        if len(bounds) in (2, 3):
            return bounds[0], bounds[1], bounds[2] if len(bounds) == 3 else 1
    if len(bounds) > 3:
        raise TypeError(f"{function}() takes from 1 to 3 positional arguments but {len(bounds)} were given")
    names = ("end",) if len(bounds) == 1 and end is None else ("start", "end", "step")
    given = {"start": start, "end": end, "step": step}
    for name, value in zip(names, bounds, strict=False):
        if given[name] is not None:
            raise TypeError(f"{function}() got multiple values for argument '{name}'")
        given[name] = value
    if given["end"] is None:
        raise TypeError(f'{function}() missing 1 required positional arguments: "end"')
    values = []
    for name, default in (("start", 0), ("end", None), ("step", 1)):
        value = default if given[name] is None else given[name]
        position = names.index(name) + 1 if name in names else 3
        plain = number(function, name, position, value)
        if isinstance(plain, complex):
            raise RuntimeError(f"value cannot be converted to type double without overflow: {function}() got {plain}")
        values.append(int(plain) if isinstance(plain, bool) else plain)
    return values[0], values[1], values[2]


def _check_finite(low: Any, high: Any) -> None:
    if not (math.isfinite(low) and math.isfinite(high)):
        raise RuntimeError(f"unsupported range: {low} -> {high}: both ends must be finite")


def _check_step(low: Any, high: Any, step: Any) -> None:
    if step == 0:
        raise RuntimeError("step must be nonzero")
    _check_finite(low, high)
    if (high - low) * step < 0:
        raise RuntimeError(
            f"upper bound and lower bound inconsistent with step sign: steps of {step} do not lead from {low} to {high}"
        )


def _whole_progression(low: Any, high: Any, step: Any, dtype: NumpyDtype) -> tuple[int, int, int]:
    """Count, start and step of integers for bounds that are none: PyTorch counts in int64, or else before rounding."""
    _check_step(low, high, step)
    if dtype is not int64.np:
        return _count(low, high, step), int(low), int(step)
    if not int(step):
        raise ValueError(f"step must be nonzero: in integers {step} is 0. Leave out dtype=torch.int64 for such steps")
    return _count(int(low), int(high), int(step)), int(low), int(step)


def _count(low: Any, high: Any, step: Any) -> int:
    _check_step(low, high, step)
    if isinstance(low, int) and isinstance(high, int) and isinstance(step, int):
        return int(-((low - high) // step))
    count: int = math.ceil((high - low) / step)
    return count


def _progression(low: Any, step: Any, count: int, dtype: NumpyDtype) -> Any:
    """``low + i * step``, worked out in 64 bits."""
    if isinstance(low, int) and isinstance(step, int) and -(2**63) <= low + count * step < 2**63:
        steps = np.arange(count, dtype=np.int64)
        if (low, step) != (0, 1):
            steps = steps * step + low
        return steps if steps.dtype is dtype else cast(steps, dtype)
    return cast(np.arange(count, dtype=np.float64) * float(step) + float(low), dtype)


# --- a given number of points ----------------------------------------------------------------------------------------


def linspace(
    start: Any,
    end: Any,
    steps: int,
    *,
    out: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Any:
    """``steps`` numbers from ``start`` to ``end``, both included, at equal distances.

    Raises:
        RuntimeError: a negative number of steps, or bounds with dimensions.

    >>> import wengert as torch
    >>> torch.linspace(0, 1, 5)
    tensor([0.0000, 0.2500, 0.5000, 0.7500, 1.0000])
    """
    low, high, count = _ends("linspace", start, end, steps)
    default = default_complex() if isinstance(low, complex) or isinstance(high, complex) else DEFAULTS.float
    kind = chosen_dtype("linspace", dtype, default, out=out, layout=layout, device=device, pin_memory=pin_memory)
    return made_into(out, cast(_spaced(low, high, count, kind), kind), requires_grad)


def logspace(
    start: Any,
    end: Any,
    steps: int,
    base: float = 10.0,
    *,
    out: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Any:
    """``steps`` numbers from ``base ** start`` to ``base ** end``, at equal ratios.

    Raises:
        RuntimeError: a negative number of steps, or bounds with dimensions.

    >>> import wengert as torch
    >>> torch.logspace(0, 2, 3)
    tensor([  1.,  10., 100.])
    """
    low, high, count = _ends("logspace", start, end, steps)
    default = default_complex() if isinstance(low, complex) or isinstance(high, complex) else DEFAULTS.float
    kind = chosen_dtype("logspace", dtype, default, out=out, layout=layout, device=device, pin_memory=pin_memory)
    # In double precision and rounded once: a power magnifies the rounding of its exponent.
    exponents = _spaced(low, high, count, np.dtype(np.complex128 if kind.kind == "c" else np.float64))
    with np.errstate(all="ignore"):
        powers = np.power(base, exponents)
    return made_into(out, cast(powers, kind), requires_grad)


def _ends(function: str, start: Any, end: Any, steps: Any) -> tuple[Any, Any, int]:
    for name, bound in (("start", start), ("end", end)):
        if isinstance(bound, TensorBase) and bound._data.ndim:
            raise RuntimeError(
                f"{function} only supports 0-dimensional start and end tensors, but got {name} with "
                f"{bound._data.ndim} dimension(s)."
            )
    low, high = number(function, "start", 1, start), number(function, "end", 2, end)
    count = integer(function, "steps", 3, steps)
    if count < 0:
        _negative_steps(count)
    return low, high, count


def _negative_steps(count: int) -> NoReturn:
    raise RuntimeError(f"number of steps must be non-negative, got {count}")


def _spaced(low: Any, high: Any, count: int, dtype: NumpyDtype) -> Any:
    """Counted from both ends to the middle, as PyTorch does, so that both are met exactly."""
    if dtype.kind in "iu":
        low, high = int(low), int(high)  # as PyTorch, which counts between the bounds as the result's type has them
    if count == 1:
        return np.array([low])
    work = np.dtype(np.complex128 if dtype.kind == "c" else np.float64)
    index = np.arange(count, dtype=np.float64)
    step = (high - low) / (count - 1) if count else 0.0
    half = count // 2
    result = np.empty(count, work)
    result[:half] = low + step * index[:half]
    result[half:] = high - step * index[: count - half][::-1]
    return result
