"""Sample inputs for convolutions, pooling and patches."""

from __future__ import annotations

import numpy as np

from samples import Sample
from wengert.ops.patches import Places

_R = np.random.default_rng(52)


def _r(*shape: int) -> np.ndarray:
    return _R.standard_normal(shape)


def _c(*shape: int) -> np.ndarray:
    return _r(*shape) + 1j * _r(*shape)


def _apart(*shape: int) -> np.ndarray:
    """No two elements so near that a small step exchanges them."""
    return _R.permutation(int(np.prod(shape))).reshape(shape) * 0.3 - 1.0


_ONE = Places((1,), (0,), (1,))
_LINE = Places((2,), (1,), (1,))
_PLANE = Places((2, 1), (1, 0), (1, 2))

_POOL_LINE = {"kernel": (2,), "counts": (3,), "places": Places((2,), (0,), (1,))}
_POOL_PLANE = {"kernel": (2, 3), "counts": (3, 2), "places": Places((2, 2), (1, 1), (1, 1))}
_BEYOND = {"kernel": (2,), "counts": (3,), "places": Places((2,), (0,), (1,))}  # of five elements: rounded up
_MEAN = {"divisor": None, "with_border": True}

SAMPLES: dict[str, list[Sample]] = {
    "channels_last": [Sample(_r(2, 3, 2, 2)), Sample(_c(1, 2, 3, 2))],
    "im2col": [Sample(_r(2, 2, 4, 5), kernel=(2, 2), places=_PLANE), Sample(_c(1, 1, 5), kernel=(3,), places=_LINE)],
    "col2im": [
        Sample(_r(2, 8, 9), space=(4, 5), kernel=(2, 2), places=_PLANE),
        Sample(_r(1, 3, 3), space=(5,), kernel=(3,), places=_LINE),
    ],
    "conv": [
        Sample(_r(2, 2, 5), _r(3, 2, 2), places=_ONE, groups=1),
        Sample(_r(1, 2, 5), _r(4, 1, 3), places=_LINE, groups=2),
        Sample(_r(2, 1, 4, 5), _r(2, 1, 2, 2), places=_PLANE, groups=1),
        Sample(_c(1, 1, 4), _c(1, 1, 2), places=_ONE, groups=1),
    ],
    "conv_input": [
        Sample(_r(2, 3, 4), _r(3, 2, 2), space=(5,), places=_ONE, groups=1),
        Sample(_r(1, 4, 3), _r(4, 1, 3), space=(5,), places=_LINE, groups=2),
        Sample(_r(1, 4, 3), _r(4, 1, 3), space=(6,), places=_LINE, groups=2),
        Sample(_c(1, 1, 3), _c(1, 1, 2), space=(4,), places=_ONE, groups=1),
    ],
    "conv_weight": [
        Sample(_r(2, 3, 4), _r(2, 2, 5), kernel=(2,), places=_ONE, groups=1),
        Sample(_r(1, 4, 3), _r(1, 2, 5), kernel=(3,), places=_LINE, groups=2),
        Sample(_c(1, 1, 3), _c(1, 1, 4), kernel=(2,), places=_ONE, groups=1),
    ],
    "avg_pool": [
        Sample(_r(2, 1, 6), **_POOL_LINE, **_MEAN),
        Sample(_r(1, 2, 4, 4), **_POOL_PLANE, divisor=None, with_border=False),
        Sample(_r(1, 1, 5), **_BEYOND, **_MEAN),
        Sample(_r(1, 1, 6), **_POOL_LINE, divisor=3, with_border=True),
    ],
    "avg_pool_backward": [
        Sample(_r(2, 1, 3), space=(6,), **_POOL_LINE, **_MEAN),
        Sample(_r(1, 2, 3, 2), space=(4, 4), **_POOL_PLANE, divisor=None, with_border=False),
        Sample(_r(1, 1, 3), space=(5,), **_BEYOND, **_MEAN),
    ],
    "max_pool": [
        Sample(_apart(2, 1, 6), **_POOL_LINE),
        Sample(_apart(1, 2, 4, 4), **_POOL_PLANE),
        Sample(_apart(1, 1, 5), **_BEYOND),
        Sample(_apart(1, 1, 7), kernel=(3,), counts=(3,), places=Places((1,), (0,), (2,))),
    ],
    "adaptive_max_pool": [Sample(_apart(2, 1, 5), counts=(2,)), Sample(_apart(1, 2, 4, 3), counts=(2, 2))],
}
