"""Random numbers inside ``vmap``: refused, the same for all members, or different ones, as its ``randomness`` says."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert._batched import Axes, Batched
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
        keys = self.stream.uniform(self._lead((count,)), np.dtype(np.float64))
        return Batched(np.argsort(keys, -1), self.axes)

    def __getattr__(self, name: str) -> Any:
        raise NotImplementedError(
            f"vmap(..., randomness='different') cannot draw with {name!r} yet: draw the numbers outside of vmap and "
            "pass them in"
        )
