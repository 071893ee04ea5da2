"""Closing the engine's short paths while something has to see every operation: it costs nothing when nothing does."""

from __future__ import annotations

import threading

from wengert.engine.pointwise import open_short_path

_lock = threading.Lock()
_closed_by = 0


def close() -> None:
    """Send all operations by way of :func:`wengert.engine.apply.apply`, in all threads, until :func:`reopen`."""
    _change(1)


def reopen() -> None:
    """Undo one :func:`close`."""
    _change(-1)


def _change(by: int) -> None:
    global _closed_by  # noqa: PLW0603 - the count belongs to the process, as the short paths do
    with _lock:
        _closed_by += by
        open_short_path(not _closed_by)
