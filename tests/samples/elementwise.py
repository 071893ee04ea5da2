"""Samples for the elementwise operations that take metadata, numbers, booleans, integers or complex numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples import Sample

_rng = np.random.default_rng(3)


def _x(*shape: int) -> Any:
    return _rng.uniform(-2.0, 2.0, shape)


def _p(*shape: int) -> Any:
    return _rng.uniform(0.3, 2.5, shape)


def _z(*shape: int) -> Any:
    return _x(*shape) + 1j * _x(*shape)


def _i(*shape: int) -> Any:
    return _rng.integers(-4, 5, shape)


_T = np.float64(0.75)  # a 0-d value as a NumPy scalar
_U = np.float64(-1.25)
_BOOL = np.array([True, False, True])

_COMPARED = [Sample(_x(2, 3), _x(3), number=False), Sample(_x(2, 3), 0.5, number=True)]
_INTEGERS = [Sample(_i(2, 3), _i(3)), Sample(_i(3), np.int64(2))]
_NATURALS = [Sample(abs(_i(2, 3)), abs(_i(3))), Sample(_i(3), np.int64(2))]
_SINGLE = [Sample(_x(2, 3)), Sample(_z(3)), Sample(_T), Sample(np.complex128(1 - 2j))]

SAMPLES: dict[str, list[Sample]] = {
    "add_alpha": [Sample(_x(2, 3), _x(3), alpha=2), Sample(_z(3), _z(3), alpha=2j), Sample(_T, _U, alpha=0.5)],
    "sub_alpha": [Sample(_x(2, 3), _x(3), alpha=2), Sample(_z(3), _z(3), alpha=2j), Sample(_T, _U, alpha=0.5)],
    "rsub_alpha": [Sample(_x(2, 3), _x(3), alpha=2, number=False), Sample(_x(3), 1.5, alpha=0.5, number=True)],
    "rsub_number": [Sample(_x(3), 2.5), Sample(_T, 2)],
    "addcmul": [
        Sample(_x(2, 3), _x(3), _x(2, 1), value=1),
        Sample(_x(2, 3), _x(2, 3), _x(3), value=0.5),
        Sample(_z(3), _z(3), _z(1), value=2),
        Sample(_T, _U, _T, value=2),
    ],
    "addcdiv": [
        Sample(_x(2, 3), _x(3), _p(2, 1), value=1),
        Sample(_x(2, 3), _x(2, 3), _p(3), value=0.5),
        Sample(_z(3), _z(3), _z(1) + 3, value=2),
        Sample(_T, _U, _T, value=2),
    ],
    "lerp_number": [
        Sample(_x(2, 3), _x(3), weight=0.3),
        Sample(_x(3), _x(3), weight=0.8),
        Sample(_z(3), _z(3), weight=0.6j),
        Sample(_T, _U, weight=2),
    ],
    "lerp": [Sample(_x(2, 3), _x(3), _p(2, 1)), Sample(_z(3), _z(3), _z(3)), Sample(_T, _U, _T)],
    "div_rounding": [
        Sample(_x(2, 3), _p(3), rounding_mode="floor"),
        Sample(_x(2, 3), _p(3), rounding_mode="trunc"),
        Sample(_i(3), np.array([2, -3, 5]), rounding_mode="trunc"),
    ],
    "remainder_number": [Sample(_x(2, 3), 0.7), Sample(_T, -0.5)],
    "number_remainder": [Sample(2.5, _p(3))],
    "fmod_number": [Sample(_x(2, 3), 0.7), Sample(_T, -0.5)],
    "pow_number": [
        *(Sample(_p(3), exponent) for exponent in (0, 1, 2, 3, 0.5, -1, -0.5, -2, 2.7)),
        Sample(_x(3), 2),
        Sample(_x(3), 3),
        Sample(_z(3), 2.5),
        Sample(_z(3), 1 + 1j),
        Sample(_T, 4),
    ],
    "number_pow": [Sample(2, _x(3)), Sample(0.5, _T), Sample(1 + 1j, _z(3)), Sample(-2.0, _z(3))],
    "pow": [Sample(_p(2, 3), _x(3)), Sample(_z(3), _z(3)), Sample(_T, _U), Sample(_p(3), np.array([2.0, 3.0, 1.0]))],
    "xlogy_from_number": [Sample(2.5, _p(3)), Sample(0.0, _p(3))],
    "xlogy_number": [Sample(_x(3), 2.5), Sample(_T, 3.0)],
    "copysign_number": [Sample(_x(3), -2.0), Sample(_T, 1.0)],
    "round_decimals": [
        Sample(np.array([0.12, -0.57, 1.93]), decimals=1),
        Sample(_x(3) * 100, decimals=-1),
        Sample(_T, decimals=2),
    ],
    "frexp": [Sample(_p(2, 3)), Sample(-_p(3)), Sample(_T)],
    "ldexp": [Sample(_x(2, 3), _x(3)), Sample(_z(3), _z(3)), Sample(_x(3), _i(3))],
    "heaviside": [Sample(np.array([-1.0, 0.0, 2.0]), _x(3))],
    "logit": [Sample(_rng.uniform(0.1, 0.9, (2, 3)), eps=None), Sample(np.array([0.1, 0.5, 0.95]), eps=0.2)],
    "polygamma": [Sample(_p(2, 3), n=n) for n in (0, 1, 2, 3)] + [Sample(_x(3), n=1), Sample(_T, n=1)],
    "clamp": [
        Sample(_x(2, 3), min=-0.5, max=1.0),
        Sample(_x(3), min=0.0, max=None),
        Sample(_x(3), min=None, max=0),
        Sample(_x(3), min=1.0, max=-1.0),
        Sample(_T, min=0, max=1),
    ],
    "clamp_min": [Sample(_x(2, 3), min=0.1), Sample(_T, min=1)],
    "clamp_max": [Sample(_x(2, 3), max=0.1), Sample(_T, max=1)],
    "nan_to_num": [
        Sample(np.array([1.0, np.nan, np.inf, -np.inf]), nan=0.5, posinf=None, neginf=-2.0),
        Sample(_x(3), nan=0.0, posinf=None, neginf=None),
    ],
    "where": [Sample(_BOOL, _x(2, 3), _x(3)), Sample(_BOOL, _z(3), _z(3)), Sample(np.True_, _T, _U)],
    "isclose": [
        Sample(_x(3), _x(3), rtol=0.1, atol=0.1, equal_nan=False),
        Sample(np.array([np.nan, np.inf]), np.array([np.nan, np.inf]), rtol=0.0, atol=0.0, equal_nan=True),
        Sample(_i(3), _i(3), rtol=0.5, atol=0.0, equal_nan=False),
    ],
    **dict.fromkeys(("gt_", "ge_", "lt_", "le_", "eq_", "ne_"), _COMPARED),
    **dict.fromkeys(("bitwise_and", "bitwise_or", "bitwise_xor", "gcd", "lcm"), _INTEGERS),
    **dict.fromkeys(("bitwise_left_shift", "bitwise_right_shift"), _NATURALS),
    "bitwise_not": [Sample(_i(2, 3)), Sample(_BOOL)],
    "complex": [Sample(_x(2, 3), _x(3)), Sample(_T, _U)],
    "polar": [Sample(_p(2, 3), _x(3)), Sample(_T, _U)],
    "view_as_real": [Sample(_z(2, 3)), Sample(_z(3, 2).T)],
    "view_as_complex": [Sample(_x(2, 3, 2)), Sample(_x(3, 2).repeat(2, axis=1)[:, ::2])],
    **dict.fromkeys(("conj", "conj_physical", "sgn", "abs", "angle", "real"), _SINGLE),
    "imag": [Sample(_z(2, 3)), Sample(np.complex128(1 - 2j))],
}
