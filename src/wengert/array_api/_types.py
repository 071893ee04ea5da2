"""Operands of the standard's functions: tensors of a common element type by the standard's rules.

PyTorch's rules, which tensors have under operators, let a tensor without dimensions count for less than one with; here
the shape does not matter. Where the standard leaves a combination open, PyTorch's answer is given.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import numpy as np

from wengert._dtypes import DEFAULTS, NumpyDtype, default_complex
from wengert._promotion import promote_numpy
from wengert.engine.apply import apply
from wengert.engine.base import TensorBase, wrap
from wengert.functions.options import require_tensor
from wengert.ops.movement import CAST

__all__ = ["Axes", "common_dtype", "dims_of", "in_dtype", "promoted", "require_arrays", "totalled", "writable"]

Axes: TypeAlias = int | tuple[int, ...] | None

_INT64: Final = np.dtype(np.int64)
_UINT64: Final = np.dtype(np.uint64)
_BOOL: Final = np.dtype(np.bool_)


def in_dtype(x: Any, dtype: NumpyDtype) -> Any:
    """A tensor in this NumPy dtype: itself, or a recorded copy."""
    return x if x._data.dtype == dtype else apply(CAST, x, dtype=dtype)


def _common(a: NumpyDtype, b: NumpyDtype) -> NumpyDtype:
    if a == b:
        return a
    if a.kind in "iu" and b.kind in "iu":
        found = np.promote_types(a, b)
        if found.kind != "f":  # int64 and uint64: neither the standard nor PyTorch has an answer
            return found
    return promote_numpy(a, b)


def _beside(number: Any, dtype: NumpyDtype) -> NumpyDtype:
    """The dtype of a Python number and arrays of ``dtype``: the arrays', unless it cannot hold such a number."""
    kind = dtype.kind
    if isinstance(number, bool) or kind == "c" or (isinstance(number, int) and kind != "b"):
        return dtype
    if isinstance(number, int):
        return _INT64
    if isinstance(number, float):
        return dtype if kind == "f" else DEFAULTS.float
    return default_complex() if kind != "f" else np.result_type(dtype, np.complex64)


def common_dtype(*operands: Any) -> NumpyDtype:
    """The NumPy dtype in which tensors, NumPy dtypes and Python numbers meet.

    Raises:
        TypeError: no tensor or dtype among them.
        RuntimeError: uint64 beside a signed integer type.
    """
    dtypes = [
        x if isinstance(x, np.dtype) else x._data.dtype for x in operands if isinstance(x, (TensorBase, np.dtype))
    ]
    if not dtypes:
        raise TypeError("expected at least one tensor among the operands, got only Python numbers: use xp.asarray")
    found: NumpyDtype = dtypes[0]
    for dtype in dtypes[1:]:
        found = _common(found, dtype)
    for x in operands:
        if isinstance(x, (bool, int, float, complex)):
            found = _beside(x, found)
    return found


def promoted(function: str, *operands: Any) -> tuple[Any, ...]:
    """The operands as tensors of their common dtype; Python numbers become tensors without dimensions.

    Raises:
        TypeError: an operand is neither a tensor nor a Python number, or none is a tensor.
    """
    for x in operands:
        if not isinstance(x, (TensorBase, bool, int, float, complex)):
            require_tensor(function, x, "x")
    dtype = common_dtype(*operands)
    return tuple([in_dtype(x, dtype) if isinstance(x, TensorBase) else wrap(dtype.type(x)) for x in operands])


def require_arrays(function: str, *arrays: Any) -> None:
    """Raise a TypeError unless all are tensors."""
    for x in arrays:
        require_tensor(function, x, "x")


def dims_of(x: Any, axis: Axes) -> tuple[int, ...]:
    """The axes of a reduction, counted from the front; None means all.

    Raises:
        IndexError: no such axis.
    """
    ndim = x._data.ndim
    if axis is None:
        return tuple(range(ndim))
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    for number in axes:
        if not -ndim <= number < ndim:
            raise IndexError(f"axis {number} is out of range for an array of {ndim} dimensions")
    return tuple([number % ndim for number in axes])


def totalled(x: Any, dtype: Any) -> Any:
    """``x`` in the dtype in which sums and products are formed: asked for, 64 bits for integers, or its own."""
    if dtype is not None:
        return in_dtype(x, dtype.np)
    own = x._data.dtype
    if own.kind == "u":
        return in_dtype(x, _UINT64)
    return in_dtype(x, _INT64) if own.kind in "bi" else x


def writable(result: Any) -> Any:
    """A result that its operation keeps for the backward pass, as memory that may be written to.

    Libraries write into what they have just computed: ``scale[scale == 0] = 1``.
    """
    return result.clone() if result.requires_grad else result
