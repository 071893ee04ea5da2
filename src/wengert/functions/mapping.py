"""Python functions of single elements, in place: ``apply_``, ``map_``, ``map2_``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert._dtypes import from_numpy_dtype
from wengert.engine.base import TensorBase, wrap

__all__ = ["MappingMethods"]


class MappingMethods:
    """The part of Tensor that calls Python functions element by element."""

    __slots__ = ()

    def apply_(self: Any, callable: Callable[[Any], Any]) -> Any:
        """Put ``callable(x)`` in the place of each element, one after the other; slow.

        Raises:
            RuntimeError: the tensor requires grad.
            TypeError: a result that is no number.

        >>> import wengert as torch
        >>> torch.tensor([1.0, 2.0]).apply_(lambda x: x * x)
        tensor([1., 4.])
        """
        return _written("apply_", self, (), callable)

    def map_(self: Any, tensor: Any, callable: Callable[[Any, Any], Any]) -> Any:
        """Put ``callable(x, y)`` in the place of each element, with those of another tensor, which broadcasts.

        Raises:
            RuntimeError: a tensor that requires grad, or sizes that do not fit.
            TypeError: a tensor of another dtype, or a result that is no number.

        >>> import wengert as torch
        >>> torch.tensor([1.0, 2.0]).map_(torch.tensor([3.0, 4.0]), lambda x, y: x * y)
        tensor([3., 8.])
        """
        return _written("map_", self, (tensor,), callable)

    def map2_(self: Any, x: Any, y: Any, callable: Callable[[Any, Any, Any], Any]) -> Any:
        """As :meth:`map_`, with two other tensors.

        >>> import wengert as torch
        >>> torch.tensor([1.0]).map2_(torch.tensor([3.0]), torch.tensor([5.0]), lambda a, b, c: a + b * c)
        tensor([16.])
        """
        return _written("map2_", self, (x, y), callable)


def _written(function: str, t: Any, others: tuple[Any, ...], call: Callable[..., Any]) -> Any:
    for position, other in enumerate(others):
        if not isinstance(other, TensorBase):
            name = "other" if len(others) == 1 else "xy"[position]
            raise TypeError(
                f"{function}(): argument '{name}' (position {position + 1}) must be Tensor, not {type(other).__name__}"
            )
    if any([x.requires_grad for x in (t, *others)]):
        raise RuntimeError(
            f"Can't call {function}() on Variable that requires grad. Use var.detach().{function}() instead."
        )
    dtype, shape = t._data.dtype, t._data.shape
    for other in others:
        if other._data.dtype is not dtype:
            expected, got = from_numpy_dtype(dtype), from_numpy_dtype(other._data.dtype)
            raise TypeError(f"{function}: expected a tensor of {expected} for 'other' (got one of {got})")
    columns = [x.expand(shape)._data.reshape(-1).tolist() for x in (t, *others)]
    results = [call(*elements) for elements in zip(*columns, strict=True)]
    kind: Any = {"b": bool, "i": int, "u": int, "f": float, "c": complex}[dtype.kind]
    for result in results:
        if isinstance(result, (str, bytes)):
            raise TypeError(f"{function}: the function must return a number, not {type(result).__name__}")
    return t.copy_(wrap(np.array([kind(result) for result in results], dtype).reshape(shape)))
