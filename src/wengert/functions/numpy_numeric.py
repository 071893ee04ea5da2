"""NumPy's functions that compute: samples and interpolation, fits, sums that leave elements out, signals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from wengert.engine.base import TensorBase, array_of, wrap
from wengert.functions import linalg_pseudoinverse, linalg_ranks, linalg_solving, linalg_spectra, matrices, quantiles
from wengert.functions.data import adopted
from wengert.functions.joining import cat, stack
from wengert.functions.matrix_norms import matrix_norm
from wengert.functions.norms import vector_norm
from wengert.functions.select import where as choose  # NumPy has an argument of the other name

__all__ = ["NUMERIC", "convolve", "extreme", "mean_where"]


def _tensor(x: Any) -> Any:
    return x if isinstance(x, TensorBase) else wrap(adopted(np.asarray(x)))


def _dims(a: Any, axis: Any) -> Any:
    return tuple(range(a.ndim)) if axis is None else axis


def extreme(name: str) -> Callable[..., Any]:
    """``np.max`` or ``np.min``, also of some elements only and beside an initial value."""

    def reduce(a: Any, axis: Any = None, *, keepdims: bool = False, initial: Any = None, where: Any = None) -> Any:
        if where is not None:
            if initial is None:
                raise ValueError(f"np.{name[1:]} of the elements where a mask says so needs an initial value")
            a = choose(_tensor(where), a, initial)
        found = getattr(a, name)(_dims(a, axis), bool(keepdims))
        if initial is None:
            return found
        return found.clamp(min=initial) if name == "amax" else found.clamp(max=initial)

    return reduce


def mean_where(a: Any, where: Any, axis: Any = None, keepdims: Any = False) -> Any:
    """The mean of the elements where a mask says so."""
    mask = _tensor(where).expand(a.shape)
    dims = _dims(a, axis)
    return choose(mask, a, 0).sum(dims, bool(keepdims)) / mask.sum(dims, bool(keepdims))


def convolve(a: Any, v: Any, mode: str = "full") -> Any:
    """The discrete convolution of two sequences: all of it, as long as the longer, or where both are whole."""
    if mode not in ("full", "same", "valid"):
        raise ValueError(f"np.convolve has the modes full, same and valid, not {mode!r}")
    if len(v) > len(a):
        a, v = v, a
    n, m = len(a), len(v)
    whole = stack([cat([a.new_zeros(k), a, a.new_zeros(m - 1 - k)]) * v[k] for k in range(m)]).sum(0)
    if mode == "full":
        return whole
    first = (m - 1) // 2 if mode == "same" else m - 1
    return whole[first : first + (n if mode == "same" else n - m + 1)]


def _correlate(a: Any, v: Any, mode: str = "valid") -> Any:
    whole = convolve(a, v.conj().flip(0))
    n, m = len(a), len(v)
    if mode == "full":
        return whole
    shorter, longer = min(n, m), max(n, m)
    if mode == "valid":
        return whole[shorter - 1 : longer]
    first = (shorter - 1) // 2 if n >= m else shorter - 1 - (shorter - 1) // 2
    return whole[first : first + longer]


def _interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None) -> Any:
    x, xp, fp = _tensor(x), _tensor(xp), _tensor(fp)
    places = np.clip(np.searchsorted(array_of(xp), array_of(x), side="right") - 1, 0, len(xp) - 2)
    low, high = wrap(np.asarray(places)), wrap(np.asarray(places + 1))
    slope = (fp[high] - fp[low]) / (xp[high] - xp[low])
    inside = fp[low] + slope * (x - xp[low])
    inside = choose(x >= xp[-1], fp[-1], inside)
    y = choose(x < xp[0], fp[0] if left is None else left, inside)
    return y if right is None else choose(x > xp[-1], right, y)


def _linspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, retstep: bool = False, *, axis: int = 0
) -> Any:
    start, stop = _tensor(start), _tensor(stop)
    parts = num - 1 if endpoint else num
    step = (stop - start) / parts if parts > 0 else (stop - start) * float("nan")
    steps = wrap(np.arange(num, dtype=np.float64)).reshape((num,) + (1,) * step.ndim)
    y = start + steps * (step if parts > 0 else 0.0)
    if endpoint and num > 1:
        y = cat([y[:-1], (stop + y[:1] * 0)])  # the end itself, not a sum
    y = y.movedim(0, axis)
    return (y, step) if retstep else y


def _logspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, base: Any = 10.0, *, axis: int = 0) -> Any:
    return base ** _linspace(start, stop, num, endpoint, axis=axis)


def _geomspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, *, axis: int = 0) -> Any:
    start, stop = _tensor(start), _tensor(stop)
    return _linspace(start.log(), stop.log(), num, endpoint, axis=axis).exp()


def _unwrap(p: Any, discont: Any = None, axis: int = -1, *, period: float = 2 * np.pi) -> Any:
    """The phases plus multiples of the period, which are constants."""
    values = array_of(p)
    return p + wrap(adopted(np.unwrap(values, discont, axis, period=period) - values))


def _bincount(x: Any, weights: Any = None, minlength: int = 0) -> Any:
    numbers = array_of(_tensor(x))
    size = max(int(numbers.max(initial=-1)) + 1, minlength)
    return weights.new_zeros(size).index_add(0, wrap(np.asarray(numbers, np.int64)), weights)


def _lstsq(a: Any, b: Any, rcond: Any = None) -> Any:
    a, b = _tensor(a), _tensor(b)
    columns = b.unsqueeze(-1) if b.ndim == 1 else b
    x = linalg_pseudoinverse.pinv(a, rcond) @ columns
    rank = int(linalg_ranks.matrix_rank(a.detach()))
    rows, unknowns = a.shape[-2:]
    residuals = (columns - a @ x).abs().square().sum(-2) if rank == unknowns < rows else a.new_zeros(0)
    return x.squeeze(-1) if b.ndim == 1 else x, residuals, rank, linalg_spectra.svdvals(a)


def _polyfit(x: Any, y: Any, deg: int, rcond: Any = None, *, w: Any = None) -> Any:
    x, y = _tensor(x), _tensor(y)
    powers = stack([x**k for k in range(deg, -1, -1)], -1)
    if w is not None:
        w = _tensor(w)
        powers, y = powers * w.unsqueeze(-1), y * (w if y.ndim == 1 else w.unsqueeze(-1))
    scale = powers.square().sum(0).sqrt()
    found = _lstsq(powers / scale, y, rcond)[0]
    return found / (scale if y.ndim == 1 else scale.unsqueeze(-1))


def _cumulative(name: str, first: float) -> Callable[..., Any]:
    def run(x: Any, *, axis: int | None = None, include_initial: bool = False) -> Any:
        if axis is None:
            if x.ndim > 1:
                raise ValueError("axis is a must for an array of several dimensions")
            axis = 0
        y = getattr(x, name)(axis)
        return cat([y.narrow(axis, 0, 1) * 0 + first, y], axis) if include_initial else y

    return run


def _nan_quantile(percent: float) -> Callable[..., Any]:
    def quantile(a: Any, q: Any, axis: int | None = None, *, method: str = "linear", keepdims: bool = False) -> Any:
        asked: Any = q if isinstance(q, TensorBase) else wrap(np.asarray(q, a._data.dtype))
        asked = (asked / percent).to(a.dtype)
        return quantiles.nanquantile(a, asked, axis, bool(keepdims), interpolation=method)

    return quantile


def _nan_median(a: Any, axis: int | None = None, *, keepdims: bool = False) -> Any:
    return _nan_quantile(1.0)(a, 0.5, axis, keepdims=keepdims)


def _nan_product(a: Any, axis: int | None = None, *, keepdims: bool = False) -> Any:
    filled = choose(a.isnan(), 1.0, a)
    if axis is not None:
        return filled.prod(axis, bool(keepdims))
    return filled.prod().reshape((1,) * a.ndim) if keepdims else filled.prod()


def _piecewise(x: Any, condlist: Any, funclist: Sequence[Any]) -> Any:
    conditions = [_tensor(c) for c in condlist]
    y = x * 0
    if len(funclist) == len(conditions) + 1:
        rest = funclist[-1]
        y = rest(x) if callable(rest) else y + rest
    for condition, f in zip(conditions, funclist, strict=False):
        y = choose(condition, f(x) if callable(f) else f, y)
    return y


NUMERIC: Final[dict[Any, Callable[..., Any]]] = {
    np.convolve: convolve,
    np.correlate: _correlate,
    np.interp: _interp,
    np.linspace: _linspace,
    np.logspace: _logspace,
    np.geomspace: _geomspace,
    np.unwrap: _unwrap,
    np.bincount: _bincount,
    np.polyfit: _polyfit,
    np.piecewise: _piecewise,
    np.fix: lambda x: x.trunc(),
    np.real_if_close: lambda a, tol=100: a if not a.is_complex() or a.imag.any() else a.real,  # noqa: ARG005
    np.nanquantile: _nan_quantile(1.0),
    np.nanpercentile: _nan_quantile(100.0),
    np.nanmedian: _nan_median,
    np.nanprod: _nan_product,
    np.cumulative_sum: _cumulative("cumsum", 0.0),
    np.cumulative_prod: _cumulative("cumprod", 1.0),
    np.linalg.lstsq: _lstsq,
    np.linalg.cond: lambda x, p=None: linalg_ranks.cond(x, p),
    np.linalg.tensorsolve: lambda a, b, axes=None: linalg_solving.tensorsolve(_tensor(a), _tensor(b), axes),
    np.linalg.tensorinv: lambda a, ind=2: linalg_solving.tensorinv(a, ind),
    np.linalg.matrix_norm: lambda x, *, keepdims=False, ord="fro": matrix_norm(x, ord, (-2, -1), bool(keepdims)),
    np.linalg.vector_norm: lambda x, *, axis=None, keepdims=False, ord=2: vector_norm(x, ord, axis, bool(keepdims)),
    np.linalg.cross: lambda x1, x2, *, axis=-1: matrices.linalg_cross(_tensor(x1), _tensor(x2), dim=axis),
    np.linalg.outer: lambda x1, x2: _tensor(x1).unsqueeze(-1) * _tensor(x2),
    np.linalg.trace: lambda x, *, offset=0: x.diagonal(offset, -2, -1).sum(-1),
    np.linalg.vecdot: lambda x1, x2, *, axis=-1: (_tensor(x1).conj() * x2).sum(axis),
}
