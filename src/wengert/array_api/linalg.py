"""The standard's linear algebra: ``torch.linalg``'s, with the standard's arguments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from wengert.array_api._manipulation import matrix_transpose
from wengert.array_api._statistics import sum as total
from wengert.array_api._types import Axes, dims_of, in_dtype, promoted, require_arrays, writable
from wengert.engine.base import TensorBase
from wengert.functions import (
    contraction,
    diagonals,
    joining,
    linalg_factors,
    linalg_pseudoinverse,
    linalg_ranks,
    linalg_solving,
    linalg_spectra,
    matrices,
    products,
)
from wengert.functions.matrix_norms import matrix_norm as norm_of_matrices
from wengert.functions.norms import vector_norm as norm_of_vectors

__all__ = [
    "cholesky",
    "cross",
    "det",
    "diagonal",
    "eig",
    "eigh",
    "eigvals",
    "eigvalsh",
    "inv",
    "matmul",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "matrix_transpose",
    "outer",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "svd",
    "svdvals",
    "tensordot",
    "trace",
    "vecdot",
    "vector_norm",
]


class EigResult(NamedTuple):
    """What :func:`eig` finds."""

    eigenvalues: Any
    eigenvectors: Any


class EighResult(NamedTuple):
    """What :func:`eigh` finds."""

    eigenvalues: Any
    eigenvectors: Any


class QRResult(NamedTuple):
    """What :func:`qr` finds."""

    Q: Any
    R: Any


class SlogdetResult(NamedTuple):
    """What :func:`slogdet` finds."""

    sign: Any
    logabsdet: Any


class SVDResult(NamedTuple):
    """What :func:`svd` finds."""

    U: Any
    S: Any
    Vh: Any


def matmul(x1: Any, x2: Any, /) -> Any:
    """The product of matrices, or of a matrix and a vector, in the common dtype.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.matmul(torch.tensor([[1, 2], [3, 4]]), torch.tensor([1, 1]))
    tensor([3, 7])
    """
    require_arrays("matmul", x1, x2)
    return products.matmul(*promoted("matmul", x1, x2))


def vecdot(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    """The inner products of vectors along an axis, the first conjugated.

    Raises:
        IndexError: no such axis.
        ValueError: vectors of different lengths.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.vecdot(torch.tensor([1, 2]), torch.tensor([3, 4]))
    tensor(11)
    """
    require_arrays("vecdot", x1, x2)
    first, second = promoted("vecdot", x1, x2)
    (i,), (j,) = dims_of(first, axis), dims_of(second, axis)
    if first.shape[i] != second.shape[j]:
        raise ValueError(
            f"vecdot(): vectors of {first.shape[i]} and of {second.shape[j]} elements have no inner product"
        )
    a, b = first.movedim(i, -1), second.movedim(j, -1)
    return total(a.conj() * b, axis=-1, dtype=a.dtype)


def tensordot(x1: Any, x2: Any, /, *, axes: int | tuple[Sequence[int], Sequence[int]] = 2) -> Any:
    """The products of two arrays summed over pairs of axes: the last of one and the first of the other, or as listed.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.tensordot(torch.ones(2, 3), torch.ones(3, 4), axes=1).shape
    torch.Size([2, 4])
    """
    require_arrays("tensordot", x1, x2)
    first, second = promoted("tensordot", x1, x2)
    pairs: Any = axes if isinstance(axes, int) else (list(axes[0]), list(axes[1]))
    return contraction.tensordot(first, second, pairs)


def outer(x1: Any, x2: Any, /) -> Any:
    """The product of each element of one vector with each of another.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.linalg.outer(torch.tensor([1, 2]), torch.tensor([3, 4]))
    tensor([[3, 4],
            [6, 8]])
    """
    require_arrays("outer", x1, x2)
    return products.outer(*promoted("outer", x1, x2))


def cross(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    """The cross product of vectors of three along an axis; the other axes broadcast.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.linalg.cross(torch.tensor([1, 0, 0]), torch.tensor([0, 1, 0]))
    tensor([0, 0, 1])
    """
    require_arrays("cross", x1, x2)
    a, b = (x.movedim(axis, -1) for x in promoted("cross", x1, x2))
    if a.shape[-1] != 3 or b.shape[-1] != 3:
        raise ValueError(f"cross() takes vectors of three elements, got {a.shape[-1]} and {b.shape[-1]}")
    (a0, a1, a2), (b0, b1, b2) = a.unbind(-1), b.unbind(-1)
    parts = [a1 * b2 - a2 * b1, a2 * b0 - a0 * b2, a0 * b1 - a1 * b0]
    return joining.stack(parts, -1).movedim(-1, axis)


def diagonal(x: Any, /, *, offset: int = 0) -> Any:
    """The diagonals of matrices: of the last two axes.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.linalg.diagonal(torch.tensor([[1, 2], [3, 4]]))
    tensor([1, 4])
    """
    require_arrays("diagonal", x)
    return diagonals.linalg_diagonal(x, offset=offset)


def trace(x: Any, /, *, offset: int = 0, dtype: Any = None) -> Any:
    """The sums of the diagonals of matrices.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.linalg.trace(torch.tensor([[1, 2], [3, 4]]))
    tensor(5)
    """
    return total(diagonal(x, offset=offset), axis=-1, dtype=dtype)


def cholesky(x: Any, /, *, upper: bool = False) -> Any:
    """The lower triangle L with ``L L* = x`` of positive definite matrices, or the upper one.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.linalg.cholesky(torch.tensor([[4.0]]))
    tensor([[2.]])
    """
    require_arrays("cholesky", x)
    return linalg_factors.linalg_cholesky(x, upper=upper)


def det(x: Any, /) -> Any:
    """The determinants of matrices.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.linalg.det(torch.tensor([[2.0, 1.0], [0.0, 3.0]]))
    tensor(6.)
    """
    require_arrays("det", x)
    return linalg_solving.det(x)


def slogdet(x: Any, /) -> SlogdetResult:
    """The signs of determinants and the logarithms of their sizes.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.linalg.slogdet(torch.tensor([[1.0, 0.0], [0.0, -1.0]])).sign
    tensor(-1.)
    """
    require_arrays("slogdet", x)
    return SlogdetResult(*linalg_solving.slogdet(x))


def inv(x: Any, /) -> Any:
    """The inverses of matrices.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.linalg.inv(torch.tensor([[2.0]]))
    tensor([[0.5000]])
    """
    require_arrays("inv", x)
    return matrices.inverse(x)


def solve(x1: Any, x2: Any, /) -> Any:
    """The solutions of ``x1 @ y = x2``; ``x2`` is one vector, or matrices.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.linalg.solve(torch.tensor([[2.0]]), torch.tensor([4.0]))
    tensor([2.])
    """
    require_arrays("solve", x1, x2)
    a, b = promoted("solve", x1, x2)
    if b.ndim == 1:
        return linalg_solving.solve(a, b.unsqueeze(-1)).squeeze(-1)
    # PyTorch takes a right hand side of one dimension less for vectors, which the standard does only for a single one.
    missing = a.ndim - b.ndim
    return linalg_solving.solve(a, b.reshape((1,) * missing + tuple(b.shape)) if missing > 0 else b)


def matrix_power(x: Any, n: int, /) -> Any:
    """Square matrices multiplied with themselves, ``n`` times; inverted where it is negative.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.linalg.matrix_power(torch.tensor([[2.0]]), 3)
    tensor([[8.]])
    """
    require_arrays("matrix_power", x)
    return matrices.matrix_power(x, n)


def matrix_rank(x: Any, /, *, rtol: Any = None) -> Any:
    """How many singular values of matrices exceed ``rtol`` times the largest.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.linalg.matrix_rank(torch.ones(2, 2))
    tensor(1)
    """
    require_arrays("matrix_rank", x)
    return linalg_ranks.matrix_rank(x, rtol=_tolerance(rtol, x))


def pinv(x: Any, /, *, rtol: Any = None) -> Any:
    """The pseudoinverses of matrices, singular values up to ``rtol`` times the largest taken for zero.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.linalg.pinv(torch.tensor([[2.0]]))
    tensor([[0.5000]])
    """
    require_arrays("pinv", x)
    return linalg_pseudoinverse.pinv(x, rtol=_tolerance(rtol, x))


def _tolerance(rtol: Any, x: Any) -> Any:
    return in_dtype(rtol, x.dtype.to_real().np) if isinstance(rtol, TensorBase) else rtol


def eig(x: Any, /) -> EigResult:
    """Eigenvalues and eigenvectors of square matrices, always complex.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.linalg.eig(torch.tensor([[3.0]])).eigenvalues
    tensor([3.+0.j])
    """
    require_arrays("eig", x)
    return EigResult(*linalg_spectra.eig(x))


def eigvals(x: Any, /) -> Any:
    """The eigenvalues of square matrices, always complex.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.linalg.eigvals(torch.tensor([[3.0]]))
    tensor([3.+0.j])
    """
    require_arrays("eigvals", x)
    return linalg_spectra.eigvals(x)


def eigh(x: Any, /) -> EighResult:
    """Eigenvalues, in rising order, and eigenvectors of Hermitian matrices, of which the lower triangle is read.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.linalg.eigh(torch.tensor([[2.0, 0.0], [0.0, 1.0]])).eigenvalues
    tensor([1., 2.])
    """
    require_arrays("eigh", x)
    return EighResult(*linalg_spectra.eigh(x))


def eigvalsh(x: Any, /) -> Any:
    """The eigenvalues of Hermitian matrices, in rising order.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.linalg.eigvalsh(torch.tensor([[2.0, 0.0], [0.0, 1.0]]))
    tensor([1., 2.])
    """
    require_arrays("eigvalsh", x)
    return linalg_spectra.eigvalsh(x)


def qr(x: Any, /, *, mode: str = "reduced") -> QRResult:
    """The factors of ``x = Q R``: orthonormal columns and an upper triangle.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.linalg.qr(torch.ones(3, 2)).R.shape
    torch.Size([2, 2])
    """
    require_arrays("qr", x)
    return QRResult(*linalg_factors.linalg_qr(x, mode))


def svd(x: Any, /, *, full_matrices: bool = True) -> SVDResult:
    """The factors of ``x = U diag(S) Vh``, the singular values in falling order.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.linalg.svd(torch.tensor([[3.0, 0.0], [0.0, 4.0]])).S
    tensor([4., 3.])
    """
    require_arrays("svd", x)
    return SVDResult(*linalg_spectra.linalg_svd(x, full_matrices))


def svdvals(x: Any, /) -> Any:
    """The singular values of matrices, in falling order.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.linalg.svdvals(torch.tensor([[3.0, 0.0], [0.0, 4.0]]))
    tensor([4., 3.])
    """
    require_arrays("svdvals", x)
    return linalg_spectra.svdvals(x)


def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    """Norms of matrices: ``"fro"`` (None too), ``"nuc"``, 1, 2, infinity and their negatives.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.linalg.matrix_norm(torch.tensor([[3.0, 4.0]]))
    tensor(5.)
    """
    require_arrays("matrix_norm", x)
    return norm_of_matrices(x, "fro" if ord is None else ord, (-2, -1), keepdims)


def vector_norm(x: Any, /, *, axis: Axes = None, keepdims: bool = False, ord: float = 2) -> Any:
    """Norms of vectors over axes, of all elements where it is None.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.linalg.vector_norm(torch.tensor([3.0, 4.0]))
    tensor(5.)
    """
    require_arrays("vector_norm", x)
    dims = dims_of(x, axis)
    if not dims:
        return norm_of_vectors(x.unsqueeze(-1), ord, (x.ndim,))
    return writable(norm_of_vectors(x, ord, dims, keepdims))
