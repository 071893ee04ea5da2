"""Memory with strides of one's choice, and writing through such a view without changing the original."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided as strided_array

from wengert._layout import check_memory_format
from wengert.engine.base import array_of, is_tracking, wrap
from wengert.engine.out import deliver
from wengert.functions.dims import Shape, int_args, int_tuple
from wengert.functions.indexing import nonzero
from wengert.functions.movement import clone
from wengert.functions.options import chosen_dtype, made, require_tensor
from wengert.functions.padding import as_strided
from wengert.ops.windows import storage_of

__all__ = ["as_strided_scatter", "empty_permuted", "empty_strided", "nonzero_static", "resize_as_"]


def _strided(shape: tuple[int, ...], strides: tuple[int, ...], kind: Any) -> Any:
    if len(shape) != len(strides):
        raise RuntimeError(
            f"dimensionality of sizes ({len(shape)}) must match dimensionality of strides ({len(strides)})"
        )
    if min((*shape, *strides), default=0) < 0:
        raise RuntimeError(f"sizes and strides must not be negative, and they are {list(shape)} and {list(strides)}")
    if 0 in shape:
        return np.empty(shape, kind)
    length = 1 + sum([(n - 1) * step for n, step in zip(shape, strides, strict=True)])
    memory = np.empty(length, kind)
    return strided_array(memory, shape, tuple([step * memory.itemsize for step in strides]))


def empty_strided(
    size: Any,
    stride: Any,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Any:
    """A tensor of whatever the memory held, with the given steps (in elements) between neighbours.

    Raises:
        RuntimeError: another number of strides than of sizes, or negative ones.

    >>> import wengert as torch
    >>> torch.empty_strided((2, 3), (1, 2)).stride()
    (1, 2)
    """
    kind = chosen_dtype("empty_strided", dtype, layout=layout, device=device, pin_memory=pin_memory)
    shape, steps = int_tuple("empty_strided", "size", 1, size), int_tuple("empty_strided", "stride", 2, stride)
    return made(_strided(shape, steps, kind), requires_grad)


def empty_permuted(
    size: Any,
    physical_layout: Any,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Any:
    """A dense tensor of whatever the memory held, whose dimensions lie in memory in the order ``physical_layout``.

    Raises:
        RuntimeError: ``physical_layout`` is no order of the dimensions.

    >>> import wengert as torch
    >>> torch.empty_permuted((2, 3), (1, 0)).stride()
    (1, 2)
    """
    kind = chosen_dtype("empty_permuted", dtype, layout=layout, device=device, pin_memory=pin_memory)
    shape = int_tuple("empty_permuted", "size", 1, size)
    order = int_tuple("empty_permuted", "physical_layout", 2, physical_layout)
    if len(order) != len(shape):
        raise RuntimeError(
            f"Number of dimensions in size does not match the length of the physical_layout; i.e. len(size) = "
            f"{len(shape)} is not equal to len(physical_layout) = {len(order)}"
        )
    if min(order, default=0) < 0 or max(order, default=-1) >= len(shape):
        raise RuntimeError(
            f"Dimension out of range (expected to be between 0 and {len(shape) - 1}, but got physical_layout {order})"
        )
    if len(set(order)) != len(order):
        raise RuntimeError(f"Duplicate dim not allowed in physical_layout {order}")
    memory = np.empty([shape[dim] for dim in order], kind)
    return made(memory.transpose(np.argsort(order)), requires_grad)


def as_strided_scatter(input: Any, src: Any, size: Any, stride: Any, storage_offset: int | None = None) -> Any:
    """A copy of ``input`` with ``src`` written where :func:`as_strided` with the same arguments would look.

    Raises:
        RuntimeError: the view would leave the memory, or ``src`` has another shape.

    >>> import wengert as torch
    >>> torch.as_strided_scatter(torch.zeros(2, 2), torch.ones(2), (2,), (3,))
    tensor([[1., 0.],
            [0., 1.]])
    """
    copy = clone(require_tensor("as_strided_scatter", input))
    view = as_strided(copy, size, stride, storage_offset)
    if view._data.shape != require_tensor("as_strided_scatter", src)._data.shape:
        raise RuntimeError(
            f"expected src to have a size equal to the slice of self. src size = {list(src._data.shape)}, slice size = "
            f"{list(view._data.shape)}"
        )
    view.copy_(src)
    return copy


def nonzero_static(input: Any, *, size: int, fill_value: int = -1, out: Any = None) -> Any:
    """As :func:`nonzero`, cut to ``size`` rows, or filled up to them with ``fill_value``.

    Raises:
        RuntimeError: a negative size.

    >>> import wengert as torch
    >>> torch.nonzero_static(torch.tensor([0, 5]), size=2)
    tensor([[ 1],
            [-1]])
    """
    if size < 0:
        raise RuntimeError("nonzero_static: 'size' must be an non-negative integer")
    found = nonzero(input)._data
    rows = np.full((size, found.shape[1]), fill_value, np.int64)
    rows[: len(found)] = found[:size]
    return deliver(out, wrap(rows))


def new_empty_strided(
    self: Any,
    size: Any,
    stride: Any,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Any:
    """As :func:`empty_strided`, of this tensor's dtype unless told otherwise.

    >>> import wengert as torch
    >>> torch.tensor([1, 2]).new_empty_strided((2,), (3,)).stride()
    (3,)
    """
    options = {"layout": layout, "device": device, "pin_memory": pin_memory, "requires_grad": requires_grad}
    return empty_strided(size, stride, dtype=self.dtype if dtype is None else dtype, **options)


def _resized(x: Any, shape: Shape) -> Any:
    """Give the tensor another shape on its own memory, as long as that suffices, else on new memory."""
    if is_tracking(x):
        raise RuntimeError("cannot resize variables that require grad: take x.detach(), or reshape()")
    if min(shape, default=0) < 0:
        raise RuntimeError(f"resize_: sizes must not be negative, and they are {list(shape)}")
    raw = array_of(x)
    if raw.shape != shape:
        flat, first = storage_of(raw)
        kept = flat[first:]
        count = prod(shape)
        if kept.size < count:
            kept = np.empty(count, raw.dtype)
            kept[: flat.size - first] = flat[first:]
        x._data = kept[:count].reshape(shape)
    return x


def resize_as_(input: Any, the_template: Any, *, memory_format: Any = None) -> Any:
    """Give ``input`` the shape of another tensor, as :meth:`Tensor.resize_` does.

    Raises:
        RuntimeError: the tensor requires grad.

    >>> import wengert as torch
    >>> torch.resize_as_(torch.tensor([1., 2., 3.]), torch.zeros(1, 2))
    tensor([[1., 2.]])
    """
    check_memory_format("resize_as_", memory_format)
    template = require_tensor("resize_as_", the_template, "the_template", 2)
    return _resized(require_tensor("resize_as_", input), template._data.shape)


class StridedMethods:
    """The part of Tensor about memory with strides of one's choice."""

    __slots__ = ()

    def resize_(self: Any, *sizes: Any, memory_format: Any = None) -> Any:
        """Give this tensor another shape: of the numbers in its memory, and whatever new memory holds behind them.

        Raises:
            RuntimeError: the tensor requires grad, or a negative size.

        >>> import wengert as torch
        >>> torch.tensor([1., 2., 3.]).resize_(1, 2)
        tensor([[1., 2.]])
        """
        check_memory_format("resize_", memory_format)
        return _resized(self, int_args("resize_", "sizes", sizes, None))

    resize_as_ = resize_as_
    as_strided_scatter = as_strided_scatter
    new_empty_strided = new_empty_strided
    nonzero_static = nonzero_static
