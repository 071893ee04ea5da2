"""The elements repeated, reversed, rolled and turned."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from wengert.engine.apply import apply
from wengert.engine.base import TensorBase, wrap
from wengert.engine.moving import view_function
from wengert.functions.dims import Shape, int_args, int_or_tuple, int_tuple, wrap_dim, wrap_dims
from wengert.functions.movement import expanded, flatten
from wengert.functions.options import require_tensor, type_name
from wengert.ops.indexing import INDEX_SELECT
from wengert.ops.movement import CONTIGUOUS, FLIP, REPEAT, ROLL, ROT90, UNSQUEEZE, VIEW

__all__ = ["RepeatingMethods", "flip", "fliplr", "flipud", "repeat_interleave", "roll", "rot90", "tile"]

_unsqueeze = view_function(UNSQUEEZE)
_view = view_function(VIEW)


def _repeated(x: Any, repeats: Shape) -> Any:
    shape = x._data.shape
    lead = len(repeats) - len(shape)
    if lead < 0:
        raise RuntimeError(
            "Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor: got "
            f"{len(repeats)} "
            f"repeats for {len(shape)} dimensions"
        )
    sizes = [n * size for n, size in zip(repeats, (1,) * lead + shape, strict=True)]
    if min(repeats, default=0) < 0:
        negative = next((size for size in sizes if size < 0), min(repeats))
        raise RuntimeError(f"Trying to create tensor with negative dimension {negative}: {sizes}")
    return apply(REPEAT, x, repeats=repeats)


def tile(input: Any, dims: Any) -> Any:
    """The whole tensor repeated ``dims[i]`` times along each dimension; missing counts are ones in front.

    >>> import wengert as torch
    >>> torch.tile(torch.tensor([1, 2]), (2, 2))
    tensor([[1, 2, 1, 2],
            [1, 2, 1, 2]])
    """
    require_tensor("tile", input)
    return _tiled(input, int_tuple("tile", "dims", 2, dims))


def _tiled(x: Any, dims: Shape) -> Any:
    return _repeated(x, (1,) * (x._data.ndim - len(dims)) + dims)


def repeat_interleave(
    input: Any, repeats: Any = None, dim: int | None = None, *, output_size: int | None = None
) -> Any:
    """Each element repeated in its place: ``repeats`` times, or as often as ``repeats`` says for each.

    Without ``dim`` the input is flattened. Called with counts alone, it gives the index of each count that often.

    Raises:
        RuntimeError: a negative count, or not one count for each index of the dimension.

    >>> import wengert as torch
    >>> torch.repeat_interleave(torch.tensor([1, 2]), 2)
    tensor([1, 1, 2, 2])
    >>> torch.repeat_interleave(torch.tensor([1, 2]), torch.tensor([3, 1]))
    tensor([1, 1, 1, 2])
    """
    require_tensor("repeat_interleave", input)
    if repeats is None:
        return wrap(_interleaved_indices(input._data))
    x = flatten(input) if dim is None else input
    dim = 0 if dim is None else wrap_dim(dim, input._data.ndim)
    x = x if x._data.ndim else flatten(x)
    if isinstance(repeats, TensorBase):
        return _by_counts(x, repeats._data, dim, output_size)
    times = operator.index(repeats)
    if times < 0:
        raise RuntimeError(f"Repeats must be non-negative, got {times}")
    shape = x._data.shape
    copies = expanded(_unsqueeze(x, {"dim": dim + 1}), (*shape[: dim + 1], times, *shape[dim + 1 :]))
    merged = (*shape[:dim], shape[dim] * times, *shape[dim + 1 :])
    return _view(apply(CONTIGUOUS, copies), {"shape": merged})


def _by_counts(x: Any, counts: Any, dim: int, output_size: int | None) -> Any:
    size = x._data.shape[dim]
    if counts.ndim > 1:
        raise RuntimeError("repeats must be 0-dim or 1-dim tensor")
    if counts.size == 1:
        counts = np.broadcast_to(counts, (size,))
    if counts.size != size:
        raise RuntimeError(
            f"repeats must have the same size as input along dim, but got repeats.size(0) = {counts.size} and "
            f"input.size({dim}) = {size}"
        )
    index = _interleaved_indices(counts)
    if output_size is not None and output_size != index.size:
        raise RuntimeError(
            f"allocated size does not match required size: output_size is {output_size}, not {index.size}"
        )
    return apply(INDEX_SELECT, x, wrap(index), dim=dim)


def _interleaved_indices(counts: Any) -> Any:
    if counts.dtype.char not in "ilq":
        raise NotImplementedError(f"\"repeat_interleave_cpu\" not implemented for '{type_name(counts.dtype)}'")
    if counts.size and counts.min() < 0:
        raise RuntimeError("repeats can not be negative")
    return np.repeat(np.arange(counts.size), counts)


def flip(input: Any, dims: Any) -> Any:
    """A copy with the elements in reverse order along the dimensions ``dims``.

    Raises:
        RuntimeError: a dimension is named twice.

    >>> import wengert as torch
    >>> torch.flip(torch.tensor([1, 2, 3]), (0,))
    tensor([3, 2, 1])
    """
    require_tensor("flip", input)
    return _flipped(input, int_or_tuple("flip", "dims", 2, dims))


def _flipped(x: Any, dims: Shape) -> Any:
    ndim = x._data.ndim
    wrapped = wrap_dims(dims, ndim)
    return apply(FLIP, x, dims=wrapped if ndim else ())


def fliplr(input: Any) -> Any:
    """A copy with the columns in reverse order.

    Raises:
        RuntimeError: fewer than two dimensions.

    >>> import wengert as torch
    >>> torch.fliplr(torch.tensor([[1, 2], [3, 4]]))
    tensor([[2, 1],
            [4, 3]])
    """
    if require_tensor("fliplr", input)._data.ndim < 2:
        raise RuntimeError(f"Input must be >= 2-d. This one has {input._data.ndim} dimension(s)")
    return apply(FLIP, input, dims=(1,))


def flipud(input: Any) -> Any:
    """A copy with the rows in reverse order.

    Raises:
        RuntimeError: no dimension.

    >>> import wengert as torch
    >>> torch.flipud(torch.tensor([[1, 2], [3, 4]]))
    tensor([[3, 4],
            [1, 2]])
    """
    if require_tensor("flipud", input)._data.ndim < 1:
        raise RuntimeError("Input must be >= 1-d. This one has no dimension")
    return apply(FLIP, input, dims=(0,))


def roll(input: Any, shifts: Any, dims: Any = None) -> Any:
    """A copy with the elements moved by ``shifts``; what falls off the end comes in at the start.

    Without ``dims`` the elements move in their row-major order.

    Raises:
        RuntimeError: not one shift for each dimension.

    >>> import wengert as torch
    >>> torch.roll(torch.tensor([1, 2, 3]), 1)
    tensor([3, 1, 2])
    """
    require_tensor("roll", input)
    amounts = int_or_tuple("roll", "shifts", 2, shifts)
    places = () if dims is None else int_or_tuple("roll", "dims", 3, dims)
    if not amounts:
        raise RuntimeError("`shifts` required")
    if not places and len(amounts) == 1:
        return apply(ROLL, input, shifts=amounts, dims=None)
    if len(amounts) != len(places):
        raise RuntimeError(f"shifts and dimensions must align. shifts: {len(amounts)}, dims:{len(places)}")
    ndim = input._data.ndim
    if not ndim:
        raise IndexError(f"Dimension specified as {places[0]} but tensor has no dimensions")
    wrapped = tuple([wrap_dim(dim, ndim) for dim in places])
    return apply(ROLL, input, shifts=amounts, dims=wrapped)


def rot90(input: Any, k: int = 1, dims: Any = (0, 1)) -> Any:
    """A copy turned by ``k`` quarter turns from the first of two dimensions towards the second.

    Raises:
        RuntimeError: not two different dimensions.

    >>> import wengert as torch
    >>> torch.rot90(torch.tensor([[1, 2], [3, 4]]))
    tensor([[2, 4],
            [1, 3]])
    """
    require_tensor("rot90", input)
    plane, ndim = int_tuple("rot90", "dims", 3, dims), input._data.ndim
    if len(plane) != 2:
        raise RuntimeError(f"expected total rotation dims == 2, but got dims = {len(plane)}")
    if ndim < 2:
        raise RuntimeError(f"expected total dims >= 2, but got total dims = {ndim}")
    wrapped = tuple([wrap_dim(dim, ndim) for dim in plane])
    if wrapped[0] == wrapped[1]:
        raise RuntimeError(f"expected rotation dims to be different, but got dim0 = {plane[0]} and dim1 = {plane[1]}")
    return apply(ROT90, input, k=operator.index(k), dims=wrapped)


class RepeatingMethods:
    """Tensor methods that repeat, reverse or roll the elements."""

    __slots__ = ()

    repeat_interleave = repeat_interleave
    fliplr = fliplr
    flipud = flipud
    roll = roll
    rot90 = rot90

    def repeat(self: Any, *repeats: Any, **keyword: Any) -> Any:
        """The whole tensor repeated ``repeats[i]`` times along each dimension.

        Raises:
            RuntimeError: fewer counts than dimensions.

        >>> import wengert as torch
        >>> torch.tensor([1, 2]).repeat(2, 2)
        tensor([[1, 2, 1, 2],
                [1, 2, 1, 2]])
        """
        return _repeated(self, int_args("repeat", "repeats", repeats, keyword.get("repeats")))

    def tile(self: Any, *dims: Any, **keyword: Any) -> Any:
        """As :func:`tile`; the counts may also be given one by one.

        >>> import wengert as torch
        >>> torch.tensor([1, 2]).tile(2)
        tensor([1, 2, 1, 2])
        """
        return _tiled(self, int_args("tile", "dims", dims, keyword.get("dims")))

    def __reversed__(self: Any) -> Any:
        """The tensor with the first dimension reversed: ``reversed(t)``."""
        return _flipped(self, (0,)) if self._data.ndim else self

    def flip(self: Any, *dims: Any, **keyword: Any) -> Any:
        """As :func:`flip`; the dimensions may also be given one by one.

        >>> import wengert as torch
        >>> torch.tensor([1, 2]).flip(0)
        tensor([2, 1])
        """
        return _flipped(self, int_args("flip", "dims", dims, keyword.get("dims")))
