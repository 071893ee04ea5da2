"""Sorting, and choosing by rank: top k, k-th smallest, median, mode."""

from __future__ import annotations

from typing import Any

from wengert import _return_types as return_types
from wengert.engine.apply import apply
from wengert.engine.out import deliver
from wengert.functions.options import require_tensor
from wengert.functions.reduced import (
    checked_flag,
    delivered,
    not_implemented,
    one_axis,
    reduced_axis,
    require_nonempty,
)
from wengert.ops.record import Op
from wengert.ops.sorting import (
    ARGSORT,
    KTHVALUE,
    MEDIAN_ALL,
    MEDIAN_DIM,
    MODE,
    NANMEDIAN_ALL,
    NANMEDIAN_DIM,
    SORT,
    TOPK,
)

__all__ = ["SortingMethods", "argsort", "kthvalue", "median", "mode", "msort", "nanmedian", "sort", "topk"]


def _require_order(function: str, input: Any) -> None:
    if require_tensor(function, input)._data.dtype.kind == "c":
        raise RuntimeError(
            f"{function} does not support complex dtypes on CPU: complex numbers have no order; sort .abs() or .real"
        )


def sort(
    input: Any, dim: Any = None, descending: bool = False, *, stable: Any = None, out: Any = None, axis: Any = None
) -> return_types.sort:
    """The elements in order along the axis ``dim`` (the last), and where they came from, as ``(values, indices)``.

    NaN counts as larger than everything. ``stable=True`` keeps the order of elements that are equal.

    Raises:
        RuntimeError: the tensor is complex.
        TypeError: ``input`` is not a tensor.
        IndexError: no such axis.

    >>> import wengert as torch
    >>> torch.sort(torch.tensor([3.0, 1.0, 2.0]), descending=True)
    torch.return_types.sort(
    values=tensor([3., 2., 1.]),
    indices=tensor([0, 2, 1]))
    """
    _require_order("Sort", input)
    along = one_axis("sort", input, dim, axis, default=-1)
    keep = None if stable is None else bool(stable)
    both = apply(SORT, input, dim=along, descending=bool(descending), stable=keep)
    return return_types.sort(delivered("sort", out, both, input))


def argsort(input: Any, dim: Any = None, descending: bool = False, *, stable: bool = False, axis: Any = None) -> Any:
    """The indices that sort along the axis ``dim`` (the last); order, errors and arguments as :func:`sort`.

    >>> import wengert as torch
    >>> torch.argsort(torch.tensor([3.0, 1.0, 2.0]))
    tensor([1, 2, 0])
    """
    _require_order("Sort", input)
    along = one_axis("argsort", input, dim, axis, default=-1)
    return apply(ARGSORT, input, dim=along, descending=bool(descending), stable=bool(stable))


def msort(input: Any, *, out: Any = None) -> Any:
    """The elements in order along the first axis; errors as :func:`sort`.

    >>> import wengert as torch
    >>> torch.msort(torch.tensor([[3.0, 1.0], [2.0, 4.0]]))
    tensor([[2., 1.],
            [3., 4.]])
    """
    _require_order("Sort", input)
    return deliver(out, apply(SORT, input, dim=0, descending=False, stable=None)[0], input)


def topk(
    input: Any,
    k: int,
    dim: Any = None,
    largest: bool = True,
    sorted: bool = True,
    *,
    out: Any = None,
    axis: Any = None,
) -> return_types.topk:
    """The ``k`` largest (or smallest) elements along the axis ``dim`` (the last), and where they were.

    In order, whatever ``sorted`` says. NaN counts as larger than everything.

    Raises:
        RuntimeError: there are fewer than ``k`` elements, or the dtype is bool or complex.
        TypeError: ``input`` is not a tensor, or ``k`` no integer.
        IndexError: no such axis.

    >>> import wengert as torch
    >>> torch.topk(torch.tensor([3.0, 1.0, 2.0]), 2)
    torch.return_types.topk(
    values=tensor([3., 2.]),
    indices=tensor([0, 2]))
    """
    del sorted
    _require_order("topk", input)
    data = input._data
    if data.dtype.kind == "b":
        raise RuntimeError("topk does not support bool dtypes on CPU; convert the tensor to uint8")
    along = one_axis("topk", input, dim, axis, default=-1)
    k = _rank("topk", k)
    available = data.shape[along] if data.ndim else 1
    if not 0 <= k <= available:
        raise RuntimeError(f"selected index k out of range: got k={k} for {available} elements along dimension {along}")
    both = apply(TOPK, input, k=k, dim=along, largest=bool(largest))
    return return_types.topk(delivered("topk", out, both, input))


def _rank(function: str, k: Any) -> int:
    if isinstance(k, bool) or not hasattr(k, "__index__"):
        raise TypeError(f"{function}(): argument 'k' (position 1) must be int, not {type(k).__name__}")
    return int(k.__index__())


def kthvalue(
    input: Any,
    k: int,
    dim: Any = None,
    keepdim: bool = False,
    *,
    out: Any = None,
    axis: Any = None,
    keepdims: Any = None,
) -> return_types.kthvalue:
    """The ``k``-th smallest element along the axis ``dim`` (the last) and its index, counted from 1.

    Raises:
        RuntimeError: there is no ``k``-th element.
        NotImplementedError: the dtype is bool or complex.
        TypeError, IndexError: as :func:`topk`.

    >>> import wengert as torch
    >>> torch.kthvalue(torch.tensor([3.0, 1.0, 2.0]), 2).values
    tensor(2.)
    """
    along = one_axis("kthvalue", input, dim, axis, default=-1)
    keep = checked_flag("kthvalue", keepdim, keepdims)
    data = input._data
    if data.dtype.kind in "bc":
        not_implemented("kthvalue_cpu", data.dtype)
    k = _rank("kthvalue", k)
    if data.ndim:
        require_nonempty("kthvalue", input, (along,))
    available = data.shape[along] if data.ndim else 1
    if not 1 <= k <= available:
        raise RuntimeError(
            f"kthvalue(): selected number k out of range for dimension {along}: got k={k} for {available} elements"
        )
    both = apply(KTHVALUE, input, k=k, dim=along, keepdim=keep)
    return return_types.kthvalue(delivered("kthvalue", out, both, input))


def mode(
    input: Any, dim: Any = None, keepdim: bool = False, *, out: Any = None, axis: Any = None, keepdims: Any = None
) -> return_types.mode:
    """The most frequent element along the axis ``dim`` (the last) and an index of it; the smallest of those that tie.

    Raises:
        NotImplementedError: the tensor is complex.
        TypeError, IndexError: as :func:`topk`.

    >>> import wengert as torch
    >>> torch.mode(torch.tensor([2.0, 1.0, 2.0])).values
    tensor(2.)
    """
    along = one_axis("mode", input, dim, axis, default=-1)
    keep = checked_flag("mode", keepdim, keepdims)
    if input._data.dtype.kind == "c":
        not_implemented("mode_cpu", input._data.dtype)
    if input._data.ndim:
        require_nonempty("mode", input, (along,))
    return return_types.mode(delivered("mode", out, apply(MODE, input, dim=along, keepdim=keep), input))


def _middle(
    function: str, ops: tuple[Op, Op], input: Any, dim: Any, keepdim: Any, out: Any, axis: Any, keepdims: Any
) -> Any:
    of_all, along = ops
    number, keep = reduced_axis(function, input, dim, axis, keepdim, keepdims)
    if number is None and (keep or out is not None):
        raise TypeError(f'{function}() missing 1 required positional arguments: "dim"')
    if input._data.dtype.kind in "bc":
        not_implemented("median_cpu" if number is None else "median_out", input._data.dtype)
    if number is None:
        return apply(of_all, input)
    if input._data.ndim:
        require_nonempty("median", input, (number,))
    return delivered(function, out, apply(along, input, dim=number, keepdim=keep), input)


def median(
    input: Any, dim: Any = None, keepdim: bool = False, *, out: Any = None, axis: Any = None, keepdims: Any = None
) -> Any:
    """The middle element, the lower one of two: of all, or along an axis with its index.

    ``median(x)`` gives a tensor, nan for nothing; ``median(x, dim)`` gives ``(values, indices)``. NaN wins.

    Raises:
        NotImplementedError: the dtype is bool or complex.
        IndexError: no such axis, or one of size zero.
        TypeError: ``input`` is not a tensor.

    >>> import wengert as torch
    >>> torch.tensor([4.0, 1.0, 3.0, 2.0]).median()
    tensor(2.)
    """
    found = _middle("median", (MEDIAN_ALL, MEDIAN_DIM), input, dim, keepdim, out, axis, keepdims)
    return return_types.median(found) if isinstance(found, tuple) else found


def nanmedian(
    input: Any, dim: Any = None, keepdim: bool = False, *, out: Any = None, axis: Any = None, keepdims: Any = None
) -> Any:
    """The middle element of those that are not NaN; forms and errors as :func:`median`.

    >>> import wengert as torch
    >>> torch.tensor([4.0, float("nan"), 3.0]).nanmedian()
    tensor(3.)
    """
    found = _middle("nanmedian", (NANMEDIAN_ALL, NANMEDIAN_DIM), input, dim, keepdim, out, axis, keepdims)
    return return_types.nanmedian(found) if isinstance(found, tuple) else found


class SortingMethods:
    """Sorting and choosing by rank as methods."""

    __slots__ = ()

    sort = sort
    argsort = argsort
    msort = msort
    topk = topk
    kthvalue = kthvalue
    mode = mode
    median = median
    nanmedian = nanmedian
