"""Reductions and normalisations that leave out what a mask excludes, under the names of ``torch.masked``.

``mask`` is a bool tensor that broadcasts to the input; True means that an element counts. Without one all count.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any

import numpy as np

from wengert._dtypes import from_numpy_dtype
from wengert.functions.elementary import logaddexp as _logaddexp
from wengert.functions.extrema import amax as _amax
from wengert.functions.extrema import amin as _amin
from wengert.functions.extrema import argmax as _argmax
from wengert.functions.extrema import argmin as _argmin
from wengert.functions.norms import vector_norm
from wengert.functions.options import require_tensor
from wengert.functions.reduce import logsumexp as _logsumexp
from wengert.functions.reduce import prod as _prod
from wengert.functions.reduce import sum as _sum
from wengert.functions.scan import cumprod as _cumprod
from wengert.functions.scan import cumsum as _cumsum
from wengert.functions.select import where
from wengert.functions.sorting import nanmedian
from wengert.nn.functional import log_softmax as _log_softmax
from wengert.nn.functional import softmax as _softmax

__all__ = [
    "amax",
    "amin",
    "argmax",
    "argmin",
    "cumprod",
    "cumsum",
    "log_softmax",
    "logaddexp",
    "logsumexp",
    "mean",
    "median",
    "norm",
    "normalize",
    "prod",
    "softmax",
    "softmin",
    "std",
    "sum",
    "var",
]


def _taken(name: str, input: Any, mask: Any, dtype: Any, fill: float) -> Any:
    """The input in a dtype, with ``fill`` in place of what does not count."""
    require_tensor(f"masked_{name}", input)
    x = input if dtype is None else input.to(dtype)
    if mask is None:
        return x
    _check_mask(mask)
    return where(mask.expand(x.shape), x, _as_number(fill, x))


def _check_mask(mask: Any) -> None:
    if require_tensor("masked", mask, "mask")._data.dtype.kind != "b":
        raise ValueError(f"a mask must be a bool tensor, but its dtype is {mask.dtype}")


def _as_number(fill: float, x: Any) -> Any:
    dtype = x._data.dtype
    if dtype.kind in "iu" and abs(fill) == inf:
        return int(np.iinfo(dtype).max if fill > 0 else np.iinfo(dtype).min)
    return int(fill) if dtype.kind in "iub" else fill


def _dims(dim: Any, x: Any) -> tuple[int, ...]:
    if dim is None or dim == ():
        return tuple(range(x.ndim))
    return tuple([d % max(x.ndim, 1) for d in (dim if isinstance(dim, (tuple, list)) else (dim,))])


def _count(x: Any, mask: Any, dims: tuple[int, ...], keepdim: bool) -> Any:
    """How many elements count in each reduction."""
    ones = x.new_ones(x.shape) if mask is None else mask.expand(x.shape).to(x.dtype)
    return _sum(ones, dims, keepdim) if dims else ones


def sum(input: Any, dim: Any = None, *, keepdim: bool = False, dtype: Any = None, mask: Any = None) -> Any:
    """The sum of what counts; 0 where nothing does.

    >>> import wengert as torch
    >>> torch.masked.sum(torch.tensor([1., 2., 4.]), mask=torch.tensor([True, False, True]))
    tensor(5.)
    """
    x = _taken("sum", input, mask, dtype, 0)
    dims = _dims(dim, x)
    return _sum(x, dims, keepdim) if dims else _sum(x)


def prod(input: Any, dim: Any = None, *, keepdim: bool = False, dtype: Any = None, mask: Any = None) -> Any:
    """The product of what counts; 1 where nothing does.

    >>> import wengert as torch
    >>> torch.masked.prod(torch.tensor([1., 2., 4.]), mask=torch.tensor([True, False, True]))
    tensor(4.)
    """
    x = _taken("prod", input, mask, dtype, 1)
    if not x.ndim:
        return _prod(x)
    for d in sorted(_dims(dim, x), reverse=True):
        x = _prod(x, d, keepdim)
    return x


def cumsum(input: Any, dim: int, *, dtype: Any = None, mask: Any = None) -> Any:
    """The running sum of what counts.

    >>> import wengert as torch
    >>> torch.masked.cumsum(torch.tensor([1., 2., 4.]), 0, mask=torch.tensor([True, False, True]))
    tensor([1., 1., 5.])
    """
    return _cumsum(_taken("cumsum", input, mask, dtype, 0), dim)


def cumprod(input: Any, dim: int, *, dtype: Any = None, mask: Any = None) -> Any:
    """The running product of what counts.

    >>> import wengert as torch
    >>> torch.masked.cumprod(torch.tensor([1., 2., 4.]), 0, mask=torch.tensor([True, False, True]))
    tensor([1., 1., 4.])
    """
    return _cumprod(_taken("cumprod", input, mask, dtype, 1), dim)


def amax(input: Any, dim: Any = None, *, keepdim: bool = False, dtype: Any = None, mask: Any = None) -> Any:
    """The largest of what counts; minus infinity (the least integer) where nothing does.

    >>> import wengert as torch
    >>> torch.masked.amax(torch.tensor([1., 4., 2.]), mask=torch.tensor([True, False, True]))
    tensor(2.)
    """
    x = _taken("amax", input, mask, dtype, -inf)
    return _amax(x, _dims(dim, x), keepdim)


def amin(input: Any, dim: Any = None, *, keepdim: bool = False, dtype: Any = None, mask: Any = None) -> Any:
    """The least of what counts; infinity (the largest integer) where nothing does.

    >>> import wengert as torch
    >>> torch.masked.amin(torch.tensor([1., 4., 2.]), mask=torch.tensor([False, True, True]))
    tensor(2.)
    """
    x = _taken("amin", input, mask, dtype, inf)
    return _amin(x, _dims(dim, x), keepdim)


def argmax(input: Any, dim: Any = None, *, keepdim: bool = False, dtype: Any = None, mask: Any = None) -> Any:
    """Where the largest of what counts is, as a number of the input's dtype.

    >>> import wengert as torch
    >>> torch.masked.argmax(torch.tensor([1., 4., 2.]), mask=torch.tensor([True, False, True]))
    tensor(2.)
    """
    x = _taken("argmax", input, mask, dtype, -inf)
    return _argmax(x, dim, keepdim).to(x.dtype)


def argmin(input: Any, dim: Any = None, *, keepdim: bool = False, dtype: Any = None, mask: Any = None) -> Any:
    """Where the least of what counts is, as a number of the input's dtype.

    >>> import wengert as torch
    >>> torch.masked.argmin(torch.tensor([1., 4., 2.]), mask=torch.tensor([False, True, True]))
    tensor(2.)
    """
    x = _taken("argmin", input, mask, dtype, inf)
    return _argmin(x, dim, keepdim).to(x.dtype)


def _in_floats(name: str, input: Any, dtype: Any) -> Any:
    x = require_tensor(f"masked_{name}", input)
    kind = x._data.dtype.kind
    if dtype is None and kind not in "fc":
        dtype = from_numpy_dtype(np.dtype(np.float32))
    return input if dtype is None else input.to(dtype)


def mean(input: Any, dim: Any = None, *, keepdim: bool = False, dtype: Any = None, mask: Any = None) -> Any:
    """The mean of what counts; NaN where nothing does.

    >>> import wengert as torch
    >>> torch.masked.mean(torch.tensor([1., 2., 4.]), mask=torch.tensor([True, False, True]))
    tensor(2.5000)
    """
    x = _in_floats("mean", input, dtype)
    return sum(x, dim, keepdim=keepdim, mask=mask) / _count(x, mask, _dims(dim, x), keepdim)


def median(input: Any, dim: int = -1, *, keepdim: bool = False, dtype: Any = None, mask: Any = None) -> Any:
    """The median of what counts, the lower one of two; NaN where nothing does.

    >>> import wengert as torch
    >>> torch.masked.median(torch.tensor([1., 2., 4.]), 0, mask=torch.tensor([True, False, True]))
    tensor(1.)
    """
    x = _taken("median", _in_floats("median", input, dtype), mask, None, float("nan"))
    return nanmedian(x, dim, keepdim)[0]


def norm(
    input: Any,
    ord: float | None = 2.0,
    dim: Any = None,
    *,
    keepdim: bool = False,
    dtype: Any = None,
    mask: Any = None,
) -> Any:
    """The vector norm of what counts.

    >>> import wengert as torch
    >>> torch.masked.norm(torch.tensor([3., 9., 4.]), 2.0, mask=torch.tensor([True, False, True]))
    tensor(5.)
    """
    order = 2.0 if ord is None else ord
    x = _taken("norm", input, mask, dtype, inf if order < 0 else 0)
    return vector_norm(x, order, _dims(dim, x), keepdim)


def var(
    input: Any,
    dim: Any = None,
    unbiased: bool | None = None,
    *,
    correction: Any = None,
    keepdim: bool = False,
    dtype: Any = None,
    mask: Any = None,
) -> Any:
    """The variance of what counts, with the correction 1 unless ``unbiased`` or ``correction`` says otherwise.

    >>> import wengert as torch
    >>> torch.masked.var(torch.tensor([1., 9., 3.]), mask=torch.tensor([True, False, True]))
    tensor(2.)
    """
    x = _in_floats("var", input, dtype)
    less = correction if correction is not None else 0 if unbiased is False else 1
    dims = _dims(dim, x)
    centred = x - mean(x, dim, keepdim=True, mask=mask)
    total = sum(centred * centred.conj(), dim, keepdim=keepdim, mask=mask)
    count = _count(x, mask, dims, keepdim)
    return total / (count.real - less).clamp(min=0)


def std(
    input: Any,
    dim: Any = None,
    unbiased: bool | None = None,
    *,
    correction: Any = None,
    keepdim: bool = False,
    dtype: Any = None,
    mask: Any = None,
) -> Any:
    """The standard deviation of what counts; see :func:`var`.

    >>> import wengert as torch
    >>> torch.masked.std(torch.tensor([1., 9., 3.]), mask=torch.tensor([True, False, True]))
    tensor(1.4142)
    """
    found = var(input, dim, unbiased, correction=correction, keepdim=keepdim, dtype=dtype, mask=mask)
    return found.sqrt()


def _normalized(name: str, function: Callable[..., Any], input: Any, dim: int, dtype: Any, mask: Any) -> Any:
    return function(_taken(name, _in_floats(name, input, dtype), mask, None, -inf), dim)


def softmax(input: Any, dim: int, *, dtype: Any = None, mask: Any = None) -> Any:
    """Softmax over what counts; 0 elsewhere.

    >>> import wengert as torch
    >>> torch.masked.softmax(torch.tensor([1., 9., 1.]), 0, mask=torch.tensor([True, False, True]))
    tensor([0.5000, 0.0000, 0.5000])
    """
    return _normalized("softmax", _softmax, input, dim, dtype, mask)


def log_softmax(input: Any, dim: int, *, dtype: Any = None, mask: Any = None) -> Any:
    """The logarithm of :func:`softmax`.

    >>> import wengert as torch
    >>> torch.masked.log_softmax(torch.tensor([1., 9., 1.]), 0, mask=torch.tensor([True, False, True]))
    tensor([-0.6931,    -inf, -0.6931])
    """
    return _normalized("log_softmax", _log_softmax, input, dim, dtype, mask)


def softmin(input: Any, dim: int, *, dtype: Any = None, mask: Any = None) -> Any:
    """:func:`softmax` of the negative.

    >>> import wengert as torch
    >>> torch.masked.softmin(torch.tensor([1., 9., 1.]), 0, mask=torch.tensor([True, False, True]))
    tensor([0.5000, 0.0000, 0.5000])
    """
    require_tensor("masked_softmin", input)
    return softmax(-input, dim, dtype=dtype, mask=mask)


def normalize(input: Any, ord: float, dim: int, *, eps: float = 1e-12, dtype: Any = None, mask: Any = None) -> Any:
    """What counts divided by its norm, or by ``eps`` if that is larger; 0 elsewhere.

    >>> import wengert as torch
    >>> torch.masked.normalize(torch.tensor([3., 9., 4.]), 2.0, 0, mask=torch.tensor([True, False, True]))
    tensor([0.6000, 0.0000, 0.8000])
    """
    x = _in_floats("normalize", input, dtype)
    size = norm(x, ord, dim, keepdim=True, mask=mask)
    return _taken("normalize", x, mask, None, 0) / size.clamp(min=eps)


def logsumexp(input: Any, dim: Any = None, *, keepdim: bool = False, dtype: Any = None, mask: Any = None) -> Any:
    """The logarithm of the sum of the exponentials of what counts; minus infinity where nothing does.

    >>> import wengert as torch
    >>> torch.masked.logsumexp(torch.tensor([0., 9., 0.]), 0, mask=torch.tensor([True, False, True]))
    tensor(0.6931)
    """
    x = _taken("logsumexp", _in_floats("logsumexp", input, dtype), mask, None, -inf)
    return _logsumexp(x, _dims(dim, x), keepdim)


def logaddexp(input: Any, other: Any, *, dtype: Any = None, input_mask: Any = None, other_mask: Any = None) -> Any:
    """The logarithm of the sum of two exponentials, of those that count.

    >>> import wengert as torch
    >>> torch.masked.logaddexp(torch.zeros(2), torch.zeros(2), other_mask=torch.tensor([True, False]))
    tensor([0.6931, 0.0000])
    """
    a = _taken("logaddexp", input, input_mask, dtype, -inf)
    return _logaddexp(a, _taken("logaddexp", other, other_mask, dtype, -inf))
