"""Running sums, products, extrema and log-sum-exps along an axis; differences and trapezoids."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert import _return_types as return_types
from wengert._dtypes import as_numpy_dtype
from wengert.engine.apply import apply
from wengert.engine.inplace import inplace
from wengert.engine.out import deliver
from wengert.functions.operands import in_c
from wengert.functions.reduce import totalled
from wengert.functions.reduced import delivered, not_implemented, one_axis
from wengert.ops.record import Op
from wengert.ops.scan import CUMMAX, CUMMIN, CUMPROD, CUMSUM, LOGCUMSUMEXP

__all__ = ["ScanMethods", "cummax", "cummin", "cumprod", "cumsum", "logcumsumexp"]


def cumsum(input: Any, dim: Any = None, *, dtype: Any = None, out: Any = None, axis: Any = None) -> Any:
    """The running sum along the axis ``dim``.

    ``y_k = sum_(i<=k) x_i``. Bool and integer tensors give int64. ``dtype`` converts before adding.

    Raises:
        TypeError: ``input`` is not a tensor, or ``dim`` is missing or no integer.
        IndexError: no such axis.

    >>> import wengert as torch
    >>> torch.cumsum(torch.tensor([1.0, 2.0, 3.0]), dim=0)
    tensor([1., 3., 6.])
    """
    along = one_axis("cumsum", input, dim, axis)
    return deliver(out, apply(CUMSUM, totalled("cumsum", input, dtype, out), dim=along), input)


def cumprod(input: Any, dim: Any = None, *, dtype: Any = None, out: Any = None, axis: Any = None) -> Any:
    """The running product along the axis ``dim``.

    ``y_k = prod_(i<=k) x_i``. Bool and integer tensors give int64. The gradient never divides by an element, so it is
    exact where elements are zero, at every order. Errors as :func:`cumsum`.

    >>> import wengert as torch
    >>> x = torch.tensor([2.0, 0.0, 3.0], requires_grad=True)
    >>> torch.cumprod(x, dim=0).sum().backward()
    >>> x.grad
    tensor([1., 8., 0.])
    """
    along = one_axis("cumprod", input, dim, axis)
    return deliver(out, apply(CUMPROD, totalled("cumprod", input, dtype, out), dim=along), input)


def logcumsumexp(input: Any, dim: Any = None, *, out: Any = None, axis: Any = None) -> Any:
    """The running logarithm of the sum of exponentials along the axis ``dim``, computed without overflow.

    ``y_k = log sum_(i<=k) exp(x_i)``.

    Raises:
        NotImplementedError: the dtype is neither float nor complex.
        TypeError, IndexError: as :func:`cumsum`.

    >>> import wengert as torch
    >>> torch.logcumsumexp(torch.tensor([1000.0, 1000.0]), dim=0)
    tensor([1000.0000, 1000.6932])
    """
    along = one_axis("logcumsumexp", input, dim, axis)
    if input._data.dtype.kind not in "fc":
        not_implemented("logcumsumexp_out_cpu", input._data.dtype)
    return deliver(out, apply(LOGCUMSUMEXP, input, dim=along), input)


def _running_extremum(function: str, op: Op, input: Any, dim: Any, out: Any, axis: Any) -> tuple[Any, ...]:
    along = one_axis(function, input, dim, axis)
    if input._data.dtype.kind == "c":
        not_implemented(f"{function}_cpu", input._data.dtype)
    return delivered(function, out, apply(op, input, dim=along), input)


def cummax(input: Any, dim: Any = None, *, out: Any = None, axis: Any = None) -> return_types.cummax:
    """The running maximum along the axis ``dim`` and the index where it stands, as ``(values, indices)``.

    Of elements that tie the last counts; from the first NaN on everything is NaN.

    Raises:
        NotImplementedError: the tensor is complex.
        TypeError, IndexError: as :func:`cumsum`.

    >>> import wengert as torch
    >>> torch.cummax(torch.tensor([1.0, 3.0, 2.0]), dim=0)
    torch.return_types.cummax(
    values=tensor([1., 3., 3.]),
    indices=tensor([0, 1, 1]))
    """
    return return_types.cummax(_running_extremum("cummax", CUMMAX, input, dim, out, axis))


def cummin(input: Any, dim: Any = None, *, out: Any = None, axis: Any = None) -> return_types.cummin:
    """The running minimum along the axis ``dim`` and the index where it stands; as :func:`cummax`.

    >>> import wengert as torch
    >>> torch.cummin(torch.tensor([2.0, 3.0, 1.0]), dim=0).values
    tensor([2., 2., 1.])
    """
    return return_types.cummin(_running_extremum("cummin", CUMMIN, input, dim, out, axis))


def _in_place(function: str, op: Op, self: Any, dim: Any, dtype: Any) -> Any:
    along = one_axis(function, self, dim)
    own: np.dtype[Any] = self._data.dtype
    if dtype is not None and as_numpy_dtype(dtype, f"{function}(): argument 'dtype'") is not own:
        wanted = as_numpy_dtype(dtype)
        raise RuntimeError(
            f"Bad in-place call: input tensor dtype {in_c(own)} and output tensor dtype {in_c(wanted)} "
            f"should match; use {function.rstrip('_')}(), which makes a new tensor"
        )
    return inplace(op, self, dim=along)


def cumsum_(self: Any, dim: Any, *, dtype: Any = None) -> Any:
    """:func:`cumsum` in place; the dtype stays."""
    return _in_place("cumsum_", CUMSUM, self, dim, dtype)


def cumprod_(self: Any, dim: Any, *, dtype: Any = None) -> Any:
    """:func:`cumprod` in place; the dtype stays."""
    return _in_place("cumprod_", CUMPROD, self, dim, dtype)


class ScanMethods:
    """Scans as methods."""

    __slots__ = ()

    cumsum = cumsum
    cumsum_ = cumsum_
    cumprod = cumprod
    cumprod_ = cumprod_
    logcumsumexp = logcumsumexp
    cummax = cummax
    cummin = cummin
