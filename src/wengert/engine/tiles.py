"""Elementwise work on large arrays, tile by tile and on several threads.

A rule such as ``g * (1 - y * y)`` makes an array for each of its operations. From a few MiB on each of these is fresh
memory from the operating system, and a page fault for every 4 KiB of it takes longer than the arithmetic. Done for 96
KiB at a time, what lies between stays in the cache.
"""

from __future__ import annotations

import dis
import re
from collections.abc import Callable
from functools import cache
from math import prod
from time import perf_counter
from typing import Any, Final

import numpy as np
from numpy import ndarray

from wengert.engine.workers import get_num_threads, share_out
from wengert.ops.record import Kind, Op

LARGE: Final = 1 << 19  # elements from which all this pays
_TILE_BYTES: Final = 96 << 10
_CHEAP: Final = 7e-6  # seconds for a tile of one pass
_WORTH_SHARING: Final = 150e-6  # seconds of remaining work; waking a thread takes 10 to 50 us


def tiled(
    function: Callable[..., Any],
    values: tuple[Any, ...],
    dtype: Any,
    meta: dict[str, Any],
    *,
    cheap_as_one: bool = False,
) -> Any:
    """``function(*values, **meta)`` for an elementwise function of values of one shape, as an array of ``dtype``.

    ``dtype`` None is that which the function gives.

    Returns NotImplemented where the values cannot be taken apart in one way: another shape among them, or memory that
    is not in order; with ``cheap_as_one`` also where the first tile shows that the function is hardly more than one
    pass.
    """
    flat = _flattened(values)
    if flat is None:
        return NotImplemented
    shape, lines, fixed = flat
    n = prod(shape)
    size = _TILE_BYTES // max([x.itemsize for x in lines if x is not None], default=8)
    ufunc = function if function.__class__ is np.ufunc and not meta else None

    def parts_of(start: int, stop: int) -> list[Any]:
        return [fixed[i] if x is None else x[start:stop] for i, x in enumerate(lines)]

    def piece(number: int) -> None:
        start = number * size
        stop = start + size
        parts = parts_of(start, stop)
        if ufunc is not None:
            ufunc(*parts, out=line[start:stop])
        else:
            line[start:stop] = function(*parts, **meta)

    start = perf_counter()
    first = function(*parts_of(0, size), **meta)
    out: Any = np.empty(shape, first.dtype if dtype is None else dtype)
    line = out.reshape(-1)
    line[:size] = first
    seconds = perf_counter() - start
    count = -(-n // size)
    if get_num_threads() > 1 and seconds * (count - 1) > _WORTH_SHARING:
        share_out(piece, 1, count)
    elif cheap_as_one and seconds < _CHEAP:
        return NotImplemented
    else:
        for number in range(1, count):
            piece(number)
    return out


def _flattened(values: tuple[Any, ...]) -> tuple[tuple[int, ...], list[Any], list[Any]] | None:
    """The common shape; each value as a line in memory order, or else what it is for all elements."""
    shape: tuple[int, ...] | None = None
    lines: list[Any] = []
    fixed: list[Any] = []
    for value in values:
        x, line = value, None
        if x.__class__ is ndarray and x.ndim:
            if shape is not None and x.shape != shape:
                return None
            shape = x.shape
            if not any(x.strides):  # one value, repeated: the cotangent of a sum
                x = x[(0,) * x.ndim]
            elif x.flags.c_contiguous:
                line = x.reshape(-1)
            else:
                return None
        lines.append(line)
        fixed.append(x)
    return None if shape is None else (shape, lines, fixed)


def large(op: Op, values: tuple[Any, ...], meta: dict[str, Any]) -> Any:
    """``op.impl(*values, **meta)`` of an elementwise operation."""
    if not op.differentiable or op.view or op.kind is not Kind.ELEMENTWISE:
        return op.impl(*values, **meta)
    ufunc = op.ufunc if op.ufunc.__class__ is np.ufunc else None
    if ufunc is not None and get_num_threads() == 1:  # one pass: nothing lies between
        return op.impl(*values, **meta)
    y = tiled(ufunc or op.impl, values, None, meta, cheap_as_one=ufunc is None)
    return op.impl(*values, **meta) if y is NotImplemented else y


@cache
def computes(rule: Any) -> bool:
    """Whether a rule does any operation, by its code: one that hands its cotangent on must not copy it."""
    return any([_OPERATION.search(i.opname) is not None for i in dis.get_instructions(rule)])


_OPERATION: Final = re.compile(r"^(BINARY_OP|UNARY_NEGATIVE|CALL|CALL_KW)$")
