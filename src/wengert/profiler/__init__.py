"""Where time goes: operations, derivative rules and named blocks with their times, under PyTorch's names.

What is recorded is what this thread does: operations as ``aten::mul``, the rules of a backward pass as
``MulBackward0``, blocks of :class:`record_function`, and calls of compiled functions, whose inside is not told apart.
Small operations take longer while they are watched, so compare times of one profile with each other.
"""

from __future__ import annotations

import gzip
import os
import socket
import time
from collections.abc import Callable, Iterable
from enum import Enum
from pathlib import Path
from typing import Any, Self

from wengert.profiler._blocks import record_function
from wengert.profiler._events import EventList, FunctionEvent, FunctionEventAvg
from wengert.profiler._recorder import Recorder

__all__ = [
    "EventList",
    "FunctionEvent",
    "FunctionEventAvg",
    "ProfilerAction",
    "ProfilerActivity",
    "kineto_available",
    "profile",
    "record_function",
    "schedule",
    "supported_activities",
    "tensorboard_trace_handler",
]


class ProfilerActivity(Enum):
    """What can be watched; here it is the CPU, whatever else is asked for."""

    CPU = 0
    XPU = 1
    MTIA = 2
    CUDA = 3
    HPU = 4
    PrivateUse1 = 5


class ProfilerAction(Enum):
    """What a profiler does in a step."""

    NONE = 0
    WARMUP = 1
    RECORD = 2
    RECORD_AND_SAVE = 3


def supported_activities() -> set[ProfilerActivity]:
    """The CPU.

    >>> import wengert as torch
    >>> torch.profiler.supported_activities()
    {<ProfilerActivity.CPU: 0>}
    """
    return {ProfilerActivity.CPU}


def kineto_available() -> bool:
    """False: that is PyTorch's own recorder."""
    return False


def schedule(
    *, wait: int, warmup: int, active: int, repeat: int = 0, skip_first: int = 0, skip_first_wait: int = 0
) -> Callable[[int], ProfilerAction]:
    """Cycles of steps that are not recorded, that warm up (not recorded either), and that are.

    Args:
        wait: steps of a cycle before warming up.
        warmup: steps that warm up.
        active: steps that are recorded.
        repeat: how many cycles; 0 is for ever.
        skip_first: steps before the first cycle.
        skip_first_wait: whether the first cycle begins with warming up.

    Raises:
        AssertionError: a number that is negative, or no active step.

    >>> import wengert as torch
    >>> plan = torch.profiler.schedule(wait=1, warmup=1, active=2, repeat=1)
    >>> [plan(step).name for step in range(5)]
    ['NONE', 'WARMUP', 'RECORD', 'RECORD_AND_SAVE', 'NONE']
    """
    if min(wait, warmup, repeat, skip_first) < 0 or active <= 0:
        raise AssertionError("Invalid profiler schedule arguments: counts are not negative, and active is at least 1")

    def action(step: int) -> ProfilerAction:
        step -= skip_first
        if skip_first_wait and step >= 0:
            step += wait
        cycle, place = divmod(step, wait + warmup + active)
        if step < 0 or (repeat and cycle >= repeat) or place < wait:
            return ProfilerAction.NONE
        if place < wait + warmup:
            return ProfilerAction.WARMUP
        return ProfilerAction.RECORD if place < wait + warmup + active - 1 else ProfilerAction.RECORD_AND_SAVE

    return action


def tensorboard_trace_handler(
    dir_name: str, worker_name: str | None = None, use_gzip: bool = False
) -> Callable[[Any], None]:
    """What ``on_trace_ready`` may be: writes each trace into a folder, under a name of its own."""

    def handle(profiler: profile) -> None:
        folder = Path(dir_name)
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{worker_name or f'{socket.gethostname()}_{os.getpid()}'}.{time.time_ns()}.pt.trace.json"
        profiler.export_chrome_trace(folder / (f"{name}.gz" if use_gzip else name))

    return handle


def _checked(activities: Any) -> set[ProfilerActivity]:
    if activities is None:
        return supported_activities()
    if isinstance(activities, ProfilerActivity) or not isinstance(activities, Iterable):
        raise TypeError(
            "profile(): argument 'activities' must be an iterable of ProfilerActivity, not "
            f"{type(activities).__name__}. Write activities=[ProfilerActivity.CPU], or leave it out"
        )
    found = set(activities)
    others = [each for each in found if not isinstance(each, ProfilerActivity)]
    if others or not found:
        got = f", but {others[0]!r} is none" if others else ": there is none"
        raise AssertionError(
            f"No valid profiler activities found. activities are members of torch.profiler.ProfilerActivity{got}. "
            "Write activities=[ProfilerActivity.CPU], or leave it out"
        )
    return found


class profile:
    """Record what this thread does in a block, or between :meth:`start` and :meth:`stop`.

    Args:
        activities: PyTorch's; the CPU is recorded.
        schedule: what is to be done in each step (see :func:`schedule`); :meth:`step` ends one.
        on_trace_ready: called with the profiler when steps have been recorded.
        record_shapes: note the shapes of inputs.
        profile_memory: PyTorch's; memory is not recorded.
        with_stack: note where operations are called.
        with_flops: PyTorch's; operations of a processor are not counted.
        with_modules: PyTorch's; modules are not noted.
        acc_events: keep the events of earlier cycles too.

    Raises:
        TypeError: ``activities`` are not iterable.
        AssertionError: they are no activities, or there are none, as in PyTorch.
        RuntimeError: on entering, where another profiler runs in this thread (``cProfile`` too).

    >>> import wengert as torch
    >>> x = torch.ones(3, requires_grad=True)
    >>> with torch.profiler.profile() as profile:
    ...     (x * 2).sum().backward()
    >>> [event.name for event in profile.events()]
    ['aten::mul', 'aten::sum', 'SumBackward0', 'MulBackward0']
    """

    def __init__(
        self,
        *,
        activities: Iterable[ProfilerActivity] | None = None,
        schedule: Callable[[int], ProfilerAction] | None = None,
        on_trace_ready: Callable[[Any], None] | None = None,
        record_shapes: bool = False,
        profile_memory: bool = False,
        with_stack: bool = False,
        with_flops: bool = False,
        with_modules: bool = False,
        acc_events: bool = False,
        **_options: Any,
    ) -> None:
        del profile_memory, with_flops, with_modules
        self.activities = _checked(activities)
        self.step_num = 0
        self._plan, self._ready = schedule, on_trace_ready
        self._settings = {"shapes": record_shapes, "stack": with_stack}
        self._keeps = acc_events
        self._recorder: Recorder | None = None
        self._block: record_function | None = None
        self._events: EventList | None = None

    def _action(self) -> ProfilerAction:
        return ProfilerAction.RECORD if self._plan is None else self._plan(self.step_num)

    def _begin_step(self) -> None:
        is_recorded = self._action() in (ProfilerAction.RECORD, ProfilerAction.RECORD_AND_SAVE)
        if is_recorded and self._recorder is None:
            self._recorder = Recorder(**self._settings)
            self._recorder.start()
        if is_recorded and self._plan is not None:
            self._block = record_function(f"ProfilerStep#{self.step_num}").__enter__()

    def _end_step(self) -> None:
        if self._block is not None:
            self._block.__exit__()
            self._block = None

    def _finish(self) -> None:
        if self._recorder is None:
            return
        self._recorder.stop()
        found, self._recorder = self._recorder.result(), None
        self._events = EventList([*self._events, *found]) if self._keeps and self._events is not None else found
        if self._ready is not None:
            self._ready(self)

    def start(self) -> None:
        """Begin."""
        self._begin_step()

    def stop(self) -> None:
        """End."""
        self._end_step()
        self._finish()

    def step(self) -> None:
        """End one step and begin the next."""
        self._end_step()
        is_last = self._action() is ProfilerAction.RECORD_AND_SAVE
        self.step_num += 1
        if is_last:
            self._finish()
        self._begin_step()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def events(self) -> EventList:
        """What was recorded.

        Raises:
            AssertionError: nothing has been yet.
        """
        if self._events is None:
            raise AssertionError("there is nothing to show yet: the profiler has not recorded a step to its end")
        return self._events

    def key_averages(self, group_by_input_shape: bool = False, group_by_stack_n: int = 0) -> EventList:
        """One entry for each name; ``print(profile.key_averages().table(sort_by="self_cpu_time_total"))``."""
        return self.events().key_averages(group_by_input_shape, group_by_stack_n)

    def export_chrome_trace(self, path: str | os.PathLike[str]) -> None:
        """Write a trace for ``chrome://tracing`` or ui.perfetto.dev, compressed if the name ends in ``.gz``."""
        self.events().export_chrome_trace(path)
        if os.fspath(path).endswith(".gz"):
            Path(path).write_bytes(gzip.compress(Path(path).read_bytes()))

    def export_stacks(self, path: str, metric: str = "self_cpu_time_total") -> None:
        """Write stacks and times (``with_stack=True``) for makers of flame graphs."""
        self.events().export_stacks(path, metric)
