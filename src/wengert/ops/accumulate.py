"""Sums into chosen places of an array of zeros, the adjoint of choosing; places may repeat.

``np.add.at`` is fast only on flat arrays (1 ns an element against 7 to 20 with several axes), so everything is brought
to flat indices first.
"""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import Any, Final

import numpy as np

from wengert.ops.indexed import MANY, added_into, chosen

Shape = tuple[int, ...]

_FEW: Final = 1024  # below this many elements building flat indices costs more than it saves
_REMEMBERED: Final = 4096  # up to this many elements the places of an index's other axes are kept
_WIDE: Final = 64  # rows longer than this are added row by row
_MANY: Final = 2**15  # ... if they have at least so many elements: sorting their indices takes longer otherwise
_ROUNDS: Final = 8  # ... unless an index occurs more often than this


def strides_of(shape: Shape) -> list[int]:
    """Steps between neighbours along each axis, in elements, of a row-major array.

    >>> strides_of((2, 3, 4))
    [12, 4, 1]
    """
    strides = [1] * len(shape)
    for axis in range(len(shape) - 2, -1, -1):
        strides[axis] = strides[axis + 1] * shape[axis + 1]
    return strides


def flat_index(index: Any, shape: Shape, dim: int) -> Any:
    """The places in a flat array of ``shape``: along ``dim`` as ``index`` says, along the other axes its own place."""
    return _placed(index, index.shape, shape, dim)


def flat_rows(index: Any, counted: Shape, shape: Shape, dim: int) -> Any:
    """As :func:`flat_index` for an index with one axis, the same for all places along the other axes of ``counted``."""
    return _placed(index.reshape((-1,) + (1,) * (len(shape) - dim - 1)), counted, shape, dim)


def _placed(index: Any, counted: Shape, shape: Shape, dim: int) -> Any:
    if len(shape) < 2:
        return index
    others = _others if prod(counted) <= _REMEMBERED else _others.__wrapped__
    stride, steps = others(counted, shape, dim)
    return (index if stride == 1 else index * stride) + steps


@lru_cache(maxsize=256)
def _others(counted: Shape, shape: Shape, dim: int) -> tuple[int, Any]:
    """The step along ``dim`` in a flat array of ``shape``, and the places at which the other axes stand."""
    strides = strides_of(shape)
    steps: Any = 0
    for axis, length in enumerate(counted):
        if axis != dim and length != 1:
            along = np.arange(length) * strides[axis]  # of nothing the step may be 0
            steps = steps + along.reshape((-1,) + (1,) * (len(counted) - axis - 1))
    return strides[dim], steps


def add_flat(out: Any, places: Any, values: Any) -> None:
    """``out[p] += v`` for each place and value, on the flat array ``out``."""
    np.add.at(out, places.reshape(-1), values.reshape(-1))


def taken_along(x: Any, index: Any, dim: int) -> Any:
    """``x[index]`` along one axis, with an index for each element of the result."""
    if index.size >= MANY:
        y = chosen(x, index, dim)
        if y is not None:
            return y
    return x.reshape(-1).take(flat_index(index, x.shape, dim))


def sum_into(shape: Shape, places: Any, values: Any, dtype: Any) -> Any:
    """Zeros of ``shape`` with ``values`` added at flat ``places``; float16 adds in float32."""
    work = np.dtype(np.float32) if dtype.char == "e" else dtype
    out = np.zeros(shape, work)
    add_flat(out.reshape(-1), places, values if values.dtype is work else values.astype(work))
    return out if work is dtype else out.astype(dtype)


def sum_along(shape: Shape, index: Any, values: Any, dim: int) -> Any:
    """Zeros of ``shape`` with ``values`` added along one axis: at an index for each, or at the same for all lines."""
    if values.size >= MANY:
        out = np.zeros(shape, values.dtype)
        if added_into(out, index, values, dim):
            return out
    if index.ndim == 1:
        if values.size >= _MANY:
            return np.moveaxis(sum_rows(shape[dim], index, np.moveaxis(values, dim, 0)), 0, dim)
        return sum_into(shape, flat_rows(index, values.shape, shape, dim), values, values.dtype)
    return sum_into(shape, flat_index(index, shape, dim), values, values.dtype)


def sum_rows(count: int, index: Any, rows: Any) -> Any:
    """``count`` rows of zeros with ``rows[k]`` added to row ``index[k]``."""
    shape = (count, *rows.shape[1:])
    if rows.size >= MANY:
        out = np.zeros(shape, rows.dtype)
        if added_into(out, index, rows, 0):
            return out
    length = prod(rows.shape[1:])
    if length <= _WIDE or rows.size < _MANY or rows.dtype.char == "e":
        return sum_into(shape, _places_of_rows(index, length), rows, rows.dtype)
    out = np.zeros(shape, rows.dtype)
    add_rows(out, index, rows)
    return out


def _places_of_rows(index: Any, length: int) -> Any:
    return index if length == 1 else (index * length)[:, None] + np.arange(length)


def add_rows(out: Any, index: Any, rows: Any) -> None:
    """``out[index[k]] += rows[k]`` for each ``k``, on a row-major array.

    Long rows are added in rounds, each with the next row for every index: NumPy adds rows at different places at full
    speed, 3 times faster than element by element.
    """
    length = prod(rows.shape[1:])
    if length > _WIDE and rows.size >= _MANY:
        order = np.argsort(index, kind="stable")
        ordered = index[order]
        starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
        counts = np.diff(starts, append=index.size)
        rounds = int(counts.max())
        if rounds <= _ROUNDS:
            for turn in range(rounds):
                taken = order[starts[counts > turn] + turn]
                out[index[taken]] += rows[taken]
            return
    add_flat(out.reshape(-1), _places_of_rows(index, length), rows)


def sum_indexed(g: Any, key: tuple[Any, ...], shape: Shape) -> Any:
    """Zeros of ``shape`` with ``g`` added at ``key``: index arrays of integers and full slices, as in ``x[key]``."""
    axes = [axis for axis, part in enumerate(key) if not isinstance(part, slice)]
    if len(axes) == 1:
        dim = axes[0]
        places = _ravelled(key[dim : dim + 1], shape[dim : dim + 1]).reshape(-1)
        return sum_along(shape, places, g.reshape(*shape[:dim], places.size, *shape[dim + 1 :]), dim)
    if g.size < _FEW and g.dtype.char != "e":
        out = np.zeros(shape, g.dtype)
        np.add.at(out, key, g)
        return out
    rest = [axis for axis in range(len(shape)) if axis not in axes]
    arrays = np.broadcast_arrays(*[key[axis] for axis in axes])
    sizes = tuple(shape[axis] for axis in axes)
    places = _ravelled(arrays, sizes)
    adjacent = axes[-1] - axes[0] == len(axes) - 1
    if adjacent and axes[0]:  # the index axes of g stand where the first indexed axis stood: bring them to the front
        width = arrays[0].ndim
        g = np.moveaxis(g, range(axes[0], axes[0] + width), range(width))
    rows = g.reshape(places.size, *[shape[axis] for axis in rest])
    out = sum_rows(prod(sizes), places.reshape(-1), rows).reshape(sizes + rows.shape[1:])
    return np.moveaxis(out, range(len(axes)), axes)


def _ravelled(arrays: Any, sizes: Shape) -> Any:
    places = 0
    for array, size, stride in zip(arrays, sizes, strides_of(sizes), strict=True):
        index = array.astype(np.intp, copy=False)
        if index.size and index.min() < 0:
            index = np.where(index < 0, index + size, index)
        if len(sizes) == 1:
            return index
        places = places + index * stride
    return places
