"""Other shapes of the same elements: reshape, view, flatten, expand, copies."""

from __future__ import annotations

from math import prod
from typing import Any, NoReturn

import numpy as np

from wengert._dtypes import as_numpy_dtype, dtype
from wengert._layout import channels_go_last, check_memory_format
from wengert._size import Size
from wengert._traced import layout_of
from wengert.engine.apply import apply
from wengert.engine.base import TensorBase, array_of
from wengert.engine.fit import summed_axes
from wengert.engine.inplace import inplace
from wengert.engine.moving import view_function
from wengert.functions.dims import Shape, expanded_shape, inferred_shape, int_args, int_tuple, wrap_dim
from wengert.functions.nested import filling_tensor
from wengert.functions.options import require_tensor, type_name
from wengert.ops.movement import (
    ALIAS,
    CHANNELS_LAST,
    CLONE,
    CONTIGUOUS,
    COPY,
    EXPAND,
    RESHAPE_ALIAS,
    UNSAFE_VIEW,
    VIEW,
    VIEW_DTYPE,
)
from wengert.spaces.tensors import TENSOR

__all__ = [
    "MovementMethods",
    "broadcast_shapes",
    "broadcast_tensors",
    "broadcast_to",
    "clone",
    "flatten",
    "ravel",
    "reshape",
    "unflatten",
]

_view = view_function(VIEW)
_alias = view_function(ALIAS)
_expand = view_function(EXPAND)
_reshape_alias = view_function(RESHAPE_ALIAS)


def reshape(input: Any, shape: Any) -> Any:
    """The same elements in row-major order in another shape: a view where the memory layout allows one, else a copy.

    One size may be -1: it is worked out from the others.

    Raises:
        RuntimeError: the shape does not hold that number of elements.

    >>> import wengert as torch
    >>> torch.reshape(torch.arange(6), (2, -1))
    tensor([[0, 1, 2],
            [3, 4, 5]])
    """
    require_tensor("reshape", input)
    return reshaped(input, int_tuple("reshape", "shape", 2, shape))


def reshaped(x: Any, shape: Shape) -> Any:
    """``reshape`` for arguments that are known to be a tensor and a tuple of ints."""
    raw = x._data
    shape = inferred_shape(shape, raw.size)
    if raw.__class__ is not np.ndarray:
        raw = layout_of(raw)
    if raw is None or raw.flags.c_contiguous:
        return _view(x, {"shape": shape})
    if _viewable(raw, shape):
        return _reshape_alias(x, {"shape": shape})
    return apply(UNSAFE_VIEW, apply(CONTIGUOUS, x), shape=shape)


def _viewable(raw: Any, shape: Shape) -> bool:
    try:
        raw.reshape(shape, copy=False)
    except ValueError:
        return False
    return True


def flatten(input: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    """The dimensions from ``start_dim`` to ``end_dim`` as one.

    Raises:
        IndexError: there is no such dimension.
        RuntimeError: ``start_dim`` comes after ``end_dim``.

    >>> import wengert as torch
    >>> torch.flatten(torch.zeros(2, 3, 4), 1).shape
    torch.Size([2, 12])
    """
    require_tensor("flatten", input)
    shape = input._data.shape
    start, end = wrap_dim(start_dim, len(shape)), wrap_dim(end_dim, len(shape))
    if start > end:
        raise RuntimeError("flatten() has invalid args: start_dim cannot come after end_dim")
    if not shape:
        return reshaped(input, (1,))
    if start == end:
        return input
    return reshaped(input, (*shape[:start], prod(shape[start : end + 1]), *shape[end + 1 :]))


def unflatten(input: Any, dim: int, sizes: Any) -> Any:
    """One dimension as several whose sizes multiply up to it; one of them may be -1.

    Raises:
        RuntimeError: the sizes do not multiply up to the size of the dimension.

    >>> import wengert as torch
    >>> torch.unflatten(torch.zeros(2, 6), 1, (3, -1)).shape
    torch.Size([2, 3, 2])
    """
    require_tensor("unflatten", input)
    shape = input._data.shape
    dim = wrap_dim(dim, len(shape))
    new = int_tuple("unflatten", "sizes", 3, sizes)
    if not new:
        raise RuntimeError("unflatten: sizes must be non-empty")
    try:
        new = inferred_shape(new, shape[dim])
    except RuntimeError:
        raise RuntimeError(
            f"unflatten: Provided sizes {list(new)} don't multiply up to the size of dim {dim} ({shape[dim]}) in the "
            "input tensor"
        ) from None
    return _view(input, {"shape": (*shape[:dim], *new, *shape[dim + 1 :])})


def ravel(input: Any) -> Any:
    """All elements in row-major order as one dimension; a copy only where a view is not possible.

    >>> import wengert as torch
    >>> torch.ravel(torch.tensor([[1, 2], [3, 4]]))
    tensor([1, 2, 3, 4])
    """
    require_tensor("ravel", input)
    return _view(input.contiguous(), {"shape": (input._data.size,)})


def in_format(function: str, x: Any, memory_format: Any) -> Any:
    """The tensor with its channels last in memory where that is asked for, itself where it is so already."""
    if memory_format is None or not channels_go_last(function, memory_format, x._data.ndim):
        return x
    is_so = np.moveaxis(x._data, 1, -1).flags.c_contiguous
    return x if is_so else apply(CHANNELS_LAST, x)


def clone(input: Any, *, memory_format: Any = None) -> Any:
    """A copy that gradients flow through, with the memory order of the input unless ``memory_format`` says otherwise.

    >>> import wengert as torch
    >>> x = torch.tensor([1., 2.], requires_grad=True)
    >>> torch.clone(x)
    tensor([1., 2.], grad_fn=<CloneBackward0>)
    """
    require_tensor("clone", input)
    if memory_format is not None and channels_go_last("clone", memory_format, input._data.ndim):
        return apply(CHANNELS_LAST, input)
    if memory_format is not None and not check_memory_format("clone", memory_format):
        return apply(CONTIGUOUS, input)
    return apply(CLONE, input)


def broadcast_to(input: Any, size: Any) -> Any:
    """The input seen in a larger shape: size-one and new leading dimensions repeat without taking memory.

    Raises:
        RuntimeError: the input's shape does not broadcast to it.

    >>> import wengert as torch
    >>> torch.broadcast_to(torch.tensor([1, 2]), (2, 2))
    tensor([[1, 2],
            [1, 2]])
    """
    require_tensor("broadcast_to", input)
    return expanded(input, int_tuple("broadcast_to", "size", 2, size))


def expanded(x: Any, sizes: Shape) -> Any:
    """``expand`` for arguments that are known to be a tensor and a tuple of ints."""
    return _expand(x, {"shape": expanded_shape(x._data, sizes)})


def broadcast_shapes(*shapes: Any) -> Size:
    """The shape that tensors of the given shapes broadcast to.

    Raises:
        RuntimeError: they do not broadcast together.

    >>> import wengert as torch
    >>> torch.broadcast_shapes((3, 1), (2,), ())
    torch.Size([3, 2])
    """
    sizes: list[int] = []  # from the last dimension to the first
    for position, given in enumerate(shapes):
        shape = (given,) if isinstance(given, int) else tuple(given)
        for back, n in enumerate(reversed(shape)):
            if n < 0:
                raise ValueError(f"Attempting to broadcast a dimension with negative length! Got {list(shape)}")
            if back == len(sizes):
                sizes.append(n)
            elif sizes[back] == 1:
                sizes[back] = n
            elif n not in (1, sizes[back]):
                raise RuntimeError(
                    f"Attempting to broadcast a dimension of length {n} at {-1 - back}! Mismatching argument at index "
                    f"{position} had {shape}; but expected shape should be broadcastable to {sizes[::-1]}"
                )
    return Size(reversed(sizes))


def broadcast_tensors(*tensors: Any) -> tuple[Any, ...]:
    """The tensors, each seen in the shape that all of them broadcast to.

    Raises:
        RuntimeError: they do not broadcast together.

    >>> import wengert as torch
    >>> a, b = torch.broadcast_tensors(torch.zeros(3, 1), torch.zeros(2))
    >>> a.shape, b.shape
    (torch.Size([3, 2]), torch.Size([3, 2]))
    """
    if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)):
        tensors = tuple(tensors[0])
    shape: Shape = ()
    for position, x in enumerate(tensors):
        require_tensor("broadcast_tensors", x, "tensors", position + 1)
        shape = _joined(shape, x._data.shape)
    return tuple([x if x._data.shape == shape else expanded(x, shape) for x in tensors])


def _joined(a: Shape, b: Shape) -> Shape:
    ndim = max(len(a), len(b))
    a, b = (1,) * (ndim - len(a)) + a, (1,) * (ndim - len(b)) + b
    for dim, (n, m) in enumerate(zip(a, b, strict=True)):
        if n != m and 1 not in (n, m):
            raise RuntimeError(
                f"The size of tensor a ({n}) must match the size of tensor b ({m}) at non-singleton dimension {dim}"
            )
    return tuple([m if n == 1 else n for n, m in zip(a, b, strict=True)])


# --- memory seen as another dtype ---


def _view_dtype(x: Any, wanted: Any) -> Any:
    raw = array_of(x)
    target = as_numpy_dtype(wanted)
    if target is raw.dtype:
        return _alias(x, {})
    if target.itemsize != raw.dtype.itemsize:
        _check_other_item_size(raw, target)
    return apply(VIEW_DTYPE, x, dtype=target)


def _check_other_item_size(raw: Any, target: Any) -> None:
    own = raw.dtype
    sizes = f"to view {type_name(own)} as {type_name(target)} (different element sizes)"
    if not raw.ndim:
        raise RuntimeError(f"self.dim() cannot be 0 {sizes}")
    if raw.strides[-1] != own.itemsize and raw.shape[-1] != 1:
        raise RuntimeError(f"self.stride(-1) must be 1 {sizes}, but got {raw.strides[-1] // own.itemsize}")
    ratio = target.itemsize // own.itemsize
    if ratio > 1:
        if raw.shape[-1] % ratio:
            raise RuntimeError(f"self.size(-1) must be divisible by {ratio} {sizes}, but got {raw.shape[-1]}")
        if any([stride % target.itemsize for stride in raw.strides[:-1]]):
            raise RuntimeError(f"self.stride() must be divisible by {ratio} for all but the last dimension {sizes}")


def _not_viewable() -> NoReturn:
    raise RuntimeError(
        "view size is not compatible with input tensor's size and stride (at least one dimension spans across two "
        "contiguous subspaces). Use .reshape(...) instead."
    )


class MovementMethods:
    """Tensor methods that give the elements another shape, or copy them."""

    __slots__ = ()

    flatten = flatten
    ravel = ravel
    clone = clone

    def reshape(self: Any, *shape: Any, **keyword: Any) -> Any:
        """As :func:`reshape`; the sizes may also be given one by one.

        >>> import wengert as torch
        >>> torch.arange(6).reshape(3, 2).shape
        torch.Size([3, 2])
        """
        return reshaped(self, int_args("reshape", "shape", shape, keyword.get("shape")))

    def view(self: Any, *size: Any, **keyword: Any) -> Any:
        """The same memory in another shape, or read as another dtype.

        Raises:
            RuntimeError: the shape does not fit the elements or their layout in memory.

        >>> import wengert as torch
        >>> torch.arange(6).view(2, -1).shape, torch.zeros(2).view(torch.int32)
        (torch.Size([2, 3]), tensor([0, 0], dtype=torch.int32))
        """
        wanted = keyword.get("dtype") or (size[0] if len(size) == 1 else None)
        if isinstance(wanted, dtype):
            return _view_dtype(self, wanted)
        raw = self._data
        shape = inferred_shape(int_args("view", "size", size, keyword.get("size")), raw.size)
        if raw.__class__ is not np.ndarray:
            raw = layout_of(raw)
        if raw is not None and not raw.flags.c_contiguous and not _viewable(raw, shape):
            _not_viewable()
        return _view(self, {"shape": shape})

    def view_as(self: Any, other: Any) -> Any:
        """``view`` in the shape of another tensor.

        >>> import wengert as torch
        >>> torch.arange(4).view_as(torch.zeros(2, 2)).shape
        torch.Size([2, 2])
        """
        return self.view(require_tensor("view_as", other, "other")._data.shape)

    def reshape_as(self: Any, other: Any) -> Any:
        """``reshape`` to the shape of another tensor.

        >>> import wengert as torch
        >>> torch.arange(4).reshape_as(torch.zeros(2, 2)).shape
        torch.Size([2, 2])
        """
        return reshaped(self, require_tensor("reshape_as", other, "other")._data.shape)

    def unflatten(self: Any, dim: int, sizes: Any) -> Any:
        """As :func:`unflatten`.

        >>> import wengert as torch
        >>> torch.zeros(2, 6).unflatten(-1, (3, 2)).shape
        torch.Size([2, 3, 2])
        """
        return unflatten(self, dim, sizes)

    def expand(self: Any, *size: Any, implicit: bool = False, **keyword: Any) -> Any:
        """The tensor seen in a larger shape (see :func:`broadcast_to`); -1 keeps a size.

        >>> import wengert as torch
        >>> torch.zeros(3, 1).expand(-1, 4).shape
        torch.Size([3, 4])
        """
        return expanded(self, int_args("expand", "size", size, keyword.get("size")))

    def broadcast_to(self: Any, *size: Any, **keyword: Any) -> Any:
        """As :func:`broadcast_to`; the sizes may also be given one by one.

        >>> import wengert as torch
        >>> torch.zeros(2).broadcast_to(3, 2).shape
        torch.Size([3, 2])
        """
        return expanded(self, int_args("broadcast_to", "size", size, keyword.get("size")))

    def expand_as(self: Any, other: Any) -> Any:
        """``expand`` to the shape of another tensor.

        >>> import wengert as torch
        >>> torch.zeros(1).expand_as(torch.zeros(2, 2)).shape
        torch.Size([2, 2])
        """
        return expanded(self, require_tensor("expand_as", other, "other")._data.shape)

    def sum_to_size(self: Any, *size: Any) -> Any:
        """The sum down to a shape that broadcasts to this tensor's.

        Raises:
            RuntimeError: no such shape.

        >>> import wengert as torch
        >>> torch.ones(2, 3).sum_to_size(3)
        tensor([2., 2., 2.])
        """
        wanted = tuple(size[0]) if len(size) == 1 and isinstance(size[0], (tuple, list)) else tuple(size)
        shape = self._data.shape
        dims = summed_axes(shape, wanted)
        if dims is None:
            raise RuntimeError(f"size {list(wanted)} is not expandable to size {list(shape)}.")
        summed = TENSOR.sum(self, dim=dims, keepdim=True) if dims else self
        return reshaped(summed, wanted) if len(shape) > len(wanted) else summed

    def contiguous(self: Any, memory_format: Any = None) -> Any:
        """The tensor itself if its elements lie in row-major order without gaps, else a copy in that order.

        >>> import wengert as torch
        >>> x = torch.zeros(2, 3)
        >>> x.contiguous() is x, x.t().contiguous().stride()
        (True, (2, 1))
        """
        if memory_format is not None and channels_go_last("contiguous", memory_format, self._data.ndim):
            return in_format("contiguous", self, memory_format)
        if memory_format is not None:
            check_memory_format("contiguous", memory_format)
        raw = self._data
        if raw.__class__ is not np.ndarray:
            raw = layout_of(raw)
        return self if raw is None or raw.flags.c_contiguous else apply(CONTIGUOUS, self)

    def copy_(self: Any, src: Any, non_blocking: bool = False) -> Any:
        """Write the values of ``src``, broadcast and cast, into this tensor.

        Raises:
            RuntimeError: the shape of ``src`` does not broadcast to this tensor's.

        >>> import wengert as torch
        >>> torch.zeros(2, 2).copy_(torch.tensor([1., 2.]))
        tensor([[1., 2.],
                [1., 2.]])
        """
        if not isinstance(src, TensorBase):
            if not isinstance(src, (bool, int, float, complex)):
                raise TypeError(f"copy_(): argument 'other' (position 1) must be Tensor, not {type(src).__name__}")
            src = filling_tensor(src, self._data.dtype)
        _check_copy(self._data, src._data)
        return inplace(COPY, self, src)


def _check_copy(target: Any, values: Any) -> None:
    if values.shape == target.shape:
        return
    if _joined(target.shape, values.shape) != target.shape:
        raise RuntimeError(
            f"output with shape {list(target.shape)} doesn't match the broadcast shape "
            f"{list(_joined(target.shape, values.shape))}"
        )
