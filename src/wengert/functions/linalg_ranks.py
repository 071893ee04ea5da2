"""Ranks and conditions of matrices, products of reflections, Vandermonde's matrix."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.engine.apply import apply
from wengert.engine.base import wrap
from wengert.engine.out import deliver
from wengert.functions.linalg_checks import floats, matrices, square_matrices
from wengert.functions.linalg_pseudoinverse import tolerances
from wengert.functions.linalg_spectra import eigvalsh, svdvals
from wengert.functions.matrix_norms import matrix_norm
from wengert.functions.options import require_tensor
from wengert.ops.matrices import INV
from wengert.spaces.tensors import TENSOR

__all__ = ["cond", "householder_product", "matrix_rank", "vander"]


def cond(A: Any, p: Any = None, *, out: Any = None) -> Any:  # noqa: N803  # PyTorch's name
    """The condition ``||A|| ||A^-1||`` of matrices in the norm ``p``.

    ``p`` is None or 2 (the ratio of the extreme singular values), -2 (its inverse), and for square matrices ``"fro"``,
    ``"nuc"``, 1, -1, inf or -inf. Infinite where A is singular.

    Raises:
        RuntimeError: not square or not floating point, or another ``p``.

    >>> import wengert as torch
    >>> torch.linalg.cond(torch.tensor([[4., 0.], [0., 2.]]))
    tensor(2.)
    """
    raw = matrices("cond", A)
    floats("cond", raw)
    if p is None or p in (2, -2):
        values = svdvals(A)
        last = values._data.ndim - 1
        first, end = (TENSOR.select(values, dim=last, index=index) for index in (0, values._data.shape[-1] - 1))
        return deliver(out, TENSOR.div(end, first) if p == -2 else TENSOR.div(first, end), A)
    square_matrices("cond", A)
    try:
        inverse = apply(INV, A)
    except np.linalg.LinAlgError:
        return deliver(out, _conditions_one_by_one(A, p), A)
    return deliver(out, TENSOR.mul(matrix_norm(A, p), matrix_norm(inverse, p)), A)


def _conditions_one_by_one(A: Any, p: Any) -> Any:  # noqa: N803
    """Infinity for the singular matrices of a stack, which NumPy cannot leave out by itself."""
    raw = A._data
    found = np.empty(raw.shape[:-2], raw.real.dtype)
    for index in np.ndindex(found.shape):
        matrix = wrap(raw[index])
        try:
            found[index] = TENSOR.mul(matrix_norm(matrix, p), matrix_norm(apply(INV, matrix), p))._data
        except np.linalg.LinAlgError:
            found[index] = np.inf
    return wrap(found)


def matrix_rank(
    A: Any,  # noqa: N803
    tol: Any = None,
    hermitian: bool = False,
    *,
    atol: Any = None,
    rtol: Any = None,
    out: Any = None,
) -> Any:
    """The number of singular values above ``max(atol, rtol * largest)``; no gradient.

    ``rtol`` is by default ``max(rows, columns)`` times the precision of the dtype (0 where ``atol`` is positive).

    Raises:
        RuntimeError: fewer than two dimensions or not floating point.

    >>> import wengert as torch
    >>> torch.linalg.matrix_rank(torch.tensor([[1., 1.], [1., 1.]]))
    tensor(1)
    """
    raw = square_matrices("matrix_rank", A) if hermitian else matrices("matrix_rank", A)
    floats("matrix_rank", raw)
    if tol is not None:
        atol, rtol = tol, 0.0
    plain = wrap(raw)
    values = np.abs(eigvalsh(plain)._data) if hermitian else svdvals(plain)._data
    absolute, relative = tolerances(raw, atol, rtol)
    largest = values.max(axis=-1, initial=0.0)
    least = np.maximum(absolute, relative * largest)
    return deliver(out, wrap(np.asarray((values > np.asarray(least)[..., None]).sum(axis=-1))), A)


_PRODUCT = "torch.linalg.householder_product"


def householder_product(A: Any, tau: Any, *, out: Any = None) -> Any:  # noqa: N803
    """The first columns of the product of reflections ``1 - tau_i v_i v_i*``.

    The vectors stand in the columns of A, below its diagonal, where each has a one.

    Raises:
        RuntimeError: more columns than rows, more factors than columns, or batches that do not fit.

    >>> import wengert as torch
    >>> torch.linalg.householder_product(torch.tensor([[0.], [1.]]), torch.tensor([1.]))
    tensor([[ 0.],
            [-1.]])
    """
    a, t = matrices("householder_product", A, "input"), require_tensor("linalg_householder_product", tau, "tau")._data
    rows, columns = a.shape[-2:]
    if rows < columns:
        raise RuntimeError(
            "torch.linalg.householder_product: input.shape[-2] must be greater than or equal to input.shape[-1]"
        )
    if t.shape[-1:] > (columns,):
        raise RuntimeError(
            "torch.linalg.householder_product: input.shape[-1] must be greater than or equal to tau.shape[-1]"
        )
    if a.ndim - t.ndim != 1 or a.shape[:-2] != t.shape[:-1] or a.dtype is not t.dtype:
        raise RuntimeError(
            f"{_PRODUCT}: Expected tau to have one dimension less than input, equal batches and dtype, but got "
            f"tau.ndim equal to {t.ndim} and input.ndim equal to {a.ndim}, shapes {list(t.shape)} and {list(a.shape)}"
        )
    vectors = TENSOR.tril(A, diagonal=-1)
    ones = np.zeros(a.shape, a.dtype)
    ones[..., range(columns), range(columns)] = 1
    vectors = TENSOR.add(vectors, wrap(ones))
    product = wrap(ones.copy())
    for i in range(t.shape[-1] - 1, -1, -1):
        v = TENSOR.slice(vectors, dim=a.ndim - 1, start=i, stop=i + 1, step=1)
        scale = TENSOR.unsqueeze(TENSOR.slice(tau, dim=t.ndim - 1, start=i, stop=i + 1, step=1), dim=t.ndim)
        v_h = TENSOR.conj(TENSOR.transpose(v, dim0=a.ndim - 2, dim1=a.ndim - 1))
        product = TENSOR.sub(product, TENSOR.mul(TENSOR.mul(scale, v), TENSOR.matmul(v_h, product)))
    return deliver(out, product, A, tau)


def vander(x: Any, N: Any = None) -> Any:  # noqa: N803
    """The matrix of the powers ``x_i^j``, j from 0 to ``N - 1`` (by default as many as elements).

    Raises:
        RuntimeError: an ``N`` below two.

    >>> import wengert as torch
    >>> torch.linalg.vander(torch.tensor([1, 2, 3]))
    tensor([[1, 1, 1],
            [1, 2, 4],
            [1, 3, 9]])
    """
    raw = require_tensor("linalg_vander", x, "x")._data
    if raw.ndim == 0:
        x, raw = TENSOR.unsqueeze(x, dim=0), raw.reshape(1)
        return vander(x, N)
    count = raw.shape[-1] if N is None else int(N)
    if count <= 1:
        raise RuntimeError("N must be greater than 1.")
    one = wrap(np.ones((*raw.shape, 1), raw.dtype if raw.dtype.kind != "b" else np.int64))
    shape = (*raw.shape, count - 1)
    columns = TENSOR.expand(TENSOR.unsqueeze(x, dim=raw.ndim), shape=shape)
    powers = TENSOR.cumprod(columns, dim=raw.ndim)
    return TENSOR.cat(one, powers, dim=raw.ndim, sizes=(1, count - 1))
