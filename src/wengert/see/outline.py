"""The operations of a graph as an outline: modules and functions as scopes, repeated structure once, within a limit.

Knows how operations belong together. Knows no form in which that is shown.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby
from typing import Any

import numpy as np

from wengert.see.graph import Graph, Operation

LEAST_REPEATS = 3
LEAST_SAVED = 6  # operations that folding must save to be worth a box
_PERIODS = 16  # distances tried in one pass
_PASSES = 6  # loops in loops in loops...


@dataclass(slots=True, eq=False)
class Scope:
    """Operations that belong together: the whole graph, a module, a function, a repeated part, or a run of them."""

    kind: str  # `graph`, `module`, `function`, `repeat` or `run`
    title: str
    parts: list[Part]
    more: list[list[Part]] = field(default_factory=list)  # of a repeat: the other times, part by part as in `parts`
    module: str = ""  # the name of the module, if it is one or, of a repeat, the first of several
    closed: bool = False  # shown as one node

    @property
    def times(self) -> int:
        """How often its parts occur one after the other."""
        return 1 + len(self.more)

    def operations(self) -> Iterator[Operation]:
        """All operations in it, every time of a repeat included."""
        pending: list[Part] = [self]
        while pending:
            part = pending.pop()
            if isinstance(part, Scope):
                pending.extend([p for times in reversed(part.more) for p in reversed(times)])
                pending.extend(reversed(part.parts))
            else:
                yield part

    def scopes(self) -> Iterator[tuple[int, Scope]]:
        """The scopes in it that can be shown, itself first, with their depths."""
        pending = [(0, self)]
        while pending:
            depth, scope = pending.pop()
            yield depth, scope
            pending.extend([(depth + 1, part) for part in reversed(scope.parts) if isinstance(part, Scope)])


Part = Scope | Operation
_Path = tuple[tuple[str, Hashable, str], ...]  # of scopes: kind, identity, title


def outline(graph: Graph, *, boxes: bool = True, fold: bool = True, most: int | None = None) -> Scope:
    """The operations of a graph, grouped, folded and limited.

    Args:
        graph: as `see.graph.read` gives it.
        boxes: make scopes of modules and functions.
        fold: show a sequence of operations that occurs several times in a row once, with its number.
        most: close scopes, innermost first, until at most so many operations and scopes are left to be shown.
    """
    parts: list[Part] = list(graph.operations)
    if boxes:
        paths = _paths(graph.operations)
        common = _common(paths)
        parts = _grouped(list(zip(parts, [path[len(common) :] for path in paths], strict=True)), 0)
    if fold:
        parts = _folded(parts, _Signatures())
    root = Scope("graph", "", parts)
    if most is not None:
        _limit(root, most)
    return root


# --- scopes ----------------------------------------------------------------------------------------------------------


def _paths(operations: Sequence[Operation]) -> list[_Path]:
    """For each operation the modules, or else the function, that it belongs to.

    A module is known by the names of its parameters: what uses `model.fc1.weight` belongs to `model.fc1`, and what
    stands in the same call of a function as that and `model.fc2`, to `model`.
    """
    paths: list[_Path] = []
    for call in _calls(operations):
        modules = [_module_path(operation) for operation in call]
        known = list(dict.fromkeys([path for path in modules if path]))
        function = _function_path(call[0].node.code)
        if not known:
            paths += [function] * len(call)
        elif function and function[0][2].endswith("forward"):
            around = _common(known) if len(known) > 1 else known[0][:-1]
            paths += [path or around for path in modules]
        else:
            paths += _filled(modules)
    return paths


def _calls(operations: Sequence[Operation]) -> Iterator[list[Operation]]:
    """Runs of operations of one function; of a `forward`, those of one call, which runs through its code once."""
    for function, run in groupby(operations, key=lambda operation: _function_path(operation.node.code)):
        call: list[Operation] = []
        for operation in run:
            is_forward = bool(function) and function[0][2].endswith("forward")
            if is_forward and call and operation.node.lasti < call[-1].node.lasti:
                yield call
                call = []
            call.append(operation)
        yield call


def _module_path(operation: Operation) -> _Path:
    names = [value.name for value in operation.inputs if value.is_leaf and value.name]
    owners = [name.rpartition(".")[0].removeprefix("self.") for name in names]
    owners = [owner for owner in owners if owner and owner != "self"]
    if not owners:
        return ()
    owner = max(owners, key=len)
    ends = [found.start() for found in re.finditer(r"(?<=.)[.\[]", owner)]  # `model[0].fc` is in `model[0]` in `model`
    return tuple([("module", owner[:end], owner[:end]) for end in (*ends, len(owner))])


@cache
def _function_path(code: Any) -> _Path:
    """The function that code belongs to: a lambda or a comprehension to the one around it."""
    name = code.co_qualname if code is not None else ""
    while name.rpartition(".")[2].startswith("<"):
        name = name.rpartition(".")[0]
        name = name.removesuffix(".<locals>")
    return (("function", (code.co_filename, name), name.rpartition("<locals>.")[2]),) if name else ()


def _filled(modules: list[_Path]) -> list[_Path]:
    """Operations between two of the same outer module belong to it."""
    after: list[_Path] = []
    following: _Path = ()
    for path in reversed(modules):
        following = path or following
        after.append(following)
    filled = []
    before: _Path = ()
    for path, following in zip(modules, reversed(after), strict=True):
        before = path or before
        filled.append(path or (_common([before, following]) if before and following else ()))
    return filled


def _common(paths: Sequence[_Path]) -> _Path:
    if not paths:
        return ()
    shared = paths[0]
    for path in paths:
        equal = [a == b for a, b in zip(shared, path, strict=False)]
        shared = shared[: equal.index(False) if False in equal else len(equal)]
    return shared


def _grouped(parts: list[tuple[Part, _Path]], depth: int) -> list[Part]:
    found: list[Part] = []
    for step, run in groupby(parts, key=lambda pair: pair[1][depth] if len(pair[1]) > depth else None):
        inside = list(run)
        if step is None:
            found += [part for part, _ in inside]
            continue
        kind, _, title = step
        inner = _grouped(inside, depth + 1)
        worth = len(inner) > 1 or (kind == "module" and isinstance(inner[0], Operation))
        found += [Scope(kind, title, inner, module=title if kind == "module" else "")] if worth else inner
    return found


# --- repeated structure ----------------------------------------------------------------------------------------------


class _Signatures:
    """Numbers for parts such that equal numbers mean the same sequence of operations."""

    def __init__(self) -> None:
        self.numbers: dict[Hashable, int] = {}

    def of(self, part: Part, place: bool) -> int:
        """The number of a part; with `place`, operations elsewhere in the source are different ones."""
        return self.numbers.setdefault(self._key(part, place), len(self.numbers))

    def _key(self, part: Part, place: bool) -> Hashable:
        if isinstance(part, Scope):
            return part.kind, part.times, tuple([self.of(inner, place) for inner in part.parts])
        node = part.node
        if place:
            return part.name, len(part.inputs), node.code, node.lasti
        return part.name, len(part.inputs), tuple([value.shape for value in part.results])


def _folded(parts: list[Part], signatures: _Signatures) -> list[Part]:
    parts = [_with_folded_parts(part, signatures) if isinstance(part, Scope) else part for part in parts]
    for place in (True, False):
        for _ in range(_PASSES):
            numbers = np.array([signatures.of(part, place) for part in parts], dtype=np.int64)
            found = _shortest_repeats(numbers, least_period=1 if place else 2)
            if not found:
                break
            parts = _fold_at(parts, _from_first_lines(parts, numbers, found))
    return parts


def _with_folded_parts(scope: Scope, signatures: _Signatures) -> Scope:
    parts = _folded(scope.parts, signatures)
    repeat = parts[0]
    if len(parts) == 1 and isinstance(repeat, Scope) and repeat.kind == "repeat":  # a function called in a loop
        title = repeat.title if scope.kind == "module" and repeat.title else scope.title
        return Scope("repeat", title, repeat.parts, repeat.more, module=scope.module or repeat.module)
    return Scope(scope.kind, scope.title, parts, module=scope.module)


def _shortest_repeats(numbers: np.ndarray, least_period: int) -> list[tuple[int, int, int]]:
    """Where a period occurs several times in a row: (start, period, times), for the shortest that saves enough.

    The shortest first: so the inner loop is folded in each time of the outer one, and then that.
    """
    for period in _likely_periods(numbers):
        found = _repeats_of(numbers, period) if period >= least_period else []
        if sum([(times - 1) * period for _, period, times in found]) >= LEAST_SAVED:
            return found
    return []


def _likely_periods(numbers: np.ndarray) -> list[int]:
    """The most frequent distances from one occurrence of a number to its next, the least first."""
    order = np.argsort(numbers, kind="stable")
    same = numbers[order][1:] == numbers[order][:-1]
    distances = np.diff(order)[same]
    frequent = Counter(distances.tolist()).most_common(_PERIODS)
    return sorted([distance for distance, _ in frequent])


def _repeats_of(numbers: np.ndarray, period: int) -> list[tuple[int, int, int]]:
    equal = np.concatenate([[False], numbers[period:] == numbers[:-period], [False]])
    changes = np.flatnonzero(equal[1:] != equal[:-1])
    found = []
    free = 0
    for start, end in zip(changes[::2].tolist(), changes[1::2].tolist(), strict=True):
        begin = max(start, free)
        times = (end - begin) // period + 1
        if times >= LEAST_REPEATS:
            found.append((begin, period, times))
            free = begin + times * period
    return found


def _from_first_lines(
    parts: list[Part], numbers: np.ndarray, found: list[tuple[int, int, int]]
) -> list[tuple[int, int, int]]:
    shifted = []
    free = 0
    for one in found:
        start, period, times = _from_first_line(parts, numbers, free, *one)
        free = start + period * times
        shifted.append((start, period, times))
    return shifted


def _from_first_line(
    parts: list[Part], numbers: np.ndarray, free: int, start: int, period: int, times: int
) -> tuple[int, int, int]:
    """A repeat that begins with the operation highest up in the source, as the body of a loop does.

    Its first time may lack what stands before the repeat; then there is one time less.
    """
    lines = [(_line(part), place) for place, part in enumerate(parts[start : start + period])]
    first = min(lines)[1]
    if first == 0 or times - 1 < LEAST_REPEATS:
        return start, period, times
    begin = start - period + first
    whole = begin >= free and all([_is_time_of(parts, numbers, at, at + period) for at in range(begin, start)])
    return (start - period + first, period, times) if whole else (start + first, period, times - 1)


def _is_time_of(parts: list[Part], numbers: np.ndarray, at: int, then: int) -> bool:
    """Whether a part stands for the same as another, a period later: another operation may begin a sum."""
    one, other = parts[at], parts[then]
    same_line = isinstance(one, Operation) and isinstance(other, Operation) and _line(one) == _line(other)
    return same_line or bool(numbers[at] == numbers[then])


def _line(part: Part) -> int:
    operation = next(part.operations()) if isinstance(part, Scope) else part
    return operation.location.lineno if operation.location is not None else 0


def _fold_at(parts: list[Part], found: list[tuple[int, int, int]]) -> list[Part]:
    folded: list[Part] = []
    position = 0
    for start, period, times in found:
        folded += parts[position:start]
        position = start + period * times
        rounds = [parts[at : at + period] for at in range(start, position, period)]
        folded.append(_repeat(rounds))
    return folded + parts[position:]


def _repeat(rounds: list[list[Part]]) -> Scope:
    first = rounds[0][0]
    if len(rounds[0]) == 1 and isinstance(first, Scope) and first.kind != "repeat":  # a module or a function in a row
        rounds = [one.parts for times in rounds for one in times if isinstance(one, Scope)]
        return Scope("repeat", first.title, rounds[0], rounds[1:], module=first.module)
    return Scope("repeat", "", rounds[0], rounds[1:])


# --- a limit on the whole --------------------------------------------------------------------------------------------


def _limit(root: Scope, most: int) -> None:
    """Close scopes, the innermost first and all of a depth together, and join what still is too much into runs."""
    if _shown(root) > most:
        levels: dict[int, list[Scope]] = {}
        for depth, scope in root.scopes():
            levels.setdefault(depth, []).append(scope)
        for depth in sorted(levels, reverse=True)[:-1]:
            for scope in levels[depth]:
                scope.closed = True
            if _shown(root) <= most:
                return
        length = -(-len(root.parts) // max(1, most // 2))
        root.parts = [_run(root.parts[at : at + length]) for at in range(0, len(root.parts), length)]


def _shown(scope: Scope) -> int:
    """How many nodes a scope shows."""
    if scope.closed:
        return 1
    return sum([_shown(part) if isinstance(part, Scope) else _cost(part) for part in scope.parts])


def _cost(operation: Operation) -> int:
    """An operation with the leaves and tensors that only it uses."""
    return 1 + len([v for v in operation.inputs if v.source is None and v.shape and len(v.users) == 1])


def _run(parts: list[Part]) -> Part:
    if len(parts) == 1:
        return parts[0]
    scope = Scope("run", "", parts, closed=True)
    lines = [op.location for op in scope.operations() if op.location is not None]
    files = {place.filename for place in lines}
    if len(files) == 1:
        numbers = [place.lineno for place in lines]
        ends = (min(numbers), max(numbers))
        scope.title = f"line {ends[0]}" if ends[0] == ends[1] else f"lines {ends[0]} to {ends[1]}"
    return scope


__all__ = ["Part", "Scope", "outline"]
