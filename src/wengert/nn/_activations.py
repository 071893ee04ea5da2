"""Activation functions of ``torch.nn.functional``."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from wengert.engine.apply import apply
from wengert.engine.base import wrap
from wengert.engine.composites import composite
from wengert.engine.inplace import inplace as apply_in_place
from wengert.engine.pointwise import unary
from wengert.functions import activations as plain
from wengert.functions.activations import celu_meta, elu_meta, threshold_meta
from wengert.functions.dims import wrap_dim
from wengert.functions.generators import stream_of
from wengert.functions.operands import raw_of_tensor
from wengert.functions.options import type_name
from wengert.ops.activations import (
    HARDSIGMOID,
    HARDSWISH,
    HARDTANH,
    LEAKY_RELU,
    RELU,
    RRELU,
    SOFTSHRINK,
    THRESHOLD,
)
from wengert.ops.record import Op
from wengert.ops.smooth_activations import CELU, ELU, GELU, GELU_TANH, GLU, LOGSIGMOID, MISH, SILU, SOFTPLUS

__all__ = [
    "celu",
    "elu",
    "elu_",
    "gelu",
    "glu",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "hardtanh_",
    "leaky_relu",
    "leaky_relu_",
    "logsigmoid",
    "mish",
    "relu",
    "relu6",
    "rrelu",
    "rrelu_",
    "selu",
    "silu",
    "softplus",
    "softshrink",
    "softsign",
    "tanhshrink",
    "threshold",
]


_short_path = cache(unary)  # one public function an operation, made when first used


def _quick(op: Op, input: Any, inplace: bool = False) -> Any:
    """Run an activation without metadata; called by the function that the user calls."""
    raw_of_tensor(op.name, input)
    return apply_in_place(op, input) if inplace else _short_path(op)(input, depth=3)


def _run(name: str, op: Op, input: Any, inplace: bool, **meta: Any) -> Any:
    """Run an activation with metadata; called by the function that the user calls."""
    raw_of_tensor(name, input)
    return apply_in_place(op, input, **meta) if inplace else _short_path(op)(input, depth=3, meta=meta)


# --- piecewise linear ---


def relu(input: Any, inplace: bool = False) -> Any:
    """``max(x, 0)``, with derivative 0 at 0.

    Raises:
        RuntimeError: the dtype is bool.

    >>> import wengert as torch
    >>> torch.nn.functional.relu(torch.tensor([-1., 0., 2.]))
    tensor([0., 0., 2.])
    """
    return apply_in_place(RELU, input) if inplace else plain.relu(input, depth=2)


def _limits(name: str, input: Any, low: float, high: float) -> dict[str, Any]:
    """Limits in the kind of number of the input.

    Raises:
        ValueError: the lower one is above the upper one.
        RuntimeError: negative limits for unsigned integers.
    """
    if low > high:
        raise ValueError(f"min_val cannot be greater than max_val: {low} > {high}")
    kind = raw_of_tensor(name, input).dtype.kind
    if kind == "u" and low < 0:
        raise RuntimeError("cannot do hardtanh on an unsigned type with negative limits")
    number = int if kind in "iu" else float
    return {"min_val": number(low), "max_val": number(high)}


def hardtanh(input: Any, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Any:
    """Each element cut off at ``min_val`` and ``max_val``; the derivative is 0 there and beyond.

    Raises:
        ValueError: ``min_val`` is above ``max_val``.
        RuntimeError: the dtype is bool.

    >>> import wengert as torch
    >>> torch.nn.functional.hardtanh(torch.tensor([-2., 0.5, 2.]))
    tensor([-1.0000,  0.5000,  1.0000])
    """
    return _run("hardtanh", HARDTANH, input, inplace, **_limits("hardtanh", input, min_val, max_val))


def hardtanh_(input: Any, min_val: float = -1.0, max_val: float = 1.0) -> Any:
    """In-place :func:`hardtanh`.

    >>> import wengert as torch
    >>> torch.nn.functional.hardtanh_(torch.tensor([-2., 0.5, 2.]))
    tensor([-1.0000,  0.5000,  1.0000])
    """
    return hardtanh(input, min_val, max_val, inplace=True)


def relu6(input: Any, inplace: bool = False) -> Any:
    """``min(max(x, 0), 6)``.

    >>> import wengert as torch
    >>> torch.nn.functional.relu6(torch.tensor([-1., 3., 8.]))
    tensor([0., 3., 6.])
    """
    return _run("relu6", HARDTANH, input, inplace, **_limits("relu6", input, 0.0, 6.0))


def leaky_relu(input: Any, negative_slope: float = 0.01, inplace: bool = False) -> Any:
    """``max(x, 0) + negative_slope * min(x, 0)``.

    Raises:
        NotImplementedError: the dtype is not floating point.

    >>> import wengert as torch
    >>> torch.nn.functional.leaky_relu(torch.tensor([-1., 2.]), 0.1)
    tensor([-0.1000,  2.0000])
    """
    return _run("leaky_relu", LEAKY_RELU, input, inplace, negative_slope=float(negative_slope))


def leaky_relu_(input: Any, negative_slope: float = 0.01) -> Any:
    """In-place :func:`leaky_relu`.

    >>> import wengert as torch
    >>> torch.nn.functional.leaky_relu_(torch.tensor([-100., 1.]))
    tensor([-1.,  1.])
    """
    return leaky_relu(input, negative_slope, inplace=True)


def threshold(input: Any, threshold: float, value: float, inplace: bool = False) -> Any:
    """The elements above ``threshold``, and ``value`` for the others.

    >>> import wengert as torch
    >>> torch.nn.functional.threshold(torch.tensor([0.5, 2.]), 1., 0.)
    tensor([0., 2.])
    """
    return _run("threshold", THRESHOLD, input, inplace, **threshold_meta(input, threshold, value))


def softshrink(input: Any, lambd: float = 0.5) -> Any:
    """``sign(x) * max(|x| - lambd, 0)``.

    Raises:
        RuntimeError: ``lambd`` is negative.

    >>> import wengert as torch
    >>> torch.nn.functional.softshrink(torch.tensor([-1., 0.2, 1.]))
    tensor([-0.5000,  0.0000,  0.5000])
    """
    raw = raw_of_tensor("softshrink", input)
    if raw.dtype.kind == "f" and lambd < 0:
        largest = np.finfo(raw.dtype).max
        raise RuntimeError(
            f"lambda must be in range [0, {largest:g}] for input dtype {type_name(raw.dtype)}, but found {lambd:g}"
        )
    return apply(SOFTSHRINK, input, lambd=float(lambd))


def hardsigmoid(input: Any, inplace: bool = False) -> Any:
    """``min(max(x + 3, 0), 6) / 6``.

    >>> import wengert as torch
    >>> torch.nn.functional.hardsigmoid(torch.tensor([-4., 0., 4.]))
    tensor([0.0000, 0.5000, 1.0000])
    """
    return _quick(HARDSIGMOID, input, inplace)


def hardswish(input: Any, inplace: bool = False) -> Any:
    """``x * min(max(x + 3, 0), 6) / 6``.

    >>> import wengert as torch
    >>> torch.nn.functional.hardswish(torch.tensor([-4., 1., 4.]))
    tensor([-0.0000, 0.6667, 4.0000])
    """
    return _quick(HARDSWISH, input, inplace)


def rrelu(input: Any, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False, inplace: bool = False) -> Any:
    """As :func:`leaky_relu` with a slope drawn for each element below zero; in evaluation, with the mean slope.

    Raises:
        RuntimeError: ``lower`` is above ``upper``, or one is not finite.

    >>> import wengert as torch
    >>> torch.nn.functional.rrelu(torch.tensor([-1., 2.]), 0.1, 0.3)
    tensor([-0.2000,  2.0000])
    """
    for name, bound in (("lower", lower), ("upper", upper)):
        if not np.isfinite(bound):
            raise RuntimeError(f"rrelu: {name} bound must be finite, got {bound}")
    if lower > upper:
        raise RuntimeError(f"Lower bound should be less than or equal to the upper bound: {lower} > {upper}")
    raw = raw_of_tensor("rrelu", input)
    if raw.dtype.kind != "f" or not training:
        slopes = np.where(raw <= 0, (lower + upper) / 2, 1.0)
    else:
        drawn = stream_of("rrelu", None).uniform(raw.shape, raw.dtype) * (upper - lower) + lower
        slopes = np.where(raw <= 0, drawn, 1.0)
    noise = wrap(slopes.astype(raw.dtype))
    return apply_in_place(RRELU, input, noise) if inplace else apply(RRELU, input, noise)


def rrelu_(input: Any, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False) -> Any:
    """In-place :func:`rrelu`.

    >>> import wengert as torch
    >>> torch.nn.functional.rrelu_(torch.tensor([-1., 1.]))
    tensor([-0.2292,  1.0000])
    """
    return rrelu(input, lower, upper, training, inplace=True)


# --- exponential ---


def elu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    """``max(x, 0) + alpha * (exp(min(x, 0)) - 1)``.

    Raises:
        NotImplementedError: the dtype is not floating point.

    >>> import wengert as torch
    >>> torch.nn.functional.elu(torch.tensor([-1., 2.]))
    tensor([-0.6321,  2.0000])
    """
    return _run("elu", ELU, input, inplace, **elu_meta(alpha))


def elu_(input: Any, alpha: float = 1.0) -> Any:
    """In-place :func:`elu`.

    >>> import wengert as torch
    >>> torch.nn.functional.elu_(torch.tensor([-1., 1.]))
    tensor([-0.6321,  1.0000])
    """
    return elu(input, alpha, inplace=True)


def selu(input: Any, inplace: bool = False) -> Any:
    """As :func:`torch.selu`.

    >>> import wengert as torch
    >>> torch.nn.functional.selu(torch.tensor([-1., 1.]))
    tensor([-1.1113,  1.0507])
    """
    return _run("selu", ELU, input, inplace, **plain.SELU_META)


def celu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    """As :func:`torch.celu`.

    >>> import wengert as torch
    >>> torch.nn.functional.celu(torch.tensor([-1., 1.]), alpha=2.)
    tensor([-0.7869,  1.0000])
    """
    return _run("celu", CELU, input, inplace, **celu_meta(alpha))


def silu(input: Any, inplace: bool = False) -> Any:
    """``x * sigmoid(x)``.

    >>> import wengert as torch
    >>> torch.nn.functional.silu(torch.tensor([-1., 1.]))
    tensor([-0.2689,  0.7311])
    """
    return _quick(SILU, input, inplace)


def mish(input: Any, inplace: bool = False) -> Any:
    """``x * tanh(log(1 + exp(x)))``.

    >>> import wengert as torch
    >>> torch.nn.functional.mish(torch.tensor([-1., 1.]))
    tensor([-0.3034,  0.8651])
    """
    return _quick(MISH, input, inplace)


def softplus(input: Any, beta: float = 1.0, threshold: float = 20.0) -> Any:
    """``log(1 + exp(beta x)) / beta``, and ``x`` itself where ``beta x`` is above ``threshold``.

    >>> import wengert as torch
    >>> torch.nn.functional.softplus(torch.tensor([0., 100.]))
    tensor([  0.6931, 100.0000])
    """
    return _run("softplus", SOFTPLUS, input, False, beta=float(beta), threshold=float(threshold))


def logsigmoid(input: Any) -> Any:
    """``log(sigmoid(x))``, without underflow.

    >>> import wengert as torch
    >>> torch.nn.functional.logsigmoid(torch.tensor([-1000., 0.]))
    tensor([-1.0000e+03, -6.9315e-01])
    """
    return _quick(LOGSIGMOID, input)


def gelu(input: Any, approximate: str = "none") -> Any:
    """``x`` times the probability that a normal variable is below it; ``approximate="tanh"`` is a quicker form.

    Raises:
        RuntimeError: another word in ``approximate``.

    >>> import wengert as torch
    >>> torch.nn.functional.gelu(torch.tensor([-1., 1.]))
    tensor([-0.1587,  0.8413])
    """
    if approximate not in ("none", "tanh"):
        raise RuntimeError("approximate argument must be either none or tanh.")
    return _quick(GELU if approximate == "none" else GELU_TANH, input)


# --- made of other functions ---


@composite
def softsign(input: Any) -> Any:
    """``x / (1 + |x|)``.

    >>> import wengert as torch
    >>> torch.nn.functional.softsign(torch.tensor([-1., 3.]))
    tensor([-0.5000,  0.7500])
    """
    raw_of_tensor("softsign", input)
    return input / (input.abs() + 1)


@composite
def tanhshrink(input: Any) -> Any:
    """``x - tanh(x)``.

    >>> import wengert as torch
    >>> torch.nn.functional.tanhshrink(torch.tensor([-1., 1.]))
    tensor([-0.2384,  0.2384])
    """
    raw_of_tensor("tanhshrink", input)
    return input - input.tanh()


def glu(input: Any, dim: int = -1) -> Any:
    """The first half of a dimension times the sigmoid of its second half.

    Raises:
        RuntimeError: the dimension's length is odd.

    >>> import wengert as torch
    >>> torch.nn.functional.glu(torch.tensor([1., 2., 0., 0.]))
    tensor([0.5000, 1.0000])
    """
    raw = raw_of_tensor("glu", input)
    if not raw.ndim:
        raise RuntimeError("glu does not support scalars because halving size must be even")
    along = wrap_dim(dim, raw.ndim)
    if raw.shape[along] % 2:
        raise RuntimeError(f"Halving dimension must be even, but dimension {along} is size {raw.shape[along]}")
    return apply(GLU, input, dim=along)
