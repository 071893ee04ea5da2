"""A step of an optimizer inside a compiled function: the update as a part of the program, its numbers read each time.

The update functions compute with what stands for the arrays. Learning rates, corrections that depend on the count of
steps, and whatever else may differ from step to step are worked out by the optimizer before each run and are inputs of
the program; settings are part of it, and where they change the function is traced anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.engine.base import wrap_plain
from wengert.engine.state import STATE

__all__ = ["trace_step"]


def trace_step(optimizer: Any) -> None:
    """Make a step of ``optimizer`` part of the program that is traced in this thread."""
    trace = STATE.trace
    moved = []
    for group in optimizer.param_groups:
        for p in group["params"]:
            trace.reads_grad(p)
            if getattr(p, "_grad", None) is not None:
                moved.append(p)
    earlier = [host.source for host in trace.hosts if isinstance(host.source, _Step)]
    before = next((source for source in reversed(earlier) if source.optimizer is optimizer), None)
    source = _Step(optimizer, moved, before)
    lists = dict(zip(source.dtypes, trace.read_each_call(source), strict=True))
    places = dict.fromkeys(lists, 0)
    for p, update, tensors, numbers, settings in source.planned:
        dtype = _real_dtype(p)
        start = places[dtype]
        places[dtype] += len(numbers)
        values = [
            trace.emit_raw("select", (lists[dtype],), {"dim": 0, "index": start + i}) for i in range(len(numbers))
        ]
        _trace_update(trace, update, (p, *tensors), p._grad, (*values, *settings))


def _trace_update(trace: Any, update: Any, written: Sequence[Any], g: Any, others: tuple[Any, ...]) -> None:
    """The equations of one update, and its writes."""
    is_complex = written[0].dtype.is_complex

    def memory(t: Any) -> Any:
        value = trace.value_of(t)
        return trace.memory(trace.emit_raw("view_as_real", (value,), {}) if is_complex else value)

    arrays = [memory(t) for t in written]
    before = [x.current() for x in arrays]
    target, *state = arrays
    update(target, memory(g), *state, *others)
    for t, x, value in zip(written, arrays, before, strict=True):
        if x.current() is not value:
            trace.overwrite(t, trace.emit_raw("view_as_complex", (x,), {}) if is_complex else x.current())


def _real_dtype(p: Any) -> np.dtype[Any]:
    dtype = p._data.dtype
    return dtype if dtype.kind != "c" else np.dtype(f"f{dtype.itemsize // 2}")


class _Step:
    """Where the numbers of one step come from (a source of a program's inputs)."""

    def __init__(self, optimizer: Any, moved: Sequence[Any], before: _Step | None) -> None:
        self.optimizer = optimizer
        self.moved = {id(p): p for p in moved}
        self.before = before  # an earlier step of the same optimizer in the same program
        self.planned: list[tuple[Any, ...]] = []
        self._states: dict[int, tuple[dict[str, Any], list[str]]] = {}

    @property
    def dtypes(self) -> list[np.dtype[Any]]:
        """The dtypes of the lists of numbers."""
        return list(dict.fromkeys(map(_real_dtype, self.moved.values())))

    def key(self) -> Any:
        """The parameters, their state, the settings. The step is counted in copies."""
        self.planned, self._states = [], {}
        total = 0
        for group in self.optimizer.param_groups:
            total += len(group["params"])
            for p in group["params"]:
                if id(p) in self.moved:
                    self.planned.append((p, *self._plan(p, group)))
        parts = [(id(p), update, tuple(map(id, tensors)), settings) for p, update, tensors, _, settings in self.planned]
        return total, tuple(parts)

    def _plan(self, p: Any, group: dict[str, Any]) -> Any:
        found = self._state_before(p)
        state = {name: wrap_plain(t._data[()]) if _is_number(t) else t for name, t in found.items()}
        if not state:
            self.optimizer._begin(p, state, group)
        plan = self.optimizer._plan(p, state, group)
        self._states[id(p)] = state, [name for name, t in found.items() if _is_number(t)]
        return plan

    def _state_before(self, p: Any) -> dict[str, Any]:
        if self.before is not None and id(p) in self.before._states:
            return self.before._states[id(p)][0]
        return self.optimizer.state.get(p) or {}

    def types(self) -> list[Any]:
        """One list of numbers for each dtype."""
        return [(x.dtype, x.shape) for x in self.raws()]

    def raws(self) -> list[Any]:
        """The numbers of this step."""
        lists: dict[np.dtype[Any], list[Any]] = {dtype: [] for dtype in self.dtypes}
        for p, _, _, numbers, _ in self.planned:
            lists[_real_dtype(p)].extend(numbers)
        return [np.array(numbers, np.float64).astype(dtype) for dtype, numbers in lists.items()]

    def commit(self) -> None:
        """Count the step."""
        for key, (state, copied) in self._states.items():
            known = self.optimizer.state.get(self.moved[key])
            if not known:
                if state:
                    self.optimizer.state[self.moved[key]] = state
                continue
            for name in copied:
                known[name]._data = state[name]._data
            for name in state.keys() - known.keys():
                known[name] = state[name]


def _is_number(t: Any) -> bool:
    """Whether a piece of state is a number that Python keeps, the count of steps for one, and not an array."""
    return not t._data.ndim and t._view is None and not t._rg
