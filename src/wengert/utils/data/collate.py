"""Batches made of items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from wengert._dtypes import float64
from wengert._tensor import Tensor
from wengert.functions.data import as_tensor, tensor
from wengert.functions.joining import stack

__all__ = ["default_collate", "default_convert"]


def default_convert(data: Any) -> Any:
    """An item without a batch: NumPy arrays become tensors, containers are gone through, other things stay.

    >>> import numpy as np
    >>> import wengert as torch
    >>> torch.utils.data.default_convert([np.array([1, 2]), "a"])
    [tensor([1, 2]), 'a']
    """
    if isinstance(data, np.ndarray) and data.dtype.kind not in "SUO":
        return as_tensor(data)
    if isinstance(data, np.generic) and not isinstance(data, (str, bytes)):
        return tensor(data)
    if isinstance(data, Mapping):
        return _like_mapping(data, {key: default_convert(data[key]) for key in data})
    if isinstance(data, tuple):
        converted = [default_convert(x) for x in data]
        return type(data)(*converted) if hasattr(data, "_fields") else converted
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        return [default_convert(x) for x in data]
    return data


def _like_mapping(example: Any, items: dict[Any, Any]) -> Any:
    try:
        return type(example)(items)
    except TypeError:
        return items


def default_collate(batch: Any) -> Any:
    """Items side by side in one batch: tensors and arrays stacked, numbers in a tensor, containers gone through.

    Strings stay as they are.

    Raises:
        TypeError: items that cannot be put together.
        RuntimeError: sequences of different lengths.

    >>> import wengert as torch
    >>> torch.utils.data.default_collate([{"x": torch.tensor([1.0]), "y": 2}, {"x": torch.tensor([3.0]), "y": 4}])
    {'x': tensor([[1.],
            [3.]]), 'y': tensor([2, 4])}
    """
    first = batch[0]
    if isinstance(first, Tensor):
        return stack(list(batch))
    if isinstance(first, np.ndarray):
        if first.dtype.kind in "SUO":
            raise TypeError(_cannot(first.dtype))
        return stack([as_tensor(a) for a in batch])
    if isinstance(first, np.generic) and not isinstance(first, (str, bytes)):
        return as_tensor(np.asarray(batch))
    if isinstance(first, float):
        return tensor(batch, dtype=float64)
    if isinstance(first, int):
        return tensor(batch)
    if isinstance(first, (str, bytes)):
        return batch
    if isinstance(first, Mapping):
        return _like_mapping(first, {key: default_collate([item[key] for item in batch]) for key in first})
    if isinstance(first, Sequence):
        if any([len(item) != len(first) for item in batch]):
            raise RuntimeError("each element in list of batch should be of equal size")
        parts = [default_collate(part) for part in zip(*batch, strict=True)]
        if isinstance(first, tuple):
            return type(first)(*parts) if hasattr(first, "_fields") else parts
        return parts
    raise TypeError(_cannot(type(first)))


def _cannot(kind: Any) -> str:
    return f"default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found {kind}"
