"""Steps of several libraries side by side: checked, timed in turn, in a process for each case, and put into a table."""

from __future__ import annotations

import argparse
import importlib
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from benchmarks.machine import describe
from benchmarks.processes import ROOT, keep_to_cores, thread_environment

Step = Callable[[], tuple[Any, ...]]  # the value, then the gradients, or the arrays that were updated
_PEERS = ("torch", "torch.compile", "jax.jit", "C++")


def torch_scan(step: Callable[..., Any], init: Any, rows: Any) -> Any:
    """What PyTorch runs in place of `scan`: a loop."""
    torch = importlib.import_module("torch")
    carry, found = init, []
    for row in zip(*rows, strict=True):
        carry, y = step(carry, row)
        found.append(y)
    several = isinstance(found[0], tuple)
    return carry, tuple(map(torch.stack, zip(*found, strict=True))) if several else torch.stack(found)


def wengert_step(problem: Any) -> Step:
    """The problem's function compiled with its derivatives, or alone if it gives derivatives itself."""
    torch = importlib.import_module("wengert")
    arrays = [torch.tensor(a) for a in problem.arrays]
    if not problem.by:
        direct = torch.compile(problem.function)
        return lambda: _flat(direct(*arrays))
    function = torch.compile(torch.func.grad_and_value(problem.function, problem.by))

    def step() -> tuple[Any, ...]:
        gradients, value = function(*arrays)
        return (value, *gradients)

    return step


def torch_step(problem: Any) -> Step:
    """The same in PyTorch, which runs the function as it is."""
    torch = importlib.import_module("torch")
    arrays = [torch.tensor(a, requires_grad=i in problem.by) for i, a in enumerate(problem.arrays)]
    if not problem.by:
        return lambda: _flat(problem.function(*arrays))
    leaves = [arrays[i] for i in problem.by]

    def step() -> tuple[Any, ...]:
        value = problem.function(*arrays)
        return (value.detach(), *torch.autograd.grad(value, leaves))

    return step


def jax_step(problem: Any) -> Step:
    """The same by ``jax.jit``."""
    jax = importlib.import_module("jax")
    arrays = [jax.numpy.asarray(a) for a in problem.arrays]
    if not problem.by:
        direct = jax.jit(problem.function)
        return lambda: _flat(jax.block_until_ready(direct(*arrays)))
    function = jax.jit(jax.value_and_grad(problem.function, problem.by))

    def step() -> tuple[Any, ...]:
        value, gradients = jax.block_until_ready(function(*arrays))
        return (value, *gradients)

    return step


def _flat(x: Any) -> tuple[Any, ...]:
    return x if isinstance(x, tuple) else (x,)


def measure(case: Any, make: Callable[[], dict[str, Step]], threads: int, quick: bool) -> dict[str, Any]:
    """The median seconds of each library, in turn; the case says its name, what is wanted and its tolerance.

    Raises:
        ArithmeticError: the results differ.
    """
    for name in ("wengert", "torch"):
        importlib.import_module(name).set_num_threads(threads)
    steps = make()
    first = {}
    for name, step in steps.items():
        begin = time.perf_counter()
        found = step()
        first[name] = time.perf_counter() - begin
        _check(case, name, found, steps["wengert"]())
    longest = max(map(_once, steps.values()))
    number = max(1, round((0.002 if quick else 0.03) / longest))
    samples = 3 if quick else 7 if longest > 0.2 else 21
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(samples):
        for name, step in steps.items():
            times[name].append(_sample(step, number))
    medians = {name: statistics.median(several) for name, several in times.items()}
    return {"name": case.name, "threads": threads, "wanted": case.wanted, "seconds": medians, "first_call": first}


def _check(case: Any, name: str, got: tuple[Any, ...], want: tuple[Any, ...]) -> None:
    for position, (a, b) in enumerate(zip(got, want, strict=True)):
        a, b = np.asarray(a), np.asarray(b)  # noqa: PLW2901
        if a.shape != b.shape:
            raise ArithmeticError(f"{case.name}: result {position} of {name} has the shape {a.shape}, not {b.shape}")
        if not np.abs(a - b).max() <= case.tolerance * max(np.abs(b).max(), 1e-3):
            raise ArithmeticError(f"{case.name}: result {position} of {name} is off by {np.abs(a - b).max()}")


def _once(step: Step) -> float:
    begin = time.perf_counter()
    step()
    return time.perf_counter() - begin


def _sample(step: Step, number: int) -> float:
    step()
    begin = time.perf_counter()
    for _ in range(number):
        step()
    return (time.perf_counter() - begin) / number


# --- a process for each case ------------------------------------------------------------------------------------------


def parser_of(program: str) -> argparse.ArgumentParser:
    """The options that all have."""
    parser = argparse.ArgumentParser(prog=f"python -m {program}")
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--case", help=argparse.SUPPRESS)
    return parser


def run(
    program: str,
    cases: Sequence[Any],
    asked: argparse.Namespace,
    make: Callable[[Any], dict[str, Step]],
    options: Sequence[str] = (),
) -> None:
    """Time the one case that is asked for, or print the table of those chosen, each timed in its own process."""
    if asked.case is not None:
        case = next(case for case in cases if case.name == asked.case)
        keep_to_cores(int(asked.threads))
        print(json.dumps(measure(case, lambda: make(case), int(asked.threads), asked.quick)))
        return
    chosen = [case for case in cases if not asked.only or any([word in case.name for word in asked.only])]
    print("\n".join([f"{name}: {value}" for name, value in describe().items()]), flush=True)
    results = []
    for case in chosen:
        for threads in asked.threads.split(","):
            command = [sys.executable, "-m", program, "--case", case.name, "--threads", threads]
            command += ["--quick"] * asked.quick + list(options)
            environment = thread_environment(int(threads))
            done = subprocess.run(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
            results.append(json.loads(done.stdout.splitlines()[-1]))
            print(table(results)[-1], file=sys.stderr, flush=True)
    print("\n".join(["", *table(results)]))


def text(seconds: float | None) -> str:
    """Seconds in a unit that fits."""
    if seconds is None:
        return ""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"


def table(results: list[dict[str, Any]]) -> list[str]:
    """The times as Markdown."""
    peers = [peer for peer in _PEERS if any([peer in r["seconds"] for r in results])]
    heads = ["case", "threads", "wengert", *peers, "best / wengert", "wanted"]
    lines = [f"| {' | '.join(heads)} |", "| --- " * len(heads) + "|"]
    for r in results:
        seconds = r["seconds"]
        best = min([s for name, s in seconds.items() if name != "wengert"])
        cells = [r["name"], str(r["threads"]), text(seconds["wengert"]), *[text(seconds.get(p)) for p in peers]]
        lines.append(f"| {' | '.join(cells)} | {best / seconds['wengert']:.2f} | {r['wanted']} |")
    return lines
