"""Copies of whole tensors: ``copy.copy``, ``copy.deepcopy``, pickling. What shares memory before shares it after."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from wengert.engine import messages
from wengert.engine.base import array_of, cell_of, is_tracking, wrap
from wengert.functions.data import adopted

__all__ = ["CopyMethods"]

# Where a tensor lies in the memory it shares: byte offset, shape, strides in bytes.
_Region = tuple[int, tuple[int, ...], tuple[int, ...]]


def _memory_and_region(t: Any) -> tuple[Any, _Region | None]:
    """The raw value to copy, and for a view which region of it the view is.

    So ``pickle`` and ``deepcopy``, which know an array again that they have met, see one for all views of one base.
    """
    part = t._data
    if not isinstance(part, np.ndarray):
        return part, None
    whole = _widest(part if t._view is None else array_of(t._view.base))
    if whole is part:
        return part, None
    if not (whole.flags.c_contiguous or whole.flags.f_contiguous) or not part.size:
        return part, None  # a copy of the whole would be laid out differently
    offset = part.__array_interface__["data"][0] - whole.__array_interface__["data"][0]
    return whole, (offset, part.shape, part.strides)


def _widest(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The first array on all the memory that this one is on; not beyond, where memory belongs to somebody else."""
    while isinstance(array.base, np.ndarray) and array.base.nbytes == array.nbytes:
        array = array.base
    return array


def _region_of(memory: Any, region: _Region | None, dtype: Any) -> Any:
    if not isinstance(memory, np.ndarray):
        return memory
    if region is None:
        return adopted(memory)
    offset, shape, strides = region
    return np.ndarray(shape, dtype, memory.reshape(-1, order="A").view(np.uint8), offset, strides)


def _rebuilt(
    cls: type[Any], memory: Any, region: _Region | None, dtype: Any, requires_grad: bool, attributes: dict[str, Any]
) -> Any:
    """What a pickled tensor is made of again."""
    t = wrap(_region_of(memory, region, np.dtype(dtype.str)), cls)
    t._rg = requires_grad
    if attributes:
        t.__dict__.update(attributes)
    return t


def _reduce(self: Any, protocol: Any) -> tuple[Any, ...]:
    del protocol
    memory, region = _memory_and_region(self)
    return _rebuilt, (type(self), memory, region, self._data.dtype, is_tracking(self), self.__dict__)


def _copy(self: Any) -> Any:
    t = wrap(array_of(self), type(self))
    t._cell = cell_of(self)
    t._rg = is_tracking(self)
    t.__dict__.update(self.__dict__)
    return t


def _deepcopy(self: Any, memo: dict[int, Any]) -> Any:
    if id(self) in memo:
        return memo[id(self)]
    if is_tracking(self) and self._node is not None:
        raise RuntimeError(
            "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the moment: "
            f"{messages.called(self)} is a result ({messages.node_at(self._node)}), and a copy would need a copy of "
            "its graph. Copy the values with t.detach().clone(), or the leaves it was computed from"
        )
    memory, region = _memory_and_region(self)
    copied = copy.deepcopy(memory, memo) if isinstance(memory, np.ndarray) else memory
    t = wrap(_region_of(copied, region, self._data.dtype), type(self))
    t._rg = self._rg
    memo[id(self)] = t
    grad = getattr(self, "_grad", None)
    if grad is not None:
        t._grad = copy.deepcopy(grad, memo)
    if self.__dict__:
        t.__dict__.update(copy.deepcopy(self.__dict__, memo))
    return t


class CopyMethods:
    """The part of Tensor that Python's copy and pickle modules use."""

    __slots__ = ()

    __reduce_ex__ = _reduce
    __copy__ = _copy
    __deepcopy__ = _deepcopy
