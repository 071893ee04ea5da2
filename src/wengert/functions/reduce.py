"""Sums, means, products, log-sum-exp, and what is true of all elements or of any."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from wengert._dtypes import DEFAULTS, as_numpy_dtype
from wengert.engine.apply import apply
from wengert.engine.base import TensorBase
from wengert.engine.out import deliver
from wengert.engine.pointwise import unary
from wengert.functions.options import require_tensor, type_name
from wengert.functions.reduced import not_implemented, reduced_axes, reduced_axis
from wengert.ops.arithmetic import DIV
from wengert.ops.compare import ISNAN, LOGICAL_NOT
from wengert.ops.movement import CAST
from wengert.ops.reduce import ALL, ANY, COUNT_NONZERO, LOGSUMEXP, MEAN, NANSUM, PROD, SUM

__all__ = [
    "ReduceMethods",
    "all",
    "any",
    "count_nonzero",
    "logsumexp",
    "mean",
    "nanmean",
    "nansum",
    "prod",
    "sum",
]

_INT64 = np.dtype(np.int64)


# --- dtypes ----------------------------------------------------------------------------------------------------------


def computed_in(input: Any, dtype: np.dtype[Any]) -> Any:
    """``input`` in this dtype: itself, or a recorded copy."""
    return input if input._data.dtype is dtype else apply(CAST, input, dtype=dtype)


def totalled(function: str, input: Any, dtype: Any, out: Any) -> Any:
    """``input`` in the dtype in which it is added up: asked for, that of ``out``, int64 for integers, or its own."""
    own = require_tensor(function, input)._data.dtype
    if dtype is not None:
        return computed_in(input, as_numpy_dtype(dtype, f"{function}(): argument 'dtype'"))
    if isinstance(out, TensorBase):
        return computed_in(input, out._data.dtype)
    return computed_in(input, _INT64) if own.kind in "biu" else input


def _averaged(function: str, input: Any, dtype: Any, out: Any) -> Any:
    own = require_tensor(function, input)._data.dtype
    if dtype is None and isinstance(out, TensorBase):
        wanted, which = out._data.dtype, "Input"
    elif dtype is None:
        wanted, which = own, "Input"
    else:
        wanted, which = as_numpy_dtype(dtype, f"{function}(): argument 'dtype'"), "Optional"
    if wanted.kind not in "fc":
        raise RuntimeError(
            f"{function}(): could not infer output dtype. {which} dtype must be either a floating point or complex "
            f"dtype. Got: {type_name(wanted)}. Pass dtype=torch.float32, or convert the tensor first"
        )
    return computed_in(input, wanted)


_EVERYTHING: Final = {"dim": None, "keepdim": False}
_total = unary(SUM)
_average = unary(MEAN)

# --- sums and means --------------------------------------------------------------------------------------------------


def sum(
    input: Any,
    dim: Any = None,
    keepdim: bool = False,
    *,
    dtype: Any = None,
    out: Any = None,
    axis: Any = None,
    keepdims: Any = None,
) -> Any:
    """The sum of the elements: of all, or over the axes ``dim`` (an int or several).

    ``sum_i x_i``. Bool and integer tensors give int64. ``dtype`` converts before adding.

    Raises:
        TypeError: ``input`` is not a tensor, or ``dim`` is not made of integers.
        IndexError: no such axis.
        RuntimeError: an axis is named twice.

    >>> import wengert as torch
    >>> x = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    >>> x.sum(), x.sum(0)
    (tensor(10., grad_fn=<SumBackward0>), tensor([4., 6.], grad_fn=<SumBackward1>))
    """
    if (
        dim is None
        and keepdim is False
        and dtype is None
        and out is None
        and axis is None
        and keepdims is None
        and isinstance(input, TensorBase)
        and input._data.dtype.kind in "fc"
    ):  # by far the most frequent form, and often on few elements
        return _total(input, depth=2, meta=_EVERYTHING)
    axes, keep = reduced_axes("sum", input, dim, axis, keepdim, keepdims)
    return deliver(out, apply(SUM, totalled("sum", input, dtype, out), dim=axes, keepdim=keep), input)


def mean(
    input: Any,
    dim: Any = None,
    keepdim: bool = False,
    *,
    dtype: Any = None,
    out: Any = None,
    axis: Any = None,
    keepdims: Any = None,
) -> Any:
    """The mean of the elements: of all, or over the axes ``dim`` (an int or several).

    ``sum_i x_i / n``, nan where there is nothing to average. For float and complex tensors; others need ``dtype``.

    Raises:
        RuntimeError: the dtype is neither float nor complex.
        TypeError, IndexError: as :func:`sum`.

    >>> import wengert as torch
    >>> torch.tensor([[1.0, 2.0], [3.0, 6.0]]).mean(dim=1)
    tensor([1.5000, 4.5000])
    """
    if (
        dim is None
        and keepdim is False
        and dtype is None
        and out is None
        and axis is None
        and keepdims is None
        and isinstance(input, TensorBase)
        and input._data.dtype.kind in "fc"
    ):
        return _average(input, depth=2, meta=_EVERYTHING)
    axes, keep = reduced_axes("mean", input, dim, axis, keepdim, keepdims)
    return deliver(out, apply(MEAN, _averaged("mean", input, dtype, out), dim=axes, keepdim=keep), input)


def nansum(
    input: Any,
    dim: Any = None,
    keepdim: bool = False,
    *,
    dtype: Any = None,
    out: Any = None,
    axis: Any = None,
    keepdims: Any = None,
) -> Any:
    """The sum of the elements, NaN counted as zero; as :func:`sum` otherwise.

    Raises:
        RuntimeError: the tensor is complex.
        TypeError, IndexError: as :func:`sum`.

    >>> import wengert as torch
    >>> torch.nansum(torch.tensor([1.0, float("nan"), 2.0]))
    tensor(3.)
    """
    axes, keep = reduced_axes("nansum", input, dim, axis, keepdim, keepdims)
    if input._data.dtype.kind == "c":
        raise RuntimeError("nansum on CPU does not support complex inputs; sum the real and the imaginary part apart")
    converted = totalled("nansum", input, dtype, out)
    if converted._data.dtype.kind == "c":
        not_implemented("nansum_cpu", converted._data.dtype)
    op = NANSUM if converted._data.dtype.kind == "f" else SUM
    return deliver(out, apply(op, converted, dim=axes, keepdim=keep), input)


def nanmean(
    input: Any,
    dim: Any = None,
    keepdim: bool = False,
    *,
    dtype: Any = None,
    out: Any = None,
    axis: Any = None,
    keepdims: Any = None,
) -> Any:
    """The mean of the elements that are not NaN; as :func:`mean` otherwise.

    Raises:
        RuntimeError: the dtype is not float.
        TypeError, IndexError: as :func:`sum`.

    >>> import wengert as torch
    >>> torch.nanmean(torch.tensor([1.0, float("nan"), 4.0]))
    tensor(2.5000)
    """
    axes, keep = reduced_axes("nanmean", input, dim, axis, keepdim, keepdims)
    own = input._data.dtype
    if own.kind not in "fc":
        raise RuntimeError(
            f"nanmean(): expected input to have floating point or complex dtype but got {type_name(own)}; only floats "
            "have NaN: use mean(dtype=...)"
        )
    if own.kind == "c":
        raise RuntimeError(
            "nansum on CPU does not support complex inputs; average the real and the imaginary part apart"
        )
    converted = _averaged("nanmean", input, dtype, out)
    if converted._data.dtype.kind == "c":
        not_implemented("nansum_cpu", converted._data.dtype)
    there = apply(SUM, computed_in(apply(LOGICAL_NOT, apply(ISNAN, input)), _INT64), dim=axes, keepdim=keep)
    return deliver(out, apply(DIV, apply(NANSUM, converted, dim=axes, keepdim=keep), there), input)


def prod(
    input: Any,
    dim: Any = None,
    keepdim: bool = False,
    *,
    dtype: Any = None,
    out: Any = None,
    axis: Any = None,
    keepdims: Any = None,
) -> Any:
    """The product of the elements: of all, or along the axis ``dim``.

    ``prod_i x_i``. Bool and integer tensors give int64. The gradient never divides by an element, so it is exact where
    elements are zero, at every order.

    Raises:
        TypeError: ``input`` is not a tensor, or ``dim`` is not one integer.
        IndexError: no such axis.

    >>> import wengert as torch
    >>> x = torch.tensor([2.0, 0.0, 4.0], requires_grad=True)
    >>> x.prod().backward()
    >>> x.grad
    tensor([0., 8., 0.])
    """
    one, keep = reduced_axis("prod", input, dim, axis, keepdim, keepdims)
    axes: tuple[int, ...] | None = None if one is None else ((one,) if input._data.ndim else ())
    return deliver(out, apply(PROD, totalled("prod", input, dtype, out), dim=axes, keepdim=keep), input)


def logsumexp(
    input: Any, dim: Any = None, keepdim: bool = False, *, out: Any = None, axis: Any = None, keepdims: Any = None
) -> Any:
    """The logarithm of the sum of exponentials over the axes ``dim``, computed without overflow.

    ``log sum_i exp(x_i)``; minus infinity for nothing. Integers are taken as floats.

    Raises:
        TypeError: ``input`` is not a tensor, or ``dim`` is missing.
        IndexError: no such axis.

    >>> import wengert as torch
    >>> torch.logsumexp(torch.tensor([1000.0, 1000.0]), 0)
    tensor(1000.6932)
    """
    if dim is None and axis is None:
        raise TypeError('logsumexp() missing 1 required positional arguments: "dim"')
    axes, keep = reduced_axes("logsumexp", input, dim, axis, keepdim, keepdims)
    converted = computed_in(input, DEFAULTS.float) if input._data.dtype.kind in "biu" else input
    return deliver(out, apply(LOGSUMEXP, converted, dim=axes, keepdim=keep), input)


# --- truth -----------------------------------------------------------------------------------------------------------


def _truth(function: str, op: Any, input: Any, dim: Any, keepdim: Any, out: Any, axis: Any, keepdims: Any) -> Any:
    axes, keep = reduced_axes(function, input, dim, axis, keepdim, keepdims)
    if isinstance(dim, (tuple, list)) and not dim:
        axes = ()  # here, unlike elsewhere, no axes means no axes
    result = apply(op, input, dim=axes, keepdim=keep)
    if input._data.dtype == np.uint8:  # PyTorch's old boolean type answers in kind
        result = apply(CAST, result, dtype=input._data.dtype)
    if isinstance(out, TensorBase) and out._data.dtype.kind not in "bu":
        raise RuntimeError(
            f"{function} only supports bool tensor for result, got: {type_name(out._data.dtype)}; pass a bool tensor"
        )
    return deliver(out, result, input)


def all(
    input: Any, dim: Any = None, keepdim: bool = False, *, out: Any = None, axis: Any = None, keepdims: Any = None
) -> Any:
    """Whether all elements are true (not zero): of all, or over the axes ``dim``.

    Gives bool (uint8 for uint8). Errors as :func:`sum`.

    >>> import wengert as torch
    >>> torch.tensor([[True, False], [True, True]]).all(dim=0)
    tensor([ True, False])
    """
    return _truth("all", ALL, input, dim, keepdim, out, axis, keepdims)


def any(
    input: Any, dim: Any = None, keepdim: bool = False, *, out: Any = None, axis: Any = None, keepdims: Any = None
) -> Any:
    """Whether at least one element is true (not zero): of all, or over the axes ``dim``.

    Gives bool (uint8 for uint8). Errors as :func:`sum`.

    >>> import wengert as torch
    >>> (torch.tensor([1.0, 2.0]) > 1).any()
    tensor(True)
    """
    return _truth("any", ANY, input, dim, keepdim, out, axis, keepdims)


def count_nonzero(input: Any, dim: Any = None, *, axis: Any = None) -> Any:
    """The number of elements that are not zero: of all, or over the axes ``dim``; int64. Errors as :func:`sum`.

    >>> import wengert as torch
    >>> torch.count_nonzero(torch.tensor([[0, 1], [2, 3]]), dim=1)
    tensor([1, 2])
    """
    axes, _ = reduced_axes("count_nonzero", input, dim, axis, False, None)
    return apply(COUNT_NONZERO, input, dim=axes, keepdim=False)


class ReduceMethods:
    """Sums, means, products and truth as methods."""

    __slots__ = ()

    sum = sum
    nansum = nansum
    mean = mean
    nanmean = nanmean
    prod = prod
    logsumexp = logsumexp
    all = all
    any = any
    count_nonzero = count_nonzero
