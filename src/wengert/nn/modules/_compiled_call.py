"""A method of a module that is compiled, for each state of the module that a trace takes for constant."""

from __future__ import annotations

from collections.abc import Callable
from types import MethodType
from typing import Any

from wengert._traced import EDITS
from wengert.compile.api import compile


class CompiledCall:
    """A method of a module, compiled for each combination of training and evaluation that its parts are in.

    A compiled function takes what is no tensor for constant, and whether a module is training is no tensor.
    """

    def __init__(self, module: Any, method: Callable[..., Any], fallback: bool, fast_math: bool) -> None:
        self.module, self.method, self.fallback, self.fast_math = module, method, fallback, fast_math
        self._parts: tuple[Any, ...] = ()
        self._by_modes: dict[tuple[bool, ...], Any] = {}
        self._last: tuple[Any, Any] = (None, None)  # the count of edits, and the function that was right then

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The method's result."""
        edits, found = self._last
        return (found if edits is EDITS.count else self.now())(*args, **kwargs)

    def now(self) -> Any:
        """The compiled function for what the parts of the module are in now."""
        edits = EDITS.count
        found = self._by_modes.get(tuple([part.training for part in self._parts])) if self._parts else None
        if found is None:
            self._parts = tuple(self.module.modules())
            found = compile(MethodType(self.method, self.module), fallback=self.fallback, fast_math=self.fast_math)
            self._by_modes[tuple([part.training for part in self._parts])] = found
        self._last = edits, found
        return found

    def __reduce__(self) -> tuple[Any, ...]:
        """Copies are compiled anew."""
        return CompiledCall, (self.module, self.method, self.fallback, self.fast_math)


__all__ = ["CompiledCall"]
