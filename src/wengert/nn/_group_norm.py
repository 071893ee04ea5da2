"""Normalisation over groups of channels, and of each channel of each sample."""

from __future__ import annotations

from math import prod
from typing import Any

from wengert.functions.movement import reshaped
from wengert.functions.operands import not_implemented_for, raw_of_tensor
from wengert.nn._normalization import batch_norm, normalized
from wengert.ops.normalization import GROUP_NORM

__all__ = ["group_norm", "instance_norm", "native_group_norm"]


def group_norm(input: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    """``(x - mean) / sqrt(var + eps) * weight + bias``, mean and variance over each group of channels of each sample.

    Raises:
        RuntimeError: channels (dimension 1) that cannot be divided into so many groups.

    >>> import wengert as torch
    >>> torch.nn.functional.group_norm(torch.tensor([[1., 3., 5., 9.]]), 2)
    tensor([[-1.0000,  1.0000, -1.0000,  1.0000]])
    """
    raw = raw_of_tensor("group_norm", input)
    if raw.ndim < 2:
        raise RuntimeError(f"Expected at least 2 dimensions for input tensor but received {raw.ndim}")
    batch, channels = raw.shape[:2]
    if num_groups <= 0 or channels % num_groups:
        raise RuntimeError(
            f"Expected number of channels in input to be divisible by num_groups, but got input of shape "
            f"{list(raw.shape)} and num_groups={num_groups}"
        )
    pixels = prod(raw.shape[2:])
    y, _, _ = _grouped(input, weight, bias, (batch, num_groups, channels // num_groups, pixels), eps)
    return reshaped(y, raw.shape)


def native_group_norm(
    input: Any,
    weight: Any,
    bias: Any,
    N: int,  # noqa: N803 - PyTorch's names
    C: int,  # noqa: N803
    HxW: int,  # noqa: N803
    group: int,
    eps: float,
) -> tuple[Any, Any, Any]:
    """What :func:`torch.nn.functional.group_norm` gives, with the mean and ``1 / sqrt(var + eps)`` of each group.

    ``N``, ``C`` and ``HxW`` are the numbers of samples, channels and pixels.

    Raises:
        RuntimeError: parameters of another size than the channels.
        NotImplementedError: the dtype is not floating point.

    >>> import wengert as torch
    >>> torch.native_group_norm(torch.tensor([[1., 3., 5., 9.]]), None, None, 1, 4, 1, 2, 0.)[1]
    tensor([[2., 7.]])
    """
    raw = raw_of_tensor("group_norm", input)
    y, mean, scale = _grouped(input, weight, bias, (N, group, C // group, HxW), eps)
    return reshaped(y, raw.shape), reshaped(mean, (N, group)), reshaped(scale, (N, group))


def _grouped(input: Any, weight: Any, bias: Any, shape: tuple[int, int, int, int], eps: float) -> Any:
    """Samples, groups, channels of a group and pixels, normalised over the last two; with the statistics."""
    raw = input._data
    if raw.dtype.kind != "f":
        raise not_implemented_for("GroupNormKernelImpl", raw.dtype)
    _, groups, channels, _ = shape
    own = []
    for name, tensor in (("weight", weight), ("bias", bias)):
        if tensor is not None and raw_of_tensor("group_norm", tensor, name).shape != (groups * channels,):
            raise RuntimeError(
                f"Expected {name} to be a vector of size equal to the number of channels in input, but got {name} of "
                f"shape {list(tensor.shape)} and input of shape {list(raw.shape)}"
            )
        own.append(None if tensor is None else reshaped(tensor, (groups, channels, 1)))
    return normalized(GROUP_NORM, reshaped(input, shape), own[0], own[1], (2, 3), eps)


def instance_norm(
    input: Any,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """Batch normalisation of each sample by itself.

    The running statistics move towards the mean of the samples'; they are used when ``use_input_stats`` is False.

    Raises:
        ValueError: one value per channel.
        RuntimeError: no statistics to use.

    >>> import wengert as torch
    >>> torch.nn.functional.instance_norm(torch.tensor([[[1., 3.]]]))
    tensor([[[-1.0000,  1.0000]]])
    """
    raw = raw_of_tensor("instance_norm", input)
    batch, channels = raw.shape[:2]
    if use_input_stats and raw.size == batch * channels:
        raise ValueError(
            f"Expected more than 1 spatial element when training, got input size torch.Size({list(raw.shape)})"
        )
    if not use_input_stats:
        return batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)

    def repeated(t: Any) -> Any:
        return None if t is None else t.repeat(batch)

    means, variances = repeated(running_mean), repeated(running_var)
    flat = input.reshape(1, batch * channels, *raw.shape[2:])
    y = batch_norm(flat, means, variances, repeated(weight), repeated(bias), True, momentum, eps)
    for running, each in ((running_mean, means), (running_var, variances)):
        if running is not None:
            running.data.copy_(each.reshape(batch, channels).mean(0))
    return y.reshape(raw.shape)
