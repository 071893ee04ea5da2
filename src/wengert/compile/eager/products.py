"""Products of matrices, and of stacks of matrices pair by pair, as machine code, as :mod:`wengert.ops.products` asks.

Operands have any strides. Measured where registers have 64 bytes: there it takes half of the time of NumPy's OpenBLAS,
whose code for such processors is that of AVX2 where it does not know them; nowhere else is it used.
"""

from __future__ import annotations

from functools import partial
from typing import Final

import numpy as np

from wengert.compile.llvm.places import strides_of
from wengert.compile.nest import Buffer, Kernel, Loop, MatMul, Ref, Role, Statement, at
from wengert.compile.runtime.build import build
from wengert.compile.runtime.linking import host_target

_REGISTER: Final = 64  # bytes of a register from which our products are quicker


def product_kernel(rank: int, dtype: str) -> Kernel:
    """The kernel for operands with so many axes, of which all but the last two are the same for both."""
    lead = [f"n{axis}" for axis in range(rank - 2)]
    axes = [f"i{axis}" for axis in range(rank - 2)]
    a = Buffer("a", dtype, (*lead, "m", "k"), Role.IN, strided=True)
    b = Buffer("b", dtype, (*lead, "k", "n"), Role.IN, strided=True)
    y = Buffer("y", dtype, (*lead, "m", "n"), Role.OUT)
    begin = (*map(at, axes), at(), at())
    out, left, right = (Ref(x.name, begin, *strides_of(x)[-2:]) for x in (y, a, b))
    statement: Statement = MatMul(out, left, right, "m", "n", "k", dtype)
    for level in reversed(range(rank - 2)):
        statement = Loop(axes[level], lead[level], (statement,), parallel=level == 0)
    return Kernel(f"product_{rank}", (a, b, y), (statement,))


def function(name: str, dtype: str) -> object:
    """``product 2`` to ``product 4`` as a function of arrays; None where NumPy is to multiply."""
    if host_target().register < _REGISTER:
        return None
    rank = int(name.removeprefix("product "))
    numpys = np.dot if rank == 2 else partial(np.matmul, order="C")
    return build(product_kernel(rank, dtype), slow=numpys).call


__all__ = ["function", "product_kernel"]
