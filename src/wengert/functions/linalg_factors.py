"""Factorisations: Cholesky, QR, LU, as ``torch.linalg`` has them."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert import _return_types as return_types
from wengert.engine.apply import apply
from wengert.engine.base import wrap
from wengert.engine.out import deliver
from wengert.functions.linalg_checks import LinAlgError, floats, matrices, singular, square_matrices
from wengert.functions.linalg_solving import turned, where_regular
from wengert.ops.factorizations import CHOLESKY, LU_FACTOR, PERMUTATION, QR
from wengert.ops.products import adjoint
from wengert.ops.triangles import SOLVE_TRIANGULAR, lower, upper
from wengert.spaces.tensors import TENSOR

__all__ = [
    "cholesky",
    "cholesky_ex",
    "cholesky_inverse",
    "cholesky_solve",
    "linalg_cholesky",
    "linalg_qr",
    "lu",
    "lu_factor",
    "lu_factor_ex",
    "lu_solve",
    "lu_unpack",
    "qr",
    "triangular_solve",
]


def delivered(out: Any, result: Any, *inputs: Any) -> Any:
    """As :func:`deliver`, for results with names."""
    return result if out is None else type(result)([deliver(o, r, *inputs) for o, r in zip(out, result, strict=True)])


# --- Cholesky ---

_NOT_POSITIVE = (
    "{0}: The factorization could not be completed because the input is not positive-definite: a leading minor of it "
    "is not positive"
)


def _factor(function: str, said: str, A: Any, upper: Any) -> Any:  # noqa: N803
    square_matrices(function, A, said=said)
    with singular(_NOT_POSITIVE.format(said + function)):
        return apply(CHOLESKY, A, upper=bool(upper))


def linalg_cholesky(A: Any, *, upper: bool = False, out: Any = None) -> Any:  # noqa: N803
    """The lower triangle L with ``L L* = A`` of positive definite matrices (``upper``: the upper one, L*).

    One triangle of A is read; the gradient is symmetric.

    Raises:
        RuntimeError: not square or not floating point.
        torch.linalg.LinAlgError: not positive definite.

    >>> import wengert as torch
    >>> torch.linalg.cholesky(torch.tensor([[4., 2.], [2., 2.]]))
    tensor([[2., 0.],
            [1., 1.]])
    """
    return deliver(out, _factor("cholesky", "linalg.", A, upper), A)


def cholesky(input: Any, upper: bool = False, *, out: Any = None) -> Any:
    """As :func:`torch.linalg.cholesky`.

    >>> import wengert as torch
    >>> torch.cholesky(torch.tensor([[9.]]))
    tensor([[3.]])
    """
    return deliver(out, _factor("cholesky", "", input, upper), input)


def cholesky_ex(
    A: Any,  # noqa: N803
    *,
    upper: bool = False,
    check_errors: bool = False,
    out: Any = None,
) -> Any:
    """As :func:`linalg.cholesky`, with ``info``: 0, or the order of the first leading minor that is not positive.

    There the factor is NaN, where PyTorch leaves half a factor.

    Raises:
        torch.linalg.LinAlgError: not positive definite, if ``check_errors``.

    >>> import wengert as torch
    >>> torch.linalg.cholesky_ex(torch.tensor([[9.]])).L
    tensor([[3.]])
    >>> torch.linalg.cholesky_ex(torch.tensor([[1., 2.], [2., 1.]])).info
    tensor(2, dtype=torch.int32)
    """
    try:
        factor = _factor("cholesky_ex", "linalg.", A, upper)
        info = wrap(np.zeros(factor._data.shape[:-2], np.int32))
    except LinAlgError:
        if check_errors:
            raise
        orders = _orders_of_failure(np.asarray(A._data), bool(upper))
        info = wrap(orders)
        factor = where_regular(A, orders, lambda regular: _factor("cholesky_ex", "linalg.", regular, upper))
    return delivered(out, return_types.linalg_cholesky_ex((factor, info)), A)


def _orders_of_failure(a: Any, upper: bool) -> Any:
    """For each matrix of a stack the order of its first leading minor that is not positive, or 0."""
    orders = np.zeros(a.shape[:-2], np.int32)
    for place in np.ndindex(orders.shape):
        for order in range(1, a.shape[-1] + 1):
            try:
                CHOLESKY.impl(a[place][:order, :order], upper=upper)
            except np.linalg.LinAlgError:
                orders[place] = order
                break
    return orders


def _left(a: Any, b: Any, *, upper: bool, unit: bool = False) -> Any:
    return apply(SOLVE_TRIANGULAR, a, b, upper=upper, unitriangular=unit)


def cholesky_solve(B: Any, L: Any, upper: bool = False, *, out: Any = None) -> Any:  # noqa: N803
    """The X of ``L L* X = B``, from Cholesky's factor (``upper``: of ``L* L X = B``).

    Raises:
        RuntimeError: shapes or dtypes that do not fit.

    >>> import wengert as torch
    >>> torch.cholesky_solve(torch.tensor([[8.]]), torch.tensor([[2.]]))
    tensor([[2.]])
    """
    raw, b = square_matrices("cholesky_solve", L, said=""), matrices("cholesky_solve", B, said="")
    if raw.shape[-1] != b.shape[-2]:
        raise RuntimeError(
            f"Incompatible matrix sizes for cholesky_solve: each A matrix is {raw.shape[-2]} by {raw.shape[-1]} but "
            f"each b matrix is {b.shape[-2]} by {b.shape[-1]}"
        )
    factor = adjoint(TENSOR, L) if upper else L
    half = _left(factor, B, upper=False)
    return deliver(out, _left(adjoint(TENSOR, factor), half, upper=True), B, L)


def cholesky_inverse(L: Any, upper: bool = False, *, out: Any = None) -> Any:  # noqa: N803
    """The inverse of ``L L*`` (``upper``: of ``L* L``), from Cholesky's factor.

    Raises:
        RuntimeError: not square.

    >>> import wengert as torch
    >>> torch.cholesky_inverse(torch.tensor([[2.]]))
    tensor([[0.2500]])
    """
    raw = square_matrices("cholesky_inverse", L, said="")
    one = wrap(np.eye(raw.shape[-1], dtype=raw.dtype))
    return deliver(out, cholesky_solve(one, L, upper), L)


# --- QR ---


def linalg_qr(A: Any, mode: str = "reduced", *, out: Any = None) -> Any:  # noqa: N803
    """The factors Q, with orthonormal columns, and R, upper triangular, of ``A = Q R``.

    ``mode`` is ``"reduced"``, ``"complete"`` (Q square) or ``"r"`` (Q is empty).

    Raises:
        RuntimeError: fewer than two dimensions, not floating point, another mode, or a tracked matrix with a mode in
            which the result has no derivative.

    >>> import wengert as torch
    >>> torch.linalg.qr(torch.tensor([[2.]])).R.abs()
    tensor([[2.]])
    """
    raw = matrices("qr", A)
    floats("qr", raw)
    if mode not in ("reduced", "complete", "r"):
        raise RuntimeError(
            f"qr received unrecognized mode '{mode}' but expected one of 'reduced' (default), 'r', or 'complete'"
        )
    _must_not_track_incomplete(A, raw, mode)
    q, r = apply(QR, A, mode="complete" if mode == "complete" else "reduced")
    if mode == "r":
        q = wrap(np.empty((0,), raw.dtype))
    return delivered(out, return_types.linalg_qr((q, r)), A)


def _must_not_track_incomplete(A: Any, raw: Any, mode: str) -> None:  # noqa: N803
    if A.requires_grad and mode == "complete" and raw.shape[-2] > raw.shape[-1]:
        raise RuntimeError(
            "The QR decomposition is not differentiable when mode='complete' and nrows > ncols: the further columns "
            "of Q are arbitrary. Use mode='reduced', or detach the matrix"
        )


def qr(input: Any, some: bool = True, *, out: Any = None) -> Any:
    """As :func:`torch.linalg.qr`, with ``mode="complete"`` where not ``some``.

    >>> import wengert as torch
    >>> torch.qr(torch.tensor([[2.]])).R.abs()
    tensor([[2.]])
    """
    return delivered(out, return_types.qr(linalg_qr(input, "reduced" if some else "complete")), input)


# --- LU ---


def lu_factor(A: Any, *, pivot: bool = True, out: Any = None) -> Any:  # noqa: N803
    """Gauss's elimination with row exchanges: L below the diagonal and U above in one matrix, and the exchanges.

    Raises:
        RuntimeError: fewer than two dimensions, not floating point, or not ``pivot``, which GPUs alone have in PyTorch.

    >>> import wengert as torch
    >>> torch.linalg.lu_factor(torch.tensor([[1., 2.], [2., 2.]])).pivots
    tensor([2, 2], dtype=torch.int32)
    """
    raw = matrices("lu_factor", A)
    floats("lu_factor", raw)
    if not pivot:
        raise RuntimeError("linalg.lu_factor: LU without pivoting is not implemented on the CPU")
    return delivered(out, return_types.linalg_lu_factor(apply(LU_FACTOR, A)), A)


def lu_factor_ex(A: Any, *, pivot: bool = True, check_errors: bool = False, out: Any = None) -> Any:  # noqa: N803
    """As :func:`lu_factor`, with ``info``: the place, from one, of the first zero on the diagonal of U, or 0.

    Raises:
        torch.linalg.LinAlgError: a zero on the diagonal, if ``check_errors``.

    >>> import wengert as torch
    >>> torch.linalg.lu_factor_ex(torch.zeros(2, 2)).info
    tensor(1, dtype=torch.int32)
    """
    factors, pivots = lu_factor(A, pivot=pivot)
    zero = np.diagonal(factors._data, axis1=-2, axis2=-1) == 0
    place = np.where(zero.any(axis=-1), zero.argmax(axis=-1) + 1 if zero.shape[-1] else 0, 0)
    if check_errors and place.any():
        raise LinAlgError(f"linalg.lu_factor_ex: U[{place.max()},{place.max()}] is zero: the matrix is singular")
    info = wrap(np.asarray(place, np.int32))
    return delivered(out, return_types.linalg_lu_factor_ex((factors, pivots, info)), A)


def lu_unpack(
    LU_data: Any,  # noqa: N803
    LU_pivots: Any,  # noqa: N803
    unpack_data: bool = True,
    unpack_pivots: bool = True,
    *,
    out: Any = None,
) -> Any:
    """P, L and U of what :func:`linalg.lu_factor` gives; empty where they are not wanted.

    Raises:
        RuntimeError: fewer than two dimensions.

    >>> import wengert as torch
    >>> torch.lu_unpack(*torch.linalg.lu_factor(torch.tensor([[1., 2.], [2., 2.]]))).P
    tensor([[0., 1.],
            [1., 0.]])
    """
    raw = matrices("lu_unpack", LU_data, said="")
    rows, columns = raw.shape[-2:]
    empty = wrap(np.empty((0,), raw.dtype))
    permutation = lower_part = upper_part = empty
    if unpack_pivots:
        permutation = apply(PERMUTATION, LU_pivots, rows=rows, dtype=raw.dtype)
    if unpack_data:
        k = min(rows, columns)
        left = TENSOR.slice(LU_data, dim=raw.ndim - 1, start=0, stop=k, step=1)
        top = TENSOR.slice(LU_data, dim=raw.ndim - 2, start=0, stop=k, step=1)
        ones = np.zeros(left._data.shape, raw.dtype)
        ones[..., range(k), range(k)] = 1
        lower_part, upper_part = TENSOR.add(lower(TENSOR, left, -1), wrap(ones)), upper(TENSOR, top)
    return delivered(out, return_types.lu_unpack((permutation, lower_part, upper_part)), LU_data)


def lu(A: Any, *, pivot: bool = True, out: Any = None) -> Any:  # noqa: N803
    """The factors of ``A = P L U``: a permutation, a lower triangle with ones on its diagonal, an upper triangle.

    Raises:
        RuntimeError: as :func:`lu_factor`.

    >>> import wengert as torch
    >>> torch.linalg.lu(torch.tensor([[1., 2.], [2., 2.]])).U
    tensor([[2., 2.],
            [0., 1.]])
    """
    return delivered(out, return_types.linalg_lu(lu_unpack(*lu_factor(A, pivot=pivot))), A)


def lu_solve(LU: Any, pivots: Any, B: Any, *, left: bool = True, adjoint: bool = False, out: Any = None) -> Any:  # noqa: N803
    """The X of ``A X = B`` from the LU factorisation of A; with ``adjoint`` of ``A* X = B``; not ``left``: ``X A = B``.

    Raises:
        RuntimeError: shapes that do not fit.

    >>> import wengert as torch
    >>> torch.linalg.lu_solve(*torch.linalg.lu_factor(torch.tensor([[2.]])), torch.tensor([[4.]]))
    tensor([[2.]])
    """
    if not left:
        x = conj_turned(lu_solve(LU, pivots, conj_turned(B), adjoint=not adjoint))
        return deliver(out, x, LU, B)
    raw = square_matrices("lu_solve", LU, "LU")
    p = apply(PERMUTATION, pivots, rows=raw.shape[-1], dtype=raw.dtype)
    if adjoint:
        half = _left(conj_turned(LU), B, upper=False)
        x = TENSOR.matmul(p, _left(conj_turned(LU), half, upper=True, unit=True))
    else:
        half = _left(LU, TENSOR.matmul(turned(p), B), upper=False, unit=True)
        x = _left(LU, half, upper=True)
    return deliver(out, x, LU, B)


def conj_turned(a: Any) -> Any:
    return TENSOR.conj(turned(a))


def triangular_solve(
    b: Any,
    A: Any,  # noqa: N803
    upper: bool = True,
    transpose: bool = False,
    unitriangular: bool = False,
    *,
    out: Any = None,
) -> Any:
    """The X of ``A X = b`` for triangular A (of ``A^T X = b`` with ``transpose``), and a copy of A.

    Raises:
        RuntimeError: not square or not floating point.

    >>> import wengert as torch
    >>> torch.triangular_solve(torch.tensor([[4.]]), torch.tensor([[2.]])).solution
    tensor([[2.]])
    """
    square_matrices("triangular_solve", A, said="")
    a, is_upper = (turned(A), not upper) if transpose else (A, bool(upper))
    x = _left(a, b, upper=is_upper, unit=bool(unitriangular))
    return delivered(out, return_types.triangular_solve((x, TENSOR.clone(A))), b, A)
