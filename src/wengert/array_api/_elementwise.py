"""The standard's elementwise functions: PyTorch's, with the standard's promotion."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.array_api._types import common_dtype, in_dtype, promoted, require_arrays, writable
from wengert.engine.base import TensorBase, wrap
from wengert.functions import arithmetic, bits, compare, complex_parts, division, elementary, powers, rounding, select
from wengert.functions.creation import zeros as new_zeros

__all__ = [
    "abs",
    "acos",
    "acosh",
    "add",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "bitwise_and",
    "bitwise_invert",
    "bitwise_left_shift",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
    "ceil",
    "clip",
    "conj",
    "copysign",
    "cos",
    "cosh",
    "divide",
    "equal",
    "exp",
    "expm1",
    "floor",
    "floor_divide",
    "greater",
    "greater_equal",
    "hypot",
    "imag",
    "isfinite",
    "isinf",
    "isnan",
    "less",
    "less_equal",
    "log",
    "log1p",
    "log2",
    "log10",
    "logaddexp",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "maximum",
    "minimum",
    "multiply",
    "negative",
    "nextafter",
    "not_equal",
    "positive",
    "pow",
    "real",
    "reciprocal",
    "remainder",
    "round",
    "sign",
    "signbit",
    "sin",
    "sinh",
    "sqrt",
    "square",
    "subtract",
    "tan",
    "tanh",
    "trunc",
]


def _named(function: Any, name: str, of: Callable[..., Any]) -> Any:
    function.__name__ = function.__qualname__ = name
    function.__doc__ = (of.__doc__ or "").partition("\n")[0]
    return function


def unary(name: str, of: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A function of one array that is a function of wengert with the standard's name and arguments."""

    def function(x: Any, /) -> Any:
        require_arrays(name, x)
        return of(x)

    return _named(function, name, of)  # type: ignore[no-any-return]


def _remainder(x1: Any, x2: Any) -> Any:
    """Remainder of each element, with the sign of its divisor: a zero, too, which keeps its dividend's in PyTorch."""
    y = division.remainder(x1, x2)
    if y._data.dtype.kind != "f":
        return y
    sign = x2.detach().sign()
    return sign * (sign * y + 0.0)  # -0 + 0 is 0


def _binary(name: str, of: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """A function of two arrays, or an array and a number in either order, computed in their common dtype."""

    def function(x1: Any, x2: Any, /) -> Any:
        if isinstance(x1, TensorBase) and isinstance(x2, TensorBase) and x1._data.dtype is x2._data.dtype:
            return of(x1, x2)
        return of(*promoted(name, x1, x2))

    return _named(function, name, of)  # type: ignore[no-any-return]


def _whole(of: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A rounding: integers are round already; complex numbers are rounded in both parts."""

    def function(x: Any) -> Any:
        kind = x._data.dtype.kind
        if kind in "iu":
            return x.clone()
        return complex_parts.complex(of(x.real), of(x.imag)) if kind == "c" else of(x)

    return _named(function, of.__name__, of)  # type: ignore[no-any-return]


def _sign(x: Any) -> Any:
    """The sign of each element, NaN of NaN; of complex numbers ``x / |x|``, and 0 at 0."""
    if x._data.dtype.kind == "c":
        return complex_parts.sgn(x)
    sign = complex_parts.sign(x)
    return sign if x._data.dtype.kind != "f" else select.where(compare.isnan(x), x.detach(), sign)


def _expm1(x: Any) -> Any:
    """exp(x) - 1 of each element, exact near 0; of complex numbers with the standard's special values."""
    if x._data.dtype.kind != "c":
        return elementary.expm1(x)
    is_finite = compare.isfinite(x)
    near = elementary.expm1(select.where(is_finite, x, 0))  # NaN for every infinity
    far = elementary.exp(select.where(is_finite, 0, x)) - 1
    y = select.where(is_finite, near, far)
    return complex_parts.complex(y.real + 0.0, y.imag)  # -0 + 0 is 0


def _imaginary(x: Any) -> Any:
    """The imaginary part of each element; zeros for real numbers."""
    return complex_parts.imag(x) if x._data.dtype.kind == "c" else new_zeros(tuple(x.shape), dtype=x.dtype)


def _root(x: Any) -> Any:
    """The square root of each element."""
    return writable(powers.sqrt(x))


abs = unary("abs", complex_parts.abs)
acos = unary("acos", elementary.acos)
acosh = unary("acosh", elementary.acosh)
asin = unary("asin", elementary.asin)
asinh = unary("asinh", elementary.asinh)
atan = unary("atan", elementary.atan)
atanh = unary("atanh", elementary.atanh)
bitwise_invert = unary("bitwise_invert", bits.bitwise_not)
ceil = unary("ceil", _whole(rounding.ceil))
conj = unary("conj", complex_parts.conj)
cos = unary("cos", elementary.cos)
cosh = unary("cosh", elementary.cosh)
exp = unary("exp", elementary.exp)
expm1 = unary("expm1", _expm1)
floor = unary("floor", _whole(rounding.floor))
imag = unary("imag", _imaginary)
isfinite = unary("isfinite", compare.isfinite)
isinf = unary("isinf", compare.isinf)
isnan = unary("isnan", compare.isnan)
log = unary("log", elementary.log)
log1p = unary("log1p", elementary.log1p)
log2 = unary("log2", elementary.log2)
log10 = unary("log10", elementary.log10)
logical_not = unary("logical_not", compare.logical_not)
negative = unary("negative", arithmetic.neg)
positive = unary("positive", arithmetic.positive)
real = unary("real", complex_parts.real)
reciprocal = unary("reciprocal", arithmetic.reciprocal)
round = unary("round", _whole(rounding.round))
sign = unary("sign", _sign)
signbit = unary("signbit", compare.signbit)
sin = unary("sin", elementary.sin)
sinh = unary("sinh", elementary.sinh)
sqrt = unary("sqrt", _root)
square = unary("square", powers.square)
tan = unary("tan", elementary.tan)
tanh = unary("tanh", elementary.tanh)
trunc = unary("trunc", _whole(rounding.trunc))

add = _binary("add", arithmetic.add)
atan2 = _binary("atan2", elementary.atan2)
bitwise_and = _binary("bitwise_and", bits.bitwise_and)
bitwise_left_shift = _binary("bitwise_left_shift", bits.bitwise_left_shift)
bitwise_or = _binary("bitwise_or", bits.bitwise_or)
bitwise_right_shift = _binary("bitwise_right_shift", bits.bitwise_right_shift)
bitwise_xor = _binary("bitwise_xor", bits.bitwise_xor)
copysign = _binary("copysign", rounding.copysign)
divide = _binary("divide", division.div)
equal = _binary("equal", compare.eq)
floor_divide = _binary("floor_divide", division.floor_divide)
greater = _binary("greater", compare.gt)
greater_equal = _binary("greater_equal", compare.ge)
hypot = _binary("hypot", powers.hypot)
less = _binary("less", compare.lt)
less_equal = _binary("less_equal", compare.le)
logaddexp = _binary("logaddexp", elementary.logaddexp)
logical_and = _binary("logical_and", compare.logical_and)
logical_or = _binary("logical_or", compare.logical_or)
logical_xor = _binary("logical_xor", compare.logical_xor)
maximum = _binary("maximum", select.maximum)
minimum = _binary("minimum", select.minimum)
multiply = _binary("multiply", arithmetic.mul)
nextafter = _binary("nextafter", rounding.nextafter)
not_equal = _binary("not_equal", compare.ne)
pow = _binary("pow", powers.pow)
remainder = _binary("remainder", _remainder)
subtract = _binary("subtract", arithmetic.sub)


def clip(x: Any, /, min: Any = None, max: Any = None) -> Any:
    """The elements of ``x``, those below ``min`` or above ``max`` (numbers or arrays) replaced by these bounds.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.clip(torch.tensor([1.0, 5.0, 9.0]), 2, 6)
    tensor([2., 5., 6.])
    """
    require_arrays("clip", x)
    bounds = [bound for bound in (min, max) if bound is not None]
    if not bounds:
        return x.clone()
    dtype = common_dtype(x, *bounds)
    low, high = (_bound(bound, dtype) for bound in (min, max))
    return select.clamp(in_dtype(x, dtype), low, high)


def _bound(bound: Any, dtype: np.dtype[Any]) -> Any:
    if bound is None or isinstance(bound, TensorBase):
        return None if bound is None else in_dtype(bound, dtype)
    return wrap(dtype.type(bound))
