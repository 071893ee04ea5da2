"""Whether what a nest computes can be computed in one loop over all elements, in memory order."""

from __future__ import annotations

from collections.abc import Container
from math import prod
from typing import Any

from wengert.compile.lower.gathers import is_gather, is_joining
from wengert.compile.lower.places import EMBEDDINGS, MAPPERS
from wengert.program.program import Equation
from wengert.program.values import Value


def is_flat(root: Any, group: Any, in_memory: Container[Value]) -> bool:
    """Whether a root can be computed in one loop over all elements in memory order."""
    if root.reduced and len(root.reduced) != len(root.shape):
        return False
    size = prod(root.shape)
    if size == 1:  # one element may be taken from anywhere of something larger
        return False
    stack: list[Value] = [root.value] if not root.reduced else list(group.makers[root.value].values)
    seen: set[Value] = set()
    while stack:
        x = stack.pop()
        if x in seen or x.size == 1:
            continue
        seen.add(x)
        maker = group.makers[x] if x is root.value else group.inlined(x)
        if maker is None:
            if x in in_memory and x.size != size:
                return False
            continue
        if x.size != size or not _keeps_order(maker):
            return False
        stack.extend(maker.values)
    return True


def _keeps_order(equation: Equation) -> bool:
    """Whether each element of the result stands where its inputs' elements do, in memory order."""
    name = equation.op.name
    (y,) = equation.results
    if name in ("expand", "unsqueeze", "alias"):
        return all([x.size in (1, y.size) for x in equation.values])
    if name in MAPPERS or name in EMBEDDINGS or is_gather(equation) or is_joining(equation):
        return False
    return all([x.size in (1, y.size) for x in equation.values])


__all__ = ["is_flat"]
