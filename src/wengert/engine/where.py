"""The user's frame at the time of an operation, found at the cost of a set lookup per frame."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from types import CodeType
from typing import Final

_PACKAGE: Final = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def _python_files(folder: str) -> Iterator[str]:
    if not os.path.isdir(folder):  # imported from an archive: source lines then point into the package
        return
    for entry in os.scandir(folder):
        if entry.is_dir():
            yield from _python_files(entry.path)
        elif entry.name.endswith(".py"):
            yield entry.path


INTERNAL: Final = frozenset(_python_files(_PACKAGE))


def user_code() -> tuple[CodeType, int]:
    """The code object and bytecode offset of the nearest frame outside the package.

    Frames are walked by a loop; when every frame is ours (an operation run by an exit handler, say) the outermost is taken.
    """
    frame = sys._getframe(1)
    while frame.f_code.co_filename in INTERNAL:
        outer = frame.f_back
        if outer is None:
            break
        frame = outer
    return frame.f_code, frame.f_lasti
