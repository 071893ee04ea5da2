"""One measurement, in a process of its own, which the runner starts.

``python -m benchmarks.worker {case|chain|operations} ...``

Prints one line of JSON.
"""

from __future__ import annotations

import argparse
import importlib
import json
from typing import Any

from benchmarks import jax_transforms
from benchmarks.cases import CASES
from benchmarks.long_chain import measure_chain
from benchmarks.operations import OPERATIONS, SIZES, steps
from benchmarks.timing import BRIEF, FULL, QUICK, compare_times, least_times


def _libraries(threads: int) -> tuple[Any, Any]:
    wengert, torch = importlib.import_module("wengert"), importlib.import_module("torch")
    wengert.set_num_threads(threads)
    torch.set_num_threads(threads)
    return wengert, torch


def time_case(name: str, threads: int, quick: bool) -> dict[str, Any]:
    """The times of one case on both libraries, with so many threads each."""
    wengert, torch = _libraries(threads)
    case = {case.name: case for case in CASES}[name]
    effort, ours = QUICK if quick else FULL, case.prepare(wengert)
    times = compare_times(ours, case.prepare(torch), effort)
    if case.in_jax is not None and jax_transforms.installed():
        others = jax_transforms.steps(case.in_jax).items()
        times["beside"] = {name: compare_times(ours, step, effort, peer=name) for name, step in others}
    return times


def time_operations(threads: int, quick: bool, only: list[str]) -> list[dict[str, Any]]:
    """The times of the operations whose name contains one of ``only`` (all, where it is empty), at each size."""
    wengert, torch = _libraries(threads)
    results = []
    for operation in OPERATIONS:
        if only and not any(part in operation.name for part in only):
            continue
        for size in SIZES[:2] if quick else SIZES:
            ours, theirs = steps(wengert, operation, size), steps(torch, operation, size)
            for phase in ours:
                about = {"name": operation.name, "size": size, "threads": threads, "phase": phase}
                results.append(about | least_times(ours[phase], theirs[phase], QUICK if quick else BRIEF))
    return results


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.worker")
    measurements = parser.add_subparsers(dest="measurement", required=True)
    case = measurements.add_parser("case")
    case.add_argument("name")
    case.add_argument("threads", type=int)
    case.add_argument("--quick", action="store_true")
    chain = measurements.add_parser("chain")
    chain.add_argument("library", choices=["wengert", "torch"])
    chain.add_argument("operations", type=int)
    operations = measurements.add_parser("operations")
    operations.add_argument("threads", type=int)
    operations.add_argument("--quick", action="store_true")
    operations.add_argument("--only", action="append", default=[])
    asked = parser.parse_args()
    if asked.measurement == "case":
        result: Any = time_case(asked.name, asked.threads, asked.quick)
    elif asked.measurement == "operations":
        result = time_operations(asked.threads, asked.quick, asked.only)
    else:
        result = measure_chain(importlib.import_module(asked.library), asked.operations)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
