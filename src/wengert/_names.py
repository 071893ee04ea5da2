"""The user's own names: of an object, from the frames on the stack; of a result and of operands, from the source.

Only for messages and explanations. The search through the frames is bounded in work and runs no code of the user: no
`__eq__`, `__repr__`, `__getattr__`, property or `__class__` is asked, only what instances and containers hold.
"""

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from itertools import islice
from types import (
    BuiltinFunctionType,
    CodeType,
    FrameType,
    FunctionType,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodType,
    ModuleType,
)
from typing import Any

from wengert import _syntax
from wengert._source import Location, is_passed_over, user_frame, user_frames

__all__ = [
    "attribute_of",
    "code_called_by",
    "found_in_frames",
    "names_in_frames",
    "operand_texts",
    "result_name",
    "variables_of",
]

Match = Callable[[Any], bool]
_Entries = list[tuple[Any, Any]]

_MAX_FRAMES = 32
_MAX_CANDIDATES = 5_000  # items and attributes looked at per scope; the variables themselves are all looked at
_MAX_ITEMS = 1_000
_LONGEST_KEY = 40
_STEPS = 2  # `self.params['w']` has two
_MAX_WRAPPERS = 8
_MODULE_STEPS = 8  # `model.blocks[0].attention.query.weight` has four; modules hold their parameters under names

# What notebooks keep results and inputs under, and what cannot be typed (`.0` of a comprehension, `@py_assert1`).
_NOT_A_NAME = re.compile(r"_+\d*|_i+\d*|_[odi]h|In|Out|__\w+__|\W.*")
_MODULE_PARTS = ("_parameters", "_buffers", "_modules")
_NUMBERS_AND_TEXT = (type(None), bool, int, float, complex, str, bytes)
_CODE = (type, ModuleType, FunctionType, BuiltinFunctionType, MethodType, CodeType, FrameType)
_WITHOUT_PARTS = _NUMBERS_AND_TEXT + _CODE

_mro = type.__dict__["__mro__"].__get__
_class_dict = type.__dict__["__dict__"].__get__
_OPTIMIZED = 1  # inspect.CO_OPTIMIZED: the variables of a function; elsewhere f_locals is the namespace itself
_SNAPSHOTS = sys.version_info < (3, 13)


def names_in_frames(obj: Any, frame: FrameType | None = None, match: Match | None = None) -> list[str]:
    """The user's names for an object, the best first: `["w"]`, `["params['w']"]`, `["model.fc.weight"]`; or none.

    Looks through the local and the global variables of `frame` (default: the nearest frame of the user's code), then
    of the user's frames around it, and stops at the first of these scopes that has a name. Variables go before
    items and attributes of variables, names without a leading underscore before those with one.

    `match(candidate)` decides what counts as the object (default: `candidate is obj`). It is called with anything
    that lies around, so it must go by `type(candidate)`, not by attributes.
    """
    is_wanted = match if match is not None else lambda candidate: candidate is obj
    visited: set[int] = set()
    for user in islice(user_frames(frame if frame is not None else user_frame(2)), _MAX_FRAMES):
        for variables in _scopes(user, visited):
            names = _shortest_paths(variables, is_wanted)
            if names:
                return sorted(names, key=lambda name: name.startswith("_"))
    return []


def found_in_frames(match: Match, frame: FrameType | None = None) -> Iterator[tuple[str, Any]]:
    """Everything in the user's frames that `match` takes, with its name, nearer scopes and shorter names first.

    Searches as `names_in_frames` does, but all scopes to the end; an object with several names comes several times.
    """
    visited: set[int] = set()
    for user in islice(user_frames(frame if frame is not None else user_frame(2)), _MAX_FRAMES):
        for variables in _scopes(user, visited):
            for level in _levels(variables):
                matching = [(path, value) for path, value in level if match(value)]
                yield from sorted(matching, key=lambda pair: pair[0].startswith("_"))


def variables_of(frame: FrameType) -> dict[str, Any]:
    """The variables that code in a frame sees: its local ones, and the global ones behind them."""
    found: dict[str, Any] = {}
    for entries in _scopes(frame, set()):
        for name, value in entries:
            found.setdefault(name, value)
    return found


def attribute_of(value: Any, name: str, *, methods: bool = False) -> Any:
    """An attribute that an instance (or a module of layers) holds, read without asking it; None if it holds none.

    With `methods` also what its class holds under that name (unbound), and what a module of Python holds.
    """
    if type(value) is ModuleType:
        return vars(value).get(name) if methods else None
    attributes = _attributes(value, type(value))
    for key in _MODULE_PARTS:
        attributes.update((k, v) for k, v in _dict_entries(attributes.get(key)) if type(k) is str)
    found = attributes.get(name)
    return _of_class(type(value), name) if found is None and methods else found


def _of_class(kind: type, name: str) -> Any:
    for base in _mro(kind):
        if name in _class_dict(base):
            return _class_dict(base)[name]
    return None


def code_called_by(value: Any) -> CodeType | None:
    """The code of the user's function that runs when `value` is called: behind decorators, or a module's `forward`."""
    for _ in range(_MAX_WRAPPERS):
        if type(value) in (MethodType, staticmethod, classmethod):
            value = value.__func__
        elif type(value) is FunctionType and "__wrapped__" in value.__dict__:
            value = value.__dict__["__wrapped__"]
        elif type(value) is FunctionType:
            return value.__code__ if not is_passed_over(value.__code__.co_filename) else None
        else:
            forward = _of_class(type(value), "forward")
            value = forward if type(forward) is FunctionType else _of_class(type(value), "__call__")
    return None


def result_name(location: Location, output: int | None = None) -> str | None:
    """What the result of the operation at a location is assigned to, as the source has it: `y` for `y = x ** 2`.

    `output` says which result is meant where there are several. In `ys[0] = 2 * x` the name is `ys[0]`; in `x.add_(1)`
    and `x[0] = 1` it is `x`. None for a part of a larger expression, for a returned value, for `_`, without source.
    Of an operation that is put together from several (`silu`, a module) it is the name of the last one's result.
    """
    span = location.span()
    return _syntax.result_name(location.source(), span, output) if span is not None else None


def operand_texts(location: Location, namespace: Mapping[str, Any] | None = None) -> tuple[str, ...] | None:
    """The operands of the operation at a location: `("w", "x")` for `w * x`, `w.mul(x)` and `torch.mul(w, x)`.

    They are the inputs of the graph node only if the user called that very operation: a function that is put together
    from several has other nodes at the same place. `namespace`, the globals of the code, helps to tell a module from
    a tensor in `a.mul(b)` where the source does not say which `a` is. None where the operands cannot be told.
    """
    span = location.span()
    return _syntax.operand_texts(location.source(), span, namespace) if span is not None else None


def _shortest_paths(variables: _Entries, is_wanted: Match) -> list[str]:
    """All paths of the least number of steps from these variables to what is wanted, found breadth first."""
    for level in _levels(variables):
        names = [path for path, value in level if is_wanted(value)]
        if names:
            return names
    return []


def _levels(variables: _Entries) -> Iterator[_Entries]:
    """What can be got to from these variables in no step, in one, in two..."""
    level = variables
    seen: set[int] = set()
    left = _MAX_CANDIDATES
    for step in range(_MODULE_STEPS + 1):
        yield level
        level = list(islice(_next_level(level, step, seen), left))
        left -= len(level)


def _next_level(level: _Entries, step: int, seen: set[int]) -> Iterator[tuple[str, Any]]:
    for path, value in level:
        # Ids are not used again while the scope holds the objects.
        if id(value) not in seen:
            seen.add(id(value))
            yield from _parts(path, value, everything=step < _STEPS)


def _scopes(frame: FrameType, visited: set[int]) -> Iterator[_Entries]:
    """The variables of a frame: its locals, and its globals unless they were looked at before."""
    if frame.f_code.co_flags & _OPTIMIZED:
        yield _function_variables(frame)
    elif frame.f_locals is not frame.f_globals:
        yield _named(_dict_entries(frame.f_locals))
    if id(frame.f_globals) not in visited:
        visited.add(id(frame.f_globals))
        yield _named(_dict_entries(frame.f_globals))


def _function_variables(frame: FrameType) -> _Entries:
    scope = frame.f_locals
    if not _SNAPSHOTS:
        return _named(list(scope.items()))
    entries = _named(_dict_entries(scope))
    # Before 3.13 the frame keeps this dictionary, and so would keep every value alive that the function deletes later.
    # Three references (the frame, `scope`, the argument): nobody else got it from `locals()`.
    if sys.getrefcount(scope) <= 3:
        code = frame.f_code
        for name in (*code.co_varnames, *code.co_cellvars, *code.co_freevars):
            scope.pop(name, None)
    return entries


def _named(entries: _Entries) -> _Entries:
    return [(name, value) for name, value in entries if type(name) is str and not _NOT_A_NAME.fullmatch(name)]


def _dict_entries(holder: Any) -> _Entries:
    if not issubclass(type(holder), dict):
        return []
    try:
        return list(dict.items(holder))
    except RuntimeError:
        return []  # another thread is changing it


def _parts(path: str, value: Any, everything: bool) -> Iterator[tuple[str, Any]]:
    """What a value holds, with the text that gets there from `path`; of deep values only what modules hold."""
    kind = type(value)
    if issubclass(kind, _WITHOUT_PARTS):
        return
    attributes = _attributes(value, kind)
    for key in _MODULE_PARTS:
        for name, item in _dict_entries(attributes.pop(key, None)):
            if type(name) is str:
                yield f"{path}[{name}]" if name.isdigit() else f"{path}.{name}", item
    if not everything:
        return
    yield from _items(path, value, kind)
    ours = _is_ours(kind)
    for name, item in islice(attributes.items(), _MAX_ITEMS):
        if not (ours and name.startswith("_")):
            yield f"{path}.{name}", item


def _items(path: str, value: Any, kind: type) -> Iterator[tuple[str, Any]]:
    if issubclass(kind, dict):
        for key, item in islice(_dict_entries(value), _MAX_ITEMS):
            if (type(key) is int or type(key) is str) and len(text := repr(key)) <= _LONGEST_KEY:
                yield f"{path}[{text}]", item
    elif issubclass(kind, list):
        for index, item in enumerate(list.__getitem__(value, slice(_MAX_ITEMS))):
            yield f"{path}[{index}]", item
    elif issubclass(kind, tuple):
        fields = _class_dict(kind).get("_fields", ())
        for index, item in enumerate(tuple.__getitem__(value, slice(_MAX_ITEMS))):
            yield f"{path}.{fields[index]}" if index < len(fields) else f"{path}[{index}]", item


def _attributes(value: Any, kind: type) -> dict[str, Any]:
    """The attributes an instance holds in its `__dict__` and its slots, read without asking the instance."""
    attributes: dict[str, Any] = {}
    for base in _mro(kind):
        namespace = _class_dict(base)
        own = namespace.get("__dict__")
        if type(own) is GetSetDescriptorType:
            attributes.update((name, item) for name, item in _dict_entries(own.__get__(value)) if type(name) is str)
        if "__slots__" in namespace:
            for name, slot in namespace.items():
                if type(slot) is MemberDescriptorType:
                    with suppress(AttributeError):  # a slot that nothing was put into
                        attributes[name] = slot.__get__(value)
    return attributes


def _is_ours(kind: type) -> bool:
    """Whether a class derives from one of this package, whose private state is no name of the user's."""
    root = __name__.partition(".")[0]
    return any(str(_class_dict(base).get("__module__")).partition(".")[0] == root for base in _mro(kind))
