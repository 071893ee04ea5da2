"""Means over patches, and where patches lie, of ``torch.nn.functional``."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from wengert.engine.apply import apply
from wengert.engine.base import wrap
from wengert.functions.operands import not_implemented_for, raw_of_tensor, shown
from wengert.nn._convolution import per_axis
from wengert.ops.patches import Places
from wengert.ops.pooling import AVG_POOL, WEIGHTED, pooling_matrix
from wengert.spaces.tensors import TENSOR

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_avg_pool3d",
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "lp_pool1d",
    "lp_pool2d",
    "lp_pool3d",
]

Shape = tuple[int, ...]


def images_of(name: str, input: Any, axes: int, *, floats: bool = True) -> tuple[Any, Any]:
    """The tensor with a batch axis, and its raw value as given."""
    x = raw_of_tensor(name, input)
    if x.ndim not in (axes + 1, axes + 2):
        raise RuntimeError(
            f"{name}: Expected {axes + 1}D or {axes + 2}D (batch mode) tensor with possibly 0 batch size and other "
            f"non-zero dimensions for input, but got: {shown(x.shape)}"
        )
    if 0 in x.shape[-axes - 1 :]:
        raise RuntimeError(
            f"{name}(): Expected input to have non-zero size for non-batch dimensions, but input has sizes "
            f"{shown(x.shape)}"
        )
    if floats and x.dtype.kind not in "fc":
        raise not_implemented_for(name, x.dtype)
    return (input if x.ndim == axes + 2 else TENSOR.unsqueeze(input, dim=0)), x


def unbatched(y: Any, x: Any, axes: int) -> Any:
    return y if x.ndim == axes + 2 else TENSOR.squeeze(y, dims=(0,))


def places_of(
    name: str, axes: int, space: Shape, kernel: Shape, stride: Any, padding: Any, dilation: Any, ceil_mode: Any
) -> tuple[Places, Shape]:
    """As :func:`_checked_places`, remembered where all is said by whole numbers."""
    numbers = (stride, padding, dilation)
    if all([number.__class__ is int or number is None for number in numbers]):
        return _known_places(name, axes, space, kernel, *numbers, bool(ceil_mode))
    return _checked_places(name, axes, space, kernel, *numbers, ceil_mode)


def _checked_places(
    name: str, axes: int, space: Shape, kernel: Shape, stride: Any, padding: Any, dilation: Any, ceil_mode: Any
) -> tuple[Places, Shape]:
    """Where the patches lie, and how many there are: with ``ceil_mode`` also those that begin inside and end beyond."""
    none = stride is None or (isinstance(stride, (tuple, list)) and not stride)
    steps = kernel if none else per_axis(name, "stride", stride, axes)
    border, spread = per_axis(name, "padding", padding, axes), per_axis(name, "dilation", dilation, axes)
    for what, numbers in (("kernel_size", kernel), ("stride", steps), ("dilation", spread)):
        if min(numbers) <= 0:
            raise RuntimeError(f"{name}: {what} must be greater than zero, but got {list(numbers)}")
    if any([p < 0 or 2 * p > d * (k - 1) + 1 for p, k, d in zip(border, kernel, spread, strict=True)]):
        if min(border) < 0:
            raise RuntimeError(f"pad must be non-negative, but got pad: {min(border)}")
        raise RuntimeError(
            f"pad should be at most half of effective kernel size, but got pad={border[0]}, kernel_size={kernel[0]} "
            f"and dilation={spread[0]}"
        )
    places = Places(steps, border, spread)
    zipped = zip(space, kernel, steps, border, spread, strict=True)
    counts = [_count(n, k, s, p, d, ceil_mode) for n, k, s, p, d in zipped]
    if min(counts) < 1:
        raise RuntimeError(
            f"Given input size: ({'x'.join(map(str, space))}). Calculated output size: ({'x'.join(map(str, counts))}). "
            "Output size is too small"
        )
    return places, tuple(counts)


_known_places = lru_cache(maxsize=256)(_checked_places)


def _count(n: int, k: int, s: int, p: int, d: int, ceil_mode: Any) -> int:
    room = n + 2 * p - d * (k - 1) - 1
    if not ceil_mode:
        return room // s + 1
    count = -(-room // s) + 1
    return count - 1 if (count - 1) * s >= n + p else count


# --- means ---


def _avg_pool(axes: int, input: Any, kernel_size: Any, stride: Any, padding: Any, *rest: Any) -> Any:
    ceil_mode, count_include_pad, divisor_override = rest
    name = f"avg_pool{axes}d"
    images, x = images_of(name, input, axes, floats=False)
    if x.dtype.kind not in "fc" and x.dtype != np.int64:
        raise not_implemented_for(name, x.dtype)
    kernel = per_axis(name, "kernel_size", kernel_size, axes)
    places, counts = places_of(name, axes, x.shape[-axes:], kernel, stride, padding, 1, ceil_mode)
    if divisor_override == 0:
        raise RuntimeError("divisor must be not zero")
    y = apply(
        AVG_POOL,
        images,
        kernel=kernel,
        counts=counts,
        places=places,
        divisor=None if divisor_override is None else int(divisor_override),
        with_border=bool(count_include_pad),
    )
    return unbatched(y, x, axes)


def avg_pool1d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Any:
    """The mean of each patch of signals ``[N, C, L]`` or ``[C, L]``; patches lie ``stride`` (a kernel) apart.

    With ``ceil_mode`` a patch that reaches beyond the border counts; without ``count_include_pad`` the border's zeros
    do not count.

    Raises:
        RuntimeError: shapes or settings that do not fit.

    >>> import wengert as torch
    >>> torch.nn.functional.avg_pool1d(torch.tensor([[1., 3., 5., 7.]]), 2)
    tensor([[2., 6.]])
    """
    return _avg_pool(1, input, kernel_size, stride, padding, ceil_mode, count_include_pad, None)


def avg_pool2d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: Any = None,
) -> Any:
    """As :func:`avg_pool1d`, of images; ``divisor_override`` takes the place of the number of pixels.

    >>> import wengert as torch
    >>> torch.nn.functional.avg_pool2d(torch.arange(4.).reshape(1, 2, 2), 2)
    tensor([[[1.5000]]])
    """
    return _avg_pool(2, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


def avg_pool3d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: Any = None,
) -> Any:
    """As :func:`avg_pool2d`, of volumes.

    >>> import wengert as torch
    >>> torch.nn.functional.avg_pool3d(torch.ones(1, 2, 2, 2), 2).item()
    1.0
    """
    return _avg_pool(3, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


def _lp_pool(axes: int, input: Any, norm_type: Any, kernel_size: Any, stride: Any, ceil_mode: Any) -> Any:
    kernel = per_axis("lp_pool", "kernel_size", kernel_size, axes)
    powers = TENSOR.pow_number(input, float(norm_type))
    mean = _avg_pool(axes, powers, kernel, stride, 0, ceil_mode, True, None)
    total = TENSOR.mul(mean, float(np.prod(kernel)))
    signed = TENSOR.mul(TENSOR.sign(total), TENSOR.relu(TENSOR.abs(total)))
    return TENSOR.pow_number(signed, 1.0 / norm_type)


def lp_pool1d(input: Any, norm_type: Any, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> Any:
    """``(sum x^p)^(1/p)`` of each patch of signals, p being ``norm_type``.

    >>> import wengert as torch
    >>> torch.nn.functional.lp_pool1d(torch.tensor([[3., 4.]]), 2, 2)
    tensor([[5.]])
    """
    return _lp_pool(1, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool2d(input: Any, norm_type: Any, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> Any:
    """As :func:`lp_pool1d`, of images.

    >>> import wengert as torch
    >>> torch.nn.functional.lp_pool2d(torch.ones(1, 2, 2), 1, 2).item()
    4.0
    """
    return _lp_pool(2, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool3d(input: Any, norm_type: Any, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> Any:
    """As :func:`lp_pool1d`, of volumes.

    >>> import wengert as torch
    >>> torch.nn.functional.lp_pool3d(torch.ones(1, 2, 2, 2), 1, 2).item()
    8.0
    """
    return _lp_pool(3, input, norm_type, kernel_size, stride, ceil_mode)


def sizes_of(name: str, output_size: Any, space: Shape) -> Shape:
    given = output_size if isinstance(output_size, (tuple, list)) else (output_size,) * len(space)
    if len(given) != len(space):
        raise RuntimeError(f"{name}: output_size must be {len(space)}")
    sizes = tuple([n if size is None else int(size) for size, n in zip(given, space, strict=True)])
    if min(sizes) < 0:
        raise RuntimeError(f"{name}: elements of output_size must be greater than or equal to 0 but received {sizes}")
    return sizes


def need_dimensions(name: str, input: Any, axes: int) -> None:
    if axes > 1 and raw_of_tensor(name, input).ndim <= axes:
        raise ValueError(f"Input dimension should be at least {axes + 1}, got {input._data.ndim}")


def _adaptive_avg_pool(axes: int, input: Any, output_size: Any) -> Any:
    name = f"adaptive_avg_pool{axes}d"
    need_dimensions(name, input, axes)
    images, x = images_of(name, input, axes)
    space = x.shape[-axes:]
    sizes = sizes_of(name, output_size, space)
    if 0 not in sizes and not any([n % size for n, size in zip(space, sizes, strict=True)]):
        kernel = tuple([n // size for n, size in zip(space, sizes, strict=True)])
        return _avg_pool(axes, input, kernel, None, 0, False, True, None)
    for axis, (n, size) in enumerate(zip(space, sizes, strict=True), 2):
        images = along_axis(images, pooling_matrix(n, size, x.dtype), axis)
    return unbatched(images, x, axes)


def along_axis(images: Any, matrix: Any, axis: int) -> Any:
    """Multiply one axis by a constant matrix ``(new, old)``."""
    last = images._data.ndim - 1
    moved = TENSOR.transpose(images, dim0=axis, dim1=last) if axis != last else images
    found = apply(WEIGHTED, moved, wrap(np.ascontiguousarray(matrix.T)))
    return TENSOR.transpose(found, dim0=axis, dim1=last) if axis != last else found


def adaptive_avg_pool1d(input: Any, output_size: Any) -> Any:
    """The means of ``output_size`` parts that cover each signal ``[N, C, L]`` or ``[C, L]``.

    Raises:
        RuntimeError: shapes that do not fit.

    >>> import wengert as torch
    >>> torch.nn.functional.adaptive_avg_pool1d(torch.tensor([[1., 2., 3.]]), 2)
    tensor([[1.5000, 2.5000]])
    """
    return _adaptive_avg_pool(1, input, output_size)


def adaptive_avg_pool2d(input: Any, output_size: Any) -> Any:
    """As :func:`adaptive_avg_pool1d`, of images; None keeps a size.

    >>> import wengert as torch
    >>> torch.nn.functional.adaptive_avg_pool2d(torch.ones(1, 4, 4), 1).item()
    1.0
    """
    return _adaptive_avg_pool(2, input, output_size)


def adaptive_avg_pool3d(input: Any, output_size: Any) -> Any:
    """As :func:`adaptive_avg_pool2d`, of volumes.

    >>> import wengert as torch
    >>> torch.nn.functional.adaptive_avg_pool3d(torch.ones(1, 2, 2, 2), 1).item()
    1.0
    """
    return _adaptive_avg_pool(3, input, output_size)
