"""Means and maxima of patches of images, at regular places or over parts that cover the image."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import product
from math import prod
from typing import Any, Final

import numpy as np

from wengert._batched import Batched, folded
from wengert.ops.accumulate import sum_into
from wengert.ops.patches import Places, inner, offsets, padded
from wengert.ops.products import many_rows
from wengert.ops.record import Kind, deffused, defop

Shape = tuple[int, ...]


def _reach(space: Shape, kernel: Shape, counts: Shape, places: Places) -> Shape:
    """How far the last patch reaches along each padded axis: beyond the border where sizes are rounded up."""
    zipped = zip(space, kernel, counts, *places, strict=True)
    return tuple([max(n + 2 * p, (c - 1) * s + d * (k - 1) + 1) for n, k, c, s, p, d in zipped])


def _extended(x: Any, kernel: Shape, counts: Shape, places: Places, value: float) -> Any:
    """The images with their border, and beyond it as far as the last patch reaches."""
    space = x.shape[2:]
    reach = _reach(space, kernel, counts, places)
    if reach == tuple([n + 2 * p for n, p in zip(space, places.padding, strict=True)]):
        return padded(x, places.padding, value)
    out = np.full((*x.shape[:2], *reach), value, x.dtype)
    out[inner(space, places.padding)] = x
    return out


# --- means ---


def _divisors(space: Shape, kernel: Shape, counts: Shape, places: Places, with_border: bool) -> Any:
    """The number of pixels in each patch: with the border's, or without."""
    sizes: Any = 1.0
    for axis, (n, k, c) in enumerate(zip(space, kernel, counts, strict=True)):
        start = np.arange(c) * places.stride[axis] - places.padding[axis]
        end = np.minimum(start + k, n + places.padding[axis])
        if not with_border:
            start, end = np.maximum(start, 0), np.minimum(end, n)
        sizes = np.multiply.outer(sizes, (end - start).astype(float))
    return sizes


def _is_whole(space: Shape, kernel: Shape, counts: Shape, places: Places, **others: Any) -> bool:
    """Whether every patch has all of its pixels within the image."""
    ends = [(c - 1) * s + k for c, s, k in zip(counts, places.stride, kernel, strict=True)]
    return not any(places.padding) and all([end <= n for end, n in zip(ends, space, strict=True)])


def _scaled(a: Any, space: Shape, meta: dict[str, Any]) -> Any:
    divisor = meta["divisor"]
    if divisor is None and _is_whole(space, **meta):
        divisor = float(prod(meta["kernel"]))
    if divisor is None:
        divisor = _divisors(space, meta["kernel"], meta["counts"], meta["places"], meta["with_border"])
    if a.dtype.kind in "iu":
        return np.trunc(a / np.asarray(divisor)).astype(a.dtype)
    return a / np.asarray(divisor, a.real.dtype)


def _avg_pool(x: Any, **meta: Any) -> Any:
    kernel, counts, places = meta["kernel"], meta["counts"], meta["places"]
    wide = _extended(np.asarray(x), kernel, counts, places, 0.0)
    total = np.zeros((*x.shape[:2], *counts), np.float32 if x.dtype.char == "e" else x.dtype)
    for _, pixels in offsets(kernel, counts, places):
        total += wide[pixels]
    return _scaled(total, x.shape[2:], meta).astype(x.dtype, copy=False)


def _avg_pool_backward(g: Any, *, space: Shape, **meta: Any) -> Any:
    kernel, counts, places = meta["kernel"], meta["counts"], meta["places"]
    share = _scaled(np.asarray(g), space, meta)
    out = np.zeros((*g.shape[:2], *_reach(space, kernel, counts, places)), share.dtype)
    for _, pixels in offsets(kernel, counts, places):
        out[pixels] += share
    return out[inner(space, places.padding)].astype(g.dtype, copy=False)


AVG_POOL = defop(
    "avg_pool",
    _avg_pool,
    Kind.OTHER,
    batch=folded(_avg_pool),
    vjp=(lambda xp, g, y, x, **meta: xp.avg_pool_backward(g, space=x.shape[2:], **meta),),
    linear=(0,),
    node=lambda meta: f"AvgPool{len(meta['kernel'])}DBackward0",
    formula="mean of x over each patch",
    doc="Mean of each patch.",
)
AVG_POOL_BACKWARD = defop(
    "avg_pool_backward",
    _avg_pool_backward,
    Kind.OTHER,
    batch=folded(_avg_pool_backward),
    vjp=(lambda xp, g, y, x, *, space, **meta: xp.avg_pool(g, **meta),),
    linear=(0,),
    formula="y_j = sum of x_i / size over the patches i with j",
    doc="Each number spread evenly over its patch.",
)

# --- maxima ---


def _max_pool(x: Any, *, kernel: Shape, counts: Shape, places: Places) -> Any:
    """The largest pixel of each patch, the first of equal ones, NaN before all, of those the last; and its place."""
    x = np.asarray(x)
    if 0 < x.size <= _SMALL and prod(kernel) * prod(counts) <= _SMALL:
        few = _max_of_few(x, kernel, counts, places)
        if not np.isnan(few[0]).any():
            return few
    lowest = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
    wide = _extended(x, kernel, counts, places, lowest)
    if 0 < prod(kernel) < _MOST_PLACES:
        found = _max_at_once(wide, x.shape[2:], kernel, counts, places, lowest)
        if found is not None:
            return found
    best = np.full((*x.shape[:2], *counts), lowest, x.dtype)
    at = np.broadcast_to(_first_pixels(x.shape[2:], kernel, counts, places), best.shape).copy()
    for place, pixels in offsets(kernel, counts, places):
        here = wide[pixels]
        better = (here > best) | (here != here)
        np.copyto(best, here, where=better)
        np.copyto(at, _flat(place, x.shape[2:], counts, places), where=better)
    return best, at


_SMALL: Final = 2048  # pixels


def _max_of_few(x: Any, kernel: Shape, counts: Shape, places: Places) -> Any:
    """As :func:`_max_pool`, by the indices of all patches, which are kept for the next call: few calls of NumPy."""
    pixels, starts = _patch_pixels(x.shape[2:], kernel, counts, places)
    rows = x.reshape(x.shape[0] * x.shape[1], -1)
    patches = rows.take(pixels, axis=1).reshape(len(rows), len(starts), -1)
    chosen = patches.argmax(axis=2)
    at = pixels.take(chosen + starts)
    shape = (*x.shape[:2], *counts)
    flat = at + np.arange(0, rows.size, rows.shape[1])[:, None]
    return rows.reshape(-1).take(flat).reshape(shape), at.reshape(shape)


@lru_cache(maxsize=64)
def _patch_pixels(space: Shape, kernel: Shape, counts: Shape, places: Places) -> tuple[Any, Any]:
    """The places in the flat image of the pixels of each patch, one patch after the other; and where each begins.

    In place of the border stands the patch's first pixel, so that it neither wins nor hides another.
    """
    pixels = np.full((prod(counts), prod(kernel)), -1)
    for number, place in enumerate(product(*[range(k) for k in kernel])):
        index: Any = np.zeros((), np.int64)
        outside: Any = np.zeros((), bool)
        for axis, (at, n, c) in enumerate(zip(place, space, counts, strict=True)):
            here = np.arange(c) * places.stride[axis] + at * places.dilation[axis] - places.padding[axis]
            index = np.add.outer(index * n, here)
            outside = np.logical_or.outer(outside, (here < 0) | (here >= n))
        pixels[:, number] = np.where(outside, -1, index).reshape(-1)
    first = np.take_along_axis(pixels, (pixels >= 0).argmax(axis=1)[:, None], axis=1)
    return np.where(pixels < 0, first, pixels).reshape(-1), np.arange(0, pixels.size, prod(kernel))


_MOST_PLACES: Final = 255


def _max_at_once(wide: Any, space: Shape, kernel: Shape, counts: Shape, places: Places, lowest: Any) -> Any:
    """The maxima, then where in its patch the first of them stands, in bytes; None if a patch has NaN or no maximum.

    Choosing by masks, as the general way does, costs a mispredicted branch for half of the pixels.
    """
    found = list(offsets(kernel, counts, places))
    best = wide[found[0][1]].copy()
    for _, pixels in found[1:]:
        np.maximum(best, wide[pixels], out=best)
    if not best.size or not (best > lowest).all():
        return None
    first = np.full(best.shape, _MOST_PLACES, np.uint8)
    for number, (_, pixels) in enumerate(found):
        code = np.negative((wide[pixels] != best).view(np.uint8))  # all ones where another pixel is the largest
        code |= np.uint8(number)
        np.minimum(first, code, out=first)
    steps = np.array([_flat(place, space, (1,) * len(space), places).item() for place, _ in found])
    at = steps.take(first)
    at += _flat((0,) * len(space), space, counts, places) - steps[0]
    return best, at


def _flat(place: Sequence[int], space: Shape, counts: Shape, places: Places) -> Any:
    """The places in the flat image of the pixels that one place of the kernel meets."""
    index: Any = np.zeros((), np.int64)
    for axis, (at, n, c) in enumerate(zip(place, space, counts, strict=True)):
        start = at * places.dilation[axis] - places.padding[axis]
        index = np.add.outer(index * n, np.arange(c) * places.stride[axis] + start)
    return index


def _first_pixels(space: Shape, kernel: Shape, counts: Shape, places: Places) -> Any:
    """The first pixel of each patch that is not border."""
    index: Any = np.zeros((), np.int64)
    for axis, (n, c) in enumerate(zip(space, counts, strict=True)):
        start = np.arange(c) * places.stride[axis] - places.padding[axis]
        step = places.dilation[axis]
        index = np.add.outer(index * n, np.where(start < 0, start + -(start // step) * step, start))
    return index


def unpooled(xp: Any, g: Any, at: Any, space: Shape) -> Any:
    """Zeros with each number added at its place in the flat image."""
    n, c = g.shape[:2]
    flat = (n, c, prod(g.shape[2:]))
    spread = xp.gather_backward(xp.reshape(g, shape=flat), xp.reshape(at, shape=flat), shape=(n, c, prod(space)), dim=2)
    return xp.reshape(spread, shape=(n, c, *space))


def _unpooled(g: Any, at: Any, space: Shape) -> Any:
    n, c = g.shape[:2]
    length = prod(space)
    places = at.reshape(n * c, -1) + np.arange(0, n * c * length, length)[:, None]
    return sum_into((n, c, *space), places, g, g.dtype)


deffused("unpooled", unpooled, _unpooled)


def picked(xp: Any, x: Any, at: Any) -> Any:
    """The pixels at places in the flat image."""
    n, c = x.shape[:2]
    flat = xp.gather(
        xp.reshape(x, shape=(n, c, prod(x.shape[2:]))), xp.reshape(at, shape=(n, c, prod(at.shape[2:]))), dim=2
    )
    return xp.reshape(flat, shape=at.shape)


MAX_POOL = defop(
    "max_pool",
    _max_pool,
    Kind.OTHER,
    batch=folded(_max_pool),
    vjp=(lambda xp, g, y, x, **meta: xp.unpooled(g[0], y[1], x.shape[2:]),),
    node=lambda meta: f"MaxPool{len(meta['kernel'])}DWithIndicesBackward0",
    outputs=2,
    jvp=lambda xp, ts, y, x, **meta: (picked(xp, ts[0], y[1]), None),
    formula="max of x over each patch",
    doc="The largest pixel of each patch, and where it is; the first of equal ones.",
)


def _bounds(n: int, parts: int) -> list[tuple[int, int]]:
    """Where each of the parts that cover an axis begins and ends; they may overlap by one."""
    return [(i * n // parts, -(-(i + 1) * n // parts)) for i in range(parts)]


def _adaptive_max_pool(x: Any, *, counts: Shape) -> Any:
    space = x.shape[2:]
    best = np.empty((*x.shape[:2], *counts), x.dtype)
    at = np.empty(best.shape, np.int64)
    numbers = np.arange(prod(space)).reshape(space)
    bounds = [_bounds(n, c) for n, c in zip(space, counts, strict=True)]
    for cell in product(*[range(c) for c in counts]):
        part = tuple([slice(*bounds[axis][i]) for axis, i in enumerate(cell)])
        pixels = x[(slice(None), slice(None), *part)]
        pixels = pixels.reshape(*x.shape[:2], prod(pixels.shape[2:]))
        chosen = pixels.argmax(axis=-1)  # the first NaN, if there is any
        key: Any = (slice(None), slice(None), *cell)
        best[key] = np.take_along_axis(pixels, chosen[..., None], axis=-1)[..., 0]
        at[key] = numbers[part].ravel()[chosen]
    return best, at


ADAPTIVE_MAX_POOL = defop(
    "adaptive_max_pool",
    _adaptive_max_pool,
    Kind.OTHER,
    batch=folded(_adaptive_max_pool),
    vjp=(lambda xp, g, y, x, *, counts: xp.unpooled(g[0], y[1], x.shape[2:]),),
    node=lambda meta: f"AdaptiveMaxPool{len(meta['counts'])}DBackward0",
    outputs=2,
    jvp=lambda xp, ts, y, x, *, counts: (picked(xp, ts[0], y[1]), None),
    formula="max of x over each part",
    doc="The largest pixel of each of the parts that cover the image, and where it is.",
)


def pooling_matrix(n: int, parts: int, dtype: Any) -> Any:
    """The matrix ``(parts, n)`` that averages each of the parts that cover an axis."""
    matrix = np.zeros((parts, n), dtype)
    for row, (start, end) in enumerate(_bounds(n, parts)):
        matrix[row, start:end] = 1.0 / (end - start)
    return matrix


# --- every pixel of the result a weighted mean of some of one axis ---


def _weighted(x: Any, weights: Any) -> Any:
    """The product, in which an infinity or NaN counts only where its weight is not zero."""
    y = many_rows(x, weights)
    if y.dtype.kind == "c" or np.isfinite(y).all():
        return y
    whole, none = np.isfinite(x), x.dtype.type(0)
    y = np.matmul(np.where(whole, x, none), weights)
    more, less = (weights > 0).astype(np.float32), (weights < 0).astype(np.float32)
    above, below = (x == np.inf).astype(np.float32), (x == -np.inf).astype(np.float32)
    rises = above @ more + below @ less > 0
    falls = above @ less + below @ more > 0
    y[rises], y[falls] = np.inf, -np.inf
    y[(rises & falls) | (np.isnan(x).astype(np.float32) @ (more + less) > 0)] = np.nan
    return y


def _weighted_batch(xp: Any, x: Any, weights: Any) -> Any:
    if weights.__class__ is Batched:
        return xp.matmul(x, weights)
    return Batched(_weighted(x.array, weights), x.axes)


WEIGHTED = defop(
    "weighted",
    _weighted,
    Kind.PRODUCT,
    batch=_weighted_batch,
    vjp=(lambda xp, g, y, x, weights: xp.weighted(g, xp.transpose(weights, dim0=0, dim1=1)), None),
    args=("input", "weights"),
    node="UpsampleBackward0",
    linear=(0,),
    formula="sum_j x_j w_(j i)",
    doc="Weighted sums along the last axis, by constant weights of which most are zero.",
)
