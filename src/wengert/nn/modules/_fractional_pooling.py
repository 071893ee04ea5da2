"""Maxima over patches at random places, as modules."""

from __future__ import annotations

from typing import Any, ClassVar

from wengert.nn import functional as F
from wengert.nn.modules.module import Module

__all__ = ["FractionalMaxPool2d", "FractionalMaxPool3d"]


class _FractionalMaxPool(Module):
    axes: ClassVar[int]

    def __init__(
        self,
        kernel_size: Any,
        output_size: Any = None,
        output_ratio: Any = None,
        return_indices: bool = False,
        _random_samples: Any = None,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        if output_size is None and output_ratio is None:
            raise ValueError(f"{name} requires specifying either an output size, or a pooling ratio")
        if output_size is not None and output_ratio is not None:
            raise ValueError("only one of output_size and output_ratio may be specified")
        self.kernel_size = self._each(kernel_size)
        self.return_indices = return_indices
        self.register_buffer("_random_samples", _random_samples)
        self.output_size = None if output_size is None else self._each(output_size)
        self.output_ratio = None if output_ratio is None else self._each(output_ratio)
        if self.output_ratio is not None and not all([0 < ratio < 1 for ratio in self.output_ratio]):
            raise ValueError(f"output_ratio must be between 0 and 1 (got {output_ratio})")

    def _each(self, value: Any) -> tuple[Any, ...]:
        return tuple(value) if isinstance(value, (tuple, list)) else (value,) * self.axes

    def _arguments(self) -> tuple[Any, ...]:
        return self.kernel_size, self.output_size, self.output_ratio, self.return_indices, self._random_samples


class FractionalMaxPool2d(_FractionalMaxPool):
    """The largest pixel of each patch of images, where the distance between patches varies at random.

    Raises:
        ValueError: not one of ``output_size`` and ``output_ratio``, or a ratio that is not between 0 and 1.

    >>> import wengert as torch
    >>> torch.nn.FractionalMaxPool2d(2, output_ratio=0.5)(torch.ones(2, 3, 8, 8)).shape
    torch.Size([2, 3, 4, 4])
    """

    axes = 2

    def forward(self, input: Any) -> Any:
        """The pooled input."""
        return F.fractional_max_pool2d(input, *self._arguments())


class FractionalMaxPool3d(_FractionalMaxPool):
    """As :class:`FractionalMaxPool2d`, of volumes.

    >>> import wengert as torch
    >>> torch.nn.FractionalMaxPool3d(2, output_size=3)(torch.ones(2, 3, 8, 8, 8)).shape
    torch.Size([2, 3, 3, 3, 3])
    """

    axes = 3

    def forward(self, input: Any) -> Any:
        """The pooled input."""
        return F.fractional_max_pool3d(input, *self._arguments())
