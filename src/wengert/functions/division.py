"""Quotients, rounded or not, and remainders: functions, methods and operators."""

from __future__ import annotations

from typing import Any

from wengert.engine.apply import apply
from wengert.engine.base import TensorBase
from wengert.engine.inplace import inplace
from wengert.engine.pointwise import binary, inplace_method, operator
from wengert.functions.elementwise import call, is_number, shown
from wengert.functions.options import require_tensor
from wengert.ops.arithmetic import DIV
from wengert.ops.division import (
    DIV_ROUNDING,
    FLOOR_DIVIDE,
    FMOD,
    FMOD_NUMBER,
    NUMBER_REMAINDER,
    REMAINDER,
    REMAINDER_NUMBER,
)

__all__ = ["DivisionMethods", "div", "divide", "floor_divide", "fmod", "remainder", "true_divide"]

_div = binary(DIV)
_remainder = binary(REMAINDER)
_remainder_number = binary(REMAINDER_NUMBER)
_fmod = binary(FMOD)
_fmod_number = binary(FMOD_NUMBER)
_mod_tensor = operator(REMAINDER)
_mod_number = operator(REMAINDER_NUMBER)
true_divide = shown(binary(DIV), __name__, "true_divide(torch.tensor([1, 2]), 2)", "tensor([0.5000, 1.0000])")
true_divide.__name__ = true_divide.__qualname__ = "true_divide"


def div(input: Any, other: Any, *, rounding_mode: str | None = None, out: Any = None) -> Any:
    """Divides ``input`` by ``other``, element by element.

    ``rounding_mode`` is None (true division: integers give floats), ``"floor"`` (rounded down) or ``"trunc"`` (rounded
    towards zero; integers stay integers in both). Shapes broadcast, dtypes promote. A rounded quotient has the
    derivative zero.

    Raises:
        RuntimeError: another ``rounding_mode``, shapes that do not broadcast, or integers rounded after division by
            zero.

    >>> import wengert as torch
    >>> torch.div(torch.tensor([7, -7]), 2)
    tensor([ 3.5000, -3.5000])
    >>> torch.div(torch.tensor([7, -7]), 2, rounding_mode="trunc")
    tensor([ 3, -3])
    """
    if rounding_mode is None:
        return _div(input, other, out=out, depth=2)
    return call(DIV_ROUNDING, out, input, other, rounding_mode=_mode(rounding_mode))


divide = div


def _mode(rounding_mode: Any) -> str:
    if rounding_mode not in ("floor", "trunc"):
        raise RuntimeError(
            f"div expected rounding_mode to be one of None, 'trunc', or 'floor' but found {rounding_mode!r}"
        )
    return str(rounding_mode)


floor_divide = shown(binary(FLOOR_DIVIDE), __name__, "floor_divide(torch.tensor([7.0, -7.0]), 2)", "tensor([ 3., -4.])")


def remainder(input: Any, other: Any, *, out: Any = None) -> Any:
    """The remainder of division with the sign of the divisor, as Python's ``%``: ``a - b * floor(a / b)``.

    Shapes broadcast, dtypes promote. One of the two may be a number.

    Raises:
        RuntimeError: the shapes do not broadcast, or integers are divided by zero.

    >>> import wengert as torch
    >>> torch.remainder(torch.tensor([-7.0, 7.0]), 3)
    tensor([2., 1.])
    """
    if not isinstance(other, TensorBase):
        return _remainder_number(require_tensor("remainder", input), other, out=out, depth=2)
    if isinstance(input, TensorBase):
        return _remainder(input, other, out=out, depth=2)
    return call(NUMBER_REMAINDER, out, input, other)


def fmod(input: Any, other: Any, *, out: Any = None) -> Any:
    """The remainder of division with the sign of the dividend, as C's ``fmod``: ``a - b * trunc(a / b)``.

    Shapes broadcast, dtypes promote; ``other`` may be a number.

    Raises:
        RuntimeError: the shapes do not broadcast, or integers are divided by zero.

    >>> import wengert as torch
    >>> torch.fmod(torch.tensor([-7.0, 7.0]), 3)
    tensor([-1.,  1.])
    """
    core = _fmod if isinstance(other, TensorBase) else _fmod_number
    return core(require_tensor("fmod", input), other, out=out, depth=2)


def _div_(self: Any, other: Any, *, rounding_mode: str | None = None) -> Any:
    """In-place version of :func:`div`."""
    if rounding_mode is None:
        return inplace(DIV, self, other)
    return inplace(DIV_ROUNDING, self, other, rounding_mode=_mode(rounding_mode))


def _remainder_(self: Any, other: Any) -> Any:
    """In-place version of :func:`remainder`."""
    return inplace(REMAINDER if isinstance(other, TensorBase) else REMAINDER_NUMBER, self, other)


def _fmod_(self: Any, other: Any) -> Any:
    """In-place version of :func:`fmod`."""
    return inplace(FMOD if isinstance(other, TensorBase) else FMOD_NUMBER, self, other)


def _mod(self: Any, other: Any) -> Any:
    """``self % other``."""
    return _mod_tensor(self, other, 2) if isinstance(other, TensorBase) else _mod_number(self, other, 2)


def _rmod(self: Any, other: Any) -> Any:
    """``other % self``."""
    if isinstance(other, TensorBase):
        return apply(REMAINDER, other, self)
    return apply(NUMBER_REMAINDER, other, self) if is_number(other) else NotImplemented


_floor_divide_ = inplace_method(FLOOR_DIVIDE)


def _rfloordiv(self: Any, other: Any) -> Any:
    """``other // self``."""
    return apply(FLOOR_DIVIDE, other, self) if is_number(other) else NotImplemented


class DivisionMethods:
    """Quotients and remainders as methods and operators; ``/`` itself stands with the sums and products."""

    __slots__ = ()

    div = div
    div_ = _div_
    divide = div
    divide_ = _div_
    floor_divide = floor_divide
    floor_divide_ = _floor_divide_
    fmod = fmod
    fmod_ = _fmod_
    remainder = remainder
    remainder_ = _remainder_
    true_divide = true_divide
    true_divide_ = inplace_method(DIV)

    __floordiv__ = operator(FLOOR_DIVIDE)
    __rfloordiv__ = _rfloordiv
    __ifloordiv__ = _floor_divide_
    __mod__ = _mod
    __rmod__ = _rmod
    __imod__ = _remainder_
