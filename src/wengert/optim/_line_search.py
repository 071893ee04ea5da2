"""The search along a line for a point that satisfies the strong Wolfe conditions (Nocedal and Wright, 2006, 3.5)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np

__all__ = ["Point", "strong_wolfe"]

_DECREASE: Final = 1e-4
_CURVATURE: Final = 0.9
_TOO_CLOSE: Final = 1e-9


class Point(NamedTuple):
    """A place on the line: how far along, the value, the gradient, and its component along the line."""

    t: Any
    f: float
    g: Any
    slope: Any


def _lowest_of_cubic(a: Point, b: Point, bounds: tuple[Any, Any] | None = None) -> Any:
    """Where the cubic through two points with their slopes is lowest, within the bounds (the points themselves)."""
    left, right = (a, b) if a.t <= b.t else (b, a)
    low, high = bounds or (left.t, right.t)
    d1 = a.slope + b.slope - 3 * (a.f - b.f) / (a.t - b.t)
    square = d1 * d1 - a.slope * b.slope
    if not square >= 0:
        return (low + high) / 2.0
    d2 = math.sqrt(square)
    t = right.t - (right.t - left.t) * ((right.slope + d2 - d1) / (right.slope - left.slope + 2 * d2))
    return min(max(t, low), high)


def strong_wolfe(
    evaluate: Callable[[Any], tuple[float, Any]], start: Point, t: Any, d: Any, most: int
) -> tuple[Point, int]:
    """A point along ``d`` with enough decrease and little slope left, and how often the function was evaluated.

    Args:
        evaluate: value and gradient at a distance along the line.
        start: the point at distance 0.
        t: the first distance to try.
        d: the direction.
        most: how often to evaluate after the first time.
    """
    tries = 0

    def at(t: Any) -> Point:
        nonlocal tries
        tries += 1
        f, g = evaluate(t)
        return Point(t, f, g, g @ d)

    def rises(p: Point) -> bool:
        return bool(p.f > start.f + _DECREASE * p.t * start.slope)

    def is_good(p: Point) -> bool:
        return bool(abs(p.slope) <= -_CURVATURE * start.slope)

    before, here = start, at(t)
    bracket: list[Point] | None = None
    while tries <= most:
        if rises(here) or (tries > 2 and here.f >= before.f):
            bracket = [before, here]
            break
        if is_good(here):
            return here, tries
        if here.slope >= 0:
            bracket = [before, here]
            break
        bounds = (here.t + 0.01 * (here.t - before.t), here.t * 10)
        before, here = here, at(_lowest_of_cubic(before, here, bounds))
    if bracket is None:
        bracket = [start, here]
    return _zoom(bracket, at, rises, is_good, lambda: tries <= most, np.abs(d).max()), tries


def _zoom(
    bracket: list[Point],
    at: Callable[[Any], Point],
    rises: Callable[[Point], bool],
    is_good: Callable[[Point], bool],
    may_try: Callable[[], bool],
    size: Any,
) -> Point:
    """Narrow a bracket until a point in it is good; else its lowest end."""
    low = 0 if bracket[0].f <= bracket[1].f else 1
    stuck = False
    while may_try() and abs(bracket[1].t - bracket[0].t) * size >= _TOO_CLOSE:
        t, stuck = _inside(bracket, _lowest_of_cubic(bracket[0], bracket[1]), stuck)
        new = at(t)
        if rises(new) or new.f >= bracket[low].f:
            bracket[1 - low] = new
            low = 0 if bracket[0].f <= bracket[1].f else 1
            continue
        if is_good(new):
            return new
        if new.slope * (bracket[1 - low].t - bracket[low].t) >= 0:
            bracket[1 - low] = bracket[low]
        bracket[low] = new
    return bracket[low]


def _inside(bracket: list[Point], t: Any, stuck: bool) -> tuple[Any, bool]:
    """A distance that is not too near an end of the bracket twice in a row, and whether it is near one now."""
    least, most = sorted([bracket[0].t, bracket[1].t])
    margin = 0.1 * (most - least)
    if min(most - t, t - least) >= margin:
        return t, False
    if stuck or t >= most or t <= least:
        return (most - margin if abs(t - most) < abs(t - least) else least + margin), False
    return t, True
