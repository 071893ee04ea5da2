"""Images read at any real places: ``grid_sample`` of ``torch.nn.functional``, composed of gathers and products."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from math import prod
from typing import Any

import numpy as np

from wengert.engine.base import wrap
from wengert.functions.operands import raw_of_tensor
from wengert.functions.select import where

__all__ = ["affine_grid", "grid_sample", "grid_sampler", "grid_sampler_2d", "grid_sampler_3d"]

_MODES = ("bilinear", "nearest", "bicubic")
_PADDINGS = ("zeros", "border", "reflection")
_SHARPNESS = -0.75  # of Keys's cubic, as in `interpolate`


def affine_grid(theta: Any, size: Any, align_corners: bool | None = None) -> Any:
    """The places that affine maps ``theta [N, d, d + 1]`` send the pixels of images of ``size`` to: a grid to sample.

    ``size`` is that of the result, ``[N, C, *out]``; coordinates are as in :func:`grid_sample`.

    Raises:
        NotImplementedError: images of other than two or three dimensions.
        ValueError: shapes that do not fit.

    >>> import wengert as torch
    >>> torch.nn.functional.affine_grid(torch.tensor([[[1., 0., 0.], [0., 1., 0.]]]), (1, 1, 1, 2), align_corners=False)
    tensor([[[[-0.5000,  0.0000],
              [ 0.5000,  0.0000]]]])
    """
    raw, size = raw_of_tensor("affine_grid", theta, "theta"), tuple(size)
    axes = len(size) - 2
    if raw.dtype.kind != "f":
        raise ValueError(f"Expected theta to have floating point type, but got {theta.dtype}")
    if axes not in (2, 3):
        raise NotImplementedError(
            "affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms, respectively. Got size "
            f"{list(size)}"
        )
    if raw.ndim != 3 or raw.shape[1:] != (axes, axes + 1):
        raise ValueError(
            f"Expected a batch of {axes}D affine matrices of shape Nx{axes}x{axes + 1} for size {list(size)}. Got "
            f"{list(raw.shape)}."
        )
    if min(size) <= 0:
        raise ValueError(f"Expected non-zero, positive output size. Got {list(size)}")
    coordinates = [_middles(n, bool(align_corners), raw.dtype) for n in size[2:]]
    places = np.stack([*np.meshgrid(*coordinates, indexing="ij")[::-1], np.ones(size[2:], raw.dtype)], axis=-1)
    return wrap(places.reshape(1, -1, axes + 1)).matmul(theta.transpose(1, 2)).reshape(size[0], *size[2:], axes)


def _middles(n: int, align_corners: bool, dtype: Any) -> Any:
    """The coordinates of the pixels along an axis."""
    if n == 1:
        return np.zeros(1, dtype)
    ends = np.linspace(-1.0, 1.0, n)
    return (ends if align_corners else ends * ((n - 1) / n)).astype(dtype)


def grid_sample(
    input: Any,
    grid: Any,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Any:
    """Pixels of images ``[N, C, *space]`` at the places ``grid`` of shape ``[N, *out, d]``: ``[N, C, *out]``.

    A place has its coordinate along the last axis of the image first; -1 and 1 are the image's edges, or with
    ``align_corners`` the middles of its outermost pixels. ``mode`` is ``"bilinear"``, ``"nearest"`` or, for images of
    two dimensions, ``"bicubic"``; beyond the edges stand zeros, the border's pixels, or the image reflected.

    Raises:
        ValueError: an unknown mode.
        RuntimeError: shapes that do not fit.

    >>> import wengert as torch
    >>> x = torch.tensor([[[[1., 2.], [3., 4.]]]])
    >>> torch.nn.functional.grid_sample(x, torch.zeros(1, 1, 1, 2), align_corners=False)
    tensor([[[[2.5000]]]])
    """
    x, g = raw_of_tensor("grid_sample", input), raw_of_tensor("grid_sample", grid, "grid")
    if mode not in _MODES:
        raise ValueError(
            f"nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or 'bicubic', got {mode!r}"
        )
    if padding_mode not in _PADDINGS:
        raise ValueError(
            "nn.functional.grid_sample(): expected padding_mode to be 'zeros', 'border', or 'reflection', but got: "
            f"{padding_mode!r}"
        )
    _check(x, g, mode)
    at = _Places(x.shape[2:], padding_mode, bool(align_corners))
    flat = input.reshape(*x.shape[:2], prod(x.shape[2:]))
    axes = x.ndim - 2
    listed = (x.shape[0], prod(g.shape[1:-1]))
    places = [at.unnormalized(grid[..., axes - 1 - axis].reshape(listed), axis) for axis in range(axes)]
    taps = {"bilinear": _linear, "nearest": _nearest, "bicubic": _cubic}[mode](places, at)
    return _weighted(flat, taps, at.space).reshape(*x.shape[:2], *g.shape[1:-1])


def _check(x: Any, g: Any, mode: str) -> None:
    if x.dtype != g.dtype:
        raise RuntimeError(
            f"grid_sampler(): expected input and grid to have same dtype, but got {x.dtype} and {g.dtype}"
        )
    if x.ndim not in (4, 5) or x.ndim != g.ndim:
        raise RuntimeError(
            f"grid_sampler(): expected 4D or 5D input and grid with same number of dimensions, but got input with "
            f"sizes {list(x.shape)} and grid with sizes {list(g.shape)}"
        )
    if x.shape[0] != g.shape[0]:
        raise RuntimeError(
            f"grid_sampler(): expected grid and input to have same batch size, but got input with sizes "
            f"{list(x.shape)} and grid with sizes {list(g.shape)}"
        )
    if g.shape[-1] != x.ndim - 2:
        raise RuntimeError(
            f"grid_sampler(): expected grid to have size {x.ndim - 2} in last dimension, but got grid with sizes "
            f"{list(g.shape)}"
        )
    if not prod(x.shape[2:]):
        raise RuntimeError(
            f"grid_sampler(): expected input to have non-empty spatial dimensions, but input has sizes {list(x.shape)}"
        )
    if mode == "bicubic" and x.ndim != 4:
        raise RuntimeError("grid_sampler(): bicubic interpolation only supports 4D input")


class _Places:
    """Where coordinates lie in images of one size, and what stands beyond the edges."""

    def __init__(self, space: tuple[int, ...], padding: str, align_corners: bool) -> None:
        self.space = space
        self.padding = padding
        self.align_corners = align_corners

    def unnormalized(self, g: Any, axis: int) -> Any:
        """The coordinate in pixels."""
        n = self.space[axis]
        return (g + 1) * ((n - 1) / 2) if self.align_corners else ((g + 1) * n - 1) / 2

    def inside(self, c: Any, axis: int) -> Any:
        """The coordinate brought into the image, but for padding with zeros."""
        n = self.space[axis]
        if self.padding == "zeros":
            return c
        if self.padding == "reflection":
            c = self._reflected(c, 0.0, n - 1.0) if self.align_corners else self._reflected(c, -0.5, n - 0.5)
        return c.clamp(0, n - 1)

    @staticmethod
    def _reflected(c: Any, low: float, high: float) -> Any:
        if low == high:
            return c * 0
        away, span = (c - low).abs(), high - low
        turns = (away.detach() / span).floor()
        rest = away - turns * span
        return (rest * (1 - 2 * (turns % 2)) + (turns % 2) * span) + low


# For each axis the pixels that count, with their weights: what one tap is.
_Taps = list[list[tuple[Any, Any]]]


def _linear(places: list[Any], at: _Places) -> _Taps:
    taps: _Taps = []
    for axis, place in enumerate(places):
        c = at.inside(place, axis)
        low = c.detach().floor()
        taps.append([(low, 1 - (c - low)), (low + 1, c - low)])
    return taps


def _nearest(places: list[Any], at: _Places) -> _Taps:
    return [[(at.inside(c.detach(), axis).round(), None)] for axis, c in enumerate(places)]


def _cubic(places: list[Any], at: _Places) -> _Taps:
    taps: _Taps = []
    for axis, c in enumerate(places):
        low = c.detach().floor()
        t = c - low
        weights = (_far(t + 1), _near(t), _near(1 - t), _far(2 - t))
        taps.append([(at.inside(low + (k - 1), axis), weight) for k, weight in enumerate(weights)])
    return taps


def _near(d: Any) -> Any:
    return ((_SHARPNESS + 2) * d - (_SHARPNESS + 3)) * d * d + 1


def _far(d: Any) -> Any:
    return ((d - 5) * d + 8) * d * _SHARPNESS - 4 * _SHARPNESS


def _weighted(flat: Any, taps: _Taps, space: tuple[int, ...]) -> Any:
    """The sum of all combinations of taps, each a pixel times its weights; nothing outside of the image."""
    total: Any = None
    for chosen in product(*taps):
        index: Any = 0
        weight: Any = None
        for (place, share), n in zip(chosen, space, strict=True):
            present = (place >= 0) & (place <= n - 1)
            index = index * n + where(present, place, 0.0).long()
            present = present.to(place.dtype)
            part = present if share is None else share * present
            weight = part if weight is None else weight * part
        shape = (flat.shape[0], flat.shape[1], index.shape[-1])
        term = flat.gather(2, index.unsqueeze(1).expand(shape)) * weight.unsqueeze(1)
        total = term if total is None else total + term
    return total


def grid_sampler(input: Any, grid: Any, interpolation_mode: int, padding_mode: int, align_corners: bool) -> Any:
    """:func:`grid_sample` with its modes as numbers: their places in the lists that its text has.

    >>> import wengert as torch
    >>> torch.grid_sampler(torch.ones(1, 1, 2, 2), torch.zeros(1, 1, 1, 2), 0, 0, False)
    tensor([[[[1.]]]])
    """
    return grid_sample(input, grid, _MODES[interpolation_mode], _PADDINGS[padding_mode], align_corners)


grid_sampler_2d: Callable[..., Any] = grid_sampler
grid_sampler_3d: Callable[..., Any] = grid_sampler
