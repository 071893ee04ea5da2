"""One thread against several, for one compiled loop or product at a time: ``python -m benchmarks.threads``.

Each case is called in short turns with one and with several threads. Two ratios are shown: of the quickest calls (the
2 % quantile), which a machine that other work shares now and then lets through undisturbed, and of the medians, which
say what sharing costs while the other cores are busy. Below 1 the second thread makes it slower.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np

import wengert as torch

_TURN, _TURNS, _WARM = 0.002, 60, 3  # seconds, and calls before those that are counted


def _normal(*shape: int, dtype: str) -> Any:
    return torch.tensor(np.random.default_rng(0).standard_normal(shape).astype(dtype))


def _products(dtype: str, sizes: tuple[int, ...]) -> Iterator[tuple[str, Callable[[], Any]]]:
    compiled = torch.compile(lambda a, b: a @ b)
    for m, k, n in product(sizes, repeat=3):
        a, b = _normal(m, k, dtype=dtype), _normal(k, n, dtype=dtype)
        yield f"{dtype} {m} x {k} @ {k} x {n}", lambda a=a, b=b: compiled(a, b)  # type: ignore[misc]


def _loops(dtype: str) -> Iterator[tuple[str, Callable[[], Any]]]:
    functions: dict[str, Callable[[Any], Any]] = {
        "x * 2 + 1": lambda x: x * 2 + 1,
        "tanh": lambda x: x.tanh(),
        "sum of exp": lambda x: x.exp().sum(),
        "sums of rows": lambda x: x.reshape(-1, 100).sum(1),
        "sums of columns": lambda x: x.reshape(-1, 100).sum(0),
        "softmax of rows": lambda x: torch.softmax(x.reshape(-1, 100), 1),
    }
    for name, function in functions.items():
        compiled = torch.compile(function)
        for size in (10**3, 10**4, 3 * 10**4, 10**5, 3 * 10**5, 10**6):
            x = _normal(size, dtype=dtype)
            yield f"{dtype} {name}, {size:,}", lambda x=x, compiled=compiled: compiled(x)  # type: ignore[misc]


def measure(call: Callable[[], Any], threads: int) -> dict[int, Any]:
    """Seconds of single calls with one and with so many threads."""
    times: dict[int, list[float]] = {1: [], threads: []}
    clock = time.perf_counter
    call()
    begin = clock()
    call()
    calls = max(3, int(_TURN / max(clock() - begin, 1e-6)))
    for _ in range(_TURNS):
        for count, found in times.items():
            torch.set_num_threads(count)
            for _ in range(_WARM):
                call()
            for _ in range(calls):
                begin = clock()
                call()
                found.append(clock() - begin)
    return {count: np.quantile(found, (0.02, 0.5)) for count, found in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.threads", description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", default="", help="cases with this in their name")
    parser.add_argument("--sizes", default="8,32,128,512", help="of products")
    asked = parser.parse_args()
    sizes = tuple([int(size) for size in asked.sizes.split(",")])
    print(
        f"| case | 1 thread, µs | {asked.threads} threads, µs | quickest | medians |\n| --- | --- | --- | --- | --- |"
    )
    for dtype in ("f4", "f8"):
        for name, call in (*_products(dtype, sizes), *_loops(dtype)):
            if asked.only in name:
                found = measure(call, asked.threads)
                one, several = found[1], found[asked.threads]
                ratios = " | ".join(f"{ratio:.2f}" for ratio in one / several)
                print(f"| {name} | {one[0] * 1e6:.1f} | {several[0] * 1e6:.1f} | {ratios} |", flush=True)


if __name__ == "__main__":
    main()
