"""The ``out=`` argument."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from wengert._dtypes import from_numpy_dtype
from wengert._source import user_code
from wengert.engine.base import INFERENCE, TensorBase, array_of, cell_of, is_tracking
from wengert.engine.state import STATE


def deliver(out: Any, result: Any, *inputs: Any) -> Any:
    """``result`` itself when ``out`` is None; else ``out``, filled with its values.

    Raises:
        RuntimeError: an input or ``out`` is tracked (PyTorch does not differentiate through ``out=``), or the result's
            dtype cannot be stored in that of ``out``.
    """
    if out is None:
        return result
    if isinstance(out, (tuple, list)):
        return type(result)(*[deliver(o, r, *inputs) for o, r in zip(out, result, strict=True)])
    if not isinstance(out, TensorBase):
        raise TypeError(f"argument 'out' must be Tensor, not {type(out).__name__}")
    if STATE.grad_enabled and (is_tracking(out) or any([isinstance(x, TensorBase) and is_tracking(x) for x in inputs])):
        raise RuntimeError(
            "functions with out=... arguments don't support automatic differentiation, but one of the arguments "
            "requires grad. Leave out= away, or compute under no_grad()."
        )
    values, target = result._data, array_of(out)
    if not np.can_cast(values.dtype, target.dtype, casting="same_kind"):
        got, want = from_numpy_dtype(values.dtype), from_numpy_dtype(target.dtype)
        raise RuntimeError(f"result type {got.abbr} can't be cast to the desired output type {want.abbr}")
    if target.shape != values.shape:
        target = _resized(out, target, values)
    np.copyto(target, values, casting="same_kind")
    mark_written(out)
    return out


def _resized(out: TensorBase, target: np.ndarray[Any, Any], values: Any) -> np.ndarray[Any, Any]:
    if target.size:
        warnings.warn(
            f"An output with one or more elements was resized since it had shape {list(target.shape)}, which does not "
            f"match the required output shape {list(values.shape)}.",
            UserWarning,
            stacklevel=4,
        )
    out._data = resized = np.empty(values.shape, target.dtype)
    return resized


def mark_written(t: TensorBase) -> None:
    """Count an in-place write to the memory of ``t`` and remember who did it."""
    cell = cell_of(t)
    if cell is not INFERENCE:
        code, lasti = user_code()
        cell[:] = (cell[0] + 1, code, lasti)
