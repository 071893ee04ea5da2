"""The sections of an explanation: values, local derivatives, the chain rule, gradients, remarks.

Knows what a derivation tells and in which order. Knows no page.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np

from wengert.ops.record import TABLE, Kind
from wengert.see.agreement import close, disagreement
from wengert.see.derivatives import MANY, MOST_INPUTS, Derivatives, Local, Path
from wengert.see.document import Document, Equation, Section, Side
from wengert.see.folding import Gap, folded
from wengert.see.graph import Value
from wengert.see.layouts import display_name
from wengert.see.notation import Writer, meaning_of
from wengert.see.remarks import remarks
from wengert.see.replay import Replay
from wengert.see.steps import Step, Steps
from wengert.see.values import side_of, value_text
from wengert.spaces.algebra import factor, multiply, substituted
from wengert.spaces.expression import ONE, Call, Exact, Expression, Product, all_parts, is_condition

_MOST_LEAVES: Final = 8
_LONGEST_FORMULA: Final = 160
_SUMS: Final = "Each gradient is the sum of what arrives from the steps that use the value."


class Account:
    """The sections of one explanation."""

    def __init__(self, steps: Steps, wanted: Sequence[Value], limit: int) -> None:
        self.steps = steps
        self.replayed: Replay = steps.replayed
        self.labels = steps.labels
        self.derivatives = Derivatives(steps)
        self.wanted = wanted
        self.root = self.labels.get(steps.root, "y")
        relevant = [step for step in steps.steps if step.value in steps.depending]
        self.items = folded(relevant, limit)
        self.uses = Counter([value for step in steps.steps for value in step.inputs])
        self.shown = [item for item in self.items if isinstance(item, Step)]

    def document(self) -> Document:
        """All that there is to tell."""
        sections = [self._values(), self._locals(), *self._chains(), self._functions(), self._remarks()]
        title = Equation((self._label(self.steps.root), *self._value(self.steps.root)))
        return Document(title, [section for section in sections if section.items])

    # --- what things are called --------------------------------------------------------------------------------------

    def _label(self, value: Value) -> Side:
        return lambda writer: writer.name(self.labels[value])

    def _value(self, value: Value) -> tuple[Side, ...]:
        raw = self.replayed.raw(value)
        if raw is None and value.shape is not None:
            return (lambda writer: writer.prose(f"{value.dtype}{list(value.shape or ())}, not known any more"),)
        return () if raw is None else (side_of(raw),)

    def _derivative(self, above: Value, below: Value, *, indexed: bool = False) -> Side:
        def side(writer: Writer) -> str:
            elements = type(writer)(below.shape) if indexed else writer
            top, bottom = (
                (elements.write(self.steps.expression(v)) if indexed else writer.name(self.labels[v]))
                for v in (above, below)
            )
            return elements.derivative(top, bottom)[0]

        return side

    # --- sections ----------------------------------------------------------------------------------------------------

    def _values(self) -> Section:
        section = Section("Values")
        inputs = {value: None for step in self.shown for value in step.inputs if value not in self.steps.of}
        inputs |= {value: None for value in self.wanted if value.source is None}
        for value in inputs:
            if self.steps.is_named(value) and (value.shape is not None or value.text is not None):
                text = () if value.name is not None or value.text is None else (self._text(value.text),)
                section.items.append(Equation((self._label(value), *text, *self._value(value))))
        for item in self.items:
            if isinstance(item, Gap):
                section.items.append(str(item))
            else:
                section.items.append(Equation((self._label(item.value), self._formula(item), *self._value(item.value))))
        return section

    def _text(self, text: str) -> Side:
        return lambda writer: writer.prose(text)

    def _formula(self, step: Step) -> Side:
        expression = self.steps.formula(step)
        return lambda writer: writer.write(expression)

    def _locals(self) -> Section:
        section = Section("Local derivatives")
        for item in reversed(self.items):
            if isinstance(item, Gap):
                section.items.append(str(item))
                continue
            for local in self.derivatives.of(item):
                if local.formula is None:
                    section.items.append(self._no_rule(local))
                elif local.is_factor:
                    section.items.append(self._local(local))
            more = len(self.derivatives.inputs(item)) - MOST_INPUTS
            if more > 0:
                section.items.append(f"... {more:,} more inputs of {item.label}")
        return section

    def _no_rule(self, local: Local) -> str:
        return f"d{local.step.label}/d{self.labels[local.input]}: {local.reason}."

    def _local(self, local: Local) -> Equation:
        formula: Expression | None = local.formula
        assert formula is not None
        shape = local.input.shape
        indexed = bool(shape) and _is_elementwise(formula)
        value = () if local.raw is None else (side_of(local.raw),)
        left = self._derivative(local.step.value, local.input, indexed=indexed)
        return Equation((left, _short(formula, shape if indexed else None), *value))

    def _chains(self) -> list[Section]:
        chain, gradients = Section("Chain rule"), Section("Gradients")
        told: set[Value] = set()
        for value in self.wanted[:_MOST_LEAVES]:
            if value is not self.steps.root and value in self.steps.depending:
                self._chain(value, chain, told)
            self._gradient(value, gradients)
        if len(self.wanted) > _MOST_LEAVES:
            gradients.items.append(f"... {len(self.wanted) - _MOST_LEAVES} more; name those that you want in `wrt`.")
        return [chain, gradients]

    def _chain(self, value: Value, section: Section, told: set[Value]) -> None:
        paths = self.derivatives.paths(value)
        if paths is not None and all([local.is_factor for path in paths for local in path.locals]):
            for path in paths:
                if len(path.locals) > 1 or len(paths) > 1:
                    section.items.append(self._path(value, path, single=len(paths) == 1))
            if len(paths) > 1:
                section.items.append(self._sum(value, paths))
            return
        count = self.derivatives.count_paths(value)
        if not section.items or section.items[0] != _SUMS:
            section.items.insert(0, _SUMS)
        if count > 1:
            number = f"{count:,}" if count < MANY else f"More than {MANY:,}"
            section.items.append(f"{number} paths lead from {self.root} to {self.labels[value]}.")
        self._backwards(section, told)

    def _path(self, value: Value, path: Path, *, single: bool) -> Equation:
        def names(writer: Writer) -> str:
            factors = [writer.derivative(writer.name(a), writer.name(b))[0] for a, b in self._links(path)]
            return writer.spaced_times.join(factors)

        def numbers(writer: Writer) -> str:
            factors = [side_of(local.raw)(writer) for local in path.locals]
            return writer.spaced_times.join([f if not f.startswith("-") else writer.parenthesised(f) for f in factors])

        def over(writer: Writer) -> str:
            way = " -> ".join([self.root, *[b for _, b in self._links(path)]])
            return self._derivative(self.steps.root, value)(writer) if single else writer.prose(f"over {way}")

        sides: list[Side] = [over, names]
        whole = self._simplified(path)
        if whole is not None:
            sides.append(whole)
        if path.raw is not None:
            if all([not np.ndim(local.raw) for local in path.locals]):
                sides.append(numbers)
            sides.append(side_of(path.raw))
        return Equation(tuple(sides), broken=True)

    def _links(self, path: Path) -> list[tuple[str, str]]:
        return [(local.step.label, self.labels[local.input]) for local in path.locals]

    def _simplified(self, path: Path) -> Side | None:
        """The product of the local derivatives along a path, where it is shorter than its factors.

        Where something changes no value (`clamp` inside its bounds), what goes in and what comes out is one.
        """
        formulas = [local.formula for local in path.locals if isinstance(local.formula, Product)]
        if len(formulas) != len(path.locals) or len(formulas) < 2:
            return None
        same: dict[Expression, Expression] = {self.steps.name(a): self.steps.name(b) for a, b in self._unchanged(path)}
        product = ONE
        for formula in formulas:
            product = multiply(product, substituted(formula, same) if same else formula)
        holding = [base for base in product.powers if is_condition(base) and self.steps.decides(base)]
        product = Product(product.coefficient, {b: e for b, e in product.powers.items() if b not in holding})
        whole, apart = Writer().write(product), "*".join(map(Writer().write, formulas))
        return _short(product, None) if len(whole) <= min(len(apart), _LONGEST_FORMULA) else None

    def _unchanged(self, path: Path) -> list[tuple[Value, Value]]:
        """The steps on a path that give what they get, with what they get."""
        pairs = []
        for local in path.locals:
            raws = [self.replayed.raw(local.step.value), self.replayed.raw(local.input)]
            one = local.raw is not None and np.all(np.asarray(local.raw) == 1)
            if one and all([raw is not None for raw in raws]) and np.array_equal(raws[0], raws[1]):
                pairs.append((local.step.value, local.input))
        return pairs[::-1]

    def _sum(self, value: Value, paths: list[Path]) -> Equation:
        sides = [self._derivative(self.steps.root, value)]
        raws = [path.raw for path in paths]
        if all([raw is not None and not np.ndim(raw) for raw in raws]):
            texts = [value_text(raw) for raw in raws]
            sides.append(lambda _: " + ".join(texts).replace("+ -", "- "))
        total = self.replayed.gradient(value)
        if total is not None:
            sides.append(side_of(total))
        return Equation(tuple(sides))

    def _backwards(self, section: Section, told: set[Value]) -> None:
        """What arrives at each value, from the root on."""
        arriving: dict[Value, list[Local]] = {}
        for step in reversed(self.shown):
            for local in self.derivatives.of(step):
                arriving.setdefault(local.input, []).append(local)
        for value, locals_ in arriving.items():
            said = len(locals_) == 1 and locals_[0].is_factor and locals_[0].step.value is self.steps.root
            if value in told or said or any([local.formula is None for local in locals_]):
                continue
            told.add(value)
            sides: list[Side] = [self._derivative(self.steps.root, value)]
            if len(locals_) == self.uses[value]:
                sides.append(self._arrivals(locals_))
            gradient = self.replayed.gradient(value)
            if gradient is not None:
                sides.append(side_of(gradient))
            if len(sides) > 1:
                section.items.append(Equation(tuple(sides)))

    def _arrivals(self, locals_: list[Local]) -> Side:
        terms: list[Expression] = []
        for local in locals_:
            assert local.formula is not None
            from_root = local.step.value is self.steps.root
            cotangent = Product(Exact(1), {} if from_root else {local.cotangent: Exact(1)})
            formula = factor(local.formula)
            terms.append(multiply(cotangent, formula) if local.is_factor else formula)

        def side(writer: Writer) -> str:
            texts = [_shortest(writer, term) for term in terms]
            return " + ".join(texts).replace("+ -", "- ") if all(texts) else ""

        return side

    def _gradient(self, value: Value, section: Section) -> None:
        label, gradient = self.labels[value], self.replayed.gradient(value)
        if value not in self.steps.depending:
            section.items.append(f"{self.root} does not depend on {label}.")
            return
        if gradient is not None:
            sides = [self._derivative(self.steps.root, value), side_of(gradient)]
            if value.gradient is not None and close(np.asarray(value.gradient), np.asarray(gradient)):
                sides.append(lambda writer: writer.prose(f"{label}.grad"))
            section.items.append(Equation(tuple(sides)))
        remark = disagreement(label, value, gradient)
        if remark is not None:
            section.items.append(remark)

    def _functions(self) -> Section:
        """What the functions compute that stand in the formulas and are not everybody's."""
        formulas = [self.steps.formula(step) for step in self.shown]
        formulas += [local.formula for step in self.shown for local in self.derivatives.of(step) if local.formula]
        calls = {part.name: None for formula in formulas for part in all_parts(formula) if isinstance(part, Call)}
        meanings = {display_name(name): meaning_of(name) for name in sorted(calls)}
        told = [f"{name}: {meaning}" for name, meaning in meanings.items() if meaning is not None]
        return Section("Functions", list(told))

    def _remarks(self) -> Section:
        section = Section("Remarks", list(remarks(self.steps, self.shown)))
        root = self.steps.root
        if root.shape:
            section.items.append(f"{self.root} has several elements: the derivatives are those of their sum.")
        if self.replayed.refused is not None:
            section.items.append(f"The graph was not evaluated again: {self.replayed.refused}.")
        changed = [self.labels[value] for value in self.replayed.changed if value in self.labels]
        if changed:
            section.items.append(
                f"Changed since {self.root} was computed, or possibly so: {', '.join(changed)}. What only follows from "
                "the old values is not shown."
            )
        return section


def _is_elementwise(formula: Expression) -> bool:
    """Whether a formula is one for each element: no operation in it looks at several."""
    return all([not isinstance(part, Call) or TABLE[part.name].kind is Kind.ELEMENTWISE for part in all_parts(formula)])


def _short(formula: Expression, shape: tuple[int, ...] | None) -> Side:
    return lambda writer: _shortest(type(writer)(shape), formula)


def _shortest(writer: Writer, formula: Expression) -> str:
    text = writer.write(formula)
    return text if len(text) <= _LONGEST_FORMULA * (2 if writer.times != "*" else 1) else ""


__all__ = ["Account"]
