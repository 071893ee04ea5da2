"""What programs ask about GPUs of Apple's, answered for a library that computes on the CPU: there are none."""

from __future__ import annotations

from typing import NoReturn

__all__ = ["current_allocated_memory", "device_count", "empty_cache", "is_available", "manual_seed", "synchronize"]


def is_available() -> bool:
    """False: wengert computes on the CPU.

    >>> import wengert as torch
    >>> torch.mps.is_available()
    False
    """
    return False


def device_count() -> int:
    """0: the number of GPUs that can be used.

    >>> import wengert as torch
    >>> torch.mps.device_count()
    0
    """
    return 0


def manual_seed(seed: int) -> None:
    """Do nothing: there is no GPU whose generator could be seeded.

    >>> import wengert as torch
    >>> torch.mps.manual_seed(0)
    """


def _no_gpu(function: str) -> NoReturn:
    raise RuntimeError(
        f"torch.mps.{function} needs a GPU, but wengert computes on the CPU only. Portable code asks first: "
        "if torch.backends.mps.is_available(): ..."
    )


def synchronize() -> NoReturn:
    """Raise a RuntimeError: there is no GPU."""
    _no_gpu("synchronize()")


def empty_cache() -> NoReturn:
    """Raise a RuntimeError: there is no GPU."""
    _no_gpu("empty_cache()")


def current_allocated_memory() -> NoReturn:
    """Raise a RuntimeError: there is no GPU."""
    _no_gpu("current_allocated_memory()")
