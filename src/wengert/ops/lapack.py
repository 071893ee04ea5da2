"""LAPACK's elimination, where the library that NumPy is linked with lets it be called by itself.

NumPy eliminates anew for each solution and each determinant. It has no function for the factors alone, but the library
is there, with names that depend on how it was built. Whether its integers have 32 or 64 bits is found out by trying.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from importlib import import_module
from sys import byteorder
from typing import Any, Final, NamedTuple

import numpy as np

_NAMES: Final = ("scipy_{}_64_", "{}_64_", "{}_")
_LETTERS: Final = {"f": "s", "d": "d", "F": "c", "D": "z"}


class _Routines(NamedTuple):
    """What factorises and what solves, and the dtype of their integers."""

    factorise: Callable[..., Any]
    solve: Callable[..., Any]
    integer: Any


def _found(library: Any, name: str) -> Callable[..., Any] | None:
    for form in _NAMES:
        routine: Callable[..., Any] | None = getattr(library, form.format(name), None)
        if routine is not None:
            return routine
    return None


@cache
def _routines(char: str) -> _Routines | None:
    """Those for a dtype, by its character; None if there are none, or they do not do what they should."""
    if char not in _LETTERS or byteorder != "little":
        return None
    try:
        library = ctypes.CDLL(import_module("numpy.linalg._umath_linalg").__file__)
    except (ImportError, OSError):
        return None
    names = [_LETTERS[char] + name for name in ("getrf", "getrs")]
    factorise, solve = [_found(library, name) for name in names]
    if factorise is None or solve is None:
        return None
    factorise.argtypes = [ctypes.c_void_p] * 6  # type: ignore[attr-defined]
    solve.argtypes = [ctypes.c_char_p, *[ctypes.c_void_p] * 8, ctypes.c_size_t]  # type: ignore[attr-defined]
    for integer in (np.int64, np.int32):
        made = _Routines(factorise, solve, integer)
        lu, pivots = _factorised(made, np.array([[0, 2], [4, 8]], char))
        if pivots.tolist() == [2, 2] and lu.tolist() == [[4, 8], [0, 2]]:
            return made
    return None


def has(char: str) -> bool:
    """Whether there is an elimination for a dtype."""
    return _routines(char) is not None


def _address(a: Any) -> int:
    """Where an array in Fortran's order lies, which can be written to; `a.ctypes` takes five times as long."""
    return ctypes.addressof(ctypes.c_char.from_buffer(a.T))


def _factorised(routines: _Routines, a: Any) -> tuple[Any, Any]:
    lu = np.array(a, order="F")
    rows, columns = lu.shape
    steps = min(rows, columns)
    pivots = np.zeros(steps + 1, np.int64).view(routines.integer)
    numbers = np.array((rows, columns, 0))  # of 64 bits, little end first: as ones of 32 bits they are read right
    at = _address(numbers)
    routines.factorise(at, at + 8, _address(lu), at, _address(pivots), at + 16)
    return np.ascontiguousarray(lu), pivots[:steps].astype(np.int32)


def factorised(a: Any) -> tuple[Any, Any]:
    """Both triangles of one matrix, and the rows exchanged, from 1; for a dtype that :func:`has` knows."""
    routines = _routines(a.dtype.char)
    assert routines is not None
    return _factorised(routines, a)


def solved(lu: Any, pivots: Any, b: Any, *, turned: bool) -> Any:
    """The solution of a system with what was factorised, or its transpose; ``pivots`` must name rows of it."""
    routines = _routines(lu.dtype.char)
    assert routines is not None
    lu = np.asfortranarray(lu) if lu.flags.writeable else lu.copy("F")
    x = np.array(b, order="F")
    exchanged = pivots.astype(routines.integer)
    numbers = np.array((len(lu), x.shape[1], 0))
    at = _address(numbers)
    given = at, at + 8, _address(lu), at, _address(exchanged), _address(x), at, at + 16
    routines.solve(b"T" if turned else b"N", *given, 1)
    return np.ascontiguousarray(x)


__all__ = ["factorised", "has", "solved"]
