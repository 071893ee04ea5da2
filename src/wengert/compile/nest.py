"""Loop nests as data: what one kernel computes, between the program above it and the machine code below.

A :class:`Kernel` names buffers and holds statements: loops, loads, scalar computations, stores. Each value has one
name, given once, and is seen by the statements after it in the same loop and in the loops inside. Movement is index
arithmetic: a transposed or broadcast operand is a load whose indices say so. The classes know nothing of tensors,
tracing or LLVM.

An example, the rows' sums of ``x * exp(x)``::

    Kernel(
        "row_sums",
        (Buffer("x", "f4", ("n", "m"), Role.IN), Buffer("y", "f4", ("n",), Role.OUT)),
        (
            Loop("i", "n", (
                Loop("j", "m", (
                    Load("a", "x", (at("i"), at("j"))),
                    Compute("b", "exp", ("a",), "f4"),
                    Compute("c", "mul", ("a", "b"), "f4"),
                ), accs=(Acc("s", "sum", "c"),)),
                Store("y", (at("i"),), "s"),
            ), parallel=True),
        ),
    )
"""

from __future__ import annotations

from enum import Enum
from typing import Any, Final

import numpy as np

from wengert._records import record


class Role(Enum):
    """Whose memory a buffer is."""

    IN = "in"  # an argument, read only
    OUT = "out"  # a fresh result
    INOUT = "inout"  # an argument that is read and written in place; no result
    CONST = "const"  # an array that belongs to the kernel: `data`
    TEMP = "temp"  # between loops, in the kernel's arena
    ROWS = "rows"  # between the loops of `Tiles`: memory for the rows of one tile, which each share has for itself
    LOCAL = "local"  # small and of fixed shape, one for each iteration of the loop that holds its accesses: registers


@record
class Expr:
    """A size worked out of others: ``op`` is one of ``+ - * // max min``."""

    op: str
    args: tuple[Extent, ...]


Extent = int | str | Expr  # a number, a symbolic size, an expression of them
MIDDLE: Final = "m"  # how the names of sizes begin that are likely some tens


@record
class Affine:
    """``offset + sum(coefficient * axis)``, the place along one axis of a buffer."""

    terms: tuple[tuple[str, Extent], ...] = ()
    offset: Extent = 0


@record
class Indirect:
    """A place along an axis that a computed int64 value gives (a gather). Negative values count from the end."""

    value: str


Index = Affine | Indirect


def at(axis: str | None = None, coefficient: Extent = 1, offset: Extent = 0) -> Affine:
    """The index ``offset + coefficient * axis``; without an axis the fixed place ``offset``."""
    return Affine(((axis, coefficient),) if axis is not None else (), offset)


@record(hidden=("data",))
class Buffer:
    """Memory with a shape. ``strided`` arguments come with strides of their own; all others lie in C order.

    ``alias`` says that this is another buffer's memory, all of it in order, under another shape (a reshape).
    """

    name: str
    dtype: str  # NumPy's short name in native order: f4 f8 i1 i2 i4 i8 u1 b1
    shape: tuple[Extent, ...]
    role: Role
    strided: bool = False
    alias: str | None = None
    data: np.ndarray[Any, Any] | None = None


# --- statements ------------------------------------------------------------------------------------------------------

Operand = str | bool | int | float  # a value's name, or a number, which takes the dtype of the computation


@record
class Load:
    """``name = buffer[index]``. With ``outside``, a place beyond the buffer has that value (padding).

    What lies so many elements ``ahead`` in memory is brought into the cache meanwhile, if neighbours are loaded.
    """

    name: str
    buffer: str
    index: tuple[Index, ...]
    outside: float | int | bool | None = None
    ahead: int = 0


@record
class Store:
    """``buffer[index] = value``, or ``+=`` with ``add``."""

    buffer: str
    index: tuple[Index, ...]
    value: Operand
    add: bool = False


@record
class Compute:
    """``name = op(*args, **dict(meta))``: an elementwise operation of the table on single elements.

    ``dtype`` is the result's. Numbers among the arguments take the dtype of the arguments that are values (of the
    result if none is). All values among the arguments have one dtype, as the engine's promotion leaves it (the
    condition of `where` aside); `cast` changes it. The metadata are pairs, so that a kernel can be hashed.
    """

    name: str
    op: str
    args: tuple[Operand, ...]
    dtype: str
    meta: tuple[tuple[str, Any], ...] = ()


@record
class Iota:
    """``name = index`` as a value of type int64."""

    name: str
    index: Affine


@record
class Acc:
    """An accumulator of a loop: ``name`` is ``op`` over all iterations of ``value``, known after the loop.

    ``op`` is sum, prod, max, min (NaN wins), any, all, and argmax, argmin: the first place, an int64 counted along
    the loop.
    """

    name: str
    op: str
    value: str


@record
class Carry:
    """A value handed from one iteration to the next: ``init`` before the first, then the body's ``next``.

    The body sees it as ``name``; after the loop ``final`` is the last ``next`` (or ``init``).
    """

    name: str
    init: Operand
    next: Operand
    final: str
    dtype: str


@record
class Loop:
    """``for axis in range(extent)``. With carried values the iterations run in order, else their order is not fixed.

    ``parallel`` says that no iteration stores where another one loads or stores (accumulators are fine), so that
    threads may share them. ``vector`` says whether this loop is the one whose iterations become lanes; None leaves it
    to the emitter. False also keeps the iterations in order: for loops that hand values on through memory.

    With ``part=(outer, size)`` only the iterations of one part are run, which the axis of a loop around this one
    numbers: those from ``size * outer`` on, as many as ``size`` or as there are.
    """

    axis: str
    extent: Extent
    body: tuple[Statement, ...]
    accs: tuple[Acc, ...] = ()
    carries: tuple[Carry, ...] = ()
    parallel: bool = False
    vector: bool | None = None
    part: tuple[str, int] | None = None


@record
class Phi:
    """The value of a branch: ``name`` is ``then`` or ``other``."""

    name: str
    then: Operand
    other: Operand
    dtype: str


@record
class If:
    """``if condition: then else: other``; both see what is before, ``phis`` are known after it."""

    condition: str
    then: tuple[Statement, ...]
    other: tuple[Statement, ...]
    phis: tuple[Phi, ...] = ()


@record
class Ref:
    """A matrix inside a buffer: where it begins, and how far its rows and columns lie apart, in elements."""

    buffer: str
    index: tuple[Index, ...]
    row: Extent
    column: Extent = 1


@record
class MatMul:
    """``out = a @ b`` of matrices ``m x k`` and ``k x n``, or ``out += scale * (a @ b)`` with ``add``.

    The columns of ``out`` are neighbours in memory.
    """

    out: Ref
    a: Ref
    b: Ref
    m: Extent
    n: Extent
    k: Extent
    dtype: str
    add: bool = False
    scale: Operand = 1.0


@record
class Check:
    """Give up, before anything is written, if a condition holds: an index lies outside of an axis of this length."""

    condition: str
    extent: Extent


@record
class Tiles:
    """Loops over the same rows, taken a tile of ``rows`` rows at a time: a tile goes through all of them, one by one.

    So what a loop leaves for the next ones is still in the cache. Each loop has the extent ``extent * per_row``; its
    rounds read of what the others write only what belongs to the same row. The shares of threads are whole rows.
    ``buffers`` are those of role ``ROWS``, each with the number of its elements that belong to a row.

    With ``part`` some of the loops number parts of so many rows, and hold what begins a part and then a loop over its
    rows, of extent ``extent``. A tile lies in one part, and the shares of threads are whole parts.
    """

    extent: Extent
    rows: Extent
    loops: tuple[Loop, ...]
    per_row: tuple[Extent, ...]
    buffers: tuple[tuple[str, Extent], ...]
    part: int | None = None

    @property
    def accs(self) -> tuple[Acc, ...]:
        """The accumulators of all loops, known after the last tile."""
        return tuple([acc for loop in self.loops for acc in loop.accs])


Statement = Load | Store | Compute | Iota | Loop | If | MatMul | Check | Tiles


@record
class Kernel:
    """Statements over buffers. Every symbolic size is the extent of an axis of some argument."""

    name: str
    buffers: tuple[Buffer, ...]
    body: tuple[Statement, ...]

    def buffer(self, name: str) -> Buffer:
        """The buffer of that name."""
        return next(buffer for buffer in self.buffers if buffer.name == name)

    def of_role(self, *roles: Role) -> tuple[Buffer, ...]:
        """The buffers with one of these roles and memory of their own, in order."""
        return tuple([buffer for buffer in self.buffers if buffer.role in roles and buffer.alias is None])
