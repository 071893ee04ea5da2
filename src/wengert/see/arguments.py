"""Checks of the arguments that pictures and pages have in common. Knows nothing of graphs."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["check_max_nodes", "check_theme", "one_of"]

_THEMES = ("auto", "light", "dark")


def one_of(name: str, given: str, known: Sequence[str]) -> str:
    """The argument itself.

    Raises:
        ValueError: it is none of those known.
    """
    if given not in known:
        raise ValueError(f"expected {name} to be one of {', '.join(known)}, but got {given!r}")
    return given


def check_theme(given: str) -> str:
    """The theme itself.

    Raises:
        ValueError: there is no such theme.
    """
    return one_of("theme", given, _THEMES)


def check_max_nodes(given: int | None) -> None:
    """Raise unless a picture can be folded until so few nodes are left.

    Raises:
        ValueError: it cannot.
    """
    if given is not None and given < 2:
        raise ValueError(f"expected max_nodes of at least 2, or None, but got {given}")
