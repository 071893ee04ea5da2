"""The standard's Fourier transforms: ``torch.fft``'s, with the standard's arguments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from wengert.array_api._types import require_arrays
from wengert.functions import fourier

__all__ = [
    "fft",
    "fftfreq",
    "fftn",
    "fftshift",
    "hfft",
    "ifft",
    "ifftn",
    "ifftshift",
    "ihfft",
    "irfft",
    "irfftn",
    "rfft",
    "rfftfreq",
    "rfftn",
]


def _named(function: Any, of: Callable[..., Any]) -> Any:
    function.__name__ = function.__qualname__ = of.__name__
    function.__doc__ = (of.__doc__ or "").partition("\n")[0]
    return function


def _along_one(of: Callable[..., Any]) -> Callable[..., Any]:
    def function(x: Any, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Any:
        require_arrays(of.__name__, x)
        return of(x, n, axis, norm)

    return _named(function, of)  # type: ignore[no-any-return]


def _along_several(of: Callable[..., Any]) -> Callable[..., Any]:
    def function(
        x: Any, /, *, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: str = "backward"
    ) -> Any:
        require_arrays(of.__name__, x)
        return of(x, s, axes, norm)

    return _named(function, of)  # type: ignore[no-any-return]


def _frequencies(of: Callable[..., Any]) -> Callable[..., Any]:
    def function(n: int, /, *, d: float = 1.0, dtype: Any = None, device: Any = None) -> Any:
        return of(n, d, dtype=dtype, device=device)

    return _named(function, of)  # type: ignore[no-any-return]


def _shift(of: Callable[..., Any]) -> Callable[..., Any]:
    def function(x: Any, /, *, axes: int | Sequence[int] | None = None) -> Any:
        require_arrays(of.__name__, x)
        return of(x, axes)

    return _named(function, of)  # type: ignore[no-any-return]


fft = _along_one(fourier.fft)
ifft = _along_one(fourier.ifft)
rfft = _along_one(fourier.rfft)
irfft = _along_one(fourier.irfft)
hfft = _along_one(fourier.hfft)
ihfft = _along_one(fourier.ihfft)
fftn = _along_several(fourier.fftn)
ifftn = _along_several(fourier.ifftn)
rfftn = _along_several(fourier.rfftn)
irfftn = _along_several(fourier.irfftn)
fftfreq = _frequencies(fourier.fftfreq)
rfftfreq = _frequencies(fourier.rfftfreq)
fftshift = _shift(fourier.fftshift)
ifftshift = _shift(fourier.ifftshift)
