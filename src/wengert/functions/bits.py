"""Bitwise operations and integer arithmetic: functions, methods and operators."""

from __future__ import annotations

from typing import Any

from wengert.engine.apply import apply
from wengert.engine.base import TensorBase
from wengert.engine.pointwise import inplace_method, named
from wengert.functions.elementwise import Function, call, inplace_of_tensors, is_number, of_tensors, shown
from wengert.functions.options import require_tensor
from wengert.ops.bits import (
    BITWISE_AND,
    BITWISE_LEFT_SHIFT,
    BITWISE_NOT,
    BITWISE_OR,
    BITWISE_RIGHT_SHIFT,
    BITWISE_XOR,
    GCD,
    LCM,
)
from wengert.ops.record import Op

__all__ = [
    "BitMethods",
    "bitwise_and",
    "bitwise_left_shift",
    "bitwise_not",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
    "gcd",
    "lcm",
]


def _bitwise(op: Op) -> Function:
    def function(input: Any, other: Any, *, out: Any = None) -> Any:
        if not isinstance(input, TensorBase):
            require_tensor(op.name, other, "other", 2)
        return call(op, out, input, other)

    return named(function, op)


def _operator(op: Op) -> Function:
    def method(self: Any, other: Any) -> Any:
        return apply(op, self, other) if isinstance(other, TensorBase) or is_number(other) else NotImplemented

    return named(method, op)


def _reflected(op: Op) -> Function:
    def method(self: Any, other: Any) -> Any:
        require_tensor(f"__r{op.name.removeprefix('bitwise_')}__", self, "self")
        return apply(op, other, self) if is_number(other) or isinstance(other, TensorBase) else NotImplemented

    return named(method, op)


bitwise_and = shown(_bitwise(BITWISE_AND), __name__, "bitwise_and(torch.tensor([1, 2, 3]), 2)", "tensor([0, 2, 2])")
bitwise_or = shown(_bitwise(BITWISE_OR), __name__, "bitwise_or(torch.tensor([1, 2, 3]), 2)", "tensor([3, 2, 3])")
bitwise_xor = shown(_bitwise(BITWISE_XOR), __name__, "bitwise_xor(torch.tensor([1, 2, 3]), 2)", "tensor([3, 0, 1])")
bitwise_left_shift = shown(
    _bitwise(BITWISE_LEFT_SHIFT), __name__, "bitwise_left_shift(torch.tensor([1, 2, 3]), 2)", "tensor([ 4,  8, 12])"
)
bitwise_right_shift = shown(
    _bitwise(BITWISE_RIGHT_SHIFT), __name__, "bitwise_right_shift(torch.tensor([4, 8, 9]), 2)", "tensor([1, 2, 2])"
)


def bitwise_not(input: Any, *, out: Any = None) -> Any:
    """Turns over every bit of integers: ``~x``, which is ``-x - 1``; negates booleans.

    Raises:
        NotImplementedError: ``input`` is neither integer nor boolean.

    >>> import wengert as torch
    >>> torch.bitwise_not(torch.tensor([0, 1, -1]))
    tensor([-1, -2,  0])
    """
    return call(BITWISE_NOT, out, require_tensor("bitwise_not", input))


gcd = shown(of_tensors(GCD), __name__, "gcd(torch.tensor([12, 7]), torch.tensor([18, 14]))", "tensor([6, 7])")
lcm = shown(of_tensors(LCM), __name__, "lcm(torch.tensor([4, 7]), torch.tensor([6, 14]))", "tensor([12, 14])")


def _invert(self: Any) -> Any:
    """``~self``."""
    if self._data.dtype.kind not in "biu":
        raise TypeError(
            "~ (operator.invert) is only implemented on integer and Boolean-type tensors. "
            f"This one is {self.dtype}: compare first, as in ~(x > 0)"
        )
    return bitwise_not(self)


_bitwise_and_ = inplace_method(BITWISE_AND)
_bitwise_or_ = inplace_method(BITWISE_OR)
_bitwise_xor_ = inplace_method(BITWISE_XOR)
_bitwise_left_shift_ = inplace_method(BITWISE_LEFT_SHIFT)
_bitwise_right_shift_ = inplace_method(BITWISE_RIGHT_SHIFT)


class BitMethods:
    """Bitwise operations as methods and operators."""

    __slots__ = ()

    bitwise_and = bitwise_and
    bitwise_and_ = _bitwise_and_
    bitwise_or = bitwise_or
    bitwise_or_ = _bitwise_or_
    bitwise_xor = bitwise_xor
    bitwise_xor_ = _bitwise_xor_
    bitwise_left_shift = bitwise_left_shift
    bitwise_left_shift_ = _bitwise_left_shift_
    bitwise_right_shift = bitwise_right_shift
    bitwise_right_shift_ = _bitwise_right_shift_
    bitwise_not = bitwise_not
    bitwise_not_ = inplace_method(BITWISE_NOT)
    gcd = gcd
    gcd_ = inplace_of_tensors(GCD)
    lcm = lcm
    lcm_ = inplace_of_tensors(LCM)

    __invert__ = _invert
    __and__ = _operator(BITWISE_AND)
    __rand__ = _reflected(BITWISE_AND)
    __iand__ = _bitwise_and_
    __or__ = _operator(BITWISE_OR)
    __ror__ = _reflected(BITWISE_OR)
    __ior__ = _bitwise_or_
    __xor__ = _operator(BITWISE_XOR)
    __rxor__ = _reflected(BITWISE_XOR)
    __ixor__ = _bitwise_xor_
    __lshift__ = _operator(BITWISE_LEFT_SHIFT)
    __rlshift__ = _reflected(BITWISE_LEFT_SHIFT)
    __ilshift__ = _bitwise_left_shift_
    __rshift__ = _operator(BITWISE_RIGHT_SHIFT)
    __rrshift__ = _reflected(BITWISE_RIGHT_SHIFT)
    __irshift__ = _bitwise_right_shift_
