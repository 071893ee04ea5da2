"""Draws from distributions: ``normal``, ``bernoulli``, ``multinomial``, ``poisson``, and fills in place.

In PyTorch a draw is differentiable with a zero gradient: the numbers are what they are, whatever the parameters. So
they are here. The numbers are PyTorch's for the same seed, but for those of :func:`poisson`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert._batched import whole
from wengert._dtypes import NumpyDtype, int64
from wengert._fpenv import SILENT, enter, leave
from wengert._random import Stream
from wengert._traced import Traced
from wengert.engine.apply import apply
from wengert.engine.base import TensorBase, wrap
from wengert.engine.out import deliver
from wengert.functions.batched_streams import drawn_whole
from wengert.functions.generators import stream_of
from wengert.functions.memory_order import is_reordered, laid_out
from wengert.functions.operands import must_broadcast
from wengert.functions.options import (
    chosen_dtype,
    integer,
    made_into,
    number,
    one_size,
    require_tensor,
    type_name,
)
from wengert.functions.random import require_float
from wengert.ops import sampling as ops
from wengert.ops.movement import EXPAND

__all__ = ["SamplingMethods", "bernoulli", "binomial", "multinomial", "normal", "poisson"]


def normal(
    mean: Any = 0.0,
    std: Any = 1.0,
    size: Any = None,
    *,
    generator: Any = None,
    out: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Any:
    """Normal numbers: one per element of the tensors ``mean`` and ``std`` (broadcast), or ``size`` of them.

    Raises:
        RuntimeError: a negative standard deviation, or shapes that do not fit.
        TypeError: two numbers without a size.

    >>> import wengert as torch
    >>> torch.normal(torch.zeros(3), 1.0).shape, torch.normal(5.0, 0.0, (2,))
    (torch.Size([3]), tensor([5., 5.]))
    """
    stream = stream_of("normal", generator)
    if isinstance(mean, TensorBase) and isinstance(std, TensorBase):
        _check_spreads(std._data)
        must_broadcast("normal", mean._data.shape, std._data.shape)
        shape = np.broadcast_shapes(mean._data.shape, std._data.shape)
        values = normal_values(stream, mean._data, std._data, shape, mean._data.dtype)
        return deliver(out, apply(ops.NORMAL_BOTH, mean, std, wrap(values)), mean, std)
    if isinstance(mean, TensorBase):
        spread = checked_std(number("normal", "std", 2, std))
        values = normal_values(stream, mean._data, spread, mean._data.shape, mean._data.dtype)
        return deliver(out, apply(ops.NORMAL_AROUND, mean, wrap(values)), mean)
    if isinstance(std, TensorBase):
        _check_spreads(std._data)
        center = number("normal", "mean", 1, mean)
        values = normal_values(stream, center, std._data, std._data.shape, std._data.dtype)
        return deliver(out, apply(ops.NORMAL_SPREAD, std, wrap(values)), std)
    if size is None:
        raise TypeError(
            f"normal() received an invalid combination of arguments - got ({type(mean).__name__}, "
            f"{type(std).__name__}), but expected a tensor among mean and std, or a size: normal(0., 1., (2, 3))"
        )
    kind = chosen_dtype("normal", dtype, out=out, layout=layout, device=device, pin_memory=pin_memory)
    center, spread = number("normal", "mean", 1, mean), checked_std(number("normal", "std", 2, std))
    raw = normal_values(stream, center, spread, one_size("normal", size, 3), kind)
    return made_into(out, raw, requires_grad)


def _check_spreads(std: Any) -> None:
    if not isinstance(std, Traced) and (whole(std) < 0).any():
        raise RuntimeError("normal expects all elements of std >= 0.0")


def normal_values(stream: Stream, mean: Any, std: Any, shape: tuple[int, ...], dtype: NumpyDtype) -> Any:
    require_float("normal_kernel_cpu", dtype, allow_complex=True)
    return scaled(stream.normal(shape, dtype), mean, std, dtype)


def scaled(values: Any, mean: Any, std: Any, dtype: NumpyDtype) -> Any:
    """``values * std + mean`` in the dtype."""
    token = enter(SILENT)
    try:
        moved = values * std + mean
        return moved.astype(dtype, copy=False)[()]
    finally:
        leave(token)


def checked_std(std: Any) -> Any:
    if not std >= 0:
        raise RuntimeError(f"normal expects std >= 0.0, but found std {std:g}")
    return std


# --- discrete distributions ------------------------------------------------------------------------------------------


def bernoulli(input: Any, p: float | None = None, *, generator: Any = None, out: Any = None) -> Any:
    """Zeros and ones: each is 1 with the probability that ``input`` has there, or with probability ``p`` if given.

    Raises:
        RuntimeError: a probability outside [0, 1].
        NotImplementedError: probabilities of a bool or integer dtype.

    >>> import wengert as torch
    >>> torch.bernoulli(torch.tensor([0.0, 1.0]))
    tensor([0., 1.])
    """
    raw = require_tensor("bernoulli", input)._data
    stream = stream_of("bernoulli", generator)
    memory = np.empty(raw.shape, raw.dtype) if is_reordered(raw) else raw
    if p is None:
        require_float("bernoulli_tensor_cpu_p_", raw.dtype)
        values = coins(stream, checked_probabilities(raw), memory)
    else:
        values = coins(stream, checked_probability("bernoulli_", p), memory)
    return deliver(out, apply(ops.BERNOULLI, input, wrap(values)), input)


def coins(stream: Stream, p: Any, memory: Any) -> Any:
    """Zeros and ones to fill ``memory`` with."""
    is_single = not isinstance(p, float) and p.dtype.itemsize < 8  # a number is taken in double precision
    kind = np.dtype(np.float32 if is_single else np.float64)
    drawn = laid_out(memory, lambda shape: stream.uniform(shape, kind)) < p
    return drawn.astype(memory.dtype)[()]


def checked_probabilities(raw: Any) -> Any:
    if isinstance(raw, Traced):  # there are no values yet; what is no probability counts as 0 or 1 then
        return raw
    values = np.asarray(whole(raw))
    inside = (values >= 0) & (values <= 1)
    if not inside.all():
        raise RuntimeError(
            "Expected p_in >= 0 && p_in <= 1 to be true, but got false: bernoulli takes probabilities between 0 and "
            f"1, and one of them is {values[~inside].flat[0]}"
        )
    return raw


def checked_probability(function: str, p: Any) -> float:
    value = number(function, "p", 1, p)
    if not 0 <= value <= 1:
        raise RuntimeError(f"{function} expects p to be in [0, 1], but got p={value:g}")
    return float(value)


def poisson(input: Any, generator: Any = None) -> Any:
    """Numbers of the Poisson distribution, each with the rate that ``input`` has there, in the dtype of ``input``.

    Raises:
        RuntimeError: a negative rate.
        NotImplementedError: rates of a bool or integer dtype.

    >>> import wengert as torch
    >>> torch.poisson(torch.zeros(3))
    tensor([0., 0., 0.])
    """
    raw = require_tensor("poisson", input)._data
    require_float("poisson_cpu", raw.dtype)
    if not (whole(raw) >= 0).all():
        raise RuntimeError("invalid Poisson rate, expected rate to be non-negative")
    values = drawn_whole(
        "poisson", stream_of("poisson", generator), lambda stream, rate: stream.numpy.poisson(rate), raw
    )
    return apply(ops.POISSON, input, wrap(values.astype(raw.dtype)[()]))


def binomial(count: Any, prob: Any, generator: Any = None) -> Any:
    """Numbers of successes in ``count`` trials that succeed with probability ``prob`` each; both are tensors.

    Raises:
        RuntimeError: a count that is negative or no integer, or a probability outside [0, 1].

    >>> import wengert as torch
    >>> torch.binomial(torch.tensor([5.0, 5.0]), torch.tensor([0.0, 1.0]))
    tensor([0., 5.])
    """
    n, p = require_tensor("binomial", count, "count")._data, require_tensor("binomial", prob, "prob", 2)._data
    require_float("binomial_cpu", n.dtype)
    must_broadcast("binomial", n.shape, p.shape)
    counts = whole(n)
    if not ((counts >= 0) & (counts == np.floor(counts))).all():
        raise RuntimeError("binomial expects counts that are integers and not negative")
    checked_probabilities(p)
    values = drawn_whole(
        "binomial",
        stream_of("binomial", generator),
        lambda stream, number, chance: stream.numpy.binomial(number.astype(np.int64), chance),
        n,
        p,
    )
    expanded = apply(EXPAND, count, shape=values.shape) if n.shape != values.shape else count
    return apply(ops.BINOMIAL, expanded, wrap(values.astype(n.dtype)[()]))


def multinomial(
    input: Any, num_samples: int, replacement: bool = False, *, generator: Any = None, out: Any = None
) -> Any:
    """Indices drawn with probabilities in proportion to the weights in ``input`` (a vector, or a matrix of rows).

    Without ``replacement`` no index is drawn twice. The result is int64, of shape ``(num_samples,)`` or
    ``(rows, num_samples)``.

    Raises:
        RuntimeError: weights that are negative, not finite or all zero; integer weights; too many samples.

    >>> import wengert as torch
    >>> torch.multinomial(torch.tensor([0.0, 3.0, 0.0]), 2, replacement=True)
    tensor([1, 1])
    """
    raw = require_tensor("multinomial", input)._data
    count = integer("multinomial", "num_samples", 2, num_samples)
    _check_weights(raw, count, replacement)
    draw = _drawn_again if replacement and count > 1 else _drawn_once

    def rows(stream: Stream, weights: Any) -> Any:
        drawn = draw(stream, weights.reshape(-1, weights.shape[-1]), count)
        return drawn.reshape(*weights.shape[:-1], count).astype(int64.np, order="C", copy=False)

    token = enter(SILENT)
    try:
        drawn = drawn_whole("multinomial", stream_of("multinomial", generator), rows, raw)
    finally:
        leave(token)
    return deliver(out, wrap(drawn), exact=True)


def _drawn_again(stream: Stream, weights: Any, count: int) -> Any:
    """Indices with replacement: where uniform numbers fall among the heights of the distribution."""
    heights = np.cumsum(weights, 1, dtype=weights.dtype)
    heights /= heights[:, -1:].copy()
    points = stream.uniform((len(weights), count), np.dtype(np.float64))
    return np.stack([np.searchsorted(row, at) for row, at in zip(heights, points, strict=True)])


def _drawn_once(stream: Stream, weights: Any, count: int) -> Any:
    """Indices without replacement: the one with the most weight for its exponential number first, and so on."""
    keys = weights / stream.exponential(weights.shape, weights.dtype)
    return np.argsort(-keys, 1, kind="stable")[:, :count]


def _check_weights(raw: Any, count: int, replacement: bool) -> None:
    if raw.ndim not in (1, 2):
        raise RuntimeError(f"prob_dist must be 1 or 2 dim, got the shape {list(raw.shape)}")
    if raw.dtype.kind != "f":
        raise RuntimeError(f"multinomial only supports floating-point dtypes for input, got: {type_name(raw.dtype)}")
    if count <= 0:
        raise RuntimeError(f"cannot sample n_sample <= 0 samples, got {count}")
    if not replacement and count > raw.shape[-1]:
        raise RuntimeError(
            "cannot sample n_sample > prob_dist.size(-1) samples without replacement: asked for "
            f"{count} of {raw.shape[-1]}"
        )
    values = whole(raw)
    if not (np.isfinite(values) & (values >= 0)).all():
        raise RuntimeError("probability tensor contains either `inf`, `nan` or element < 0")
    if not (values.sum(-1) > 0).all():
        raise RuntimeError("invalid multinomial distribution (sum of probabilities <= 0)")


class SamplingMethods:
    """The part of Tensor that draws random numbers."""

    __slots__ = ()

    bernoulli = bernoulli
    multinomial = multinomial
