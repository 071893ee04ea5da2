"""Padding: zeros, a number, or elements of the input around it."""

from __future__ import annotations

from typing import Any, ClassVar

from wengert.nn import functional as F
from wengert.nn.modules.module import Module

__all__ = [
    "CircularPad1d",
    "CircularPad2d",
    "CircularPad3d",
    "ConstantPad1d",
    "ConstantPad2d",
    "ConstantPad3d",
    "ReflectionPad1d",
    "ReflectionPad2d",
    "ReflectionPad3d",
    "ReplicationPad1d",
    "ReplicationPad2d",
    "ReplicationPad3d",
    "ZeroPad1d",
    "ZeroPad2d",
    "ZeroPad3d",
]


class _Pad(Module):
    """Padding before and after each axis, the last axis first; one number for all."""

    _axes: ClassVar[int] = 0
    _mode: ClassVar[str] = "constant"

    def __init__(self, padding: Any) -> None:
        super().__init__()
        self.padding = (padding,) * (2 * self._axes) if isinstance(padding, int) else tuple(padding)

    def forward(self, input: Any) -> Any:
        """The padded input."""
        return F.pad(input, self.padding, self._mode)

    def extra_repr(self) -> str:
        """How much."""
        return f"{self.padding}"


class _ConstantPad(_Pad):
    def __init__(self, padding: Any, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Any) -> Any:
        """The padded input."""
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        """How much, with what."""
        return f"padding={self.padding}, value={self.value}"


class _ZeroPad(_Pad):
    pass


class ConstantPad1d(_ConstantPad):
    """A number around signals ``[N, C, L]``.

    >>> import wengert as torch
    >>> torch.nn.ConstantPad1d(1, 2.0)(torch.ones(2, 3, 4)).shape
    torch.Size([2, 3, 6])
    """

    _axes = 1


class ConstantPad2d(_ConstantPad):
    """A number around images ``[N, C, H, W]``.

    >>> import wengert as torch
    >>> torch.nn.ConstantPad2d(1, 2.0)(torch.ones(2, 3, 4, 4)).shape
    torch.Size([2, 3, 6, 6])
    """

    _axes = 2


class ConstantPad3d(_ConstantPad):
    """A number around volumes ``[N, C, D, H, W]``.

    >>> import wengert as torch
    >>> torch.nn.ConstantPad3d(1, 2.0)(torch.ones(2, 3, 4, 4, 4)).shape
    torch.Size([2, 3, 6, 6, 6])
    """

    _axes = 3


class ZeroPad1d(_ZeroPad):
    """Zeros around signals ``[N, C, L]``.

    >>> import wengert as torch
    >>> torch.nn.ZeroPad1d(1)(torch.ones(2, 3, 4)).shape
    torch.Size([2, 3, 6])
    """

    _axes = 1


class ZeroPad2d(_ZeroPad):
    """Zeros around images ``[N, C, H, W]``.

    >>> import wengert as torch
    >>> torch.nn.ZeroPad2d(1)(torch.ones(2, 3, 4, 4)).shape
    torch.Size([2, 3, 6, 6])
    """

    _axes = 2


class ZeroPad3d(_ZeroPad):
    """Zeros around volumes ``[N, C, D, H, W]``.

    >>> import wengert as torch
    >>> torch.nn.ZeroPad3d(1)(torch.ones(2, 3, 4, 4, 4)).shape
    torch.Size([2, 3, 6, 6, 6])
    """

    _axes = 3


class ReflectionPad1d(_Pad):
    """The input mirrored at its ends around signals ``[N, C, L]``.

    >>> import wengert as torch
    >>> torch.nn.ReflectionPad1d(1)(torch.ones(2, 3, 4)).shape
    torch.Size([2, 3, 6])
    """

    _axes = 1
    _mode = "reflect"


class ReflectionPad2d(_Pad):
    """The input mirrored at its ends around images ``[N, C, H, W]``.

    >>> import wengert as torch
    >>> torch.nn.ReflectionPad2d(1)(torch.ones(2, 3, 4, 4)).shape
    torch.Size([2, 3, 6, 6])
    """

    _axes = 2
    _mode = "reflect"


class ReflectionPad3d(_Pad):
    """The input mirrored at its ends around volumes ``[N, C, D, H, W]``.

    >>> import wengert as torch
    >>> torch.nn.ReflectionPad3d(1)(torch.ones(2, 3, 4, 4, 4)).shape
    torch.Size([2, 3, 6, 6, 6])
    """

    _axes = 3
    _mode = "reflect"


class ReplicationPad1d(_Pad):
    """The elements at the ends around signals ``[N, C, L]``.

    >>> import wengert as torch
    >>> torch.nn.ReplicationPad1d(1)(torch.ones(2, 3, 4)).shape
    torch.Size([2, 3, 6])
    """

    _axes = 1
    _mode = "replicate"


class ReplicationPad2d(_Pad):
    """The elements at the ends around images ``[N, C, H, W]``.

    >>> import wengert as torch
    >>> torch.nn.ReplicationPad2d(1)(torch.ones(2, 3, 4, 4)).shape
    torch.Size([2, 3, 6, 6])
    """

    _axes = 2
    _mode = "replicate"


class ReplicationPad3d(_Pad):
    """The elements at the ends around volumes ``[N, C, D, H, W]``.

    >>> import wengert as torch
    >>> torch.nn.ReplicationPad3d(1)(torch.ones(2, 3, 4, 4, 4)).shape
    torch.Size([2, 3, 6, 6, 6])
    """

    _axes = 3
    _mode = "replicate"


class CircularPad1d(_Pad):
    """The input again from its other end around signals ``[N, C, L]``.

    >>> import wengert as torch
    >>> torch.nn.CircularPad1d(1)(torch.ones(2, 3, 4)).shape
    torch.Size([2, 3, 6])
    """

    _axes = 1
    _mode = "circular"


class CircularPad2d(_Pad):
    """The input again from its other end around images ``[N, C, H, W]``.

    >>> import wengert as torch
    >>> torch.nn.CircularPad2d(1)(torch.ones(2, 3, 4, 4)).shape
    torch.Size([2, 3, 6, 6])
    """

    _axes = 2
    _mode = "circular"


class CircularPad3d(_Pad):
    """The input again from its other end around volumes ``[N, C, D, H, W]``.

    >>> import wengert as torch
    >>> torch.nn.CircularPad3d(1)(torch.ones(2, 3, 4, 4, 4)).shape
    torch.Size([2, 3, 6, 6, 6])
    """

    _axes = 3
    _mode = "circular"
