"""Reading a program's text back."""

from __future__ import annotations

import ast
import math
import re
from typing import Any

import numpy as np

from wengert.ops.record import TABLE
from wengert.program.loops import LOOPS
from wengert.program.program import Equation, Program
from wengert.program.values import DTYPES, Operand, Value

_TYPED = re.compile(r"(\w+): (\w+)(?:\[([\d,]*)\])?(?:, )?")
_WORDS: dict[str, Any] = {"inf": math.inf, "nan": math.nan, **DTYPES}


def parse(text: str) -> Program:
    """The program whose text this is: ``parse(str(program)) == program``.

    Raises:
        ValueError: the text is no program; the message has the line.

    >>> program = parse('''program(a: f32[3]):
    ...   b: f32[3] = mul(a, 2.0)
    ...   return b''')
    >>> program.equations[0].op.name, program.outputs
    ('mul', (<f32[3]>,))
    """
    lines = text.strip().splitlines()
    head = re.fullmatch(r"program\((.*)\):", lines[0].strip()) if lines else None
    if head is None or not lines[-1].strip().startswith("return"):
        raise ValueError("a program begins with a line `program(...):` and ends with a line `return ...`")
    names: dict[str, Value] = {}
    inputs = _typed(head[1], names)
    constants: dict[Value, np.ndarray[Any, Any]] = {}
    equations: list[Equation] = []
    for line, blocks in _statements(lines[1:-1]):
        try:
            _equation(line, blocks, names, constants, equations)
        except (SyntaxError, KeyError, TypeError, ValueError, AttributeError) as error:
            raise ValueError(f"this is no equation of a program: {line.strip()!r} ({error})") from None
    rest = lines[-1].strip().removeprefix("return").strip()
    outputs = [_operand(node, names) for node in _expression(f"({rest},)").elts] if rest else []
    return Program(inputs, tuple(equations), tuple(outputs), constants)


def _statements(lines: list[str]) -> list[tuple[str, list[str]]]:
    """The lines of one program, each with the lines below it that are indented further (of bodies)."""
    depth = _indent(lines[0]) if lines else 0
    found: list[tuple[str, list[str]]] = []
    for line in lines:
        if _indent(line) > depth:
            found[-1][1].append(line)
        else:
            found.append((line.strip(), []))
    return found


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _bodies(lines: list[str]) -> dict[str, Program]:
    """``name = program(...): ...`` once or several times."""
    texts: dict[str, list[str]] = {}
    depth = _indent(lines[0]) if lines else 0
    for line in lines:
        if _indent(line) == depth:
            name, _, head = line.strip().partition(" = ")
            texts[name] = [head]
        else:
            texts[name].append(line)
    return {name: parse("\n".join(text)) for name, text in texts.items()}


def _equation(
    line: str,
    blocks: list[str],
    names: dict[str, Value],
    constants: dict[Value, np.ndarray[Any, Any]],
    equations: list[Equation],
) -> None:
    left, _, right = line.partition(" = ")
    call = _expression(right)
    if call.func.id == "constant":
        (value,) = _typed(left, names)
        elements = [_literal(node) for node in call.args]
        array = np.array(elements, value.dtype)
        is_one = array.size == 1
        constants[value] = np.broadcast_to(array.reshape(()), value.shape) if is_one else array.reshape(value.shape)
        return
    op = LOOPS.get(call.func.id) or TABLE[call.func.id]
    inputs = tuple([_operand(node, names) for node in call.args])
    meta = {item.arg: _literal(item.value) for item in call.keywords} | _bodies(blocks)
    equations.append(Equation(op, inputs, meta, _typed(left, names)))


def _typed(text: str, names: dict[str, Value]) -> tuple[Value, ...]:
    """``a: f32[3], b: f32``: new values."""
    made = []
    position = 0
    while position < len(text):
        found = _TYPED.match(text, position)
        if found is None:
            raise ValueError(f"expected `name: type` at {text[position:]!r}")
        sizes = tuple([int(size) for size in (found[3] or "").split(",") if size])
        made.append(Value(DTYPES[found[2]], sizes))
        names[found[1]] = made[-1]
        position = found.end()
    return tuple(made)


def _expression(text: str) -> Any:
    return ast.parse(text, mode="eval").body


def _operand(node: Any, names: dict[str, Value]) -> Operand:
    if isinstance(node, ast.Name) and node.id in names:
        return names[node.id]
    return _literal(node)  # type: ignore[no-any-return]


def _literal(node: Any) -> Any:
    """The value of an expression of literals, dtypes, ``slice(...)`` and ``complex(...)``."""
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=word):
            return _WORDS[word]
        case ast.Tuple(elts=items):
            return tuple([_literal(item) for item in items])
        case ast.List(elts=items):
            return [_literal(item) for item in items]
        case ast.Dict(keys=keys, values=values):
            return {_literal(key): _literal(value) for key, value in zip(keys, values, strict=True)}
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_literal(operand)
        case ast.Call(func=ast.Name(id="slice"), args=args):
            return slice(*[_literal(arg) for arg in args])
        case ast.Call(func=ast.Name(id="complex"), args=args):
            return complex(*[_literal(arg) for arg in args])
    raise ValueError(f"unexpected {ast.unparse(node)!r}")
