"""Calls that machine code does alone: which programs can have such an entry, and how its results are nested.

Knows plans of compiled functions, and the schedules that they run, not how these came about.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from wengert._dtypes import DEFAULTS
from wengert._tree import LEAF, builder, unflatten
from wengert.compile.guards import Guards
from wengert.compile.runtime.form_code import NEXT, tuple_of
from wengert.compile.runtime.held import Held
from wengert.engine.base import is_leveled

_MOST: Final = 8  # entries of a function: one after the other looks at the arguments


class Entry(NamedTuple):
    """What is called, what lets it take further shapes, the guards that it looks at, and the tensors that it holds."""

    call: Callable[..., Any]
    accept: Callable[[Sequence[tuple[int, ...]], Mapping[int, tuple[int, int]]], None]
    guards: Guards
    held: Held


class Call(NamedTuple):
    """What a call of a plan is: how the arguments are nested, and which of their leaves the program reads.

    Then the tensors from outside that it reads after these, which of all these have to lie in C order, and what its
    results are.
    """

    structure: Any
    leaves: int
    positions: Sequence[int]
    held: Held
    ordered: frozenset[int]
    results: Sequence[tuple[str, Any]]
    result_structure: Any
    ranges: Mapping[int, tuple[int, int]]  # of lengths for which it serves, by those of the shapes


def entry_of(
    call: Call, forward: Any, guards: Guards, slow: Callable[..., Any], made: dict[Any, Entry]
) -> Entry | None:
    """The entry that does all of a call, if that is to run one kernel: a new one, or one of those in ``made``.

    A new one calls ``slow`` for whatever it does not take. One that was made for other lengths, and runs the same
    kernel under the same guards, takes those of this program from now on.
    """
    schedule = forward.schedule
    if schedule is None or schedule.kernel is None or not _is_plain(call):
        return None
    shapes = [x.shape for x in forward.inputs]
    key = (schedule.kernel, call.result_structure, DEFAULTS.float, call.ordered, guards.mark)
    alike = [entry for (known, _), entry in made.items() if known == key]
    for entry in alike:
        if entry.guards.hold() and _are_same(entry.held.objects, call.held.objects):
            entry.accept(shapes, call.ranges)
            return entry
    table = guards.table() if guards else None
    if len(made) >= _MOST or (guards and table is None):
        return None
    form = _form(call.result_structure)
    inner = slow if form is not None else lambda *args, **kwargs: _Whole(slow(*args, **kwargs))
    new = schedule.entry(inner, form, call.ordered, table, call.held)
    if new is None:
        return None
    whole = new.call if form is not None else _nested(new.call, call.result_structure)
    made[key, len(alike)] = entry = Entry(whole, new.accept, guards, call.held)
    entry.accept(shapes, call.ranges)
    return entry


def _are_same(xs: Sequence[Any], ys: Sequence[Any]) -> bool:
    return len(xs) == len(ys) and all([x is y for x, y in zip(xs, ys, strict=True)])


def _is_plain(call: Call) -> bool:
    """Whether arguments are tensors, and results fresh ones, in order, and tensors from outside ordinary ones."""
    if len(call.positions) != call.leaves:
        return False
    args, kwargs = unflatten(call.structure, list(call.positions))
    return (
        kwargs == {}
        and args == tuple(call.positions)
        and [kind for kind, _ in call.results] == ["plain"] * len(call.results)
        and [place for _, place in call.results] == list(range(len(call.results)))
        and all([t._node is None and t._view is None for t in call.held.objects])
        and not is_leveled(*call.held.objects)
    )


class _Whole:
    """A result with its containers, from where a result without them is expected."""

    __slots__ = ("result",)

    def __init__(self, result: Any) -> None:
        self.result = result


def _form(structure: Any) -> list[int] | None:
    """What an entry does to nest results, if it can: tuples."""
    if structure is LEAF:
        return [NEXT]
    cls, _, children = structure
    parts = [_form(child) for child in children] if cls is tuple else [None]
    if any([part is None for part in parts]):
        return None
    return [code for part in parts for code in part or ()] + [tuple_of(len(parts))]


def _nested(call: Callable[..., Any], structure: Any) -> Callable[..., Any]:
    """``call``, which gives a tensor or a tuple of them, with containers around the results."""
    build = builder(structure)

    def nested(*args: Any, **kwargs: Any) -> Any:
        y = call(*args, **kwargs)
        return y.result if y.__class__ is _Whole else build(y if y.__class__ is tuple else (y,))

    return nested


__all__ = ["Call", "Entry", "entry_of"]
