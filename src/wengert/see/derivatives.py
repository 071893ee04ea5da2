"""Derivatives of the steps of a derivation: each by each of its inputs, as a formula and a number, and the paths.

The derivative rules of the operations run on symbols here, with the cotangent `G` of the step as one of them. Where the
result is `G` times something, that something is the local derivative; elsewhere the formula says what becomes of `G`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from wengert.ops.record import MISSING, EachInput
from wengert.see.graph import Operation, Value
from wengert.see.steps import Step, Steps
from wengert.spaces.expression import Call, Derivative, Exact, Expression, Name, Number, Product, names_in
from wengert.spaces.simplify import simplified
from wengert.spaces.symbol import SYMBOLS, Symbol

MOST_INPUTS: Final = 8  # of a step by which it is derived where all are told
MANY: Final = 10**9  # paths
_MOST_PATHS: Final = 6
_LONGEST_PATH: Final = 16
_LAST: Final = 10**9  # cotangents stand behind all other names


@dataclass(frozen=True, slots=True, eq=False)
class Local:
    """The derivative of a step by one of its inputs."""

    step: Step
    input: Value
    formula: Expression | None  # None where there is no rule to tell it
    is_factor: bool  # the gradient of the step is multiplied by it; else `formula` contains `cotangent`
    cotangent: Name
    raw: Any  # of a factor, the value of the local derivative; None if it is not known
    reason: str = ""  # why there is no formula


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """One way from the root to a value: the local derivatives along it and their product."""

    locals: tuple[Local, ...]
    raw: Any  # None where a factor is not known, or one of them is no factor


class Derivatives:
    """The local derivatives of steps, worked out when asked for."""

    def __init__(self, steps: Steps) -> None:
        self.steps = steps
        self._found: dict[Step, list[Local]] = {}

    def inputs(self, step: Step) -> list[Value]:
        """The inputs of a step that depend on what is wanted."""
        return [value for value in step.inputs if value in self.steps.depending]

    def of(self, step: Step) -> list[Local]:
        """The derivatives of a step by the first of those of its inputs that depend on what is wanted."""
        if step not in self._found:
            wanted = self.inputs(step)
            self._found[step] = self._work_out(step, wanted[:MOST_INPUTS])
        return self._found[step]

    def _work_out(self, step: Step, wanted: list[Value]) -> list[Local]:
        root = self.steps.labels[self.steps.root]
        name = Derivative(root, Name(step.label, _LAST, step.value.shape or ()))
        raw = self.steps.raw(step.value)
        ones = np.ones(raw.shape, raw.dtype)[()]
        is_end = step.value is self.steps.root and not raw.ndim  # dy/dy is 1
        cotangent = Symbol(Number(1) if is_end else name, ones)
        try:
            found = self._pulled(step, cotangent, wanted)
        except _NoRule as error:
            if len(wanted) > 1:  # another input may have one
                return [local for value in wanted for local in self._work_out(step, [value])]
            return [Local(step, value, None, False, name, None, str(error)) for value in wanted]
        except (TypeError, AttributeError, ValueError, IndexError):  # a stand-in for an index or of an unknown shape
            reason = f"not all that {step.label} was computed from is known any more"
            return [Local(step, value, None, False, name, None, reason) for value in wanted]
        return [self._local(step, value, found.get(value), name, is_end=is_end) for value in wanted]

    def _local(self, step: Step, value: Value, found: Any, cotangent: Name, *, is_end: bool) -> Local:
        if found is None:
            zero = np.zeros(value.shape or (), value.dtype)[()]
            return Local(step, value, Product(Exact(0), {}), True, cotangent, zero)
        product = simplified(found.expression, self.steps.decides)
        factor = product if is_end else _factor(product, cotangent)
        if factor is None:
            return Local(step, value, product, False, cotangent, None)
        return Local(step, value, factor, True, cotangent, found.raw if found.known else None)

    def _pulled(self, step: Step, cotangent: Symbol, wanted: list[Value]) -> dict[Value, Any]:
        """What the cotangent of a step becomes at some of its inputs: the chain rule inside one formula."""
        if any([operation.batched or operation.node.axes for operation in step.operations]):
            raise _NoRule(f"vmap computed {step.label} for all members of a batch at once, which is no formula")
        needed = self._on_the_way(step, wanted)
        symbols = self.steps.written(step)
        symbols[step.value] = self.steps.symbol(step.value)
        arrived: dict[Value, Any] = {step.value: cotangent}
        for operation in reversed(step.operations):
            if not any([value in arrived for value in operation.results]):
                continue
            args = [symbols[v] if v in symbols else self.steps.symbol(v) for v in operation.inputs]
            for slot, value in enumerate(operation.inputs):
                if value.node is None or value not in needed:
                    continue
                x = _rule(operation, slot, arrived, symbols, args)
                x = _unspread(x, args[slot].shape)
                arrived[value] = arrived[value] + x if value in arrived else x
        return arrived

    @staticmethod
    def _on_the_way(step: Step, wanted: list[Value]) -> set[Value]:
        """The values of a step that depend on some of its inputs."""
        needed = set(wanted)
        for operation in step.operations:
            if not needed.isdisjoint(operation.inputs):
                needed.update(operation.results)
        return needed

    # --- paths -----------------------------------------------------------------------------------------------------

    def count_paths(self, wanted: Value) -> int:
        """How many ways lead from the root to a value; `MANY` for so many or more: their number has no bound."""
        ways: dict[Value, int] = {wanted: 1}
        for step in self.steps.steps:
            if step.value is not wanted:
                ways[step.value] = min(sum([ways.get(value, 0) for value in step.inputs]), MANY)
        return ways.get(self.steps.root, 0)

    def paths(self, wanted: Value) -> list[Path] | None:
        """All ways from the root to a value; None where there are too many, or they are too long, to be read."""
        if self.count_paths(wanted) > _MOST_PATHS:
            return None
        found = []
        for steps in self._ways(wanted):
            if steps is None:
                return None
            ends = [step.value for step in steps[1:]] + [wanted]
            chain = tuple([self._between(step, end) for step, end in zip(steps, ends, strict=True)])
            found.append(Path(chain, _product(chain)))
        return found

    def _between(self, step: Step, end: Value) -> Local:
        found = next((local for local in self.of(step) if local.input is end), None)
        return found if found is not None else self._work_out(step, [end])[0]

    def _ways(self, wanted: Value) -> Iterator[list[Step] | None]:
        """The ways from the root to a value; None where one is too long."""
        reaching = {wanted}
        for step in self.steps.steps:
            if any([value in reaching for value in step.inputs]):
                reaching.add(step.value)
        pending = [[self.steps.of[self.steps.root]]] if self.steps.root in self.steps.of else []
        while pending:
            way = pending.pop()
            if len(way) > _LONGEST_PATH:
                yield None
                return
            for value in reversed(way[-1].inputs):
                if value is wanted:
                    yield way
                elif value in reaching and value in self.steps.of:
                    pending.append([*way, self.steps.of[value]])


class _NoRule(Exception):  # noqa: N818 - it is caught in this file
    """An operation of a step has no rule that could run on symbols."""


def _rule(
    operation: Operation, slot: int, arrived: dict[Value, Any], symbols: dict[Value, Any], args: list[Any]
) -> Any:
    """The rule of one input run on symbols."""
    op = operation.op
    rule: Any = None if op is None else op.vjp.rule if isinstance(op.vjp, EachInput) else op.vjp[slot]
    if op is None:
        raise _NoRule(f"{operation.function_name} is a function of yours; its backward() gives numbers and no formula")
    if rule is None or rule is MISSING:
        raise _NoRule(f"{operation.name} has no rule for it")
    ys = tuple([symbols[value] for value in operation.results])
    gs = tuple([arrived[v] if v in arrived else _nothing(symbols[v]) for v in operation.results])
    y, g = (ys[0], gs[0]) if op.outputs == 1 else (ys, gs)
    if isinstance(op.vjp, EachInput):
        return rule(SYMBOLS, g, y, slot, *args, **operation.meta)
    return rule(SYMBOLS, g, y, *args, **operation.meta)


def _nothing(symbol: Symbol) -> Symbol | None:
    """The cotangent of a result that nothing flows into."""
    if symbol.dtype.kind not in "fc":
        return None
    return Symbol(Call("zeros_like", (symbol.expression,), {}), np.zeros(symbol.shape, symbol.dtype))


def _unspread(x: Any, shape: tuple[int, ...]) -> Any:
    """The cotangent of something that was broadcast: summed over the axes along which it was repeated."""
    if x.shape == tuple(shape):
        return x
    new = len(x.shape) - len(shape)
    repeated = [new + axis for axis, size in enumerate(shape) if size == 1 and x.shape[new + axis] != 1]
    summed = SYMBOLS.sum(x, dim=(*range(new), *repeated) or None, keepdim=False)
    return summed if summed.shape == tuple(shape) else SYMBOLS.reshape(summed, shape=tuple(shape))


def _factor(product: Product, cotangent: Name) -> Product | None:
    """What the cotangent is multiplied by; None if it stands in the formula in another way."""
    if not product.coefficient:
        return product
    rest = {base: exponent for base, exponent in product.powers.items() if base is not cotangent}
    if product.powers.get(cotangent) != 1 or any([cotangent in names_in(base) for base in rest]):
        return None
    return Product(product.coefficient, rest)


def _product(chain: tuple[Local, ...]) -> Any:
    raw: Any = None
    if any([not local.is_factor or local.raw is None for local in chain]):
        return None
    if any([isinstance(local.formula, Product) and not local.formula.coefficient for local in chain]):
        return np.zeros_like(chain[-1].raw)
    for local in chain:
        with np.errstate(all="ignore"):
            raw = local.raw if raw is None else raw * local.raw
    return raw


__all__ = ["Derivatives", "Local", "Path"]
