"""``utils._pytree``: what PyTorch's own does, and what is specific to classes and errors."""

import importlib
from collections import OrderedDict, defaultdict, deque, namedtuple

import pytest

import wengert
from both import attempt, both
from wengert.utils import _pytree

Point = namedtuple("Point", "x y")


@both
def test_taking_apart_and_putting_together(torch):
    """
    [1, 2, None, 3, 4, 5, 6, 7] 8 15
    {'a': [1, (2, None)], 'b': Point(x=3, y=4), 'c': OrderedDict([('z', 5)]), 'd': deque([6], maxlen=2), 'e': [7]}
    True False [1, [2]] True False
    """
    tree = _tree()
    leaves, spec = _of(torch).tree_flatten(tree)
    print(leaves, spec.num_leaves, spec.num_nodes)
    print({key: list(value.values()) if key == "e" else value for key, value in spec.unflatten(leaves).items()})
    T = _of(torch)
    same, other = T.tree_structure(_tree()), T.tree_structure([1, 2])
    print(spec == same, spec == other, T.tree_leaves((1, [2]), is_leaf=lambda x: isinstance(x, list)), end=" ")
    print(T.tree_structure(3).is_leaf(), other.is_leaf())


@both
def test_mapping(torch):
    """
    [(1, 3), (2, 4)] [-1, 2.0, 's'] [-1, 2.0, -3] True False True False
    Point(x=2, y=3) [(1, 'x'), ('ab', [2])]
    ValueError: ...
    ValueError: ...
    ValueError: ...
    [1, 2]
    """
    T = _of(torch)
    print(T.tree_map(lambda a, b: (a, b), [1, 2], [3, 4]), T.tree_map_only(int, lambda x: -x, [1, 2.0, "s"]), end=" ")
    print(T.tree_map_only(lambda x: x % 2, lambda x: -x, [1, 2.0, 3]), end=" ")
    print(T.tree_any(lambda x: x == 2, [1, 2]), T.tree_all(lambda x: x == 2, [1, 2]), end=" ")
    print(T.tree_all_only(int, lambda x: x > 0, [1, -2.0]), T.tree_any_only(int, lambda x: x < 0, [1, -2.0]))
    print(T.tree_map(lambda x: x + 1, Point(1, 2)), T.tree_map(lambda a, b: (a, b), [1, "ab"], ["x", [2]]))
    attempt(lambda: T.tree_map(lambda a, b: 0, [1, 2], [1]))
    attempt(lambda: T.tree_map(lambda a, b: 0, [1, 2], (1, 2)))
    attempt(lambda: T.tree_unflatten([1], T.tree_structure([1, 2])))
    print(T.tree_map_(lambda x: x * 2, [1, 2]))


@both
def test_paths(torch):
    """
    [("['a'][0]", 1), ("['a'][1]", 2), ("['p'].x", 1), ("['p'].y", 2)]
    [('[0]', 1), {'k': ("[1]['k']", 2)}]
    """
    T = _of(torch)
    print([(T.keystr(path), x) for path, x in T.tree_flatten_with_path({"a": [1, 2], "p": Point(1, 2)})[0]])
    print(T.tree_map_with_path(lambda path, x: (T.keystr(path), x), [1, {"k": 2}]))


@both
def test_classes_of_ones_own(torch):
    """
    (2, [3]) [1, 2]
    ValueError: ...
    """

    class Pair:
        def __init__(self, a, b):
            self.a, self.b = a, b

    T = _of(torch)
    T.register_pytree_node(Pair, lambda pair: ([pair.a, pair.b], None), lambda parts, _: Pair(*parts))
    moved = T.tree_map(lambda x: x + 1, Pair(1, [2]))
    print((moved.a, moved.b), T.tree_leaves(Pair(1, [2])))
    attempt(lambda: T.register_pytree_node(Pair, lambda pair: ([], None), lambda parts, _: None))


def test_results_with_names_and_hashes():
    values, indices = wengert.sort(wengert.tensor([2.0, 1.0]))
    again = _pytree.tree_map(lambda t: t, wengert.return_types.sort((values, indices)))
    assert type(again) is wengert.return_types.sort
    assert hash(_pytree.tree_structure([1])) == hash(_pytree.tree_structure([2]))
    assert repr(_pytree.tree_structure({"a": (1,)})) == "TreeSpec(dict, ['a'], [TreeSpec(tuple, None, [*])])"
    assert list(_pytree.tree_iter([1, [2]])) == [1, 2]
    with pytest.raises(ValueError, match="holds 1 items"):
        _pytree.LeafSpec().unflatten([])


def _tree():
    return {
        "a": [1, (2, None)],
        "b": Point(3, 4),
        "c": OrderedDict(z=5),
        "d": deque([6], maxlen=2),
        "e": defaultdict(list, k=7),
    }


def _of(torch):
    return importlib.import_module(f"{torch.__name__}.utils._pytree")
