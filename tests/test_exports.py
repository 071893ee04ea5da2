"""The public names: listed, sorted, there, and documented with an example."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
import re
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

import wengert
import wengert.functions

PUBLIC = (
    "wengert",
    "wengert.autograd",
    "wengert.autograd.graph",
    "wengert.backends",
    "wengert.cuda",
    "wengert.linalg",
    "wengert.nn",
    "wengert.nn.functional",
    "wengert.nn.init",
    "wengert.nn.utils",
    "wengert.optim",
    "wengert.optim.lr_scheduler",
    "wengert.random",
    "wengert.serialization",
    "wengert.testing",
    "wengert.utils.data",
    "wengert.version",
)
# Public as well, on pages of their own in the reference or under the modules above.
FURTHER = (
    "wengert.accelerator",
    "wengert.amp",
    "wengert.cpu",
    "wengert.cuda.amp",
    "wengert.distributed",
    "wengert.jit",
    "wengert.mps",
    "wengert.xpu",
    "wengert.autograd.functional",
    "wengert.distributions",
    "wengert.fft",
    "wengert.func",
    "wengert.implicit",
    "wengert.masked",
    "wengert.nn.attention",
    "wengert.nn.attention.bias",
    "wengert.nn.attention.flex_attention",
    "wengert.nn.grad",
    "wengert.nn.modules",
    "wengert.nn.modules.utils",
    "wengert.nn.parallel",
    "wengert.nn.utils.parametrizations",
    "wengert.nn.utils.parametrize",
    "wengert.nn.utils.prune",
    "wengert.nn.utils.rnn",
    "wengert.nn.utils.stateless",
    "wengert.optim.swa_utils",
    "wengert.signal.windows",
    "wengert.special",
    "wengert.utils.dlpack",
)
FAMILIES = [f"wengert.functions.{found.name}" for found in pkgutil.iter_modules(wengert.functions.__path__)]

# Submodules that are not for users; all others of the package are public.
INNER = {
    f"wengert.{name}" for name in ("cli", "engine", "functions", "interop", "ops", "program", "see", "spaces", "tour")
}

# Methods have their documentation where they are put on the class; these are the classes that carry them.
MIXIN = re.compile(r"Methods$")


def _order(name: str) -> tuple[Any, ...]:
    """CONSTANTS, then Classes, then the rest, numbers by their value: what ruff's RUF022 keeps."""
    rank = 0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2
    return rank, [(not part.isdigit(), int(part) if part.isdigit() else part) for part in re.split(r"(\d+)", name)]


def _modules(names: list[str] | tuple[str, ...]) -> Iterator[ModuleType]:
    return (importlib.import_module(name) for name in names)


@pytest.mark.parametrize("name", PUBLIC)
def test_names_are_sorted_and_there(name: str) -> None:
    module = importlib.import_module(name)
    assert len(set(module.__all__)) == len(module.__all__)
    assert module.__all__ == sorted(module.__all__, key=_order)
    assert [item for item in module.__all__ if not hasattr(module, item)] == []


@pytest.mark.parametrize("name", ["wengert", "wengert.autograd", "wengert.linalg", "wengert.nn.functional"])
def test_the_list_is_complete(name: str) -> None:
    module = importlib.import_module(name)
    public = {
        item for item, value in vars(module).items() if not item.startswith("_") and not _is_incidental(value, name)
    }
    assert public - set(module.__all__) == set()


def _is_incidental(value: Any, module: str) -> bool:
    """Submodules that an import leaves behind, and what a module imports for its own use."""
    if isinstance(value, ModuleType):
        return module != "wengert" or value.__name__ in INNER
    return getattr(value, "__module__", "").partition(".")[0] in {"__future__", "typing", "collections"}


@pytest.mark.conformance
def test_every_function_of_a_family_is_exported_where_pytorch_has_it() -> None:
    torch = pytest.importorskip("torch")
    missing = [
        f"{module.__name__}.{name}"
        for module in _modules(FAMILIES)
        for name in getattr(module, "__all__", ())
        if hasattr(torch, name) and not MIXIN.search(name) and not _is_exported(name, getattr(module, name))
    ]
    assert missing == []


def _is_exported(name: str, value: Any) -> bool:
    """Whether a name stands in wengert, or (`lu` is another function in PyTorch itself, `fft` a module) further in."""
    return any([getattr(home, name, None) is value for home in (wengert, wengert.linalg, wengert.fft)])


@pytest.mark.conformance
def test_every_name_is_one_of_pytorch() -> None:
    torch = pytest.importorskip("torch")
    assert [name for name in wengert.__all__ if not hasattr(torch, name) and name not in wengert._LATER] == []


def test_what_shows_graphs_is_loaded_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(wengert._LATER) <= set(wengert.__all__)
    monkeypatch.setitem(wengert._LATER, "read", "wengert.see.graph")
    assert wengert.read is importlib.import_module("wengert.see.graph").read
    del wengert.read  # kept, so that the next use costs nothing
    with pytest.raises(AttributeError, match="module 'wengert' has no attribute 'nothing_of_the_kind'"):
        wengert.nothing_of_the_kind  # noqa: B018


def _is_documented(value: Any) -> bool:
    if isinstance(value, type) and issubclass(value, BaseException):
        return False
    return callable(value)


# An example of what does nothing or raises would say no more than the sentence above it.
ABSENT = {"wengert.accelerator", "wengert.cuda", "wengert.mps", "wengert.xpu"}


@pytest.mark.parametrize("name", [name for name in (*PUBLIC, *FURTHER) if name not in ABSENT])
def test_every_public_function_has_an_example(name: str) -> None:
    module = importlib.import_module(name)
    without = [
        item
        for item in module.__all__
        if _is_documented(getattr(module, item))
        and item not in {"Colouring", "Final"}  # made of SciPy's matrices; from `typing`
        and getattr(module, item) is not getattr(wengert.Tensor, item, None)  # the page on methods has an example
        and ">>>" not in (inspect.getdoc(getattr(module, item)) or "")
    ]
    assert without == []


def test_the_package_imports_quickly_what_it_needs() -> None:
    """What the core does without: none of it may slip in, because importing takes its time."""
    import subprocess
    import sys

    slow = ("asyncio", "doctest", "hypothesis", "llvmlite", "matplotlib", "pytest", "scipy", "torch", "unittest")
    program = f"""
import sys, numpy
had = set(sys.modules)
import wengert
print(sorted(name for name in {slow} if name in sys.modules and name not in had))
print([name for name in sys.modules if name.startswith("wengert.see")])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n[]\n"
