"""IR text to object files, from the cache on disk if it has them; and what the entries of that cache depend on."""

from __future__ import annotations

import hashlib
import os
from functools import cache
from typing import Final

from wengert import _version
from wengert._version import __version__
from wengert.compile.llvm import machine
from wengert.compile.runtime.cache import cache as disk_cache
from wengert.compile.runtime.cache import digest

# What machine code is made by: the operations, what becomes of programs of them, and all of the compiler.
_MAKERS: Final = ("ops", "spaces", "program", "compile")


@cache
def source_version() -> str:
    """A digest of the package's version and of the source of all that decides on what becomes of a program."""
    whole = hashlib.sha256(__version__.encode())
    package = os.path.dirname(_version.__file__)
    for folder in _MAKERS:
        for place, folders, names in os.walk(os.path.join(package, folder)):
            folders.sort()
            for name in sorted(names):
                if name.endswith(".py"):
                    path = os.path.join(place, name)
                    with open(path, "rb", buffering=0) as file:
                        content = file.read()
                    whole.update(f"{os.path.relpath(path, package)} {len(content)} ".encode())
                    whole.update(content)
    return whole.hexdigest()


def compiled_object(text: str) -> bytes:
    """The object file of a module."""
    key = digest("text", machine.machine().key, text)
    return disk_cache().get_or_make(key, lambda: machine.emit_object(text))
