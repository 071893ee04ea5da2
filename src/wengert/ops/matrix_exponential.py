"""The exponential of a matrix, and how it changes along another.

The value is that of N. J. Higham, "The scaling and squaring method for the matrix exponential revisited", SIAM J.
Matrix Anal. Appl. 26 (2005). The change is what follows from the same steps: A. H. Al-Mohy and N. J. Higham, "Computing
the Frechet derivative of the matrix exponential, with an application to condition number estimation", SIAM J. Matrix
Anal. Appl. 30 (2009), from which the norms are up to which a degree is good to double precision, for value and change.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import factorial
from typing import Any, Final

import numpy as np

from wengert.ops import lapack
from wengert.ops.products import adjoint, dot
from wengert.ops.record import Kind, Promote, defop

_LARGEST: Final = {3: 1.08e-2, 5: 2.00e-1, 7: 7.83e-1, 9: 1.78, 13: 4.74}  # by degree
_LAST: Final = 13  # ... whose polynomials are evaluated in two parts, by A^6


def _coefficients(degree: int) -> Any:
    """Those by which powers of A^2 make the polynomials of a diagonal Pade approximant, N(A) / N(-A).

    One row for the odd part over A, one for the even part; with degree 13 two for each, the second one for what is
    multiplied by A^6.
    """
    b = [factorial(2 * degree - j) // (factorial(degree - j) * factorial(j)) for j in range(degree + 1)]
    if degree < _LAST:
        rows = [b[1::2], b[0::2]]
    else:
        rows = [b[1:8:2], [0, *b[9::2]], b[0:8:2], [0, *b[8::2]]]
    return np.array(rows, np.float64)


_PADE: Final = {degree: _coefficients(degree) for degree in _LARGEST}


def _product(a: Any, b: Any) -> Any:
    return dot(a, b) if a.ndim == b.ndim == 2 else np.matmul(a, b)


def _along(a: Any, b: Any, ta: Any, tb: Any) -> Any:
    """The change of a product."""
    return _product(a, tb) + _product(ta, b)


def _matrix_exp(a: Any) -> Any:
    return a.copy() if a.size == 0 else _exponential(a, None)[0].astype(a.dtype)


def _matrix_exp_along(a: Any, t: Any) -> Any:
    if a.size == 0 or t.size == 0:
        return np.zeros(np.broadcast_shapes(a.shape, t.shape), t.dtype)
    return _exponential(a, t)[1].astype(t.dtype)


def _exponential(a: Any, t: Any) -> tuple[Any, Any]:
    """The exponential and, if there is ``t``, its change along that, to double precision."""
    a = a.astype(np.result_type(a.dtype, np.float64), copy=False)
    norm = np.abs(a).sum(axis=-2).max(axis=-1)
    finite = np.where(np.isfinite(norm), norm, 1.0)
    largest = finite.max()
    degree = next((degree for degree, most in _LARGEST.items() if largest <= most), _LAST)
    squarings = np.ceil(np.log2(np.maximum(finite, _LARGEST[_LAST]) / _LARGEST[_LAST])).astype(int)[..., None, None]
    most = int(squarings.max())
    if most:
        scale = 0.5**squarings
        a, t = a * scale, None if t is None else t * scale
    y, ty = _quotient(a, None if t is None else t.astype(a.dtype, copy=False), degree)
    for k in range(most):
        again = squarings > k
        if t is not None:
            ty = np.where(again, _along(y, y, ty, ty), ty)
        y = np.where(again, _product(y, y), y)
    return y, ty


def _quotient(a: Any, t: Any, degree: int) -> tuple[Any, Any]:
    """The approximant of a degree, and its change."""
    count = 3 if degree == _LAST else degree // 2
    powers = np.empty((count + 1, *a.shape), a.dtype)  # of the square
    powers[0], powers[1] = np.eye(a.shape[-1]), _product(a, a)
    for k in range(2, count + 1):
        powers[k] = _product(powers[k - 1], powers[1])
    odd, even, *parts = _polynomials(_PADE[degree], powers)
    if t is None:
        upper = _product(a, odd)
        return np.linalg.solve(even - upper, even + upper), None
    changes = np.empty((count + 1, *np.broadcast_shapes(a.shape, t.shape)), a.dtype)
    changes[0], changes[1] = 0, _along(a, a, t, t)
    for k in range(2, count + 1):
        changes[k] = _along(powers[k - 1], powers[1], changes[k - 1], changes[1])
    todd, teven = _polynomials(_PADE[degree], changes, powers, parts)[:2]
    upper, tupper = _product(a, odd), _along(a, odd, t, todd)
    solve = _solver(even - upper, teven.ndim)
    y = solve(even + upper)
    return y, solve(teven + tupper - _product(teven - tupper, y))


def _solver(a: Any, axes: int) -> Callable[[Any], Any]:
    """Solves systems with a matrix, which is factorised once if it and the columns, of so many axes, are no stacks."""
    if axes > 2 or not lapack.has(a.dtype.char):
        return partial(np.linalg.solve, a)
    lu, pivots = lapack.factorised(a)
    return lambda b: lapack.solved(lu, pivots, b, turned=False)


def _polynomials(rows: Any, powers: Any, of: Any = None, parts: Any = ()) -> list[Any]:
    """The odd part over A and the even part, then what of them is multiplied by A^6.

    Of changes of powers, those of the polynomials; ``of`` then are the powers, and ``parts`` what multiplies A^6.
    """
    found = list(np.dot(rows, powers.reshape(len(powers), -1)).reshape(-1, *powers.shape[1:]))
    if len(found) == 2:
        return found
    low, high = found[::2], found[1::2]
    sixth = powers[-1]
    if of is None:
        whole = [x + _product(sixth, y) for x, y in zip(low, high, strict=True)]
    else:
        whole = [x + _along(of[-1], y, sixth, ty) for x, y, ty in zip(low, parts, high, strict=True)]
    return [*whole, *high]


def _blocks(xp: Any, above: tuple[Any, Any], below: tuple[Any, Any]) -> Any:
    """A matrix of four matrices."""
    n, dim = above[0].shape[-1], max(x.ndim for x in (*above, *below))
    rows = [xp.cat(*row, dim=dim - 1, sizes=(n, n)) for row in (above, below)]
    return xp.cat(*rows, dim=dim - 2, sizes=(n, n))


def _block(xp: Any, x: Any, i: int, j: int) -> Any:
    n = x.shape[-1] // 2
    rows = xp.slice(x, dim=x.ndim - 2, start=i * n, stop=(i + 1) * n, step=1)
    return xp.slice(rows, dim=x.ndim - 1, start=j * n, stop=(j + 1) * n, step=1)


# With M = [[A, T], [0, A]] the exponential of M has the change of exp(A) along T in its upper right block, so that
# changes of that change are changes of exp(M).


def _matrix_exp_along_vjp(xp: Any, g: Any, y: Any, a: Any, t: Any) -> Any:
    a, t, g = _same_batch(xp, a, t, g)
    zero = xp.zeros_like(g)
    whole, pulled = _blocks(xp, (a, t), (zero, a)), _blocks(xp, (zero, g), (zero, zero))
    pulled = xp.linalg_matrix_exp_along(adjoint(xp, whole), pulled)
    return _block(xp, pulled, 0, 0) + _block(xp, pulled, 1, 1)


def _matrix_exp_along_jvp(xp: Any, ts: Any, y: Any, a: Any, t: Any) -> Any:
    ta, tt = ts
    if ta is None:
        return xp.linalg_matrix_exp_along(a, tt)
    a, t, ta = _same_batch(xp, a, t, ta)
    zero = xp.zeros_like(a)
    tt = zero if tt is None else xp.expand(tt, shape=a.shape)
    whole, along = _blocks(xp, (a, t), (zero, a)), _blocks(xp, (ta, tt), (zero, ta))
    return _block(xp, xp.linalg_matrix_exp_along(whole, along), 0, 1)


def _same_batch(xp: Any, *xs: Any) -> list[Any]:
    shape = np.broadcast_shapes(*[x.shape for x in xs])
    return [x if x.shape == shape else xp.expand(x, shape=shape) for x in xs]


MATRIX_EXP = defop(
    "linalg_matrix_exp",
    _matrix_exp,
    Kind.OTHER,
    batch="...",
    vjp=(lambda xp, g, y, a: xp.linalg_matrix_exp_along(adjoint(xp, a), g),),
    node="LinalgMatrixExpBackward0",
    jvp=lambda xp, ts, y, a: xp.linalg_matrix_exp_along(a, ts[0]),
    formula="sum_k A^k / k!",
    doc="Exponential of square matrices.",
)
MATRIX_EXP_ALONG = defop(
    "linalg_matrix_exp_along",
    _matrix_exp_along,
    Kind.OTHER,
    batch="...",
    vjp=(_matrix_exp_along_vjp, lambda xp, g, y, a, t: xp.linalg_matrix_exp_along(adjoint(xp, a), g)),
    args=("A", "T"),
    promote=Promote.COMMON,
    linear=(1,),
    jvp=_matrix_exp_along_jvp,
    formula="d/ds exp(A + s T) at 0",
    doc="Change of the exponential of square matrices along others.",
)
