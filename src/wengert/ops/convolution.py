"""Convolution in any number of dimensions, and the two products that its derivatives are.

``y = conv(x, w)`` is linear in both; the three operations are one another's derivatives:

    conv          (x, w) -> y    y[n, o, p] = sum_{c, k} w[o, c, k] x[n, c, p stride + k dilation - padding]
    conv_input    (y, w) -> x    its transpose in x: what is called a transposed convolution
    conv_weight   (y, x) -> w    its transpose in w

Each is a matrix product of patches (:mod:`wengert.ops.patches`), for some images at a time, so that the copies of the
patches stay small.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any, Final

import numpy as np

from wengert._batched import Axes, Batched, folded, merged, spread
from wengert.ops.correlation import convolved, transposed, weighed
from wengert.ops.patches import Places, image, padded, windows
from wengert.ops.record import Kind, defop

Shape = tuple[int, ...]

_MOST: Final = 2**21  # bytes of copied patches at a time: they are multiplied while the cache has them


class _Patches:
    """The patches of images, copied piece by piece into one buffer as matrices ``(images, groups, rows, places)``."""

    def __init__(self, x: Any, kernel: Shape, counts: Shape, places: Places, groups: int) -> None:
        self.x = padded(x, places.padding)
        self.kernel, self.counts, self.places = kernel, counts, places
        self.groups, self.rows = groups, x.shape[1] // groups * prod(kernel)
        self.across = prod(counts[1:])  # places in one row of them, along the first axis
        self.buffer = np.empty(0, x.dtype)
        is_plain = prod(kernel) == 1 and set(places.stride) == {1}
        self.bytes_of_row = 0 if is_plain else x.shape[1] * prod(kernel) * self.across * x.itemsize

    def pieces(self) -> Iterator[tuple[slice, slice, Any]]:
        """Which images, which of their places (as a flat slice), and the patches there."""
        images, height = len(self.x), self.counts[0]
        at_once = max(1, _MOST // max(1, self.bytes_of_row))  # rows of places
        if at_once >= height:
            step = max(1, at_once // max(1, height)) if self.bytes_of_row else max(1, images)
            for first in range(0, images, step):
                yield self._piece(slice(first, min(first + step, images)), 0, height)
            return
        for number in range(images):
            for first in range(0, height, at_once):
                yield self._piece(slice(number, number + 1), first, min(first + at_once, height))

    def _piece(self, part: slice, first: int, last: int) -> tuple[slice, slice, Any]:
        x = self.x[part, :, first * self.places.stride[0] :]
        counts = (last - first, *self.counts[1:])
        view = windows(x, self.kernel, counts, self.places)
        shape = (len(x), self.groups, self.rows, prod(counts))
        flat = slice(first * self.across, last * self.across)
        if not self.bytes_of_row:
            return part, flat, view.reshape(shape)
        if self.buffer.size < view.size:
            self.buffer = np.empty(view.size, x.dtype)
        copied = self.buffer[: view.size]
        copied.reshape(view.shape)[...] = view
        return part, flat, copied.reshape(shape)


def _wide(a: Any) -> Any:
    """Half precision is added up in single precision."""
    a = np.asarray(a)
    return a.astype(np.float32) if a.dtype.char == "e" else a


def _conv(x: Any, w: Any, *, places: Places, groups: int) -> Any:
    x, w, dtype = _wide(x), _wide(w), x.dtype
    found = convolved(x, w, places, groups)
    if found is not None:
        return found.astype(dtype, copy=False)
    n, o, kernel = x.shape[0], w.shape[0], w.shape[2:]
    counts = places.counts(x.shape[2:], kernel)
    out = np.empty((n, groups, o // groups, prod(counts)), x.dtype)
    matrix = w.reshape(groups, o // groups, w.shape[1] * prod(kernel))
    for images, flat, patches in _Patches(x, kernel, counts, places, groups).pieces():
        np.matmul(matrix, patches, out=out[images, :, :, flat])
    return out.reshape(n, o, *counts).astype(dtype, copy=False)


def _conv_input(y: Any, w: Any, *, space: Shape, places: Places, groups: int) -> Any:
    y, w, dtype = _wide(y), _wide(w), y.dtype
    found = transposed(y, w, space, places, groups)
    if found is not None:
        return found.astype(dtype, copy=False)
    turned = _as_convolution(y, w, space, places, groups)
    if turned is not None:
        return _conv(y, turned[0], places=turned[1], groups=groups).astype(dtype, copy=False)
    n, o, counts, kernel = y.shape[0], w.shape[0], y.shape[2:], w.shape[2:]
    rows, length = w.shape[1] * prod(kernel), prod(counts)
    out = np.empty((n, groups * w.shape[1], *space), y.dtype)
    matrix = w.reshape(groups, o // groups, rows).swapaxes(1, 2)
    step = max(1, _MOST // max(1, groups * rows * length * y.itemsize))
    for start in range(0, n, step):
        part = slice(start, start + step)
        images = y[part]
        cols = np.matmul(matrix, images.reshape(len(images), groups, o // groups, length))
        out[part] = image(cols.reshape(len(images), groups * rows, length), space, kernel, counts, places)
    return out.astype(dtype, copy=False)


def _as_convolution(y: Any, w: Any, space: Shape, places: Places, groups: int) -> tuple[Any, Places] | None:
    """The kernels turned round and the places that make a transposed convolution of stride 1 a convolution.

    That one reads patches where the other adds them up; None where it cannot be, or would read far more.
    """
    kernel = w.shape[2:]
    if set(places.stride) != {1} or w.shape[0] > _MORE * w.shape[1] * groups:
        return None
    border = tuple([d * (k - 1) - p for d, k, p in zip(places.dilation, kernel, places.padding, strict=True)])
    turned = Places(places.stride, border, places.dilation)
    if min(border) < 0 or turned.counts(y.shape[2:], kernel) != tuple(space):
        return None
    split = w.reshape(groups, w.shape[0] // groups, *w.shape[1:]).swapaxes(1, 2)
    flipped = split[(..., *[slice(None, None, -1)] * len(kernel))]
    return flipped.reshape(groups * w.shape[1], w.shape[0] // groups, *kernel), turned


_MORE: Final = 8  # times as many channels in the cotangent as in the image


def _conv_weight(y: Any, x: Any, *, kernel: Shape, places: Places, groups: int) -> Any:
    y, x, dtype = _wide(y), _wide(x), y.dtype
    found = weighed(y, x, kernel, places, groups)
    if found is not None:
        return found.astype(dtype, copy=False)
    n, o, counts = y.shape[0], y.shape[1], y.shape[2:]
    ys = y.reshape(n, groups, o // groups, prod(counts))
    out = np.zeros((groups, o // groups, x.shape[1] // groups * prod(kernel)), y.dtype)
    for images, flat, patches in _Patches(x, kernel, counts, places, groups).pieces():
        out += np.matmul(ys[images, :, :, flat], patches.swapaxes(2, 3)).sum(axis=0)
    return out.reshape(o, x.shape[1] // groups, *kernel).astype(dtype, copy=False)


def _conv_vjp_x(xp: Any, g: Any, y: Any, x: Any, w: Any, *, places: Places, groups: int) -> Any:
    return xp.conv_input(g, xp.conj(w), space=x.shape[2:], places=places, groups=groups)


def _conv_vjp_w(xp: Any, g: Any, y: Any, x: Any, w: Any, *, places: Places, groups: int) -> Any:
    return xp.conv_weight(g, xp.conj(x), kernel=w.shape[2:], places=places, groups=groups)


def _cropped(xp: Any, y: Any, shape: Shape) -> Any:
    """Take the places that there are: a larger image (`output_padding`) has room for more."""
    for dim, length in enumerate(shape):
        if y.shape[dim] > length:
            y = xp.slice(y, dim=dim, start=0, stop=length, step=1)
    return y


# --- batches: members become images, or groups of channels side by side ----------------------------------------------


def _side_by_side(x: Any, axes: Axes) -> Any:
    """``(n, members * channels, *space)``."""
    x = spread(x, axes)
    k = len(axes)
    x = np.moveaxis(x.reshape(-1, *x.shape[k:]), 0, 1)
    return x.reshape(x.shape[0], x.shape[1] * x.shape[2], *x.shape[3:])


def _on_top(w: Any, axes: Axes) -> Any:
    """``(members * channels, ...)``."""
    w = spread(w, axes)
    return w.reshape(prod(w.shape[: len(axes) + 1]), *w.shape[len(axes) + 1 :])


def _apart(y: Any, axes: Axes) -> Any:
    """The batch of what stands side by side."""
    lead = [axis.size for axis in axes]
    y = np.moveaxis(y.reshape(y.shape[0], prod(lead), -1, *y.shape[2:]), 1, 0)
    return Batched(y.reshape(*lead, *y.shape[1:]), axes)


def _is_shared(x: Any) -> bool:
    return x.__class__ is not Batched


def _of_batches(impl: Any) -> Any:
    """The batching rule of ``conv`` or ``conv_input``."""

    def rule(xp: Any, x: Any, w: Any, *, groups: int, **meta: Any) -> Any:
        if _is_shared(w):
            return folded(lambda rows, **rest: impl(rows, w, **rest))(xp, x, groups=groups, **meta)
        axes = merged([t.axes for t in (x, w) if not _is_shared(t)])
        members = prod([axis.size for axis in axes])
        if not members:
            return NotImplemented
        if _is_shared(x) and groups == 1 and impl is _conv:
            return _apart(impl(x, _on_top(w, axes), groups=1, **meta), axes)
        return _apart(impl(_side_by_side(x, axes), _on_top(w, axes), groups=members * groups, **meta), axes)

    return rule


def _weight_of_batches(xp: Any, y: Any, x: Any, *, groups: int, **meta: Any) -> Any:
    axes = merged([t.axes for t in (y, x) if not _is_shared(t)])
    lead = [axis.size for axis in axes]
    if not prod(lead):
        return NotImplemented
    if _is_shared(x) and groups == 1:
        w = _conv_weight(_side_by_side(y, axes), x, groups=1, **meta)
    else:
        w = _conv_weight(_side_by_side(y, axes), _side_by_side(x, axes), groups=prod(lead) * groups, **meta)
    return Batched(w.reshape(*lead, w.shape[0] // prod(lead), *w.shape[1:]), axes)


CONV = defop(
    "conv",
    _conv,
    Kind.PRODUCT,
    batch=_of_batches(_conv),
    vjp=(_conv_vjp_x, _conv_vjp_w),
    args=("input", "weight"),
    node="ConvolutionBackward0",
    linear=(0, 1),
    formula="sum_{c, k} w[o, c, k] x[n, c, p stride + k dilation - padding]",
    doc="Convolution (without turning the kernel round) of images with kernels.",
)
CONV_INPUT = defop(
    "conv_input",
    _conv_input,
    Kind.PRODUCT,
    batch=_of_batches(_conv_input),
    vjp=(
        lambda xp, g, y, x, w, *, space, places, groups: _cropped(
            xp, xp.conv(g, xp.conj(w), places=places, groups=groups), x.shape
        ),
        lambda xp, g, y, x, w, *, space, places, groups: xp.conv_weight(
            xp.conj(x), g, kernel=w.shape[2:], places=places, groups=groups
        ),
    ),
    args=("input", "weight"),
    node="ConvolutionBackward0",
    linear=(0, 1),
    formula="y_(i stride + k) += x_i w_k",
    doc="Transposed convolution: every pixel spreads a kernel.",
)
CONV_WEIGHT = defop(
    "conv_weight",
    _conv_weight,
    Kind.PRODUCT,
    batch=_weight_of_batches,
    vjp=(
        lambda xp, g, y, a, x, *, kernel, places, groups: _cropped(
            xp, xp.conv(xp.conj(x), g, places=places, groups=groups), a.shape
        ),
        lambda xp, g, y, a, x, *, kernel, places, groups: xp.conv_input(
            xp.conj(a), g, space=x.shape[2:], places=places, groups=groups
        ),
    ),
    args=("grad_output", "input"),
    node="ConvolutionBackwardBackward0",
    linear=(0, 1),
    formula="w_k = sum_i g_i x_(i stride + k)",
    doc="What a change of each weight of a convolution adds up to.",
)
