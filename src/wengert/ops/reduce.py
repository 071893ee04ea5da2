"""Reductions: sums, means, products, log-sum-exp, truth.

Metadata of every reduction: ``dim``, a sorted tuple of non-negative ints, or ``None`` for the form over all elements
(PyTorch names the two forms' nodes differently), and ``keepdim``.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isqrt, prod
from typing import Any, Final

import numpy as np

from wengert.ops.record import Kind, Rule, defop

Shape = tuple[int, ...]
Dims = tuple[int, ...] | None

# The ufuncs' methods as plain functions: quicker to call, and free of type stubs that know no positional `keepdims`.
_add: Final[Any] = np.add.reduce
_multiply: Final[Any] = np.multiply.reduce
largest: Final[Any] = np.maximum.reduce
smallest: Final[Any] = np.minimum.reduce
_and: Final[Any] = np.logical_and.reduce
_or: Final[Any] = np.logical_or.reduce

_LONG: Final = 1024  # from this many elements on it pays to look for the best way to add them
_MANY: Final = 8192  # runs of neighbours from this length on are summed faster by np.einsum
_SHORT: Final = 64  # runs up to this length are summed faster by a product with ones
_BLOCK: Final = 2048  # elements that are added without care for rounding errors: they are spread over SIMD lanes

# --- what reductions share -------------------------------------------------------------------------------------------


def kept_shape(shape: Shape, dim: Dims) -> Shape:
    """Give the shape of a reduction's result with ``keepdim``.

    >>> kept_shape((2, 3, 4), (1,))
    (2, 1, 4)
    """
    if dim is None:
        return (1,) * len(shape)
    return tuple([1 if axis in dim else size for axis, size in enumerate(shape)])


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
    """Sum in the input's dtype, float16 in float32, with an error that grows slowly with the number of elements."""
    dtype = x.dtype
    if dtype.char == "e":
        return _add(x, dim, np.float32, None, keepdim).astype(np.float16)
    if x.size >= _LONG and dtype.kind in "fc":
        return _add_many(x, dim, keepdim)
    return _add(x, dim, dtype, None, keepdim)


def _add_many(x: Any, dim: Dims, keepdim: bool) -> Any:
    if x.dtype.kind == "f":
        if dim is None and x.flags.f_contiguous:
            x = x.T
        n = run_length(x, dim)
        if n >= _MANY:
            return in_runs(_sums_of_long_rows, x, n, dim, keepdim)
        if 0 < n <= _SHORT:
            return in_runs(_sums_of_short_rows, x, n, dim, keepdim)
    if dim is not None and len(dim) < x.ndim:
        x = _block_sums(x, dim)
    return _add(x, dim, None, None, keepdim)


def run_length(x: Any, dim: Dims) -> int:
    """Count the neighbours in memory that each result is made of; 0 if they are not neighbours."""
    if not x.flags.c_contiguous:
        return 0
    if dim is None or len(dim) == x.ndim:
        return int(x.size)
    return count(x.shape, dim) if dim and dim[0] == x.ndim - len(dim) else 0


def in_runs(sums: Callable[[Any], Any], x: Any, n: int, dim: Dims, keepdim: bool) -> Any:
    """Reduce runs of ``n`` neighbours with ``sums``, which sums over the last axis, in blocks of limited length."""
    rows = x.reshape(-1, n)
    if n < 2 * _BLOCK:
        total = sums(rows)
    else:
        blocks = n // _BLOCK
        whole = blocks * _BLOCK
        total = _add(sums(rows[:, :whole].reshape(-1, blocks, _BLOCK)), 1)
        if whole < n:
            total = total + sums(rows[:, whole:])
    if keepdim:
        return total.reshape(kept_shape(x.shape, dim))
    return total[0] if n == x.size else total.reshape(x.shape[: x.ndim - len(dim or ())])


def _sums_of_long_rows(rows: Any) -> Any:
    return np.einsum("...j->...", rows)  # 3 times faster than np.add.reduce, which is careful to add pairwise


def _sums_of_short_rows(rows: Any) -> Any:
    return rows @ np.ones(rows.shape[-1], rows.dtype)  # np.add.reduce takes 10 ns a row


def _block_sums(x: Any, dim: Shape) -> Any:
    # NumPy adds pairwise along the axis in which memory runs, but one by one along all others, where float32 loses
    # digits: a long such axis is summed in about sqrt(n) blocks first.
    for axis in dim:
        rows = x.shape[axis]
        if rows > _LONG and abs(x.strides[axis]) > x.itemsize:
            blocks = isqrt(rows)
            length = rows // blocks
            whole = blocks * length
            before, after = (slice(None),) * axis, x.shape[axis + 1 :]
            body = x[(*before, slice(0, whole))]
            parts = _add(body.reshape(*x.shape[:axis], blocks, length, *after), axis + 1)
            rest = x[(*before, slice(whole, rows))]
            x = parts if whole == rows else np.concatenate((parts, rest), axis)
    return x


def add_squares(x: Any, *, dim: Dims, keepdim: bool) -> Any:
    """Sum the squares of the absolute values; real, also for complex input."""
    if x.size >= _LONG:
        if dim is None and x.flags.f_contiguous:
            x = x.T
        n = run_length(x, dim)
        if n:
            return in_runs(_squares_of_rows, x, n, dim, keepdim)
    squares = x * x if x.dtype.kind == "f" else x.real * x.real + x.imag * x.imag
    return add_reduce(squares, dim=dim, keepdim=keepdim)


def _squares_of_rows(rows: Any) -> Any:
    return np.vecdot(rows, rows).real


def _mean(x: Any, *, dim: Dims, keepdim: bool) -> Any:
    n = float((x.size if dim is None else count(x.shape, dim)) or "nan")  # 0 / nan is nan and gives no warning
    if x.dtype.char == "e":
        return (_add(x, dim, np.float32, None, keepdim) / n).astype(np.float16)
    return add_reduce(x, dim=dim, keepdim=keepdim) / n


def _mean_vjp(xp: Any, g: Any, y: Any, x: Any, *, dim: Dims, keepdim: bool) -> Any:
    return spread(xp, g / float(count(x.shape, dim) or 1), x.shape, dim, keepdim)


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
