"""``Variable``, what tracked tensors were before they were tensors; older programs still call it."""

from __future__ import annotations

from typing import Any

from wengert.engine.base import TensorBase


class _VariableMeta(type):
    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, TensorBase)


class Variable(metaclass=_VariableMeta):
    """Make a tensor on the memory of another one; every tensor is an instance.

    Args:
        data: a tensor.
        requires_grad: whether to track it.

    Raises:
        TypeError: ``data`` is no tensor.

    >>> import wengert as torch
    >>> x = torch.autograd.Variable(torch.ones(2), requires_grad=True)
    >>> x, isinstance(x, torch.autograd.Variable)
    (tensor([1., 1.], requires_grad=True), True)
    """

    def __new__(cls, data: Any, requires_grad: bool = False) -> Any:
        """Give the tensor."""
        if not isinstance(data, TensorBase):
            raise TypeError(
                f"Variable data has to be a tensor, but got {type(data).__name__}: make one with torch.tensor(...)"
            )
        made: Any = data.data  # type: ignore[attr-defined]
        return made.requires_grad_(requires_grad)


__all__ = ["Variable"]
