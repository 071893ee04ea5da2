"""IR text to object files, from the cache on disk if it has them; and what the entries of that cache depend on."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from wengert._version import __version__
from wengert.compile.llvm import machine
from wengert.compile.runtime.cache import cache as disk_cache
from wengert.compile.runtime.cache import digest
from wengert.ops import special_fits


@cache
def emitter_version() -> str:
    """A digest of the package's version and of the source that makes code of kernels."""
    emitter = Path(machine.__file__).parent
    files = [*sorted(emitter.glob("*.py")), emitter.parent / "nest.py", Path(special_fits.__file__)]
    return digest(__version__, *[file.read_text(encoding="utf-8") for file in files])


def compiled_object(text: str) -> bytes:
    """The object file of a module."""
    key = digest("text", machine.machine().key, text)
    kept = disk_cache().get(key)
    if kept is None:
        kept = machine.emit_object(text)
        disk_cache().put(key, kept)
    return kept
