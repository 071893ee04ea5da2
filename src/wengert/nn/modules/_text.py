"""Texts of modules and of messages about them."""

from __future__ import annotations

from typing import Any

from wengert._tensor import Tensor

__all__ = ["indented", "typename"]


def indented(text: str) -> str:
    """All lines but the first moved in by two spaces."""
    return text.replace("\n", "\n  ")


def typename(value: Any) -> str:
    """The name of a type as PyTorch's messages have it: ``torch.FloatTensor``, ``int``, ``mine.Layer``."""
    cls = type(value)
    if isinstance(value, Tensor):
        return str(value.type())
    return cls.__name__ if cls.__module__ in ("builtins", None) else f"{cls.__module__}.{cls.__qualname__}"
