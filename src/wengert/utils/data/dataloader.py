"""``DataLoader``: batches of a data set."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice, repeat
from typing import Any

from wengert._dtypes import int64
from wengert.functions.creation import empty
from wengert.functions.data import as_tensor
from wengert.utils.data._workers import END, Workers
from wengert.utils.data.collate import default_collate, default_convert
from wengert.utils.data.dataset import IterableDataset, TensorDataset
from wengert.utils.data.sampler import BatchSampler, RandomSampler, SequentialSampler

__all__ = ["DataLoader"]


class DataLoader:
    """Goes through a data set in batches, in order or shuffled, in this process or with workers.

    Args:
        dataset: something with ``__getitem__`` and ``__len__``, or an :class:`IterableDataset`.
        batch_size: items in a batch; None gives single items.
        shuffle: in random order, anew each time.
        sampler: the numbers of the items, in place of ``shuffle``.
        batch_sampler: lists of such numbers, in place of all of these.
        num_workers: processes that fetch batches; 0 fetches here.
        collate_fn: makes a batch of a list of items.
        pin_memory: has no effect.
        drop_last: leave out a last batch that is shorter.
        timeout: seconds to wait for a worker; 0 waits for ever.
        worker_init_fn: called in each worker with its number.
        multiprocessing_context: how workers are started.
        generator: where the order comes from.
        prefetch_factor: batches that each worker is ahead (2).
        persistent_workers: keep the workers for the next pass.
        pin_memory_device: has no effect.
        in_order: has no effect: batches always come in order.

    Raises:
        ValueError: settings that do not go together.

    >>> import wengert as torch
    >>> data = torch.utils.data.TensorDataset(torch.arange(5.0))
    >>> loader = torch.utils.data.DataLoader(data, batch_size=2)
    >>> [x.tolist() for (x,) in loader]
    [[0.0, 1.0], [2.0, 3.0], [4.0]]
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Any = None,
        batch_sampler: Any = None,
        num_workers: int = 0,
        collate_fn: Callable[[Any], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], None] | None = None,
        multiprocessing_context: Any = None,
        generator: Any = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        _check_workers(num_workers, timeout, prefetch_factor, persistent_workers)
        self.dataset = dataset
        self.num_workers = num_workers
        self.prefetch_factor = 2 if num_workers and prefetch_factor is None else prefetch_factor
        self.pin_memory = pin_memory
        self.pin_memory_device = pin_memory_device
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.multiprocessing_context = multiprocessing_context
        self.generator = generator
        self.persistent_workers = persistent_workers
        self.in_order = in_order
        self._is_stream = isinstance(dataset, IterableDataset)
        if self._is_stream:
            _check_stream(shuffle, sampler, batch_sampler)
        if sampler is not None and shuffle:
            raise ValueError("sampler option is mutually exclusive with shuffle")
        if batch_sampler is not None:
            if batch_size != 1 or shuffle or sampler is not None or drop_last:
                raise ValueError(
                    "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and drop_last"
                )
            batch_size = None
        elif batch_size is None and drop_last:
            raise ValueError("batch_size=None option disables auto-batching and is mutually exclusive with drop_last")
        if sampler is None and not self._is_stream:
            sampler = RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)
        self.batched = batch_size is not None or batch_sampler is not None
        if batch_size is not None and not self._is_stream:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        if batch_size is not None and batch_size <= 0:
            raise ValueError(f"batch_size should be a positive integer value, but got batch_size={batch_size}")
        self.batch_size = batch_size
        self.drop_last = drop_last
        self.sampler = sampler
        self.batch_sampler = batch_sampler
        self.collate_fn = collate_fn or (default_collate if self.batched else default_convert)
        self._workers: Workers | None = None

    def __len__(self) -> int:
        if self._is_stream:
            n = len(self.dataset)
            if self.batch_size is None:
                return n
            return n // self.batch_size if self.drop_last else -(-n // self.batch_size)
        return len(self.batch_sampler if self.batched else self.sampler)

    def __iter__(self) -> Iterator[Any]:
        tasks = repeat(None) if self._is_stream else iter(self.batch_sampler if self.batched else self.sampler)
        seed = int(empty((), dtype=int64).random_(generator=self.generator).item())
        fetching = partial(
            _fetcher,
            batch_size=self.batch_size,
            drop_last=self.drop_last,
            batched=self.batched,
            collate=self.collate_fn,
        )
        if self.num_workers:
            return self._with_workers(tasks, seed % 2**62, fetching)
        return _here(tasks, fetching(self.dataset))

    def _with_workers(self, tasks: Iterator[Any], seed: int, fetching: Any) -> Iterator[Any]:
        workers = self._workers if self.persistent_workers and not self._is_stream else None
        if workers is None:
            workers = Workers(
                self.dataset,
                self.num_workers,
                seed,
                fetching,
                self.worker_init_fn,
                self.multiprocessing_context,
                self.prefetch_factor or 2,
                self.timeout,
            )
        if self.persistent_workers:
            self._workers = workers
        try:
            yield from workers.run(tasks)
        finally:
            if not self.persistent_workers:
                workers.stop()


def _here(tasks: Iterator[Any], fetch: Callable[[Any], Any]) -> Iterator[Any]:
    for task in tasks:
        batch = fetch(task)
        if isinstance(batch, str) and batch == END:
            return
        yield batch


def _fetcher(dataset: Any, *, batch_size: int | None, drop_last: bool, batched: bool, collate: Any) -> Any:
    """The function that makes a batch of a list of numbers (or the next batch of a stream)."""
    if isinstance(dataset, IterableDataset):
        return partial(_next, iter(dataset), batch_size, drop_last, collate)
    if not batched:
        return lambda number: collate(dataset[number])
    if type(dataset) is TensorDataset and collate is default_collate:
        return lambda numbers: _rows(dataset.tensors, numbers)
    several = getattr(dataset, "__getitems__", None)
    if several is not None:
        return lambda numbers: collate(several(numbers))
    return lambda numbers: collate([dataset[number] for number in numbers])


def _rows(tensors: tuple[Any, ...], numbers: list[int]) -> list[Any]:
    """What collating the rows one by one gives, in one step."""
    index = as_tensor(numbers)
    return [t[index] for t in tensors]


def _next(items: Iterator[Any], batch_size: int | None, drop_last: bool, collate: Any, _: None) -> Any:
    if batch_size is None:
        found = list(islice(items, 1))
        return collate(found[0]) if found else END
    batch = list(islice(items, batch_size))
    if not batch or (drop_last and len(batch) < batch_size):
        return END
    return collate(batch)


def _check_workers(num_workers: int, timeout: float, prefetch_factor: int | None, persistent_workers: bool) -> None:
    if num_workers < 0:
        raise ValueError("num_workers option should be non-negative; use num_workers=0 to disable multiprocessing.")
    if timeout < 0:
        raise ValueError("timeout option should be non-negative")
    if num_workers == 0 and prefetch_factor is not None:
        raise ValueError(
            "prefetch_factor option could only be specified in multiprocessing.let num_workers > 0 to enable "
            "multiprocessing, otherwise set prefetch_factor to None."
        )
    if prefetch_factor is not None and prefetch_factor < 0:
        raise ValueError("prefetch_factor option should be non-negative")
    if persistent_workers and num_workers == 0:
        raise ValueError("persistent_workers option needs num_workers > 0")


def _check_stream(shuffle: Any, sampler: Any, batch_sampler: Any) -> None:
    if shuffle not in (False, None):
        raise ValueError(
            f"DataLoader with IterableDataset: expected unspecified shuffle option, but got shuffle={shuffle}"
        )
    if sampler is not None:
        raise ValueError(
            f"DataLoader with IterableDataset: expected unspecified sampler option, but got sampler={sampler}"
        )
    if batch_sampler is not None:
        raise ValueError(
            "DataLoader with IterableDataset: expected unspecified batch_sampler option, but got "
            f"batch_sampler={batch_sampler}"
        )
