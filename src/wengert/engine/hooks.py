"""The handle that a registered hook gives."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, Final, Self

from wengert._traced import EDITS

_ids: Final = itertools.count()


class RemovableHandle:
    """Removes a hook: by ``remove()``, or at the end of a ``with`` block."""

    __slots__ = ("hooks", "id")

    def __init__(self, hooks: dict[int, Callable[..., Any]], hook: Callable[..., Any]) -> None:
        self.hooks = hooks
        self.id = next(_ids)
        hooks[self.id] = hook
        EDITS.count += 1

    def remove(self) -> None:
        """Take the hook away; does nothing the second time."""
        self.hooks.pop(self.id, None)
        EDITS.count += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()
