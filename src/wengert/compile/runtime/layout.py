"""Where the fields of arrays, scalars and boxes lie in memory: what compiled code reads without asking Python.

NumPy's array structure has not changed since 1.7, as extensions compiled against it have the offsets in them. They
are still checked against an array of our own before they are relied on; where anything differs, calls go the slow way.
"""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from types import CellType
from typing import Any, Final

import numpy as np

from wengert._records import record

TYPE: Final = 8  # of any object; another place without the GIL, where this is not used
_HEAD: Final = object.__basicsize__
DATA: Final = _HEAD
NDIM: Final = _HEAD + 8
DIMS: Final = _HEAD + 16
STRIDES: Final = _HEAD + 24
DESCR: Final = _HEAD + 40
FLAGS: Final = _HEAD + 48
SCALAR: Final = _HEAD  # the value of a NumPy scalar, and of a Python float
ITEMS: Final = tuple.__basicsize__
CONTENT: Final = _HEAD  # of a cell
_IMMORTAL: Final = 1 << 31  # a bit of the number of references
_ALLOC: Final = 304  # of a class: the function that makes instances

C_CONTIGUOUS: Final = 0x1
ALIGNED: Final = 0x100
WRITEABLE: Final = 0x400

_API_ARRAY_TYPE: Final = 2
_API_SCALAR: Final = 60
_API_NEW: Final = 93
_API_SET_HANDLER: Final = 304


def _word(address: int) -> int:
    return ctypes.c_uint64.from_address(address).value


@record
class ArrayApi:
    """Addresses of NumPy's functions that make arrays and scalars."""

    new: int
    scalar: int
    set_handler: int


@cache
def array_api() -> ArrayApi | None:
    """The functions, or None if this Python or NumPy is not laid out as expected."""
    if sys.implementation.name != "cpython" or _HEAD != 16:  # without the GIL objects begin with more
        return None
    if hasattr(sys, "gettotalrefcount"):  # a build that counts references in more than one place
        return None
    if ctypes.sizeof(ctypes.c_void_p) != 8 or not _fields_are_right():
        return None
    get = ctypes.pythonapi.PyCapsule_GetPointer
    get.restype, get.argtypes = ctypes.c_void_p, (ctypes.py_object, ctypes.c_char_p)
    table = get(np._core._multiarray_umath._ARRAY_API, None)  # type: ignore[attr-defined]
    if _word(table + 8 * _API_ARRAY_TYPE) != id(np.ndarray):
        return None
    return ArrayApi(*[_word(table + 8 * number) for number in (_API_NEW, _API_SCALAR, _API_SET_HANDLER)])


def _fields_are_right() -> bool:
    """Compare what memory holds with what Python says, for arrays and scalars of our own."""
    for probe in (np.arange(24.0).reshape(4, 6)[::2, 1:], np.zeros((3, 5), np.int8), np.array(1.5, np.float32)):
        place, n = id(probe), probe.ndim
        if (
            _word(place + TYPE) != id(np.ndarray)
            or _word(place + DATA) != probe.ctypes.data
            or ctypes.c_int.from_address(place + NDIM).value != n
            or _words(place + DIMS, n) != list(probe.shape)
            or _words(place + STRIDES, n) != list(probe.strides)
            or _word(place + DESCR) != id(probe.dtype)
            or ctypes.c_int.from_address(place + FLAGS).value != probe.flags.num
        ):
            return False
    pair = (probe, None)
    if not _counts_are_right() or not _cells_are_right() or _word(id(pair) + ITEMS) != id(probe):
        return False
    single, double, number = np.float32(1.25), np.float64(-3.75), 2.5
    return (
        ctypes.c_float.from_address(id(single) + SCALAR).value == 1.25
        and ctypes.c_double.from_address(id(double) + SCALAR).value == -3.75
        and ctypes.c_double.from_address(id(number) + SCALAR).value == 2.5
    )


def _counts_are_right() -> bool:
    """Whether the number of references to an object stands where it is expected."""
    probe = object()
    before = _word(id(probe))
    more = [probe, probe, probe]
    return _word(id(probe)) - before == len(more)


def _cells_are_right() -> bool:
    """Whether a variable of a function around stands where it is expected, and nothing does where it has no value."""
    content = object()
    full, empty = CellType(content), CellType()
    return _word(id(full) + CONTENT) == id(content) and _word(id(empty) + CONTENT) == 0


def allocator(cls: type) -> int:
    """The address of the function that makes instances of a class; 0 if it is not where it is expected."""
    python = ctypes.cast(ctypes.pythonapi.PyType_GenericAlloc, ctypes.c_void_p).value
    return _word(id(cls) + _ALLOC) if _word(id(object) + _ALLOC) == python else 0


def is_counted(thing: Any) -> bool:
    """Whether references to an object are counted: from Python 3.12 on those to immortal ones are not."""
    return sys.version_info < (3, 12) or not _word(id(thing)) & _IMMORTAL


def _words(place: int, count: int) -> list[int]:
    return [ctypes.c_int64.from_address(_word(place) + 8 * i).value for i in range(count)]


def slot_offset(instance: Any, name: str) -> int | None:
    """Where an instance with ``__slots__`` keeps an attribute; None if it cannot be found."""
    marker = object()
    before = getattr(instance, name)
    setattr(instance, name, marker)
    try:
        places = [o for o in range(_HEAD, type(instance).__basicsize__, 8) if _word(id(instance) + o) == id(marker)]
    finally:
        setattr(instance, name, before)
    return places[0] if len(places) == 1 else None
