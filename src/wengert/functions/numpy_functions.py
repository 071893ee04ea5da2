"""NumPy's functions on tensors, with NumPy's arguments: what ``__array_function__`` leads to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from wengert._dtypes import from_numpy_dtype
from wengert.engine.base import TensorBase, wrap
from wengert.engine.pointwise import refuse_masked
from wengert.functions.contraction import einsum
from wengert.functions.data import adopted
from wengert.functions.joining import cat, stack
from wengert.functions.numpy_further import FURTHER, dims_of
from wengert.functions.numpy_numeric import NUMERIC, extreme, mean_where
from wengert.functions.numpy_rearranged import REARRANGED
from wengert.functions.select import where as choose  # NumPy has an argument of the other name

__all__ = ["FUNCTIONS", "tensors_of"]


def tensors_of(value: Any) -> Any:
    """A value, or a sequence of values, with arrays made tensors."""
    if isinstance(value, np.ndarray):
        refuse_masked(value)
        return wrap(adopted(value))
    if isinstance(value, np.generic):
        return wrap(value)
    return [tensors_of(v) for v in value] if isinstance(value, (list, tuple)) else value


def _reduction(name: str) -> Callable[..., Any]:
    """A reduction ``f(a, axis, keepdims)``; the method takes several dimensions."""

    def reduce(
        a: Any,
        axis: Any = None,
        dtype: Any = None,
        *,
        keepdims: bool = False,
        where: Any = None,
        initial: Any = None,
    ) -> Any:
        if dtype is not None:
            a = a.to(from_numpy_dtype(np.dtype(dtype)))
        if initial is not None and name != "sum":
            raise TypeError("unexpected keyword argument 'initial'")
        if where is not None:
            if name == "mean":
                return mean_where(a, where, axis, keepdims)
            if name != "sum":
                raise TypeError("unexpected keyword argument 'where'")
            a = choose(where, a, 0)
        found = getattr(a, name)(dims_of(a, axis), bool(keepdims))
        return found if initial is None else found + initial

    return reduce


def _spread(name: str) -> Callable[..., Any]:
    def reduce(a: Any, axis: Any = None, *, ddof: float = 0, keepdims: bool = False) -> Any:
        return getattr(a, name)(axis, correction=ddof, keepdim=bool(keepdims))

    return reduce


def _product(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    if isinstance(axis, (list, tuple)):
        for dim in sorted([number % a.ndim for number in axis], reverse=True):
            a = a.prod(dim, bool(keepdims))
        return a
    if axis is not None:
        return a.prod(axis, bool(keepdims))
    return a.prod().reshape((1,) * a.ndim) if keepdims else a.prod()


def _running(name: str) -> Callable[..., Any]:
    def run(a: Any, axis: int | None = None) -> Any:
        return getattr(a.reshape(-1), name)(0) if axis is None else getattr(a, name)(axis)

    return run


def _nan_variance(a: Any, axis: Any, ddof: float, keepdims: Any) -> Any:
    """The variance of the elements that are not NaN; nan where no more than ``ddof`` of them are."""
    dims = dims_of(a, axis)
    there = a.isnan().logical_not()
    count = there.sum(dims, bool(keepdims))
    squares = choose(there, a - a.nanmean(dims, True), 0.0) ** 2
    return squares.sum(dims, bool(keepdims)) / choose(count > ddof, count - ddof, float("nan"))


def _nan_extreme(name: str, a: Any, axis: Any, keepdims: Any) -> Any:
    """The extreme element that is not NaN; nan where all are."""
    dims = dims_of(a, axis)
    worst = float("-inf") if name == "amax" else float("inf")
    missing = a.isnan()
    found = getattr(choose(missing, worst, a), name)(dims, bool(keepdims))
    return choose(missing.all(dims, bool(keepdims)), float("nan"), found)


def _place(name: str) -> Callable[..., Any]:
    def find(a: Any, axis: int | None = None, *, keepdims: bool = False) -> Any:
        return getattr(a, name)(axis, bool(keepdims))

    return find


def _concatenate(arrays: Any, axis: int | None = 0) -> Any:
    parts = list(arrays)
    return cat([p.reshape(-1) for p in parts]) if axis is None else cat(parts, axis)


def _dot(a: Any, b: Any) -> Any:
    if 0 in (_rank(a), _rank(b)):
        return a * b
    if _rank(b) > 2:  # the sum is over the last but one dimension of b
        return _tensordot(a, b, ([-1], [-2]))
    return a @ b


def _rank(a: Any) -> int:
    return int(a._data.ndim) if isinstance(a, TensorBase) else 0


def _tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    return einsum(*_tensordot_as_einsum(a, b, axes))


def _tensordot_as_einsum(a: Any, b: Any, axes: Any) -> tuple[Any, ...]:
    if isinstance(axes, int):
        left, right = list(range(a.ndim - axes, a.ndim)), list(range(axes))
    else:
        left, right = ([x] if isinstance(x, int) else list(x) for x in axes)
    names = "abcdefghijklmnopqrstuvwxyz"
    first = list(names[: a.ndim])
    second = list(names[a.ndim : a.ndim + b.ndim])
    for i, j in zip(left, right, strict=True):
        second[j] = first[i]
    contracted = {first[i] for i in left}
    kept = [n for n in (*first, *second) if n not in contracted]
    return f"{''.join(first)},{''.join(second)}->{''.join(kept)}", a, b


def _matrix(a: Any) -> Any:
    return a.reshape(1, -1) if a.ndim < 2 else a


def _where(condition: Any, *choices: Any) -> Any:
    return choose(condition, *choices)


def _squeeze(a: Any, axis: Any = None) -> Any:
    return a.squeeze() if axis is None else a.squeeze(axis)


def _expand_dims(a: Any, axis: Any) -> Any:
    dims = axis if isinstance(axis, (list, tuple)) else (axis,)
    rank = a.ndim + len(dims)
    for dim in sorted([number % rank if -rank <= number < rank else number for number in dims]):
        a = a.unsqueeze(dim)
    return a


def _transpose(a: Any, axes: Any = None) -> Any:
    return a.permute(tuple(reversed(range(a.ndim))) if axes is None else tuple(axes))


def _clip(a: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None) -> Any:
    return a.clamp(a_min if min is None else min, a_max if max is None else max)


def _tile(A: Any, reps: Any) -> Any:  # noqa: N803 - NumPy's argument
    return A.tile(reps if isinstance(reps, (tuple, list)) else (reps,))


def _repeat(a: Any, repeats: Any, axis: int | None = None) -> Any:
    return a.repeat_interleave(repeats, axis)


def _roll(a: Any, shift: Any, axis: Any = None) -> Any:
    return a.roll(shift) if axis is None else a.roll(shift, axis)


def _flip(m: Any, axis: Any = None) -> Any:
    return m.flip(dims_of(m, axis))


def _sort(a: Any, axis: int | None = -1) -> Any:
    return a.reshape(-1).sort(0)[0] if axis is None else a.sort(axis)[0]


# What has no out=, dtype= or where= here raises, as for any argument that a function does not take.
FUNCTIONS: Final[dict[Any, Callable[..., Any]]] = {
    np.concatenate: _concatenate,
    np.stack: lambda arrays, axis=0: stack(list(arrays), axis),
    np.vstack: lambda tup: cat([_matrix(a) for a in tup]),
    np.hstack: lambda tup: cat(list(tup), 0 if tup[0].ndim == 1 else 1),
    np.column_stack: lambda tup: cat([a.reshape(-1, 1) if a.ndim == 1 else a for a in tup], 1),
    np.atleast_1d: lambda a: a.reshape(1) if a.ndim == 0 else a,
    np.atleast_2d: _matrix,
    np.sum: _reduction("sum"),
    np.mean: _reduction("mean"),
    np.nansum: _reduction("nansum"),
    np.nanmean: _reduction("nanmean"),
    np.nanstd: lambda a, axis=None, *, ddof=0, keepdims=False: _nan_variance(a, axis, ddof, keepdims).sqrt(),
    np.nanvar: lambda a, axis=None, *, ddof=0, keepdims=False: _nan_variance(a, axis, ddof, keepdims),
    np.nanmax: lambda a, axis=None, *, keepdims=False: _nan_extreme("amax", a, axis, keepdims),
    np.nanmin: lambda a, axis=None, *, keepdims=False: _nan_extreme("amin", a, axis, keepdims),
    np.prod: _product,
    np.max: extreme("amax"),
    np.min: extreme("amin"),
    np.amax: extreme("amax"),
    np.amin: extreme("amin"),
    np.std: _spread("std"),
    np.var: _spread("var"),
    np.cumsum: _running("cumsum"),
    np.nancumsum: lambda a, axis=None: _running("cumsum")(choose(a.isnan(), 0.0, a), axis),
    np.nancumprod: lambda a, axis=None: _running("cumprod")(choose(a.isnan(), 1.0, a), axis),
    np.cumprod: _running("cumprod"),
    np.argmax: _place("argmax"),
    np.argmin: _place("argmin"),
    np.sort: _sort,
    np.dot: _dot,
    np.inner: lambda a, b: _tensordot(a, b, ([-1], [-1])) if a.ndim and b.ndim else a * b,
    np.outer: lambda a, b: a.reshape(-1, 1) * b.reshape(1, -1),
    np.vdot: lambda a, b: a.reshape(-1).conj() @ b.reshape(-1),
    np.tensordot: _tensordot,
    np.trace: lambda a: a.trace(),
    np.diagonal: lambda a, offset=0, axis1=0, axis2=1: a.diagonal(offset, axis1, axis2),
    np.diag: lambda v, k=0: v.diag(k),
    np.tril: lambda m, k=0: m.tril(k),
    np.triu: lambda m, k=0: m.triu(k),
    **FURTHER,
    **NUMERIC,
    **REARRANGED,
    np.linalg.inv: lambda a: a.inverse(),
    np.where: _where,
    np.clip: _clip,
    np.reshape: lambda a, shape: a.reshape(shape),
    np.ravel: lambda a: a.reshape(-1),
    np.transpose: _transpose,
    np.swapaxes: lambda a, axis1, axis2: a.transpose(axis1, axis2),
    np.moveaxis: lambda a, source, destination: a.movedim(source, destination),
    np.squeeze: _squeeze,
    np.expand_dims: _expand_dims,
    np.broadcast_to: lambda array, shape: array.expand(shape),
    np.tile: _tile,
    np.repeat: _repeat,
    np.roll: _roll,
    np.flip: _flip,
    np.diff: lambda a, n=1, axis=-1: a.diff(n, axis),
    np.real: lambda val: val.real,
    np.imag: lambda val: val.imag if val.is_complex() else wrap(np.zeros_like(val._data)),
    np.copy: lambda a: a.clone(),
    np.shape: lambda a: tuple(a.shape),
    np.ndim: lambda a: a.ndim,
    np.round: lambda a, decimals=0: a.round(decimals=decimals),
    np.around: lambda a, decimals=0: a.round(decimals=decimals),
    np.zeros_like: lambda a: wrap(np.zeros_like(a._data)),
    np.ones_like: lambda a: wrap(np.ones_like(a._data)),
}
