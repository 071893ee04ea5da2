"""Writing files so that a reader never sees half of one."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import IO, Any

__all__ = ["replacing"]


@contextlib.contextmanager
def replacing(path: Any) -> Iterator[IO[bytes]]:
    """A file to write, which takes the place of the one at ``path`` when all went well, and not before.

    It is written beside it under another name and forced to the disk; an exception removes it. An object with
    ``write`` in place of a path is written to directly.
    """
    if hasattr(path, "write"):
        yield path
        return
    target = os.fspath(path)
    target = os.fsdecode(target) if isinstance(target, bytes) else target
    folder, name = os.path.split(os.path.realpath(target))
    beside = os.path.join(folder, f".{name}.{os.getpid()}-{os.urandom(4).hex()}.part")
    try:
        with open(beside, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(OSError):  # a file that is replaced keeps its permissions
            os.chmod(beside, os.stat(target).st_mode)
        os.replace(beside, os.path.join(folder, name))
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(beside)
        raise
