"""Factorisations into triangular and unitary matrices: Cholesky, QR, LU.

The rules are those of S. F. Walter and L. Lehmann, "Algorithmic differentiation of linear algebra functions with
application in optimum experimental design" (2010), and of M. Giles, "An extended collection of matrix derivative
results" (2008), carried over to complex matrices.
"""

from __future__ import annotations

from math import prod
from typing import Any, Final

import numpy as np

from wengert.ops import lapack
from wengert.ops.products import adjoint
from wengert.ops.record import MISSING, Kind, defop
from wengert.ops.triangles import diagonal, hermitian_half, lower, mirrored, on_diagonal, upper

# --- Cholesky ---


def _cholesky(a: Any, *, upper: bool) -> Any:
    factor = np.linalg.cholesky(_from_upper(a) if upper else a)
    return factor.conj().swapaxes(-1, -2) if upper else factor


def _from_upper(a: Any) -> Any:
    return np.triu(a).conj().swapaxes(-1, -2)


def _left(xp: Any, a: Any, b: Any, *, upper: bool) -> Any:
    return xp.linalg_solve_triangular(a, b, upper=upper, unitriangular=False)


def _cholesky_vjp(xp: Any, g: Any, y: Any, a: Any, *, upper: bool) -> Any:
    factor, g = (adjoint(xp, y), adjoint(xp, g)) if upper else (y, g)
    factor_h = adjoint(xp, factor)
    inner = hermitian_half(xp, xp.matmul(factor_h, g))
    half = _left(xp, factor_h, inner, upper=True)
    return adjoint(xp, _left(xp, factor_h, adjoint(xp, half), upper=True))


def _cholesky_jvp(xp: Any, ts: Any, y: Any, a: Any, *, upper: bool) -> Any:
    factor = adjoint(xp, y) if upper else y
    half = _left(xp, factor, (ts[0] + adjoint(xp, ts[0])) * 0.5, upper=False)
    inner = adjoint(xp, _left(xp, factor, adjoint(xp, half), upper=False))
    moved = xp.matmul(factor, lower(xp, inner, -1) + on_diagonal(xp, diagonal(xp, inner) * 0.5))
    return adjoint(xp, moved) if upper else moved


CHOLESKY = defop(
    "linalg_cholesky",
    _cholesky,
    Kind.OTHER,
    batch="...",
    vjp=(_cholesky_vjp,),
    node="LinalgCholeskyExBackward0",
    jvp=_cholesky_jvp,
    formula="L with L L* = A",
    doc="Cholesky's factor of Hermitian matrices that are positive definite, of which one triangle is read.",
)

# --- QR ---


def _qr(a: Any, *, mode: str) -> Any:
    q, r = np.linalg.qr(a, mode=mode)  # type: ignore[call-overload]
    return q, r


def _tall_qr_vjp(xp: Any, gq: Any, gr: Any, q: Any, r: Any) -> Any:
    """The rule where the matrix has at least as many rows as columns, and Q as many columns as those."""
    inner = xp.matmul(gr, adjoint(xp, r)) - xp.matmul(adjoint(xp, q), gq)
    moved = gq + xp.matmul(q, mirrored(xp, upper(xp, inner)))
    return adjoint(xp, _left(xp, r, adjoint(xp, moved), upper=True))


def _qr_vjp(xp: Any, g: Any, y: Any, a: Any, *, mode: str) -> Any:
    (gq, gr), (q, r) = g, y
    rows, columns = a.shape[-2:]
    if rows >= columns:
        return _tall_qr_vjp(xp, gq, gr, q, r)
    head, tail = (xp.slice(t, dim=a.ndim - 1, start=0, stop=rows, step=1) for t in (gr, r))
    rest = xp.slice(gr, dim=a.ndim - 1, start=rows, stop=columns, step=1)
    beyond = xp.slice(a, dim=a.ndim - 1, start=rows, stop=columns, step=1)
    square = _tall_qr_vjp(xp, gq + xp.matmul(beyond, adjoint(xp, rest)), head, q, tail)
    return xp.cat(square, xp.matmul(q, rest), dim=a.ndim - 1, sizes=(rows, columns - rows))


QR = defop(
    "linalg_qr",
    _qr,
    Kind.OTHER,
    batch="...",
    vjp=(_qr_vjp,),
    args=("A",),
    node="LinalgQrBackward0",
    outputs=2,
    differentiable_outputs=(0, 1),
    formula="(Q, R) with Q R = A",
    doc="Factorisation into a matrix with orthonormal columns and an upper triangle.",
)

# --- LU ---


_STEPS: Final = 4  # of elimination of a stack in NumPy, which take as long as LAPACK's of one small matrix


def _lu_factor(a: Any) -> Any:
    """Gauss's elimination with row exchanges; of many small matrices of a stack at once, column by column."""
    rows, columns = a.shape[-2:]
    steps = min(rows, columns)
    if a.size and prod(a.shape[:-2]) <= _STEPS * steps and lapack.has(a.dtype.char):
        return _lu_each(a, steps)
    lu = np.array(a)
    pivots = np.empty((*lu.shape[:-2], steps), np.int32)
    for k in range(steps):
        chosen = k + _size(lu[..., k:, k]).argmax(axis=-1)
        pivots[..., k] = chosen + 1
        place = chosen[..., None, None]
        swapped = np.take_along_axis(lu, np.broadcast_to(place, (*chosen.shape, 1, columns)), axis=-2)
        np.put_along_axis(lu, np.broadcast_to(place, (*chosen.shape, 1, columns)), lu[..., k : k + 1, :], axis=-2)
        lu[..., k : k + 1, :] = swapped
        pivot = lu[..., k, k, None]
        nonzero = pivot != 0
        lu[..., k + 1 :, k] = np.where(nonzero, lu[..., k + 1 :, k] / np.where(nonzero, pivot, 1), lu[..., k + 1 :, k])
        lu[..., k + 1 :, k + 1 :] -= lu[..., k + 1 :, k, None] * lu[..., k, None, k + 1 :]
    return lu, pivots


def _lu_each(a: Any, steps: int) -> Any:
    if a.ndim == 2:
        return lapack.factorised(a)
    lu, pivots = np.empty_like(a, order="C"), np.empty((*a.shape[:-2], steps), np.int32)
    for index in np.ndindex(a.shape[:-2]):
        lu[index], pivots[index] = lapack.factorised(a[index])
    return lu, pivots


def _size(a: Any) -> Any:
    """What LAPACK compares: of a complex number the sum of the sizes of its parts."""
    return np.abs(a.real) + np.abs(a.imag) if a.dtype.kind == "c" else np.abs(a)


def _permutation(pivots: Any, *, rows: int, dtype: Any) -> Any:
    """The matrix P with A = P L U, from the row exchanges."""
    order = np.broadcast_to(np.arange(rows), (*pivots.shape[:-1], rows)).copy()
    for k in range(pivots.shape[-1]):
        other = pivots[..., k, None].astype(np.int64) - 1
        moved = np.take_along_axis(order, other, axis=-1)
        np.put_along_axis(order, other, order[..., k : k + 1], axis=-1)
        order[..., k : k + 1] = moved
    return (np.arange(rows)[:, None] == order[..., None, :]).astype(dtype)


PERMUTATION = defop(
    "permutation_of_pivots",
    _permutation,
    Kind.OTHER,
    batch="...",
    vjp=(None,),
    args=("pivots",),
    doc="The matrix that undoes the row exchanges of an LU factorisation.",
)


def _square_lu_vjp(xp: Any, gl: Any, gu: Any, lu: Any) -> Any:
    """The cotangent of P^T A for a square A, from those of L and U."""
    l_h = adjoint(xp, lower(xp, lu, -1) + on_diagonal(xp, xp.ones_like(diagonal(xp, lu))))
    u_h = adjoint(xp, upper(xp, lu))
    inner = lower(xp, xp.matmul(l_h, gl), -1) + upper(xp, xp.matmul(gu, u_h))
    half = xp.linalg_solve_triangular(l_h, inner, upper=True, unitriangular=True)
    return adjoint(xp, _left(xp, adjoint(xp, u_h), adjoint(xp, half), upper=True))


def _lu_vjp(xp: Any, g: Any, y: Any, a: Any) -> Any:
    lu, pivots = y
    rows, columns = a.shape[-2:]
    gl, gu = lower(xp, g[0], -1), upper(xp, g[0])
    if rows > columns:
        moved = _tall_lu_vjp(xp, gl, gu, lu, rows, columns)
    elif rows < columns:
        moved = _wide_lu_vjp(xp, gl, gu, lu, rows, columns)
    else:
        moved = _square_lu_vjp(xp, gl, gu, lu)
    return xp.matmul(xp.permutation_of_pivots(pivots, rows=rows, dtype=a.dtype), moved)


def _wide_lu_vjp(xp: Any, gl: Any, gu: Any, lu: Any, rows: int, columns: int) -> Any:
    along = lu.ndim - 1
    square, u_rest = _parts(xp, lu, along, rows, columns)
    gu_square, gu_rest = _parts(xp, gu, along, rows, columns)
    gl_square, _ = _parts(xp, gl, along, rows, columns)
    l_h = adjoint(xp, square)
    rest = xp.linalg_solve_triangular(l_h, gu_rest, upper=True, unitriangular=True)
    moved = _square_lu_vjp(xp, gl_square - xp.matmul(rest, adjoint(xp, u_rest)), gu_square, square)
    return xp.cat(moved, rest, dim=along, sizes=(rows, columns - rows))


def _tall_lu_vjp(xp: Any, gl: Any, gu: Any, lu: Any, rows: int, columns: int) -> Any:
    along = lu.ndim - 2
    square, l_rest = _parts(xp, lu, along, columns, rows)
    gl_square, gl_rest = _parts(xp, gl, along, columns, rows)
    gu_square, _ = _parts(xp, gu, along, columns, rows)
    rest = adjoint(xp, _left(xp, upper(xp, square), adjoint(xp, gl_rest), upper=True))
    moved = _square_lu_vjp(xp, gl_square, gu_square - xp.matmul(adjoint(xp, l_rest), rest), square)
    return xp.cat(moved, rest, dim=along, sizes=(columns, rows - columns))


def _parts(xp: Any, a: Any, dim: int, middle: int, end: int) -> tuple[Any, Any]:
    return xp.slice(a, dim=dim, start=0, stop=middle, step=1), xp.slice(a, dim=dim, start=middle, stop=end, step=1)


LU_FACTOR = defop(
    "linalg_lu_factor",
    _lu_factor,
    Kind.OTHER,
    batch="...",
    vjp=(_lu_vjp,),
    args=("A",),
    node="LinalgLuFactorExBackward0",
    outputs=2,
    differentiable_outputs=(0,),
    formula="(L - 1 + U, row exchanges) with P L U = A",
    doc="Gauss's elimination with row exchanges: both triangles in one matrix, and the exchanges.",
)


def _lu_solved(lu: Any, pivots: Any, b: Any, *, turned: bool) -> Any:
    """NaN for a singular matrix, and if there are no such rows to exchange: LAPACK would write there."""
    if not lu.diagonal().all() or (pivots - 1).view(np.uint32).max() >= len(lu):
        return np.full(b.shape, np.nan, b.dtype)
    if lapack.has(lu.dtype.char):
        return lapack.solved(lu, pivots, b, turned=turned)
    order = _permutation(pivots, rows=len(lu), dtype=lu.dtype)
    below, above = np.tril(lu, -1) + np.eye(len(lu), dtype=lu.dtype), np.triu(lu)
    if turned:
        return order @ np.linalg.solve(below.T, np.linalg.solve(above.T, b))
    return np.linalg.solve(above, np.linalg.solve(below, order.T @ b))


LU_SOLVED = defop(
    "lu_solved",
    _lu_solved,
    Kind.OTHER,
    vjp=(MISSING, None, MISSING),
    args=("LU", "pivots", "B"),
    formula="A^-1 B, from P L U = A",
    doc="Solution of a system of equations whose matrix, or the transpose of that, has been factorised.",
)
