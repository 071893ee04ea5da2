"""Normalisation: each group of elements shifted and scaled by its own statistics; and rows looked up in a table.

The results of a normalisation are the output and the statistics, which the backward rules read. The statistics carry
derivatives of their own, so that the rules hold at any order.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from wengert._batched import Batched, aligned, merged, packed, physical, spread
from wengert.ops.accumulate import sum_rows
from wengert.ops.record import Kind, Op, defop

Dims = tuple[int, ...]

# --- shift and scale: (x - mean) / sqrt(variance + eps) ---


def _statistics(x: Any, dims: Dims, eps: float) -> tuple[Any, Any, Any]:
    """Give the centred input, the mean, and 1 / sqrt(variance + eps)."""
    wide = np.float32 if x.dtype.char == "e" else x.dtype
    n = float(prod([x.shape[d] for d in dims])) or float("nan")
    mean = np.add.reduce(x, axis=dims, dtype=wide, keepdims=True) / n
    centred = x - mean
    if dims == (x.ndim - 1,):
        square = np.einsum("...i,...i->...", centred, centred)[..., None]
    else:
        square = np.add.reduce(centred * centred, axis=dims, keepdims=True)
    return centred, mean, 1.0 / np.sqrt(square / n + eps)


def _normalized(x: Any, *affine: Any, dims: Dims, eps: float) -> tuple[Any, Any, Any]:
    y, mean, scale = _statistics(x, dims, eps)
    y *= scale
    for op, value in zip((np.multiply, np.add), affine, strict=False):
        y = op(y, value, out=y)
    kind = x.dtype
    return y.astype(kind, copy=False), mean.astype(kind, copy=False), scale.astype(kind, copy=False)


def _normalized_batch(xp: Any, x: Any, *affine: Any, dims: Dims, eps: float) -> Any:
    axes = merged([v.axes for v in (x, *affine) if v.__class__ is Batched])
    own = [aligned(v, axes, x.ndim) for v in affine]
    shifted = tuple([len(axes) + d for d in dims])
    return packed(_normalized(spread(x, axes), *own, dims=shifted, eps=eps), axes)


def _mean_over(xp: Any, v: Any, dims: Dims) -> Any:
    return xp.sum(v, dim=dims, keepdim=True) / float(prod([v.shape[d] for d in dims]) or 1)


def _pull(xp: Any, pushed: Any, g: Any, mean: Any, scale: Any, x: Any, dims: Dims) -> Any:
    """Give the cotangent of ``x`` from that of the normalised value (``pushed``) and those of the statistics.

    Rules hand over the two statistics, not ``y``: so the graph does not keep the first result, and a ReLU may write to
    it.
    """
    n = float(prod([x.shape[d] for d in dims]) or 1)
    unit = (x - mean) * scale
    along_mean = _mean_over(xp, pushed, dims) - g[1] / (scale * n)
    along_unit = _mean_over(xp, pushed * unit, dims) + g[2] * scale / n
    return (pushed - along_mean - unit * along_unit) * scale


def _push(xp: Any, t: Any, y: Any, x: Any, dims: Dims) -> tuple[Any, Any, Any]:
    """Give the tangents of the normalised value, the mean and the scale from that of ``x``."""
    unit = (x - y[1]) * y[2]
    t_mean = _mean_over(xp, t, dims)
    along = _mean_over(xp, t * unit, dims)
    return (t - t_mean - unit * along) * y[2], t_mean, -along * y[2] * y[2]


def _plain_vjp(xp: Any, g: Any, y: Any, x: Any, *, dims: Dims, eps: float) -> Any:
    return _pull(xp, g[0], g, y[1], y[2], x, dims)


def _plain_jvp(xp: Any, ts: Any, y: Any, x: Any, *, dims: Dims, eps: float) -> Any:
    return _push(xp, ts[0], y, x, dims)


def _weight_vjp_x(xp: Any, g: Any, y: Any, x: Any, w: Any, *, dims: Dims, eps: float) -> Any:
    return _pull(xp, g[0] * w, g, y[1], y[2], x, dims)


def _weight_vjp_w(xp: Any, g: Any, y: Any, x: Any, w: Any, *, dims: Dims, eps: float) -> Any:
    return g[0] * ((x - y[1]) * y[2])


def _affine_vjp_x(xp: Any, g: Any, y: Any, x: Any, w: Any, b: Any, *, dims: Dims, eps: float) -> Any:
    return _pull(xp, g[0] * w, g, y[1], y[2], x, dims)


def _affine_vjp_w(xp: Any, g: Any, y: Any, x: Any, w: Any, b: Any, *, dims: Dims, eps: float) -> Any:
    return g[0] * ((x - y[1]) * y[2])


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
    n = float(prod([x.shape[d] for d in dims]) or 1)
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
    batch=physical(_spread_batch),
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
