"""The elementwise operations of the table as IR, by name: one function each, on scalars and vectors alike.

An entry takes the builder, the NumPy dtype of its inputs and the inputs, and the operation's metadata. The formulas are
those of the NumPy implementations, so that compiled results equal eager ones to rounding.
"""

from __future__ import annotations

from typing import Any, Final

from wengert.compile.llvm.activations import ACTIVATIONS
from wengert.compile.llvm.arithmetic import ARITHMETIC
from wengert.compile.llvm.functions import FUNCTIONS
from wengert.compile.llvm.ir import Ir, Val
from wengert.compile.llvm.registry import ELEMENTS, FLOATS, Scalars, bits_of

TABLE: Final = Scalars({**ARITHMETIC, **FUNCTIONS, **ACTIVATIONS})


def supports(op: str, dtype: str, meta: tuple[tuple[str, Any], ...] = ()) -> bool:
    """Whether the operation can be emitted for inputs of a dtype (the second input's, for `where`)."""
    if op in ("cast", "where"):
        return dtype in ELEMENTS
    return op in TABLE and dtype in TABLE[op][1]


def emit(ir: Ir, op: str, dtype: str, args: tuple[Val, ...], meta: dict[str, Any]) -> Val:
    """The operation on inputs of one dtype and one number of lanes."""
    return TABLE[op][0](ir, dtype, *args, **meta)


def cast(x: Val, source: str, target: str) -> Val:
    """X as another dtype, with NumPy's meaning."""
    elem = ELEMENTS[target]
    if source == target:
        return x
    if target == "b1":
        return x.ne(0)
    if source in FLOATS:
        if target in FLOATS:
            return x.convert("fpext" if target == "f8" else "fptrunc", elem)
        wide = x.convert("fptosi", "i64" if target == "i8" else "i32")
        return wide if wide.elem == elem else wide.convert("trunc", elem)
    unsigned = source in ("b1", "u1")
    if target in FLOATS:
        return x.convert("uitofp" if unsigned else "sitofp", elem)
    have, want = bits_of(x.elem), bits_of(elem)
    if have == want:
        return x
    return x.convert("trunc" if have > want else "zext" if unsigned else "sext", elem)
