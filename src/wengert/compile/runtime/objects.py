"""IR text to object files, from the cache on disk if it has them; and what the entries of that cache depend on."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from typing import Final

from wengert import _version
from wengert._version import __version__
from wengert.compile.llvm import machine
from wengert.compile.runtime.cache import cache as disk_cache
from wengert.compile.runtime.cache import digest, hasher
from wengert.compile.runtime.processor import processor

# What machine code is made by: the operations, what becomes of programs of them, and all of the compiler.
_MAKERS: Final = ("ops", "spaces", "program", "compile")


@cache
def source_version() -> str:
    """A digest of the package's version and of the source of all that decides on what becomes of a program.

    The files are read if one of them was written since, by what the system says of them.
    """
    package = os.path.dirname(_version.__file__)
    files: list[tuple[str, os.stat_result]] = []
    with suppress(OSError):  # a package that is no folder
        for folder in _MAKERS:
            files += sorted(_sources(os.path.join(package, folder)))
    states = [(path, s.st_size, s.st_mtime_ns, s.st_ctime_ns, s.st_ino) for path, s in files]
    name = digest("source", __version__, repr(states))
    return disk_cache().get_or_make(name, lambda: _read([path for path, _ in files], package)).decode()


def _sources(folder: str) -> Iterator[tuple[str, os.stat_result]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(".py"):
                yield entry.path, entry.stat()
            elif entry.name != "__pycache__" and entry.is_dir():
                yield from _sources(entry.path)


def _read(paths: list[str], package: str) -> bytes:
    whole = hasher(__version__.encode())
    for path in paths:
        with open(path, "rb", buffering=0) as file:
            content = file.read()
        whole.update(f"{os.path.relpath(path, package)} {len(content)} ".encode())
        whole.update(content)
    return whole.hexdigest().encode()


def made_object(form: str, text: Callable[[], str]) -> bytes:
    """The object file of a module whose ``text`` follows from ``form`` and this package's source."""
    key = digest("made", source_version(), processor().key, form)
    return disk_cache().get_or_make(key, lambda: machine.emit_object(text()))


def compiled_object(text: str) -> bytes:
    """The object file of a module."""
    key = digest("text", processor().key, text)
    return disk_cache().get_or_make(key, lambda: machine.emit_object(text))
