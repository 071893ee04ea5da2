"""Comparisons, logical operations and questions about each element: functions, methods and operators."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.engine.apply import apply
from wengert.engine.base import TensorBase
from wengert.engine.inplace import inplace
from wengert.engine.pointwise import binary, inplace_method, named, operator, unary
from wengert.functions.elementwise import Function, inplace_of_tensors, of_tensors, shown
from wengert.functions.options import require_tensor
from wengert.ops.checks import type_name
from wengert.ops.compare import (
    EQ,
    EQ_,
    GE,
    GE_,
    GT,
    GT_,
    ISCLOSE,
    ISFINITE,
    ISINF,
    ISNAN,
    ISNEGINF,
    ISPOSINF,
    ISREAL,
    LE,
    LE_,
    LOGICAL_AND,
    LOGICAL_NOT,
    LOGICAL_OR,
    LOGICAL_XOR,
    LT,
    LT_,
    NE,
    NE_,
    SIGNBIT,
)
from wengert.ops.record import Op

__all__ = [
    "CompareMethods",
    "allclose",
    "eq",
    "equal",
    "ge",
    "greater",
    "greater_equal",
    "gt",
    "isclose",
    "isfinite",
    "isinf",
    "isnan",
    "isneginf",
    "isposinf",
    "isreal",
    "le",
    "less",
    "less_equal",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "lt",
    "ne",
    "not_equal",
    "signbit",
]


def _comparison(op: Op) -> Function:
    """The public function of a comparison: of a tensor with a tensor or a number."""
    core, name = binary(op), op.name

    def function(input: Any, other: Any, *, out: Any = None) -> Any:
        if not isinstance(input, TensorBase):
            require_tensor(name, input)
        return core(input, other, out=out, depth=2)

    return named(function, op)


gt = shown(_comparison(GT), __name__, "gt(torch.tensor([1, 2, 3]), 2)", "tensor([False, False,  True])")
ge = shown(_comparison(GE), __name__, "ge(torch.tensor([1, 2, 3]), 2)", "tensor([False,  True,  True])")
lt = shown(_comparison(LT), __name__, "lt(torch.tensor([1, 2, 3]), 2)", "tensor([ True, False, False])")
le = shown(_comparison(LE), __name__, "le(torch.tensor([1, 2, 3]), 2)", "tensor([ True,  True, False])")
eq = shown(_comparison(EQ), __name__, "eq(torch.tensor([1, 2, 3]), 2)", "tensor([False,  True, False])")
ne = shown(_comparison(NE), __name__, "ne(torch.tensor([1, 2, 3]), 2)", "tensor([ True, False,  True])")
greater = gt
greater_equal = ge
less = lt
less_equal = le
not_equal = ne

logical_and = shown(
    of_tensors(LOGICAL_AND),
    __name__,
    "logical_and(torch.tensor([True, False]), torch.tensor([True, True]))",
    "tensor([ True, False])",
)
logical_or = shown(
    of_tensors(LOGICAL_OR),
    __name__,
    "logical_or(torch.tensor([True, False]), torch.tensor([False, False]))",
    "tensor([ True, False])",
)
logical_xor = shown(
    of_tensors(LOGICAL_XOR),
    __name__,
    "logical_xor(torch.tensor([True, False]), torch.tensor([True, True]))",
    "tensor([False,  True])",
)
logical_not = shown(unary(LOGICAL_NOT), __name__, "logical_not(torch.tensor([0, 2]))", "tensor([ True, False])")
isnan = shown(unary(ISNAN), __name__, 'isnan(torch.tensor([1.0, float("nan")]))', "tensor([False,  True])")
isinf = shown(unary(ISINF), __name__, 'isinf(torch.tensor([1.0, float("-inf")]))', "tensor([False,  True])")
isfinite = shown(unary(ISFINITE), __name__, 'isfinite(torch.tensor([1.0, float("inf")]))', "tensor([ True, False])")
isposinf = shown(
    unary(ISPOSINF), __name__, 'isposinf(torch.tensor([float("inf"), float("-inf")]))', "tensor([ True, False])"
)
isneginf = shown(
    unary(ISNEGINF), __name__, 'isneginf(torch.tensor([float("inf"), float("-inf")]))', "tensor([False,  True])"
)
isreal = shown(unary(ISREAL), __name__, "isreal(torch.tensor([1 + 0j, 1j]))", "tensor([ True, False])")
signbit = shown(unary(SIGNBIT), __name__, "signbit(torch.tensor([1.0, -0.0]))", "tensor([False,  True])")


def isclose(input: Any, other: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Any:
    """Where two tensors are nearly equal: ``|input - other| <= atol + rtol * |other|``.

    Infinities are close to themselves only, nan to nan only with ``equal_nan``. Shapes broadcast; gives booleans.

    Raises:
        RuntimeError: the dtypes differ, or a tolerance is negative.

    >>> import wengert as torch
    >>> torch.isclose(torch.tensor([1.0, 2.0]), torch.tensor([1.0 + 1e-9, 2.1]))
    tensor([ True, False])
    """
    a, b = require_tensor("isclose", input)._data, require_tensor("isclose", other, "other", 2)._data
    if a.dtype is not b.dtype:
        raise RuntimeError(
            f"{type_name(a)} did not match {type_name(b)}: the two tensors need the same dtype. Convert one, for "
            "example with input.to(other.dtype)"
        )
    for name, tolerance in (("rtol", rtol), ("atol", atol)):
        if tolerance < 0:
            raise RuntimeError(f"{name} must be greater than or equal to zero, but got {tolerance}")
    return apply(ISCLOSE, input, other, rtol=float(rtol), atol=float(atol), equal_nan=bool(equal_nan))


def allclose(input: Any, other: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> bool:
    """Whether all elements of two tensors are nearly equal, as :func:`isclose` says of each.

    Raises:
        RuntimeError: the dtypes differ, or a tolerance is negative.

    >>> import wengert as torch
    >>> torch.allclose(torch.tensor([1.0]), torch.tensor([1.0 + 1e-9]))
    True
    """
    return bool(np.all(isclose(input, other, rtol, atol, equal_nan)._data))


def equal(input: Any, other: Any) -> bool:
    """Whether two tensors have the same shape and equal elements; the dtype may differ, and nan equals nothing.

    >>> import wengert as torch
    >>> torch.equal(torch.tensor([1, 2]), torch.tensor([1.0, 2.0]))
    True
    """
    a, b = require_tensor("equal", input)._data, require_tensor("equal", other, "other", 2)._data
    return a.shape == b.shape and bool(np.all(apply(EQ, input, other)._data))


def _in_place(op: Op) -> Function:
    def method(self: Any, other: Any) -> Any:
        return inplace(op, self, other, number=not isinstance(other, TensorBase))

    named(method, op)
    method.__name__ = method.__qualname__ = op.name
    return method


_gt_ = _in_place(GT_)
_ge_ = _in_place(GE_)
_lt_ = _in_place(LT_)
_le_ = _in_place(LE_)
_eq_ = _in_place(EQ_)
_ne_ = _in_place(NE_)


class CompareMethods:
    """Comparisons as methods and operators."""

    __slots__ = ()

    __hash__ = object.__hash__  # by identity, although == compares element by element

    __eq__ = operator(EQ)
    __ne__ = operator(NE)
    __gt__ = operator(GT)
    __ge__ = operator(GE)
    __lt__ = operator(LT)
    __le__ = operator(LE)

    allclose = allclose
    equal = equal
    isclose = isclose
    gt = gt
    gt_ = _gt_
    ge = ge
    ge_ = _ge_
    lt = lt
    lt_ = _lt_
    le = le
    le_ = _le_
    eq = eq
    eq_ = _eq_
    ne = ne
    ne_ = _ne_
    greater = gt
    greater_ = _gt_
    greater_equal = ge
    greater_equal_ = _ge_
    less = lt
    less_ = _lt_
    less_equal = le
    less_equal_ = _le_
    not_equal = ne
    not_equal_ = _ne_
    logical_and = logical_and
    logical_and_ = inplace_of_tensors(LOGICAL_AND)
    logical_or = logical_or
    logical_or_ = inplace_of_tensors(LOGICAL_OR)
    logical_xor = logical_xor
    logical_xor_ = inplace_of_tensors(LOGICAL_XOR)
    logical_not = logical_not
    logical_not_ = inplace_method(LOGICAL_NOT)
    isnan = isnan
    isinf = isinf
    isfinite = isfinite
    isposinf = isposinf
    isneginf = isneginf
    isreal = isreal
    signbit = signbit
