"""One function of a kernel under construction: its values, loop axes, sizes, pointers and local buffers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from wengert.compile.llvm.ir import Ir, Val
from wengert.compile.llvm.places import Place, count_of, place_of, walk
from wengert.compile.llvm.plan import Plan
from wengert.compile.llvm.registry import ELEMENTS
from wengert.compile.nest import Buffer, Compute, Expr, Extent, If, Iota, Kernel, Load, Loop, Operand, Role, Store


@dataclass(slots=True)
class Lanes:
    """The loop whose iterations are lanes at the moment: its axis, how many, which of them are real (None: all).

    ``streams`` are the pointers of accesses to neighbours in memory, by place; at the end of an array they lead to
    scratch memory. ``start`` is the axis's value in the first lane.
    """

    axis: str
    count: int
    start: Val
    mask: Val | None = None
    streams: dict[tuple[str, Place], Val] = field(default_factory=dict)


@dataclass(slots=True)
class Layout:
    """Where a kernel's function finds what: the position of each buffer's pointer and of each symbolic size."""

    pointers: dict[str, int]
    sizes: dict[str, int]
    offsets: dict[str, Extent]  # of buffers in the arena, in bytes
    arena: Extent = 0


class Frame:
    """A function under construction."""

    def __init__(self, ir: Ir, kernel: Kernel, plan: Plan, layout: Layout, dtypes: dict[str, str]) -> None:
        self.ir = ir
        self.kernel = kernel
        self.plan = plan
        self.layout = layout
        self.buffers = {buffer.name: buffer for buffer in kernel.buffers}
        self.values: dict[str, tuple[Val, str]] = {}  # value and dtype by name
        self.wide: dict[str, Val] = {}  # float64 totals before their rounding to float32
        self.dtypes = dtypes  # of all values of the kernel, by name
        self.axes: dict[str, Val] = {}
        self.ranges: dict[str, tuple[Val, Val]] = {}  # the rows to run now of the parts that an axis numbers
        self.lanes: Lanes | None = None
        self.registers: dict[tuple[str, tuple[int, ...]], tuple[Val, str]] = {}
        self.memory: dict[str, tuple[str, int]] = {}  # local buffers on the stack: pointer, lanes of an element
        self._sizes: dict[Extent, Val] = {}
        self._pointers: dict[str, Val] = {}

    # --- values ------------------------------------------------------------------------------------------------------

    def value(self, operand: Operand, dtype: str) -> Val:
        """A named value, or a number of that dtype."""
        if isinstance(operand, str):
            return self.values[operand][0]
        return self.ir.const(ELEMENTS[dtype], 0, operand)

    def spread(self, value: Val) -> Val:
        """A value in as many lanes as there are at the moment."""
        return value.splat(self.lanes.count) if self.lanes else value

    @contextmanager
    def scope(self) -> Iterator[None]:
        """Names given inside are forgotten afterwards."""
        before = dict(self.values), dict(self.wide)
        try:
            yield
        finally:
            self.values, self.wide = before

    # --- sizes and pointers ------------------------------------------------------------------------------------------

    def size(self, extent: Extent) -> Val:
        """A size as an int64, worked out once at the beginning of the function."""
        if isinstance(extent, int):
            return self.ir.const("i64", 0, extent)
        if extent not in self._sizes:
            parts = [self.size(arg) for arg in extent.args] if isinstance(extent, Expr) else []
            with self.ir.at_entry():
                self._sizes[extent] = self._compute(extent, parts)
        return self._sizes[extent]

    def _compute(self, extent: Extent, parts: list[Val]) -> Val:
        if isinstance(extent, str):
            number = self.layout.sizes[extent]
            place = self.ir.line("ptr", 0, f"getelementptr i64, ptr %sizes, i64 {number}")
            return self.ir.line("i64", 0, f"load i64, ptr {place.text}")
        assert isinstance(extent, Expr)
        result, *rest = parts
        for part in rest:
            match extent.op:
                case "+":
                    result = result + part
                case "-":
                    result = result - part
                case "*":
                    result = result * part
                case "//":
                    result = _floor_divide(result, part)
                case "max":
                    result = (result > part).where(result, part)
                case _:
                    result = (result < part).where(result, part)
        return result

    def pointer(self, name: str) -> Val:
        """Where a buffer begins."""
        buffer = self.root(name)
        if buffer.name not in self._pointers:
            if buffer.role is Role.LOCAL:
                n = count_of(buffer.shape)
                assert isinstance(n, int)
                memory = self.ir.allocate(memory_elem(ELEMENTS[buffer.dtype]), max(n, 1))
                self._pointers[buffer.name] = Val(self.ir, memory, "ptr", 0)
                return self._pointers[buffer.name]
            offset = self.size(self.layout.offsets[buffer.name]) if buffer.role is Role.TEMP else None
            with self.ir.at_entry():
                if offset is not None:
                    pointer = self.ir.line("ptr", 0, f"getelementptr i8, ptr %arena, i64 {offset.text}")
                else:
                    number = self.layout.pointers[buffer.name]
                    place = self.ir.line("ptr", 0, f"getelementptr ptr, ptr %buffers, i64 {number}")
                    pointer = self.ir.line("ptr", 0, f"load ptr, ptr {place.text}")
            self._pointers[buffer.name] = pointer
        return self._pointers[buffer.name]

    def set_pointer(self, name: str, pointer: Val) -> None:
        """Let a buffer begin there from now on."""
        self._pointers[name] = pointer

    def root(self, name: str) -> Buffer:
        """The buffer whose memory this is."""
        buffer = self.buffers[name]
        while buffer.alias is not None:
            buffer = self.buffers[buffer.alias]
        return buffer

    # --- places ------------------------------------------------------------------------------------------------------

    def place(self, statement: Load | Store) -> Place:
        """The place of an access."""
        return place_of(self.buffers[statement.buffer], statement.index)

    def linear(self, place: Place, *, without: str | None = None) -> Val:
        """The number of the element, in the first lane; without the part of one axis."""
        result = self.size(place.offset)
        for axis, coefficient in place.terms:
            if axis != without:
                result = plus(result, times(self.axes[axis], self.size(coefficient)))
        return result

    def address(self, base: Val, elem: str, index: Val) -> Val:
        """The address of an element."""
        if index.number == 0:
            return base
        return self.ir.line("ptr", 0, f"getelementptr {memory_elem(elem)}, ptr {base.text}, i64 {index.text}")


def dtypes_of(kernel: Kernel) -> dict[str, str]:
    """The dtype of every named value."""
    buffers = {buffer.name: buffer.dtype for buffer in kernel.buffers}
    dtypes: dict[str, str] = {}
    for statement in walk(kernel.body):
        match statement:
            case Load():
                dtypes[statement.name] = buffers[statement.buffer]
            case Compute():
                dtypes[statement.name] = statement.dtype
            case Iota():
                dtypes[statement.name] = "i8"
            case Loop():
                dtypes |= {c.name: c.dtype for c in statement.carries} | {c.final: c.dtype for c in statement.carries}
            case If():
                dtypes |= {phi.name: phi.dtype for phi in statement.phis}
            case _:
                pass
    waiting = [acc for statement in walk(kernel.body) if isinstance(statement, Loop) for acc in statement.accs]
    while waiting:  # an accumulator's value may be the result of an inner one
        ready = [acc for acc in waiting if acc.value in dtypes]
        if not ready:
            raise ValueError(f"the kernel {kernel.name} accumulates {waiting[0].value!r}, which nothing defines")
        for acc in ready:
            dtypes[acc.name] = "i8" if acc.op.startswith("arg") else dtypes[acc.value]
        waiting = [acc for acc in waiting if acc.name not in dtypes]
    return dtypes


def memory_elem(elem: str) -> str:
    """How an element lies in memory: booleans are bytes."""
    return "i8" if elem == "i1" else elem


def _floor_divide(a: Val, b: Val) -> Val:
    quotient = a / b
    rest = a - quotient * b
    return quotient + ((rest.ne(0)) & ((rest < 0) ^ (b < 0))).convert("sext", "i64")


def plus(a: Val, b: Val) -> Val:
    """``a + b`` of sizes, numbers folded."""
    if a.number is not None and b.number is not None:
        return a.like(a.number + b.number)
    return b if a.number == 0 else a if b.number == 0 else a + b


def times(a: Val, b: Val) -> Val:
    """``a * b`` of sizes, numbers folded."""
    if a.number is not None and b.number is not None:
        return a.like(a.number * b.number)
    if a.number == 0 or b.number == 0:
        return a.like(0)
    return b if a.number == 1 else a if b.number == 1 else a * b
