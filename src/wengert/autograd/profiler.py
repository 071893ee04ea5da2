"""PyTorch's older profiler: the same recorder as :mod:`wengert.profiler`, without steps."""

from __future__ import annotations

import os
from types import TracebackType
from typing import Any, Self

from wengert.profiler._blocks import record_function
from wengert.profiler._events import EventList, FunctionEvent, FunctionEventAvg
from wengert.profiler._recorder import Recorder

__all__ = ["EventList", "FunctionEvent", "emit_itt", "emit_nvtx", "profile", "record_function"]


class profile:
    """Record what this thread does in a block: operations, derivative rules, named blocks.

    Args:
        enabled: False does nothing.
        record_shapes: note the shapes of inputs.
        with_stack: note where operations are called.
        options: PyTorch's other arguments (``use_device``, ``profile_memory``, ...), which have no effect.

    Raises:
        RuntimeError: on entering, where another profiler runs in this thread (``cProfile`` too).

    >>> import wengert as torch
    >>> x = torch.ones(2, 2, requires_grad=True)
    >>> with torch.autograd.profiler.profile(record_shapes=True) as profile:
    ...     (x @ x).sum().backward()
    >>> [(event.key, event.count) for event in profile.key_averages()]
    [('aten::mm', 1), ('aten::sum', 1), ('SumBackward0', 1), ('MmBackward0', 1)]
    """

    def __init__(
        self, enabled: bool = True, *, record_shapes: bool = False, with_stack: bool = False, **options: Any
    ) -> None:
        del options
        self.enabled = enabled
        self._recorder = Recorder(shapes=record_shapes, stack=with_stack)
        self.entered = False
        self.function_events: EventList | None = None

    def __enter__(self) -> Self:
        if self.entered:
            raise RuntimeError("Profiler context manager is not reentrant")
        self.entered = True
        if self.enabled:
            self._recorder.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.enabled:
            self._recorder.stop()
            self.function_events = self._recorder.result()

    def _events(self) -> EventList:
        if self.function_events is None:
            raise RuntimeError(
                "Profiler didn't finish running: it tells what it has recorded after its `with` block, and if enabled"
            )
        return self.function_events

    def key_averages(self, group_by_input_shape: bool = False, group_by_stack_n: int = 0) -> EventList:
        """One entry for each name."""
        return self._events().key_averages(group_by_input_shape, group_by_stack_n)

    def total_average(self) -> FunctionEventAvg:
        """All events as one."""
        return self._events().total_average()

    def table(self, sort_by: str | None = None, row_limit: int = 100, **options: Any) -> str:
        """The events as a table; see :meth:`EventList.table`."""
        return self._events().table(sort_by, row_limit, **options)

    def export_chrome_trace(self, path: str | os.PathLike[str]) -> None:
        """Write a trace for ``chrome://tracing`` or ui.perfetto.dev."""
        self._events().export_chrome_trace(path)

    def export_stacks(self, path: str, metric: str = "self_cpu_time_total") -> None:
        """Write stacks and times (``with_stack=True``) for makers of flame graphs."""
        self._events().export_stacks(path, metric)

    @property
    def self_cpu_time_total(self) -> float:
        """The time of all events, in microseconds."""
        return self._events().self_cpu_time_total

    def __repr__(self) -> str:
        return "<unfinished profiler>" if self.function_events is None else repr(self.function_events)

    def __str__(self) -> str:
        return "<unfinished profiler>" if self.function_events is None else str(self.function_events)


class emit_nvtx:
    """Marks for NVIDIA's profilers, which see GPUs: entering raises, as it does in PyTorch without one.

    Raises:
        AssertionError: on entering, if enabled.
    """

    _what = "emit_nvtx marks ranges for profilers of GPUs: Torch not compiled with CUDA enabled, and wengert has none"

    def __init__(self, enabled: bool = True, record_shapes: bool = False) -> None:
        self.enabled, self.record_shapes = enabled, record_shapes

    def __enter__(self) -> Self | None:
        if self.enabled:
            raise AssertionError(f"{self._what}. Use wengert.profiler.profile")
        return None

    def __exit__(self, *exc: object) -> None:
        return None


class emit_itt(emit_nvtx):
    """Marks for Intel's profilers, which are not there either.

    Raises:
        AssertionError: on entering, if enabled.
    """

    _what = "emit_itt marks ranges for Intel's VTune, to which wengert has no connection"
