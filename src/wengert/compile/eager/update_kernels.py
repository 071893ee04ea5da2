"""Kernels of functions that change arrays in place: kept on disk, for the optimizers."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np

from wengert.compile.eager.row_kernels import kept_form, linked_kernel
from wengert.compile.runtime.cache import cache as disk_cache
from wengert.compile.runtime.cache import digest
from wengert.compile.runtime.objects import source_version
from wengert.compile.runtime.processor import processor


def update_kernel(
    update: Callable[..., None], arrays: int, numbers: int, settings: tuple[Any, ...], dtype: str
) -> Callable[..., None] | None:
    """``update(*arrays, *numbers, *settings)`` as a function of arrays of one axis and of numbers.

    None where it is no loop over elements that NumPy's functions can be told from.
    """
    request = (update.__module__, update.__qualname__, arrays, numbers, settings, dtype)
    key = digest("update", source_version(), _source(update.__module__), processor().key, repr(request))

    def compiled_update() -> bytes:
        updates = import_module("wengert.compile.eager.updates")
        return kept_form(updates.update_code(update, arrays, numbers, settings, dtype))

    made = linked_kernel(disk_cache().get_or_make(key, compiled_update))
    if made is None:
        return None
    compiled, read, _ = made
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
