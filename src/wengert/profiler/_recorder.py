"""The recorder: what runs in this thread, operation by operation, seen by way of Python's own profiling hook.

Nothing in the engine knows of it. While it records, operations take the engine's general way, where each is one call
of ``apply`` or ``inplace``, and backward passes go node by node, each one call of ``Sweep._pull``; ``sys.setprofile``
tells of these calls. So profiling costs nothing where it is off, and where it is on it makes small operations slower.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from time import perf_counter_ns
from types import CodeType, FrameType
from typing import Any

from wengert._source import user_frames
from wengert.compile.function import CompiledFunction
from wengert.engine import short_paths
from wengert.engine.apply import apply
from wengert.engine.base import TensorBase
from wengert.engine.inplace import inplace
from wengert.engine.state import STATE, set_profiler
from wengert.engine.sweep import Sweep
from wengert.ops.record import Op
from wengert.profiler._events import EventList, FunctionEvent, Interval


class Recorder:
    """Records what this thread does between :meth:`start` and :meth:`stop`.

    Args:
        shapes: note the shapes of operations' inputs.
        stack: note where in the user's program operations are called.
    """

    def __init__(self, *, shapes: bool = False, stack: bool = False) -> None:
        self.events: list[FunctionEvent] = []
        self._shapes, self._stack = shapes, stack
        self._open: list[FunctionEvent] = []
        self._frames: list[tuple[FrameType, Any, FunctionEvent | None]] = []  # watched calls that run now
        self._began = perf_counter_ns()
        self._before: Any = None

    def start(self) -> None:
        """Begin.

        Raises:
            RuntimeError: another profiler uses Python's hook in this thread.
        """
        if STATE.profiler is not None or sys.getprofile() is not None:
            other = "another profiler of wengert" if STATE.profiler is not None else repr(sys.getprofile())
            raise RuntimeError(
                f"a profiler is running in this thread already, and Python's profiling hook serves one: {other}. End "
                "that one first"
            )
        short_paths.close()
        set_profiler(self)
        sys.setprofile(self._told)

    def stop(self) -> None:
        """End; what still runs ends now."""
        sys.setprofile(None)
        set_profiler(None)
        short_paths.reopen()
        now = self._now()
        while self._open:
            self._close(self._open[-1], now)
        self._frames.clear()

    def result(self) -> EventList:
        """What was recorded, in the order in which it began."""
        return EventList(self.events)

    def begin(self, name: str) -> FunctionEvent:
        """Begin a block that has a name."""
        event = self._opened(name)
        event.is_user_annotation = True
        return event

    def end(self, event: FunctionEvent) -> None:
        """End such a block."""
        if event in self._open:
            now = self._now()
            while self._open and self._close(self._open[-1], now) is not event:
                pass

    def _now(self) -> float:
        return (perf_counter_ns() - self._began) / 1e3

    def _opened(self, name: str) -> FunctionEvent:
        event = FunctionEvent(len(self.events) + 1, name, self._now(), threading.get_ident())
        if self._open:
            event.cpu_parent = self._open[-1]
            self._open[-1].cpu_children.append(event)
        self.events.append(event)
        self._open.append(event)
        return event

    def _close(self, event: FunctionEvent, now: float) -> FunctionEvent:
        self._open.remove(event)
        event.time_range = Interval(event.time_range.start, now)
        return event

    def _told(self, frame: FrameType, what: str, _: Any) -> None:
        """Python tells of a call, or of the end of one."""
        read = _WATCHED.get(frame.f_code)
        if read is None:
            return
        if what == "call":
            subject, name, inputs = read(frame.f_locals)
            if self._frames and self._frames[-1][1] is subject:  # one way of the engine hands on to another
                self._frames.append((frame, subject, None))
                return
            event = self._opened(name)
            if self._shapes:
                event.input_shapes = tuple([x._data.shape if isinstance(x, TensorBase) else () for x in inputs])
            if self._stack:
                event.stack = [_place(caller) for caller in user_frames(frame)]
            self._frames.append((frame, subject, event))
        elif what == "return" and self._frames and self._frames[-1][0] is frame:
            opened = self._frames.pop()[2]
            if opened is not None and opened in self._open:
                self._close(opened, self._now())


def _place(frame: FrameType) -> str:
    return f"{frame.f_code.co_filename}({frame.f_lineno}): {frame.f_code.co_name}"


def _operation(seen: dict[str, Any]) -> tuple[Op, str, tuple[Any, ...]]:
    op: Op = seen["op"]
    return op, _pytorchs_name(op), seen["inputs"]


def _in_place(seen: dict[str, Any]) -> tuple[Op, str, tuple[Any, ...]]:
    op: Op = seen["op"]
    return op, f"{_pytorchs_name(op)}_", (seen["self"], *seen["others"])


def _derivative(seen: dict[str, Any]) -> tuple[Any, str, tuple[Any, ...]]:
    return seen["node"], seen["node"].name(), ()


def _compiled(seen: dict[str, Any]) -> tuple[Any, str, tuple[Any, ...]]:
    function = seen["self"]
    return function, repr(function).strip("<>"), seen["args"]


# What the table has several operations for, by what they are given, and names of its own.
_FORMS = ("_number", "_bias", "_affine", "_weight")
_NAMES = {"conv": "convolution", "conv_transpose": "convolution", "cast": "to"}


def _pytorchs_name(op: Op) -> str:
    """The operation's name as PyTorch's profiler writes it; whether an operand is a number does not show."""
    name = op.name.removeprefix("number_")
    for form in _FORMS:
        name = name.removesuffix(form)
    return f"aten::{_NAMES.get(name, name)}"


# The functions of the engine that one call of is an event, and how to read what it is about from their variables: the
# subject, by which a call is told from one that is handed on; the name; the inputs.
_WATCHED: dict[CodeType, Callable[[dict[str, Any]], tuple[Any, str, tuple[Any, ...]]]] = {
    apply.__code__: _operation,
    inplace.__code__: _in_place,
    Sweep._pull.__code__: _derivative,
    CompiledFunction._call.__code__: _compiled,
}

__all__ = ["Recorder"]
