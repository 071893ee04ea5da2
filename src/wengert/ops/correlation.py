"""Convolutions as machine code, where somebody makes it: each of the three products is a correlation.

    y[n, o, p] = sum_{c, t} w[o, c, t] x[n, c, p stride + t step - low]        (x is 0 outside)

A transposed convolution has the taps in opposite order, one for each phase of its stride. The gradient of the weights
changes roles: channels are the images, images the channels, and the cotangent's places the taps. Machine code comes
from above (:data:`CORRELATIONS` is bound there); it differs from NumPy's way in rounding only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from math import gcd, prod
from typing import Any, Final, NamedTuple

import numpy as np

from wengert.ops.patches import Places

Shape = tuple[int, ...]
Three = tuple[int, int, int]
Call = Callable[[int, int, int], int]

WORK: Final = 1 << 10  # multiplications from which machine code is asked for
_F32: Final[np.dtype[Any]] = np.dtype(np.float32)
_F64: Final[np.dtype[Any]] = np.dtype(np.float64)
_MOST: Final = 512  # shapes for which it is remembered what computes them


class Correlation(NamedTuple):
    """Sizes of a correlation, none of them 0, and distances in its arrays, in elements. Images have three axes."""

    dtype: str
    groups: int
    images: int
    channels: int  # of an image, in a group
    outputs: int  # channels of the result, in a group
    space: Three
    places: Three
    taps: Three
    low: Three  # how far before the image the first place's first tap lies
    stride: Three
    step: Three  # from tap to tap
    is_flipped: bool  # the weights' last tap comes first
    x: tuple[int, int, int, int, int, int]  # distances of groups, images, channels, and along space
    w: Three  # of groups, outputs, channels; taps are neighbours
    y: Three  # of groups, images, outputs; places are neighbours

    @property
    def work(self) -> int:
        """Multiplications."""
        return self.groups * self.images * self.channels * self.outputs * prod(self.places) * prod(self.taps)


class Machine:
    """Who makes machine code: ``find(what)`` gives a function of the addresses of ``x``, ``w`` and ``y``, or None.

    That one gives 0, or 1 if there is no memory for what it needs meanwhile.
    """

    __slots__ = ("find", "known")

    def __init__(self) -> None:
        self.bind(None)

    def bind(self, find: Callable[[Correlation], Call | None] | None) -> None:
        """Ask ``find`` from now on; nobody, where it is None."""
        self.find = find
        self.known: dict[Any, Any] = {}

    def takes(self, *arrays: Any) -> bool:
        """Whether arrays may be handed to machine code as they are."""
        dtype = arrays[0].dtype
        if self.find is None or (dtype is not _F32 and dtype is not _F64):
            return False
        return all([x.__class__ is np.ndarray and x.dtype is dtype and x.flags.aligned and x.size for x in arrays])

    def plan(self, key: Any, make: Callable[[], Any]) -> Any:
        """What ``make`` gave for this key."""
        try:
            return self.known[key]
        except KeyError:
            if len(self.known) >= _MOST:
                self.known.clear()
            return self.known.setdefault(key, make())

    def call_of(self, what: Correlation, work: int) -> Call | None:
        """What computes a correlation, if there are so many multiplications in all that machine code is quicker."""
        return self.find(what) if self.find is not None and work >= WORK else None


CORRELATIONS: Final = Machine()


def _run(call: Call, x: Any, w: Any, y: Any) -> Any:
    if call(x.ctypes.data, w.ctypes.data, y.ctypes.data):
        raise MemoryError("no memory for the patches of a convolution")
    return y


def _three(numbers: Shape, filling: int) -> Three:
    """For three axes, of one to three."""
    if len(numbers) == 1:
        return filling, filling, numbers[0]
    if len(numbers) == 2:
        return numbers[0], filling, numbers[1]
    return numbers[0], numbers[1], numbers[2]


def _distances(x: Any, channels: int) -> tuple[int, int, int, int, int, int]:
    """From group to group, image to image, channel to channel, and along three axes of space."""
    image, channel, *along = [step // x.itemsize for step in x.strides]
    return channels * channel, image, channel, *_three(tuple(along), 0)


# --- the three products ----------------------------------------------------------------------------------------------


def convolved(x: Any, w: Any, places: Places, groups: int) -> Any:
    """The convolution; None where this is left to NumPy."""
    if not CORRELATIONS.takes(x, w) or x.ndim > 5:
        return None
    w = np.ascontiguousarray(w)
    key = "conv", x.dtype, x.shape, x.strides, w.shape, places, groups
    call, shape = CORRELATIONS.plan(key, lambda: _plan_of_convolved(x, w, places, groups))
    return None if call is None else _run(call, x, w, np.empty(shape, x.dtype))


def _plan_of_convolved(x: Any, w: Any, places: Places, groups: int) -> tuple[Call | None, Shape]:
    o, c, *kernel = w.shape
    counts = places.counts(x.shape[2:], tuple(kernel))
    shape = (len(x), o, *counts)
    of_kernel, of_places = prod(kernel), prod(counts)
    if min(counts) < 1:
        return None, shape
    what = Correlation(
        dtype=x.dtype.str[1:],
        groups=groups,
        images=len(x),
        channels=c,
        outputs=o // groups,
        space=_three(x.shape[2:], 1),
        places=_three(counts, 1),
        taps=_three(tuple(kernel), 1),
        low=_three(places.padding, 0),
        stride=_three(places.stride, 1),
        step=_three(places.dilation, 1),
        is_flipped=False,
        x=_distances(x, c),
        w=(o // groups * c * of_kernel, c * of_kernel, of_kernel),
        y=(o // groups * of_places, o * of_places, of_places),
    )
    return CORRELATIONS.call_of(what, what.work), shape


def weighed(y: Any, x: Any, kernel: Shape, places: Places, groups: int) -> Any:
    """The gradient of a convolution's weights; None where this is left to NumPy."""
    if not CORRELATIONS.takes(y, x) or x.ndim > 5:
        return None
    y = np.ascontiguousarray(y)
    key = "weight", x.dtype, x.shape, x.strides, y.shape, kernel, places, groups
    call = CORRELATIONS.plan(key, lambda: _plan_of_weighed(y, x, kernel, places, groups))
    shape = (y.shape[1], x.shape[1] // groups, *kernel)
    return None if call is None else _run(call, x, y, np.empty(shape, x.dtype))


def _plan_of_weighed(y: Any, x: Any, kernel: Shape, places: Places, groups: int) -> Call | None:
    n, o, *counts = y.shape
    c, of_kernel, of_places = x.shape[1] // groups, prod(kernel), prod(counts)
    if not of_kernel or not c:
        return None
    group, image, channel, *along = _distances(x, c)
    what = Correlation(
        dtype=x.dtype.str[1:],
        groups=groups,
        images=c,
        channels=n,
        outputs=o // groups,
        space=_three(x.shape[2:], 1),
        places=_three(kernel, 1),
        taps=_three(tuple(counts), 1),
        low=_three(places.padding, 0),
        stride=_three(places.dilation, 1),
        step=_three(places.stride, 1),
        is_flipped=False,
        x=(group, channel, image, along[0], along[1], along[2]),
        w=(o // groups * of_places, of_places, o * of_places),
        y=(o // groups * c * of_kernel, of_kernel, c * of_kernel),
    )
    return CORRELATIONS.call_of(what, what.work)


def transposed(y: Any, w: Any, space: Shape, places: Places, groups: int) -> Any:
    """The transposed convolution to images of the size ``space``; None where this is left to NumPy."""
    if not CORRELATIONS.takes(y, w) or y.ndim > 5:
        return None
    key = "input", y.dtype, y.shape, y.strides, w.shape, space, places, groups
    phases = CORRELATIONS.plan(key, lambda: _plan_of_transposed(y, w.shape, space, places, groups))
    if phases is None:
        return None
    shape = (len(y), groups * w.shape[1], *space)
    if len(phases) == 1 and set(places.stride) == {1}:
        return _run(phases[0].call, y, np.ascontiguousarray(w), np.empty(shape, y.dtype))
    out = np.zeros(shape, y.dtype)
    for phase in phases:
        part = np.empty((*shape[:2], *phase.shape), y.dtype)
        out[phase.pixels] = _run(phase.call, y, np.ascontiguousarray(w[phase.taps]), part)
    return out


class _Phase(NamedTuple):
    """Those pixels of a transposed convolution that meet the same taps."""

    pixels: tuple[slice, ...]
    taps: tuple[slice, ...]
    shape: Shape  # of the pixels
    call: Call


class _Along(NamedTuple):
    """A phase along one axis."""

    pixels: slice
    taps: slice
    size: int  # how many pixels
    kernel: int  # how many taps
    low: int
    step: int


def _phases(size: int, kernel: int, stride: int, padding: int, dilation: int) -> Iterator[_Along]:
    """Pixel ``i`` meets tap ``k`` of the place ``(i + padding - k dilation) / stride``, where that is whole."""
    common = gcd(stride, dilation)
    apart = stride // common
    for first in range(min(stride, size)):
        taps = [k for k in range(kernel) if (first + padding - k * dilation) % stride == 0]
        if taps:
            low = (taps[-1] * dilation - first - padding) // stride
            pixels, some = slice(first, None, stride), slice(taps[0], None, apart)
            yield _Along(pixels, some, len(range(first, size, stride)), len(taps), low, dilation // common)


def _plan_of_transposed(y: Any, w: Shape, space: Shape, places: Places, groups: int) -> list[_Phase] | None:
    (o, c, *kernel), found = w, []
    work = y.size * c * prod(kernel)
    each = zip(space, kernel, *places, strict=True)
    for along in product(*[_phases(*numbers) for numbers in each]):
        kernels, counts = tuple([axis.kernel for axis in along]), tuple([axis.size for axis in along])
        of_kernel, of_places = prod(kernels), prod(counts)
        what = Correlation(
            dtype=y.dtype.str[1:],
            groups=groups,
            images=len(y),
            channels=o // groups,
            outputs=c,
            space=_three(y.shape[2:], 1),
            places=_three(counts, 1),
            taps=_three(kernels, 1),
            low=_three(tuple([axis.low for axis in along]), 0),
            stride=(1, 1, 1),
            step=_three(tuple([axis.step for axis in along]), 1),
            is_flipped=True,
            x=_distances(y, o // groups),
            w=(o // groups * c * of_kernel, of_kernel, c * of_kernel),
            y=(c * of_places, groups * c * of_places, of_places),
        )
        call = CORRELATIONS.call_of(what, work)
        if call is None:
            return None
        every = (slice(None), slice(None))
        pixels, taps = (*every, *[axis.pixels for axis in along]), (*every, *[axis.taps for axis in along])
        found.append(_Phase(pixels, taps, counts, call))
    return found


__all__ = ["CORRELATIONS", "WORK", "Correlation", "convolved", "transposed", "weighed"]
