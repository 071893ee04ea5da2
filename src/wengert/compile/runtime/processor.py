"""What LLVM says of this processor, kept on disk: kernels that are found there are run without loading LLVM."""

from __future__ import annotations

import json
import platform
import sys
from typing import Final, NamedTuple

from wengert import _threads
from wengert.compile.llvm import machine
from wengert.compile.runtime.cache import cache as disk_cache
from wengert.compile.runtime.cache import digest

# What Linux says of a processor that does not change, and tells it from others.
_TELLING: Final = frozenset({"vendor_id", "cpu family", "model", "model name", "stepping", "flags"})
_ENOUGH: Final = 8192  # bytes for the first processor


class Processor(NamedTuple):
    """What code is made for. ``key`` names all of it, and the version of the compiler."""

    key: str
    features: frozenset[str]
    is_x86: bool


@_threads.once
def processor() -> Processor:
    """The processor of this process: what was kept when LLVM was asked about one of which the system says the same."""
    told = _told()
    if told is None:
        return _asked()
    name = digest("processor", machine.version(), sys.platform, told)
    kept = disk_cache().get(name)
    if kept is not None:
        key, features, is_x86 = json.loads(kept)
        return Processor(key, frozenset(features), is_x86)
    found = _asked()
    disk_cache().put(name, json.dumps([found.key, sorted(found.features), found.is_x86]).encode())
    return found


def _asked() -> Processor:
    host = machine.machine()
    return Processor(host.key, frozenset(host.features), host.is_x86)


def _told() -> str | None:
    """What the system says of the first processor; None where that does not tell processors apart."""
    if sys.platform != "linux" or platform.machine() != "x86_64":
        return None
    try:
        with open("/proc/cpuinfo", "rb", buffering=0) as file:
            text = file.read(_ENOUGH).partition(b"\n\n")[0].decode()
    except (OSError, UnicodeDecodeError):
        return None
    lines = [line for line in text.splitlines() if line.partition(":")[0].strip() in _TELLING]
    return "\n".join(lines) if len(lines) == len(_TELLING) else None


__all__ = ["Processor", "processor"]
