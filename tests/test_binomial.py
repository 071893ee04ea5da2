"""The binomial schedule advances as little as any, by trying all."""

from functools import cache

import pytest

from wengert.func._binomial import cut, first_states, states


@cache
def least(parts: int, kept: int) -> int:
    """The least number of parts to advance over, whatever the cuts."""
    if parts <= 1:
        return 0
    if kept == 1:
        return parts * (parts - 1) // 2
    return min(k + least(parts - k, kept - 1) + least(k, kept) for k in range(1, parts))


def advanced(parts: int, kept: int) -> int:
    if parts <= 1:
        return 0
    assert kept > 0
    k = cut(parts, kept)
    return k + advanced(parts - k, kept - 1) + advanced(k, kept)


@pytest.mark.parametrize("kept", range(1, 9))
def test_no_schedule_advances_less(kept: int) -> None:
    assert all(advanced(parts, kept) == least(parts, kept) for parts in range(2, 50))


def test_a_million_steps() -> None:
    parts = 10**6 // 32
    assert states(parts) == 60
    assert advanced(parts, 60) < 3 * parts
    assert len(first_states(parts)) <= 60
    assert states(parts**2) == 2 * states(parts)
