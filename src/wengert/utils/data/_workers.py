"""Worker processes that fetch batches: each has its own copy of the data set and its own random numbers."""

from __future__ import annotations

import multiprocessing
import random
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures import TimeoutError as NotInTime
from dataclasses import dataclass
from typing import Any

import numpy as np

from wengert.functions.generators import manual_seed

__all__ = ["WorkerInfo", "Workers", "get_worker_info"]


@dataclass(frozen=True)
class WorkerInfo:
    """Which worker a process is, of how many, its seed, and its copy of the data set."""

    id: int
    num_workers: int
    seed: int
    dataset: Any


class _Here:
    """What this process is, if it is a worker."""

    info: WorkerInfo | None = None
    fetch: Callable[[Any], Any] | None = None


def get_worker_info() -> WorkerInfo | None:
    """Which worker the process is; None outside workers.

    >>> import wengert as torch
    >>> torch.utils.data.get_worker_info() is None
    True
    """
    return _Here.info


def _begin(info: WorkerInfo, make_fetch: Callable[[Any], Any], init: Callable[[int], None] | None) -> None:
    manual_seed(info.seed)
    random.seed(info.seed)
    np.random.seed(info.seed % 2**32)  # noqa: NPY002 - for data sets that draw from NumPy's global generator
    _Here.info = info
    if init is not None:
        init(info.id)
    _Here.fetch = make_fetch(info.dataset)


def _fetch(task: Any) -> Any:
    assert _Here.fetch is not None
    return _Here.fetch(task)


END = "end of the stream"  # what a fetch gives when a stream has no more


class Workers:
    """Processes, each with a line of its own, so that batch ``i`` is always the work of worker ``i % n``."""

    def __init__(
        self, dataset: Any, n: int, seed: int, make_fetch: Any, init: Any, context: Any, ahead: int, timeout: float
    ) -> None:
        if not hasattr(context, "Process"):
            context = multiprocessing.get_context(context)
        self.ahead = ahead
        self.timeout = timeout or None
        self.lines = [
            ProcessPoolExecutor(
                1, context, initializer=_begin, initargs=(WorkerInfo(i, n, seed + i, dataset), make_fetch, init)
            )
            for i in range(n)
        ]

    def run(self, tasks: Iterator[Any]) -> Iterator[Any]:
        """The results of the tasks, in order; a worker whose stream has ended gets no more."""
        waiting: deque[tuple[int, Future[Any]]] = deque()
        open_lines = deque(range(len(self.lines)))

        def submit() -> None:
            if not open_lines:
                return
            for task in tasks:
                line = open_lines[0]
                open_lines.rotate(-1)
                waiting.append((line, self.lines[line].submit(_fetch, task)))
                return

        for _ in range(self.ahead * len(self.lines)):
            submit()
        while waiting:
            line, future = waiting.popleft()
            result = self._result(future)
            if isinstance(result, str) and result == END:
                if line in open_lines:
                    open_lines.remove(line)
                continue
            submit()
            yield result

    def _result(self, future: Future[Any]) -> Any:
        try:
            return future.result(self.timeout)
        except NotInTime:
            raise RuntimeError(f"DataLoader timed out after {self.timeout} seconds") from None

    def stop(self) -> None:
        """Let the processes end."""
        for line in self.lines:
            line.shutdown(wait=False, cancel_futures=True)
