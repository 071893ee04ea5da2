"""`einops` on tensors: importing this module lets ``rearrange``, ``reduce``, ``repeat``, ``einsum`` and more take them.

einops asks every backend whose class exists, so there is nothing to call::

    import einops
    import wengert.interop.einops

    einops.rearrange(t, "b (h w) -> b w h", h=2)

Under ``import torch`` answered by wengert it is not needed: einops then takes its own for PyTorch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from einops._backends import AbstractBackend

from wengert._tensor import Tensor
from wengert.functions.contraction import einsum
from wengert.functions.data import from_numpy
from wengert.functions.joining import cat, stack
from wengert.functions.ranges import arange

__all__ = ["WengertBackend"]


class _Answers:
    """What einops asks a library for."""

    framework_name = "wengert"

    def is_appropriate_type(self, tensor: Any) -> bool:
        """Whether it is a tensor."""
        return isinstance(tensor, Tensor)

    def from_numpy(self, x: Any) -> Any:
        """An array as a tensor."""
        return from_numpy(x)

    def to_numpy(self, x: Any) -> Any:
        """The values of a tensor."""
        return x.detach().numpy()

    def arange(self, start: int, stop: int) -> Any:
        """Counting numbers."""
        return arange(start, stop)

    def reduce(self, x: Any, operation: str, axes: Sequence[int]) -> Any:
        """A reduction over axes."""
        if operation in ("min", "max"):
            return getattr(x, f"a{operation}")(tuple(axes))
        if operation in ("any", "all", "prod"):
            for axis in sorted(axes, reverse=True):
                x = getattr(x, operation)(axis)
            return x
        return getattr(x, operation)(tuple(axes))

    def transpose(self, x: Any, axes: Sequence[int]) -> Any:
        """The axes in another order."""
        return x.permute(tuple(axes))

    def stack_on_zeroth_dimension(self, tensors: list[Any]) -> Any:
        """Several tensors as one."""
        return stack(tensors)

    def add_axis(self, x: Any, new_position: int) -> Any:
        """A new axis of length one."""
        return x.unsqueeze(new_position)

    def tile(self, x: Any, repeats: Sequence[int]) -> Any:
        """The tensor repeated along its axes."""
        return x.tile(tuple(repeats))

    def concat(self, tensors: list[Any], axis: int) -> Any:
        """Tensors one after the other."""
        return cat(tensors, axis)

    def is_float_type(self, x: Any) -> bool:
        """Whether a mean can be taken."""
        return bool(x.is_floating_point() or x.is_complex())

    def einsum(self, pattern: str, *x: Any) -> Any:
        """A sum of products."""
        return einsum(pattern, *x)


WengertBackend: Any = type("WengertBackend", (_Answers, AbstractBackend), {"__doc__": _Answers.__doc__})
