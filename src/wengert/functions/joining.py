"""Several tensors put together: cat, stack and their relatives, grids and products of their elements."""

from __future__ import annotations

import warnings
from itertools import combinations as _combinations
from itertools import combinations_with_replacement
from typing import Any

import numpy as np

from wengert.engine.apply import apply
from wengert.engine.base import TensorBase, wrap
from wengert.engine.moving import view_function
from wengert.engine.out import deliver
from wengert.functions.dims import wrap_dim
from wengert.functions.movement import expanded, flatten, reshaped
from wengert.functions.options import require_tensor
from wengert.ops.indexing import INDEX
from wengert.ops.joining import BLOCK_DIAG, CAT, STACK
from wengert.ops.movement import UNSQUEEZE

__all__ = [
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "block_diag",
    "cartesian_prod",
    "cat",
    "column_stack",
    "combinations",
    "concat",
    "concatenate",
    "dstack",
    "hstack",
    "meshgrid",
    "row_stack",
    "stack",
    "vstack",
]

_unsqueeze = view_function(UNSQUEEZE)


def _tensor_list(function: str, tensors: Any) -> tuple[Any, ...]:
    if not isinstance(tensors, (tuple, list)):
        raise TypeError(
            f"{function}(): argument 'tensors' (position 1) must be tuple of Tensors, not {type(tensors).__name__}"
        )
    for position, x in enumerate(tensors):
        if not isinstance(x, TensorBase):
            raise TypeError(f"expected Tensor as element {position} in argument 0, but got {type(x).__name__}")
    return tuple(tensors)


def cat(tensors: Any, dim: int = 0, *, axis: int | None = None, out: Any = None) -> Any:
    """The tensors one after the other along an existing dimension, in their common dtype.

    1-d tensors without elements are left out, whatever the shape of the others.

    Raises:
        RuntimeError: the shapes differ elsewhere than in that dimension.

    >>> import wengert as torch
    >>> torch.cat((torch.tensor([1, 2]), torch.tensor([3.])))
    tensor([1., 2., 3.])
    """
    xs = _tensor_list("cat", tensors)
    if not xs:
        raise ValueError("torch.cat(): expected a non-empty list of Tensors")
    shapes = [x._data.shape for x in xs]
    shape = next((shape for shape in shapes if shape != (0,)), shapes[0])
    dim = wrap_dim(dim if axis is None else axis, len(shape))
    if shapes.count(shape) != len(shapes) or not shape:
        if (0,) in shapes and len(shape) != 1:
            xs = _without_legacy_empties(xs, [x for x in xs if x._data.shape != (0,)], dim)
        _check_cat(xs, dim)
    result = apply(CAT, *xs, dim=dim, sizes=tuple([x._data.shape[dim] for x in xs]))
    return result if out is None else deliver(out, result, *xs)


def _without_legacy_empties(xs: tuple[Any, ...], kept: list[Any], dim: int) -> tuple[Any, ...]:
    if not kept or len({x._data.dtype for x in xs}) == 1:
        return tuple(kept) or xs
    shape = kept[0]._data.shape
    shape = (*shape[:dim], 0, *shape[dim + 1 :])  # it still takes part in promotion
    return tuple([x if x._data.shape != (0,) else wrap(np.empty(shape, x._data.dtype)) for x in xs])


def _check_cat(xs: tuple[Any, ...], dim: int) -> None:
    shape = xs[0]._data.shape
    for position, x in enumerate(xs):
        own = x._data.shape
        if not own:
            raise RuntimeError(
                f"zero-dimensional tensor (at position {position}) cannot be concatenated. Use torch.stack for them"
            )
        if own == shape:
            continue
        if len(own) != len(shape):
            raise RuntimeError(f"Tensors must have same number of dimensions: got {len(shape)} and {len(own)}")
        for axis, (want, got) in enumerate(zip(shape, own, strict=True)):
            if axis != dim and want != got:
                raise RuntimeError(
                    f"Sizes of tensors must match except in dimension {dim}. Expected size {want} but got size "
                    f"{got} for "
                    f"tensor number {position} in the list."
                )


concat = cat
concatenate = cat


def stack(tensors: Any, dim: int = 0, *, axis: int | None = None, out: Any = None) -> Any:
    """Tensors of one shape side by side along a new dimension, in their common dtype.

    Raises:
        RuntimeError: the shapes differ, or there is no tensor.

    >>> import wengert as torch
    >>> torch.stack((torch.tensor([1, 2]), torch.tensor([3, 4])), dim=1)
    tensor([[1, 3],
            [2, 4]])
    """
    xs = _tensor_list("stack", tensors)
    if not xs:
        raise RuntimeError("stack expects a non-empty TensorList")
    shape = xs[0]._data.shape
    dim = wrap_dim(dim if axis is None else axis, len(shape) + 1)
    for position, x in enumerate(xs):
        if x._data.shape != shape:
            raise RuntimeError(
                f"stack expects each tensor to be equal size, but got {list(shape)} at entry 0 and "
                f"{list(x._data.shape)} at entry {position}"
            )
    return deliver(out, apply(STACK, *xs, dim=dim), *xs)


def _nonempty(function: str, tensors: Any) -> tuple[Any, ...]:
    xs = _tensor_list(function, tensors)
    if not xs:
        raise RuntimeError(f"{function} expects a non-empty TensorList")
    return xs


def hstack(tensors: Any, *, out: Any = None) -> Any:
    """The tensors side by side: along the second dimension, 1-d ones along the first.

    >>> import wengert as torch
    >>> torch.hstack((torch.tensor([1, 2]), torch.tensor([3])))
    tensor([1, 2, 3])
    """
    xs = atleast_1d(*_nonempty("hstack", tensors))
    xs = xs if isinstance(xs, tuple) else (xs,)
    return cat(xs, 0 if xs[0]._data.ndim == 1 else 1, out=out)


def vstack(tensors: Any, *, out: Any = None) -> Any:
    """The tensors on top of each other: along the first dimension, 1-d ones as rows.

    >>> import wengert as torch
    >>> torch.vstack((torch.tensor([1, 2]), torch.tensor([3, 4])))
    tensor([[1, 2],
            [3, 4]])
    """
    xs = atleast_2d(*_nonempty("vstack", tensors))
    return cat(xs if isinstance(xs, tuple) else (xs,), 0, out=out)


row_stack = vstack


def dstack(tensors: Any, *, out: Any = None) -> Any:
    """The tensors one behind the other: along the third dimension.

    >>> import wengert as torch
    >>> torch.dstack((torch.tensor([1, 2]), torch.tensor([3, 4]))).shape
    torch.Size([1, 2, 2])
    """
    xs = atleast_3d(*_nonempty("dstack", tensors))
    return cat(xs if isinstance(xs, tuple) else (xs,), 2, out=out)


def column_stack(tensors: Any, *, out: Any = None) -> Any:
    """The tensors side by side, 1-d ones as columns.

    >>> import wengert as torch
    >>> torch.column_stack((torch.tensor([1, 2]), torch.tensor([3, 4])))
    tensor([[1, 3],
            [2, 4]])
    """
    xs = [reshaped(x, (x._data.size, 1)) if x._data.ndim < 2 else x for x in _nonempty("column_stack", tensors)]
    return cat(xs, 1, out=out)


def _each(tensors: tuple[Any, ...], raised: Any) -> Any:
    """``raised`` of one tensor, or of each of several (given one by one or as a sequence) as a tuple."""
    if len(tensors) == 1:
        if isinstance(tensors[0], TensorBase):
            return raised(tensors[0])
        tensors = _tensor_list("atleast", tensors[0])
    return tuple([raised(x) for x in _tensor_list("atleast", tensors)])


def atleast_1d(*tensors: Any) -> Any:
    """Each tensor with at least one dimension.

    >>> import wengert as torch
    >>> torch.atleast_1d(torch.tensor(1.))
    tensor([1.])
    """
    return _each(tensors, lambda x: x if x._data.ndim else reshaped(x, (1,)))


def atleast_2d(*tensors: Any) -> Any:
    """Each tensor with at least two dimensions; a 1-d one becomes a row.

    >>> import wengert as torch
    >>> torch.atleast_2d(torch.tensor([1, 2])).shape
    torch.Size([1, 2])
    """

    def raised(x: Any) -> Any:
        if x._data.ndim == 0:
            return reshaped(x, (1, 1))
        return _unsqueeze(x, {"dim": 0}) if x._data.ndim == 1 else x

    return _each(tensors, raised)


def atleast_3d(*tensors: Any) -> Any:
    """Each tensor with at least three dimensions.

    >>> import wengert as torch
    >>> torch.atleast_3d(torch.tensor([1, 2])).shape
    torch.Size([1, 2, 1])
    """

    def raised(x: Any) -> Any:
        ndim = x._data.ndim
        if ndim == 0:
            return reshaped(x, (1, 1, 1))
        if ndim == 1:
            x = _unsqueeze(x, {"dim": 0})
        return _unsqueeze(x, {"dim": 2}) if ndim < 3 else x

    return _each(tensors, raised)


def meshgrid(*tensors: Any, indexing: str | None = None) -> tuple[Any, ...]:
    """The coordinates of a grid: each 1-d tensor seen along its own dimension of a common shape.

    With ``indexing="xy"`` the first two dimensions of the results are exchanged.

    Raises:
        RuntimeError: a tensor has more than one dimension, or the dtypes differ.

    >>> import wengert as torch
    >>> x, y = torch.meshgrid(torch.tensor([1, 2]), torch.tensor([3, 4, 5]), indexing="ij")
    >>> y
    tensor([[3, 4, 5],
            [3, 4, 5]])
    """
    if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)):
        tensors = tuple(tensors[0])
    xs = _nonempty("meshgrid", tensors)
    if indexing is None:
        warnings.warn(
            "torch.meshgrid: in an upcoming release, it will be required to pass the indexing argument.",
            UserWarning,
            stacklevel=2,
        )
    elif indexing not in ("ij", "xy"):
        raise RuntimeError(f'torch.meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}')
    return _grid(xs, swapped=indexing == "xy" and len(xs) > 1)


def _grid(xs: tuple[Any, ...], *, swapped: bool) -> tuple[Any, ...]:
    for x in xs:
        if x._data.ndim > 1:
            raise RuntimeError(
                "torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got one of shape "
                f"{list(x._data.shape)}"
            )
        if x._data.dtype is not xs[0]._data.dtype:
            raise RuntimeError("torch.meshgrid expects all tensors to have the same dtype")
    axes = [*range(len(xs))]
    if swapped:
        axes[:2] = 1, 0
    shape = tuple([xs[axis]._data.size for axis in axes])
    grids = []
    for axis, x in zip(axes, xs, strict=True):
        own = [1] * len(xs)
        own[axis] = shape[axis]
        grids.append(expanded(reshaped(x, tuple(own)), shape))
    return tuple(grids)


def cartesian_prod(*tensors: Any) -> Any:
    """All combinations of one element of each 1-d tensor, one per row.

    Raises:
        RuntimeError: a tensor that is not 1-d.

    >>> import wengert as torch
    >>> torch.cartesian_prod(torch.tensor([1, 2]), torch.tensor([3, 4]))
    tensor([[1, 3],
            [1, 4],
            [2, 3],
            [2, 4]])
    """
    xs = _nonempty("meshgrid", tensors)
    for x in xs:
        _check_vector(x)
    if len(xs) == 1:
        return xs[0]
    return stack([flatten(grid) for grid in _grid(xs, swapped=False)], dim=1)


def _check_vector(x: Any) -> None:
    if x._data.ndim != 1:
        raise RuntimeError(f"Expect a 1D vector, but got shape {list(x._data.shape)}")


def combinations(input: Any, r: int = 2, with_replacement: bool = False) -> Any:
    """All combinations of ``r`` elements of a 1-d tensor in their order, one per row.

    Raises:
        RuntimeError: the input is not 1-d, or ``r`` is negative.

    >>> import wengert as torch
    >>> torch.combinations(torch.tensor([1, 2, 3]))
    tensor([[1, 2],
            [1, 3],
            [2, 3]])
    """
    _check_vector(require_tensor("combinations", input))
    if r < 0:
        raise RuntimeError(f"Expect a non-negative number, but got {r}")
    if r == 0:
        return wrap(np.empty(0, input._data.dtype))
    choose = combinations_with_replacement if with_replacement else _combinations
    index = np.array(list(choose(range(input._data.size), r)), dtype=np.int64).reshape(-1, r)
    return apply(INDEX, input, wrap(index), spec=(True,))


def block_diag(*tensors: Any) -> Any:
    """A matrix with the given matrices along its diagonal, zero elsewhere; 1-d tensors are rows.

    Raises:
        RuntimeError: a tensor has more than two dimensions.

    >>> import wengert as torch
    >>> torch.block_diag(torch.tensor([1, 2]), torch.tensor(3))
    tensor([[1, 2, 0],
            [0, 0, 3]])
    """
    xs = _tensor_list("block_diag", tensors)
    if not xs:
        return wrap(np.empty((1, 0), np.float32))
    for position, x in enumerate(xs):
        if x._data.ndim > 2:
            raise RuntimeError(
                f"torch.block_diag: Input tensors must have 2 or fewer dimensions. Input {position} has "
                f"{x._data.ndim} dimensions"
            )
    shapes = tuple([(1,) * (2 - x._data.ndim) + x._data.shape for x in xs])
    return apply(BLOCK_DIAG, *xs, shapes=shapes)
