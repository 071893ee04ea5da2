"""Powers and roots: functions, methods and operators."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.engine.apply import apply
from wengert.engine.base import TensorBase
from wengert.engine.inplace import inplace
from wengert.engine.out import deliver
from wengert.engine.pointwise import MATRIX, constant, inplace_method, operator, unary
from wengert.functions.convert import cast_to
from wengert.functions.elementwise import (
    call,
    category_of,
    inplace_of_tensors,
    is_number,
    of_tensors,
    shown,
)
from wengert.functions.options import require_tensor
from wengert.ops.checks import type_name
from wengert.ops.powers import HYPOT, NUMBER_POW, POW, POW_NUMBER, RSQRT, SQRT

__all__ = ["PowerMethods", "float_power", "hypot", "pow", "rsqrt", "sqrt", "square"]

_by_tensor = operator(POW)
_by_number = operator(POW_NUMBER)


def pow(input: Any, exponent: Any, *, out: Any = None) -> Any:
    """Raises each element of ``input`` to the power of ``exponent``: ``input ** exponent``.

    One of the two may be a number. Shapes broadcast, dtypes promote.

    Raises:
        RuntimeError: the shapes do not broadcast, or integers are raised to a negative integer number.

    >>> import wengert as torch
    >>> torch.pow(torch.tensor([1.0, 2.0, 3.0]), 2)
    tensor([1., 4., 9.])
    >>> torch.pow(2, torch.tensor([1, 2, 3]))
    tensor([2, 4, 8])
    """
    result = _power("pow", input, exponent)
    return result if out is None else deliver(out, result, input, exponent)


def _power(function: str, input: Any, exponent: Any) -> Any:
    if isinstance(exponent, TensorBase):
        return _by_tensor(input, exponent, 3) if isinstance(input, TensorBase) else apply(NUMBER_POW, input, exponent)
    require_tensor(function, input)
    if not is_number(exponent):
        require_tensor(function, exponent, "exponent", 2)
    return _by_number(input, exponent, 3)


def float_power(input: Any, exponent: Any, *, out: Any = None) -> Any:
    """Raises each element to a power in float64, or complex128 where one of the two is complex.

    Raises:
        RuntimeError: the shapes do not broadcast.

    >>> import wengert as torch
    >>> torch.float_power(torch.tensor([2, 3]), -1)
    tensor([0.5000, 0.3333], dtype=torch.float64)
    """
    if not isinstance(input, TensorBase):
        require_tensor("float_power", exponent, "exponent", 2)
    dtype = _double(input, exponent)
    result = _power("float_power", _as_double(input, dtype), _as_double(exponent, dtype))
    return result if out is None else deliver(out, result, input, exponent)


def _double(input: Any, exponent: Any) -> np.dtype[Any]:
    return np.dtype(np.complex128 if category_of(input, exponent) == "c" else np.float64)


def _as_double(x: Any, dtype: np.dtype[Any]) -> Any:
    if isinstance(x, TensorBase):
        return cast_to(x, dtype)
    return complex(x) if dtype.kind == "c" else float(x)


def square(input: Any, *, out: Any = None) -> Any:
    """The square of each element: ``input ** 2``.

    >>> import wengert as torch
    >>> torch.square(torch.tensor([1.0, -2.0]))
    tensor([1., 4.])
    """
    if out is None and isinstance(input, TensorBase):
        return _by_number(input, 2, 2)
    return call(POW_NUMBER, out, require_tensor("square", input), 2)


sqrt = shown(unary(SQRT), __name__, "sqrt(torch.tensor([4.0, 2.0]))", "tensor([2.0000, 1.4142])")
rsqrt = shown(unary(RSQRT), __name__, "rsqrt(torch.tensor([4.0, 2.0]))", "tensor([0.5000, 0.7071])")
hypot = shown(of_tensors(HYPOT), __name__, "hypot(torch.tensor([3.0]), torch.tensor([4.0]))", "tensor([5.])")


def _pow_operator(self: Any, other: Any) -> Any:
    """``self ** other``."""
    if isinstance(other, np.ndarray):
        if other.__class__ is np.matrix:
            raise TypeError(MATRIX)
        other = constant(other)
    return _by_tensor(self, other, 2) if isinstance(other, TensorBase) else _by_number(self, other, 2)


def _rpow(self: Any, other: Any) -> Any:
    """``other ** self``."""
    if isinstance(other, TensorBase):
        return apply(POW, other, self)
    return apply(NUMBER_POW, other, self) if is_number(other) else NotImplemented


def _pow_(self: Any, exponent: Any) -> Any:
    """In-place version of :func:`pow`."""
    return inplace(POW if isinstance(exponent, TensorBase) else POW_NUMBER, self, exponent)


def _float_power_(self: Any, exponent: Any) -> Any:
    """In-place version of :func:`float_power`, for a float64 or complex128 tensor."""
    dtype = _double(self, exponent)
    if self._data.dtype != dtype:
        raise RuntimeError(
            f"the base given to float_power_ has dtype {type_name(self._data)} but the operation's result requires "
            f"dtype {type_name(np.empty((), dtype))}"
        )
    return _pow_(self, _as_double(exponent, dtype))


def _square_(self: Any) -> Any:
    """In-place version of :func:`square`."""
    return inplace(POW_NUMBER, self, 2)


class PowerMethods:
    """Powers and roots as methods and operators."""

    __slots__ = ()

    float_power = float_power
    float_power_ = _float_power_
    hypot = hypot
    hypot_ = inplace_of_tensors(HYPOT)
    pow = pow
    pow_ = _pow_
    rsqrt = rsqrt
    rsqrt_ = inplace_method(RSQRT)
    sqrt = sqrt
    sqrt_ = inplace_method(SQRT)
    square = square
    square_ = _square_

    __pow__ = _pow_operator
    __rpow__ = _rpow
    __ipow__ = _pow_
