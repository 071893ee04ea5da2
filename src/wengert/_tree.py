"""Nested containers as a flat list of leaves and a structure that can be compared and hashed.

Tuples (named ones too), lists and dicts (also ordered and default ones) are containers; everything else is a leaf, None
too.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Iterator
from operator import itemgetter
from typing import Any, Final

from wengert._return_types import ReturnType

__all__ = ["LEAF", "Structure", "builder", "count", "flatten", "map_leaves", "prefix_leaves", "unflatten"]

# A leaf, or (how to build the container, what its building needs, the children's structures).
Structure = Any
LEAF: Final = "*"


def flatten(tree: Any) -> tuple[list[Any], Structure]:
    """The leaves from left to right, and the structure around them.

    >>> flatten({"a": 1, "b": [2, (3,)]})[0]
    [1, 2, 3]
    """
    leaves: list[Any] = []
    return leaves, _flatten(tree, leaves)


def _flatten(tree: Any, leaves: list[Any]) -> Structure:
    cls = tree.__class__
    if cls is tuple or cls is list:
        return cls, None, tuple([_flatten(item, leaves) for item in tree])
    if cls is dict or cls is OrderedDict:
        return cls, tuple(tree), tuple([_flatten(item, leaves) for item in tree.values()])
    if cls is defaultdict:
        return cls, (tree.default_factory, *tree), tuple([_flatten(item, leaves) for item in tree.values()])
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return cls, cls._make, tuple([_flatten(item, leaves) for item in tree])
    if isinstance(tree, ReturnType):
        return cls, cls, tuple([_flatten(item, leaves) for item in tree])
    leaves.append(tree)
    return LEAF


def unflatten(structure: Structure, leaves: Iterable[Any]) -> Any:
    """The containers of ``structure`` around ``leaves``: what :func:`flatten` took apart.

    >>> unflatten(flatten({"a": 1, "b": [2, (3,)]})[1], "xyz")
    {'a': 'x', 'b': ['y', ('z',)]}
    """
    return _unflatten(structure, iter(leaves))


def _unflatten(structure: Structure, leaves: Iterator[Any]) -> Any:
    if structure is LEAF:
        return next(leaves)
    cls, how, children = structure
    items = [_unflatten(child, leaves) for child in children]
    if cls is tuple or cls is list:
        return cls(items)
    if cls is defaultdict:
        return defaultdict(how[0], zip(how[1:], items, strict=True))
    if issubclass(cls, dict):
        return cls(zip(how, items, strict=True))
    return how(items)


def builder(structure: Structure) -> Callable[[tuple[Any, ...]], Any]:
    """:func:`unflatten` for one structure and a tuple of leaves, made ready for many calls.

    >>> builder(flatten(([1, 2], 3))[1])(("a", "b", "c"))
    (['a', 'b'], 'c')
    """
    return _builder(structure, iter(range(count(structure))))


def _builder(structure: Structure, numbers: Iterator[int]) -> Callable[[tuple[Any, ...]], Any]:
    if structure is LEAF:
        return itemgetter(next(numbers))
    cls, _, children = structure
    if cls is tuple and len(children) > 1 and children == (LEAF,) * len(children):
        return itemgetter(*[next(numbers) for _ in children])
    parts = [_builder(child, numbers) for child in children]
    if cls is tuple and len(parts) == 2:  # a value with its gradients, and the like
        first, second = parts
        return lambda leaves: (first(leaves), second(leaves))
    if cls is tuple or cls is list:
        return lambda leaves: cls([part(leaves) for part in parts])
    flat = (cls, structure[1], (LEAF,) * len(children))
    return lambda leaves: unflatten(flat, [part(leaves) for part in parts])


def map_leaves(function: Callable[[Any], Any], tree: Any) -> Any:
    """The same containers around ``function`` of each leaf.

    >>> map_leaves(lambda x: 10 * x, [1, {"a": 2}])
    [10, {'a': 20}]
    """
    leaves, structure = flatten(tree)
    return unflatten(structure, [function(leaf) for leaf in leaves])


def count(structure: Structure) -> int:
    """The number of leaves.

    >>> count(flatten([1, (2, 3)])[1])
    3
    """
    return 1 if structure is LEAF else sum([count(child) for child in structure[2]])


def prefix_leaves(prefix: Any, structure: Structure, is_leaf: Callable[[Any], bool]) -> list[Any] | None:
    """One value of ``prefix`` for each leaf of ``structure``, a leaf of it standing for all below; None if unlike.

    >>> prefix_leaves((0, None), flatten(((1, 2), 3))[1], lambda x: x is None or isinstance(x, int))
    [0, 0, None]
    """
    if is_leaf(prefix):
        return [prefix] * count(structure)
    if structure is LEAF or not isinstance(prefix, (tuple, list, dict)):
        return None
    cls, how, children = structure
    if isinstance(prefix, dict):
        keys = how[1:] if cls is defaultdict else how
        if not issubclass(cls, dict) or set(prefix) != set(keys):
            return None
        parts: Any = [prefix[key] for key in keys]
    else:
        if issubclass(cls, dict) or len(prefix) != len(children):
            return None
        parts = prefix
    own = []
    for part, child in zip(parts, children, strict=True):
        below = prefix_leaves(part, child, is_leaf)
        if below is None:
            return None
        own += below
    return own
