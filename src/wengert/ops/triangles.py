"""What the rules of factorisations share: triangles, diagonals, and systems of equations with a triangular matrix."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from wengert.ops.machine import MACHINE
from wengert.ops.products import adjoint, dot
from wengert.ops.record import Kind, Promote, defop

_BLOCK: Final = 32  # rows of a triangular matrix that are eliminated at once, where there are more than twice as many
_LONG_BLOCK: Final = 96  # ... for one column


def lower(xp: Any, a: Any, diagonal: int = 0) -> Any:
    """Keep the lower triangle."""
    return xp.tril(a, diagonal=diagonal)


def upper(xp: Any, a: Any, diagonal: int = 0) -> Any:
    """Keep the upper triangle."""
    return xp.triu(a, diagonal=diagonal)


def diagonal(xp: Any, a: Any) -> Any:
    """Give the diagonals of matrices as vectors."""
    return xp.diagonal(a, offset=0, dim1=a.ndim - 2, dim2=a.ndim - 1)


def on_diagonal(xp: Any, v: Any) -> Any:
    """Give matrices with vectors on their diagonals."""
    return xp.diag_embed(v, offset=0, dim1=v.ndim - 1, dim2=v.ndim)


def row(xp: Any, v: Any) -> Any:
    """Give vectors as matrices of one row, to scale columns with."""
    return xp.unsqueeze(v, dim=v.ndim - 1)


def column(xp: Any, v: Any) -> Any:
    """Give vectors as matrices of one column, to scale rows with."""
    return xp.unsqueeze(v, dim=v.ndim)


def off_diagonal(xp: Any, a: Any) -> Any:
    """Put zeros on the diagonal."""
    return xp.tril(a, diagonal=-1) + xp.triu(a, diagonal=1)


def hermitian_half(xp: Any, a: Any) -> Any:
    """Give half of the lower triangle and its mirror image: the symmetric part of what moves a triangular factor."""
    strict = xp.tril(a, diagonal=-1)
    return (strict + adjoint(xp, strict)) * 0.5 + on_diagonal(xp, xp.real(diagonal(xp, a)) * 0.5)


def mirrored(xp: Any, a: Any) -> Any:
    """Complete an upper triangle to a Hermitian matrix, with the real part of its diagonal."""
    strict = xp.triu(a, diagonal=1)
    return strict + adjoint(xp, strict) + on_diagonal(xp, xp.real(diagonal(xp, a)))


def quotient(xp: Any, a: Any, b: Any) -> Any:
    """Divide, with 0 / 0 = 0: what does not depend on the order of equal values has no part in it."""
    zero = xp.logical_and(xp.eq(a, 0.0), xp.eq(b, 0.0))
    return xp.where(zero, 0.0, a / xp.where(zero, 1.0, b))


# --- systems of equations with a triangular matrix ---


def _solve_triangular(a: Any, b: Any, *, upper: bool, unitriangular: bool) -> Any:
    """Solve by back substitution, block by block of rows: products of matrices do most of the work."""
    n = a.shape[-1]
    if b.size == 0 or n == 0:
        return np.zeros((*np.broadcast_shapes(a.shape[:-2], b.shape[:-2]), *b.shape[-2:]), b.dtype)
    if unitriangular:
        a = (np.triu(a, 1) if upper else np.tril(a, -1)) + np.eye(n, dtype=a.dtype)
    try:
        size = _LONG_BLOCK if b.shape[-1] == 1 else _BLOCK
        if n <= 2 * size:
            return _block_solved(a, b, upper)
        x = np.array(np.broadcast_to(b, (*np.broadcast_shapes(a.shape[:-2], b.shape[:-2]), *b.shape[-2:])), order="C")
        product = dot if a.ndim == 2 and b.ndim == 2 else np.matmul
        starts = range(0, n, size)
        for start in reversed(starts) if upper else starts:
            block = slice(start, min(n, start + size))
            rest = slice(0, start) if upper else slice(block.stop, n)
            x[..., block, :] = _block_solved(a[..., block, block], x[..., block, :], upper)
            x[..., rest, :] -= product(a[..., rest, block], x[..., block, :])
        return x
    except (np.linalg.LinAlgError, TypeError):  # a zero on the diagonal: infinities, as PyTorch has them; or float16
        return _substituted(a, b, upper)


def _block_solved(a: Any, b: Any, upper: bool) -> Any:
    """Solve a few rows: machine code goes row by row, LAPACK finds nothing to eliminate in an upper triangle."""
    if a.ndim == 2 and b.ndim == 2 and a.dtype is b.dtype:
        name, is_vector = f"solve {'upper' if upper else 'lower'}", b.shape[1] == 1
        kernel = MACHINE.kernel(f"{name} vector" if is_vector else name, a.dtype.char)
        if kernel is not None:
            return kernel(a, b[:, 0])[:, None] if is_vector else kernel(a, b)
    if upper:
        return np.linalg.solve(np.triu(a), b)
    return np.linalg.solve(np.triu(a[..., ::-1, ::-1]), b[..., ::-1, :])[..., ::-1, :]


def _substituted(a: Any, b: Any, upper: bool) -> Any:
    if not upper:
        return _substituted(a[..., ::-1, ::-1], b[..., ::-1, :], upper=True)[..., ::-1, :]
    x = np.array(np.broadcast_to(b, (*np.broadcast_shapes(a.shape[:-2], b.shape[:-2]), *b.shape[-2:])))
    for i in range(a.shape[-1] - 1, -1, -1):
        x[..., i, :] /= a[..., i, i, None]
        x[..., :i, :] -= a[..., :i, i, None] * x[..., i, None, :]
    return x


def _solve_triangular_vjp_b(xp: Any, g: Any, y: Any, a: Any, b: Any, *, upper: bool, unitriangular: bool) -> Any:
    return xp.linalg_solve_triangular(adjoint(xp, a), g, upper=not upper, unitriangular=unitriangular)


def _solve_triangular_vjp_a(xp: Any, g: Any, y: Any, a: Any, b: Any, *, upper: bool, unitriangular: bool) -> Any:
    moved = xp.linalg_solve_triangular(adjoint(xp, a), g, upper=not upper, unitriangular=unitriangular)
    return _within(xp, -xp.matmul(moved, adjoint(xp, y)), upper, unitriangular)


def _within(xp: Any, a: Any, upper: bool, unitriangular: bool) -> Any:
    return xp.triu(a, diagonal=int(unitriangular)) if upper else xp.tril(a, diagonal=-int(unitriangular))


def _solve_triangular_jvp(xp: Any, ts: Any, y: Any, a: Any, b: Any, *, upper: bool, unitriangular: bool) -> Any:
    ta, tb = ts
    moved = tb
    if ta is not None:
        pulled = xp.matmul(_within(xp, ta, upper, unitriangular), y)
        moved = -pulled if tb is None else tb - pulled
    return xp.linalg_solve_triangular(a, moved, upper=upper, unitriangular=unitriangular)


SOLVE_TRIANGULAR = defop(
    "linalg_solve_triangular",
    _solve_triangular,
    Kind.OTHER,
    batch="...",
    vjp=(_solve_triangular_vjp_a, _solve_triangular_vjp_b),
    args=("self", "B"),
    promote=Promote.COMMON,
    linear=(1,),
    jvp=_solve_triangular_jvp,
    formula="A^-1 B",
    doc="Solution of systems of equations whose matrix is triangular.",
)
