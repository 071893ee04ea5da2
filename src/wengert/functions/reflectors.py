"""QR as LAPACK keeps it, a triangle and the reflectors below it; and the older names of LU."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert import _return_types as return_types
from wengert.engine.base import wrap
from wengert.engine.out import deliver
from wengert.functions.linalg_checks import floats, matrices
from wengert.functions.linalg_factors import delivered, lu_factor_ex
from wengert.functions.linalg_ranks import householder_product
from wengert.functions.options import require_tensor

__all__ = ["geqrf", "lu", "ormqr"]


def geqrf(input: Any, *, out: Any = None) -> Any:
    """R of a QR factorisation in the upper triangle, the Householder vectors below it, and their factors ``tau``.

    :func:`linalg.householder_product` makes Q of it, :func:`ormqr` multiplies by Q. There are no derivatives.

    Raises:
        RuntimeError: not a matrix of floating point or complex numbers.

    >>> import wengert as torch
    >>> torch.geqrf(torch.tensor([[3.], [4.]])).a
    tensor([[-5.0000],
            [ 0.5000]])
    """
    raw = matrices("geqrf", input, said="")
    floats("geqrf", raw, said="")
    turned, tau = np.linalg.qr(raw, mode="raw")
    packed = np.ascontiguousarray(np.swapaxes(turned, -1, -2))
    return delivered(out, return_types.geqrf((wrap(packed), wrap(np.asarray(tau)))), input)


def ormqr(input: Any, tau: Any, other: Any, left: bool = True, transpose: bool = False, *, out: Any = None) -> Any:
    """``Q @ other``, or ``other @ Q`` without ``left``; ``transpose`` takes the adjoint of Q, which is square.

    Q is the product of the reflectors that :func:`geqrf` gives.

    Raises:
        RuntimeError: shapes that do not fit.

    >>> import wengert as torch
    >>> torch.ormqr(*torch.geqrf(torch.tensor([[3.], [4.]])), torch.tensor([[5.], [0.]])).round()
    tensor([[-3.],
            [-4.]])
    """
    a, factors = require_tensor("ormqr", input)._data, require_tensor("ormqr", tau)._data
    b = require_tensor("ormqr", other)._data
    if a.ndim < 2 or b.ndim < 2:
        raise RuntimeError(
            f"torch.ormqr: input must have at least 2 dimensions, and the shapes are {a.shape} and {b.shape}"
        )
    rows = b.shape[-2 if left else -1]
    if factors.shape[-1] > a.shape[-1] or rows != a.shape[-2]:
        raise RuntimeError(
            f"torch.ormqr: other.shape[{-2 if left else -1}] must be equal to input.shape[-2], and tau.shape[-1] must "
            f"not exceed input.shape[-1]: the shapes are {a.shape}, {factors.shape} and {b.shape}"
        )
    missing = rows - a.shape[-1]
    whole = input[..., :rows] if missing <= 0 else input.new_zeros((*a.shape[:-1], rows))
    if missing > 0:
        whole = whole.slice_scatter(input, -1, 0, a.shape[-1])
    q = householder_product(whole, tau)
    q = q.mH if transpose else q
    return deliver(out, q @ other if left else other @ q, input)


def lu(A: Any, pivot: bool = True, get_infos: bool = False, out: Any = None) -> Any:  # noqa: N803
    """The former name of :func:`linalg.lu_factor`, with ``info`` where it is asked for.

    Raises:
        RuntimeError: as :func:`linalg.lu_factor`; a singular matrix, without ``get_infos``.

    >>> import wengert as torch
    >>> torch.lu(torch.tensor([[1., 2.], [2., 2.]]))[1]
    tensor([2, 2], dtype=torch.int32)
    """
    factors, pivots, info = lu_factor_ex(A, pivot=pivot, check_errors=not get_infos)
    results = (factors, pivots, info) if get_infos else (factors, pivots)
    return results if out is None else tuple([deliver(o, r, A) for o, r in zip(out, results, strict=True)])


class ReflectorMethods:
    """The part of Tensor about these factorisations."""

    __slots__ = ()

    geqrf = geqrf
    lu = lu
    ormqr = ormqr
