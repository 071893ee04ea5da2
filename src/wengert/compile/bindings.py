"""What a function reads from outside of it, as guards: what names stood for, and what it takes of that.

A program holds the numbers that such names had, and reads the tensors that they had. Where a name stands for another
one later, the program is not the function any more. Which names and attributes those are, code tells
(:mod:`.paths`); what they stand for is looked up before the function is traced. Knows functions and objects, not
programs.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from types import (
    BuiltinFunctionType,
    CellType,
    ClassMethodDescriptorType,
    CodeType,
    FunctionType,
    MappingProxyType,
    MemberDescriptorType,
    MethodDescriptorType,
    MethodType,
    ModuleType,
    NoneType,
    WrapperDescriptorType,
)
from typing import Any, Final, NamedTuple

import numpy as np

from wengert._source import is_passed_over
from wengert._tree import flatten
from wengert.compile.guards import ABSENT, Attribute, Cell, Guard, Item, Method, Size, same
from wengert.compile.paths import CHANGES, Path, reads
from wengert.engine.base import TensorBase

_OWN: Final = "wengert"
_MOST: Final = 200  # functions that are looked through
_MOST_MEMBERS: Final = 1000  # of a list or a dictionary that are guarded
_ALL: Final = frozenset({"getattr", "vars", "__dict__", "asdict", "astuple"})  # what reads any attribute
_GETITEMS: Final = (dict.__getitem__, list.__getitem__, tuple.__getitem__)
_VALUES: Final = (
    *(TensorBase, np.ndarray, np.generic, np.dtype),
    *(bool, int, float, complex, str, bytes, NoneType, list, tuple, dict, set, frozenset),
)
_SIZES: Final = (dict.__len__, list.__len__, tuple.__len__)
_BUILTIN: Final = (MethodDescriptorType, WrapperDescriptorType, BuiltinFunctionType, ClassMethodDescriptorType)


class _Scope(NamedTuple):
    """Where a function's names are looked up."""

    known: dict[str, Any]  # globals
    cells: dict[str, CellType]
    values: dict[str, Any]  # of parameters that are known: defaults, whose method it is


class Surroundings:
    """The guards of a function and of the functions that it names, and the modules of which these read attributes.

    Names of Python modules are no guards, and neither is anything inside of this package, of Python's library and of
    NumPy.
    """

    def __init__(
        self, function: Callable[..., Any], args: Sequence[Any] = (), kwargs: Mapping[str, Any] = MappingProxyType({})
    ) -> None:
        self.modules: list[Any] = []
        self.sets: set[str] = set()  # what the functions set themselves (:class:`.paths.Reads`)
        self._guards: dict[Any, Guard] = {}
        self._names: set[str] = set()
        self._waiting: list[tuple[FunctionType, dict[str, Any]]] = []
        self._seen: set[Any] = set()
        self._kept: list[Any] = []  # whatever an id in `_seen` stands for
        self._whole: dict[int, tuple[Any, set[str]]] = {}  # objects that are passed on, and names looked up in them
        self._count = 0
        self._called(function, args, kwargs)
        while self._waiting or self._pass_on():
            while self._waiting:
                self._function(*self._waiting.pop())

    @property
    def guards(self) -> list[Guard]:
        """The guards, in the order in which the function can read what they are about."""
        return list(self._guards.values())

    def _is_new(self, *key: Any) -> bool:
        mark = tuple(map(id, key))
        if mark in self._seen:
            return False
        self._seen.add(mark)
        self._kept.append(key)
        return True

    def _guard(self, guard: Guard) -> Any:
        return self._guards.setdefault((guard.kind, id(guard.place), _key(guard.key)), guard).value

    # --- functions ------------------------------------------------------------------------------------------------

    def _called(self, function: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        """The function of all, with the objects that it gets as arguments: a method's own object may be one."""
        self._use(function)
        plain = function.__func__ if isinstance(function, MethodType) else function
        first = [function.__self__] if isinstance(function, MethodType) else []
        direct = [*args, *kwargs.values()]
        if isinstance(plain, FunctionType) and not _is_of_package(plain):
            known = [x if _is_object(x) else ABSENT for x in args]
            self._call(plain, *first, *known, **{name: x if _is_object(x) else ABSENT for name, x in kwargs.items()})
            direct = [x for x in direct if not _is_object(x)]
        for x in flatten(direct)[0]:
            if _is_object(x):
                self._use(x)

    def _call(self, function: FunctionType, *first: Any, **values: Any) -> None:
        """Look through a function soon, with these values for its first parameters."""
        code = function.__code__
        bound = dict(zip(code.co_varnames[: code.co_argcount], first, strict=False)) | values
        if self._count < _MOST and self._is_new(function, *bound.values()):
            self._count += 1
            self._waiting.append((function, bound))

    def _function(self, function: FunctionType, bound: dict[str, Any]) -> None:
        code = function.__code__
        cells = dict(zip(code.co_freevars, function.__closure__ or (), strict=True))
        if _is_of_package(function):
            # A transform's names stand for the same for ever: but it calls functions.
            for cell in cells.values():
                self._callable(_content(cell))
            return
        if is_passed_over(code.co_filename):
            return
        defaults = function.__defaults__ or ()
        if defaults:
            self._guard(Attribute(function, "__defaults__", defaults))
        parameters = code.co_varnames[: code.co_argcount]
        values = dict(zip(parameters[len(parameters) - len(defaults) :], defaults, strict=True))
        for name, value in (function.__kwdefaults__ or {}).items():
            values[name] = self._guard(Item(function.__kwdefaults__, name, value))
        self._code(code, _Scope(function.__globals__, cells, values | bound))
        if "super" in code.co_names and code.co_varnames[0] in bound:
            self._classes_above(bound[code.co_varnames[0]], code.co_names)

    def _classes_above(self, x: Any, names: tuple[str, ...]) -> None:
        """The methods of these names that any class of an object has: ``super`` calls one of them."""
        for base in type(x).__mro__:
            for name in names:
                member = vars(base).get(name) if _is_users(base) else None
                if isinstance(member, FunctionType):
                    self._guard(Attribute(base, name, member))
                    self._call(member, x)

    def _code(self, code: CodeType, scope: _Scope) -> None:
        found = reads(code)
        self._names |= found.names
        self.sets |= found.sets
        values = {name: value for name, value in scope.values.items() if name not in found.bound}
        scope = scope._replace(values=values)
        for name, path in found.others.items():
            value = self._follow(path, scope)
            if value is not ABSENT:
                values[name] = value
        for path in found.paths:
            value = self._follow(path, scope)
            if path.is_used:
                self._use(value)
        for inner in found.inner:
            shared = {name: values[name] for name in inner.co_freevars if name in values}
            self._code(inner, _Scope(scope.known, scope.cells, shared))

    def _follow(self, path: Path, scope: _Scope) -> Any:
        """What a path leads to; guards for its steps. ABSENT if that cannot be told without running anything."""
        value = self._named(path, scope)
        for is_item, key in path.steps:
            if value is ABSENT:
                break
            value = self._item(value, key) if is_item else self._attribute(value, key)
        return value

    def _named(self, path: Path, scope: _Scope) -> Any:
        name = path.name
        if not path.is_global:
            cell = scope.cells.get(name)
            return scope.values.get(name, ABSENT) if cell is None else self._guard(Cell(cell, name, _content(cell)))
        if name not in scope.known:
            return ABSENT
        value = scope.known[name]
        return value if isinstance(value, ModuleType) else self._guard(Item(scope.known, name, value))

    # --- steps ----------------------------------------------------------------------------------------------------

    def _attribute(self, x: Any, name: str) -> Any:
        if isinstance(x, ModuleType):
            return self._of_import(x, name)
        if isinstance(x, (dict, list, tuple, set)):
            if name in getattr(type(x), "_fields", ()):
                return getattr(x, name)
            if isinstance(_static(type(x), name), _BUILTIN):
                if name not in CHANGES:
                    self._use(x)
                return ABSENT
        if isinstance(x, type):
            return self._of_class(x, name)
        if isinstance(x, TensorBase) or (_is_own(type(x)) and not _is_module(x)):
            return ABSENT
        if _is_module(x):
            self.modules.append(x)
        return self._of_instance(x, name)

    def _of_import(self, x: ModuleType, name: str) -> Any:
        known = x.__dict__
        if name not in known or is_passed_over(getattr(x, "__file__", None) or "<frozen "):
            return ABSENT
        value = known[name]
        return value if isinstance(value, ModuleType) else self._guard(Item(known, name, value))

    def _of_class(self, cls: type, name: str) -> Any:
        found = _static(cls, name)
        if _is_own(cls) or found is ABSENT:
            return ABSENT
        self._members(cls)
        if isinstance(found, classmethod):
            return self._method(cls, name, found.__func__, cls)
        if isinstance(found, (FunctionType, staticmethod)) or not hasattr(type(found), "__get__"):
            return self._guard(Attribute(cls, name, getattr(cls, name)))
        return ABSENT

    def _of_instance(self, x: Any, name: str) -> Any:
        cls = type(x)
        found = _static(cls, name)
        if isinstance(found, (property, functools.cached_property)):
            getter = found.fget if isinstance(found, property) else found.func
            if isinstance(getter, FunctionType):
                self._call(getter, x)
            return self._guard(Attribute(x, name, x.__dict__[name])) if name in getattr(x, "__dict__", ()) else ABSENT
        is_function = isinstance(found, (FunctionType, staticmethod, classmethod, MemberDescriptorType))
        is_computed = found is not ABSENT and not is_function and hasattr(type(found), "__get__")
        if is_computed or isinstance(_static(cls, "__getattribute__"), FunctionType):
            return ABSENT
        try:
            value = getattr(x, name)
        except Exception:  # noqa: BLE001 - an attribute of the user: the function says it, if it comes to that
            return ABSENT
        if value.__class__ is MethodType and isinstance(value.__func__, FunctionType):
            return self._method(x, name, value.__func__, value.__self__)
        if _is_module(x) and found is ABSENT and (name[0] != "_" or name not in x.__dict__):
            return value  # settings of modules are compared once one was set
        if not same(value, getattr(x, name)):  # made anew each time
            return value
        return self._guard(Attribute(x, name, value))

    def _method(self, x: Any, name: str, function: Any, owner: Any) -> Any:
        if not _is_module(x) or str(function.__module__).split(".")[0] != _OWN:
            self._guard(Method(x, name, function, owner))
            self._call(function, owner)
        return ABSENT

    def _item(self, x: Any, key: Any) -> Any:
        cls = type(x)
        if isinstance(x, TensorBase) or not hasattr(cls, "__getitem__") or _is_own(cls):
            return ABSENT
        if isinstance(x, tuple) and cls.__getitem__ is tuple.__getitem__:
            return x[key] if isinstance(key, int) and -len(x) <= key < len(x) else ABSENT
        if cls.__getitem__ not in _GETITEMS or hasattr(cls, "__missing__"):
            self._use(x)
            return ABSENT
        if key not in x if isinstance(x, dict) else not isinstance(key, int) or not -len(x) <= key < len(x):
            return ABSENT
        return self._guard(Item(x, key, x[key]))

    # --- what is used as a whole ------------------------------------------------------------------------------------

    def _use(self, x: Any) -> None:
        """Something is done with a value: it is called, passed on, iterated."""
        if x is ABSENT or isinstance(x, (TensorBase, ModuleType)):
            return
        if isinstance(x, (list, tuple, dict)):
            self._contents(x)
        elif isinstance(x, type):
            self._members(x)
        else:
            self._callable(x)

    def _contents(self, x: Any) -> None:
        if not self._is_new(x) or len(x) > _MOST_MEMBERS:
            return
        cls = type(x)
        if cls.__getitem__ in _GETITEMS and cls.__len__ in _SIZES:
            if not isinstance(x, tuple):
                self._guard(Size(x))
            for key in list(x) if isinstance(x, dict) else range(len(x)):
                self._use(x[key] if isinstance(x, tuple) else self._guard(Item(x, key, x[key])))
        if hasattr(x, "__dict__"):
            self._whole.setdefault(id(x), (x, set()))

    def _callable(self, x: Any) -> None:
        """What may be called by a value: itself, or what a module and the modules in it do."""
        if isinstance(x, FunctionType):
            self._call(x)
        elif isinstance(x, MethodType):
            if _is_module(x.__self__):
                self._use(x.__self__)
            if isinstance(x.__func__, FunctionType):
                self._call(x.__func__, x.__self__)
        elif isinstance(x, functools.partial):
            self._partial(x)
        elif "__wrapped__" in getattr(x, "__dict__", ()):
            self._use(x.__wrapped__)
        elif _is_module(x):
            self._forwards(x)
        elif _is_users(type(x)):
            self._whole.setdefault(id(x), (x, set()))
            call = _static(type(x), "__call__")
            if isinstance(call, FunctionType):
                self._call(call, x)

    def _partial(self, x: Any) -> None:
        self._use(x.func)
        if isinstance(x.func, FunctionType):
            self._call(x.func, *x.args, **x.keywords)
        for given in (*x.args, *x.keywords.values()):
            self._use(given)

    def _forwards(self, net: Any) -> None:
        for m in net.modules():
            if not _is_own(type(m)) and self._is_new(m):
                self._call(type(m).forward, m)

    def _members(self, cls: type) -> None:
        """What a class of the user may do: its functions, of whatever instance."""
        if _is_users(cls) and self._is_new(cls):
            for base in cls.__mro__:
                if _is_users(base):
                    for member in list(vars(base).values()):
                        function = getattr(member, "__func__", member)
                        if isinstance(function, FunctionType):
                            self._call(function)

    def _pass_on(self) -> bool:
        """Look up in objects that are passed on what any function here takes of any object; whether there was more."""
        before = len(self._whole)
        for x, done in list(self._whole.values()):
            own = _attributes(x)
            wanted = (own if self._names & _ALL else own & self._names) - done
            done.update(wanted)
            for name in sorted(wanted):
                self._use(self._attribute(x, name))
        return bool(self._waiting) or len(self._whole) > before


def _is_object(x: Any) -> bool:
    """Whether an argument is no part of the signature but for its identity: no tensor, number, or container of such."""
    return not isinstance(x, _VALUES)


def _is_of_package(function: FunctionType) -> bool:
    return str(function.__globals__.get("__name__", "")).split(".")[0] == _OWN


def _attributes(x: Any) -> set[str]:
    """The names of the attributes of an object, those that only its class has included, but not Python's own."""
    bases = [vars(base) for base in type(x).__mro__ if _is_users(base)]
    names = set().union(getattr(x, "__dict__", ()), *bases)
    return {name for name in names if not (name.startswith("__") and name.endswith("__"))}


def _static(cls: type, name: str) -> Any:
    """What a class has under a name, as it stands there."""
    return next((vars(base)[name] for base in cls.__mro__ if name in vars(base)), ABSENT)


def _is_module(x: Any) -> bool:
    return hasattr(type(x), "forward") and hasattr(type(x), "modules")


def _is_own(cls: type) -> bool:
    return cls.__module__.split(".")[0] == _OWN


def _is_users(cls: type) -> bool:
    """Whether a class is none of this package, of NumPy, or built into Python."""
    return cls.__module__.split(".")[0] not in (_OWN, "numpy", "builtins")


def _key(key: Any) -> Any:
    return key.__class__, key


def _content(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # nothing was put there yet
        return ABSENT


__all__ = ["Surroundings"]
