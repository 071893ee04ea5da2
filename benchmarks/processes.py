"""The processes that measure: a case with its threads, the table of operations, a long chain, an import."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent

# What the usual builds of NumPy and PyTorch read; it must stand there before they are imported.
_THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")

_XLA_ONE_THREAD = "--xla_cpu_multi_thread_eigen=false"  # JAX; it has no option for another number

_IMPORTS = ("numpy", "wengert", "torch")


def thread_environment(threads: int) -> dict[str, str]:
    """The environment of a process in which every library has so many threads."""
    environment = os.environ | dict.fromkeys(_THREAD_VARIABLES, str(threads))
    if threads == 1:
        environment["XLA_FLAGS"] = f"{environment.get('XLA_FLAGS', '')} {_XLA_ONE_THREAD}"
    return environment


def keep_to_cores(threads: int) -> None:
    """Let this process, and what it will start, run on so many cores only, where the system can do that.

    Not every library takes a number of threads: JAX shares the work of one call between all cores that it finds.
    """
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def run_case(name: str, threads: int, quick: bool) -> dict[str, Any]:
    """Time one case in a fresh process with so many threads."""
    environment = thread_environment(threads)
    result: dict[str, Any] = _run_worker(["case", name, str(threads), *(["--quick"] if quick else [])], environment)
    return result


def run_operations(threads: int, quick: bool, only: list[str]) -> list[dict[str, Any]]:
    """Time the table of operations in a fresh process with so many threads."""
    environment = os.environ | dict.fromkeys(_THREAD_VARIABLES, str(threads))
    chosen = [word for name in only for word in ("--only", name)]
    results: list[dict[str, Any]] = _run_worker(
        ["operations", str(threads), *(["--quick"] if quick else []), *chosen], environment
    )
    return results


def run_chain(library: str, operations: int) -> dict[str, Any]:
    """Measure a chain of so many operations in a fresh process."""
    result: dict[str, Any] = _run_worker(["chain", library, str(operations)], dict(os.environ))
    return result


def time_imports(quick: bool) -> dict[str, float]:
    """The median seconds of ``python -c "import ..."``, taken in turn, with the bytecode that Python keeps in place."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    times: dict[str, list[float]] = {library: [] for library in _IMPORTS}
    warm_up, runs = (1, 2) if quick else (2, 21)
    for run in range(-warm_up, runs):
        for library in _IMPORTS:
            begin = time.perf_counter()
            subprocess.run([sys.executable, "-c", f"import {library}"], env=environment, cwd=ROOT, check=True)
            if run >= 0:
                times[library].append(time.perf_counter() - begin)
    return {library: statistics.median(of_library) for library, of_library in times.items()}


def _run_worker(arguments: list[str], environment: dict[str, str]) -> Any:
    command = [sys.executable, "-m", "benchmarks.worker", *arguments]
    done = subprocess.run(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)
