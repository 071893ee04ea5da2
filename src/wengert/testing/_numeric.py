"""Derivatives from function values alone, to hold against those that rules give."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

_ROWS = 5  # each row halves the step


def derivative(f: Callable[[float], Any], step: float) -> Any:
    """The derivative of ``f`` at 0: central differences for falling steps, extrapolated to step zero.

    Of all extrapolated values the one is taken that differs least from its neighbours (Ridders' method: C. Ridders,
    "Accurate computation of F'(x) and F'(x) F''(x)", Advances in Engineering Software 4, 1982). ``f`` gives a number or
    an array; an array is judged by its largest difference.
    """
    best: Any = None
    least = math.inf
    above: list[Any] = []
    for number in range(_ROWS):
        h = step / 2**number
        row = [(f(h) - f(-h)) / (2 * h)]
        for k, older in enumerate(above):
            row.append(row[k] + (row[k] - older) / (4 ** (k + 1) - 1))
            change = max(_size(row[k + 1] - row[k]), _size(row[k + 1] - older))
            if change <= least:
                best, least = row[k + 1], change
        above = row
    return above[0] if best is None else best


def _size(x: Any) -> float:
    return float(np.max(np.abs(x), initial=0.0))


def moved(x: Any, index: tuple[int, ...], by: Any) -> Any:
    """A copy of the value with ``by`` added to one of its elements."""
    new = np.array(x)
    new[index] += by
    return new[()]


def directions(x: Any) -> Iterator[tuple[tuple[int, ...], Any]]:
    """The elements of a value, each with the directions that it can move in: along 1, and along i if it is complex."""
    units: tuple[Any, ...] = (1.0, 1.0j) if x.dtype.kind == "c" else (1.0,)
    for index in np.ndindex(x.shape):
        for unit in units:
            yield index, unit


def inner(g: Any, y: Any) -> Any:
    """The real inner product ``Re sum(conj(g) y)``: the change of a loss of gradient ``g`` when ``y`` moves it."""
    return np.sum((np.conj(g) * y).real)


def unbroadcast(x: Any, like: Any) -> Any:
    """The cotangent of a broadcast value, summed to the shape of the value and real if it is real."""
    x, shape = np.asarray(x), np.shape(like)
    try:
        if np.broadcast_shapes(x.shape, shape) != x.shape:
            x = np.broadcast_to(x, shape)
    except ValueError:
        raise ValueError(f"the rule gives the shape {x.shape} for an input of shape {shape}") from None
    x = x.sum(axis=tuple(range(x.ndim - len(shape))))
    x = x.sum(axis=tuple([i for i, n in enumerate(shape) if n == 1 and x.shape[i] != 1]), keepdims=True)
    return x.real if np.asarray(like).dtype.kind != "c" else x
