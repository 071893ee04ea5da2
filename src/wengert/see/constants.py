"""Constants that the source writes as arithmetic of other values of the graph: `1 - target`."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any, Final

from wengert.see.graph import Graph, Operation, Value, operands

_MOST_OPERATIONS: Final = 1_000  # of one code object that are looked at

_ARITHMETIC: Final[Mapping[type[ast.AST], Callable[..., Any]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.Invert: operator.invert,
    ast.USub: operator.neg,
    ast.UAdd: lambda x: x,
}


def names_at(graph: Graph, operation: Operation) -> dict[str, Value]:
    """What names stand for in the code of an operation, where that is unambiguous."""
    code = operation.node.code
    found: dict[str, Value | None] = {}
    here = [other for other in graph.operations if other.node.code is code]
    for other in here[:_MOST_OPERATIONS]:
        for value, text in operands(other):
            if text.isidentifier():
                found[text] = value if found.setdefault(text, value) is value else None
    return {text: value for text, value in found.items() if value is not None}


def arithmetic(text: str, symbols: Callable[[str], Any]) -> Any:
    """The symbol or number that a text of the source stands for.

    Args:
        text: an expression of Python.
        symbols: the symbol of a name; KeyError where it has none.

    Raises:
        ValueError: it is more than arithmetic.
        KeyError: it contains an unknown name.
    """
    try:
        tree = ast.parse(text, mode="eval")
    except SyntaxError as error:
        raise ValueError(text) from error
    return _value(tree.body, symbols)


def _value(node: ast.expr, symbols: Callable[[str], Any]) -> Any:
    if isinstance(node, ast.Name):
        return symbols(node.id)
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return node.value
    if isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
        return _ARITHMETIC[type(node.op)](_value(node.left, symbols), _value(node.right, symbols))
    if isinstance(node, ast.UnaryOp) and type(node.op) in _ARITHMETIC:
        return _ARITHMETIC[type(node.op)](_value(node.operand, symbols))
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in _ARITHMETIC:
        return _ARITHMETIC[type(node.ops[0])](_value(node.left, symbols), _value(node.comparators[0], symbols))
    raise ValueError(ast.unparse(node))


__all__ = ["arithmetic", "names_at"]
