"""Matrix products inside of kernels: a call of our own code for them, or loops where the matrices are small."""

from __future__ import annotations

from itertools import count
from typing import Final

from wengert._records import replace
from wengert.compile.llvm.frame import Frame
from wengert.compile.llvm.interface import PRODUCTS
from wengert.compile.llvm.ir import Val
from wengert.compile.llvm.places import count_of, place_of, product, total, walk
from wengert.compile.llvm.registry import ELEMENTS
from wengert.compile.nest import (
    Acc,
    Affine,
    Buffer,
    Compute,
    Extent,
    If,
    Indirect,
    Kernel,
    Load,
    Loop,
    MatMul,
    Ref,
    Statement,
    Store,
)

_SMALL: Final = 8192  # multiplications up to which loops are quicker than the call


def with_products_as_loops(kernel: Kernel) -> Kernel:
    """The kernel with small products as loops."""
    expansion = _Expansion(kernel)
    body = expansion.body(kernel.body)
    return replace(kernel, buffers=(*kernel.buffers, *expansion.flat.values()), body=body)


class _Expansion:
    """The rewriting of one kernel."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.flat: dict[str, Buffer] = {}
        self.numbers = count()

    def body(self, body: tuple[Statement, ...]) -> tuple[Statement, ...]:
        """The statements, products replaced."""
        return tuple([self.statement(s) for s in body])

    def statement(self, s: Statement) -> Statement:
        """One statement."""
        match s:
            case Loop():
                return replace(s, body=self.body(s.body))
            case If():
                return replace(s, then=self.body(s.then), other=self.body(s.other))
            case MatMul():
                return self.loops(s) if _is_small(s) else s
            case _:
                return s

    def loops(self, s: MatMul) -> Loop:
        """Each element of the result as a sum; a row's elements become lanes."""
        number = next(self.numbers)
        r, c, q, a, b, p, t, held, y = (f"{name}.{number}" for name in ("r", "c", "q", "a", "b", "p", "t", "held", "y"))
        inner = Loop(
            q,
            s.k,
            (self.load(a, s.a, r, q), self.load(b, s.b, q, c), Compute(p, "mul", (a, b), s.dtype)),
            accs=(Acc(t, "sum", p),),
        )
        before: tuple[Statement, ...] = ()
        if s.add:
            scaled = Compute(f"{t}.scaled", "mul", (t, s.scale), s.dtype)
            before = (self.load(held, s.out, r, c), scaled, Compute(y, "add", (held, scaled.name), s.dtype))
        store = Store(self.flattened(s.out), (self.element(s.out, r, c),), y if s.add else t)
        return Loop(r, s.m, (Loop(c, s.n, (inner, *before, store)),))

    def load(self, name: str, ref: Ref, row: str, column: str) -> Load:
        """One element of a matrix."""
        return Load(name, self.flattened(ref), (self.element(ref, row, column),))

    def element(self, ref: Ref, row: str, column: str) -> Affine:
        """The number of an element in the buffer's memory."""
        place = place_of(self.kernel.buffer(ref.buffer), ref.index)
        terms: dict[str, Extent] = dict(place.terms)
        for axis, step in ((row, ref.row), (column, ref.column)):
            terms[axis] = total(terms.get(axis, 0), step)
        return Affine(tuple(terms.items()), place.offset)

    def flattened(self, ref: Ref) -> str:
        """The name of the buffer's memory as one row."""
        buffer = self.kernel.buffer(ref.buffer)
        name = f"{ref.buffer}.flat"
        if name not in self.flat:
            self.flat[name] = Buffer(name, buffer.dtype, (count_of(buffer.shape),), buffer.role, alias=buffer.name)
        return name


def _is_small(s: MatMul) -> bool:
    multiplications = product(product(s.m, s.n), s.k)
    return isinstance(multiplications, int) and multiplications <= _SMALL


def dtypes_of_products(kernel: Kernel) -> set[str]:
    """The dtypes of which the kernel calls products."""
    return {s.dtype for s in walk(kernel.body) if isinstance(s, MatMul) and not _is_small(s)}


def emit_product(frame: Frame, s: MatMul) -> None:
    """Call the product."""
    ir, function, elem = frame.ir, PRODUCTS[s.dtype], ELEMENTS[s.dtype]
    matrix = "ptr, i64, i64"
    ir.declared[function] = f"declare void @{function}(i64, i64, i64, {matrix}, {matrix}, {matrix}, {elem})"
    (a, *a_steps), (b, *b_steps), (out, *out_steps) = (_matrix(frame, ref) for ref in (s.a, s.b, s.out))
    sizes = [frame.size(extent) for extent in (s.m, s.n, s.k)]
    operands = [*sizes, a, *a_steps, b, *b_steps, out, out_steps[0], ir.const("i64", 0, int(s.add))]
    operands.append(frame.value(s.scale, s.dtype))
    ir.do(f"call void @{function}({', '.join([x.typed for x in operands])})")


def _matrix(frame: Frame, ref: Ref) -> tuple[Val, Val, Val]:
    """Where a matrix begins, and how far its rows and columns lie apart."""
    buffer = frame.buffers[ref.buffer]
    place = place_of(buffer, ref.index)
    if any([isinstance(index, Indirect) for index in ref.index]):
        raise ValueError("a matrix begins at a place that is known from the loops alone")
    begin = frame.address(frame.pointer(ref.buffer), ELEMENTS[buffer.dtype], frame.linear(place))
    return begin, frame.size(ref.row), frame.size(ref.column)
