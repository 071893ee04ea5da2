"""What a traced function took from modules as it was: settings (``training``) and members, which guard its program."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from wengert._traced import EDITS
from wengert.compile.guards import same

_TABLES = ("_parameters", "_buffers", "_modules")
_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")


class Settings:
    """The modules that ran while a function was traced.

    Their attributes must be what they were: plain ones by value, members and other objects by identity. What the
    function itself changes (a count of its calls) is left out. They are looked at again only after an attribute of
    any module was set.
    """

    def __init__(self) -> None:
        self._modules: dict[int, tuple[Any, dict[Any, Any]]] = {}
        self._seen, self._hold = EDITS.count, True

    def __bool__(self) -> bool:
        return bool(self._modules)

    def note(self, module: Any) -> None:
        """Take down what a module is like before it runs."""
        if id(module) not in self._modules:
            self._modules[id(module)] = module, dict(_attributes(module))

    @property
    def mark(self) -> Any:
        """Equal for settings of the same modules."""
        return tuple(
            [
                (key, *[name for name, value in noted.items() if value is _CHANGES])
                for key, (_, noted) in self._modules.items()
            ]
        )

    def close(self) -> set[tuple[int, Any]]:
        """The function was traced: what it changed is no setting. Returns which attributes of which modules that is.

        Members are not among them: those that a function exchanges for the time of a call are its own.
        """
        meanwhile: set[tuple[int, Any]] = set()
        for module, noted in self._modules.values():
            now = dict(_attributes(module))
            changed = [name for name, value in noted.items() if name not in now or not same(value, now[name])]
            for name in {*changed, *(now.keys() - noted.keys())}:
                noted[name] = _CHANGES
                if isinstance(name, str):
                    meanwhile.add((id(module), name))
        self._seen = EDITS.count
        return meanwhile

    def hold(self) -> bool:
        """Whether the modules are what they were."""
        if self._seen != EDITS.count:
            self._seen = EDITS.count
            self._hold = all([_is_as_noted(module, noted) for module, noted in self._modules.values()])
        return self._hold


_CHANGES = object()


def _attributes(module: Any) -> Iterator[tuple[Any, Any]]:
    own = module.__dict__
    for name, value in own.items():
        if not name.startswith("_"):
            yield name, value
    for table in _TABLES:
        for name, value in own[table].items():
            yield (table, name), value
    for table in _HOOKS:
        yield (table,), tuple(own[table].items())


def _is_as_noted(module: Any, noted: dict[Any, Any]) -> bool:
    now = dict(_attributes(module))
    kept = {name for name, value in noted.items() if value is not _CHANGES}
    if any([name not in noted for name in now]):
        return False
    return all([name in now and same(noted[name], now[name]) for name in kept])


__all__ = ["Settings"]
