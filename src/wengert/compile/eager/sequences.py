"""Long short-term memory over a whole sequence as one kernel, forward and backward, as its implementations ask.

A step is a product of matrices and a loop over batch and units, so that gates and memories are written and read once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from wengert.compile.nest import (
    Affine,
    Buffer,
    Compute,
    Expr,
    Extent,
    If,
    Index,
    Iota,
    Kernel,
    Load,
    Loop,
    MatMul,
    Operand,
    Ref,
    Role,
    Statement,
    Store,
    at,
)
from wengert.compile.runtime.build import build
from wengert.compile.runtime.linking import host_target

_REGISTER: Final = 64  # bytes of a register from which our products are quicker
_GATES: Final = ("enter", "keep", "new", "show")
_ROW: Final = (at("row"), at("unit"))


class _Cell:
    """What is done at each element of a step: loads, computations and stores, by name."""

    def __init__(self, dtype: str, t: Affine) -> None:
        self.dtype = dtype
        self.t = t
        self.body: list[Statement] = []

    def load(self, name: str, buffer: str, *index: Index, outside: float | None = None) -> str:
        self.body.append(Load(name, buffer, index, outside))
        return name

    def part(self, name: str, buffer: str, number: int) -> str:
        """The element of one of four parts that lie side by side."""
        return self.load(name, buffer, self.t, at("row"), _in_part(number))

    def make(self, name: str, op: str, *args: Operand) -> str:
        self.body.append(Compute(name, op, args, self.dtype))
        return name

    def select(self, name: str, condition: str, a: Operand, b: Operand) -> str:
        return self.make(name, "where", condition, a, b)

    def store(self, buffer: str, value: str, *index: Index) -> None:
        self.body.append(Store(buffer, index, value))

    def loops(self) -> Loop:
        return Loop("row", "batch", (Loop("unit", "n", tuple(self.body)),))


def _in_part(number: int) -> Affine:
    return at("unit", 1, 0 if number == 0 else "n" if number == 1 else Expr("*", ("n", number)))


def _is(name: str, index: Affine, where: Extent) -> tuple[Statement, ...]:
    """Whether a loop is at a place."""
    return (
        Iota(f"{name}.at", index),
        Iota(f"{name}.there", Affine((), where)),
        Compute(name, "eq", (f"{name}.at", f"{name}.there"), "b1"),
    )


def forward_kernel(dtype: str) -> Kernel:
    """``hs cs gates`` of ``x weight h c``, with ``x`` the sequence's share of the gates."""
    t, before = at("t"), at("t", 1, -1)
    sizes = ("steps", "batch", "n"), ("steps", "batch", "wide")
    buffers = (
        Buffer("x", dtype, sizes[1], Role.IN),
        Buffer("weight", dtype, ("wide", "n"), Role.IN),
        Buffer("h", dtype, ("batch", "n"), Role.IN),
        Buffer("c", dtype, ("batch", "n"), Role.IN),
        Buffer("hs", dtype, sizes[0], Role.OUT),
        Buffer("cs", dtype, sizes[0], Role.OUT),
        Buffer("gates", dtype, sizes[1], Role.OUT),
    )

    def product(state: Ref) -> MatMul:
        out, weight = Ref("gates", (t, at(), at()), "wide"), Ref("weight", (at(), at()), 1, "n")
        return MatMul(out, state, weight, "batch", "wide", "n", dtype)

    cell = _Cell(dtype, t)
    for number, gate in enumerate(_GATES):
        own, carried = cell.part(f"{gate}.x", "x", number), cell.part(f"{gate}.z", "gates", number)
        cell.make(f"{gate}.in", "add", carried, own)
        cell.make(gate, "tanh" if gate == "new" else "sigmoid", f"{gate}.in")
        cell.store("gates", gate, t, at("row"), _in_part(number))
    cell.load("c.first", "c", *_ROW)
    cell.load("c.later", "cs", before, *_ROW, outside=0.0)
    cell.select("c.before", "first", "c.first", "c.later")
    cell.make("kept", "mul", "keep", "c.before")
    cell.make("entered", "mul", "enter", "new")
    cell.store("cs", cell.make("memory", "add", "kept", "entered"), t, *_ROW)
    cell.make("shown", "tanh", "memory")
    cell.store("hs", cell.make("state", "mul", "show", "shown"), t, *_ROW)
    first = (product(Ref("h", (at(), at()), "n")),)
    later = (product(Ref("hs", (before, at(), at()), "n")),)
    step = (*_is("first", t, 0), If("first", first, later), cell.loops())
    return Kernel("lstm", buffers, (Loop("t", "steps", step, vector=False),))


def backward_kernel(given: Sequence[bool], dtype: str) -> Kernel:
    """The cotangents of ``x`` and ``c`` from ``gates cs c weight`` and those of ``gates cs hs`` that are ``given``."""
    last: Extent = Expr("-", ("steps", 1))
    t, before = Affine((("s", -1),), last), Affine((("s", -1),), Expr("-", ("steps", 2)))
    after = Affine((("s", -1),), "steps")
    by_unit, by_gate = ("steps", "batch", "n"), ("steps", "batch", "wide")
    drives = [
        (name, shape)
        for name, shape, there in zip(("g_gates", "g_cs", "g_hs"), (by_gate, by_unit, by_unit), given, strict=True)
        if there
    ]
    buffers = (
        Buffer("gates", dtype, by_gate, Role.IN),
        Buffer("cs", dtype, by_unit, Role.IN),
        Buffer("c", dtype, ("batch", "n"), Role.IN),
        Buffer("weight", dtype, ("wide", "n"), Role.IN),
        *[Buffer(name, dtype, shape, Role.IN) for name, shape in drives],
        Buffer("z", dtype, by_gate, Role.OUT),
        Buffer("carried", dtype, ("batch", "n"), Role.OUT),
        Buffer("pulled", dtype, ("batch", "n"), Role.TEMP),
    )
    names = [name for name, _ in drives]
    cell = _Cell(dtype, t)
    for number, gate in enumerate(_GATES):
        cell.part(gate, "gates", number)
    cell.load("memory", "cs", t, *_ROW)
    cell.make("shown", "tanh", "memory")
    cell.load("h.later", "pulled", *_ROW)
    cell.load("c.later", "carried", *_ROW)
    h, c = cell.select("h.0", "first", 0.0, "h.later"), cell.select("c.0", "first", 0.0, "c.later")
    if "g_hs" in names:
        h = cell.make("h.1", "add", h, cell.load("h.own", "g_hs", t, *_ROW))
    cell.make("shown.2", "mul", "shown", "shown")
    cell.make("bend", "sub", 1.0, "shown.2")
    cell.make("slope.c", "mul", "show", "bend")
    c = cell.make("c.1", "add", c, cell.make("c.h", "mul", "slope.c", h))
    if "g_cs" in names:
        c = cell.make("c.2", "add", c, cell.load("c.own", "g_cs", t, *_ROW))
    cell.load("c.given", "c", *_ROW)
    cell.load("c.earlier", "cs", before, *_ROW, outside=0.0)
    cell.select("c.before", "last", "c.given", "c.earlier")
    cell.store("carried", cell.make("c.back", "mul", "keep", c), *_ROW)
    factors = {"enter": ("new", c), "keep": ("c.before", c), "new": ("enter", c), "show": ("shown", h)}
    for number, gate in enumerate(_GATES):
        factor, g = factors[gate]
        cell.make(f"{gate}.rest", "sub", 1.0, cell.make(f"{gate}.2", "mul", gate, gate) if gate == "new" else gate)
        slope = f"{gate}.rest" if gate == "new" else cell.make(f"{gate}.slope", "mul", gate, f"{gate}.rest")
        pulled = cell.make(f"{gate}.g", "mul", cell.make(f"{gate}.m", "mul", factor, slope), g)
        if "g_gates" in names:
            own = cell.make(f"{gate}.own", "mul", cell.part(f"{gate}.given", "g_gates", number), slope)
            pulled = cell.make(f"{gate}.sum", "add", pulled, own)
        cell.store("z", pulled, t, at("row"), _in_part(number))
    left, right = Ref("z", (after, at(), at()), "wide"), Ref("weight", (at(), at()), "n")
    product = MatMul(Ref("pulled", (at(), at()), "n"), left, right, "batch", "n", "wide", dtype)
    step = (*_is("first", at("s"), 0), *_is("last", at("s"), last), If("first", (), (product,)), cell.loops())
    return Kernel("lstm_pull", buffers, (Loop("s", "steps", step, vector=False),))


def function(name: str, dtype: str) -> object:
    """``lstm``, or ``lstm_pull`` with a 1 for each cotangent that is given; None where NumPy is to do it."""
    if host_target().register < _REGISTER:
        return None
    what, _, given = name.partition(" ")
    kernel = forward_kernel(dtype) if what == "lstm" else backward_kernel([flag == "1" for flag in given], dtype)
    return build(kernel).call


__all__ = ["backward_kernel", "forward_kernel", "function"]
