"""Losses that compare a prediction with a target element by element, and reduce the result.

A loss is stated by its value and its slope in each input; the reductions, their derivatives and the forward mode
follow. Metadata of all: ``reduction``, one of ``none``, ``mean``, ``sum``.
"""

from __future__ import annotations

from math import prod
from typing import Any, Final

import numpy as np

from wengert._batched import elementwise
from wengert.ops.activations import negative_part, positive_part
from wengert.ops.kernels import in_float32, takes
from wengert.ops.record import EachInput, Kind, Op, Promote, Rule, deffused, defop
from wengert.ops.reduce import MEAN, SUM
from wengert.spaces.raw import RAW

_LOG_FLOOR: Final = -100.0  # binary_cross_entropy cuts its logarithms off here, so that log 0 gives a finite loss
_TINY: Final = 1e-12  # and the denominator of its slope here


def _reduced_batch(v: Any, xp: Any, reduction: str) -> Any:
    return v if reduction == "none" else getattr(xp, reduction)(v, dim=None, keepdim=False)


def _divisor(shapes: list[tuple[int, ...]], reduction: str) -> float:
    if reduction != "mean":
        return 1.0
    first = shapes[0]
    return 1.0 * prod(first if all([shape == first for shape in shapes]) else np.broadcast_shapes(*shapes))


def reduced(v: Any, reduction: str) -> Any:
    """Reduce the losses of all elements as ``reduction`` says; the mean of none is nan."""
    if reduction == "none":
        return v
    return (MEAN if reduction == "mean" else SUM).impl(v, dim=None, keepdim=False)


def _per_element(g: Any, divisor: float, factor: float = 1.0) -> Any:
    """Give the cotangent of each element; dividing the reduced one first costs one scalar division."""
    g = g if factor == 1.0 else g * factor
    return g if divisor == 1.0 else g / (divisor or float("nan"))


def _tangent(xp: Any, parts: list[Any], reduction: str, divisor: float) -> Any:
    total = sum(parts[1:], parts[0])
    return total if reduction == "none" else xp.sum(total, dim=None, keepdim=False) / divisor


def _loss(
    name: str,
    value: Rule,
    slopes: tuple[Rule, Rule],
    *,
    kernel: str,
    factor: float = 1.0,
    pulls: tuple[Rule, Rule] | None = None,
    **facets: Any,
) -> Op:
    """Define a loss of two inputs: ``value(a, b, **meta)`` on raw arrays, ``factor * slope(xp, a, b, **meta)`` each.

    ``pulls`` are the slopes times a cotangent, where that is computed at once.
    """

    def times(i: int) -> Rule:
        return pulls[i] if pulls is not None else lambda xp, g, a, b, **meta: g * slopes[i](xp, a, b, **meta)

    pull_a, pull_b = times(0), times(1)

    @in_float32
    def impl(a: Any, b: Any, *, reduction: str, **meta: Any) -> Any:
        return reduced(value(a, b, **meta), reduction)

    def vjp_a(xp: Any, g: Any, y: Any, a: Any, b: Any, *, reduction: str, **meta: Any) -> Any:
        return pull_a(xp, _per_element(g, _divisor([a.shape, b.shape], reduction), factor), a, b, **meta)

    def vjp_b(xp: Any, g: Any, y: Any, a: Any, b: Any, *, reduction: str, **meta: Any) -> Any:
        return pull_b(xp, _per_element(g, _divisor([a.shape, b.shape], reduction), factor), a, b, **meta)

    def jvp(xp: Any, ts: Any, y: Any, a: Any, b: Any, *, reduction: str, **meta: Any) -> Any:
        parts = [slope(xp, a, b, **meta) * t * factor for slope, t in zip(slopes, ts, strict=True) if t is not None]
        return _tangent(xp, parts, reduction, _divisor([a.shape, b.shape], reduction))

    def batch(xp: Any, a: Any, b: Any, *, reduction: str, **meta: Any) -> Any:
        return _reduced_batch(elementwise(in_float32(value), (a, b), meta), xp, reduction)

    return defop(
        name,
        impl,
        Kind.OTHER,
        batch=batch,
        vjp=(vjp_a, vjp_b),
        args=("self", "target"),
        promote=Promote.COMMON,
        jvp=jvp,
        check=takes(kernel),
        **facets,
    )


# --- regression ---


def _squared(a: Any, b: Any) -> Any:
    d = a - b
    d *= d
    return d


def _scaled_difference(g: Any, a: Any, b: Any) -> Any:
    d = a - b
    return g * d if d.__class__ is not np.ndarray or g.ndim else np.multiply(d, g, out=d)


deffused("scaled_difference", lambda xp, g, a, b: g * (a - b), _scaled_difference)

MSE_LOSS = _loss(
    "mse_loss",
    _squared,
    (lambda xp, a, b: a - b, lambda xp, a, b: b - a),
    pulls=(
        lambda xp, g, a, b: xp.scaled_difference(g, a, b),
        lambda xp, g, a, b: xp.scaled_difference(g, b, a),
    ),
    factor=2.0,
    kernel="mse_cpu",
    formula="mean (a - b)^2",
    doc="Squared difference of a prediction and a target.",
)


def _huber(a: Any, b: Any, *, delta: float) -> Any:
    size = np.abs(a - b)
    near = size.clip(0.0, delta)
    return near * (size - near * 0.5)


def _huber_slope(xp: Any, a: Any, b: Any, *, delta: float) -> Any:
    d = a - b
    return xp.where(xp.abs(d) >= delta, xp.sign(d) * delta, d)  # in this order, so that NaN stays NaN


HUBER_LOSS = _loss(
    "huber_loss",
    _huber,
    (_huber_slope, lambda xp, a, b, *, delta: _huber_slope(xp, b, a, delta=delta)),
    kernel="huber_cpu",
    formula="d^2 / 2 where |d| <= delta, else delta (|d| - delta / 2)",
    doc="Half the squared difference near zero, growing linearly from `delta` on.",
)


def _smooth_l1(a: Any, b: Any, *, beta: float) -> Any:
    return _huber(a, b, delta=beta) / beta


def _smooth_l1_slope(xp: Any, a: Any, b: Any, *, beta: float) -> Any:
    d = a - b
    return xp.where(xp.abs(d) >= beta, xp.sign(d), d / beta)


SMOOTH_L1_LOSS = _loss(
    "smooth_l1_loss",
    _smooth_l1,
    (_smooth_l1_slope, lambda xp, a, b, *, beta: _smooth_l1_slope(xp, b, a, beta=beta)),
    kernel="smooth_l1_cpu",
    node="SmoothL1LossBackward0",
    formula="d^2 / (2 beta) where |d| < beta, else |d| - beta / 2",
    doc="Absolute difference, rounded off to a parabola within `beta` of zero.",
)

# --- two classes ---


def _soft_margin(a: Any, b: Any) -> Any:
    z = a * b
    return np.log1p(np.exp(-np.abs(z))) - negative_part(z)


SOFT_MARGIN_LOSS = _loss(
    "soft_margin_loss",
    _soft_margin,
    (lambda xp, a, b: -b * xp.sigmoid(-a * b), lambda xp, a, b: -a * xp.sigmoid(-a * b)),
    kernel="soft_margin_loss",
    formula="log(1 + exp(-a b))",
    doc="Logistic loss of a score and a label -1 or 1.",
)


def _cross_entropy_of(x: Any, t: Any, *weight: Any) -> Any:
    v = (t - 1) * np.log1p(-x).clip(_LOG_FLOOR, 0.0) - t * np.log(x).clip(_LOG_FLOOR, 0.0)
    return v * weight[0] if weight else v


@in_float32
def _cross_entropy_impl(x: Any, t: Any, *weight: Any, reduction: str) -> Any:
    return reduced(_cross_entropy_of(x, t, *weight), reduction)


def _cross_entropy_slope(xp: Any, i: int, xs: Any) -> Any:
    x, t = xs[0], xs[1]
    if i == 0:
        slope = (x - t) / xp.clamp_min((1 - x) * x, min=_TINY)
    else:
        slope = xp.log1p(-x) - xp.log(x)
    return slope * xs[2] if len(xs) == 3 else slope


def _cross_entropy_vjp(xp: Any, g: Any, y: Any, i: int, *xs: Any, reduction: str) -> Any:
    return _per_element(g, _divisor([x.shape for x in xs], reduction)) * _cross_entropy_slope(xp, i, xs)


def _cross_entropy_jvp(xp: Any, ts: Any, y: Any, *xs: Any, reduction: str) -> Any:
    parts = [_cross_entropy_slope(xp, i, xs) * t for i, t in enumerate(ts) if t is not None]
    return _tangent(xp, parts, reduction, _divisor([x.shape for x in xs], reduction))


BINARY_CROSS_ENTROPY = defop(
    "binary_cross_entropy",
    _cross_entropy_impl,
    Kind.OTHER,
    batch=lambda xp, *xs, reduction: _reduced_batch(elementwise(in_float32(_cross_entropy_of), xs, {}), xp, reduction),
    vjp=EachInput(_cross_entropy_vjp, lambda i: i < 2),
    args=("self", "target", "weight"),
    jvp=_cross_entropy_jvp,
    check=takes("binary_cross_entropy"),
    formula="-(t log x + (1 - t) log(1 - x))",
    doc="Cross entropy of a probability and its target, each logarithm at least -100; the weight is optional.",
)


def _with_logits(x: Any, t: Any, *weights: Any, weighted: bool, pos_weighted: bool) -> Any:
    # log(1 + exp(-x)) without overflow; then (1 - t) x + (1 + (p - 1) t) times it
    v = np.log1p(np.exp(-np.abs(x)))
    v -= negative_part(x)
    if pos_weighted:
        v = v * ((weights[-1] - 1) * t + 1)
    v = v + (1 - t) * x
    return v * weights[0] if weighted else v


@in_float32
def _with_logits_impl(x: Any, t: Any, *weights: Any, reduction: str, **meta: bool) -> Any:
    return reduced(_with_logits(x, t, *weights, **meta), reduction)


def _with_logits_batch(xp: Any, *xs: Any, reduction: str, **meta: bool) -> Any:
    return _reduced_batch(elementwise(in_float32(_with_logits), xs, meta), xp, reduction)


def _with_logits_slope(xp: Any, i: int, xs: Any, weighted: bool, pos_weighted: bool) -> Any:
    x, t = xs[0], xs[1]
    if i == 0:
        slope = xp.sigmoid(x) - t
        if pos_weighted:
            positive = xs[-1] * t
            slope = (positive + 1 - t) * xp.sigmoid(x) - positive
    else:
        slope = (1 - xs[-1]) * xp.logsigmoid(x) - x if pos_weighted else -x
    return slope * xs[2] if weighted else slope


def _with_logits_vjp(
    xp: Any, g: Any, y: Any, i: int, *xs: Any, reduction: str, weighted: bool, pos_weighted: bool
) -> Any:
    g = _per_element(g, _divisor([x.shape for x in xs], reduction))
    if i == 0 and len(xs) == 2:
        return xp.logits_pull(g, *xs)
    return g * _with_logits_slope(xp, i, xs, weighted, pos_weighted)


def _logits_pull_parts(xp: Any, g: Any, x: Any, t: Any) -> Any:
    return g * (xp.sigmoid(x) - t)


deffused("logits_pull", _logits_pull_parts, lambda g, x, t: _logits_pull_parts(RAW, g, x, t))


def _with_logits_jvp(xp: Any, ts: Any, y: Any, *xs: Any, reduction: str, weighted: bool, pos_weighted: bool) -> Any:
    slopes = [(t, _with_logits_slope(xp, i, xs, weighted, pos_weighted)) for i, t in enumerate(ts) if t is not None]
    return _tangent(xp, [s * t for t, s in slopes], reduction, _divisor([x.shape for x in xs], reduction))


BINARY_CROSS_ENTROPY_WITH_LOGITS = defop(
    "binary_cross_entropy_with_logits",
    _with_logits_impl,
    Kind.OTHER,
    batch=_with_logits_batch,
    vjp=EachInput(_with_logits_vjp, lambda i: i < 2),
    args=("self", "target", "weight", "pos_weight"),
    promote=Promote.COMMON,
    jvp=_with_logits_jvp,
    check=takes("log_sigmoid_cpu"),
    formula="(1 - t) x + (1 + (p - 1) t) log(1 + exp(-x))",
    doc="Binary cross entropy of sigmoid(x), without overflow; both weights are optional.",
)

# --- margins over several classes ---


def _excess(x: Any, own: Any, margin: float) -> Any:
    """By how much each class comes within the margin of the row's own class (0 for that class itself)."""
    z = x - np.add.reduce(x * own, axis=-1, keepdims=True) + margin
    return positive_part(z) * (1 - own)


def _multi_margin(x: Any, own: Any, weight: Any, *, p: int, margin: float) -> Any:
    z = _excess(x, own, margin)
    z = z * weight if p == 1 else z * z * weight
    return np.add.reduce(z, axis=-1) / x.shape[-1]


@in_float32
def _multi_margin_impl(x: Any, own: Any, weight: Any, *, p: int, margin: float, reduction: str) -> Any:
    return reduced(_multi_margin(x, own, weight, p=p, margin=margin), reduction)


def _multi_margin_batch(xp: Any, *xs: Any, reduction: str, **meta: Any) -> Any:
    return _reduced_batch(elementwise(in_float32(_multi_margin), xs, meta), xp, reduction)


def _multi_margin_push(xp: Any, x: Any, own: Any, weight: Any, p: int, margin: float) -> Any:
    """Give the derivative by each class's score, the row's own class left out."""
    own_score = xp.sum(x * own, dim=(x.ndim - 1,), keepdim=True)
    z = x - own_score + margin
    push = (1 - own) * weight * (p / x.shape[-1])
    return xp.zero_where(push if p == 1 else push * z, z <= 0)


def _multi_margin_vjp(
    xp: Any, g: Any, y: Any, x: Any, own: Any, weight: Any, *, p: int, margin: float, reduction: str
) -> Any:
    push = _multi_margin_push(xp, x, own, weight, p, margin)
    slope = push - own * xp.sum(push, dim=(x.ndim - 1,), keepdim=True)
    g = _per_element(g, _divisor([x.shape[:-1]], reduction))
    return slope * (xp.unsqueeze(g, dim=g.ndim) if reduction == "none" else g)


def _multi_margin_jvp(
    xp: Any, ts: Any, y: Any, x: Any, own: Any, weight: Any, *, p: int, margin: float, reduction: str
) -> Any:
    push = _multi_margin_push(xp, x, own, weight, p, margin)
    slope = push - own * xp.sum(push, dim=(x.ndim - 1,), keepdim=True)
    rows = xp.sum(slope * ts[0], dim=(x.ndim - 1,), keepdim=False)
    return _tangent(xp, [rows], reduction, _divisor([x.shape[:-1]], reduction))


MULTI_MARGIN_LOSS = defop(
    "multi_margin_loss",
    _multi_margin_impl,
    Kind.OTHER,
    batch=_multi_margin_batch,
    vjp=(_multi_margin_vjp, None, None),
    args=("self", "target", "weight"),
    jvp=_multi_margin_jvp,
    check=takes("multi_margin_loss_cpu_kernel"),
    formula="sum_j max(0, margin - x_own + x_j)^p / C",
    doc="How far other classes come within a margin of the right one, which `target` holds one-hot.",
)


def _multilabel_rows(x: Any, count: Any, other: Any) -> Any:
    gaps = positive_part(1 - x[..., :, None] + x[..., None, :])
    return np.add.reduce(gaps * (count[..., :, None] * other[..., None, :]), axis=(-2, -1)) / x.shape[-1]


@in_float32
def _multilabel_margin(x: Any, count: Any, other: Any, *, reduction: str) -> Any:
    return reduced(_multilabel_rows(x, count, other), reduction)


def _multilabel_margin_batch(xp: Any, *xs: Any, reduction: str) -> Any:
    return _reduced_batch(elementwise(in_float32(_multilabel_rows), xs, {}), xp, reduction)


def _multilabel_slope(xp: Any, x: Any, count: Any, other: Any) -> Any:
    n, axis = x.shape[-1], x.ndim
    gap = 1 - xp.unsqueeze(x, dim=axis) + xp.unsqueeze(x, dim=axis - 1)
    pairs = xp.unsqueeze(count, dim=axis) * xp.unsqueeze(other, dim=axis - 1) / n
    active = xp.zero_where(pairs, gap <= 0)
    return xp.sum(active, dim=(axis - 1,), keepdim=False) - xp.sum(active, dim=(axis,), keepdim=False)


def _multilabel_vjp(xp: Any, g: Any, y: Any, x: Any, count: Any, other: Any, *, reduction: str) -> Any:
    g = _per_element(g, _divisor([x.shape[:-1]], reduction))
    return _multilabel_slope(xp, x, count, other) * (xp.unsqueeze(g, dim=g.ndim) if reduction == "none" else g)


def _multilabel_jvp(xp: Any, ts: Any, y: Any, x: Any, count: Any, other: Any, *, reduction: str) -> Any:
    rows = xp.sum(_multilabel_slope(xp, x, count, other) * ts[0], dim=(x.ndim - 1,), keepdim=False)
    return _tangent(xp, [rows], reduction, _divisor([x.shape[:-1]], reduction))


MULTILABEL_MARGIN_LOSS = defop(
    "multilabel_margin_loss",
    _multilabel_margin,
    Kind.OTHER,
    batch=_multilabel_margin_batch,
    vjp=(_multilabel_vjp, None, None),
    args=("self", "target", "is_target"),
    jvp=_multilabel_jvp,
    check=takes("multilabel_margin_loss_forward_out_frame"),
    formula="sum_jk max(0, 1 - (x_j - x_k)) / C, j a label and k none",
    doc="How far classes that are no labels come within one of those that are; `target` counts each label.",
)
