"""What programs ask about the device that they run on, where that is the CPU."""

from __future__ import annotations

from typing import Any

__all__ = ["current_device", "device_count", "is_available", "is_initialized", "set_device", "synchronize"]


def is_available() -> bool:
    """True: wengert computes on the CPU.

    >>> import wengert as torch
    >>> torch.cpu.is_available()
    True
    """
    return True


def is_initialized() -> bool:
    """True: there is nothing to initialise.

    >>> import wengert as torch
    >>> torch.cpu.is_initialized()
    True
    """
    return True


def device_count() -> int:
    """1: all processors together.

    >>> import wengert as torch
    >>> torch.cpu.device_count()
    1
    """
    return 1


def current_device() -> str:
    """The name of the device.

    >>> import wengert as torch
    >>> torch.cpu.current_device()
    'cpu'
    """
    return "cpu"


def set_device(device: Any) -> None:
    """Do nothing: there is one.

    >>> import wengert as torch
    >>> torch.cpu.set_device("cpu")
    """


def synchronize(device: Any = None) -> None:
    """Do nothing: an operation has been computed when it returns.

    >>> import wengert as torch
    >>> torch.cpu.synchronize()
    """
