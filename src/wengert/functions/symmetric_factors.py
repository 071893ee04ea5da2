"""The factorisation ``A = L D L*`` of symmetric or Hermitian matrices that need not be definite: LAPACK's, by SciPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from wengert import _return_types as return_types
from wengert._scipy import scipy_module
from wengert.engine.apply import apply
from wengert.engine.out import deliver
from wengert.functions.linalg_checks import LinAlgError, matrices, square_matrices
from wengert.functions.linalg_factors import delivered
from wengert.functions.options import require_tensor, type_name
from wengert.ops.record import MISSING, Kind, defop

__all__ = ["ldl_factor", "ldl_factor_ex", "ldl_solve"]

_LETTERS: Final = {"f": "s", "d": "d", "F": "c", "D": "z"}


def _lapack(dtype: np.dtype[Any], routine: str, hermitian: bool) -> Callable[..., Any]:
    """LAPACK's function for these matrices; for real ones the two kinds are one."""
    kind = "he" if hermitian and dtype.kind == "c" else "sy"
    function: Callable[..., Any]
    module = scipy_module("linalg.lapack", "torch.linalg.ldl_factor")
    function = getattr(module, f"{_LETTERS[dtype.char]}{kind}{routine}")
    return function


def _factors(a: Any, *, hermitian: bool) -> tuple[Any, Any, Any]:
    factors, pivots = np.zeros(a.shape, a.dtype), np.zeros(a.shape[:-1], np.int32)
    info = np.zeros(a.shape[:-2], np.int32)
    if a.shape[-1]:
        factor = _lapack(a.dtype, "trf", hermitian)
        for place in np.ndindex(info.shape):
            packed, pivots[place], info[place] = factor(a[place], lower=1)
            factors[place] = np.tril(packed)
    return factors, pivots, info


def _solved(ld: Any, pivots: Any, b: Any, *, hermitian: bool) -> Any:
    lead = np.broadcast_shapes(ld.shape[:-2], b.shape[:-2])
    x = np.zeros((*lead, *b.shape[-2:]), b.dtype)
    if x.size:
        solve = _lapack(ld.dtype, "trs", hermitian)
        ld, b = np.broadcast_to(ld, (*lead, *ld.shape[-2:])), np.broadcast_to(b, x.shape)
        pivots = np.broadcast_to(pivots, (*lead, pivots.shape[-1]))
        for place in np.ndindex(lead):
            x[place] = solve(ld[place], pivots[place], b[place], lower=1)[0]
    return x


# PyTorch has no derivatives of these either; asked for, they are an error at the backward pass.
_FACTOR = defop(
    "linalg_ldl_factor_ex",
    _factors,
    Kind.OTHER,
    vjp=(MISSING,),
    outputs=3,
    table=None,
    doc="Factors of symmetric matrices.",
)
_SOLVE = defop(
    "linalg_ldl_solve",
    _solved,
    Kind.OTHER,
    vjp=(MISSING, None, MISSING),
    args=("LD", "pivots", "B"),
    table=None,
    doc="Solution of equations by such factors.",
)


def ldl_factor(A: Any, *, hermitian: bool = False, out: Any = None) -> Any:  # noqa: N803
    """``A = L D L^T`` of a symmetric matrix, or ``L D L*`` of a ``hermitian`` one: D, L below it, and the pivots.

    D has blocks of one and two rows, and only the lower triangle of A is read. It needs SciPy and has no derivatives.

    Raises:
        RuntimeError: no square matrices of floating point or complex numbers.
        torch.linalg.LinAlgError: D is singular.
        ImportError: SciPy is not installed.

    >>> import wengert as torch
    >>> torch.linalg.ldl_factor(torch.tensor([[4., 2.], [2., 3.]])).LD
    tensor([[4.0000, 0.0000],
            [0.5000, 2.0000]])
    """
    factors, pivots, _ = ldl_factor_ex(A, hermitian=hermitian, check_errors=True)
    return delivered(out, return_types.linalg_ldl_factor((factors, pivots)), A)


def ldl_factor_ex(A: Any, *, hermitian: bool = False, check_errors: bool = False, out: Any = None) -> Any:  # noqa: N803
    """As :func:`linalg.ldl_factor`, with ``info``: 0, or the first zero on D's diagonal, counted from 1.

    Raises:
        RuntimeError: as there; a singular D only with ``check_errors``.

    >>> import wengert as torch
    >>> torch.linalg.ldl_factor_ex(torch.zeros(1, 1)).info
    tensor(1, dtype=torch.int32)
    """
    square_matrices("ldl_factor_ex", A)
    factors, pivots, info = apply(_FACTOR, A, hermitian=bool(hermitian))
    if check_errors and info._data.any():
        raise LinAlgError(
            f"torch.linalg.ldl_factor_ex: the diagonal element {int(info._data.max())} of D is zero: the "
            "matrix is singular, and no equation can be solved with it"
        )
    return delivered(out, return_types.linalg_ldl_factor_ex((factors, pivots, info)), A)


def ldl_solve(LD: Any, pivots: Any, B: Any, *, hermitian: bool = False, out: Any = None) -> Any:  # noqa: N803
    """The X of ``A X = B`` from the factors of A that :func:`linalg.ldl_factor` gives.

    Raises:
        RuntimeError: shapes or dtypes that do not fit.
        ImportError: SciPy is not installed.

    >>> import wengert as torch
    >>> factors = torch.linalg.ldl_factor(torch.tensor([[4., 2.], [2., 3.]]))
    >>> torch.linalg.ldl_solve(*factors, torch.tensor([[6.], [5.]]))
    tensor([[1.],
            [1.]])
    """
    a, b = square_matrices("ldl_solve", LD, "LD"), matrices("ldl_solve", B, "B")
    p = require_tensor("linalg_ldl_solve", pivots, "pivots")._data
    if p.dtype.kind not in "iu":
        raise RuntimeError(f"torch.linalg.ldl_solve: Expected pivots to be integers. Got {type_name(p.dtype)}")
    if p.shape != a.shape[:-1]:
        raise RuntimeError(
            "torch.linalg.ldl_solve: Expected LD.shape[:-1] and pivots.shape to be the same, but got pivots with shape "
            f"{list(p.shape)} instead"
        )
    if a.dtype is not b.dtype:
        raise RuntimeError(
            f"Expected b and A to have the same dtype, but found b of type {type_name(b.dtype)} and A of type "
            f"{type_name(a.dtype)} instead."
        )
    if a.shape[-1] != b.shape[-2]:
        raise RuntimeError(
            f"Incompatible matrix sizes for torch.linalg.ldl_solve: each A matrix is {a.shape[-1]} by {a.shape[-1]} "
            f"but each b matrix is {b.shape[-2]} by {b.shape[-1]}"
        )
    return deliver(out, apply(_SOLVE, LD, pivots, B, hermitian=bool(hermitian)), LD, B)
