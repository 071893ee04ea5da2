"""What programs ask and say about compilation beside :func:`wengert.compile`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wengert.engine.state import STATE

__all__ = [
    "cudagraph_mark_step_begin",
    "disable",
    "is_compiling",
    "is_dynamo_compiling",
    "is_exporting",
    "list_backends",
    "reset",
]


def is_compiling() -> bool:
    """Whether this thread traces a function for :func:`wengert.compile`.

    >>> import wengert as torch
    >>> torch.compiler.is_compiling()
    False
    >>> torch.compile(lambda x: x + torch.compiler.is_compiling())(torch.zeros(()))
    tensor(1.)
    """
    return STATE.trace is not None


def is_dynamo_compiling() -> bool:
    """As :func:`is_compiling`: there is one tracer."""
    return is_compiling()


def is_exporting() -> bool:
    """False: programs are not exported."""
    return False


def disable(fn: Callable[..., Any] | None = None, recursive: bool = True, *, reason: str | None = None) -> Any:
    """The function as it is: calling it does not compile it.

    In a function that is traced it is traced with it, since a program has no holes.

    >>> import wengert as torch
    >>> torch.compiler.disable(abs)(-1)
    1
    """
    del recursive, reason
    return disable if fn is None else fn


def reset() -> None:
    """Nothing: what was compiled belongs to the compiled function, and goes with it."""


def list_backends(exclude_tags: Any = ("debug", "experimental")) -> list[str]:
    """The names of what compiles.

    >>> import wengert as torch
    >>> torch.compiler.list_backends()
    ['inductor']
    """
    del exclude_tags
    return ["inductor"]


def cudagraph_mark_step_begin() -> None:
    """Nothing: there are no CUDA graphs."""
