"""Blocks that have a name in a profile."""

from __future__ import annotations

from contextlib import ContextDecorator
from typing import Any, Self

from wengert.engine.state import STATE


class record_function(ContextDecorator):
    """A block or function that shows under a name of its own in a profile; without a profiler it does nothing.

    >>> import wengert as torch
    >>> with torch.profiler.profile() as profile:
    ...     with torch.profiler.record_function("forward"):
    ...         y = torch.ones(3) * 2
    >>> [(event.name, [child.name for child in event.cpu_children]) for event in profile.events()]
    [('forward', ['aten::mul']), ('aten::mul', [])]
    """

    def __init__(self, name: str, args: str | None = None) -> None:
        self.name, self.args = name, args
        self._open: list[tuple[Any, Any]] = []

    def __enter__(self) -> Self:
        recorder = STATE.profiler
        self._open.append((recorder, None if recorder is None else recorder.begin(self.name)))
        return self

    def __exit__(self, *exc: object) -> None:
        recorder, event = self._open.pop()
        if recorder is not None:
            recorder.end(event)


__all__ = ["record_function"]
