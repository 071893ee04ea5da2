"""Samples for the reductions: sums, products, variances, norms, extrema, truth."""

from __future__ import annotations

from math import inf, nan
from typing import Any

import numpy as np

from samples import Sample

_rng = np.random.default_rng(11)


def _x(*shape: int) -> Any:
    return _rng.standard_normal(shape)


def _z(*shape: int) -> Any:
    return _x(*shape) + 1j * _x(*shape)


_T = np.float64(0.75)  # a 0-d value as a NumPy scalar
_ZEROS = np.array([[1.5, 0.0, -2.0], [0.0, 0.0, 3.0]])
_TIES = np.array([[1.0, 3.0, 3.0, 2.0], [2.0, 2.0, 1.0, 2.0]])
_HOLES = np.array([[1.0, nan, 3.0], [nan, 0.5, 2.0]])


def _over(*others: Any, **meta: Any) -> list[Sample]:
    """All axes, none by name, one, several, kept; a scalar; a transposed input."""
    return [
        Sample(_x(2, 3), dim=None, keepdim=False, **meta),
        Sample(_x(2, 3, 2), dim=(1,), keepdim=False, **meta),
        Sample(_x(2, 3, 2), dim=(0, 2), keepdim=False, **meta),
        Sample(_x(3, 2).T, dim=(0,), keepdim=True, **meta),
        Sample(_T, dim=None, keepdim=False, **meta),
        *[Sample(x, dim=(0,), keepdim=False, **meta) for x in others],
    ]


def _spread(**meta: Any) -> list[Sample]:
    """As `_over`, without the scalar, whose variance is nan."""
    return [s for s in _over(_z(3, 2), **meta) if np.ndim(s.inputs[0])]


_NORMS = [
    Sample(x, ord=p, dim=dim, keepdim=keepdim)
    for p in (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, inf, -inf, -1.0)
    for x, dim, keepdim in ((_x(2, 3), None, False), (_x(2, 3), (1,), False), (_z(2, 3), (0,), True), (_T, None, False))
]

SAMPLES: dict[str, list[Sample]] = {
    "sum": _over(_z(2, 3), _x(0, 3)),
    "mean": _over(_z(2, 3)),
    "nansum": [*_over(), Sample(_HOLES, dim=(1,), keepdim=False), Sample(_HOLES, dim=None, keepdim=True)],
    "prod": [
        Sample(_x(2, 3), dim=None, keepdim=False),
        Sample(_ZEROS, dim=None, keepdim=True),
        Sample(_ZEROS, dim=(1,), keepdim=False),
        Sample(_ZEROS, dim=(0,), keepdim=True),
        Sample(_z(3, 2), dim=(0,), keepdim=False),
        Sample(_T, dim=None, keepdim=False),
    ],
    "logsumexp": _over(_z(3, 2), np.array([[1.0, -inf], [2.0, 0.5]])),
    "var": _spread(correction=1) + _spread(correction=0),
    "std": _spread(correction=1) + _spread(correction=0.5),
    "var_mean": _spread(correction=1),
    "std_mean": _spread(correction=1),
    "linalg_vector_norm": _NORMS,
    "dist": [Sample(_x(2, 3), _x(3), p=p) for p in (1.0, 2.0, 3.0, inf)],
    "renorm": [Sample(_x(2, 3) * 2, p=2.0, dim=0, maxnorm=1.0), Sample(_x(2, 3, 2), p=1.0, dim=1, maxnorm=3.0)],
    "amax": _over(),
    "amin": _over(),
    "aminmax": _over(),
    "max_all": [Sample(_x(2, 3)), Sample(_T)],
    "min_all": [Sample(_x(2, 3)), Sample(_T)],
    "max_dim": [
        Sample(_x(2, 3), dim=0, keepdim=False),
        Sample(_TIES + _x(2, 4), dim=1, keepdim=True),
        Sample(_T, dim=0, keepdim=False),
    ],
    "min_dim": [
        Sample(_x(2, 3), dim=0, keepdim=True),
        Sample(_TIES + _x(2, 4), dim=1, keepdim=False),
        Sample(_T, dim=0, keepdim=False),
    ],
    "argmax": [Sample(_x(2, 3), dim=None, keepdim=False), Sample(_TIES, dim=1, keepdim=True)],
    "argmin": [Sample(_x(2, 3), dim=None, keepdim=True), Sample(_TIES, dim=0, keepdim=False)],
    "all": [Sample(_ZEROS, dim=None, keepdim=False), Sample(_ZEROS, dim=(0,), keepdim=True)],
    "any": [Sample(_ZEROS, dim=None, keepdim=False), Sample(_ZEROS, dim=(1,), keepdim=False)],
    "count_nonzero": [Sample(_ZEROS, dim=None, keepdim=False), Sample(_ZEROS, dim=(1,), keepdim=False)],
}
