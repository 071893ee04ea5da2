"""What a function's names from outside (globals, variables of the functions around it) stood for when it was traced.

A program holds the numbers that such names had, and reads the tensors that they had. Where a name stands for another
one later, the program is not the function any more. Knows functions and their names, not programs.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from types import CellType, CodeType, FunctionType, MethodType
from typing import Any, Final, NamedTuple

from wengert.engine.base import TensorBase

_NUMBERS: Final = (bool, int, float, complex, str)
_OWN: Final = "wengert."
_MOST: Final = 200  # functions that are looked through


class _Binding(NamedTuple):
    place: Any  # a dictionary of globals, or a cell
    name: str
    value: Any

    def holds(self) -> bool:
        """Whether the name stands for what it stood for."""
        now = self.place.get(self.name) if self.place.__class__ is dict else _content(self.place)
        return now is self.value or (
            now.__class__ is self.value.__class__ and now.__class__ in _NUMBERS and repr(now) == repr(self.value)
        )


class Bindings:
    """The names of numbers and tensors in a function, and in the functions that it names.

    What the function itself changes while it is traced (a count of its calls) is left out.
    """

    __slots__ = ("_noted",)

    def __init__(self, function: Callable[..., Any]) -> None:
        self._noted = tuple(_bindings(function))

    def __bool__(self) -> bool:
        return bool(self._noted)

    def close(self) -> None:
        """The function was traced: what it changed is no part of what it depends on."""
        self._noted = tuple([binding for binding in self._noted if binding.holds()])

    def hold(self) -> bool:
        """Whether all names stand for what they stood for."""
        return all([binding.holds() for binding in self._noted])


def _bindings(function: Callable[..., Any]) -> Iterator[_Binding]:
    waiting: list[Any] = _functions(function)
    seen: set[int] = set()
    while waiting and len(seen) < _MOST:
        found = _plain_function(waiting.pop())
        if found is None or id(found) in seen:
            continue
        seen.add(id(found))
        # A transform's names stand for the same for ever; it bears its function's `__module__`.
        is_own = str(found.__globals__.get("__name__", "")).startswith(_OWN)
        for place, name, value in _named(found, closure_only=is_own):
            if isinstance(value, TensorBase) or value.__class__ in _NUMBERS:
                if not is_own:
                    yield _Binding(place, name, value)
            else:
                waiting += _functions(value)


def _functions(x: Any) -> list[Any]:
    """What may be called by a value: itself, or what a module and the modules in it do."""
    if isinstance(x, MethodType) and hasattr(x.__self__, "modules"):
        return [x.__func__, *_functions(x.__self__)]
    if isinstance(x, (FunctionType, MethodType, functools.partial)) or "__wrapped__" in getattr(x, "__dict__", ()):
        return [x]
    if hasattr(type(x), "forward") and hasattr(type(x), "modules"):
        return [type(m).forward for m in x.modules() if not type(m).__module__.startswith(_OWN)]
    return []


def _plain_function(x: Any) -> FunctionType | None:
    """The function in Python behind a method, a partial function or a wrapper."""
    while not isinstance(x, FunctionType):
        x = next((getattr(x, name) for name in ("func", "__func__", "__wrapped__") if hasattr(x, name)), None)
        if x is None:
            return None
    return x


def _named(function: FunctionType, *, closure_only: bool) -> Iterator[tuple[Any, str, Any]]:
    """The places of a function's names from outside, the names, and what they stand for."""
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        yield cell, name, _content(cell)
    known = function.__globals__
    for name in () if closure_only else _names(function.__code__):
        if name in known:
            yield known, name, known[name]


@functools.lru_cache(4096)
def _names(code: CodeType) -> tuple[str, ...]:
    """The names that code and the code within it look up, attributes among them."""
    inner = [name for constant in code.co_consts if isinstance(constant, CodeType) for name in _names(constant)]
    return tuple(dict.fromkeys([*code.co_names, *inner]))


def _content(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # nothing was put there yet
        return None


__all__ = ["Bindings"]
