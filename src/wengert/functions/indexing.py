"""Elements chosen by index tensors and masks: gather, index_select, take, masked_select, nonzero."""

from __future__ import annotations

from math import prod
from typing import Any, Final

import numpy as np

from wengert._batched import whole
from wengert._traced import Traced
from wengert.engine.apply import apply
from wengert.engine.base import wrap
from wengert.engine.out import deliver
from wengert.functions.dims import Shape, int_or_tuple, wrap_dim
from wengert.functions.movement import expanded, flatten
from wengert.functions.options import require_tensor, type_name
from wengert.ops.division import REMAINDER_NUMBER
from wengert.ops.indexing import GATHER, INDEX_SELECT, MASKED_SELECT, NONZERO, TAKE

__all__ = [
    "ChoosingMethods",
    "argwhere",
    "gather",
    "index_select",
    "masked_select",
    "nonzero",
    "take",
    "take_along_dim",
    "unravel_index",
]


_largest: Final = np.maximum.reduce
_UNSIGNED: Final = np.dtype(np.uint64)
_OUTSIDE: Final = "index {0} is out of bounds for dimension {1} with size {2}"

# --- checks that the scatter functions share ---


def index_tensor(function: str, index: Any, position: int, *, long_only: bool = False) -> Any:
    """The index argument as a tensor of int64.

    Raises:
        TypeError: it is no tensor.
        RuntimeError: it has another dtype than int64 (or int32).
    """
    require_tensor(function, index, "index", position)
    dtype = index._data.dtype
    if dtype.char in "lq":
        return index
    if not long_only and not index._data.size and dtype.kind in "iu":  # names no element
        return wrap(index._data.astype(np.int64))
    if long_only or dtype.char != "i":
        if long_only:
            raise RuntimeError(f"{function}(): Expected a long tensor for index, but got {type_name(dtype)}")
        raise RuntimeError(f"{function}(): Expected dtype int32/int64 for index, but got {type_name(dtype)}")
    return wrap(index._data.astype(np.int64))


def check_bounds(
    index: Any, dim: int, size: int, error: type[Exception] = RuntimeError, *, least: int = 0, said: str = _OUTSIDE
) -> None:
    """Raise ``said`` if an index array names a place outside a dimension of this size."""
    index = whole(index)
    if isinstance(index, Traced):  # known when the program runs: NumPy then refuses what is too large
        return
    if not index.size or (
        not least and _largest(index.view(_UNSIGNED), None) < size
    ):  # negative numbers are huge there
        return
    if index.min() < least or index.max() >= size:
        wrong = index[(index < least) | (index >= size)] if index.ndim else index.reshape(1)
        raise error(said.format(wrong.flat[0], dim, size))


def check_no_larger(shape: Shape, index_shape: Shape, dim: int) -> None:
    """Raise if the index of a gather is larger than the input anywhere but in the gathered dimension."""
    for axis, (have, asked) in enumerate(zip(shape, index_shape, strict=False)):
        if axis != dim and asked > have:
            raise RuntimeError(
                f"Size does not match at dimension {axis} expected index {list(index_shape)} to be no larger than self "
                f"{list(shape)} apart from dimension {dim}"
            )


def vector_index(function: str, index: Any, position: int) -> Any:
    """The index argument as a 1-d tensor of int64."""
    index = index_tensor(function, index, position)
    if index._data.ndim > 1:
        raise IndexError(
            f"{function}(): Index is supposed to be a vector, but got dim: {index._data.ndim} with type: "
            f"{type_name(index._data.dtype)} and size: {list(index._data.shape)}"
        )
    return index if index._data.ndim else wrap(np.reshape(index._data, 1))


# --- the functions ---


def gather(input: Any, dim: int, index: Any, *, sparse_grad: bool = False, out: Any = None) -> Any:  # noqa: ARG001 - no sparse tensors
    """For each element of ``index``, the input's element at that place of one dimension, its own place in the others.

    ``y[i][j] = x[index[i][j]][j]`` for ``dim=0``. ``index`` has as many dimensions as the input (dtype int64 or int32).

    Raises:
        RuntimeError: an index outside the dimension, or an index tensor of the wrong shape or dtype.

    >>> import wengert as torch
    >>> torch.gather(torch.tensor([[1, 2], [3, 4]]), 1, torch.tensor([[0, 0], [1, 0]]))
    tensor([[1, 1],
            [4, 3]])
    """
    require_tensor("gather", input)
    shape = input._data.shape
    dim = wrap_dim(dim, len(shape))
    index = index_tensor("gather", index, 3)
    places = index._data
    if places.size:
        if max(places.ndim, 1) != max(len(shape), 1):
            raise RuntimeError(
                "Index tensor must have the same number of dimensions as input tensor: got "
                f"{places.ndim} and {len(shape)}"
            )
        if places.shape != shape:
            check_no_larger(shape, places.shape, dim)
    check_bounds(places, dim, shape[dim] if shape else 1)
    x = input if shape or not places.ndim else flatten(input)
    if not places.size and places.ndim != x._data.ndim:
        nothing = apply(GATHER, x, index.reshape((0,) * x._data.ndim), dim=dim)
        return deliver(out, nothing.reshape(places.shape), input, exact=True)
    return deliver(out, apply(GATHER, x, index, dim=dim), input, exact=True)


def index_select(input: Any, dim: int, index: Any, *, out: Any = None) -> Any:
    """The parts of the input at the indices of one dimension that a 1-d index tensor lists, copied.

    Raises:
        IndexError: an index outside the dimension, or an index tensor with several dimensions.

    >>> import wengert as torch
    >>> torch.index_select(torch.tensor([[1, 2], [3, 4]]), 1, torch.tensor([1, 1]))
    tensor([[2, 2],
            [4, 4]])
    """
    require_tensor("index_select", input)
    shape = input._data.shape
    dim = wrap_dim(dim, len(shape))
    index = vector_index("index_select", index, 3)
    if not shape and index._data.size != 1:
        raise RuntimeError(f"index_select(): Index to scalar can have only 1 value, got {index._data.size} value(s)")
    size = shape[dim] if shape else 1
    check_bounds(index._data, dim, size, IndexError, said="index out of range in self: dimension {1} has size {2}")
    return deliver(out, apply(INDEX_SELECT, input, index, dim=dim), input, exact=True)


def take(input: Any, index: Any, *, out: Any = None) -> Any:
    """The elements at the given places of the flattened input, in the shape of ``index``.

    Raises:
        IndexError: a place outside the input.

    >>> import wengert as torch
    >>> torch.take(torch.tensor([[1, 2], [3, 4]]), torch.tensor([0, -1]))
    tensor([1, 4])
    """
    require_tensor("take", input)
    index = index_tensor("take", index, 2, long_only=True)
    check_flat(index._data, input._data.size)
    return deliver(out, apply(TAKE, input, index), input, exact=True)


def check_flat(places: Any, count: int) -> None:
    """Raise if a place lies outside a flat array of this length; negative ones count from the end."""
    places = whole(places)
    if isinstance(places, Traced):
        return
    if places.size and (places.min() < -count or places.max() >= count):
        outside = np.asarray(places)[(places < -count) | (places >= count)].flat[0]
        raise IndexError(f"out of range: tried to access index {outside} on a tensor of {count} elements.")


def take_along_dim(input: Any, indices: Any, dim: int | None = None, *, out: Any = None) -> Any:
    """As :func:`gather`, with input and indices broadcast against each other; flattened without ``dim``.

    Raises:
        RuntimeError: input and indices differ in their number of dimensions.

    >>> import wengert as torch
    >>> x = torch.tensor([[3, 1, 2]])
    >>> torch.take_along_dim(x, torch.tensor([[1, 2, 0]]), 1)
    tensor([[1, 2, 3]])
    """
    require_tensor("take_along_dim", input)
    index = index_tensor("take_along_dim", indices, 2)
    if dim is None:
        return deliver(out, gather(flatten(input), 0, flatten(_wrapped(index, input._data.size))), input)
    shape, index_shape = input._data.shape, index._data.shape
    if len(shape) != len(index_shape):
        raise RuntimeError(
            "torch.take_along_dim(): input and indices should have the same number of dimensions, but got "
            f"{len(shape)} dimensions for input, and {len(index_shape)} dimensions for indices"
        )
    dim = wrap_dim(dim, len(shape))
    common = broadcast_check((*shape[:dim], 1, *shape[dim + 1 :]), (*index_shape[:dim], 1, *index_shape[dim + 1 :]))
    index = _wrapped(index, shape[dim])
    x = expanded(input, (*common[:dim], shape[dim], *common[dim + 1 :]))
    index = expanded(index, (*common[:dim], index_shape[dim], *common[dim + 1 :]))
    return deliver(out, gather(x, dim, index), input)


def _wrapped(index: Any, size: int) -> Any:
    return apply(REMAINDER_NUMBER, index, size) if size else index


def masked_select(input: Any, mask: Any, *, out: Any = None) -> Any:
    """The elements where a mask holds, as one dimension; input and mask broadcast against each other.

    Raises:
        RuntimeError: the mask is not bool.

    >>> import wengert as torch
    >>> x = torch.tensor([1, 5, 3])
    >>> torch.masked_select(x, x > 2)
    tensor([5, 3])
    """
    require_tensor("masked_select", input)
    require_tensor("masked_select", mask, "mask", 2)
    if mask._data.dtype.kind != "b":
        raise RuntimeError("masked_select: expected BoolTensor for mask")
    broadcast_check(mask._data.shape, input._data.shape)
    return deliver(out, apply(MASKED_SELECT, input, mask), input)


def broadcast_check(a: Shape, b: Shape) -> Shape:
    """The shape that two shapes broadcast to.

    Raises:
        RuntimeError: they do not.
    """
    try:
        return np.broadcast_shapes(a, b)
    except ValueError:
        pairs = list(zip(reversed(a), reversed(b), strict=False))
        back = next(i for i, (n, m) in enumerate(pairs) if n != m and 1 not in (n, m))
        n, m = pairs[back]
        raise RuntimeError(
            f"The size of tensor a ({n}) must match the size of tensor b ({m}) at non-singleton dimension "
            f"{max(len(a), len(b)) - 1 - back}"
        ) from None


def nonzero(input: Any, *, out: Any = None, as_tuple: bool = False) -> Any:
    """The indices of the elements that are not zero: one row each, or one tensor for each dimension with ``as_tuple``.

    >>> import wengert as torch
    >>> torch.nonzero(torch.tensor([[0, 1], [2, 0]]))
    tensor([[0, 1],
            [1, 0]])
    >>> torch.nonzero(torch.tensor([0, 5]), as_tuple=True)
    (tensor([1]),)
    """
    require_tensor("nonzero", input)
    if as_tuple:
        return tuple([wrap(part) for part in np.atleast_1d(input._data).nonzero()])
    return deliver(out, apply(NONZERO, input))


def argwhere(input: Any) -> Any:
    """The indices of the elements that are not zero, one row each.

    >>> import wengert as torch
    >>> torch.argwhere(torch.tensor([0, 5]))
    tensor([[1]])
    """
    return nonzero(input)


def unravel_index(indices: Any, shape: Any) -> tuple[Any, ...]:
    """The coordinates in a tensor of this shape of places in its flattened elements, one tensor for each dimension.

    Raises:
        ValueError: a place outside the shape.

    >>> import wengert as torch
    >>> torch.unravel_index(torch.tensor([1, 5]), (2, 3))
    (tensor([0, 1]), tensor([1, 2]))
    """
    index = index_tensor("unravel_index", indices, 1)
    sizes = int_or_tuple("unravel_index", "shape", 2, shape)
    count = prod(sizes)
    if index._data.size and (index._data.min() < -count or index._data.max() >= count):
        raise ValueError(f"indices must lie within the {count} elements of a tensor of shape {list(sizes)}")
    return tuple([wrap(part) for part in np.unravel_index(index._data % count, sizes)])


class ChoosingMethods:
    """Tensor methods that choose elements."""

    __slots__ = ()

    gather = gather
    index_select = index_select
    take = take
    take_along_dim = take_along_dim
    masked_select = masked_select
    argwhere = argwhere

    def nonzero(self: Any, *, as_tuple: bool = False) -> Any:
        """As :func:`nonzero`.

        >>> import wengert as torch
        >>> torch.tensor([0, 5]).nonzero()
        tensor([[1]])
        """
        return nonzero(self, as_tuple=as_tuple)
