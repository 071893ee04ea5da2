"""Eigenvalues and singular values, with their vectors.

Vectors are right in more than one way (sign, phase, a basis of a space that belongs to equal values). The derivative
exists for functions that do not depend on the choice; for these the rules are right, also where values are equal, as
long as nothing depends on which vector of their space was taken.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.ops.products import adjoint
from wengert.ops.record import Kind, defop
from wengert.ops.triangles import column, diagonal, off_diagonal, on_diagonal, quotient, row

# --- Hermitian matrices ---


def _eigh(a: Any, *, upper: bool) -> Any:
    w, v = np.linalg.eigh(a, UPLO="U" if upper else "L")
    return w, v


def _gaps(xp: Any, w: Any) -> Any:
    return row(xp, w) - column(xp, w)


def _eigh_vjp(xp: Any, g: Any, y: Any, a: Any, *, upper: bool) -> Any:
    (gw, gv), (w, v) = g, y
    v_h = adjoint(xp, v)
    inner = quotient(xp, off_diagonal(xp, xp.matmul(v_h, gv)), _gaps(xp, w)) + on_diagonal(xp, gw)
    return _hermitian(xp, xp.matmul(xp.matmul(v, inner), v_h))


def _hermitian(xp: Any, x: Any) -> Any:
    """The Hermitian part: what a matrix that is Hermitian can change by."""
    return (x + adjoint(xp, x)) * 0.5


def _eigh_jvp(xp: Any, ts: Any, y: Any, a: Any, *, upper: bool) -> Any:
    w, v = y
    inner = xp.matmul(xp.matmul(adjoint(xp, v), _hermitian(xp, ts[0])), v)
    return xp.real(diagonal(xp, inner)), xp.matmul(v, quotient(xp, off_diagonal(xp, inner), _gaps(xp, w)))


EIGH = defop(
    "linalg_eigh",
    _eigh,
    Kind.OTHER,
    batch="...",
    vjp=(_eigh_vjp,),
    args=("A",),
    node="LinalgEighBackward0",
    outputs=2,
    differentiable_outputs=(0, 1),
    jvp=_eigh_jvp,
    formula="(w, V) with A V = V diag(w)",
    doc="Eigenvalues, in rising order, and eigenvectors of Hermitian matrices, of which one triangle is read.",
)

# --- general matrices ---


def _eig(a: Any) -> Any:
    w, v = np.linalg.eig(a)
    dtype = np.result_type(a.dtype, np.complex64)
    return w.astype(dtype), v.astype(dtype)


def _eig_vjp(xp: Any, g: Any, y: Any, a: Any) -> Any:
    """The vectors are of length one: a change along a vector itself, which would alter its length, is taken out."""
    (gw, gv), (w, v) = g, y
    v_h = adjoint(xp, v)
    inner = xp.matmul(v_h, gv)
    along = row(xp, xp.real(diagonal(xp, inner)))
    inner = off_diagonal(xp, inner - xp.matmul(v_h, v) * along)
    inner = quotient(xp, inner, xp.conj(_gaps(xp, w))) + on_diagonal(xp, gw)
    return xp.linalg_solve(v_h, xp.matmul(inner, v_h))


def _eig_jvp(xp: Any, ts: Any, y: Any, a: Any) -> Any:
    w, v = y
    inner = xp.linalg_solve(v, xp.matmul(ts[0] + xp.zeros_like(v), v))
    moved = xp.matmul(v, quotient(xp, off_diagonal(xp, inner), _gaps(xp, w)))
    along = xp.real(xp.sum(xp.conj(v) * moved, dim=(v.ndim - 2,), keepdim=True))
    return diagonal(xp, inner), moved - v * along


EIG = defop(
    "linalg_eig",
    _eig,
    Kind.OTHER,
    batch="...",
    vjp=(_eig_vjp,),
    node="LinalgEigBackward0",
    outputs=2,
    differentiable_outputs=(0, 1),
    jvp=_eig_jvp,
    formula="(w, V) with A V = V diag(w)",
    doc="Eigenvalues and eigenvectors of square matrices, always complex.",
)

# --- singular values ---


def _svd(a: Any, *, full_matrices: bool) -> Any:
    u, s, vh = np.linalg.svd(a, full_matrices=full_matrices)
    return u, s, vh


def _skew(xp: Any, a: Any) -> Any:
    return a - adjoint(xp, a)


def _svd_vjp(xp: Any, g: Any, y: Any, a: Any, *, full_matrices: bool) -> Any:
    """J. Townsend, "Differentiating the singular value decomposition" (2016), and its complex form."""
    (gu, gs, gvh), (u, s, vh) = g, y
    rows, columns = a.shape[-2:]
    u_h, v, gv = adjoint(xp, u), adjoint(xp, vh), adjoint(xp, gvh)
    turn_u, turn_v = _skew(xp, xp.matmul(u_h, gu)), _skew(xp, xp.matmul(vh, gv))
    gaps = (row(xp, s) - column(xp, s)) * (row(xp, s) + column(xp, s))
    inner = quotient(xp, off_diagonal(xp, turn_u), gaps) * row(xp, s)
    inner = inner + column(xp, s) * quotient(xp, off_diagonal(xp, turn_v), gaps) + on_diagonal(xp, gs)
    if a.dtype.kind == "c":
        inner = inner + on_diagonal(xp, quotient(xp, diagonal(xp, turn_u), s * 2.0))
    moved = xp.matmul(xp.matmul(u, inner), vh)
    if rows > columns:
        beyond = quotient(xp, gu - xp.matmul(u, xp.matmul(u_h, gu)), row(xp, s))
        moved = moved + xp.matmul(beyond, vh)
    if rows < columns:
        beyond = quotient(xp, gvh - xp.matmul(xp.matmul(gvh, v), vh), column(xp, s))
        moved = moved + xp.matmul(u, beyond)
    return moved


def _svd_jvp(xp: Any, ts: Any, y: Any, a: Any, *, full_matrices: bool) -> Any:
    u, s, vh = y
    t = ts[0]
    u_h, v = adjoint(xp, u), adjoint(xp, vh)
    inner = xp.matmul(xp.matmul(u_h, t), v)
    ts_ = xp.real(diagonal(xp, inner))
    gaps = (row(xp, s) - column(xp, s)) * (row(xp, s) + column(xp, s))
    scaled_u = inner * row(xp, s)
    scaled_v = column(xp, s) * inner
    turn_u = quotient(xp, off_diagonal(xp, scaled_u + adjoint(xp, scaled_u)), gaps)
    turn_v = quotient(xp, off_diagonal(xp, scaled_v + adjoint(xp, scaled_v)), gaps)
    if a.dtype.kind == "c":
        turn_u = turn_u + on_diagonal(xp, quotient(xp, diagonal(xp, _skew(xp, inner)), s * 2.0))
    tu, tvh = xp.matmul(u, turn_u), adjoint(xp, xp.matmul(v, turn_v))
    if a.shape[-2] > a.shape[-1]:
        across = xp.matmul(t, v)
        tu = tu + quotient(xp, across - xp.matmul(u, xp.matmul(u_h, across)), row(xp, s))
    if a.shape[-2] < a.shape[-1]:
        across = xp.matmul(u_h, t)
        tvh = tvh + quotient(xp, across - xp.matmul(xp.matmul(across, v), vh), column(xp, s))
    return tu, ts_, tvh


SVD = defop(
    "linalg_svd",
    _svd,
    Kind.OTHER,
    batch="...",
    vjp=(_svd_vjp,),
    args=("A",),
    node="LinalgSvdBackward0",
    outputs=3,
    differentiable_outputs=(0, 1, 2),
    jvp=_svd_jvp,
    formula="(U, s, V*) with U diag(s) V* = A",
    doc="Singular values, in falling order, with their vectors.",
)
