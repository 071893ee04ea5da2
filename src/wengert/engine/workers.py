"""Numbered pieces of work, shared out to a few waiting threads.

Pieces are claimed one by one, by the caller too, so that a worker that wakes late (or does not exist any more, after a
fork) costs nothing: the caller does its share. NumPy releases the interpreter while it computes, which is what lets the
threads run side by side.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from queue import SimpleQueue

from wengert import _threads
from wengert._fpenv import SILENT, enter

Piece = Callable[[int], None]


class _Job:
    """Pieces ``0 .. count - 1`` of one computation."""

    __slots__ = ("claim", "count", "done", "error", "finished", "piece")

    def __init__(self, piece: Piece, first: int, count: int) -> None:
        self.piece = piece
        self.count = count - first
        self.claim = iter(range(first, count)).__next__  # one C call, so no two threads get the same number
        self.done: list[int] = []
        self.error: BaseException | None = None
        self.finished: SimpleQueue[None] = SimpleQueue()

    def work(self) -> None:
        """Claim and do pieces until none is left; tell the caller if this was the last to finish."""
        last = -1
        try:
            while True:
                last = self.claim()
                self.piece(last)
                self.done.append(last)
                last = -1
        except StopIteration:
            pass
        except BaseException as error:  # noqa: BLE001 - handed to the caller, which raises it
            self.error = error
            self.done.append(last)
        if len(self.done) == self.count:
            self.finished.put(None)

    def wait(self) -> None:
        """Wait for pieces that others claimed and have not finished."""
        if len(self.done) < self.count:
            self.finished.get()
        if self.error is not None:
            raise self.error


class _Workers:
    """The waiting threads of this process; made when first needed."""

    def __init__(self) -> None:
        self.inbox: SimpleQueue[_Job] = SimpleQueue()
        self.started = 0
        self.lock = threading.Lock()

    def start(self) -> None:
        """Have enough threads waiting."""
        with self.lock:
            while self.started < _threads.get() - 1:
                self.started += 1
                threading.Thread(target=_serve, args=(self.inbox,), name="wengert-worker", daemon=True).start()

    def forget(self) -> None:
        """After a fork: the child has no workers yet."""
        self.inbox = SimpleQueue()
        self.started = 0
        self.lock = threading.Lock()


def _serve(inbox: SimpleQueue[_Job]) -> None:
    enter(SILENT)
    while True:
        job = inbox.get()
        job.work()
        del job  # or its arrays would live until the next one


_workers = _Workers()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_workers.forget)


def share_out(piece: Piece, first: int, count: int) -> None:
    """Do ``piece(i)`` for ``first <= i < count``, on as many threads as are set; returns when all are done.

    Raises:
        BaseException: what a piece raised.
    """
    helpers = min(_threads.get(), count - first) - 1
    if helpers < 1:
        for number in range(first, count):
            piece(number)
        return
    if _workers.started < helpers:
        _workers.start()
    job = _Job(piece, first, count)
    for _ in range(helpers):
        _workers.inbox.put(job)
    job.work()
    job.wait()


def get_num_threads() -> int:
    """The number of threads that large elementwise operations and compiled functions use.

    >>> import wengert as torch
    >>> torch.get_num_threads() >= 1
    True
    """
    return _threads.get()


def get_num_interop_threads() -> int:
    """One: operations do not run beside each other.

    >>> import wengert as torch
    >>> torch.get_num_interop_threads()
    1
    """
    return 1


def set_num_interop_threads(int: int) -> None:
    """Nothing, since operations do not run beside each other.

    Raises:
        RuntimeError: the number is not positive.

    >>> import wengert as torch
    >>> torch.set_num_interop_threads(2)
    """
    if int < 1:
        raise RuntimeError(f"set_num_interop_threads expects a positive integer, got {int}")


def set_num_threads(int: int) -> None:
    """Set the number of threads that large elementwise operations and compiled functions use.

    Matrix products have those of NumPy's BLAS.

    Raises:
        RuntimeError: the number is not positive.

    >>> import wengert as torch
    >>> torch.set_num_threads(torch.get_num_threads())
    """
    if int < 1:
        raise RuntimeError(f"set_num_threads expects a positive integer, got {int}")
    _threads.put(int)
