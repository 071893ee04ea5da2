"""What a profiler has recorded: events with their times, averages of those that have the same name, traces."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, NamedTuple

from wengert.profiler._table import table, time_text

Shapes = tuple[tuple[int, ...], ...]


class Interval(NamedTuple):
    """When an event began and ended, in microseconds since the profiler began."""

    start: float
    end: float

    def elapsed_us(self) -> float:
        """Its duration."""
        return self.end - self.start


class _Times:
    """Times of events of one name; those of devices are zero, since there are none."""

    device_time_total = self_device_time_total = device_time = 0.0
    cpu_memory_usage = self_cpu_memory_usage = device_memory_usage = self_device_memory_usage = 0

    @property
    def count(self) -> int:
        """How many there are."""
        raise NotImplementedError

    @property
    def cpu_time_total(self) -> float:
        """How long they took together, in microseconds."""
        raise NotImplementedError

    @property
    def self_cpu_time_total(self) -> float:
        """How long they took without the events inside them."""
        raise NotImplementedError

    @property
    def cpu_time(self) -> float:
        """The mean time of one."""
        return self.cpu_time_total / self.count if self.count else 0.0

    @property
    def cpu_time_str(self) -> str:
        """The mean time, for people."""
        return time_text(self.cpu_time)

    @property
    def cpu_time_total_str(self) -> str:
        """The time of all, for people."""
        return time_text(self.cpu_time_total)

    @property
    def self_cpu_time_total_str(self) -> str:
        """The time of all without that of the events inside them, for people."""
        return time_text(self.self_cpu_time_total)


class FunctionEvent(_Times):
    """One run of an operation, of a node's derivative rules, or of a block with a name."""

    def __init__(self, number: int, name: str, start: float, thread: int) -> None:
        self.id, self.name, self.thread = number, name, thread
        self.time_range = Interval(start, start)
        self.cpu_parent: FunctionEvent | None = None
        self.cpu_children: list[FunctionEvent] = []
        self.input_shapes: Shapes = ()
        self.stack: list[str] = []
        self.is_user_annotation = False

    @property
    def key(self) -> str:
        """The name; of steps of a profiler that which all have."""
        return "ProfilerStep*" if self.name.startswith("ProfilerStep#") else self.name

    @property
    def count(self) -> int:
        """One."""
        return 1

    @property
    def cpu_time_total(self) -> float:
        """How long it took, in microseconds."""
        return self.time_range.elapsed_us()

    @property
    def self_cpu_time_total(self) -> float:
        """How long it took without the events inside it."""
        return self.cpu_time_total - sum([child.cpu_time_total for child in self.cpu_children])

    def __repr__(self) -> str:
        return (
            f"<FunctionEvent id={self.id} name={self.name} cpu_time={self.cpu_time_str} "
            f"start_us={self.time_range.start:.3f} end_us={self.time_range.end:.3f} "
            f"cpu_children={[child.id for child in self.cpu_children]} input_shapes={_listed(self.input_shapes)}>"
        )


class FunctionEventAvg(_Times):
    """The events of one name taken together."""

    def __init__(self, key: str, input_shapes: Shapes = (), stack: list[str] | None = None) -> None:
        self.key, self.input_shapes, self.stack = key, input_shapes, stack or []
        self._count, self._total, self._own = 0, 0.0, 0.0
        self.is_user_annotation = False

    @property
    def count(self) -> int:
        """How many there are."""
        return self._count

    @property
    def cpu_time_total(self) -> float:
        """How long they took together, in microseconds."""
        return self._total

    @property
    def self_cpu_time_total(self) -> float:
        """How long they took without the events inside them."""
        return self._own

    def add(self, event: FunctionEvent | FunctionEventAvg) -> None:
        """Count one more."""
        self._count += event.count
        self._total += event.cpu_time_total
        self._own += event.self_cpu_time_total
        self.is_user_annotation = event.is_user_annotation

    def __repr__(self) -> str:
        return (
            f"<FunctionEventAvg key={self.key} self_cpu_time={self.self_cpu_time_total_str} "
            f"cpu_time={self.cpu_time_str} count={self.count} input_shapes={_listed(self.input_shapes)}>"
        )


class EventList(list[Any]):
    """Events, or averages of events."""

    def __init__(self, events: Any = (), *, grouped: frozenset[str] = frozenset()) -> None:
        super().__init__(events)
        self._grouped = grouped  # what besides names tells averages apart: "shapes", "stack"

    @property
    def self_cpu_time_total(self) -> float:
        """The time of all events, in microseconds."""
        return float(sum([event.self_cpu_time_total for event in self]))

    def key_averages(self, group_by_input_shape: bool = False, group_by_stack_n: int = 0) -> EventList:
        """One entry for each name (and shapes of inputs, and latest lines of the stack), in the order of first use."""
        found: dict[Any, FunctionEventAvg] = {}
        for event in self:
            shapes = event.input_shapes if group_by_input_shape else ()
            stack = event.stack[:group_by_stack_n]
            key = event.key, shapes, tuple(stack)
            if key not in found:
                found[key] = FunctionEventAvg(event.key, shapes, stack)
            found[key].add(event)
        grouped = {"shapes": group_by_input_shape, "stack": group_by_stack_n > 0}
        return EventList(found.values(), grouped=frozenset([name for name, is_on in grouped.items() if is_on]))

    def total_average(self) -> FunctionEventAvg:
        """All events as one."""
        total = FunctionEventAvg("Total")
        for event in self:
            total.add(event)
        return total

    def table(
        self,
        sort_by: str | None = None,
        row_limit: int = 100,
        max_src_column_width: int = 75,
        max_name_column_width: int = 55,
        max_shapes_column_width: int = 80,
        header: str | None = None,
        top_level_events_only: bool = False,
        time_unit: str | None = None,
    ) -> str:
        """The events as a table, the first ``row_limit`` of them when sorted by an attribute (the largest first).

        Raises:
            AttributeError: events have no such time.
        """
        rows = [event for event in self if not (top_level_events_only and getattr(event, "cpu_parent", None))]
        if sort_by is not None:
            name = sort_by.replace("cuda", "device").replace("xpu", "device")
            rows.sort(key=lambda event: getattr(event, name), reverse=True)
        widths = max_name_column_width, max_shapes_column_width, max_src_column_width
        shown = rows if row_limit < 0 else rows[:row_limit]
        return table(shown, self.self_cpu_time_total, self._grouped, widths, header, time_unit)

    def __str__(self) -> str:
        return self.table()

    def export_chrome_trace(self, path: str | os.PathLike[str]) -> None:
        """Write the events as a trace, which ``chrome://tracing`` and ui.perfetto.dev show."""
        write_trace(path, self)

    def export_stacks(self, path: str | os.PathLike[str], metric: str = "self_cpu_time_total") -> None:
        """Write the stacks of events and their times, as makers of flame graphs read them."""
        lines = [
            " ".join([";".join([place.replace(" ", "_") for place in reversed(event.stack)]), str(int(time))])
            for event in self
            if event.stack and (time := getattr(event, metric)) > 0
        ]
        Path(path).write_text("".join([f"{line}\n" for line in lines]), encoding="utf-8")


def write_trace(path: str | os.PathLike[str], events: EventList) -> None:
    """Write events in the trace event format."""
    process = os.getpid()
    entries = [
        {
            "ph": "X",
            "cat": "user_annotation" if event.is_user_annotation else "cpu_op",
            "name": event.name,
            "pid": process,
            "tid": event.thread,
            "ts": event.time_range.start,
            "dur": event.cpu_time_total,
            "args": _arguments(event),
        }
        for event in events
    ]
    text = json.dumps({"schemaVersion": 1, "displayTimeUnit": "ms", "traceEvents": entries}, indent=1)
    Path(path).write_text(text, encoding="utf-8")


def _arguments(event: FunctionEvent) -> dict[str, Any]:
    found: dict[str, Any] = {"External id": event.id}
    if event.input_shapes:
        found["Input Dims"] = _listed(event.input_shapes)
    if event.stack:
        found["Call stack"] = ";".join(event.stack)
    return found


def _listed(shapes: Shapes) -> list[list[int]]:
    return [list(shape) for shape in shapes]


__all__ = ["EventList", "FunctionEvent", "FunctionEventAvg", "Interval", "write_trace"]
