"""Running a `.py` file as `python FILE` would run it."""

import os
import sys
from pathlib import Path
from types import ModuleType, TracebackType

import numpy as np

__all__ = ["INTERRUPTED", "main_module", "run_script", "users_part"]

INTERRUPTED = 130

# Where the code lies that the program calls: what goes wrong there says so in its message, its lines help nobody.
_CALLED = (
    os.path.dirname(os.path.dirname(__file__)) + os.sep,
    os.path.dirname(np.__file__) + os.sep,
    "<frozen importlib",
)


def run_script(path: Path, source: bytes, arguments: list[str]) -> int:
    """Run a program as `__main__` with its arguments in `sys.argv`; return Python's exit code for its end.

    The process is the program's from here on: threads and exit handlers that it leaves behind find what it found.

    Raises:
        SystemExit: the program's own.
    """
    filename = str(path.absolute())
    module = main_module(path, filename, arguments)
    try:
        exec(compile(source, filename, "exec", dont_inherit=True), module.__dict__)
    except SystemExit:
        raise
    except BaseException as error:  # noqa: BLE001 - whatever ends the program is reported as Python reports it
        trace = users_part(filename, error.__traceback__)
        sys.excepthook(type(error), error.with_traceback(trace), trace)
        return INTERRUPTED if isinstance(error, KeyboardInterrupt) else 1
    return 0


def main_module(path: Path, filename: str, arguments: list[str]) -> ModuleType:
    """A fresh `__main__` for a program, with its arguments in `sys.argv` and its folder first on the path."""
    module = ModuleType("__main__")
    module.__dict__.update(__file__=filename, __builtins__=__builtins__, __cached__=None)
    sys.modules["__main__"] = module
    sys.argv = [str(path), *arguments]
    sys.path.insert(0, str(path.resolve().parent))
    return module


def users_part(filename: str, trace: TracebackType | None) -> TracebackType | None:
    """The part of a traceback from the user's file to the user's last line, without what that line called of ours.

    It is None where the file was never entered (a syntax error).
    """
    while trace is not None and trace.tb_frame.f_code.co_filename != filename:
        trace = trace.tb_next
    last, frame = trace, trace
    while frame is not None:
        if not frame.tb_frame.f_code.co_filename.startswith(_CALLED):
            last = frame
        frame = frame.tb_next
    if last is not None:
        last.tb_next = None
    return trace
