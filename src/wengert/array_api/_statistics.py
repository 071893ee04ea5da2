"""The standard's reductions, running totals and differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wengert.array_api._types import Axes, dims_of, in_dtype, promoted, require_arrays, totalled, writable
from wengert.functions import differences, extrema, joining, reduce, scan, variance
from wengert.functions.creation import full as new_full

__all__ = [
    "all",
    "any",
    "cumulative_prod",
    "cumulative_sum",
    "diff",
    "max",
    "mean",
    "min",
    "prod",
    "std",
    "sum",
    "var",
]


def _over_axes(of: Callable[..., Any], x: Any, axis: Axes, keepdims: bool, **options: Any) -> Any:
    """A reduction of wengert over these axes; over none of them each element is its own group."""
    dims = dims_of(x, axis)
    if dims:
        return of(x, dims, keepdim=keepdims, **options)
    return of(x.unsqueeze(-1), (x.ndim,), **options)


def sum(x: Any, /, *, axis: Axes = None, dtype: Any = None, keepdims: bool = False) -> Any:
    """The sum over axes, over all where it is None; integers are added in 64 bits.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.sum(torch.tensor([[1, 2], [3, 4]]), axis=0)
    tensor([4, 6])
    """
    require_arrays("sum", x)
    total = totalled(x, dtype)
    added = _over_axes(reduce.sum, total, axis, keepdims)
    return in_dtype(added, total._data.dtype)


def prod(x: Any, /, *, axis: Axes = None, dtype: Any = None, keepdims: bool = False) -> Any:
    """The product over axes, over all where it is None; integers are multiplied in 64 bits.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.prod(torch.tensor([[1, 2], [3, 4]]), axis=1)
    tensor([ 2, 12])
    """
    require_arrays("prod", x)
    total = totalled(x, dtype)
    kind = total._data.dtype
    for dim in sorted(dims_of(x, axis), reverse=True):
        total = in_dtype(reduce.prod(total, dim, keepdims), kind)
    return total if total is not x else x.clone()


def mean(x: Any, /, *, axis: Axes = None, keepdims: bool = False) -> Any:
    """The mean over axes, over all where it is None.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.mean(torch.tensor([[1.0, 2.0], [3.0, 6.0]]), axis=1)
    tensor([1.5000, 4.5000])
    """
    require_arrays("mean", x)
    return _over_axes(reduce.mean, x, axis, keepdims)


def var(x: Any, /, *, axis: Axes = None, correction: float = 0.0, keepdims: bool = False) -> Any:
    """The variance over axes: the squared differences from the mean, divided by their number less ``correction``.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.var(torch.tensor([1.0, 3.0]))
    tensor(1.)
    """
    require_arrays("var", x)
    return _over_axes(variance.var, x, axis, keepdims, correction=correction)


def std(x: Any, /, *, axis: Axes = None, correction: float = 0.0, keepdims: bool = False) -> Any:
    """The standard deviation over axes, the root of :func:`var`.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.std(torch.tensor([1.0, 3.0]))
    tensor(1.)
    """
    require_arrays("std", x)
    return writable(_over_axes(variance.std, x, axis, keepdims, correction=correction))


def max(x: Any, /, *, axis: Axes = None, keepdims: bool = False) -> Any:
    """The largest element over axes; NaN wins; equal ones share the gradient.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.max(torch.tensor([[1, 5], [7, 2]]), axis=1)
    tensor([5, 7])
    """
    require_arrays("max", x)
    return writable(_over_axes(extrema.amax, x, axis, keepdims))


def min(x: Any, /, *, axis: Axes = None, keepdims: bool = False) -> Any:
    """The smallest element over axes; NaN wins; equal ones share the gradient.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.min(torch.tensor([[1, 5], [7, 2]]), axis=1)
    tensor([1, 2])
    """
    require_arrays("min", x)
    return writable(_over_axes(extrema.amin, x, axis, keepdims))


def all(x: Any, /, *, axis: Axes = None, keepdims: bool = False) -> Any:
    """Whether all elements over axes are true (not zero).

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.all(torch.tensor([1, 0]))
    tensor(False)
    """
    require_arrays("all", x)
    return _over_axes(reduce.all, x != 0, axis, keepdims)


def any(x: Any, /, *, axis: Axes = None, keepdims: bool = False) -> Any:
    """Whether any element over axes is true (not zero).

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.any(torch.tensor([1, 0]))
    tensor(True)
    """
    require_arrays("any", x)
    return _over_axes(reduce.any, x != 0, axis, keepdims)


def _running(of: Callable[..., Any], x: Any, axis: int | None, dtype: Any, first: int | None) -> Any:
    require_arrays(of.__name__, x)
    if axis is None and x.ndim > 1:
        raise ValueError(f"a running total of an array of {x.ndim} dimensions needs an axis")
    total = totalled(x, dtype)
    flat = total.reshape(1) if x.ndim == 0 else total
    dim = 0 if axis is None else dims_of(flat, axis)[0]
    run = in_dtype(of(flat, dim), total._data.dtype)
    if first is not None:
        shape = [1 if number == dim else size for number, size in enumerate(run.shape)]
        run = joining.cat([new_full(shape, first, dtype=run.dtype), run], dim)
    return run


def cumulative_sum(x: Any, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False) -> Any:
    """The sums of the first elements, one, two, three, ..., along an axis; with 0 before them if asked for.

    Raises:
        ValueError: no axis, and ``x`` has several.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.cumulative_sum(torch.tensor([1, 2, 3]), include_initial=True)
    tensor([0, 1, 3, 6])
    """
    return _running(scan.cumsum, x, axis, dtype, 0 if include_initial else None)


def cumulative_prod(x: Any, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False) -> Any:
    """The products of the first elements, one, two, three, ..., along an axis; with 1 before them if asked for.

    Raises:
        ValueError: no axis, and ``x`` has several.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.cumulative_prod(torch.tensor([1, 2, 3]))
    tensor([1, 2, 6])
    """
    return _running(scan.cumprod, x, axis, dtype, 1 if include_initial else None)


def diff(x: Any, /, *, axis: int = -1, n: int = 1, prepend: Any = None, append: Any = None) -> Any:
    """The differences of neighbours along an axis, ``n`` times over.

    >>> import wengert as torch
    >>> from wengert import array_api as xp
    >>> xp.diff(torch.tensor([1, 4, 9]))
    tensor([3, 5])
    """
    require_arrays("diff", x)
    parts = [part for part in (prepend, x, append) if part is not None]
    whole = joining.cat(list(promoted("diff", *parts)), axis) if len(parts) > 1 else x
    return differences.diff(whole, n, axis)
