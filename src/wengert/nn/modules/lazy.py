"""Layers that learn the size of their input from the first input that they see."""

from __future__ import annotations

from typing import Any, ClassVar

from wengert.autograd.grad_mode import no_grad
from wengert.nn.modules.batchnorm import (
    BatchNorm1d,
    BatchNorm2d,
    BatchNorm3d,
    InstanceNorm1d,
    InstanceNorm2d,
    InstanceNorm3d,
)
from wengert.nn.modules.conv import Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from wengert.nn.modules.linear import Linear
from wengert.nn.modules.module import Module
from wengert.nn.parameter import UninitializedBuffer, UninitializedParameter, is_lazy

__all__ = [
    "LazyBatchNorm1d",
    "LazyBatchNorm2d",
    "LazyBatchNorm3d",
    "LazyConv1d",
    "LazyConv2d",
    "LazyConv3d",
    "LazyConvTranspose1d",
    "LazyConvTranspose2d",
    "LazyConvTranspose3d",
    "LazyInstanceNorm1d",
    "LazyInstanceNorm2d",
    "LazyInstanceNorm3d",
    "LazyLinear",
]


class _Lazy(Module):
    """Parameters without a shape; the first input, or a state dict, gives them one and the module its usual class."""

    _becomes: ClassVar[type[Module]]

    def _put_off(self, *names: str) -> None:
        """Replace parameters and buffers by ones that wait for their shape."""
        for name in names:
            old = getattr(self, name)
            if old is None:
                continue
            if name in self._parameters:
                self._parameters[name] = UninitializedParameter(old.requires_grad, dtype=old.dtype)
            else:
                self._buffers[name] = UninitializedBuffer(dtype=old.dtype)
        self._waiting = (
            self.register_forward_pre_hook(_prepare, with_kwargs=True),
            self.register_load_state_dict_pre_hook(_take_shapes),
        )

    def has_uninitialized_params(self) -> bool:
        """Whether parameters still wait for their shape."""
        return any([is_lazy(p) for p in (*self._parameters.values(), *self._buffers.values())])

    def _settle(self) -> None:
        """Become the usual class, now that everything has its shape."""
        for handle in self._waiting:
            handle.remove()
        del self._waiting
        self.__class__ = self._becomes  # type: ignore[assignment]

    def reset_parameters(self) -> None:
        """Draw the parameters anew, once they have a shape."""
        if not self.has_uninitialized_params():
            super().reset_parameters()  # type: ignore[misc]

    def _shape_from(self, input: Any) -> None:
        """Give the parameters the shapes that the first input asks for."""
        raise NotImplementedError

    def _sizes_from_parameters(self) -> None:
        """Set the sizes that texts show, from the shapes of the parameters."""
        raise NotImplementedError

    def initialize_parameters(self, input: Any) -> None:
        """Give the parameters their shapes, and draw them."""
        if self.has_uninitialized_params():
            with no_grad():
                self._shape_from(input)
                self.reset_parameters()


def _prepare(module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    module.initialize_parameters(*args, **kwargs)
    module._settle()


def _fill(tensor: Any, shape: tuple[int, ...]) -> None:
    """Give a parameter or buffer its shape."""
    tensor.materialize(shape)


def _take_shapes(module: Any, state: Any, prefix: str, *_rest: Any) -> None:
    """Before a state dict is loaded: take its shapes."""
    waiting = [(n, p) for table in (module._parameters, module._buffers) for n, p in table.items() if is_lazy(p)]
    if not waiting or not all([prefix + name in state for name, _ in waiting]):
        return
    for name, p in waiting:
        p.materialize(state[prefix + name].shape)
    module._sizes_from_parameters()


class LazyLinear(_Lazy, Linear):
    """:class:`Linear` whose ``in_features`` is that of the first input.

    >>> import wengert as torch
    >>> layer = torch.nn.LazyLinear(3)
    >>> layer(torch.ones(2, 5)).shape, layer
    (torch.Size([2, 3]), Linear(in_features=5, out_features=3, bias=True))
    """

    _becomes = Linear

    def __init__(self, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None) -> None:
        super().__init__(1, out_features, bias, device, dtype)
        self.in_features = 0
        self._put_off("weight", "bias")

    def _shape_from(self, input: Any) -> None:
        self.in_features = input.shape[-1]
        _fill(self.weight, (self.out_features, self.in_features))
        if self.bias is not None:
            _fill(self.bias, (self.out_features,))

    def _sizes_from_parameters(self) -> None:
        self.in_features = self.weight.shape[1]


class _LazyConvolution(_Lazy):
    _axes: ClassVar[int]
    _transposed: ClassVar[bool]

    def _shape_from(self, input: Any) -> None:
        if input.dim() not in (self._axes + 1, self._axes + 2):
            raise RuntimeError(
                f"Expected {self._axes + 1}D (unbatched) or {self._axes + 2}D (batched) input to "
                f"{type(self).__name__}, but got input of size: {list(input.shape)}"
            )
        self.in_channels = input.shape[-self._axes - 1]
        if self.in_channels % self.groups:
            raise ValueError("in_channels must be divisible by groups")
        first, second = self.out_channels, self.in_channels
        if self._transposed:
            first, second = second, first
        _fill(self.weight, (first, second // self.groups, *self.kernel_size))
        if self.bias is not None:
            _fill(self.bias, (self.out_channels,))

    def _sizes_from_parameters(self) -> None:
        shape = self.weight.shape
        self.in_channels = shape[0] if self._transposed else shape[1] * self.groups


class _LazyConv(_LazyConvolution):
    def __init__(
        self,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        settings = (kernel_size, stride, padding, dilation, groups, bias, padding_mode, device, dtype)
        super().__init__(groups, out_channels, *settings)
        self.in_channels = 0
        self._put_off("weight", "bias")


class _LazyConvTranspose(_LazyConvolution):
    def __init__(
        self,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Any = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        settings = (kernel_size, stride, padding, output_padding, groups, bias, dilation, padding_mode, device, dtype)
        super().__init__(groups, out_channels, *settings)
        self.in_channels = 0
        self._put_off("weight", "bias")


class _LazyNorm(_Lazy):
    def _shape_from(self, input: Any) -> None:
        self.num_features = input.shape[1 if input.dim() == max(self._dims) else 0]
        for name in ("weight", "bias", "running_mean", "running_var"):
            tensor = getattr(self, name)
            if tensor is not None:
                _fill(tensor, (self.num_features,))

    def _sizes_from_parameters(self) -> None:
        found = self.weight if self.weight is not None else self.running_mean
        self.num_features = found.shape[0]

    def reset_running_stats(self) -> None:
        """Set the running statistics to mean 0 and variance 1, once they have a shape."""
        if not self.has_uninitialized_params():
            super().reset_running_stats()  # type: ignore[misc]

    def __init__(
        self,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(1, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)
        self.num_features = 0
        self._put_off("weight", "bias", "running_mean", "running_var")


class LazyConv1d(_LazyConv, Conv1d):
    """:class:`Conv1d` whose ``in_channels`` is that of the first input.

    >>> import wengert as torch
    >>> torch.nn.LazyConv1d(3, 3)(torch.ones(2, 4, 6)).shape
    torch.Size([2, 3, 4])
    """

    _becomes = Conv1d


class LazyConv2d(_LazyConv, Conv2d):
    """:class:`Conv2d` whose ``in_channels`` is that of the first input.

    >>> import wengert as torch
    >>> torch.nn.LazyConv2d(3, 3)(torch.ones(2, 4, 6, 6)).shape
    torch.Size([2, 3, 4, 4])
    """

    _becomes = Conv2d


class LazyConv3d(_LazyConv, Conv3d):
    """:class:`Conv3d` whose ``in_channels`` is that of the first input.

    >>> import wengert as torch
    >>> torch.nn.LazyConv3d(3, 3)(torch.ones(2, 4, 6, 6, 6)).shape
    torch.Size([2, 3, 4, 4, 4])
    """

    _becomes = Conv3d


class LazyConvTranspose1d(_LazyConvTranspose, ConvTranspose1d):
    """:class:`ConvTranspose1d` whose ``in_channels`` is that of the first input.

    >>> import wengert as torch
    >>> torch.nn.LazyConvTranspose1d(3, 3)(torch.ones(2, 4, 6)).shape
    torch.Size([2, 3, 8])
    """

    _becomes = ConvTranspose1d


class LazyConvTranspose2d(_LazyConvTranspose, ConvTranspose2d):
    """:class:`ConvTranspose2d` whose ``in_channels`` is that of the first input.

    >>> import wengert as torch
    >>> torch.nn.LazyConvTranspose2d(3, 3)(torch.ones(2, 4, 6, 6)).shape
    torch.Size([2, 3, 8, 8])
    """

    _becomes = ConvTranspose2d


class LazyConvTranspose3d(_LazyConvTranspose, ConvTranspose3d):
    """:class:`ConvTranspose3d` whose ``in_channels`` is that of the first input.

    >>> import wengert as torch
    >>> torch.nn.LazyConvTranspose3d(3, 3)(torch.ones(2, 4, 6, 6, 6)).shape
    torch.Size([2, 3, 8, 8, 8])
    """

    _becomes = ConvTranspose3d


class LazyBatchNorm1d(_LazyNorm, BatchNorm1d):
    """:class:`BatchNorm1d` whose ``num_features`` is that of the first input.

    >>> import wengert as torch
    >>> torch.nn.LazyBatchNorm1d()(torch.ones(2, 4, 6)).shape
    torch.Size([2, 4, 6])
    """

    _becomes = BatchNorm1d


class LazyBatchNorm2d(_LazyNorm, BatchNorm2d):
    """:class:`BatchNorm2d` whose ``num_features`` is that of the first input.

    >>> import wengert as torch
    >>> torch.nn.LazyBatchNorm2d()(torch.ones(2, 4, 6, 6)).shape
    torch.Size([2, 4, 6, 6])
    """

    _becomes = BatchNorm2d


class LazyBatchNorm3d(_LazyNorm, BatchNorm3d):
    """:class:`BatchNorm3d` whose ``num_features`` is that of the first input.

    >>> import wengert as torch
    >>> torch.nn.LazyBatchNorm3d()(torch.ones(2, 4, 6, 6, 6)).shape
    torch.Size([2, 4, 6, 6, 6])
    """

    _becomes = BatchNorm3d


class LazyInstanceNorm1d(_LazyNorm, InstanceNorm1d):
    """:class:`InstanceNorm1d` whose ``num_features`` is that of the first input.

    >>> import wengert as torch
    >>> torch.nn.LazyInstanceNorm1d()(torch.ones(2, 4, 6)).shape
    torch.Size([2, 4, 6])
    """

    _becomes = InstanceNorm1d


class LazyInstanceNorm2d(_LazyNorm, InstanceNorm2d):
    """:class:`InstanceNorm2d` whose ``num_features`` is that of the first input.

    >>> import wengert as torch
    >>> torch.nn.LazyInstanceNorm2d()(torch.ones(2, 4, 6, 6)).shape
    torch.Size([2, 4, 6, 6])
    """

    _becomes = InstanceNorm2d


class LazyInstanceNorm3d(_LazyNorm, InstanceNorm3d):
    """:class:`InstanceNorm3d` whose ``num_features`` is that of the first input.

    >>> import wengert as torch
    >>> torch.nn.LazyInstanceNorm3d()(torch.ones(2, 4, 6, 6, 6)).shape
    torch.Size([2, 4, 6, 6, 6])
    """

    _becomes = InstanceNorm3d
