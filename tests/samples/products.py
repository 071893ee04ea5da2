"""Sample inputs for products and contractions."""

from __future__ import annotations

import numpy as np

from samples import Sample

_R = np.random.default_rng(20)


def _r(*shape: int) -> np.ndarray:
    return _R.standard_normal(shape)


def _c(*shape: int) -> np.ndarray:
    return _r(*shape) + 1j * _r(*shape)


_SCALES = {"beta": 0.5, "alpha": -2.0}

SAMPLES: dict[str, list[Sample]] = {
    "mm": [
        Sample(_r(2, 3), _r(3, 4)),
        Sample(_c(3, 2), _c(2, 3)),
        Sample(_r(0, 3), _r(3, 2)),
        Sample(_r(2, 0), _r(0, 3)),
    ],
    "mv": [Sample(_r(2, 3), _r(3)), Sample(_c(3, 2), _c(2)), Sample(_r(2, 0), _r(0))],
    "vm": [Sample(_r(3), _r(3, 2)), Sample(_c(2), _c(2, 3))],
    "dot": [Sample(_r(3), _r(3)), Sample(_c(3), _c(3)), Sample(_r(0), _r(0))],
    "vdot": [Sample(_r(3), _r(3)), Sample(_c(3), _c(3))],
    "bmm": [Sample(_r(2, 3, 4), _r(2, 4, 2)), Sample(_c(2, 2, 3), _c(2, 3, 1)), Sample(_r(0, 3, 4), _r(0, 4, 2))],
    "outer": [Sample(_r(3), _r(2)), Sample(_c(2), _c(3))],
    "matmul": [
        Sample(_r(2, 2, 3), _r(3, 4)),
        Sample(_r(2, 2, 3), _r(3)),
        Sample(_r(3), _r(2, 3, 4)),
        Sample(_r(2, 3), _r(2, 3, 2)),
        Sample(_r(3, 1, 2, 3), _r(2, 3, 2)),
        Sample(_c(2, 2, 3), _c(1, 3, 2)),
        Sample(_c(2, 2, 2), _c(2)),
    ],
    "linear": [
        Sample(_r(2, 3), _r(4, 3), rank=2),
        Sample(_r(3), _r(2, 3), rank=1),
        Sample(_r(2, 2, 3), _r(4, 3), rank=3),
        Sample(_c(2, 2), _c(3, 2), rank=2),
    ],
    "linear_bias": [
        Sample(_r(2, 3), _r(4, 3), _r(4), rank=2),
        Sample(_r(3), _r(2, 3), _r(2), rank=1),
        Sample(_r(2, 1, 3), _r(2, 3), _r(2), rank=3),
        Sample(_c(2, 2), _c(3, 2), _c(3), rank=2),
    ],
    "addmm": [
        Sample(_r(2, 4), _r(2, 3), _r(3, 4), **_SCALES),
        Sample(_c(2), _c(2, 3), _c(3, 2), beta=1j, alpha=2 - 1j),
    ],
    "addmv": [Sample(_r(2), _r(2, 3), _r(3), **_SCALES), Sample(_r(1), _r(2, 3), _r(3), beta=1, alpha=1)],
    "addr": [Sample(_r(2, 3), _r(2), _r(3), **_SCALES), Sample(_c(3), _c(2), _c(3), beta=1, alpha=1)],
    "baddbmm": [
        Sample(_r(2, 2, 4), _r(2, 2, 3), _r(2, 3, 4), **_SCALES),
        Sample(_r(4), _r(2, 2, 3), _r(2, 3, 4), beta=1, alpha=1),
    ],
    "addbmm": [
        Sample(_r(2, 4), _r(3, 2, 3), _r(3, 3, 4), **_SCALES),
        Sample(_r(4), _r(2, 2, 3), _r(2, 3, 4), beta=0, alpha=1),
    ],
    "einsum": [
        Sample(_r(2, 3), _r(3, 4), subs=((0, 1), (1, 2)), out=(2, 0)),
        Sample(_r(2, 3), _r(2, 3), subs=((0, 1), (0, 1)), out=(0,)),
        Sample(_r(2, 3), _r(2, 3), subs=((0, 1), (0, 1)), out=()),
        Sample(_r(2), _r(3), subs=((0,), (1,)), out=(1, 0)),
        Sample(_r(2, 3), _r(3, 2, 4), subs=((0, 1), (2, 0, 3)), out=(0, 3)),
        Sample(_r(2, 1, 3), _r(1, 4, 3), subs=((0, 1, 2), (0, 1, 2)), out=(0, 1)),
        Sample(_r(2, 3), _r(1), subs=((0, 1), (1,)), out=(0,)),
        Sample(_r(2, 3, 4), _r(2, 4, 5), subs=((0, 1, 2), (0, 2, 3)), out=(3, 0, 1)),
        Sample(_r(2, 3), _r(3, 4), _r(4, 2), subs=((0, 1), (1, 2), (2, 3)), out=(0, 3)),
        Sample(_c(2, 3), _c(3, 2), _c(2), subs=((0, 1), (1, 2), (2,)), out=(0,)),
        Sample(_r(2, 3), subs=((0, 1),), out=(1,)),
        Sample(_r(2, 3), subs=((0, 1),), out=(1, 0)),
    ],
    "tensordot": [
        Sample(_r(2, 3, 4), _r(3, 4, 2), subs=((0, 1, 2), (1, 2, 3)), out=(0, 3)),
        Sample(_r(2), _r(3), subs=((0,), (1,)), out=(0, 1)),
    ],
    "vecdot": [Sample(_r(2, 3), _r(2, 3)), Sample(_c(2, 3), _c(3))],
    "trace": [Sample(_r(3, 3)), Sample(_r(2, 4)), Sample(_c(4, 2)), Sample(_r(0, 2))],
    "spread_trace": [Sample(np.asarray(1.5), shape=(2, 3)), Sample(np.asarray(-0.5), shape=(4, 2))],
    "kron": [Sample(_r(2, 3), _r(2, 2)), Sample(_c(2), _c(2, 2)), Sample(_r(2, 2, 1), _r(3))],
    "cross": [Sample(_r(2, 3), _r(2, 3), dim=1), Sample(_c(3, 2), _c(3, 1), dim=0)],
    "inv": [Sample(_r(3, 3) + 3 * np.eye(3)), Sample(_c(2, 2, 2) + 3 * np.eye(2))],
    "row_norm": [
        Sample(_r(3, 4), ord=p, dim=(1,), keepdim=keep) for p, keep in ((2.0, False), (1.0, True), (3.0, False))
    ],
    "cdist": [Sample(_r(3, 2), _r(2, 2), p=p, products=False) for p in (0.0, 1.0, 1.5, 2.0, 3.0, float("inf"))]
    + [Sample(_r(2, 3, 2), _r(2, 2), p=2.0, products=False), Sample(_r(3, 2), _r(2, 2), p=2.0, products=True)],
}
