"""``cond`` and ``while_loop`` on values that are known only when the program runs: equations that hold programs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from wengert import _tree
from wengert._traced import TraceError
from wengert.autograd.function import Function
from wengert.compile import messages
from wengert.compile.loops import NoLoopError, Step
from wengert.compile.storage import Storage
from wengert.engine.backward import partial_gradients
from wengert.engine.base import TensorBase, is_tracking, wrap, zeros_like
from wengert.engine.state import STATE
from wengert.func._scan import LoopBody
from wengert.ops.record import TABLE
from wengert.program.loops import COND, WHILE, WHILE_REVERSE
from wengert.program.passes.pipeline import simplified
from wengert.program.program import Program
from wengert.program.values import Value, type_text


def _zeros(trace: Any, type_: Any) -> Any:
    dtype, shape = type_
    return trace.constant(np.broadcast_to(dtype.type(0), shape))


def _truth_value(trace: Any, pred: Any) -> Value:
    """A condition as a 0-d bool of the program."""
    value: Value = trace.value_of(pred)
    if value.dtype.kind != "b":
        value = trace.emit(TABLE["cast"], (value,), {"dtype": np.dtype(np.bool_)})
    return trace.emit(TABLE["reshape"], (value,), {"shape": ()}) if value.shape else value


# --- loops -----------------------------------------------------------------------------------------------------------


def traced_while(
    trace: Any, cond_fn: Callable[..., Any], body_fn: Callable[..., Any], carried: Sequence[Any]
) -> tuple[Any, ...]:
    """A ``while_loop`` as one equation.

    Raises:
        TraceError: the loop carries what is no tensor, or does what only Python can do.
    """
    init, form = _tree.flatten(tuple(carried))
    if not all([isinstance(t, TensorBase) for t in init]):
        raise TraceError(messages.not_carried("while_loop"))

    def step(c: Any, _: Any) -> tuple[Any, None]:
        new = body_fn(*_tree.unflatten(form, c))
        return _tree.flatten(new if isinstance(new, tuple) else (new,))[0], None

    try:
        loop = _While(trace, LoopBody(step, init, None, 0, reverse=False), form, cond_fn)
    except NoLoopError as error:
        raise TraceError(messages.no_program("while_loop", error)) from None
    tracked = STATE.grad_enabled and any([is_tracking(t) for t in (*loop.init, *loop.outside)])
    found = _Loop.apply(loop, *loop.init, *loop.outside) if tracked else loop.forward()
    return _tree.unflatten(form, list(found))  # type: ignore[no-any-return]


class _While(Step):
    """The step of a loop with its condition."""

    def __init__(self, trace: Any, body: LoopBody, form: Any, cond_fn: Callable[..., Any]) -> None:
        super().__init__(trace, body)

        def ask() -> None:
            self.test = _truth_value(trace, cond_fn(*_tree.unflatten(form, self.carried)))

        trace.equations += self.split(self.recorded(ask))
        whole = self.program(self.equations, (*self.outputs, self.test))
        self.fixed = list(whole.inputs[len(self.init) :])
        n = len(self.init)
        self.programs = {
            "test": simplified(whole.replaced(outputs=whole.outputs[n:])),
            "body": simplified(whole.replaced(outputs=whole.outputs[:n])),
        }

    def forward(self) -> list[Any]:
        """Emit the loop."""
        operands = [*[self.trace.value_of(t) for t in self.init], *self.fixed]
        values = self.trace.emit(WHILE, operands, {"carries": len(self.init), **self.programs})
        return [wrap(Storage(self.trace, value)) for value in values]

    def reversed(self, gs: Sequence[Any]) -> list[Any]:
        """Emit the loop again with its reverse; the gradients of what it begins with and of what it uses."""
        sweep = self.swept([g is not None and t._rg for g, t in zip(gs, self.new, strict=True)], self.outside)
        n, trace = len(self.init), self.trace
        self.insert(self.split(sweep.equations))
        summed = [i for i in range(n, len(sweep.grads)) if sweep.grads[i] is not None]
        own = [t._data.current() for t in self.carried]
        flowing = [sweep.grads[k] if sweep.grads[k] is not None else _zeros(trace, own[k].type) for k in sweep.chosen]
        outputs = (*self.outputs, self.test, *flowing, *[sweep.grads[i] for i in summed])
        whole = self.program(self.equations, outputs, sweep.cotangents)
        fixed = list(whole.inputs[n : len(whole.inputs) - len(sweep.cotangents)])
        inputs = (*own, *fixed)
        programs = {
            "test": simplified(whole.replaced(inputs=inputs, outputs=(self.test,))),
            "body": simplified(whole.replaced(inputs=inputs, outputs=tuple(self.outputs))),
            "pull": simplified(whole.replaced(outputs=outputs[n + 1 :])),
        }
        start = [trace.value_of(gs[k]) if gs[k] is not None else _zeros(trace, own[k].type) for k in sweep.chosen] + [
            _zeros(trace, sweep.grads[i].type) for i in summed
        ]
        operands = [*[trace.value_of(t) for t in self.init], *fixed, *start]
        meta = {"carries": n, "flowing": len(sweep.chosen), "sums": len(summed), **programs}
        back = dict(zip((*sweep.chosen, *summed), trace.emit(WHILE_REVERSE, operands, meta), strict=True))
        return [wrap(Storage(trace, back[i])) if i in back else None for i in range(len(sweep.grads))]

    def insert(self, equations: list[Any]) -> None:
        """What the reverse step computes beforehand stands before its loop."""
        self.trace.equations += equations


class _Loop(Function):
    @staticmethod
    def forward(ctx: Any, loop: _While, *inputs: Any) -> Any:
        del inputs
        ctx.loop = loop
        ctx.set_materialize_grads(False)
        return tuple(loop.forward())

    @staticmethod
    def backward(ctx: Any, *gs: Any) -> Any:
        if STATE.grad_enabled:
            raise NotImplementedError(messages.TWICE_THROUGH_WHILE)
        return (None, *ctx.loop.reversed(gs))


# --- branches --------------------------------------------------------------------------------------------------------


def traced_cond(trace: Any, pred: Any, branches: Sequence[Callable[[], Any]]) -> Any:
    """The result of one of two functions, as one equation that holds both as programs.

    Raises:
        RuntimeError: they return different containers, shapes or dtypes.
        TraceError: one does what only Python can do.
    """
    truth = _truth_value(trace, pred)
    sides = []
    for branch in branches:
        try:
            sides.append(_Branch(trace, branch))
        except NoLoopError as error:
            raise TraceError(messages.no_program("cond", error)) from None
    first, second = sides
    kinds = [[x.type for x in side.outputs] for side in sides]
    if first.form != second.form or kinds[0] != kinds[1]:
        raise RuntimeError(messages.different_branches(*[side.described() for side in sides]))
    outside = list({id(t._node or t): t for side in sides for t in side.outside}.values())
    if STATE.grad_enabled and outside:
        found = list(_Cond.apply(_Choice(trace, truth, pred, branches, sides), *outside))
    else:
        found = _Choice(trace, truth, pred, branches, sides).forward()
    return _tree.unflatten(first.form, found)


class _Branch(Step):
    """One of two functions: a step that nothing is handed to."""

    def __init__(self, trace: Any, function: Callable[[], Any]) -> None:
        def run(c: Any, x: Any) -> Any:
            del c, x
            self.given = function()
            leaves, self.form = _tree.flatten(self.given)
            return [], leaves

        super().__init__(trace, LoopBody(run, [], None, 0, reverse=False))
        self.outside = self.origins

    def described(self) -> Any:
        """What it returns, with types in place of tensors."""
        return _tree.unflatten(self.form, [type_text(x) for x in self.outputs])

    def split(self, equations: Sequence[Any]) -> list[Any]:
        """Take all equations but views of what is outside, which others may know by and by."""
        made = {*self._locals, *[x for equation in self.equations for x in equation.results]}
        others = []
        for equation in equations:
            if equation.op.view and not any([x in made for x in equation.values]):
                others.append(equation)
            else:
                made.update(equation.results)
                self.equations.append(equation)
        return others


class _Choice:
    """The equation of a choice, and its gradient."""

    def __init__(self, trace: Any, truth: Value, pred: Any, branches: Sequence[Any], sides: Sequence[_Branch]) -> None:
        self.trace, self.truth, self.pred, self.branches, self.sides = trace, truth, pred, branches, sides

    def _emit(self, programs: Sequence[Program], extra: int, cotangents: Sequence[Value]) -> list[Any]:
        """Emit the choice of two programs; the last ``extra`` inputs of each are the cotangents."""
        own = [list(p.inputs[: len(p.inputs) - extra]) for p in programs]
        fixed = list(dict.fromkeys([x for inputs in own for x in inputs]))
        last = [p.inputs[len(p.inputs) - extra :] for p in programs]
        both = [simplified(p.replaced(inputs=(*fixed, *tail))) for p, tail in zip(programs, last, strict=True)]
        operands = [self.truth, *fixed, *cotangents]
        values = self.trace.emit(COND, operands, {"then": both[0], "other": both[1]})
        return [wrap(Storage(self.trace, value)) for value in values]

    def forward(self) -> list[Any]:
        """Emit the choice."""
        return self._emit([side.program(side.equations, side.outputs) for side in self.sides], 0, ())

    def reversed(self, gs: Sequence[Any], inputs: Sequence[Any]) -> list[Any]:
        """Emit the choice of the two reverse passes, each with its function run again."""
        trace = self.trace
        given = [g is not None for g in gs]
        sweeps = []
        for side in self.sides:
            sweep = side.swept([there and t._rg for there, t in zip(given, side.new, strict=True)], side.outside)
            trace.equations += side.split(sweep.equations)
            found = {id(t._node or t): g for t, g in zip(side.outside, sweep.grads, strict=True)}
            sweeps.append((side, sweep, [found.get(id(t._node or t)) for t in inputs]))
        wanted = [i for i in range(len(inputs)) if any([grads[i] is not None for _, _, grads in sweeps])]
        if not wanted:
            return [None] * len(inputs)
        programs = []
        places = [k for k, there in enumerate(given) if there]
        for side, sweep, grads in sweeps:
            cotangent = dict(zip(sweep.chosen, sweep.cotangents, strict=True))
            extra = [cotangent.get(k, Value(*side.outputs[k].type)) for k in places]
            types = [next(g.type for _, _, several in sweeps if (g := several[i]) is not None) for i in wanted]
            outputs = [
                grads[i] if grads[i] is not None else _zeros(trace, t) for i, t in zip(wanted, types, strict=True)
            ]
            programs.append(side.program(side.equations, outputs, extra))
        values = self._emit(programs, len(places), [trace.value_of(gs[k]) for k in places])
        back = dict(zip(wanted, values, strict=True))
        return [back.get(i) for i in range(len(inputs))]

    def recorded(self, gs: Sequence[Any], origins: Sequence[Any]) -> list[Any]:
        """As :meth:`reversed`, on tensors: a choice of the recorded gradients of the two functions."""
        return self.trace.cond(self.pred, [partial(_gradients, f, gs, origins) for f in self.branches])  # type: ignore[no-any-return]


def _gradients(function: Callable[[], Any], gs: Sequence[Any], origins: Sequence[Any]) -> list[Any]:
    """The function run again, and its gradients by ``origins``, recorded; zeros where it does not use one."""
    outputs = _tree.flatten(function())[0]
    found = partial_gradients(outputs, origins, gs, retain_graph=True, create_graph=True)
    return [zeros_like(t) if g is None else g for t, g in zip(origins, found, strict=True)]


class _Cond(Function):
    @staticmethod
    def forward(ctx: Any, choice: _Choice, *inputs: Any) -> Any:
        ctx.choice, ctx.outside = choice, inputs
        ctx.set_materialize_grads(False)
        return tuple(choice.forward())

    @staticmethod
    def backward(ctx: Any, *gs: Any) -> Any:
        if STATE.grad_enabled:
            return (None, *ctx.choice.recorded(gs, ctx.outside))
        return (None, *ctx.choice.reversed(gs, ctx.outside))


__all__ = ["traced_cond", "traced_while"]
