"""Answering `import torch` with wengert, so that programs written for PyTorch run unchanged.

`install` puts a finder before all others which answers `torch` and `torch.<anything>` with a `TorchNamespace`: a module
that shows the public names of the wengert module behind it, and says clearly which name of PyTorch is not there.
`uninstall` takes it all away again. Nothing of this happens unless it is called for.
"""

import importlib
import importlib.abc
import importlib.machinery
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from wengert._tensor import Tensor
from wengert.functions.dlpack import from_dlpack

__all__ = ["TorchNamespace", "answering_torch", "from_torch", "install", "installed", "to_torch", "uninstall"]

_ALIAS = "torch"
_TARGET = "wengert"

# Parts of wengert's own house: PyTorch has nothing of the kind under these names.
_INTERNAL = frozenset({"array_api", "cli", "engine", "functions", "interop", "ops", "see", "spaces", "tour"})


# Names that are no public ones there and that programs import from PyTorch all the same.
_USED_THOUGH_PRIVATE = {
    "torch.nn.init": ("_calculate_fan_in_and_fan_out",),
    "torch.nn.modules.batchnorm": ("_BatchNorm",),
    "torch.nn.modules.conv": ("_ConvNd",),
    "torch.nn.modules.loss": ("_Loss", "_WeightedLoss"),
    "torch.nn.modules.utils": ("_ntuple", "_single", "_pair", "_triple", "_quadruple"),
    "torch.optim.lr_scheduler": ("_LRScheduler",),
    "torch.types": ("_TensorOrTensors", "_bool", "_complex", "_device", "_dtype", "_float", "_int", "_size"),
    "torch.utils.data.dataloader": ("default_collate",),
}
_MODULES_USED_THOUGH_PRIVATE = frozenset({"torch.utils._pytree"})


class TorchNamespace(ModuleType):
    """A module named `torch` or `torch.<...>` that answers with the public names of a wengert module."""

    def __init__(self, name: str, target: ModuleType) -> None:
        super().__init__(name, target.__doc__)
        self._target = target
        self.__path__: list[str] = []
        self.__file__ = getattr(target, "__file__", None)
        later = getattr(target, "_LATER", ())  # wengert's own, not PyTorch's
        self.__all__ = [public for public in getattr(target, "__all__", ()) if public not in later]
        # Copied, so that `torch.sin` costs what an attribute of any module costs.
        # What the target loads on first use is left to `__getattr__`.
        for public in self.__all__:
            value = vars(target).get(public, target)
            if not isinstance(value, ModuleType):
                self.__dict__[public] = value
        for private in _USED_THOUGH_PRIVATE.get(name, ()):
            self.__dict__[private] = getattr(target, private)

    def __setattr__(self, name: str, value: Any) -> None:
        held = self.__dict__.get(name)
        if isinstance(value, ModuleType) and callable(held):
            return  # importing the module autograd.gradcheck does not take the function's name from it
        super().__setattr__(name, value)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            return getattr(self._target, name)
        if name in self.__all__:
            value = getattr(self._target, name)
            if isinstance(value, ModuleType):
                return importlib.import_module(f"{self.__name__}.{name}")
            self.__dict__[name] = value
            return value
        inner = f"{self.__name__}.{name}"
        if self.__name__ != _ALIAS and _module_behind(inner) is not None:  # PyTorch imports its submodules itself
            return importlib.import_module(inner)
        raise AttributeError(_no_such(f"{self.__name__}.{name}"), name=name, obj=self)

    def __dir__(self) -> list[str]:
        return sorted(self.__all__)

    def __repr__(self) -> str:
        return f"<module {self.__name__!r} answered by {self._target.__name__!r}>"


class _Loader(importlib.abc.Loader):
    """Loads a name of PyTorch by showing the wengert module behind it."""

    def __init__(self, target: ModuleType) -> None:
        self._target = target

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        return TorchNamespace(spec.name, self._target)

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing: the names are there since `create_module`."""


class _Finder(importlib.abc.MetaPathFinder):
    """Answers every name below `torch`, so that an installed PyTorch is never reached by accident."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != _ALIAS and not fullname.startswith(_ALIAS + "."):
            return None
        module = _module_behind(fullname)
        if module is None:
            # The name of the module that is really missing: given the alias, `from torch import x` would swallow this
            # error and raise a vaguer one.
            raise ModuleNotFoundError(_no_such(fullname), name=_TARGET + fullname.removeprefix(_ALIAS))
        return importlib.machinery.ModuleSpec(fullname, _Loader(module), is_package=True)


_FINDER = _Finder()


def install() -> None:
    """Answer `import torch`, and every import below it, with wengert from now on.

    Installing twice does nothing. Modules that imported PyTorch's names before keep them.

    Raises:
        ImportError: the real PyTorch is already imported in this process: its tensors and ours would mix unnoticed.

    Example:
        In a program of its own (no doctest: PyTorch may be imported where this text is tested)::

            import wengert.interop.torch

            wengert.interop.torch.install()
            import torch
            import torch.nn.functional as F
    """
    if installed():
        return
    real = sys.modules.get(_ALIAS)
    if real is not None:
        where = getattr(real, "__file__", None) or "an unknown place"
        raise ImportError(
            "cannot answer `import torch` with wengert: a module named torch is already imported in this process, "
            f"from {where}. Call install() before anything imports torch, or start a fresh process "
            "(`wengert run FILE` does).",
            name=_ALIAS,
        )
    sys.meta_path.insert(0, _FINDER)


def uninstall() -> None:
    """Stop answering `import torch`; modules that already imported the names keep them.

    Uninstalling when nothing is installed does nothing.
    """
    if _FINDER in sys.meta_path:
        sys.meta_path.remove(_FINDER)
    for name in [name for name, module in sys.modules.items() if isinstance(module, TorchNamespace)]:
        del sys.modules[name]


def installed() -> bool:
    """Say whether `import torch` is answered by wengert.

    Example:
        >>> from wengert.interop.torch import installed
        >>> installed()
        False
    """
    return _FINDER in sys.meta_path


@contextmanager
def answering_torch() -> Iterator[None]:
    """`install` for the duration of a `with` block.

    Raises:
        ImportError: as `install`.
    """
    was_installed = installed()
    install()
    try:
        yield
    finally:
        if not was_installed:
            uninstall()


def from_torch(tensor: Any) -> Any:
    """A wengert tensor on the memory of a tensor of the real PyTorch, outside its graph; nothing is copied.

    Raises:
        BufferError: the tensor is not on the CPU.
        TypeError: no tensor.
        RuntimeError: a dtype that wengert does not have.

    Example:
        With PyTorch installed::

            t = torch.ones(2)
            w = from_torch(t)  # writing to one writes to the other
    """
    if not hasattr(tensor, "resolve_neg"):
        raise TypeError(f"from_torch() takes a tensor of PyTorch, and was given a {type(tensor).__name__}")
    return from_dlpack(tensor.detach().resolve_conj().resolve_neg())


def to_torch(tensor: Tensor) -> Any:
    """A tensor of the real PyTorch on the memory of a wengert tensor, outside its graph; nothing is copied.

    Raises:
        ModuleNotFoundError: PyTorch is not installed.
        ImportError: `import torch` is answered by wengert here.
        BufferError: a tensor that reads its memory backwards (``t[::-1]``), which PyTorch cannot: clone it first.

    Example:
        With PyTorch installed::

            t = to_torch(wengert.ones(2))
    """
    real = importlib.import_module(_ALIAS)
    if isinstance(real, TorchNamespace):
        raise ImportError("`import torch` is answered by wengert in this program: call uninstall() first", name=_ALIAS)
    if not isinstance(tensor, Tensor):
        raise TypeError(f"to_torch() takes a tensor of wengert, and was given a {type(tensor).__name__}")
    return real.from_dlpack(tensor.detach().resolve_conj())


def _no_such(name: str) -> str:
    return f"wengert has no {name} yet"


def _module_behind(fullname: str) -> ModuleType | None:
    """The wengert module that answers `fullname`, or None where there is none."""
    module = importlib.import_module(_TARGET)
    for depth, part in enumerate(fullname.split(".")[1:]):
        is_hidden = part.startswith("_") and fullname not in _MODULES_USED_THOUGH_PRIVATE
        if is_hidden or (depth == 0 and part in _INTERNAL):
            return None
        inner = getattr(module, part, None)
        if not isinstance(inner, ModuleType):  # a function may have the name of its module: autograd.gradcheck
            inner = _import_if_there(f"{module.__name__}.{part}")
        if not isinstance(inner, ModuleType) or not inner.__name__.startswith(_TARGET):
            return None
        module = inner
    return module


def _import_if_there(name: str) -> ModuleType | None:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        # A module that exists, and fails for want of something else, has an error worth seeing.
        if error.name != name:
            raise
        return None
