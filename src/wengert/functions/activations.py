"""Activation functions that are also functions of the package or methods of tensors."""

from __future__ import annotations

from typing import Any

from wengert._dtypes import as_numpy_dtype
from wengert.engine.apply import apply
from wengert.engine.inplace import inplace
from wengert.engine.out import deliver
from wengert.engine.pointwise import inplace_method, unary
from wengert.functions.dims import wrap_dim
from wengert.functions.elementwise import shown
from wengert.functions.operands import not_implemented_for, raw_of_tensor
from wengert.functions.options import number, type_name
from wengert.ops.activations import HARDSHRINK, PRELU, RELU, THRESHOLD
from wengert.ops.movement import CAST, VIEW
from wengert.ops.record import Op
from wengert.ops.smooth_activations import CELU, ELU
from wengert.ops.softmax import LOG_SOFTMAX, SOFTMAX

__all__ = [
    "ActivationMethods",
    "celu",
    "celu_",
    "hardshrink",
    "log_softmax",
    "prelu",
    "relu",
    "relu_",
    "selu",
    "selu_",
    "softmax",
    "threshold",
    "threshold_",
]

# From Klambauer et al., "Self-Normalizing Neural Networks" (2017): they keep mean 0 and variance 1 from layer to layer.
SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805

relu = shown(unary(RELU), __name__, "relu(torch.tensor([-1., 0., 2.]))", "tensor([0., 0., 2.])")
relu_ = shown(inplace_method(RELU), __name__, "relu_(torch.tensor([-1., 0., 2.]))", "tensor([0., 0., 2.])")


def normalized(name: str, op: Op, input: Any, dim: int, dtype: Any) -> Any:
    """``softmax`` or ``log_softmax`` along one axis, computed in ``dtype`` if that is given."""
    raw = raw_of_tensor(name, input)
    if dtype is not None:
        wanted = as_numpy_dtype(dtype, f"{name}(): argument 'dtype'")
        if wanted is not raw.dtype:
            input = apply(CAST, input, dtype=wanted)
            raw = input._data
    along = wrap_dim(dim, raw.ndim)
    if raw.dtype.kind != "f":
        last = "_lastdim" if along == raw.ndim - 1 else ""
        raise not_implemented_for(f"{name}{last}_kernel_impl", raw.dtype)
    return apply(op, input, dim=along)


def softmax(input: Any, dim: int, dtype: Any = None, *, out: Any = None) -> Any:
    """Exponentials along one dimension, scaled to sum to one: ``exp(x_i) / sum_j exp(x_j)``.

    Large inputs do not overflow. ``dtype`` converts the input first.

    Raises:
        IndexError: no such dimension.
        NotImplementedError: the dtype is not floating point.

    >>> import wengert as torch
    >>> torch.softmax(torch.tensor([0., 1000.]), dim=0)
    tensor([0., 1.])
    """
    return deliver(out, normalized("softmax", SOFTMAX, input, dim, dtype), input)


def log_softmax(input: Any, dim: int, dtype: Any = None, *, out: Any = None) -> Any:
    """The logarithm of :func:`softmax`, exact where softmax itself rounds to zero: ``x_i - log sum_j exp(x_j)``.

    Raises:
        IndexError: no such dimension.
        NotImplementedError: the dtype is not floating point.

    >>> import wengert as torch
    >>> torch.log_softmax(torch.tensor([0., 1000.]), dim=0)
    tensor([-1000.,     0.])
    """
    return deliver(out, normalized("log_softmax", LOG_SOFTMAX, input, dim, dtype), input)


def hardshrink(input: Any, lambd: float = 0.5, *, out: Any = None) -> Any:
    """Each element, or zero where its magnitude is at most ``lambd``.

    >>> import wengert as torch
    >>> torch.hardshrink(torch.tensor([-1., 0.3, 0.7]))
    tensor([-1.0000,  0.0000,  0.7000])
    """
    raw_of_tensor("hardshrink", input)
    return deliver(out, apply(HARDSHRINK, input, lambd=float(number("hardshrink", "lambd", 2, lambd))), input)


def prelu(input: Any, weight: Any) -> Any:
    """``max(x, 0) + weight * min(x, 0)`` with one learned weight, or one for each channel (dimension 1).

    Raises:
        RuntimeError: the weights are not as many as the channels, or have another dtype.

    >>> import wengert as torch
    >>> torch.prelu(torch.tensor([-2., 2.]), torch.tensor([0.25]))
    tensor([-0.5000,  2.0000])
    """
    x, w = raw_of_tensor("prelu", input), raw_of_tensor("prelu", weight, "weight", 2)
    if x.dtype is not w.dtype:
        raise RuntimeError(f"prelu: Type promoting not supported. Got {type_name(x.dtype)} and {type_name(w.dtype)}")
    if w.ndim > 1:
        raise RuntimeError(f"prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = {w.ndim}")
    if w.size != 1:
        channels = x.shape[1] if x.ndim > 1 else 1
        if w.size != channels:
            raise RuntimeError(
                f"Mismatch of parameter numbers and input channel size. Found parameter numbers = {w.size} and channel "
                f"size = {channels}."
            )
        if x.ndim > 2:
            weight = apply(VIEW, weight, shape=(w.size,) + (1,) * (x.ndim - 2))
    elif w.ndim == 1 and not x.ndim:
        weight = apply(VIEW, weight, shape=())
    return apply(PRELU, input, weight)


def elu_meta(alpha: float) -> dict[str, float]:
    """The metadata of ``elu``."""
    return {"alpha": float(alpha), "scale": 1.0, "input_scale": 1.0}


SELU_META = {"alpha": SELU_ALPHA, "scale": SELU_SCALE, "input_scale": 1.0}


def selu(input: Any) -> Any:
    """``scale * (max(x, 0) + alpha * (exp(min(x, 0)) - 1))`` with the constants that keep mean 0 and variance 1.

    >>> import wengert as torch
    >>> torch.selu(torch.tensor([-1., 1.]))
    tensor([-1.1113,  1.0507])
    """
    raw_of_tensor("selu", input)
    return apply(ELU, input, **SELU_META)


def selu_(input: Any) -> Any:
    """In-place :func:`selu`.

    >>> import wengert as torch
    >>> torch.selu_(torch.tensor([-1., 1.]))
    tensor([-1.1113,  1.0507])
    """
    raw_of_tensor("selu_", input)
    return inplace(ELU, input, **SELU_META)


def celu_meta(alpha: float) -> dict[str, float]:
    """The metadata of ``celu``.

    Raises:
        RuntimeError: ``alpha`` is zero.
    """
    if alpha == 0:
        raise RuntimeError("ZeroDivisionError: alpha cannot be 0 for CELU: the exponent is divided by it")
    return {"alpha": float(alpha), "scale": 1.0, "input_scale": 1.0 / float(alpha)}


def celu(input: Any, alpha: float = 1.0) -> Any:
    """``max(x, 0) + alpha * (exp(min(x, 0) / alpha) - 1)``, whose derivative is continuous for every ``alpha``.

    Raises:
        RuntimeError: ``alpha`` is zero.

    >>> import wengert as torch
    >>> torch.celu(torch.tensor([-1., 1.]), alpha=2.)
    tensor([-0.7869,  1.0000])
    """
    raw_of_tensor("celu", input)
    return apply(CELU, input, **celu_meta(alpha))


def celu_(input: Any, alpha: float = 1.0) -> Any:
    """In-place :func:`celu`.

    Raises:
        RuntimeError: ``alpha`` is zero.

    >>> import wengert as torch
    >>> torch.celu_(torch.tensor([-1., 1.]), alpha=2.)
    tensor([-0.7869,  1.0000])
    """
    raw_of_tensor("celu_", input)
    return inplace(CELU, input, **celu_meta(alpha))


def threshold_meta(input: Any, threshold: Any, value: Any) -> dict[str, Any]:
    """The metadata of ``threshold``, in the kind of number of the input."""
    raw = raw_of_tensor("threshold", input)
    kind = int if raw.dtype.kind in "iu" else float
    return {
        "threshold": kind(number("threshold", "threshold", 2, threshold)),
        "value": kind(number("threshold", "value", 3, value)),
    }


def threshold(input: Any, threshold: float, value: float, *, out: Any = None) -> Any:
    """The elements above ``threshold``, and ``value`` for the others.

    >>> import wengert as torch
    >>> torch.threshold(torch.tensor([0.5, 1., 2.]), 1., 0.)
    tensor([0., 0., 2.])
    """
    return deliver(out, apply(THRESHOLD, input, **threshold_meta(input, threshold, value)), input)


def threshold_(input: Any, threshold: float, value: float) -> Any:
    """In-place :func:`threshold`.

    >>> import wengert as torch
    >>> torch.threshold_(torch.tensor([0.5, 1., 2.]), 1., 0.)
    tensor([0., 0., 2.])
    """
    return inplace(THRESHOLD, input, **threshold_meta(input, threshold, value))


class ActivationMethods:
    """Activation functions as methods of tensors."""

    __slots__ = ()

    relu = relu
    relu_ = relu_
    softmax = softmax
    log_softmax = log_softmax
    hardshrink = hardshrink
    prelu = prelu
