"""Times two steps in turn, so that whatever else the machine does falls on both."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.cases import Step

# Of the largest absolute value. A float32 has 1.2e-7, and sums of up to 10^7 of them may be taken in any order.
_TOLERANCE = 1e-5


@dataclass(frozen=True)
class Effort:
    """How long to measure: samples of each library, the seconds that one should last, and the warm-up before them."""

    samples: int
    sample_seconds: float
    warm_up_seconds: float


FULL = Effort(samples=25, sample_seconds=0.05, warm_up_seconds=0.5)
BRIEF = Effort(samples=11, sample_seconds=0.003, warm_up_seconds=0.02)  # for hundreds of steps
QUICK = Effort(samples=3, sample_seconds=0.002, warm_up_seconds=0.0)


def compare_times(ours: Step, theirs: Step, effort: Effort, peer: str = "torch") -> dict[str, Any]:
    """The median times of a run of both steps, in seconds, and the ratios of neighbouring samples.

    Raises:
        ArithmeticError: the steps do not compute the same.
    """
    our_times, their_times, number = _in_turn(ours, theirs, effort)
    wengert, other = statistics.median(our_times), statistics.median(their_times)
    low, _, high = statistics.quantiles([b / a for a, b in zip(our_times, their_times, strict=True)], n=4)
    return {
        "wengert": wengert,
        peer: other,
        "ratio": other / wengert,
        "ratio_quartiles": [low, high],
        "samples": effort.samples,
        "runs_per_sample": number,
    }


def least_times(ours: Step, theirs: Step, effort: Effort) -> dict[str, Any]:
    """The shortest time of each: of few and short samples the one that the rest of the machine disturbed least.

    Raises:
        ArithmeticError: the steps do not compute the same.
    """
    our_times, their_times, number = _in_turn(ours, theirs, effort)
    wengert, torch = min(our_times), min(their_times)
    return {"wengert": wengert, "torch": torch, "ratio": torch / wengert, "runs_per_sample": number}


def _in_turn(ours: Step, theirs: Step, effort: Effort) -> tuple[list[float], list[float], int]:
    """The samples of both, taken in turn, and of how many runs each is."""
    _check_equal(ours(), theirs())
    number = max(1, round(effort.sample_seconds / max(_warm_up(ours, effort), _warm_up(theirs, effort))))
    our_times, their_times = [], []
    for _ in range(effort.samples):
        our_times.append(_sample(ours, number))
        their_times.append(_sample(theirs, number))
    return our_times, their_times, number


def _check_equal(ours: tuple[Any, ...], theirs: tuple[Any, ...]) -> None:
    for position, (our, their) in enumerate(zip(ours, theirs, strict=True)):
        a, b = _array(our), _array(their)
        if a.dtype != b.dtype or a.shape != b.shape:
            raise ArithmeticError(f"result {position}: {a.dtype}{a.shape} of wengert, {b.dtype}{b.shape} of torch")
        error, scale = np.abs(a - b).max(), np.abs(b).max()
        if not error <= _TOLERANCE * scale:  # NaN fails too
            raise ArithmeticError(f"result {position} of wengert is off by {error}, with values up to {scale}")


def _array(result: Any) -> Any:
    return result.detach().numpy() if hasattr(result, "detach") else np.asarray(result)


def _warm_up(step: Callable[[], object], effort: Effort) -> float:
    """Run the step for a while, at least twice; the seconds that the last run took."""
    end = time.perf_counter() + effort.warm_up_seconds
    step()
    while True:
        begin = time.perf_counter()
        step()
        now = time.perf_counter()
        if now >= end:
            return now - begin


def _sample(step: Callable[[], object], number: int) -> float:
    """The mean seconds of ``number`` runs, after one that meets what the other library left in caches and threads."""
    step()
    begin = time.perf_counter()
    for _ in range(number):
        step()
    return (time.perf_counter() - begin) / number
