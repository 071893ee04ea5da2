"""Machine code that chooses or adds along one axis by an index array, as :mod:`wengert.ops.indexed` asks for it.

Each kernel gives, beside its result, the least and the largest index. A line of the outer axis whose indices do not all
name places is left out, so that nothing is read or written elsewhere.
"""

from __future__ import annotations

from typing import Final

from wengert.compile.nest import (
    Acc,
    Affine,
    Buffer,
    Compute,
    Expr,
    If,
    Indirect,
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

_LAST: Final = Affine((), Expr("-", ("k", 1)))


def index_kernel(name: str, dtype: str) -> Kernel:
    """The loop nest of this name: ``chosen`` or ``added``, by ``shared`` or ``own`` indices, ``flat`` or ``deep``.

    With deep arrays there is an axis after the one that indices stand for.
    """
    what, whose, depth = name.split()
    is_shared, is_deep = whose == "shared", depth == "deep"
    deep = ("w",) if is_deep else ()
    inner = (at("i"),) if is_deep else ()
    index = Buffer("index", "i8", ("m",) if is_shared else ("n", "m", *deep), Role.IN)
    load = Load("p", "index", (at("j"),) if is_shared else (at("o"), at("j"), *inner))
    own, chosen = (at("o"), at("j"), *inner), (at("o"), Indirect("p"), *inner)
    if what == "chosen":
        arrays = (
            Buffer("x", dtype, ("n", "k", *deep), Role.IN),
            index,
            Buffer("y", dtype, ("n", "m", *deep), Role.OUT),
        )
        core: tuple[Statement, ...] = (Load("v", "x", chosen), Store("y", own, "v"))
        in_order = None
    else:
        arrays = (
            index,
            Buffer("g", dtype, ("n", "m", *deep), Role.IN),
            Buffer("y", dtype, ("n", "k", *deep), Role.INOUT),
        )
        core = (Load("v", "g", own), Store("y", chosen, "v", add=True))
        in_order = False  # several may go to one place
    body = _along_inner(load, core, is_shared, is_deep, in_order)
    results = (Buffer("least", "i8", (), Role.OUT), Buffer("most", "i8", (), Role.OUT))
    line = (*_bounds(is_shared=is_shared, is_deep=is_deep), If("good", (Loop("j", "m", body, vector=in_order),), ()))
    loop = Loop(
        "o", "n", line, accs=(Acc("lowest", "min", "low"), Acc("highest", "max", "high")), parallel=True, vector=False
    )
    return Kernel(
        name.replace(" ", "_"), (*arrays, *results), (loop, Store("least", (), "lowest"), Store("most", (), "highest"))
    )


def _along_inner(
    load: Load, core: tuple[Statement, ...], is_shared: bool, is_deep: bool, in_order: bool | None
) -> tuple[Statement, ...]:
    """What is done at one place of the indexed axis."""
    if not is_deep:
        return (load, *core)
    if is_shared:
        return (load, Loop("i", "w", core))
    return (Loop("i", "w", (load, *core), vector=in_order),)


def _bounds(*, is_shared: bool, is_deep: bool) -> tuple[Statement, ...]:
    """The least and the largest index of a line, ``low`` and ``high``, and whether all are ``good``."""
    if is_shared or not is_deep:
        place = (at("a"),) if is_shared else (at("o"), at("a"))
        body: tuple[Statement, ...] = (Load("q", "index", place),)
        loop = Loop("a", "m", body, accs=(Acc("low", "min", "q"), Acc("high", "max", "q")))
    else:
        load = Load("q", "index", (at("o"), at("a"), at("b")))
        body = (Loop("b", "w", (load,), accs=(Acc("first", "min", "q"), Acc("final", "max", "q"))),)
        loop = Loop("a", "m", body, accs=(Acc("low", "min", "first"), Acc("high", "max", "final")), vector=False)
    return (
        loop,
        Iota("last", _LAST),
        Compute("above", "ge", ("low", 0), "b1"),
        Compute("below", "le", ("high", "last"), "b1"),
        Compute("good", "logical_and", ("above", "below"), "b1"),
    )


def function(name: str, dtype: str) -> object:
    """The kernel as a function of arrays."""
    return build(index_kernel(name, dtype)).call


__all__ = ["function", "index_kernel"]
