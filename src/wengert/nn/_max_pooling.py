"""Maxima over patches and the way back, of ``torch.nn.functional``."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert._traced import Traced
from wengert.engine.apply import apply
from wengert.engine.base import wrap
from wengert.functions.operands import not_implemented_for, raw_of_tensor, shown
from wengert.nn._convolution import per_axis
from wengert.nn._pooling import images_of, need_dimensions, places_of, sizes_of, unbatched
from wengert.ops.pooling import ADAPTIVE_MAX_POOL, MAX_POOL
from wengert.spaces.tensors import TENSOR

__all__ = [
    "adaptive_max_pool1d",
    "adaptive_max_pool2d",
    "adaptive_max_pool3d",
    "max_pool1d",
    "max_pool2d",
    "max_pool3d",
    "max_unpool1d",
    "max_unpool2d",
    "max_unpool3d",
]

Shape = tuple[int, ...]


def _max_pool(
    axes: int,
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    name = f"max_pool{axes}d"
    images, x = images_of(name, input, axes, floats=False)
    if x.dtype.kind in "bc":
        raise not_implemented_for(name, x.dtype)
    kernel = per_axis(name, "kernel_size", kernel_size, axes)
    places, counts = places_of(name, axes, x.shape[-axes:], kernel, stride, padding, dilation, ceil_mode)
    both = apply(MAX_POOL, images, kernel=kernel, counts=counts, places=places)
    values, indices = [unbatched(t, x, axes) for t in both]
    return (values, indices) if return_indices else values


def _adaptive_max_pool(axes: int, input: Any, output_size: Any, return_indices: bool = False) -> Any:
    name = f"adaptive_max_pool{axes}d"
    need_dimensions(name, input, axes)
    images, x = images_of(name, input, axes)
    sizes = sizes_of(name, output_size, x.shape[-axes:])
    both = apply(ADAPTIVE_MAX_POOL, images, counts=sizes)
    values, indices = [unbatched(t, x, axes) for t in both]
    return (values, indices) if return_indices else values


def max_pool1d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element of each patch of signals ``[N, C, L]`` or ``[C, L]``.

    Of equal ones the first gets the gradient. With ``return_indices`` also where each stands in its signal.

    Raises:
        RuntimeError: shapes or settings that do not fit.

    >>> import wengert as torch
    >>> torch.nn.functional.max_pool1d(torch.tensor([[1., 3., 5., 2.]]), 2)
    tensor([[3., 5.]])
    """
    return _max_pool(1, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool2d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """As :func:`max_pool1d`, of images; an index is that of the flattened image.

    >>> import wengert as torch
    >>> torch.nn.functional.max_pool2d(torch.arange(4.).reshape(1, 2, 2), 2)
    tensor([[[3.]]])
    """
    return _max_pool(2, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool3d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """As :func:`max_pool2d`, of volumes.

    >>> import wengert as torch
    >>> torch.nn.functional.max_pool3d(torch.arange(8.).reshape(1, 2, 2, 2), 2).item()
    7.0
    """
    return _max_pool(3, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def adaptive_max_pool1d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """The largest elements of ``output_size`` parts that cover each signal.

    >>> import wengert as torch
    >>> torch.nn.functional.adaptive_max_pool1d(torch.tensor([[1., 3., 2.]]), 2)
    tensor([[3., 3.]])
    """
    return _adaptive_max_pool(1, input, output_size, return_indices)


def adaptive_max_pool2d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """As :func:`adaptive_max_pool1d`, of images.

    >>> import wengert as torch
    >>> torch.nn.functional.adaptive_max_pool2d(torch.arange(4.).reshape(1, 2, 2), 1).item()
    3.0
    """
    return _adaptive_max_pool(2, input, output_size, return_indices)


def adaptive_max_pool3d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """As :func:`adaptive_max_pool1d`, of volumes.

    >>> import wengert as torch
    >>> torch.nn.functional.adaptive_max_pool3d(torch.arange(8.).reshape(1, 2, 2, 2), 1).item()
    7.0
    """
    return _adaptive_max_pool(3, input, output_size, return_indices)


# --- back from maxima ---


def _max_unpool(
    axes: int, input: Any, indices: Any, kernel_size: Any, stride: Any, padding: Any, output_size: Any
) -> Any:
    name = f"max_unpool{axes}d"
    images, x = images_of(name, input, axes)
    at = raw_of_tensor(name, indices, "indices", 2)
    if at.shape != x.shape:
        raise RuntimeError(
            f"Expected shape of indices to be same as that of the input tensor ({shown(x.shape)}) but got indices "
            f"tensor with shape: {shown(at.shape)}"
        )
    if at.dtype != np.int64:
        raise RuntimeError(f"elements in indices should be type int64 but got: {at.dtype}")
    kernel = per_axis(name, "kernel_size", kernel_size, axes)
    steps = kernel if stride is None else per_axis(name, "stride", stride, axes)
    border = per_axis(name, "padding", padding, axes)
    space = tuple([(n - 1) * s + k - 2 * p for n, s, k, p in zip(x.shape[-axes:], steps, kernel, border, strict=True)])
    if output_size is not None:
        space = _unpooled_size(tuple(output_size)[-axes:], space, steps)
    total = int(np.prod(space))
    if at.size and not isinstance(at, Traced) and (at.min() < 0 or at.max() >= total):
        wrong = int(at.max() if at.max() >= total else at.min())
        raise RuntimeError(
            f"Found an invalid max index: {wrong} (output volumes are of size {'x'.join(map(str, space))})"
        )
    n, c = images._data.shape[:2]
    flat = (n, c, int(np.prod(x.shape[-axes:])))
    zeros = wrap(np.zeros((n, c, total), x.dtype))
    place = wrap((at if isinstance(at, Traced) else np.ascontiguousarray(at)).reshape(flat))
    spread = TENSOR.scatter(zeros, place, TENSOR.reshape(images, shape=flat), dim=2)
    return unbatched(TENSOR.reshape(spread, shape=(n, c, *space)), x, axes)


def _unpooled_size(given: Shape, usual: Shape, steps: Shape) -> Shape:
    for size, n, s in zip(given, usual, steps, strict=True):
        if not n - s < size < n + s:
            low, high = ([n + sign * s for n, s in zip(usual, steps, strict=True)] for sign in (-1, 1))
            raise ValueError(f"invalid output_size {tuple(given)!r}: it must lie between {low} and {high}")
    return given


def max_unpool1d(
    input: Any, indices: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> Any:
    """Zeros with each maximum back where :func:`max_pool1d` found it.

    Raises:
        RuntimeError: indices of another shape or dtype, or outside.
        ValueError: an ``output_size`` that no pooling gives this from.

    >>> import wengert as torch
    >>> torch.nn.functional.max_unpool1d(torch.tensor([[3.]]), torch.tensor([[1]]), 2)
    tensor([[0., 3.]])
    """
    return _max_unpool(1, input, indices, kernel_size, stride, padding, output_size)


def max_unpool2d(
    input: Any, indices: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> Any:
    """As :func:`max_unpool1d`, of images.

    >>> import wengert as torch
    >>> torch.nn.functional.max_unpool2d(torch.tensor([[[3.]]]), torch.tensor([[[1]]]), (1, 2))
    tensor([[[0., 3.]]])
    """
    return _max_unpool(2, input, indices, kernel_size, stride, padding, output_size)


def max_unpool3d(
    input: Any, indices: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> Any:
    """As :func:`max_unpool1d`, of volumes.

    >>> import wengert as torch
    >>> torch.nn.functional.max_unpool3d(torch.tensor([[[[3.]]]]), torch.tensor([[[[1]]]]), (1, 1, 2))
    tensor([[[[0., 3.]]]])
    """
    return _max_unpool(3, input, indices, kernel_size, stride, padding, output_size)
