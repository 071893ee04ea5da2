"""Diagonals and triangles of the plane of two dimensions."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert._dtypes import int64
from wengert.engine.apply import apply
from wengert.engine.base import wrap
from wengert.engine.inplace import inplace
from wengert.engine.moving import view_function
from wengert.engine.out import deliver
from wengert.functions.dims import wrap_dim
from wengert.functions.movement import reshaped
from wengert.functions.options import chosen_dtype, require_tensor
from wengert.ops.diagonals import DIAG_EMBED, DIAGONAL, DIAGONAL_COPY, TRIL, TRIU

__all__ = [
    "DiagonalMethods",
    "diag",
    "diag_embed",
    "diagflat",
    "diagonal",
    "tril",
    "tril_indices",
    "triu",
    "triu_indices",
]

_diagonal = view_function(DIAGONAL)


def _plane(ndim: int, dim1: int, dim2: int) -> tuple[int, int]:
    first, second = wrap_dim(dim1, ndim), wrap_dim(dim2, ndim)
    if first == second:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    return first, second


def diagonal(input: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """A view of the diagonal of the plane of two dimensions, as the last dimension.

    ``offset`` above zero means a diagonal to the right of the main one, below zero one underneath.

    Raises:
        RuntimeError: the two dimensions are the same.

    >>> import wengert as torch
    >>> torch.diagonal(torch.tensor([[1, 2], [3, 4]]))
    tensor([1, 4])
    """
    require_tensor("diagonal", input)
    first, second = _plane(input._data.ndim, dim1, dim2)
    return _diagonal(input, {"offset": offset, "dim1": first, "dim2": second})


def linalg_diagonal(A: Any, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Any:  # noqa: N803  # PyTorch's name
    """As :func:`torch.diagonal`, by default of the last two dimensions.

    >>> import wengert as torch
    >>> torch.linalg.diagonal(torch.tensor([[1, 2], [3, 4]]))
    tensor([1, 4])
    """
    return diagonal(A, offset, dim1, dim2)


def diag(input: Any, diagonal: int = 0, *, out: Any = None) -> Any:
    """A matrix with the input on a diagonal for a 1-d input; a copy of a diagonal for a matrix.

    Raises:
        RuntimeError: neither one nor two dimensions.

    >>> import wengert as torch
    >>> torch.diag(torch.tensor([1, 2]))
    tensor([[1, 0],
            [0, 2]])
    >>> torch.diag(torch.tensor([[1, 2], [3, 4]]))
    tensor([1, 4])
    """
    ndim = require_tensor("diag", input)._data.ndim
    if ndim == 1:
        return deliver(out, apply(DIAG_EMBED, input, offset=diagonal, dim1=0, dim2=1), input)
    if ndim != 2:
        raise RuntimeError(f"diag(): Supports 1D or 2D tensors. Got {ndim}D")
    return deliver(out, apply(DIAGONAL_COPY, input, offset=diagonal, dim1=0, dim2=1), input)


def diag_embed(input: Any, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Any:
    """Matrices with the last dimension of the input on their diagonals, zero elsewhere.

    Raises:
        RuntimeError: the two new dimensions are the same.

    >>> import wengert as torch
    >>> torch.diag_embed(torch.tensor([[1, 2], [3, 4]])).shape
    torch.Size([2, 2, 2])
    """
    require_tensor("diag_embed", input)
    if not input._data.ndim:
        wrap_dim(-2, 1)
    first, second = _plane(input._data.ndim + 1, dim1, dim2)
    return apply(DIAG_EMBED, input, offset=offset, dim1=first, dim2=second)


def diagflat(input: Any, offset: int = 0) -> Any:
    """A matrix with all elements of the input, in row-major order, on a diagonal.

    >>> import wengert as torch
    >>> torch.diagflat(torch.tensor([[1], [2]]))
    tensor([[1, 0],
            [0, 2]])
    """
    require_tensor("diagflat", input)
    return diag(reshaped(input, (-1,) if input._data.size else (0,)), offset)


def _check_matrix(name: str, x: Any) -> None:
    if x._data.ndim < 2:
        raise RuntimeError(f"{name}: input tensor must have at least 2 dimensions, got {x._data.ndim}")


def tril(input: Any, diagonal: int = 0, *, out: Any = None) -> Any:
    """The lower triangle of a matrix or of each of a batch, zeros above diagonal number ``diagonal``.

    Raises:
        RuntimeError: fewer than two dimensions.

    >>> import wengert as torch
    >>> torch.tril(torch.tensor([[1, 2], [3, 4]]))
    tensor([[1, 0],
            [3, 4]])
    """
    _check_matrix("tril", require_tensor("tril", input))
    return deliver(out, apply(TRIL, input, diagonal=diagonal), input)


def triu(input: Any, diagonal: int = 0, *, out: Any = None) -> Any:
    """The upper triangle of a matrix or of each of a batch, zeros below diagonal number ``diagonal``.

    Raises:
        RuntimeError: fewer than two dimensions.

    >>> import wengert as torch
    >>> torch.triu(torch.tensor([[1, 2], [3, 4]]))
    tensor([[1, 2],
            [0, 4]])
    """
    _check_matrix("triu", require_tensor("triu", input))
    return deliver(out, apply(TRIU, input, diagonal=diagonal), input)


def tril_indices(
    row: int, col: int, offset: int = 0, *, dtype: Any = int64, device: Any = None, layout: Any = None
) -> Any:
    """The row and column indices of the lower triangle of a ``row`` by ``col`` matrix, as two rows.

    Raises:
        RuntimeError: a negative size.

    >>> import wengert as torch
    >>> torch.tril_indices(2, 2)
    tensor([[0, 1, 1],
            [0, 0, 1]])
    """
    target = _index_dtype("tril_indices", row, col, dtype, device, layout)
    return wrap(np.stack(np.tril_indices(row, offset, col)).astype(target))


def triu_indices(
    row: int, col: int, offset: int = 0, *, dtype: Any = int64, device: Any = None, layout: Any = None
) -> Any:
    """The row and column indices of the upper triangle of a ``row`` by ``col`` matrix, as two rows.

    Raises:
        RuntimeError: a negative size.

    >>> import wengert as torch
    >>> torch.triu_indices(2, 2)
    tensor([[0, 0, 1],
            [0, 1, 1]])
    """
    target = _index_dtype("triu_indices", row, col, dtype, device, layout)
    return wrap(np.stack(np.triu_indices(row, offset, col)).astype(target))


def _index_dtype(name: str, row: int, col: int, dtype: Any, device: Any, layout: Any) -> Any:
    for side, size in (("row", row), ("col", col)):
        if size < 0:
            raise RuntimeError(f"{side} must be non-negative, got {size}")
    return chosen_dtype(name, dtype, device=device, layout=layout)


class DiagonalMethods:
    """Tensor methods on diagonals and triangles."""

    __slots__ = ()

    diagonal = diagonal
    diag = diag
    diag_embed = diag_embed
    diagflat = diagflat
    tril = tril
    triu = triu

    def tril_(self: Any, diagonal: int = 0) -> Any:
        """Set the elements above a diagonal to zero.

        >>> import wengert as torch
        >>> torch.ones(2, 2).tril_()
        tensor([[1., 0.],
                [1., 1.]])
        """
        _check_matrix("tril", self)
        return inplace(TRIL, self, diagonal=diagonal)

    def triu_(self: Any, diagonal: int = 0) -> Any:
        """Set the elements below a diagonal to zero.

        >>> import wengert as torch
        >>> torch.ones(2, 2).triu_()
        tensor([[1., 1.],
                [0., 1.]])
        """
        _check_matrix("triu", self)
        return inplace(TRIU, self, diagonal=diagonal)

    def fill_diagonal_(self: Any, fill_value: Any, wrap: bool = False) -> Any:
        """Fill the main diagonal; with ``wrap`` start again below it in a tall matrix.

        Raises:
            RuntimeError: fewer than two dimensions, or more than two of different sizes.

        >>> import wengert as torch
        >>> torch.zeros(2, 2).fill_diagonal_(1)
        tensor([[1., 0.],
                [0., 1.]])
        """
        shape = self._data.shape
        if len(shape) < 2:
            raise RuntimeError("dimensions must larger than 1")
        if len(shape) > 2 and len(set(shape)) > 1:
            raise RuntimeError("all dimensions of input must be of equal length")
        index = np.arange(shape[0] if wrap and len(shape) == 2 else min(shape))
        if len(shape) == 2 and wrap:
            columns = index % (shape[1] + 1)
            places: tuple[Any, ...] = (index[columns < shape[1]], columns[columns < shape[1]])
        else:
            places = (index,) * len(shape)
        self[places] = fill_value
        return self
