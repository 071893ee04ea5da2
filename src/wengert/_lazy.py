"""Names of a package whose module is imported when one of them is first used."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["on_first_use"]


def on_first_use(package: str, *sources: Mapping[str, str]) -> Callable[[str], Any]:
    """The ``__getattr__`` of a package that finds names in modules it has not imported, and keeps what it found.

    Args:
        package: the package's ``__name__``.
        sources: name -> module. The module of that very name in the package stands for itself.

    >>> from wengert import nn
    >>> nn.Linear
    <class 'wengert.nn.modules.linear.Linear'>
    """

    def __getattr__(name: str) -> Any:  # noqa: N807 - it becomes the package's
        home = next((table[name] for table in sources if name in table), None)
        if home is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}", name=name)
        found: Any = importlib.import_module(home)
        if home != f"{package}.{name}":
            found = getattr(found, name)
        setattr(sys.modules[package], name, found)
        return found

    return __getattr__
