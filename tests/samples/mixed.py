"""Samples that no family has: the engine's own operations, real beside complex inputs, quotients away from jumps."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np

from samples import Sample

_rng = np.random.default_rng(5)


def _x(*shape: int) -> Any:
    """Values of either sign, away from zero."""
    return _rng.uniform(0.25, 2.0, shape) * _rng.choice([-1.0, 1.0], shape)


def _z(*shape: int) -> Any:
    return _x(*shape) + 1j * _x(*shape)


_T = np.float64(0.75)  # a 0-d value as a NumPy scalar
_DIVIDEND = np.array([1.0, -2.9, 2.3, 7.1])  # no multiple of what it is divided by is near
_QUOTIENTS = [
    Sample(_DIVIDEND, np.array([0.3, 1.2, -0.4, 2.6])),
    Sample(_DIVIDEND[:, None], np.array([0.7, -1.3])),
    Sample(_T, _T / 2.5),
]
_TWO = [(_x(2, 3), _x(2, 3)), (_T, _x(2, 1)), (_x(3), _z(2, 3)), (_z(3), _x(3))]
_THREE = [(_x(3), _x(2, 3), _T), (_x(3), _z(3), _x(3)), (_z(2, 1), _x(3), _x(2, 3))]

SAMPLES: dict[str, list[Sample]] = {
    **dict.fromkeys(("floor_divide", "remainder", "fmod"), _QUOTIENTS),
    "div_rounding": [Sample(*s.inputs, rounding_mode=mode) for s in _QUOTIENTS for mode in ("floor", "trunc")],
    "add_alpha": [Sample(*two, alpha=-1.5) for two in _TWO],
    "sub_alpha": [Sample(*two, alpha=-1.5) for two in _TWO],
    "rsub_alpha": [Sample(*two, alpha=-1.5, number=False) for two in _TWO],
    "lerp_number": [Sample(*two, weight=weight) for two in _TWO for weight in (0.3, -1.5)],
    "addcmul": [Sample(*three, value=value) for three in _THREE for value in (1, -0.5)],
    "addcdiv": [Sample(*three, value=value) for three in _THREE for value in (1, -0.5)],
    "nonzero": [Sample(np.array([[1.5, 0.0], [0.0, -inf]])), Sample(np.array([True, False]))],
    "zeros_like": [Sample(_x(2, 3)), Sample(_T)],
    "ones_like": [Sample(_x(2, 3)), Sample(_T)],
    "view_dtype": [Sample(_x(2, 3), dtype=np.dtype(np.int64)), Sample(_x(2, 4), dtype=np.dtype(np.float32))],
    "view_write": [
        Sample(_x(3, 4), _x(4), steps=(("select", {"dim": 0, "index": 1}, 0),)),
        Sample(
            _x(3, 4),
            _x(2),
            steps=(
                ("t", {}, 0),
                ("slice", {"dim": 0, "start": 1, "stop": 3, "step": 1}, 0),
                ("select", {"dim": 1, "index": 0}, 0),
            ),
        ),
        Sample(_x(5, 2), _x(2, 2), steps=(("split", {"dim": 0, "sizes": (2, 2, 1)}, 1),)),
    ],
}
