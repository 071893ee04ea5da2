"""The lines of a notebook that are IPython's and not Python's: `%time`, `!ls`, `name?`.

Each becomes a call of one function on the same line, so that line numbers in errors stay right. The few with a meaning
outside Jupyter are carried out; the rest are reported as left out.
"""

import ast
import time
import timeit
import warnings
from collections.abc import Callable
from typing import Any

__all__ = ["HANDLER", "Magics", "python_source"]

# The name under which a notebook's code finds `Magics.line`.
HANDLER = "__wengert_magic__"

# Set-up for Jupyter that has no effect on what is computed here.
_WITHOUT_EFFECT = frozenset({"autoreload", "config", "load_ext", "matplotlib", "precision", "pylab", "reload_ext"})


def python_source(source: str) -> str:
    """The source with each magic line replaced by a call of `HANDLER`; source that is valid Python comes back as it is.

    A line is taken for a magic only where Python cannot read it, so `%` in an expression or in text is safe.
    """
    lines = source.splitlines()
    # Each round replaces one line, so there are at most as many rounds as lines.
    for _ in range(len(lines) + 1):
        text = "\n".join(lines)
        number = _line_python_cannot_read(text)
        if number is None or not 1 <= number <= len(lines):
            return text
        call = _as_call(lines[number - 1])
        if call is None:
            return text
        lines[number - 1] = call
    return "\n".join(lines)


def _line_python_cannot_read(text: str) -> int | None:
    try:
        with warnings.catch_warnings():
            # What is doubtful and valid is told once, when the cell itself is compiled.
            warnings.simplefilter("ignore", SyntaxWarning)
            ast.parse(text)
    except SyntaxError as error:
        return error.lineno
    except ValueError:
        return None
    return None


def _as_call(line: str) -> str | None:
    stripped = line.strip()
    indent = line[: len(line) - len(line.lstrip())]
    if stripped.startswith("%%"):
        return None
    if stripped.startswith("%"):
        name, _, argument = stripped[1:].partition(" ")
        return f"{indent}{HANDLER}({name!r}, {argument.strip()!r})"
    if stripped.startswith("!"):
        return f"{indent}{HANDLER}('!', {stripped[1:]!r})"
    if stripped.startswith("?") or stripped.endswith("?"):
        return f"{indent}{HANDLER}('?', {stripped!r})"
    return None


class Magics:
    """Carries out the magics of one notebook in its namespace.

    Args:
        execute: runs Python source in the notebook and returns the value of its last expression, or None.
        namespace: the notebook's global names.
        say: shows a line to the user, such as a time taken.
        skip: tells the user what was left out.
    """

    def __init__(
        self,
        execute: Callable[[str], Any],
        namespace: dict[str, Any],
        say: Callable[[str], None],
        skip: Callable[[str], None],
    ) -> None:
        self._execute = execute
        self._namespace = namespace
        self._say = say
        self._skip = skip

    def line(self, name: str, argument: str) -> Any:
        """Carry out `%name argument`; `!` and `?` count as names."""
        if name == "time":
            return self._time(argument)
        if name == "timeit":
            self._timeit(argument)
        elif name == "!":
            self._skip(f"left out: !{argument} (wengert run starts no shell commands)")
        elif name == "?":
            self._skip(f"left out: {argument} (help is for interactive use)")
        elif name not in _WITHOUT_EFFECT:
            self._skip(f"left out: {f'%{name} {argument}'.strip()} (wengert run does not know this magic)")
        return None

    def cell(self, source: str) -> Any:
        """Carry out a cell that begins with `%%`: its first line names the magic, the rest is its body."""
        start = source.index("%%")
        first, _, body = source[start:].partition("\n")
        name, _, argument = first[2:].partition(" ")
        # Whatever stands before and in the first line leaves its line breaks, so that line numbers stay right.
        above = "\n" * source.count("\n", 0, start)
        if name == "time":
            return self._time(f"{above}{argument.strip()}\n{body}")
        if name == "timeit":
            self._timeit(body, setup=argument)
            return None
        if name == "capture":
            self._skip(f"left out: {first} (its output is shown)")
            return self._execute(f"{above}\n{body}")
        self._skip(f"left out: a cell of {first} (wengert run does not know this magic)")
        return None

    def _time(self, statement: str) -> Any:
        started = time.perf_counter()
        value = self._execute(statement)
        self._say(f"Wall time: {readable_seconds(time.perf_counter() - started)}")
        return value

    def _timeit(self, statement: str, setup: str = "") -> None:
        if statement.startswith("-") or setup.startswith("-"):
            self._skip("left out: %timeit with options (wengert run knows it without)")
            return
        timer = timeit.Timer(statement, setup or "pass", globals=self._namespace)
        loops, _ = timer.autorange()
        best = min(timer.repeat(5, loops)) / loops
        self._say(f"{readable_seconds(best)} per loop (best of 5 runs of {loops} loops each)")


def readable_seconds(seconds: float) -> str:
    """A time with three significant digits and a fitting unit.

    >>> readable_seconds(0.01234), readable_seconds(3.2e-7), readable_seconds(75.0)
    ('12.3 ms', '320 ns', '75 s')
    """
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"
