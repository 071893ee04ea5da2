"""Choosing and adding along one axis by an index array, as machine code where somebody makes it.

Machine code adds in the order in which NumPy does, so both ways give the same bits, and which one runs is a matter of
time alone (:mod:`wengert.ops.machine`). It looks at every index before it follows one, and works on arrays of float32
or float64 in memory order; everything else is NumPy's.
"""

from __future__ import annotations

from math import prod
from typing import Any, Final

import numpy as np

from wengert.ops.machine import MACHINE, Kernel

Shape = tuple[int, ...]

MANY: Final = 64  # elements from which machine code is asked for: NumPy takes several calls
_INT64: Final = np.dtype(np.int64)


def _kernel(name: str, values: Any, index: Any) -> Kernel | None:
    """The machine code for these values and indices, if there is some and it takes them as they are."""
    if values.__class__ is not np.ndarray or index.__class__ is not np.ndarray or index.dtype is not _INT64:
        return None
    if not values.flags.c_contiguous or not index.flags.c_contiguous or not values.dtype.isnative:
        return None
    return MACHINE.kernel(name, values.dtype.char)


def chosen(x: Any, index: Any, dim: int) -> Any:
    """``x`` at the places of ``index`` along ``dim``: one for each element, or (1-d) the same along the other axes.

    None where this is left to NumPy.

    Raises:
        IndexError: an index names a place outside.
    """
    is_shared = index.ndim == 1 < x.ndim
    after = prod(x.shape[dim + 1 :])
    if is_shared and after > 1:  # whole rows: NumPy copies them at the speed of memory
        return None
    kernel = _kernel(_name("chosen", is_shared, after), x, index)
    if kernel is None or not (is_shared or _agree(x.shape, index.shape, dim)):
        return None
    parts = _in_three(x, dim, after), (index if is_shared else _in_three(index, dim, after))
    y, least, most = kernel(*parts)
    _check(least, most, dim, x.shape[dim])
    shape = (*x.shape[:dim], index.size, *x.shape[dim + 1 :]) if is_shared else index.shape
    return y if y.shape == shape else y.reshape(shape)


def added_into(out: Any, index: Any, values: Any, dim: int) -> bool:
    """Whether ``values`` could be added to ``out`` at the places of ``index`` along ``dim``, and were.

    ``index`` is as in :func:`chosen`.

    Raises:
        IndexError: an index names a place outside; ``out`` may have been written to in part.
    """
    is_shared = index.ndim == 1 < out.ndim
    after = prod(out.shape[dim + 1 :])
    kernel = _kernel(_name("added", is_shared, after), values, index)
    if kernel is None or out.dtype is not values.dtype or not out.flags.c_contiguous:
        return False
    if not _agree(out.shape, values.shape, dim) or not (is_shared or index.shape == values.shape):
        return False
    places = index if is_shared else _in_three(index, dim, after)
    least, most = kernel(places, _in_three(values, dim, after), _in_three(out, dim, after))
    _check(least, most, dim, out.shape[dim])
    return True


def _check(least: int, most: int, dim: int, size: int) -> None:
    """Raise if the least or the largest index names no place; the functions that users call look beforehand."""
    if least < 0 or most >= size:
        wrong = least if least < 0 else most
        raise IndexError(f"index {wrong} is out of bounds for dimension {dim} with size {size}")


def _name(what: str, is_shared: bool, after: int) -> str:
    return f"{what} {'shared' if is_shared else 'own'} {'deep' if after > 1 else 'flat'}"


def _agree(shape: Shape, other: Shape, dim: int) -> bool:
    """Whether two shapes are the same but for one axis."""
    return len(shape) == len(other) and shape[:dim] == other[:dim] and shape[dim + 1 :] == other[dim + 1 :]


def _in_three(x: Any, dim: int, after: int) -> Any:
    """The array with the axes before ``dim`` as one, and those after it too (none where they have one element)."""
    if dim == 1 and x.ndim == (3 if after > 1 else 2):
        return x
    count = prod(x.shape[:dim])
    return x.reshape((count, x.shape[dim], after) if after > 1 else (count, x.shape[dim]))


__all__ = ["MANY", "added_into", "chosen"]
