"""Drive PyTorch's operator database against wengert: ``python tests/conformance [NAME ...]``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import torch
from exclusions import reason
from report import label, lost, page, summary
from torch.testing._internal.common_methods_invocations import op_db
from workers import judged

PAGE = Path(__file__).parents[2] / "docs" / "conformance.md"


def main() -> None:
    parser = argparse.ArgumentParser(prog="conformance", description=__doc__)
    parser.add_argument("names", nargs="*", help="names, or beginnings of names, of entries (default: all)")
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time")
    parser.add_argument("--limit", type=float, default=120.0, help="seconds for one entry")
    parser.add_argument("--samples", type=int, default=40, help="of each entry and dtype at most")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name}")
    parser.add_argument("--check", action="store_true", help=f"fail if anything that {PAGE.name} says passes does not")
    given = parser.parse_args()
    entries = [entry for entry in op_db if _wanted(entry, given.names)]
    if given.write and given.names:
        parser.error("--write is for all entries")
    applicable = [entry for entry in entries if reason(entry.name, entry.variant_test_name) is None]
    verdicts = {}
    for entry, verdict in judged(applicable, given.jobs, given.limit, given.samples):
        verdicts[entry.name, entry.variant_test_name] = verdict
        _tell(entry, verdict)
    print(summary(verdicts, len(entries) - len(applicable)))
    if given.check:
        gone = lost(verdicts, PAGE.read_text(encoding="utf-8"))
        print("\n".join(["", *[f"LOST {line}" for line in gone]]))
        sys.exit(bool(gone))
    if given.write:
        PAGE.write_text(page(verdicts, entries, torch.__version__.partition("+")[0]), encoding="utf-8")


def _wanted(entry: Any, names: list[str]) -> bool:
    return not names or any([entry.name == name or entry.name.startswith(f"{name}.") for name in names])


def _tell(entry: Any, verdict: Any) -> None:
    name = label((entry.name, entry.variant_test_name))
    if verdict is None:
        print(f"{name}: absent")
        return
    bad = {aspect: a for aspect, a in verdict.items() if a.failures}
    print(f"{name}: {'ok' if not bad else ''}")
    for aspect, a in bad.items():
        print(f"    {aspect}: {len(a.failures)} of {a.tried}: {a.failures[0]}")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
