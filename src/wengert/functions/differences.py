"""Differences of neighbours, and integrals by the trapezoidal rule."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.engine.apply import apply
from wengert.engine.base import wrap
from wengert.engine.out import deliver
from wengert.functions.dims import wrap_dim
from wengert.functions.joining import cat
from wengert.functions.options import number, require_tensor
from wengert.functions.reduce import sum
from wengert.functions.scan import cumsum
from wengert.ops.arithmetic import ADD, DIV, MUL, SUB
from wengert.ops.compare import LOGICAL_XOR
from wengert.ops.indexing import SELECT, SLICE
from wengert.ops.movement import CLONE, RESHAPE

__all__ = ["DifferenceMethods", "cumulative_trapezoid", "diff", "trapezoid", "trapz"]


def _tail(t: Any, dim: int) -> Any:
    """All but the first along an axis."""
    return apply(SLICE, t, dim=dim, start=1, stop=t._data.shape[dim], step=1)


def _head(t: Any, dim: int) -> Any:
    """All but the last along an axis."""
    return apply(SLICE, t, dim=dim, start=0, stop=max(t._data.shape[dim] - 1, 0), step=1)


def diff(input: Any, n: int = 1, dim: int = -1, prepend: Any = None, append: Any = None, *, out: Any = None) -> Any:
    """The differences of neighbours along the axis ``dim``, taken ``n`` times.

    ``y_k = x_(k+1) - x_k``; for bool, whether they differ. ``prepend`` and ``append`` are joined on before.

    Raises:
        RuntimeError: a 0-d tensor, a negative ``n``, or parts to join that do not fit.
        TypeError, IndexError: as :func:`cumsum`.

    >>> import wengert as torch
    >>> torch.diff(torch.tensor([1, 4, 9, 16]))
    tensor([3, 5, 7])
    """
    raw = require_tensor("diff", input)._data
    if not raw.ndim:
        raise RuntimeError("diff expects input to be at least one-dimensional; a 0-d tensor has no neighbours")
    if n < 0:
        raise RuntimeError(f"order must be non-negative but got {n}")
    dim = wrap_dim(dim, raw.ndim)
    parts = [part for part in (prepend, input, append) if part is not None]
    if any([part._data.ndim != raw.ndim for part in parts]):
        raise RuntimeError("diff expects prepend or append to be the same dimension as input")
    if n == 0:
        return deliver(out, apply(CLONE, input), input)
    result = cat(parts, dim) if len(parts) > 1 else input
    minus = LOGICAL_XOR if result._data.dtype.kind == "b" else SUB
    for _ in range(min(n, result._data.shape[dim])):
        result = apply(minus, _tail(result, dim), _head(result, dim))
    return deliver(out, result, input)


def _samples(function: str, y: Any, x: Any, dx: Any, dim: Any) -> int:
    raw = require_tensor(function, y, "y")._data
    if not raw.ndim:
        raise IndexError(f"{function}: Dimension specified as {dim} but tensor has no dimensions")
    along = wrap_dim(dim, raw.ndim)
    _refuse_bool(function, "y", raw)
    if x is None:
        return along
    if dx is not None:
        raise TypeError(f"{function}() got both 'x' and 'dx': the distances come from one of them")
    points = require_tensor(function, x, "x", 2)._data
    _refuse_bool(function, "x", points)
    if not points.ndim or (points.ndim == 1 and points.shape[0] != raw.shape[along]):
        raise RuntimeError(
            f"{function}: There must be one `x` value for each sample point: got x of shape {list(points.shape)} for "
            f"{raw.shape[along]} samples along dimension {along} of y"
        )
    return along


def _refuse_bool(function: str, name: str, raw: Any) -> None:
    if raw.dtype.kind == "b":
        raise RuntimeError(
            f"{function}: received a bool input for `{name}`, but bool is not supported; convert it first"
        )


def _panels(y: Any, x: Any, dim: int) -> Any:
    """Twice the area between neighbouring sample points."""
    ndim, points = y._data.ndim, x._data.ndim
    if points == 1:
        x = apply(RESHAPE, x, shape=tuple([x._data.shape[0] if axis == dim else 1 for axis in range(ndim)]))
    elif points < ndim:
        x = apply(RESHAPE, x, shape=(1,) * (ndim - points) + x._data.shape)
    along = dim + x._data.ndim - ndim
    heights = apply(ADD, _head(y, dim), _tail(y, dim))
    return apply(MUL, heights, apply(SUB, _tail(x, along), _head(x, along)))


def _step(function: str, dx: Any) -> float:
    return 1.0 if dx is None else float(number(function, "dx", 2, dx))


def trapezoid(y: Any, x: Any = None, *, dx: Any = None, dim: int = -1) -> Any:
    """The integral of samples ``y`` along the axis ``dim`` by the trapezoidal rule.

    ``sum_k (x_(k+1) - x_k) (y_k + y_(k+1)) / 2``; the distances are ``dx`` (1) where ``x`` is not given.

    Raises:
        RuntimeError: a bool tensor, or not one ``x`` for each sample.
        IndexError: no such axis, or a 0-d tensor.
        TypeError: not tensors, or both ``x`` and ``dx``.

    >>> import wengert as torch
    >>> torch.trapezoid(torch.tensor([1.0, 2.0, 4.0]), dx=2)
    tensor(9.)
    """
    dim = _samples("trapezoid", y, x, dx, dim)
    shape = y._data.shape
    if not shape[dim]:
        return wrap(np.zeros((*shape[:dim], *shape[dim + 1 :]), y._data.dtype))
    if x is not None:
        total = _panels(y, x, dim)
        return apply(DIV, sum(total, dim + total._data.ndim - y._data.ndim), 2.0)
    step = _step("trapezoid", dx)
    ends = apply(ADD, apply(SELECT, y, dim=dim, index=0), apply(SELECT, y, dim=dim, index=shape[dim] - 1))
    return apply(MUL, apply(SUB, sum(y, dim), apply(MUL, ends, 0.5)), step)


def trapz(y: Any, x: Any = None, *, dx: Any = None, dim: int = -1) -> Any:
    """:func:`trapezoid` by its older name.

    >>> import wengert as torch
    >>> torch.trapz(torch.tensor([1.0, 2.0]), torch.tensor([0.0, 2.0]))
    tensor(3.)
    """
    return trapezoid(y, x, dx=dx, dim=dim)


def cumulative_trapezoid(y: Any, x: Any = None, *, dx: Any = None, dim: int = -1) -> Any:
    """The running integral of samples ``y`` along the axis ``dim``; one element fewer. Errors as :func:`trapezoid`.

    >>> import wengert as torch
    >>> torch.cumulative_trapezoid(torch.tensor([1.0, 2.0, 4.0]))
    tensor([1.5000, 4.5000])
    """
    dim = _samples("cumulative_trapezoid", y, x, dx, dim)
    if x is not None:
        total = _panels(y, x, dim)
        return apply(DIV, cumsum(total, dim + total._data.ndim - y._data.ndim), 2.0)
    half = _step("cumulative_trapezoid", dx) / 2.0
    return cumsum(apply(MUL, apply(ADD, _head(y, dim), _tail(y, dim)), half), dim)


class DifferenceMethods:
    """Differences as methods."""

    __slots__ = ()

    diff = diff
