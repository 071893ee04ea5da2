"""A kernel as text that a person reads: the loops, what they load, compute and store."""

from __future__ import annotations

from collections.abc import Iterator

from wengert.compile.nest import (
    Affine,
    Buffer,
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
    Ref,
    Statement,
    Store,
    Tiles,
)

_DTYPES = {"f4": "f32", "f8": "f64", "i1": "i8", "i2": "i16", "i4": "i32", "i8": "i64", "u1": "u8", "b1": "bool"}
_INFIX = {
    "add": "+",
    "sub": "-",
    "mul": "*",
    "div": "/",
    "gt": ">",
    "ge": ">=",
    "lt": "<",
    "le": "<=",
    "eq": "==",
    "ne": "!=",
    "bitwise_and": "&",
    "bitwise_or": "|",
    "bitwise_xor": "^",
}
_INDENT = "    "


def kernel_text(kernel: Kernel) -> str:
    """The kernel as pseudo-code.

    >>> from wengert.compile.nest import Acc, Role, at
    >>> load = Load("a", "x", (at("i"),))
    >>> square = Compute("b", "mul", ("a", "a"), "f4")
    >>> loop = Loop("i", "n", (load, square), accs=(Acc("s", "sum", "b"),), parallel=True)
    >>> buffers = (Buffer("x", "f4", ("n",), Role.IN), Buffer("y", "f4", (), Role.OUT))
    >>> print(kernel_text(Kernel("squares", buffers, (loop, Store("y", (), "s")))))
    squares(in x: f32[n], out y: f32[])
        parallel for i in 0..n:
            a = x[i]
            b = a * a
            s = sum(b)
        y[] = s
    """
    buffers = ", ".join([_buffer(b) for b in kernel.buffers])
    return "\n".join([f"{kernel.name}({buffers})", *_indented(_body(kernel.body))])


def _indented(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        yield _INDENT + line


def _buffer(b: Buffer) -> str:
    shape = ", ".join([extent_text(e) for e in b.shape])
    notes = (" strided" if b.strided else "") + (f" = {b.alias}" if b.alias else "")
    return f"{b.role.value} {b.name}: {_DTYPES[b.dtype]}[{shape}]{notes}"


def extent_text(extent: Extent, inside: bool = False) -> str:
    """A size as text."""
    if not isinstance(extent, Expr):
        return str(extent)
    if extent.op in ("max", "min"):
        return f"{extent.op}({', '.join([extent_text(arg) for arg in extent.args])})"
    text = f" {extent.op} ".join([extent_text(arg, inside=True) for arg in extent.args])
    return f"({text})" if inside else text


def index_text(index: Index) -> str:
    """A place along one axis as text."""
    if not isinstance(index, Affine):
        return index.value
    parts = []
    for axis, coefficient in index.terms:
        parts.append(
            axis if coefficient == 1 else f"-{axis}" if coefficient == -1 else f"{_factor(coefficient)}*{axis}"
        )
    if index.offset != 0 or not parts:
        parts.append(extent_text(index.offset))
    return " + ".join(parts).replace("+ -", "- ")


def _factor(extent: Extent) -> str:
    return extent_text(extent, inside=True)


def _place(buffer: str, index: tuple[Index, ...]) -> str:
    return f"{buffer}[{', '.join([index_text(i) for i in index])}]"


def _operand(operand: Operand) -> str:
    return operand if isinstance(operand, str) else repr(operand)


def _body(body: tuple[Statement, ...]) -> Iterator[str]:
    for statement in body:
        yield from _lines(statement)


def _lines(statement: Statement) -> Iterator[str]:
    match statement:
        case Load():
            note = "" if statement.outside is None else f", or {statement.outside} outside"
            note += f", fetching {statement.ahead} ahead" if statement.ahead else ""
            yield f"{statement.name} = {_place(statement.buffer, statement.index)}{note}"
        case Store():
            sign = "+=" if statement.add else "="
            yield f"{_place(statement.buffer, statement.index)} {sign} {_operand(statement.value)}"
        case Compute():
            yield f"{statement.name} = {_computation(statement)}"
        case Iota():
            yield f"{statement.name} = {index_text(statement.index)}"
        case Loop():
            yield from _loop(statement)
        case If():
            yield from _branch(statement)
        case Tiles():
            yield f"tile by tile of {extent_text(statement.extent, inside=True)} rows:"
            yield from _indented(_body(statement.loops))
        case MatMul():
            sign = "+=" if statement.add else "="
            m, n, k = (extent_text(extent) for extent in (statement.m, statement.n, statement.k))
            product = f"{_matrix(statement.a)} @ {_matrix(statement.b)}"
            if statement.scale != 1.0:
                product = f"({product}) * {_operand(statement.scale)}"
            yield f"{_matrix(statement.out)} {sign} {product}  # {m} x {k} x {n}"
        case Check():
            yield f"if {statement.condition}: give up, an index is out of {extent_text(statement.extent)}"


def _computation(statement: Compute) -> str:
    args = [_operand(arg) for arg in statement.args]
    if statement.op == "cast":
        return f"{_DTYPES[statement.dtype]}({args[0]})"
    if statement.op in _INFIX and len(args) == 2 and not statement.meta:
        return f"{args[0]} {_INFIX[statement.op]} {args[1]}"
    meta = [f"{key}={value!r}" for key, value in statement.meta]
    return f"{statement.op}({', '.join([*args, *meta])})"


def _matrix(ref: Ref) -> str:
    """Where a matrix begins, and how far its rows and columns lie apart."""
    steps = ", ".join([extent_text(step, inside=True) for step in (ref.row, ref.column)])
    return f"{_place(ref.buffer, ref.index)}::({steps})"


def _loop(loop: Loop) -> Iterator[str]:
    for carry in loop.carries:
        yield f"{carry.name} = {_operand(carry.init)}"
    kind = "parallel for" if loop.parallel else "for"
    part = "" if loop.part is None else f", part {loop.part[0]} of {loop.part[1]} each"
    yield f"{kind} {loop.axis} in 0..{extent_text(loop.extent, inside=True)}{part}:"
    yield from _indented(_body(loop.body))
    for acc in loop.accs:
        yield f"{_INDENT}{acc.name} = {acc.op}({acc.value})"
    for carry in loop.carries:
        yield f"{_INDENT}{carry.name} = {_operand(carry.next)}"
    for carry in loop.carries:
        yield f"{carry.final} = {carry.name}"


def _branch(statement: If) -> Iterator[str]:
    for head, body, which in (
        (f"if {statement.condition}:", statement.then, "then"),
        ("else:", statement.other, "other"),
    ):
        yield head
        yield from _indented(_body(body))
        for phi in statement.phis:
            yield f"{_INDENT}{phi.name} = {_operand(getattr(phi, which))}"
