"""Is a kernel well formed? Names given once and before their use, dtypes that agree, indices of the right rank.

The passes that make kernels are tested with it; machine code of a kernel that is not well formed would be wrong or
crash.
"""

from __future__ import annotations

from wengert.compile.llvm.places import names_read, strides_of, walk, within_part
from wengert.compile.nest import (
    Affine,
    Check,
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
    Role,
    Statement,
    Store,
    Tiles,
)

_DTYPES = ("f4", "f8", "i1", "i2", "i4", "i8", "u1", "b1")
_ACCUMULATORS = ("sum", "prod", "max", "min", "any", "all", "argmax", "argmin")
_SAME_DTYPE = {
    *("add", "sub", "mul", "div", "maximum", "minimum", "fmax", "fmin", "pow", "neg", "abs"),
    *("sqrt", "exp", "log", "sin", "cos", "tanh"),
}


class MalformedKernel(ValueError):  # noqa: N818 - it says what is the matter
    """A kernel that is not well formed: an error in this package."""


def check_kernel(kernel: Kernel) -> None:
    """Check a kernel.

    Raises:
        MalformedKernel: says which statement, and what is wrong with it.
    """
    _Check(kernel).run()


class _Check:
    """One kernel being checked: what is known at the current statement."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.buffers = {buffer.name: buffer for buffer in kernel.buffers}
        self.values: dict[str, str] = {}
        self.given: set[str] = set()
        self.axes: set[str] = set()
        self.sizes = {e for b in kernel.of_role(Role.IN, Role.INOUT) for e in b.shape if isinstance(e, str)}

    def run(self) -> None:
        if len(self.buffers) != len(self.kernel.buffers):
            self.fail("two buffers have the same name")
        for buffer in self.kernel.buffers:
            if buffer.dtype not in _DTYPES:
                self.fail(f"the buffer {buffer.name} has the dtype {buffer.dtype!r}")
            if buffer.alias is not None and buffer.alias not in self.buffers:
                self.fail(f"the buffer {buffer.name} is an alias of {buffer.alias}, which does not exist")
            if buffer.alias is not None and self.buffers[buffer.alias].strided:
                self.fail(f"the buffer {buffer.name} is an alias of {buffer.alias}, which has strides of its own")
            if buffer.role is Role.LOCAL and not all([isinstance(e, int) for e in buffer.shape]):
                self.fail(f"the local buffer {buffer.name} has a shape that is not known")
            if buffer.role is Role.CONST and buffer.data is None:
                self.fail(f"the constant {buffer.name} has no data")
            for extent in buffer.shape:
                self.extent(extent, f"the buffer {buffer.name}")
        self.body(self.kernel.body)

    def fail(self, message: str, statement: Statement | None = None) -> None:
        where = f" in {statement}" if statement is not None else ""
        raise MalformedKernel(f"the kernel {self.kernel.name}: {message}{where}")

    def body(self, body: tuple[Statement, ...]) -> None:
        for statement in body:
            self.statement(statement)

    def statement(self, s: Statement) -> None:
        match s:
            case Load():
                self.place(s.buffer, s.index, s)
                self.give(s.name, self.buffers[s.buffer].dtype, s)
            case Store():
                self.place(s.buffer, s.index, s)
                if self.buffers[s.buffer].role in (Role.IN, Role.CONST):
                    self.fail("an argument that is read only is written to", s)
                self.operand(s.value, self.buffers[s.buffer].dtype, s)
            case Compute():
                self.compute(s)
            case Iota():
                self.index(s.index, s)
                self.give(s.name, "i8", s)
            case Loop():
                self.loop(s)
            case If():
                self.branch(s)
            case Tiles():
                self.tiles(s)
            case MatMul():
                self.product(s)
            case Check():
                if self.axes:
                    self.fail("a check stands in a loop", s)
                self.operand(s.condition, "b1", s)
                self.extent(s.extent, s)

    def product(self, s: MatMul) -> None:
        for ref in (s.out, s.a, s.b):
            self.place(ref.buffer, ref.index, s)
            buffer = self.buffers[ref.buffer]
            if buffer.strided and not {ref.row, ref.column} <= set(strides_of(buffer)):
                self.fail(f"the matrix {ref.buffer} has strides of its own", s)
        self.operand(s.scale, s.dtype, s)
        if s.scale != 1.0 and not s.add:
            self.fail("a product that is not added has a scale", s)

    def compute(self, s: Compute) -> None:
        for arg in s.args:
            self.operand(arg, None, s)
        kinds = [self.values[arg] for arg in s.args if isinstance(arg, str)]
        if s.op == "where":
            if isinstance(s.args[0], str) and self.values[s.args[0]] != "b1":
                self.fail("the condition is not a bool", s)
            kinds = [self.values[arg] for arg in s.args[1:] if isinstance(arg, str)]
        elif s.op in ("zero_where", "masked_fill"):
            kinds = kinds[:1]
        if len(set(kinds)) > 1:
            self.fail(f"the arguments have the dtypes {', '.join(kinds)}", s)
        if s.op in _SAME_DTYPE or s.op == "where":
            for kind in kinds:
                if kind != s.dtype:
                    self.fail(f"the arguments have the dtype {kind}", s)
        self.give(s.name, s.dtype, s)

    def loop(self, s: Loop) -> None:
        if s.axis in self.axes:
            self.fail(f"the axis {s.axis} is that of a loop around it", s)
        self.extent(s.extent, f"the loop over {s.axis}")
        if s.part is not None and (s.part[0] not in self.axes or s.parallel or s.vector):
            self.fail(f"the loop over {s.axis} is in parts of a loop that is not around it, or for lanes or threads", s)
        for c in s.carries:
            self.operand(c.init, c.dtype, s)
        before = dict(self.values)
        self.axes.add(s.axis)
        for c in s.carries:
            self.give(c.name, c.dtype, s)
        self.body(s.body)
        for c in s.carries:
            self.operand(c.next, c.dtype, s)
        results = [(c.final, c.dtype) for c in s.carries]
        for acc in s.accs:
            if acc.op not in _ACCUMULATORS:
                self.fail(f"there is no accumulator {acc.op!r}", s)
            self.operand(acc.value, None, s)
            kind = self.values[acc.value]
            if acc.op in ("any", "all") and kind != "b1":
                self.fail(f"{acc.op} of {kind}", s)
            results.append((acc.name, "i8" if acc.op.startswith("arg") else kind))
        self.axes.discard(s.axis)
        self.values = before
        for name, dtype in results:
            self.give(name, dtype, s)

    def tiles(self, s: Tiles) -> None:
        if self.axes:
            self.fail("tiles stand in a loop", s)
        for extent in (s.extent, s.rows, *s.per_row):
            self.extent(extent, s)
        for name, row in s.buffers:
            if self.buffers[name].role is not Role.ROWS:
                self.fail(f"the buffer {name} is not one for the rows of a tile", s)
            self.extent(row, s)
        read = {name for each in walk(s.loops) for name in names_read(each)}
        if read & {acc.name for acc in s.accs}:
            self.fail("a loop reads what another one has found after all tiles", s)
        for loop in s.loops:
            inner = within_part(loop)
            if inner is not None and (s.part is None or inner.part != (loop.axis, s.part) or inner.extent != s.extent):
                self.fail(f"the parts of the loop over {inner.axis} are not those of the tiles", s)
            self.loop(loop)

    def branch(self, s: If) -> None:
        self.operand(s.condition, "b1", s)
        for body, which in ((s.then, "then"), (s.other, "other")):
            before = dict(self.values)
            self.body(body)
            for phi in s.phis:
                self.operand(getattr(phi, which), phi.dtype, s)
            self.values = before
        for phi in s.phis:
            self.give(phi.name, phi.dtype, s)

    def give(self, name: str, dtype: str, s: Statement) -> None:
        if name in self.given:
            self.fail(f"the name {name} is given twice", s)
        if dtype not in _DTYPES:
            self.fail(f"the dtype {dtype!r} is unknown", s)
        self.given.add(name)
        self.values[name] = dtype

    def operand(self, operand: Operand, dtype: str | None, s: Statement) -> None:
        if not isinstance(operand, str):
            return
        if operand not in self.values:
            self.fail(f"the value {operand} is not known here", s)
        if dtype is not None and self.values[operand] != dtype:
            self.fail(f"the value {operand} has the dtype {self.values[operand]}, not {dtype}", s)

    def place(self, buffer: str, index: tuple[Index, ...], s: Statement) -> None:
        if buffer not in self.buffers:
            self.fail(f"there is no buffer {buffer}", s)
        rank = len(self.buffers[buffer].shape)
        if len(index) != rank:
            self.fail(f"{len(index)} indices for a buffer with {rank} axes", s)
        for one in index:
            self.index(one, s)

    def index(self, index: Index, s: Statement) -> None:
        if not isinstance(index, Affine):
            self.operand(index.value, None, s)
            if index.value in self.values and self.values[index.value][0] not in "iu":
                self.fail(f"the index {index.value} is no integer", s)
            return
        self.extent(index.offset, s)
        for axis, coefficient in index.terms:
            if axis not in self.axes:
                self.fail(f"no loop around it runs over {axis}", s)
            self.extent(coefficient, s)

    def extent(self, extent: Extent, where: str | Statement) -> None:
        if isinstance(extent, str) and extent not in self.sizes:
            self.fail(f"the size {extent} is no axis of an argument ({where})")
        if isinstance(extent, Expr):
            for arg in extent.args:
                self.extent(arg, where)
