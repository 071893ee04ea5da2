"""Reductions: sums, means, products, log-sum-exp, truth.

Metadata of every reduction: ``dim``, a sorted tuple of non-negative ints, or ``None`` for the form over all elements
(PyTorch names the two forms' nodes differently), and ``keepdim``.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, Final

import numpy as np

from wengert.ops.record import Kind, Rule, defop
from wengert.ops.sums import MANY, Dims, Shape, add_many, add_many_squares, kept_shape

# The ufuncs' methods as plain functions: quicker to call, and free of type stubs that know no positional `keepdims`.
_add: Final[Any] = np.add.reduce
_multiply: Final[Any] = np.multiply.reduce
largest: Final[Any] = np.maximum.reduce
smallest: Final[Any] = np.minimum.reduce
_and: Final[Any] = np.logical_and.reduce
_or: Final[Any] = np.logical_or.reduce

# --- what reductions share -------------------------------------------------------------------------------------------


def keep(xp: Any, g: Any, shape: Shape, dim: Dims, keepdim: bool) -> Any:
    """Reshape a value of the result's shape so that it broadcasts against the input, of shape ``shape``."""
    if keepdim or dim is None or g.ndim == 0 or max(dim, default=-1) < len(dim):  # only leading axes were reduced
        return g
    return xp.reshape(g, shape=kept_shape(shape, dim))


def spread(xp: Any, g: Any, shape: Shape, dim: Dims, keepdim: bool) -> Any:
    """Expand the cotangent of a reduction back over the axes that it reduced."""
    return xp.expand(keep(xp, g, shape, dim, keepdim), shape=shape)


def count(shape: Shape, dim: Dims) -> int:
    """Count the elements that each result of a reduction is made of."""
    return prod(shape) if dim is None else prod([shape[axis] for axis in dim])


def halves_in_single(impl: Callable[..., Any]) -> Callable[..., Any]:
    """Make ``impl`` compute a float16 input in float32, as PyTorch does, and round its results once."""

    def wide(x: Any, **meta: Any) -> Any:
        if x.dtype.char != "e":
            return impl(x, **meta)
        y = impl(x.astype(np.float32), **meta)
        return tuple([part.astype(np.float16) for part in y]) if isinstance(y, tuple) else y.astype(np.float16)

    return wide


def pushed_along(rule: Rule) -> Rule:
    """Make the forward rule of a reduction from its backward rule: each result has one row of the Jacobian."""

    def jvp(xp: Any, ts: Any, y: Any, x: Any, *, dim: Dims, keepdim: bool, **meta: Any) -> Any:
        row = rule(xp, xp.ones_like(y), y, x, dim=dim, keepdim=keepdim, **meta)
        t = xp.sum(xp.conj(row) * ts[0], dim=dim, keepdim=keepdim)
        return xp.real(t) if y.dtype.kind == "f" and t.dtype.kind == "c" else t

    return jvp


# --- sum and mean ----------------------------------------------------------------------------------------------------


def add_reduce(x: Any, *, dim: Dims, keepdim: bool) -> Any:
    """Sum in the input's dtype, float16 in float32."""
    dtype = x.dtype
    if dtype.char == "e":
        return _add(x, dim, np.float32, None, keepdim).astype(np.float16)
    if x.size >= MANY and dtype.kind in "fc":
        return add_many(x, dim=dim, keepdim=keepdim)
    return _add(x, dim, dtype, None, keepdim)


def add_squares(x: Any, *, dim: Dims, keepdim: bool) -> Any:
    """Sum the squares of the absolute values; real, also for complex input."""
    if x.size >= MANY:
        return add_many_squares(x, dim=dim, keepdim=keepdim)
    return _add(x * x if x.dtype.kind == "f" else x.real * x.real + x.imag * x.imag, dim, None, None, keepdim)


def _mean(x: Any, *, dim: Dims, keepdim: bool) -> Any:
    n = float((x.size if dim is None else count(x.shape, dim)) or "nan")  # 0 / nan is nan and gives no warning
    if x.dtype.char == "e":
        return (_add(x, dim, np.float32, None, keepdim) / n).astype(np.float16)
    return add_reduce(x, dim=dim, keepdim=keepdim) / n


def _mean_vjp(xp: Any, g: Any, y: Any, x: Any, *, dim: Dims, keepdim: bool) -> Any:
    return spread(xp, g / (1.0 * count(x.shape, dim) or 1.0), x.shape, dim, keepdim)


SUM = defop(
    "sum",
    add_reduce,
    Kind.REDUCTION,
    vjp=(lambda xp, g, y, x, *, dim, keepdim: spread(xp, g, x.shape, dim, keepdim),),
    linear=(0,),
    node=lambda meta: "SumBackward0" if meta["dim"] is None else "SumBackward1",
    formula="sum_i x_i",
    doc="Sum of the elements over the given axes.",
)

MEAN = defop(
    "mean",
    _mean,
    Kind.REDUCTION,
    vjp=(_mean_vjp,),
    linear=(0,),
    node=lambda meta: "MeanBackward0" if meta["dim"] is None else "MeanBackward1",
    formula="sum_i x_i / n",
    doc="Mean of the elements over the given axes.",
)


def _nansum(x: Any, *, dim: Dims, keepdim: bool) -> Any:
    return add_reduce(np.where(np.isnan(x), 0.0, x), dim=dim, keepdim=keepdim)


def _nansum_vjp(xp: Any, g: Any, y: Any, x: Any, *, dim: Dims, keepdim: bool) -> Any:
    return keep(xp, g, x.shape, dim, keepdim) * xp.logical_not(xp.isnan(x))


NANSUM = defop(
    "nansum",
    _nansum,
    Kind.REDUCTION,
    vjp=(_nansum_vjp,),
    jvp=pushed_along(_nansum_vjp),
    formula="sum_i (x_i unless NaN)",
    doc="Sum of the elements over the given axes, NaN counted as zero.",
)

# --- product ---------------------------------------------------------------------------------------------------------


def _prod(x: Any, *, dim: Dims, keepdim: bool) -> Any:
    return _multiply(x, dim, x.dtype, None, keepdim)


def _prod_vjp(xp: Any, g: Any, y: Any, x: Any, *, dim: Dims, keepdim: bool) -> Any:
    # The product of all others is the product of those before times that of those after: no division, so zeros are
    # no special case at any order.
    if dim is None or not x.ndim:
        flat = xp.reshape(x, shape=(prod(x.shape),))
        return xp.reshape(_others(xp, flat, 0), shape=x.shape) * g
    return _others(xp, x, dim[0]) * keep(xp, g, x.shape, dim, keepdim)


def _others(xp: Any, x: Any, dim: int) -> Any:
    before = xp.shift(xp.cumprod(x, dim=dim), dim=dim, by=1, fill=1.0)
    after = xp.shift(xp.cumprod(xp.flip(x, dims=(dim,)), dim=dim), dim=dim, by=1, fill=1.0)
    return xp.conj(before * xp.flip(after, dims=(dim,)))


PROD = defop(
    "prod",
    halves_in_single(_prod),
    Kind.REDUCTION,
    vjp=(_prod_vjp,),
    jvp=pushed_along(_prod_vjp),
    node=lambda meta: "ProdBackward0" if meta["dim"] is None else "ProdBackward1",
    formula="prod_i x_i",
    doc="Product of the elements, of all or along one axis.",
)

# --- log-sum-exp -----------------------------------------------------------------------------------------------------


def _logsumexp(x: Any, *, dim: Dims, keepdim: bool) -> Any:
    top = largest(x.real, dim, keepdims=True, initial=-np.inf)
    top = np.where(np.isinf(top), x.real.dtype.type(0), top)
    total = np.log(add_reduce(np.exp(x - top), dim=dim, keepdim=keepdim))
    return total + (top if keepdim else top.reshape(total.shape))


def _logsumexp_vjp(xp: Any, g: Any, y: Any, x: Any, *, dim: Dims, keepdim: bool) -> Any:
    share = xp.exp(x - keep(xp, y, x.shape, dim, keepdim))
    return keep(xp, g, x.shape, dim, keepdim) * xp.conj(share)


LOGSUMEXP = defop(
    "logsumexp",
    halves_in_single(_logsumexp),
    Kind.REDUCTION,
    vjp=(_logsumexp_vjp,),
    jvp=pushed_along(_logsumexp_vjp),
    formula="log sum_i exp(x_i)",
    doc="Logarithm of the sum of exponentials, without overflow.",
)

# --- truth -----------------------------------------------------------------------------------------------------------


def _count_nonzero(x: Any, *, dim: Dims, keepdim: bool) -> Any:
    return _add(x != 0, dim, np.int64, None, keepdim)


ALL = defop(
    "all",
    lambda x, *, dim, keepdim: _and(x, dim, np.bool_, None, keepdim),
    Kind.REDUCTION,
    vjp=(None,),
    doc="Whether all elements are true (not zero).",
)
ANY = defop(
    "any",
    lambda x, *, dim, keepdim: _or(x, dim, np.bool_, None, keepdim),
    Kind.REDUCTION,
    vjp=(None,),
    doc="Whether at least one element is true (not zero).",
)
COUNT_NONZERO = defop(
    "count_nonzero",
    _count_nonzero,
    Kind.REDUCTION,
    vjp=(None,),
    doc="Number of elements that are not zero.",
)
