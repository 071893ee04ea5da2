"""Distinct elements, places in sorted arrays, counts in bins. None of these has a derivative."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from wengert._batched import Batched, merged, packed, physical, spread
from wengert.ops.record import MISSING, Kind, defop

# --- distinct elements -----------------------------------------------------------------------------------------------


def _unique(x: Any, *, dim: int | None, return_inverse: bool, return_counts: bool) -> tuple[Any, Any, Any]:
    find: Any = np.unique  # its type knows no flags that are only known when it runs
    values, *others = _as_tuple(
        find(x, return_inverse=return_inverse, return_counts=return_counts, axis=dim, equal_nan=False)
    )
    inverse = others.pop(0).reshape(x.shape if dim is None else -1) if return_inverse else np.empty(0, np.int64)
    return values, inverse, others.pop(0) if return_counts else np.empty(0, np.int64)


def _as_tuple(found: Any) -> tuple[Any, ...]:
    return found if isinstance(found, tuple) else (found,)


def _unique_consecutive(x: Any, *, dim: int | None) -> tuple[Any, Any, Any]:
    rows = np.asarray(x).reshape(-1) if dim is None else np.moveaxis(x, dim, 0)
    differs = rows[1:] != rows[:-1]
    new = np.ones(len(rows), np.bool_)
    new[1:] = differs.any(tuple(range(1, rows.ndim)))
    starts = np.flatnonzero(new)
    values = rows[starts] if dim is None else np.moveaxis(rows[starts], 0, dim)
    inverse = np.cumsum(new) - 1
    counts = np.diff(starts, append=len(rows))
    return values, inverse.reshape(x.shape) if dim is None else inverse, counts


UNIQUE = defop(
    "unique",
    _unique,
    Kind.OTHER,
    vjp=(MISSING,),
    node=lambda meta: "Unique2Backward0" if meta["dim"] is None else "UniqueDimBackward0",
    outputs=3,
    formula="the distinct x_i, in order",
    doc="The distinct elements (or parts along an axis) in order, where each element went, how often each occurs.",
)
UNIQUE_CONSECUTIVE = defop(
    "unique_consecutive",
    _unique_consecutive,
    Kind.OTHER,
    vjp=(MISSING,),
    outputs=3,
    formula="x_i where x_i != x_(i-1)",
    doc="The first of each run of equal elements (or parts along an axis), each element's run, the runs' lengths.",
)

# --- places in sorted arrays -----------------------------------------------------------------------------------------


def _searchsorted(edges: Any, values: Any, *, right: bool, dtype: Any) -> Any:
    if edges.ndim == 1:
        return np.searchsorted(edges, values, "right" if right else "left").astype(dtype)
    # Sorted together, a value stands behind the edges before it and behind the values before it.
    n, m = edges.shape[-1], values.shape[-1]
    order = np.argsort(values, -1, "stable")
    ordered = np.take_along_axis(values, order, -1)
    both = np.concatenate((edges, ordered) if right else (ordered, edges), -1)
    ranks = np.argsort(np.argsort(both, -1, "stable"), -1)
    ranks = (ranks[..., n:] if right else ranks[..., :m]) - np.arange(m)
    found = np.empty(values.shape, dtype)
    np.put_along_axis(found, order, ranks.astype(dtype), -1)
    return found


def _searchsorted_batch(xp: Any, edges: Any, values: Any, *, right: bool, dtype: Any) -> Any:
    if edges.__class__ is not Batched and edges.ndim == 1:
        return Batched(_searchsorted(edges, values.array, right=right, dtype=dtype), values.axes)
    axes = merged([x.axes for x in (edges, values) if x.__class__ is Batched])
    rows, sought = spread(edges, axes), spread(values, axes)
    if edges.ndim == 1:  # members have one row for values of any shape
        sought = sought.reshape(*sought.shape[: len(axes)], values.size)
    found = _searchsorted(rows, sought, right=right, dtype=dtype)
    return packed(found.reshape(*sought.shape[: len(axes)], *values.shape), axes)


SEARCHSORTED = defop(
    "searchsorted",
    _searchsorted,
    Kind.OTHER,
    batch=_searchsorted_batch,
    vjp=(None, None),
    args=("sorted_sequence", "self"),
    doc="Where values would have to go into sorted rows to keep them sorted.",
)

# --- counts ----------------------------------------------------------------------------------------------------------


def _histc(x: Any, *, bins: int, min: float, max: float) -> Any:
    return _histograms(0, x, bins=bins, min=min, max=max)


def _histograms(k: int, x: Any, *, bins: int, min: float, max: float) -> Any:
    """One histogram for each place along the first ``k`` axes."""
    lead = x.shape[:k]
    rows = x.reshape(prod(lead), prod(x.shape[k:]))
    inside = (rows >= min) & (rows <= max)
    counted = rows[inside].astype(np.float64)
    places = np.minimum(((counted - min) / (max - min) * bins).astype(np.int64), bins - 1)
    counts = np.bincount(inside.nonzero()[0] * bins + places, minlength=rows.shape[0] * bins)
    return counts.reshape(*lead, bins).astype(x.dtype)


BINCOUNT = defop(
    "bincount",
    lambda x, *, minlength: np.bincount(x, minlength=minlength),
    Kind.OTHER,
    vjp=(None,),
    doc="How often each non-negative integer occurs.",
)
BINCOUNT_WEIGHTED = defop(
    "bincount_weighted",
    lambda x, weights, *, minlength: np.bincount(x, weights, minlength).astype(weights.dtype),
    Kind.OTHER,
    vjp=(None, MISSING),
    args=("self", "weights"),
    formula="y_k = sum of weights_i where x_i = k",
    doc="The sum of the weights of each non-negative integer.",
)
HISTC = defop(
    "histc",
    _histc,
    Kind.OTHER,
    batch=physical(_histograms),
    vjp=(None,),
    doc="How many elements fall into each of `bins` equal intervals between `min` and `max`.",
)
