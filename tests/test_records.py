"""Immutable records."""

from __future__ import annotations

import copy
import pickle
from dataclasses import dataclass
from typing import Any

import pytest

from wengert._records import record, replace


@record
class Point:
    """A place."""

    x: float
    y: float = 0.0
    names: tuple[str, ...] = ()

    @property
    def sum(self) -> float:
        return self.x + self.y


@record(hidden=("note",))
class Noted:
    value: int
    note: Any = None


@dataclass(frozen=True, slots=True)
class Same:
    x: float
    y: float = 0.0
    names: tuple[str, ...] = ()


def test_they_are_made_as_dataclasses_are() -> None:
    for args, options in (((1.0,), {}), ((1.0, 2.0), {"names": ("a",)}), ((), {"y": 3.0, "x": 4.0})):
        mine, theirs = Point(*args, **options), Same(*args, **options)
        assert (mine.x, mine.y, mine.names) == (theirs.x, theirs.y, theirs.names)
        assert repr(mine) == repr(theirs).replace("Same", "Point")
    assert Point(1.0, 2.0).sum == 3.0
    assert Point.__doc__ == "A place."
    for wrong in ((), (1, 2, 3, 4)):
        with pytest.raises(TypeError, match="argument"):
            Point(*wrong)
    with pytest.raises(TypeError, match="unexpected keyword"):
        Point(1.0, z=2.0)  # type: ignore[call-arg]


def test_equality_and_hashes_go_by_class_and_fields() -> None:
    assert Point(1.0) == Point(1.0)
    assert Point(1.0) != Point(2.0)
    assert Point(1.0) != Same(1.0)
    assert hash(Point(1.0, names=("a",))) == hash(Point(1.0, names=("a",)))
    assert len({Point(1.0), Point(1.0), Point(2.0)}) == 2
    assert Noted(1, [2]) == Noted(1, [3])
    assert hash(Noted(1, [2])) == hash(Noted(1))
    assert repr(Noted(1, [2])) == "Noted(value=1)"


def test_they_do_not_change() -> None:
    p = Point(1.0)
    with pytest.raises(AttributeError, match=r"Point is immutable: replace\(\) gives one with another x"):
        p.x = 2.0  # type: ignore[misc]
    with pytest.raises(AttributeError, match="immutable"):
        del p.x
    with pytest.raises(AttributeError):
        p.other = 1  # type: ignore[attr-defined]
    assert not hasattr(p, "__dict__")
    assert replace(p, y=5.0) == Point(1.0, 5.0)
    assert p == Point(1.0)
    with pytest.raises(TypeError, match="unexpected keyword"):
        replace(p, z=5.0)


def test_they_are_matched_and_copied() -> None:
    match Point(1.0, 2.0):
        case Point(x, y):
            assert (x, y) == (1.0, 2.0)
        case _:
            pytest.fail("no match")
    p = Point(1.0, names=("a",))
    for copied in (copy.copy(p), copy.deepcopy(p), pickle.loads(pickle.dumps(p))):
        assert copied == p
        assert type(copied) is Point
