"""What a function does when it is traced: the program, its results, what it writes, and the derivatives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import CoroutineType, GeneratorType
from typing import Any

import numpy as np

from wengert._opaque import plain
from wengert._traced import Traced, TraceError
from wengert._tree import flatten, unflatten
from wengert.compile import messages
from wengert.compile.captures import Boundary
from wengert.compile.effects import Effects, grad_of, state
from wengert.compile.execute import has_machine_code
from wengert.compile.lengths import Lengths
from wengert.compile.numbers import Numbers, TracedNumber
from wengert.compile.reading import raw_of
from wengert.compile.resized import Symbolic, settled
from wengert.compile.storage import Storage
from wengert.compile.trace import Trace
from wengert.compile.tracing import tracing
from wengert.engine.backward import run_grad
from wengert.engine.base import TensorBase, is_tracking, wrap
from wengert.program.partition import cut
from wengert.program.passes.cleaning import without_dead_code
from wengert.program.passes.pipeline import simplified
from wengert.program.program import Program
from wengert.program.values import Value

_ARRAYS = (TensorBase, np.ndarray, np.generic)


class TracedFunction:
    """A function that ran once on values that stand for arrays.

    Inputs of the program are the array-like leaves of the arguments (``positions`` among all leaves), then the
    captured tensors, and what Python computes before each run. Where lengths of the arguments may be others,
    ``symbolic`` is the program with what stands for them, before any pass, and ``lengths`` knows which may; else these
    are None.

    Args:
        function: what is traced.
        leaves: the leaves of the arguments.
        structure: the containers around them.
        effects: whether writes to tensors from outside are carried out; not for an adjoint, which only repeats them.
        numbers: the Python numbers among the leaves that may be others at the next call.
        modules: modules whose settings it reads.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        leaves: Sequence[Any],
        structure: Any,
        *,
        effects: bool,
        numbers: Numbers | None,
        modules: Sequence[Any],
    ) -> None:
        self.function = function
        self.structure = structure
        places = {id(leaf): i for i, leaf in reversed(list(enumerate(leaves))) if isinstance(leaf, _ARRAYS)}
        self.positions = sorted(places.values())  # of each object once
        self.numbers = numbers
        self._modules = modules
        lengths = self._open_lengths(leaves)
        try:
            trace = self._trace(leaves, lengths, effects=effects)
        except TraceError:
            raise
        except Exception:  # whatever it is, the function says it itself when it is traced with numbers for lengths
            if lengths is None:
                raise
            trace = self._trace(leaves, None, effects=effects)
        self.settings, self.hosts, self.lengths = trace.settings, trace.hosts, trace.lengths
        asked = trace.layouts.asked
        inputs = [*trace.arguments, *[capture.value for capture in trace.captures]]
        # Inputs on whose order in memory something depends, and that order.
        self.ordered = [(place, asked[value]) for place, value in enumerate(inputs) if value in asked]
        self.traced_equations = len(trace.equations)
        self.unrolled = list(dict.fromkeys(trace.unrolled))

    def _open_lengths(self, leaves: Sequence[Any]) -> Lengths | None:
        """The lengths of the arguments, if some may be others for the same machine code."""
        if self.numbers is not None or not has_machine_code():
            return None
        lengths = Lengths([_raw(leaves[i]).shape for i in self.positions])
        return lengths if lengths.all else None

    def _trace(self, leaves: Sequence[Any], lengths: Lengths | None, *, effects: bool) -> Trace:
        trace = Trace(lengths, self.numbers)
        for module in self._modules:
            trace.settings.note(module)
        self.effects = Effects()
        self.refusal: Exception | None = None  # why there are no gradients of the results
        with tracing(trace):
            one_for = {id(leaves[i]): _stand_in(trace, leaves[i]) for i in self.positions}
            stand_ins = list(one_for.values())
            memory, states = list(map(raw_of, stand_ins)), list(map(state, stand_ins))
            given = [one_for.get(id(leaf), leaf) for leaf in leaves]
            if self.numbers is not None:
                given = [self.numbers.given.get(i, leaf) for i, leaf in enumerate(given)]
            args, kwargs = unflatten(self.structure, given)
            result = self.function(*args, **kwargs)
            for t, storage in zip(stand_ins, memory, strict=True):
                if raw_of(t) is not storage:
                    raise TraceError(messages.replaced(storage.shape))
            del args, kwargs, given
            self._read_result(trace, result, stand_ins)
            del result
            if effects:
                self.effects.read(trace, list(zip(self.positions, stand_ins, states, strict=True)), self.outputs)
            joint = self._differentiate(trace, stand_ins)
            leaf_of = {id(t): i for t, i in zip(stand_ins, self.positions, strict=True)}
            # Tensors from outside; in place of gradients those whose gradients they are, or the numbers of leaves.
            self.captured_tensors = [c.tensor if c.owner is None else None for c in trace.captures]
            self.owners = [None if c.owner is None else leaf_of.get(id(c.owner), c.owner) for c in trace.captures]
            self._finish(trace, joint)
        return trace

    def _finish(self, trace: Trace, joint: tuple[list[Value], list[Value | None]]) -> None:
        """The programs: with numbers for lengths, before and after it is cut in two."""
        whole = trace.program(self.outputs)
        self.symbolic: Symbolic | None = None
        if trace.lengths is not None:
            trace.lengths.close()
            whole, self.symbolic = settled(whole, trace.values, trace.lengths.values)
        self.program_traced, self.cut = self._cut(whole, joint)

    # --- reading the trace -----------------------------------------------------------------------------------------

    def _read_result(self, trace: Trace, result: Any, stand_ins: list[Any]) -> None:
        """What the function returned: values of the program, tensors that it was given, or anything else as it is."""
        found, self.result_structure = flatten(result)
        for leaf in found:
            if isinstance(leaf, (GeneratorType, CoroutineType)):
                leaf.close()
                raise TraceError(messages.runs_later(leaf))
        self.outputs: list[Value] = []
        self.results: list[tuple[str, Any]] = []
        self._tracked_tensors: list[Any] = []
        places: dict[int, int] = {}  # of tensors among the results
        for number, leaf in enumerate(found):
            if type(leaf) is TracedNumber:
                self.results.append(("number", leaf.place))
                continue
            if not isinstance(leaf, TensorBase):
                self.results.append(("static", plain(leaf)))
                continue
            same = next((i for i, t in enumerate(stand_ins) if t is leaf), None)
            if same is not None:
                self.results.append(("argument", self.positions[same]))
                continue
            if not isinstance(raw_of(leaf), Traced) and trace.is_untouched(trace.capture(leaf)):
                self.results.append(("static", leaf))
                continue
            if places.setdefault(id(leaf), number) != number:
                self.results.append(("again", places[id(leaf)]))
                continue
            value = trace.value_of(leaf)
            tracked = is_tracking(leaf) and value.dtype.kind in "fc"
            kind = "plain" if not tracked else "leaf" if leaf._node is None else "tracked"
            if kind == "tracked":
                self._tracked_tensors.append(leaf)
            self.results.append((kind, len(self.outputs)))
            self.outputs.append(value)
        self.tracked_outputs = [place for kind, place in self.results if kind == "tracked"]

    def _differentiate(self, trace: Trace, stand_ins: list[Any]) -> tuple[list[Value], list[Value | None]]:
        """Sweep back from the tracked results in the same trace: the cotangents' values and the gradients'."""
        inputs = [*stand_ins, *[c.inside() for c in trace.captures]]
        self.tracked_inputs: list[int] = []
        if not self.tracked_outputs:
            return [], []
        self.tracked_inputs = [i for i, t in enumerate(inputs) if t._data.dtype.kind in "fc" and is_tracking(t)]
        cotangents = []
        for t in self._tracked_tensors:
            value = trace.new(t._data.dtype, t._data.shape)
            cotangents.append(wrap(Storage(trace, value)))
        targets = [inputs[i] for i in self.tracked_inputs]
        try:
            grads = run_grad(
                self._tracked_tensors, targets, cotangents, retain_graph=True, create_graph=False, allow_unused=True
            )
        except (RuntimeError, NotImplementedError) as error:  # it counts only if somebody asks for these gradients
            self.refusal = error.with_traceback(None)
            grads = [None] * len(targets)
        self._tracked_tensors = []
        values = [None if g is None else trace.value_of(g) for g in grads]
        return [t._data.current() for t in cotangents], values

    def _cut(self, whole: Program, joint: tuple[list[Value], list[Value | None]]) -> tuple[Program, Any]:
        if not self.tracked_outputs:
            return whole, None
        cotangents, gradients = joint
        real = [g for g in gradients if g is not None]
        self.gradient_places = [g is not None for g in gradients]
        both = whole.replaced(inputs=(*whole.inputs, *cotangents), outputs=(*whole.outputs, *real))
        parts = cut(simplified(both), cotangents, len(whole.outputs))
        tracked = [whole.outputs[place] for place in self.tracked_outputs]
        needed = without_dead_code(whole.replaced(outputs=tracked)).uses()
        self.reaching = [number for number, x in enumerate(whole.inputs) if x in needed]
        written = {number for number, _ in self.effects.writes} if self.refusal is None else set()
        self.written_and_needed = written.intersection([*parts.kept_inputs, *self.reaching])
        return parts.forward, parts


def _stand_in(trace: Trace, leaf: Any) -> Any:
    if not isinstance(leaf, TensorBase):
        return trace.argument(leaf)
    raw = raw_of(leaf)
    t = trace.argument(raw)
    t.__class__ = leaf.__class__
    t._grad = grad_of(0, (leaf,))
    if is_tracking(leaf):
        t._rg = True
        if leaf._node is not None:
            t._node = Boundary((), raw.shape, raw.dtype)
    return t


def _raw(leaf: Any) -> Any:
    return raw_of(leaf) if isinstance(leaf, TensorBase) else leaf


__all__ = ["TracedFunction"]
