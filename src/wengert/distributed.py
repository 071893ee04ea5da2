"""What programs ask about other processes that train with them: there are none, and nothing to reach them by."""

from __future__ import annotations

__all__ = ["is_available", "is_initialized", "is_torchelastic_launched"]


def is_available() -> bool:
    """False, as in PyTorch without its distributed package: what else that package has is not there.

    >>> import wengert as torch
    >>> torch.distributed.is_available() and torch.distributed.is_initialized()
    False
    """
    return False


def is_initialized() -> bool:
    """False: no other process takes part.

    >>> import wengert as torch
    >>> torch.distributed.is_initialized()
    False
    """
    return False


def is_torchelastic_launched() -> bool:
    """False: PyTorch's launcher has not started this process.

    >>> import wengert as torch
    >>> torch.distributed.is_torchelastic_launched()
    False
    """
    return False
