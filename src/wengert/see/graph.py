"""A graph as plain data: what was computed from what, where, under which names, and what of it is known now.

Knows how to read a graph that the engine recorded. Knows no form in which it is shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import CodeType, FrameType
from typing import Any

import numpy as np

from wengert._memory import without_collection
from wengert._names import attribute_of, found_in_frames, operand_texts, result_name, variables_of
from wengert._source import Location, is_passed_over, locate, user_frame, user_frames
from wengert.engine.base import TensorBase, edge_of
from wengert.engine.node import AccumulateGrad, Metadata, Node, Port
from wengert.see.source_texts import (
    argument_names,
    constant_tensor,
    is_name,
    last_of_calls,
    number_in,
    operands,
    operands_among,
    place_of,
    variable,
)
from wengert.see.structure import Graph, Operation, Saved, Value

_RAW = (np.ndarray, np.generic)
_PLAIN = frozenset({np.ndarray, np.float32, np.float64, np.int64, np.bool_, Metadata, bool, int, float, type(None)})


def read(results: Any, frame: FrameType | None = None) -> Graph:
    """The graph of one tensor or several, with the names that the user's frames give its values.

    Args:
        results: a tensor, or a sequence of tensors; the tensors must be tracked.
        frame: where names are looked up first; by default the nearest frame of the user's code.

    Raises:
        TypeError: something else than tensors.
        ValueError: a tensor that has no graph.
    """
    tensors = list(results) if isinstance(results, Iterable) and not isinstance(results, TensorBase) else [results]
    nodes = [_root(t) for t in tensors]
    reader = _Reader()
    near = frame if frame is not None else user_frame()
    with without_collection():
        ordered = _in_order(nodes)
        _name_users_line(ordered)
        for node in ordered:
            reader.take(node)
        roots = tuple([reader.result(node) for node in nodes])
        reader.know_tensors(near, tensors)
        reader.know_sources(near)
    return Graph(roots, reader.values, reader.operations)


def _root(t: Any) -> Node:
    if not isinstance(t, TensorBase):
        raise TypeError(f"expected a tensor or a sequence of tensors, but got {type(t).__name__}")
    node = edge_of(t)
    if node is None:
        raise ValueError(
            "this tensor has no graph: it does not require grad and was not computed from a tensor that does. "
            "`wengert.diagnose` says where it was cut"
        )
    return node


def _in_order(roots: Iterable[Node]) -> list[Node]:
    """All nodes that the roots lead to, but leaves' ends, in the order in which they were made."""
    seen: set[Node] = set()
    pending = list(roots)
    while pending:
        node = pending.pop()
        if node not in seen:
            seen.add(node)
            pending += [n for n in node.next if n is not None and n not in seen]
    return sorted([node for node in seen if not isinstance(node, AccumulateGrad)], key=lambda node: -node.seq)


def _name_users_line(ordered: list[Any]) -> None:
    """Give nodes that a loop of the package recorded (a recurrent step) the place of what was computed from them.

    To look for the user's line at each of so many operations would cost them a tenth.
    """
    codes = {id(node.code): node.code for node in ordered}
    ours = {key for key, code in codes.items() if code is not None and is_passed_over(code.co_filename)}
    for node in reversed(ordered) if ours else ():
        if node.code is None or id(node.code) in ours:
            continue
        for following in node.next:
            made = following.next[0] if isinstance(following, Port) else following
            if made is not None and id(made.code) in ours:
                made.code, made.lasti = node.code, node.lasti


class _Reader:
    """Turns nodes, in order, into values and operations."""

    def __init__(self) -> None:
        self.operations: list[Operation] = []
        self.by_node: dict[Node, Value] = {}  # results of operations with one result, and leaves
        self.by_port: dict[tuple[Node, int], Value] = {}
        self.values: list[Value] = []
        self.constants: dict[int, Value] = {}
        self.result_names: dict[tuple[CodeType, int, int | None], str | None] = {}
        self.texts: dict[tuple[CodeType, int], tuple[str, ...] | None] = {}
        self.locations: dict[tuple[CodeType, int], Location | None] = {}

    def take(self, node: Node) -> None:
        """One node, all of whose inputs have been taken."""
        if isinstance(node, Port):
            self.result(node).node = node
        else:
            self._operation(node)

    def result(self, node: Node) -> Value:
        """The value whose gradient arrives at a node: a leaf's when first asked for, else one that was taken."""
        if not isinstance(node, Port):
            if isinstance(node, AccumulateGrad) and node not in self.by_node:
                self.by_node[node] = self._new(node=node, shape=node.shape, dtype=node.dtype)
            return self.by_node[node]
        (parent,) = node.next
        assert parent is not None
        return self.by_port[parent, node.index]

    def _new(self, **facts: Any) -> Value:
        value = Value(len(self.values), **facts)
        self.values.append(value)
        return value

    def _operation(self, node: Any) -> None:
        operation = Operation(len(self.operations), node, node.op)
        operation.location = self._location(node)
        known, written = known_of(node)
        operation.freed = is_freed(node)
        inputs = []
        for slot, following in enumerate(node.next):
            raw = known[1 + slot] if 1 + slot < len(known) else None
            value = self._constant(raw) if following is None else self.result(following)
            self._keep(value, raw, written=1 + slot in written)
            inputs.append(value)
            value.users.append(operation)
        operation.inputs = tuple(inputs)
        operation.results = self._results(operation, known[0] if known else None, written=0 in written)
        self.operations.append(operation)

    def _location(self, node: Any) -> Location | None:
        if node.code is None:
            return None
        place = (node.code, node.lasti)
        if place not in self.locations:
            self.locations[place] = locate(*place)
        return self.locations[place]

    @staticmethod
    def _keep(value: Value, raw: Any, *, written: bool) -> None:
        """Note what an operation kept of a value, unless it has been written since."""
        if raw is None or value.certain or value.changed or not _is_value(raw):
            return
        if written:
            value.changed = True
            value.raw = None
        else:
            value.raw, value.certain = raw, True

    def _results(self, operation: Operation, known: Any, *, written: bool) -> tuple[Value, ...]:
        node = operation.node
        if not node.ports:
            value = self._new(source=operation, node=node, shape=node.shape, dtype=node.dtype)
            self._keep(value, known, written=written)
            self.by_node[node] = value
            return (value,)
        results = []
        for output, (shape, dtype) in enumerate(zip(node.shape, node.dtype, strict=True)):
            value = self._new(source=operation, output=output, shape=shape, dtype=dtype)
            part = known[output] if isinstance(known, tuple) and output < len(known) else None
            self._keep(value, part, written=written)
            self.by_port[node, output] = value
            results.append(value)
        return tuple(results)

    def _constant(self, raw: Any) -> Value:
        """A constant; an array that several operations saved is one value."""
        if isinstance(raw, np.ndarray):
            if id(raw) not in self.constants:
                self.constants[id(raw)] = self._new(shape=raw.shape, dtype=raw.dtype, raw=raw)
            return self.constants[id(raw)]
        if isinstance(raw, (Metadata, np.generic)):
            return self._new(shape=raw.shape, dtype=raw.dtype, raw=raw if isinstance(raw, np.generic) else None)
        return self._new(raw=raw, shape=None if raw is None else ()) if not isinstance(raw, Node) else self._new()

    # --- what the user's variables and source tell -----------------------------------------------------------------

    def know_tensors(self, frame: FrameType | None, given: Iterable[TensorBase]) -> None:
        """Names, values and gradients from the tensors that the user's frames hold."""
        constants = {id(v.raw): v for v in self.values if v.node is None and v.source is None and v.raw is not None}
        for name, t in found_in_frames(lambda candidate: issubclass(type(candidate), TensorBase), frame):
            self._know(t, name, constants)
        for t in given:
            self._know(t, None, constants)
        for value in self.values:
            leaf = value.node.variable if isinstance(value.node, AccumulateGrad) else None
            if leaf is not None:
                self._note(value, leaf)

    def _know(self, t: Any, name: str | None, constants: dict[int, Value]) -> None:
        node = t._node
        if node is None and t._rg:
            accumulator = getattr(t, "_accumulator", None)
            node = accumulator() if accumulator is not None else None
        if node is None:
            value = constants.get(id(t._data))
        elif isinstance(node, Port):
            value = self.by_port.get((node.next[0], node.index))  # type: ignore[arg-type]
        else:
            value = self.by_node.get(node)
        if value is not None:
            value.name = value.name or name
            self._note(value, t)

    def _note(self, value: Value, t: Any) -> None:
        """What a tensor of the user tells: its value, which may not be what it was if it has been written since."""
        if value.raw is None and not value.changed:
            value.raw, value.certain = t._data, not t._cell or not t._cell[0]
        elif value.raw is not t._data and value.is_leaf:
            value.changed = value.changed or not np.array_equal(value.raw, t._data, equal_nan=True)
        grad = getattr(t, "_grad", None)
        if value.gradient is None and grad is not None:
            value.gradient = grad._data

    def know_sources(self, frame: FrameType | None) -> None:
        """Names that only the source tells: of results that no running frame holds, and of operands."""
        running = list(user_frames(frame if frame is not None else user_frame()))
        last = last_of_calls(self.operations)
        for operation in self.operations:
            if operation.location is None:
                continue
            self._name_operands(operation, running)
            if operation in last or len(operation.results) > 1:
                self._name_results(operation)

    def _name_results(self, operation: Operation) -> None:
        several = len(operation.results) > 1
        for value in operation.results:
            if value.name is None:
                place = (*place_of(operation), value.output if several else None)
                if place not in self.result_names:
                    name = result_name(operation.location, place[2])  # type: ignore[arg-type]
                    self.result_names[place] = None if name is not None and name.startswith(("(", "[")) else name
                value.name = self.result_names[place]

    def _name_operands(self, operation: Operation, running: list[FrameType]) -> None:
        """Names of constants; the value too of one that was not kept, if the frame that used it still runs."""
        unnamed = [value for value in operation.inputs if value.source is None and value.name is None]
        if all([value.dtype is None and value.raw is not None for value in unnamed]):  # none, or numbers
            return
        place = place_of(operation)
        if place not in self.texts:
            self.texts[place] = operand_texts(operation.location)  # type: ignore[arg-type]
        pairs = operands_among(operation, self.texts[place])
        if not pairs:
            self._guess_arguments(operation, unnamed, running)
        for value, text in pairs:
            if value not in unnamed:
                continue
            if is_name(text):
                value.name = text
            value.text = text
            if value.raw is None:
                self._look_up(value, text, operation.node.code, running)
            if value.raw is None and text.isidentifier():  # an argument often has the name that it has outside
                found = [t for frame in running if (t := constant_tensor(variables_of(frame).get(text))) is not None]
                value.candidate = (text, found[0]._data) if found else None

    def _guess_arguments(self, operation: Operation, unnamed: list[Value], running: list[FrameType]) -> None:
        """What a function or module was called with, where an operation inside of it used a constant."""
        unknown = [value for value in unnamed if value.raw is None]
        text = operation.location.expression() if unknown and operation.location is not None else None
        tensors = {}
        code: Any = operation.node.code
        for name in argument_names(text) if text is not None else ():
            t = constant_tensor(variable(name, code, running))
            if t is not None:
                tensors[name] = t
        if len(unknown) == len(tensors) == 1:
            ((name, t),) = tensors.items()
            unknown[0].candidate = name, t._data

    def _look_up(self, value: Value, text: str, code: Any, running: list[FrameType]) -> None:
        """The value of an operand that was not kept, from its text: a number, or a variable of a running frame."""
        first, _, attribute = text.partition(".")
        found = number = number_in(text)
        if found is None:
            found = variable(first, code, running)
        if attribute and found is not None and not _is_value(found):
            found = attribute_of(found, attribute)
        raw: Any = found._data if isinstance(found, TensorBase) else found
        if _is_value(raw) and (value.shape is None or np.shape(raw) == tuple(value.shape)):
            value.raw = raw
            value.shape = np.shape(raw)
            value.dtype = getattr(raw, "dtype", None)
            value.certain = number is not None


def known_of(node: Any) -> tuple[tuple[Any, ...], tuple[int, ...]]:
    """``(y, *inputs)`` of a node as far as they are known now, else their shape and dtype if it keeps those.

    And the positions of those that have been written in place since they were kept.
    """
    if node.op is None:
        return (), ()
    if not node.is_written() and all([value.__class__ in _PLAIN for value in node.kept]):  # nearly always
        return node.kept, ()
    known, written = [], []
    for slot, (raw, kept) in enumerate(zip(node.known(), node.kept, strict=True)):
        known.append(kept if raw is None and isinstance(kept, Metadata) else raw)
        if isinstance(kept, (np.ndarray, tuple)) and any(map(_is_gone, _parts(raw), _parts(kept))):
            written.append(slot)
    return tuple(known), tuple(written)


def _is_gone(raw: Any, kept: Any) -> bool:
    return raw is None and isinstance(kept, np.ndarray)


def _parts(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def is_freed(node: Any) -> bool:
    """Whether backward has freed what a node saved."""
    return node.op is not None and node.freed is not None


def _is_value(raw: Any) -> bool:
    return isinstance(raw, (*_RAW, bool, int, float, complex))


__all__ = ["Graph", "Operation", "Saved", "Value", "is_freed", "known_of", "operands", "read"]
