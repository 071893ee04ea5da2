"""Where in the user's program an operation was called: found cheaply when it runs, worked out when someone asks.

The engine records two things per graph node, `user_code()`: a code object and an offset into its bytecode. `locate`
turns them into a `Location`, which knows the line, the columns, and the source text where it can be had.
"""

import linecache
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from sys import _getframe
from types import CodeType, FrameType

import numpy as np

from wengert import _syntax

__all__ = [
    "Location",
    "at",
    "describe",
    "earlier_cells",
    "is_passed_over",
    "locate",
    "quoted",
    "user_code",
    "user_frame",
    "user_frames",
    "users_stacklevel",
]

# ---- Frames. `user_code` runs at every operation. ----

_PACKAGE = os.path.dirname(_getframe().f_code.co_filename) + os.sep
_NUMPY = os.path.dirname(np.__file__) + os.sep
_LIBRARY = (os.path.dirname(os.__file__) + os.sep, "<frozen ")
_INSTALLED = re.compile(r"[\\/](site|dist)-packages[\\/]")
# File name -> whether its frames are passed over; bounded, because some programs generate code under ever new names.
_passed_over: dict[str, bool] = {}
_MAX_FILES = 10_000
_CO_OPTIMIZED = 1  # as in `inspect`, which is slow to import


def user_code(depth: int = 1) -> tuple[CodeType, int]:
    """The code object and bytecode offset of the nearest frame of the user's code.

    `depth` 1 begins with the caller of this function, 2 with its caller; a caller that knows how many frames of the
    package stand above it saves the time to look at them. Frames of this package, of Python's library and of NumPy
    are passed over: the latter two call us on the user's behalf (`functools.reduce`, `np.sum(tensor)`). Where there
    are no others (a thread whose target is one of our functions) it is the nearest frame outside the package, or
    else the outermost one.
    """
    start = _getframe(depth)
    frame: FrameType | None = start
    try:
        while frame is not None and _passed_over[(code := frame.f_code).co_filename]:
            frame = frame.f_back
    except KeyError:
        frame = None
    if frame is None:
        frame = _user_frame_from(start)
        code = frame.f_code
    return code, frame.f_lasti


def user_frame(depth: int = 1) -> FrameType:
    """The frame whose code and offset `user_code(depth)` gives."""
    return _user_frame_from(_getframe(depth))


def user_frames(frame: FrameType) -> Iterator[FrameType]:
    """The frames of the user's code from `frame` outwards; of a notebook's cell what is around it is the kernel's."""
    outer: FrameType | None = frame
    while outer is not None:
        filename = outer.f_code.co_filename
        if not is_passed_over(filename):
            yield outer
            is_function = outer.f_code.co_flags & _CO_OPTIMIZED
            if not is_function and (_CELL.fullmatch(filename) or _KERNEL_FILE.search(filename)):
                return
        outer = outer.f_back


def _user_frame_from(start: FrameType) -> FrameType:
    for frame in user_frames(start):
        return frame
    frame = start
    while frame.f_code.co_filename.startswith(_PACKAGE) and frame.f_back is not None:
        frame = frame.f_back
    return frame


def users_stacklevel() -> int:
    """The `stacklevel` with which a warning of the calling function points at the user's line."""
    frame: FrameType | None = _getframe(1)
    level = 1
    while frame is not None and is_passed_over(frame.f_code.co_filename):
        frame = frame.f_back
        level += 1
    return level


def is_passed_over(filename: str) -> bool:
    """Whether frames of this file are not the user's: of this package, of Python's library, of NumPy."""
    known = _passed_over.get(filename)
    if known is None:
        known = filename.startswith((_PACKAGE, _NUMPY)) or (
            filename.startswith(_LIBRARY) and _INSTALLED.search(filename) is None
        )
        if len(_passed_over) >= _MAX_FILES:
            _passed_over.clear()
        _passed_over[filename] = known
    return known


# ---- Locations. From here on, everything runs only when someone asks. ----

# `<stdin>` and `<string>` name many texts, so that the one at hand may not be the one that ran.
_SHARED_NAMES = frozenset({"<stdin>", "<string>"})
_CELL = re.compile(r"<(?:ipython-input-|cell )(\d+)\b[^>]*>")
_RUN_CELL = re.compile(r"In\[\d+\]")  # as `wengert run` names the cells of a notebook
_PROMPT_CELL = re.compile(r"<python-input-\d+>")
_PROMPT = re.compile(r"<(?:stdin|python-input-\d+)>(?:-\d+)?")
_KERNEL_FILE = re.compile(r"[\\/]ipykernel_\d+[\\/]\d+\.py$")


@dataclass(frozen=True, slots=True)
class Location:
    """A place in the user's program; `str` gives it in short: `train.py:12`, or `cell 3, line 2` in a notebook.

    Lines count from 1. Columns count from 0 in bytes of UTF-8 and are None where Python was told to leave
    them out (`python -X no_debug_ranges`). The texts are None where there is no source to read.
    """

    filename: str
    lineno: int
    end_lineno: int
    col: int | None
    end_col: int | None
    function: str
    code: CodeType | None = field(default=None, repr=False, compare=False)

    def __str__(self) -> str:
        return _short_text(self.filename, self.lineno)

    def source_line(self) -> str | None:
        """The first line of the operation, without the white space around it."""
        lines = self._lines()
        return lines[self.lineno - 1].strip() or None if self.lineno <= len(lines) else None

    def expression(self) -> str | None:
        """The exact text of the operation, line breaks included: `x ** 2`."""
        span = self.span()
        return _syntax.expression_text(self.source(), span) if span is not None else None

    def statement(self) -> str | None:
        """The simple statement around the operation on one line: `y = x ** 2`; None in the header of a loop."""
        span = self.span()
        return _syntax.statement_text(self.source(), span) if span is not None else None

    def span(self) -> _syntax.Span | None:
        """The lines and columns together; None where the columns are not known."""
        if self.col is None or self.end_col is None:
            return None
        return _syntax.Span(self.lineno, self.end_lineno, self.col, self.end_col)

    def source(self) -> str:
        """The whole text of the file or cell; empty where it cannot be had."""
        return "".join(self._lines())

    def _lines(self) -> list[str]:
        if self.filename in _SHARED_NAMES:
            return []
        linecache.checkcache(self.filename)
        lines = linecache.getlines(self.filename)
        if not lines and self.code is not None:
            # Python's prompt keeps what was typed by code object from 3.13 on.
            by_code = getattr(linecache, "_getlines_from_code", None)
            lines = by_code(self.code) if by_code is not None else []
        return lines


def locate(code: CodeType, lasti: int) -> Location | None:
    """The place of the bytecode instruction at offset `lasti`; None where the code does not know its lines."""
    if lasti < 0:
        return None
    # One entry per code unit of two bytes.
    for lineno, end_lineno, col, end_col in islice(code.co_positions(), lasti // 2, None):
        if lineno is None:
            return None
        return Location(code.co_filename, lineno, end_lineno or lineno, col, end_col, code.co_qualname, code)
    return None


def earlier_cells(filename: str) -> list[str]:
    """The files of the other cells of a notebook (or inputs of a prompt), those that ran last first; else none."""
    for is_cell in (_CELL.fullmatch, _RUN_CELL.fullmatch, _PROMPT_CELL.fullmatch, _KERNEL_FILE.search):
        if is_cell(filename):
            return [name for name in reversed(list(linecache.cache)) if is_cell(name) and name != filename]
    return []


def _short_text(filename: str, lineno: int) -> str:
    cell = _CELL.fullmatch(filename)
    if cell is not None:
        return f"cell {cell[1]}, line {lineno}"
    if _KERNEL_FILE.search(filename):
        number = _kernel_cell(filename)
        return f"cell {number}, line {lineno}" if number else f"notebook cell, line {lineno}"
    if filename.startswith("<"):
        return f"{'<stdin>' if _PROMPT.fullmatch(filename) else filename}, line {lineno}"
    folder, name = os.path.split(filename)
    if name == "__init__.py":  # every package has one
        name = os.path.join(os.path.basename(folder), name)
    return f"{name}:{lineno}"


def _kernel_cell(filename: str) -> str | None:
    """The number of a Jupyter cell: the kernel names its files by a hash of their text."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    name_of = getattr(getattr(shell, "compile", None), "format_code_name", None)
    label = name_of(filename) if name_of is not None else None
    digits = re.search(r"\d+", label[1]) if label else None
    return digits[0] if digits else None


# ---- Pieces of messages. ----

_LONGEST = 60


def at(location: Location | None) -> str:
    """` at train.py:15`, to be appended to what happened there; nothing for an unknown place."""
    return f" at {location}" if location is not None else ""


def describe(what: str, location: Location | None) -> str:
    """``MulBackward0 (train.py:12, `y = w * x`)``, or as much of it as is known."""
    if location is None:
        return what
    for text in (location.statement(), location.expression()):
        if text is not None and "\n" not in text and len(text) <= _LONGEST:
            return f"{what} ({location}, `{text}`)"
    return f"{what} ({location})"


def quoted(name: str | None, fallback: str) -> str:
    """The name in backquotes, or words for something that has no name: `quoted(None, "a tensor of shape [3]")`."""
    return f"`{name}`" if name is not None else fallback
