"""A graph as plain data: what was computed from what, where, under which names, and what of it is known now.

Knows how to read a graph that the engine recorded. Knows no form in which it is shown.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import Any

import numpy as np

from wengert._memory import without_collection
from wengert._names import attribute_of, found_in_frames, operand_texts, result_name, variables_of
from wengert._source import Location, locate, user_frame, user_frames
from wengert.engine.base import TensorBase, edge_of
from wengert.engine.node import AccumulateGrad, Metadata, Node, Port
from wengert.ops.record import Op

_RAW = (np.ndarray, np.generic)


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
        return int(np.prod(self.shape, dtype=np.int64)) * int(self.dtype.itemsize)

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
        return type(self.node).__name__

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


def read(results: Any, frame: FrameType | None = None) -> Graph:
    """The graph of one tensor or several, with the names that the user's frames give its values.

    Args:
        results: a tensor, or a sequence of tensors; the tensors must be tracked.
        frame: where names are looked up first; by default the nearest frame of the user's code.

    Raises:
        TypeError: something else than tensors.
        ValueError: a tensor that has no graph.
    """
    tensors = [results] if isinstance(results, TensorBase) else list(results)
    nodes = [_root(t) for t in tensors]
    reader = _Reader()
    near = frame if frame is not None else user_frame()
    with without_collection():
        for node in _in_order(nodes):
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
            pending.extend([n for n in node.next if n is not None and n not in seen])
    return sorted([node for node in seen if not isinstance(node, AccumulateGrad)], key=lambda node: -node.seq)


class _Reader:
    """Turns nodes, in order, into values and operations."""

    def __init__(self) -> None:
        self.operations: list[Operation] = []
        self.by_node: dict[Node, Value] = {}  # results of operations with one result, and leaves
        self.by_port: dict[tuple[Node, int], Value] = {}
        self.values: list[Value] = []
        self.constants: dict[int, Value] = {}
        self.result_names: dict[tuple[CodeType, int, int | None], str | None] = {}
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
        if not _is_value(raw) or value.certain or value.changed:
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
        constants = {id(value.raw): value for value in self.values if value.is_constant and _is_value(value.raw)}
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
        last = _last_of_calls(self.operations)
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
                place = (*_place(operation), value.output if several else None)
                if place not in self.result_names:
                    self.result_names[place] = result_name(operation.location, place[2])  # type: ignore[arg-type]
                value.name = self.result_names[place]

    def _name_operands(self, operation: Operation, running: list[FrameType]) -> None:
        """Names of constants; the value too of one that was not kept, if the frame that used it still runs."""
        unnamed = [value for value in operation.inputs if value.name is None and value.source is None]
        if all([value.dtype is None and value.raw is not None for value in unnamed]):  # none, or numbers
            return
        pairs = operands(operation)
        if not pairs:
            self._guess_arguments(operation, unnamed, running)
        for value, text in pairs:
            if value not in unnamed:
                continue
            if _is_name(text):
                value.name = text
            value.text = text
            if value.raw is None:
                self._look_up(value, text, operation.node.code, running)
            if value.raw is None and text.isidentifier():  # an argument often has the name that it has outside
                found = [t for frame in running if (t := _constant_tensor(variables_of(frame).get(text))) is not None]
                value.candidate = (text, found[0]._data) if found else None

    def _guess_arguments(self, operation: Operation, unnamed: list[Value], running: list[FrameType]) -> None:
        """What a function or module was called with, where an operation inside of it used a constant."""
        unknown = [value for value in unnamed if value.raw is None]
        text = operation.location.expression() if unknown and operation.location is not None else None
        tensors = {}
        code: Any = operation.node.code
        for name in _argument_names(text) if text is not None else ():
            t = _constant_tensor(_variable(name, code, running))
            if t is not None:
                tensors[name] = t
        if len(unknown) == len(tensors) == 1:
            ((name, t),) = tensors.items()
            unknown[0].candidate = name, t._data

    def _look_up(self, value: Value, text: str, code: Any, running: list[FrameType]) -> None:
        """The value of an operand that was not kept, from its text: a number, or a variable of a running frame."""
        first, _, attribute = text.partition(".")
        found = number = _number(text)
        if found is None:
            found = _variable(first, code, running)
        if attribute and found is not None and not _is_value(found):
            found = attribute_of(found, attribute)
        raw: Any = found._data if isinstance(found, TensorBase) else found
        if _is_value(raw) and (value.shape is None or np.shape(raw) == tuple(value.shape)):
            value.raw = raw
            value.shape = np.shape(raw)
            value.dtype = getattr(raw, "dtype", None)
            value.certain = number is not None


def _last_of_calls(operations: list[Operation]) -> set[Operation]:
    """The operations whose result is that of the user's call, which may have made several nodes at one place.

    Neighbours at one place are one call, or one in each round of a loop: as many as their names repeat.
    """
    last: set[Operation] = set()
    start = 0
    for end in range(1, len(operations) + 1):
        if end < len(operations) and _place(operations[end]) == _place(operations[start]):
            continue
        run = operations[start:end]
        period = _period([operation.name for operation in run])
        last.update(run[period - 1 :: period])
        start = end
    return last


def _place(operation: Operation) -> tuple[Any, int]:
    return operation.node.code, operation.node.lasti


def _period(names: list[str]) -> int:
    """After how many names a list repeats itself to its end."""
    size = len(names)
    return next((p for p in range(1, size) if size % p == 0 and names[p:] == names[:-p]), size)


def _argument_names(text: str) -> list[str]:
    """The names that stand as arguments in the text of a call."""
    try:
        call = ast.parse(text, mode="eval").body
    except SyntaxError:
        return []
    if not isinstance(call, ast.Call):
        return []
    return [part.id for part in (*call.args, *[k.value for k in call.keywords]) if isinstance(part, ast.Name)]


def _constant_tensor(candidate: Any) -> Any:
    is_constant = issubclass(type(candidate), TensorBase) and not candidate._rg
    return candidate if is_constant else None


def _variable(name: str, code: CodeType, running: list[FrameType]) -> Any:
    """What a name in a code object stands for now: of its running frame, or global in its file; else None."""
    for frame in running:
        if frame.f_code is code:
            return variables_of(frame).get(name)
        if name in code.co_freevars and code in frame.f_code.co_consts:  # of the function that `code` is written in
            return variables_of(frame).get(name)
    if name not in (*code.co_varnames, *code.co_cellvars, *code.co_freevars):
        for frame in running:
            if frame.f_code.co_filename == code.co_filename:
                return frame.f_globals.get(name)
    return None


def operands(operation: Operation) -> list[tuple[Value, str]]:
    """The inputs with the texts that stand for them in the source; none where the two do not fit together.

    Python swaps the operands of a reflected operator: `1 - x` is `rsub` of x and 1, `2 * x` the product of x and 2.
    """
    texts = operand_texts(operation.location) if operation.location is not None else None
    if texts is None or len(texts) != len(operation.inputs):
        return []
    orders = [texts, texts[::-1]]
    if operation.op is not None and operation.op.name.startswith("rsub"):
        orders.reverse()
    for order in orders:
        pairs = list(zip(operation.inputs, order, strict=True))
        if all([_may_be(value, text, texts) for value, text in pairs]):
            return pairs
    return []


def _may_be(value: Value, text: str, texts: tuple[str, ...]) -> bool:
    """Whether nothing speaks against this text, one of several, standing for this value."""
    if value.name is not None and value.name in texts:  # else it has another name where the operation stands
        return value.name == text
    number = _number(text)
    return number is None or (value.dtype is None and (value.raw is None or value.raw == number))


def _number(text: str) -> Any:
    """The number that a text is; None for another text."""
    try:
        number = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return None
    return number if isinstance(number, (int, float, complex)) else None


def _is_name(text: str) -> bool:
    return all([part.isidentifier() for part in text.split(".")])


def known_of(node: Any) -> tuple[tuple[Any, ...], tuple[int, ...]]:
    """``(y, *inputs)`` of a node as far as they are known now, else their shape and dtype if it keeps those.

    And the positions of those that have been written in place since they were kept.
    """
    if node.op is None:
        return (), ()
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
    return node.op is not None and node.saved is None


def _is_value(raw: Any) -> bool:
    return isinstance(raw, (*_RAW, bool, int, float, complex))


def _saved(node: Any) -> Iterator[Saved]:
    if node.op is None or node.saved is None:
        return
    names = ("result", *node.op.args, *node.op.args[-1:] * len(node.saved))
    for name, value in zip(names, node.saved, strict=False):
        for part in value if isinstance(value, tuple) else (value,):
            if isinstance(part, np.ndarray) or (isinstance(part, np.generic) and part.size):
                yield Saved(name, part.shape, part.dtype, part.nbytes)
