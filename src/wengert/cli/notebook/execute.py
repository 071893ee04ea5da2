"""Executing a notebook's cells one after another, as Jupyter would, without Jupyter."""

import __future__

import ast
import builtins
import contextlib
import io
import linecache
import sys
import time
import tokenize
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, Protocol

from wengert.cli.notebook.document import Cell, Document
from wengert.cli.notebook.figures import drawing_into, show_figures
from wengert.cli.notebook.magics import HANDLER, Magics, python_source
from wengert.cli.notebook.recorder import OutputStream, Recorder, Viewer
from wengert.cli.script import INTERRUPTED, users_part

__all__ = ["Reporter", "execute_notebook"]

_FUTURE_FLAGS = sum(getattr(__future__, name).compiler_flag for name in __future__.all_feature_names)


class Reporter(Viewer, Protocol):
    """Whoever tells a person how the run goes on."""

    def text(self, cell: Cell) -> None:
        """A cell of text is passed."""

    def started(self, cell: Cell, count: int) -> None:
        """The code cell number `count` starts."""

    def finished(self, count: int, total: int, *, ok: bool, seconds: float) -> None:
        """The code cell number `count` of `total` has ended."""


def execute_notebook(document: Document, reporter: Reporter, *, folder: Path, allow_errors: bool = False) -> int:
    """Execute every code cell in order, and record the outputs in the document.

    Args:
        document: the notebook; it is changed.
        reporter: told of each cell and each output.
        folder: the working directory of the run, and the first place where imports look.
        allow_errors: go on after an error.

    Returns:
        The exit code: 0, 1 after an error that is not allowed, 130 after an interrupt. No cell runs after either.
    """
    session = _Session(reporter)
    total = len(document.code_cells)
    with session.open(folder):
        for cell in document.cells:
            if not cell.is_code:
                reporter.text(cell)
                continue
            reporter.started(cell, session.count + 1)
            started = time.perf_counter()
            error = session.run(cell)
            reporter.finished(session.count, total, ok=error is None, seconds=time.perf_counter() - started)
            if isinstance(error, KeyboardInterrupt):
                return INTERRUPTED
            if error is not None and not allow_errors and not cell.may_fail:
                return 1
    return 0


class _Session:
    """The state that lasts from cell to cell: the names, the cell count, what `from __future__` switched on."""

    def __init__(self, reporter: Reporter) -> None:
        self.count = 0
        self._recorder = Recorder(reporter)
        self._module = ModuleType("__main__")
        self._names = self._module.__dict__
        self._flags = 0
        stream = self._recorder.stream
        self._magics = Magics(
            execute=lambda source: self._run_source(source, self._filename),
            namespace=self._names,
            say=lambda text: stream("stdout", text + "\n"),
            skip=lambda text: stream("stderr", text + "\n"),
        )
        self._names.update({"__builtins__": builtins, HANDLER: self._magics.line, "display": self._recorder.display})

    @contextlib.contextmanager
    def open(self, folder: Path) -> Iterator[None]:
        """Let this be the running program: its `__main__`, folder, streams, figures and `_`."""
        stdout, stderr = (OutputStream(name, self._recorder.stream) for name in ("stdout", "stderr"))
        with (
            _last_value_kept(),
            _main_module(self._module, str(folder)),
            contextlib.chdir(folder),
            drawing_into(self._recorder.display),
            contextlib.redirect_stdout(stdout),
            contextlib.redirect_stderr(stderr),
        ):
            yield

    @property
    def _filename(self) -> str:
        return f"In[{self.count}]"

    def run(self, cell: Cell) -> BaseException | None:
        """Execute one cell, record its outputs, and return the error that ended it, if one did."""
        self.count += 1
        error = None
        _remember_lines(self._filename, cell.source)
        try:
            value = self._value_of(cell.source)
            show_figures()
            if value is not None:
                builtins.__dict__["_"] = value
                self._recorder.result(value, self.count)
        except BaseException as raised:  # noqa: BLE001 - whatever ends a cell is recorded in the notebook
            error = raised
            self._recorder.error(error, _traceback_lines(error, self._filename))
        cell.set_result(self.count, self._recorder.take())
        return error

    def _value_of(self, source: str) -> Any:
        """The value that a cell shows: that of its last expression, unless a semicolon ends it."""
        if source.lstrip().startswith("%%"):
            value = self._magics.cell(source)
        else:
            value = self._run_source(source, self._filename)
        return None if _ends_with_semicolon(source) else value

    def _run_source(self, source: str, filename: str) -> Any:
        tree = ast.parse(python_source(source), filename)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        exec(self._compile(tree, filename, "exec"), self._names)
        if not isinstance(last, ast.Expr):
            return None
        return eval(self._compile(ast.Expression(last.value), filename, "eval"), self._names)

    def _compile(self, tree: ast.Module | ast.Expression, filename: str, mode: str) -> CodeType:
        code: CodeType = compile(tree, filename, mode, flags=self._flags, dont_inherit=True)
        self._flags |= code.co_flags & _FUTURE_FLAGS
        return code


@contextlib.contextmanager
def _main_module(module: ModuleType, folder: str) -> Iterator[None]:
    """Let `module` be `__main__`, without arguments, and with its folder first on the path."""
    before = sys.modules["__main__"], sys.argv, sys.path[:]
    sys.modules["__main__"], sys.argv = module, [""]
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.modules["__main__"], sys.argv, sys.path[:] = before


@contextlib.contextmanager
def _last_value_kept() -> Iterator[None]:
    """Let `_` mean the last result while a notebook runs, as Python's own prompt does, and forget it afterwards."""
    missing = object()
    before = builtins.__dict__.get("_", missing)
    try:
        yield
    finally:
        if before is missing:
            builtins.__dict__.pop("_", None)
        else:
            builtins.__dict__["_"] = before


def _remember_lines(filename: str, source: str) -> None:
    """Let tracebacks, warnings and wengert's own messages quote the lines of a cell, which are in no file."""
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)


def _traceback_lines(error: BaseException, filename: str) -> list[str]:
    trace = users_part(filename, error.__traceback__)
    error.__traceback__ = trace
    return "".join(traceback.format_exception(type(error), error, trace)).splitlines()


def _ends_with_semicolon(source: str) -> bool:
    """Whether the last thing in the source, comments aside, is a semicolon."""
    last = ""
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type != tokenize.COMMENT and token.string.strip():
                last = token.string
    except (tokenize.TokenError, SyntaxError):
        # Not Python to the end (a magic); then the text decides.
        return source.rstrip().endswith(";")
    return last == ";"
