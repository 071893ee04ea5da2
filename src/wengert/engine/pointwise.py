"""Public functions and operators of elementwise operations, with a short path for tensors of one float type.

The short path does what :func:`wengert.engine.apply.apply` does, with everything that can be known beforehand worked
out once per operation. Anything unusual (mixed dtypes, integers, subclasses but ``Parameter``, saved-tensor hooks) goes
the long path.
Both are compared by a generated test.

The short path takes the calling frame for the user's without looking, which costs half as much. So code of this package
that is not itself a derivative rule applies operations through ``apply`` or ``TENSOR``, never by operators on tensors.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy import float32, float64, matrix, ndarray

from wengert._dtypes import from_numpy_dtype
from wengert._fpenv import silent_runner
from wengert.engine import messages, on_scalars
from wengert.engine.apply import apply, broadcast_failure
from wengert.engine.base import INFERENCE, TensorBase, accumulator_of, wrap
from wengert.engine.inplace import inplace
from wengert.engine.kernels import operation
from wengert.engine.node import NEVER_WRITTEN, next_seq
from wengert.engine.on_scalars import Recording, own_code
from wengert.engine.opnode import Unseen
from wengert.engine.out import deliver
from wengert.engine.state import STATE
from wengert.ops.record import Op

_F32: Final[np.dtype[Any]] = np.dtype(np.float32)
_F64: Final[np.dtype[Any]] = np.dtype(np.float64)
_new = object.__new__
_NO_META: Final[dict[str, Any]] = {}
_frame = sys._getframe
_NUMBERS: Final = (TensorBase, bool, int, float, complex, np.generic)

# The classes that take the short path: exactly these, no subclass. Results are of the first.
_Result: Any = TensorBase  # bound by wengert._tensor
_Leaf: Any = None  # bound by wengert.nn.parameter
# These while it is open. Another thread may close it at any time, so a call looks once, at the beginning.
_Tensor: Any = TensorBase
_Parameter: Any = None


def bind_fast_class(cls: type[TensorBase]) -> None:
    """Say which class results are of; it takes the short path."""
    global _Result  # noqa: PLW0603 - bound once
    _Result = cls
    open_short_path(True)


def bind_parameter_class(cls: type[TensorBase]) -> None:
    """Say which class of leaves takes the short path too."""
    global _Leaf  # noqa: PLW0603 - bound once
    _Leaf = cls
    open_short_path(True)


def open_short_path(is_open: bool) -> None:
    """Open or close the short path (saved-tensor hooks close it)."""
    global _Tensor, _Parameter  # what the short path compares with fastest
    _Tensor, _Parameter = (_Result, _Leaf) if is_open else (None, None)
    on_scalars.take(_Result, is_open=is_open)


def unary(op: Op) -> Callable[..., Any]:
    """The public function ``f(input, *, out=None)`` of a one-input operation that keeps the dtype.

    A function of this package that calls it says so with ``depth``: how many calls below the user's code it is made,
    and gives the operation's metadata as ``meta``.
    """
    return named(on_scalars.unary(op, _unary(op)), op)


def _unary(op: Op) -> Callable[..., Any]:
    impl = op.impl
    differentiable = op.differentiable
    many = operation(op)
    recording: Recording | None = None

    def function(input: Any, out: Any, depth: int, meta: dict[str, Any] | None) -> Any:
        nonlocal recording
        if (input.__class__ is not _Tensor and input.__class__ is not _Parameter) or out is not None:
            if not isinstance(input, TensorBase):
                raise TypeError(messages.not_a_tensor(op, 0, input))
            return deliver(out, apply(op, input, **(meta or _NO_META)), input)
        a = input._data
        kind = a.__class__
        if kind is float32:
            dtype = _F32
        elif kind is float64:
            dtype = _F64
        else:
            dtype = a.dtype
            if dtype is not _F32 and dtype is not _F64:
                return apply(op, input, **(meta or _NO_META))
            if input._view is not None:
                input._view.refresh(input)
        try:
            if kind is ndarray and many is not None and a.size >= many.least:
                if meta is None:
                    y = many.single(a) if dtype is _F32 else many.double(a)
                else:
                    y = many.with_metadata((a,), dtype, meta)
            else:
                y = silent_runner()(impl, a) if meta is None else silent_runner()(impl, a, **meta)
        except RuntimeError:
            return apply(op, input, **(meta or _NO_META))
        result = _new(_Result)
        result._data = y
        result._view = None
        if input._rg and differentiable and STATE.grad_enabled:
            if recording is None:
                recording = Recording(op, 1, meta)
            cell = input._cell
            if not recording.short or cell is INFERENCE:
                return apply(op, input, **(meta or _NO_META))
            following = input._node or accumulator_of(input)
            keep_y, keep_a = recording.plans[1]
            node = Unseen()
            node.scalar = scalar = y.__class__
            if scalar is not ndarray and recording.keeps_scalars:
                node.shape = ()
                kept_y, kept_a = y, a if kind is not ndarray else a[()]
            else:
                node.shape = y.shape
                kept_y = y if keep_y else None
                kept_a = a if keep_a else following if recording.shapes else None
            if keep_a:
                if cell is None:
                    cell = input._cell = [0]
                if keep_y:
                    result._cell = own = [0]
                    node.links = (recording.form, following, kept_y, kept_a, own, 0, cell, cell[0])
                else:
                    result._cell = None
                    node.links = (recording.form, following, kept_y, kept_a, cell, cell[0])
            elif keep_y:
                result._cell = own = [0]
                node.links = (recording.form, following, kept_y, kept_a, own, 0)
            else:
                result._cell = None
                node.links = (recording.form, following, kept_y, kept_a)
            frame = _frame(depth)
            node.code = frame.f_code
            node.lasti = frame.f_lasti
            node.seq = next_seq()
            node.meta = meta
            node.dtype = dtype
            node.state = None
            result._node = node
            result._rg = True
            return result
        result._cell = INFERENCE if STATE.inference else None
        result._node = None
        result._rg = False
        return result

    return own_code(function)


def _binary_core(op: Op, *, is_operator: bool) -> Callable[..., Any]:
    return on_scalars.binary(op, _binary(op, is_operator=is_operator))


def _binary(op: Op, *, is_operator: bool) -> Callable[..., Any]:
    impl = op.impl
    differentiable = op.differentiable
    many = operation(op)
    recording: Recording | None = None

    def function(input: Any, other: Any, depth: int) -> Any:
        nonlocal recording
        if input.__class__ is not _Tensor and input.__class__ is not _Parameter:
            return _long(op, input, other, is_operator)
        a = input._data
        kind = a.__class__
        cls = other.__class__
        if cls is _Result or cls is _Leaf:
            cls = _Result
            b = other._data
            b_tracked = other._rg
        elif cls is float or cls is int:
            b = other
            b_tracked = False
        else:
            return _long(op, input, other, is_operator)
        if kind is float32 and (b.__class__ is float32 or cls is not _Result):  # scalars, which share memory with none
            dtype = _F32
        elif kind is float64 and (b.__class__ is float64 or cls is not _Result):
            dtype = _F64
        else:
            dtype = a.dtype
            if dtype is not _F32 and dtype is not _F64:
                return _long(op, input, other, is_operator)
            if input._view is not None:
                input._view.refresh(input)
            if cls is _Result:
                if b.dtype is not dtype:
                    return _long(op, input, other, is_operator)
                if other._view is not None:
                    other._view.refresh(other)
                    b_tracked = other._rg
        try:
            if kind is ndarray and many is not None and a.size >= many.least:
                y = many.single(a, b) if dtype is _F32 else many.double(a, b)
            else:
                y = silent_runner()(impl, a, b)
        except (ValueError, OverflowError, RuntimeError):
            return broadcast_failure(op, input, other)
        result = _new(_Result)
        result._data = y
        result._view = None
        if (input._rg or b_tracked) and differentiable and STATE.grad_enabled:
            if recording is None:
                recording = Recording(op, 2)
            if not recording.short:
                return _long(op, input, other, is_operator)
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
            node = Unseen()
            node.scalar = scalar = y.__class__
            if scalar is not ndarray:
                node.shape = ()
                kept_y = y
                kept_a = a if kind is not ndarray else a[()]
                kept_b = b if b.__class__ is not ndarray else b[()]
            else:
                node.shape = y.shape
                kept_y = None
                kept_a = a if keep_a else None
                kept_b = b if keep_b or cls is not _Result else None
            if keep_b:
                if cls is not _Result:
                    b_cell = NEVER_WRITTEN
                else:
                    b_cell = other._cell
                    if b_cell is None:
                        b_cell = other._cell = [0]
                    elif not b_cell:  # an inference tensor: the long path refuses it
                        return _long(op, input, other, is_operator)
            if keep_a:
                a_cell = input._cell
                if a_cell is None:
                    a_cell = input._cell = [0]
                elif not a_cell:
                    return _long(op, input, other, is_operator)
                if keep_b and cls is _Result:
                    version = b_cell[0]
                    links = (recording.form, a_next, b_next, kept_y, kept_a, kept_b, a_cell, a_cell[0], b_cell, version)
                    node.links = links
                else:
                    node.links = (recording.form, a_next, b_next, kept_y, kept_a, kept_b, a_cell, a_cell[0])
            elif keep_b:
                node.links = (recording.form, a_next, b_next, kept_y, kept_a, kept_b, b_cell, b_cell[0])
            else:
                node.links = (recording.form, a_next, b_next, kept_y, kept_a, kept_b)
            frame = _frame(depth)
            node.code = frame.f_code
            node.lasti = frame.f_lasti
            node.seq = next_seq()
            node.meta = None
            node.dtype = dtype
            node.state = None
            result._cell = None
            result._node = node
            result._rg = True
            return result
        result._cell = INFERENCE if STATE.inference else None
        result._node = None
        result._rg = False
        return result

    return own_code(function)


MATRIX: Final = (
    "a tensor and a numpy.matrix: `*` and `**` mean products of matrices for NumPy's matrices and work element by "
    "element for tensors. Say which: `t @ numpy.asarray(m)` or `t * numpy.asarray(m)`"
)


def refuse_masked(array: Any) -> None:
    """Raise for a masked array, whose mask no tensor keeps.

    Raises:
        TypeError: it is one.
    """
    if array.__class__ is not ndarray and hasattr(array, "_mask"):
        raise TypeError(
            "a tensor and a numpy.ma.MaskedArray: tensors have no masks, and what is masked would count. Fill it in "
            "first with `a.filled(value)`, or take `wengert.masked`"
        )


def _long(op: Op, input: Any, other: Any, is_operator: bool) -> Any:
    if is_operator:
        if not isinstance(input, TensorBase):
            raise TypeError(f"{op.name}: the method of a tensor was called on a {type(input).__name__}")
        if isinstance(other, ndarray):
            if other.__class__ is matrix and op.name in ("mul", "pow"):
                raise TypeError(MATRIX)
            other = constant(other)
        elif not isinstance(other, _NUMBERS):
            return NotImplemented
    return apply(op, input, other)


def constant(array: Any) -> Any:
    """An untracked tensor on the memory of a NumPy array, as the other operand of an operator.

    Raises:
        TypeError: a dtype that no tensor has, or a masked array.
    """
    refuse_masked(array)
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
