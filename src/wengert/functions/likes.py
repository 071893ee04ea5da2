"""Tensors of the shape and dtype of another: ``zeros_like`` and its relatives."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert._batched import Batched
from wengert._dtypes import NumpyDtype
from wengert._layout import check_memory_format
from wengert._traced import layout_of
from wengert.functions.nested import fill_scalar, traced_filling
from wengert.functions.options import chosen_dtype, made, number, require_tensor

__all__ = ["empty_like", "full_like", "ones_like", "zeros_like"]


def like(
    function: str,
    input: Any,
    dtype: Any,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    memory_format: Any = None,
) -> tuple[Any, NumpyDtype]:
    """New memory of the shape of ``input``, in its order of axes where it is dense, and the dtype."""
    raw = require_tensor(function, input)._data
    kind = chosen_dtype(function, dtype, raw.dtype, layout=layout, device=device, pin_memory=pin_memory)
    keep = check_memory_format(function, memory_format)
    if raw.__class__ is Batched:
        return Batched(np.empty(raw.array.shape, kind), raw.axes), kind
    if not raw.ndim:
        return np.empty((), kind), kind
    lying = layout_of(raw)
    dense = keep and lying is not None and not lying.flags.c_contiguous and 0 not in lying.strides
    return np.empty_like(lying, kind, order="K", subok=False) if dense else np.empty(raw.shape, kind), kind


def zeros_like(
    input: Any,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Any:
    """Zeros in the shape and, unless told otherwise, the dtype of ``input``.

    Raises:
        TypeError: ``input`` is not a tensor.
        RuntimeError: ``requires_grad`` with a dtype that has no gradients.

    >>> import wengert as torch
    >>> torch.zeros_like(torch.tensor([1, 2]))
    tensor([0, 0])
    """
    raw, kind = like("zeros_like", input, dtype, layout, device, pin_memory, memory_format)
    if raw.__class__ is np.ndarray and raw.flags.c_contiguous:
        return made(np.zeros(raw.shape, kind), requires_grad)
    raw.fill(0)
    return made(raw, requires_grad)


def ones_like(
    input: Any,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Any:
    """Ones in the shape and, unless told otherwise, the dtype of ``input``; errors as :func:`zeros_like`.

    >>> import wengert as torch
    >>> torch.ones_like(torch.zeros(2), requires_grad=True)
    tensor([1., 1.], requires_grad=True)
    """
    raw, _ = like("ones_like", input, dtype, layout, device, pin_memory, memory_format)
    raw.fill(1)
    return made(raw, requires_grad)


def full_like(
    input: Any,
    fill_value: Any,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Any:
    """One number everywhere, in the shape and, unless told otherwise, the dtype of ``input``.

    Raises:
        TypeError: ``input`` is not a tensor or ``fill_value`` not a number.
        RuntimeError: the number does not fit the dtype.

    >>> import wengert as torch
    >>> torch.full_like(torch.zeros(2), 5)
    tensor([5., 5.])
    """
    raw, kind = like("full_like", input, dtype, layout, device, pin_memory, memory_format)
    value = number("full_like", "fill_value", 2, fill_value)
    traced = traced_filling(value, kind)
    if traced is not None:
        return made(np.broadcast_to(traced._data, raw.shape).copy(), requires_grad)
    raw.fill(fill_scalar(value, kind))
    return made(raw, requires_grad)


def empty_like(
    input: Any,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Any:
    """Memory as it comes, in the shape and, unless told otherwise, the dtype of ``input``.

    >>> import wengert as torch
    >>> torch.empty_like(torch.zeros(2, 3)).shape
    torch.Size([2, 3])
    """
    raw, _ = like("empty_like", input, dtype, layout, device, pin_memory, memory_format)
    return made(raw, requires_grad)
