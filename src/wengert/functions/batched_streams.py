"""Random numbers inside ``vmap``: refused, the same for all members, or different ones, as its ``randomness`` says."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from wengert._batched import Axes, Batched, aligned, merged, packed, spread
from wengert._random import Stream
from wengert.engine.state import STATE


def stream_in_batch(function: str, stream: Stream) -> Any:
    """The stream to draw from within the ``vmap`` that runs.

    Raises:
        RuntimeError: ``randomness="error"``.
    """
    if "error" in STATE.randomness:
        raise RuntimeError(
            f"vmap: called random operation while in randomness error mode: {function}(). Say what it is to do with "
            "vmap(..., randomness='same') or 'different', or draw the numbers outside of vmap and pass them in"
        )
    axes = tuple([axis for axis, mode in zip(STATE.axes, STATE.randomness, strict=True) if mode == "different"])
    return _BatchedStream(stream, axes) if axes else stream


def drawn_whole(function: str, stream: Any, draw: Callable[..., Any], *parameters: Any) -> Any:
    """``draw(stream, *arrays)`` for distributions that have no draws of one standard form to be shifted and scaled.

    The arrays are the parameters of all members, and of one copy for each member that draws its own.

    Raises:
        RuntimeError: the same draw for all members, whose parameters differ.
    """
    batched = [x.axes for x in parameters if x.__class__ is Batched]
    differing = stream.axes if stream.__class__ is _BatchedStream else ()
    if not batched and not differing:
        return np.asarray(draw(stream, *parameters))
    axes = merged([differing, *batched])
    if axes != differing:
        raise RuntimeError(
            f"vmap: {function}() cannot draw the same for all members, since what it draws from differs between them. "
            "Use vmap(..., randomness='different'), or draw the numbers outside of vmap and pass them in"
        )
    ndim = max([x.ndim for x in parameters])
    arrays = [spread(x if x.ndim == ndim else _with_ndim(x, ndim), axes) for x in parameters]
    return packed(draw(stream.stream, *arrays), axes)


def _with_ndim(x: Any, ndim: int) -> Any:
    if x.__class__ is Batched:
        return Batched(aligned(x, x.axes, ndim), x.axes)
    return np.reshape(x, (1,) * (ndim - x.ndim) + x.shape)


class _BatchedStream:
    """Draws as a :class:`Stream` does, for each member of a batch."""

    def __init__(self, stream: Stream, axes: Axes) -> None:
        self.stream = stream
        self.axes = axes

    def _lead(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return (*[axis.size for axis in self.axes], *shape)

    def uniform(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Batched:
        """Numbers in [0, 1)."""
        return Batched(self.stream.uniform(self._lead(shape), dtype), self.axes)

    def normal(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Batched:
        """Standard normal numbers."""
        return Batched(self.stream.normal(self._lead(shape), dtype), self.axes)

    def normal_pairs(self, shape: tuple[int, ...]) -> Batched:
        """Standard normal numbers in double precision."""
        return Batched(self.stream.normal_pairs(self._lead(shape)), self.axes)

    def exponential(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Batched:
        """Numbers of the exponential distribution with rate 1."""
        return Batched(self.stream.exponential(self._lead(shape), dtype), self.axes)

    def integers(self, low: int, high: int, shape: tuple[int, ...], wide: bool | None = None) -> Batched:
        """Integers in [low, high)."""
        return Batched(self.stream.integers(low, high, self._lead(shape), wide), self.axes)

    def permutation(self, count: int) -> Batched:
        """The numbers below ``count`` in random order."""
        drawn = [self.stream.permutation(count) for _ in range(prod(self._lead(())))]
        return Batched(np.array(drawn, np.int64).reshape(self._lead((count,))), self.axes)

    def __getattr__(self, name: str) -> Any:
        raise NotImplementedError(
            f"vmap(..., randomness='different') cannot draw with {name!r} yet: draw the numbers outside of vmap and "
            "pass them in"
        )
