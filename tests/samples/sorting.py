"""Samples for sorting, choosing by rank, searching and counting."""

from __future__ import annotations

from math import nan
from typing import Any

import numpy as np

from samples import Sample

_rng = np.random.default_rng(13)


def _x(*shape: int) -> Any:
    return _rng.standard_normal(shape)


_T = np.float64(0.75)  # a 0-d value as a NumPy scalar
_HOLES = np.array([[1.0, nan, 3.0, 2.0], [nan, 0.5, 2.0, -1.0]])
_COUNTS = np.array([3, 1, 1, 0, 3, 3])

_ALONG = [
    Sample(_x(5), dim=0, keepdim=False),
    Sample(_x(2, 4), dim=1, keepdim=True),
    Sample(_x(4, 3).T, dim=0, keepdim=False),
    Sample(_x(300), dim=0, keepdim=False),
    Sample(_T, dim=0, keepdim=False),
]

SAMPLES: dict[str, list[Sample]] = {
    "sort": [
        Sample(_x(5), dim=0, descending=False, stable=None),
        Sample(_x(2, 4), dim=1, descending=True, stable=True),
        Sample(_x(40, 2), dim=0, descending=True, stable=None),
        Sample(_T, dim=0, descending=False, stable=None),
    ],
    "argsort": [
        Sample(_x(2, 4), dim=1, descending=False, stable=False),
        Sample(_HOLES, dim=1, descending=True, stable=True),
    ],
    "topk": [
        Sample(_x(5), k=2, dim=0, largest=True),
        Sample(_x(2, 4), k=3, dim=1, largest=False),
        Sample(_x(300, 2), k=4, dim=0, largest=True),
        Sample(_x(300), k=4, dim=0, largest=False),
        Sample(_T, k=1, dim=0, largest=True),
    ],
    "kthvalue": [Sample(*s.inputs, k=1, **s.meta) for s in _ALONG] + [Sample(_x(2, 4), k=3, dim=1, keepdim=False)],
    "mode": _ALONG,
    "median_dim": _ALONG,
    "nanmedian_dim": [*_ALONG, Sample(_HOLES, dim=1, keepdim=False)],
    "median_all": [Sample(_x(2, 3)), Sample(_T)],
    "nanmedian_all": [Sample(_x(2, 3)), Sample(_HOLES), Sample(_T)],
    "unique": [Sample(np.array([2.0, 1.0, 2.0]), dim=None, return_inverse=True, return_counts=True)],
    "unique_consecutive": [Sample(np.array([2.0, 2.0, 1.0, 2.0]), dim=None)],
    "searchsorted": [
        Sample(np.arange(5.0), _x(2, 3), right=False, dtype=np.dtype(np.int64)),
        Sample(np.sort(_x(2, 5), 1), _x(2, 3), right=True, dtype=np.dtype(np.int32)),
    ],
    "bincount": [Sample(_COUNTS, minlength=6)],
    "bincount_weighted": [Sample(_COUNTS, _x(6), minlength=0)],
    "histc": [Sample(_x(20), bins=4, min=-1.0, max=1.0)],
}
