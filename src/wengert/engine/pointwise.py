"""Public functions and operators of elementwise operations, with a short path for tensors of one float type.

The short path does what :func:`wengert.engine.apply.apply` does, with everything that can be known beforehand worked
out once per operation. Anything unusual (mixed dtypes, integers, subclasses, saved-tensor hooks) takes the long path.
Both are compared by a generated test.

The short path takes the calling frame for the user's without looking, which costs half as much. So code of this package
that is not itself a derivative rule applies operations through ``apply`` or ``TENSOR``, never by operators on tensors.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy import ndarray

from wengert._dtypes import from_numpy_dtype
from wengert._fpenv import SILENT, enter, leave
from wengert.engine import messages
from wengert.engine.apply import apply, broadcast_failure
from wengert.engine.base import INFERENCE, TensorBase, accumulator_of, wrap
from wengert.engine.inplace import inplace
from wengert.engine.node import NEVER_WRITTEN, next_seq, save_plan
from wengert.engine.opnode import OpNode, node_class
from wengert.engine.out import deliver
from wengert.engine.state import STATE
from wengert.engine.tiles import LARGE, large
from wengert.ops.reads import Read
from wengert.ops.record import Op

_F32: Final = np.dtype(np.float32)
_F64: Final = np.dtype(np.float64)
_new = object.__new__
_NO_META: Final[dict[str, Any]] = {}
_frame = sys._getframe
_NUMBERS: Final = (TensorBase, bool, int, float, complex, np.generic)

_Tensor: Any = TensorBase  # bound by wengert._tensor: the class that takes the short path


def bind_fast_class(cls: type[TensorBase] | None) -> None:
    """Say which class takes the short path: exactly this one, no subclass; None closes it (saved-tensor hooks do)."""
    global _Tensor  # noqa: PLW0603 - a global is what the short path compares with fastest
    _Tensor = cls


class _Recording:
    """What recording a one- or two-input operation needs, worked out when first used."""

    __slots__ = ("node_class", "plans", "shapes", "short")

    def __init__(self, op: Op, n_inputs: int, meta: dict[str, Any] | None = None) -> None:
        self.node_class: type[OpNode] = node_class(op, meta, is_complex=False)
        self.plans: list[tuple[bool, ...]] = []
        rules = op.vjp if isinstance(op.vjp, tuple) else ()
        self.short = bool(rules) and all([callable(rule) for rule in rules])
        self.shapes = False  # whether the rule of a single input reads its shape: its node, which knows it, is kept
        for mask in range(1 << n_inputs):
            plan = save_plan(op, mask, n_inputs)
            self.plans.append(tuple([read is Read.VALUES for read in plan]))
            if n_inputs == 1 and plan[0] is not Read.METADATA:
                self.shapes = self.shapes or plan[1] is Read.METADATA
            elif Read.METADATA in plan:
                self.short = False


def unary(op: Op) -> Callable[..., Any]:
    """The public function ``f(input, *, out=None)`` of a one-input operation that keeps the dtype.

    A function of this package that calls it says so with ``depth``: how many calls below the user's code it is made,
    and gives the operation's metadata as ``meta``.
    """
    impl = op.impl
    differentiable = op.differentiable
    recording: _Recording | None = None

    def function(input: Any, *, out: Any = None, depth: int = 1, meta: dict[str, Any] | None = None) -> Any:
        nonlocal recording
        if input.__class__ is not _Tensor or out is not None:
            if not isinstance(input, TensorBase):
                raise TypeError(messages.not_a_tensor(op, 0, input))
            return deliver(out, apply(op, input, **(meta or _NO_META)), input)
        a = input._data
        dtype = a.dtype
        if dtype is not _F32 and dtype is not _F64:
            return apply(op, input, **(meta or _NO_META))
        if input._view is not None:
            input._view.refresh(input)
        token = enter(SILENT)
        try:
            if a.__class__ is ndarray and a.size >= LARGE:
                y = large(op, (a,), dtype, meta or _NO_META)
            else:
                y = impl(a) if meta is None else impl(a, **meta)
        finally:
            leave(token)
        result = _new(_Tensor)
        result._data = y
        result._view = None
        if input._rg and differentiable and STATE.grad_enabled:
            if recording is None:
                recording = _Recording(op, 1, meta)
            if not recording.short or input._cell is INFERENCE:
                return apply(op, input, **(meta or _NO_META))
            keep_y, keep_a = recording.plans[1]
            node = _new(recording.node_class)
            node.versions = None
            following = input._node or accumulator_of(input)
            if y.__class__ is not ndarray and node.keeps_scalars:
                kept_y, kept_a = y, a if a.__class__ is not ndarray else a[()]
            else:
                kept_y = y if keep_y else None
                kept_a = a if keep_a else following if recording.shapes else None
            if keep_a:
                cell = input._cell
                if cell is None:
                    cell = input._cell = [0]
                elif cell[0]:
                    node.versions = (0, cell[0]) if keep_y else (cell[0],)
                if keep_y:
                    result._cell = own = [0]
                    node.links = (following, kept_y, kept_a, own, cell)
                else:
                    result._cell = None
                    node.links = (following, kept_y, kept_a, cell)
            elif keep_y:
                result._cell = own = [0]
                node.links = (following, kept_y, kept_a, own)
            else:
                result._cell = None
                node.links = (following, kept_y, kept_a)
            node.seq = next_seq()
            frame = _frame(depth)
            node.code = frame.f_code
            node.lasti = frame.f_lasti
            node.meta = meta
            node.shape = y.shape
            node.dtype = dtype
            node.scalar = y.__class__
            node.hooks = None
            result._node = node
            result._rg = True
            return result
        result._cell = INFERENCE if STATE.inference else None
        result._node = None
        result._rg = False
        return result

    return named(function, op)


def _binary_core(op: Op, *, is_operator: bool) -> Callable[..., Any]:
    impl = op.impl
    differentiable = op.differentiable
    recording: _Recording | None = None

    def function(input: Any, other: Any, depth: int = 1) -> Any:
        nonlocal recording
        if input.__class__ is not _Tensor:
            return _long(op, input, other, is_operator)
        a = input._data
        dtype = a.dtype
        if dtype is not _F32 and dtype is not _F64:
            return _long(op, input, other, is_operator)
        cls = other.__class__
        if cls is _Tensor:
            b = other._data
            if b.dtype is not dtype:
                return _long(op, input, other, is_operator)
            if other._view is not None:
                other._view.refresh(other)
            b_tracked = other._rg
        elif cls is float or cls is int:
            b = other
            b_tracked = False
        else:
            return _long(op, input, other, is_operator)
        if input._view is not None:
            input._view.refresh(input)
        token = enter(SILENT)
        try:
            y = impl(a, b) if a.__class__ is not ndarray or a.size < LARGE else large(op, (a, b), dtype, _NO_META)
        except (ValueError, OverflowError):
            return broadcast_failure(op, input, other)
        finally:
            leave(token)
        result = _new(_Tensor)
        result._data = y
        result._view = None
        if (input._rg or b_tracked) and differentiable and STATE.grad_enabled:
            if recording is None:
                recording = _Recording(op, 2)
            if not recording.short:
                return _long(op, input, other, is_operator)
            result._cell = None
            node = _new(recording.node_class)
            node.versions = None
            if not b_tracked:
                a_next, b_next = input._node or accumulator_of(input), None
                keep_y, keep_a, keep_b = recording.plans[1]
            elif input._rg:
                a_next, b_next = input._node or accumulator_of(input), other._node or accumulator_of(other)
                keep_y, keep_a, keep_b = recording.plans[3]
            else:
                a_next, b_next = None, other._node or accumulator_of(other)
                keep_y, keep_a, keep_b = recording.plans[2]
            if keep_y:
                return _long(op, input, other, is_operator)
            if y.__class__ is not ndarray:
                kept_y = y
                kept_a = a if a.__class__ is not ndarray else a[()]
                kept_b = b if b.__class__ is not ndarray else b[()]
            else:
                kept_y = None
                kept_a = a if keep_a else None
                kept_b = b if keep_b or cls is not _Tensor else None
            a_cell = b_cell = None
            if keep_a:
                a_cell = input._cell
                if a_cell is None:
                    a_cell = input._cell = [0]
                elif not a_cell:  # an inference tensor: the long path refuses it
                    return _long(op, input, other, is_operator)
                elif a_cell[0]:
                    node.versions = (a_cell[0],)
            if keep_b and cls is _Tensor:
                b_cell = other._cell
                if b_cell is None:
                    b_cell = other._cell = [0]
                elif not b_cell:
                    return _long(op, input, other, is_operator)
                if a_cell is None:
                    node.links = (a_next, b_next, kept_y, kept_a, kept_b, b_cell)
                    if b_cell[0]:
                        node.versions = (b_cell[0],)
                else:
                    node.links = (a_next, b_next, kept_y, kept_a, kept_b, a_cell, b_cell)
                    if a_cell[0] or b_cell[0]:
                        node.versions = (a_cell[0], b_cell[0])
            elif a_cell is None:
                if keep_b:  # a number
                    node.links = (a_next, b_next, kept_y, kept_a, kept_b, NEVER_WRITTEN)
                else:
                    node.links = (a_next, b_next, kept_y, kept_a, kept_b)
            else:
                node.links = (a_next, b_next, kept_y, kept_a, kept_b, a_cell)
            node.seq = next_seq()
            frame = _frame(depth)
            node.code = frame.f_code
            node.lasti = frame.f_lasti
            node.meta = None
            node.shape = y.shape
            node.dtype = dtype
            node.scalar = y.__class__
            node.hooks = None
            result._node = node
            result._rg = True
            return result
        result._cell = INFERENCE if STATE.inference else None
        result._node = None
        result._rg = False
        return result

    return function


def _long(op: Op, input: Any, other: Any, is_operator: bool) -> Any:
    if is_operator:
        if isinstance(other, ndarray):
            other = constant(other)
        elif not isinstance(other, _NUMBERS):
            return NotImplemented
    return apply(op, input, other)


def constant(array: Any) -> Any:
    """An untracked tensor on the memory of a NumPy array, as the other operand of an operator.

    Raises:
        TypeError: a dtype that no tensor has.
    """
    dtype = from_numpy_dtype(array.dtype).np  # the identical dtype object: the engine compares so
    view = array.view(ndarray)
    return wrap(view if view.dtype is dtype else view.view(dtype))


def binary(op: Op) -> Callable[..., Any]:
    """The public function ``f(input, other, *, out=None)`` of a two-input elementwise operation; see :func:`unary`."""
    core = _binary_core(op, is_operator=False)

    def function(input: Any, other: Any, *, out: Any = None, depth: int = 1) -> Any:
        result = core(input, other, depth + 1)
        return result if out is None else deliver(out, result, input, other)

    return named(function, op)


def operator(op: Op) -> Callable[..., Any]:
    """The method behind a binary operator such as ``__mul__``; gives NotImplemented for foreign types."""
    return named(_binary_core(op, is_operator=True), op)


def inplace_method(op: Op) -> Callable[..., Any]:
    """The method behind an in-place form such as ``sin_`` or ``__iadd__``."""

    def function(self: Any, *others: Any) -> Any:
        return inplace(op, self, *others)

    named(function, op)
    function.__name__ = function.__qualname__ = op.name + "_"
    function.__doc__ = f"{function.__doc__}\n\nThe result is written into the tensor itself, which is returned."
    return function


def named(function: Callable[..., Any], op: Op) -> Callable[..., Any]:
    """Give a made function the name and the documentation of its operation."""
    function.__name__ = function.__qualname__ = op.name
    formula = f"\n\n``{op.formula}``" if op.formula else ""
    function.__doc__ = (op.doc or f"The operation {op.name}, element by element.") + formula
    return function
