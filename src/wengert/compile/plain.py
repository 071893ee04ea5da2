"""Elementwise operations on traced tensors of one float type: most of a trace, in a third of the time."""

from __future__ import annotations

from typing import Any

from wengert._source import user_code
from wengert.compile.storage import Storage
from wengert.engine.apply import record
from wengert.engine.base import TensorBase, is_tracking, tensor_class, wrap
from wengert.engine.state import STATE
from wengert.ops.record import EachInput, Op
from wengert.program.infer import elementwise_type
from wengert.program.program import Equation
from wengert.program.values import Value


def apply_plain(trace: Any, op: Op, inputs: tuple[Any, ...], meta: dict[str, Any]) -> Any:
    """What :meth:`wengert.compile.trace.Trace.apply` gives for an elementwise operation with one result.

    None where anything is not as it mostly is: tensors from outside, several dtypes, errors.
    """
    cls, scope = tensor_class(), trace.scope
    operands: list[Any] = []
    dtype, may_be_tracked = None, False
    for x in inputs:
        if x.__class__ is cls:
            data = x._data
            if data.__class__ is Storage and data.trace is trace and data.scope is scope:
                value = data.current()
            elif data.__class__ is Value and trace.owns(data):  # what a node has kept
                value = data
            else:
                return None
            if value.dtype is not dtype:
                if dtype is not None:
                    return None
                dtype = value.dtype
            may_be_tracked = may_be_tracked or x._rg or x._view is not None
            operands.append(value)
        elif x.__class__ is float or x.__class__ is int:
            operands.append(x)
        else:
            return None
    if dtype is None or dtype.kind != "f":
        return None
    try:
        result = trace.new(*elementwise_type(op, operands, meta))
    except (ValueError, OverflowError):
        return None
    trace.add(Equation(op, tuple(operands), meta, (result,), user_code(3)))
    out = wrap(Storage(trace, result))
    if may_be_tracked and STATE.grad_enabled and result.dtype.kind in "fc" and is_recorded(op, inputs):
        out._node, out._rg = record(op, inputs, result, (out,), meta, operands), True
        if scope is not None:
            scope.note(out._node, result)
    return out


def are_promoted(operands: list[Any]) -> bool:
    """Whether these are floating-point values of one dtype, and numbers that are weaker: what promotion leaves."""
    dtype = None
    for x in operands:
        if x.__class__ is Value:
            if dtype is None:
                dtype = x.dtype
            elif x.dtype is not dtype:
                return False
        elif x.__class__ is not float and x.__class__ is not int:
            return False
    return dtype is not None and dtype.kind == "f"


def is_recorded(op: Op, inputs: tuple[Any, ...]) -> bool:
    """Whether an operation on these inputs has a gradient to hand on."""
    rules = None if isinstance(op.vjp, EachInput) else op.vjp
    return any(
        [
            isinstance(x, TensorBase) and (rules is None or rules[i] is not None) and is_tracking(x)
            for i, x in enumerate(inputs)
        ]
    )
