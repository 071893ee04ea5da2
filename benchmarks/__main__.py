"""Times wengert and PyTorch in the same run: ``python -m benchmarks --help``."""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

from benchmarks import jax_transforms
from benchmarks.cases import CASES
from benchmarks.long_chain import LENGTHS, QUICK_LENGTHS
from benchmarks.machine import describe
from benchmarks.operations import OPERATIONS
from benchmarks.processes import ROOT, run_case, run_chain, run_operations, time_imports
from benchmarks.report import render

_IMPORTS, _CHAINS, _OPERATIONS = "imports", "long chains", "table of operations"
_NAMES = (*[case.name for case in CASES], _IMPORTS, _CHAINS, _OPERATIONS)


def main() -> None:
    asked = _arguments()
    if importlib.util.find_spec("torch") is None:
        sys.exit(
            "benchmarks: torch is not installed, and it is what wengert is timed against:\n"
            f"    {sys.executable} -m pip install -e '.[conformance]'"
        )
    names = [name for name in _NAMES if not asked.only or any(part in name for part in asked.only)]
    if not names:
        sys.exit(f"benchmarks: no name contains any of {asked.only}; there are:\n    " + "\n    ".join(_NAMES))
    if importlib.util.find_spec("sklearn") is None and any("example" in name for name in names):
        names = [name for name in names if "example" not in name]
        _tell("scikit-learn is not installed (pip install -e '.[examples]'), so the examples' steps are left out")
    results = _measure(names, asked.threads, asked.quick, asked.operation)
    is_complete = tuple(names) == _NAMES and not asked.quick and not asked.operation
    _write(results, asked.results, is_complete)
    print(json.dumps(results, indent=1) if asked.json else render(results))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Time wengert and PyTorch in the same run."
    )
    parser.add_argument("--quick", action="store_true", help="few and short samples: to see that it runs, not how fast")
    parser.add_argument(
        "--only", metavar="NAME", action="append", help="only what has this in its name; may be repeated"
    )
    parser.add_argument(
        "--operation",
        metavar="NAME",
        action="append",
        default=[],
        help="of the operations, only these; may be repeated",
    )
    parser.add_argument("--threads", type=_numbers, default=[1, 2], help="numbers of threads, as 1,2 (the default)")
    parser.add_argument("--json", action="store_true", help="print JSON, not tables")
    parser.add_argument("--results", type=Path, default=ROOT / "benchmarks" / "results", help="where to write both")
    return parser.parse_args()


def _numbers(text: str) -> list[int]:
    numbers = [int(number) for number in text.split(",")]
    if min(numbers) < 1:
        raise argparse.ArgumentTypeError(f"expected positive numbers of threads, got {text}")
    return numbers


def _measure(names: list[str], threads: list[int], quick: bool, operations_only: list[str]) -> dict[str, Any]:
    results: dict[str, Any] = {"machine": describe(), "quick": quick, "cases": [], "imports": {}, "chains": []}
    results["operations"] = []
    if any([case.in_jax for case in CASES if case.name in names]) and not jax_transforms.installed():
        results["without_jax"] = True
        _tell("JAX is not installed (pip install -e '.[peers]'), so it is not timed beside")
    for case in CASES:
        for number in threads if case.name in names else []:
            _tell(f"{case.name}, {number} thread{'s' if number > 1 else ''}")
            about = {"name": case.name, "threads": number, "wanted": case.wanted}
            results["cases"].append(about | run_case(case.name, number, quick))
    for number in threads if _OPERATIONS in names else []:
        _tell(f"{len(OPERATIONS)} operations, {number} thread{'s' if number > 1 else ''}")
        results["operations"] += run_operations(number, quick, operations_only)
    if _IMPORTS in names:
        _tell("imports")
        results["imports"] = time_imports(quick)
    for operations in (QUICK_LENGTHS if quick else LENGTHS) if _CHAINS in names else []:
        for library in ("wengert", "torch"):
            _tell(f"{library}: chain of {operations:,} operations")
            about = {"library": library, "operations": operations}
            results["chains"].append(about | run_chain(library, operations))
    return results


def _write(results: dict[str, Any], folder: Path, is_complete: bool) -> None:
    """Write the results as JSON and Markdown, named by the date; partial ones do not replace complete ones."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = results["machine"]["date"].split()[0] + ("" if is_complete else "-part")
    (folder / f"{stem}.json").write_text(json.dumps(results, indent=1) + "\n")
    (folder / f"{stem}.md").write_text(render(results))
    _tell(f"written to {folder / stem}.json and .md")


def _tell(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
