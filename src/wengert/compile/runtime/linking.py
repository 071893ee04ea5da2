"""IR text to an object file, from the cache on disk if it has it."""

from __future__ import annotations

from wengert.compile.llvm import machine


def compiled_object(text: str) -> bytes:
    """The object file of a module."""
    return machine.emit_object(text)
