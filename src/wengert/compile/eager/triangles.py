"""Systems of equations with a triangular matrix, row after row, as :mod:`wengert.ops.triangles` asks.

A row needs those that are solved already. The sums run over all places of a row, of which those beyond count as 0: for
as few rows as one block has that is quicker than loops of changing length.
"""

from __future__ import annotations

from typing import Final

from wengert.compile.nest import (
    Acc,
    Affine,
    Buffer,
    Compute,
    Expr,
    Index,
    Iota,
    Kernel,
    Load,
    Loop,
    Role,
    Statement,
    Store,
    at,
)
from wengert.compile.runtime.build import build

_BEFORE: Final = {"lower": "lt", "upper": "gt"}  # how the places of the rows that are solved already are to the row's


def triangle_kernel(which: str, dtype: str, *, is_vector: bool) -> Kernel:
    """``x`` of ``a @ x = b`` with columns ``b``, or one that is a vector; of ``a`` one triangle is read."""
    row = at("i") if which == "lower" else Affine((("i", -1),), Expr("-", ("n", 1)))
    column: tuple[Index, ...] = () if is_vector else (at("c"),)
    shape = ("n",) if is_vector else ("n", "m")
    terms: tuple[Statement, ...] = (
        Load("a.j", "a", (row, at("j"))),
        Load("x.j", "x", (at("j"), *column)),
        Iota("j.at", at("j")),
        Iota("i.at", row),
        Compute("known", _BEFORE[which], ("j.at", "i.at"), "b1"),
        Compute("product", "mul", ("a.j", "x.j"), dtype),
        Compute("term", "where", ("known", "product", 0.0), dtype),
    )
    solved: tuple[Statement, ...] = (
        Loop("j", "n", terms, accs=(Acc("sum", "sum", "term"),)),
        Load("b.i", "b", (row, *column)),
        Load("a.i", "a", (row, row)),
        Compute("rest", "sub", ("b.i", "sum"), dtype),
        Compute("x.i", "div", ("rest", "a.i"), dtype),
        Store("x", (row, *column), "x.i"),
    )
    body = solved if is_vector else (Loop("c", "m", solved),)
    buffers = (
        Buffer("a", dtype, ("n", "n"), Role.IN, strided=True),
        Buffer("b", dtype, shape, Role.IN, strided=True),
        Buffer("x", dtype, shape, Role.OUT),
    )
    return Kernel(f"solve_{which}", buffers, (Loop("i", "n", body, vector=False),))


def function(name: str, dtype: str) -> object:
    """``solve lower`` or ``solve upper``, for a vector where it says so, as a function of arrays."""
    _, which, *vector = name.split()
    return build(triangle_kernel(which, dtype, is_vector=bool(vector))).call


__all__ = ["function", "triangle_kernel"]
