"""Exponentials, logarithms, circular and hyperbolic functions: functions and methods."""

from __future__ import annotations

from typing import Any

from wengert.engine.base import TensorBase
from wengert.engine.inplace import inplace
from wengert.engine.pointwise import inplace_method, unary
from wengert.functions.elementwise import call, inplace_of_tensors, of_tensors, shown
from wengert.functions.options import require_tensor
from wengert.ops.elementary import (
    ACOS,
    ACOSH,
    ASIN,
    ASINH,
    ATAN,
    ATAN2,
    ATANH,
    COS,
    COSH,
    DEG2RAD,
    EXP,
    EXP2,
    EXPM1,
    LOG,
    LOG1P,
    LOG2,
    LOG10,
    LOGADDEXP,
    LOGADDEXP2,
    RAD2DEG,
    SIGMOID,
    SIN,
    SINC,
    SINH,
    TAN,
    TANH,
    XLOGY,
    XLOGY_FROM_NUMBER,
    XLOGY_NUMBER,
)

__all__ = [
    "ElementaryMethods",
    "acos",
    "acosh",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "cos",
    "cosh",
    "deg2rad",
    "exp",
    "exp2",
    "expm1",
    "log",
    "log1p",
    "log2",
    "log10",
    "logaddexp",
    "logaddexp2",
    "rad2deg",
    "sigmoid",
    "sin",
    "sinc",
    "sinh",
    "tan",
    "tanh",
    "xlogy",
]

exp = shown(unary(EXP), __name__, "exp(torch.tensor([0.0, 1.0]))", "tensor([1.0000, 2.7183])")
exp2 = shown(unary(EXP2), __name__, "exp2(torch.tensor([0.0, 3.0]))", "tensor([1., 8.])")
expm1 = shown(unary(EXPM1), __name__, "expm1(torch.tensor([0.0, 1.0]))", "tensor([0.0000, 1.7183])")
log = shown(unary(LOG), __name__, "log(torch.tensor([1.0, 2.0]))", "tensor([0.0000, 0.6931])")
log2 = shown(unary(LOG2), __name__, "log2(torch.tensor([1.0, 8.0]))", "tensor([0., 3.])")
log10 = shown(unary(LOG10), __name__, "log10(torch.tensor([1.0, 1000.0]))", "tensor([0., 3.])")
log1p = shown(unary(LOG1P), __name__, "log1p(torch.tensor([0.0, 1.0]))", "tensor([0.0000, 0.6931])")
sigmoid = shown(unary(SIGMOID), __name__, "sigmoid(torch.tensor([0.0, 2.0]))", "tensor([0.5000, 0.8808])")
sin = shown(unary(SIN), __name__, "sin(torch.tensor([0.0, 1.0]))", "tensor([0.0000, 0.8415])")
cos = shown(unary(COS), __name__, "cos(torch.tensor([0.0, 1.0]))", "tensor([1.0000, 0.5403])")
tan = shown(unary(TAN), __name__, "tan(torch.tensor([0.0, 1.0]))", "tensor([0.0000, 1.5574])")
asin = shown(unary(ASIN), __name__, "asin(torch.tensor([0.0, 1.0]))", "tensor([0.0000, 1.5708])")
acos = shown(unary(ACOS), __name__, "acos(torch.tensor([0.0, 1.0]))", "tensor([1.5708, 0.0000])")
atan = shown(unary(ATAN), __name__, "atan(torch.tensor([0.0, 1.0]))", "tensor([0.0000, 0.7854])")
atan2 = shown(
    of_tensors(ATAN2),
    __name__,
    "atan2(torch.tensor([1.0, -1.0]), torch.tensor([1.0, -1.0]))",
    "tensor([ 0.7854, -2.3562])",
)
sinc = shown(unary(SINC), __name__, "sinc(torch.tensor([0.0, 0.5]))", "tensor([1.0000, 0.6366])")
sinh = shown(unary(SINH), __name__, "sinh(torch.tensor([0.0, 1.0]))", "tensor([0.0000, 1.1752])")
cosh = shown(unary(COSH), __name__, "cosh(torch.tensor([0.0, 1.0]))", "tensor([1.0000, 1.5431])")
tanh = shown(unary(TANH), __name__, "tanh(torch.tensor([0.0, 1.0]))", "tensor([0.0000, 0.7616])")
asinh = shown(unary(ASINH), __name__, "asinh(torch.tensor([0.0, 1.0]))", "tensor([0.0000, 0.8814])")
acosh = shown(unary(ACOSH), __name__, "acosh(torch.tensor([1.0, 2.0]))", "tensor([0.0000, 1.3170])")
atanh = shown(unary(ATANH), __name__, "atanh(torch.tensor([0.0, 0.5]))", "tensor([0.0000, 0.5493])")
deg2rad = shown(unary(DEG2RAD), __name__, "deg2rad(torch.tensor([90.0, 180.0]))", "tensor([1.5708, 3.1416])")
rad2deg = shown(unary(RAD2DEG), __name__, "rad2deg(torch.tensor([0.0, 3.14159274]))", "tensor([  0., 180.])")
logaddexp = shown(
    of_tensors(LOGADDEXP),
    __name__,
    "logaddexp(torch.tensor([0.0, 1000.0]), torch.tensor([0.0, 1000.0]))",
    "tensor([6.9315e-01, 1.0007e+03])",
)
logaddexp2 = shown(
    of_tensors(LOGADDEXP2),
    __name__,
    "logaddexp2(torch.tensor([0.0, 3.0]), torch.tensor([0.0, 3.0]))",
    "tensor([1., 4.])",
)
arcsin = asin
arccos = acos
arctan = atan
arctan2 = atan2
arcsinh = asinh
arccosh = acosh
arctanh = atanh


def xlogy(input: Any, other: Any, *, out: Any = None) -> Any:
    """The product with a logarithm, ``input * log(other)``, which is 0 where ``input`` is 0 whatever the logarithm.

    One of the two may be a number. Shapes broadcast, dtypes promote, integers give floats.

    Raises:
        RuntimeError: the shapes do not broadcast.
        TypeError: neither argument is a tensor.

    >>> import wengert as torch
    >>> torch.xlogy(torch.tensor([0.0, 2.0]), torch.tensor([0.0, 3.0]))
    tensor([0.0000, 2.1972])
    """
    if isinstance(other, TensorBase):
        return call(XLOGY if isinstance(input, TensorBase) else XLOGY_FROM_NUMBER, out, input, other)
    return call(XLOGY_NUMBER, out, require_tensor("xlogy", input), other)


def _xlogy_(self: Any, other: Any) -> Any:
    """In-place version of :func:`xlogy`."""
    return inplace(XLOGY if isinstance(other, TensorBase) else XLOGY_NUMBER, self, other)


_asin_ = inplace_method(ASIN)
_acos_ = inplace_method(ACOS)
_atan_ = inplace_method(ATAN)
_atan2_ = inplace_of_tensors(ATAN2)
_asinh_ = inplace_method(ASINH)
_acosh_ = inplace_method(ACOSH)
_atanh_ = inplace_method(ATANH)


class ElementaryMethods:
    """Elementary functions as methods."""

    __slots__ = ()

    acos = acos
    acos_ = _acos_
    acosh = acosh
    acosh_ = _acosh_
    arccos = acos
    arccos_ = _acos_
    arccosh = acosh
    arccosh_ = _acosh_
    arcsin = asin
    arcsin_ = _asin_
    arcsinh = asinh
    arcsinh_ = _asinh_
    arctan = atan
    arctan_ = _atan_
    arctan2 = atan2
    arctan2_ = _atan2_
    arctanh = atanh
    arctanh_ = _atanh_
    asin = asin
    asin_ = _asin_
    asinh = asinh
    asinh_ = _asinh_
    atan = atan
    atan_ = _atan_
    atan2 = atan2
    atan2_ = _atan2_
    atanh = atanh
    atanh_ = _atanh_
    cos = cos
    cos_ = inplace_method(COS)
    cosh = cosh
    cosh_ = inplace_method(COSH)
    deg2rad = deg2rad
    deg2rad_ = inplace_method(DEG2RAD)
    exp = exp
    exp_ = inplace_method(EXP)
    exp2 = exp2
    exp2_ = inplace_method(EXP2)
    expm1 = expm1
    expm1_ = inplace_method(EXPM1)
    log = log
    log_ = inplace_method(LOG)
    log10 = log10
    log10_ = inplace_method(LOG10)
    log1p = log1p
    log1p_ = inplace_method(LOG1P)
    log2 = log2
    log2_ = inplace_method(LOG2)
    logaddexp = logaddexp
    logaddexp2 = logaddexp2
    rad2deg = rad2deg
    rad2deg_ = inplace_method(RAD2DEG)
    sigmoid = sigmoid
    sigmoid_ = inplace_method(SIGMOID)
    sin = sin
    sin_ = inplace_method(SIN)
    sinc = sinc
    sinc_ = inplace_method(SINC)
    sinh = sinh
    sinh_ = inplace_method(SINH)
    tan = tan
    tan_ = inplace_method(TAN)
    tanh = tanh
    tanh_ = inplace_method(TANH)
    xlogy = xlogy
    xlogy_ = _xlogy_
