"""Pooling: the largest, the mean or the norm of moving windows."""

from __future__ import annotations

from typing import Any

from wengert.nn import functional as F
from wengert.nn.modules.module import Module

__all__ = [
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveAvgPool3d",
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d",
    "AvgPool1d",
    "AvgPool2d",
    "AvgPool3d",
    "LPPool1d",
    "LPPool2d",
    "LPPool3d",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
    "MaxUnpool1d",
    "MaxUnpool2d",
    "MaxUnpool3d",
]


class _MaxPool(Module):
    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = stride if stride is not None else kernel_size
        self.padding = padding
        self.dilation = dilation
        self.return_indices = return_indices
        self.ceil_mode = ceil_mode

    def _settings(self) -> tuple[Any, ...]:
        size = (self.kernel_size, self.stride, self.padding, self.dilation)
        return (*size, self.ceil_mode, self.return_indices)

    def extra_repr(self) -> str:
        """The settings."""
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, dilation={self.dilation}, "
            f"ceil_mode={self.ceil_mode}"
        )


class _AvgPool(Module):
    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = stride if stride is not None else kernel_size
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override

    def _settings(self) -> tuple[Any, Any, Any, bool, bool]:
        return self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad

    def extra_repr(self) -> str:
        """The settings."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class _LPPool(Module):
    def __init__(self, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> None:
        super().__init__()
        self.norm_type = norm_type
        self.kernel_size = kernel_size
        self.stride = stride
        self.ceil_mode = ceil_mode

    def _settings(self) -> tuple[Any, ...]:
        return (float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode)

    def extra_repr(self) -> str:
        """The settings."""
        return (
            f"norm_type={self.norm_type}, kernel_size={self.kernel_size}, stride={self.stride}, "
            f"ceil_mode={self.ceil_mode}"
        )


class _AdaptiveMaxPool(Module):
    def __init__(self, output_size: Any, return_indices: bool = False) -> None:
        super().__init__()
        self.output_size = output_size
        self.return_indices = return_indices

    def extra_repr(self) -> str:
        """The size."""
        return f"output_size={self.output_size}"


class _AdaptiveAvgPool(Module):
    def __init__(self, output_size: Any) -> None:
        super().__init__()
        self.output_size = output_size

    def extra_repr(self) -> str:
        """The size."""
        return f"output_size={self.output_size}"


class MaxPool1d(_MaxPool):
    """The largest element of each window of signals ``[N, C, L]``.

    >>> import wengert as torch
    >>> torch.nn.MaxPool1d(2)(torch.ones(2, 3, 8)).shape
    torch.Size([2, 3, 4])
    """

    def forward(self, input: Any) -> Any:
        """The pooled input."""
        return F.max_pool1d(input, *self._settings())


class AvgPool1d(_AvgPool):
    """The mean of each window of signals ``[N, C, L]``.

    >>> import wengert as torch
    >>> torch.nn.AvgPool1d(2)(torch.ones(2, 3, 8)).shape
    torch.Size([2, 3, 4])
    """

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        one = [v if isinstance(v, tuple) else (v,) for v in (kernel_size, stride or kernel_size, padding)]
        super().__init__(one[0], one[1], one[2], ceil_mode, count_include_pad)

    def forward(self, input: Any) -> Any:
        """The pooled input."""
        return F.avg_pool1d(input, *self._settings())


class LPPool1d(_LPPool):
    """``(sum x^p)^(1/p)`` over each window of signals ``[N, C, L]``.

    >>> import wengert as torch
    >>> torch.nn.LPPool1d(2, 2)(torch.ones(2, 3, 8)).shape
    torch.Size([2, 3, 4])
    """

    def forward(self, input: Any) -> Any:
        """The pooled input."""
        return F.lp_pool1d(input, *self._settings())


class AdaptiveMaxPool1d(_AdaptiveMaxPool):
    """The largest elements of signals ``[N, C, L]``, in as many windows as the result is to have elements.

    >>> import wengert as torch
    >>> torch.nn.AdaptiveMaxPool1d(4)(torch.ones(2, 3, 8)).shape
    torch.Size([2, 3, 4])
    """

    def forward(self, input: Any) -> Any:
        """The pooled input."""
        return F.adaptive_max_pool1d(input, self.output_size, self.return_indices)


class AdaptiveAvgPool1d(_AdaptiveAvgPool):
    """Means of signals ``[N, C, L]``, in as many windows as the result is to have elements.

    >>> import wengert as torch
    >>> torch.nn.AdaptiveAvgPool1d(4)(torch.ones(2, 3, 8)).shape
    torch.Size([2, 3, 4])
    """

    def forward(self, input: Any) -> Any:
        """The pooled input."""
        return F.adaptive_avg_pool1d(input, self.output_size)


class MaxPool2d(_MaxPool):
    """The largest element of each window of images ``[N, C, H, W]``.

    >>> import wengert as torch
    >>> torch.nn.MaxPool2d(2)(torch.ones(2, 3, 8, 8)).shape
    torch.Size([2, 3, 4, 4])
    """

    def forward(self, input: Any) -> Any:
        """The pooled input."""
        return F.max_pool2d(input, *self._settings())


class AvgPool2d(_AvgPool):
    """The mean of each window of images ``[N, C, H, W]``.

    >>> import wengert as torch
    >>> torch.nn.AvgPool2d(2)(torch.ones(2, 3, 8, 8)).shape
    torch.Size([2, 3, 4, 4])
    """

    def forward(self, input: Any) -> Any:
        """The pooled input."""
        return F.avg_pool2d(input, *self._settings(), self.divisor_override)


class LPPool2d(_LPPool):
    """``(sum x^p)^(1/p)`` over each window of images ``[N, C, H, W]``.

    >>> import wengert as torch
    >>> torch.nn.LPPool2d(2, 2)(torch.ones(2, 3, 8, 8)).shape
    torch.Size([2, 3, 4, 4])
    """

    def forward(self, input: Any) -> Any:
        """The pooled input."""
        return F.lp_pool2d(input, *self._settings())


class AdaptiveMaxPool2d(_AdaptiveMaxPool):
    """The largest elements of images ``[N, C, H, W]``, in as many windows as the result is to have elements.

    >>> import wengert as torch
    >>> torch.nn.AdaptiveMaxPool2d(4)(torch.ones(2, 3, 8, 8)).shape
    torch.Size([2, 3, 4, 4])
    """

    def forward(self, input: Any) -> Any:
        """The pooled input."""
        return F.adaptive_max_pool2d(input, self.output_size, self.return_indices)


class AdaptiveAvgPool2d(_AdaptiveAvgPool):
    """Means of images ``[N, C, H, W]``, in as many windows as the result is to have elements.

    >>> import wengert as torch
    >>> torch.nn.AdaptiveAvgPool2d(4)(torch.ones(2, 3, 8, 8)).shape
    torch.Size([2, 3, 4, 4])
    """

    def forward(self, input: Any) -> Any:
        """The pooled input."""
        return F.adaptive_avg_pool2d(input, self.output_size)


class MaxPool3d(_MaxPool):
    """The largest element of each window of volumes ``[N, C, D, H, W]``.

    >>> import wengert as torch
    >>> torch.nn.MaxPool3d(2)(torch.ones(2, 3, 8, 8, 8)).shape
    torch.Size([2, 3, 4, 4, 4])
    """

    def forward(self, input: Any) -> Any:
        """The pooled input."""
        return F.max_pool3d(input, *self._settings())


class AvgPool3d(_AvgPool):
    """The mean of each window of volumes ``[N, C, D, H, W]``.

    >>> import wengert as torch
    >>> torch.nn.AvgPool3d(2)(torch.ones(2, 3, 8, 8, 8)).shape
    torch.Size([2, 3, 4, 4, 4])
    """

    def forward(self, input: Any) -> Any:
        """The pooled input."""
        return F.avg_pool3d(input, *self._settings(), self.divisor_override)


class LPPool3d(_LPPool):
    """``(sum x^p)^(1/p)`` over each window of volumes ``[N, C, D, H, W]``.

    >>> import wengert as torch
    >>> torch.nn.LPPool3d(2, 2)(torch.ones(2, 3, 8, 8, 8)).shape
    torch.Size([2, 3, 4, 4, 4])
    """

    def forward(self, input: Any) -> Any:
        """The pooled input."""
        return F.lp_pool3d(input, *self._settings())


class AdaptiveMaxPool3d(_AdaptiveMaxPool):
    """The largest elements of volumes ``[N, C, D, H, W]``, in as many windows as the result is to have elements.

    >>> import wengert as torch
    >>> torch.nn.AdaptiveMaxPool3d(4)(torch.ones(2, 3, 8, 8, 8)).shape
    torch.Size([2, 3, 4, 4, 4])
    """

    def forward(self, input: Any) -> Any:
        """The pooled input."""
        return F.adaptive_max_pool3d(input, self.output_size, self.return_indices)


class AdaptiveAvgPool3d(_AdaptiveAvgPool):
    """Means of volumes ``[N, C, D, H, W]``, in as many windows as the result is to have elements.

    >>> import wengert as torch
    >>> torch.nn.AdaptiveAvgPool3d(4)(torch.ones(2, 3, 8, 8, 8)).shape
    torch.Size([2, 3, 4, 4, 4])
    """

    def forward(self, input: Any) -> Any:
        """The pooled input."""
        return F.adaptive_avg_pool3d(input, self.output_size)


class _MaxUnpool(Module):
    _axes = 0

    def __init__(self, kernel_size: Any, stride: Any = None, padding: Any = 0) -> None:
        super().__init__()
        self.kernel_size = self._each(kernel_size)
        self.stride = self._each(kernel_size if stride is None else stride)
        self.padding = self._each(padding)

    def _each(self, value: Any) -> tuple[int, ...]:
        return tuple(value) if isinstance(value, (tuple, list)) else (value,) * self._axes

    def forward(self, input: Any, indices: Any, output_size: Any = None) -> Any:
        """The elements back where they were."""
        unpool = (F.max_unpool1d, F.max_unpool2d, F.max_unpool3d)[self._axes - 1]
        return unpool(input, indices, self.kernel_size, self.stride, self.padding, output_size)

    def extra_repr(self) -> str:
        """The settings."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class MaxUnpool1d(_MaxUnpool):
    """The opposite of :class:`MaxPool1d`: the largest elements where they were, zeros elsewhere.

    >>> import wengert as torch
    >>> y, where = torch.nn.MaxPool1d(2, return_indices=True)(torch.rand(2, 3, 8))
    >>> torch.nn.MaxUnpool1d(2)(y, where).shape
    torch.Size([2, 3, 8])
    """

    _axes = 1


class MaxUnpool2d(_MaxUnpool):
    """The opposite of :class:`MaxPool2d`: the largest elements where they were, zeros elsewhere.

    >>> import wengert as torch
    >>> y, where = torch.nn.MaxPool2d(2, return_indices=True)(torch.rand(2, 3, 8, 8))
    >>> torch.nn.MaxUnpool2d(2)(y, where).shape
    torch.Size([2, 3, 8, 8])
    """

    _axes = 2


class MaxUnpool3d(_MaxUnpool):
    """The opposite of :class:`MaxPool3d`: the largest elements where they were, zeros elsewhere.

    >>> import wengert as torch
    >>> y, where = torch.nn.MaxPool3d(2, return_indices=True)(torch.rand(2, 3, 8, 8, 8))
    >>> torch.nn.MaxUnpool3d(2)(y, where).shape
    torch.Size([2, 3, 8, 8, 8])
    """

    _axes = 3
