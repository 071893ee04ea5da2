"""Values saved for backward: packed by hooks, checked against in-place writes, unpacked as raw values or as tensors."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from wengert._batched import Batched
from wengert._traced import Traced
from wengert.engine import messages
from wengert.engine.base import TensorBase, wrap
from wengert.engine.node import UNWATCHED, AccumulateGrad, Node, Port
from wengert.engine.state import STATE

ARRAYS = (np.ndarray, np.generic, Traced, Batched)  # not "no Python number": np.float64 is a float


class Packed:
    """What a saved-tensor pack hook returned, with the hook that unpacks it."""

    __slots__ = ("edge", "packed", "unpack")

    def __init__(self, packed: Any, unpack: Callable[[Any], Any], edge: Node | None) -> None:
        self.packed = packed
        self.unpack = unpack
        self.edge = edge

    def tensor(self, edge: Node | None = None) -> Any:
        """The unpacked tensor, connected to the graph where the saved one was (or to ``edge``)."""
        got = self.unpack(self.packed)
        if not isinstance(got, TensorBase):
            raise TypeError(
                "Output of saved tensor unpack_hook expected to be a Tensor but got result of type "
                f"{type(got).__name__}"
            )
        return as_tensor(got._data, self.edge if edge is None else edge)


class SavedTensor:
    """One value that a node has saved, which can be given hooks of its own (``grad_fn._raw_saved_self``)."""

    __slots__ = ("_node", "_slot")

    def __init__(self, node: Any, slot: int) -> None:
        self._node, self._slot = node, slot

    def register_hooks(self, pack_hook: Callable[[Any], Any], unpack_hook: Callable[[Any], Any]) -> None:
        """Keep ``pack_hook(tensor)`` in the value's place, of which ``unpack_hook`` makes a tensor when it is needed.

        Raises:
            RuntimeError: there is no tensor to pack (none was saved, it was freed, it has hooks), or ``pack_hook``
                wrote into it.
        """
        node = self._node
        if node.freed is not None:
            raise RuntimeError(messages.hooks_on_freed(node))
        raw, cell, edge = node.saved_value(self._slot)
        if raw.__class__ is Packed:
            raise RuntimeError(messages.SECOND_HOOKS)
        if not isinstance(raw, ARRAYS):
            raise RuntimeError(messages.HOOKS_ON_NOTHING)
        t = wrap(raw)
        t._cell = cell
        node.keep_packed(self._slot, Packed(run_pack_hook(pack_hook, t), unpack_hook, edge))


def run_pack_hook(hook: Callable[[Any], Any], t: Any) -> Any:
    """What a pack hook makes of a tensor, which it must not write into.

    Raises:
        RuntimeError: it did.
    """
    before = t._cell[0] if t._cell else 0
    packed = hook(t)
    if t._cell and t._cell[0] != before:
        raise RuntimeError(messages.PACK_HOOK_WROTE)
    return packed


def as_tensor(raw: Any, edge: Node | None, cell: list[Any] | None = None) -> Any:
    """A tensor on a saved raw value that leads to ``edge`` in the graph; the leaf itself where it is a leaf."""
    if isinstance(edge, AccumulateGrad):
        leaf = edge.variable
        if leaf is not None and leaf._data is raw:
            return leaf
    t = wrap(raw)
    t._cell = cell if cell is not None else [0]
    if edge is not None and raw.dtype.kind in "fc":
        t._node, t._rg = edge, True
        if isinstance(edge, AccumulateGrad):
            t._node = None
            t._accumulator = _keep_alive(edge)
    return t


def _keep_alive(edge: AccumulateGrad) -> Callable[[], AccumulateGrad]:
    return lambda: edge


def pack(node: Any, inputs: tuple[Any, ...]) -> None:
    """Hand each saved tensor to the innermost pack hook, and keep what it returns instead."""
    node.hang()  # the sweep's short path takes only nodes without anything special
    saved = node.saved
    packed = tuple([_packed(node, slot, value, inputs) for slot, value in enumerate(saved)])
    if any([new is not old for new, old in zip(packed, saved, strict=True)]):
        kept = [old if new is None else new for new, old in zip(packed, node.kept, strict=True)]
        node.relink(kept, (UNWATCHED,))


def _packed(node: Any, slot: int, value: Any, inputs: tuple[Any, ...]) -> Any:
    if value.__class__ is tuple:  # several results
        watched = iter(node.watched)
        return tuple(
            [
                None if part is None else pack_result(part, port_of(node, i), next(watched)[0])
                for i, part in enumerate(value)
            ]
        )
    if not isinstance(value, ARRAYS):
        return value
    if slot == 0:
        return pack_result(value, node, node.watched[0][0])
    source = inputs[slot - 1]
    return pack_one(source if isinstance(source, TensorBase) else wrap(value), node.next[slot - 1])


def pack_one(t: Any, edge: Node | None) -> Packed | None:
    """What the innermost pack hook makes of ``t``; None when there is no hook."""
    if not STATE.saved_hooks:
        return None
    pack_hook, unpack_hook = STATE.saved_hooks[-1]
    hooks, STATE.saved_hooks = STATE.saved_hooks, ()
    try:
        return Packed(run_pack_hook(pack_hook, t), unpack_hook, edge)
    finally:
        STATE.saved_hooks = hooks


def pack_result(raw: Any, place: Node, cell: Any) -> Packed | None:
    """As :func:`pack_one` for a result: an edge to its own node would be a cycle, so it is added on unpacking."""
    if not STATE.saved_hooks:
        return None
    t = wrap(raw)
    t._cell = cell
    if raw.dtype.kind in "fc":
        t._node, t._rg = place, True
    packed = pack_one(t, None)
    if packed is not None and packed.packed is t:
        packed.packed = wrap(raw)
    return packed


def port_of(node: Any, index: int) -> Port:
    """The port of one of several results: the one that leads to the tensor, while it lives."""
    try:
        references = node.port_references
    except AttributeError:
        references = node.port_references = {}
    port = references[index]() if index in references else None
    if port is None:
        port = Port(node, index, node.shape[index], node.dtype[index])
        references[index] = weakref.ref(port)
    return port


def check_versions(node: Any) -> None:
    """Raise if a saved value was written in place after it was saved, or freed."""
    if node.freed is not None:
        raise RuntimeError(messages.freed(node))
    for position, (cell, saved) in enumerate(node.watched):
        if cell[0] != saved:
            raise RuntimeError(messages.changed_in_place(node, position, cell, saved))


def raw_saved(node: Any) -> tuple[Any, ...]:
    """``(y, *inputs)`` as raw values, unpacked; raises when freed or changed."""
    check_versions(node)
    saved = node.saved
    return tuple([_unpacked(value) for value in saved])


def _unpacked(value: Any) -> Any:
    if value.__class__ is Packed:
        return value.tensor()._data
    return tuple([_unpacked(part) for part in value]) if value.__class__ is tuple else value


def tensor_saved(node: Any, only: int | None = None) -> tuple[Any, ...]:
    """``(y, *inputs)`` as tensors connected to the graph; raises when freed or changed.

    With ``only`` just that one is unpacked, so that no other hook of the user's runs.
    """
    check_versions(node)
    saved = node.saved
    cells = iter([cell for cell, _ in node.watched])
    tensors: list[Any] = []
    for slot, value in enumerate(saved):
        if value.__class__ is tuple:  # several results
            tensors.append(tuple([_result(node, i, part, cells) for i, part in enumerate(value)]))
        elif value.__class__ is Packed:
            tensors.append(value.tensor(node if slot == 0 else None) if only in (None, slot) else None)
        elif not isinstance(value, ARRAYS):
            tensors.append(value)
        else:
            # an input that is a constant (a Python number made an array) has no cell of its own
            edge = node if slot == 0 else node.next[slot - 1]
            tensors.append(as_tensor(value, edge, next(cells, None)))
    return tuple(tensors)


def _result(node: Any, index: int, part: Any, cells: Iterator[Any]) -> Any:
    """One of several saved results as a tensor; None where no rule reads it."""
    if part is None:
        return None
    port = port_of(node, index)
    return part.tensor(port) if part.__class__ is Packed else as_tensor(part, port, next(cells))
