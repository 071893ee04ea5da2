"""Generators of random numbers: their seeds and states, and the default one.

The numbers are those that PyTorch draws on the CPU from the same seed, in every run and process, to the rounding of
logarithms and the like; :func:`~wengert.poisson` alone gives others.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any, Final

import numpy as np

from wengert._device import CPU, device, require_cpu
from wengert._dtypes import uint8
from wengert._random import Stream
from wengert.engine.base import TensorBase, wrap
from wengert.engine.state import STATE
from wengert.functions.batched_streams import stream_in_batch

__all__ = [
    "Generator",
    "default_generator",
    "fork_rng",
    "get_rng_state",
    "initial_seed",
    "manual_seed",
    "seed",
    "set_rng_state",
]


class Generator(Stream):
    """A stream of random numbers of its own, for the ``generator=`` argument.

    >>> import wengert as torch
    >>> g = torch.Generator().manual_seed(1)
    >>> torch.rand(2, generator=g)
    tensor([0.7576, 0.2793])
    """

    __slots__ = ()

    def __init__(self, device: Any = "cpu") -> None:
        require_cpu(device)
        super().__init__()

    @property
    def device(self) -> device:
        """The CPU."""
        return CPU

    def manual_seed(self, seed: int) -> Generator:
        """Start again from this seed; returns the generator.

        Raises:
            ValueError: a seed outside ``[-2**63, 2**64)``. A negative one stands for itself plus ``2**64``.
        """
        self.reseed(_checked_seed(seed))
        return self

    def seed(self) -> int:
        """Start again from a seed that the operating system draws; returns it."""
        with self._lock:
            self._seed = None
            self.reseed(self.seed_in_use())
            return self.seed_in_use()

    def initial_seed(self) -> int:
        """The seed that the generator was last started from."""
        return self.seed_in_use()

    def get_state(self) -> Any:
        """The state as a tensor of bytes, for :meth:`set_state`."""
        return wrap(np.frombuffer(self.state(), np.uint8).copy())

    def set_state(self, new_state: Any) -> None:
        """Go on where :meth:`get_state` was called.

        Raises:
            TypeError: not a tensor of bytes.
            RuntimeError: not the state of a generator.
        """
        if not isinstance(new_state, TensorBase) or new_state._data.dtype is not uint8.np:
            raise TypeError("RNG state must be a torch.ByteTensor: what get_state() or get_rng_state() gave")
        try:
            self.restore(np.asarray(new_state._data).tobytes())
        except ValueError as error:
            raise RuntimeError(f"set_state() takes what get_state() gave: {error}") from None

    def clone_state(self) -> Generator:
        """Another generator that will give the same numbers."""
        twin = Generator()
        twin.restore(self.state())
        return twin

    def __reduce__(self) -> tuple[Any, ...]:
        return _generator_at, (self.state(),)

    def __deepcopy__(self, memo: dict[int, Any]) -> Generator:
        return self.clone_state()


def _generator_at(state: bytes) -> Generator:
    generator = Generator()
    generator.restore(state)
    return generator


def _checked_seed(seed: Any) -> int:
    number = int(seed)
    if not -(2**63) <= number < 2**64:
        raise ValueError(f"Overflow when unpacking long long: the seed must lie in [-2**63, 2**64), got {number}")
    return number % 2**64


default_generator: Final = Generator()
"""The generator that is used where none is given. It starts from a seed of the operating system's."""
default_generator._seed = None


def manual_seed(seed: int) -> Generator:
    """Start the default generator again from a seed; returns it.

    The same seed gives the same numbers in every run, and those that PyTorch gives on the CPU.

    >>> import wengert as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.rand(3)
    tensor([0.4963, 0.7682, 0.0885])
    """
    return default_generator.manual_seed(seed)


def seed() -> int:
    """Start the default generator again from a seed that the operating system draws; returns it.

    >>> import wengert as torch
    >>> torch.seed() == torch.initial_seed()
    True
    """
    return default_generator.seed()


def initial_seed() -> int:
    """The seed that the default generator was last started from.

    >>> import wengert as torch
    >>> _ = torch.manual_seed(3)
    >>> torch.initial_seed()
    3
    """
    return default_generator.initial_seed()


def get_rng_state() -> Any:
    """The default generator's state as a tensor of bytes.

    >>> import wengert as torch
    >>> torch.get_rng_state().dtype
    torch.uint8
    """
    return default_generator.get_state()


def set_rng_state(new_state: Any) -> None:
    """Put the default generator back into a state that :func:`get_rng_state` gave.

    >>> import wengert as torch
    >>> state = torch.get_rng_state()
    >>> a = torch.rand(2)
    >>> torch.set_rng_state(state)
    >>> torch.equal(a, torch.rand(2))
    True
    """
    default_generator.set_state(new_state)


@contextlib.contextmanager
def fork_rng(
    devices: Iterable[Any] | None = None,  # noqa: ARG001  # accelerators, of which there are none
    enabled: bool = True,
    device_type: str = "cuda",  # noqa: ARG001 - of those
) -> Iterator[None]:
    """At the end of the ``with`` block, put the default generator back into the state that it had at the start.

    >>> import wengert as torch
    >>> _ = torch.manual_seed(0)
    >>> with torch.random.fork_rng():
    ...     a = torch.rand(2)
    >>> torch.equal(a, torch.rand(2))
    True
    """
    if not enabled:
        yield
        return
    state = default_generator.state()
    try:
        yield
    finally:
        default_generator.restore(state)


def stream_of(function: str, generator: Any) -> Stream:
    """The generator to draw from: the given one or the default one."""
    if generator is None:
        generator = default_generator
    elif not isinstance(generator, Stream):
        raise TypeError(f"{function}(): argument 'generator' must be a torch.Generator, not {type(generator).__name__}")
    return stream_in_batch(function, generator) if STATE.randomness else generator  # type: ignore[no-any-return]
