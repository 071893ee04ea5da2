"""A stream of random numbers that can be seeded, saved and restored: the state behind ``torch.Generator``.

The numbers are those of PyTorch's CPU generator: the same seed gives the same ones. Their source is the Mersenne
twister of M. Matsumoto and T. Nishimura (1998), and what is made of its words is told at each method.
"""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np

from wengert._random_state import packed, unpacked

__all__ = ["DEFAULT_SEED", "Stream", "bind_draw"]

DEFAULT_SEED: Final = 67280421310721  # what PyTorch's generators start with

_BLOCK: Final = 2**14  # words that are made into numbers at a time, while they are in the cache
_FILL: Final = 16  # from so many normal numbers on, they are made in groups of so many
_WIDE: Final = 2**28  # integers from a range of this size on take two words each

# Fractions are the lowest bits of a word, or of two, so many that the dtype holds each value.
_BITS: Final = {4: 24, 8: 53}

# Asked before a stream is used, with what is to be drawn: tracing gives something that stands for the numbers, since
# those of the time of tracing would be the same at every run, and refuses everything else that a stream can do.
_instead: Callable[..., Any] | None = None


def bind_draw(function: Callable[..., Any]) -> None:
    """Say what is called before numbers are drawn: ``function(stream, method, *its arguments)``.

    It gives something in place of the numbers, or None. With no method the stream itself is about to be used.
    """
    global _instead  # noqa: PLW0603 - bound once, by the layer above
    _instead = function


class Stream:
    """Random numbers from a Mersenne twister, as PyTorch makes them on the CPU.

    NumPy is asked for the twister on first use: its random module takes time to import. Threads may share a stream:
    each draw is one step to the others.
    """

    __slots__ = ("_lock", "_seed", "_spare", "_words")

    def __init__(self, seed: int | None = DEFAULT_SEED) -> None:
        self._lock = threading.RLock()
        self._words: Any = None
        self._seed = seed
        self._spare: float | None = None  # the second of two normal numbers, when one has been used

    @property
    def numpy(self) -> np.random.Generator:
        """A NumPy generator that draws from the same words."""
        if _instead is not None:
            _instead(self, None)
        return np.random.Generator(self._twister())

    def _twister(self) -> Any:
        if self._words is None:
            with self._lock:
                if self._words is None:
                    self._start(self.seed_in_use())
        return self._words

    def _start(self, seed: int) -> None:
        twister = np.random.MT19937()
        np.random.RandomState(twister).seed(seed % 2**32)  # the twister's own way to make a state of a seed
        self._words, self._seed, self._spare = twister, seed, None

    def seed_in_use(self) -> int:
        """The seed that the stream started from."""
        with self._lock:
            if self._seed is None:
                self._seed = int.from_bytes(os.urandom(8), "little")
            return self._seed

    def reseed(self, seed: int) -> None:
        """Start again from a seed in ``[0, 2**64)``, of which the lower 32 bits decide the numbers."""
        if _instead is not None:
            _instead(self, None)
        with self._lock:
            self._start(seed)

    def state(self) -> bytes:
        """Everything that decides the next numbers, in the form that PyTorch gives it."""
        if _instead is not None:
            _instead(self, None)
        with self._lock:
            twister = self._twister()
            return packed(self.seed_in_use(), twister.state["state"], self._spare)

    def restore(self, state: bytes) -> None:
        """Go on where :meth:`state` was taken.

        Raises:
            ValueError: something that is not the state of a stream.
        """
        seed, key, spare = unpacked(state)
        with self._lock:
            if self._words is None:
                self._words = np.random.MT19937(0)
            self._words.state = {"bit_generator": "MT19937", "state": key}
            self._seed, self._spare = seed, spare

    # --- draws, in the dtype asked for ---

    def uniform(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Any:
        """Numbers in [0, 1): multiples of 2^-24 in single precision, of 2^-53 in double."""
        if _instead is not None and (found := _instead(self, "uniform", shape, dtype)) is not None:
            return found
        if dtype.kind == "c":
            return _joined(self.uniform((*shape, 2), _part(dtype)), dtype, shape)
        if dtype.itemsize == 2:
            rounded = self.uniform(shape, np.dtype(np.float32)).astype(dtype)
            return np.where(rounded < 1, rounded, dtype.type(0))  # rounding may reach the end that is excluded
        with self._lock:
            return self._fractions(math.prod(shape), dtype).reshape(shape)

    def normal(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Any:
        """Standard normal numbers; complex ones have variance 1 too, half of it in each part.

        Pairs by the transform of G. E. P. Box and M. E. Muller (1958), in groups of sixteen if there are so many.
        """
        if _instead is not None and (found := _instead(self, "normal", shape, dtype)) is not None:
            return found
        if dtype.kind == "c":
            return _joined(self.normal((*shape, 2), _part(dtype)), dtype, shape) * dtype.type(0.5**0.5)
        count = math.prod(shape)
        if count < _FILL:
            return self.normal_pairs(shape).astype(dtype)
        with self._lock:
            return self._normal_groups(count, dtype).reshape(shape).astype(dtype, copy=False)

    def normal_pairs(self, shape: tuple[int, ...]) -> Any:
        """Standard normal numbers in double precision, pair by pair; half a pair that is left is the next number."""
        if _instead is not None and (found := _instead(self, "normal_pairs", shape)) is not None:
            return found
        count = math.prod(shape)
        with self._lock:
            kept = [] if self._spare is None or count == 0 else [self._spare]
            angle, height = self._fractions(2 * -(-(count - len(kept)) // 2), np.dtype(np.float64)).reshape(-1, 2).T
            radius, angle = np.sqrt(-2 * np.log1p(-height)), 2 * np.pi * angle
            pairs = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1)
            numbers = np.concatenate([kept, pairs.reshape(-1)])
            if count:
                self._spare = float(numbers[count]) if len(numbers) > count else None
        return numbers[:count].reshape(shape)

    def exponential(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Any:
        """Numbers of the exponential distribution with rate 1, as the inverse of its distribution function has them."""
        if _instead is not None and (found := _instead(self, "exponential", shape, dtype)) is not None:
            return found
        return (-np.log1p(-self.uniform(shape, np.dtype(np.float64)))).astype(dtype, copy=False)

    def integers(self, low: int, high: int, shape: tuple[int, ...], wide: bool | None = None) -> Any:
        """Integers in [low, high), as int64, or as uint64 where they need it: the remainders of words.

        Of one word each, or of two where the range is large or ``wide`` says so.
        """
        if _instead is not None and (found := _instead(self, "integers", low, high, shape, wide)) is not None:
            return found
        span = high - low
        if wide is None:
            wide = span >= _WIDE
        with self._lock:
            found = self._next_pairs(math.prod(shape)) if wide else self._next(math.prod(shape))
        if span < 2**64:
            found %= np.uint64(span)
        found += np.uint64(low % 2**64)
        return found.reshape(shape) if high > 2**63 else found.view(np.int64).reshape(shape)

    def permutation(self, count: int) -> Any:
        """The numbers below ``count`` in random order, by the shuffle of R. A. Fisher and F. Yates (1938)."""
        if _instead is not None and (found := _instead(self, "permutation", count)) is not None:
            return found
        if count < 2:
            return np.arange(count)
        with self._lock:
            words = self._next(count - 1)
        order = list(range(count))
        for here, ahead in enumerate((words % np.arange(count, 1, -1).astype(np.uint64)).tolist()):
            there = here + ahead
            order[here], order[there] = order[there], order[here]
        return np.array(order)

    # --- words and what is made of them ---

    def _next(self, count: int) -> Any:
        return self._twister().random_raw(count)

    def _next_pairs(self, count: int) -> Any:
        """Two words each, the first one above the second."""
        words = self._next(2 * count).reshape(count, 2)
        return words[:, 0] << np.uint64(32) | words[:, 1]

    def _fractions(self, count: int, dtype: np.dtype[Any]) -> Any:
        bits = _BITS[dtype.itemsize]
        found, mask = np.empty(count, dtype), np.uint64(2**bits - 1)
        draw = self._next if dtype.itemsize == 4 else self._next_pairs
        for part in _blocks(count):
            words = draw(part.stop - part.start)
            words &= mask
            np.multiply(words, dtype.type(2.0**-bits), out=found[part], dtype=dtype, casting="unsafe")
        return found

    def _normal_groups(self, count: int, dtype: np.dtype[Any]) -> Any:
        whole = count - count % _FILL
        if dtype.itemsize == 2:
            numbers = np.empty(count, np.float32)
            numbers[:whole] = self._fractions(whole, numbers.dtype)
        else:
            numbers = self._fractions(count, dtype)
        for part in _blocks(whole):
            _transform(numbers[part])
        if whole < count:  # the last group is made anew, and overlaps the one before
            numbers[-_FILL:] = self._fractions(_FILL, numbers.dtype)
            _transform(numbers[-_FILL:])
        return numbers


def _transform(fractions: Any) -> None:
    """Make normal numbers of fractions, in place: of each group of sixteen, the first eight with the last eight."""
    groups = fractions.reshape(-1, 2, _FILL // 2)
    heights, angles = groups[:, 0], groups[:, 1]
    radius = np.sqrt(-2 * np.log(1 - heights))
    angle = fractions.dtype.type(2 * np.pi) * angles
    np.multiply(radius, np.cos(angle), out=heights)
    np.multiply(radius, np.sin(angle), out=angles)


def _blocks(count: int) -> Iterator[slice]:
    return (slice(start, min(start + _BLOCK, count)) for start in range(0, count, _BLOCK))


def _part(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return np.dtype(np.float32 if dtype.itemsize == 8 else np.float64)


def _joined(parts: Any, dtype: np.dtype[Any], shape: tuple[int, ...]) -> Any:
    """Pairs of real numbers as complex ones."""
    return parts.view(dtype).reshape(shape)
