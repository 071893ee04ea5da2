"""Long derivations made short: rounds of a loop that repeat each other, and the middle of what is still too long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from wengert.see.steps import Step

_FEWEST_ROUNDS: Final = 4
_LONGEST_ROUND: Final = 30


@dataclass(frozen=True, slots=True)
class Gap:
    """Steps that are not shown; `rounds` of a loop, or any steps where that is 0."""

    steps: int
    rounds: int = 0

    def __str__(self) -> str:
        if self.rounds:
            each = "1 step" if self.steps == self.rounds else f"{self.steps // self.rounds} steps"
            return f"... {self.rounds:,} more rounds like these, of {each} each"
        return f"... {self.steps:,} more steps"


def folded(steps: Sequence[Step], limit: int) -> list[Step | Gap]:
    """The steps to show, in order, at most about `limit` of them, with gaps between."""
    shown = _without_rounds(steps)
    count = sum([isinstance(item, Step) for item in shown])
    if count <= limit:
        return shown
    head, tail = limit // 2, limit - limit // 2
    first, last = _take(shown, head), _take(shown[::-1], tail)[::-1]
    hidden = shown[len(first) : len(shown) - len(last)]
    number = sum([item.steps if isinstance(item, Gap) else 1 for item in hidden])
    return [*first, Gap(number), *last]


def _take(items: Sequence[Step | Gap], count: int) -> list[Step | Gap]:
    taken: list[Step | Gap] = []
    for item in items:
        if count == 0:
            break
        taken.append(item)
        count -= isinstance(item, Step)
    return taken


def _without_rounds(steps: Sequence[Step]) -> list[Step | Gap]:
    """Of each loop the first two rounds and the last."""
    numbers: dict[object, int] = {}
    signs = [numbers.setdefault(step.signature, len(numbers)) for step in steps]
    shown: list[Step | Gap] = []
    at = 0
    while at < len(steps):
        period, rounds = _rounds_at(signs, at)
        if rounds < _FEWEST_ROUNDS:
            shown.append(steps[at])
            at += 1
            continue
        end = at + period * rounds
        hidden = rounds - 3
        shown += [*steps[at : at + 2 * period], Gap(hidden * period, hidden), *steps[end - period : end]]
        at = end
    return shown


def _rounds_at(signs: Sequence[int], at: int) -> tuple[int, int]:
    """The shortest period with which the signatures repeat from a place on, and how often."""
    for period in range(1, _LONGEST_ROUND + 1):
        if signs[at : at + period] != signs[at + period : at + 2 * period]:
            continue
        end = at + period
        while end < len(signs) and signs[end] == signs[end - period]:
            end += 1
        rounds = (end - at) // period
        if rounds >= _FEWEST_ROUNDS:
            return period, rounds
    return 1, 1


__all__ = ["Gap", "folded"]
