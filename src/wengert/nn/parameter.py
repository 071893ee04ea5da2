"""``Parameter``: a tensor that a model learns."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np

from wengert._dtypes import DEFAULTS, as_numpy_dtype
from wengert._tensor import Tensor
from wengert.engine.base import TensorBase, array_of, cell_of, wrap
from wengert.engine.pointwise import bind_parameter_class

__all__ = ["Buffer", "Parameter", "UninitializedBuffer", "UninitializedParameter", "is_lazy"]


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


def is_lazy(tensor: Any) -> bool:
    """Whether a parameter or buffer still waits for its shape.

    >>> import wengert as torch
    >>> torch.nn.parameter.is_lazy(torch.nn.LazyLinear(3).weight)
    True
    """
    return isinstance(tensor, (UninitializedParameter, UninitializedBuffer))


class _Waiting(Tensor):
    """A tensor that gets its shape later, in place."""

    __slots__ = ()

    _settled: ClassVar[type[Tensor]] = Tensor

    def materialize(self, shape: Any, device: Any = None, dtype: Any = None) -> None:
        """Get a shape and memory for it, whose values are not defined, and become an ordinary tensor."""
        like = self.dtype if dtype is None else dtype
        made = wrap(np.empty(tuple(shape), as_numpy_dtype(like)))
        learned = self.requires_grad
        self.__class__ = self._settled  # type: ignore[assignment]
        self.requires_grad_(False)
        self.data = made
        self.requires_grad_(learned)

    @property
    def shape(self) -> Any:
        """There is none yet.

        Raises:
            RuntimeError: always.
        """
        raise RuntimeError(
            "Can't access the shape of an uninitialized parameter or buffer. This error usually happens in "
            "`load_state_dict` when trying to load an uninitialized parameter into an initialized one. Call `forward` "
            "to initialize the parameters before accessing their attributes."
        )

    def __repr__(self, **_: Any) -> str:
        return f"<{type(self).__name__}>"


class UninitializedParameter(_Waiting, Parameter):
    """A parameter that gets its shape later: by :meth:`materialize`, which lazy modules call.

    >>> import wengert as torch
    >>> w = torch.nn.UninitializedParameter()
    >>> w.materialize((2, 3))
    >>> w.shape
    torch.Size([2, 3])
    """

    __slots__ = ()

    _settled = Parameter

    def __new__(cls, requires_grad: bool = True, device: Any = None, dtype: Any = None) -> Self:  # noqa: ARG004 - PyTorch's
        """Make a parameter without a shape."""
        made: Any = wrap(np.empty(0, DEFAULTS.float if dtype is None else as_numpy_dtype(dtype)), cls)
        return made.requires_grad_(requires_grad)  # type: ignore[no-any-return]

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        """Another parameter that waits for its shape."""
        if id(self) not in memo:
            memo[id(self)] = type(self)(self.requires_grad, dtype=self.dtype)
        return memo[id(self)]


class UninitializedBuffer(_Waiting):
    """A buffer that gets its shape later.

    >>> import wengert as torch
    >>> b = torch.nn.UninitializedBuffer()
    >>> b.materialize((2,))
    >>> b.shape
    torch.Size([2])
    """

    __slots__ = ()

    def __new__(cls, requires_grad: bool = False, device: Any = None, dtype: Any = None) -> Self:  # noqa: ARG004 - PyTorch's
        """Make a buffer without a shape."""
        made: Any = wrap(np.empty(0, DEFAULTS.float if dtype is None else as_numpy_dtype(dtype)), cls)
        return made.requires_grad_(requires_grad)  # type: ignore[no-any-return]


bind_parameter_class(Parameter)
