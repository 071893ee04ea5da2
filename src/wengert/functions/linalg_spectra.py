"""Eigenvalues, singular values and functions of matrices, as ``torch.linalg`` has them."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert import _return_types as return_types
from wengert._traced import Traced
from wengert.engine.apply import apply
from wengert.engine.base import wrap
from wengert.engine.out import deliver
from wengert.functions.linalg_checks import floats, matrices, singular, square_matrices
from wengert.functions.linalg_factors import conj_turned, delivered
from wengert.ops.matrix_exponential import MATRIX_EXP
from wengert.ops.spectral import EIG, EIGH, SVD
from wengert.spaces.tensors import TENSOR

__all__ = [
    "eig",
    "eigh",
    "eigvals",
    "eigvalsh",
    "linalg_svd",
    "matrix_exp",
    "svd",
    "svdvals",
]


# --- eigenvalues ---


def eigh(A: Any, UPLO: str = "L", *, out: Any = None) -> Any:  # noqa: N803
    """Eigenvalues in rising order and eigenvectors of Hermitian matrices, of which the triangle ``UPLO`` is read.

    The derivative exists for what does not depend on the choice of the vectors' signs (phases).

    Raises:
        RuntimeError: not square_matrices, not floating point, or another ``UPLO``.

    >>> import wengert as torch
    >>> torch.linalg.eigh(torch.tensor([[2., 0.], [0., 1.]])).eigenvalues
    tensor([1., 2.])
    """
    square_matrices("eigh", A)
    if str(UPLO).upper() not in ("L", "U"):
        raise RuntimeError(f"Expected UPLO argument to be 'L' or 'U', but got {UPLO}")
    with singular("linalg.eigh: The algorithm failed to converge"):
        return delivered(out, return_types.linalg_eigh(apply(EIGH, A, upper=UPLO.upper() == "U")), A)


def eigvalsh(A: Any, UPLO: str = "L", *, out: Any = None) -> Any:  # noqa: N803
    """The eigenvalues of Hermitian matrices, in rising order; see :func:`eigh`.

    >>> import wengert as torch
    >>> torch.linalg.eigvalsh(torch.tensor([[2., 0.], [0., 1.]]))
    tensor([1., 2.])
    """
    return deliver(out, eigh(A, UPLO)[0], A)


def eig(A: Any, *, out: Any = None) -> Any:  # noqa: N803
    """Eigenvalues and eigenvectors of square matrices, always complex.

    The derivative exists for what does not depend on the choice of the vectors' phases.

    Raises:
        RuntimeError: not square_matrices, not floating point, or not finite.

    >>> import wengert as torch
    >>> torch.linalg.eig(torch.tensor([[0., -1.], [1., 0.]])).eigenvalues.imag.abs()
    tensor([1., 1.])
    """
    raw = square_matrices("eig", A)
    if not isinstance(raw, Traced) and not np.isfinite(raw).all():
        raise RuntimeError("torch.linalg.eig: input tensor should not contain infs or NaNs.")
    with singular("linalg.eig: The algorithm failed to converge"):
        return delivered(out, return_types.linalg_eig(apply(EIG, A)), A)


def eigvals(A: Any, *, out: Any = None) -> Any:  # noqa: N803
    """The eigenvalues of square matrices; see :func:`eig`.

    >>> import wengert as torch
    >>> torch.linalg.eigvals(torch.tensor([[3.]]))
    tensor([3.+0.j])
    """
    return deliver(out, eig(A)[0], A)


# --- singular values ---


def linalg_svd(A: Any, full_matrices: bool = True, *, driver: Any = None, out: Any = None) -> Any:  # noqa: N803
    """The factors of ``A = U diag(S) Vh``, the singular values S in falling order.

    The derivative exists for what does not depend on the choice of the vectors' signs (phases); with
    ``full_matrices`` it does not see the further vectors, which are arbitrary.

    Raises:
        RuntimeError: fewer than two dimensions, or not floating point.

    >>> import wengert as torch
    >>> torch.linalg.svd(torch.tensor([[3., 0.], [0., -4.]])).S
    tensor([4., 3.])
    """
    raw = matrices("svd", A)
    floats("svd", raw)
    if driver is not None:
        raise RuntimeError("torch.linalg.svd: keyword argument `driver=` is only supported on CUDA inputs")
    with singular("linalg.svd: The algorithm failed to converge"):
        u, s, vh = apply(SVD, A, full_matrices=False)
        if full_matrices and raw.shape[-1] != raw.shape[-2]:
            u, vh = _completed(u, vh, raw)
    return delivered(out, return_types.linalg_svd((u, s, vh)), A)


def _completed(u: Any, vh: Any, raw: Any) -> tuple[Any, Any]:
    """Append the further vectors, which are constants for the derivative."""
    full_u, _, full_vh = np.linalg.svd(raw, full_matrices=True)
    k, ndim = min(raw.shape[-2:]), raw.ndim
    rest_u, rest_vh = full_u[..., k:], full_vh[..., k:, :]
    if rest_u.shape[-1]:
        u = TENSOR.cat(u, wrap(rest_u), dim=ndim - 1, sizes=(k, rest_u.shape[-1]))
    if rest_vh.shape[-2]:
        vh = TENSOR.cat(vh, wrap(rest_vh), dim=ndim - 2, sizes=(k, rest_vh.shape[-2]))
    return u, vh


def svdvals(A: Any, *, driver: Any = None, out: Any = None) -> Any:  # noqa: N803
    """The singular values, in falling order; see :func:`linalg.svd`.

    >>> import wengert as torch
    >>> torch.linalg.svdvals(torch.tensor([[3., 0.], [0., -4.]]))
    tensor([4., 3.])
    """
    return deliver(out, linalg_svd(A, False, driver=driver)[1], A)


def svd(input: Any, some: bool = True, compute_uv: bool = True, *, out: Any = None) -> Any:
    """As :func:`torch.linalg.svd`, with V in place of its adjoint; without ``compute_uv`` U and V are zeros.

    >>> import wengert as torch
    >>> torch.svd(torch.tensor([[3., 0.], [0., -4.]])).S
    tensor([4., 3.])
    """
    u, s, vh = linalg_svd(input, not some)
    if not compute_uv:
        raw = input._data
        u, vh = (wrap(np.zeros((*raw.shape[:-2], n, n), raw.dtype)) for n in raw.shape[-2:])
    return delivered(out, return_types.svd((u, s, conj_turned(vh))), input)


# --- functions of matrices ---


def matrix_exp(input: Any) -> Any:
    """The exponential ``sum_k A^k / k!`` of square matrices.

    Raises:
        RuntimeError: not square or not floating point.

    >>> import wengert as torch
    >>> torch.linalg.matrix_exp(torch.zeros(2, 2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    square_matrices("matrix_exp", input)
    return apply(MATRIX_EXP, input)
