"""A hint to the C library's allocator, given once on import; and a pause of Python's garbage collector.

glibc hands each block of 128 KiB and more back to the system when it is freed, and trims its heap by the same measure,
so that a program which makes and drops arrays of that size pays a page fault for every 4 KiB of each of them. It raises
both limits by itself once it has seen a larger block freed: to the block's size, and for the heap to twice that. One
block of 16 MiB, which is never touched, shows it at the start. Other allocators take no notice.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

_BLOCK = 16 << 20


def show_large_block() -> None:
    """Allocate and free one block of 16 MiB without touching it."""
    np.empty(_BLOCK, np.uint8)


@contextmanager
def without_collection() -> Iterator[None]:
    """No cyclic garbage collection meanwhile: where very many objects are made that stay, it takes half of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
