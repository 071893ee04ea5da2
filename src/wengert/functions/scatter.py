"""Values written or added at indices of one dimension: scatter, index_add and their relatives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.engine.apply import apply
from wengert.engine.base import TensorBase, wrap
from wengert.engine.inplace import inplace
from wengert.engine.moving import view_function
from wengert.functions.dims import wrap_dim
from wengert.functions.indexing import check_bounds, index_tensor, vector_index
from wengert.functions.movement import clone, expanded, reshaped
from wengert.functions.nested import fill_scalar, traced_filling
from wengert.functions.options import number, require_tensor, type_name
from wengert.ops.indexing import SLICE
from wengert.ops.scatter import SCATTER, SCATTER_ADD, SCATTER_REDUCE, SCATTER_VALUE
from wengert.ops.writing import INDEX_ADD, INDEX_COPY, INDEX_FILL, INDEX_FILL_TENSOR

__all__ = [
    "ScatterMethods",
    "index_add",
    "index_copy",
    "index_fill",
    "index_reduce",
    "scatter",
    "scatter_add",
    "scatter_reduce",
]

_slice = view_function(SLICE)

# Either ``apply`` or ``inplace``: each function here is also a method that writes into its tensor.
Run = Callable[..., Any]


def _unchanged(run: Run, x: Any) -> Any:
    return x if run is inplace else clone(x)


def _nothing_of(x: Any, index: Any, src: Any) -> tuple[Any, Any]:
    """An index and a part of ``src`` that are empty, of as many dimensions as ``x``: the result tracks ``src``."""
    none = (0,) * max(x._data.ndim, 1)
    part = _slice(reshaped(src, (-1,)), {"dim": 0, "start": 0, "stop": 0, "step": 1})
    return reshaped(index, none), reshaped(part, none)


# --- an index for each element ---


def _scatter_index(function: str, x: Any, dim: int, index: Any, src: Any) -> tuple[int, Any]:
    """The checked dimension and index of a scatter."""
    require_tensor(function, x)
    shape = x._data.shape
    dim = wrap_dim(dim, len(shape))
    index = index_tensor(function, index, 3)
    places = index._data
    if not places.size:
        return dim, index
    if max(places.ndim, 1) != max(len(shape), 1):
        raise RuntimeError(
            f"Index tensor must have the same number of dimensions as self tensor: got {places.ndim} and {len(shape)}"
        )
    if places.shape == shape and (src is None or src._data.shape == shape):
        check_bounds(places, dim, shape[dim] if shape else 1)
        return dim, index
    larger = [n > m for axis, (n, m) in enumerate(zip(places.shape, shape, strict=False)) if axis != dim]
    if src is not None:
        if max(src._data.ndim, 1) != max(places.ndim, 1):
            raise RuntimeError(
                f"Index tensor must have the same number of dimensions as src tensor: got {places.ndim} and "
                f"{src._data.ndim}"
            )
        larger += [n > m for n, m in zip(places.shape, src._data.shape, strict=False)]
    if any(larger):
        tail = "" if src is None else f" and to be no larger size than src {list(src._data.shape)}"
        raise RuntimeError(
            f"Expected index {list(places.shape)} to be no larger than self {list(shape)} apart from dimension "
            f"{dim}{tail}"
        )
    check_bounds(places, dim, shape[dim] if shape else 1)
    return dim, index


def _fitted(x: Any, index: Any, src: Any) -> tuple[Any, Any]:
    """The index, and the part of ``src`` that it covers."""
    require_tensor("scatter", src, "src", 4)
    if src._data.dtype is not x._data.dtype:
        raise RuntimeError(
            "scatter(): Expected self.dtype to be equal to src.dtype, but got "
            f"{type_name(x._data.dtype)} and {type_name(src._data.dtype)}"
        )
    shape = index._data.shape
    if not index._data.size:
        return _nothing_of(x, index, src)
    if len(shape) != src._data.ndim:
        src = reshaped(src, shape)
    for dim, size in enumerate(shape):
        if src._data.shape[dim] != size:
            src = _slice(src, {"dim": dim, "start": 0, "stop": size, "step": 1})
    return index, src


def _scatter(run: Run, x: Any, dim: int, index: Any, src: Any, value: Any, reduce: str | None) -> Any:
    if src is not None and not isinstance(src, TensorBase):
        src, value = None, src
    if src is None and value is None:
        raise TypeError("scatter(): expected either a tensor `src` or a number `value` to write")
    if reduce not in (None, "add", "multiply"):
        raise RuntimeError(f"reduce argument must be either add or multiply, got {reduce}.")
    dim, index = _scatter_index("scatter", x, dim, index, src)
    if src is None:
        if not index._data.size:
            return _unchanged(run, x)
        filling = number("scatter", "value", 4, value)
        traced = traced_filling(filling, x._data.dtype)
        if traced is not None:
            src = expanded(traced, index._data.shape)
        elif reduce is None:
            return run(SCATTER_VALUE, x, index, dim=dim, value=fill_scalar(filling, x._data.dtype).item())
        else:
            src = wrap(np.full(index._data.shape, fill_scalar(filling, x._data.dtype)))
    index, src = _fitted(x, index, src)
    if reduce is None:
        return run(SCATTER, x, index, src, dim=dim)
    if reduce == "add":
        return run(SCATTER_ADD, x, index, src, dim=dim)
    return run(SCATTER_REDUCE, x, index, src, dim=dim, reduce="prod", include_self=True)


def scatter(input: Any, dim: int, index: Any, src: Any = None, *, value: Any = None, reduce: str | None = None) -> Any:
    """A copy of the input with the elements of ``src`` (or one number) written at their indices along one dimension.

    ``y[index[i][j]][j] = src[i][j]`` for ``dim=0``. ``reduce`` may be ``"add"`` or ``"multiply"``.

    Raises:
        RuntimeError: an index outside the dimension, or shapes or dtypes that do not fit.

    >>> import wengert as torch
    >>> torch.scatter(torch.zeros(3), 0, torch.tensor([2, 0]), torch.tensor([5., 6.]))
    tensor([6., 0., 5.])
    """
    return _scatter(apply, input, dim, index, src, value, reduce)


def _scatter_add(run: Run, x: Any, dim: int, index: Any, src: Any) -> Any:
    require_tensor("scatter_add", src, "src", 4)
    dim, index = _scatter_index("scatter_add", x, dim, index, src)
    return run(SCATTER_ADD, x, *_fitted(x, index, src), dim=dim)


def scatter_add(input: Any, dim: int, index: Any, src: Any) -> Any:
    """A copy of the input with the elements of ``src`` added at their indices along one dimension.

    ``y[index[i][j]][j] += src[i][j]`` for ``dim=0``; indices may repeat.

    Raises:
        RuntimeError: an index outside the dimension, or shapes or dtypes that do not fit.

    >>> import wengert as torch
    >>> torch.scatter_add(torch.zeros(3), 0, torch.tensor([2, 2]), torch.tensor([5., 6.]))
    tensor([ 0.,  0., 11.])
    """
    return _scatter_add(apply, input, dim, index, src)


_REDUCTIONS = ("sum", "prod", "mean", "amax", "amin")


def _scatter_reduce(run: Run, x: Any, dim: int, index: Any, src: Any, reduce: str, include_self: bool) -> Any:
    if reduce not in _REDUCTIONS:
        raise RuntimeError(f"reduce argument must be either sum, prod, mean, amax or amin, got {reduce}")
    require_tensor("scatter_reduce", src, "src", 4)
    dim, index = _scatter_index("scatter_reduce", x, dim, index, src)
    return run(SCATTER_REDUCE, x, *_fitted(x, index, src), dim=dim, reduce=reduce, include_self=include_self)


def scatter_reduce(input: Any, dim: int, index: Any, src: Any, reduce: str, *, include_self: bool = True) -> Any:
    """A copy of the input with the elements of ``src`` combined at their indices along one dimension.

    ``reduce`` is ``"sum"``, ``"prod"``, ``"mean"``, ``"amax"`` or ``"amin"``; with ``include_self=False`` the input's
    own elements do not take part where something arrives.

    Raises:
        RuntimeError: an index outside the dimension, or shapes or dtypes that do not fit.

    >>> import wengert as torch
    >>> torch.scatter_reduce(torch.ones(2), 0, torch.tensor([0, 0]), torch.tensor([2., 4.]), "prod")
    tensor([8., 1.])
    """
    return _scatter_reduce(apply, input, dim, index, src, reduce, include_self)


# --- an index for each part of one dimension ---


def _parts(function: str, x: Any, dim: int, index: Any, source: Any, count_error: type[Exception]) -> tuple[int, Any]:
    require_tensor(function, x)
    require_tensor(function, source, "source", 4)
    shape, dim = x._data.shape, wrap_dim(dim, x._data.ndim)
    index = vector_index(function, index, 3)
    own, count = source._data.shape, index._data.size
    if count != (own[dim] if own else 1):
        raise count_error(
            f"{function}_(): Number of indices ({count}) should be equal to source.size(dim): "
            f"({own[dim] if own else 1}), for dim: {dim}"
        )
    if shape[:dim] + shape[dim + 1 :] != own[:dim] + own[dim + 1 :]:
        raise RuntimeError(
            f"{function}_(): source tensor shape must match self tensor shape, excluding the specified dimension. Got "
            f"self.shape = {list(shape)} source.shape = {list(own)}"
        )
    return dim, index


def _index_add(run: Run, x: Any, dim: int, index: Any, source: Any, alpha: Any) -> Any:
    dim, index = _parts("index_add", x, dim, index, source, RuntimeError)
    if source._data.dtype is not x._data.dtype:
        raise RuntimeError(
            f"index_add_(): self ({type_name(x._data.dtype)}) and source ({type_name(source._data.dtype)}) must "
            "have the "
            "same scalar type"
        )
    check_bounds(index._data, dim, x._data.shape[dim] if x._data.ndim else 1)
    factor = fill_scalar(number("index_add", "alpha", 5, alpha), x._data.dtype).item()
    return run(INDEX_ADD, x, index, source, dim=dim, alpha=factor)


def index_add(input: Any, dim: int, index: Any, source: Any, *, alpha: Any = 1) -> Any:
    """A copy of the input with ``alpha`` times the parts of ``source`` added at the indices of one dimension.

    Raises:
        RuntimeError: an index outside the dimension, or shapes or dtypes that do not fit.

    >>> import wengert as torch
    >>> torch.index_add(torch.zeros(2, 2), 0, torch.tensor([1, 1]), torch.ones(2, 2))
    tensor([[0., 0.],
            [2., 2.]])
    """
    return _index_add(apply, input, dim, index, source, alpha)


def _index_copy(run: Run, x: Any, dim: int, index: Any, source: Any) -> Any:
    dim, index = _parts("index_copy", x, dim, index, source, IndexError)
    if source._data.dtype is not x._data.dtype:
        raise RuntimeError(
            "index_copy_(): self and source expected to have the same dtype, but got (self) "
            f"{type_name(x._data.dtype)} and (source) {type_name(source._data.dtype)}"
        )
    check_bounds(index._data, dim, x._data.shape[dim] if x._data.ndim else 1, IndexError)
    return run(INDEX_COPY, x, index, source, dim=dim)


def index_copy(input: Any, dim: int, index: Any, source: Any) -> Any:
    """A copy of the input with the parts of ``source`` written at the indices of one dimension.

    Raises:
        IndexError: an index outside the dimension.
        RuntimeError: shapes or dtypes that do not fit.

    >>> import wengert as torch
    >>> torch.index_copy(torch.zeros(3), 0, torch.tensor([2, 0]), torch.tensor([5., 6.]))
    tensor([6., 0., 5.])
    """
    return _index_copy(apply, input, dim, index, source)


def _index_fill(run: Run, x: Any, dim: int, index: Any, value: Any) -> Any:
    require_tensor("index_fill", x)
    dim = wrap_dim(dim, x._data.ndim)
    index = vector_index("index_fill", index, 3)
    check_bounds(index._data, dim, size := x._data.shape[dim] if x._data.ndim else 1, IndexError, least=-size)
    if not isinstance(value, TensorBase):
        filling = number("index_fill", "value", 4, value)
        traced = traced_filling(filling, x._data.dtype)
        if traced is not None:
            return run(INDEX_FILL_TENSOR, x, index, traced, dim=dim)
        return run(INDEX_FILL, x, index, dim=dim, value=fill_scalar(filling, x._data.dtype).item())
    if value._data.ndim:
        raise RuntimeError(
            f"index_fill_ only supports a 0-dimensional value tensor, but got tensor with {value._data.ndim} "
            "dimension(s)."
        )
    return run(INDEX_FILL_TENSOR, x, index, value, dim=dim)


def index_fill(input: Any, dim: int, index: Any, value: Any) -> Any:
    """A copy of the input with one value written at the indices of one dimension.

    Raises:
        IndexError: an index outside the dimension.

    >>> import wengert as torch
    >>> torch.index_fill(torch.zeros(3), 0, torch.tensor([2, 0]), 7)
    tensor([7., 0., 7.])
    """
    return _index_fill(apply, input, dim, index, value)


def _index_reduce(run: Run, x: Any, dim: int, index: Any, source: Any, reduce: str, include_self: bool) -> Any:
    if reduce not in _REDUCTIONS[1:]:
        raise RuntimeError(f"index_reduce(): Expected reduce to be one of prod, mean, amax or amin but got {reduce}.")
    dim, index = _parts("index_reduce", x, dim, index, source, RuntimeError)
    shape = source._data.shape
    spread = expanded(reshaped(index, (-1,) + (1,) * (len(shape) - dim - 1)), shape) if shape else reshaped(index, ())
    return _scatter_reduce(run, x, dim, spread, source, reduce, include_self)


def index_reduce(input: Any, dim: int, index: Any, source: Any, reduce: str, *, include_self: bool = True) -> Any:
    """A copy of the input with the parts of ``source`` combined at the indices of one dimension.

    ``reduce`` is ``"prod"``, ``"mean"``, ``"amax"`` or ``"amin"``.

    Raises:
        RuntimeError: an index outside the dimension, or shapes or dtypes that do not fit.

    >>> import wengert as torch
    >>> torch.index_reduce(torch.ones(2), 0, torch.tensor([0, 0]), torch.tensor([2., 4.]), "prod")
    tensor([8., 1.])
    """
    return _index_reduce(apply, input, dim, index, source, reduce, include_self)


class ScatterMethods:
    """Tensor methods that write or add at indices of one dimension."""

    __slots__ = ()

    scatter = scatter
    scatter_add = scatter_add
    scatter_reduce = scatter_reduce
    index_add = index_add
    index_copy = index_copy
    index_fill = index_fill
    index_reduce = index_reduce

    def scatter_(
        self: Any, dim: int, index: Any, src: Any = None, *, value: Any = None, reduce: str | None = None
    ) -> Any:
        """As :func:`scatter`, into this tensor.

        >>> import wengert as torch
        >>> torch.zeros(3).scatter_(0, torch.tensor([2]), 1.)
        tensor([0., 0., 1.])
        """
        return _scatter(inplace, self, dim, index, src, value, reduce)

    def scatter_add_(self: Any, dim: int, index: Any, src: Any) -> Any:
        """As :func:`scatter_add`, into this tensor.

        >>> import wengert as torch
        >>> torch.zeros(2).scatter_add_(0, torch.tensor([1, 1]), torch.ones(2))
        tensor([0., 2.])
        """
        return _scatter_add(inplace, self, dim, index, src)

    def scatter_reduce_(self: Any, dim: int, index: Any, src: Any, reduce: str, *, include_self: bool = True) -> Any:
        """As :func:`scatter_reduce`, into this tensor.

        >>> import wengert as torch
        >>> torch.zeros(2).scatter_reduce_(0, torch.tensor([1, 1]), torch.tensor([3., 4.]), "amax")
        tensor([0., 4.])
        """
        return _scatter_reduce(inplace, self, dim, index, src, reduce, include_self)

    def index_add_(self: Any, dim: int, index: Any, source: Any, *, alpha: Any = 1) -> Any:
        """As :func:`index_add`, into this tensor.

        >>> import wengert as torch
        >>> torch.zeros(2).index_add_(0, torch.tensor([1, 1]), torch.ones(2))
        tensor([0., 2.])
        """
        return _index_add(inplace, self, dim, index, source, alpha)

    def index_copy_(self: Any, dim: int, index: Any, source: Any) -> Any:
        """As :func:`index_copy`, into this tensor.

        >>> import wengert as torch
        >>> torch.zeros(2).index_copy_(0, torch.tensor([1]), torch.ones(1))
        tensor([0., 1.])
        """
        return _index_copy(inplace, self, dim, index, source)

    def index_fill_(self: Any, dim: int, index: Any, value: Any) -> Any:
        """As :func:`index_fill`, into this tensor.

        >>> import wengert as torch
        >>> torch.zeros(2).index_fill_(0, torch.tensor([1]), 3)
        tensor([0., 3.])
        """
        return _index_fill(inplace, self, dim, index, value)

    def index_reduce_(self: Any, dim: int, index: Any, source: Any, reduce: str, *, include_self: bool = True) -> Any:
        """As :func:`index_reduce`, into this tensor.

        >>> import wengert as torch
        >>> torch.ones(2).index_reduce_(0, torch.tensor([1]), torch.tensor([3.]), "prod")
        tensor([1., 3.])
        """
        return _index_reduce(inplace, self, dim, index, source, reduce, include_self)
