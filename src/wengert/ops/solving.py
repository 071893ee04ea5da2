"""Systems of equations and what comes with inverses: solutions, pseudoinverses, determinants."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np

from wengert.ops.products import adjoint
from wengert.ops.record import Kind, Promote, defop, together
from wengert.ops.triangles import column, diagonal, on_diagonal

# --- A X = B ---


def _solve(a: Any, b: Any) -> Any:
    """NaN for a singular matrix, so that a derivative has no value where there is none; functions raise."""
    shape = (*np.broadcast_shapes(a.shape[:-2], b.shape[:-2]), *b.shape[-2:])
    if not (a.size and b.size):
        return np.zeros(shape, b.dtype)
    try:
        return np.linalg.solve(a, b)
    except np.linalg.LinAlgError:
        found = np.full(shape, np.nan, b.dtype)
    a, b = np.broadcast_to(a, shape[:-2] + a.shape[-2:]), np.broadcast_to(b, shape)
    for index in np.ndindex(shape[:-2]):
        with suppress(np.linalg.LinAlgError):
            found[index] = np.linalg.solve(a[index], b[index])
    return found


def _solve_jvp(xp: Any, ts: Any, y: Any, a: Any, b: Any) -> Any:
    ta, tb = ts
    if ta is None:
        return xp.linalg_solve(a, tb)
    pulled = xp.matmul(ta, y)
    return xp.linalg_solve(a, -pulled if tb is None else tb - pulled)


def _solve_pull(xp: Any, g: Any, y: Any, needs: Any, a: Any, b: Any) -> tuple[Any, Any]:
    """Both cotangents from one solution: the matrix is factorised once."""
    solved = xp.linalg_solve(adjoint(xp, a), g)
    return -xp.matmul(solved, adjoint(xp, y)) if needs[0] else None, solved


SOLVE = defop(
    "linalg_solve",
    _solve,
    Kind.OTHER,
    batch="...",
    vjp=together(_solve_pull, shape_only=lambda i: i == 1),
    args=("A", "B"),
    promote=Promote.COMMON,
    node="LinalgSolveExBackward0",
    linear=(1,),
    jvp=_solve_jvp,
    formula="A^-1 B",
    doc="Solution of systems of equations with a square matrix.",
)

# --- the pseudoinverse ---
# Golub and Pereyra, "The differentiation of pseudo-inverses and nonlinear least squares problems whose variables
# separate", SIAM J. Numer. Anal. 10 (1973): dP = -P dA P + P P* dA* (1 - A P) + (1 - P A) dA* P* P, the rank staying.


def _pinv(a: Any, *, atol: float, rtol: float, hermitian: bool) -> Any:
    if hermitian:
        w, v = np.linalg.eigh(a)
        size = np.abs(w)
        inverse = _inverses(w, size, atol, rtol)
        return (v * inverse[..., None, :]) @ v.conj().swapaxes(-1, -2)
    u, s, vh = np.linalg.svd(a, full_matrices=False)
    inverse = _inverses(s, s, atol, rtol)
    return (vh.conj().swapaxes(-1, -2) * inverse[..., None, :]) @ u.conj().swapaxes(-1, -2)


def _inverses(values: Any, size: Any, atol: float, rtol: float) -> Any:
    """The reciprocals of the values that count: the others, in the place of which stand zeros, are rounding."""
    largest = size.max(axis=-1, keepdims=True, initial=0.0)
    counts = size > np.maximum(size.dtype.type(atol), size.dtype.type(rtol) * largest)
    return np.where(counts, 1 / np.where(counts, values, 1), 0).astype(values.dtype)


def _pinv_vjp(xp: Any, g: Any, y: Any, a: Any, *, atol: float, rtol: float, hermitian: bool) -> Any:
    ph, gh = adjoint(xp, y), adjoint(xp, g)
    tall = xp.matmul(gh, xp.matmul(y, ph))
    wide = xp.matmul(xp.matmul(ph, y), gh)
    moved = -xp.matmul(xp.matmul(ph, g), ph)
    moved = moved + tall - xp.matmul(a, xp.matmul(y, tall))
    return moved + wide - xp.matmul(xp.matmul(wide, y), a)


def _pinv_jvp(xp: Any, ts: Any, y: Any, a: Any, *, atol: float, rtol: float, hermitian: bool) -> Any:
    t, ph = ts[0], adjoint(xp, y)
    th = adjoint(xp, t)
    left = xp.matmul(xp.matmul(y, ph), th)
    right = xp.matmul(th, xp.matmul(ph, y))
    moved = -xp.matmul(xp.matmul(y, t), y)
    moved = moved + left - xp.matmul(xp.matmul(left, a), y)
    return moved + right - xp.matmul(y, xp.matmul(a, right))


PINV = defop(
    "linalg_pinv",
    _pinv,
    Kind.OTHER,
    batch="...",
    vjp=(_pinv_vjp,),
    node="LinalgPinvBackward0",
    jvp=_pinv_jvp,
    formula="A^+",
    doc="Moore and Penrose's inverse; singular values that are small count as zero.",
)

# --- determinants ---


def _cofactors(a: Any) -> Any:
    """What multiplies a change of each element in the change of the determinant: det(A) A^-T, also of a singular A."""
    try:
        inverse, det = np.linalg.inv(a), np.linalg.det(a)
    except np.linalg.LinAlgError:
        return _cofactors_of_any(a)
    sizes = [np.abs(x).sum(axis=-1).max(axis=-1, initial=0) for x in (a, inverse)]
    unsure = ~(sizes[0] * sizes[1] < np.finfo(a.dtype).eps ** -0.25)
    found = np.multiply(det[..., None, None], inverse.swapaxes(-1, -2), order="C")
    if unsure.any():
        found[unsure] = _cofactors_of_any(a[unsure])
    return found


def _cofactors_of_any(a: Any) -> Any:
    """By singular values, whose products leave one out: exact to rounding also where one is nearly zero."""
    u, s, vh = np.linalg.svd(a)
    n = s.shape[-1]
    others = np.where(np.eye(n, dtype=bool), 1, s[..., None, :]).prod(axis=-1).astype(s.dtype)
    sign = np.asarray(np.linalg.det(u) * np.linalg.det(vh))
    return (sign[..., None, None] * ((u.conj() * others[..., None, :]) @ vh.conj())).astype(a.dtype)


def _cofactors_vjp(xp: Any, g: Any, y: Any, a: Any) -> Any:
    """From d(det A^-T) = tr(A^-1 dA) det A^-T - det A^-T dA^T A^-T."""
    inverse_h = adjoint(xp, xp.inv(a))
    conj_y = xp.conj(y)
    along = xp.sum(g * conj_y, dim=(g.ndim - 2, g.ndim - 1), keepdim=True)
    return along * inverse_h - xp.matmul(xp.matmul(inverse_h, _turned(xp, g)), conj_y)


def _turned(xp: Any, a: Any) -> Any:
    return xp.transpose(a, dim0=a.ndim - 2, dim1=a.ndim - 1)


COFACTORS = defop(
    "cofactors",
    _cofactors,
    Kind.OTHER,
    batch="...",
    vjp=(_cofactors_vjp,),
    formula="det(A) A^-T",
    doc="Matrix of cofactors: the derivative of the determinant.",
)
DET = defop(
    "linalg_det",
    np.linalg.det,
    Kind.OTHER,
    batch="...",
    vjp=(lambda xp, g, y, a: _spread(xp, g) * xp.conj(xp.cofactors(a)),),
    args=("A",),
    node="LinalgDetBackward0",
    jvp=lambda xp, ts, y, a: xp.sum(xp.cofactors(a) * ts[0], dim=(a.ndim - 2, a.ndim - 1), keepdim=False),
    formula="det A",
    doc="Determinant of square matrices.",
)


def _spread(xp: Any, g: Any) -> Any:
    return column(xp, xp.unsqueeze(g, dim=g.ndim))


def _slogdet(a: Any) -> Any:
    sign, log = np.linalg.slogdet(a)
    return sign, log


def _slogdet_vjp(xp: Any, g: Any, y: Any, a: Any) -> Any:
    """From d log|det A| + i d arg(det A) = tr(A^-1 dA); the sign of a real matrix does not move."""
    g_sign, g_log = g
    moved = g_log
    if a.dtype.kind == "c":
        moved = xp.complex(g_log, xp.imag(g_sign * xp.conj(y[0])))
    along = xp.ones_like(diagonal(xp, a)) * xp.unsqueeze(moved, dim=moved.ndim)
    return xp.linalg_solve(adjoint(xp, a), on_diagonal(xp, along))


def _slogdet_jvp(xp: Any, ts: Any, y: Any, a: Any) -> Any:
    moved = xp.sum(diagonal(xp, xp.linalg_solve(a, ts[0])), dim=(a.ndim - 2,), keepdim=False)
    if a.dtype.kind != "c":
        return xp.zeros_like(moved), moved
    return y[0] * xp.complex(xp.zeros_like(xp.real(moved)), xp.imag(moved)), xp.real(moved)


SLOGDET = defop(
    "linalg_slogdet",
    _slogdet,
    Kind.OTHER,
    batch="...",
    vjp=(_slogdet_vjp,),
    args=("A",),
    node="LinalgSlogdetBackward0",
    outputs=2,
    differentiable_outputs=(0, 1),
    jvp=_slogdet_jvp,
    formula="(det A / |det A|, log |det A|)",
    doc="Sign and logarithm of the size of the determinant.",
)
