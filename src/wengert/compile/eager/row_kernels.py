"""Kernels of operations along axes, for the eager engine: found for shapes, and kept on disk."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from importlib import import_module
from math import prod
from typing import Any, Final

import numpy as np

from wengert.compile.eager.choice import is_usual
from wengert.compile.eager.pools import POOLS, fits
from wengert.compile.eager.row_shapes import Seen, Shape, seen
from wengert.compile.llvm import machine
from wengert.compile.llvm.interface import Interface
from wengert.compile.nest import Kernel
from wengert.compile.nest_data import signature_data, signature_of
from wengert.compile.runtime.build import CompiledKernel
from wengert.compile.runtime.cache import cache as disk_cache
from wengert.compile.runtime.cache import digest
from wengert.compile.runtime.objects import source_version
from wengert.compile.runtime.processor import processor
from wengert.compile.runtime.support import support

_NOTHING: Final = b"-"
_LONG: Final = 256  # elements of a row from which to reverse it is quicker than by NumPy
_Made = tuple[CompiledKernel, tuple[int, ...], tuple[Shape, ...]]  # a kernel, what it reads, its results' kinds

_made: Final[dict[Any, _Made | None]] = {}


def row_kernel(
    name: str, dtype: str, shapes: Sequence[Shape], meta: dict[str, Any], otherwise: Callable[..., Any]
) -> Callable[..., Any] | None:
    """An operation or a fused combination on arrays of exactly these shapes; None where NumPy is to do it.

    It calls ``otherwise`` with what is no array of this dtype.
    """
    if name in POOLS:
        return _of_images(name, dtype, shapes[0], meta, otherwise)
    key = "dims" if "dims" in meta else "dim"
    dims = meta.get(key)
    if not is_usual((), meta, backward=False):
        return None
    along = (dims,) if isinstance(dims, int) else tuple(range(len(shapes[0]))) if key in meta and dims is None else dims
    shape = meta.get("shape")
    found = seen([*shapes, shape] if shape is not None else shapes, along)
    if found is None or (along is not None and not found.dims):
        return None
    if name == "flip" and not _reverses_long_rows(found):
        return None
    meta = dict(meta)
    if shape is not None:
        meta["shape"] = found.kinds[-1]
        found = found._replace(shapes=found.shapes[:-1], kinds=found.kinds[:-1])
    if along is not None and found.dims is not None:
        meta[key] = found.dims[0] if isinstance(dims, int) else found.dims
    drops = meta.get("keepdim") is False
    if drops:
        meta["keepdim"] = found.dims is None or len(found.dims) < len(found.groups)
    made = _kernel((name, dtype, found.kinds, tuple(meta.items())))
    if made is None:
        return None
    own = [shape] if shape is not None else None
    return _fitted(made, found, shapes, own, along if drops else None, otherwise)


def _reverses_long_rows(found: Seen) -> bool:
    """Whether what lies side by side is reversed; NumPy goes element by element there, and copies whole rows."""
    last = len(found.groups) - 1
    return found.dims is not None and last in found.dims and prod(found.groups[last]) >= _LONG


def _of_images(
    name: str, dtype: str, shape: Shape, meta: dict[str, Any], otherwise: Callable[..., Any]
) -> Callable[..., Any] | None:
    """Means or maxima of patches of these images."""
    if not fits(name, shape, meta):
        return None
    made = _kernel((name, dtype, (), tuple(meta.items())))
    if made is None:
        return None
    seen_as = (prod(shape[:2]), *shape[2:])
    results = [(*shape[:2], *meta["counts"])] * len(made[0].results)
    return _on_shapes(made[0], [shape], (0,), [seen_as], results, otherwise)


def _fitted(
    made: _Made,
    found: Seen,
    shapes: Sequence[Shape],
    own: list[Shape] | None,
    dropped: Shape | None,
    otherwise: Callable[..., Any],
) -> Callable[..., Any]:
    """The kernel for these shapes: arguments and results are seen under others where that is needed."""
    compiled, read, kinds = made
    whole = (1,) * len(found.groups)
    results = own or [found.result(kind or whole, dropped) if kind or found.dims is not None else () for kind in kinds]
    return _on_shapes(compiled, shapes, read, [found.shapes[i] for i in read], results, otherwise)


def _on_shapes(
    compiled: CompiledKernel,
    shapes: Sequence[Shape],
    read: tuple[int, ...],
    seen_as: Sequence[Shape],
    results: Sequence[Shape],
    otherwise: Callable[..., Any],
) -> Callable[..., Any]:
    """The kernel as a function of arrays of these shapes, in any order of memory."""
    kind = np.dtype(compiled.arguments[0].dtype)

    def in_order(*xs: Any) -> Any:
        """What the entry code does not take: arrays that are copied into memory order, or something else."""
        if any([not isinstance(x, (np.ndarray, np.generic)) or x.dtype is not kind for x in xs]):
            return otherwise(*xs)
        y = compiled.call(*[xs[i].reshape(shape) for i, shape in zip(read, seen_as, strict=True)])
        found = [_shaped(*each) for each in zip(y if y.__class__ is tuple else (y,), results, strict=True)]
        return found[0] if len(found) == 1 else tuple(found)

    arguments = [shape if i in read else None for i, shape in enumerate(shapes)]
    return compiled.on(arguments, read, seen_as, results, in_order)


def _shaped(y: Any, shape: Shape) -> Any:
    """A fresh result in another shape: in place, as a view would be taken for somebody else's memory."""
    if y.__class__ is not np.ndarray:
        return np.full(shape, y) if shape else y
    y.resize(shape, refcheck=False)
    return y if shape else y[()]


def _kernel(request: tuple[Any, ...]) -> _Made | None:
    if request not in _made:
        key = digest("rows", source_version(), processor().key, repr(request))
        kept = disk_cache().get_or_make(key, lambda: _compiled(request))
        _made[request] = linked_kernel(kept)
    return _made[request]


def _compiled(request: tuple[Any, ...]) -> bytes:
    """The entry of the cache for a kernel that nobody has asked for before."""
    rows = import_module("wengert.compile.eager.rows")
    return kept_form(rows.code_for(rows.Request(*request)))


def kept_form(code: tuple[Kernel, Interface, Sequence[int], Sequence[Shape], bytes] | None) -> bytes:
    """A kernel, what it reads and what its results are like, for the cache; ``_NOTHING`` where there is none."""
    if code is None:
        return _NOTHING
    kernel, interface, read, results, object_code = code
    head = [signature_data(kernel), interface.as_data(), read, results]
    return json.dumps(head).encode() + b"\n" + bytes(object_code)


def linked_kernel(kept: bytes) -> _Made | None:
    """What :func:`kept_form` made, ready to be called; None for nothing."""
    if kept == _NOTHING:
        return None
    head, _, object_code = kept.partition(b"\n")
    signature, data, read, results = json.loads(head)
    interface = Interface.from_data(data)
    linked = machine.link(object_code, (interface.name, interface.prepare), support().addresses)
    if interface.shares:
        support().use_threads()
    compiled = CompiledKernel(signature_of(signature), interface, linked)
    return compiled, tuple(read), tuple(map(tuple, results))


__all__ = ["kept_form", "linked_kernel", "row_kernel"]
