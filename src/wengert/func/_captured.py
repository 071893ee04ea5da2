"""What a function uses from outside of its arguments and is tracked there, read off the graph of one run."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from wengert.autograd.graph import GradientEdge, tensor_at
from wengert.engine.base import TensorBase, edge_of
from wengert.engine.batch_scope import parts_of
from wengert.engine.node import Port


def captured(
    outputs: Iterable[Any], arguments: Iterable[Any], start: int, ends: Collection[Any] = frozenset()
) -> list[Any]:
    """Stand-ins for the tracked values that ``outputs`` depend on besides ``arguments``; no values, only places.

    Args:
        outputs: what the function gave.
        arguments: its arguments: what lies behind them is not looked at.
        start: the sequence number at which its run began: older places are outside of it.
        ends: places that count as outside although they are not older.
    """
    inside = {edge for t in arguments for edge in _edges(t)}
    stack: list[Any] = [edge for t in outputs for edge in _edges(t)]
    seen, found = set(), []
    while stack:
        node = stack.pop()
        if node is None or node in seen or node in inside:
            continue
        seen.add(node)
        if not node.seq and _is_input_of_an_ended_run(node):
            continue
        if node in ends or not node.seq or node.seq > start:  # later nodes have smaller numbers
            parent: Any = node.next[0] if isinstance(node, Port) else node
            edge = GradientEdge(parent, node.index if isinstance(node, Port) else 0)
            found.append(tensor_at(edge, [node]))
        else:
            stack.extend(node.next)
    return found


def _is_input_of_an_ended_run(leaf: Any) -> bool:
    """Whether a leaf stands for the input of a function whose derivative was taken, and that is over: a constant."""
    made = None if leaf.variable is None else leaf.variable._fresh
    return made is not None and made.end is not None


def _edges(t: Any) -> list[Any]:
    return [edge_of(part) for part in parts_of(t)] if isinstance(t, TensorBase) else []


__all__ = ["captured"]
