"""The standard's functions that search, sort and find distinct elements."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from wengert.array_api._types import Axes, dims_of, in_dtype, promoted, require_arrays
from wengert.engine.base import TensorBase, wrap
from wengert.functions import extrema, indexing, reduce, search, select, sorting, statistics

__all__ = [
    "argmax",
    "argmin",
    "argsort",
    "count_nonzero",
    "isin",
    "nonzero",
    "searchsorted",
    "sort",
    "unique_all",
    "unique_counts",
    "unique_inverse",
    "unique_values",
    "where",
]

_INT64: Final = np.dtype(np.int64)


def argmax(x: Any, /, *, axis: int | None = None, keepdims: bool = False) -> Any:
    """Where the largest element is, along an axis or in the flattened array; of equal ones the first.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.argmax(torch.tensor([1.0, 3.0, 3.0]))
    tensor(1)
    """
    require_arrays("argmax", x)
    return extrema.argmax(x, axis, keepdims)


def argmin(x: Any, /, *, axis: int | None = None, keepdims: bool = False) -> Any:
    """Where the smallest element is, along an axis or in the flattened array; of equal ones the first.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.argmin(torch.tensor([3.0, 1.0, 1.0]))
    tensor(1)
    """
    require_arrays("argmin", x)
    return extrema.argmin(x, axis, keepdims)


def count_nonzero(x: Any, /, *, axis: Axes = None, keepdims: bool = False) -> Any:
    """How many elements are not zero, in all or along axes.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.count_nonzero(torch.tensor([0, 2, 3]))
    tensor(2)
    """
    require_arrays("count_nonzero", x)
    dims = dims_of(x, axis)
    return reduce.sum(in_dtype(x != 0, _INT64), dims, keepdims) if dims else in_dtype(x != 0, _INT64)


def nonzero(x: Any, /) -> tuple[Any, ...]:
    """The places of the elements that are not zero, one array of indices for each axis.

    Raises:
        ValueError: an array without dimensions.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.nonzero(torch.tensor([[0, 2], [3, 0]]))
    (tensor([0, 1]), tensor([1, 0]))
    """
    require_arrays("nonzero", x)
    if x.ndim == 0:
        raise ValueError("nonzero() needs an array of at least one dimension")
    return tuple(indexing.nonzero(x, as_tuple=True))


def searchsorted(x1: Any, x2: Any, /, *, side: str = "left", sorter: Any = None) -> Any:
    """Where the elements of ``x2`` would go into the sorted ``x1``: before (left) or after (right) equal ones.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.searchsorted(torch.tensor([1, 3, 5]), torch.tensor([3, 4]))
    tensor([1, 2])
    """
    edges, values = promoted("searchsorted", x1, x2)
    order = None if sorter is None else in_dtype(sorter, _INT64)
    return search.searchsorted(edges.detach(), values.detach(), side=side, sorter=order)


def where(condition: Any, x1: Any, x2: Any, /) -> Any:
    """The elements of ``x1`` where the condition holds, else those of ``x2``.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.where(torch.tensor([True, False]), torch.tensor([1, 2]), 0)
    tensor([1, 0])
    """
    require_arrays("where", condition)
    if not isinstance(x1, TensorBase) and not isinstance(x2, TensorBase):
        return select.where(condition, x1, x2)
    return select.where(condition, *promoted("where", x1, x2))


def sort(x: Any, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Any:
    """The elements in order along an axis; NaN counts as the largest.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.sort(torch.tensor([3, 1, 2]), descending=True)
    tensor([3, 2, 1])
    """
    require_arrays("sort", x)
    return sorting.sort(x, axis, descending, stable=stable)[0]


def argsort(x: Any, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Any:
    """The places of the elements in the order of :func:`sort`.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.argsort(torch.tensor([3, 1, 2]))
    tensor([1, 2, 0])
    """
    require_arrays("argsort", x)
    return sorting.argsort(x, axis, descending, stable=stable)


def isin(x1: Any, x2: Any, /, *, invert: bool = False) -> Any:
    """For each element of ``x1``, whether it is in ``x2``.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.isin(torch.tensor([1, 2, 3]), torch.tensor([3, 1]))
    tensor([ True, False,  True])
    """
    first, second = promoted("isin", x1, x2)
    return statistics.isin(first, second, invert=invert)


class UniqueAllResult(NamedTuple):
    """What :func:`unique_all` finds."""

    values: Any
    indices: Any
    inverse_indices: Any
    counts: Any


class UniqueCountsResult(NamedTuple):
    """What :func:`unique_counts` finds."""

    values: Any
    counts: Any


class UniqueInverseResult(NamedTuple):
    """What :func:`unique_inverse` finds."""

    values: Any
    inverse_indices: Any


def unique_all(x: Any, /) -> UniqueAllResult:
    """The distinct elements in order, the place of each one's first, each element's number among them, their counts.

    NaNs are distinct. The values are on the graph: the gradient goes to the first element of each value.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.unique_all(torch.tensor([5, 3, 5])).counts
    tensor([1, 2])
    """
    require_arrays("unique_all", x)
    _, places, inverse, counts = np.unique(
        x._data, return_index=True, return_inverse=True, return_counts=True, equal_nan=False
    )
    values = indexing.index_select(x.reshape(-1), 0, wrap(places))
    return UniqueAllResult(values, wrap(places), wrap(inverse.reshape(tuple(x.shape))), wrap(counts))


def unique_counts(x: Any, /) -> UniqueCountsResult:
    """The distinct elements in order and how often each occurs.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.unique_counts(torch.tensor([5, 3, 5])).values
    tensor([3, 5])
    """
    found = unique_all(x)
    return UniqueCountsResult(found.values, found.counts)


def unique_inverse(x: Any, /) -> UniqueInverseResult:
    """The distinct elements in order and the number of each element among them.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.unique_inverse(torch.tensor([5, 3, 5])).inverse_indices
    tensor([1, 0, 1])
    """
    found = unique_all(x)
    return UniqueInverseResult(found.values, found.inverse_indices)


def unique_values(x: Any, /) -> Any:
    """The distinct elements in order.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.unique_values(torch.tensor([5, 3, 5]))
    tensor([3, 5])
    """
    return unique_all(x).values
