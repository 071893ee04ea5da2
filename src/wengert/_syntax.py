"""What a source text says about one operation in it: the expression, its operands, the name its result is given.

An operation is found by its span, as `code.co_positions()` gives it: first line, last line, first and last column,
columns counted in UTF-8 bytes (as in `ast`). Everything answers None rather than guess.
"""

import ast
from collections.abc import Mapping
from functools import lru_cache
from types import ModuleType
from typing import Any, NamedTuple

__all__ = ["Span", "expression_text", "operand_texts", "result_name", "segment", "statement_text"]

# Names that are modules in nearly every program, for sources whose imports stand elsewhere (in another cell).
_USUAL_MODULES = frozenset({"torch", "wengert", "F", "nn", "functional", "linalg", "fft", "special", "np", "numpy"})
# Arguments that people pass by keyword and whose position is the same in every function that has them.
_KEYWORD_POSITIONS = {"input": 0, "other": 1, "target": 1, "mat2": 1}


class Span(NamedTuple):
    """The lines (from 1) and byte columns (from 0) between which an expression stands."""

    lineno: int
    end_lineno: int
    col: int
    end_col: int


class _Tree(NamedTuple):
    """A parsed source, with what is needed to go from a span to a node and from a node to its parent."""

    lines: list[bytes]
    by_span: dict[Span, ast.AST]
    parents: dict[ast.AST, ast.AST]
    bindings: dict[str, set[str]]


@lru_cache(maxsize=4)  # 5 MB and 40 ms for a thousand lines full of operations
def _tree(source: str) -> _Tree | None:
    try:
        root = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None  # not Python (a template, an edited file), or nested beyond the parser's depth
    by_span: dict[Span, ast.AST] = {}
    parents: dict[ast.AST, ast.AST] = {}
    bindings: dict[str, set[str]] = {}
    pending: list[ast.AST] = [root]
    while pending:
        node = pending.pop()
        for child in ast.iter_child_nodes(node):
            parents[child] = node
            pending.append(child)
        for name, how in _bindings(node):
            bindings.setdefault(name, set()).add(how)
        for span in _spans(node):
            # An expression goes before the expression statement that consists of it.
            if span not in by_span or isinstance(by_span[span], ast.Expr):
                by_span[span] = node
    return _Tree(_lines(source), by_span, parents, bindings)


def _lines(source: str) -> list[bytes]:
    return source.encode("utf-8", "replace").splitlines(keepends=True)


def _bindings(node: ast.AST) -> list[tuple[str, str]]:
    """The names that a node binds, each with how: by `import a`, by `from a import b`, or to a value."""
    match node:
        case ast.Import():
            return [(alias.asname or alias.name.partition(".")[0], "import") for alias in node.names]
        case ast.ImportFrom():
            return [(alias.asname or alias.name, "from") for alias in node.names]
        case ast.Name(ctx=ast.Store()):
            return [(node.id, "value")]
        case ast.arg():
            return [(node.arg, "value")]
    return []


def _spans(node: ast.AST) -> list[Span]:
    """The spans under which Python reports the operations of a node: its own, and one more for a method chain."""
    if not isinstance(node, ast.expr | ast.stmt) or node.end_lineno is None or node.end_col_offset is None:
        return []
    spans = [Span(node.lineno, node.end_lineno, node.col_offset, node.end_col_offset)]
    attribute = node.func if isinstance(node, ast.Call) else node
    if isinstance(attribute, ast.Attribute) and attribute.end_lineno != node.lineno:
        # `x\n.mul(2)` is reported from `mul` on, so that tracebacks point at the right link of a chain.
        line, end = attribute.end_lineno or 0, attribute.end_col_offset or 0
        spans.append(Span(line, node.end_lineno, end - len(attribute.attr), node.end_col_offset))
    return spans


def segment(source: str, span: Span) -> str | None:
    """The text between the ends of a span; None when the source has no such lines."""
    return _cut(_lines(source), span)


def _cut(lines: list[bytes], span: Span) -> str | None:
    if not 1 <= span.lineno <= span.end_lineno <= len(lines):
        return None
    wanted = lines[span.lineno - 1 : span.end_lineno]
    wanted[-1] = wanted[-1][: span.end_col]
    wanted[0] = wanted[0][span.col :]
    return b"".join(wanted).decode("utf-8", "replace") or None


def _text(tree: _Tree, node: ast.AST) -> str | None:
    spans = _spans(node)
    return _cut(tree.lines, spans[0]) if spans else None


def expression_text(source: str, span: Span) -> str | None:
    """The exact text of the expression at a span, line breaks included.

    Python reports a loop over a tensor, or the truth value of a condition, at the whole statement in some versions:
    then it is the expression in the statement's header.
    """
    tree = _tree(source)
    node = _node_at(tree, span) if tree is not None else None
    if tree is None or node is None:
        return segment(source, span)
    return _text(tree, node)


def statement_text(source: str, span: Span) -> str | None:
    """The simple statement (no loop, condition or definition) in which an expression stands, on one line."""
    tree = _tree(source)
    node = _node_at(tree, span) if tree is not None else None
    while tree is not None and node is not None:
        if isinstance(node, ast.stmt):
            return None if hasattr(node, "body") or isinstance(node, ast.Match) else _one_line(tree, node)
        node = tree.parents.get(node)
    return None


def _one_line(tree: _Tree, node: ast.AST) -> str | None:
    text = _text(tree, node)
    if text is None or "\n" not in text:
        return text
    try:
        return ast.unparse(node)  # joining the lines would turn a comment between them into code
    except RecursionError:
        return None


def _node_at(tree: _Tree, span: Span) -> ast.AST | None:
    node = tree.by_span.get(span)
    return _header(node) if node is not None else None


def _header(node: ast.AST) -> ast.AST | None:
    """The expression that a compound node works on: Python 3.11 and 3.12 report its operations at the whole node."""
    match node:
        case ast.For() | ast.AsyncFor():
            return node.iter
        case ast.If() | ast.While() | ast.Assert() | ast.IfExp():
            return node.test
        case ast.With(items=[item]):
            return item.context_expr
        case ast.ListComp(generators=[loop]) | ast.SetComp(generators=[loop]) | ast.DictComp(generators=[loop]):
            return loop.iter
        case ast.GeneratorExp(generators=[loop]):
            return loop.iter
        case ast.FormattedValue():
            return node.value
        case ast.JoinedStr(values=values):
            holes = [part.value for part in values if isinstance(part, ast.FormattedValue)]
            return holes[0] if len(holes) == 1 else node
        case ast.expr() | ast.AugAssign():
            return node
    return None


def result_name(source: str, span: Span, output: int | None = None) -> str | None:
    """The text of what the result of the operation at a span is assigned to: `y`, `self.y`, `ys[0]`.

    Of several targets (`a = b = x * 2`) it is the first; for an operation with several results, `output` says which.
    An in-place method call or item assignment gives the tensor that is written. None for a result without a name:
    part of a larger expression, returned, or named `_`.
    """
    tree = _tree(source)
    node = _node_at(tree, span) if tree is not None else None
    if tree is None or node is None:
        return None
    target = _target(tree, node, output)
    text = _text(tree, target) if target is not None else None
    return None if text == "_" else text


def _target(tree: _Tree, node: ast.AST, output: int | None) -> ast.AST | None:
    if isinstance(node, ast.AugAssign):
        return node.target
    parent = tree.parents[node]
    if isinstance(node, ast.Tuple | ast.List) and isinstance(node.ctx, ast.Store):
        return _element(node, output)
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
        # In `x[0] += 1` the reading and the writing of `x[0]` are reported at the same place.
        return None if isinstance(parent, ast.AugAssign) else node.value
    if isinstance(node, ast.Name):
        return _loop_variable(parent, node)
    while isinstance(parent, ast.IfExp) and node is not parent.test:
        node, parent = parent, tree.parents[parent]
    match parent:
        case ast.Assign(targets=[target, *_]):
            return _element(target, output)
        case ast.AnnAssign() | ast.NamedExpr():
            return _element(parent.target, output)
        case ast.Tuple():
            return _matching_target(tree, parent, node)
        case ast.Expr():
            return _written_in_place(node)
    return None


def _loop_variable(parent: ast.AST, node: ast.Name) -> ast.AST | None:
    """`row` of `for row in x`: what each step of the loop takes out of `x`."""
    if isinstance(parent, ast.For | ast.AsyncFor | ast.comprehension) and parent.iter is node:
        return parent.target if isinstance(parent.target, ast.Name) else None
    return None


def _element(target: ast.expr, output: int | None) -> ast.AST | None:
    """The part of a target that receives result `output`: the whole for a single result."""
    if not isinstance(target, ast.Tuple | ast.List):
        return target if output is None else None
    return _nth(target.elts, output, None) if output is not None else None


def _matching_target(tree: _Tree, values: ast.Tuple, value: ast.AST) -> ast.AST | None:
    """`b` for the value `y * 3` of `a, b = x * 2, y * 3`."""
    assignment = tree.parents[values]
    if not isinstance(assignment, ast.Assign) or any(isinstance(v, ast.Starred) for v in values.elts):
        return None
    target = assignment.targets[0]
    if not isinstance(target, ast.Tuple | ast.List):
        return None
    return _nth(target.elts, next(i for i, v in enumerate(values.elts) if v is value), len(values.elts))


def _nth(targets: list[ast.expr], index: int, count: int | None) -> ast.AST | None:
    """Target number `index`; behind a starred target one can count only when the number of values is known."""
    star = next((i for i, target in enumerate(targets) if isinstance(target, ast.Starred)), len(targets))
    if index < star:
        return targets[index]
    if star == len(targets) or count is None:
        return None
    behind = len(targets) - (count - index)
    return targets[behind] if behind > star else None


def _written_in_place(node: ast.AST) -> ast.AST | None:
    """`x` of the statement `x.add_(1)`."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return None
    name = node.func.attr
    in_place = name.endswith("_") and not name.endswith("__")
    return node.func.value if in_place and isinstance(node.func.value, ast.Name | ast.Attribute) else None


def operand_texts(source: str, span: Span, namespace: Mapping[str, Any] | None = None) -> tuple[str, ...] | None:
    """The texts of the operands of the operation at a span, in order: `("w", "x")` for `w * x`.

    For a call they are the receiver, unless it is a module, and the positional arguments up to the first starred one.
    Whether it is a module is known from the source, else from `namespace` (the globals), else by the usual
    names. The elements of a list or tuple count singly (`cat([a, b])`); string arguments are left out.
    """
    tree = _tree(source)
    node = _node_at(tree, span) if tree is not None else None
    if tree is None or node is None:
        return None
    operands = _operands(tree, node, namespace)
    texts = [_text(tree, operand) for operand in operands] if operands is not None else [None]
    return tuple(text for text in texts if text is not None) if None not in texts else None


def _operands(tree: _Tree, node: ast.AST, namespace: Mapping[str, Any] | None) -> list[ast.expr] | None:
    parent = tree.parents.get(node)
    if isinstance(node, ast.Tuple | ast.List) and isinstance(node.ctx, ast.Store):
        return [parent.value] if isinstance(parent, ast.Assign) else None
    match node:
        case ast.BinOp():
            return [node.left, node.right]
        case ast.AugAssign():
            return [node.target, node.value]
        case ast.UnaryOp():
            return [node.operand]
        case ast.Compare():
            return [node.left, *node.comparators]
        case ast.Subscript(ctx=ast.Store()):
            return [node.value, parent.value] if isinstance(parent, ast.Assign) else [node.value]
        case ast.Subscript():
            return [node.value, node.slice]
        case ast.Attribute():
            return [node.value]
        case ast.Name():
            return [node]
        case ast.Call():
            return _call_operands(node, tree, namespace)
    return None


def _call_operands(call: ast.Call, tree: _Tree, namespace: Mapping[str, Any] | None) -> list[ast.expr] | None:
    operands: list[ast.expr] = []
    if isinstance(call.func, ast.Attribute):
        of_module = _is_module(call.func.value, tree, namespace)
        if of_module is None:
            return None
        operands = [] if of_module else [call.func.value]
    for argument in call.args:
        if isinstance(argument, ast.Starred):
            return operands
        if isinstance(argument, ast.List | ast.Tuple) and not any(isinstance(e, ast.Starred) for e in argument.elts):
            operands.extend(argument.elts)
        elif not (isinstance(argument, ast.Constant) and isinstance(argument.value, str)):
            operands.append(argument)
    for keyword in sorted(call.keywords, key=lambda k: _KEYWORD_POSITIONS.get(k.arg or "", 9)):
        if _KEYWORD_POSITIONS.get(keyword.arg or "") == len(operands):
            operands.append(keyword.value)
    return operands


def _is_module(receiver: ast.expr, tree: _Tree, namespace: Mapping[str, Any] | None) -> bool | None:
    """Whether `f.g` of `f.g.mul(x)` is a module; None where that is not known."""
    while isinstance(receiver, ast.Attribute):
        receiver = receiver.value
    if not isinstance(receiver, ast.Name):
        return False
    how = tree.bindings.get(receiver.id, set())
    if "value" in how:
        return False if len(how) == 1 else None
    if "import" in how:
        return True
    if namespace is not None and receiver.id in namespace:
        return type(namespace[receiver.id]) is ModuleType
    if receiver.id in _USUAL_MODULES:
        return True
    return None if how else False
