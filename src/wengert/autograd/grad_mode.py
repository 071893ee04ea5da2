"""Switching tracking on and off: for a block, a function, a generator, in one thread."""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable, Generator
from typing import Any

from wengert.engine.base import set_inference
from wengert.engine.past import note_switch
from wengert.engine.state import STATE


class _Mode:
    """A context manager and decorator; around a generator it holds while the generator runs, not while it waits."""

    def clone(self) -> _Mode:
        """A fresh context manager with the same setting: one is needed for each use."""
        return type(self)()

    def __enter__(self) -> Any:
        raise NotImplementedError

    def __exit__(self, *exc: object) -> None:
        raise NotImplementedError

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        if inspect.isclass(function):
            warnings.warn(
                f"Decorating classes is deprecated: {type(self).__name__} now decorates the constructor of "
                f"{function.__name__} and nothing else. Decorate its methods instead.",
                FutureWarning,
                stacklevel=2,
            )
            function.__init__ = self(function.__init__)  # type: ignore[method-assign]
            return function
        if inspect.isgeneratorfunction(function):
            return self._wrap_generator(function)

        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            with self.clone():
                return function(*args, **kwargs)

        return wrapper

    def _wrap_generator(self, function: Callable[..., Generator[Any, Any, Any]]) -> Callable[..., Any]:
        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
            generator = function(*args, **kwargs)
            step: Callable[[], Any] = functools.partial(generator.send, None)
            while True:
                try:
                    with self.clone():
                        value = step()
                except StopIteration as end:
                    return end.value
                try:
                    step = functools.partial(generator.send, (yield value))
                except GeneratorExit:
                    with self.clone():
                        generator.close()
                    raise
                except BaseException as error:  # noqa: BLE001 - whatever is thrown in goes on to the generator
                    step = functools.partial(generator.throw, error)

        return wrapper


class set_grad_enabled(_Mode):
    """Switch tracking on or off, for a block or from now on.

    >>> import wengert as torch
    >>> x = torch.ones(1, requires_grad=True)
    >>> with torch.set_grad_enabled(False):
    ...     y = x * 2
    >>> y.requires_grad
    False
    """

    def __init__(self, mode: bool) -> None:
        if not isinstance(mode, bool):
            raise TypeError(
                f"set_grad_enabled(): argument 'enabled' (position 1) must be bool, not {type(mode).__name__}"
            )
        self.mode = mode
        self.before = STATE.grad_enabled
        STATE.grad_enabled = mode and not STATE.inference  # in inference mode nothing is recorded whatever is asked for
        note_switch(f"set_grad_enabled({mode})")

    def clone(self) -> set_grad_enabled:
        """A fresh one with the same setting."""
        return type(self)(self.mode)

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function in this mode; what made it only a decorator is undone."""
        STATE.grad_enabled = self.before
        return super().__call__(function)

    def __enter__(self) -> None:
        STATE.grad_enabled = self.mode and not STATE.inference

    def __exit__(self, *exc: object) -> None:
        STATE.grad_enabled = self.before

    def __repr__(self) -> str:
        return f"torch.autograd.grad_mode.set_grad_enabled(mode={self.mode})"


class _Switch(_Mode):
    """Sets one value of the thread's state while it is entered; may be entered again and again."""

    mode: bool

    def __new__(cls, orig_func: Callable[..., Any] | None = None) -> Any:
        made = super().__new__(cls)
        if orig_func is None:
            return made
        made.__init__()  # type: ignore[misc]
        return made(orig_func)  # used as a decorator without parentheses

    def __init__(self, orig_func: None = None) -> None:
        self.before: list[bool] = []

    def __enter__(self) -> None:
        self.before.append(STATE.grad_enabled)
        STATE.grad_enabled = self.mode and not STATE.inference
        if not self.mode:
            note_switch("no_grad()")

    def __exit__(self, *exc: object) -> None:
        STATE.grad_enabled = self.before.pop()


class no_grad(_Switch):
    """Compute without tracking.

    >>> import wengert as torch
    >>> x = torch.ones(1, requires_grad=True)
    >>> with torch.no_grad():
    ...     y = x * 2
    >>> y.requires_grad
    False
    >>> @torch.no_grad()
    ... def double(x):
    ...     return x * 2
    >>> double(x).requires_grad
    False
    """

    mode = False


class enable_grad(_Switch):
    """Compute with tracking, inside a ``no_grad`` block.

    >>> import wengert as torch
    >>> x = torch.ones(1, requires_grad=True)
    >>> with torch.no_grad(), torch.enable_grad():
    ...     y = x * 2
    >>> y.requires_grad
    True
    """

    mode = True


class inference_mode(_Mode):
    """Compute without tracking, for good: what is made here can never be part of a graph.

    >>> import wengert as torch
    >>> with torch.inference_mode():
    ...     y = torch.ones(1) * 2
    >>> y.is_inference()
    True
    """

    def __new__(cls, mode: Any = True) -> Any:
        """A context manager, or the decorated function where ``mode`` is one."""
        made = super().__new__(cls)
        if isinstance(mode, bool):
            return made
        made.__init__()  # type: ignore[misc]
        return made(mode)  # used as a decorator without parentheses

    def __init__(self, mode: bool = True) -> None:
        self.mode = mode
        self.before: list[tuple[bool, bool]] = []

    def clone(self) -> inference_mode:
        """A fresh one with the same setting."""
        return type(self)(self.mode)

    def __enter__(self) -> None:
        self.before.append((STATE.grad_enabled, STATE.inference))
        STATE.grad_enabled = not self.mode
        set_inference(self.mode)
        if self.mode:
            note_switch("inference_mode()")

    def __exit__(self, *exc: object) -> None:
        STATE.grad_enabled, inference = self.before.pop()
        set_inference(inference)


class set_multithreading_enabled(_Mode):
    """Accepted for PyTorch's sake: a backward pass always runs in the thread that asks for it.

    >>> import wengert as torch
    >>> x = torch.ones(1, requires_grad=True)
    >>> with torch.autograd.set_multithreading_enabled(False):
    ...     (x * 2).backward()
    >>> x.grad
    tensor([2.])
    """

    def __init__(self, mode: bool) -> None:
        self.mode = mode

    def clone(self) -> set_multithreading_enabled:
        """A fresh one with the same setting."""
        return type(self)(self.mode)

    def __enter__(self) -> None:
        return None

    def __exit__(self, *exc: object) -> None:
        return None


def is_grad_enabled() -> bool:
    """Whether operations are tracked in this thread now.

    >>> import wengert as torch
    >>> torch.is_grad_enabled()
    True
    """
    return STATE.grad_enabled


def is_inference_mode_enabled() -> bool:
    """Whether this thread is in ``inference_mode``.

    >>> import wengert as torch
    >>> with torch.inference_mode():
    ...     torch.is_inference_mode_enabled()
    True
    """
    return STATE.inference


__all__ = [
    "enable_grad",
    "inference_mode",
    "is_grad_enabled",
    "is_inference_mode_enabled",
    "no_grad",
    "set_grad_enabled",
]
