"""Machine code kept on disk, so that a program compiles once and not in every process.

The folder belongs to the user alone, as code is loaded from it: it is made with mode 700 and not used if another user
could write to it. An entry is one file, named by a digest of what it was made from (the program, the compiler, the
processor). It is written under another name and renamed, so that readers see whole entries only, and carries a digest
of its content, so that a damaged one is noticed, thrown away and made again. The entries used least recently go when
the folder grows too large; not every writer looks, as that takes long where there are thousands of entries.
"""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from _blake2 import blake2b  # hashlib would load OpenSSL, which takes as long as all else here
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from wengert._records import record

_MAGIC: Final = b"wengert kernel 2\n"
_DIGEST: Final = 32
_SUFFIX: Final = ".kernel"
_LARGEST: Final = 256 << 20  # bytes
_LOOKS: Final = 64  # so often the folder is looked through while as much is written as it may hold
_OLD_ENOUGH: Final = 3600  # seconds: a file of an interrupted writer


def folder() -> Path:
    """Where entries are: ``WENGERT_CACHE_DIR``, or the system's place for what can be made again."""
    if chosen := os.environ.get("WENGERT_CACHE_DIR"):
        return Path(chosen)
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "wengert" / "kernels"


def hasher(data: bytes = b"") -> blake2b:
    """What takes bytes and gives their digest."""
    return blake2b(data, digest_size=_DIGEST)


def digest(*parts: str | bytes) -> str:
    """The name of what is made from these texts, or bytes."""
    whole = hasher()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        whole.update(len(data).to_bytes(8, "little") + data)
    return whole.hexdigest()


@record
class Cache:
    """Entries in a folder."""

    path: Path
    largest: int = _LARGEST

    def get(self, key: str) -> bytes | None:
        """The content of an entry, or None: there is none, or it was damaged and is gone now."""
        place = self.path / f"{key}{_SUFFIX}"
        try:
            if not self._is_private(make=False):
                return None
            data = place.read_bytes()
        except OSError:
            return None
        content = data[len(_MAGIC) + _DIGEST :]
        if data[: len(_MAGIC) + _DIGEST] != _MAGIC + hasher(content).digest():
            with suppress(OSError):
                place.unlink()
            return None
        with suppress(OSError):
            os.utime(place)
        return content

    def put(self, key: str, content: bytes) -> None:
        """Keep an entry, if the folder can be written to; then make room."""
        try:
            if not self._is_private(make=True):
                return
            told = hasher(content).digest()
            handle, name = tempfile.mkstemp(dir=self.path, prefix="writing-")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(_MAGIC + told + content)
                os.replace(name, self.path / f"{key}{_SUFFIX}")
            except BaseException:
                with suppress(OSError):
                    os.unlink(name)
                raise
        except OSError:
            return  # a full or read-only disk: the program runs all the same
        if self._looks(told, len(content)):
            self._make_room()

    def get_or_make(self, key: str, make: Callable[[], bytes]) -> bytes:
        """The content of an entry, which is made and kept if there is none."""
        kept = self.get(key)
        if kept is None:
            kept = make()
            self.put(key, kept)
        return kept

    def is_usable(self) -> bool:
        """Whether entries can be kept here."""
        try:
            return self._is_private(make=True) and os.access(self.path, os.W_OK)
        except OSError:
            return False

    def entries(self) -> Iterator[tuple[Path, os.stat_result]]:
        """The entries' files."""
        with suppress(OSError):
            for place in self.path.glob(f"*{_SUFFIX}"):
                with suppress(OSError):
                    yield place, place.stat()

    def size(self) -> tuple[int, int]:
        """The number of entries and their bytes."""
        sizes = [status.st_size for _, status in self.entries()]
        return len(sizes), sum(sizes)

    def clear(self) -> tuple[int, int]:
        """Throw all entries away; returns how many and their bytes."""
        count = total = 0
        for place, status in list(self.entries()):
            with suppress(OSError):
                place.unlink()
                count, total = count + 1, total + status.st_size
        self._sweep(newer_than=float("inf"))
        return count, total

    def _looks(self, told: bytes, size: int) -> bool:
        """Whether the writer of an entry looks for room: by a chance in proportion to its size, drawn from its digest.

        So it does not matter how the writing is spread over processes.
        """
        return int.from_bytes(told[:4]) < (size * _LOOKS << 32) // self.largest

    def _make_room(self) -> None:
        found = sorted(self.entries(), key=lambda entry: entry[1].st_mtime)
        total = sum([status.st_size for _, status in found])
        if total <= self.largest:
            return
        for place, status in found:
            with suppress(OSError):
                place.unlink()
            total -= status.st_size
            if total <= self.largest * 3 // 4:
                break
        self._sweep(newer_than=max([status.st_mtime for _, status in found]) - _OLD_ENOUGH)

    def _sweep(self, newer_than: float) -> None:
        """Throw away what interrupted writers left."""
        with suppress(OSError):
            for place in self.path.glob("writing-*"):
                with suppress(OSError):
                    if place.stat().st_mtime < newer_than:
                        place.unlink()

    def _is_private(self, *, make: bool) -> bool:
        """Whether the folder is there, ours, and nobody else may write to it."""
        if make:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if sys.platform == "win32":
            return self.path.is_dir()  # a user's folders are the user's alone there
        status = os.stat(self.path)
        others = status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        return stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and not others


def cache() -> Cache:
    """The user's cache."""
    return Cache(folder())
