"""Singular values of large matrices from a few random directions: Halko, Martinsson and Tropp (2011)."""

from __future__ import annotations

from typing import Any

from wengert.engine.base import wrap
from wengert.functions.generators import stream_of
from wengert.functions.linalg_factors import linalg_qr
from wengert.functions.linalg_spectra import linalg_svd
from wengert.functions.options import require_tensor

__all__ = ["pca_lowrank", "svd_lowrank"]


def svd_lowrank(A: Any, q: int | None = 6, niter: int | None = 2, M: Any = None) -> tuple[Any, Any, Any]:  # noqa: N803
    """U, S and V of the best approximation of ``A - M`` by rank ``q``, nearly: from random directions.

    ``niter`` subspace iterations make it better. S are the largest singular values.

    Raises:
        ValueError: ``q`` exceeds the smaller side of the matrix.

    >>> import wengert as torch
    >>> U, S, V = torch.svd_lowrank(torch.ones(4, 3), q=1)
    >>> S
    tensor([3.4641])
    """
    raw = require_tensor("svd_lowrank", A)._data
    q = 6 if q is None else q
    rows, columns = raw.shape[-2:]
    A = A if M is None else A - M.expand_as(A)  # noqa: N806
    if rows < columns:
        u, s, v = _tall(A.mH, q, niter or 0)
        return v, s, u
    return _tall(A, q, niter or 0)


def _tall(a: Any, q: int, niter: int) -> tuple[Any, Any, Any]:
    raw = a._data
    if q > raw.shape[-1]:
        raise ValueError(f"q(={q}) must be non-negative integer and not greater than min(m, n)={raw.shape[-1]}")
    directions = stream_of("randn", None).normal((raw.shape[-1], q), raw.real.dtype)
    basis = linalg_qr(a @ wrap(directions.astype(raw.dtype)))[0]
    for _ in range(niter):
        basis = linalg_qr(a.mH @ basis)[0]
        basis = linalg_qr(a @ basis)[0]
    u, s, vh = linalg_svd(basis.mH @ a, full_matrices=False)
    return basis @ u, s, vh.mH


def pca_lowrank(A: Any, q: int | None = None, center: bool = True, niter: int = 2) -> tuple[Any, Any, Any]:  # noqa: N803
    """The ``q`` (by default at most 6) principal directions of rows of data: U, S and V of the centred matrix.

    Raises:
        ValueError: ``q`` or ``niter`` out of range.

    >>> import wengert as torch
    >>> torch.pca_lowrank(torch.tensor([[1., 1.], [3., 3.]]), q=1)[1]
    tensor([2.])
    """
    rows, columns = require_tensor("pca_lowrank", A)._data.shape[-2:]
    q = min(6, rows, columns) if q is None else q
    if not 0 <= q <= min(rows, columns):
        raise ValueError(f"q(={q}) must be non-negative integer and not greater than min(m, n)={min(rows, columns)}")
    if niter < 0:
        raise ValueError(f"niter(={niter}) must be non-negative integer")
    return svd_lowrank(A - A.mean(dim=-2, keepdim=True) if center else A, q, niter)
