"""A chain of very many operations: time and memory of each, forward, backward and freed."""

from __future__ import annotations

import gc
import resource
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

LENGTHS = (10**4, 10**5, 10**6)
QUICK_LENGTHS = (10**3, 10**4)


class _GcPauses:
    """Adds up the time that the garbage collector takes: it looks through the living graph every now and then."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.begin = 0.0

    def __call__(self, phase: str, info: dict[str, int]) -> None:
        now = time.perf_counter()
        if phase == "start":
            self.begin = now
        else:
            self.seconds += now - self.begin


def measure_chain(torch: Any, operations: int) -> dict[str, Any]:
    """Seconds and peak bytes per operation of a chain; the objects that the garbage collector had to free."""
    _run_chain(torch, 100)  # first uses
    gc.collect()
    start, collected = _resident_bytes("VmRSS"), _collected()
    pauses = _GcPauses()
    gc.callbacks.append(pauses)
    result = _run_chain(torch, operations)
    gc.callbacks.remove(pauses)
    gc.collect()
    return {
        **{phase: seconds / operations for phase, seconds in result.items()},
        "gc": pauses.seconds / operations,
        "peak_bytes": (_resident_bytes("VmHWM") - start) / operations,
        "collected": _collected() - collected,
    }


def _run_chain(torch: Any, operations: int) -> dict[str, float]:
    x = torch.tensor(0.5, requires_grad=True)
    times = [time.perf_counter()]
    y = x
    for _ in range(operations // 2):
        y = y * 1.0000001 + 0.0000001
    times.append(time.perf_counter())
    y.backward()
    times.append(time.perf_counter())
    del y
    times.append(time.perf_counter())
    forward, backward, freed = (end - begin for begin, end in pairwise(times))
    return {"forward": forward, "backward": backward, "freed": freed}


def _collected() -> int:
    return sum(generation["collected"] for generation in gc.get_stats())


def _resident_bytes(field: str) -> int:
    """The memory of this process: its size now (VmRSS) or at its peak (VmHWM); where Linux does not say, the peak."""
    status = Path("/proc/self/status")
    if status.exists():
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(lines[field].split()[0]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
