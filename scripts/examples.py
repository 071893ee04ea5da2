"""Run every example as it stands and renew what ``docs/examples`` shows of it: its plot and what it printed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    for program in sorted((ROOT / "examples").glob("*.py")):
        if program.stem == "showing":
            continue
        print(program.stem, flush=True)
        page = ROOT / "docs" / "examples" / program.stem
        done = subprocess.run(
            [sys.executable, program, "--plot", page.with_suffix(".png")],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        lines = [line.rstrip() for line in done.stdout.splitlines() if not line.startswith("plot: ")]
        page.with_suffix(".txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
