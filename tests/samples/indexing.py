"""Samples for the operations that choose elements by index arrays and masks, and those that write to such places."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples import Sample

_rng = np.random.default_rng(8)


def _x(*shape: int) -> Any:
    return _rng.standard_normal(shape)


def _i(*values: Any) -> Any:
    return np.array(values, dtype=np.int64)


def _distinct(*shape: int) -> Any:
    """Values without ties, small enough that products stay tame."""
    return 0.4 + _rng.permutation(int(np.prod(shape))).reshape(shape) / 7.0


_MASK = np.array([[True, False, True], [False, False, True]])
_INDEX = _i([0, 2, 1], [2, 2, 0])
_REDUCES = ("sum", "mean", "prod", "amax", "amin")

SAMPLES: dict[str, list[Sample]] = {
    "select": [Sample(_x(3, 4), dim=0, index=1), Sample(_x(3, 4), dim=1, index=-1), Sample(_x(3), dim=0, index=2)],
    "select_backward": [Sample(_x(3), shape=(3, 4), dim=1, index=2)],
    "slice": [
        Sample(_x(6, 2), dim=0, start=1, stop=6, step=2),
        Sample(_x(2, 5), dim=1, start=None, stop=None, step=-2),
        Sample(_x(4), dim=0, start=2, stop=1, step=1),
    ],
    "slice_backward": [Sample(_x(2, 2), shape=(2, 5), dim=1, start=0, stop=4, step=2)],
    "index": [
        Sample(_x(4, 3), _i(0, 2, 2, -1), spec=(True,)),
        Sample(_x(4, 3), _i([0, 1], [1, 1]), spec=(False, True)),
        Sample(_x(4, 3, 2), _i(3, 0), _i([1], [2]), spec=(True, True)),
        Sample(_x(4, 3, 2), _i(3, 0, 0), _i(1, 0, 0), spec=(True, False, True)),
        Sample(_x(2, 3), _MASK, spec=(True,)),
        Sample(_x(2, 3, 2), _MASK, spec=(True,)),
        Sample(_x(40, 33), np.arange(90) * 7 % 40, spec=(True,)),
        Sample(_x(5, 4, 6), np.arange(30).reshape(5, 6) % 4, np.arange(6), spec=(False, True, True)),
    ],
    "index_backward": [Sample(_x(4, 3), _i(0, 2, 2, -1), shape=(5, 3), spec=(True,))],
    "index_select": [
        Sample(_x(3, 4), _i(0, 0, 2), dim=0),
        Sample(_x(3, 4), _i(3, 1), dim=1),
        Sample(_x(20, 30), np.arange(25) % 20, dim=0),
    ],
    "index_select_backward": [Sample(_x(3, 2), _i(0, 2), shape=(3, 4), dim=1)],
    "gather": [
        Sample(_x(3, 3), _INDEX, dim=0),
        Sample(_x(3, 3), _INDEX, dim=1),
        Sample(_x(4), _i(3, 3), dim=0),
        Sample(np.float64(2.0), np.int64(0), dim=0),
    ],
    "gather_backward": [Sample(_x(2, 3), _INDEX, shape=(4, 3), dim=0)],
    "take": [Sample(_x(3, 4), _i([0, 11], [5, 5])), Sample(_x(3), _i(-1))],
    "take_backward": [Sample(_x(2, 2), _i([0, 11], [5, 5]), shape=(3, 4))],
    "masked_select": [Sample(_x(2, 3), _MASK), Sample(_x(3), _MASK), Sample(_x(4, 2, 3), _MASK)],
    "masked_select_backward": [Sample(_x(3), _MASK, shape=(2, 3))],
    "scatter": [Sample(_x(3, 3), _i([0, 2, 1]), _x(1, 3), dim=0), Sample(_x(2, 3), _i([0], [2]), _x(2, 1), dim=1)],
    "scatter_value": [Sample(_x(3, 3), _INDEX, dim=0, value=1.5)],
    "scatter_add": [Sample(_x(3, 3), _INDEX, _x(2, 3), dim=0), Sample(_x(2, 3), _INDEX, _x(2, 3), dim=1)],
    "scatter_reduce": [
        Sample(_distinct(3, 3), _INDEX, _distinct(2, 3) + 0.01, dim=0, reduce=reduce, include_self=include_self)
        for reduce in _REDUCES
        for include_self in (True, False)
    ],
    "index_add": [
        Sample(_x(3, 4), _i(0, 0, 2), _x(3, 4), dim=0, alpha=1),
        Sample(_x(3, 4), _i(3, 1), _x(3, 2), dim=1, alpha=-0.5),
    ],
    "index_copy": [Sample(_x(3, 4), _i(2, 0), _x(2, 4), dim=0)],
    "index_fill": [Sample(_x(3, 4), _i(2, 0), dim=1, value=0.5)],
    "index_fill_tensor": [Sample(_x(3, 4), _i(2, 0), np.float64(0.5), dim=1)],
    "index_put": [
        Sample(_x(4, 3), _x(2, 3), _i(0, 2), spec=(True,), accumulate=False),
        Sample(_x(4, 3), _x(3), _i(0, 2, 2), spec=(True,), accumulate=True),
        Sample(_x(4, 3), _x(2), _i(0, 2), _i(1, 1), spec=(True, True), accumulate=False),
        Sample(_x(2, 3), _x(3), _MASK, spec=(True,), accumulate=False),
    ],
    "put": [
        Sample(_x(3, 4), _i(0, 11, 5), _x(3), accumulate=False),
        Sample(_x(3, 4), _i(0, -1, 0), _x(3), accumulate=True),
    ],
    "masked_fill": [Sample(_x(2, 3), _MASK, value=0.5), Sample(_x(3), _MASK, value=0)],
    "masked_fill_tensor": [Sample(_x(2, 3), _MASK, np.float64(0.5))],
    "masked_scatter": [Sample(_x(2, 3), _MASK, _x(4)), Sample(_x(2, 3), _MASK, _x(2, 2))],
    "masked_scatter_backward": [Sample(_x(2, 3), _MASK, shape=(2, 2))],
}
