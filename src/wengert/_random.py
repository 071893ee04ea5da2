"""A stream of random numbers that can be seeded, saved and restored: the state behind ``torch.Generator``."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any, Final

import numpy as np

__all__ = ["DEFAULT_SEED", "STATE_BYTES", "Stream", "bind_draw"]

DEFAULT_SEED: Final = 67280421310721  # what PyTorch's generators start with
STATE_BYTES: Final = 48

_HALF_STEPS: Final = 2**11  # float16 holds the multiples of 2^-11 in [0, 1) exactly


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
    """Random numbers from NumPy's PCG64. NumPy is asked for it on first use: its random module takes time to import.

    NumPy locks a generator during each call, so that threads may share a stream; the lock here makes seeding and
    restoring atomic.
    """

    __slots__ = ("_lock", "_numpy", "_seed")

    def __init__(self, seed: int | None = DEFAULT_SEED) -> None:
        self._lock = threading.RLock()
        self._numpy: Any = None
        self._seed = seed

    @property
    def numpy(self) -> np.random.Generator:
        """The NumPy generator that draws."""
        if _instead is not None:
            _instead(self, None)
        found = self._numpy
        if found is None:
            with self._lock:
                if self._numpy is None:
                    self.reseed(self.seed_in_use())
                found = self._numpy
        return found  # type: ignore[no-any-return]

    def seed_in_use(self) -> int:
        """The seed that the stream started from."""
        with self._lock:
            if self._seed is None:
                self._seed = int.from_bytes(os.urandom(8), "little")
            return self._seed

    def reseed(self, seed: int) -> None:
        """Start again from a seed in ``[0, 2**64)``."""
        if _instead is not None:
            _instead(self, None)
        with self._lock:
            self._numpy = np.random.Generator(np.random.PCG64(seed))
            self._seed = seed

    def state(self) -> bytes:
        """Everything that decides the next numbers, in ``STATE_BYTES`` bytes."""
        with self._lock:
            bits = self.numpy.bit_generator
            with bits.lock:
                state: Any = bits.state
            fields = (
                (state["state"]["state"], 16),
                (state["state"]["inc"], 16),
                (state["uinteger"], 4),
                (state["has_uint32"], 4),
                (self.seed_in_use(), 8),
            )
            return b"".join([int(value).to_bytes(length, "little") for value, length in fields])

    def restore(self, state: bytes) -> None:
        """Go on where :meth:`state` was taken."""
        numbers = [int.from_bytes(state[a:b], "little") for a, b in ((0, 16), (16, 32), (32, 36), (36, 40), (40, 48))]
        bits = np.random.PCG64(0)
        bits.state = {
            "bit_generator": "PCG64",
            "state": {"state": numbers[0], "inc": numbers[1]},
            "uinteger": numbers[2],
            "has_uint32": numbers[3],
        }
        with self._lock:
            self._numpy, self._seed = np.random.Generator(bits), numbers[4]

    # --- draws, in the dtype asked for ---

    def uniform(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Any:
        """Numbers in [0, 1)."""
        if _instead is not None and (found := _instead(self, "uniform", shape, dtype)) is not None:
            return found
        if dtype.kind == "c":
            return self._complex(self.uniform, shape, dtype)
        if dtype.itemsize == 2:
            steps = self.numpy.integers(0, _HALF_STEPS, shape, np.uint16)
            return (steps * np.float32(1 / _HALF_STEPS)).astype(dtype)
        return self.numpy.random(shape, dtype)

    def normal(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Any:
        """Standard normal numbers; complex ones have variance 1 too, half of it in each part."""
        if _instead is not None and (found := _instead(self, "normal", shape, dtype)) is not None:
            return found
        if dtype.kind == "c":
            return self._complex(self.normal, shape, dtype) * dtype.type(0.5**0.5)
        if dtype.itemsize == 2:
            return self.numpy.standard_normal(shape, np.float32).astype(dtype)
        return self.numpy.standard_normal(shape, dtype)

    def exponential(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Any:
        """Numbers of the exponential distribution with rate 1."""
        if _instead is not None and (found := _instead(self, "exponential", shape, dtype)) is not None:
            return found
        if dtype.itemsize == 2:
            return self.numpy.standard_exponential(shape, np.float32).astype(dtype)
        return self.numpy.standard_exponential(shape, dtype)

    def integers(self, low: int, high: int, shape: tuple[int, ...]) -> Any:
        """Integers in [low, high), as int64, or as uint64 where they need it."""
        if _instead is not None and (found := _instead(self, "integers", low, high, shape)) is not None:
            return found
        if high > 2**63:
            return self.numpy.integers(low, high, shape, np.uint64)
        return self.numpy.integers(low, high, shape, np.int64)

    def permutation(self, count: int) -> Any:
        """The numbers below ``count`` in random order."""
        if _instead is not None and (found := _instead(self, "permutation", count)) is not None:
            return found
        return self.numpy.permutation(count)

    def _complex(self, draw: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Any:
        part = np.dtype(np.float32 if dtype.itemsize == 8 else np.float64)
        return draw((*shape, 2), part).view(dtype).reshape(shape)
