"""What each operation makes of the gradient that arrives at it: its rules evaluated again, input by input.

Knows rules and a graph that was evaluated again. Knows no question that is asked about it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from wengert._memory import without_collection
from wengert._names import operand_texts
from wengert.ops.record import Kind
from wengert.see.finite import is_bad
from wengert.see.graph import Graph, Operation, Value, read
from wengert.see.replay import replay
from wengert.see.rules import handed_on


@dataclass(slots=True, eq=False)
class Step:
    """One input of one operation on the way of a gradient: what arrives at the operation, what it hands on."""

    operation: Operation
    slot: int
    arriving: Any  # the gradient of the operation's (first) result
    handed_on: Any  # before it is summed over broadcast dimensions

    @property
    def value(self) -> Value:
        """The input."""
        return self.operation.inputs[self.slot]


@contextmanager
def asking() -> Iterator[None]:
    """While a question is answered: no warnings of NumPy, which would speak of our own evaluation; no collection."""
    with without_collection(), np.errstate(all="ignore"):
        yield


class Flow:
    """All values of a graph and the gradients that flow through it, from its roots (with ones) to the leaves."""

    def __init__(self, y: Any, frame: Any) -> None:
        self.graph: Graph = read(y, frame)
        self.again = replay(self.graph)
        self._steps: dict[tuple[Operation, int], Step | None] = {}
        self.largest: dict[Value, tuple[Step, float] | None] = {}  # what hands on most to a value, where that was asked

    @property
    def refused(self) -> str | None:
        """Why nothing could be evaluated, if so."""
        return self.again.refused

    def raw(self, value: Value) -> Any:
        """What is known of a value."""
        return self.again.raw(value)

    def gradient(self, value: Value) -> Any:
        """The gradient of the roots by a value; None if nothing flows there or it is not known."""
        return self.again.gradient(value)

    @cached_property
    def unknown(self) -> tuple[Value, ...]:
        """The values that cannot be told any more, because something was written over since."""
        return self.again.changed

    @cached_property
    def bad(self) -> frozenset[Value]:
        """The known values that have an element which is NaN or infinite."""
        return frozenset([value for value, raw in self.again.raws.items() if is_bad(raw)])

    def step(self, operation: Operation, slot: int) -> Step | None:
        """What an operation hands on to one of its inputs; None where nothing flows or it is not known."""
        key = (operation, slot)
        if key not in self._steps:
            self._steps[key] = self._evaluated(operation, slot)
        return self._steps[key]

    def _evaluated(self, operation: Operation, slot: int) -> Step | None:
        value = operation.inputs[slot]
        if value.node is None or self.gradient(value) is None:
            return None
        handed_on = self.again.parts.get(operation, {}).get(slot)
        if handed_on is None:
            return None
        grads = [self.gradient(result) for result in operation.results]
        arriving = grads[0] if len(grads) == 1 else next(g for g in grads if g is not None)
        return Step(operation, slot, np.asarray(arriving), np.asarray(handed_on))

    def _pulled(self, operation: Operation, slot: int, grads: list[Any]) -> Any:
        found = handed_on(operation, (slot,), grads, self.raw)
        return None if found is None else found[0]

    def local(self, operation: Operation, slot: int) -> Any:
        """The derivative of each result element by its input element; None if not elementwise, or not all is known."""
        if operation.op is None or operation.op.kind is not Kind.ELEMENTWISE or len(operation.results) != 1:
            return None
        result = operation.results[0]
        if any([self.raw(value) is None for value in (result, *operation.inputs)]):
            return None
        found = self._pulled(operation, slot, [np.ones(result.shape or (), result.dtype)[()]])
        return None if found is None else np.broadcast_to(np.asarray(found), result.shape or ())

    def probe(self, operation: Operation, slot: int) -> Any:
        """What the operation would hand on of a gradient that is zero nowhere and in no simple proportion."""
        chance = np.random.default_rng(0)
        grads = []
        for result in operation.results:
            carries = getattr(result.dtype, "kind", "O") in "fc"
            grads.append(chance.uniform(0.5, 1.5, result.shape).astype(result.dtype)[()] if carries else None)
        found = self._pulled(operation, slot, grads)
        return None if found is None else np.asarray(found)

    def steps_to(self, value: Value) -> Iterator[Step]:
        """What the operations that use a value hand on to it."""
        for operation in dict.fromkeys(value.users):
            for slot, given in enumerate(operation.inputs):
                step = self.step(operation, slot) if given is value else None
                if step is not None:
                    yield step

    def between(self, x: Value) -> list[Operation]:
        """The operations on the way from ``x`` to the roots, in the order in which they ran."""
        reached = {x}
        found = []
        for operation in self.graph.operations:
            if any([value in reached for value in operation.inputs]):
                reached.update(operation.results)
                found.append(operation)
        back = set(self.graph.roots)
        on_way = []
        for operation in reversed(found):
            if any([value in back for value in operation.results]):
                back.update([value for value in operation.inputs if value in reached])
                on_way.append(operation)
        return on_way[::-1]


def element(raw: Any, index: tuple[int, ...]) -> Any:
    """One element of a raw value that is broadcast to the shape that ``index`` belongs to."""
    array = np.asarray(raw)
    own = index[len(index) - array.ndim :] if array.ndim else ()
    return array[tuple([0 if n == 1 else i for i, n in zip(own, array.shape, strict=True)])].item()


def called(value: Value, operation: Operation, slot: int) -> str:
    """What stands for an operand: its name, its text in the source where that is plain, or its place among them."""
    if value.name is not None:
        return value.name
    if value.text is not None and len(value.text) <= _LONGEST:
        return value.text
    if operation.location is not None and operation.op is not None and operation.op.kind is Kind.ELEMENTWISE:
        texts = operand_texts(operation.location)
        if texts is not None and len(texts) == len(operation.inputs) and not operation.op.name.startswith("rsub"):
            text = " ".join(texts[slot].split())
            if len(text) <= _LONGEST:
                return text
    if operation.op is not None and slot < len(operation.op.args):
        name = operation.op.args[slot]
        return "x" if name == "self" else name
    return f"input {slot}"


def nearest_name(operation: Operation) -> str | None:
    """The user's name that stands nearest before an operation: of an operand, or of what an operand was made of."""
    seen: set[Value] = set()
    level = list(operation.inputs)
    while level and len(seen) < _MOST:
        named = [value.name for value in level if value.name is not None and value.dtype is not None]
        if named:
            return named[0]
        seen.update(level)
        level = [v for value in level if value.source is not None for v in value.source.inputs if v not in seen]
    return None


def at_index(index: tuple[int, ...]) -> str:
    """`` at [0, 1]``, to be appended; nothing for a value without dimensions."""
    return f" at {list(index)}" if index else ""


def at_element(text: str, index: tuple[int, ...]) -> str:
    """``x[0, 1]``."""
    if not index:
        return text
    return f"{text if text.replace('.', '').isidentifier() else f'({text})'}{list(index)}"


_LONGEST = 40
_MOST = 1000

__all__ = ["Flow", "Step", "asking", "at_element", "at_index", "called", "element", "nearest_name"]
