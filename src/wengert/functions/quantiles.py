"""Quantiles."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from wengert._batched import Batched
from wengert._dtypes import from_numpy_dtype
from wengert._traced import Traced
from wengert.engine.apply import apply
from wengert.engine.base import TensorBase, wrap
from wengert.engine.out import deliver
from wengert.functions.dims import wrap_dim
from wengert.functions.options import require_tensor
from wengert.functions.reduced import checked_flag, one_name
from wengert.ops.arithmetic import LERP, MUL, SUB
from wengert.ops.indexing import GATHER
from wengert.ops.movement import PERMUTE, RESHAPE
from wengert.ops.sorting import SORT

__all__ = ["QuantileMethods", "nanquantile", "quantile"]

_INTERPOLATIONS: Final = ("linear", "lower", "higher", "midpoint", "nearest")


def _checked(function: str, input: Any, q: Any, interpolation: str) -> Any:
    """``q`` as a tensor of the input's dtype."""
    raw = require_tensor(function, input)._data
    if raw.size == 0:
        raise RuntimeError(f"{function}() input tensor must be non-empty")
    if raw.dtype.name not in ("float32", "float64"):
        raise RuntimeError(
            f"{function}() input tensor must be either float or double dtype, got {from_numpy_dtype(raw.dtype)}; "
            "convert it, for example with .to(torch.float32)"
        )
    if interpolation not in _INTERPOLATIONS:
        raise RuntimeError(
            f"{function}() interpolation must be one of linear, lower, higher, midpoint or nearest, "
            f"but got {interpolation}"
        )
    if not isinstance(q, TensorBase):
        if not 0 <= q <= 1:
            raise RuntimeError(f"{function}() q must be in the range [0, 1] but got {q:g}")
        return wrap(raw.dtype.type(q))
    levels = q._data
    if levels.ndim > 1:
        raise RuntimeError(f"{function}() q must be a scalar or 1D tensor, got one of shape {list(levels.shape)}")
    if levels.dtype is not raw.dtype:
        raise RuntimeError(
            f"{function}() q tensor must be same dtype as the input tensor: got {from_numpy_dtype(levels.dtype)} and "
            f"{from_numpy_dtype(raw.dtype)}"
        )
    if not isinstance(levels, Traced) and not bool(np.all((levels >= 0) & (levels <= 1))):
        raise RuntimeError(f"{function}() q values must be in the range [0, 1]")
    return q


def _rows(input: Any, dim: int | None) -> Any:
    """The input with the axis ``dim`` last, or flat."""
    raw = input._data
    if dim is None or not raw.ndim:
        return apply(RESHAPE, input, shape=(raw.size,))
    order = [axis for axis in range(raw.ndim) if axis != dim]
    return apply(PERMUTE, input, dims=(*order, dim)) if dim != raw.ndim - 1 else input


def _ranks(ordered: Any, q: Any, skip_nan: bool) -> Any:
    """The positions of the levels ``q`` in each sorted row, as a tensor that follows ``q`` in the graph."""
    raw = ordered._data
    n = raw.shape[-1]
    if raw.__class__ is Batched:
        return _ranks_in_batch(raw, q, n)
    is_traced = isinstance(raw, Traced)
    known = (raw == raw).astype(np.int64)
    there = np.add.reduce(known, -1, keepdims=True)
    levels = apply(RESHAPE, q, shape=(q._data.size,))
    if skip_nan:
        return apply(MUL, levels, wrap(np.maximum(there - 1, np.int64(0)).astype(raw.dtype)))
    ranks = apply(MUL, levels, float(n - 1))
    if not is_traced and (there == n).all():
        return ranks
    return wrap(np.where(there < n, raw.dtype.type(n - 1), ranks._data))  # NaN sorts last: point there


def _ranks_in_batch(raw: Any, q: Any, n: int) -> Any:
    if np.isnan(raw.array).any():
        raise RuntimeError("vmap: quantile() of a batch with NaN is not supported; take it member by member")
    return apply(MUL, apply(RESHAPE, q, shape=(q._data.size,)), float(n - 1))


def _between(ordered: Any, ranks: Any, interpolation: str) -> Any:
    raw = ranks._data
    rows = (*ordered._data.shape[:-1], raw.shape[-1])

    def at(places: Any) -> Any:
        return apply(GATHER, ordered, wrap(np.broadcast_to(places.astype(np.int64), rows)), dim=len(rows) - 1)

    if interpolation == "nearest":
        return at(np.rint(raw))
    if interpolation == "higher":
        return at(np.ceil(raw))
    below = np.floor(raw)
    if interpolation == "lower":
        return at(below)
    weight = wrap(np.full(raw.shape, 0.5, raw.dtype)) if interpolation == "midpoint" else apply(SUB, ranks, wrap(below))
    return apply(LERP, at(below), at(np.ceil(raw)), weight)


def _quantile(
    function: str, input: Any, q: Any, dim: Any, keepdim: Any, interpolation: str, out: Any, axis: Any, skip_nan: bool
) -> Any:
    q = _checked(function, input, q, interpolation)
    keep = checked_flag(function, keepdim, None)
    dim = one_name(function, "dim", dim, "axis", axis)
    ndim = input._data.ndim
    along = None if dim is None else wrap_dim(dim, ndim)
    ordered = apply(
        SORT, _rows(input, along), dim=max(0 if along is None else ndim - 1, 0), descending=False, stable=None
    )[0]
    found = _between(ordered, _ranks(ordered, q, skip_nan), interpolation)
    shape: tuple[int, ...] = found._data.shape[:-1]
    if keep and along is None:
        shape = (1,) * ndim
    elif keep and ndim:
        shape = (*shape[:along], 1, *shape[along:])
    if not q._data.ndim:
        return deliver(out, apply(RESHAPE, found, shape=shape), input)
    last = found._data.ndim - 1
    front = apply(PERMUTE, found, dims=(last, *range(last))) if last else found
    return deliver(out, apply(RESHAPE, front, shape=(q._data.size, *shape)), input)


def quantile(
    input: Any,
    q: Any,
    dim: Any = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
    out: Any = None,
    axis: Any = None,
) -> Any:
    """The elements at the levels ``q`` in order of size: of all, or along the axis ``dim``.

    ``q`` is a number or a tensor of them; with a 1-d tensor the result has its length as a first axis. The level 0 is
    the smallest element, 1 the largest; between two elements ``interpolation`` decides: ``linear``, ``lower``,
    ``higher``, ``midpoint`` or ``nearest``. NaN wins.

    Raises:
        RuntimeError: nothing to choose from, another dtype than float32 and float64, or a level outside 0..1.
        TypeError: ``input`` is not a tensor.
        IndexError: no such axis.

    >>> import wengert as torch
    >>> torch.quantile(torch.tensor([1.0, 2.0, 4.0]), 0.75)
    tensor(3.)
    """
    return _quantile("quantile", input, q, dim, keepdim, interpolation, out, axis, skip_nan=False)


def nanquantile(
    input: Any,
    q: Any,
    dim: Any = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
    out: Any = None,
    axis: Any = None,
) -> Any:
    """:func:`quantile` of the elements that are not NaN; NaN where all are.

    >>> import wengert as torch
    >>> torch.nanquantile(torch.tensor([1.0, float("nan"), 3.0]), 0.5)
    tensor(2.)
    """
    return _quantile("nanquantile", input, q, dim, keepdim, interpolation, out, axis, skip_nan=True)


class QuantileMethods:
    """Quantiles as methods."""

    __slots__ = ()

    quantile = quantile
    nanquantile = nanquantile
