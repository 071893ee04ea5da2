"""Loops that carry a value: run plainly, or keeping only a few carries for the reverse pass.

A checkpointed loop keeps a few carries of its run forward, and its reverse pass computes the others again by the
binomial schedule (`_binomial`). A short range of steps is recorded and pulled back at once. So at any time it holds a
number of carries that grows like the logarithm of the number of steps.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from wengert import _tree
from wengert.autograd.function import Function
from wengert.engine.backward import partial_gradients
from wengert.engine.base import TensorBase, wrap, zeros_like
from wengert.engine.leveled import transforms_again
from wengert.engine.state import STATE
from wengert.func._binomial import cut, first_states, states
from wengert.func._captured import captured
from wengert.func._levels import ReverseLevel
from wengert.spaces.tensors import TENSOR

RECORDED: Final = 32  # so many steps are recorded at once


class LoopBody:
    """The step of a loop, with what it goes over."""

    def __init__(self, f: Callable[..., Any], init: Any, xs: Any, length: int | None, *, reverse: bool) -> None:
        self.f = f
        self.init, self.carry_form = _tree.flatten(init)
        self.xs: list[Any] = []
        self.x_form: Any = None
        if xs is not None:
            self.xs, self.x_form = _tree.flatten(xs)
        sizes = {x._data.shape[0] for x in self.xs}
        if len(sizes) > 1 or (length is not None and sizes not in (set(), {length})):
            raise ValueError(f"scan: xs must have one length, and they have {sorted(sizes)} (length={length})")
        if not sizes and length is None:
            raise ValueError("scan: give xs, or length")
        self.length: int = sizes.pop() if sizes else int(length or 0)
        self.reverse = reverse
        self.y_form: Any = None

    def step(self, i: int, carry: list[Any], xs: list[Any], low: int = 0) -> tuple[list[Any], list[Any]]:
        """The carry after step ``i``, and its y, both flat; ``xs`` begin with that at ``low``."""
        at = self.place(i) - low
        return self.applied(carry, [TENSOR.select(t, dim=0, index=at) for t in xs])

    def applied(self, carry: list[Any], rows: list[Any]) -> tuple[list[Any], list[Any]]:
        """The next carry and the y, both flat, from a carry and the rows of the xs."""
        x = None if self.x_form is None else _tree.unflatten(self.x_form, rows)
        got = self.f(_tree.unflatten(self.carry_form, carry), x)
        if not (isinstance(got, tuple) and len(got) == 2):
            raise RuntimeError(f"scan: a step must return (carry, y), and it returned {type(got).__name__}")
        new, form = _tree.flatten(got[0])
        if form != self.carry_form:
            raise RuntimeError(f"scan: a step must return a carry like the one it got; it returned {got[0]!r}")
        for old, t in zip(carry, new, strict=True):
            if isinstance(old, TensorBase) and (
                t._data.shape != old._data.shape or t._data.dtype is not old._data.dtype
            ):
                raise RuntimeError(
                    f"scan: a step must keep the shape and dtype of the carry, and it made {list(t._data.shape)} "
                    f"({t._data.dtype}) of {list(old._data.shape)} ({old._data.dtype})"
                )
        if got[1] is None:
            self.y_form = None
            return new, []
        ys, self.y_form = _tree.flatten(got[1])
        return new, ys

    def place(self, i: int) -> int:
        """Which x step ``i`` takes, and where its y goes."""
        return self.length - 1 - i if self.reverse else i

    def finished(self, carry: list[Any], ys: list[Any]) -> tuple[Any, Any]:
        """What scan returns."""
        last = _tree.unflatten(self.carry_form, carry)
        return last, None if self.y_form is None else _tree.unflatten(self.y_form, ys)


def run_plain(body: LoopBody) -> tuple[Any, Any]:
    """The loop as it stands: reverse mode keeps every step."""
    if not body.length:
        return body.finished(body.init, _no_ys(body))
    return body.finished(*_looped(body, body.init, body.xs))


def _no_ys(body: LoopBody) -> list[Any]:
    """The ys of no step at all; what they are like is told by a step on zeros."""
    tracked, STATE.grad_enabled = STATE.grad_enabled, False
    try:
        ys = body.applied(body.init, [wrap(np.zeros(x._data.shape[1:], x._data.dtype)) for x in body.xs])[1]
    finally:
        STATE.grad_enabled = tracked
    return [wrap(np.zeros((0, *y._data.shape), y._data.dtype)) for y in ys]


def _looped(
    body: LoopBody, carry: list[Any], xs: list[Any], kept: dict[int, Any] | None = None
) -> tuple[list[Any], list[Any]]:
    """The last carry and all ys; the carries before the steps in ``kept`` are put there."""
    rows: list[list[Any]] = []
    for i in range(body.length):
        if kept is not None and i in kept:
            kept[i] = carry
        carry, ys = body.step(i, carry, xs)
        if ys:
            rows.append(ys)
    if body.reverse:
        rows.reverse()
    return carry, [TENSOR.stack(*column, dim=0) for column in zip(*rows, strict=True)]


def run_checkpointed(body: LoopBody) -> tuple[Any, Any]:
    """The loop with a reverse pass that computes the steps again.

    Within forward mode it is run plainly: a step may use tangents from outside, which no graph shows.
    """
    if STATE.duals:
        return run_plain(body)
    outside = _captured(body)
    got = _Checkpointed.apply(body, len(body.init), len(body.xs), *body.init, *body.xs, *outside)
    outputs = list(got if isinstance(got, tuple) else (got,))
    n = len(body.init)
    return body.finished(outputs[:n], outputs[n:])


def _captured(body: LoopBody) -> list[Any]:
    """Stand-ins for what a step uses from outside and is tracked; found by recording the first one."""
    if not STATE.grad_enabled:
        return []
    with ReverseLevel() as level:
        own = [[level.fresh(t) if _floats(t) else t for t in several] for several in (body.init, body.xs)]
        new, ys = body.step(0, own[0], own[1])
    return captured([*new, *ys], level.inputs, level.start)


def _floats(t: Any) -> bool:
    return isinstance(t, TensorBase) and t._data.dtype.kind in "fc"


def _parts(steps: int) -> int:
    return -(-steps // RECORDED)


class _Checkpointed(Function):
    """The whole loop as one function of its carry, its xs and what it captured."""

    generate_vmap_rule = True

    @staticmethod
    def forward(ctx: Any, body: LoopBody, n: int, m: int, *inputs: Any) -> Any:
        ctx.body, ctx.n, ctx.m, ctx.levels = body, n, m, STATE.levels
        ctx.save_for_backward(*inputs[: n + m])
        ctx.captured = inputs[n + m :]
        ctx.carries = {part * RECORDED: None for part in first_states(_parts(body.length))}
        carry, ys = _looped(body, list(inputs[:n]), list(inputs[n : n + m]), ctx.carries)
        return (*carry, *ys)

    @staticmethod
    def backward(ctx: Any, *gs: Any) -> Any:
        body, n, m = ctx.body, ctx.n, ctx.m
        saved = list(ctx.saved_tensors)
        if STATE.grad_enabled:  # the carries of the run forward are not connected to its inputs
            ctx.carries = {}
        reversal = _Reversal(body, saved[n : n + m], list(ctx.captured), list(gs[n:]), ctx.carries)
        with transforms_again((ctx.levels, STATE.duals)):
            carried = reversal.over(0, body.length, saved[:n], list(gs[:n]), states(_parts(body.length)))
        return (None, None, None, *carried, *reversal.of_xs(), *reversal.of_captured)


class _Reversal:
    """One reverse pass over the steps of a loop; it uses up ``carries``, those that are known, by their steps."""

    def __init__(
        self, body: LoopBody, xs: list[Any], captured: list[Any], g_ys: list[Any], carries: dict[int, Any]
    ) -> None:
        self.body = body
        self.carries = carries
        self.xs = xs
        self.captured = captured
        self.g_ys = g_ys
        self.of_captured: list[Any] = [None] * len(captured)
        self.rows: list[list[Any]] = []  # the cotangents of each step's xs, last step first

    def over(self, start: int, stop: int, carry: list[Any], g: list[Any], kept: int) -> list[Any]:
        """The cotangent of the carry at ``start``, from that at ``stop``, with so many carries kept at once."""
        while (parts := _parts(stop - start)) > 1:
            middle = start + cut(parts, kept) * RECORDED
            there = self.carries.pop(middle, None)
            g = self.over(middle, stop, there or self._forward(start, middle, carry), g, kept - 1)
            stop = middle
        return self._pulled(start, stop, carry, g)

    def _forward(self, start: int, stop: int, carry: list[Any]) -> list[Any]:
        tracked = STATE.grad_enabled
        if not self.captured and not any([t._rg for t in (*carry, *self.xs) if isinstance(t, TensorBase)]):
            STATE.grad_enabled = False
        try:
            for i in range(start, stop):
                carry = self.body.step(i, carry, self.xs)[0]
        finally:
            STATE.grad_enabled = tracked
        return carry

    def _pulled(self, start: int, stop: int, carry: list[Any], g: list[Any]) -> list[Any]:
        """Record a few steps and pull the cotangents back through them."""
        level = ReverseLevel()
        with level:
            own = [level.fresh(t) if _floats(t) else t for t in carry]
            places = [self.body.place(i) for i in range(start, stop)]
            low = min(places)
            part = [TENSOR.slice(x, dim=0, start=low, stop=max(places) + 1, step=1) for x in self.xs]
            part = [level.fresh(x) if _floats(x) else x for x in part]
            now, outputs, cotangents = own, [], []
            for i, at in zip(range(start, stop), places, strict=True):
                now, ys = self.body.step(i, now, part, low)
                outputs += ys
                cotangents += [TENSOR.select(t, dim=0, index=at) for t in self.g_ys]
        pairs = [(y, v) for y, v in zip([*now, *outputs], [*g, *cotangents], strict=True) if _floats(y)]
        found = partial_gradients(
            [y for y, _ in pairs],
            [*level.inputs, *self.captured],
            [v for _, v in pairs],
            retain_graph=STATE.grad_enabled,
            create_graph=STATE.grad_enabled,
        )
        following = iter(found)
        new_g = [_or_zeros(next(following), t) if _floats(t) else None for t in own]
        if part:
            self.rows.append([_or_zeros(next(following), t) if _floats(t) else None for t in part])
        for k, extra in enumerate(following):
            if extra is not None:
                total = self.of_captured[k]
                self.of_captured[k] = extra if total is None else total + extra
        return new_g

    def of_xs(self) -> list[Any]:
        """The cotangents of all xs."""
        rows = self.rows if self.body.reverse else self.rows[::-1]
        return [
            None if column[0] is None else TENSOR.cat(*column, dim=0, sizes=tuple([c._data.shape[0] for c in column]))
            for column in zip(*rows, strict=True)
        ]


def _or_zeros(g: Any, like: Any) -> Any:
    return zeros_like(like) if g is None else g


__all__ = ["LoopBody", "run_checkpointed", "run_plain"]
