"""Variance and standard deviation."""

from __future__ import annotations

import warnings
from typing import Any

from wengert.engine.apply import apply
from wengert.engine.out import deliver
from wengert.functions.reduced import Dims, delivered, reduced_axes
from wengert.ops.record import Op
from wengert.ops.reduce import count
from wengert.ops.variance import STD, STD_MEAN, VAR, VAR_MEAN

__all__ = ["VarianceMethods", "std", "std_mean", "var", "var_mean"]


def _spread(
    function: str,
    op: Op,
    input: Any,
    dim: Any,
    unbiased: Any,
    keepdim: Any,
    correction: Any,
    axis: Any,
    keepdims: Any,
) -> Any:
    if isinstance(dim, bool):  # var(False) is the oldest form: the flag alone
        if unbiased is not None:
            raise TypeError(f"{function}(): argument 'dim' must be tuple of ints, not bool")
        dim, unbiased = None, dim
    axes, keep = reduced_axes(function, input, dim, axis, keepdim, keepdims)
    if input._data.dtype.kind not in "fc":
        raise RuntimeError(
            "std and var only support floating point and complex dtypes: convert the tensor, for example with "
            ".to(torch.float32)"
        )
    chosen = _correction(function, unbiased, correction)
    _warn_if_undefined(function, input, axes, chosen)
    return apply(op, input, dim=axes, correction=chosen, keepdim=keep)


def _correction(function: str, unbiased: Any, correction: Any) -> float:
    if unbiased is None:
        return 1.0 if correction is None else float(correction)
    if correction is not None:
        raise TypeError(
            f"{function}() got both 'unbiased' and 'correction'; pass correction=1 for unbiased=True, else 0"
        )
    if unbiased is not True and unbiased is not False:
        raise TypeError(f"{function}(): argument 'unbiased' must be bool, not {type(unbiased).__name__}")
    return 1.0 if unbiased else 0.0


def _warn_if_undefined(function: str, input: Any, axes: Dims, correction: float) -> None:
    shape = input._data.shape
    if count(shape, axes) - correction <= 0 and (
        axes is None or all([shape[a] for a in set(range(len(shape))) - {*axes}])
    ):
        warnings.warn(
            f"{function}(): degrees of freedom is <= 0. Correction should be strictly less than the reduction factor "
            "(input numel divided by output numel).",
            UserWarning,
            stacklevel=4,
        )


def var(
    input: Any,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
    out: Any = None,
    axis: Any = None,
    keepdims: Any = None,
) -> Any:
    """The variance of the elements: of all, or over the axes ``dim``.

    ``sum_i |x_i - mean|^2 / (n - correction)``, with ``correction`` 1 unless told otherwise (``unbiased=False`` says
    0). For float and complex tensors; the variance of complex numbers is real.

    Raises:
        RuntimeError: the dtype is neither float nor complex.
        TypeError, IndexError: as :func:`sum`.

    >>> import wengert as torch
    >>> x = torch.tensor([1.0, 2.0, 3.0, 4.0])
    >>> x.var(), x.var(correction=0)
    (tensor(1.6667), tensor(1.2500))
    """
    return deliver(out, _spread("var", VAR, input, dim, unbiased, keepdim, correction, axis, keepdims), input)


def std(
    input: Any,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
    out: Any = None,
    axis: Any = None,
    keepdims: Any = None,
) -> Any:
    """The standard deviation of the elements: the square root of :func:`var`, whose arguments and errors it has.

    Its gradient is zero where it is zero itself.

    >>> import wengert as torch
    >>> torch.tensor([[1.0, 3.0], [2.0, 2.0]]).std(dim=1, correction=0)
    tensor([1., 0.])
    """
    return deliver(out, _spread("std", STD, input, dim, unbiased, keepdim, correction, axis, keepdims), input)


def var_mean(
    input: Any,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
    out: Any = None,
    axis: Any = None,
    keepdims: Any = None,
) -> tuple[Any, Any]:
    """The variance and the mean; arguments and errors as :func:`var`.

    >>> import wengert as torch
    >>> torch.var_mean(torch.tensor([1.0, 2.0, 3.0]))
    (tensor(1.), tensor(2.))
    """
    both = _spread("var_mean", VAR_MEAN, input, dim, unbiased, keepdim, correction, axis, keepdims)
    var, mean = delivered("var_mean", out, both, input)
    return var, mean


def std_mean(
    input: Any,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
    out: Any = None,
    axis: Any = None,
    keepdims: Any = None,
) -> tuple[Any, Any]:
    """The standard deviation and the mean; arguments and errors as :func:`var`.

    >>> import wengert as torch
    >>> torch.std_mean(torch.tensor([1.0, 2.0, 3.0]))
    (tensor(1.), tensor(2.))
    """
    both = _spread("std_mean", STD_MEAN, input, dim, unbiased, keepdim, correction, axis, keepdims)
    std, mean = delivered("std_mean", out, both, input)
    return std, mean


class VarianceMethods:
    """Variance and standard deviation as methods."""

    __slots__ = ()

    var = var
    std = std
