"""One value in every place: ``fill``, ``fill_``, ``zero_``."""

from __future__ import annotations

from typing import Any

from wengert.engine.apply import apply
from wengert.engine.base import TensorBase, is_leveled, is_tracking
from wengert.engine.inplace import check_writable, inplace, write
from wengert.engine.state import STATE
from wengert.functions.nested import cast, filling_tensor
from wengert.functions.options import number, require_tensor
from wengert.ops.filling import FILL, FILL_IN_PLACE, FILL_WITH, FILL_WITH_IN_PLACE, ZERO
from wengert.ops.record import Op

__all__ = ["FillingMethods", "fill", "fill_", "zero_"]


def _operands(function: str, input: Any, value: Any, with_number: Op, with_tensor: Op) -> tuple[Op, Any]:
    """The operation to apply, and the value as an untracked or tracked tensor without dimensions."""
    if not isinstance(value, TensorBase):
        return with_number, filling_tensor(number(function, "value", 2, value), input._data.dtype)
    if value._data.ndim:
        raise RuntimeError(
            f"{function} only supports 0-dimension value tensor but got tensor with {value._data.ndim} dimensions. "
            "copy_() takes one value for each element"
        )
    return with_tensor, value


def fill(input: Any, value: Any) -> Any:
    """A copy of ``input`` with ``value``, a number or a tensor without dimensions, in every place.

    Raises:
        TypeError: the value is no number.
        RuntimeError: the number does not fit the dtype, or the value has dimensions.

    >>> import wengert as torch
    >>> torch.fill(torch.zeros(2), 3)
    tensor([3., 3.])
    """
    require_tensor("fill", input)
    op, operand = _operands("fill", input, value, FILL, FILL_WITH)
    return apply(op, input, operand)


def fill_(input: Any, value: Any) -> Any:
    """Write ``value``, a number or a tensor without dimensions, into every place of ``input``; returns ``input``.

    Raises:
        TypeError: the value is no number.
        RuntimeError: the number does not fit the dtype, the value has dimensions, or ``input`` is a leaf that requires
            grad.

    >>> import wengert as torch
    >>> torch.zeros(2).fill_(3)
    tensor([3., 3.])
    """
    require_tensor("fill_", input)
    op, operand = _operands("fill_", input, value, FILL_IN_PLACE, FILL_WITH_IN_PLACE)
    if _is_tracked(input) or _is_tracked(operand):
        return inplace(op, input, operand)
    check_writable(input, False)
    write(input, cast(operand._data, input._data.dtype))
    return input


def zero_(input: Any) -> Any:
    """Write zero into every place of ``input``; returns ``input``.

    Raises:
        RuntimeError: ``input`` is a leaf that requires grad.

    >>> import wengert as torch
    >>> torch.ones(2).zero_()
    tensor([0., 0.])
    """
    require_tensor("zero_", input)
    if _is_tracked(input):
        return inplace(ZERO, input)
    check_writable(input, False)
    write(input, input._data.dtype.type(0))
    return input


def _is_tracked(t: Any) -> bool:
    """Whether a write must be seen by a graph, a trace, or by a tangent or a batch."""
    return STATE.trace is not None or (STATE.grad_enabled and is_tracking(t)) or is_leveled(t)


class FillingMethods:
    """The part of Tensor that writes one value everywhere."""

    __slots__ = ()

    fill_ = fill_
    zero_ = zero_
