"""Random numbers in place: ``uniform_``, ``normal_``, ``random_`` and their relatives.

To autograd a fill is a constant: what stood there before has the gradient zero.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from wengert._dtypes import NumpyDtype, float16, float32, float64, from_numpy_dtype
from wengert._finfo import finfo, iinfo
from wengert._fpenv import SILENT, enter, leave
from wengert._traced import Traced
from wengert.engine.base import TensorBase, is_tracking, wrap
from wengert.engine.inplace import check_writable, inplace, write
from wengert.engine.messages import first_mismatch
from wengert.engine.state import STATE
from wengert.functions.generators import stream_of
from wengert.functions.memory_order import fractions_like, laid_out, normals_like
from wengert.functions.nested import cast
from wengert.functions.options import integer, number, type_name
from wengert.functions.random import integers_of, require_float
from wengert.functions.sampling import checked_probabilities, checked_probability, checked_std, coins, scaled
from wengert.ops import sampling as ops
from wengert.ops.record import Op

__all__ = ["RandomFillMethods"]

_LARGEST = {d.np: finfo(d).max for d in (float16, float32, float64)}


def _fill(op: Op, self: Any, values: Any) -> Any:
    if isinstance(values, Traced) or (STATE.grad_enabled and is_tracking(self)):
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
    stream = stream_of("uniform_", generator)
    values = laid_out(self._data, lambda shape: stream.uniform(shape, dtype))
    if (low, high) != (0, 1):
        values = _between(values, dtype.type(low), dtype.type(high))
    return _fill(ops.FILL_UNIFORM, self, values)


def _between(fractions: Any, low: Any, high: Any) -> Any:
    """``low + fractions * (high - low)``, rounded once."""
    dtype = low.dtype
    scaled = (fractions.astype(np.float64) * (high - low).astype(np.float64) + low.astype(np.float64)).astype(dtype)
    return np.where(scaled >= high, low, scaled)  # rounding may reach the end that is excluded


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
    center, spread = number("normal_", "mean", 1, mean), checked_std(number("normal_", "std", 2, std))
    dtype = self._data.dtype
    require_float("normal_kernel_cpu", dtype, allow_complex=True)
    values = normals_like(self._data, stream_of("normal_", generator), dtype)
    return _fill(ops.FILL_NORMAL, self, scaled(values, center, spread, dtype))


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
    values = laid_out(self._data, stream_of("log_normal_", generator).normal_pairs)
    token = enter(SILENT)
    try:
        values = np.exp(values * std + mean)
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
    stream = stream_of("exponential_", generator)
    values = laid_out(self._data, lambda shape: stream.exponential(shape, np.dtype(np.float64)))
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
    angles = np.pi * (fractions_like(self._data, stream_of("cauchy_", generator)) - 0.5)
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
    uniform = fractions_like(self._data, stream_of("geometric_", generator))
    token = enter(SILENT)
    try:
        values = np.ceil(np.log(uniform) / math.log1p(-p))
    finally:
        leave(token)
    return _fill(ops.FILL_GEOMETRIC, self, values)


def _bernoulli_(self: Any, p: Any = 0.5, *, generator: Any = None) -> Any:
    """Fill with zeros and ones: 1 with probability ``p``, a number or a tensor of one for each element.

    Raises:
        RuntimeError: a probability outside [0, 1], or a shape that does not fit.

    >>> import wengert as torch
    >>> torch.zeros(2).bernoulli_(1.0)
    tensor([1., 1.])
    """
    stream, shape = stream_of("bernoulli_", generator), self._data.shape
    if not isinstance(p, TensorBase):
        return _fill(ops.FILL_BERNOULLI, self, coins(stream, checked_probability("bernoulli_", p), self._data))
    probabilities = checked_probabilities(p._data)
    if first_mismatch(shape, probabilities.shape) or np.broadcast_shapes(shape, probabilities.shape) != shape:
        raise RuntimeError(
            f"bernoulli_: the probabilities have shape {list(probabilities.shape)}, which does not broadcast to the "
            f"tensor's shape {list(shape)}"
        )
    return _fill(ops.FILL_BERNOULLI_EACH, self, coins(stream, probabilities, self._data))


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
    low, op, wide = 0, ops.FILL_INTEGERS_BELOW, None
    if to is not None:
        low, high, op = (
            integer("random_", "from", 1, start or 0),
            integer("random_", "to", 2, to),
            ops.FILL_INTEGERS_BETWEEN,
        )
    elif start is not None:
        high = integer("random_", "to", 1, start)
    else:
        high, op, wide = _counted(dtype), ops.FILL_INTEGERS, dtype.itemsize == 8
    stream = stream_of("random_", generator)
    values = laid_out(self._data, lambda shape: integers_of(stream, low, high, shape, dtype, wide))
    return _fill(op, self, values)


def _counted(dtype: NumpyDtype) -> int:
    """One more than the largest integer up to which the dtype holds every one."""
    if dtype.kind in "fc":
        return int(2.0 / finfo(from_numpy_dtype(dtype)).eps) + 1
    return 2 if dtype.kind == "b" else iinfo(from_numpy_dtype(dtype)).max + 1


class RandomFillMethods:
    """The part of Tensor that fills it with random numbers."""

    __slots__ = ()

    uniform_ = _uniform_
    normal_ = _normal_
    log_normal_ = _log_normal_
    exponential_ = _exponential_
    cauchy_ = _cauchy_
    geometric_ = _geometric_
    bernoulli_ = _bernoulli_
    random_ = _random_
