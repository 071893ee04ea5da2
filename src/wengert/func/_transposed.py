"""The transpose of a linear function of tensors: what makes one derivative rule serve both modes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert._batched import Batched
from wengert.engine.base import TensorBase, wrap, zeros_like
from wengert.engine.state import STATE
from wengert.func._levels import ReverseLevel

Leaves = list[Any]


def floats(x: Any) -> bool:
    """Whether ``x`` is a tensor that can carry a derivative."""
    return isinstance(x, TensorBase) and x._data.dtype.kind in "fc"


def transposed(linear: Callable[[Leaves], Leaves], like: Leaves, vs: Leaves, name: str) -> Leaves:
    """The transpose of a linear function of tensors like ``like``, applied to ``vs``.

    Raises:
        RuntimeError: it is not linear.
    """
    with ReverseLevel() as level:
        us = [level.fresh(_zeros(y)) if floats(y) else None for y in like]
        pulled = linear(us)
    pairs = [(p, v) for p, v in zip(pulled, vs, strict=True) if isinstance(p, TensorBase) and p._rg and v is not None]
    found = iter(level.pull([p for p, _ in pairs], [v for _, v in pairs], retain_graph=True))
    given = [None if u is None else next(found) for u in us]
    result = [None if u is None else zeros_like(u) if g is None else g for u, g in zip(us, given, strict=True)]
    _check_linear(linear, like, vs, result, name)
    return result


def _zeros(y: Any) -> Any:
    raw = y._data
    return wrap(Batched(np.zeros(raw.array.shape, raw.dtype), raw.axes)) if raw.__class__ is Batched else zeros_like(y)


def _check_linear(linear: Callable[[Leaves], Leaves], like: Leaves, vs: Leaves, result: Leaves, name: str) -> None:
    """``<L u, v> = <u, L^T v>`` at one point far from zero; only where values are plain arrays."""
    values = [x for x in (*like, *vs, *result) if floats(x)]
    if STATE.trace is not None or any([x._dual is not None for x in values]):
        return
    if not all([isinstance(x._data, (np.ndarray, np.generic)) for x in values]):
        return
    rng = np.random.default_rng(0)
    us = [
        None if not floats(y) else wrap(np.asarray(1e3 * rng.standard_normal(y._data.shape)).astype(y._data.dtype)[()])
        for y in like
    ]
    tracked, STATE.grad_enabled = STATE.grad_enabled, False
    try:
        left = _inner(linear(us), vs)
    finally:
        STATE.grad_enabled = tracked
    right = _inner(us, result)
    if not all([isinstance(x[0], (float, np.floating)) for x in (left, right)]):
        return
    precision = max([float(np.finfo(x._data.dtype).eps) for x in values], default=1e-16) ** 0.5
    if np.isfinite(left[0]) and not abs(left[0] - right[0]) <= precision * (left[1] + right[1]):
        raise RuntimeError(
            f"{name}: its rule is not linear in what it is given, so it says nothing about the other mode: <L u, v> is "
            f"{left[0]:.6g} and <u, L^T v> {right[0]:.6g} for the derivative L that it has at zero"
        )


def _inner(a: Leaves, b: Leaves) -> tuple[Any, Any]:
    parts = [
        np.conj(x._data) * y._data
        for x, y in zip(a, b, strict=True)
        if isinstance(x, TensorBase) and isinstance(y, TensorBase)
    ]
    return float(sum([np.sum(np.real(p)) for p in parts])), float(sum([np.sum(np.abs(p)) for p in parts]))


__all__ = ["Leaves", "floats", "transposed"]
