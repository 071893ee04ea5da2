"""What programs ask about an accelerator of any make, answered for a library that computes on the CPU."""

from __future__ import annotations

from typing import Any, NoReturn

from wengert._device import device

__all__ = [
    "current_accelerator",
    "current_device_index",
    "current_stream",
    "device_count",
    "empty_cache",
    "is_available",
    "max_memory_allocated",
    "memory_allocated",
    "reset_peak_memory_stats",
    "set_device_index",
    "synchronize",
]


def is_available() -> bool:
    """False: wengert computes on the CPU.

    >>> import wengert as torch
    >>> torch.accelerator.current_accelerator().type if torch.accelerator.is_available() else "cpu"
    'cpu'
    """
    return False


def current_accelerator(check_available: bool = False) -> device | None:
    """None: there is no accelerator.

    >>> import wengert as torch
    >>> torch.accelerator.current_accelerator() is None
    True
    """
    return None


def device_count() -> int:
    """0: the number of accelerators.

    >>> import wengert as torch
    >>> torch.accelerator.device_count()
    0
    """
    return 0


def _none(function: str) -> NoReturn:
    raise RuntimeError(
        f"Cannot access accelerator device when none is available: torch.accelerator.{function}, but wengert computes "
        "on the CPU only. Portable code asks first: if torch.accelerator.is_available(): ..."
    )


def current_device_index() -> NoReturn:
    """Raise a RuntimeError: there is no accelerator."""
    _none("current_device_index()")


def set_device_index(device: Any, /) -> NoReturn:
    """Raise a RuntimeError: there is no accelerator."""
    _none("set_device_index()")


def current_stream(device: Any = None, /) -> NoReturn:
    """Raise a RuntimeError: there is no accelerator."""
    _none("current_stream()")


def synchronize(device: Any = None, /) -> NoReturn:
    """Raise a RuntimeError: there is no accelerator."""
    _none("synchronize()")


def empty_cache() -> NoReturn:
    """Raise a RuntimeError: there is no accelerator."""
    _none("empty_cache()")


def memory_allocated(device_index: Any = None, /) -> NoReturn:
    """Raise a RuntimeError: there is no accelerator."""
    _none("memory_allocated()")


def max_memory_allocated(device_index: Any = None, /) -> NoReturn:
    """Raise a RuntimeError: there is no accelerator."""
    _none("max_memory_allocated()")


def reset_peak_memory_stats(device_index: Any = None, /) -> NoReturn:
    """Raise a RuntimeError: there is no accelerator."""
    _none("reset_peak_memory_stats()")
