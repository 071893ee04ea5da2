"""Convolutions."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from wengert.functions.creation import empty
from wengert.nn import functional as F
from wengert.nn import init
from wengert.nn.modules.module import Module
from wengert.nn.parameter import Parameter

__all__ = ["Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"]

_MODES = ("zeros", "reflect", "replicate", "circular")


def _each(value: Any, axes: int) -> Any:
    """A setting for each axis."""
    return value if isinstance(value, (tuple, str)) else tuple(value) if isinstance(value, list) else (value,) * axes


class _ConvNd(Module):
    """What convolutions share: settings for each axis, weight and bias."""

    _axes: ClassVar[int] = 0
    _transposed: ClassVar[bool] = False
    bias: Any

    def _make(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any,
        padding: Any,
        dilation: Any,
        output_padding: Any,
        groups: int,
        bias: bool,
        padding_mode: str,
        device: Any,
        dtype: Any,
    ) -> None:
        for name, channels in (("in_channels", in_channels), ("out_channels", out_channels)):
            if groups <= 0:
                raise ValueError("groups must be a positive integer")
            if channels % groups:
                raise ValueError(f"{name} must be divisible by groups")
        if padding_mode not in _MODES:
            raise ValueError(f"padding_mode must be one of {set(_MODES)}, but got padding_mode={padding_mode!r}")
        if isinstance(padding, str) and padding not in ("same", "valid"):
            raise ValueError(f"Invalid padding string {padding!r}, should be one of {{'valid', 'same'}}")
        axes = self._axes
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = _each(kernel_size, axes)
        self.stride = _each(stride, axes)
        self.padding = _each(padding, axes)
        self.dilation = _each(dilation, axes)
        if padding == "same" and any([s != 1 for s in self.stride]):
            raise ValueError("padding='same' is not supported for strided convolutions")
        self.transposed = self._transposed
        self.output_padding = _each(output_padding, axes)
        self.groups = groups
        self.padding_mode = padding_mode
        first, second = (in_channels, out_channels) if self._transposed else (out_channels, in_channels)
        shape = (first, second // groups, *self.kernel_size)
        self.weight = Parameter(empty(shape, device=device, dtype=dtype))
        self.register_parameter("bias", Parameter(empty(out_channels, device=device, dtype=dtype)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weight and bias anew."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan_in = math.prod(self.weight.shape[1:])
            if fan_in:
                init.uniform_(self.bias, -1 / math.sqrt(fan_in), 1 / math.sqrt(fan_in))

    def extra_repr(self) -> str:
        """Sizes, and what is not as usual."""
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        zeros, ones = (0,) * self._axes, (1,) * self._axes
        for name, usual in (("padding", zeros), ("dilation", ones), ("output_padding", zeros), ("groups", 1)):
            if getattr(self, name) != usual:
                text += f", {name}={getattr(self, name)}"
        if self.bias is None:
            text += ", bias=False"
        return text if self.padding_mode == "zeros" else f"{text}, padding_mode={self.padding_mode}"


class _Conv(_ConvNd):
    def __init__(
        self,
        in_channels: int,
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
        super().__init__()
        shape = (in_channels, out_channels, kernel_size, stride, padding, dilation, 0)
        self._make(*shape, groups, bias, padding_mode, device, dtype)

    def forward(self, input: Any) -> Any:
        """The convolution of the input."""
        padding = self.padding
        if self.padding_mode != "zeros":
            input = F.pad(input, self._around(), self.padding_mode)
            padding = (0,) * self._axes
        convolve = (F.conv1d, F.conv2d, F.conv3d)[self._axes - 1]
        return convolve(input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)

    def _around(self) -> list[int]:
        """How much to pad before and after each axis, the last axis first."""
        if self.padding == "valid":
            return [0, 0] * self._axes
        both = []
        for i in reversed(range(self._axes)):
            if self.padding == "same":
                total = self.dilation[i] * (self.kernel_size[i] - 1)
                both += [total // 2, total - total // 2]
            else:
                both += [self.padding[i]] * 2
        return both


class _ConvTransposeNd(_ConvNd):
    _transposed = True

    def __init__(
        self,
        in_channels: int,
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
        if padding_mode != "zeros":
            raise ValueError(f'Only "zeros" padding mode is supported for {type(self).__name__}')
        super().__init__()
        shape = (in_channels, out_channels, kernel_size, stride, padding, dilation, output_padding)
        self._make(*shape, groups, bias, padding_mode, device, dtype)

    def forward(self, input: Any, output_size: Any = None) -> Any:
        """The transposed convolution of the input, of the given size if it can be."""
        extra = self.output_padding if output_size is None else self._extra(input, output_size)
        convolve = (F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)[self._axes - 1]
        return convolve(input, self.weight, self.bias, self.stride, self.padding, extra, self.groups, self.dilation)

    def _extra(self, input: Any, output_size: Any) -> tuple[int, ...]:
        """The output padding that gives the size."""
        axes = self._axes
        wanted = tuple(output_size)[-axes:]
        found = []
        for i, (n, want) in enumerate(zip(input.shape[-axes:], wanted, strict=True)):
            reach = self.dilation[i] * (self.kernel_size[i] - 1) + 1
            least = (n - 1) * self.stride[i] - 2 * self.padding[i] + reach
            if not least <= want < least + self.stride[i]:
                raise ValueError(
                    f"requested an output size of {list(wanted)}, but along axis {i} it can be {least} to "
                    f"{least + self.stride[i] - 1}"
                )
            found.append(want - least)
        return tuple(found)


class Conv1d(_Conv):
    """Convolution of signals ``[N, C, L]``: each output channel sums products of the inputs with a moving weight.

    ``padding`` is a number or ``"same"`` or ``"valid"``; ``padding_mode`` says with what. Weight and bias begin
    uniform in ``±1/sqrt(in_channels / groups * kernel size)``.

    Raises:
        ValueError: settings that do not go together.

    >>> import wengert as torch
    >>> torch.nn.Conv1d(3, 4, 3)(torch.ones(2, 3, 8)).shape
    torch.Size([2, 4, 6])
    """

    _axes = 1


class Conv2d(_Conv):
    """:class:`Conv1d` of images ``[N, C, H, W]``.

    Raises:
        ValueError: settings that do not go together.

    >>> import wengert as torch
    >>> torch.nn.Conv2d(3, 4, 3)(torch.ones(2, 3, 8, 8)).shape
    torch.Size([2, 4, 6, 6])
    """

    _axes = 2


class Conv3d(_Conv):
    """:class:`Conv1d` of volumes ``[N, C, D, H, W]``.

    Raises:
        ValueError: settings that do not go together.

    >>> import wengert as torch
    >>> torch.nn.Conv3d(3, 4, 3)(torch.ones(2, 3, 8, 8, 8)).shape
    torch.Size([2, 4, 6, 6, 6])
    """

    _axes = 3


class ConvTranspose1d(_ConvTransposeNd):
    """The transpose of :class:`Conv1d` as a linear map, for ``[N, C, L]``.

    Raises:
        ValueError: settings that do not go together.

    >>> import wengert as torch
    >>> torch.nn.ConvTranspose1d(3, 4, 3, stride=2)(torch.ones(2, 3, 4)).shape
    torch.Size([2, 4, 9])
    """

    _axes = 1


class ConvTranspose2d(_ConvTransposeNd):
    """The transpose of :class:`Conv2d` as a linear map, for ``[N, C, H, W]``.

    Raises:
        ValueError: settings that do not go together.

    >>> import wengert as torch
    >>> torch.nn.ConvTranspose2d(3, 4, 3, stride=2)(torch.ones(2, 3, 4, 4)).shape
    torch.Size([2, 4, 9, 9])
    """

    _axes = 2


class ConvTranspose3d(_ConvTransposeNd):
    """The transpose of :class:`Conv3d` as a linear map, for ``[N, C, D, H, W]``.

    Raises:
        ValueError: settings that do not go together.

    >>> import wengert as torch
    >>> torch.nn.ConvTranspose3d(3, 4, 3, stride=2)(torch.ones(2, 3, 4, 4, 4)).shape
    torch.Size([2, 4, 9, 9, 9])
    """

    _axes = 3
