"""Distinct elements, places in sorted tensors, counts in bins."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert._batched import whole
from wengert.engine.apply import apply
from wengert.engine.base import TensorBase, wrap
from wengert.engine.out import deliver
from wengert.functions.dims import wrap_dim
from wengert.functions.options import require_tensor, type_name
from wengert.functions.reduce import computed_in
from wengert.functions.reduced import not_implemented
from wengert.ops.search import BINCOUNT, BINCOUNT_WEIGHTED, HISTC, SEARCHSORTED, UNIQUE, UNIQUE_CONSECUTIVE

__all__ = [
    "SearchMethods",
    "bincount",
    "bucketize",
    "histc",
    "searchsorted",
    "unique",
    "unique_consecutive",
]

# --- distinct elements -----------------------------------------------------------------------------------------------


def _asked_for(found: tuple[Any, ...], return_inverse: bool, return_counts: bool) -> Any:
    values, inverse, counts = found
    results = (values, *([inverse] if return_inverse else []), *([counts] if return_counts else []))
    return results if len(results) > 1 else values


def _distinct_along(input: Any, dim: Any) -> int | None:
    raw = require_tensor("unique", input)._data
    if raw.dtype.kind == "c":
        not_implemented("unique", raw.dtype)
    if dim is None:
        return None
    along = wrap_dim(dim, raw.ndim)
    if 0 in raw.shape and (raw.shape[along] or raw.shape.count(0) > 1):
        raise RuntimeError("There are 0 sized dimensions, and they aren't selected, so unique cannot be applied")
    return along if raw.ndim else None


def unique(
    input: Any, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False, dim: Any = None
) -> Any:
    """The distinct elements, in order; with ``dim`` the distinct parts along that axis.

    In order whatever ``sorted`` says. With ``return_inverse`` also where each element went, with ``return_counts`` also
    how often each occurs, as a tuple. NaN is distinct from NaN. No gradient flows through: backward raises.

    Raises:
        NotImplementedError: the tensor is complex.
        TypeError: ``input`` is not a tensor.
        IndexError: no such axis.

    >>> import wengert as torch
    >>> torch.unique(torch.tensor([3, 1, 3, 2]), return_counts=True)
    (tensor([1, 2, 3]), tensor([1, 1, 2]))
    """
    del sorted
    along = _distinct_along(input, dim)
    inverse, counts = bool(return_inverse), bool(return_counts)
    return _asked_for(apply(UNIQUE, input, dim=along, return_inverse=inverse, return_counts=counts), inverse, counts)


def unique_consecutive(input: Any, return_inverse: bool = False, return_counts: bool = False, dim: Any = None) -> Any:
    """The first element of each run of equal ones; with ``dim`` of equal parts along that axis.

    With ``return_inverse`` also the run of each element, with ``return_counts`` also the lengths of the runs. Errors as
    :func:`unique`.

    >>> import wengert as torch
    >>> torch.unique_consecutive(torch.tensor([1, 1, 2, 2, 1]))
    tensor([1, 2, 1])
    """
    along = _distinct_along(input, dim)
    return _asked_for(apply(UNIQUE_CONSECUTIVE, input, dim=along), bool(return_inverse), bool(return_counts))


# --- places in sorted tensors ----------------------------------------------------------------------------------------


def searchsorted(
    sorted_sequence: Any,
    input: Any,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    sorter: Any = None,
    out: Any = None,
) -> Any:
    """Where the values ``input`` (a tensor or a number) would go into the sorted last axis of ``sorted_sequence``.

    The index ``i`` with ``edges[i-1] < value <= edges[i]``, or with ``right=True`` (``side="right"``)
    ``edges[i-1] <= value < edges[i]``; int64, or int32 with ``out_int32``. ``sorter`` are the indices that sort the
    sequence.

    Raises:
        RuntimeError: shapes that do not fit, or ``side`` and ``right`` that contradict each other.
        NotImplementedError: the dtype is bool or complex.
        TypeError: not tensors.

    >>> import wengert as torch
    >>> torch.searchsorted(torch.tensor([1, 3, 5]), torch.tensor([3, 9]))
    tensor([1, 3])
    """
    require_tensor("searchsorted", sorted_sequence, "sorted_sequence")
    if isinstance(input, (int, float)):
        input = wrap(np.asarray(input)[()])
    require_tensor("searchsorted", input, "input", 2)
    if side not in (None, "left", "right"):
        raise RuntimeError(f"torch.searchsorted(): side can only be 'left' or 'right' but got {side}")
    if side == "left" and right:
        raise RuntimeError(
            "torch.searchsorted(): side and right can't be set to opposites, got side of left while right was True"
        )
    _check_rows(sorted_sequence._data, input._data)
    if sorter is not None:
        sorted_sequence = wrap(_arranged(sorted_sequence._data, require_tensor("searchsorted", sorter, "sorter")._data))
    dtype = np.dtype(np.int32 if out_int32 else np.int64)
    return deliver(out, apply(SEARCHSORTED, sorted_sequence, input, right=right or side == "right", dtype=dtype))


def _check_rows(edges: Any, values: Any) -> None:
    for raw in (edges, values):
        if raw.dtype.kind in "bc":
            not_implemented("searchsorted_out_cpu", raw.dtype)
    if not values.ndim and edges.ndim != 1:
        raise RuntimeError(
            "torch.searchsorted(): input value can be a scalar only when boundaries tensor dimension is 1, but we got "
            f"boundaries tensor dim({edges.ndim}) and input value's dim(0) numel(1)"
        )
    if not edges.ndim:
        raise RuntimeError(
            "torch.searchsorted(): boundaries tensor should have positive dimension, but got 0 dimension"
        )
    if edges.ndim > 1 and edges.shape[:-1] != values.shape[:-1]:
        raise RuntimeError(
            "torch.searchsorted(): boundaries tensor should be 1 dimension or the first N-1 dimensions of boundaries "
            f"tensor and input value tensor must match, but we got boundaries tensor {list(edges.shape)} and input "
            f"value tensor {list(values.shape)}"
        )


def _arranged(edges: Any, order: Any) -> Any:
    if order.shape != edges.shape:
        raise RuntimeError(
            "torch.searchsorted(): boundary and sorter must have the same size, but got boundary tensor "
            f"{list(edges.shape)}and got sorter tensor {list(order.shape)}"
        )
    if order.dtype.name != "int64":
        raise RuntimeError(
            f"torch.searchsorted(): sorter must be a tensor of long dtype but got dtype {type_name(order.dtype)}"
        )
    if order.size and (order.min() < 0 or order.max() >= edges.shape[-1]):
        raise RuntimeError("torch.searchsorted(): sorter index out of range")
    return np.take_along_axis(edges, order, -1)


def bucketize(input: Any, boundaries: Any, *, out_int32: bool = False, right: bool = False, out: Any = None) -> Any:
    """The bucket that each value of ``input`` falls into, for sorted 1-d ``boundaries``; as :func:`searchsorted`.

    >>> import wengert as torch
    >>> torch.bucketize(torch.tensor([0.5, 2.0]), torch.tensor([1.0, 2.0, 3.0]))
    tensor([0, 1])
    """
    edges = require_tensor("bucketize", boundaries, "boundaries", 2)._data
    if edges.ndim != 1:
        raise RuntimeError(f"boundaries tensor must be 1 dimension, but got dim({edges.ndim})")
    return searchsorted(boundaries, input, out_int32=out_int32, right=right, out=out)


# --- counts ----------------------------------------------------------------------------------------------------------


def bincount(input: Any, weights: Any = None, minlength: int = 0) -> Any:
    """How often each number occurs in a 1-d tensor of non-negative integers, or the sum of its ``weights``.

    int64; with ``weights`` float32 for float32 and float64 otherwise. At least ``minlength`` elements.

    Raises:
        RuntimeError: negative numbers, another shape, or weights of another length.
        NotImplementedError: the dtype is not an integer.

    >>> import wengert as torch
    >>> torch.bincount(torch.tensor([1, 3, 1]))
    tensor([0, 2, 0, 1])
    """
    raw = require_tensor("bincount", input)._data
    if minlength < 0:
        raise RuntimeError(f"minlength should be >= 0, got {minlength}")
    if raw.dtype.kind not in "iu":
        not_implemented("bincount_cpu", raw.dtype)
    if raw.ndim != 1 or (raw.size and whole(raw).min() < 0):
        raise RuntimeError("bincount only supports 1-d non-negative integral inputs.")
    if weights is None:
        return apply(BINCOUNT, input, minlength=minlength)
    factor = require_tensor("bincount", weights, "weights", 2)._data
    if factor.shape != raw.shape:
        raise RuntimeError(
            "weights should be 1-d and have the same length as input: got shapes "
            f"{list(factor.shape)} and {list(raw.shape)}"
        )
    converted = weights if factor.dtype.name == "float32" else computed_in(weights, np.dtype(np.float64))
    return apply(BINCOUNT_WEIGHTED, input, converted, minlength=minlength)


def histc(input: Any, bins: int = 100, min: float = 0, max: float = 0, *, out: Any = None) -> Any:
    """How many elements fall into each of ``bins`` equal intervals from ``min`` to ``max``; in the dtype of ``input``.

    Where both are equal, the smallest and the largest element are taken. What lies outside is not counted.

    Raises:
        RuntimeError: no bins, ``max`` below ``min``, or bounds that are not finite.
        NotImplementedError: the dtype is not float.

    >>> import wengert as torch
    >>> torch.histc(torch.tensor([1.0, 2.0, 1.0]), bins=4, min=0, max=3)
    tensor([0., 2., 1., 0.])
    """
    raw = require_tensor("histc", input)._data
    if raw.dtype.kind != "f":
        not_implemented("histogram_cpu", raw.dtype)
    if bins <= 0:
        raise RuntimeError(f"torch.histogram(): bins must be > 0, but got {bins} for dimension 0")
    low, high = float(_number(min)), float(_number(max))
    if low == high and raw.size:
        low, high = float(raw.min()), float(raw.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise RuntimeError(f"torch.histc: range of [{low:g}, {high:g}] is not finite")
    if low > high:
        raise RuntimeError(f"torch.histc: max must be larger than min, got min={low:g} and max={high:g}")
    if low == high:
        low, high = low - 1.0, high + 1.0
    return deliver(out, apply(HISTC, input, bins=bins, min=low, max=high))


def _number(value: Any) -> Any:
    return value._data.item() if isinstance(value, TensorBase) else value


class SearchMethods:
    """Distinct elements and counts as methods."""

    __slots__ = ()

    unique = unique
    unique_consecutive = unique_consecutive
    bincount = bincount
    histc = histc
