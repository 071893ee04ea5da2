"""DLPack under the names of ``torch.utils.dlpack``."""

from __future__ import annotations

from typing import Any

from wengert.functions.dlpack import from_dlpack

__all__ = ["from_dlpack", "to_dlpack"]


def to_dlpack(tensor: Any) -> Any:
    """A capsule of the tensor's memory, for the ``from_dlpack`` of another library (once).

    Raises:
        BufferError: the tensor requires grad.

    >>> import wengert as torch
    >>> torch.from_dlpack(torch.utils.dlpack.to_dlpack(torch.ones(2)))
    tensor([1., 1.])
    """
    return tensor.__dlpack__()
