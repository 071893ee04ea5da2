"""Linear algebra under the names that stand in ``torch`` itself and on tensors."""

from __future__ import annotations

from typing import Any

from wengert.functions.linalg_factors import cholesky, cholesky_inverse, cholesky_solve, qr, triangular_solve
from wengert.functions.linalg_factors import lu_solve as linalg_lu_solve
from wengert.functions.linalg_pseudoinverse import pinverse
from wengert.functions.linalg_solving import det, logdet, slogdet
from wengert.functions.linalg_spectra import matrix_exp, svd

__all__ = ["DecompositionMethods", "lu_solve"]


def lu_solve(b: Any, LU_data: Any, LU_pivots: Any, *, out: Any = None) -> Any:  # noqa: N803  # PyTorch's names
    """As :func:`torch.linalg.lu_solve`, with the right side first.

    >>> import wengert as torch
    >>> torch.lu_solve(torch.tensor([[4.]]), *torch.linalg.lu_factor(torch.tensor([[2.]])))
    tensor([[2.]])
    """
    return linalg_lu_solve(LU_data, LU_pivots, b, out=out)


class DecompositionMethods:
    """Linear algebra as methods of tensors."""

    __slots__ = ()

    det = det
    logdet = logdet
    slogdet = slogdet
    pinverse = pinverse
    cholesky = cholesky
    cholesky_inverse = cholesky_inverse
    cholesky_solve = cholesky_solve
    qr = qr
    svd = svd
    lu_solve = lu_solve
    matrix_exp = matrix_exp
    triangular_solve = triangular_solve
