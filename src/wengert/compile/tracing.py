"""Letting a trace take every operation of the thread, and undoing that."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from wengert import _random
from wengert._opaque import plain
from wengert._traced import Traced, TraceError
from wengert.compile import messages, reading
from wengert.compile.sources import Draw
from wengert.compile.storage import Storage
from wengert.compile.trace import Trace
from wengert.engine import short_paths
from wengert.engine.base import set_trace
from wengert.engine.state import STATE
from wengert.ops.record import TABLE, Op


def _emit_raw(op: Any, xs: Sequence[Any], meta: dict[str, Any]) -> Any:
    if STATE.trace is None:
        raise TraceError(messages.leaked(next(x for x in xs if isinstance(x, Traced))))
    y = STATE.trace.emit_raw(op, xs, meta)
    made = [STATE.trace.memory(each) for each in (y if isinstance(y, tuple) else (y,))]
    found = TABLE.ops.get(op) if isinstance(op, str) else op
    if isinstance(found, Op) and found.view and isinstance(xs[0], Storage):
        made = [each.made_from(xs[0], (found.name, meta, index)) for index, each in enumerate(made)]
    return tuple(made) if isinstance(y, tuple) else made[0]


Traced.emit = staticmethod(_emit_raw)


def _draw(stream: Any, name: str | None, *args: Any) -> Any:
    """What stands for random numbers while a trace is set, or while a function is run again with those it drew."""
    if name is None:
        if STATE.trace is not None:
            raise TraceError(messages.RANDOM)
        return None
    if STATE.draws is not None:
        return next(STATE.draws)
    if STATE.trace is None:
        return None
    args = plain(args)  # the stream draws as many at each call
    return STATE.trace.read_each_call(Draw(stream, name, args, _drawn_type(name, args)))[0]


def _drawn_type(name: str, args: tuple[Any, ...]) -> Any:
    if name == "permutation":
        return np.dtype(np.int64), (args[0],)
    if name == "integers":
        return np.dtype(np.uint64 if args[1] > 2**63 else np.int64), tuple(args[2])
    if name == "normal_pairs":
        return np.dtype(np.float64), tuple(args[0])
    shape, dtype = args
    return dtype, tuple(shape)


_random.bind_draw(_draw)


@contextmanager
def tracing(trace: Trace) -> Iterator[Trace]:
    """Let ``trace`` take every operation of this thread."""
    if STATE.trace is not None:
        raise RuntimeError("a trace is running in this thread already")
    before_write = STATE.before_write
    short_paths.close()
    reading.hide()
    set_trace(trace)
    STATE.before_write = trace.check_write
    try:
        yield trace
    finally:
        STATE.before_write = before_write
        set_trace(None)
        reading.show()
        short_paths.reopen()
        for slot in trace.grads.values():  # what the function did to `.grad` happens when the program runs
            slot.tensor._grad = slot.value
