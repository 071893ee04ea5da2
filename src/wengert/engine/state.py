"""The ambient state of a thread: grad mode, inference mode, anomaly mode, saved-tensor hooks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Final

from wengert._marks import ThreadMark


class ThreadState(threading.local):
    """One value per thread; the class attributes are what a new thread starts with."""

    grad_enabled: bool = True
    inference: bool = False
    anomaly: bool = False
    anomaly_check_nan: bool = True
    profiler: Any = None  # what records what this thread does
    one_by_one: bool = False  # whether backward passes go node by node; follows from `anomaly` and `profiler`
    saved_hooks: tuple[tuple[Callable[[Any], Any], Callable[[Any], Any]], ...] = ()
    saved_hooks_disabled: str | None = None
    before_write: Callable[[Any], None] | None = None  # called with a tensor before it is written in place
    axes: tuple[Any, ...] = ()  # the batch axes of the vmaps that run in this thread, outermost first
    randomness: tuple[str, ...] = ()  # what random functions do in each of them
    levels: tuple[Any, ...] = ()  # the functions whose derivative a transform takes that run now, outermost first
    duals: tuple[Any, ...] = ()  # the levels of forward mode that are open, outermost first
    sweep: Any = None  # the backward pass that runs in this thread
    trace: Any = None  # the program that is being traced in this thread: it takes every operation
    draws: Any = None  # an iterator over random numbers that were drawn before and are to be given again
    created: Callable[[Any], None] | None = None  # called with each new tensor; follows from `inference` and `trace`


STATE: Final = ThreadState()

# Whether a trace or a profiler watches what a thread does, so that machine code leaves calls to Python, or whether it
# is in inference mode.
WATCHED: Final = ThreadMark()
IN_INFERENCE: Final = 1
IS_WATCHED: Final = 2


def mark_watched() -> None:
    """Let machine code know what goes on in this thread."""
    is_watched = STATE.trace is not None or STATE.profiler is not None
    WATCHED.put(IS_WATCHED if is_watched else IN_INFERENCE if STATE.inference else 0)


def set_anomaly(on: bool, check_nan: bool) -> None:
    """Switch anomaly mode on or off in this thread."""
    STATE.anomaly, STATE.anomaly_check_nan = on, check_nan
    _choose_one_by_one()


def set_profiler(recorder: Any) -> None:
    """Let ``recorder`` watch what this thread does from now on; None ends that."""
    STATE.profiler = recorder
    mark_watched()
    _choose_one_by_one()


def _choose_one_by_one() -> None:
    """One test for each backward pass decides about both."""
    STATE.one_by_one = STATE.anomaly or STATE.profiler is not None
