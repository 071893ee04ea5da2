"""A graph evaluated again: every value as far as it can be known, and the gradient that arrives at each.

Knows how to run a graph's operations and rules once more on what is known of it. Knows no form in which it is shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from wengert._fpenv import run_guarded
from wengert._memory import without_collection
from wengert.engine.again import raw_results, undisturbed
from wengert.engine.custom import FunctionNode
from wengert.engine.fit import fit_raw
from wengert.engine.node import save_plan
from wengert.ops.reads import Read
from wengert.ops.record import MISSING
from wengert.see.graph import Graph, Operation, Value
from wengert.see.rules import Raised, handed_on

MOST_BYTES = 2**28
_ULPS = 64  # the same operation on the same values gives the same result; sums in several threads need not


@dataclass(slots=True, eq=False)
class Replay:
    """What a second evaluation of a graph tells."""

    graph: Graph
    raws: dict[Value, Any] = field(default_factory=dict)  # of the values that are known, kept or evaluated again
    evaluated: set[Value] = field(default_factory=set)  # those of them that were not kept
    gradients: dict[Value, Any] = field(default_factory=dict)  # of the roots by each value, where that is known
    changed: tuple[Value, ...] = ()  # whose values now are, or may be, not those that the graph was computed with
    refused: str | None = None  # why nothing was evaluated, if so
    stopped: tuple[Operation, ...] = ()  # where gradients end: a rule that is missing, a user's backward that raised
    raised: Raised = field(default_factory=dict)  # by the user's backward of those that it stopped at
    parts: dict[Operation, dict[int, Any]] = field(default_factory=dict)  # what each hands on, by its inputs' places

    def raw(self, value: Value) -> Any:
        """The raw value; None if it is not known."""
        return self.raws.get(value)

    def gradient(self, value: Value) -> Any:
        """The raw gradient of the roots by a value; None if nothing flows there or it is not known."""
        return self.gradients.get(value)


def replay(graph: Graph, cotangents: Sequence[Any] | None = None, *, most_bytes: int | None = MOST_BYTES) -> Replay:
    """Evaluate a graph again: all values that follow from what is known, and the gradient with respect to each.

    It works on raw values, and nothing is recorded: the user's tensors, hooks and `.grad` are left alone, and it does
    not matter whether backward has freed the graph. What was kept is compared with what comes out; where they differ,
    the leaves and constants that may have been changed since (an optimiser's step, a name bound anew) are named in
    `changed` and taken as unknown, and with them everything that only follows from them.

    Functions with a derivative of the user's own (`autograd.Function`) are not called again: their results are known
    only where something kept them. Gradients pass through them by their own ``backward``, where it still can run.

    Args:
        graph: as :func:`wengert.see.graph.read` gives it.
        cotangents: raw cotangents of the roots; by default ones, so the gradients are those of the sum of all roots'
            elements.
        most_bytes: evaluate nothing if the results together are larger; None for no limit.

    Returns:
        The values and gradients. Values of the graph that were unknown get their `raw`, those in `changed` lose it.
    """
    size = sum([value.nbytes for value in graph.values if value.source is not None])
    if most_bytes is not None and size > most_bytes:
        reason = f"its results have {size:,} bytes, and at most {most_bytes:,} are evaluated again"
        return Replay(graph, {v: v.raw for v in graph.values if v.raw is not None}, refused=reason)
    with undisturbed(), without_collection():
        run = _Run(graph, frozenset(), candidates=True)
        guessed = {value for value in graph.values if value.candidate is not None and value.raw is None}
        if run.disagreements or (guessed and not guessed <= _cone(run.confirmed)):
            run = _Run(graph, frozenset(), candidates=False)
            guessed = set()
        if run.disagreements:
            run = _Run(graph, _suspects(run.disagreements), candidates=False)
        gradients = run_guarded(run.gradients, cotangents)
    for value in guessed:
        value.name, value.candidate = value.candidate[0], None  # type: ignore[index]
    for value in graph.values:
        raw = value.raw = run.known.get(value)
        if value.shape is None and raw is not None:
            value.shape, value.dtype = np.shape(raw), getattr(raw, "dtype", None)
    changed = tuple([value for value in graph.values if value.changed or value in run.unknown])
    stopped = (*[operation for operation in run.broken if not operation.batched], *run.stopped)
    return Replay(
        graph, run.known, run.evaluated, gradients, changed, stopped=stopped, raised=run.raised, parts=run.parts
    )


class _Run:
    """One evaluation in forward order, of raw values; those in `unknown` are not used."""

    def __init__(self, graph: Graph, unknown: frozenset[Value], *, candidates: bool) -> None:
        self.graph = graph
        self.unknown = unknown
        self.candidates = candidates
        self.known: dict[Value, Any] = {}
        self.evaluated: set[Value] = set()
        self.broken: dict[Operation, None] = {}  # those through which no gradient can be told
        self.stopped: dict[Operation, None] = {}  # those without a rule for an input that a gradient would flow to
        self.raised: Raised = {}
        self.disagreements: list[Value] = []  # kept values that come out differently
        self.confirmed: list[Value] = []  # and those that come out as they were kept
        self.parts: dict[Operation, dict[int, Any]] = {}  # what operations hand on to inputs, as the rules give it
        for value in graph.values:
            if value.source is None:
                self._source(value)
            elif value.output == 0:
                self._operation(value.source)

    def _kept(self, value: Value) -> Any:
        if value.raw is None and self.candidates and value.candidate is not None:
            return value.candidate[1]
        return None if value in self.unknown else value.raw

    def _source(self, value: Value) -> None:
        raw = self._kept(value)
        if raw is not None:
            self.known[value] = raw

    def _operation(self, operation: Operation) -> None:
        kept = [self._kept(value) for value in operation.results]
        raws = None if self._is_vouched_for(operation) else self._evaluate(operation)
        if raws is not None:
            self._compare(operation, kept, raws)
        for position, (value, old) in enumerate(zip(operation.results, kept, strict=True)):
            known = old if old is not None and (value.certain or raws is None) else None
            if known is None and raws is not None:
                known = raws[position]
                self.evaluated.add(value)
            if known is not None:
                self.known[value] = known
        if (operation.op is None and not _is_function(operation)) or operation.batched:
            self.broken[operation] = None

    def _is_vouched_for(self, operation: Operation) -> bool:
        """Whether all that an operation was given and made is known as it was: evaluating it would tell nothing."""
        values = (*operation.inputs, *operation.results)
        return all([value.certain and value not in self.unknown for value in values])

    def _evaluate(self, operation: Operation) -> tuple[Any, ...] | None:
        """The results as they come out now; None where an input is not known or the operation cannot be run."""
        op = operation.op
        if op is None or operation.batched or not all([value in self.known for value in operation.inputs]):
            return None
        found = _results(operation, [self.known[value] for value in operation.inputs])
        if found is None or [raw.shape for raw in found] != [value.shape for value in operation.results]:
            if not all([value.certain or value.dtype is None for value in operation.inputs]):
                self.disagreements += operation.results
            return None
        pairs = zip(found, operation.results, strict=True)
        # an in-place operation's result has the dtype of what was written
        return tuple([raw if raw.dtype == value.dtype else raw.astype(value.dtype) for raw, value in pairs])

    def _compare(self, operation: Operation, kept: list[Any], raws: tuple[Any, ...]) -> None:
        for value, old, new in zip(operation.results, kept, raws, strict=True):
            if old is not None and value.certain:
                (self.confirmed if _same(old, new) else self.disagreements).append(value)

    # --- gradients -------------------------------------------------------------------------------------------------

    def gradients(self, cotangents: Sequence[Any] | None) -> dict[Value, Any]:
        """The gradient of the roots by every value where all that it depends on is known."""
        roots = [root for root in self.graph.roots if root.dtype.kind in "fc"]
        given = [_ones(root) for root in roots] if cotangents is None else cotangents
        told = self._reached(roots)
        found = self._swept(roots, given, told)
        if self.broken:  # a user's backward may have raised
            told = self._reached(roots)
        return {value: found[value] for value in told if value in found}

    def _swept(self, roots: list[Value], given: Sequence[Any], asked: Iterable[Value]) -> dict[Value, Any]:
        """What arrives at the values ``asked``; all that lies between them and the roots is among them."""
        arrived: dict[Value, Any] = {}
        needed = set(asked)
        known = self.known.get
        for root, g in zip(roots, given, strict=True):
            arrived[root] = arrived[root] + g if root in arrived else g
        for operation in reversed(self.graph.operations):
            inputs = operation.inputs
            grads = [arrived.get(value) for value in operation.results]
            slots = [slot for slot, value in enumerate(inputs) if value in needed]
            if not slots or all([g is None for g in grads]):
                continue
            parts = handed_on(operation, slots, grads, known, self.raised)
            if parts is None:
                self.broken[operation] = None
                continue
            self.parts[operation] = given_on = dict(zip(slots, parts, strict=True))
            for slot, part in given_on.items():
                if part is not None:
                    value = inputs[slot]
                    x = fit_raw(part, value.node, operation.node)  # type: ignore[arg-type]
                    arrived[value] = arrived[value] + x if value in arrived else x
        return arrived

    def _reached(self, roots: list[Value]) -> list[Value]:
        """The values whose gradient can be told: every rule on the way reads known values only."""
        reached: dict[Value, bool] = dict.fromkeys(roots, True)  # value -> whether its gradient can be told
        all_known = len(self.known) == len(self.graph.values)
        for operation in reversed(self.graph.operations):
            arriving = [reached[value] for value in operation.results if value in reached]
            if not arriving:
                continue
            arrives = all(arriving) and operation not in self.broken
            is_known = arrives and (all_known or self._all_known(operation))
            for slot, value in enumerate(operation.inputs):
                if value.node is None or not (value in reached or _carries(value)):
                    continue
                if _is_missing(operation, slot):
                    self.stopped[operation] = None
                    reached[value] = False
                elif not (is_known or (arrives and self._rule_is_known(operation, slot))):
                    reached[value] = False
                elif value not in reached:
                    reached[value] = True
        ends = set(roots)
        return [value for value, tells in reached.items() if tells and (value not in ends or _carries(value))]

    def _all_known(self, operation: Operation) -> bool:
        return all([value in self.known for value in (*operation.inputs, *operation.results)])

    def _rule_is_known(self, operation: Operation, slot: int) -> bool:
        """Whether what the rule of one input reads is known, where not all is."""
        if operation.op is None:  # only the user's function knows what it reads
            return True
        result, *inputs = save_plan(operation.op, 1 << slot, len(operation.inputs))
        needed = [value for value, read in zip(operation.inputs, inputs, strict=True) if read is Read.VALUES]
        if result is Read.VALUES:
            needed += operation.results
        return all([value in self.known for value in needed])


def _results(operation: Operation, raws: list[Any]) -> tuple[Any, ...] | None:
    """The results of an operation on raw values; None where it refuses them."""
    op: Any = operation.op
    if op.view:
        raws[0] = np.asarray(raws[0])
    try:
        return raw_results(op, raws, operation.meta)
    except Exception:  # noqa: BLE001 - a value found by its name may be anything: a wrong shape, an index out of range
        pass
    # a number that only the source tells may have been made a tensor before it came to the operation
    arrays = [np.asarray(raw, operation.results[0].dtype) if type(raw) in (int, float) else raw for raw in raws]
    try:
        return raw_results(op, arrays, operation.meta)
    except Exception:  # noqa: BLE001
        return None


def _ones(value: Value) -> Any:
    return np.ones(value.shape or (), value.dtype)[()]


def _is_missing(operation: Operation, slot: int) -> bool:
    rules: Any = operation.op.vjp if operation.op is not None else None
    return rules.__class__ is tuple and rules[slot] is MISSING


def _is_function(operation: Operation) -> bool:
    """Whether it is a user's function whose backward can be called."""
    return isinstance(operation.node, FunctionNode) and not operation.node.axes


def _carries(value: Value) -> bool:
    """Whether a gradient can arrive at a value: a leaf, or a result that is differentiable."""
    if getattr(value.dtype, "kind", "O") not in "fc":
        return False
    if value.source is None:
        return value.node is not None
    op = value.source.op
    return op is None or op.outputs <= 1 or value.output in op.differentiable_outputs


def _same(old: Any, new: Any) -> bool:
    """Whether two evaluations of one operation agree, to the rounding of a sum taken in another order."""
    if old.__class__ is new.__class__ and not old.shape and old == new:  # most of a graph of 0-d values, quickly
        return True
    a, b = np.asarray(old), np.asarray(new)
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    if (a == b).all():
        return True
    if a.dtype.kind not in "fc":
        return False
    with np.errstate(all="ignore"):
        largest = np.max(np.abs(b), initial=0.0, where=np.isfinite(b))
        return np.allclose(a, b, rtol=0, atol=_ULPS * float(np.finfo(a.dtype).eps) * float(largest), equal_nan=True)


def _suspects(disagreements: Sequence[Value]) -> frozenset[Value]:
    """The leaves and constants behind what came out differently whose values nothing vouches for; if none, all."""
    cone = _cone(disagreements)
    sources = [value for value in cone if value.source is None and isinstance(value.raw, (np.ndarray, np.generic))]
    return frozenset([value for value in sources if not value.certain] or sources)


def _cone(values: Iterable[Value]) -> set[Value]:
    """Values and all that they were computed from."""
    cone: set[Value] = set()
    pending = list(values)
    while pending:
        value = pending.pop()
        if value not in cone:
            cone.add(value)
            pending += value.source.inputs if value.source is not None else ()
    return cone


__all__ = ["MOST_BYTES", "Replay", "replay"]
