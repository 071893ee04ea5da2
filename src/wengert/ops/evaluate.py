"""Evaluating fitted functions over arrays: polynomials, in blocks that stay in the cache, by regions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.ops.special_fits import Fit

Array = np.ndarray[Any, Any]
_BLOCK = 32768  # values a time: fewer, and calling NumPy costs more than the work; more, and the cache overflows


def polynomial(fit: Fit, x: Array) -> Array:
    """The fitted polynomial at each element of ``x``, by Horner's scheme in one temporary."""
    middle, scale, coefficients = fit
    t = (x - middle) * scale
    y = t * coefficients[0]
    y += coefficients[1]
    for c in coefficients[2:]:
        y *= t
        y += c
    return y


def polynomial_at(fit: Fit, x: float) -> float:
    """The fitted polynomial at one number: an array of one element would take ten times as long."""
    middle, scale, coefficients = fit
    t = (x - middle) * scale
    y = 0.0
    for c in coefficients:
        y = y * t + c
    return y


def blockwise(f: Callable[[Array], Array], x: Any, dtype: Any) -> Any:
    """``f`` applied to one-dimensional pieces of ``x`` as ``dtype``; the result has the shape and dtype of ``x``."""
    flat = np.ascontiguousarray(x).reshape(-1)
    y = np.empty_like(flat)
    for start in range(0, flat.size, _BLOCK):
        piece = slice(start, start + _BLOCK)
        y[piece] = f(flat[piece].astype(dtype, copy=False))
    return y.reshape(np.shape(x))[()]


def by_regions(x: Array, regions: Sequence[tuple[Array, Callable[[Array], Array]]], otherwise: float) -> Array:
    """One function for each region of a one-dimensional array, given by its mask; a constant elsewhere."""
    y = np.full_like(x, otherwise)
    for mask, f in regions:
        if mask.any():
            y[mask] = f(x[mask])
    return y


def scalar_or_array(
    scalar: Callable[[float], float], array: Callable[[Any], Any], *, few: int = 0
) -> Callable[[Any], Any]:
    """One implementation from one for Python floats and one for arrays.

    Up to ``few`` elements are taken one by one: calling NumPy some fifty times would take longer.
    """

    def impl(x: Any) -> Any:
        if not x.ndim:
            return x.dtype.type(scalar(float(x)))
        if x.size > few:
            return array(x)
        return np.fromiter(map(scalar, x.ravel().tolist()), x.dtype, x.size).reshape(x.shape)

    return impl
