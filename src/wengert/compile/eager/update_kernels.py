"""Kernels of functions that change arrays in place: kept on disk, for the optimizers."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np

from wengert.compile.eager.row_kernels import NOTHING, kept_form, linked_kernel
from wengert.compile.llvm import machine
from wengert.compile.runtime.cache import cache as disk_cache
from wengert.compile.runtime.cache import digest


def update_kernel(
    update: Callable[..., None], arrays: int, numbers: int, settings: tuple[Any, ...], dtype: str, version: str
) -> Callable[..., None] | None:
    """``update(*arrays, *numbers, *settings)`` as a function of arrays of one axis and of numbers.

    None where it is no loop over elements that NumPy's functions can be told from.
    """
    request = (update.__module__, update.__qualname__, arrays, numbers, settings, dtype)
    key = digest("update", version, _source(update.__module__), machine.machine().key, repr(request))
    kept = disk_cache().get(key)
    if kept is None:
        updates = import_module("wengert.compile.eager.updates")
        found = updates.update_code(update, arrays, numbers, settings, dtype)
        kept = NOTHING if found is None else kept_form(found.kernel, found.interface, found.read, (), found.object_code)
        disk_cache().put(key, kept)
    if kept == NOTHING:
        return None
    compiled, read, _ = linked_kernel(kept)
    call, number = compiled.call, np.dtype(dtype).type
    chosen = itemgetter(*read)

    def in_place(*given: Any) -> None:
        call(*chosen((*given[:arrays], *[number(x) for x in given[arrays:]])))

    return in_place


@cache
def _source(module: str) -> str:
    """The text of a module and of those beside it, whose functions an update may call."""
    file = import_module(module).__file__
    files = sorted(Path(file).parent.glob("*.py")) if file is not None else []
    return digest(*[each.read_text(encoding="utf-8") for each in files])


__all__ = ["update_kernel"]
