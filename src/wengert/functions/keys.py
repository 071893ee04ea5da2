"""What stands between the brackets of ``x[...]``, as PyTorch reads it.

A key becomes a chain of views (one for each integer, slice, None) and then, if there are index arrays or masks, one
selection by these. Integers and slices are taken first, so the placement of the new dimensions follows the index arrays
alone.
"""

from __future__ import annotations

import operator
import warnings
from typing import Any, NoReturn

import numpy as np

from wengert._batched import Batched
from wengert._traced import Traced
from wengert.engine.base import TensorBase
from wengert.functions.nested import raw_of
from wengert.ops.indexing import SELECT, SLICE
from wengert.ops.movement import UNSQUEEZE
from wengert.ops.record import Op

Step = tuple[Op, dict[str, Any]]
Index = np.ndarray[Any, Any]

_LEGACY = 32  # a list that is not shorter is always one index


class Plan:
    """A key, worked out for one shape: the views to take, then the index arrays by dimension."""

    __slots__ = ("indices", "position", "shape", "steps")

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.steps: list[Step] = []
        self.indices: dict[int, Index] = {}
        self.shape = list(shape)  # after the views so far
        self.position = 0  # in the key: what PyTorch's messages call the dimension

    @property
    def spec(self) -> tuple[bool, ...]:
        """For each dimension up to the last indexed one, whether an index array stands there."""
        spec = []
        dim = 0
        last = max(self.indices)
        while dim <= last:
            index = self.indices.get(dim)
            spec.append(index is not None)
            dim += index.ndim if index is not None and index.dtype.kind == "b" else 1
        return tuple(spec)

    @property
    def arrays(self) -> tuple[Index, ...]:
        """The index arrays in order of their dimensions."""
        return tuple([self.indices[dim] for dim in sorted(self.indices)])


def plan_of(shape: tuple[int, ...], key: Any) -> Plan:
    """Read a key for a tensor of this shape.

    Raises:
        IndexError: too many indices, an index outside its dimension, or something that is no index.
    """
    plan = Plan(shape)
    items = [_normal(item) for item in _items(key)]
    used = sum([_consumed(item) for item in items])
    if used > len(shape):
        if not shape:
            raise IndexError(
                "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to "
                "convert a "
                "0-dim tensor to a number"
            )
        raise IndexError(f"too many indices for tensor of dimension {len(shape)}")
    whole = len(items) == 1
    dim = 0
    for plan.position, item in enumerate(items):
        if item is Ellipsis:
            dim += len(shape) - used
            used = len(shape)
        else:
            dim = _take(plan, dim, item, whole)
    _check_masks(plan)
    if len(plan.indices) > 1:
        _spread_masks(plan)
    return plan


def _items(key: Any) -> tuple[Any, ...]:
    if isinstance(key, tuple):
        return key
    if isinstance(key, list) and len(key) < _LEGACY and any([_is_part(item) for item in key]):
        warnings.warn(
            "Using a non-tuple sequence for multidimensional indexing is deprecated; use x[tuple(seq)] instead of "
            "x[seq], or x[torch.tensor(seq)] if it stands for an array of indices",
            UserWarning,
            stacklevel=4,
        )
        return tuple(key)
    return (key,)


def _is_part(item: Any) -> bool:
    """Whether a list with this entry stands for a tuple of indices, as in old NumPy and still in PyTorch."""
    return item is None or item is Ellipsis or isinstance(item, (slice, TensorBase, list, tuple, np.ndarray))


def _normal(item: Any) -> Any:
    """One entry of a key as an int, a slice, None, an Ellipsis or an index array."""
    if item.__class__ is int or item is None or item is Ellipsis or isinstance(item, slice):
        return item
    if isinstance(item, (bool, np.bool_)):
        return np.array(bool(item))
    if isinstance(item, TensorBase):
        item = item._data
        if item.__class__ is Batched or isinstance(item, Traced):
            return _normal_array(item)
    elif not isinstance(item, (np.ndarray, np.generic)):
        if hasattr(item, "__index__"):
            return operator.index(item)
        item = _array_of_sequence(item)
    return _normal_array(np.asarray(item))


def _array_of_sequence(item: Any) -> Any:
    if isinstance(item, str):
        raise TypeError(
            "new(): invalid data type 'str': a tensor has no named parts; index it with integers and slices"
        )
    if isinstance(item, dict) or not (hasattr(item, "__getitem__") and hasattr(item, "__len__")):
        _no_index(item)
    array = raw_of(item, None if len(item) else np.dtype(np.int64))
    return array.astype(np.int64) if array.dtype.kind == "f" else array


def _no_index(item: Any) -> NoReturn:
    raise IndexError(
        "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices (got "
        f"{type(item).__name__})"
    )


def _normal_array(index: Any) -> Any:
    kind = index.dtype.char
    if kind == "?":
        return index
    if kind == "B":
        return index != 0
    if kind in "ilq":
        return index if index.ndim or isinstance(index, (Batched, Traced)) else int(index)
    raise IndexError(
        "tensors used as indices must be long, int, byte or bool tensors, and this one has dtype "
        f"{index.dtype.name}. Convert it with .long(), or compare to get a mask"
    )


def _consumed(item: Any) -> int:
    """How many dimensions an entry uses up."""
    if item is None or item is Ellipsis:
        return 0
    return item.ndim if hasattr(item, "dtype") and item.dtype.kind == "b" else 1


def _take(plan: Plan, dim: int, item: Any, whole: bool) -> int:
    """Put one entry of the key, which stands at ``dim``, into the plan; gives the next dimension."""
    if item.__class__ is int:
        _take_integer(plan, dim, item)
        return dim
    if item is None:
        plan.steps.append((UNSQUEEZE, {"dim": dim}))
        plan.shape.insert(dim, 1)
        return dim + 1
    if isinstance(item, slice):
        _take_slice(plan, dim, item, whole)
        return dim + 1
    if not item.ndim and item.dtype.kind == "b":  # True or False: a new dimension with one element or none
        plan.steps.append((UNSQUEEZE, {"dim": dim}))
        plan.shape.insert(dim, 1)
        plan.indices[dim] = np.arange(int(item))
        return dim + 1
    plan.indices[dim] = item
    return dim + (item.ndim if item.dtype.kind == "b" else 1)


def _check_masks(plan: Plan) -> None:
    for dim, index in plan.indices.items():
        if index.dtype.kind != "b":
            continue
        for offset, size in enumerate(index.shape):
            if plan.shape[dim + offset] != size:
                raise IndexError(
                    f"The shape of the mask {list(index.shape)} at index {offset} does not match the shape of the "
                    "indexed "
                    f"tensor {plan.shape} at index {dim + offset}"
                )


def _take_integer(plan: Plan, dim: int, index: int) -> None:
    size = plan.shape[dim]
    if not -size <= index < size:
        if not -(2**63) <= index < 2**63:
            raise ValueError("Overflow when unpacking long long: an index needs more than 64 bits")
        raise outside(index, plan.position, size)
    plan.steps.append((SELECT, {"dim": dim, "index": index + size if index < 0 else index}))
    del plan.shape[dim]


def outside(index: int, dim: int, size: int) -> IndexError:
    """The error for an integer that is no index of a dimension."""
    return IndexError(f"index {index} is out of bounds for dimension {dim} with size {size}")


def slice_meta(dim: int, part: slice, size: int) -> dict[str, Any]:
    """The metadata of a slice with its ends worked out."""
    start, stop, step = part.indices(size)
    if step > 0:
        stop = max(start, stop)
    return {"dim": dim, "start": start, "stop": stop if stop >= 0 else None, "step": step}


def _take_slice(plan: Plan, dim: int, part: slice, whole: bool) -> None:
    size = plan.shape[dim]
    if whole or not is_everything(part, size):
        plan.steps.append((SLICE, slice_meta(dim, part, size)))
        plan.shape[dim] = len(range(*part.indices(size)))


def is_everything(part: slice, size: int) -> bool:
    """Whether a slice says that it takes all of a dimension; PyTorch makes no view then, but one for ``x[-size:]``."""
    start, stop, step = part.start, part.stop, part.step
    return (
        (start is None or start.__index__() == 0)
        and (step is None or step.__index__() == 1)
        and (stop is None or stop.__index__() >= size)
    )


def _spread_masks(plan: Plan) -> None:
    """Masks beside other index arrays become the indices of their true elements."""
    for dim, index in list(plan.indices.items()):
        if index.dtype.kind == "b":
            for offset, part in enumerate(index.nonzero()):
                plan.indices[dim + offset] = part
