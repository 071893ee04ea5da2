"""Matrix products inside of kernels: a call of BLAS, or loops where the matrices are small or there is no BLAS."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import Final

from wengert.compile.llvm.frame import Frame
from wengert.compile.llvm.ir import Val
from wengert.compile.llvm.places import count_of, place_of, product, total
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

NAMES: Final = {"f4": "wengert_gemm_f4", "f8": "wengert_gemm_f8"}
_SMALL: Final = 8192  # multiplications up to which loops are quicker than the call
_ROWS, _AS_IS, _TURNED = 101, 111, 112  # of CBLAS


def with_products_as_loops(kernel: Kernel, *, blas: bool) -> Kernel:
    """The kernel with those products as loops that BLAS is not called for."""
    expansion = _Expansion(kernel, blas)
    body = expansion.body(kernel.body)
    return replace(kernel, buffers=(*kernel.buffers, *expansion.flat.values()), body=body)


class _Expansion:
    """The rewriting of one kernel."""

    def __init__(self, kernel: Kernel, blas: bool) -> None:
        self.kernel = kernel
        self.blas = blas
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
                return s if self.blas and not _is_small(s) else self.loops(s)
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
            before = (self.load(held, s.out, r, c), Compute(y, "add", (held, t), s.dtype))
        store = Store(self.flattened(s.out), (self.element(s.out, r, c),), y if s.add else t)
        return Loop(r, s.m, (Loop(c, s.n, (inner, *before, store)),))

    def load(self, name: str, ref: Ref, row: str, column: str) -> Load:
        """One element of a matrix."""
        return Load(name, self.flattened(ref), (self.element(ref, row, column),))

    def element(self, ref: Ref, row: str, column: str) -> Affine:
        """The number of an element in the buffer's memory."""
        place = place_of(self.kernel.buffer(ref.buffer), ref.index)
        if ref.transposed:
            row, column = column, row
        terms: dict[str, Extent] = dict(place.terms)
        for axis, step in ((row, ref.row), (column, 1)):
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


def emit_product(frame: Frame, s: MatMul) -> None:
    """Call BLAS."""
    ir = frame.ir
    real = "float" if s.dtype == "f4" else "double"
    function = NAMES[s.dtype]
    sizes = "i64, i64, i64"
    ir.declared[function] = (
        f"declare void @{function}(i32, i32, i32, {sizes}, {real}, ptr, i64, ptr, i64, {real}, ptr, i64)"
    )
    kinds = [f"i32 {_ROWS}", *[f"i32 {_TURNED if ref.transposed else _AS_IS}" for ref in (s.a, s.b)]]
    extents = [frame.size(extent).typed for extent in (s.m, s.n, s.k)]
    (a, a_row), (b, b_row), (out, out_row) = (_matrix(frame, ref, real) for ref in (s.a, s.b, s.out))
    one, start = ir.const(real, 0, 1.0), ir.const(real, 0, 1.0 if s.add else 0.0)
    operands = [one.typed, a.typed, a_row.typed, b.typed, b_row.typed, start.typed, out.typed, out_row.typed]
    ir.do(f"call void @{function}({', '.join([*kinds, *extents, *operands])})")


def _matrix(frame: Frame, ref: Ref, elem: str) -> tuple[Val, Val]:
    """Where a matrix begins, and how far its rows lie apart (at least 1, or BLAS complains of empty ones)."""
    place = place_of(frame.buffers[ref.buffer], ref.index)
    if any([isinstance(index, Indirect) for index in ref.index]):
        raise ValueError("a matrix begins at a place that is known from the loops alone")
    row = frame.size(ref.row)
    if row.number is None:
        row = (row < 1).where(row.like(1), row)
    return frame.address(frame.pointer(ref.buffer), elem, frame.linear(place)), row
