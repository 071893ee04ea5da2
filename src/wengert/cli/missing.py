"""Finding, before a program runs, the names of PyTorch in it that wengert does not have."""

import ast
import importlib
import sys
from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import Any

__all__ = ["missing_names", "warn_of_missing_names"]

# A piece of source with the number of its notebook cell, or None for a program.
Piece = tuple[int | None, str | bytes]


def warn_of_missing_names(pieces: Iterable[Piece]) -> None:
    """List on standard error, once, the names of PyTorch in the source that wengert does not have, with their lines."""
    missing = missing_names(pieces)
    if not missing:
        return
    print(
        f"wengert: this uses {len(missing)} {'name' if len(missing) == 1 else 'names'} that wengert does not have yet, "
        "and fails where it reaches one:",
        file=sys.stderr,
    )
    width = max(map(len, missing))
    for name, places in sorted(missing.items()):
        print(f"  {name:<{width}}  {', '.join(places)}", file=sys.stderr)


def missing_names(pieces: Iterable[Piece]) -> dict[str, list[str]]:
    """The names of PyTorch that wengert does not have, each with the places that use it.

    `torch` must be answered by wengert (see `wengert.interop.torch.install`). Source that is no valid Python is passed
    over: running it will say so.
    """
    trees = [(cell, tree) for cell, source in pieces if (tree := _parse(source)) is not None]
    aliases: dict[str, str] = {}
    rebound: set[str] = set()
    for _, tree in trees:
        aliases.update(_imported_names(tree))
        rebound.update(_names_bound_otherwise(tree))
    aliases = {name: meaning for name, meaning in aliases.items() if name not in rebound}
    missing: dict[str, list[str]] = {}
    for cell, tree in trees:
        for line, name in sorted(_uses(tree, aliases)):
            absent = _first_absent(name)
            if absent is not None:
                place = f"line {line}" if cell is None else f"cell {cell} line {line}"
                places = missing.setdefault(absent, [])
                if place not in places:
                    places.append(place)
    return missing


def _parse(source: str | bytes) -> ast.Module | None:
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError):
        return None


def _is_torch(name: str) -> bool:
    return name == "torch" or name.startswith("torch.")


def _imported_names(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Names that imports of PyTorch bind, and the dotted name that each stands for."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for item in node.names:
                if _is_torch(item.name):
                    yield (item.asname, item.name) if item.asname else ("torch", "torch")
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module and _is_torch(node.module):
            for item in node.names:
                yield item.asname or item.name, f"{node.module}.{item.name}"


def _names_bound_otherwise(tree: ast.Module) -> Iterator[str]:
    """Names that something other than an import binds somewhere: what they stand for is not known."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name


def _uses(tree: ast.Module, aliases: dict[str, str]) -> Iterator[tuple[int, str]]:
    """Every dotted name of PyTorch that the source uses, with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            name = _dotted(node, aliases)
            if name is not None:
                yield node.lineno, name
        elif isinstance(node, ast.Import):
            yield from ((node.lineno, item.name) for item in node.names if _is_torch(item.name))
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module and _is_torch(node.module):
            yield from ((node.lineno, f"{node.module}.{item.name}") for item in node.names if item.name != "*")


def _dotted(node: ast.expr, aliases: dict[str, str]) -> str | None:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name) or node.id not in aliases:
        return None
    return ".".join([aliases[node.id], *reversed(parts)])


def _first_absent(name: str) -> str | None:
    """The shortest beginning of a dotted name that wengert does not have; None where it has all that can be known."""
    value: Any = importlib.import_module("torch")
    path = "torch"
    for part in name.split(".")[1:]:
        if not isinstance(value, (ModuleType, type)):
            return None
        path = f"{path}.{part}"
        try:
            value = getattr(value, part)
        except AttributeError:
            if not isinstance(value, ModuleType):
                return path
            try:
                value = importlib.import_module(path)
            except ImportError:
                return path
    return None
