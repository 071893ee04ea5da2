"""A sampler that gives each of several processes its part."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from wengert.functions.generators import Generator
from wengert.functions.random import randperm
from wengert.utils.data.sampler import Sampler

__all__ = ["DistributedSampler"]


class DistributedSampler(Sampler):
    """The numbers of items for process ``rank`` of ``num_replicas``, as many for each.

    All processes shuffle alike, by ``seed`` and by what :meth:`set_epoch` was told. If the numbers do not come out
    even, some items are left out (``drop_last``) or come twice.

    Raises:
        RuntimeError: ``num_replicas`` or ``rank`` is not given: there is nothing to ask for them.
        ValueError: a rank outside 0 to ``num_replicas - 1``.

    >>> import wengert as torch
    >>> sampler = torch.utils.data.DistributedSampler(range(5), num_replicas=2, rank=1, shuffle=False)
    >>> list(sampler)
    [1, 3, 0]
    """

    def __init__(
        self,
        dataset: Any,
        num_replicas: int | None = None,
        rank: int | None = None,
        shuffle: bool = True,
        seed: int = 0,
        drop_last: bool = False,
    ) -> None:
        if num_replicas is None or rank is None:
            raise RuntimeError("Requires distributed package to be available: give num_replicas= and rank=")
        if not 0 <= rank < num_replicas:
            raise ValueError(f"Invalid rank {rank}, rank should be in the interval [0, {num_replicas - 1}]")
        self.dataset = dataset
        self.num_replicas = num_replicas
        self.rank = rank
        self.epoch = 0
        self.drop_last = drop_last
        self.shuffle = shuffle
        self.seed = seed
        n = len(dataset)
        self.num_samples = n // num_replicas if drop_last else math.ceil(n / num_replicas)
        self.total_size = self.num_samples * num_replicas

    def __iter__(self) -> Iterator[int]:
        n = len(self.dataset)
        order: list[int] = list(range(n))
        if self.shuffle:
            order = randperm(n, generator=Generator().manual_seed(self.seed + self.epoch)).tolist()
        again = -(-self.total_size // max(n, 1))  # how often the order is needed to fill all parts
        return iter((order * again)[self.rank : self.total_size : self.num_replicas])

    def __len__(self) -> int:
        return self.num_samples

    def set_epoch(self, epoch: int) -> None:
        """Have the next pass shuffled in another way."""
        self.epoch = epoch
