"""PyTorch's names for walking through nested containers: flatten, unflatten, map; classes of one's own can be entered.

Lists, tuples (named ones too), dicts (also ordered and default ones) and deques are containers; all else is a leaf,
None too.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, NamedTuple

from wengert._return_types import ReturnType

__all__ = [
    "GetAttrKey",
    "KeyPath",
    "LeafSpec",
    "MappingKey",
    "PyTree",
    "SequenceKey",
    "TreeSpec",
    "keystr",
    "register_pytree_node",
    "tree_all",
    "tree_all_only",
    "tree_any",
    "tree_any_only",
    "tree_flatten",
    "tree_flatten_with_path",
    "tree_iter",
    "tree_leaves",
    "tree_leaves_with_path",
    "tree_map",
    "tree_map_",
    "tree_map_only",
    "tree_map_with_path",
    "tree_structure",
    "tree_unflatten",
]

PyTree = Any
KeyPath = tuple[Any, ...]
IsLeaf = Callable[[Any], bool] | None


class SequenceKey(NamedTuple):
    """A place in a sequence."""

    idx: int

    def __str__(self) -> str:
        return f"[{self.idx!r}]"


class MappingKey(NamedTuple):
    """A place in a dict."""

    key: Any

    def __str__(self) -> str:
        return f"[{self.key!r}]"


class GetAttrKey(NamedTuple):
    """A field of a named tuple, or an attribute."""

    name: str

    def __str__(self) -> str:
        return f".{self.name}"


class _Kind(NamedTuple):
    """How containers of one class are taken apart and put together."""

    flatten: Callable[[Any], tuple[Iterable[Any], Any]]
    unflatten: Callable[[Iterable[Any], Any], Any]
    keys: Callable[[Any], list[Any]]


def _places(container: Any) -> list[Any]:
    return [SequenceKey(i) for i in range(len(container))]


def _dict_keys(container: Any) -> list[Any]:
    return [MappingKey(key) for key in container]


_KINDS: Final[dict[type, _Kind]] = {
    list: _Kind(lambda x: (x, None), lambda parts, _: list(parts), _places),
    tuple: _Kind(lambda x: (x, None), lambda parts, _: tuple(parts), _places),
    dict: _Kind(lambda x: (x.values(), list(x)), lambda parts, keys: dict(zip(keys, parts, strict=True)), _dict_keys),
    OrderedDict: _Kind(
        lambda x: (x.values(), list(x)), lambda parts, keys: OrderedDict(zip(keys, parts, strict=True)), _dict_keys
    ),
    defaultdict: _Kind(
        lambda x: (x.values(), [x.default_factory, list(x)]),
        lambda parts, how: defaultdict(how[0], zip(how[1], parts, strict=True)),
        _dict_keys,
    ),
    deque: _Kind(lambda x: (x, x.maxlen), lambda parts, most: deque(parts, maxlen=most), _places),
}
_NAMED: Final = _Kind(
    lambda x: (x, type(x)), lambda parts, cls: cls._make(parts), lambda x: [GetAttrKey(name) for name in x._fields]
)
_RESULT: Final = _Kind(lambda x: (x, type(x)), lambda parts, cls: cls(tuple(parts)), _places)


def _kind_of(x: Any) -> tuple[Any, _Kind] | None:
    """What a container is called in a structure, and how it is taken apart; None for a leaf."""
    cls = type(x)
    if cls in _KINDS:
        return cls, _KINDS[cls]
    if isinstance(x, tuple) and hasattr(x, "_fields"):
        return "namedtuple", _NAMED
    return ("structseq", _RESULT) if isinstance(x, ReturnType) else None


def register_pytree_node(
    cls: type,
    flatten_fn: Callable[[Any], tuple[Iterable[Any], Any]],
    unflatten_fn: Callable[[Iterable[Any], Any], Any],
    *,
    serialized_type_name: str | None = None,
    to_dumpable_context: Any = None,
    from_dumpable_context: Any = None,
    flatten_with_keys_fn: Callable[[Any], tuple[list[tuple[Any, Any]], Any]] | None = None,
) -> None:
    """Let objects of ``cls`` be containers: ``flatten_fn(x)`` gives children and a context.

    Raises:
        ValueError: the class is registered.
    """
    del serialized_type_name, to_dumpable_context, from_dumpable_context
    if cls in _KINDS:
        raise ValueError(f"{cls} is already registered as pytree node.")

    def keys(x: Any) -> list[Any]:
        if flatten_with_keys_fn is not None:
            return [key for key, _ in flatten_with_keys_fn(x)[0]]
        return [SequenceKey(i) for i, _ in enumerate(flatten_fn(x)[0])]

    _KINDS[cls] = _Kind(flatten_fn, unflatten_fn, keys)


class TreeSpec:
    """The structure of a tree without its leaves; structures compare equal if the containers do."""

    num_nodes: int
    num_leaves: int

    def __init__(self, type: Any, context: Any, children_specs: Iterable[TreeSpec] = ()) -> None:
        self.type, self.context, self.children_specs = type, context, list(children_specs)
        self.num_children = len(self.children_specs)
        self.num_nodes = 1 + sum([child.num_nodes for child in self.children_specs])
        self.num_leaves = sum([child.num_leaves for child in self.children_specs]) if type is not None else 1

    def is_leaf(self) -> bool:
        """Whether the tree is one leaf."""
        return self.type is None

    def unflatten(self, leaves: Iterable[Any]) -> PyTree:
        """The containers around these leaves.

        Raises:
            ValueError: there are more or fewer leaves than places.
        """
        given = list(leaves)
        if len(given) != self.num_leaves:
            raise ValueError(
                f"treespec.unflatten(leaves): `leaves` has length {len(given)} but the spec refers to a pytree that "
                f"holds {self.num_leaves} items ({self})."
            )
        return self._built(iter(given))

    def _built(self, leaves: Iterator[Any]) -> PyTree:
        if self.type is None:
            return next(leaves)
        children = [child._built(leaves) for child in self.children_specs]
        kind = {"namedtuple": _NAMED, "structseq": _RESULT}.get(self.type) or _KINDS[self.type]
        return kind.unflatten(children, self.context)

    def flatten_up_to(self, tree: PyTree) -> list[PyTree]:
        """The parts of another tree that stand where this one has leaves.

        Raises:
            ValueError: it has other containers above them.
        """
        if self.type is None:
            return [tree]
        found = _kind_of(tree)
        if found is None or found[0] != self.type:
            raise ValueError(f"Type mismatch; expected {self.type}, but got {type(tree)}.")
        parts, context = found[1].flatten(tree)
        children = list(parts)
        if len(children) != self.num_children or context != self.context:
            raise ValueError(
                f"Node arity or context mismatch; expected {self.num_children} children with {self.context}, but got "
                f"{len(children)} with {context}."
            )
        pairs = zip(self.children_specs, children, strict=True)
        return [part for spec, child in pairs for part in spec.flatten_up_to(child)]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TreeSpec) and (self.type, self.context, self.children_specs) == (
            other.type,
            other.context,
            other.children_specs,
        )

    def __hash__(self) -> int:
        return hash((self.type, str(self.context), self.num_nodes))

    def __repr__(self) -> str:
        if self.type is None:
            return "*"
        name = self.type if isinstance(self.type, str) else self.type.__name__
        return f"TreeSpec({name}, {self.context}, [{', '.join(map(repr, self.children_specs))}])"


def LeafSpec() -> TreeSpec:  # noqa: N802 - PyTorch's name
    """The structure of a leaf."""
    return TreeSpec(None, None)


def tree_flatten(tree: PyTree, is_leaf: IsLeaf = None) -> tuple[list[Any], TreeSpec]:
    """The leaves from left to right, and the structure around them.

    >>> from wengert.utils import _pytree
    >>> _pytree.tree_flatten({"a": 1, "b": [2, (3,)]})
    ([1, 2, 3], TreeSpec(dict, ['a', 'b'], [*, TreeSpec(list, None, [*, TreeSpec(tuple, None, [*])])]))
    """
    leaves: list[Any] = []
    return leaves, _structure(tree, leaves, is_leaf)


def _structure(tree: PyTree, leaves: list[Any], is_leaf: IsLeaf) -> TreeSpec:
    found = None if is_leaf is not None and is_leaf(tree) else _kind_of(tree)
    if found is None:
        leaves.append(tree)
        return LeafSpec()
    parts, context = found[1].flatten(tree)
    return TreeSpec(found[0], context, [_structure(part, leaves, is_leaf) for part in parts])


def tree_unflatten(leaves: Iterable[Any], treespec: TreeSpec) -> PyTree:
    """The containers of a structure around leaves.

    Raises:
        ValueError: there are more or fewer leaves than places.
    """
    return treespec.unflatten(leaves)


def tree_iter(tree: PyTree, is_leaf: IsLeaf = None) -> Iterator[Any]:
    """The leaves, one after the other."""
    return iter(tree_flatten(tree, is_leaf)[0])


def tree_leaves(tree: PyTree, is_leaf: IsLeaf = None) -> list[Any]:
    """The leaves."""
    return tree_flatten(tree, is_leaf)[0]


def tree_structure(tree: PyTree, is_leaf: IsLeaf = None) -> TreeSpec:
    """The structure."""
    return tree_flatten(tree, is_leaf)[1]


def tree_map(func: Callable[..., Any], tree: PyTree, *rests: PyTree, is_leaf: IsLeaf = None) -> PyTree:
    """The tree with each leaf replaced by ``func`` of it (and of what stands there in the other trees).

    Raises:
        ValueError: another tree has other containers.

    >>> from wengert.utils import _pytree
    >>> _pytree.tree_map(lambda a, b: a + b, [1, {"x": 2}], [10, {"x": 20}])
    [11, {'x': 22}]
    """
    leaves, spec = tree_flatten(tree, is_leaf)
    return spec.unflatten(map(func, leaves, *[spec.flatten_up_to(rest) for rest in rests]))


def tree_map_(func: Callable[..., Any], tree: PyTree, *rests: PyTree, is_leaf: IsLeaf = None) -> PyTree:
    """Call ``func`` on each leaf, for its effect; returns the tree."""
    tree_map(func, tree, *rests, is_leaf=is_leaf)
    return tree


def _is_of(chosen: Any) -> Callable[[Any], bool]:
    return (lambda x: isinstance(x, chosen)) if isinstance(chosen, (type, tuple)) or not callable(chosen) else chosen


def tree_map_only(
    type_or_types_or_pred: Any, func: Callable[[Any], Any], tree: PyTree, is_leaf: IsLeaf = None
) -> PyTree:
    """The tree with leaves of some types replaced by ``func`` of them."""
    chosen = _is_of(type_or_types_or_pred)
    return tree_map(lambda x: func(x) if chosen(x) else x, tree, is_leaf=is_leaf)


def tree_all(pred: Callable[[Any], bool], tree: PyTree, is_leaf: IsLeaf = None) -> bool:
    """Whether it holds for all leaves."""
    return all(map(pred, tree_iter(tree, is_leaf)))


def tree_any(pred: Callable[[Any], bool], tree: PyTree, is_leaf: IsLeaf = None) -> bool:
    """Whether it holds for a leaf."""
    return any(map(pred, tree_iter(tree, is_leaf)))


def tree_all_only(type_or_types: Any, pred: Callable[[Any], bool], tree: PyTree, is_leaf: IsLeaf = None) -> bool:
    """Whether it holds for all leaves of some types."""
    chosen = _is_of(type_or_types)
    return all([pred(x) for x in tree_iter(tree, is_leaf) if chosen(x)])


def tree_any_only(type_or_types: Any, pred: Callable[[Any], bool], tree: PyTree, is_leaf: IsLeaf = None) -> bool:
    """Whether it holds for a leaf of some types."""
    chosen = _is_of(type_or_types)
    return any([pred(x) for x in tree_iter(tree, is_leaf) if chosen(x)])


def tree_flatten_with_path(tree: PyTree, is_leaf: IsLeaf = None) -> tuple[list[tuple[KeyPath, Any]], TreeSpec]:
    """The leaves with the keys that lead to them, and the structure."""
    return tree_leaves_with_path(tree, is_leaf), tree_structure(tree, is_leaf)


def tree_leaves_with_path(tree: PyTree, is_leaf: IsLeaf = None) -> list[tuple[KeyPath, Any]]:
    """The leaves with the keys that lead to them."""
    found = None if is_leaf is not None and is_leaf(tree) else _kind_of(tree)
    if found is None:
        return [((), tree)]
    keyed = zip(found[1].keys(tree), found[1].flatten(tree)[0], strict=True)
    return [((key, *path), leaf) for key, part in keyed for path, leaf in tree_leaves_with_path(part, is_leaf)]


def tree_map_with_path(func: Callable[..., Any], tree: PyTree, *rests: PyTree, is_leaf: IsLeaf = None) -> PyTree:
    """As :func:`tree_map`, with the keys that lead to a leaf as the first argument."""
    keyed, spec = tree_flatten_with_path(tree, is_leaf)
    others = [spec.flatten_up_to(rest) for rest in rests]
    return spec.unflatten(map(func, [path for path, _ in keyed], [leaf for _, leaf in keyed], *others))


def keystr(kp: KeyPath) -> str:
    """Keys as they are written in Python: ``['a'][0]``."""
    return "".join(map(str, kp))
