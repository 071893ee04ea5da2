"""What computes: the switch of machine code for eager operations, and PyTorch's switches.

PyTorch's, which programs set for reproducible results, are accepted and without effect: the same inputs give the same
numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

from wengert.backends import cudnn as cudnn
from wengert.engine.kernels import KERNELS

__all__ = ["cuda", "cudnn", "kernels", "mkl", "mkldnn", "mps", "openmp", "opt_einsum"]


class _Kernels:
    """Machine code for eager elementwise operations on many elements, and for their derivative rules.

    It is used where llvmlite is installed (extra ``[jit]``), for float32 and float64. ``enabled`` says whether it may
    be, and can be set; the environment variable ``WENGERT_EAGER_KERNELS=0`` has it off from the start. Without it
    NumPy computes, and results may differ in their last bits.

    >>> import wengert as torch
    >>> torch.backends.kernels.enabled = False
    >>> y = torch.ones(1000).exp()  # by NumPy
    >>> torch.backends.kernels.enabled = True
    """

    @property
    def enabled(self) -> bool:
        """Whether machine code may be used."""
        return KERNELS.is_on

    @enabled.setter
    def enabled(self, value: bool) -> None:
        KERNELS.turn(on=bool(value))

    def is_available(self) -> bool:
        """Whether machine code can be had here; loads what makes it."""
        return KERNELS.find_maker() is not None

    @contextmanager
    def flags(self, *, enabled: bool = True) -> Iterator[None]:
        """Have machine code on or off in a ``with`` block, for all threads.

        >>> import wengert as torch
        >>> with torch.backends.kernels.flags(enabled=False):
        ...     y = torch.ones(1000).exp()
        """
        before = self.enabled
        self.enabled = enabled
        try:
            yield
        finally:
            self.enabled = before


kernels = _Kernels()


class _Absent(SimpleNamespace):
    """A backend that is not there: it answers that, and lets its switches be set."""

    def is_available(self) -> bool:
        """False: the backend is not there."""
        return False

    def is_built(self) -> bool:
        """False: the backend is not there."""
        return False


mps = _Absent()
mkl = _Absent()
mkldnn = _Absent(enabled=False)
openmp = _Absent()
opt_einsum = _Absent(enabled=False, strategy=None)
cuda = _Absent(matmul=SimpleNamespace(allow_tf32=False))
