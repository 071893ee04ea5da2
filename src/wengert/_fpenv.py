"""NumPy's floating-point warnings, switched off around our own computations only.

PyTorch is silent when a computation overflows or divides by zero; NumPy warns. ``np.errstate`` costs 0.7 us, which
is more than a scalar operation. NumPy keeps its setting in a context variable. For a single call it is cheapest to
make the call in a context of our own where that variable is set (:func:`silent_runner`, 0.02 us). Around what may call
user code we set the variable and restore it (``enter`` and ``leave``, 0.15 us, and more where the process has many
context variables).

The same variable holds NumPy's buffer size. Where operands are not in memory order (parts of arrays, one that is
broadcast), a ufunc copies as many rows as fit in a buffer together, two or more of them, computes, and copies the
result back. With 8192 elements to a buffer that takes rows of some hundreds twice as long as going row by row
(:func:`run_by_rows`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextvars import Context, ContextVar
from typing import Any, Final

import numpy as np
from numpy._core import umath as _umath

_variable = getattr(_umath, "_extobj_contextvar", None)


class _Errstate:
    """The same two calls on NumPy's public interface, for a NumPy that keeps its setting elsewhere."""

    @staticmethod
    def enter(_silent: Any) -> Any:
        state = np.errstate(all="ignore")
        state.__enter__()
        return state

    @staticmethod
    def leave(state: Any) -> None:
        state.__exit__(None, None, None)


_WIDE: Final = 256  # elements of a row from which it is not worth copying


def _silent_setting(buffer: int | None = None) -> Any:
    if _variable is None:
        return None
    with np.errstate(all="ignore"):
        if buffer is not None:
            np.setbufsize(buffer)
        return _variable.get()


SILENT: Final = _silent_setting()
_BY_ROWS: Final = _silent_setting(2 * _WIDE)
enter: Final[Callable[[Any], Any]] = _Errstate.enter if _variable is None else _variable.set
leave: Final[Callable[[Any], None]] = _Errstate.leave if _variable is None else _variable.reset


def _run_first(function: Callable[..., Any], /, *args: Any, **named: Any) -> Any:
    """What runs a function where no runner has been made yet."""
    if _variable is None:
        return run_guarded(function, *args, **named)
    context = Context()
    context.run(_variable.set, SILENT)
    _runner.set(context.run)
    return context.run(function, *args, **named)


def run_guarded(function: Callable[..., Any], /, *args: Any, **named: Any) -> Any:
    """As :func:`run_silently`, in the caller's own context: for what may call user code."""
    token = enter(SILENT)
    try:
        return function(*args, **named)
    finally:
        leave(token)


def has_wide_rows(arrays: Iterable[Any]) -> bool:
    """Whether any of the arrays among some raw values has rows that :func:`run_by_rows` is for."""
    return any([x.__class__ is np.ndarray and x.ndim > 1 and x.shape[-1] >= _WIDE for x in arrays])


def run_by_rows(function: Callable[..., Any], /, *args: Any, **named: Any) -> Any:
    """An elementwise function of arrays with wide rows, without NumPy's warnings.

    Not for sums, which NumPy takes pairwise within a buffer: they would be less accurate.
    """
    token = enter(_BY_ROWS)
    try:
        return function(*args, **named)
    finally:
        leave(token)


_runner: Final[ContextVar[Callable[..., Any]]] = ContextVar("wengert silent runner", default=_run_first)

# ``silent_runner()(function, *args, **named)`` calls a function of raw values without NumPy warnings. A context cannot
# be entered twice, so this raises RuntimeError where another thread shares it (``asyncio.to_thread`` copies the
# caller's) or a finaliser runs in the middle of a call: the caller goes on with `run_silently` then.
silent_runner: Final[Callable[[], Callable[..., Any]]] = _runner.get


def run_silently(function: Callable[..., Any], /, *args: Any, **named: Any) -> Any:
    """``function(*args, **named)`` without NumPy's warnings."""
    try:
        return _runner.get()(function, *args, **named)
    except RuntimeError as error:
        if not str(error).startswith("cannot enter context"):
            raise
    return run_guarded(function, *args, **named)
