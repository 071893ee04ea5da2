"""The reverse pass of a traced loop: the loop that runs the other way, carrying cotangents.

Without recording, it is one equation: forward and backward of the step are cut in two, and what the second half reads
of the first is stacked. To be differentiated again, it is written as scans over tensors, which are traced in turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.compile.storage import Storage
from wengert.engine.backward import partial_gradients
from wengert.engine.base import wrap, zeros_like
from wengert.func._levels import ReverseLevel
from wengert.func._scan import LoopBody
from wengert.ops.record import TABLE
from wengert.program.loops import SCAN
from wengert.program.partition import cut
from wengert.program.passes.pipeline import simplified
from wengert.program.program import Equation, Program
from wengert.program.values import Value


def backward(step: Any, gs: Sequence[Any]) -> list[Any]:
    """Emit the reverse loop; the gradients of init, xs and what the step uses from outside (None: unused)."""
    sweep = step.swept([g is not None and t._rg for g, t in zip(gs, step.new, strict=True)], step.outside)
    step.insert(step.split(sweep.equations))
    real = [g for g in sweep.grads if g is not None]
    if not real:
        return [None] * len(sweep.grads)
    joint = step.program(step.equations, (*step.outputs, *real), sweep.cotangents)
    parts = cut(simplified(joint), sweep.cotangents, len(step.outputs))
    return _Reverse(step, sweep, parts).emitted(gs)


class _Reverse:
    """One reverse loop under construction.

    Args:
        step: the step of the loop.
        sweep: the sweep back through it.
        parts: forward and backward of the step, cut in two.
    """

    def __init__(self, step: Any, sweep: Any, parts: Any) -> None:
        self.step, self.sweep = step, sweep
        n, m = len(step.init), len(step.xs)
        kept = parts.backward.inputs[: len(parts.backward.inputs) - len(sweep.cotangents)]
        self.outer = step.stacked(parts, kept)
        self.fixed = [x for x in kept if self.outer[x] is x]
        self.rows = [x for x in kept if self.outer[x] is not x]
        self.flowing = [k for k in sweep.chosen if k < n]  # outputs whose cotangents go from step to step
        self.of_rows = [k for k in sweep.chosen if k >= n]  # ... that come in with each step
        found = iter(parts.backward.outputs)
        self.grads: list[Any] = [None if g is None else next(found) for g in sweep.grads]
        self.summed = [i for i in range(n + m, len(self.grads)) if self.grads[i] is not None]
        self.with_rows = [i for i in range(n, n + m) if self.grads[i] is not None]
        self.constants = dict(parts.backward.constants)
        self.equations = list(parts.backward.equations)

    def emitted(self, gs: Sequence[Any]) -> list[Any]:
        """The gradients, as results of the loop."""
        step, outer = self.step, self.outer
        body, sums = self._body()
        types = [step.outputs[k].type for k in self.flowing]
        start = [_value_or_zeros(step, gs[k], type_) for k, type_ in zip(self.flowing, types, strict=True)]
        start += [_value_or_zeros(step, None, x.type) for x in sums]
        stacked = [outer[x] for x in self.rows]
        stacked += [_value_or_zeros(step, gs[k], step.equation.results[k].type) for k in self.of_rows]
        meta = step.meta(body, reverse=not step.body.reverse, carries=len(start), xs=len(stacked))
        values = step.trace.emit(SCAN, [*start, *stacked, *self.fixed], meta)
        back: dict[int, Value] = dict(zip((*self.flowing, *self.summed, *self.with_rows), values, strict=True))
        return [wrap(Storage(step.trace, back[i])) if i in back else None for i in range(len(self.grads))]

    def _body(self) -> tuple[Program, list[Value]]:
        """The step of the reverse loop, and the values of the sums over all steps."""
        outputs: list[Any] = [self.grads[k] if self.grads[k] is not None else self._zero(k) for k in self.flowing]
        sums = []
        for i in self.summed:
            g = self.grads[i]
            sums.append(Value(*g.type))
            outputs.append(Value(*g.type))
            self.equations.append(Equation(TABLE["add"], (sums[-1], g), {}, (outputs[-1],)))
        outputs += [self.grads[i] for i in self.with_rows]
        cotangent = dict(zip(self.sweep.chosen, self.sweep.cotangents, strict=True))
        of_rows = [cotangent[k] for k in self.of_rows]
        inputs = (*[cotangent[k] for k in self.flowing], *sums, *self.rows, *of_rows, *self.fixed)
        return simplified(Program(inputs, tuple(self.equations), tuple(outputs), self.constants)), sums

    def _zero(self, k: int) -> Value:
        """A cotangent that no step hands on."""
        value = Value(*self.step.outputs[k].type)
        self.constants[value] = np.broadcast_to(value.dtype.type(0), value.shape)
        return value


def _value_or_zeros(step: Any, g: Any, type_: Any) -> Any:
    if g is not None:
        return step.trace.value_of(g)
    dtype, shape = type_
    return step.trace.constant(np.broadcast_to(dtype.type(0), shape))


def recorded(step: Any, inputs: Sequence[Any], origins: Sequence[Any], gs: Sequence[Any]) -> list[Any]:
    """As :func:`backward`, on tensors and by scans of their own: one forward for the carries, one in reverse.

    ``origins`` are what the step uses from outside; their gradients come last.
    """
    body, n = step.body, len(step.init)
    sweep = step.swept([g is not None and t._rg for g, t in zip(gs, step.new, strict=True)], origins)
    init, xs = list(inputs[:n]), list(inputs[n:])
    own = n + len(xs)
    again = LoopBody(lambda c, x: (body.applied(c, x or [])[0], c), init, xs or None, body.length, reverse=body.reverse)
    _, carries = step.trace.scan(again)
    flowing = [k for k in sweep.chosen if k < n]
    of_rows = [k for k in sweep.chosen if k >= n]
    summed = [i for i in range(own, len(sweep.grads)) if sweep.grads[i] is not None]
    with_rows = [i for i in range(n, own) if sweep.grads[i] is not None]
    wanted = [origins[i - own] for i in summed]

    def adjoint(g: list[Any], row: list[Any]) -> tuple[list[Any], list[Any]]:
        x, c, of_y = row[: len(xs)], row[len(xs) : own], row[own:]
        cotangents = dict(zip((*flowing, *of_rows), (*g[: len(flowing)], *of_y), strict=True))
        grads, more = _pulled(body, c, x, cotangents, wanted)
        totals = [t if d is None else t + d for t, d in zip(g[len(flowing) :], more, strict=True)]
        return [*[grads[k] for k in flowing], *totals], [grads[i] for i in with_rows]

    def zeros_or(g: Any, type_: Any) -> Any:
        return g if g is not None else wrap(Storage(step.trace, _value_or_zeros(step, None, type_)))

    start = [zeros_or(gs[k], step.outputs[k].type) for k in flowing]
    start += [zeros_or(None, sweep.grads[i].type) for i in summed]
    rows = [*xs, *carries, *[gs[k] for k in of_rows]]
    last, of_xs = step.trace.scan(LoopBody(adjoint, start, rows, body.length, reverse=not body.reverse))
    back = dict(zip((*flowing, *summed), last, strict=True)) | dict(zip(with_rows, of_xs or [], strict=True))
    return [back.get(i) for i in range(len(sweep.grads))]


def _pulled(
    body: LoopBody, carry: list[Any], rows: list[Any], cotangents: dict[int, Any], origins: list[Any]
) -> tuple[list[Any], list[Any]]:
    """One step run again and pulled back, recorded: the gradients of carry and rows, and of origins (None: unused)."""
    with ReverseLevel() as level:
        own = [level.fresh(t) if t._data.dtype.kind in "fc" else t for t in (*carry, *rows)]
        new, ys = body.applied(own[: len(carry)], own[len(carry) :])
    outputs = [*new, *ys]
    chosen = [outputs[k] for k in cotangents]
    inputs = [*[t for t in own if t._rg], *origins]
    found = partial_gradients(chosen, inputs, list(cotangents.values()), retain_graph=True, create_graph=True)
    rest = iter(found)
    grads = [next(rest) if t._rg else None for t in own]
    return [zeros_like(t) if g is None else g for t, g in zip(own, grads, strict=True)], list(rest)


__all__ = ["backward", "recorded"]
