"""Values written at index tensors, masks and regions of a tensor: index_put, masked_fill, select_scatter..."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert._batched import Batched
from wengert._traced import Traced
from wengert.engine.apply import apply
from wengert.engine.base import TensorBase
from wengert.engine.inplace import inplace
from wengert.functions.dims import wrap_dim
from wengert.functions.getitem import put as _put_at
from wengert.functions.indexing import broadcast_check, check_flat, index_tensor
from wengert.functions.nested import fill_scalar, traced_filling
from wengert.functions.options import number, require_tensor, type_name
from wengert.ops.writing import (
    DIAGONAL_SCATTER,
    MASKED_FILL,
    MASKED_FILL_TENSOR,
    MASKED_SCATTER,
    PUT,
    SELECT_SCATTER,
    SLICE_SCATTER,
)

__all__ = [
    "WritingMethods",
    "diagonal_scatter",
    "index_put",
    "index_put_",
    "masked_fill",
    "masked_scatter",
    "put",
    "select_scatter",
    "slice_scatter",
]

Run = Callable[..., Any]

# --- index tensors and masks among the dimensions ---


def _index_put(run: Run, x: Any, indices: Any, values: Any, accumulate: bool) -> Any:
    require_tensor("index_put", x)
    if not isinstance(indices, (tuple, list)):
        raise TypeError(
            f"index_put(): argument 'indices' (position 1) must be tuple of Tensors, not {type(indices).__name__}"
        )
    require_tensor("index_put", values, "values", 2)
    arrays: list[Any] = []
    for position, index in enumerate(indices):
        if not isinstance(index, TensorBase):
            raise TypeError(f"expected Tensor as element {position} in argument 0, but got {type(index).__name__}")
        arrays.append(_index_array(index._data))
    if len(arrays) > 1 or (accumulate and not isinstance(arrays[0], Batched)):
        arrays = [part for index in arrays for part in (index.nonzero() if index.dtype.kind == "b" else (index,))]
    spec = (True,) * len(arrays)
    if sum([index.ndim if index.dtype.kind == "b" else 1 for index in arrays]) > x._data.ndim:
        raise IndexError(f"too many indices for tensor of dimension {x._data.ndim} (got {len(arrays)})")
    return _put_at(x, values, tuple(arrays), spec, accumulate=accumulate, into=run is inplace)


def _index_array(raw: Any) -> Any:
    kind = raw.dtype.char
    if kind not in "?Bilq":
        raise IndexError("tensors used as indices must be long, int, byte or bool tensors")
    known = raw != 0 if kind == "B" else raw
    return known if isinstance(known, (Batched, Traced)) else np.asarray(known)


def index_put(input: Any, indices: Any, values: Any, accumulate: bool = False) -> Any:
    """A copy of the input with ``values`` written (or added) at ``input[indices]``.

    Raises:
        IndexError: an index outside its dimension.
        RuntimeError: the dtypes differ, or the values do not broadcast to the places.

    >>> import wengert as torch
    >>> torch.index_put(torch.zeros(3), (torch.tensor([0, 0]),), torch.tensor(1.), accumulate=True)
    tensor([2., 0., 0.])
    """
    return _index_put(apply, input, indices, values, accumulate)


def index_put_(input: Any, indices: Any, values: Any, accumulate: bool = False) -> Any:
    """As :func:`index_put`, into the input.

    >>> import wengert as torch
    >>> torch.zeros(2).index_put_((torch.tensor([1]),), torch.tensor(1.))
    tensor([0., 1.])
    """
    return _index_put(inplace, input, indices, values, accumulate)


def _put(run: Run, x: Any, index: Any, source: Any, accumulate: bool) -> Any:
    require_tensor("put", x)
    require_tensor("put", source, "source", 3)
    index = index_tensor("put_", index, 2, long_only=True)
    if source._data.dtype is not x._data.dtype:
        raise RuntimeError(
            "put_(): self and source expected to have the same dtype, but got self.dtype = "
            f"{type_name(x._data.dtype)} and "
            f"source.dtype = {type_name(source._data.dtype)}"
        )
    if source._data.size != index._data.size:
        raise IndexError(
            "put_(): Expected source and index to have the same number of elements, but got source.numel() = "
            f"{source._data.size}, index.numel() = {index._data.size}"
        )
    check_flat(index._data, x._data.size)
    return run(PUT, x, index, source.reshape(index._data.shape), accumulate=accumulate)


def put(input: Any, index: Any, source: Any, accumulate: bool = False) -> Any:
    """A copy of the input with the elements of ``source`` written (or added) at places of its flattened elements.

    Raises:
        IndexError: a place outside the input, or not one value for each.

    >>> import wengert as torch
    >>> torch.put(torch.zeros(2, 2), torch.tensor([3, 0]), torch.tensor([1., 2.]))
    tensor([[2., 0.],
            [0., 1.]])
    """
    return _put(apply, input, index, source, accumulate)


# --- masks ---


def _masked_fill(run: Run, x: Any, mask: Any, value: Any) -> Any:
    require_tensor("masked_fill", x)
    require_tensor("masked_fill", mask, "mask", 2)
    if mask._data.dtype.kind != "b":
        raise RuntimeError(
            f"masked_fill_ only supports boolean masks, but got mask with dtype {type_name(mask._data.dtype).lower()}. "
            "Compare to get a mask, or convert it with .bool()"
        )
    if not isinstance(value, TensorBase):
        filling = number("masked_fill", "value", 3, value)
        traced = traced_filling(filling, x._data.dtype)
        if traced is not None:
            return run(MASKED_FILL_TENSOR, x, mask, traced)
        return run(MASKED_FILL, x, mask, value=fill_scalar(filling, x._data.dtype).item())
    if value._data.ndim:
        raise RuntimeError(
            f"masked_fill_ only supports a 0-dimensional value tensor, but got tensor with {value._data.ndim} "
            "dimension(s)."
        )
    if value._data.dtype.kind == "c" and x._data.dtype.kind != "c":
        raise RuntimeError(
            f"value cannot be converted to type {type_name(x._data.dtype)} without overflow: it is complex. Give its "
            ".real part"
        )
    return run(MASKED_FILL_TENSOR, x, mask, value)


def masked_fill(input: Any, mask: Any, value: Any) -> Any:
    """A copy of the input with a number (or a 0-d tensor) where a mask holds; both broadcast against each other.

    Raises:
        RuntimeError: the mask is not bool.

    >>> import wengert as torch
    >>> x = torch.tensor([1., -2.])
    >>> torch.masked_fill(x, x < 0, 0)
    tensor([1., 0.])
    """
    return _masked_fill(apply, input, mask, value)


def _masked_scatter(run: Run, x: Any, mask: Any, source: Any) -> Any:
    require_tensor("masked_scatter", x)
    require_tensor("masked_scatter", mask, "mask", 2)
    require_tensor("masked_scatter", source, "source", 3)
    own, given = x._data.dtype, source._data.dtype
    if own is not given:
        raise RuntimeError(
            f"masked_scatter: expected self and source to have same dtypes but got {type_name(own)} and "
            f"{type_name(given)}"
        )
    if mask._data.dtype.kind != "b":
        raise RuntimeError(
            f"masked_scatter_ only supports boolean masks, but got mask with dtype {type_name(mask._data.dtype)}"
        )
    shape = broadcast_check(x._data.shape, mask._data.shape)
    counted = not isinstance(mask._data, (Batched, Traced))
    if counted and source._data.size < np.count_nonzero(np.broadcast_to(mask._data, shape)):
        raise RuntimeError("Number of elements of source < number of ones in mask")
    return run(MASKED_SCATTER, x, mask, source)


def masked_scatter(input: Any, mask: Any, source: Any) -> Any:
    """A copy of the input with the elements of ``source``, one after the other, where a mask holds.

    Raises:
        RuntimeError: the mask is not bool, the dtypes differ, or ``source`` has too few elements.

    >>> import wengert as torch
    >>> torch.masked_scatter(torch.zeros(3), torch.tensor([True, False, True]), torch.tensor([1., 2.]))
    tensor([1., 0., 2.])
    """
    return _masked_scatter(apply, input, mask, source)


# --- regions ---


def _check_region(src: Any, shape: tuple[int, ...]) -> None:
    if src._data.shape != shape:
        raise RuntimeError(
            "expected src to have a size equal to the slice of self. src size = "
            f"{list(src._data.shape)}, slice size = {list(shape)}"
        )


def _as_dtype(src: Any, x: Any) -> Any:
    return src if src._data.dtype is x._data.dtype else src.to(x.dtype)


def select_scatter(input: Any, src: Any, dim: int, index: int) -> Any:
    """A copy of the input with ``src`` written at one index of one dimension.

    Raises:
        RuntimeError: ``src`` does not have the shape of that part.

    >>> import wengert as torch
    >>> torch.select_scatter(torch.zeros(2, 2), torch.ones(2), 0, 1)
    tensor([[0., 0.],
            [1., 1.]])
    """
    part = require_tensor("select_scatter", input).select(dim, index)  # type: ignore[attr-defined]
    require_tensor("select_scatter", src, "src", 2)
    _check_region(src, part._data.shape)
    dim = wrap_dim(dim, input._data.ndim)
    return apply(SELECT_SCATTER, input, _as_dtype(src, input), dim=dim, index=int(index) % input._data.shape[dim])


def slice_scatter(
    input: Any, src: Any, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> Any:
    """A copy of the input with ``src`` written into a slice of one dimension.

    Raises:
        RuntimeError: ``src`` does not have the shape of that slice.

    >>> import wengert as torch
    >>> torch.slice_scatter(torch.zeros(4), torch.ones(2), start=1, end=3)
    tensor([0., 1., 1., 0.])
    """
    shape = require_tensor("slice_scatter", input)._data.shape
    require_tensor("slice_scatter", src, "src", 2)
    dim = wrap_dim(dim, len(shape))
    if step <= 0:
        raise RuntimeError("slice step must be positive")
    first, last, _ = slice(start, end, step).indices(shape[dim])
    _check_region(src, (*shape[:dim], len(range(first, last, step)), *shape[dim + 1 :]))
    return apply(SLICE_SCATTER, input, _as_dtype(src, input), dim=dim, start=first, stop=max(first, last), step=step)


def diagonal_scatter(input: Any, src: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """A copy of the input with ``src`` written on a diagonal of the plane of two dimensions.

    Raises:
        RuntimeError: ``src`` does not have the shape of that diagonal.

    >>> import wengert as torch
    >>> torch.diagonal_scatter(torch.zeros(2, 2), torch.ones(2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    part = require_tensor("diagonal_scatter", input).diagonal(offset, dim1, dim2)  # type: ignore[attr-defined]
    require_tensor("diagonal_scatter", src, "src", 2)
    _check_region(src, part._data.shape)
    ndim = input._data.ndim
    first, second = wrap_dim(dim1, ndim), wrap_dim(dim2, ndim)
    return apply(DIAGONAL_SCATTER, input, _as_dtype(src, input), offset=offset, dim1=first, dim2=second)


class WritingMethods:
    """Tensor methods that write at index tensors, masks and regions."""

    __slots__ = ()

    index_put = index_put
    index_put_ = index_put_
    put = put
    masked_fill = masked_fill
    masked_scatter = masked_scatter
    select_scatter = select_scatter
    slice_scatter = slice_scatter
    diagonal_scatter = diagonal_scatter

    def put_(self: Any, index: Any, source: Any, accumulate: bool = False) -> Any:
        """As :func:`put`, into this tensor.

        >>> import wengert as torch
        >>> torch.zeros(2).put_(torch.tensor([1]), torch.tensor([3.]))
        tensor([0., 3.])
        """
        return _put(inplace, self, index, source, accumulate)

    def masked_fill_(self: Any, mask: Any, value: Any) -> Any:
        """As :func:`masked_fill`, into this tensor.

        >>> import wengert as torch
        >>> torch.zeros(2).masked_fill_(torch.tensor([True, False]), 3)
        tensor([3., 0.])
        """
        return _masked_fill(inplace, self, mask, value)

    def masked_scatter_(self: Any, mask: Any, source: Any) -> Any:
        """As :func:`masked_scatter`, into this tensor.

        >>> import wengert as torch
        >>> torch.zeros(2).masked_scatter_(torch.tensor([True, False]), torch.tensor([3.]))
        tensor([3., 0.])
        """
        return _masked_scatter(inplace, self, mask, source)
