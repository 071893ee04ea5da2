"""Where tracking ended inside of what a statement calls, by what was noted while it ran.

Knows which functions a function may call, and the list of the latest cuts. Knows no source but the line of a note.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import CodeType, FunctionType, MethodType
from typing import Any

from wengert._names import attribute_of
from wengert._source import Location, is_passed_over, locate
from wengert.engine.past import SWITCHES, Cut, recent_cuts

_MOST = 500  # functions looked at
_ON = "set_grad_enabled(True)"
_BLOCKS = ("with ", "async with ", "@")


def reachable_codes(value: Any) -> Iterator[CodeType]:
    """The code of the user's functions that may run when ``value`` is called, as far as names tell: itself first."""
    pending: list[Any] = [value]
    seen: set[int] = set()
    while pending and len(seen) < _MOST:
        called = pending.pop(0)
        if id(called) in seen or called is None:
            continue
        seen.add(id(called))
        owner, function = _function_of(called)
        if function is None:
            continue
        wrapped = function.__dict__.get("__wrapped__")
        if wrapped is not None:
            pending.append(wrapped if owner is None else MethodType(wrapped, owner))
        if is_passed_over(function.__code__.co_filename):
            continue
        for code in _with_inner(function.__code__):
            yield code
            pending += _named(function, code, owner)


def _function_of(value: Any) -> tuple[Any, FunctionType | None]:
    """The function that runs, and the object that it is called on, if so."""
    owner = None
    if type(value) is MethodType:
        owner, value = value.__self__, value.__func__
    if type(value) in (staticmethod, classmethod):
        value = value.__func__
    if type(value) is FunctionType:
        return owner, value
    if isinstance(value, type):
        return None, None
    for name in ("forward", "__call__"):
        found = attribute_of(value, name, methods=True)
        if type(found) is FunctionType and not is_passed_over(found.__code__.co_filename):
            return value, found
    return None, None


def _with_inner(code: CodeType) -> Iterator[CodeType]:
    """A function's code and that of the functions that are written in it."""
    yield code
    for constant in code.co_consts:
        if type(constant) is CodeType:
            yield from _with_inner(constant)


def _named(function: FunctionType, code: CodeType, owner: Any) -> Iterator[Any]:
    """What the names in a code object may stand for: globals, closed-over variables, and parts of those."""
    found = [function.__globals__[name] for name in code.co_names if name in function.__globals__]
    for cell in function.__closure__ or ():
        try:
            found.append(cell.cell_contents)
        except ValueError:  # not filled yet
            continue
    yield from found
    for holder in (*found, owner):
        if holder is None or type(holder) is FunctionType:
            continue
        for name in code.co_names:
            part = attribute_of(holder, name, methods=True)
            if type(part) is FunctionType and not isinstance(holder, type) and holder is owner:
                part = MethodType(part, owner)
            if part is not None:
                yield part


def noted_inside(value: Any) -> Cut | None:
    """The latest place inside of what runs when ``value`` is called where tracking was switched off, else cut."""
    codes = set(map(id, reachable_codes(value)))
    inside = [cut for cut in reversed(recent_cuts()) if id(cut.code) in codes and cut.how != _ON]
    return next((cut for cut in inside if cut.how in SWITCHES), inside[0] if inside else None)


def switched_before(code: CodeType, line: int) -> Cut | None:
    """Where the same function switched tracking off for good, or until later, before one of its lines; None if not."""
    for cut in reversed(recent_cuts()):
        if cut.code is not code or cut.how not in (*SWITCHES, _ON):
            continue
        at = locate(cut.code, cut.lasti)
        text = at.source_line() if at is not None else None
        if at is None or text is None or at.lineno > line or text.lstrip().startswith(_BLOCKS):
            continue
        return cut if cut.how != _ON else None
    return None


def latest_in(filename: str | None) -> Cut | None:
    """The latest place in a file, at a prompt, or anywhere, where tracking was switched off or a tensor was cut."""
    cuts = [cut for cut in recent_cuts() if cut.how != _ON and filename in (None, cut.code.co_filename)]
    return cuts[-1] if cuts else None


def said_of(cut: Cut, location: Location | None) -> str:
    """``tracking was switched off by no_grad() at train.py:3``."""
    what = "tracking was switched off" if cut.how in SWITCHES else "a tensor was cut"
    return f"{what} by {cut.how} at {location or 'an unknown place'}"


__all__ = ["latest_in", "noted_inside", "reachable_codes", "said_of", "switched_before"]
