"""A graph as the steps of a derivation: what the user named, each as a formula of what stands before it.

A value without a name that is used once is written into the formula of the step that uses it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from wengert.ops.record import Kind
from wengert.see.constants import arithmetic, names_at
from wengert.see.graph import Graph, Operation, Value
from wengert.see.layouts import EXPANDED
from wengert.see.replay import Replay
from wengert.spaces.expression import Call, Expression, Name, Number, evaluate, names_in
from wengert.spaces.symbol import Symbol, expression_of

_MOST_OPERATIONS: Final = 12  # that one formula is made of


@dataclass(slots=True, eq=False)
class Step:
    """One value of the derivation and the operations, in order, that make it of labelled values."""

    value: Value
    label: str
    operations: list[Operation] = field(default_factory=list)
    inputs: list[Value] = field(default_factory=list)  # the labelled values that its formula contains, once each

    @property
    def signature(self) -> Any:
        """What steps of several rounds of one loop have in common."""
        places = [(op.node.code, op.node.lasti, op.name) for op in self.operations]
        return tuple(places), self.value.name


class Steps:
    """The steps that lead to a root, in order, and what their values are called."""

    def __init__(self, graph: Graph, replayed: Replay, wanted: Iterable[Value]) -> None:
        self.graph = graph
        self.replayed = replayed
        self.root = graph.roots[0]
        self.labels: dict[Value, str] = {}
        self._symbols: dict[Value, Any] = {}
        self._names: dict[Value, Name] = {}
        relevant = _ancestors(self.root)
        self.depending = _depending(graph, relevant, set(wanted))
        uses = Counter([v for op in graph.operations if op.results[0] in relevant for v in op.inputs])
        boundaries = self._boundaries(relevant, uses, set(wanted))
        self._label(relevant, boundaries)
        self.steps = self._collected(relevant, boundaries)
        self.of = {step.value: step for step in self.steps}

    def _boundaries(self, relevant: set[Value], uses: Counter[Value], wanted: set[Value]) -> set[Value]:
        """The values that get a step of their own."""
        boundaries: set[Value] = set()
        size: dict[Value, int] = {}
        for operation in self.graph.operations:
            inlined = [v for v in operation.inputs if v in size and v not in boundaries]
            own = _weight(operation)
            total = own + sum([size[v] for v in inlined])
            if total > _MOST_OPERATIONS:
                boundaries.update([v for v in inlined if size[v] > 1 or len(inlined) == 1])
                total = own
            several = len(operation.results) > 1 or operation.op is None
            for value in operation.results:
                size[value] = total
                shared = uses[value] > 1 and not _is_trivial(operation)
                if value is self.root or value.name is not None or value in wanted or several or shared:
                    boundaries.add(value)
        return boundaries & relevant

    def _label(self, relevant: set[Value], boundaries: set[Value]) -> None:
        """A name for each value that formulas mention; equal names of several values get numbers."""
        mentioned = [v for v in self.graph.values if v in relevant and (v.source is None or v in boundaries)]
        count = Counter([v.name for v in mentioned if v.name is not None])
        taken: Counter[str] = Counter()
        for value in mentioned:
            name = value.name
            if value is self.root and name is not None:
                self.labels[value] = name
            elif name is None:
                self.labels[value] = self._made_label(value, taken, set(count))
            elif count[name] == 1:
                self.labels[value] = name
            else:
                taken[name] += 1
                self.labels[value] = f"{name}({taken[name]})"

    def _made_label(self, value: Value, taken: Counter[str], names: set[str]) -> str:
        if value.is_constant and value.text is not None and value.text.isidentifier():
            return value.text
        kind = "leaf" if value.is_leaf else "c" if value.is_constant else "v"
        while True:
            taken[kind] += 1
            if f"{kind}{taken[kind]}" not in names:
                return f"{kind}{taken[kind]}"

    def _collected(self, relevant: set[Value], boundaries: set[Value]) -> list[Step]:
        steps = []
        for value in self.graph.values:
            if value in boundaries and value.source is not None:
                step = Step(value, self.labels[value])
                self._gather(step, boundaries)
                steps.append(step)
        return steps

    def _gather(self, step: Step, boundaries: Container[Value]) -> None:
        """The operations behind a step down to labelled values."""
        found: dict[Operation, None] = {}
        pending = [step.value.source]
        while pending:
            operation = pending.pop()
            if operation is None or operation in found:
                continue
            found[operation] = None
            pending += [v.source for v in operation.inputs if v.source is not None and v not in boundaries]
        step.operations = sorted(found, key=lambda operation: operation.index)
        inputs = {v: None for op in step.operations for v in op.inputs if v.source is None or v in boundaries}
        step.inputs = [v for v in inputs if not _is_number(v)]

    # --- formulas --------------------------------------------------------------------------------------------------

    def name(self, value: Value) -> Name:
        """The name of a labelled value."""
        if value not in self._names:
            truth = getattr(value.dtype, "kind", "O") == "b"
            self._names[value] = Name(self.labels[value], value.index, value.shape or (), truth=truth)
        return self._names[value]

    def is_named(self, value: Value) -> bool:
        """Whether formulas contain the value's label, not what it is made of."""
        return value in self.labels and isinstance(expression_of(self.symbol(value)), Name)

    def symbol(self, value: Value) -> Any:
        """A labelled value as a symbol; a Python number as itself."""
        if value not in self._symbols:
            self._symbols[value] = self._new_symbol(value)
        return self._symbols[value]

    def _new_symbol(self, value: Value) -> Any:
        if _is_number(value):
            return value.raw
        raw = self.raw(value)
        if value.is_constant and value.name is None:
            made = self._made_of_others(value, value.text) if value.text is not None else None
            if made is not None:
                return made
            if value in self.replayed.raws and _is_uniform(value, raw):
                return Symbol(Number(raw.flat[0].item()), raw)
        return Symbol(self.name(value), raw, known=value in self.replayed.raws)

    def _made_of_others(self, value: Value, text: str) -> Symbol | None:
        """A constant as the arithmetic that the source has for it, where the numbers agree."""
        names = names_at(self.graph, value.users[0])
        try:
            made = arithmetic(text, lambda name: self._labelled(names[name]))
        except (KeyError, ValueError, RecursionError):
            return None
        kept = self.replayed.raw(value)
        if not isinstance(made, Symbol) or made.shape != (value.shape or ()):
            return None
        agrees = kept is None or not made.known or np.allclose(kept, made.raw, equal_nan=True)
        return made if agrees else None

    def _labelled(self, value: Value) -> Any:
        if value not in self.labels and not _is_number(value):
            raise KeyError(value)
        return self.symbol(value)

    def raw(self, value: Value) -> Any:
        """The raw value, or one of its shape where it is not known."""
        known = self.replayed.raw(value)
        if known is not None:
            return known if hasattr(known, "dtype") else np.float32(known)
        dtype = value.dtype if getattr(value.dtype, "kind", "O") != "O" else np.dtype(np.float32)
        return np.broadcast_to(np.zeros((), dtype), value.shape or ())

    def written(self, step: Step) -> dict[Value, Any]:
        """The symbol of every value in a step, as its operations make it of the labelled ones."""
        symbols = {value: self.symbol(value) for value in step.inputs}
        for operation in step.operations:
            args = [symbols[v] if v in symbols else self.symbol(v) for v in operation.inputs]
            for value, expression in zip(operation.results, _applied(operation, args), strict=True):
                symbols[value] = Symbol(expression, self.raw(value), known=value in self.replayed.raws)
        return symbols

    def expression(self, value: Value) -> Expression:
        """How a value stands in formulas: by its label, or as what it is made of."""
        if value in self.labels:
            return expression_of(self.symbol(value))
        step = Step(value, "")
        self._gather(step, self.of.keys())
        return self.formula(step)

    def holds(self, condition: Expression) -> Any:
        """A condition at each element, as far as the values that it names are known; else None."""
        names = names_in(condition)
        known = self.replayed.raws
        values: dict[Expression, Any] = {name: known[v] for v, name in self._names.items() if v in known}
        if not names <= values.keys():
            return None
        with np.errstate(all="ignore"):
            return np.asarray(evaluate(condition, values))

    def decides(self, condition: Expression) -> bool | None:
        """Whether a condition holds for all elements, or for none."""
        mask = self.holds(condition)
        return None if mask is None or not mask.size else True if mask.all() else None if mask.any() else False

    def formula(self, step: Step) -> Expression:
        """What a step computes."""
        expression: Expression = self.written(step)[step.value].expression
        return expression


def _applied(operation: Operation, args: list[Any]) -> list[Expression]:
    op, meta = operation.op, operation.meta
    expressions = tuple([expression_of(arg) for arg in args])
    if op is None:
        name = operation.function_name
        made = [Call(name, expressions, {}, part) for part in range(len(operation.results))]
        return [Call(name, expressions, {})] if len(made) == 1 else list(made)
    if op.name in EXPANDED:
        return [expression_of(op.impl(*args, **meta))]
    if len(operation.results) == 1 and op.outputs == 1:
        return [Call(op.name, expressions, meta)]
    return [Call(op.name, expressions, meta, part) for part in range(len(operation.results))]


def _weight(operation: Operation) -> int:
    """How much room an operation takes in a formula: no formula should have two products of matrices."""
    is_product = operation.op is not None and operation.op.kind is Kind.PRODUCT
    return _MOST_OPERATIONS // 2 + 1 if is_product else 1


def _is_number(value: Value) -> bool:
    """Whether formulas contain the number itself."""
    return value.is_constant and value.dtype is None and isinstance(value.raw, (bool, int, float, complex))


def _is_uniform(value: Value, raw: Any) -> bool:
    """Whether a constant can stand in formulas as one number: the same everywhere, and used element by element."""
    elementwise = all([user.op is not None and user.op.kind is Kind.ELEMENTWISE for user in value.users])
    return elementwise and raw.size > 0 and raw.dtype.kind == "f" and bool((raw == raw.flat[0]).all())


def _is_trivial(operation: Operation) -> bool:
    """Whether an operation is too small to be given a name only because its result is used twice."""
    return operation.op is not None and operation.op.view


def _ancestors(root: Value) -> set[Value]:
    found: set[Value] = set()
    pending = [root]
    while pending:
        value = pending.pop()
        if value not in found:
            found.add(value)
            pending += value.source.inputs if value.source is not None else ()
    return found


def _depending(graph: Graph, relevant: set[Value], wanted: set[Value]) -> set[Value]:
    """The values on a way from a wanted value to the root."""
    depending = wanted & relevant
    for operation in graph.operations:
        if any([value in depending for value in operation.inputs]):
            depending.update([value for value in operation.results if value in relevant])
    return depending


__all__ = ["Step", "Steps"]
