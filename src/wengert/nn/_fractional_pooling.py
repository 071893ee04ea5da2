"""Maxima over patches at random places, of ``torch.nn.functional``."""

from __future__ import annotations

from itertools import product
from math import prod
from typing import Any

import numpy as np

from wengert.engine.base import wrap
from wengert.functions.generators import default_generator
from wengert.functions.operands import not_implemented_for, raw_of_tensor, shown
from wengert.nn._convolution import per_axis
from wengert.spaces.tensors import TENSOR

__all__ = ["fractional_max_pool2d", "fractional_max_pool3d"]

Shape = tuple[int, ...]


def _fractional_max_pool(
    axes: int, input: Any, kernel_size: Any, output_size: Any, output_ratio: Any, return_indices: bool, samples: Any
) -> Any:
    name = f"fractional_max_pool{axes}d"
    x = raw_of_tensor(name, input)
    if output_size is None and output_ratio is None:
        raise ValueError(f"{name} requires specifying either an output_size or an output_ratio")
    if x.ndim not in (axes + 1, axes + 2) or 0 in x.shape[-axes - 1 :]:
        raise RuntimeError(
            f"{name}(): Expected input to have non-zero size for non-batch dimensions and {axes + 1} or {axes + 2} of "
            f"them, but got {shown(x.shape)}"
        )
    if x.dtype.kind != "f":
        raise not_implemented_for(f"{name}_out_frame", x.dtype)
    space, kernel = x.shape[-axes:], per_axis(name, "kernel_size", kernel_size, axes)
    counts = _counts(name, space, kernel, output_size, output_ratio)
    lead = (1, *x.shape[:1]) if x.ndim == axes + 1 else x.shape[:2]
    at = _places_of_maxima(x.reshape(*lead, *space), kernel, counts, _draws(name, samples, (*lead, axes), x.dtype))
    flat = TENSOR.reshape(input, shape=(*lead, prod(space)))
    chosen = TENSOR.gather(flat, wrap(at.reshape(*lead, prod(counts))), dim=2)
    shape = (*x.shape[:-axes], *counts)
    values = TENSOR.reshape(chosen, shape=shape)
    return (values, wrap(at.reshape(shape))) if return_indices else values


def _counts(name: str, space: Shape, kernel: Shape, output_size: Any, output_ratio: Any) -> Shape:
    if output_size is not None:
        counts = per_axis(name, "output_size", output_size, len(space))
    else:
        ratios = output_ratio if isinstance(output_ratio, (tuple, list)) else (output_ratio,) * len(space)
        if len(ratios) != len(space) or not all([0 < ratio < 1 for ratio in ratios]):
            raise ValueError(f"{name}: output_ratio must be between 0 and 1 for each axis, but got {output_ratio}")
        counts = tuple([int(n * ratio) for n, ratio in zip(space, ratios, strict=True)])
    for n, k, count in zip(space, kernel, counts, strict=True):
        if count < 1 or k < 1 or count + k - 1 > n:
            raise RuntimeError(
                f"{name}(): {count} patches of {k} pixels do not fit: pool size {k} and output size {count} are too "
                f"large relative to the input's {n}"
            )
    return counts


def _draws(name: str, samples: Any, shape: Shape, dtype: Any) -> Any:
    if samples is None:
        return default_generator.uniform(shape, dtype)
    drawn = raw_of_tensor(name, samples, "_random_samples")
    if drawn.shape != shape:
        raise RuntimeError(f"{name}: expected _random_samples of shape {list(shape)}, but got {list(drawn.shape)}")
    return drawn


def _starts(draw: Any, n: int, k: int, count: int) -> Any:
    """Where the patches along one axis begin, for each draw: steps of two lengths in random order, the last fixed."""
    if count == 1:
        return np.full((*draw.shape, 1), n - k)
    step = (n - k) / (count - 1)
    steps = np.floor((np.arange(count) + draw[..., None]) * step) - np.floor(draw[..., None] * step)
    steps[..., -1] = n - k
    return steps.astype(np.int64)


def _places_of_maxima(x: Any, kernel: Shape, counts: Shape, draws: Any) -> Any:
    """Where in its flattened image the largest pixel of each patch stands."""
    axes, space = len(kernel), x.shape[2:]
    pixels: Any = 0
    for axis, (n, k, count) in enumerate(zip(space, kernel, counts, strict=True)):
        draw = draws[..., axis if axes == 3 else axes - 1 - axis]  # PyTorch's order: columns first in images
        starts = _starts(draw.astype(np.float64), n, k, count)
        starts = starts.reshape(*starts.shape[:2], *[count if other == axis else 1 for other in range(axes)])
        pixels = pixels * n + starts
    offsets = [np.ravel_multi_index(place, space) for place in product(*[range(k) for k in kernel])]
    patches = pixels.reshape(*x.shape[:2], prod(counts), 1) + np.array(offsets)
    values = np.take_along_axis(x.reshape(*x.shape[:2], 1, prod(space)), patches, axis=3)
    return np.take_along_axis(patches, values.argmax(axis=3)[..., None], axis=3)[..., 0]


def fractional_max_pool2d(
    input: Any,
    kernel_size: Any,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Any = None,
) -> Any:
    """The largest pixel of each patch of images, where the distance between patches varies at random.

    The result has the size ``output_size``, or ``output_ratio`` of the input's. With ``return_indices`` also where each
    stands in its flattened image. Source: B. Graham, "Fractional max-pooling" (2014).

    Raises:
        ValueError: neither a size nor a ratio, or a ratio that is not between 0 and 1.
        RuntimeError: patches that do not fit into the images.

    >>> import wengert as torch
    >>> torch.nn.functional.fractional_max_pool2d(torch.arange(9.).reshape(1, 3, 3), 2, output_size=2)
    tensor([[[4., 5.],
             [7., 8.]]])
    """
    return _fractional_max_pool(2, input, kernel_size, output_size, output_ratio, return_indices, _random_samples)


def fractional_max_pool3d(
    input: Any,
    kernel_size: Any,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Any = None,
) -> Any:
    """As :func:`fractional_max_pool2d`, of volumes.

    >>> import wengert as torch
    >>> torch.nn.functional.fractional_max_pool3d(torch.arange(8.).reshape(1, 2, 2, 2), 2, output_size=1)
    tensor([[[[7.]]]])
    """
    return _fractional_max_pool(3, input, kernel_size, output_size, output_ratio, return_indices, _random_samples)
