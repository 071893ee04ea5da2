"""Images in other sizes and other arrangements of their pixels, of ``torch.nn.functional``."""

from __future__ import annotations

from functools import lru_cache
from math import floor
from typing import Any

import numpy as np

from wengert.engine.base import wrap
from wengert.functions.operands import raw_of_tensor, shown
from wengert.nn._pooling import adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d, along_axis
from wengert.spaces.tensors import TENSOR

__all__ = [
    "channel_shuffle",
    "interpolate",
    "pixel_shuffle",
    "pixel_unshuffle",
    "upsample",
    "upsample_bilinear",
    "upsample_nearest",
]

Shape = tuple[int, ...]

_LINEAR = {"linear": 1, "bilinear": 2, "trilinear": 3}
_POOLS = (adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d)


def interpolate(
    input: Any,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Any:
    """Signals, images or volumes ``[N, C, *space]`` in another size.

    ``mode`` is ``"nearest"``, ``"nearest-exact"``, ``"linear"`` (signals), ``"bilinear"`` or ``"bicubic"`` (images),
    ``"trilinear"`` (volumes) or ``"area"``. Pixel ``i`` of the result lies at ``(i + 1/2) / scale - 1/2`` of the input,
    or with ``align_corners`` at ``i (n - 1) / (m - 1)``.

    Raises:
        ValueError: neither or both of ``size`` and ``scale_factor``, or a mode that does not go with the others.
        NotImplementedError: ``antialias``, or a mode for another number of dimensions.

    >>> import wengert as torch
    >>> torch.nn.functional.interpolate(torch.tensor([[[1., 2.]]]), scale_factor=2)
    tensor([[[1., 1., 2., 2.]]])
    """
    x = raw_of_tensor("interpolate", input)
    axes = x.ndim - 2
    _check_mode(mode, align_corners, axes, antialias)
    sizes, factors = _sizes(x.shape[2:], size, scale_factor)
    if recompute_scale_factor:
        if factors is None:
            raise ValueError("recompute_scale_factor is not meaningful with an explicit size.")
        factors = None
    if min(sizes, default=1) < 1 or 0 in x.shape[1:]:
        raise RuntimeError(
            f"Input and output sizes should be greater than 0, but got input (shape: {shown(x.shape)}) output (size: "
            f"{list(sizes)})"
        )
    if mode == "area":
        return _POOLS[axes - 1](input, sizes)
    for axis, (n, m) in enumerate(zip(x.shape[2:], sizes, strict=True)):
        ratio = _ratio(n, m, None if factors is None else factors[axis], bool(align_corners))
        input = _along(input, axis + 2, n, m, mode, ratio, bool(align_corners))
    return input


def _check_mode(mode: str, align_corners: bool | None, axes: int, antialias: bool) -> None:
    if mode in ("nearest", "nearest-exact", "area"):
        if align_corners is not None:
            raise ValueError(
                "align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | "
                "trilinear"
            )
    elif mode not in (*_LINEAR, "bicubic"):
        raise NotImplementedError(f"no interpolation mode {mode!r}")
    if antialias:
        raise NotImplementedError("interpolate: antialias is not available; smooth the image first, or use mode='area'")
    needed = _LINEAR.get(mode, 2 if mode == "bicubic" else axes)
    if axes not in (1, 2, 3) or needed != axes:
        raise NotImplementedError(
            f"Input Error: Only 3D, 4D and 5D input Tensors supported (got {axes + 2}D) for the modes: nearest | "
            f"linear | bilinear | bicubic | trilinear | area | nearest-exact (got {mode})"
        )


def _sizes(space: Shape, size: Any, scale_factor: Any) -> tuple[Shape, tuple[float, ...] | None]:
    if (size is None) is (scale_factor is None):
        both = "either size or scale_factor should be defined" if size is None else "only one of size or scale_factor"
        raise ValueError(both if size is None else f"{both} should be defined")
    given = size if size is not None else scale_factor
    listed = tuple(given) if isinstance(given, (tuple, list)) else (given,) * len(space)
    if len(listed) != len(space):
        other = "output" if size is not None else "scale_factor"
        raise ValueError(
            f"Input and {other} must have the same number of spatial dimensions, but got input with spatial dimensions "
            f"of {list(space)} and {other} of {list(listed)}. The input has the shape [N, C, d1, d2, ...]"
        )
    if size is not None:
        return tuple([int(n) for n in listed]), None
    factors = tuple([float(f) for f in listed])
    return tuple([floor(n * f) for n, f in zip(space, factors, strict=True)]), factors


def _ratio(n: int, m: int, factor: float | None, align_corners: bool) -> float:
    """How far apart neighbours of the result lie in the input."""
    if align_corners:
        return (n - 1) / (m - 1) if m > 1 else 0.0
    return 1.0 / factor if factor is not None and factor > 0 else n / m


def _along(input: Any, axis: int, n: int, m: int, mode: str, ratio: float, align_corners: bool) -> Any:
    if mode.startswith("nearest"):
        offset = 0.5 if mode == "nearest-exact" else 0.0
        index = np.minimum(np.floor((np.arange(m) + offset) * np.float32(ratio)).astype(np.int64), n - 1)
        return TENSOR.index_select(input, wrap(index), dim=axis)
    make = _kept_weights if n * m <= _SMALL else _weights
    return along_axis(input, make(n, m, mode, ratio, align_corners, input._data.dtype), axis)


_SMALL = 4096  # weights: making so few anew would take longer than using them


def _weights(n: int, m: int, mode: str, ratio: float, align_corners: bool, dtype: Any) -> Any:
    """What each of ``n`` pixels weighs in each of ``m``."""
    place = np.arange(m)
    real = place * ratio if align_corners else (place + 0.5) * ratio - 0.5
    matrix = _cubic(real, n) if mode == "bicubic" else _linear(real, n, align_corners)
    return matrix.astype(dtype)


_kept_weights = lru_cache(maxsize=64)(_weights)


def _linear(real: Any, n: int, align_corners: bool) -> Any:
    real = real if align_corners else np.maximum(real, 0.0)
    lower = np.minimum(np.floor(real).astype(np.int64), n - 1)
    upper = np.minimum(lower + 1, n - 1)
    part = np.clip(real - lower, 0.0, 1.0)
    rows = np.arange(real.size)
    matrix = np.zeros((real.size, n))
    np.add.at(matrix, (rows, lower), 1.0 - part)
    np.add.at(matrix, (rows, upper), part)
    return matrix


_SHARPNESS = -0.75  # Keys's cubic convolution with the parameter that PyTorch and OpenCV have


def _cubic(real: Any, n: int) -> Any:
    """R. Keys, "Cubic convolution interpolation for digital image processing" (1981)."""
    lower = np.floor(real).astype(np.int64)
    part = real - lower
    rows = np.arange(real.size)
    matrix = np.zeros((real.size, n))
    for step, distance in ((-1, part + 1), (0, part), (1, 1 - part), (2, 2 - part)):
        np.add.at(matrix, (rows, np.clip(lower + step, 0, n - 1)), _keys(distance))
    return matrix


def _keys(d: Any) -> Any:
    a = _SHARPNESS
    near = ((a + 2) * d - (a + 3)) * d * d + 1
    far = ((d - 5) * d + 8) * d * a - 4 * a
    return np.where(d <= 1, near, far)


def upsample(
    input: Any, size: Any = None, scale_factor: Any = None, mode: str = "nearest", align_corners: bool | None = None
) -> Any:
    """The former name of :func:`interpolate`.

    >>> import wengert as torch
    >>> torch.nn.functional.upsample(torch.tensor([[[1.]]]), 2)
    tensor([[[1., 1.]]])
    """
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(input: Any, size: Any = None, scale_factor: Any = None) -> Any:
    """:func:`interpolate` with ``mode="nearest"``.

    >>> import wengert as torch
    >>> torch.nn.functional.upsample_nearest(torch.tensor([[[1.]]]), 2)
    tensor([[[1., 1.]]])
    """
    return interpolate(input, size, scale_factor)


def upsample_bilinear(input: Any, size: Any = None, scale_factor: Any = None) -> Any:
    """:func:`interpolate` with ``mode="bilinear"`` and aligned corners.

    >>> import wengert as torch
    >>> torch.nn.functional.upsample_bilinear(torch.tensor([[[[0., 2.]]]]), (1, 3))
    tensor([[[[0., 1., 2.]]]])
    """
    return interpolate(input, size, scale_factor, "bilinear", True)


# --- pixels and channels ---


def pixel_shuffle(input: Any, upscale_factor: int) -> Any:
    """Channels as finer pixels: ``[*, C r^2, H, W]`` becomes ``[*, C, H r, W r]``.

    Raises:
        RuntimeError: fewer than three dimensions, or a number of channels that r^2 does not divide.

    >>> import wengert as torch
    >>> torch.nn.functional.pixel_shuffle(torch.arange(4.).reshape(4, 1, 1), 2)
    tensor([[[0., 1.],
             [2., 3.]]])
    """
    shape, r = raw_of_tensor("pixel_shuffle", input).shape, int(upscale_factor)
    if len(shape) < 3:
        raise RuntimeError(
            f"pixel_shuffle expects input to have at least 3 dimensions, but got input with {len(shape)} dimension(s)"
        )
    if r <= 0:
        raise RuntimeError(f"pixel_shuffle expects a positive upscale_factor, but got {r}")
    *batch, c, h, w = shape
    if c % (r * r):
        raise RuntimeError(
            "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of upscale_factor, "
            f"but input.size(-3)={c} is not divisible by {r * r}"
        )
    k = len(batch)
    parts = TENSOR.reshape(input, shape=(*batch, c // (r * r), r, r, h, w))
    mixed = TENSOR.permute(parts, dims=(*range(k), k, k + 3, k + 1, k + 4, k + 2))
    return _copied(mixed, (*batch, c // (r * r), h * r, w * r))


def pixel_unshuffle(input: Any, downscale_factor: int) -> Any:
    """Pixels as further channels, the inverse of :func:`pixel_shuffle`.

    Raises:
        RuntimeError: fewer than three dimensions, or sizes that the factor does not divide.

    >>> import wengert as torch
    >>> torch.nn.functional.pixel_unshuffle(torch.arange(4.).reshape(1, 2, 2), 2).shape
    torch.Size([4, 1, 1])
    """
    shape, r = raw_of_tensor("pixel_unshuffle", input).shape, int(downscale_factor)
    if len(shape) < 3:
        raise RuntimeError(
            f"pixel_unshuffle expects input to have at least 3 dimensions, but got input with {len(shape)} dimension(s)"
        )
    if r <= 0:
        raise RuntimeError(f"pixel_unshuffle expects a positive downscale_factor, but got {r}")
    *batch, c, h, w = shape
    if h % r or w % r:
        raise RuntimeError(
            f"pixel_unshuffle expects height and width to be divisible by downscale_factor, but {h} x {w} is not "
            f"divisible by {r}"
        )
    k = len(batch)
    parts = TENSOR.reshape(input, shape=(*batch, c, h // r, r, w // r, r))
    mixed = TENSOR.permute(parts, dims=(*range(k), k, k + 2, k + 4, k + 1, k + 3))
    return _copied(mixed, (*batch, c * r * r, h // r, w // r))


def channel_shuffle(input: Any, groups: int) -> Any:
    """The channels of ``[N, C, *]`` dealt out anew: the first of each group, then the second of each, and so on.

    Raises:
        RuntimeError: fewer than three dimensions, or a number of channels that ``groups`` does not divide.

    >>> import wengert as torch
    >>> torch.nn.functional.channel_shuffle(torch.arange(4.).reshape(1, 4, 1), 2).flatten()
    tensor([0., 2., 1., 3.])
    """
    shape = raw_of_tensor("channel_shuffle", input).shape
    if len(shape) < 3:
        raise RuntimeError(f"channel_shuffle expects input with > 2 dims, but got input with sizes {shown(shape)}")
    if groups <= 0 or shape[1] % groups:
        raise RuntimeError(
            f"Number of channels must be divisible by groups. Got {shape[1]} channels and {groups} groups."
            if groups > 0
            else f"Number of groups to divide channels in must be positive. Value of groups:{groups}"
        )
    parts = TENSOR.reshape(input, shape=(shape[0], groups, shape[1] // groups, *shape[2:]))
    return _copied(TENSOR.transpose(parts, dim0=1, dim1=2), shape)


def _copied(x: Any, shape: tuple[int, ...]) -> Any:
    """The elements in another shape, in memory of their own also where they lie in order already."""
    return TENSOR.unsafe_view(TENSOR.contiguous(x), shape=shape)
