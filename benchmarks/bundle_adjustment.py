"""The sparse Jacobian of bundle adjustment: ``python -m benchmarks.bundle_adjustment`` prints time and memory by size.

Every observation depends on 9 numbers of its camera and 3 of its point, so columns of different cameras and of
different points share passes: 12 of them, however many there are. Pattern and colouring are found once and kept.
"""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np

import wengert as torch

SIZES = ((100, 1_000), (1_000, 5_000), (2_000, 20_000))  # cameras and points
EACH = 5  # observations of a point


def residuals(cameras: int, points: int) -> tuple[Callable[[Any], Any], Any]:
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

    return projected, torch.tensor(random.uniform(0.5, 1.5, 9 * cameras + 3 * points))


def measure(cameras: int, points: int) -> str:
    """One line of the table."""
    f, x = residuals(cameras, points)
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
        f"{cameras:>8,}{points:>8,}{pattern.nnz:>11,}{plan.passes:>8}"
        f"{seconds[0]:>10.2f}{seconds[1]:>11.2f}{seconds[2]:>10.3f}{peak / pattern.nnz:>16.0f}"
    )


def main() -> None:
    """Print a table."""
    print(f"{'cameras':>8}{'points':>8}{'nonzeros':>11}{'passes':>8}{'pattern s':>10}{'colours s':>11}", end="")
    print(f"{'values s':>10}{'bytes a nonzero':>16}")
    for cameras, points in SIZES:
        print(measure(cameras, points), flush=True)


if __name__ == "__main__":
    main()
