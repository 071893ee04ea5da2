"""How a variable came by its value, as far as the source tells: the statement, what it read, where gradients were cut.

It is used when something has gone wrong, to say why a result has no gradient. Recording it while the program runs would
cost time for every operation; the source is there for nothing.
"""

import ast
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

__all__ = ["Cut", "Step", "assignment", "expression", "parameters", "returned"]

# What turns a tracked value into something that carries no gradient, by the name of the method.
_METHODS = {
    "detach": "detach()",
    "detach_": "detach_()",
    "item": "item()",
    "tolist": "tolist()",
    "numpy": "numpy()",
    "argmax": "argmax(), whose result is an index",
    "argmin": "argmin(), whose result is an index",
    "argsort": "argsort(), whose result is indices",
    "long": "long(), a conversion to integers",
    "int": "int(), a conversion to integers",
    "bool": "bool(), a conversion to True and False",
}
_BUILTINS = frozenset({"float", "int", "bool", "complex", "round"})
_COPIES = frozenset({"tensor", "array", "asarray", "from_numpy", "FloatTensor", "DoubleTensor"})
_ELSEWHERE = frozenset({"np", "numpy", "math", "scipy"})
_OFF = frozenset({"no_grad", "inference_mode"})
_Scope = ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


class Cut(NamedTuple):
    """A place in an expression behind which there is no gradient."""

    how: str
    names: frozenset[str]


class Step(NamedTuple):
    """One statement (or expression) that made a value."""

    lineno: int
    text: str
    names: tuple[str, ...]  # the variables that it reads, `self.w` included, in order
    cuts: tuple[Cut, ...]
    switched_off: str | None  # the block or decorator that switches tracking off there
    calls: tuple[str, ...] = ()  # the functions that it calls, as they are written: `model`, `self.layer`, `torch.exp`
    filename: str = ""  # where it stands, if not where it was looked for: in another cell of a notebook


def assignment(source: str, name: str, line: int) -> Step | None:
    r"""The assignment to ``name`` that came last before ``line``, in the function (or module) around that line.

    >>> step = assignment("w = 1\np = w.detach() * 2\nloss = p", "p", 3)
    >>> step.lineno, step.names, step.cuts[0].how
    (2, ('w',), 'detach()')
    """
    root = _parsed(source)
    if root is None:
        return None
    scope = _scope_at(root, line)
    found = [s for s in _statements(scope) if name in _targets(s)]
    before = [s for s in found if s.lineno <= line] or found
    if not before:
        return None
    statement = max(before, key=lambda s: s.lineno)
    value: ast.AST | None = getattr(statement, "value", None)
    if value is None:
        return None
    return _step(scope, statement, statement if isinstance(statement, ast.AugAssign) else value)


def returned(source: str, line: int) -> list[Step]:
    r"""What the function that begins at ``line`` returns, the last first.

    >>> [step.text for step in returned("def f(x):\n    return x.detach()", 1)]
    ['return x.detach()']
    """
    root = _parsed(source)
    scope = _function_at(root, line) if root is not None else None
    if scope is None:
        return []
    if isinstance(scope, ast.Lambda):
        return [_step(scope, scope, scope.body)]
    found = [s for s in _statements(scope) if isinstance(s, ast.Return) and s.value is not None]
    return [_step(scope, s, s.value) for s in reversed(found) if s.value is not None]


def parameters(source: str, line: int) -> tuple[str, ...]:
    """The names of the positional parameters of the function that begins at ``line``.

    >>> parameters("def f(x, y): pass", 1)
    ('x', 'y')
    """
    root = _parsed(source)
    scope = _function_at(root, line) if root is not None else None
    return () if scope is None else tuple([a.arg for a in (*scope.args.posonlyargs, *scope.args.args)])


def _function_at(root: ast.Module, line: int) -> ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | None:
    """The function whose code object begins at a line: with its first decorator, if it has any."""
    for node in ast.walk(root):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            if min([node.lineno, *[d.lineno for d in node.decorator_list]]) == line:
                return node
        elif isinstance(node, ast.Lambda) and node.lineno == line:
            return node
    return None


def expression(source: str, line: int, text: str) -> Step | None:
    """The expression before ``.backward`` in ``text``, at ``line``: ``y.sum()`` of ``y.sum().backward()``."""
    root = _parsed(source)
    try:
        call = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError):
        return None
    if root is None or not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        return None
    if call.func.attr != "backward":
        return None
    scope = _scope_at(root, line)
    around = [s for s in _statements(scope) if s.lineno <= line <= (s.end_lineno or s.lineno)]
    step = _step(scope, around[-1] if around else scope, call.func.value)
    return step._replace(lineno=line)


def _step(scope: _Scope, statement: ast.AST, value: ast.AST) -> Step:
    return Step(
        lineno=getattr(statement, "lineno", 1),
        text=" ".join(ast.unparse(statement if isinstance(statement, ast.stmt) else value).split()),
        names=tuple(dict.fromkeys(_names(value))),
        cuts=tuple(_cuts(value)),
        switched_off=_switched_off(scope, getattr(statement, "lineno", 1)),
        calls=tuple(dict.fromkeys(_called(value))),
    )


@lru_cache(maxsize=4)
def _parsed(source: str) -> ast.Module | None:
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _scope_at(root: ast.Module, line: int) -> _Scope:
    scope: _Scope = root
    for node in ast.walk(root):  # outer before inner
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.lineno <= line <= (node.end_lineno or 0):
            scope = node
    return scope


def _statements(scope: ast.AST) -> Iterator[ast.stmt]:
    """The statements of a scope, those in its blocks included, those of functions and classes in it not."""
    for node in ast.iter_child_nodes(scope):
        if isinstance(node, ast.stmt):
            yield node
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, ast.expr)):
            yield from _statements(node)


def _targets(statement: ast.stmt) -> set[str]:
    match statement:
        case ast.Assign(targets=targets):
            stored = targets
        case ast.AugAssign(target=target) | ast.AnnAssign(target=target):
            stored = [target]
        case _:
            return set()
    return {
        text
        for target in stored
        for part in (target.elts if isinstance(target, (ast.Tuple, ast.List)) else [target])
        if (text := _dotted(part)) is not None
    }


def _dotted(node: ast.AST) -> str | None:
    """`w` or `self.w`; None for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return f"{node.value.id}.{node.attr}"
    return None


def _names(value: ast.AST) -> Iterator[str]:
    called = {id(node.func) for node in ast.walk(value) if isinstance(node, ast.Call)}
    for node in ast.walk(value):
        if id(node) in called:  # a function's name, a method's; what the method is called on comes later
            continue
        text = _dotted(node)
        if text is not None:
            yield text


def _called(value: ast.AST) -> Iterator[str]:
    for node in ast.walk(value):
        if isinstance(node, ast.Call):
            text = ast.unparse(node.func)
            if text.replace(".", "").isidentifier():
                yield text


def _cuts(value: ast.AST) -> Iterator[Cut]:
    for node in ast.walk(value):
        match node:
            case ast.Call(func=ast.Attribute(attr=attr, value=inner)) if attr in _METHODS:
                yield Cut(_METHODS[attr], frozenset([*_names(inner), *_arguments(node)]))
            case ast.Attribute(attr="data", value=inner):
                yield Cut(".data", frozenset(_names(inner)))
            case ast.Call(func=ast.Name(id=name)) if name in _BUILTINS:
                yield Cut(f"{name}(...), which makes a Python number of it", frozenset(_arguments(node)))
            case ast.Call(func=ast.Attribute(attr=attr, value=ast.Name(id=module))) if attr in _COPIES:
                yield Cut(f"{module}.{attr}(...), which copies the values only", frozenset(_arguments(node)))
            case ast.Call(func=ast.Attribute(attr=attr, value=ast.Name(id=module))) if module in _ELSEWHERE:
                yield Cut(f"{module}.{attr}(...), which knows no gradients", frozenset(_arguments(node)))
            case ast.Compare():
                yield Cut("a comparison, whose result is True or False", frozenset(_names(node)))


def _arguments(call: ast.Call) -> Iterator[str]:
    for argument in (*call.args, *[keyword.value for keyword in call.keywords]):
        yield from _names(argument)


def _switched_off(scope: _Scope, line: int) -> str | None:
    """The innermost `with no_grad()` around a line of a scope, or the function's decorator to that effect."""
    found = None
    for node in _statements(scope):
        if isinstance(node, ast.With) and node.lineno <= line <= (node.end_lineno or 0):
            for item in node.items:
                found = _mode(item.context_expr, found)
    if found is None and not isinstance(scope, (ast.Module, ast.Lambda)):
        for decorator in scope.decorator_list:
            found = _mode(decorator, found)
    return found


def _mode(node: ast.expr, before: str | None) -> str | None:
    """The mode that a context manager or decorator switches to: off, in its words; on, None; else as before."""
    for part in ast.walk(node):
        name = part.attr if isinstance(part, ast.Attribute) else getattr(part, "id", None)
        if name in _OFF:
            return ast.unparse(node)
        if name == "enable_grad":
            return None
        if name == "set_grad_enabled":
            given = [one.value for one in ast.walk(node) if isinstance(one, ast.Constant)]
            return ast.unparse(node) if False in given else None if True in given else before
    return before
