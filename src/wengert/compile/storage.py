"""The memory of a tensor in a trace: which value of the program it holds at the moment."""

from __future__ import annotations

from typing import Any

from wengert._traced import Traced
from wengert.compile import messages
from wengert.ops.viewing import VIEW_WRITE
from wengert.program.values import Value

Step = tuple[str, dict[str, Any], int]


class Storage(Traced):
    """The memory of a tensor in a trace: all of it, or the part of ``base`` to which ``step`` leads."""

    __slots__ = ("_base", "_seen", "_step", "_value", "scope", "trace")

    def __init__(self, trace: Any, value: Value, base: Storage | None = None, step: Step | None = None) -> None:
        self.dtype = value.dtype
        self.shape = value.shape
        self.trace = trace
        self.scope = trace.scope  # the loop in whose steps it was made
        self._value = value
        self._base = base
        self._step = step
        self._seen = None if base is None else base.current()

    # What is computed from values is a part of the program, also this; it must not be the identity of two objects.
    def __eq__(self, other: object) -> Any:
        return self._emit("eq", self, other)

    def __ne__(self, other: object) -> Any:
        return self._emit("ne", self, other)

    __hash__ = Traced.__hash__

    def current(self) -> Value:
        """The value that it holds now."""
        if self._base is not None:
            below = self._base.current()
            if below is not self._seen:
                self._value, self._seen = self.trace.take_step(below, self._step), below
        return self._value

    def write(self, value: Value | Storage) -> None:
        """Hold another value from now on, and so its base and all views of that."""
        if isinstance(value, Storage):
            value = value.current()
        if self._base is None:
            self.trace.check_scope(self)
            self._value = value
            return
        if self._step is not None and self._step[0] in ("expand", "as_strided", "unfold"):
            raise RuntimeError(messages.OVERLAPPING)
        below = self._base.current()
        self._base.write(self.trace.emit(VIEW_WRITE, (below, value), {"steps": (self._step,)}))
