"""Samples for the scans: running sums, products, extrema and log-sum-exps, and the helpers of their derivatives."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples import Sample

_rng = np.random.default_rng(12)


def _x(*shape: int) -> Any:
    return _rng.standard_normal(shape)


def _z(*shape: int) -> Any:
    return _x(*shape) + 1j * _x(*shape)


_T = np.float64(0.75)  # a 0-d value as a NumPy scalar
_ZEROS = np.array([[1.5, 0.0, -2.0, 0.5], [0.0, 0.0, 3.0, 2.0]])

_PLAIN = [Sample(_x(5), dim=0), Sample(_x(2, 4), dim=1), Sample(_x(4, 2).T, dim=0), Sample(_T, dim=0)]

SAMPLES: dict[str, list[Sample]] = {
    "cumsum": [*_PLAIN, Sample(_z(2, 3), dim=1), Sample(_x(0, 2), dim=0)],
    "cumprod": [*_PLAIN, Sample(_z(2, 3), dim=1), Sample(_ZEROS, dim=1), Sample(_ZEROS, dim=0)],
    "logcumsumexp": [*_PLAIN, Sample(_z(2, 3), dim=1)],
    "cummax": _PLAIN,
    "cummin": _PLAIN,
    "shift": [Sample(_x(2, 5), dim=1, by=2, fill=1.0), Sample(_x(3, 2), dim=0, by=-1, fill=0.0)],
    "linear_recurrence": [
        Sample(_x(7), _x(7), dim=0, reverse=False),
        Sample(_x(2, 5), _x(2, 5), dim=1, reverse=True),
        Sample(_z(4, 2), _z(4, 2), dim=0, reverse=True),
        Sample(_x(1), _x(1), dim=0, reverse=False),
    ],
}
