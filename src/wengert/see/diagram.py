"""What a picture of a graph shows: nodes with their texts, edges, and boxes around them.

Knows what is said of each value and operation, and which are shown as one. Knows no places, colours or file formats.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from wengert.see.graph import Graph, Operation, Value
from wengert.see.outline import Part, Scope
from wengert.see.wording import (
    bytes_text,
    dtype_text,
    is_plain_number,
    operation_text,
    shape_text,
    value_text,
)

MOST_SOURCES = 200  # leaves and constants shown one by one in a picture that is limited


@dataclass(slots=True, eq=False)
class Item:
    """One node of the picture.

    kind: `leaf`, `constant`, `result` (an operation with what came out of it), `root` (a result that was asked for),
    `closed` (a scope shown as one node) or `sources` (many leaves and constants shown as one).
    """

    key: str
    kind: str
    operation: str = ""  # what is done
    name: str = ""
    facts: list[tuple[str, str]] = field(default_factory=list)  # (shape, value, gradient, saved or note; its text)
    tip: list[str] = field(default_factory=list)  # what is told of it beside the picture, line by line
    values: list[Value] = field(default_factory=list)
    scope: Scope | None = None


@dataclass(slots=True, eq=False)
class Frame:
    """A box around items and other boxes."""

    key: str
    kind: str
    title: str
    tip: list[str] = field(default_factory=list)
    items: list[Item | Frame] = field(default_factory=list)


@dataclass(slots=True)
class Diagram:
    """Everything that a picture shows."""

    root: Frame
    edges: list[tuple[str, str]]
    notes: list[str]

    def items(self) -> Iterator[Item]:
        """All items, in the order of the evaluation."""
        pending: list[Item | Frame] = [self.root]
        while pending:
            one = pending.pop()
            if isinstance(one, Frame):
                pending.extend(reversed(one.items))
            else:
                yield one


@dataclass(frozen=True, slots=True)
class Shown:
    """Which facts a picture tells of its values."""

    values: bool = True
    gradients: bool = True
    shapes: bool = True
    saved: bool = True


def diagram(
    graph: Graph,
    scope: Scope,
    gradients: Mapping[Value, Any],
    shown: Shown,
    labels: Mapping[Value, str] | None = None,
) -> Diagram:
    """The picture of a graph in the outline that is given; `labels` are for values without a name."""
    builder = _Builder(graph, gradients, shown, labels or {})
    builder.place(scope)
    return builder.finish(scope)


_Context = tuple[tuple[Scope, int], ...]  # the scopes around an operation, each with the time of its repeat


class _Builder:
    def __init__(self, graph: Graph, gradients: Mapping[Value, Any], shown: Shown, labels: Mapping[Value, str]) -> None:
        self.graph = graph
        self.gradients = gradients
        self.shown = shown
        self.labels = labels
        self.roots = set(graph.roots)
        self.kept_shown = shown.saved and any([value.shape for value in graph.values])  # of scalars it is no matter
        self.stands: dict[Operation, Operation | Scope] = {}  # what an operation is shown as
        self.context: dict[Operation, _Context] = {}
        self.source_of: dict[Value, Value] = {}  # a leaf or constant of a later time of a repeat -> that of the first
        self.numbers: dict[Scope, int] = {}
        self.inside: dict[Scope, list[Value]] = {}  # leaves and constants, by the open scope that they stand in
        self.others: dict[Value, int] = {}  # how many of later times of a repeat are shown as this one
        self.carried: dict[Scope, list[Value]] = {}
        self.kept = {operation: sum([saved.nbytes for saved in operation.saved]) for operation in graph.operations}
        dtypes = Counter([value.dtype for value in graph.values if value.dtype is not None]).most_common(1)
        self.dtype = dtypes[0][0] if dtypes else None  # of most values: not written at each of them

    # --- what stands where -------------------------------------------------------------------------------------------

    def place(self, root: Scope) -> None:
        """Find for each operation what it is shown as, and for each leaf and constant the scope it stands in."""
        self.numbers = {scope: number for number, (_, scope) in enumerate(root.scopes())}
        self._place(root.parts, root.parts, ((root, 0),))
        for value in self.graph.values:
            if value.source is None and _is_shown(value):
                self._place_source(value, root)
        self.others = Counter(self.source_of.values())
        for values in self.inside.values():
            if len(values) > MOST_SOURCES:
                self.source_of.update(dict.fromkeys(values[1:], values[0]))

    def _place(self, parts: list[Part], shown_as: list[Part], context: _Context) -> None:
        for part, standing in zip(parts, shown_as, strict=True):
            if isinstance(part, Operation):
                assert isinstance(standing, Operation)
                self.stands[part] = standing
                self.context[part] = context
                continue
            assert isinstance(standing, Scope)
            if standing.closed:
                for operation in part.operations():
                    self.stands[operation] = standing
                    self.context[operation] = (*context, (standing, 0))
                continue
            for time, times in enumerate([part.parts, *part.more]):
                self._place(times, standing.parts, (*context, (standing, time)))

    def _place_source(self, value: Value, root: Scope) -> None:
        """A leaf or constant stands in the innermost scope that holds all its uses; it is not shown in a closed one."""
        contexts = [self.context[user] for user in value.users] or [((root, 0),)]
        common = contexts[0]
        for context in contexts:
            equal = [a == b for a, b in zip(common, context, strict=False)]
            common = common[: equal.index(False) if False in equal else len(equal)]
        if any([time > 0 for _, time in common]):
            self.source_of[value] = self._first_time(value)
        else:
            self.inside.setdefault(common[-1][0], []).append(value)

    def _first_time(self, value: Value) -> Value:
        """The value that stands in the first time of a repeat where this one does in a later one."""
        user = value.users[0]
        standing = self.stands[user]
        slot = next(slot for slot, one in enumerate(user.inputs) if one is value)
        if isinstance(standing, Operation) and slot < len(standing.inputs):
            return standing.inputs[slot]
        return value

    def _shown_key(self, shown: Operation | Scope) -> str:
        return f"o{shown.index}" if isinstance(shown, Operation) else f"s{self.numbers[shown]}"

    def _key(self, value: Value) -> str | None:
        """The item that a value leaves from; None if it is not shown."""
        if value.source is not None:
            return self._shown_key(self.stands[value.source])
        value = self.source_of.get(value, value)
        if value.source is not None:
            return self._shown_key(self.stands[value.source])
        return f"v{value.index}" if _is_shown(value) else None

    # --- items -------------------------------------------------------------------------------------------------------

    def finish(self, root: Scope) -> Diagram:
        """The whole picture."""
        edges = list(self._edges())
        frame = self._frame(root)
        shown = {item.key for item in Diagram(frame, [], []).items()}
        edges = [(source, target) for source, target in edges if source in shown and target in shown]
        return Diagram(frame, edges, self._notes())

    def _frame(self, scope: Scope, module: str = "") -> Frame:
        frame = Frame(self._shown_key(scope), scope.kind, _title(scope, module))
        frame.items += self._sources(scope)
        for part in scope.parts:
            if isinstance(part, Operation):
                frame.items.append(self._result(part))
            else:
                inner = scope.module or module
                frame.items.append(self._closed(part, inner) if part.closed else self._frame(part, inner))
        if scope.kind == "repeat":
            carried = ", ".join(list(dict.fromkeys([v.name for v in self.carried.get(scope, []) if v.name])))
            frame.title += " · first shown" + (f" · {carried} carried on" if carried else "")
            frame.tip = [f"{scope.times} times the same operations; shown is the first time"]
        return frame

    def _sources(self, scope: Scope) -> list[Item]:
        values = self.inside.get(scope, [])
        if len(values) > MOST_SOURCES:
            facts = [("note", f"{len(values):,} leaves and constants")]
            return [Item(f"v{values[0].index}", "sources", facts=facts)]
        return [self._source(value, scope) for value in values]

    def _source(self, value: Value, scope: Scope) -> Item:
        kind = "leaf" if value.is_leaf else "constant"
        item = Item(f"v{value.index}", kind, name=value.name or value.text or "", values=[value])
        if scope.module:
            item.name = item.name.removeprefix(f"{scope.module}.")
        item.facts = self._facts(value)
        others = self.others.get(value, 0)
        if others:
            item.facts.append(("note", f"one of {others + 1}"))
        item.tip = [_described(value), *(_told(value, self.gradients))]
        return item

    def _result(self, operation: Operation) -> Item:
        later = [root for root in self.graph.roots if self._is_later_time(root, operation)]
        kind = "root" if later or any([value in self.roots for value in operation.results]) else "result"
        item = Item(self._shown_key(operation), kind, operation_text(operation), values=list(operation.results))
        if len(operation.results) == 1:
            (value,) = operation.results
            item.name = value.name or self.labels.get(value, "")
            item.facts = self._facts(value)
        else:
            named = any([value.name for value in operation.results[:4]])
            item.name = ", ".join([value.name or "_" for value in operation.results[:4]]) if named else ""
            item.facts = [
                fact for value in operation.results[:2] for fact in self._facts(value) if fact[0] != "gradient"
            ]
        if self.shown.values:
            item.facts += [("value", f"the last: {value_text(root.raw)}") for root in later if root.raw is not None]
        kept = self.kept[operation]
        if self.kept_shown and kept:
            saved = list(dict.fromkeys([s.name for s in operation.saved]))[:3]
            item.facts.append(("saved", f"keeps {', '.join(saved)}: {bytes_text(kept)}"))
        item.tip = list(_operation_tip(operation, kept))
        for value in operation.results:
            item.tip += [_described(value), *_told(value, self.gradients)]
        return item

    def _is_later_time(self, value: Value, operation: Operation) -> bool:
        """Whether a value is made by a later time of what an operation is shown for."""
        return value.source not in (None, operation) and self.stands.get(value.source) is operation

    def _closed(self, scope: Scope, module: str) -> Item:
        operations = list(scope.operations())
        kind = "root" if any([v in self.roots for op in operations for v in op.results]) else "closed"
        count = _count(len(operations), "operation")
        title = _title(scope, module)
        if scope.kind == "repeat" and not scope.title:
            title += ": " + ", ".join(list(dict.fromkeys([_part_text(part) for part in scope.parts]))[:4])
        item = Item(self._shown_key(scope), "closed", title, scope=scope)
        item.values = [v for v in operations[-1].results if v in self.roots] if kind == "root" else []
        for value in item.values:
            item.name = value.name or ""
            item.facts = self._facts(value)
        item.facts.append(("note", count))
        leaves = len(self.inside.get(scope, []))
        if leaves:
            item.facts.append(("note", "1 leaf or constant" if leaves == 1 else f"{leaves:,} leaves and constants"))
        kept = sum([self.kept[operation] for operation in operations])
        if self.kept_shown and kept:
            item.facts.append(("saved", f"keeps {bytes_text(kept)}"))
        item.tip = [f"{scope.kind} {scope.title}".strip(), count]
        return item

    def _facts(self, value: Value) -> list[tuple[str, str]]:
        facts = []
        if self.shown.shapes and value.shape is not None:
            dtype = "" if value.dtype is None or value.dtype == self.dtype else dtype_text(value.dtype)
            text = " ".join([part for part in (shape_text(value.shape), dtype) if part])
            if text:
                facts.append(("shape", text))
        if self.shown.values and value.raw is not None:
            facts.append(("value", value_text(value.raw)))
        gradient = self.gradients.get(value)
        if self.shown.gradients and gradient is not None:
            facts.append(("gradient", value_text(gradient)))
        return facts

    def _notes(self) -> list[str]:
        dtypes = {value.dtype for value in self.graph.values if value.dtype is not None}
        how = "all" if len(dtypes) == 1 else "if not said:"
        notes = [f"{how} {dtype_text(self.dtype)}"] if dtypes and self.shown.shapes else []
        kept = sum(self.kept.values())
        if self.kept_shown and kept:
            notes.append(f"{bytes_text(kept)} kept for backward")
        notes.append(_count(len(self.graph.operations), "operation"))
        return notes

    # --- edges -------------------------------------------------------------------------------------------------------

    def _edges(self) -> Iterable[tuple[str, str]]:
        """The edges of what is shown: of those between later times of a repeat, none; each of the others once.

        A value used several times by one operation has as many edges to it.
        """
        seen: set[tuple[str, str]] = set()
        for operation in self.graph.operations:
            target = self._shown_key(self.stands[operation])
            first = self.stands[operation] is operation
            here: Counter[tuple[str, str]] = Counter()  # of several values that are shown as one, one tells how often
            for value, times in Counter(operation.inputs).items():
                source = self._key(value)
                if source is None or source == target or self._goes_on(value, operation):
                    continue
                here[source, target] = max(here[source, target], times if first else 1)
            new = [edge for edge, times in here.items() if edge not in seen for _ in range(times)]
            seen.update(here)
            yield from new

    def _goes_on(self, value: Value, user: Operation) -> bool:
        """Whether a value goes from one time of a repeat to another: to be noted, not drawn."""
        if value.source is None:
            return False
        for (scope, time), (other, other_time) in zip(self.context[value.source], self.context[user], strict=False):
            if scope is not other:
                return False
            if time != other_time:
                self.carried.setdefault(scope, []).append(value)
                return True
        return False


def _is_shown(value: Value) -> bool:
    """Whether a leaf or constant is a node: not a number of the formula, nor something of which nothing is known."""
    known = value.name or value.text or value.raw is not None or value.shape
    return value.is_leaf or (bool(known) and not is_plain_number(value))


def _title(scope: Scope, module: str) -> str:
    """What is written at a box: of a module within another the last part of its name."""
    name = scope.title.removeprefix(f"{module}.") if module else scope.title
    return f"{name} × {scope.times}".strip() if scope.kind == "repeat" else name


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' if number != 1 else ''}"


def _part_text(part: Part) -> str:
    return operation_text(part) if isinstance(part, Operation) else part.title


def _operation_tip(operation: Operation, kept: int) -> Iterator[str]:
    yield operation.name
    if operation.location is not None:
        yield str(operation.location)
        line = operation.location.source_line()
        if line:
            yield line
    if kept:
        kept_text = ", ".join(
            [f"{s.name} {shape_text(s.shape) or 'scalar'} {dtype_text(s.dtype)}" for s in operation.saved]
        )
        yield f"keeps for backward: {kept_text}, {bytes_text(kept)}"
    elif operation.freed:
        yield "what it kept has been freed by backward"


def _described(value: Value) -> str:
    what = "leaf" if value.is_leaf else "constant" if value.is_constant else "result"
    shape = shape_text(value.shape) or "scalar" if value.shape is not None else ""
    dtype = dtype_text(value.dtype) if value.shape is not None else ""
    return " ".join([part for part in (what, value.name or value.text or "", shape, dtype) if part])


def _told(value: Value, gradients: Mapping[Value, Any]) -> Iterator[str]:
    if value.raw is not None:
        yield f"value {value_text(value.raw)}"
    if gradients.get(value) is not None:
        yield f"gradient {value_text(gradients[value])}"


__all__ = ["Diagram", "Frame", "Item", "Shown", "diagram"]
