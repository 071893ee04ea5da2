"""Values for parameters to begin with, under the names of ``torch.nn.init``; each fills a tensor and returns it."""

from __future__ import annotations

import functools
import math
import warnings
from typing import Any

import numpy as np

from wengert.autograd.grad_mode import no_grad
from wengert.functions.creation import empty, eye
from wengert.functions.data import from_numpy
from wengert.functions.likes import empty_like
from wengert.functions.random import randperm
from wengert.functions.select import where

__all__ = [
    "calculate_gain",
    "constant",
    "constant_",
    "dirac",
    "dirac_",
    "eye_",
    "kaiming_normal",
    "kaiming_normal_",
    "kaiming_uniform",
    "kaiming_uniform_",
    "normal",
    "normal_",
    "ones_",
    "orthogonal",
    "orthogonal_",
    "sparse",
    "sparse_",
    "trunc_normal_",
    "uniform",
    "uniform_",
    "xavier_normal",
    "xavier_normal_",
    "xavier_uniform",
    "xavier_uniform_",
    "zeros_",
]

_OFTEN_INSIDE = 0.3  # the probability between the bounds from which on normal numbers are drawn until they lie there

_GAIN_ONE = frozenset(
    {
        "linear",
        "conv1d",
        "conv2d",
        "conv3d",
        "conv_transpose1d",
        "conv_transpose2d",
        "conv_transpose3d",
        "sigmoid",
    }
)


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor by which the deviation of weights before an activation is multiplied: ``sqrt(2)`` for ``relu``.

    ``param`` is the slope of ``leaky_relu`` (0.01 by default).

    Raises:
        ValueError: an unknown name or a slope that is no number.

    >>> import wengert as torch
    >>> round(torch.nn.init.calculate_gain("leaky_relu", 0.2), 4)
    1.3868
    """
    if nonlinearity in _GAIN_ONE:
        return 1
    if nonlinearity == "tanh":
        return 5.0 / 3
    if nonlinearity == "relu":
        return math.sqrt(2.0)
    if nonlinearity == "selu":
        return 3.0 / 4  # found empirically, as PyTorch has it
    if nonlinearity == "leaky_relu":
        if param is None:
            param = 0.01
        elif isinstance(param, bool) or not isinstance(param, (int, float)):
            raise ValueError(f"negative_slope {param} not a valid number")
        return math.sqrt(2.0 / (1 + param**2))
    raise ValueError(f"Unsupported nonlinearity {nonlinearity}")


def uniform_(tensor: Any, a: float = 0.0, b: float = 1.0, generator: Any = None) -> Any:
    """Numbers of the uniform distribution on [a, b).

    >>> import wengert as torch
    >>> bool((torch.nn.init.uniform_(torch.empty(100), 1.0, 2.0) >= 1).all())
    True
    """
    with no_grad():
        return tensor.uniform_(a, b, generator=generator)


def normal_(tensor: Any, mean: float = 0.0, std: float = 1.0, generator: Any = None) -> Any:
    """Numbers of the normal distribution.

    >>> import wengert as torch
    >>> torch.nn.init.normal_(torch.empty(2, 3)).shape
    torch.Size([2, 3])
    """
    with no_grad():
        return tensor.normal_(mean, std, generator=generator)


def trunc_normal_(
    tensor: Any, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0, generator: Any = None
) -> Any:
    """Numbers of the normal distribution cut off outside [a, b], by rejection.

    Normal numbers are drawn until they lie inside; where that would take long, uniform ones between the bounds, until
    another uniform number lies below the density, relative to its peak.

    >>> import wengert as torch
    >>> t = torch.nn.init.trunc_normal_(torch.empty(1000))
    >>> bool((t.abs() <= 2).all())
    True
    """
    if mean < a - 2 * std or mean > b + 2 * std:
        warnings.warn(
            "mean is more than 2 std from [a, b] in nn.init.trunc_normal_. The distribution of values may be "
            "incorrect.",
            UserWarning,
            stacklevel=2,
        )

    inside = (math.erf((b - mean) / (std * math.sqrt(2.0))) - math.erf((a - mean) / (std * math.sqrt(2.0)))) / 2
    with no_grad():
        draw = _normal_inside if inside > _OFTEN_INSIDE else _uniform_below_density
        return tensor.copy_(draw(tensor, mean, std, a, b, generator))


def _normal_inside(like: Any, mean: float, std: float, a: float, b: float, generator: Any) -> Any:
    low, high = like.new_tensor([a, b]).tolist()
    found = empty_like(like).normal_(mean, std, generator=generator)
    while (outside := (found < low) | (found > high)).any():
        found = where(outside, empty_like(like).normal_(mean, std, generator=generator), found)
    return found


def _uniform_below_density(like: Any, mean: float, std: float, a: float, b: float, generator: Any) -> Any:
    peak = -0.5 * ((max(a, min(mean, b)) - mean) / std) ** 2
    found, is_open = empty_like(like), None
    while is_open is None or is_open.any():
        drawn = empty_like(like).uniform_(a, b, generator=generator)
        log_density = -0.5 * ((drawn - mean) / std) ** 2 - peak
        above = empty_like(like).uniform_(generator=generator).log_() > log_density
        found = drawn if is_open is None else where(is_open, drawn, found)
        is_open = above if is_open is None else is_open & above
    return found


def constant_(tensor: Any, val: float) -> Any:
    """One number everywhere.

    >>> import wengert as torch
    >>> torch.nn.init.constant_(torch.empty(2), 0.3)
    tensor([0.3000, 0.3000])
    """
    with no_grad():
        return tensor.fill_(val)


def ones_(tensor: Any) -> Any:
    """One everywhere.

    >>> import wengert as torch
    >>> torch.nn.init.ones_(torch.empty(2))
    tensor([1., 1.])
    """
    return constant_(tensor, 1.0)


def zeros_(tensor: Any) -> Any:
    """Zero everywhere.

    >>> import wengert as torch
    >>> torch.nn.init.zeros_(torch.empty(2))
    tensor([0., 0.])
    """
    return constant_(tensor, 0.0)


def eye_(tensor: Any) -> Any:
    """Ones on the diagonal of a matrix, zeros elsewhere.

    Raises:
        ValueError: no matrix.

    >>> import wengert as torch
    >>> torch.nn.init.eye_(torch.empty(2, 2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    if tensor.ndim != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    with no_grad():
        return tensor.copy_(eye(*tensor.shape))


def dirac_(tensor: Any, groups: int = 1) -> Any:
    """A convolution's weight that keeps as many channels as it can: a one in the middle of the kernel.

    Raises:
        ValueError: not 3, 4 or 5 dimensions, or channels that ``groups`` does not divide.

    >>> import wengert as torch
    >>> torch.nn.init.dirac_(torch.empty(1, 1, 3))
    tensor([[[0., 1., 0.]]])
    """
    if tensor.ndim not in (3, 4, 5):
        raise ValueError("Only tensors with 3, 4, or 5 dimensions are supported")
    outs, ins = tensor.shape[0], tensor.shape[1]
    if outs % groups:
        raise ValueError("dim 0 must be divisible by groups")
    per_group = outs // groups
    with no_grad():
        tensor.zero_()
        middle = tuple([n // 2 for n in tensor.shape[2:]])
        for group in range(groups):
            for channel in range(min(per_group, ins)):
                tensor[(group * per_group + channel, channel, *middle)] = 1
    return tensor


# --- by the number of connections ---


def _fans(tensor: Any) -> tuple[int, int]:
    """The number of inputs and outputs of a unit.

    Raises:
        ValueError: fewer than two dimensions.
    """
    if tensor.ndim < 2:
        raise ValueError("Fan in and fan out can not be computed for tensor with fewer than 2 dimensions")
    field = math.prod(tensor.shape[2:])
    return tensor.shape[1] * field, tensor.shape[0] * field


_calculate_fan_in_and_fan_out = _fans


def xavier_uniform_(tensor: Any, gain: float = 1.0, generator: Any = None) -> Any:
    """Uniform in ``±gain sqrt(6 / (fan_in + fan_out))`` (Glorot and Bengio, 2010).

    Raises:
        ValueError: fewer than two dimensions.

    >>> import wengert as torch
    >>> bool((torch.nn.init.xavier_uniform_(torch.empty(3, 3)).abs() <= 1).all())
    True
    """
    fan_in, fan_out = _fans(tensor)
    a = math.sqrt(3.0) * gain * math.sqrt(2.0 / (fan_in + fan_out))
    return uniform_(tensor, -a, a, generator)


def xavier_normal_(tensor: Any, gain: float = 1.0, generator: Any = None) -> Any:
    """Normal with deviation ``gain sqrt(2 / (fan_in + fan_out))`` (Glorot and Bengio, 2010).

    Raises:
        ValueError: fewer than two dimensions.

    >>> import wengert as torch
    >>> torch.nn.init.xavier_normal_(torch.empty(3, 5)).shape
    torch.Size([3, 5])
    """
    fan_in, fan_out = _fans(tensor)
    return normal_(tensor, 0.0, gain * math.sqrt(2.0 / (fan_in + fan_out)), generator)


def _kaiming_std(tensor: Any, a: float, mode: str, nonlinearity: str) -> float:
    if mode.lower() not in ("fan_in", "fan_out"):
        raise ValueError(f"Mode {mode.lower()} not supported, please use one of ['fan_in', 'fan_out']")
    fan = _fans(tensor)[mode.lower() == "fan_out"]
    return calculate_gain(nonlinearity, a) / math.sqrt(fan)


def _warn_of_nothing(tensor: Any) -> bool:
    """Say that there is nothing to fill."""
    empty_ = 0 in tensor.shape
    if empty_:
        warnings.warn("Initializing zero-element tensors is a no-op", UserWarning, stacklevel=3)
    return empty_


def kaiming_uniform_(
    tensor: Any, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", generator: Any = None
) -> Any:
    """Uniform in ``±gain sqrt(3 / fan)`` (He et al., 2015); ``a`` is the slope of ``leaky_relu``.

    Raises:
        ValueError: fewer than two dimensions; unknown names.

    >>> import wengert as torch
    >>> bool((torch.nn.init.kaiming_uniform_(torch.empty(3, 6)).abs() <= 1).all())
    True
    """
    if _warn_of_nothing(tensor):
        return tensor
    bound = math.sqrt(3.0) * _kaiming_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Any, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", generator: Any = None
) -> Any:
    """Normal with deviation ``gain / sqrt(fan)`` (He et al., 2015); ``a`` is the slope of ``leaky_relu``.

    Raises:
        ValueError: fewer than two dimensions; unknown names.

    >>> import wengert as torch
    >>> torch.nn.init.kaiming_normal_(torch.empty(3, 5), mode="fan_out", nonlinearity="relu").shape
    torch.Size([3, 5])
    """
    if _warn_of_nothing(tensor):
        return tensor
    return normal_(tensor, 0.0, _kaiming_std(tensor, a, mode, nonlinearity), generator)


# --- matrices of a kind ---


def orthogonal_(tensor: Any, gain: float = 1, generator: Any = None) -> Any:
    """A random matrix with orthonormal rows or columns, times ``gain`` (Saxe et al., 2013).

    Dimensions after the first count as one. It is the Q of a normal matrix's QR decomposition, with the signs of R's
    diagonal, which makes it uniform over all orthogonal matrices.

    Raises:
        ValueError: fewer than two dimensions.

    >>> import wengert as torch
    >>> q = torch.nn.init.orthogonal_(torch.empty(2, 3))
    >>> torch.allclose(q @ q.T, torch.eye(2), atol=1e-6)
    True
    """
    if tensor.ndim < 2:
        raise ValueError("Only tensors with 2 or more dimensions are supported")
    if not tensor.numel():
        return tensor
    rows, cols = tensor.shape[0], tensor.numel() // tensor.shape[0]
    drawn = empty((rows, cols), dtype=tensor.dtype).normal_(0, 1, generator=generator)
    with no_grad():
        return tensor.copy_(_orthonormal(drawn).reshape(tensor.shape)).mul_(gain)


def _orthonormal(drawn: Any) -> Any:
    """The orthogonal factor of a matrix, transposed where it is wide."""
    rows, cols = drawn.shape
    q, r = np.linalg.qr((drawn.T if rows < cols else drawn).numpy())
    q = q * np.sign(np.diagonal(r))
    return from_numpy(np.ascontiguousarray(q.T if rows < cols else q))


def sparse_(tensor: Any, sparsity: float, std: float = 0.01, generator: Any = None) -> Any:
    """Normal numbers, with the given part of each column set to zero at random (Martens, 2010).

    Raises:
        ValueError: no matrix.

    >>> import wengert as torch
    >>> int((torch.nn.init.sparse_(torch.empty(10, 2), 0.5) == 0).sum())
    10
    """
    if tensor.ndim != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    rows, cols = tensor.shape
    zeros_each = math.ceil(sparsity * rows)
    with no_grad():
        tensor.normal_(0, std, generator=generator)
        for column in range(cols):
            tensor[randperm(rows)[:zeros_each], column] = 0
    return tensor


# --- the names that PyTorch had before: the same, with a warning ---


def _earlier(function: Any) -> Any:
    name = function.__name__.removesuffix("_")

    @functools.wraps(function)
    def named_before(*args: Any, **kwargs: Any) -> Any:
        warnings.warn(f"`nn.init.{name}` is now deprecated in favor of `nn.init.{name}_`.", FutureWarning, stacklevel=2)
        return function(*args, **kwargs)

    named_before.__name__ = named_before.__qualname__ = name
    return named_before


constant = _earlier(constant_)
dirac = _earlier(dirac_)
kaiming_normal = _earlier(kaiming_normal_)
kaiming_uniform = _earlier(kaiming_uniform_)
normal = _earlier(normal_)
orthogonal = _earlier(orthogonal_)
sparse = _earlier(sparse_)
uniform = _earlier(uniform_)
xavier_normal = _earlier(xavier_normal_)
xavier_uniform = _earlier(xavier_uniform_)
