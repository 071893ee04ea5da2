"""Derivatives of gradients of a compiled function: it runs again, under the engine, and leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from wengert._tree import flatten, unflatten
from wengert.compile import messages
from wengert.compile.effects import grad_of
from wengert.compile.sources import Draw
from wengert.engine.backward import run_grad
from wengert.engine.base import edge_of
from wengert.engine.saved import as_tensor
from wengert.engine.state import STATE


class Adjoint:
    """The gradients of one specialisation of a function, on tensors and recorded: compiled in turn.

    Args:
        plan: the specialisation.
        compiled: what compiles a function whose writes to tensors from outside are not carried out.
    """

    def __init__(self, plan: Any, compiled: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
        self.plan = plan
        self._compiled = compiled(self.gradients)
        count = len(plan.positions)
        written = [number for number, _ in plan.effects.writes]
        self._written = [number for number in written if number < count]
        # Captured tensors that the function writes: it begins with their values of the time of the call.
        self._begun = [number - count for number in written if number >= count and number in plan.written_and_needed]
        self._rewritten = [number - count for number in written if number >= count]
        self._grads = {
            plan.positions.index(owner): count + number
            for number, owner in enumerate(plan.owners)
            if isinstance(owner, int)
        }

    def __call__(self, leaves: Sequence[Any], tensors: Sequence[Any], grads: Sequence[Any]) -> tuple[Any, ...]:
        """The gradients of the tracked inputs for these inputs of the program and cotangents."""
        plan = self.plan
        own = list(tensors[: len(plan.positions)])
        for number, grad in self._grads.items():
            t = own[number]
            own[number] = as_tensor(t._data.view(), edge_of(t))  # not the leaf itself, which keeps what it has
            own[number]._grad = tensors[grad]
        given = list(leaves)
        for i, number in plan.slots:
            given[i] = own[number]
        first = len(plan.positions)
        begun = [tensors[first + number].detach() for number in self._begun]
        first += plan.captured
        drawn = tensors[first : first + sum([len(host.values) for host in plan.hosts])]
        return self._compiled(given, list(grads), drawn, begun)  # type: ignore[no-any-return]

    def gradients(self, given: list[Any], grads: list[Any], hosts: list[Any], begun: list[Any]) -> tuple[Any, ...]:
        """The gradients of the function by the engine: what the compiled adjoint is traced from.

        ``hosts`` is what Python computed before the run: random numbers are those, not new ones. ``begun`` are the
        values that tensors from outside had which the function writes.
        """
        plan = self.plan
        if STATE.trace is None:
            given = self._given_apart(given)
        args, kwargs = unflatten(plan.structure, given)
        sources = [host.source for host in plan.hosts for _ in host.values]
        drawn = [t._data for t, source in zip(hosts, sources, strict=True) if isinstance(source, Draw)]
        captures: list[Any] = plan.captures(given)
        tracked, draws = STATE.grad_enabled, STATE.draws
        STATE.grad_enabled, STATE.draws = True, iter(drawn)
        try:
            with self._as_before(captures, begun):
                found = flatten(plan.function(*args, **kwargs))[0]
        finally:
            STATE.grad_enabled, STATE.draws = tracked, draws
        chosen = [leaf for leaf, (kind, _) in zip(found, plan.results, strict=True) if kind == "tracked"]
        inputs = [*[given[i] for i in plan.positions], *captures]
        targets = [inputs[i] for i in plan.tracked_inputs]
        return tuple(run_grad(chosen, targets, grads, retain_graph=True, create_graph=True, allow_unused=True))

    def _given_apart(self, given: Sequence[Any]) -> list[Any]:
        """The leaves for a run that is not traced: what the function writes to is a copy."""
        plan = self.plan
        if not plan.effects.can_be_undone(plan.hosts):
            raise NotImplementedError(messages.RUN_AGAIN)
        own = list(given)
        for number in self._written:
            t = given[plan.positions[number]]
            copied = as_tensor(t._data.copy(), edge_of(t))
            copied._grad = grad_of(t, ())
            for i, slot in plan.slots:
                if slot == number:
                    own[i] = copied
        return own

    @contextmanager
    def _as_before(self, captures: Sequence[Any], begun: Sequence[Any]) -> Iterator[None]:
        """Let the tensors from outside that the function writes begin with other values, and end as they are now."""
        values: dict[int, Any] = dict(zip(self._begun, begun, strict=True))
        if STATE.trace is not None:
            for number, t in values.items():
                STATE.trace.begin(captures[number], t)
            yield
            return
        kept: list[tuple[Any, Any, Any]] = [
            (captures[number], captures[number]._data, captures[number]._cell) for number in self._rewritten
        ]
        try:
            for number in self._rewritten:
                t = captures[number]
                t._data, t._cell = values.get(number, t)._data.copy(), None
            yield
        finally:
            for t, raw, cell in kept:
                t._data, t._cell = raw, cell


__all__ = ["Adjoint"]
