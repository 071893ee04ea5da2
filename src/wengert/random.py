"""Random numbers: generators, their seeds and states. The functions that draw are at the top level of the package.

The distributions are PyTorch's; the numbers are not, because they come from another source (NumPy's PCG64).
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
