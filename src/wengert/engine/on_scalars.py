"""Elementwise operations on NumPy scalars: the shortest of the short paths.

A float32 or float64 tensor without dimensions has a NumPy scalar for its value. NumPy takes 40 ns for a product of two,
so what the engine does around it is nearly all that such an operation costs, and is counted in bytecodes here. What
these functions do not know, they hand to the functions of :mod:`wengert.engine.pointwise` that they are given.
A generated test holds all paths against each other.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FunctionType
from typing import Any, Final

import numpy as np
from numpy import float32, float64

from wengert._fpenv import silent_runner
from wengert.engine.base import INFERENCE, accumulator_of
from wengert.engine.node import NEVER_WRITTEN, next_seq, save_plan
from wengert.engine.opnode import Form, Unseen, node_class
from wengert.engine.state import STATE
from wengert.ops.reads import Read
from wengert.ops.record import Op

_F32: Final[np.dtype[Any]] = np.dtype(np.float32)
_F64: Final[np.dtype[Any]] = np.dtype(np.float64)
_new = object.__new__
_frame = sys._getframe

_Result: Any = None  # the class of results
_Tensor: Any = None  # the class that takes this path: that of results; None while it is closed

# What is kept of an operation's values, as truth values for (y, *inputs).
Kept = tuple[bool, ...]


def take(cls: Any, *, is_open: bool) -> None:
    """Let results be of this class, and take tensors of it, no subclass, while the path is open.

    Another thread may close it at any time, so a call looks once, at the beginning.
    """
    global _Result, _Tensor
    _Result, _Tensor = cls, cls if is_open else None


class Recording:
    """What recording a one- or two-input operation needs, worked out when first used."""

    __slots__ = ("form", "keeps_scalars", "plans", "shapes", "short")

    def __init__(self, op: Op, n_inputs: int, meta: dict[str, Any] | None = None) -> None:
        cls = node_class(op, meta, is_complex=False)
        self.form: Form | None = cls.like_form
        self.keeps_scalars = cls.keeps_scalars
        self.plans: list[Kept] = []
        rules = op.vjp if isinstance(op.vjp, tuple) else ()
        self.short = self.form is not None and all([callable(rule) for rule in rules])
        self.shapes = False  # whether the rule of a single input reads its shape: its node, which knows it, is kept
        for mask in range(1 << n_inputs):
            plan = save_plan(op, mask, n_inputs)
            self.plans.append(tuple([read is Read.VALUES for read in plan]))
            if n_inputs == 1 and plan[0] is not Read.METADATA:
                self.shapes = self.shapes or plan[1] is Read.METADATA
            elif Read.METADATA in plan:
                self.short = False


def own_code(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function on a code object of its own.

    Python keeps what it has learned of types (inline caches) in the code object. Closures share theirs, so that each
    operation would spoil what another has taught it: nodes of each are of another class. This is worth a sixth.
    """
    made = FunctionType(
        function.__code__.replace(),
        function.__globals__,
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )
    made.__kwdefaults__ = function.__kwdefaults__
    made.__annotations__ = function.__annotations__
    return made


def unary(op: Op, general: Callable[..., Any]) -> Callable[..., Any]:  # noqa: C901 - flat, because it is hot
    """The function of a one-input operation; ``general(input, out, depth, meta)`` does what this does not."""
    impl = op.impl
    differentiable = op.differentiable
    form: Form | None = None
    keep_y = keep_x = False

    def function(  # noqa: C901
        input: Any, *, out: Any = None, depth: int = 1, meta: dict[str, Any] | None = None
    ) -> Any:
        nonlocal form, keep_y, keep_x
        if input.__class__ is not _Tensor or out is not None:
            return general(input, out, depth + 1, meta)
        x = input._data
        kind = x.__class__
        if kind is not float32 and kind is not float64:
            return general(input, None, depth + 1, meta)
        try:
            y = silent_runner()(impl, x) if meta is None else silent_runner()(impl, x, **meta)
        except RuntimeError:
            return general(input, None, depth + 1, meta)
        if input._rg and differentiable and STATE.grad_enabled:
            cell = input._cell
            if form is None:
                recording = Recording(op, 1, meta)
                if recording.short and recording.keeps_scalars:
                    form, (keep_y, keep_x) = recording.form, recording.plans[1]
            if form is None or y.__class__ is not kind or cell is INFERENCE:
                return general(input, None, depth + 1, meta)
            result = _new(_Result)
            node = Unseen()
            following = input._node
            if following is None:
                following = accumulator_of(input)
            if keep_x:
                if cell is None:
                    cell = input._cell = [0]
                if keep_y:
                    result._cell = own = [0]
                    node.links = (form, following, y, x, own, 0, cell, cell[0])
                else:
                    result._cell = None
                    node.links = (form, following, y, x, cell, cell[0])
            elif keep_y:
                result._cell = own = [0]
                node.links = (form, following, y, x, own, 0)
            else:
                result._cell = None
                node.links = (form, following, y, x)
            frame = _frame(depth)
            node.code = frame.f_code
            node.lasti = frame.f_lasti
            node.seq = next_seq()
            node.meta = meta
            node.scalar = kind
            node.shape = ()
            node.dtype = _F32 if kind is float32 else _F64
            node.state = result._view = None
            result._data = y
            result._node = node
            result._rg = True
            return result
        result = _new(_Result)
        result._data = y
        result._cell = INFERENCE if STATE.inference else None
        result._node = result._view = None
        result._rg = False
        return result

    return own_code(function)


def binary(op: Op, general: Callable[..., Any]) -> Callable[..., Any]:  # noqa: C901 - flat, because it is hot
    """The function of a two-input operation; ``general(input, other, depth)`` does what this does not."""
    impl = op.impl
    differentiable = op.differentiable
    form: Form | None = None
    plans: list[Kept] = []

    def function(input: Any, other: Any, depth: int = 1) -> Any:  # noqa: C901
        nonlocal form, plans
        if input.__class__ is not _Tensor:
            return general(input, other, depth + 1)
        a = input._data
        kind = a.__class__
        if kind is not float32 and kind is not float64:
            return general(input, other, depth + 1)
        cls = other.__class__
        if cls is _Result:
            b = other._data
            if b.__class__ is not kind:
                return general(input, other, depth + 1)
            b_tracked = other._rg
        elif cls is float or cls is int:
            b = other
            b_tracked = False
        else:
            return general(input, other, depth + 1)
        try:
            y = silent_runner()(impl, a, b)
        except (ValueError, OverflowError, RuntimeError):
            return general(input, other, depth + 1)
        if (input._rg or b_tracked) and differentiable and STATE.grad_enabled:
            if form is None:
                recording = Recording(op, 2)
                if recording.short and recording.keeps_scalars:
                    form, plans = recording.form, recording.plans
            if form is None or y.__class__ is not kind:
                return general(input, other, depth + 1)
            a_next = b_next = None
            if input._rg:
                a_next = input._node
                if a_next is None:
                    a_next = accumulator_of(input)
            if b_tracked:
                b_next = other._node
                if b_next is None:
                    b_next = accumulator_of(other)
                keep_y, keep_a, keep_b = plans[2] if a_next is None else plans[3]
            else:
                keep_y, keep_a, keep_b = plans[1]
            if keep_y:
                return general(input, other, depth + 1)
            node = Unseen()
            if keep_a:
                a_cell = input._cell
                if a_cell is None:
                    a_cell = input._cell = [0]
                elif not a_cell:  # an inference tensor: the long path refuses it
                    return general(input, other, depth + 1)
                if keep_b and cls is _Result:
                    b_cell = other._cell
                    if b_cell is None:
                        b_cell = other._cell = [0]
                    elif not b_cell:
                        return general(input, other, depth + 1)
                    node.links = (form, a_next, b_next, y, a, b, a_cell, a_cell[0], b_cell, b_cell[0])
                else:
                    node.links = (form, a_next, b_next, y, a, b, a_cell, a_cell[0])
            elif keep_b:
                b_cell = other._cell if cls is _Result else NEVER_WRITTEN
                if b_cell is None:
                    b_cell = other._cell = [0]
                elif not b_cell:
                    return general(input, other, depth + 1)
                node.links = (form, a_next, b_next, y, a, b, b_cell, b_cell[0])
            else:
                node.links = (form, a_next, b_next, y, a, b)
            frame = _frame(depth)
            node.code = frame.f_code
            node.lasti = frame.f_lasti
            node.seq = next_seq()
            node.scalar = kind
            node.shape = ()
            node.dtype = _F32 if kind is float32 else _F64
            result = _new(_Result)
            node.meta = node.state = result._view = result._cell = None
            result._data = y
            result._node = node
            result._rg = True
            return result
        result = _new(_Result)
        result._data = y
        result._cell = INFERENCE if STATE.inference else None
        result._node = result._view = None
        result._rg = False
        return result

    return own_code(function)


__all__ = ["Recording", "binary", "own_code", "take", "unary"]
