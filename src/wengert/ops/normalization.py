"""Normalisation: each group of elements shifted and scaled by its own statistics; and rows looked up in a table.

The results of a normalisation are the output and the statistics, which the backward rules read. The statistics carry
derivatives of their own, so that the rules hold at any order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import prod
from typing import Any, Final

import numpy as np

from wengert._batched import Batched, aligned, merged, packed, physical, spread, whole
from wengert._traced import Traced
from wengert.ops.accumulate import sum_rows
from wengert.ops.record import Kind, Op, deffused, defop
from wengert.spaces.raw import RAW

Dims = tuple[int, ...]

# --- blocks of values, and sums within them ---

_BLOCK: Final = 2**18  # elements that stay in the cache while some ten NumPy calls go over them


def _blocks(x: Any) -> Iterator[slice]:
    """Parts of the first axis, each about as large as the cache takes."""
    step = max(1, _BLOCK * len(x) // max(1, x.size))
    for start in range(0, len(x), step):
        yield slice(start, start + step)


def _of_block(value: Any, ndim: int, part: slice) -> Any:
    """The part of a value that broadcasts against arrays of ``ndim`` axes."""
    return value[part] if value.ndim == ndim and len(value) > 1 else value


def _sums(a: Any, axes: Dims) -> Any:
    """Sums over some axes, which are kept; along rows by BLAS, which is faster at it."""
    if axes == (a.ndim - 1,) and a.shape[-1] > 1:
        return (a @ np.ones(a.shape[-1], a.dtype))[..., None]
    return np.add.reduce(a, axis=axes, keepdims=True)


def _inner_sums(a: Any, b: Any, axes: Dims) -> Any:
    """Sums of products over some axes, which are kept."""
    if axes == (a.ndim - 1,):
        return np.vecdot(a, b)[..., None]
    kept = [d for d in range(a.ndim) if d not in axes]
    total = np.einsum(a, range(a.ndim), b, range(a.ndim), kept)
    return total.reshape([1 if d in axes else n for d, n in enumerate(a.shape)])


# --- shift and scale: (x - mean) / sqrt(variance + eps) ---


def _normalized(x: Any, *affine: Any, dims: Dims, eps: float) -> tuple[Any, Any, Any]:
    if 0 in dims or x.size <= _BLOCK or x.dtype.char == "e":
        return _normalized_block(x, affine, np.empty(x.shape, x.dtype), dims, eps)
    y = np.empty(x.shape, x.dtype)
    statistics = []
    for part in _blocks(x):
        own = [_of_block(value, x.ndim, part) for value in affine]
        statistics.append(_normalized_block(x[part], own, y[part], dims, eps)[1:])
    means, scales = zip(*statistics, strict=True)
    return y, np.concatenate(means), np.concatenate(scales)


def _normalized_block(x: Any, affine: Any, y: Any, dims: Dims, eps: float) -> tuple[Any, Any, Any]:
    """Normalise into ``y``; give it, the mean, and 1 / sqrt(variance + eps)."""
    kind = x.dtype
    if kind.char == "e":
        wide = [value.astype(np.float32) for value in affine]
        parts = _normalized_block(x.astype(np.float32), wide, np.empty(x.shape, np.float32), dims, eps)
        return tuple([part.astype(kind) for part in parts])
    n = float(prod([x.shape[d] for d in dims])) or float("nan")
    mean = _sums(x, dims) / n
    np.subtract(x, mean, out=y)
    scale = 1.0 / np.sqrt(_inner_sums(y, y, dims) / n + eps)
    y *= scale
    for op, value in zip((np.multiply, np.add), affine, strict=False):
        op(y, value, out=y)
    return y, mean, scale


def _normalized_batch(xp: Any, x: Any, *affine: Any, dims: Dims, eps: float) -> Any:
    axes = merged([v.axes for v in (x, *affine) if v.__class__ is Batched])
    own = [aligned(v, axes, x.ndim) for v in affine]
    shifted = tuple([len(axes) + d for d in dims])
    return packed(_normalized(spread(x, axes), *own, dims=shifted, eps=eps), axes)


def _mean_over(xp: Any, v: Any, dims: Dims) -> Any:
    return xp.sum(v, dim=dims, keepdim=True) / (1.0 * prod([v.shape[d] for d in dims]) or 1.0)


def _pull_parts(
    xp: Any, g: Any, g_mean: Any, g_scale: Any, x: Any, mean: Any, scale: Any, *weight: Any, dims: Dims
) -> Any:
    """Give the cotangent of ``x`` from those of the three results.

    Rules hand over the two statistics, not ``y``: so the graph does not keep the first result, and a ReLU may write to
    it.
    """
    pushed = g * weight[0] if weight else g
    n = 1.0 * prod([x.shape[d] for d in dims]) or 1.0
    unit = (x - mean) * scale
    along_mean = _mean_over(xp, pushed, dims) - g_mean / (scale * n)
    along_unit = _mean_over(xp, pushed * unit, dims) + g_scale * scale / n
    return (pushed - along_mean - unit * along_unit) * scale


def _pull_of_weight_parts(xp: Any, g: Any, x: Any, mean: Any, scale: Any, *, shape: Dims) -> Any:
    """Give the cotangent of the weight, added up over the axes along which it repeats."""
    product = g * ((x - mean) * scale)
    extra = product.ndim - len(shape)
    dims = tuple([d for d in range(product.ndim) if d < extra or shape[d - extra] == 1])
    return xp.reshape(xp.sum(product, dim=dims, keepdim=True), shape=shape)


def _pull(g: Any, g_mean: Any, g_scale: Any, x: Any, mean: Any, scale: Any, *weight: Any, dims: Dims) -> Any:
    if x.dtype.char == "e" or not x.size:
        return _pull_parts(RAW, g, g_mean, g_scale, x, mean, scale, *weight, dims=dims)
    n = float(prod([x.shape[d] for d in dims]))
    out = np.empty(x.shape, x.dtype)
    along: Any = ()
    if 0 in dims:  # statistics over all blocks: first what they add up to
        total, total_unit = 0.0, 0.0
        for part in _blocks(x):
            pushed, unit = _pushed(out, g, x, mean, scale, weight, part)
            total = total + _sums(pushed, dims)
            total_unit = total_unit + _inner_sums(pushed, unit, dims)
        along = total, total_unit
    for part in _blocks(x):
        pushed, unit = _pushed(out, g, x, mean, scale, weight, part)
        sums = along or (_sums(pushed, dims), _inner_sums(pushed, unit, dims))
        of_mean, of_scale, by = [_of_block(value, x.ndim, part) for value in (g_mean, g_scale, scale)]
        unit *= (sums[1] + of_scale * by) / n
        pushed -= unit
        pushed -= (sums[0] - of_mean / by) / n
        pushed *= by
    return out


def _pushed(out: Any, g: Any, x: Any, mean: Any, scale: Any, weight: Any, part: slice) -> tuple[Any, Any]:
    """The cotangent of the normalised values, written to a block of ``out``, and these values."""
    unit = x[part] - _of_block(mean, x.ndim, part)
    unit *= _of_block(scale, x.ndim, part)
    pushed = out[part]
    if weight:
        np.multiply(g[part], _of_block(weight[0], x.ndim, part), out=pushed)
    else:
        pushed[...] = g[part]
    return pushed, unit


def _pull_of_weight(g: Any, x: Any, mean: Any, scale: Any, *, shape: Dims) -> Any:
    extra = x.ndim - len(shape)
    if x.dtype.char == "e" or not x.size or (not extra and shape[0] > 1):
        return _pull_of_weight_parts(RAW, g, x, mean, scale, shape=shape)
    axes = tuple([d for d in range(x.ndim) if d < extra or shape[d - extra] == 1])
    total: Any = 0.0
    for part in _blocks(x):
        unit = x[part] - _of_block(mean, x.ndim, part)
        unit *= _of_block(scale, x.ndim, part)
        total = total + _inner_sums(g[part], unit, axes)
    return total.reshape(shape)


deffused("normalization_pull", _pull_parts, _pull)
deffused("normalization_pull_weight", _pull_of_weight_parts, _pull_of_weight)


def _push(xp: Any, t: Any, y: Any, x: Any, dims: Dims) -> tuple[Any, Any, Any]:
    """Give the tangents of the normalised value, the mean and the scale from that of ``x``."""
    unit = (x - y[1]) * y[2]
    t_mean = _mean_over(xp, t, dims)
    along = _mean_over(xp, t * unit, dims)
    return (t - t_mean - unit * along) * y[2], t_mean, -along * y[2] * y[2]


def _plain_vjp(xp: Any, g: Any, y: Any, x: Any, *, dims: Dims, eps: float) -> Any:
    return xp.normalization_pull(g[0], g[1], g[2], x, y[1], y[2], dims=dims)


def _plain_jvp(xp: Any, ts: Any, y: Any, x: Any, *, dims: Dims, eps: float) -> Any:
    return _push(xp, ts[0], y, x, dims)


def _weight_vjp_x(xp: Any, g: Any, y: Any, x: Any, w: Any, *, dims: Dims, eps: float) -> Any:
    return xp.normalization_pull(g[0], g[1], g[2], x, y[1], y[2], w, dims=dims)


def _weight_vjp_w(xp: Any, g: Any, y: Any, x: Any, w: Any, *, dims: Dims, eps: float) -> Any:
    return xp.normalization_pull_weight(g[0], x, y[1], y[2], shape=w.shape)


def _affine_vjp_x(xp: Any, g: Any, y: Any, x: Any, w: Any, b: Any, *, dims: Dims, eps: float) -> Any:
    return xp.normalization_pull(g[0], g[1], g[2], x, y[1], y[2], w, dims=dims)


def _affine_vjp_w(xp: Any, g: Any, y: Any, x: Any, w: Any, b: Any, *, dims: Dims, eps: float) -> Any:
    return xp.normalization_pull_weight(g[0], x, y[1], y[2], shape=w.shape)


def _affine_vjp_b(xp: Any, g: Any, y: Any, x: Any, w: Any, b: Any, *, dims: Dims, eps: float) -> Any:
    return g[0]


def _affine_jvp(xp: Any, ts: Any, y: Any, x: Any, w: Any, *b: Any, dims: Dims, eps: float) -> Any:
    zero = xp.zeros_like(y[0])
    parts = [zero] if len(ts) < 3 or ts[2] is None else [zero + ts[2]]
    if ts[1] is not None:
        parts.append((x - y[1]) * y[2] * ts[1])
    t_mean, t_scale = xp.zeros_like(y[1]), xp.zeros_like(y[2])
    if ts[0] is not None:
        t_unit, t_mean, t_scale = _push(xp, ts[0], y, x, dims)
        parts.append(t_unit * w)
    return sum(parts[1:], parts[0]), t_mean, t_scale


def _normalization(name: str, node: str, doc: str) -> tuple[Op, Op, Op]:
    """Define a normalisation without weight, with weight, and with weight and bias."""

    def record(suffix: str, vjp: tuple[Callable[..., Any], ...], jvp: Callable[..., Any]) -> Op:
        return defop(
            name + suffix,
            _normalized,
            Kind.OTHER,
            batch=_normalized_batch,
            vjp=vjp,
            args=("input", "weight", "bias")[: len(vjp)],
            node=node,
            outputs=3,
            differentiable_outputs=(0, 1, 2),
            jvp=jvp,
            formula="(x - mean) / sqrt(var + eps)" + ("", " w", " w + b")[len(vjp) - 1],
            doc=doc,
        )

    return (
        record("", (_plain_vjp,), _plain_jvp),
        record("_weight", (_weight_vjp_x, _weight_vjp_w), _affine_jvp),
        record("_affine", (_affine_vjp_x, _affine_vjp_w, _affine_vjp_b), _affine_jvp),
    )


LAYER_NORM = _normalization(
    "layer_norm", "NativeLayerNormBackward0", "Each sample shifted and scaled to mean 0 and variance 1."
)
GROUP_NORM = _normalization(
    "group_norm", "NativeGroupNormBackward0", "Each group of channels of a sample to mean 0 and variance 1."
)
BATCH_NORM = _normalization(
    "batch_norm", "NativeBatchNormBackward0", "Each channel shifted and scaled to mean 0 and variance 1 over a batch."
)

# --- with statistics that were gathered before ---

BATCH_NORM_FIXED = defop(
    "batch_norm_fixed",
    lambda x, mean, scale, w, b: (x - mean) * (scale * w) + b,
    Kind.ELEMENTWISE,
    vjp=(
        lambda xp, g, y, x, mean, scale, w, b: g * (scale * w),
        None,
        None,
        lambda xp, g, y, x, mean, scale, w, b: g * ((x - mean) * scale),
        lambda xp, g, y, x, mean, scale, w, b: g,
    ),
    args=("input", "running_mean", "running_var", "weight", "bias"),
    node="NativeBatchNormBackward0",
    formula="(x - mean) scale w + b",
    doc="Each channel shifted and scaled by given statistics.",
)

# --- scale only: x / sqrt(mean(x^2) + eps) ---


def _rms_norm(x: Any, *, dims: Dims, eps: float) -> tuple[Any, Any]:
    wide = x.astype(np.float32) if x.dtype.char == "e" else x
    n = float(prod([x.shape[d] for d in dims])) or float("nan")
    scale = 1.0 / np.sqrt(np.add.reduce(wide * wide, axis=dims, keepdims=True) / n + eps)
    return (wide * scale).astype(x.dtype, copy=False), scale.astype(x.dtype, copy=False)


def _rms_norm_vjp(xp: Any, g: Any, y: Any, x: Any, *, dims: Dims, eps: float) -> Any:
    n = 1.0 * prod([x.shape[d] for d in dims]) or 1.0
    unit = x * y[1]  # the first result anew, so that it may be written to
    along = _mean_over(xp, g[0] * unit, dims) + g[1] * y[1] / n
    return (g[0] - unit * along) * y[1]


def _rms_norm_jvp(xp: Any, ts: Any, y: Any, x: Any, *, dims: Dims, eps: float) -> Any:
    along = _mean_over(xp, ts[0] * y[0], dims)
    return (ts[0] - y[0] * along) * y[1], -along * y[1] * y[1]


RMS_NORM = defop(
    "rms_norm",
    _rms_norm,
    Kind.OTHER,
    batch=Kind.SCAN,
    vjp=(_rms_norm_vjp,),
    args=("input",),
    node="MulBackward0",
    outputs=2,
    differentiable_outputs=(0, 1),
    jvp=_rms_norm_jvp,
    formula="x / sqrt(mean(x^2) + eps)",
    doc="Each sample scaled to a mean square of 1.",
)

# --- rows of a table ---


def _without_padding(index: Any, rows: Any, padding_idx: int) -> Any:
    if padding_idx < 0:
        return rows
    return np.where((index == padding_idx)[:, None], rows.dtype.type(0), rows)


def _embedding_spread(g: Any, index: Any, *, count: int, padding_idx: int, scale_grad_by_freq: bool) -> Any:
    index, rows = index.reshape(-1), g.reshape(index.size, g.shape[-1])
    rows = _without_padding(index, rows, padding_idx)
    if scale_grad_by_freq:
        rows = rows / np.bincount(index, minlength=count)[index, None].astype(rows.dtype)
    return sum_rows(count, index, rows)


def _embedding_pull(xp: Any, g: Any, y: Any, w: Any, index: Any, *, padding_idx: int, scale_grad_by_freq: bool) -> Any:
    return xp.embedding_spread(
        g, index, count=w.shape[0], padding_idx=padding_idx, scale_grad_by_freq=scale_grad_by_freq
    )


def _spread_vjp(
    xp: Any, g: Any, y: Any, x: Any, index: Any, *, count: int, padding_idx: int, scale_grad_by_freq: bool
) -> Any:
    return xp.embedding_gather(g, index, padding_idx=padding_idx, scale_grad_by_freq=scale_grad_by_freq)


def _embedding_gather(w: Any, index: Any, *, padding_idx: int, scale_grad_by_freq: bool) -> Any:
    """Look up what flows back through :func:`_embedding_spread`: nothing at the padding, shares of repeated rows."""
    flat = index.reshape(-1)
    rows = _without_padding(flat, w[flat], padding_idx)
    if scale_grad_by_freq:
        rows = rows / np.bincount(flat, minlength=w.shape[0])[flat, None].astype(rows.dtype)
    return rows.reshape((*index.shape, w.shape[-1]))


def _stacked(k: int, index: Any, count: int) -> Any:
    """The indices into the tables of all members as one table, ``count`` rows for each."""
    members = np.arange(prod(index.shape[:k])) * count
    return index + members.reshape(*index.shape[:k], *(1,) * (index.ndim - k))


def _spread_rule(xp: Any, g: Any, index: Any, *, count: int, padding_idx: int, scale_grad_by_freq: bool) -> Any:
    meta = {"count": count, "padding_idx": padding_idx, "scale_grad_by_freq": scale_grad_by_freq}
    if scale_grad_by_freq or not isinstance(whole(g), Traced):
        return physical(_spread_batch)(xp, g, index, **meta)
    if padding_idx >= 0:
        g = xp.where(xp.unsqueeze(xp.eq(index, padding_idx), dim=index.ndim), 0.0, g)
    return xp.index_backward(g, index, shape=(count, g.shape[-1]), spec=(True,))


def _spread_batch(k: int, g: Any, index: Any, *, count: int, padding_idx: int, scale_grad_by_freq: bool) -> Any:
    lead, width = index.shape[:k], g.shape[-1]
    rows = _without_padding(index.reshape(-1), g.reshape(index.size, width), padding_idx)
    tables = _embedding_spread(
        rows,
        _stacked(k, index, count),
        count=prod(lead) * count,
        padding_idx=-1,
        scale_grad_by_freq=scale_grad_by_freq,
    )
    return tables.reshape(*lead, count, width)


def _gather_batch(k: int, w: Any, index: Any, *, padding_idx: int, scale_grad_by_freq: bool) -> Any:
    count, width = w.shape[-2:]
    table, places = w.reshape(prod(w.shape[:-1]), width), _stacked(k, index, count)
    rows = _embedding_gather(table, places, padding_idx=-1, scale_grad_by_freq=scale_grad_by_freq)
    return _without_padding(index.reshape(-1), rows.reshape(index.size, width), padding_idx).reshape(rows.shape)


EMBEDDING = defop(
    "embedding",
    lambda w, index, *, padding_idx, scale_grad_by_freq: w.take(index, axis=0),
    Kind.INDEXING,
    batch=lambda xp, w, index, **_: xp.index(w, index, spec=(True,)),
    vjp=(_embedding_pull, None),
    args=("weight", "indices"),
    linear=(0,),
    formula="w[i]",
    doc="Rows of a table, chosen by index.",
)
EMBEDDING_SPREAD = defop(
    "embedding_spread",
    _embedding_spread,
    Kind.INDEXING,
    batch=_spread_rule,
    vjp=(_spread_vjp, None),
    args=("grad", "indices"),
    node="EmbeddingDenseBackwardBackward0",
    linear=(0,),
    formula="y[i] += x",
    doc="A table of zeros with rows added at their indices.",
)
EMBEDDING_GATHER = defop(
    "embedding_gather",
    _embedding_gather,
    Kind.INDEXING,
    batch=physical(_gather_batch),
    vjp=(_embedding_pull, None),
    args=("weight", "indices"),
    linear=(0,),
    formula="y = x[i]",
    doc="The adjoint of embedding_spread.",
)
