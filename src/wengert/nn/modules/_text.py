"""Texts of modules."""

from __future__ import annotations

__all__ = ["indented"]


def indented(text: str) -> str:
    """All lines but the first moved in by two spaces."""
    return text.replace("\n", "\n  ")
