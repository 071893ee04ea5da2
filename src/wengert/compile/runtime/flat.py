"""Elementwise kernels as callables that take arrays of any one shape: the tables that their entry code reads."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from wengert import _threads
from wengert.compile.llvm import machine
from wengert.compile.runtime import flat_code as code
from wengert.compile.runtime import layout
from wengert.compile.runtime.entry_point import LONG, SCALARS, EntryPoint, Table, table_of
from wengert.compile.runtime.support import support

_PREPARE: Final = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p)
_SAMPLE: Final = 1 << 16  # elements for which the work is asked


_making: Final = _threads.Lock()  # one thread makes kernels at a time


class FlatCode(NamedTuple):
    """Machine code of a kernel of one size."""

    object_code: bytes
    name: str  # of the function
    prepare: str  # of the function that says how much work it is
    is_shared: bool  # whether threads may share its work
    places: tuple[int, ...]  # which buffer each argument and result is; -1: it does not read that argument


@_threads.once
def _entry() -> EntryPoint | None:
    api = layout.array_api()
    return EntryPoint(api, code.TEXT, code.NAME, code.IMPORTS) if api is not None else None


def has_flat_entry() -> bool:
    """Whether elementwise kernels can be called in this process; loads what calls them."""
    return _entry() is not None


class FlatKernel:
    """An elementwise operation on arrays of any one shape, as machine code.

    ``call(*arguments)`` gives fresh results, one array or a tuple. Arguments are arrays in memory order, or the same
    for all elements: arrays of strides 0 or without axes, NumPy scalars, Python numbers.

    Args:
        arguments: the dtypes of the arguments; "" for one that may be anything, as nothing reads it.
        results: the dtypes of the results.
        sizes: the least and the largest number of elements for which machine code is used.
        variant: finds the code for a set of arguments that are the same for all elements (bit i: argument i); None
            where machine code is not wanted. Its answers must not depend on when it is asked.
        otherwise: called with the same arguments wherever there is no kernel for them.
        is_number: the one result is a number, not an array.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        results: Sequence[str],
        sizes: tuple[int, int],
        variant: Callable[[int], FlatCode | None],
        otherwise: Callable[..., Any],
        *,
        is_number: bool = False,
    ) -> None:
        self.call: Callable[..., Any]
        entry = _entry()
        if entry is None or len(arguments) + len(results) > code.MOST:
            self.call = otherwise
            return
        self._arguments = tuple([np.dtype(each) if each else None for each in arguments])
        self._variant = variant
        self._otherwise = otherwise
        self._asked: set[int] = set()
        self._variants = np.zeros((1 << len(arguments), code.V_WORDS), np.int64)
        self._keep: list[Any] = [self._arguments, self._slow]
        rows = [_argument_row(each) for each in self._arguments]
        kinds = [np.dtype(each) for each in results]
        table = np.zeros(code.WORDS, np.int64).view(Table)
        table[code.SLOW] = id(self._keep[1])
        table[code.ARGUMENTS], table[code.RESULTS] = len(arguments), len(results)
        table[code.ARGUMENT_TABLE] = table_of(rows, self._keep)
        self._keep += kinds
        numbers = [id(kind) if is_number else 0 for kind in kinds]
        rows = [[kind.num, kind.itemsize, number] for kind, number in zip(kinds, numbers, strict=True)]
        table[code.RESULT_TABLE] = table_of(rows, self._keep)
        table[code.VARIANTS] = self._variants.ctypes.data
        table[code.LEAST], table[code.MOST_ELEMENTS] = sizes
        table[code.HANDLER] = 0 if (handler := support().handler) is None else id(handler)
        table.keep = self._keep
        table.flags.writeable = False
        self.call = entry.function(table)

    def _slow(self, *arguments: Any) -> Any:
        """What the entry code hands on: a variant that is not made yet, or nothing for machine code."""
        mask = self._mask(arguments)
        if mask is None or mask in self._asked:
            return self._otherwise(*arguments)
        with _making.held:
            if mask not in self._asked:
                found = self._variant(mask)
                if found is not None:
                    self._enter(mask, found)
                self._asked.add(mask)
        return self.call(*arguments)

    def _mask(self, arguments: Sequence[Any]) -> int | None:
        """Which arguments are the same for all elements; None if there are too few or too many."""
        if len(arguments) != len(self._arguments):
            return None
        read = [
            (i, x) for i, (x, dtype) in enumerate(zip(arguments, self._arguments, strict=True)) if dtype is not None
        ]
        return sum([1 << i for i, x in read if x.__class__ is not np.ndarray or not any(x.strides)])

    def _enter(self, mask: int, found: FlatCode) -> None:
        """Link the machine code of a variant and let calls find it."""
        linked = machine.link(found.object_code, (found.name, found.prepare), support().addresses)
        if found.is_shared:
            support().use_threads()
        self._keep.append(linked)
        row = self._variants[mask]
        row[code.V_LONG] = _long(linked.address(found.prepare))
        for number, place in enumerate(found.places):
            row[code.V_PLACES + number] = place
        row[code.V_KERNEL] = linked.address(found.name)  # last: from now on calls take it


def _argument_row(dtype: np.dtype[Any] | None) -> list[int]:
    row = [0] * code.A_WORDS
    if dtype is None:
        return row
    row[code.A_DESCR] = id(dtype)
    row[code.A_SCALAR] = id(SCALARS[dtype.str[1:]][0])
    row[code.A_NUMBER] = dtype.itemsize if dtype.kind == "f" else 0
    return row


def _long(prepare: int) -> int:
    """The number of elements from which other Python threads may run meanwhile."""
    shape, size = (ctypes.c_int64 * code.MOST)(), ctypes.c_int64(_SAMPLE)
    work: int = _PREPARE(prepare)(ctypes.addressof(size), ctypes.addressof(shape))
    return max(1, LONG * _SAMPLE // max(work, 1))


__all__ = ["FlatCode", "FlatKernel", "has_flat_entry"]
