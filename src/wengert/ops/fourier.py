"""Fourier transforms: complex to complex, real to half of the complex, and back.

All three are linear; with ``scale`` explicit and the sign of the exponent as ``inverse``, each one's transpose is
another of them. Over several axes the last of ``dims`` is the one of which half is kept.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.ops.record import Kind, defop

Dims = tuple[int, ...]


def _scaled(y: Any, scale: float) -> Any:
    if scale != 1.0:
        y *= scale
    return y


def _c2c(x: Any, *, dims: Dims, inverse: bool, scale: float) -> Any:
    if len(dims) == 1:  # NumPy's functions of several axes take several times as long for few elements
        y = np.fft.ifft(x, axis=dims[0], norm="forward") if inverse else np.fft.fft(x, axis=dims[0])
    else:
        y = np.fft.ifftn(x, axes=dims, norm="forward") if inverse else np.fft.fftn(x, axes=dims)
    return _scaled(y if y is not x else y.copy(), scale)


def _r2c(x: Any, *, dims: Dims, scale: float) -> Any:
    return _scaled(np.fft.rfft(x, axis=dims[0]) if len(dims) == 1 else np.fft.rfftn(x, axes=dims), scale)


def _c2r(x: Any, *, dims: Dims, n: int, scale: float) -> Any:
    if len(dims) == 1:
        return _scaled(np.fft.irfft(x, n, axis=dims[0], norm="forward"), scale)
    sizes = [x.shape[dim] for dim in dims[:-1]]
    return _scaled(np.fft.irfftn(x, s=(*sizes, n), axes=dims, norm="forward"), scale)


def _inner_scaled(x: Any, *, dim: int, n: int, factor: float) -> Any:
    """Multiply what stands for two frequencies: all but zero, and half of an even number."""
    y = x * factor
    at = (slice(None),) * dim
    y[(*at, slice(0, 1))] = x[(*at, slice(0, 1))]
    if n % 2 == 0:
        last = n // 2
        y[(*at, slice(last, last + 1))] = x[(*at, slice(last, last + 1))]
    return y


def _r2c_vjp(xp: Any, g: Any, y: Any, x: Any, *, dims: Dims, scale: float) -> Any:
    # The real part of what the half of the frequencies makes; a transform to real numbers adds the other half to it.
    n = x.shape[dims[-1]]
    halved = xp.fft_inner_scaled(g, dim=dims[-1], n=n, factor=0.5)
    return xp.fft_c2r(halved, dims=dims, n=n, scale=scale)


def _c2r_vjp(xp: Any, g: Any, y: Any, x: Any, *, dims: Dims, n: int, scale: float) -> Any:
    return xp.fft_inner_scaled(xp.fft_r2c(g, dims=dims, scale=scale), dim=dims[-1], n=n, factor=2.0)


FFT_C2C = defop(
    "fft_c2c",
    _c2c,
    Kind.OTHER,
    batch=Kind.MOVEMENT,  # told other axes
    vjp=(lambda xp, g, y, x, *, dims, inverse, scale: xp.fft_c2c(g, dims=dims, inverse=not inverse, scale=scale),),
    linear=(0,),
    node="FftC2CBackward0",
    formula="scale sum_k x_k exp(-+ 2 pi i j k / n)",
    doc="Fourier transform of complex numbers over some axes.",
)
FFT_R2C = defop(
    "fft_r2c",
    _r2c,
    Kind.OTHER,
    batch=Kind.MOVEMENT,  # told other axes
    vjp=(_r2c_vjp,),
    linear=(0,),
    node="FftR2CBackward0",
    formula="scale sum_k x_k exp(-2 pi i j k / n), j <= n / 2",
    doc="Fourier transform of real numbers; the frequencies that mirror others along the last axis are left out.",
)
FFT_C2R = defop(
    "fft_c2r",
    _c2r,
    Kind.OTHER,
    batch=Kind.MOVEMENT,  # told other axes
    vjp=(_c2r_vjp,),
    linear=(0,),
    node="FftC2RBackward0",
    formula="scale sum_j x_j exp(2 pi i j k / n), x_{n-j} = conj(x_j)",
    doc="Inverse Fourier transform of frequencies of which half is given, to `n` real numbers along the last axis.",
)
FFT_INNER_SCALED = defop(
    "fft_inner_scaled",
    _inner_scaled,
    Kind.OTHER,
    batch=Kind.MOVEMENT,  # told other axes
    vjp=(lambda xp, g, y, x, *, dim, n, factor: xp.fft_inner_scaled(g, dim=dim, n=n, factor=factor),),
    linear=(0,),
    formula="factor x_k, but for the ends",
    doc="The frequencies that stand for two, times a number.",
)
