"""Kernels of single operations and of their rules, for the eager engine: which there are, and where they are kept.

This is what the engine loads with its first large array, so it imports little: what makes machine code of a rule is
loaded only when the cache on disk does not have it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

from wengert.compile.eager.choice import most_backward, most_forward
from wengert.compile.eager.row_kernels import row_kernel
from wengert.compile.eager.update_kernels import update_kernel
from wengert.compile.runtime.cache import cache as disk_cache
from wengert.compile.runtime.cache import digest
from wengert.compile.runtime.flat import FlatCode, FlatKernel, has_flat_entry
from wengert.compile.runtime.objects import source_version
from wengert.compile.runtime.processor import processor
from wengert.ops.correlation import Correlation
from wengert.ops.record import Kind, Op

_NOTHING: Final = b"-"
# The module that makes what implementations ask for, by the first word of its name.
_MAKERS: Final = {
    "chosen": "indexed",
    "added": "indexed",
    "product": "products",
    "solve": "triangles",
    **dict.fromkeys(("lstm", "lstm_pull"), "sequences"),
}
Argument = str | int | float  # a dtype, "" for what nothing reads, or a number that is written into the code


class Maker:
    """Makes kernels, or takes them from the cache on disk."""

    def __init__(self, least: int) -> None:
        self._least = least

    def forward(
        self, op: Op, arguments: tuple[Argument, ...], meta: dict[str, Any], otherwise: Callable[..., Any]
    ) -> Callable[..., Any] | None:
        """The operation itself; None where NumPy is to do it."""
        most = most_forward(op, arguments, meta)
        return self._kernel(op, arguments, meta, (), most, otherwise) if most else None

    def backward(
        self, op: Op, arguments: tuple[Argument, ...], meta: dict[str, Any], needed: tuple[int, ...]
    ) -> Callable[..., Any] | None:
        """The cotangents of the needed inputs, in one pass; None where NumPy is to do it."""
        most = most_backward(op, arguments, meta)
        return self._kernel(op, arguments, meta, needed, most, _nothing) if most else None

    def rows(
        self,
        name: str,
        dtype: str,
        shapes: tuple[tuple[int, ...], ...],
        meta: dict[str, Any],
        otherwise: Callable[..., Any],
    ) -> Callable[..., Any] | None:
        """An operation along axes, or a fused combination, on arrays of these shapes; None where NumPy is to do it."""
        return row_kernel(name, dtype, shapes, meta, otherwise)

    def update(
        self, update: Callable[..., None], arrays: int, numbers: int, settings: tuple[Any, ...], dtype: str
    ) -> Callable[..., None] | None:
        """``update(*arrays, *numbers, *settings)``, which changes arrays in place; None where NumPy is to do it."""
        return update_kernel(update, arrays, numbers, settings, dtype)

    def asked_for(self, name: str, dtype: str) -> Callable[..., Any] | None:
        """What implementations ask for themselves (:mod:`wengert.ops.machine`)."""
        module = import_module(f"wengert.compile.eager.{_MAKERS[name.partition(' ')[0]]}")
        made: Callable[..., Any] | None = module.function(name, dtype)
        return made

    def correlation(self, what: Correlation) -> Callable[..., Any] | None:
        """What computes a correlation, of addresses (:mod:`wengert.ops.correlation`); None where NumPy is to do it."""
        made: Callable[..., Any] | None = import_module("wengert.compile.runtime.correlations").correlation(what)
        return made

    def _kernel(
        self,
        op: Op,
        arguments: tuple[Argument, ...],
        meta: dict[str, Any],
        needed: tuple[int, ...],
        most: int,
        otherwise: Callable[..., Any],
    ) -> Callable[..., Any]:
        find = _finder((op.name, arguments, tuple(meta.items()), needed))
        dtypes = [given if isinstance(given, str) else "" for given in arguments]
        result = dtypes[0] if needed else max(dtypes)  # of "b1" and "f4" the float
        results = (result,) * max(1, len(needed))
        is_number = op.kind is Kind.REDUCTION
        return FlatKernel(dtypes, results, (self._least, most), find, otherwise, is_number=is_number).call


def maker(least: int) -> Maker | None:
    """What makes kernels for arrays of at least so many elements.

    None if they cannot be called here, or could not be kept from process to process.
    """
    if not disk_cache().is_usable() or not has_flat_entry():
        return None
    return Maker(least)


def _nothing(*_: Any) -> Any:
    return NotImplemented


def _finder(request: tuple[Any, ...]) -> Callable[[int], FlatCode | None]:
    """What finds the code of a variant: which arguments are the same for all elements is the last part of its name."""

    def find(same: int) -> FlatCode | None:
        key = digest("eager", source_version(), processor().key, repr((*request, same)))
        kept = disk_cache().get_or_make(key, lambda: _compiled(request, same))
        return None if kept == _NOTHING else _read(kept)

    return find


def _compiled(request: tuple[Any, ...], same: int) -> bytes:
    """The entry of the cache for a variant that nobody has asked for before."""
    rules = import_module("wengert.compile.eager.rules")
    found: FlatCode | None = rules.code_for(rules.Request(*request, same))
    if found is None:
        return _NOTHING
    return json.dumps(found[1:]).encode() + b"\n" + found.object_code


def _read(kept: bytes) -> FlatCode:
    head, _, object_code = kept.partition(b"\n")
    name, prepare, is_shared, places = json.loads(head)
    return FlatCode(object_code, name, prepare, is_shared, tuple(places))


__all__ = ["Maker", "maker"]
