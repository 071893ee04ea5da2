"""Functions of machine code as Python builtins whose `self` holds the tables that the code reads."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from types import MethodType
from typing import Any, Final

import numpy as np

from wengert.compile.llvm import machine
from wengert.compile.runtime import entry_code as code
from wengert.compile.runtime import layout
from wengert.compile.runtime.objects import compiled_object

# Work, in sixteenths of an instruction, from which other Python threads may run meanwhile: some 10 microseconds.
LONG: Final = 16 * 50_000
SCALARS: Final = {
    "f4": (np.float32,),
    "f8": (np.float64, float),
    "i8": (np.int64,),
    "i4": (np.int32,),
    "b1": (np.bool_,),
}


class Table(np.ndarray[Any, Any]):
    """The words that the entry code reads; it owns all they point to."""

    keep: list[Any]


class _MethodDef(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p),
        ("function", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    )


_METH_FASTCALL: Final = 0x80
_METH_KEYWORDS: Final = 0x02


class EntryPoint:
    """A function of machine code that Python can call, and the making of builtins from it."""

    def __init__(
        self,
        api: layout.ArrayApi,
        text: str,
        name: str | Sequence[str],
        imports: Sequence[str] = (),
        *,
        takes_keywords: bool = False,
    ) -> None:
        python = ctypes.pythonapi
        names = (name,) if isinstance(name, str) else tuple(name)
        named = (*code.IMPORTS, *imports)
        addresses = {each: ctypes.cast(getattr(python, each), ctypes.c_void_p).value or 0 for each in named}
        addresses |= {
            "wengert_array_type": id(np.ndarray),
            "wengert_none": id(None),
            "wengert_float_type": id(float),
            "wengert_int_type": id(int),
            "wengert_method_type": id(MethodType),
            "wengert_exception": id(Exception),
            "wengert_true": id(True),
            "wengert_false": id(False),
            "wengert_array_new": api.new,
            "wengert_array_scalar": api.scalar,
            "wengert_set_handler": api.set_handler,
        }
        self.linked = machine.link(compiled_object(text), names, addresses)
        flags = _METH_FASTCALL | (_METH_KEYWORDS if takes_keywords else 0)
        doc = b"Call the machine code of a kernel."
        # Python keeps a pointer to these for as long as any function made from them lives, so they are never freed.
        self.methods = [_MethodDef(b"kernel", self.linked.address(each), flags, doc) for each in names]
        self.new = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.py_object, ctypes.c_void_p)(
            ("PyCFunction_NewEx", python)
        )

    def function(self, table: Table, number: int = 0) -> Callable[..., Any]:
        """A builtin function with this table, of the code that has this number."""
        return self.new(ctypes.addressof(self.methods[number]), table, None)  # type: ignore[no-any-return]


def table_of(rows: Sequence[Sequence[int]], keep: list[Any]) -> int:
    """Words in memory that lives as long as ``keep``; returns its address."""
    flat = np.array([word for row in rows for word in row] or [0], np.int64)
    keep.append(flat)
    return int(flat.ctypes.data)
