"""Elementwise work on large arrays, tile by tile.

A rule such as ``g * (1 - y * y)`` makes a large array for each of its operations. Done for 16 K elements at a time, what
lies between stays in the cache: no page faults, and none of NumPy's search for temporaries that it may overwrite (which
unwinds the C stack and takes longer than the arithmetic at 10^5 elements). Tiles also spread over threads.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any, Final

import numpy as np
from numpy import ndarray

from wengert.engine.workers import get_num_threads, share_out
from wengert.ops.record import Kind, Op

LARGE: Final = 1 << 15  # elements from which tiling pays
_TILE: Final = 1 << 14
_WORTH_SHARING: Final = 40e-6  # seconds of remaining work; waking a thread takes about 10 us


def tiled(function: Callable[..., Any], values: tuple[Any, ...], dtype: Any, meta: dict[str, Any]) -> Any:
    """``function(*values, **meta)`` for an elementwise function of values of one shape, as an array of ``dtype``.

    Returns NotImplemented where the values cannot be taken apart in one way: another shape among them, or memory that is not
    in order.
    """
    flat = _flattened(values)
    if flat is None:
        return NotImplemented
    shape, lines, fixed = flat
    out: Any = np.empty(shape, dtype)
    line = out.reshape(-1)
    n = line.shape[0]
    ufunc = function if function.__class__ is np.ufunc and not meta else None

    def piece(number: int) -> None:
        start = number * _TILE
        stop = start + _TILE
        parts = [fixed[i] if x is None else x[start:stop] for i, x in enumerate(lines)]
        if ufunc is not None:
            ufunc(*parts, out=line[start:stop])
        else:
            line[start:stop] = function(*parts, **meta)

    start = perf_counter()
    piece(0)
    count = -(-n // _TILE)
    if get_num_threads() > 1 and (perf_counter() - start) * (count - 1) > _WORTH_SHARING:
        share_out(piece, 1, count)
    else:
        for number in range(1, count):
            piece(number)
    return out


def _flattened(values: tuple[Any, ...]) -> tuple[tuple[int, ...], list[Any], list[Any]] | None:
    """The common shape; each value as a line in memory order, or else what it is for all elements."""
    shape: tuple[int, ...] | None = None
    lines: list[Any] = []
    fixed: list[Any] = []
    for x in values:
        line = None
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


def large(op: Op, values: tuple[Any, ...], dtype: Any) -> Any:
    """``op.impl(*values)`` for an elementwise operation whose result has this dtype if it carries derivatives."""
    if not op.differentiable or op.view or op.kind is not Kind.ELEMENTWISE:
        return op.impl(*values)
    one_pass = op.ufunc is not None
    if one_pass and get_num_threads() == 1:  # nothing lies between that could stay in the cache
        return op.impl(*values)
    y = tiled(op.ufunc if op.ufunc.__class__ is np.ufunc else op.impl, values, dtype, {})
    return op.impl(*values) if y is NotImplemented else y


def returns_more_than_g(rule: Any) -> bool:
    """Whether a rule computes anything: one that hands its cotangent on (that of an addition) must not copy it."""
    return len(rule.__code__.co_code) > _IDENTITY


_IDENTITY: Final = len((lambda xp, g, y, x: g).__code__.co_code)
