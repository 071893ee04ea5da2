"""Dimensions in another order, more of them, or fewer: permute, transpose, squeeze, select, narrow."""

from __future__ import annotations

import operator
import warnings
from typing import Any

from wengert.engine import inplace_messages as messages
from wengert.engine.apply import apply
from wengert.engine.base import TensorBase
from wengert.engine.moving import view_function
from wengert.engine.state import STATE
from wengert.functions.dims import Shape, int_args, int_or_tuple, int_tuple, wrap_dim, wrap_dims
from wengert.functions.options import integer, require_tensor
from wengert.ops.indexing import SELECT, SLICE
from wengert.ops.movement import ALIAS, PERMUTE, SQUEEZE, SQUEEZE_ALL, SQUEEZE_DIM, TRANSPOSE, UNSQUEEZE, T
from wengert.ops.record import Op

__all__ = [
    "AxesMethods",
    "adjoint",
    "moveaxis",
    "movedim",
    "narrow",
    "narrow_copy",
    "permute",
    "select",
    "squeeze",
    "swapaxes",
    "swapdims",
    "t",
    "transpose",
    "unsqueeze",
]

_alias = view_function(ALIAS)
_permute = view_function(PERMUTE)
_transpose = view_function(TRANSPOSE)
_select = view_function(SELECT)
_slice = view_function(SLICE)
_unsqueeze = view_function(UNSQUEEZE)
_t = view_function(T)
_squeezers = {op: view_function(op) for op in (SQUEEZE_ALL, SQUEEZE_DIM, SQUEEZE)}


def permute(input: Any, dims: Any) -> Any:
    """A view with the dimensions in the order ``dims``.

    Raises:
        RuntimeError: ``dims`` does not name each dimension once.

    >>> import wengert as torch
    >>> torch.permute(torch.zeros(2, 3, 4), (2, 0, 1)).shape
    torch.Size([4, 2, 3])
    """
    require_tensor("permute", input)
    return _permuted(input, int_tuple("permute", "dims", 2, dims))


def _permuted(x: Any, dims: Shape) -> Any:
    ndim = x._data.ndim
    if len(dims) != ndim:
        raise RuntimeError(
            "permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired "
            f"ordering of dimensions i.e. input.dim() = {ndim} is not equal to len(dims) = {len(dims)}"
        )
    wrapped = tuple([wrap_dim(dim, ndim) for dim in dims])
    if len(set(wrapped)) != ndim:
        raise RuntimeError("permute(): duplicate dims are not allowed.")
    return _permute(x, {"dims": wrapped})


def transpose(input: Any, dim0: int, dim1: int) -> Any:
    """A view with two dimensions exchanged.

    Raises:
        IndexError: there is no such dimension.

    >>> import wengert as torch
    >>> torch.transpose(torch.zeros(2, 3), 0, 1).shape
    torch.Size([3, 2])
    """
    require_tensor("transpose", input)
    ndim = input._data.ndim
    return _transpose(input, {"dim0": wrap_dim(dim0, ndim), "dim1": wrap_dim(dim1, ndim)})


def swapaxes(input: Any, axis0: int, axis1: int) -> Any:
    """As :func:`transpose`.

    >>> import wengert as torch
    >>> torch.swapaxes(torch.zeros(2, 3), 0, 1).shape
    torch.Size([3, 2])
    """
    return transpose(input, axis0, axis1)


swapdims = transpose


def t(input: Any) -> Any:
    """A matrix with rows and columns exchanged, as a view; 1-d and 0-d tensors stay as they are.

    Raises:
        RuntimeError: more than two dimensions.

    >>> import wengert as torch
    >>> torch.t(torch.tensor([[1, 2], [3, 4]]))
    tensor([[1, 3],
            [2, 4]])
    """
    _check_at_most_matrix(require_tensor("t", input)._data.ndim)
    return _t(input, {})


def _check_at_most_matrix(ndim: int) -> None:
    if ndim > 2:
        raise RuntimeError(
            f"t() expects a tensor with <= 2 dimensions, but self is {ndim}D. Use mT for batches of matrices."
        )


def adjoint(input: Any) -> Any:
    """The last two dimensions exchanged and the elements conjugated.

    >>> import wengert as torch
    >>> torch.adjoint(torch.tensor([[1, 2], [3, 4]]))
    tensor([[1, 3],
            [2, 4]])
    """
    if require_tensor("adjoint", input)._data.ndim == 1:
        raise RuntimeError("adjoint() is only supported on matrices or batches of matrices. Got 1-D tensor.")
    turned = transpose(input, -2, -1) if input._data.ndim else input
    return turned.conj() if turned._data.dtype.kind == "c" else turned


def movedim(input: Any, source: Any, destination: Any) -> Any:
    """A view with the dimensions ``source`` moved to the places ``destination``; the others keep their order.

    Raises:
        RuntimeError: a dimension is named twice, or the two differ in number.

    >>> import wengert as torch
    >>> torch.movedim(torch.zeros(2, 3, 4), 0, -1).shape
    torch.Size([3, 4, 2])
    """
    ndim = require_tensor("movedim", input)._data.ndim
    froms, tos = int_or_tuple("movedim", "source", 2, source), int_or_tuple("movedim", "destination", 3, destination)
    if len(froms) != len(tos):
        raise RuntimeError(
            "movedim: Invalid source or destination dims: source "
            f"({list(froms)} dims) should contain the same number of dims as destination ({list(tos)} dims)"
        )
    for name, given in (("source", froms), ("destination", tos)):
        if len({wrap_dim(dim, ndim) for dim in given}) != len(given):
            raise RuntimeError(f"movedim: repeated dim in `{name}` ({list(given)})")
    if not ndim:
        return _alias(input, {})
    places = {wrap_dim(to, ndim): wrap_dim(dim, ndim) for dim, to in zip(froms, tos, strict=True)}
    rest = iter([dim for dim in range(ndim) if dim not in places.values()])
    order = tuple([places[place] if place in places else next(rest) for place in range(ndim)])
    return _permute(input, {"dims": order})


moveaxis = movedim


def squeeze(input: Any, dim: Any = None) -> Any:
    """A view without the dimensions of size one: all of them, or those named that have it.

    Raises:
        IndexError: there is no such dimension.

    >>> import wengert as torch
    >>> torch.squeeze(torch.zeros(1, 3, 1)).shape, torch.squeeze(torch.zeros(1, 3, 1), 0).shape
    (torch.Size([3]), torch.Size([3, 1]))
    """
    op, dims = _squeezing(require_tensor("squeeze", input)._data.ndim, dim)
    return _squeezers[op](input, {"dims": dims})


def _squeezing(ndim: int, dim: Any) -> tuple[Op, Shape]:
    if dim is None:
        return SQUEEZE_ALL, tuple(range(ndim))
    if isinstance(dim, (tuple, list)):
        dims = wrap_dims(dim, ndim)
        return SQUEEZE, dims if ndim else ()
    wrapped = wrap_dim(dim, ndim)
    return SQUEEZE_DIM, (wrapped,) if ndim else ()


def unsqueeze(input: Any, dim: int) -> Any:
    """A view with a new dimension of size one at ``dim``.

    Raises:
        IndexError: ``dim`` is not a place between or around the dimensions.

    >>> import wengert as torch
    >>> torch.unsqueeze(torch.zeros(3), -1).shape
    torch.Size([3, 1])
    """
    require_tensor("unsqueeze", input)
    return _unsqueeze(input, {"dim": wrap_dim(dim, input._data.ndim + 1)})


def select(input: Any, dim: int, index: Any) -> Any:
    """A view of the part at one index of one dimension.

    Raises:
        IndexError: there is no such dimension or index.

    >>> import wengert as torch
    >>> torch.select(torch.tensor([[1, 2], [3, 4]]), 1, -1)
    tensor([2, 4])
    """
    shape = require_tensor("select", input)._data.shape
    if not shape:
        raise IndexError("select() cannot be applied to a 0-dim tensor.")
    dim = wrap_dim(dim, len(shape))
    place = integer("select", "index", 3, index)
    if not -shape[dim] <= place < shape[dim]:
        raise IndexError(f"select(): index {place} out of range for tensor of size {list(shape)} at dimension {dim}")
    return _select(input, {"dim": dim, "index": place % shape[dim]})


def narrow(input: Any, dim: int, start: Any, length: Any) -> Any:
    """A view of ``length`` consecutive indices of one dimension from ``start`` on.

    Raises:
        IndexError: ``start`` is outside the dimension.
        RuntimeError: ``start + length`` is.

    >>> import wengert as torch
    >>> torch.narrow(torch.arange(5), 0, 1, 3)
    tensor([1, 2, 3])
    """
    shape = require_tensor("narrow", input)._data.shape
    if not shape:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    length = operator.index(length)
    if length < 0:
        raise RuntimeError("narrow(): length must be non-negative.")
    dim = wrap_dim(dim, len(shape))
    size = shape[dim]
    if isinstance(start, TensorBase) and (start._data.ndim or start._data.dtype.kind not in "iu"):
        raise RuntimeError("start must be an 0-dim integral Tensor.")
    first = start._data.item() if isinstance(start, TensorBase) else integer("narrow", "start", 3, start)
    if not -size <= first <= size:
        raise IndexError(f"start out of range (expected to be in range of [{-size}, {size}], but got {first})")
    first = first + size if first < 0 else first
    if first + length > size:
        raise RuntimeError(f"start ({first}) + length ({length}) exceeds dimension size ({size}).")
    return _slice(input, {"dim": dim, "start": first, "stop": first + length, "step": 1})


def narrow_copy(input: Any, dim: int, start: int, length: int) -> Any:
    """As :func:`narrow`, copied.

    >>> import wengert as torch
    >>> torch.narrow_copy(torch.arange(5), 0, 1, 3)
    tensor([1, 2, 3])
    """
    return narrow(input, dim, start, length).clone()


# --- in place, which changes the tensor and leaves its memory as it is ---


def _become(x: Any, op: Op, **meta: Any) -> Any:
    """Make ``x`` itself the view that ``op`` gives of it."""
    if STATE.grad_enabled and x._rg and x._node is None:
        raise RuntimeError(messages.leaf_in_place(x))
    view = apply(op, x, **meta)
    x._data, x._node, x._rg = view._data, view._node, view._rg
    if x._view is not None:
        x._view = view._view
    return x


# --- properties ---


def _reversed_axes(x: Any) -> Any:
    ndim = x._data.ndim
    if ndim not in (0, 2):
        warnings.warn(
            "The use of `x.T` on tensors of dimension other than 2 to reverse their shape is deprecated. Use `x.mT` to "
            "transpose batches of matrices or `x.permute(*range(x.ndim - 1, -1, -1))` to reverse the dimensions.",
            UserWarning,
            stacklevel=3,
        )
    return _permute(x, {"dims": tuple(range(ndim - 1, -1, -1))})


def _matrix_transpose(x: Any, name: str) -> Any:
    ndim = x._data.ndim
    if ndim == 1:
        raise RuntimeError(f"tensor.{name} is only supported on matrices or batches of matrices. Got 1-D tensor.")
    return _transpose(x, {"dim0": ndim - 2, "dim1": ndim - 1}) if ndim else _alias(x, {})


class AxesMethods:
    """Tensor methods on the dimensions."""

    __slots__ = ()

    transpose = transpose
    swapaxes = swapaxes
    swapdims = swapdims
    t = t
    adjoint = adjoint
    movedim = movedim
    moveaxis = moveaxis
    squeeze = squeeze
    unsqueeze = unsqueeze
    select = select
    narrow = narrow
    narrow_copy = narrow_copy

    def permute(self: Any, *dims: Any, **keyword: Any) -> Any:
        """As :func:`permute`; the dimensions may also be given one by one.

        >>> import wengert as torch
        >>> torch.zeros(2, 3, 4).permute(2, 0, 1).shape
        torch.Size([4, 2, 3])
        """
        return _permuted(self, int_args("permute", "dims", dims, keyword.get("dims")))

    def transpose_(self: Any, dim0: int, dim1: int) -> Any:
        """Exchange two dimensions of this tensor.

        >>> import wengert as torch
        >>> torch.zeros(2, 3).transpose_(0, 1).shape
        torch.Size([3, 2])
        """
        ndim = self._data.ndim
        return _become(self, TRANSPOSE, dim0=wrap_dim(dim0, ndim), dim1=wrap_dim(dim1, ndim))

    swapaxes_ = transpose_
    swapdims_ = transpose_

    def t_(self: Any) -> Any:
        """Exchange rows and columns of this tensor.

        >>> import wengert as torch
        >>> torch.zeros(2, 3).t_().shape
        torch.Size([3, 2])
        """
        _check_at_most_matrix(self._data.ndim)
        return _become(self, T)

    def squeeze_(self: Any, dim: Any = None) -> Any:
        """Remove dimensions of size one from this tensor (see :func:`squeeze`).

        >>> import wengert as torch
        >>> torch.zeros(1, 3).squeeze_().shape
        torch.Size([3])
        """
        op, dims = _squeezing(self._data.ndim, dim)
        return _become(self, op, dims=dims)

    def unsqueeze_(self: Any, dim: int) -> Any:
        """Give this tensor a new dimension of size one.

        >>> import wengert as torch
        >>> torch.zeros(3).unsqueeze_(0).shape
        torch.Size([1, 3])
        """
        return _become(self, UNSQUEEZE, dim=wrap_dim(dim, self._data.ndim + 1))

    @property
    def T(self: Any) -> Any:  # noqa: N802  # PyTorch's name
        """The dimensions in reverse order, as a view.

        >>> import wengert as torch
        >>> torch.zeros(2, 3).T.shape
        torch.Size([3, 2])
        """
        return _reversed_axes(self)

    @property
    def mT(self: Any) -> Any:  # noqa: N802  # PyTorch's name
        """The last two dimensions exchanged, as a view.

        >>> import wengert as torch
        >>> torch.zeros(5, 2, 3).mT.shape
        torch.Size([5, 3, 2])
        """
        return _matrix_transpose(self, "mT")

    @property
    def H(self: Any) -> Any:  # noqa: N802  # PyTorch's name
        """A matrix transposed and conjugated.

        >>> import wengert as torch
        >>> torch.zeros(2, 3).H.shape
        torch.Size([3, 2])
        """
        ndim = self._data.ndim
        if ndim not in (0, 2):
            hint = " For batches of matrices, consider using tensor.mH" if ndim > 2 else ""
            raise RuntimeError(f"tensor.H is only supported on matrices (2-D tensors). Got {ndim}-D tensor.{hint}")
        return self.mH

    @property
    def mH(self: Any) -> Any:  # noqa: N802  # PyTorch's name
        """The last two dimensions exchanged and the elements conjugated.

        >>> import wengert as torch
        >>> torch.zeros(5, 2, 3).mH.shape
        torch.Size([5, 3, 2])
        """
        turned = _matrix_transpose(self, "mH")
        return turned.conj() if turned._data.dtype.kind == "c" else turned
