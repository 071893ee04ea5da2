"""Patches of images: every place of a kernel as a view of the padded input, and the sums that undo it.

Images are arrays ``(batch, channels, *space)`` of any number of space axes. A kernel of size ``k`` lies at ``n`` places
along an axis of length ``L``, with ``n = (L + 2 padding - dilation (k - 1) - 1) // stride + 1``.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from wengert._batched import folded
from wengert.ops.record import Kind, defop

Shape = tuple[int, ...]


class Places(NamedTuple):
    """Where a kernel lies, along each axis of space."""

    stride: Shape
    padding: Shape  # on both sides
    dilation: Shape

    def counts(self, space: Shape, kernel: Shape) -> Shape:
        """At how many places along each axis."""
        reach = [d * (k - 1) + 1 for d, k in zip(self.dilation, kernel, strict=True)]
        return tuple(
            [(n + 2 * p - r) // s + 1 for n, p, r, s in zip(space, self.padding, reach, self.stride, strict=True)]
        )


def padded(x: Any, padding: Shape, value: float = 0.0) -> Any:
    """The images with a border of one value (a view where there is none)."""
    x = np.asarray(x)
    if not any(padding):
        return x
    space = [n + 2 * p for n, p in zip(x.shape[2:], padding, strict=True)]
    out = np.full((*x.shape[:2], *space), value, x.dtype)
    out[inner(x.shape[2:], padding)] = x
    return out


def inner(space: Shape, padding: Shape) -> tuple[Any, ...]:
    """The index of the images without their border."""
    return (slice(None), slice(None), *[slice(p, p + n) for n, p in zip(space, padding, strict=True)])


def windows(x: Any, kernel: Shape, counts: Shape, places: Places) -> Any:
    """All patches of padded images as a view ``(batch, channels, *kernel, *counts)``."""
    along = x.strides[2:]
    steps = [s * d for s, d in zip(along, places.dilation, strict=True)]
    jumps = [s * d for s, d in zip(along, places.stride, strict=True)]
    return as_strided(x, (*x.shape[:2], *kernel, *counts), (*x.strides[:2], *steps, *jumps), writeable=False)


def offsets(kernel: Shape, counts: Shape, places: Places) -> Iterator[tuple[Shape, tuple[Any, ...]]]:
    """Each place within the kernel, with the index of all pixels of the padded images that it meets."""
    for place in product(*[range(k) for k in kernel]):
        parts = []
        for at, count, stride, step in zip(place, counts, places.stride, places.dilation, strict=True):
            first = at * step
            parts.append(slice(first, first + stride * (count - 1) + 1, stride))
        yield place, (slice(None), slice(None), *parts)


# --- columns ---

_SHORT = 16  # elements: below that, starting a loop over a row takes longer than the loop


def columns(x: Any, kernel: Shape, counts: Shape, places: Places) -> Any:
    """All patches copied: ``(batch, channels * prod(kernel), prod(counts))``."""
    n, c = x.shape[:2]
    view = windows(padded(x, places.padding), kernel, counts, places)
    return view.reshape(n, c * prod(kernel), prod(counts))


def image(cols: Any, space: Shape, kernel: Shape, counts: Shape, places: Places) -> Any:
    """The patches added up where they came from: the transpose of :func:`columns`."""
    n = cols.shape[0]
    c = cols.shape[1] // prod(kernel) if prod(kernel) else 0
    parts = cols.reshape(n, c, *kernel, *counts)
    wide = [m + 2 * p for m, p in zip(space, places.padding, strict=True)]
    if counts and counts[-1] < _SHORT < n * c:
        # NumPy's inner loops should be long: the images side by side in the last axis, in place of their short rows.
        parts = np.ascontiguousarray(cols.reshape(n * c, -1).T).reshape(*kernel, *counts, n * c)
        lying = np.zeros((*wide, n * c), cols.dtype)
        for place, pixels in offsets(kernel, counts, places):
            lying[pixels[2:]] += parts[place]
        lying = lying[inner(space, places.padding)[2:]]
        return np.ascontiguousarray(np.moveaxis(lying, -1, 0)).reshape(n, c, *space)
    out = np.zeros((n, c, *wide), cols.dtype)
    for place, pixels in offsets(kernel, counts, places):
        out[pixels] += parts[(slice(None), slice(None), *place)]
    return out[inner(space, places.padding)]


def _im2col(x: Any, *, kernel: Shape, places: Places) -> Any:
    found = columns(x, kernel, places.counts(x.shape[2:], kernel), places)
    return found if found.flags.writeable else found.copy()  # windows of one pixel, say, need no copy to be columns


def _col2im(cols: Any, *, space: Shape, kernel: Shape, places: Places) -> Any:
    return image(cols, space, kernel, places.counts(space, kernel), places)


IM2COL = defop(
    "im2col",
    _im2col,
    Kind.OTHER,
    batch=folded(_im2col),
    vjp=(lambda xp, g, y, x, *, kernel, places: xp.col2im(g, space=x.shape[2:], kernel=kernel, places=places),),
    linear=(0,),
    node="Im2ColBackward0",
    formula="y[:, k] = patch k of x",
    doc="All patches of images as columns.",
)
COL2IM = defop(
    "col2im",
    _col2im,
    Kind.OTHER,
    batch=folded(_col2im),
    vjp=(lambda xp, g, y, x, *, space, kernel, places: xp.im2col(g, kernel=kernel, places=places),),
    linear=(0,),
    node="Col2ImBackward0",
    formula="patch k of y += x[:, k]",
    doc="Columns of patches added up to images.",
)
