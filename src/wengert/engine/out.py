"""The ``out=`` argument."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from wengert._dtypes import from_numpy_dtype, type_name
from wengert._source import user_code
from wengert.engine import inplace_messages as messages
from wengert.engine.base import INFERENCE, TensorBase, array_of, cell_of, is_leveled, is_tracking
from wengert.engine.state import STATE
from wengert.ops.viewing import same_memory


def deliver(out: Any, result: Any, *inputs: Any, exact: bool = False) -> Any:
    """``result`` itself when ``out`` is None; else ``out``, filled with its values.

    With ``exact`` it must have the result's dtype, as many kernels of PyTorch want that do no arithmetic.

    Raises:
        RuntimeError: an input or ``out`` is tracked (PyTorch does not differentiate through ``out=``), or the result's
            dtype cannot be stored in that of ``out``.
    """
    if out is None:
        return result
    if isinstance(out, (tuple, list)):
        return type(result)(*[deliver(o, r, *inputs, exact=exact) for o, r in zip(out, result, strict=True)])
    if not isinstance(out, TensorBase):
        raise TypeError(f"argument 'out' must be Tensor, not {type(out).__name__}")
    if STATE.grad_enabled and (is_tracking(out) or any([isinstance(x, TensorBase) and is_tracking(x) for x in inputs])):
        raise RuntimeError(
            f"{_made_by(result)}functions with out=... arguments don't support automatic differentiation, but one of "
            "the arguments requires grad. Leave out= away, or compute under no_grad()."
        )
    values, target = result._data, out._data
    is_traced = STATE.trace is not None and target.shape == values.shape and not is_leveled(out, result)
    if not is_traced:
        check_writable(out, tracked=False)
        target = array_of(out)
    if exact and values.dtype != target.dtype:
        raise RuntimeError(
            f"Expected out tensor to have dtype {from_numpy_dtype(values.dtype)}, but got "
            f"{from_numpy_dtype(target.dtype)} instead"
        )
    check_castable(values.dtype, target.dtype)
    if is_traced:
        STATE.trace.deliver(out, result)
        return out
    if target.shape != values.shape:
        target = _resized(out, target, values)
    np.copyto(target, values, casting="unsafe")
    mark_written(out)
    return out


def _made_by(result: Any) -> str:
    """``mul(): ``, where the graph tells which operation computed the result."""
    op = result._node.op if result._node is not None else None
    return f"{op.name}(): " if op is not None else ""


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


def check_writable(t: TensorBase, tracked: bool) -> None:
    """Raise if ``t`` may not be written in place now.

    Args:
        t: the tensor to be written.
        tracked: gradients are tracked now, and ``t`` or what is written requires grad.
    """
    if t._cell is INFERENCE and not STATE.inference:
        raise RuntimeError(
            "Inplace update to inference tensor outside InferenceMode is not allowed.You can make a clone to get a "
            "normal tensor before doing inplace update: this tensor was made under inference_mode()."
        )
    data = t._data
    if data.__class__ is np.ndarray and not data.flags.writeable:
        t._data = writeable(data)
    if tracked:
        _check_tracked(t)
    if STATE.before_write is not None:
        STATE.before_write(t)


def _check_tracked(t: TensorBase) -> None:
    view = t._view
    if view is not None:
        if view.origin:
            raise RuntimeError(messages.written_view(t))
        if t._rg and view.base._node is None:
            raise RuntimeError(messages.leaf_view_in_place(t))
    if t._rg and t._node is None:
        raise RuntimeError(messages.leaf_in_place(t))


def writeable(data: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The same region of the same memory, to be written: NumPy lets nobody write into what was broadcast."""
    if any([stride == 0 and size > 1 for stride, size in zip(data.strides, data.shape, strict=True)]):
        raise RuntimeError(
            "unsupported operation: more than one element of the written-to tensor refers to a single memory location. "
            "Please clone() the tensor before performing the operation."
        )
    try:
        return same_memory(data)
    except ValueError:
        raise RuntimeError(
            "the tensor's memory is read-only (it comes from an array of the caller's); write to a clone() of it"
        ) from None


_RANKS = {"b": 0, "u": 1, "i": 1, "f": 2, "c": 3}


def check_castable(got: np.dtype[Any], own: np.dtype[Any]) -> None:
    """Raise if a result of dtype ``got`` may not be stored as ``own``: floats not as integers, and so on."""
    if _RANKS[got.kind] > _RANKS[own.kind]:
        raise RuntimeError(
            f"result type {type_name(got)} can't be cast to the desired output type {type_name(own)}: what is written "
            f"to has dtype {from_numpy_dtype(own)}. Convert it first, or take a new tensor for the result."
        )


def mark_written(t: TensorBase) -> None:
    """Count an in-place write to the memory of ``t`` and remember who did it."""
    cell = cell_of(t)
    if cell is not INFERENCE:
        code, lasti = user_code()
        cell[:] = (cell[0] + 1, code, lasti)
