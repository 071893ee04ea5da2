"""Changing all tensors of a module at once: dtype, device, gradients, mode."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Self

from wengert._device import CPU, require_cpu
from wengert._dtypes import bfloat16, float16, float32, float64
from wengert._dtypes import dtype as dtype_class
from wengert._tensor import Tensor
from wengert._traced import EDITS
from wengert.autograd.grad_mode import no_grad
from wengert.functions.likes import empty_like


class ConversionMethods:
    """The part of Module that changes all tensors of a module."""

    training: bool
    _parameters: dict[str, Any]
    _buffers: dict[str, Any]

    def children(self) -> Iterator[Any]:
        """The modules directly below this one."""
        raise NotImplementedError

    def parameters(self, recurse: bool = True) -> Iterator[Any]:
        """The parameters."""
        raise NotImplementedError

    def apply(self, fn: Callable[[Any], None]) -> Self:
        """Call ``fn`` with each module below this one, then with this one; returns the module.

        >>> import wengert as torch
        >>> net = torch.nn.Sequential(torch.nn.Linear(1, 1), torch.nn.ReLU())
        >>> _ = net.apply(lambda module: print(type(module).__name__))
        Linear
        ReLU
        Sequential
        """
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def _apply(self, fn: Callable[[Any], Any], recurse: bool = True) -> Self:
        """Replace the values of all tensors, gradients included, by ``fn`` of them; the parameters stay the same."""
        if recurse:
            for module in self.children():
                module._apply(fn)
        for parameter in self._parameters.values():
            if parameter is None:
                continue
            with no_grad():
                parameter.data = fn(parameter).detach()
                if parameter.grad is not None:
                    parameter.grad = fn(parameter.grad)
        for name, buffer in self._buffers.items():
            if buffer is not None:
                self._buffers[name] = fn(buffer)
        EDITS.count += 1
        return self

    # --- dtype and device ---

    def to(self, *args: Any, **options: Any) -> Self:
        """Convert parameters and buffers in place, as :meth:`Tensor.to`; a dtype only changes floating-point ones.

        Raises:
            TypeError: a dtype that is neither floating point nor complex.
            RuntimeError: a device other than the CPU.

        >>> import wengert as torch
        >>> torch.nn.Linear(2, 1).to(torch.float64).weight.dtype
        torch.float64
        """
        dtype = _wanted_dtype(args, options)
        if dtype is None:
            return self
        if not (dtype.is_floating_point or dtype.is_complex):
            raise TypeError(
                f"nn.Module.to only accepts floating point or complex dtypes, but got desired dtype={dtype}"
            )
        return self._apply(lambda t: t.to(dtype) if t.is_floating_point() or t.is_complex() else t)

    def type(self, dst_type: Any) -> Self:
        """Convert all parameters and buffers to one dtype."""
        return self._apply(lambda t: t.type(dst_type))

    def _floats_to(self, dtype: Any) -> Self:
        return self._apply(lambda t: t.to(dtype) if t.is_floating_point() else t)

    def float(self) -> Self:
        """Convert floating-point parameters and buffers to float32."""
        return self._floats_to(float32)

    def double(self) -> Self:
        """Convert floating-point parameters and buffers to float64."""
        return self._floats_to(float64)

    def half(self) -> Self:
        """Convert floating-point parameters and buffers to float16."""
        return self._floats_to(float16)

    def bfloat16(self) -> Self:
        """Raise: no tensor has that type.

        Raises:
            TypeError: always, unless there is nothing to convert.
        """
        return self._floats_to(bfloat16)

    def cpu(self) -> Self:
        """The module: its tensors are on the CPU."""
        return self

    def cuda(self, device: Any = None) -> Self:
        """Raise: there is no such device.

        Raises:
            RuntimeError: always, unless there is nothing to move.
        """
        return self._apply(lambda t: t.cuda(device))

    def to_empty(self, *, device: Any, recurse: bool = True) -> Self:
        """Replace all values by uninitialised memory."""
        require_cpu(device)
        return self._apply(lambda t: empty_like(t, device=CPU), recurse)

    def share_memory(self) -> Self:
        """The module: threads share its memory anyway. Processes do not."""
        return self

    # --- gradients and mode ---

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Start or stop tracking all parameters; returns the module.

        >>> import wengert as torch
        >>> frozen = torch.nn.Linear(1, 1).requires_grad_(False)
        >>> [p.requires_grad for p in frozen.parameters()]
        [False, False]
        """
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters; or set them to zero in place."""
        for parameter in self.parameters():
            if parameter.grad is None:
                continue
            if set_to_none:
                parameter.grad = None
                continue
            if parameter.grad.grad_fn is not None:
                parameter.grad.detach_()
            else:
                parameter.grad.requires_grad_(False)
            parameter.grad.zero_()

    def train(self, mode: bool = True) -> Self:
        """Say whether this module and those below it are training: dropout and batch normalisation ask.

        Raises:
            ValueError: ``mode`` is no bool.

        >>> import wengert as torch
        >>> torch.nn.Dropout(0.5).eval()(torch.ones(3))
        tensor([1., 1., 1.])
        """
        if not isinstance(mode, bool):
            raise ValueError(f"training mode is expected to be boolean, and this is {type(mode).__name__}")
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self) -> Self:
        """Stop training: ``train(False)``."""
        return self.train(False)


def _wanted_dtype(args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """The dtype among the arguments of ``to``; a device must be the CPU.

    Raises:
        TypeError: an argument that is none of ``to``.
    """
    for name in options:
        if name not in {"device", "dtype", "non_blocking", "tensor", "memory_format", "copy"}:
            raise TypeError(f"to() received an invalid combination of arguments: it has no argument {name!r}")
    given = [*args, *[options[name] for name in ("device", "dtype", "tensor") if name in options]]
    dtype = None
    for value in given:
        if isinstance(value, dtype_class):
            dtype = value
        elif isinstance(value, Tensor):
            dtype = value.dtype
        elif value is not None and not isinstance(value, bool):
            require_cpu(value)
    return dtype
