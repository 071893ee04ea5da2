"""What a process has one of is made once, whichever threads ask for it, and a forked child is not held up."""

from __future__ import annotations

import os
import threading
import time

import pytest

from wengert import _threads


def test_threads_that_ask_at_the_same_time_get_the_same() -> None:
    @_threads.once
    def made() -> object:
        time.sleep(0.01)
        return object()

    barrier, found = threading.Barrier(4), []

    def ask() -> None:
        barrier.wait()
        found.append(made())

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert all(each is made() for each in found)


def test_what_fails_is_tried_again() -> None:
    failures = [ValueError("first")]

    @_threads.once
    def made() -> str:
        if failures:
            raise failures.pop()
        return "made"

    with pytest.raises(ValueError, match="first"):
        made()
    assert made() == "made"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_child_process_is_not_held_up() -> None:
    lock, release, taken = _threads.Lock(), threading.Event(), threading.Event()

    def hold() -> None:
        with lock.held:
            taken.set()
            release.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    taken.wait()
    child = os.fork()
    if child == 0:
        os._exit(0 if lock.held.acquire(timeout=5) else 1)
    _, status = os.waitpid(child, 0)
    release.set()
    thread.join()
    assert os.waitstatus_to_exitcode(status) == 0
