"""Entries judged one at a time, each in a process of its own with a time limit."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection, wait
from typing import Any

from judge import Aspect, Verdict, judge


def judged(entries: Sequence[Any], jobs: int, limit: float, samples: int) -> Iterator[tuple[Any, Verdict | None]]:
    """Each entry with its verdict, in the order in which they end; a process is given ``limit`` seconds."""
    fork = multiprocessing.get_context("fork")
    waiting = list(reversed(entries))
    running: dict[Connection, tuple[Any, Any, float]] = {}
    while waiting or running:
        while waiting and len(running) < jobs:
            entry = waiting.pop()
            ours, theirs = fork.Pipe(duplex=False)
            process = fork.Process(target=_work, args=(entry, samples, theirs))
            process.start()
            theirs.close()
            running[ours] = (entry, process, time.monotonic())
        done = wait(list(running), timeout=1.0)
        for pipe in list(running):
            entry, process, start = running[pipe]
            if pipe in done:
                yield entry, _received(pipe)
            elif time.monotonic() - start > limit:
                process.kill()
                yield entry, {"forward": Aspect(1, [f"took more than {limit:g} s"])}
            else:
                continue
            process.join()
            pipe.close()
            del running[pipe]


def _received(pipe: Any) -> Verdict | None:
    try:
        return pipe.recv()  # type: ignore[no-any-return]
    except EOFError:
        return {"forward": Aspect(1, ["the process died"])}


def _work(entry: Any, samples: int, pipe: Any) -> None:
    pipe.send(judge(entry, samples))
    pipe.close()
