"""One specialisation of a compiled function: the program for arguments of certain types, and how a call of it goes."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Sequence
from typing import Any

from wengert._memory import without_collection
from wengert._tree import LEAF, unflatten
from wengert.compile.adjoint import Adjoint
from wengert.compile.bindings import Surroundings
from wengert.compile.effects import grad_of
from wengert.compile.entries import Call, Entry, entry_of
from wengert.compile.execute import Executable
from wengert.compile.guards import Attribute, Edited, Guards
from wengert.compile.layouts import strides_of
from wengert.compile.node import CompiledFunctionBackward
from wengert.compile.numbers import Numbers
from wengert.compile.ranges import LONG, Ranges, ranges
from wengert.compile.runtime.held import Held
from wengert.compile.settings import Settings
from wengert.compile.traced import TracedFunction
from wengert.engine.base import TensorBase, cell_of, is_leveled, wrap
from wengert.engine.state import STATE
from wengert.program.program import Program


class Plan(TracedFunction):
    """The program of one signature, and what a call does around it.

    Args:
        function: what is compiled.
        leaves: the leaves of the first call's arguments.
        structure: the containers around them.
        effects: whether writes to tensors from outside are carried out; not for an adjoint, which only repeats them.
        fast_math: whether machine code may reorder sums and fuse products with sums.
        numbers: the Python numbers among the leaves that may be others at the next call.
        lengths_vary: functions of these arguments were called with other lengths before.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        leaves: Sequence[Any],
        structure: Any,
        *,
        effects: bool,
        fast_math: bool = False,
        numbers: Numbers | None = None,
        lengths_vary: bool = False,
    ) -> None:
        start = time.perf_counter()
        outside = Surroundings(function, *unflatten(structure, leaves))
        names = Guards(outside.guards)
        super().__init__(function, leaves, structure, effects=effects, numbers=numbers, modules=outside.modules)
        reset = self.settings.close()
        number_of = {id(leaves[i]): number for number, i in enumerate(self.positions)}
        self.slots = [(i, number_of[id(leaf)]) for i, leaf in enumerate(leaves) if id(leaf) in number_of]
        self._fast_math = fast_math
        self._leaves = len(leaves)
        self._held = Held(self.captured_tensors)
        kept, changed = names.without_changed(outside.sets)
        # What was changed meanwhile, but by nothing that the function's own code says:
        self.changed_meanwhile = changed | {about for about in reset if about[1] not in outside.sets}
        self._names = self._all_guards(kept, self.settings, leaves)
        self._guards = [(t._data.dtype, t._data.shape, t._rg) for t in self.captures(leaves)]
        # Old values are kept for gradients, if there are any: not where the function itself has freed the graph.
        written = self.effects.writes if not self.tracked_outputs or self.refusal is not None else []
        self.forward = Executable(self.program_traced, written, simplify=self.cut is None, fast_math=fast_math)
        self.ranges = self._ranges(written) if lengths_vary or self.traced_equations < LONG else {}
        self.symbolic = self.lengths = None  # nothing asks any more
        self._follow()
        self._names.use(self.forward.schedule)
        self.seconds = time.perf_counter() - start
        self._backward: Callable[..., tuple[Any, ...]] | None = None
        self._adjoint: Adjoint | None = None

    def _ranges(self, written: Sequence[tuple[int, int]]) -> Ranges:
        """The lengths for which all this serves, by those that were traced."""
        if self.lengths is None or self.symbolic is None or self.cut is not None:
            return {}
        return ranges(self.lengths, self.symbolic, self.program_traced, self.forward, written)

    def _all_guards(self, names: Guards, settings: Settings, leaves: Sequence[Any]) -> Guards:
        """The guards: of names from outside, of settings of modules, and whether gradients are wanted."""
        guards = list(names)
        if settings:
            guards.append(Edited(settings.hold, settings.mark))
        if any([t._rg for t in self.captures(leaves)]):
            guards.append(Attribute(STATE, "grad_enabled", STATE.grad_enabled))
        return Guards(guards)

    def _follow(self) -> None:
        """Let tensors from outside that are only read be exchanged for others like them, without another trace."""
        if self._does_more():
            return
        given = {id(what) for kind, what in self.results if kind == "static"}
        for number, t in enumerate(self._held.objects):
            kind = _kind(t)
            if kind is not None and id(t) not in given:
                self._names.follow(t, functools.partial(_is_of, kind), functools.partial(self._held.put, number))

    def _does_more(self) -> bool:
        """Whether a call does more than to compute with its arguments and with tensors from outside."""
        return bool(self.effects or self.hosts) or any([owner is not None for owner in self.owners])

    @property
    def program(self) -> Program:
        """The program that runs, after all passes."""
        return self.forward.program

    # --- running ---------------------------------------------------------------------------------------------------

    def holds(self, leaves: Sequence[Any]) -> bool:
        """Whether captured tensors are what they were when this was traced, and numbers lead the same way."""
        if self.numbers is not None and self.numbers.values(leaves) is None:
            return False
        for t, owner, (dtype, shape, tracked) in zip(self._held.objects, self.owners, self._guards, strict=True):
            if owner is not None:
                t = grad_of(owner, leaves)  # noqa: PLW2901 - as it is now
            if t is None:
                return False
            data = t._data
            if data.dtype is not dtype or data.shape != shape or t._rg is not tracked:
                return False
        if not (self.effects.hold(leaves) and self._names.hold()):
            return False
        if self.ordered and not self._lie_as_before(leaves):
            return False
        return all([host.source.key() == host.key for host in self.hosts])

    @property
    def is_ordered(self) -> bool:
        """Whether it holds only for inputs that lie in memory as those did for which it was traced."""
        return bool(self.ordered)

    def _lie_as_before(self, leaves: Sequence[Any]) -> bool:
        """Whether inputs on whose order in memory something depends have the order that they had."""
        first, captures = len(self.positions), self.captures(leaves)
        for place, strides in self.ordered:
            x = leaves[self.positions[place]] if place < first else captures[place - first]
            if strides_of(x._data if isinstance(x, TensorBase) else x) != strides:
                return False
        return True

    def raws(self, leaves: Sequence[Any]) -> list[Any]:
        """What the program reads, for the leaves of the arguments."""
        return [t._data for t in self._inputs(leaves, self._values(leaves))]

    def _values(self, leaves: Sequence[Any]) -> list[Any]:
        """The numbers that Python computes for these leaves, for which the plan holds."""
        return [] if self.numbers is None else self.numbers.values(leaves) or []

    def _inputs(self, leaves: Sequence[Any], values: Sequence[Any]) -> list[Any]:
        """All that the program reads, as tensors: random numbers are drawn now; ``values`` are those of numbers."""
        tensors = [_tensor(leaves[i]) for i in self.positions]
        tensors += self.captures(leaves)
        for host in self.hosts:
            tensors += map(wrap, host.source.raws())
        if self.numbers is not None:
            tensors += map(wrap, self.numbers.raws(values))
        return tensors

    def captures(self, leaves: Sequence[Any]) -> list[Any]:
        """The captured tensors as they are now; a gradient is that which its tensor has now."""
        pairs = zip(self._held.objects, self.owners, strict=True)
        return [t if owner is None else grad_of(owner, leaves) for t, owner in pairs]

    @property
    def captured(self) -> int:
        """How many tensors from outside it reads."""
        return len(self._held)

    def reads(self, cells: Sequence[Any]) -> bool:
        """Whether the tensors from outside are those of a call, by the cells that count writes to them."""
        return all([t is None or cell_of(t) is cell for t, cell in zip(self._held.objects, cells, strict=True)])

    def __call__(self, leaves: Sequence[Any]) -> Any:
        """The result for the leaves of the arguments."""
        values = self._values(leaves)
        tensors = self._inputs(leaves, values)
        self.effects.check(tensors)
        raws = self.forward(*[t._data for t in tensors])
        made = [wrap(raw) for raw in raws[: len(self.outputs)]]
        self.effects.switch(leaves)
        if self.tracked_outputs:
            self._record(leaves, tensors, made, raws)
        self.effects.carry_out(leaves, tensors, raws, made)
        for host in self.hosts:
            host.source.commit()
        results = []
        for kind, what in self.results:
            if kind == "static":
                results.append(what)
            elif kind == "argument":
                results.append(leaves[what])
            elif kind == "again":
                results.append(results[what])
            elif kind == "number":
                results.append(values[what])
            else:
                results.append(made[what])
                if kind == "leaf":
                    made[what]._rg = True
        return results[0] if self.result_structure is LEAF else unflatten(self.result_structure, results)

    def entry(self, slow: Callable[..., Any], made: dict[Any, Entry]) -> Entry | None:
        """The entry that does all of a call, if there can be one; ``made`` are the function's (:mod:`.entries`)."""
        if self._does_more() or any([strides is not None for _, strides in self.ordered]):
            return None
        ordered = frozenset([place for place, _ in self.ordered])
        call = Call(
            self.structure,
            self._leaves,
            self.positions,
            self._held,
            ordered,
            self.results,
            self.result_structure,
            self.ranges,
        )
        found = entry_of(call, self.forward, self._names, slow, made)
        if found is not None:
            # Whoever remembers equal objects does so for all that share the entry.
            self._names, self._held = found.guards, found.held
        return found

    def _record(self, leaves: Sequence[Any], tensors: list[Any], made: list[Any], raws: tuple[Any, ...]) -> None:
        tracked = [made[i] for i in self.tracked_outputs]
        static = list(leaves)
        for i, _ in self.slots:
            static[i] = None
        kept = [made[i] for i in self.cut.kept_outputs], raws[len(self.outputs) :]
        node = CompiledFunctionBackward(self, static, tensors, [t._data for t in tracked], kept)
        for index, t in enumerate(tracked):
            t._node, t._rg = node.place(index), True

    def backward(self, *raws: Any) -> list[Any]:
        """The gradients of the tracked inputs from the kept inputs, the residuals and the cotangents."""
        if self._backward is None:
            with without_collection():
                self._backward = Executable(self.cut.backward, fast_math=self._fast_math)
        found = iter(self._backward(*raws))
        return [next(found) if there else None for there in self.gradient_places]

    def adjoint(self, leaves: Sequence[Any], tensors: Sequence[Any], grads: Sequence[Any]) -> tuple[Any, ...]:
        """As :meth:`backward`, on tensors and recorded."""
        if self._adjoint is None:
            self._adjoint = Adjoint(self, self.compiled)
        return self._adjoint(leaves, tensors, grads)

    # Bound by the compiled function that owns this plan: its signature and why it was traced; a function compiled.
    described: Callable[[], tuple[str, str]]
    compiled: Callable[[Callable[..., Any]], Callable[..., Any]]


def _tensor(leaf: Any) -> Any:
    return leaf if isinstance(leaf, TensorBase) else wrap(leaf)


def _kind(t: Any) -> Any:
    """Equal for tensors that a program which only reads them may exchange; None for those that it may not."""
    if not isinstance(t, TensorBase) or t._node is not None or t._view is not None or is_leveled(t):
        return None
    data = t._data
    return t.__class__, data.__class__, data.dtype, data.shape, t._rg


def _is_of(kind: Any, t: Any) -> bool:
    return bool(_kind(t) == kind)


__all__ = ["Plan"]
