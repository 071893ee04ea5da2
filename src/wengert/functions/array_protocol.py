"""What the array API standard asks of the array itself: its namespace, ``size`` as a number, ``to_device``."""

from __future__ import annotations

import importlib
from typing import Any

from wengert._device import require_cpu
from wengert.functions.info import size_of_tensor

__all__ = ["ArrayMethods"]

_VERSIONS = ("2021.12", "2022.12", "2023.12", "2024.12", "2025.12")


class Size(int):
    """The number of elements, as the standard has it; called, the shape or one length, as PyTorch has it.

    >>> import wengert as torch
    >>> x = torch.ones(2, 3)
    >>> x.size == 6, x.size(), x.size(-1)
    (True, torch.Size([2, 3]), 3)
    """

    _of: Any

    def __call__(self, dim: int | None = None) -> Any:
        """The shape, or the length of one dimension.

        Raises:
            IndexError: no such dimension.
        """
        return size_of_tensor(self._of, dim)

    def __reduce__(self) -> Any:
        return int, (int(self),)


def array_namespace(self: Any, /, *, api_version: str | None = None) -> Any:
    """The functions of the array API standard for tensors: :mod:`wengert.array_api`.

    Raises:
        ValueError: a version of the standard that is not known.

    >>> import wengert as torch
    >>> torch.ones(2).__array_namespace__().__array_api_version__
    '2025.12'
    """
    del self
    if api_version is not None and api_version not in _VERSIONS:
        raise ValueError(f"the array API standard {api_version!r} is not known; known are {', '.join(_VERSIONS)}")
    return importlib.import_module("wengert.array_api")


def to_device(self: Any, device: Any, /, *, stream: Any = None) -> Any:
    """The tensor itself: it is on the CPU, and there is no other device.

    Raises:
        RuntimeError: another device.
        ValueError: a stream, which the CPU does not have.

    >>> import wengert as torch
    >>> torch.ones(2).to_device("cpu")
    tensor([1., 1.])
    """
    require_cpu(device)
    if stream is not None:
        raise ValueError(f"the CPU has no streams, and to_device() was given the stream {stream!r}")
    return self


class ArrayMethods:
    """The part of Tensor that the array API standard looks for and PyTorch does not have."""

    __slots__ = ()

    __array_namespace__ = array_namespace
    to_device = to_device

    @property
    def size(self: Any) -> Size:
        """The number of elements; called as ``size()`` or ``size(dim)``, the shape or the length of a dimension.

        >>> import wengert as torch
        >>> torch.ones(2, 3).size(), torch.ones(2, 3).size == 6
        (torch.Size([2, 3]), True)
        """
        size = Size(self._data.size)
        size._of = self
        return size
