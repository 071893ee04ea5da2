"""Fractional max pooling as modules."""

from __future__ import annotations

from typing import Any, ClassVar

from wengert.nn import functional as F
from wengert.nn.modules.module import Module

__all__ = ["FractionalMaxPool2d", "FractionalMaxPool3d"]


class _FractionalMaxPool(Module):
    _axes: ClassVar[int]

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
        self.kernel_size = self._each(kernel_size)
        self.return_indices = return_indices
        self.register_buffer("_random_samples", _random_samples)
        self.output_size = None if output_size is None else self._each(output_size)
        self.output_ratio = None if output_ratio is None else self._each(output_ratio)
        if (output_size is None) == (output_ratio is None):
            if output_size is None:
                raise ValueError(f"{name} requires specifying either an output size, or a pooling ratio")
            raise ValueError("only one of output_size and output_ratio may be specified")
        if self.output_ratio is not None and not all([0 < ratio < 1 for ratio in self.output_ratio]):
            raise ValueError(f"output_ratio must be between 0 and 1 (got {output_ratio})")

    def _each(self, value: Any) -> tuple[Any, ...]:
        return tuple(value) if isinstance(value, (tuple, list)) else (value,) * self._axes

    def forward(self, input: Any) -> Any:
        """The pooled input."""
        pool = F.fractional_max_pool2d if self._axes == 2 else F.fractional_max_pool3d
        return pool(
            input, self.kernel_size, self.output_size, self.output_ratio, self.return_indices, self._random_samples
        )


class FractionalMaxPool2d(_FractionalMaxPool):
    """The largest elements of patches at random places: sizes shrink to ``output_size`` or by ``output_ratio``.

    Raises:
        ValueError: not exactly one of size and ratio, or a ratio that is not between 0 and 1.

    >>> import wengert as torch
    >>> torch.nn.FractionalMaxPool2d(2, output_ratio=0.6)(torch.ones(1, 3, 10, 10)).shape
    torch.Size([1, 3, 6, 6])
    """

    _axes = 2


class FractionalMaxPool3d(_FractionalMaxPool):
    """As :class:`FractionalMaxPool2d`, of volumes.

    Raises:
        ValueError: not exactly one of size and ratio, or a ratio that is not between 0 and 1.

    >>> import wengert as torch
    >>> torch.nn.FractionalMaxPool3d(2, output_size=4)(torch.ones(1, 3, 9, 9, 9)).shape
    torch.Size([1, 3, 4, 4, 4])
    """

    _axes = 3
