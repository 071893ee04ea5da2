"""The steps of a walk through a graph: forward through the evaluation, then backward through the gradients.

Knows what is told at each step. Knows no page.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from wengert._source import Location
from wengert.see.chain_rule import ChainRule, Pulled
from wengert.see.diagram import Diagram, Item
from wengert.see.graph import Graph, Operation, Value
from wengert.see.replay import Replay
from wengert.see.wording import dtype_text, operation_text, shape_text, value_text

_CONTEXT = 3  # lines of the source before and after the operation's
_MOST_INPUTS = 6


@dataclass(slots=True)
class Excerpt:
    """Some lines of the user's program, with those of one operation marked."""

    where: str
    first: int
    lines: list[str]
    marked: tuple[int, int]


@dataclass(slots=True)
class Step:
    """One step: a node of the picture, and what is told of it line by line, each with its style."""

    phase: str  # `forward` or `backward`
    key: str
    title: str
    lines: list[tuple[str, str]] = field(default_factory=list)  # (formula, number, result or note; its text)
    excerpt: Excerpt | None = None
    reached: list[str] = field(default_factory=list)  # backward: the nodes whose gradient is known completely after it


class Walk:
    """Tells the steps for the nodes of a picture."""

    def __init__(self, graph: Graph, picture: Diagram, replayed: Replay, rule: ChainRule | None) -> None:
        self._graph = graph
        self._replayed = replayed
        self._rule = rule
        self._operations = {operation.results: operation for operation in graph.operations}
        self._items = [item for item in picture.items() if item.kind in ("result", "root", "closed")]
        self._item_of = {value: item.key for item in picture.items() for value in item.values}
        self._arrived: dict[Value, list[Any]] = {}

    def steps(self) -> Iterator[Step]:
        """All steps, first those forward."""
        for item in self._items:
            yield self._forward(item)
        if any([item.values and self._gradient(item.values[0]) is not None for item in self._items]):
            for item in reversed(self._items):
                yield self._backward(item)

    def _operation(self, item: Item) -> Operation | None:
        return self._operations.get(tuple(item.values)) if item.scope is None else None

    # --- forward -----------------------------------------------------------------------------------------------------

    def _forward(self, item: Item) -> Step:
        operation = self._operation(item)
        if operation is None:
            return Step("forward", item.key, item.operation or item.name, [("note", text) for text in item.tip])
        lines: list[tuple[str, str]] = []
        for value in dict.fromkeys(operation.inputs):
            if value.raw is not None and not _is_number(value) and len(lines) < _MOST_INPUTS:
                lines.append(("number", f"{self._label(value)} = {value_text(value.raw)}"))
        for value in operation.results:
            if value.raw is not None:
                lines.append(("result", f"{self._label(value)} = {value_text(value.raw)}"))
            lines.append(("note", _kind_text(value)))
        lines += _kept(operation)
        return Step("forward", item.key, self._formula(operation), lines, excerpt(operation.location))

    def _formula(self, operation: Operation) -> str:
        """What an operation computes, of the values that it was given."""
        formulas = [self._rule.formula(value) for value in operation.results] if self._rule is not None else []
        names = ", ".join([self._label(value) for value in operation.results])
        return f"{names} = {(len(formulas) == 1 and formulas[0]) or _call(operation, self._label)}"

    # --- backward ----------------------------------------------------------------------------------------------------

    def _backward(self, item: Item) -> Step:
        operation = self._operation(item)
        if operation is None:
            text = f"the gradients go through {item.facts[-1][1] if item.facts else 'it'} in one step"
            return Step("backward", item.key, item.operation, [("note", text)], reached=self._reached_by(item))
        lines: list[tuple[str, str]] = []
        for value in operation.results:
            gradient = self._gradient(value)
            if gradient is None and getattr(value.dtype, "kind", "f") not in "fc":  # indices have none
                continue
            known = value_text(gradient) if gradient is not None else "not known"
            lines.append(("number", f"{self._symbol(value)} = {known}"))
            if value in self._graph.roots:
                lines.append(("note", "A derivative by itself is 1: here the way back begins."))
        pulled = self._rule.pulled(operation) if self._rule is not None else []
        for one in pulled:
            lines += self._told(operation, one)
        if not pulled:
            lines += [
                ("result", f"{self._symbol(value)} = {value_text(self._gradient(value))}")
                for value in dict.fromkeys(operation.inputs)
                if self._gradient(value) is not None
            ]
        reached = self._reached_by(item)
        return Step(
            "backward",
            item.key,
            f"back through {self._formula(operation)}",
            lines,
            excerpt(operation.location),
            reached,
        )

    def _told(self, operation: Operation, one: Pulled) -> Iterator[tuple[str, str]]:
        """The chain rule for one input: the formula, the local derivative, the numbers, the sum so far."""
        symbol, above = self._symbol(one.value), self._symbol(operation.results[0])
        if one.local is None:
            yield "formula", f"{symbol}: the rule of {operation.name} is no formula"
        elif one.is_factor:
            if one.symbol != symbol:  # else the result itself is derived
                yield "formula", f"{symbol} = {above} · {one.symbol}"
            known = f" = {value_text(one.local_raw)}" if one.local_raw is not None else ""
            same = known.removeprefix(" = ") == one.local
            yield "local" if one.symbol != symbol else "formula", f"{one.symbol} = {one.local}{'' if same else known}"
        else:
            yield "formula", f"{symbol} = {one.local}"
        yield from self._numbers(operation, one, symbol)

    def _numbers(self, operation: Operation, one: Pulled, symbol: str) -> Iterator[tuple[str, str]]:
        """What the operation adds to the gradient by one input, and the sum by now if it is used several times."""
        gradient, by_itself = self._gradient(operation.results[0]), one.symbol == symbol
        users = dict.fromkeys(one.value.users)
        added = one.added if one.added is not None or len(users) > 1 else self._gradient(one.value)
        if added is not None:
            product = value_text(added)
            if not by_itself and one.is_factor and np.shape(gradient) == np.shape(one.local_raw) == ():
                product = f"{value_text(gradient)} · {value_text(one.local_raw)} = {product}"
            yield "result", f"{symbol if len(users) < 2 else 'this way'}{' =' if len(users) < 2 else ':'} {product}"
        if one.is_factor and one.value.shape and not by_itself:
            yield "note", "multiplied element by element"
        if len(users) > 1:
            self._arrived.setdefault(one.value, []).append(added)
            shown = len([user for user in users if user.results[0] in self._item_of])
            yield from self._sum(one.value, symbol, shown, len(users) - shown)

    def _sum(self, value: Value, symbol: str, shown: int, folded: int) -> Iterator[tuple[str, str]]:
        """What the gradient by a value that is used several times is by now."""
        arrived = self._arrived[value]
        total = value_text(self._gradient(value)) if self._gradient(value) is not None else "not known"
        if len(arrived) < shown:
            yield "note", f"{_ways(shown - len(arrived), 'more way')} to {self._label(value)} will be added"
        elif folded:
            yield "result", f"with {_ways(folded, 'folded way')}: {symbol} = {total}"
        elif value.shape or any([added is None for added in arrived]):
            yield "result", f"all {len(arrived)} ways added: {symbol} = {total}"
        else:
            terms = " + ".join([value_text(added) for added in arrived]).replace("+ −", "− ")
            yield "result", f"{symbol} = {terms} = {value_text(sum(arrived))}"

    def _reached_by(self, item: Item) -> list[str]:
        """The nodes that get their gradient in the walk back through a node."""
        operation = self._operation(item)
        operations = [operation] if operation is not None else list(item.scope.operations()) if item.scope else []
        values = [value for one in operations for value in one.inputs if self._gradient(value) is not None]
        return list(dict.fromkeys([self._item_of[value] for value in values if value in self._item_of]))

    # --- what things are called --------------------------------------------------------------------------------------

    def _gradient(self, value: Value) -> Any:
        found = self._replayed.gradient(value)
        return found if found is not None else value.gradient

    def _label(self, value: Value) -> str:
        if value.is_constant and value.name is None:
            return value_text(value.raw) if _is_number(value) else value.text or f"c{value.index}"
        known = self._rule.labels.get(value) if self._rule is not None else None
        return known or value.name or f"v{value.index}"

    def _symbol(self, value: Value) -> str:
        root = self._rule.root if self._rule is not None else self._label(self._graph.roots[0])
        return f"d{root}/d{self._label(value)}"


def excerpt(location: Location | None) -> Excerpt | None:
    """The lines of the program around a place; None where they cannot be had."""
    lines = location.source().splitlines() if location is not None else []
    if location is None or not lines or location.lineno > len(lines):
        return None
    first = max(1, location.lineno - _CONTEXT)
    last = min(len(lines), location.end_lineno + _CONTEXT)
    shown = textwrap.dedent("\n".join(lines[first - 1 : last])).split("\n")
    return Excerpt(str(location), first, shown, (location.lineno, location.end_lineno))


def _is_number(value: Value) -> bool:
    return value.is_constant and value.dtype is None and isinstance(value.raw, (bool, int, float, complex))


def _ways(number: int, what: str) -> str:
    return f"{number} {what}{'s' if number > 1 else ''}"


def _kind_text(value: Value) -> str:
    shape = shape_text(value.shape or ()) or "a number"
    return f"{shape}, {dtype_text(value.dtype)}"


def _call(operation: Operation, label: Any) -> str:
    return f"{operation_text(operation)}({', '.join([label(value) for value in operation.inputs])})"


def _kept(operation: Operation) -> Iterator[tuple[str, str]]:
    if operation.freed:
        yield "note", "what it kept for backward has been freed"
    elif operation.saved:
        names = ", ".join([f"{saved.name} ({saved.nbytes:,} bytes)" for saved in operation.saved])
        yield "note", f"kept for backward: {names}"


__all__ = ["Excerpt", "Step", "Walk", "excerpt"]
