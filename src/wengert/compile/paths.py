"""What code reads from outside of itself: names, and the attributes and constant items that it takes of them.

Read off the bytecode, without running anything. Knows code, not what its names stand for.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterator, Sequence
from dis import Instruction, get_instructions
from types import CodeType
from typing import Any, Final, NamedTuple

Step = tuple[bool, Any]  # an attribute and its name, or an item (True) and its key


class Path(NamedTuple):
    """A name and what is taken of it, one after the other: ``cfg.optimizer["rate"]``."""

    is_global: bool  # else a variable, of the function itself or of one around it
    name: str
    steps: tuple[Step, ...] = ()
    is_used: bool = True  # something is done with the value; not where its attribute or item is only set

    def then(self, step: Step) -> Path:
        """One step further."""
        return self._replace(steps=(*self.steps, step))


class Reads(NamedTuple):
    """What one code object reads."""

    paths: tuple[Path, ...]
    others: dict[str, Path]  # variables that are another name for what a path leads to
    bound: frozenset[str]  # variables that it binds itself
    inner: tuple[CodeType, ...]  # functions within
    names: frozenset[str]  # all attributes, globals and constant keys
    sets: frozenset[str]  # the names and attributes that it sets; `ITEMS` if it changes members of something


ITEMS: Final = "[]"
CHANGES: Final = frozenset(
    {
        "add",
        "append",
        "clear",
        "extend",
        "insert",
        "pop",
        "popitem",
        "remove",
        "reverse",
        "setdefault",
        "sort",
        "update",
    }
)  # methods of lists, dictionaries and sets
_KEYS: Final = (str, int, tuple, type(None))
_SILENT: Final = frozenset({"CACHE", "EXTENDED_ARG", "NOP", "NOT_TAKEN", "PUSH_NULL", "RESUME", "COPY_FREE_VARS"})
_SETS: Final = frozenset({"STORE_ATTR", "DELETE_ATTR", "STORE_SUBSCR", "DELETE_SUBSCR"})


@functools.lru_cache(4096)
def reads(code: CodeType) -> Reads:
    """What code reads."""
    instructions = [each for each in get_instructions(code) if each.opname not in _SILENT]
    counts = Counter([name for each in instructions for name in _stored(each)])
    inner = tuple([each for each in code.co_consts if isinstance(each, CodeType)])
    bound = frozenset(counts).union(*[reads(each).bound & frozenset(each.co_freevars) for each in inner])
    once = {name for name, count in counts.items() if count == 1 and name in bound} - set(_parameters(code))
    scan = _Scan(once)
    for each in instructions:
        scan.take(each)
    scan.end()
    keys = [key for path in scan.paths for is_item, key in path.steps if is_item and isinstance(key, str)]
    names = frozenset([*code.co_names, *keys]).union(*[reads(each).names for each in inner])
    sets = frozenset(_set(instructions)).union(*[reads(each).sets for each in inner])
    return Reads(tuple(dict.fromkeys(scan.paths)), scan.others, bound, inner, names, sets)


def _parameters(code: CodeType) -> tuple[str, ...]:
    extra = bool(code.co_flags & 4) + bool(code.co_flags & 8)  # *args, **kwargs
    return code.co_varnames[: code.co_argcount + code.co_kwonlyargcount + extra]


def _stored(each: Instruction) -> Iterator[str]:
    """The variables that an instruction binds."""
    name = each.opname
    if name.startswith(("STORE_FAST", "STORE_DEREF", "DELETE_FAST", "DELETE_DEREF")):
        found = each.argval if isinstance(each.argval, tuple) else (each.argval,)
        yield from found[: 1 if "LOAD_FAST" in name else None]


def _set(instructions: Sequence[Instruction]) -> Iterator[str]:
    """What code sets that others can see."""
    for each in instructions:
        name, _, what = each.opname.partition("_")
        if name in ("STORE", "DELETE") and what in ("GLOBAL", "ATTR", "DEREF"):
            yield each.argval
        elif (name in ("STORE", "DELETE") and what in ("SUBSCR", "SLICE")) or each.argval in CHANGES:
            yield ITEMS


class _Scan:
    """Instructions in their order: the path to what lies on top of the stack, and a constant above it."""

    def __init__(self, once: set[str]) -> None:
        self.paths: list[Path] = []
        self.others: dict[str, Path] = {}
        self._once = once  # variables that are bound in one place
        self._now: Path | None = None
        self._key: tuple[Any, ...] = ()

    def take(self, each: Instruction) -> None:
        name, value = each.opname, each.argval
        if name in ("LOAD_GLOBAL", "LOAD_NAME"):
            self._begin(Path(True, value))
        elif name.startswith(("LOAD_FAST", "LOAD_DEREF", "LOAD_CLASSDEREF")) and name != "LOAD_FAST_AND_CLEAR":
            for variable in value if isinstance(value, tuple) else (value,):
                self._load(variable)
        elif name in ("LOAD_CONST", "LOAD_SMALL_INT"):
            if self._key:
                self.end()
            self._key = (value,)
        elif name in ("LOAD_ATTR", "LOAD_METHOD") and self._now is not None and not self._key:
            self._now = self._now.then((False, value))
        elif self._is_item(each):
            self._now, self._key = self._now.then((True, self._key[0])) if self._now is not None else None, ()
        elif name in ("STORE_FAST_LOAD_FAST", "STORE_FAST_STORE_FAST"):
            self.end()
            if name.endswith("LOAD_FAST"):
                self._load(value[1])
        elif name in ("STORE_FAST", "STORE_DEREF"):
            self._name(value)
        else:
            if name in _SETS and self._now is not None:
                self._now = self._now._replace(is_used=False)
            self.end()

    def _is_item(self, each: Instruction) -> bool:
        is_subscript = each.opname == "BINARY_SUBSCR" or (each.opname == "BINARY_OP" and each.argrepr == "[]")
        return is_subscript and bool(self._key) and isinstance(self._key[0], _KEYS)

    def _load(self, variable: str) -> None:
        self._begin(self.others.get(variable) or Path(False, variable))

    def _begin(self, path: Path) -> None:
        self.end()
        self._now = path

    def _name(self, variable: str) -> None:
        """Something is bound to a variable: another name for a path if it is never bound to anything else."""
        if self._now is not None and not self._key and variable in self._once:
            self.others[variable] = self._now
            self.paths.append(self._now._replace(is_used=False))
            self._now = None
        self.end()

    def end(self) -> None:
        """What lies on top of the stack is used in a way that leads no further."""
        if self._now is not None:
            self.paths.append(self._now)
        self._now, self._key = None, ()


__all__ = ["CHANGES", "ITEMS", "Path", "Reads", "Step", "reads"]
