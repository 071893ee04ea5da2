"""Random numbers: generators, their seeds and states. The functions that draw are at the top level of the package.

The numbers are those that PyTorch draws on the CPU from the same seed.
"""

from wengert.functions.generators import (
    Generator,
    default_generator,
    fork_rng,
    get_rng_state,
    initial_seed,
    manual_seed,
    seed,
    set_rng_state,
)

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
