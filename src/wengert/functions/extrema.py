"""Largest and smallest elements, and where they are."""

from __future__ import annotations

from typing import Any

from wengert import _return_types as return_types
from wengert.engine.apply import apply
from wengert.engine.base import TensorBase
from wengert.engine.out import deliver
from wengert.functions.options import require_tensor, type_name
from wengert.functions.reduced import (
    Dims,
    delivered,
    not_implemented,
    one_name,
    reduced_axes,
    reduced_axis,
    require_elements,
    require_nonempty,
)
from wengert.ops.extrema import AMAX, AMIN, AMINMAX, ARGMAX, ARGMIN, MAX_ALL, MAX_DIM, MIN_ALL, MIN_DIM
from wengert.ops.record import Op
from wengert.ops.select import MAXIMUM, MINIMUM

__all__ = ["ExtremaMethods", "amax", "amin", "aminmax", "argmax", "argmin", "max", "min"]


def _extreme(
    function: str,
    ops: tuple[Op, Op, Op],
    made: type[Any],
    input: Any,
    dim: Any,
    keepdim: Any,
    out: Any,
    axis: Any,
    keepdims: Any,
) -> Any:
    of_two, of_all, along = ops
    require_tensor(function, input)
    if isinstance(dim, TensorBase):
        return deliver(out, apply(of_two, input, dim), input, dim)
    number, keep = reduced_axis(function, input, dim, axis, keepdim, keepdims)
    if number is None:
        if keep:
            raise TypeError(f"{function}() keeps no axis without 'dim': name an axis, or use a{function}()")
        if input._data.dtype.kind == "c":
            not_implemented(f"{function}_all", input._data.dtype)
        require_elements(function, input)
        return deliver(out, apply(of_all, input), input)
    if input._data.dtype.kind == "c":
        raise RuntimeError(f"{function}(): does not support complex input, which has no order; compare .abs() or .real")
    if input._data.ndim:
        require_nonempty(function, input, (number,))
    return made(delivered(function, out, apply(along, input, dim=number, keepdim=keep), input))


def max(
    input: Any,
    dim: Any = None,
    keepdim: bool = False,
    *,
    other: Any = None,
    out: Any = None,
    axis: Any = None,
    keepdims: Any = None,
) -> Any:
    """The largest element, the largest elements along an axis with their indices, or the larger of two tensors.

    ``max(x)`` gives a tensor; elements that tie share the gradient evenly. ``max(x, dim)`` gives ``(values, indices)``;
    the gradient goes to the element at the index, the first of those that tie. ``max(x, other)`` is :func:`maximum`.
    NaN wins.

    Raises:
        RuntimeError: an empty or complex tensor.
        IndexError: no such axis, or one of size zero.
        TypeError: ``input`` is not a tensor.

    >>> import wengert as torch
    >>> x = torch.tensor([[1.0, 5.0], [7.0, 2.0]])
    >>> x.max()
    tensor(7.)
    >>> x.max(dim=1).indices
    tensor([1, 0])
    """
    ops = (MAXIMUM, MAX_ALL, MAX_DIM)
    second = one_name("max", "dim", dim, "other", other)
    return _extreme("max", ops, return_types.max, input, second, keepdim, out, axis, keepdims)


def min(
    input: Any,
    dim: Any = None,
    keepdim: bool = False,
    *,
    other: Any = None,
    out: Any = None,
    axis: Any = None,
    keepdims: Any = None,
) -> Any:
    """The smallest element, the smallest elements along an axis with their indices, or the smaller of two tensors.

    Forms, ties, NaN and errors as :func:`max`.

    >>> import wengert as torch
    >>> torch.min(torch.tensor([3.0, 1.0, 2.0]), dim=0)
    torch.return_types.min(
    values=tensor(1.),
    indices=tensor(1))
    """
    ops = (MINIMUM, MIN_ALL, MIN_DIM)
    second = one_name("min", "dim", dim, "other", other)
    return _extreme("min", ops, return_types.min, input, second, keepdim, out, axis, keepdims)


def _shared_extreme(
    function: str, op: Op, input: Any, dim: Any, keepdim: Any, out: Any, axis: Any, keepdims: Any
) -> Any:
    axes, keep = reduced_axes(function, input, dim, axis, keepdim, keepdims)
    dtype = input._data.dtype
    if dtype.kind == "c":
        not_implemented(f"{function[1:]}_values_cpu", dtype)
    if isinstance(out, TensorBase) and out._data.dtype is not dtype:
        raise RuntimeError(
            f"Expected the dtype for input and out to match, but got {type_name(dtype)} for input's dtype and "
            f"{type_name(out._data.dtype)} for out's dtype."
        )
    if axes is None or (dim is None and axis is None):
        require_elements(function, input)
    require_nonempty(function, input, axes)
    return deliver(out, apply(op, input, dim=axes, keepdim=keep), input)


def amax(
    input: Any, dim: Any = None, keepdim: bool = False, *, out: Any = None, axis: Any = None, keepdims: Any = None
) -> Any:
    """The largest element of all, or over the axes ``dim``; elements that tie share the gradient evenly.

    Raises:
        IndexError: no such axis, or one of size zero.
        RuntimeError: an empty tensor without ``dim``.
        NotImplementedError: a complex tensor.

    >>> import wengert as torch
    >>> x = torch.tensor([3.0, 1.0, 3.0], requires_grad=True)
    >>> x.amax().backward()
    >>> x.grad
    tensor([0.5000, 0.0000, 0.5000])
    """
    return _shared_extreme("amax", AMAX, input, dim, keepdim, out, axis, keepdims)


def amin(
    input: Any, dim: Any = None, keepdim: bool = False, *, out: Any = None, axis: Any = None, keepdims: Any = None
) -> Any:
    """The smallest element of all, or over the axes ``dim``; ties and errors as :func:`amax`.

    >>> import wengert as torch
    >>> torch.amin(torch.tensor([[3.0, 1.0], [2.0, 4.0]]), dim=(0, 1))
    tensor(1.)
    """
    return _shared_extreme("amin", AMIN, input, dim, keepdim, out, axis, keepdims)


def aminmax(
    input: Any, *, dim: Any = None, keepdim: bool = False, out: Any = None, axis: Any = None, keepdims: Any = None
) -> return_types.aminmax:
    """The smallest and the largest element of all or along the axis ``dim``, as ``(min, max)``.

    Ties share the gradient evenly.

    Raises:
        RuntimeError: an empty tensor.
        IndexError: an empty axis; others as :func:`max`.
        NotImplementedError: a complex tensor.
        TypeError: as :func:`max`.

    >>> import wengert as torch
    >>> torch.aminmax(torch.tensor([3.0, 1.0, 2.0]))
    torch.return_types.aminmax(
    min=tensor(1.),
    max=tensor(3.))
    """
    number, keep = reduced_axis("aminmax", input, dim, axis, keepdim, keepdims)
    data = input._data
    if data.dtype.kind == "c":
        not_implemented("aminmax_cpu", data.dtype)
    if number is not None and data.ndim and data.shape[number] == 0:
        raise IndexError(f"aminmax: Expected reduction dim {number} to have non-zero size.")
    if number is None and data.size == 0:
        raise RuntimeError(
            "aminmax(): cannot compute aminmax over an empty dimension as the operation has no identity."
        )
    axes: Dims = None if number is None else ((number,) if data.ndim else ())
    if keep and axes is None:
        axes = tuple(range(data.ndim))
    both = apply(AMINMAX, input, dim=axes, keepdim=keep)
    return return_types.aminmax(delivered("aminmax", out, both, input, exact=True))


def _place(function: str, op: Op, input: Any, dim: Any, keepdim: Any, out: Any, axis: Any, keepdims: Any) -> Any:
    number, keep = reduced_axis(function, input, dim, axis, keepdim, keepdims)
    data = input._data
    if data.dtype.kind in "bc":
        kind = "bool" if data.dtype.kind == "b" else "complex"
        raise RuntimeError(f"{function}(): does not support {kind} input; convert it to a dtype with an order")
    if number is None:
        require_elements(function, input, IndexError)
    elif data.ndim:
        require_nonempty(function, input, (number,))
    if isinstance(out, TensorBase) and out._data.dtype.name != "int64":
        raise RuntimeError(f"Expected out tensor to have dtype long int, but got {out._data.dtype.name} instead")
    return deliver(out, apply(op, input, dim=number, keepdim=keep), input)


def argmax(
    input: Any, dim: Any = None, keepdim: bool = False, *, out: Any = None, axis: Any = None, keepdims: Any = None
) -> Any:
    """The index of the largest element, in the flattened tensor or along the axis ``dim``; int64.

    The first of those that tie, or the first NaN.

    Raises:
        RuntimeError: a bool or complex tensor.
        IndexError: no such axis, or nothing to choose from.

    >>> import wengert as torch
    >>> torch.tensor([[1.0, 5.0], [7.0, 2.0]]).argmax()
    tensor(2)
    """
    return _place("argmax", ARGMAX, input, dim, keepdim, out, axis, keepdims)


def argmin(
    input: Any, dim: Any = None, keepdim: bool = False, *, out: Any = None, axis: Any = None, keepdims: Any = None
) -> Any:
    """The index of the smallest element; as :func:`argmax`.

    >>> import wengert as torch
    >>> torch.tensor([[1.0, 5.0], [7.0, 2.0]]).argmin(dim=1)
    tensor([0, 1])
    """
    return _place("argmin", ARGMIN, input, dim, keepdim, out, axis, keepdims)


class ExtremaMethods:
    """Largest and smallest elements as methods."""

    __slots__ = ()

    max = max
    min = min
    amax = amax
    amin = amin
    aminmax = aminmax
    argmax = argmax
    argmin = argmin
