"""The memory of a tensor in a trace: which value of the program it holds at the moment."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert._traced import Traced
from wengert.compile import messages
from wengert.compile.lengths import as_seen
from wengert.ops.viewing import VIEW_WRITE, follow
from wengert.program.values import Value
from wengert.spaces.raw import REAL

Step = tuple[str, dict[str, Any], int]


def _overlaps(step: Step, shape: tuple[int, ...]) -> bool:
    """Whether elements of a view of this shape may be the same memory."""
    name, meta, _ = step
    if name == "unfold":
        return bool(meta["size"] > meta["step"]) and shape[meta["dim"]] > 1
    return name in ("expand", "as_strided")


def _shape_for_who_asks(storage: Any) -> Any:
    """See :mod:`wengert.compile.lengths`."""
    shape = storage._value.shape
    return shape if storage.trace.lengths is None else as_seen(shape)


class Storage(Traced):
    """The memory of a tensor in a trace: all of it, or the part of ``base`` to which ``step`` leads."""

    __slots__ = ("_base", "_made_from", "_seen", "_step", "_value", "scope", "trace")

    shape: Any = property(_shape_for_who_asks)
    ndim: Any = property(lambda storage: len(storage._value.shape))

    def __init__(self, trace: Any, value: Value, base: Storage | None = None, step: Step | None = None) -> None:
        self.dtype = value.dtype
        self.trace = trace
        self.scope = trace.scope  # the loop in whose steps it was made
        self._value = value
        self._base = base
        self._step = step
        self._seen = None if base is None else base.current()
        self._made_from: tuple[Storage, Step] | None = None

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

    def layout(self) -> np.ndarray[Any, Any] | None:
        """An array that lies in memory as the values would without a trace; None for C order."""
        if self._base is None:
            return self.trace.layouts.of(self._value)  # type: ignore[no-any-return]
        below = self._base.layout()
        if below is None:
            below = np.empty(self._base.shape, self._base.dtype)  # never touched
        part: np.ndarray[Any, Any] = follow(REAL, below, (self._step,))
        return part

    @property
    def flags(self) -> Any:
        """Those of :meth:`layout`."""
        lying = self.layout()
        return Traced.flags if lying is None else lying.flags

    @property
    def strides(self) -> tuple[int, ...]:
        """Those of :meth:`layout`."""
        lying = self.layout()
        return super().strides if lying is None else lying.strides

    def made_from(self, source: Storage, step: Step) -> Storage:
        """Note that a batching rule took it from there: a view, if the whole operation is one."""
        self._made_from = source, step
        return self

    def looks_at(self, other: Any) -> bool:
        """Whether it was taken from another memory by steps of movement; from now on it is a part of that then."""
        if self is other:
            return True
        if self._base is not None:
            return self._base.looks_at(other)
        if self._made_from is None or not self._made_from[0].looks_at(other):
            return False
        self._base, self._step = self._made_from
        self._seen = self._base.current()
        return True

    def write(self, value: Value | Storage) -> None:
        """Hold another value from now on, and so its base and all views of that."""
        if isinstance(value, Storage):
            value = value.current()
        if self._base is None:
            self.trace.check_scope(self)
            self.trace.layouts.write(value, self._value)
            self._value = value
            return
        if self._step is not None and _overlaps(self._step, self.shape):
            raise RuntimeError(messages.OVERLAPPING)
        below = self._base.current()
        self._base.write(self.trace.emit(VIEW_WRITE, (below, value), {"steps": (self._step,)}))
