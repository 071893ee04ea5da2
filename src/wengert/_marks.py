"""Marks of threads that machine code can see: it asks Python's C interface for what a thread has under a key."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

# Some Pythons were built without it: they have no machine code, either.
_ctypes: Final[Any] = import_module("ctypes") if find_spec("_ctypes") is not None else None


def _function(name: str, result: str, *arguments: str) -> Any:
    """A function of Python's C interface; None where that is out of reach."""
    python = getattr(_ctypes, "pythonapi", None)
    if not hasattr(python, name):
        return None
    types = [getattr(_ctypes, kind) for kind in (result, *arguments)]
    return _ctypes.PYFUNCTYPE(*types)((name, python))


class ThreadMark:
    """A number that each thread has; at first it is 0."""

    __slots__ = ("_set", "address")

    def __init__(self) -> None:
        new = _function("PyThread_tss_alloc", "c_void_p")
        create = _function("PyThread_tss_create", "c_int", "c_void_p")
        self._set = _function("PyThread_tss_set", "c_int", "c_void_p", "c_void_p")
        key = new() if new and create and self._set else None
        # Of the key, for `PyThread_tss_get`; 0 where there is none.
        self.address: int = key if key and create(key) == 0 else 0

    def put(self, number: int) -> None:
        """Let this thread have another number."""
        if self.address and self._set(self.address, number or None) != 0:
            raise MemoryError("no memory for what a thread keeps")


__all__ = ["ThreadMark"]
