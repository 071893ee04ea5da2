"""``scan`` while a function is traced: its step becomes the body of one equation, and is differentiated as such.

The step runs once, on tensors that stand for the carried values and for one row of what it runs over. The equations
that this makes are taken out of the program and become a body; those that depend on neither stay outside of the loop.
For the gradient the engine sweeps back through the same step, and the equations of forward and backward are cut in two
like those of a whole function: what the backward step reads of the forward one is stacked, one row for each step, and
the reverse loop runs over these rows. So the tape of a loop is a few arrays of known size.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from graphlib import TopologicalSorter
from typing import Any, Final

import numpy as np

from wengert._records import record
from wengert._traced import Traced, TraceError
from wengert.autograd.function import Function
from wengert.compile.loop_reverse import backward, recorded
from wengert.compile.reading import raw_of
from wengert.compile.storage import Storage
from wengert.engine.backward import partial_gradients
from wengert.engine.base import TensorBase, is_leveled, is_tracking, wrap
from wengert.engine.node import next_seq
from wengert.engine.saved import as_tensor
from wengert.engine.state import STATE
from wengert.func._captured import captured
from wengert.func._scan import LoopBody, run_plain
from wengert.program.loops import SCAN
from wengert.program.partition import Cut
from wengert.program.passes.constants import is_uniform
from wengert.program.passes.pipeline import simplified
from wengert.program.program import Equation, Program
from wengert.program.values import Value

UNROLLED: Final = 8  # so many steps are a straight program


class NoLoopError(TraceError):
    """A step does what can only be done step by step."""


def is_open(scope: Any, current: Any) -> bool:
    """Whether what was made in ``scope`` can be used in ``current``: in the same loop or in one inside of it."""
    while current is not None and scope is not current:
        current = current.parent
    return scope is current


def traced_scan(trace: Any, body: LoopBody) -> tuple[Any, Any]:
    """The results of a scan in a trace: one equation, or all its steps where that cannot be."""
    if body.length <= UNROLLED:
        return run_plain(body)
    reason = _no_loop(body)
    if not reason:
        try:
            return Step(trace, body).results()
        except TraceError as error:
            reason = str(error).split(". ", 1)[0]
    trace.unrolled.append(f"scan of {body.length} steps: {reason}")
    return run_plain(body)


def traced_fori(trace: Any, lower: int, upper: int, body_fn: Callable[[Any, Any], Any], init: Any) -> Any:
    """The result of a ``fori_loop`` in a trace as one equation; None where the steps must run one after the other."""
    if upper - lower <= UNROLLED:
        return None
    index = wrap(Storage(trace, trace.constant(np.arange(lower, upper))))
    body = LoopBody(lambda c, i: (body_fn(i[0], c), None), init, [index], None, reverse=False)
    reason = _no_loop(body)
    if not reason:
        try:
            step = Step(trace, body)
            _check_index(step)
            return step.results()[0]
        except RuntimeError as error:  # also for what changes its shape, which the steps may do
            reason = str(error).split(". ", 1)[0]
    trace.unrolled.append(f"fori_loop of {upper - lower} steps: {reason}")
    return None


def _check_index(step: Step) -> None:
    """Refuse what Python would compute in float64 from the index alone, and a tensor in the default dtype."""
    derived = {step.rows[0]._data.current()}
    for equation in step.equations:
        if all([x in derived for x in equation.values]):
            if equation.op.name != "cast" and any([y.dtype.kind in "fc" for y in equation.results]):
                raise NoLoopError("its step makes a float of the index alone")
            derived.update(equation.results)


def _no_loop(body: LoopBody) -> str:
    """Why a loop cannot be one equation, as far as what it begins with tells."""
    if STATE.axes or STATE.duals or is_leveled(*body.init, *body.xs):
        return "it is in a batch, or in forward mode"
    return "" if all([isinstance(t, TensorBase) for t in body.init]) else "it carries what is no tensor"


class Step:
    """The step of one loop: its equations on stand-ins, and the equation of the program that runs them.

    Args:
        trace: the trace.
        body: the step as a function, and what it runs over.
    """

    def __init__(self, trace: Any, body: LoopBody) -> None:
        self.trace, self.body = trace, body
        self.parent = trace.scope
        self.init = [trace.inner(t) for t in body.init]
        self.xs = [trace.inner(t) for t in body.xs]
        self.start = next_seq()
        self.equations: list[Equation] = []
        self._locals: set[Value] = set()
        self._programs: list[Program] = []
        self._kept: dict[Value, Value] = {}  # stacked rows of values of the step
        self.carried = [self._local(t, t._data.shape, tracked=True) for t in self.init]
        self.rows = [self._local(t, t._data.shape[1:], tracked=is_tracking(t)) for t in self.xs]
        self._maker_of: dict[Any, Value] = {}  # which value the node of the engine's graph stands for
        trace.equations += self.split(self.recorded(self._run))
        trace.bodies.append(self.equations)
        self.outside: list[Any] = []  # what the step uses and is tracked outside
        self.origins: list[Any] = []  # the same as far back as it was there before the step ran
        if STATE.grad_enabled:
            self._find_outside()

    # --- the step on stand-ins -------------------------------------------------------------------------------------

    def _local(self, like: Any, shape: tuple[int, ...], *, tracked: bool) -> Any:
        """A new tensor of this step, which nothing outside knows."""
        value = self.trace.new(like._data.dtype, shape)
        self._locals.add(value)
        t = wrap(Storage(self.trace, value))
        t._data.scope = self
        t._rg = tracked and STATE.grad_enabled and value.dtype.kind in "fc"
        return t

    def recorded(self, run: Callable[[], None]) -> list[Equation]:
        """The equations that ``run`` makes, taken out of the trace."""
        trace = self.trace
        start, before, trace.scope = len(trace.equations), trace.scope, self
        try:
            run()
        except BaseException:
            trace.equations[start:] = self.split(trace.equations[start:])
            raise
        finally:
            trace.scope = before
        found: list[Equation] = trace.equations[start:]
        del trace.equations[start:]
        return found

    def _run(self) -> None:
        new, ys = self.body.applied(self.carried, self.rows)
        if not all([isinstance(t, TensorBase) for t in (*new, *ys)]):
            raise NoLoopError("its step gives what is no tensor")
        if any([is_leveled(t) for t in (*new, *ys)]):
            raise NoLoopError("its step uses batches or dual numbers from outside")
        self.new = [self.trace.inner(t) for t in (*new, *ys)]
        self.outputs = [self.trace.value_of(t) for t in self.new]

    def note(self, node: Any, value: Value) -> None:
        """Remember that a node stands for a value that the step made."""
        self._maker_of[node] = value

    def _find_outside(self) -> None:
        """What the step uses and is tracked outside: places in the graph, as late as nothing of the step is in them.

        So a view of a parameter, or a function of it, is outside of the loop with its gradient. To differentiate again
        the step is run again, which makes such places anew; then it is the origins that count.
        """
        own = [t for t in (*self.carried, *self.rows) if t._rg]
        made = {*self._locals, *[x for equation in self.equations for x in equation.results]}
        ends = {node for node, value in self._maker_of.items() if value not in made}
        new = [t for t in self.new if t._rg]
        self.outside = [self._place(t) for t in captured(new, own, self.start, ends)]
        self.origins = [self._place(t) for t in captured(new, own, self.start)]

    def _place(self, t: Any) -> Any:
        """A tensor that stands for a place in the graph outside, with what stands for its values."""
        data = raw_of(t)
        if t._node is None or isinstance(data, Traced):
            return t
        return as_tensor(Storage(self.trace, self.trace.new(data.dtype, data.shape)), t._node)

    def split(self, equations: Sequence[Equation]) -> list[Equation]:
        """Take the equations that depend on the step; the others are returned, for the program around the loop."""
        made = {*self._locals, *[x for equation in self.equations for x in equation.results]}
        others = []
        for equation in equations:
            if any([x in made for x in equation.values]):
                made.update(equation.results)
                self.equations.append(equation)
            else:
                others.append(equation)
        return others

    # --- the loop as an equation -----------------------------------------------------------------------------------

    def results(self) -> tuple[Any, Any]:
        """What the loop gives, as tensors."""
        n = len(self.init)
        tracked = STATE.grad_enabled and any([is_tracking(t) for t in (*self.init, *self.xs, *self.outside)])
        if tracked:
            found = list(_Loop.apply(self, *self.init, *self.xs, *self.outside, *self.origins))
        else:
            found = self.forward()
        return self.body.finished(found[:n], found[n:])

    def forward(self) -> list[Any]:
        """Emit the loop."""
        body = simplified(self.program(self.equations, self.outputs))
        operands = [self.trace.value_of(t) for t in (*self.init, *self.xs)]
        values = self.trace.emit(SCAN, [*operands, *self._fixed_of(body)], self.meta(body))
        self.equation = self.trace.equations[-1]
        self._programs = [body]
        return [wrap(Storage(self.trace, value)) for value in values]

    def meta(self, body: Program, *, reverse: bool | None = None, carries: int = -1, xs: int = -1) -> dict[str, Any]:
        """What the equation of the loop, or of its reverse, says besides its inputs."""
        return {
            "carries": len(self.init) if carries < 0 else carries,
            "xs": len(self.xs) if xs < 0 else xs,
            "length": self.body.length,
            "reverse": self.body.reverse if reverse is None else reverse,
            "body": body,
        }

    def program(self, equations: Sequence[Equation], outputs: Sequence[Any], extra: Sequence[Value] = ()) -> Program:
        """A body whose inputs are carried values, rows, and everything from outside of the step; ``extra`` at the end.

        Constants of one number throughout are its own.
        """
        own = [t._data.current() for t in (*self.carried, *self.rows)]
        made = {*own, *extra, *[x for equation in equations for x in equation.results]}
        read = [x for equation in equations for x in equation.values] + [x for x in outputs if isinstance(x, Value)]
        outer = [x for x in dict.fromkeys(read) if x not in made]
        constants = {x: self.trace.constants[x] for x in outer if self._is_number(x)}
        fixed = [x for x in outer if x not in constants]
        return Program((*own, *fixed, *extra), tuple(equations), tuple(outputs), constants)

    def _is_number(self, x: Value) -> bool:
        return x in self.trace.constants and is_uniform(self.trace.constants[x])

    def _fixed_of(self, body: Program) -> list[Value]:
        return list(body.inputs[len(self.init) + len(self.xs) :])

    # --- what its derivative needs of it ---------------------------------------------------------------------------

    def insert(self, equations: list[Equation]) -> None:
        """Put equations that do not depend on the step before the loop."""
        if equations:
            home = self._home()
            place = home.index(self.equation)
            home[place:place] = equations

    def _home(self) -> list[Equation]:
        """The list that holds the equation of the loop: the program's, or that of a loop around it."""
        homes: list[list[Equation]] = [self.trace.equations, *self.trace.bodies]
        return next(home for home in homes if self.equation in home)

    def stacked(self, parts: Cut, wanted: Sequence[Value]) -> dict[Value, Value]:
        """Outside of the loop, what each value of a step is: a tape with one row for each step, made if need be."""
        n, m = len(self.init), len(self.xs)
        own = [t._data.current() for t in (*self.carried, *self.rows)]
        count = len(self.outputs)
        for y, row in zip(parts.forward.outputs[n:count], self.equation.results[n:count], strict=True):
            if isinstance(y, Value) and y not in own:
                self._kept.setdefault(y, row)
        outer = dict(zip(own[n:], self.equation.inputs[n : n + m], strict=True)) | self._kept
        outer |= {x: x for x in parts.forward.inputs[n + m :]}
        missing = [x for x in wanted if x not in outer]
        self._programs.append(parts.forward)
        if missing:
            made = [self.trace.new(x.dtype, (self.body.length, *x.shape)) for x in missing]
            self._kept.update(zip(missing, made, strict=True))
            self._replace(made)
        return outer | self._kept

    def _replace(self, more: Sequence[Value]) -> None:
        """The loop with further stacked results: the tape."""
        rows = {row: x for x, row in self._kept.items()}
        new = [rows[row] for row in (*self.equation.results[len(self.outputs) :], *more)]
        body = simplified(self.program(_merged(self._programs), (*self._programs[0].outputs, *new)))
        steady = self.equation.inputs[: len(self.init) + len(self.xs)]
        inputs, results = (*steady, *self._fixed_of(body)), (*self.equation.results, *more)
        home = self._home()
        place = home.index(self.equation)
        home[place] = self.equation = Equation(SCAN, inputs, self.meta(body), results, self.equation.where)

    def swept(self, given: list[bool], outside: Sequence[Any]) -> Sweep:
        """Sweep back through the step from the outputs that have a cotangent: in ``given``, or from the step after."""
        while True:
            chosen = [k for k, there in enumerate(given) if there]
            cotangents = [self._local(self.new[k], self.new[k]._data.shape, tracked=False) for k in chosen]
            targets = [*[t for t in (*self.carried, *self.rows) if t._rg], *outside]
            found: list[Any] = []
            equations = self.recorded(partial(self._pull, chosen, targets, cotangents, found))
            rest = iter(found)
            grads = [next(rest) if t._rg else None for t in (*self.carried, *self.rows)] + list(rest)
            more = [k for k in range(len(self.init)) if grads[k] is not None and not given[k] and self.new[k]._rg]
            if not more:
                return Sweep(chosen, [t._data.current() for t in cotangents], grads, equations)
            for k in more:
                given[k] = True

    def _pull(self, chosen: list[int], targets: list[Any], cotangents: list[Any], found: list[Any]) -> None:
        outputs = [self.new[k] for k in chosen]
        grads = partial_gradients(outputs, targets, cotangents, retain_graph=True, create_graph=False)
        found += [None if g is None else self.trace.value_of(g) for g in grads]


def _merged(programs: Sequence[Program]) -> list[Equation]:
    """The equations of several programs for the same step, in order; a loop has a tape in the later ones."""
    by_result = {equation.results[0]: equation for program in programs for equation in program.equations}
    makers = {x: equation for equation in by_result.values() for x in equation.results}
    needed = {equation: {makers[x] for x in equation.values if x in makers} for equation in by_result.values()}
    return list(TopologicalSorter(needed).static_order())


@record
class Sweep:
    """What a sweep back through a step found: from which outputs, their cotangents, the gradients (None: unused)."""

    chosen: list[int]
    cotangents: list[Value]
    grads: list[Any]
    equations: list[Equation]


class _Loop(Function):
    """A whole loop as one function of its carry, its xs and what its step uses from outside."""

    @staticmethod
    def forward(ctx: Any, step: Step, *inputs: Any) -> Any:
        ctx.step = step
        count = len(step.init) + len(step.xs)
        ctx.save_for_backward(*inputs[:count])
        ctx.origins = inputs[count + len(step.outside) :]
        ctx.set_materialize_grads(False)
        return tuple(step.forward())

    @staticmethod
    def backward(ctx: Any, *gs: Any) -> Any:
        step = ctx.step
        if STATE.grad_enabled:
            grads = recorded(step, ctx.saved_tensors, ctx.origins, gs)
            count = len(grads) - len(step.origins)
            return (None, *grads[:count], *[None] * len(step.outside), *grads[count:])
        return (None, *backward(step, gs), *[None] * len(step.origins))


__all__ = ["NoLoopError", "Step", "is_open", "traced_fori", "traced_scan"]
