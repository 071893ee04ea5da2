"""Draws from distributions: ``normal``, ``bernoulli``, ``multinomial``, ``poisson``, and fills in place.

In PyTorch a draw is differentiable with a zero gradient: the numbers are what they are, whatever the parameters. So
they are here. The distributions are PyTorch's; a seed gives other numbers than in PyTorch.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from wengert._dtypes import NumpyDtype, float16, float32, float64, from_numpy_dtype, int64
from wengert._finfo import finfo, iinfo
from wengert._fpenv import SILENT, enter, leave
from wengert._random import Stream
from wengert.engine.apply import apply
from wengert.engine.base import TensorBase, is_tracking, wrap
from wengert.engine.inplace import check_writable, inplace, write
from wengert.engine.messages import first_mismatch
from wengert.engine.out import deliver
from wengert.engine.state import STATE
from wengert.functions.nested import cast
from wengert.functions.options import (
    chosen_dtype,
    integer,
    made_into,
    number,
    one_size,
    require_tensor,
    type_name,
)
from wengert.functions.random import integers_of, require_float, stream_of
from wengert.ops import sampling as ops
from wengert.ops.record import Op

__all__ = ["SamplingMethods", "bernoulli", "multinomial", "normal", "poisson"]


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
        if (std._data < 0).any():
            raise RuntimeError("normal expects all elements of std >= 0.0")
        _check_broadcast(mean._data.shape, std._data.shape)
        shape = np.broadcast_shapes(mean._data.shape, std._data.shape)
        values = _normal(stream, mean._data, std._data, shape, mean._data.dtype)
        return deliver(out, apply(ops.NORMAL_BOTH, mean, std, wrap(values)), mean, std)
    if isinstance(mean, TensorBase):
        spread = _checked_std(number("normal", "std", 2, std))
        values = _normal(stream, mean._data, spread, mean._data.shape, mean._data.dtype)
        return deliver(out, apply(ops.NORMAL_AROUND, mean, wrap(values)), mean)
    if isinstance(std, TensorBase):
        if (std._data < 0).any():
            raise RuntimeError("normal expects all elements of std >= 0.0")
        center = number("normal", "mean", 1, mean)
        values = _normal(stream, center, std._data, std._data.shape, std._data.dtype)
        return deliver(out, apply(ops.NORMAL_SPREAD, std, wrap(values)), std)
    if size is None:
        raise TypeError(
            f"normal() received an invalid combination of arguments - got ({type(mean).__name__}, "
            f"{type(std).__name__}), but expected a tensor among mean and std, or a size: normal(0., 1., (2, 3))"
        )
    kind = chosen_dtype("normal", dtype, out=out, layout=layout, device=device, pin_memory=pin_memory)
    center, spread = number("normal", "mean", 1, mean), _checked_std(number("normal", "std", 2, std))
    raw = _normal(stream, center, spread, one_size("normal", size, 3), kind)
    return made_into(out, raw, requires_grad)


def _normal(stream: Stream, mean: Any, std: Any, shape: tuple[int, ...], dtype: NumpyDtype) -> Any:
    require_float("normal_kernel_cpu", dtype, allow_complex=True)
    values = stream.normal(shape, dtype)
    token = enter(SILENT)
    try:
        return np.asarray(values * std + mean).astype(dtype, copy=False)[()]
    finally:
        leave(token)


def _checked_std(std: Any) -> Any:
    if not std >= 0:
        raise RuntimeError(f"normal expects std >= 0.0, but found std {std:g}")
    return std


def _check_broadcast(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    mismatch = first_mismatch(a, b)
    if mismatch is not None:
        dim, size_a, size_b = mismatch
        raise RuntimeError(
            f"The size of tensor a ({size_a}) must match the size of tensor b ({size_b}) at non-singleton dimension "
            f"{dim}. normal got the shapes {list(a)} and {list(b)}, which do not broadcast."
        )


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
    if p is None:
        require_float("bernoulli_tensor_cpu_p_", raw.dtype)
        values = _coins(stream, _checked_probabilities(raw), raw.shape, raw.dtype)
    else:
        values = _coins(stream, _checked_probability("bernoulli_", p), raw.shape, raw.dtype)
    return deliver(out, apply(ops.BERNOULLI, input, wrap(values)), input)


def _coins(stream: Stream, p: Any, shape: tuple[int, ...], dtype: NumpyDtype) -> Any:
    return np.asarray(stream.uniform(shape, np.dtype(np.float64)) < p).astype(dtype)[()]


def _checked_probabilities(raw: Any) -> Any:
    inside = (raw >= 0) & (raw <= 1)
    if not inside.all():
        raise RuntimeError(
            "Expected p_in >= 0 && p_in <= 1 to be true, but got false: bernoulli takes probabilities between 0 and "
            f"1, and one of them is {np.asarray(raw)[~inside].flat[0]}"
        )
    return raw


def _checked_probability(function: str, p: Any) -> float:
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
    if not (raw >= 0).all():
        raise RuntimeError("invalid Poisson rate, expected rate to be non-negative")
    values = stream_of("poisson", generator).numpy.poisson(raw.astype(np.float64))
    return apply(ops.POISSON, input, wrap(np.asarray(values).astype(raw.dtype)[()]))


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
    weights = np.atleast_2d(raw).astype(np.float64)
    numpy = stream_of("multinomial", generator).numpy
    if replacement:
        heights = np.cumsum(weights, 1)
        points = numpy.random((len(weights), count)) * heights[:, -1:]
        drawn = np.stack([np.searchsorted(row, at, "right") for row, at in zip(heights, points, strict=True)])
    else:
        # The index with the least of (exponential number / weight) is drawn first, and so on.
        token = enter(SILENT)
        try:
            keys = numpy.standard_exponential(weights.shape) / weights
        finally:
            leave(token)
        drawn = np.argsort(keys, 1, kind="stable")[:, :count]
    result = drawn if raw.ndim == 2 else drawn[0]
    return deliver(out, wrap(np.ascontiguousarray(result, int64.np)))


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
    if not (np.isfinite(raw) & (raw >= 0)).all():
        raise RuntimeError("probability tensor contains either `inf`, `nan` or element < 0")
    if not (raw.sum(-1) > 0).all():
        raise RuntimeError("invalid multinomial distribution (sum of probabilities <= 0)")


# --- in place --------------------------------------------------------------------------------------------------------


_LARGEST = {d.np: finfo(d).max for d in (float16, float32, float64)}


def _fill(op: Op, self: Any, values: Any) -> Any:
    if STATE.grad_enabled and is_tracking(self):
        return inplace(op, self, wrap(cast(values[()], self._data.dtype)))
    check_writable(self, False)
    write(self, values if values.dtype is self._data.dtype else cast(values, self._data.dtype))
    return self


def _uniform_(self: Any, from_: float = 0.0, to: float = 1.0, *, generator: Any = None, **renamed: Any) -> Any:
    """Fill with numbers of the uniform distribution on [from, to).

    Raises:
        RuntimeError: ``from`` above ``to``, or not finite in this dtype.

    >>> import wengert as torch
    >>> torch.zeros(3).uniform_(2, 2)
    tensor([2., 2., 2.])
    """
    dtype = self._data.dtype
    require_float("check_uniform_bounds", dtype)
    low = number("uniform_", "from", 1, _renamed("uniform_", "from", from_, renamed))
    high = number("uniform_", "to", 2, to)
    largest = _LARGEST[dtype]
    for name, bound in (("from", low), ("to", high)):
        if not abs(bound) <= largest:
            raise RuntimeError(f"{name} is out of bounds for {dtype.name}: got {bound}")
    if low > high:
        raise RuntimeError(f"uniform_ expects to return a [from, to) range, but found from={low:g} > to={high:g}")
    if high - low > largest:
        raise RuntimeError(f"uniform_ expects to-from <= {largest}, but found to={high:g} and from={low:g}")
    values = stream_of("uniform_", generator).uniform(self._data.shape, dtype)
    if (low, high) != (0, 1):
        scaled = np.asarray(values * dtype.type(high - low) + dtype.type(low))
        np.copyto(scaled, low, where=scaled >= high)  # rounding may reach the end that is excluded
        values = scaled
    return _fill(ops.FILL_UNIFORM, self, values)


def _renamed(function: str, name: str, value: Any, given: dict[str, Any]) -> Any:
    """The value of an argument whose name in PyTorch is a word of Python's (``**{"from": 1}``)."""
    if not given:
        return value
    if given.keys() - {name}:
        raise TypeError(f"{function}() got an unexpected keyword argument '{next(iter(given.keys() - {name}))}'")
    return given.get(name, value)


def _normal_(self: Any, mean: float = 0.0, std: float = 1.0, *, generator: Any = None) -> Any:
    """Fill with normal numbers.

    Raises:
        RuntimeError: a negative standard deviation.

    >>> import wengert as torch
    >>> torch.zeros(2).normal_(3.0, 0.0)
    tensor([3., 3.])
    """
    center, spread = number("normal_", "mean", 1, mean), _checked_std(number("normal_", "std", 2, std))
    stream = stream_of("normal_", generator)
    return _fill(ops.FILL_NORMAL, self, _normal(stream, center, spread, self._data.shape, self._data.dtype))


def _log_normal_(self: Any, mean: float = 1.0, std: float = 2.0, *, generator: Any = None) -> Any:
    """Fill with numbers whose logarithm is normal with this mean and standard deviation.

    Raises:
        RuntimeError: a standard deviation that is not positive.

    >>> import wengert as torch
    >>> bool((torch.zeros(9).log_normal_() > 0).all())
    True
    """
    dtype = self._data.dtype
    require_float("log_normal_cpu", dtype)
    if not std > 0:
        raise RuntimeError(f"log_normal_ expects std > 0.0, but found std={std:g}")
    work = np.dtype(np.float64) if dtype.itemsize == 8 else np.dtype(np.float32)
    values = _normal(stream_of("log_normal_", generator), mean, std, self._data.shape, work)
    token = enter(SILENT)
    try:
        values = np.exp(values)
    finally:
        leave(token)
    return _fill(ops.FILL_LOG_NORMAL, self, values)


def _exponential_(self: Any, lambd: float = 1.0, *, generator: Any = None) -> Any:
    """Fill with numbers of the exponential distribution with rate ``lambd``.

    Raises:
        RuntimeError: a rate that is not positive, or a bool or integer dtype.

    >>> import wengert as torch
    >>> bool((torch.zeros(9).exponential_(2.0) >= 0).all())
    True
    """
    _require_continuous("Exponential", self)
    if not lambd > 0:
        raise RuntimeError(f"exponential_ expects lambda > 0.0, but found lambda={lambd:g}")
    values = stream_of("exponential_", generator).exponential(self._data.shape, self._data.dtype)
    return _fill(ops.FILL_EXPONENTIAL, self, values / lambd)


def _cauchy_(self: Any, median: float = 0.0, sigma: float = 1.0, *, generator: Any = None) -> Any:
    """Fill with numbers of the Cauchy distribution.

    Raises:
        RuntimeError: a ``sigma`` that is not positive, or a bool or integer dtype.

    >>> import wengert as torch
    >>> torch.zeros(3).cauchy_().shape
    torch.Size([3])
    """
    _require_continuous("Cauchy", self)
    if not sigma > 0:
        raise RuntimeError(f"cauchy_ expects sigma > 0.0, but found sigma={sigma:g}")
    angles = np.pi * (stream_of("cauchy_", generator).uniform(self._data.shape, np.dtype(np.float64)) - 0.5)
    return _fill(ops.FILL_CAUCHY, self, median + sigma * np.tan(angles))


def _require_continuous(distribution: str, self: Any) -> None:
    if self._data.dtype.kind != "f":
        raise RuntimeError(
            f"{distribution} distribution is a continuous probability distribution. dtype must be a floating point "
            f"but you specified {type_name(self._data.dtype)}"
        )


def _geometric_(self: Any, p: float, *, generator: Any = None) -> Any:
    """Fill with the numbers of trials up to the first success, each trial succeeding with probability ``p``.

    Raises:
        RuntimeError: a probability outside (0, 1).

    >>> import wengert as torch
    >>> bool((torch.zeros(9).geometric_(0.5) >= 1).all())
    True
    """
    if not 0 < p < 1:
        raise RuntimeError(f"geometric_ expects p to be in (0, 1), but got p={p:g}")
    uniform = stream_of("geometric_", generator).uniform(self._data.shape, np.dtype(np.float64))
    return _fill(ops.FILL_GEOMETRIC, self, np.ceil(np.log1p(-uniform) / math.log1p(-p)).clip(1))


def _bernoulli_(self: Any, p: Any = 0.5, *, generator: Any = None) -> Any:
    """Fill with zeros and ones: 1 with probability ``p``, a number or a tensor of one for each element.

    Raises:
        RuntimeError: a probability outside [0, 1], or a shape that does not fit.

    >>> import wengert as torch
    >>> torch.zeros(2).bernoulli_(1.0)
    tensor([1., 1.])
    """
    stream, shape, dtype = stream_of("bernoulli_", generator), self._data.shape, self._data.dtype
    if not isinstance(p, TensorBase):
        return _fill(ops.FILL_BERNOULLI, self, _coins(stream, _checked_probability("bernoulli_", p), shape, dtype))
    probabilities = _checked_probabilities(p._data)
    if first_mismatch(shape, probabilities.shape) or np.broadcast_shapes(shape, probabilities.shape) != shape:
        raise RuntimeError(
            f"bernoulli_: the probabilities have shape {list(probabilities.shape)}, which does not broadcast to the "
            f"tensor's shape {list(shape)}"
        )
    return _fill(ops.FILL_BERNOULLI_EACH, self, _coins(stream, probabilities, shape, dtype))


def _random_(
    self: Any, from_: int | None = None, to: int | None = None, *, generator: Any = None, **renamed: Any
) -> Any:
    """Fill with integers: in [from, to), in [0, to) for one argument, or in all that the dtype counts exactly.

    Raises:
        RuntimeError: an empty range, or one that the dtype cannot hold.

    >>> import wengert as torch
    >>> torch.zeros(3).random_(5, 6)
    tensor([5., 5., 5.])
    """
    start = _renamed("random_", "from", from_, renamed)
    dtype = self._data.dtype
    low, op = 0, ops.FILL_INTEGERS_BELOW
    if to is not None:
        low, high, op = (
            integer("random_", "from", 1, start or 0),
            integer("random_", "to", 2, to),
            ops.FILL_INTEGERS_BETWEEN,
        )
    elif start is not None:
        high = integer("random_", "to", 1, start)
    else:
        high, op = _counted(dtype), ops.FILL_INTEGERS
    values = integers_of(stream_of("random_", generator), low, high, self._data.shape, dtype)
    return _fill(op, self, values)


def _counted(dtype: NumpyDtype) -> int:
    """One more than the largest integer up to which the dtype holds every one."""
    if dtype.kind in "fc":
        return int(2.0 / finfo(from_numpy_dtype(dtype)).eps) + 1
    return 2 if dtype.kind == "b" else iinfo(from_numpy_dtype(dtype)).max + 1


class SamplingMethods:
    """The part of Tensor that draws random numbers."""

    __slots__ = ()

    bernoulli = bernoulli
    multinomial = multinomial
    uniform_ = _uniform_
    normal_ = _normal_
    log_normal_ = _log_normal_
    exponential_ = _exponential_
    cauchy_ = _cauchy_
    geometric_ = _geometric_
    bernoulli_ = _bernoulli_
    random_ = _random_
