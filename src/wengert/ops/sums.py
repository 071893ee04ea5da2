"""Sums of many elements: faster than ``np.add.reduce``, and with rounding errors that grow as slowly or more slowly.

``np.add.reduce`` adds neighbours in memory pairwise (careful, but at a third of the speed that memory allows) and all
else row by row (fast only for long rows, and float32 loses digits over many of them). Here neighbours are added in
blocks, spread over SIMD lanes, and short rows are laid side by side to make long ones.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isqrt, prod
from typing import Any, Final

import numpy as np

Shape = tuple[int, ...]
Dims = tuple[int, ...] | None
Sums = Callable[[Any], Any]

_add: Final[Any] = np.add.reduce

MANY: Final = 1024  # from this many elements on it pays to look for the best way
_RUN: Final = 32768  # from this many elements on np.einsum is faster than np.add.reduce on neighbours
_BLOCK: Final = 2048  # neighbours that are added without care for rounding errors
_FEW: Final = 8  # up to this many columns are added one to the other
_WIDE: Final = 512  # elements that a row should have, and rows that are added one to the other


def kept_shape(shape: Shape, dim: Dims) -> Shape:
    """Give the shape of a reduction's result with ``keepdim``.

    >>> kept_shape((2, 3, 4), (1,))
    (2, 1, 4)
    """
    if dim is None:
        return (1,) * len(shape)
    return tuple([1 if axis in dim else size for axis, size in enumerate(shape)])


def add_many(x: Any, *, dim: Dims, keepdim: bool) -> Any:
    """Sum an array of floats or complex numbers over its axes ``dim`` (sorted; all for None), in its dtype."""
    if (dim is None and x.size < _RUN) or 0 in x.strides:  # a repeated array may be larger than memory
        return _add(x, dim, None, None, keepdim)
    return _over_axes(x, dim, keepdim, _row_sums, _column_sums)


def add_many_squares(x: Any, *, dim: Dims, keepdim: bool) -> Any:
    """Sum the squares of the absolute values over the axes ``dim``; real for complex input."""
    return _over_axes(x, dim, keepdim, _row_squares, _column_squares)


def _over_axes(x: Any, dim: Dims, keepdim: bool, of_rows: Sums, of_columns: Sums) -> Any:
    """Reduce groups of neighbouring axes, last group first; all but the first to be done are sums of the results."""
    shape = x.shape
    axes = tuple(range(len(shape))) if dim is None else dim
    if len(axes) == len(shape) and x.flags.f_contiguous:
        x = x.T
    data = np.ascontiguousarray(x).reshape(-1) if len(axes) == len(shape) else np.ascontiguousarray(x)
    groups = [(0, 1)] if data.ndim == 1 else _groups(axes) or [(0, 0)]
    for first, last in reversed(groups):
        before, after = data.shape[:first], data.shape[last:]
        count = prod(data.shape[first:last])
        if prod(after) == 1:
            data = of_rows(data.reshape(-1, count)).reshape(before + after)
        else:
            data = of_columns(data.reshape(-1, count, prod(after))).reshape(before + after)
        of_rows, of_columns = _row_sums, _column_sums
    return data.reshape(kept_shape(shape, dim)) if keepdim else data[()]


def _groups(axes: Shape) -> list[tuple[int, int]]:
    """Runs of neighbouring axes as (first, one past the last).

    >>> _groups((0, 2, 3))
    [(0, 1), (2, 4)]
    """
    groups: list[tuple[int, int]] = []
    for axis in axes:
        if groups and groups[-1][1] == axis:
            groups[-1] = (groups[-1][0], axis + 1)
        else:
            groups.append((axis, axis + 1))
    return groups


# --- rows: the elements of each sum are neighbours -------------------------------------------------------------------


def _row_sums(rows: Any) -> Any:
    count = rows.shape[1]
    if 0 < count <= _FEW:
        total = rows[:, 0].copy()
        for column in range(1, count):
            total += rows[:, column]
        return total
    return _in_blocks(rows, _einsum_rows) if rows.size >= _RUN else _add(rows, 1)


def _row_squares(rows: Any) -> Any:
    return _in_blocks(rows, _dot_rows)


def _einsum_rows(rows: Any) -> Any:
    return np.einsum("...j->...", rows)


def _dot_rows(rows: Any) -> Any:
    return np.vecdot(rows, rows).real


def _in_blocks(rows: Any, sums: Sums) -> Any:
    count = rows.shape[1]
    if count < 2 * _BLOCK:
        return sums(rows)
    blocks = count // _BLOCK
    whole = blocks * _BLOCK
    total = _add(sums(rows[:, :whole].reshape(-1, blocks, _BLOCK)), 1)
    return total if whole == count else total + sums(rows[:, whole:])


# --- columns: the elements of each sum lie one row apart -------------------------------------------------------------


def _column_sums(tables: Any) -> Any:
    tables_count, rows, width = tables.shape
    while rows > _WIDE and (width < _WIDE or rows > 2 * _WIDE):
        beside = min(max(_WIDE // width, isqrt(rows)), rows // 2)
        whole = rows // beside * beside
        wide = tables[:, :whole].reshape(tables_count, whole // beside, beside * width)
        folded = _add(wide, 1).reshape(tables_count, beside, width)
        if whole < rows:
            folded[:, : rows - whole] += tables[:, whole:]
        tables, rows = folded, beside
    return _add(tables, 1)


def _column_squares(tables: Any) -> Any:
    squares = tables * tables if tables.dtype.kind == "f" else tables.real**2 + tables.imag**2
    return _column_sums(squares)
