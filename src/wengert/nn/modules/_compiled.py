"""``OptimizedModule``: what `compile` makes of a module."""

from __future__ import annotations

from typing import Any

from wengert.compile.api import compiled
from wengert.nn.modules._compiled_call import CompiledCall
from wengert.nn.modules.module import Module


class OptimizedModule(Module):
    """What :func:`wengert.compile` makes of a module: attributes and tensors are the module's, calls are compiled.

    The module itself is ``_orig_mod``, and stands so in the names of the state dict, as in PyTorch.

    >>> import wengert as torch
    >>> net = torch.compile(torch.nn.Linear(2, 1))
    >>> net(torch.ones(3, 2)).shape, net.in_features, list(net.state_dict())
    (torch.Size([3, 1]), 2, ['_orig_mod.weight', '_orig_mod.bias'])
    """

    def __init__(self, module: Module, fallback: bool = False, fast_math: bool = False) -> None:
        super().__init__()
        del self.__dict__["training"]  # is the module's
        self._modules["_orig_mod"] = module
        self.__dict__["_compiled_call"] = CompiledCall(module, type(module).__call__, fallback, fast_math)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The module's result."""
        return self._compiled_call(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        """A part or attribute of the module, or what a compiled function tells of itself (``explain``)."""
        if "_compiled_call" not in self.__dict__:
            return super().__getattr__(name)
        module = self._modules["_orig_mod"]
        if name == "_orig_mod":
            return module
        try:
            return getattr(module, name)
        except AttributeError:
            if name in {"explain", "llvm", "loops", "program"}:
                return getattr(self._compiled_call.now(), name)
            raise

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute of the module."""
        setattr(self._modules["_orig_mod"], name, value)

    def __delattr__(self, name: str) -> None:
        """Delete an attribute of the module."""
        delattr(self._modules["_orig_mod"], name)

    def __len__(self) -> int:
        """The length of the module."""
        return len(self._modules["_orig_mod"])

    def __bool__(self) -> bool:
        """A module is true, whether it has a length or not."""
        return True

    def __reduce__(self) -> tuple[Any, ...]:
        """Copies are compiled anew."""
        return OptimizedModule, (self._orig_mod, self._compiled_call.fallback, self._compiled_call.fast_math)


@compiled.register
def _(function: Module, *, fallback: bool, fast_math: bool) -> OptimizedModule:
    return OptimizedModule(function, fallback, fast_math)


__all__ = ["OptimizedModule"]
