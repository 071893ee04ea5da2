"""What is raised for files that are not as they should be."""

from __future__ import annotations

__all__ = ["FileError"]


class FileError(RuntimeError, ValueError):
    """A file that is damaged, of another format, or made to do harm; nothing of it has been loaded."""
