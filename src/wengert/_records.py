"""Immutable records: frozen dataclasses with slots, in a sixth of the time that it takes to define one.

A dataclass compiles the source text of each of its methods, half a millisecond for a class. Whoever wants a kernel that
lies ready on disk would wait for some thirty classes longer than for the kernel.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any, NoReturn, TypeVar, dataclass_transform, overload

_Class = TypeVar("_Class", bound=type)
_Record = TypeVar("_Record")


@overload
def record(cls: _Class) -> _Class: ...
@overload
def record(*, hidden: tuple[str, ...]) -> Callable[[_Class], _Class]: ...
@dataclass_transform(frozen_default=True)
def record(cls: Any = None, *, hidden: tuple[str, ...] = ()) -> Any:
    """A class whose annotations are its fields, as an immutable record.

    Args:
        cls: the class, which has fields and no bases. They may have defaults, methods may not use ``super()``.
        hidden: the fields that are neither compared nor shown.
    """
    if cls is None:
        return lambda cls: _made(cls, hidden)
    return _made(cls, ())


def _made(cls: type, hidden: tuple[str, ...]) -> Any:
    names = tuple(cls.__annotations__)
    members = {name: value for name, value in vars(cls).items() if name not in ("__dict__", "__weakref__", *names)}
    defaults = {name: vars(cls)[name] for name in names if name in vars(cls)}
    shown = tuple([name for name in names if name not in hidden])
    members |= {"__slots__": names, "__match_args__": names, "_shown": shown}
    own: Any = type(cls.__name__, (), members)
    own.__init__ = _initializer(own, names, defaults)
    own.__setattr__, own.__delattr__ = _refuse, _refuse
    own.__reduce__ = _reduced
    for name, method in (("__repr__", _text), ("__eq__", _equality(shown)), ("__hash__", _hash(shown))):
        if name not in members or members[name] is None:
            setattr(own, name, method)
    return own


def _initializer(cls: type, names: tuple[str, ...], defaults: dict[str, Any]) -> Any:
    """``__init__``, which puts each argument in its slot."""
    arguments = ["self", *[f"{name}=defaults[{name!r}]" if name in defaults else name for name in names]]
    lines = [f"    put_{name}(self, {name})" for name in names]
    scope: dict[str, Any] = {f"put_{name}": vars(cls)[name].__set__ for name in names}
    scope["defaults"] = defaults
    exec(f"def __init__({', '.join(arguments)}):\n" + "\n".join(lines or ["    pass"]), scope)
    return scope["__init__"]


def _equality(names: tuple[str, ...]) -> Any:
    values = attrgetter(*names)

    def equal(self: Any, other: Any) -> Any:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return self is other or values(self) == values(other)

    return equal


def _hash(names: tuple[str, ...]) -> Any:
    values = attrgetter(*names)
    return lambda self: hash(values(self))


def _text(self: Any) -> str:
    fields = [f"{name}={getattr(self, name)!r}" for name in self._shown]
    return f"{self.__class__.__qualname__}({', '.join(fields)})"


def _refuse(self: Any, name: str, *_: Any) -> NoReturn:
    raise AttributeError(f"{self.__class__.__name__} is immutable: replace() gives one with another {name}")


def _reduced(self: Any) -> Any:
    return self.__class__, tuple([getattr(self, name) for name in self.__slots__])


def replace(original: _Record, **changes: Any) -> _Record:
    """The same record with other values of some fields."""
    names: tuple[str, ...] = original.__class__.__slots__  # type: ignore[attr-defined]
    rest = {name: changes.pop(name) if name in changes else getattr(original, name) for name in names}
    return original.__class__(**rest, **changes)


__all__ = ["record", "replace"]
