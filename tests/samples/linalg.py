"""Sample inputs for factorisations, systems of equations, determinants, eigenvalues and singular values."""

from __future__ import annotations

import numpy as np

from samples import Sample

_R = np.random.default_rng(41)


def _r(*shape: int) -> np.ndarray:
    return _R.standard_normal(shape)


def _c(*shape: int) -> np.ndarray:
    return _r(*shape) + 1j * _r(*shape)


def _regular(a: np.ndarray) -> np.ndarray:
    """Square matrices far from singular."""
    return a + 3 * np.eye(a.shape[-1])


def _apart(a: np.ndarray) -> np.ndarray:
    """Matrices whose eigenvalues and singular values lie apart."""
    return a * 0.3 + np.eye(*a.shape[-2:]) * np.arange(1, a.shape[-1] + 1)


def _definite(a: np.ndarray) -> np.ndarray:
    return a @ a.conj().swapaxes(-1, -2) + np.eye(a.shape[-1])


SAMPLES: dict[str, list[Sample]] = {
    "linalg_solve": [
        Sample(_regular(_r(3, 3)), _r(3, 2)),
        Sample(_regular(_r(2, 2, 2)), _r(2, 1)),
        Sample(_regular(_c(2, 2)), _c(3, 2, 1)),
    ],
    "linalg_solve_triangular": [
        Sample(_regular(_r(3, 3)), _r(3, 2), upper=upper, unitriangular=unit)
        for upper in (False, True)
        for unit in (False, True)
    ]
    + [Sample(_regular(_c(2, 2, 2)), _c(2, 1), upper=False, unitriangular=False)],
    "linalg_pinv": [
        Sample(_r(4, 2), atol=0.0, rtol=1e-12, hermitian=False),
        Sample(_r(2, 3), atol=0.0, rtol=1e-12, hermitian=False),
        Sample(_c(3, 2), atol=0.0, rtol=1e-12, hermitian=False),
    ],
    "linalg_det": [Sample(_r(3, 3)), Sample(_c(2, 2, 2))],
    "cofactors": [Sample(_regular(_r(3, 3))), Sample(_regular(_c(2, 2)))],
    "linalg_slogdet": [Sample(_regular(_r(3, 3))), Sample(_regular(_c(2, 2, 2)))],
    "linalg_cholesky": [
        Sample(_definite(_r(3, 3)), upper=False),
        Sample(_definite(_r(2, 3, 3)), upper=True),
        Sample(_definite(_c(3, 3)), upper=False),
    ],
    "linalg_qr": [
        Sample(_r(4, 3), mode="reduced"),
        Sample(_r(3, 3), mode="complete"),
        Sample(_r(2, 4), mode="reduced"),
        Sample(_c(3, 2), mode="reduced"),
    ],
    "linalg_lu_factor": [Sample(_r(3, 3)), Sample(_r(2, 4, 2)), Sample(_r(2, 3)), Sample(_c(3, 3))],
    "lu_solved": [Sample(_r(3, 3) + 3 * np.eye(3), np.array([3, 2, 3], np.int32), _r(3, 2), turned=True)],
    "permutation_of_pivots": [Sample(np.array([3, 2, 3], np.int32), rows=3, dtype=np.dtype(np.float64))],
    "linalg_eigh": [
        Sample(_definite(_apart(_r(3, 3))), upper=False),
        Sample(_definite(_apart(_c(2, 2))), upper=True),
    ],
    "linalg_eig": [Sample(_apart(_r(3, 3))), Sample(_apart(_c(2, 2, 2)))],
    "linalg_svd": [
        Sample(_apart(_r(3, 3)), full_matrices=False),
        Sample(_apart(_r(4, 2)), full_matrices=False),
        Sample(_apart(_r(2, 3)), full_matrices=False),
        Sample(_apart(_c(3, 2)), full_matrices=False),
    ],
    "linalg_matrix_exp": [Sample(_r(3, 3)), Sample(_c(2, 2, 2)), Sample(20 * _r(2, 2))],
    "linalg_matrix_exp_along": [
        Sample(_r(3, 3), _r(3, 3)),
        Sample(_c(2, 2, 2), _c(2, 2)),
        Sample(20 * _r(2, 2), _r(2, 2)),
    ],
}
