"""Computing beforehand what does not depend on the inputs, as far as it is one number throughout."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert._fpenv import SILENT, enter, leave
from wengert.ops.record import Kind
from wengert.program.program import Equation, Program
from wengert.program.values import Value

# They only spread or reorder: of one number throughout they give the same number throughout.
_SPREADING = frozenset(
    {"expand", "reshape", "view", "unsqueeze", "permute", "transpose", "t", "alias", "slice", "select"}
)


def with_constants_folded(program: Program) -> Program:
    """With the equations on constants that are one number throughout replaced by such constants."""
    constants: dict[Value, np.ndarray[Any, Any]] = dict(program.constants)
    uniform = {x: array for x, array in constants.items() if is_uniform(array)}
    lengths = {n for x in program.inputs for n in x.shape if n > 1}
    kept: list[Equation] = []
    for equation in program.equations:
        y = None if _divides_by_length(equation, lengths) else _folded(equation, uniform)
        if y is None:
            kept.append(equation)
        else:
            (result,) = equation.results
            constants[result] = uniform[result] = np.broadcast_to(y, result.shape)
    return Program(program.inputs, tuple(kept), program.outputs, constants).replaced()


def _divides_by_length(equation: Equation, lengths: set[int]) -> bool:
    """Whether a number is divided by what may be a count: kernels know that as one, for any length, but no 1 / n."""
    count = equation.inputs[-1]
    if equation.op.name != "div" or not isinstance(count, float):
        return False
    return count > 1 and any([count % n == 0 for n in lengths])


def is_uniform(array: np.ndarray[Any, Any]) -> bool:
    """Whether an array is one number throughout, and known to be without looking at all of it."""
    return array.size == 1 or not any(array.strides)


def first_of(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The first element alone, along one axis: `ravel` would copy what is one number repeated."""
    return array[(slice(0, 1),) * array.ndim].reshape(-1)


def _folded(equation: Equation, uniform: dict[Value, np.ndarray[Any, Any]]) -> Any:
    """The number that an equation gives throughout, as an array of its dtype; None if it gives something else."""
    op = equation.op
    if len(equation.results) != 1 or not all([x in uniform for x in equation.values]):
        return None
    (result,) = equation.results
    if op.name in ("zeros_like", "ones_like"):
        return result.dtype.type(op.name == "ones_like")
    if op.name in _SPREADING:
        (x,) = equation.values
        if not uniform[x].size or not result.size:
            return None
        return first_of(uniform[x]).reshape(())
    if op.kind is not Kind.ELEMENTWISE or result.size == 0 or op.name == "share":
        return None
    token = enter(SILENT)
    try:
        args = [first_of(uniform[x]) if isinstance(x, Value) else x for x in equation.inputs]
        y = np.asarray(op.impl(*args, **dict(equation.meta)))
    finally:
        leave(token)
    return y.reshape(()) if y.size == 1 and y.dtype is result.dtype else None
