"""``Parameter``: a tensor that a model learns."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from wengert._dtypes import DEFAULTS
from wengert._tensor import Tensor
from wengert.engine.base import TensorBase, array_of, cell_of, wrap
from wengert.engine.pointwise import bind_parameter_class

__all__ = ["Buffer", "Parameter"]


class Parameter(Tensor):
    """A leaf of the graph on the memory of ``data``, which requires grad unless told otherwise.

    What is computed from it is an ordinary tensor.

    Args:
        data: a tensor; None makes an empty one.
        requires_grad: whether to track it.

    Raises:
        AttributeError: ``data`` is no tensor.
        RuntimeError: its dtype is neither float nor complex, and ``requires_grad`` is not False.

    >>> import wengert as torch
    >>> w = torch.nn.Parameter(torch.ones(2))
    >>> w
    Parameter containing:
    tensor([1., 1.], requires_grad=True)
    >>> w * 2
    tensor([2., 2.], grad_fn=<MulBackward0>)
    """

    __slots__ = ()

    def __new__(cls, data: Any = None, requires_grad: bool = True) -> Self:
        """Make a parameter on the memory of ``data``."""
        if data is None:
            made: Any = wrap(np.empty(0, DEFAULTS.float), cls)
        elif isinstance(data, TensorBase):
            made = wrap(array_of(data), cls)
            made._cell = cell_of(data)
        else:
            kind = type(data).__name__
            raise AttributeError(
                f"{kind!r} object has no attribute 'detach': Parameter() takes a tensor, and was given a {kind}. Make "
                "a tensor of it first, torch.tensor(...)"
            )
        return made.requires_grad_(requires_grad)  # type: ignore[no-any-return]

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        """A parameter on a copy of the values; the gradient is not copied."""
        if id(self) not in memo:
            memo[id(self)] = type(self)(self.data.clone(), self.requires_grad)
        return memo[id(self)]


class _BufferMeta(type(Tensor)):  # type: ignore[misc]
    """A buffer is an ordinary tensor with two attributes more, by which ``isinstance`` knows it."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Tensor) and getattr(instance, "_is_buffer", False)


class Buffer(Tensor, metaclass=_BufferMeta):
    """A tensor that becomes a buffer of the module that it is assigned to; the module's state has it if ``persistent``.

    >>> import wengert as torch
    >>> module = torch.nn.Module()
    >>> module.mean = torch.nn.Buffer(torch.zeros(2))
    >>> list(module.buffers())
    [tensor([0., 0.])]
    """

    __slots__ = ()

    persistent: bool
    _is_buffer: bool

    def __new__(cls, data: Any = None, *, persistent: bool = True) -> Any:
        """Make a tensor on the memory of ``data``."""
        made = wrap(np.empty(0, DEFAULTS.float)) if data is None else data.detach().requires_grad_(data.requires_grad)
        made.persistent, made._is_buffer = persistent, True
        return made


bind_parameter_class(Parameter)
