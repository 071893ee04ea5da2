"""``torch.linalg``'s norms of matrices, and the one function for vectors and matrices."""

from __future__ import annotations

from math import inf
from typing import Any

from wengert.engine.out import deliver
from wengert.functions.dims import wrap_dim
from wengert.functions.extrema import amax, amin
from wengert.functions.norms import of_singular_values, vector_norm
from wengert.functions.options import require_tensor, type_name

__all__ = ["linalg_norm", "matrix_norm"]


def matrix_norm(
    A: Any,  # noqa: N803  # PyTorch's name
    ord: Any = "fro",
    dim: Any = (-2, -1),
    keepdim: bool = False,
    *,
    dtype: Any = None,
    out: Any = None,
) -> Any:
    """The norm of the matrices that the two axes ``dim`` hold.

    ``"fro"``: ``sqrt(sum_ij |a_ij|^2)``; 1 (-1): the largest (smallest) sum of ``|a_ij|`` over a column; inf (-inf):
    over a row; 2 (-2): the largest (smallest) singular value; ``"nuc"``: the sum of the singular values.

    Raises:
        RuntimeError: not a matrix, a dtype that is neither float nor complex, or an order that does not exist.
        TypeError: ``A`` is not a tensor, or ``dim`` is not a pair.

    >>> import wengert as torch
    >>> torch.linalg.matrix_norm(torch.tensor([[1.0, -2.0], [3.0, 4.0]]), 1)
    tensor(6.)
    """
    raw = require_tensor("linalg_matrix_norm", A, "A")._data
    if raw.dtype.kind not in "fc":
        raise RuntimeError(
            f"linalg.matrix_norm: Expected a floating point or complex tensor as input. Got {type_name(raw.dtype)}; "
            "convert it, for example with .to(torch.float32)"
        )
    if raw.ndim < 2:
        raise RuntimeError("linalg.matrix_norm: The input tensor A must have at least 2 dimensions.")
    rows, columns = _pair(dim, raw.ndim)
    if ord == "fro":
        return vector_norm(A, 2, (rows, columns), keepdim, dtype=dtype, out=out)
    if ord in ("nuc", 2, -2):
        return deliver(out, of_singular_values(A, ord, rows, columns, keepdim, dtype), A)
    if ord not in (1, -1, inf, -inf):
        raise RuntimeError(f"linalg.matrix_norm: Order {ord} not supported.")
    summed, chosen = (rows, columns) if abs(ord) == 1 else (columns, rows)
    sizes = vector_norm(A, 1, summed, keepdim, dtype=dtype)
    if summed < chosen and not keepdim:
        chosen -= 1
    return deliver(out, (amax if ord > 0 else amin)(sizes, chosen, keepdim), A)


def _pair(dim: Any, ndim: int) -> tuple[int, int]:
    if not isinstance(dim, (tuple, list)):
        raise TypeError(f"linalg_matrix_norm(): argument 'dim' must be tuple of ints, not {type(dim).__name__}")
    if len(dim) != 2:
        raise RuntimeError(f"linalg.matrix_norm: dim must be a 2-tuple. Got {list(dim)}")
    rows, columns = wrap_dim(dim[0], ndim), wrap_dim(dim[1], ndim)
    if rows == columns:
        raise RuntimeError(f"linalg.matrix_norm: dims must be different. Got ({dim[0]}, {dim[1]})")
    return rows, columns


def linalg_norm(
    A: Any,  # noqa: N803  # PyTorch's name
    ord: Any = None,
    dim: Any = None,
    keepdim: bool = False,
    *,
    out: Any = None,
    dtype: Any = None,
) -> Any:
    """The norm of vectors (one axis ``dim``) or of matrices (two).

    Without ``ord`` the root of the sum of squares over ``dim``, or over everything. With ``ord`` and without ``dim``
    the tensor itself is the vector or the matrix.

    Raises:
        RuntimeError: ``ord`` without ``dim`` for a tensor that is neither, or as :func:`matrix_norm`.
        TypeError: ``A`` is not a tensor.

    >>> import wengert as torch
    >>> x = torch.tensor([[1.0, -2.0], [3.0, 4.0]])
    >>> torch.linalg.norm(x), torch.linalg.norm(x, 1, dim=1)
    (tensor(5.4772), tensor([3., 7.]))
    """
    raw = require_tensor("linalg_norm", A, "A")._data
    if isinstance(dim, (tuple, list)) and len(dim) not in (1, 2):
        raise RuntimeError(f"linalg.norm: If dim is specified, it must be of length 1 or 2. Got {list(dim)}")
    if dim is None and ord is not None and raw.ndim not in (1, 2):
        raise RuntimeError(
            f"linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got {raw.ndim}D."
        )
    if ord is None:
        return vector_norm(A, 2, dim, keepdim, dtype=dtype, out=out)
    pair = len(dim) == 2 if isinstance(dim, (tuple, list)) else dim is None and raw.ndim == 2
    if pair or isinstance(ord, str):
        axes = (-2, -1) if dim is None else dim if isinstance(dim, (tuple, list)) else (dim,)
        return matrix_norm(A, ord, axes, keepdim, dtype=dtype, out=out)
    return vector_norm(A, ord, dim, keepdim, dtype=dtype, out=out)
