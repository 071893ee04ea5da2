"""What has to be as it was for a program to hold: each guard reads one thing anew at a call and compares.

Objects are compared by identity, numbers and texts by their values. Machine code compares identities alone
(:mod:`.runtime.guard_code`); where that says no, Python looks at values, and remembers the new object if it is equal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from types import CellType, MethodType
from typing import Any, Final

import numpy as np

from wengert import _threads
from wengert._traced import EDITS
from wengert.compile.paths import ITEMS
from wengert.compile.runtime import layout
from wengert.compile.runtime.guard_code import ATTRIBUTE, FIELD, ITEM, METHOD, SIZE, WANTED, WORDS

ABSENT: Final = object()
_PLAIN: Final = (bool, int, float, complex, str, bytes)


def same(a: Any, b: Any) -> bool:
    """Whether two values are one, or equal numbers or texts of one type (-0.0 is not 0.0), or tuples of such."""
    if a is b:
        return True
    if a.__class__ is not b.__class__:
        return False
    if a.__class__ is tuple:
        return len(a) == len(b) and all([same(x, y) for x, y in zip(a, b, strict=True)])
    return a.__class__ in _PLAIN and repr(a) == repr(b)


class Guard:
    """One thing that is compared: what ``key`` leads to at ``place``, which was ``value``."""

    __slots__ = ("key", "place", "value")
    kind: int = ITEM

    def __init__(self, place: Any, key: Any, value: Any) -> None:
        self.place = place
        self.key = key
        self.value = value

    def read(self) -> Any:
        """What is there now."""
        return self.place[self.key]

    def now(self) -> Any:
        """What is there now; ``ABSENT`` where reading it raises, which the function will do itself."""
        try:
            return self.read()
        except Exception:  # noqa: BLE001 - an attribute or item of the user may raise anything
            return ABSENT

    def holds(self, now: Any) -> bool:
        """Whether this, which is there now, will do for what was there."""
        return same(now, self.value)

    def words(self) -> list[int]:
        """For machine code: kind, place, key, what is wanted, and whose method it has to be."""
        return [self.kind, id(self.place), id(self.key), self.wanted(self.value), 0]

    def wanted(self, value: Any) -> int:
        """What machine code compares."""
        return id(value)

    def about(self) -> Any:
        """Equal for guards that look at the same thing."""
        return self.kind, id(self.place), id(self.key)

    def is_set_by(self, names: AbstractSet[str]) -> bool:
        """Whether code that sets these names (:class:`.paths.Reads`) may set what is there."""
        return self.key in names or (self.kind in (ITEM, SIZE) and ITEMS in names)


class Item(Guard):
    """An item of a dictionary (a module's globals among them) or of a list."""

    __slots__ = ()


class Attribute(Guard):
    """An attribute of an object."""

    __slots__ = ()
    kind = ATTRIBUTE

    def read(self) -> Any:
        """What is there now."""
        return getattr(self.place, self.key)


class Method(Guard):
    """The function behind a method, which is another object each time that someone asks for it."""

    __slots__ = ("owner",)
    kind = METHOD

    def __init__(self, place: Any, key: Any, value: Any, owner: Any) -> None:
        super().__init__(place, key, value)
        self.owner = owner

    def read(self) -> Any:
        """What is there now."""
        found = getattr(self.place, self.key)
        return found.__func__ if found.__class__ is MethodType and found.__self__ is self.owner else ABSENT

    def words(self) -> list[int]:
        """For machine code."""
        return [*super().words()[:-1], id(self.owner)]


class Size(Guard):
    """How many members a list or a dictionary has."""

    __slots__ = ()
    kind = SIZE

    def __init__(self, place: Any) -> None:
        super().__init__(place, None, len(place))

    def read(self) -> Any:
        """What is there now."""
        return len(self.place)

    def wanted(self, value: Any) -> int:
        """What machine code compares."""
        return int(value)


class Cell(Guard):
    """A variable of a function around; ``ABSENT`` before anything is bound to it."""

    __slots__ = ()
    kind = FIELD
    place: CellType

    def read(self) -> Any:
        """What is there now."""
        return self.place.cell_contents

    def words(self) -> list[int]:
        """For machine code."""
        return [self.kind, id(self.place) + layout.CONTENT, 0, self.wanted(self.value), 0]

    def wanted(self, value: Any) -> int:
        """What machine code compares."""
        return 0 if value is ABSENT else id(value)


class Edited(Guard):
    """Whether an attribute of any module was set: then ``holds`` says whether the ones that count are as they were."""

    __slots__ = ("_hold", "_mark")
    kind = FIELD

    def __init__(self, hold: Callable[[], bool], mark: Any) -> None:
        super().__init__(EDITS, "count", EDITS.count)
        self._hold = hold
        self._mark = mark

    def read(self) -> Any:
        """What is there now."""
        return EDITS.count

    def holds(self, now: Any) -> bool:
        """Whether what is there now will do."""
        return now is self.value or self._hold()

    def words(self) -> list[int]:
        """For machine code."""
        return [self.kind, id(EDITS) + (_offset_of_count() or 0), 0, id(self.value), 0]

    def about(self) -> Any:
        """Equal for guards that look at the same thing."""
        return self.kind, self._mark


@_threads.once
def _offset_of_count() -> int | None:
    return layout.slot_offset(type(EDITS)(), "count")


class Guards:
    """Guards of one program, one after the other: a path's first step comes before the second."""

    def __init__(self, guards: Iterable[Guard]) -> None:
        self._guards = tuple(guards)
        self._table: Any = None
        self._fast: Callable[[], bool] | None = None
        self._lock = _threads.Lock()
        self._followers: dict[int, tuple[Callable[[Any], bool], Callable[[Any], None]]] = {}

    def follow(self, value: Any, takes: Callable[[Any], bool], put: Callable[[Any], None]) -> None:
        """Let another object be in the place of a value if ``takes`` says so: ``put`` is told then.

        Only for what one guard alone looks at: two names that stood for one thing must go on to do so.
        """
        numbers = [number for number, guard in enumerate(self._guards) if guard.value is value]
        if len(numbers) == 1:
            self._followers[numbers[0]] = takes, put

    def __len__(self) -> int:
        return len(self._guards)

    def __iter__(self) -> Iterator[Guard]:
        return iter(self._guards)

    def without_changed(self, sets: AbstractSet[str]) -> tuple[Guards, frozenset[Any]]:
        """Those that still hold: what a function changes itself while it is traced is no guard.

        What others do not hold for may have been changed by another thread, if not by code that sets these names.
        """
        held = [guard.holds(guard.now()) for guard in self._guards]
        kept = [guard for guard, holds in zip(self._guards, held, strict=True) if holds]
        gone = [guard for guard, holds in zip(self._guards, held, strict=True) if not holds]
        return Guards(kept), frozenset([guard.about() for guard in gone if not guard.is_set_by(sets)])

    def hold(self) -> bool:
        """Whether everything is as it was."""
        if self._fast is not None and self._fast():
            return True
        for number, guard in enumerate(self._guards):
            now = guard.now()
            if now is not guard.value:
                takes = self._followers[number][0] if number in self._followers else guard.holds
                if not takes(now):
                    return False
                self._remember(number, now)
        return True

    def _remember(self, number: int, now: Any) -> None:
        """An equal object is in the place of the old one, which lives until machine code has forgotten its address."""
        guard = self._guards[number]
        with self._lock.held:
            if number in self._followers:  # first: machine code that finds the new one under its name has to have it
                self._followers[number][1](now)
            old, guard.value = guard.value, now
            if self._table is not None:
                self._table[number, WANTED] = guard.wanted(now)
            del old

    def table(self) -> Any:
        """The guards as words for machine code, which live as long as this object; None if they cannot be had."""
        if any([guard.place is EDITS for guard in self._guards]) and not _offset_of_count():
            return None
        with self._lock.held:
            if self._table is None:
                rows = [guard.words() for guard in self._guards]
                self._table = np.array(rows, np.int64).reshape(-1, WORDS)
        return self._table

    def use(self, schedule: Any) -> None:
        """Ask machine code first, which compares identities, if what runs the program is that."""
        table = self.table() if schedule is not None and self._guards else None
        self._fast = None if table is None else schedule.all_hold(table)

    @property
    def mark(self) -> Any:
        """Equal for guards that look at the same things."""
        return tuple([guard.about() for guard in self._guards])


__all__ = ["ABSENT", "Attribute", "Cell", "Edited", "Guard", "Guards", "Item", "Method", "Size", "same"]
