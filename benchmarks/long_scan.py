"""The gradient through long loops: ``python -m benchmarks.long_scan`` prints time and memory for each length.

Memory is the peak of what the gradient allocates (tracemalloc, in a run of its own, since it slows everything down).
For the lengths that the plain loop can hold, the last column says how far its gradient is from that of the scan.
"""

from __future__ import annotations

import argparse
import time
import tracemalloc
from typing import Any

import wengert as torch

PLAIN = 10_000  # the plain loop keeps every step; beyond this many it is left out


def loop(a: Any, length: int, checkpoint: bool) -> Any:
    """A damped, driven map: carry -> sin(a carry) + 0.1, a few hundred bytes a step when recorded."""

    def step(carry: Any, _: Any) -> tuple[Any, None]:
        return (a * carry).sin() + 0.1, None

    start = torch.full((4,), 0.3, dtype=torch.float64)
    return torch.func.scan(step, start, length=length, checkpoint=checkpoint)[0].sum()


def gradient(length: int, checkpoint: bool = True) -> float:
    """The derivative by the parameter of the loop."""
    a = torch.tensor(0.97, dtype=torch.float64)
    return float(torch.func.grad(lambda a: loop(a, length, checkpoint))(a))


def measure(length: int, memory: bool) -> dict[str, Any]:
    """Seconds, the peak in KiB, and the gradient."""
    begin = time.perf_counter()
    value = gradient(length)
    row: dict[str, Any] = {"length": length, "seconds": time.perf_counter() - begin, "gradient": value}
    if memory:
        tracemalloc.start()
        gradient(length)
        row["peak"] = tracemalloc.get_traced_memory()[1] / 1024
        tracemalloc.stop()
    if length <= PLAIN:
        row["difference"] = abs(gradient(length, checkpoint=False) - value)
    return row


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.long_scan", description=__doc__)
    parser.add_argument("lengths", nargs="*", type=int, default=[1_000, 10_000, 100_000, 1_000_000])
    parser.add_argument("--no-memory", action="store_true", help="only time, which takes a fifth as long")
    asked = parser.parse_args()
    print(f"{'steps':>10}{'seconds':>10}{'us a step':>11}{'peak KiB':>10}  difference from the plain loop")
    for length in asked.lengths:
        row = measure(length, not asked.no_memory)
        peak = f"{row['peak']:.0f}" if "peak" in row else "-"
        difference = f"{row['difference']:.1g}" if "difference" in row else "-"
        print(f"{length:>10,}{row['seconds']:>10.2f}{row['seconds'] / length * 1e6:>11.1f}{peak:>10}  {difference}")


if __name__ == "__main__":
    main()
