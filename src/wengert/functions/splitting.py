"""One tensor taken apart into views: split, chunk, unbind, iteration."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from wengert.engine.apply import apply
from wengert.engine.base import TensorBase
from wengert.engine.moving import view_function, views_function
from wengert.functions.dims import int_tuple, wrap_dim
from wengert.functions.options import require_tensor
from wengert.ops.indexing import SLICE
from wengert.ops.joining import SPLIT, SPLIT_WITH_SIZES, UNBIND, UNSAFE_SPLIT, UNSAFE_SPLIT_WITH_SIZES

__all__ = [
    "SplittingMethods",
    "chunk",
    "dsplit",
    "hsplit",
    "split",
    "split_with_sizes",
    "tensor_split",
    "unbind",
    "unsafe_chunk",
    "unsafe_split",
    "unsafe_split_with_sizes",
    "vsplit",
]

_slice = view_function(SLICE)
_split, _split_with_sizes, _unbind = [views_function(op) for op in (SPLIT, SPLIT_WITH_SIZES, UNBIND)]


def _splittable(function: str, x: Any, dim: int) -> tuple[int, int]:
    require_tensor(function, x, "tensor" if function == "split" else "input")
    shape = x._data.shape
    if not shape:
        raise RuntimeError(f"{function} expects at least a 1-dimensional tensor")
    dim = wrap_dim(dim, len(shape))
    return dim, shape[dim]


def _equal_parts(size: int, length: int) -> tuple[int, ...]:
    if length < 0:
        raise RuntimeError(f"split expects split_size be non-negative, but got split_size={length}")
    if length == 0:
        if size:
            raise RuntimeError(f"split_size can only be 0 if dimension size is 0, but got dimension size of {size}")
        return (0,)
    whole, rest = divmod(size, length)
    return (length,) * whole + ((rest,) if rest or not whole else ())


def split(tensor: Any, split_size_or_sections: Any, dim: int = 0) -> tuple[Any, ...]:
    """Views of consecutive parts of one dimension: of one length (the last may be shorter), or of the lengths listed.

    Raises:
        RuntimeError: the lengths do not add up to the size of the dimension.

    >>> import wengert as torch
    >>> torch.split(torch.arange(5), 2)
    (tensor([0, 1]), tensor([2, 3]), tensor([4]))
    >>> torch.split(torch.arange(5), [1, 4])
    (tensor([0]), tensor([1, 2, 3, 4]))
    """
    if isinstance(split_size_or_sections, (tuple, list)):
        return split_with_sizes(tensor, split_size_or_sections, dim)
    dim, size = _splittable("split", tensor, dim)
    return _split(tensor, {"dim": dim, "sizes": _equal_parts(size, operator.index(split_size_or_sections))})


def _given_sizes(x: Any, split_sizes: Any, dim: int) -> tuple[int, tuple[int, ...]]:
    dim, size = _splittable("split_with_sizes", x, dim)
    sizes = int_tuple("split_with_sizes", "split_sizes", 2, split_sizes)
    if min(sizes, default=0) < 0:
        raise RuntimeError(
            f"split_with_sizes expects split_sizes have only non-negative entries, but got split_sizes={list(sizes)}"
        )
    if sum(sizes) != size:
        raise RuntimeError(
            f"split_with_sizes expects split_sizes to sum exactly to {size} (input tensor's size at dimension "
            f"{dim}), but "
            f"got split_sizes={list(sizes)}"
        )
    return dim, sizes


def split_with_sizes(input: Any, split_sizes: Any, dim: int = 0) -> tuple[Any, ...]:
    """Views of consecutive parts of one dimension, of the lengths listed.

    Raises:
        RuntimeError: the lengths do not add up to the size of the dimension.

    >>> import wengert as torch
    >>> torch.split_with_sizes(torch.arange(3), [1, 2])
    (tensor([0]), tensor([1, 2]))
    """
    dim, sizes = _given_sizes(input, split_sizes, dim)
    return _split_with_sizes(input, {"dim": dim, "sizes": sizes})


def unsafe_split(tensor: Any, split_size: int, dim: int = 0) -> tuple[Any, ...]:
    """As :func:`split` with one length, but the results may be written in place while tracked.

    >>> import wengert as torch
    >>> torch.unsafe_split(torch.arange(3), 2)
    (tensor([0, 1]), tensor([2]))
    """
    dim, size = _splittable("split", tensor, dim)
    return apply(UNSAFE_SPLIT, tensor, dim=dim, sizes=_equal_parts(size, split_size))  # type: ignore[no-any-return]


def unsafe_split_with_sizes(input: Any, split_sizes: Any, dim: int = 0) -> tuple[Any, ...]:
    """As :func:`split_with_sizes`, but the results may be written in place while tracked.

    >>> import wengert as torch
    >>> torch.unsafe_split_with_sizes(torch.arange(3), [1, 2])
    (tensor([0]), tensor([1, 2]))
    """
    dim, sizes = _given_sizes(input, split_sizes, dim)
    return apply(UNSAFE_SPLIT_WITH_SIZES, input, dim=dim, sizes=sizes)  # type: ignore[no-any-return]


def _chunk_sizes(x: Any, chunks: int, dim: int) -> tuple[int, tuple[int, ...]]:
    dim, size = _splittable("chunk", x, dim)
    if chunks <= 0:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    length = -(-size // chunks)
    return dim, _equal_parts(size, length) if length else (0,) * chunks


def chunk(input: Any, chunks: int, dim: int = 0) -> tuple[Any, ...]:
    """Views of at most ``chunks`` consecutive parts of one dimension, all of one length but perhaps the last.

    Raises:
        RuntimeError: ``chunks`` is not positive.

    >>> import wengert as torch
    >>> torch.chunk(torch.arange(5), 3)
    (tensor([0, 1]), tensor([2, 3]), tensor([4]))
    """
    dim, sizes = _chunk_sizes(input, chunks, dim)
    return (_split if any(sizes) else _split_with_sizes)(input, {"dim": dim, "sizes": sizes})


def unsafe_chunk(input: Any, chunks: int, dim: int = 0) -> tuple[Any, ...]:
    """As :func:`chunk`, but the results may be written in place while tracked.

    >>> import wengert as torch
    >>> torch.unsafe_chunk(torch.arange(3), 2)
    (tensor([0, 1]), tensor([2]))
    """
    dim, sizes = _chunk_sizes(input, chunks, dim)
    return apply(UNSAFE_SPLIT, input, dim=dim, sizes=sizes)  # type: ignore[no-any-return]


def _part(x: Any, dim: int, start: int | None, stop: int | None) -> Any:
    first, last, _ = slice(start, stop).indices(x._data.shape[dim])
    return _slice(x, {"dim": dim, "start": first, "stop": max(first, last), "step": 1})


def tensor_split(
    input: Any, indices_or_sections: Any = None, dim: int = 0, *, indices: Any = None, sections: Any = None
) -> tuple[Any, ...]:
    """Views of a number of parts of nearly equal length, or of the parts between the indices listed.

    Raises:
        RuntimeError: the number of parts is not positive.

    >>> import wengert as torch
    >>> torch.tensor_split(torch.arange(5), 2)
    (tensor([0, 1, 2]), tensor([3, 4]))
    >>> torch.tensor_split(torch.arange(5), (1, 3))
    (tensor([0]), tensor([1, 2]), tensor([3, 4]))
    """
    given = next(arg for arg in (indices_or_sections, indices, sections) if arg is not None)
    dim, size = _splittable("tensor_split", input, dim)
    if isinstance(given, TensorBase):
        given = given._data.tolist()
    if isinstance(given, (tuple, list)):
        cuts = [0, *int_tuple("tensor_split", "indices", 2, given), None]
        return tuple([_part(input, dim, a, b) for a, b in pairwise(cuts)])
    count = operator.index(given)
    if count <= 0:
        raise RuntimeError(f"number of sections must be larger than 0, got {count}")
    length, longer = divmod(size, count)
    ends = [i * length + min(i, longer) for i in range(count + 1)]
    return tuple([_part(input, dim, a, b) for a, b in pairwise(ends)])


def _even_split(function: str, x: Any, given: Any, dim: int, least: int) -> tuple[Any, ...]:
    shape = require_tensor(function, x)._data.shape
    if len(shape) < least:
        raise RuntimeError(
            f"torch.{function} requires a tensor with at least {least} dimension, but got a tensor with {len(shape)} "
            "dimensions!"
        )
    if not isinstance(given, (tuple, list, TensorBase)) and (given == 0 or shape[dim] % given):
        raise RuntimeError(
            f"torch.{function} attempted to split along dimension {dim}, but the size of the dimension "
            f"{shape[dim]} is not "
            f"divisible by the split_size {given}!"
        )
    return tensor_split(x, given, dim)


def hsplit(input: Any, indices_or_sections: Any) -> tuple[Any, ...]:
    """Views of parts of the second dimension (of the first for a 1-d tensor).

    Raises:
        RuntimeError: the size is not divisible by the number of parts.

    >>> import wengert as torch
    >>> torch.hsplit(torch.arange(4), 2)
    (tensor([0, 1]), tensor([2, 3]))
    """
    dim = 0 if require_tensor("hsplit", input)._data.ndim == 1 else 1
    return _even_split("hsplit", input, indices_or_sections, dim, 1)


def vsplit(input: Any, indices_or_sections: Any) -> tuple[Any, ...]:
    """Views of parts of the first dimension of a tensor with at least two.

    Raises:
        RuntimeError: the size is not divisible by the number of parts.

    >>> import wengert as torch
    >>> torch.vsplit(torch.zeros(4, 1), 2)[0].shape
    torch.Size([2, 1])
    """
    return _even_split("vsplit", input, indices_or_sections, 0, 2)


def dsplit(input: Any, indices_or_sections: Any) -> tuple[Any, ...]:
    """Views of parts of the third dimension.

    Raises:
        RuntimeError: the size is not divisible by the number of parts.

    >>> import wengert as torch
    >>> torch.dsplit(torch.zeros(1, 1, 4), 2)[0].shape
    torch.Size([1, 1, 2])
    """
    return _even_split("dsplit", input, indices_or_sections, 2, 3)


def unbind(input: Any, dim: int = 0) -> tuple[Any, ...]:
    """Views of the parts at each index of one dimension.

    Raises:
        IndexError: there is no such dimension.

    >>> import wengert as torch
    >>> torch.unbind(torch.tensor([[1, 2], [3, 4]]))
    (tensor([1, 2]), tensor([3, 4]))
    """
    ndim = require_tensor("unbind", input)._data.ndim
    if not ndim:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    return _unbind(input, {"dim": wrap_dim(dim, ndim)})


class SplittingMethods:
    """Tensor methods that take the tensor apart."""

    __slots__ = ()

    split_with_sizes = split_with_sizes
    unsafe_split = unsafe_split
    unsafe_split_with_sizes = unsafe_split_with_sizes
    chunk = chunk
    unsafe_chunk = unsafe_chunk
    tensor_split = tensor_split
    hsplit = hsplit
    vsplit = vsplit
    dsplit = dsplit
    unbind = unbind

    def split(self: Any, split_size: Any, dim: int = 0) -> tuple[Any, ...]:
        """As :func:`split`.

        >>> import wengert as torch
        >>> torch.arange(3).split(2)
        (tensor([0, 1]), tensor([2]))
        """
        return split(self, split_size, dim)

    def __iter__(self: Any) -> Iterator[Any]:
        if not self._data.ndim:
            raise TypeError("iteration over a 0-d tensor: it has no dimension to go along. item() gives its number")
        return iter(unbind(self))
