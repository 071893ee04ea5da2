"""What the examples share: their command line, a bar that shows how far they are, and a plot that is saved."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data"


def settings(text: str, arguments: list[str] | None = None) -> argparse.Namespace:
    """What the command line says: ``--quick`` for a short run, ``--plot FILE`` for where the plot goes."""
    parser = argparse.ArgumentParser(description=text.strip().splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a short run, which shows that everything works")
    parser.add_argument("--plot", type=Path, help="where to save the plot (a PNG, SVG or PDF); none by default")
    return parser.parse_args(arguments)


def progress(items: Iterable[Any], total: int, says: dict[str, float] | None = None) -> Iterator[Any]:
    """Go through ``items``, with a bar on standard error; ``says`` holds figures to show beside it.

    A terminal sees one line that grows; a file gets four lines in all.
    """
    says = {} if says is None else says
    terminal, start, shown = sys.stderr.isatty(), time.perf_counter(), 0.0
    for done, item in enumerate(items, 1):
        yield item
        now = time.perf_counter()
        at_quarter = done * 4 // total != (done - 1) * 4 // total
        if (terminal and (now - shown > 0.1 or done == total)) or (not terminal and at_quarter):
            shown = now
            bar = "#" * (done * 30 // total)
            figures = "  ".join([f"{name} {value:.4g}" for name, value in says.items()])
            line = f"[{bar:<30}] {done:>{len(str(total))}}/{total}  {now - start:5.1f} s  {figures}"
            print(f"\r{line:<78}" if terminal else line, end="" if terminal else "\n", file=sys.stderr, flush=True)
    if terminal:
        print(file=sys.stderr)


@contextmanager
def plot(path: Path | None, columns: int = 1) -> Iterator[Any]:
    """Axes to draw on (a list of them for several columns), saved to ``path``; nothing is saved without one."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, columns, figsize=(4.6 * columns, 3.4), layout="constrained")
    try:
        yield axes
        if path is not None:
            figure.savefig(path, dpi=110)
            print(f"plot: {path}")
    finally:
        pyplot.close(figure)
