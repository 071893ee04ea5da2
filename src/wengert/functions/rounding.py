"""Rounding and the pieces of a floating-point number: functions and methods."""

from __future__ import annotations

from typing import Any

from wengert import _return_types as return_types
from wengert.engine.apply import apply
from wengert.engine.base import TensorBase
from wengert.engine.inplace import inplace
from wengert.engine.out import deliver
from wengert.engine.pointwise import inplace_method, unary
from wengert.functions.elementwise import call, inplace_of_tensors, of_tensors, shown
from wengert.functions.options import require_tensor
from wengert.ops.checks import type_name
from wengert.ops.rounding import (
    CEIL,
    COPYSIGN,
    COPYSIGN_NUMBER,
    FLOOR,
    FRAC,
    FREXP,
    HEAVISIDE,
    LDEXP,
    NEXTAFTER,
    ROUND,
    ROUND_DECIMALS,
    TRUNC,
)

__all__ = [
    "RoundingMethods",
    "ceil",
    "copysign",
    "fix",
    "floor",
    "frac",
    "frexp",
    "heaviside",
    "ldexp",
    "nextafter",
    "round",
    "trunc",
]

floor = shown(unary(FLOOR), __name__, "floor(torch.tensor([1.5, -1.5]))", "tensor([ 1., -2.])")
ceil = shown(unary(CEIL), __name__, "ceil(torch.tensor([1.5, -1.5]))", "tensor([ 2., -1.])")
trunc = shown(unary(TRUNC), __name__, "trunc(torch.tensor([1.5, -1.5]))", "tensor([ 1., -1.])")
frac = shown(unary(FRAC), __name__, "frac(torch.tensor([1.5, -1.25]))", "tensor([ 0.5000, -0.2500])")
nextafter = shown(
    of_tensors(NEXTAFTER),
    __name__,
    "nextafter(torch.tensor([1.0]), torch.tensor([2.0])) == 1 + torch.finfo(torch.float32).eps",
    "tensor([True])",
)
ldexp = shown(
    of_tensors(LDEXP), __name__, "ldexp(torch.tensor([1.0, 3.0]), torch.tensor([2, 3]))", "tensor([ 4., 24.])"
)
fix = trunc
_round = unary(ROUND)


def round(input: Any, *, decimals: int = 0, out: Any = None) -> Any:
    """Rounds each element to the nearest integer, halves to the even one, or to a number of decimals.

    With negative ``decimals`` it rounds to tens, hundreds and so on. The derivative is zero.

    Raises:
        NotImplementedError: ``decimals`` for integers; booleans or complex numbers.

    >>> import wengert as torch
    >>> torch.round(torch.tensor([0.5, 1.5, 2.6]))
    tensor([0., 2., 3.])
    >>> torch.round(torch.tensor([1.2345]), decimals=2)
    tensor([1.2300])
    """
    if decimals == 0:
        return _round(input, out=out, depth=2)
    return call(ROUND_DECIMALS, out, require_tensor("round", input), decimals=int(decimals))


def copysign(input: Any, other: Any, *, out: Any = None) -> Any:
    """The size of ``input`` with the sign of ``other``, a tensor or a number; zeros and nan have signs, too.

    Shapes broadcast, dtypes promote, integers give floats.

    Raises:
        RuntimeError: the shapes do not broadcast.

    >>> import wengert as torch
    >>> torch.copysign(torch.tensor([1.0, -2.0]), torch.tensor([-1.0, 0.0]))
    tensor([-1.,  2.])
    """
    op = COPYSIGN if isinstance(other, TensorBase) else COPYSIGN_NUMBER
    return call(op, out, require_tensor("copysign", input), other)


def heaviside(input: Any, values: Any, *, out: Any = None) -> Any:
    """The step function: 0 below zero, 1 above, and ``values`` at zero.

    Shapes broadcast. Not differentiable.

    Raises:
        RuntimeError: the dtypes differ, or are complex.

    >>> import wengert as torch
    >>> torch.heaviside(torch.tensor([-1.0, 0.0, 1.0]), torch.tensor(0.5))
    tensor([0.0000, 0.5000, 1.0000])
    """
    _check_heaviside(input, values)
    return call(HEAVISIDE, out, input, values)


def _check_heaviside(input: Any, values: Any) -> None:
    a, b = require_tensor("heaviside", input)._data, require_tensor("heaviside", values, "values", 2)._data
    if a.dtype is not b.dtype:
        raise RuntimeError(
            "heaviside is not yet implemented for tensors with different dtypes. "
            f"Got {type_name(a)} and {type_name(b)}: convert one, for example with values.to(input.dtype)"
        )


def frexp(input: Any, *, out: Any = None) -> return_types.frexp:
    """Splits each element into a mantissa of size 0.5 to 1 and a power of two: ``mantissa * 2 ** exponent``.

    The exponents are int32.

    Raises:
        RuntimeError: ``input`` is not floating-point.

    >>> import wengert as torch
    >>> mantissa, exponent = torch.frexp(torch.tensor([3.0, 0.25]))
    >>> mantissa, exponent
    (tensor([0.7500, 0.5000]), tensor([ 2, -1], dtype=torch.int32))
    """
    if require_tensor("frexp", input)._data.dtype.kind != "f":
        raise RuntimeError(f"torch.frexp() only supports floating-point dtypes. Got {type_name(input._data)}")
    result = apply(FREXP, input)
    if out is not None:
        result = [deliver(o, r, input) for o, r in zip(out, result, strict=True)]
    return return_types.frexp(result)


def _round_(self: Any, *, decimals: int = 0) -> Any:
    """In-place version of :func:`round`."""
    return inplace(ROUND, self) if decimals == 0 else inplace(ROUND_DECIMALS, self, decimals=int(decimals))


def _copysign_(self: Any, other: Any) -> Any:
    """In-place version of :func:`copysign`."""
    return inplace(COPYSIGN if isinstance(other, TensorBase) else COPYSIGN_NUMBER, self, other)


def _heaviside_(self: Any, values: Any) -> Any:
    """In-place version of :func:`heaviside`."""
    _check_heaviside(self, values)
    return inplace(HEAVISIDE, self, values)


_trunc_ = inplace_method(TRUNC)


class RoundingMethods:
    """Rounding as methods."""

    __slots__ = ()

    ceil = ceil
    ceil_ = inplace_method(CEIL)
    copysign = copysign
    copysign_ = _copysign_
    fix = trunc
    fix_ = _trunc_
    floor = floor
    floor_ = inplace_method(FLOOR)
    frac = frac
    frac_ = inplace_method(FRAC)
    frexp = frexp
    heaviside = heaviside
    heaviside_ = _heaviside_
    ldexp = ldexp
    ldexp_ = inplace_of_tensors(LDEXP)
    nextafter = nextafter
    nextafter_ = inplace_of_tensors(NEXTAFTER)
    round = round
    round_ = _round_
    trunc = trunc
    trunc_ = _trunc_
