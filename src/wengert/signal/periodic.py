"""The windows under their names at the top level: periodic unless told otherwise. Knows the windows, no formulas."""

from __future__ import annotations

from typing import Any

from wengert.functions.options import integer
from wengert.signal import windows

__all__ = ["bartlett_window", "blackman_window", "hamming_window", "hann_window", "kaiser_window"]


def _length(name: str, window_length: Any) -> int:
    count = integer(name, "window_length", 1, window_length)
    if count < 0:
        raise RuntimeError(f"{name} requires non-negative window_length, got window_length={count}")
    return count


def bartlett_window(window_length: int, periodic: bool = True, **options: Any) -> Any:
    """Bartlett's window (:func:`~wengert.signal.windows.bartlett`), which rises and falls in straight lines.

    Args:
        window_length: how many samples.
        periodic: one sample of a window that is longer by one left out, so that copies in a row are periodic.
        options: ``dtype``, ``layout``, ``device``, ``requires_grad``.

    Raises:
        RuntimeError: a negative length.

    >>> import wengert as torch
    >>> torch.bartlett_window(4)
    tensor([0.0000, 0.5000, 1.0000, 0.5000])
    """
    return windows.bartlett(_length("bartlett_window", window_length), sym=not periodic, **options)


def blackman_window(window_length: int, periodic: bool = True, **options: Any) -> Any:
    """Blackman's window (:func:`~wengert.signal.windows.blackman`); arguments as for :func:`bartlett_window`.

    >>> import wengert as torch
    >>> torch.blackman_window(4)[2]
    tensor(1.)
    """
    return windows.blackman(_length("blackman_window", window_length), sym=not periodic, **options)


def hann_window(window_length: int, periodic: bool = True, **options: Any) -> Any:
    """Hann's window (:func:`~wengert.signal.windows.hann`); arguments as for :func:`bartlett_window`.

    >>> import wengert as torch
    >>> torch.hann_window(4)
    tensor([0.0000, 0.5000, 1.0000, 0.5000])
    """
    return windows.hann(_length("hann_window", window_length), sym=not periodic, **options)


def hamming_window(
    window_length: int, periodic: bool = True, alpha: float = 0.54, beta: float = 0.46, **options: Any
) -> Any:
    """Hamming's window, ``alpha - beta cos(2 pi n / N)``; the other arguments as for :func:`bartlett_window`.

    >>> import wengert as torch
    >>> torch.hamming_window(4)
    tensor([0.0800, 0.5400, 1.0000, 0.5400])
    """
    count = _length("hamming_window", window_length)
    return windows.general_cosine(count, a=[alpha, beta], sym=not periodic, **options)


def kaiser_window(window_length: int, periodic: bool = True, beta: float = 12.0, **options: Any) -> Any:
    """Kaiser's window (:func:`~wengert.signal.windows.kaiser`); the other arguments as for :func:`bartlett_window`.

    >>> import wengert as torch
    >>> torch.kaiser_window(4)[2]
    tensor(1.)
    """
    return windows.kaiser(_length("kaiser_window", window_length), beta=beta, sym=not periodic, **options)
