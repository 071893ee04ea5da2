"""One measurement, in a process of its own: ``python -m benchmarks.worker {case|chain} ...``, which the runner starts.

Prints one line of JSON.
"""

from __future__ import annotations

import argparse
import importlib
import json
from typing import Any

from benchmarks.cases import CASES
from benchmarks.long_chain import measure_chain
from benchmarks.timing import FULL, QUICK, compare_times


def time_case(name: str, threads: int, quick: bool) -> dict[str, Any]:
    """The times of one case on both libraries, with so many threads each."""
    wengert, torch = importlib.import_module("wengert"), importlib.import_module("torch")
    wengert.set_num_threads(threads)
    torch.set_num_threads(threads)
    case = {case.name: case for case in CASES}[name]
    return compare_times(case.prepare(wengert), case.prepare(torch), QUICK if quick else FULL)


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
    asked = parser.parse_args()
    if asked.measurement == "case":
        result = time_case(asked.name, asked.threads, asked.quick)
    else:
        result = measure_chain(importlib.import_module(asked.library), asked.operations)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
