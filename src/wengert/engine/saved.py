"""Values saved for backward: packed by hooks, checked against in-place writes, unpacked as raw values or as tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.engine import messages
from wengert.engine.base import TensorBase, wrap
from wengert.engine.node import AccumulateGrad, Metadata, Node, Port
from wengert.engine.state import STATE

_ARRAYS = (np.ndarray, np.generic)  # not "no Python number": np.float64 is a float


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
                f"Output of saved tensor unpack_hook expected to be a Tensor but got result of type {type(got)}"
            )
        return as_tensor(got._data, self.edge if edge is None else edge)


def as_tensor(raw: Any, edge: Node | None, cell: list[Any] | None = None) -> Any:
    """A tensor on a saved raw value that leads to ``edge`` in the graph; the leaf itself where it is a leaf."""
    if isinstance(edge, AccumulateGrad) and edge.variable._data is raw:
        return edge.variable
    t = wrap(raw)
    t._cell = cell if cell is not None else [0]
    if edge is not None:
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
    packed: list[Any] = []
    for slot, value in enumerate(node.saved or ()):
        if not isinstance(value, _ARRAYS):
            packed.append(value)
        elif slot == 0:  # the result: an edge to this very node would be a cycle; it is added on unpacking
            packed.append(pack_one(wrap(value), None))
        else:
            source = inputs[slot - 1]
            packed.append(pack_one(source if isinstance(source, TensorBase) else wrap(value), node.next[slot - 1]))
    node.relink(tuple(packed), node.cells)


def pack_one(t: Any, edge: Node | None) -> Packed | None:
    """What the innermost pack hook makes of ``t``; None when there is no hook."""
    if not STATE.saved_hooks:
        return None
    pack_hook, unpack_hook = STATE.saved_hooks[-1]
    hooks, STATE.saved_hooks = STATE.saved_hooks, ()
    try:
        return Packed(pack_hook(t), unpack_hook, edge)
    finally:
        STATE.saved_hooks = hooks


def check_versions(node: Any) -> None:
    """Raise if a saved value was written in place after it was saved."""
    versions = node.versions or (0,) * len(node.cells)
    for position, (cell, saved) in enumerate(zip(node.cells, versions, strict=True)):
        if cell[0] != saved:
            raise RuntimeError(messages.changed_in_place(node, position, cell, saved))


def raw_saved(node: Any) -> tuple[Any, ...]:
    """``(y, *inputs)`` as raw values, unpacked; raises when freed or changed."""
    if node.saved is None:
        raise RuntimeError(messages.freed(node))
    check_versions(node)
    return tuple([value.tensor()._data if value.__class__ is Packed else value for value in node.saved])


def tensor_saved(node: Any) -> tuple[Any, ...]:
    """``(y, *inputs)`` as tensors connected to the graph; raises when freed or changed."""
    if node.saved is None:
        raise RuntimeError(messages.freed(node))
    check_versions(node)
    cells = iter(node.cells)
    tensors: list[Any] = []
    for slot, value in enumerate(node.saved):
        if value.__class__ is tuple:  # several results
            shapes = zip(value, range(len(value)), strict=True)
            tensors.append(tuple([as_tensor(part, Port(node, i, part.shape, part.dtype), next(cells)) for part, i in shapes]))
        elif value.__class__ is Packed:
            next(cells, None)
            tensors.append(value.tensor(node if slot == 0 else None))
        elif not isinstance(value, _ARRAYS):
            tensors.append(value)
        else:
            # an input that is a constant (a Python number made an array) has no cell of its own
            edge = node if slot == 0 else node.next[slot - 1]
            tensors.append(as_tensor(value, edge, next(cells, None)))
    return tuple(tensors)
