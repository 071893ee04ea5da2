"""Switches of PyTorch's backends that programs set for reproducible results: accepted, and without effect.

Results do not depend on them: the same inputs give the same numbers.
"""

from __future__ import annotations

from types import SimpleNamespace

__all__ = ["cuda", "cudnn", "mps"]


class _Absent(SimpleNamespace):
    """A backend that is not there: it answers that, and lets its switches be set."""

    def is_available(self) -> bool:
        """False: the backend is not there."""
        return False

    def is_built(self) -> bool:
        """False: the backend is not there."""
        return False


cudnn = _Absent(enabled=False, benchmark=False, deterministic=True, allow_tf32=False)
mps = _Absent()
cuda = _Absent(matmul=SimpleNamespace(allow_tf32=False))
