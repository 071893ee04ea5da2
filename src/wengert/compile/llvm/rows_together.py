"""Rows that are added to sums over rows in memory, some at a time.

Such a sum is loaded and stored for each row, a vector at a time: for short rows that takes as long as the arithmetic.
Here the rows' loop takes some of its rounds together, as far as there are as many: what each computes stands side by
side in one inner loop, what does not depend on the row is computed once, and their sum is added to what lies in memory.
Knows nests and the plan; the emitter runs the body for several rounds, then the rest one by one.
"""

from __future__ import annotations

from typing import Any, Final

from wengert._records import replace
from wengert.compile.llvm.places import names_read, product, total
from wengert.compile.llvm.plan import Plan, weight
from wengert.compile.nest import (
    Acc,
    Affine,
    Buffer,
    Compute,
    Index,
    Indirect,
    Iota,
    Kernel,
    Load,
    Loop,
    Operand,
    Statement,
    Store,
    Tiles,
)

_MOST_WORK: Final = 80.0  # instructions of a vector: with more, the arithmetic hides what memory takes
ROWS: Final = 4  # at a time


def put_together(kernel: Kernel, plan: Plan, dtypes: dict[str, str]) -> None:
    """Give the plan the bodies for several rounds of loops over rows, and the dtypes of the values in them."""
    buffers = {buffer.name: buffer for buffer in kernel.buffers}
    stack: list[Statement] = list(kernel.body)
    while stack:
        s = stack.pop()
        if isinstance(s, Tiles):
            stack += s.loops
        elif isinstance(s, Loop):
            if _goes_together(s, plan, buffers):
                plan.together[id(s)] = _Group(s.axis, plan, dtypes).body(s.body)
            else:
                stack += s.body


# --- which loops -----------------------------------------------------------------------------------------------------


def _goes_together(loop: Loop, plan: Plan, buffers: dict[str, Buffer]) -> bool:
    """Whether a loop goes over short rows, each in lanes, and adds them to sums; but for those its rounds are apart."""
    if loop.accs or loop.carries or loop.vector is False or id(loop) in {*plan.lanes, *plan.unrolled}:
        return False
    inner = [s for s in loop.body if isinstance(s, Loop)]
    if len(inner) != 1 or not all([isinstance(s, (Load, Store, Compute, Iota, Loop)) for s in loop.body]):
        return False
    (row,) = inner
    simple = all([isinstance(s, (Load, Store, Compute, Iota)) for s in row.body]) and not row.carries
    if not simple or id(row) not in plan.lanes or not isinstance(row.extent, int) or row.part is not None:
        return False
    if sum(map(weight, row.body)) > _MOST_WORK:
        return False
    sums = {s.buffer for s in row.body if isinstance(s, Store) and s.add and not _mentions(s.index, loop.axis)}
    return bool(sums) and _are_independent([*loop.body, *row.body], loop.axis, sums, buffers)


def _are_independent(body: list[Statement], axis: str, sums: set[str], buffers: dict[str, Buffer]) -> bool:
    """Whether rounds touch what others write only by adding to the sums."""
    accesses: dict[str, list[Load | Store]] = {}
    for s in body:
        if isinstance(s, (Load, Store)):
            accesses.setdefault(_root(s.buffer, buffers), []).append(s)
    for found in accesses.values():
        if all([isinstance(s, Load) for s in found]):
            continue
        if any([s.buffer in sums for s in found]):
            if len(found) > 1:
                return False
        elif len({(s.buffer, s.index) for s in found}) > 1 or not _is_own(found[0].index, axis):
            return False
    return True


def _root(name: str, buffers: dict[str, Buffer]) -> str:
    alias = buffers[name].alias
    return name if alias is None else _root(alias, buffers)


def _is_own(index: tuple[Index, ...], axis: str) -> bool:
    """Whether each round of a loop has elements of its own."""
    return any([isinstance(i, Affine) and i.terms == ((axis, 1),) for i in index])


def _mentions(index: tuple[Index, ...], axis: str) -> bool:
    return any([not isinstance(i, Affine) or axis in dict(i.terms) for i in index])


# --- the body for several --------------------------------------------------------------------------------------------


class _Group:
    """The statements of several rounds, side by side."""

    def __init__(self, axis: str, plan: Plan, dtypes: dict[str, str]) -> None:
        self.axis, self.plan, self.dtypes = axis, plan, dtypes
        self.names: dict[str, tuple[str, ...]] = {}  # of values that differ between the rounds, one for each

    def body(self, body: tuple[Statement, ...]) -> tuple[Statement, ...]:
        """Statements, each followed by what the other rounds have in its place."""
        return tuple([each for s in body for each in self._all(s)])

    def _all(self, s: Statement) -> list[Statement]:
        if isinstance(s, Loop):
            return [self._loop(s)]
        if isinstance(s, Store):
            return self._stores(s)
        assert isinstance(s, (Load, Compute, Iota))
        if not self._differs(s):
            return [s]
        names = self._named(s.name)
        return [self._in_round(s, k, name) for k, name in enumerate(names)]

    def _differs(self, s: Load | Compute | Iota) -> bool:
        indices = s.index if isinstance(s, Load) else (s.index,) if isinstance(s, Iota) else ()
        moves = any([isinstance(i, Affine) and self.axis in dict(i.terms) for i in indices])
        return moves or any([name in self.names for name in names_read(s)])

    def _in_round(self, s: Load | Compute | Iota, k: int, name: str) -> Statement:
        if isinstance(s, Compute):
            return replace(s, name=name, args=tuple([self._value(arg, k) for arg in s.args]))
        if isinstance(s, Iota):
            return replace(s, name=name, index=self._moved(s.index, k))
        return replace(s, name=name, index=self._place(s.index, k))

    def _stores(self, s: Store) -> list[Statement]:
        if not s.add or _mentions(s.index, self.axis):
            return [replace(s, index=self._place(s.index, k), value=self._value(s.value, k)) for k in range(ROWS)]
        if not isinstance(s.value, str):
            return [s] * ROWS
        found: list[Statement] = []
        whole = s.value
        for k in range(1, ROWS):
            added = f"{s.value}+{k}"
            self.dtypes[added] = self.dtypes[s.value]
            found.append(Compute(added, "add", (whole, self._value(s.value, k)), self.dtypes[added]))
            whole = added
        return [*found, replace(s, value=whole)]

    def _loop(self, s: Loop) -> Loop:
        body, accs = self.body(s.body), []
        for acc in s.accs:
            values = self.names.get(acc.value)
            names = (acc.name,) if values is None else self._named(acc.name)
            accs += [Acc(name, acc.op, value) for name, value in zip(names, values or (acc.value,), strict=True)]
        several = replace(s, body=body, accs=tuple(accs))
        self.plan.lanes[id(several)] = self.plan.lanes[id(s)]
        return several

    def _named(self, name: str) -> tuple[str, ...]:
        names = self.names[name] = (name, *[f"{name}.{k}" for k in range(1, ROWS)])
        for each in names:
            self.dtypes[each] = self.dtypes[name]
        return names

    def _value(self, operand: Operand, k: int) -> Any:
        names = self.names.get(operand) if isinstance(operand, str) else None
        return operand if names is None else names[k]

    def _place(self, index: tuple[Index, ...], k: int) -> tuple[Index, ...]:
        return tuple([self._moved(i, k) if isinstance(i, Affine) else Indirect(self._value(i.value, k)) for i in index])

    def _moved(self, index: Affine, k: int) -> Affine:
        """The place some rounds further on."""
        step = dict(index.terms).get(self.axis, 0)
        return replace(index, offset=total(index.offset, product(step, k))) if step != 0 and k else index


__all__ = ["ROWS", "put_together"]
