"""Sparse Jacobians: ``python -m benchmarks.sparse_jacobians`` prints passes, time and memory by size.

- Bundle adjustment: every observation depends on 9 numbers of its camera and 3 of its point, so columns of different
  cameras and of different points share passes: 12 of them, however many there are.
- A chain, whose Jacobian is tridiagonal: three passes.

Pattern and colouring are found once and kept. Memory is the peak of what one evaluation allocates (tracemalloc), the
matrix with its 12 bytes for each nonzero included.
"""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np

import wengert as torch

Problem = tuple[str, Callable[[Any], Any], Any]
EACH = 5  # observations of a point


def bundle_adjustment(cameras: int, points: int) -> Problem:
    """The projections of all observed points as a function of all numbers, and where to take them."""
    random = np.random.default_rng(0)
    camera = torch.tensor(random.integers(0, cameras, points * EACH))
    point = torch.tensor(np.repeat(np.arange(points), EACH))

    def projected(x: Any) -> Any:
        c = x[: 9 * cameras].reshape(cameras, 9)[camera]
        p = x[9 * cameras :].reshape(points, 3)[point]
        seen = p + torch.linalg.cross(c[:, :3], p) + c[:, 3:6]
        flat = seen[:, :2] / seen[:, 2:]
        n = (flat * flat).sum(1, keepdim=True)
        return (flat * c[:, 6:7] * (1 + n * (c[:, 7:8] + n * c[:, 8:9]))).reshape(-1)

    x = torch.tensor(random.uniform(0.5, 1.5, 9 * cameras + 3 * points))
    return f"{cameras:,} cameras, {points:,} points", projected, x


def chain(length: int) -> Problem:
    """A reaction with diffusion on a line, whose ends are held: each value depends on itself and its neighbours."""

    def change(u: Any) -> Any:
        u = torch.nn.functional.pad(u, (1, 1))
        middle = u[1:-1]
        return u[2:] - 2 * middle + u[:-2] + middle * (1 - middle**2)

    return f"chain of {length:,}", change, torch.linspace(-1, 1, length, dtype=torch.float64)


PROBLEMS = (
    (bundle_adjustment, (100, 1_000)),
    (bundle_adjustment, (1_000, 5_000)),
    (bundle_adjustment, (2_000, 20_000)),
    (chain, (1_000,)),
    (chain, (10_000,)),
    (chain, (100_000,)),
    (chain, (1_000_000,)),
)


def measure(name: str, f: Callable[[Any], Any], x: Any) -> str:
    """One line of the table."""
    times = [time.perf_counter()]
    pattern = torch.func.jacobian_pattern(f, x)
    times.append(time.perf_counter())
    plan = torch.func.colouring(pattern)
    times.append(time.perf_counter())
    jacobian = torch.func.sparse_jacobian(f, plan)
    jacobian(x)
    times.append(time.perf_counter())
    seconds = np.diff(times)
    tracemalloc.start()
    jacobian(x)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return (
        f"{name:<30}{'x'.join(map(str, pattern.shape)):>16}{pattern.nnz:>11,}{plan.passes:>8}"
        f"{seconds[0]:>11.2f}{seconds[1]:>11.2f}{seconds[2]:>10.3f}{peak / 2**20:>10.1f}{peak / pattern.nnz:>17.0f}"
    )


def main() -> None:
    """Print a table."""
    print(f"{'problem':<30}{'shape':>16}{'nonzeros':>11}{'passes':>8}{'pattern s':>11}{'colours s':>11}", end="")
    print(f"{'values s':>10}{'peak MiB':>10}{'bytes a nonzero':>17}")
    for problem, sizes in PROBLEMS:
        print(measure(*problem(*sizes)), flush=True)


if __name__ == "__main__":
    main()
