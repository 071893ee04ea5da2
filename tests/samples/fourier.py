"""Sample inputs for Fourier transforms."""

from __future__ import annotations

import numpy as np

from samples import Sample

_R = np.random.default_rng(63)


def _r(*shape: int) -> np.ndarray:
    return _R.standard_normal(shape)


def _c(*shape: int) -> np.ndarray:
    return _r(*shape) + 1j * _r(*shape)


SAMPLES: dict[str, list[Sample]] = {
    "fft_c2c": [
        Sample(_c(4), dims=(0,), inverse=False, scale=1.0),
        Sample(_c(2, 3), dims=(1,), inverse=True, scale=1 / 3),
        Sample(_c(2, 3, 2), dims=(2, 0), inverse=False, scale=0.5),
    ],
    "fft_r2c": [
        Sample(_r(4), dims=(0,), scale=1.0),
        Sample(_r(2, 5), dims=(1,), scale=0.2),
        Sample(_r(3, 4, 2), dims=(2, 1), scale=0.5),
    ],
    "fft_c2r": [
        Sample(_c(3), dims=(0,), n=4, scale=0.25),
        Sample(_c(2, 3), dims=(1,), n=5, scale=1.0),
        Sample(_c(3, 3, 2), dims=(0, 1), n=4, scale=0.5),
    ],
    "fft_inner_scaled": [Sample(_c(2, 3), dim=1, n=4, factor=2.0), Sample(_r(3), dim=0, n=5, factor=0.5)],
}
