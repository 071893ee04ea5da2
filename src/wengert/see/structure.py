"""What a graph is as plain data: values, operations, and how they hang together."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from wengert._source import Location
from wengert.engine.base import TensorBase, edge_of
from wengert.engine.node import AccumulateGrad, Node
from wengert.ops.record import Op
from wengert.spaces.batching import BATCHED


@dataclass(slots=True, eq=False)
class Value:
    """A tensor or number of the graph: a leaf, a constant (nothing flows to it), or the result of an operation."""

    index: int  # values are numbered in the order in which they came to be
    source: Operation | None = None  # what made it; None for leaves and constants
    output: int = 0  # which of the results of its source it is
    node: Node | None = None  # where its gradient arrives; None for constants
    shape: tuple[int, ...] | None = None  # None where nothing of a constant was kept
    dtype: Any = None  # a NumPy dtype; None for a Python number
    raw: Any = None  # ndarray, NumPy scalar or Python number; None where it is not known (now)
    certain: bool = False  # `raw` is what the operations saw: kept, and not written since; else it may have changed
    changed: bool = False  # it has been written since, or the variable that held it holds another value now
    candidate: tuple[str, Any] | None = None  # a variable, and its raw value, that it may be; only evaluation can tell
    gradient: Any = None  # the raw `.grad` that a tensor of the user has; None if there is none
    name: str | None = None  # what the user calls it
    text: str | None = None  # of a constant: what stands for it in the source, such as `1 - target`
    users: list[Operation] = field(default_factory=list)  # once for each use

    @property
    def is_leaf(self) -> bool:
        """Whether it is a tensor that requires grad and was computed from nothing."""
        return isinstance(self.node, AccumulateGrad)

    @property
    def is_constant(self) -> bool:
        """Whether it came from outside and no gradient flows to it: a number, a tensor that does not require grad."""
        return self.node is None and self.source is None

    @property
    def nbytes(self) -> int:
        """The memory of its elements, 0 for a number or where the shape is not known."""
        if self.shape is None or self.dtype is None:
            return 0
        size: int = self.dtype.itemsize
        return math.prod(self.shape) * size

    def __repr__(self) -> str:
        return f"<value {self.index}{f' {self.name}' if self.name else ''}>"


@dataclass(frozen=True, slots=True)
class Saved:
    """One value that an operation keeps for backward."""

    name: str  # `result`, or PyTorch's name of the input: `self`, `other`
    shape: tuple[int, ...]
    dtype: Any
    nbytes: int


@dataclass(slots=True, eq=False)
class Operation:
    """One recorded operation, with its inputs in the order of its rules and its results."""

    index: int  # operations are numbered in the order in which they ran
    node: Node
    op: Op | None  # None for a user's autograd.Function
    inputs: tuple[Value, ...] = ()
    results: tuple[Value, ...] = ()
    location: Location | None = None
    freed: bool = False  # backward has run through it: what it saved is gone

    @property
    def name(self) -> str:
        """The name of its node, as PyTorch has it: `MulBackward0`."""
        return type(self.node.settled()).__name__

    @property
    def op_name(self) -> str:
        """The operation's name in the table, one with a Python number called as one without; empty for a user's own."""
        return self.op.name.removesuffix("_number") if self.op is not None else ""

    @property
    def function_name(self) -> str:
        """What its user calls it: `mul`, or the name of an autograd.Function."""
        return self.op_name or self.name.removesuffix("Backward")

    @property
    def batched(self) -> bool:
        """Whether it ran inside of `vmap`, on values that stand for many: those are not evaluated again."""
        return getattr(self.node, "space", None) is BATCHED

    @property
    def saved(self) -> tuple[Saved, ...]:
        """What it keeps for backward now."""
        return tuple(_saved(self.node))

    @property
    def meta(self) -> dict[str, Any]:
        """The operation's metadata: dims, flags, dtypes."""
        return self.node.meta or {}

    def __repr__(self) -> str:
        return f"<operation {self.index} {self.name}>"


@dataclass(slots=True, eq=False)
class Graph:
    """Everything that leads to some results: values and operations, each in the order in which they came to be."""

    roots: tuple[Value, ...]
    values: list[Value]
    operations: list[Operation]

    def leaves(self) -> list[Value]:
        """The tensors that require grad and were computed from nothing."""
        return [value for value in self.values if value.is_leaf]

    def value_of(self, t: Any) -> Value | None:
        """The value that a tensor of the user is in this graph; None if it is not part of it."""
        node = edge_of(t) if isinstance(t, TensorBase) else None
        return next((value for value in self.values if value.node is node), None) if node is not None else None


def _saved(node: Any) -> Iterator[Saved]:
    saved = node.saved if node.op is not None else None
    if saved is None:
        return
    names = ("result", *node.op.args, *node.op.args[-1:] * len(saved))
    for name, value in zip(names, saved, strict=False):
        for part in value if isinstance(value, tuple) else (value,):
            if isinstance(part, np.ndarray) or (isinstance(part, np.generic) and part.size):
                yield Saved(name, part.shape, part.dtype, part.nbytes)


__all__ = ["Graph", "Operation", "Saved", "Value"]
