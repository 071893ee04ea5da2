"""PyTorch's older compiler as it is when it is switched off (``PYTORCH_JIT=0``): decorators give functions back.

What it compiles for, files that run without Python, is not there. Speed is: :func:`wengert.compile`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

__all__ = ["Final", "export", "ignore", "is_scripting", "is_tracing", "script", "script_if_tracing", "unused"]


def is_scripting() -> bool:
    """False: this is Python.

    >>> import wengert as torch
    >>> torch.jit.is_scripting()
    False
    """
    return False


def is_tracing() -> bool:
    """False: PyTorch's tracer is not there.

    >>> import wengert as torch
    >>> torch.jit.is_tracing()
    False
    """
    return False


def script(obj: Any, optimize: Any = None, example_inputs: Any = None) -> Any:
    """The function, class or module that is given, uncompiled.

    >>> import wengert as torch
    >>> @torch.jit.script
    ... def double(x: torch.Tensor) -> torch.Tensor:
    ...     return 2 * x
    >>> double(torch.ones(1))
    tensor([2.])
    """
    del optimize, example_inputs
    return obj


def script_if_tracing(fn: Callable[..., Any]) -> Callable[..., Any]:
    """The function.

    >>> import wengert as torch
    >>> torch.jit.script_if_tracing(abs)(-1)
    1
    """
    return fn


def export(fn: Callable[..., Any]) -> Callable[..., Any]:
    """The function.

    >>> import wengert as torch
    >>> torch.jit.export(abs)(-1)
    1
    """
    return fn


def ignore(drop: Any = False) -> Any:
    """The function; with an option in place of a function, a decorator.

    >>> import wengert as torch
    >>> torch.jit.ignore(abs)(-1), torch.jit.ignore(drop=True)(abs)(-1)
    (1, 1)
    """
    return drop if callable(drop) else export


def unused(fn: Callable[..., Any]) -> Callable[..., Any]:
    """The function.

    >>> import wengert as torch
    >>> torch.jit.unused(abs)(-1)
    1
    """
    return fn
