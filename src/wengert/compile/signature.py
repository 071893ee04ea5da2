"""What a compiled function goes by: the key of a call, which one program answers, and keys as people read them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from wengert._dtypes import DEFAULTS
from wengert._tree import LEAF, count
from wengert.compile.lower.sizes import SHORT
from wengert.engine.base import TensorBase, is_tracking
from wengert.engine.state import STATE

_PLAIN = frozenset({bool, int, float, complex, str, type(None)})
_INFERENCE: Final = ("mode", "inference mode")
_ANY: Final = {cls: (cls, f"any {cls.__name__}") for cls in (float, int)}


def key_of(leaves: Sequence[Any], structure: Any) -> Any:
    """The key of a call with these leaves of arguments: equal keys, equal programs but for tensors from outside."""
    same = _repeated(leaves) if len(leaves) > 1 else None
    return (structure, *[_leaf_key(leaf) for leaf in leaves], same, _mode(), DEFAULTS.float)


def _mode() -> Any:
    """Whether gradients are recorded; in inference mode they never are, whatever the function asks for."""
    return _INFERENCE if STATE.inference else STATE.grad_enabled


def erased(key: Any, places: Sequence[int]) -> Any:
    """The key of all calls that differ from this one in the values of the numbers at these leaves."""
    parts = list(key)
    for i in places:
        parts[1 + i] = _ANY[parts[1 + i][0]]
    return tuple(parts)


def without_lengths(key: Any) -> tuple[Any, tuple[int, ...]]:
    """The key of calls that differ in long lengths, but not in which of them are equal; and those, each once."""
    places: dict[int, int] = {}
    parts = list(key)
    for i in range(1, len(parts) - 3):
        part = parts[i]
        if part.__class__ is tuple and len(part) > 2 and part[2].__class__ is tuple:
            shape = tuple([n if n <= SHORT else (places.setdefault(n, len(places)),) for n in part[2]])
            parts[i] = (*part[:2], shape, *part[3:])
    return tuple(parts), tuple(places)


def _repeated(leaves: Sequence[Any]) -> tuple[int, ...] | None:
    """Which tensors are one object; None if each is another one. What is written to one shows in the others."""
    ids = [id(leaf) for leaf in leaves if isinstance(leaf, TensorBase)]
    return tuple(map(ids.index, ids)) if len(set(ids)) != len(ids) else None


def _leaf_key(leaf: Any) -> Any:
    cls = leaf.__class__
    if isinstance(leaf, TensorBase):
        data = leaf._data
        tracked = is_tracking(leaf)
        return cls, data.dtype, data.shape, tracked, tracked and leaf._node is None
    if cls in _PLAIN:
        return cls, repr(leaf) if cls is float or cls is complex else leaf
    if isinstance(leaf, (np.ndarray, np.generic)):
        return "array", leaf.dtype, leaf.shape
    if cls is set:
        return cls, frozenset(leaf)
    try:
        hash(leaf)
    except TypeError:
        return _Same(leaf)
    if hasattr(cls, "_traced_state"):
        return cls, leaf, leaf._traced_state()
    return cls, leaf


def _part_text(part: Any) -> str:
    """One part of a key, for people."""
    if part is None or (isinstance(part, tuple) and part and isinstance(part[0], int)):
        return "different tensors" if part is None else "the same tensor more than once"
    if isinstance(part, (_Same, bool, np.dtype)):
        return (
            f"grad mode {part}" if isinstance(part, bool) else repr(part.it) if isinstance(part, _Same) else str(part)
        )
    _, *rest = part
    if isinstance(rest[0], np.dtype):
        sizes = ",".join(map(str, rest[1]))
        return f"{rest[0]}{f'[{sizes}]' if rest[1] else ''}" + (" requiring grad" if len(rest) > 2 and rest[2] else "")
    return str(rest[0])


def described(key: Any, last: Any, *, again: bool) -> tuple[str, str]:
    """A signature, and why a call was traced: ``last`` is the one before; ``again`` if this was traced before."""
    mode = ", in inference mode" if key[-2] is _INFERENCE else "" if key[-2] else ", under no_grad"
    return f"({', '.join(map(_part_text, key[1:-3]))}){mode}", _why(key, last, again=again)


def _why(key: Any, last: Any, *, again: bool) -> str:
    if again:
        return (
            "a tensor from outside has another dtype, shape, requires_grad or .grad than when it was traced before, "
            "a module another attribute, a name another number or tensor, or a tensor another order in memory"
        )
    if last is None:
        return "this was the first call"
    if last[0] != key[0]:
        return "the arguments are nested in another way than before"
    return "; ".join(
        [f"{_part_text(a)} became {_part_text(b)}" for a, b in zip(last[1:], key[1:], strict=True) if a != b]
    )


class _Same:
    """A key that is equal for the same object only, and keeps it alive."""

    def __init__(self, it: Any) -> None:
        self.it = it

    def __hash__(self) -> int:
        return id(self.it)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.it is self.it


def changing(function: Callable[..., Any], keys: Sequence[Any]) -> str:
    """Which argument differs most among these keys."""
    structures = {key[0] for key in keys}
    alike = [key for key in keys if key[0] == keys[-1][0]]
    counts = [len(set(parts)) for parts in zip(*[key[1:-3] for key in alike], strict=True)]
    if not counts or max(counts) < max(len(structures), 2):
        if len(structures) > 1:
            return f"its arguments were nested in {len(structures)} ways"
        return "tensors from outside have other dtypes, shapes or gradients from call to call"
    place = counts.index(max(counts))
    examples = ", ".join([_part_text(key[1 + place]) for key in alike[-3:]])
    return f"{_path(function, keys[-1][0], place)} keeps changing (the last ones: {examples})"


def _path(function: Callable[..., Any], structure: Any, place: int) -> str:
    """Where in the arguments a leaf is: the argument's name and what leads to the leaf in it."""
    steps = _steps(structure, place)
    if steps[0] == 1:
        name = str(steps[1])
    else:
        try:
            name = list(inspect.signature(function).parameters)[steps[1]]
        except (TypeError, ValueError, IndexError):
            name = f"number {steps[1]}"
    return f"argument {name}" + "".join([f"[{step!r}]" for step in steps[2:]])


def _steps(structure: Any, place: int) -> list[Any]:
    if structure is LEAF:
        return []
    cls, how, children = structure
    for number, child in enumerate(children):
        size = count(child)
        if place < size:
            return [how[number] if issubclass(cls, dict) else number, *_steps(child, place)]
        place -= size
    return []


__all__ = ["changing", "described", "erased", "key_of", "without_lengths"]
