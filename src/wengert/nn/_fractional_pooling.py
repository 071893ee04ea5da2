"""Maxima of patches whose places are drawn at random, so that sizes shrink by any ratio."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from wengert.engine.base import wrap
from wengert.functions.operands import raw_of_tensor
from wengert.functions.random import rand
from wengert.nn._convolution import per_axis

__all__ = [
    "fractional_max_pool2d",
    "fractional_max_pool2d_with_indices",
    "fractional_max_pool3d",
    "fractional_max_pool3d_with_indices",
]

Shape = tuple[int, ...]


def _sizes(name: str, axes: int, space: Shape, output_size: Any, output_ratio: Any) -> Shape:
    if output_size is not None:
        return per_axis(name, "output_size", output_size, axes)
    if output_ratio is None:
        raise ValueError(f"{name} requires specifying either an output_size or an output_ratio")
    ratios = output_ratio if isinstance(output_ratio, (tuple, list)) else (output_ratio,) * axes
    if len(ratios) > axes:
        raise ValueError(f"{name} requires output_ratio to either be a single Int or tuple of Ints.")
    return tuple([int(n * ratio) for n, ratio in zip(space, ratios, strict=True)])


def _starts(sample: Any, size: int, kernel: int, count: int) -> Any:
    """Where the patches of each channel begin along an axis: uneven steps, from 0 to the last place (Graham, 2014)."""
    last = np.full((*sample.shape, 1), size - kernel)
    if count == 1:
        return last
    alpha = sample.dtype.type(size - kernel) / sample.dtype.type(count - 1)
    steps = np.arange(count - 1, dtype=sample.dtype) + sample[..., None]
    whole = (steps * alpha).astype(np.int64) - (sample * alpha).astype(np.int64)[..., None]
    return np.concatenate([whole, last], axis=-1)


def _places(samples: Any, space: Shape, kernel: Shape, counts: Shape) -> Any:
    """The places in the flat image of all pixels of all patches: ``(batch, channels, *counts, pixels of a patch)``."""
    axes = len(space)
    at: Any = 0
    for axis, (n, k, c) in enumerate(zip(space, kernel, counts, strict=True)):
        start = _starts(samples[..., axis], n, k, c)
        pixels = start[..., None] + np.arange(k)
        spread = [1] * (2 * axes)
        spread[axis], spread[axes + axis] = c, k
        at = at * n + pixels.reshape(*pixels.shape[:2], *spread)
    return at.reshape(*at.shape[: 2 + axes], prod(kernel))


def _pooled(axes: int, input: Any, kernel_size: Any, output_size: Any, output_ratio: Any, samples: Any) -> Any:
    name = f"fractional_max_pool{axes}d"
    x = raw_of_tensor(name, input)
    if x.ndim not in (axes + 1, axes + 2):
        raise RuntimeError(f"{name}(): Expected {axes + 1}D or {axes + 2}D tensor, but got: {list(x.shape)}")
    space = x.shape[-axes:]
    kernel = per_axis(name, "kernel_size", kernel_size, axes)
    counts = _sizes(name, axes, space, output_size, output_ratio)
    for what, n, k, c in zip(("time", "height", "width")[-axes:], space, kernel, counts, strict=True):
        if c < 1 or c + k - 1 > n:
            raise RuntimeError(f"{name}(): pool {what} {k} too large relative to input {what} {n}, for {c} patches")
    images = x if x.ndim == axes + 2 else x[None]
    drawn = rand(*images.shape[:2], axes, dtype=input.dtype) if samples is None else samples
    numbers = raw_of_tensor(name, drawn)
    if axes == 2:  # PyTorch's order: across, then down
        numbers = numbers[..., ::-1]
    at = _places(numbers, space, kernel, counts)
    flat = images.reshape(*images.shape[:2], -1)
    pixels = np.take_along_axis(flat[:, :, None], at.reshape(*at.shape[:2], -1, at.shape[-1]), axis=-1)
    chosen = np.take_along_axis(at.reshape(pixels.shape), pixels.argmax(-1)[..., None], axis=-1)[..., 0]
    lead = x.shape[:-axes]
    indices = wrap(chosen.reshape(*lead, -1))
    values = input.flatten(-axes).gather(-1, indices)
    return values.reshape(*lead, *counts), indices.reshape(*lead, *counts)


def fractional_max_pool2d_with_indices(
    input: Any,
    kernel_size: Any,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,  # noqa: ARG001 - PyTorch's signature
    _random_samples: Any = None,
) -> Any:
    """:func:`fractional_max_pool2d`, and where the maxima are in each flat image.

    >>> import wengert as torch
    >>> y, where = torch.nn.functional.fractional_max_pool2d_with_indices(torch.ones(1, 1, 7, 7), 2, output_size=3)
    >>> y.shape, where.dtype
    (torch.Size([1, 1, 3, 3]), torch.int64)
    """
    return _pooled(2, input, kernel_size, output_size, output_ratio, _random_samples)


def fractional_max_pool2d(
    input: Any,
    kernel_size: Any,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Any = None,
) -> Any:
    """The largest elements of patches of images ``[N, C, H, W]`` whose places are drawn anew for each channel.

    Patches of ``kernel_size`` begin at uneven steps (Graham, "Fractional max-pooling", 2014). The result has
    ``output_size``, or the input's times ``output_ratio``.

    Raises:
        ValueError: neither an output size nor a ratio.
        RuntimeError: patches larger than what is left of the image.

    >>> import wengert as torch
    >>> torch.nn.functional.fractional_max_pool2d(torch.ones(1, 1, 10, 10), 2, output_ratio=0.7).shape
    torch.Size([1, 1, 7, 7])
    """
    both = _pooled(2, input, kernel_size, output_size, output_ratio, _random_samples)
    return both if return_indices else both[0]


def fractional_max_pool3d_with_indices(
    input: Any,
    kernel_size: Any,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,  # noqa: ARG001 - PyTorch's signature
    _random_samples: Any = None,
) -> Any:
    """:func:`fractional_max_pool3d`, and where the maxima are in each flat volume.

    >>> import wengert as torch
    >>> y, where = torch.nn.functional.fractional_max_pool3d_with_indices(torch.ones(1, 1, 7, 7, 7), 2, output_size=3)
    >>> where.shape
    torch.Size([1, 1, 3, 3, 3])
    """
    return _pooled(3, input, kernel_size, output_size, output_ratio, _random_samples)


def fractional_max_pool3d(
    input: Any,
    kernel_size: Any,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Any = None,
) -> Any:
    """As :func:`fractional_max_pool2d`, of volumes ``[N, C, D, H, W]``.

    Raises:
        ValueError: neither an output size nor a ratio.
        RuntimeError: patches larger than what is left of the volume.

    >>> import wengert as torch
    >>> torch.nn.functional.fractional_max_pool3d(torch.ones(1, 1, 8, 8, 8), 2, output_size=(4, 5, 6)).shape
    torch.Size([1, 1, 4, 5, 6])
    """
    both = _pooled(3, input, kernel_size, output_size, output_ratio, _random_samples)
    return both if return_indices else both[0]
