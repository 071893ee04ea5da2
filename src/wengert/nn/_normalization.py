"""Normalisation layers of ``torch.nn.functional``."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert._size import size_of
from wengert.engine.apply import apply
from wengert.engine.base import TensorBase, array_of, wrap
from wengert.engine.composites import composite
from wengert.engine.inplace import inplace, write
from wengert.engine.state import STATE
from wengert.functions.dims import int_tuple
from wengert.functions.operands import not_implemented_for, raw_of_tensor
from wengert.functions.options import type_name
from wengert.ops.movement import COPY, VIEW
from wengert.ops.normalization import BATCH_NORM, BATCH_NORM_FIXED, LAYER_NORM, RMS_NORM
from wengert.ops.record import Op
from wengert.spaces.tensors import TENSOR

__all__ = ["batch_norm", "layer_norm", "native_batch_norm", "native_layer_norm", "rms_norm"]


def normalized(ops: tuple[Op, Op, Op], input: Any, weight: Any, bias: Any, dims: tuple[int, ...], eps: float) -> Any:
    """Run a normalisation with the parameters that are there; gives output, mean and 1 / deviation."""
    if bias is not None:
        if weight is None:
            weight = wrap(np.ones_like(bias._data))
        return apply(ops[2], input, weight, bias, dims=dims, eps=float(eps))
    if weight is not None:
        return apply(ops[1], input, weight, dims=dims, eps=float(eps))
    return apply(ops[0], input, dims=dims, eps=float(eps))


# --- over the features of each sample ---


def _trailing(function: str, raw: Any, normalized_shape: Any, star: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The shape to normalise over and its dimensions, checked."""
    shape = int_tuple(function, "normalized_shape", 2, normalized_shape)
    if not shape:
        raise RuntimeError(
            "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, but got "
            "normalized_shape = []"
        )
    if raw.shape[raw.ndim - len(shape) :] != shape or raw.ndim < len(shape):
        sizes = ", ".join(map(str, shape))
        raise RuntimeError(
            f"Given normalized_shape={list(shape)}, expected input with shape [{star}{sizes}], but got input of "
            f"size{list(raw.shape)}"
        )
    return shape, tuple(range(raw.ndim - len(shape), raw.ndim))


def _check_parameters(raw: Any, shape: tuple[int, ...], **parameters: Any) -> None:
    for name, tensor in parameters.items():
        if tensor is None:
            continue
        p = raw_of_tensor("layer_norm", tensor, name)
        if p.shape != shape:
            raise RuntimeError(
                f"Expected {name} to be of same shape as normalized_shape, but got {name} of shape {list(p.shape)} and "
                f"normalized_shape = {list(shape)}"
            )
        if p.dtype is not raw.dtype:
            raise RuntimeError(
                f"mixed dtype (CPU): expect parameter to have scalar type of {type_name(raw.dtype)}: the {name} is "
                f"{type_name(p.dtype)}"
            )


def layer_norm(input: Any, normalized_shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    """``(x - mean) / sqrt(var + eps) * weight + bias``, with mean and variance over the last dimensions.

    ``normalized_shape`` is the shape of these dimensions; weight and bias have it too.

    Raises:
        RuntimeError: shapes that do not fit.
        NotImplementedError: the dtype is not floating point.

    >>> import wengert as torch
    >>> torch.nn.functional.layer_norm(torch.tensor([[1., 2., 3.]]), (3,))
    tensor([[-1.2247,  0.0000,  1.2247]])
    """
    return _layer_norm(input, normalized_shape, weight, bias, eps)[0]


def native_layer_norm(input: Any, normalized_shape: Any, weight: Any, bias: Any, eps: float) -> tuple[Any, Any, Any]:
    """What :func:`torch.nn.functional.layer_norm` gives, with the mean and ``1 / sqrt(var + eps)`` of each sample.

    Raises:
        RuntimeError: shapes that do not fit.
        NotImplementedError: the dtype is not floating point.

    >>> import wengert as torch
    >>> torch.native_layer_norm(torch.tensor([[1., 2., 3.]]), (3,), None, None, 0.)[1:]
    (tensor([[2.]]), tensor([[1.2247]]))
    """
    y, mean, scale = _layer_norm(input, normalized_shape, weight, bias, eps)
    return y, mean.detach(), scale.detach()  # PyTorch's carry no gradient here


def _layer_norm(input: Any, normalized_shape: Any, weight: Any, bias: Any, eps: float) -> Any:
    raw = raw_of_tensor("layer_norm", input)
    shape, dims = _trailing("layer_norm", raw, normalized_shape, "*, ")
    if raw.dtype.kind != "f":
        raise not_implemented_for("LayerNormKernelImpl", raw.dtype)
    _check_parameters(raw, shape, weight=weight, bias=bias)
    return normalized(LAYER_NORM, input, weight, bias, dims, eps)


@composite
def rms_norm(input: Any, normalized_shape: Any, weight: Any = None, eps: float | None = None) -> Any:
    """``x / sqrt(mean(x^2) + eps) * weight`` over the last dimensions; ``eps`` is the dtype's epsilon by default.

    Raises:
        RuntimeError: shapes that do not fit.
        NotImplementedError: the dtype is not floating point.

    >>> import wengert as torch
    >>> torch.nn.functional.rms_norm(torch.tensor([[3., 4.]]), (2,))
    tensor([[0.8485, 1.1314]])
    """
    raw = raw_of_tensor("rms_norm", input)
    shape, dims = _trailing("rms_norm", raw, normalized_shape, "*")
    if raw.dtype.kind not in "fc":
        raise not_implemented_for("rms_norm", raw.dtype)
    if weight is not None and raw_of_tensor("rms_norm", weight, "weight").shape != shape:
        raise RuntimeError(
            f"Expected weight to be of same shape as normalized_shape, but got weight of shape "
            f"{list(weight._data.shape)} and normalized_shape = {list(shape)}"
        )
    eps = float(np.finfo(raw.dtype).eps) if eps is None else float(eps)
    if raw.dtype.kind == "c":  # by the square itself, as PyTorch has it, not by its magnitude
        y = input * ((input * input).mean(dim=dims, keepdim=True) + eps).rsqrt()
    else:
        y = apply(RMS_NORM, input, dims=dims, eps=eps)[0]
    if weight is None:
        return y
    scaled = y * weight
    return scaled if scaled._data.dtype is raw.dtype else TENSOR.cast(scaled, dtype=raw.dtype)


# --- over the samples of a batch ---


def batch_norm(
    input: Any,
    running_mean: Any,
    running_var: Any,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """``(x - mean) / sqrt(var + eps) * weight + bias`` for each channel (dimension 1).

    In training mean and variance are those of the batch, and the running ones (which may be None) move towards them by
    ``momentum``, in place. In evaluation the running ones are used.

    Raises:
        RuntimeError: parameters of another size than the channels; no running statistics in evaluation.
        ValueError: training on one value per channel.

    >>> import wengert as torch
    >>> torch.nn.functional.batch_norm(torch.tensor([[1.], [3.]]), None, None, training=True)
    tensor([[-1.0000],
            [ 1.0000]])
    """
    return _batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)[0]


def native_batch_norm(
    input: Any,
    weight: Any,
    bias: Any,
    running_mean: Any,
    running_var: Any,
    training: bool,
    momentum: float,
    eps: float,
) -> tuple[Any, Any, Any]:
    """What :func:`torch.nn.functional.batch_norm` gives, with the mean and ``1 / sqrt(var + eps)`` of each channel.

    These two are empty in evaluation, as in PyTorch.

    Raises:
        RuntimeError: parameters of another size than the channels; no running statistics in evaluation.
        ValueError: training on one value per channel.

    >>> import wengert as torch
    >>> torch.native_batch_norm(torch.tensor([[1.], [3.]]), None, None, None, None, True, 0.1, 0.)[1:]
    (tensor([2.]), tensor([1.]))
    """
    y, *statistics = _batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)
    flat = [wrap(np.zeros(0, y._data.dtype)) if t is None else t.detach().reshape(-1) for t in statistics]
    return y, flat[0], flat[1]  # PyTorch's carry no gradient here


def _batch_norm(
    input: Any,
    running_mean: Any,
    running_var: Any,
    weight: Any,
    bias: Any,
    training: bool,
    momentum: float,
    eps: float,
) -> tuple[Any, Any, Any]:
    raw = raw_of_tensor("batch_norm", input)
    if raw.shape == (0,):
        return input.clone(), None, None
    if raw.ndim < 2:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [-1, 0], but got 1): batch_norm needs a channel "
            f"dimension, and the input has the shape {list(raw.shape)}"
        )
    channels = raw.shape[1]
    if training and raw.size == channels:
        raise ValueError(f"Expected more than 1 value per channel when training, got input size {size_of(raw.shape)}")
    if raw.dtype.kind != "f":
        raise not_implemented_for("batch_norm", raw.dtype)
    running = {"running_mean": running_mean, "running_var": running_var}
    for name, tensor in {**running, "weight": weight, "bias": bias}.items():
        if tensor is not None and raw_of_tensor("batch_norm", tensor, name).size != channels:
            raise RuntimeError(f"{name} should contain {channels} elements not {tensor._data.size}")
    weight, bias = (_per_channel(p, raw.ndim) for p in (weight, bias))
    if not training:
        return _with_running(input, running_mean, running_var, weight, bias, eps), None, None
    dims = tuple(d for d in range(raw.ndim) if d != 1)
    y, mean, scale = normalized(BATCH_NORM, input, weight, bias, dims, eps)
    if STATE.trace is not None:
        _follow_traced(input, mean, running_mean, running_var, dims, momentum)
    else:
        _follow(raw, mean._data, running_mean, running_var, dims, momentum)
    return y, mean, scale


def _per_channel(p: Any, ndim: int) -> Any:
    """A parameter in a shape that broadcasts over the dimensions after the channels."""
    return p if p is None or ndim == 2 else apply(VIEW, p, shape=(p._data.size,) + (1,) * (ndim - 2))


def _with_running(input: Any, running_mean: Any, running_var: Any, weight: Any, bias: Any, eps: float) -> Any:
    for name, tensor in (("running_mean", running_mean), ("running_var", running_var)):
        if tensor is None:
            raise RuntimeError(f"{name} must be defined in evaluation mode")
    dtype, ndim = input._data.dtype, input._data.ndim
    shape = (input._data.shape[1],) + (1,) * (ndim - 2)
    if STATE.trace is not None:
        mean = TENSOR.reshape(TENSOR.cast(running_mean, dtype=dtype), shape=shape)
        wide = TENSOR.reshape(TENSOR.cast(running_var, dtype=dtype), shape=shape)
        scale = TENSOR.reciprocal(TENSOR.sqrt(TENSOR.add(wide, float(eps))))
    else:
        mean = wrap(np.asarray(running_mean._data, dtype).reshape(shape))
        scale = wrap((1.0 / np.sqrt(np.asarray(running_var._data, dtype) + float(eps))).reshape(shape))
    weight = wrap(np.ones(shape, dtype)) if weight is None else weight
    bias = wrap(np.zeros(shape, dtype)) if bias is None else bias
    return apply(BATCH_NORM_FIXED, input, mean, scale, weight, bias)


def _follow_traced(
    x: Any, mean: Any, running_mean: Any, running_var: Any, dims: tuple[int, ...], momentum: Any
) -> None:
    """As :func:`_follow`, by operations: while ``compile`` traces, no value is known, maybe not ``momentum``."""
    x, mean = x.detach(), mean.detach()
    if running_mean is not None:
        _move_towards(running_mean, TENSOR.reshape(mean, shape=running_mean._data.shape), momentum)
    if running_var is not None:
        n = x._data.size // x._data.shape[1]
        away = TENSOR.sub(x, mean)
        var = TENSOR.div(TENSOR.sum(TENSOR.mul(away, away), dim=dims, keepdim=False), n - 1.0)
        _move_towards(running_var, var, momentum)


def _move_towards(running: Any, new: Any, momentum: Any) -> None:
    shares = [1.0 - momentum, momentum]
    if isinstance(momentum, TensorBase):
        shares = [TENSOR.cast(share, dtype=running._data.dtype) for share in shares]
    inplace(COPY, running, TENSOR.add(TENSOR.mul(running, shares[0]), TENSOR.mul(new, shares[1])))


def _follow(raw: Any, mean: Any, running_mean: Any, running_var: Any, dims: tuple[int, ...], momentum: float) -> None:
    """Move the running statistics towards those of the batch, the variance with Bessel's correction."""
    if running_mean is not None:
        old = array_of(running_mean)
        write(running_mean, (old * (1.0 - momentum) + mean.reshape(old.shape) * momentum).astype(old.dtype))
    if running_var is not None:
        old = array_of(running_var)
        n = raw.size // raw.shape[1]
        var = np.add.reduce((raw - mean) ** 2, axis=dims) / (n - 1.0)
        write(running_var, (old * (1.0 - momentum) + var.reshape(old.shape) * momentum).astype(old.dtype))
