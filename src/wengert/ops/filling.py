"""One value in every place of an array."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert._batched import Batched, aligned, merged
from wengert.ops.record import Kind, Op, defop


def _filled(x: Any, value: Any) -> Any:
    full = np.empty(x.shape, x.dtype)
    full[...] = value if x.dtype.kind == "c" or value.dtype.kind != "c" else value.real
    return full[()]


def _filled_batch(space: Any, x: Any, value: Any) -> Any:
    axes = merged([v.axes for v in (x, value) if v.__class__ is Batched])
    each = aligned(space.real(value) if x.dtype.kind != "c" else value, axes, x.ndim)
    full = np.broadcast_to(each, (*[axis.size for axis in axes], *x.shape))
    return Batched(full.astype(x.dtype, order="C"), axes)


def _fill(name: str, node: str) -> Op:
    return defop(
        name,
        _filled,
        Kind.OTHER,
        batch=_filled_batch,
        vjp=(lambda xp, g, y, x, value: xp.zeros_like(g), None),
        args=("self", "value"),
        node=node,
        jvp=lambda xp, ts, y, x, value: xp.zeros_like(y),
        formula="value",
        doc="A number in every place of the input.",
    )


def _fill_with(name: str, node: str) -> Op:
    return defop(
        name,
        _filled,
        Kind.OTHER,
        batch=_filled_batch,
        vjp=(lambda xp, g, y, x, value: xp.zeros_like(g), lambda xp, g, y, x, value: g),
        args=("self", "value"),
        node=node,
        jvp=lambda xp, ts, y, x, value: xp.zeros_like(y) if ts[1] is None else xp.expand(ts[1], shape=y.shape),
        formula="value",
        doc="The value of a 0-d tensor in every place of the input.",
    )


# PyTorch numbers the nodes of the in-place forms apart.
FILL = _fill("fill", "FillBackward0")
FILL_IN_PLACE = _fill("fill_in_place", "FillBackward2")
FILL_WITH = _fill_with("fill_with", "FillBackward1")
FILL_WITH_IN_PLACE = _fill_with("fill_with_in_place", "FillBackward3")
ZERO = defop(
    "zero",
    lambda x: np.zeros(x.shape, x.dtype)[()],
    Kind.OTHER,
    batch=Kind.ELEMENTWISE,
    vjp=(lambda xp, g, y, x: xp.zeros_like(g),),
    jvp=lambda xp, ts, y, x: xp.zeros_like(y),
    formula="0",
    doc="Zero in every place of the input.",
)
