"""The switches of cuDNN, which programs set for speed or for reproducible results; they are without effect.

>>> import wengert as torch
>>> import wengert.backends.cudnn as cudnn
>>> cudnn.benchmark = True
>>> cudnn.is_available()
False
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["allow_tf32", "benchmark", "deterministic", "enabled", "flags", "is_available", "version"]

enabled = False
benchmark = False
deterministic = True
allow_tf32 = False


def is_available() -> bool:
    """False: the backend is not there."""
    return False


def version() -> int | None:
    """None: the backend is not there."""
    return None


@contextmanager
def flags(**settings: Any) -> Iterator[None]:  # noqa: ARG001 - without effect
    """Accept settings for a ``with`` block."""
    yield
