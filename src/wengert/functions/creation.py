"""Functions that make tensors of sizes and numbers; those that take data are in :mod:`wengert.functions.data`."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert._batched import Batched
from wengert._dtypes import DEFAULTS, NumpyDtype, bool_, default_complex, int64
from wengert.engine.base import TensorBase
from wengert.functions.nested import fill_scalar, traced_filling
from wengert.functions.options import (
    chosen_dtype,
    integer,
    made,
    made_into,
    number,
    one_size,
    size_argument,
)

__all__ = ["CreationMethods", "empty", "eye", "full", "ones", "zeros"]


def zeros(
    *sizes: Any,
    size: Any = None,
    out: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Any:
    """A tensor of zeros, of the default float type unless ``dtype`` or ``out`` says otherwise.

    The sizes are given one by one or as one sequence; without any (``zeros(())``) the tensor has no dimensions.

    Raises:
        TypeError: sizes that are not integers.
        RuntimeError: a negative size, or ``requires_grad`` with a dtype that has no gradients.

    >>> import wengert as torch
    >>> torch.zeros(2, 3)
    tensor([[0., 0., 0.],
            [0., 0., 0.]])
    """
    kind = chosen_dtype("zeros", dtype, out=out, layout=layout, device=device, pin_memory=pin_memory)
    raw = np.zeros(size_argument("zeros", sizes, size), kind)
    return made_into(out, raw, requires_grad)


def ones(
    *sizes: Any,
    size: Any = None,
    out: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Any:
    """A tensor of ones; the arguments and errors are those of :func:`zeros`.

    >>> import wengert as torch
    >>> torch.ones(3, requires_grad=True)
    tensor([1., 1., 1.], requires_grad=True)
    """
    kind = chosen_dtype("ones", dtype, out=out, layout=layout, device=device, pin_memory=pin_memory)
    raw = np.ones(size_argument("ones", sizes, size), kind)
    return made_into(out, raw, requires_grad)


def empty(
    *sizes: Any,
    size: Any = None,
    out: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
    memory_format: Any = None,  # noqa: ARG001  # new memory is row-major in any format that exists here
) -> Any:
    """A tensor whose values are whatever the memory held; the arguments and errors are those of :func:`zeros`.

    >>> import wengert as torch
    >>> torch.empty(2, 3).shape
    torch.Size([2, 3])
    """
    kind = chosen_dtype("empty", dtype, out=out, layout=layout, device=device, pin_memory=pin_memory)
    raw = np.empty(size_argument("empty", sizes, size), kind)
    return made_into(out, raw, requires_grad)


def full(
    size: Any,
    fill_value: Any,
    *,
    out: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Any:
    """A tensor with the same number everywhere; its dtype is the number's unless given.

    Raises:
        TypeError: ``size`` is not a sequence of integers or ``fill_value`` not a number.
        RuntimeError: the number does not fit the dtype.

    >>> import wengert as torch
    >>> torch.full((2, 2), 7)
    tensor([[7, 7],
            [7, 7]])
    """
    shape = one_size("full", size)
    value = number("full", "fill_value", 2, fill_value)
    kind = chosen_dtype(
        "full", dtype, number_dtype(value), out=out, layout=layout, device=device, pin_memory=pin_memory
    )
    return made_into(out, full_raw(shape, value, kind), requires_grad)


def full_raw(shape: tuple[int, ...], value: Any, dtype: NumpyDtype) -> Any:
    """A raw value with one number everywhere."""
    traced = traced_filling(value, dtype)
    if traced is not None:
        return np.broadcast_to(traced._data, shape).copy()
    raw = np.empty(shape, dtype)
    raw.fill(fill_scalar(value, dtype))
    return raw


def number_dtype(value: Any) -> NumpyDtype:
    """The element type of a tensor of one Python number."""
    if isinstance(value, bool):
        return bool_.np
    if isinstance(value, int):
        return int64.np
    return DEFAULTS.float if isinstance(value, float) else default_complex()


def eye(
    n: int,
    m: int | None = None,
    *,
    out: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Any:
    """The identity matrix with ``n`` rows and ``m`` columns (``n`` by default).

    Raises:
        RuntimeError: a negative number of rows or columns.

    >>> import wengert as torch
    >>> torch.eye(2, 3)
    tensor([[1., 0., 0.],
            [0., 1., 0.]])
    """
    rows = integer("eye", "n", 1, n)
    columns = rows if m is None else integer("eye", "m", 2, m)
    for name, count in (("n", rows), ("m", columns)):
        if count < 0:
            raise RuntimeError(f"{name} must be greater or equal to 0, got {count}")
    kind = chosen_dtype("eye", dtype, out=out, layout=layout, device=device, pin_memory=pin_memory)
    return made_into(out, np.eye(rows, columns, dtype=kind), requires_grad)


# --- of the kind of a given tensor -----------------------------------------------------------------------------------


def _new_size(function: str, self: TensorBase, size: tuple[Any, ...], keyword: Any, options: dict[str, Any]) -> Any:
    """The shape and the dtype that ``t.new_zeros(...)`` asks for."""
    return size_argument(function, size, keyword), chosen_dtype(function, default=self._data.dtype, **options)


def _like_self(self: TensorBase, raw: Any) -> Any:
    """New memory, for each member of the batch if this tensor is batched: what is written into it may be, too."""
    own = self._data
    if own.__class__ is not Batched:
        return raw
    return Batched(np.array(np.broadcast_to(raw, (*own.array.shape[: len(own.axes)], *raw.shape))), own.axes)


def new_zeros(
    self: Any,
    *sizes: Any,
    size: Any = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    layout: Any = None,
    pin_memory: bool = False,
) -> Any:
    """Zeros of the given size and, unless told otherwise, of this tensor's dtype.

    >>> import wengert as torch
    >>> torch.tensor([1, 2]).new_zeros(3)
    tensor([0, 0, 0])
    """
    options = {"dtype": dtype, "device": device, "layout": layout, "pin_memory": pin_memory}
    shape, kind = _new_size("new_zeros", self, sizes, size, options)
    return made(_like_self(self, np.zeros(shape, kind)), requires_grad)


def new_ones(
    self: Any,
    *sizes: Any,
    size: Any = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    layout: Any = None,
    pin_memory: bool = False,
) -> Any:
    """Ones of the given size and, unless told otherwise, of this tensor's dtype.

    >>> import wengert as torch
    >>> torch.tensor([1, 2]).new_ones((1, 2))
    tensor([[1, 1]])
    """
    options = {"dtype": dtype, "device": device, "layout": layout, "pin_memory": pin_memory}
    shape, kind = _new_size("new_ones", self, sizes, size, options)
    return made(_like_self(self, np.ones(shape, kind)), requires_grad)


def new_empty(
    self: Any,
    *sizes: Any,
    size: Any = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    layout: Any = None,
    pin_memory: bool = False,
) -> Any:
    """Memory as it comes, of the given size and, unless told otherwise, of this tensor's dtype.

    >>> import wengert as torch
    >>> torch.tensor([1, 2]).new_empty(3).dtype
    torch.int64
    """
    options = {"dtype": dtype, "device": device, "layout": layout, "pin_memory": pin_memory}
    shape, kind = _new_size("new_empty", self, sizes, size, options)
    return made(_like_self(self, np.empty(shape, kind)), requires_grad)


def new_full(
    self: Any,
    size: Any,
    fill_value: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    layout: Any = None,
    pin_memory: bool = False,
) -> Any:
    """One number everywhere, in the given size and, unless told otherwise, in this tensor's dtype.

    >>> import wengert as torch
    >>> torch.tensor([1, 2]).new_full((2,), 3.7)
    tensor([3, 3])
    """
    options = {"dtype": dtype, "device": device, "layout": layout, "pin_memory": pin_memory}
    shape, kind = _new_size("new_full", self, (one_size("new_full", size),), None, options)
    raw = full_raw(shape, number("new_full", "fill_value", 2, fill_value), kind)
    return made(_like_self(self, raw), requires_grad)


class CreationMethods:
    """The part of Tensor that makes others of its kind."""

    __slots__ = ()

    new_zeros = new_zeros
    new_ones = new_ones
    new_empty = new_empty
    new_full = new_full
