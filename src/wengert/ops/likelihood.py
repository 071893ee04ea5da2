"""Negative log likelihood of classes: choosing the target's entry of each row, and its adjoint.

Classes lie along axis `1` (axis 0 of a single row); the target has the other axes. The third input, if there is one,
weighs each row of the result: the class's weight, zero where the target is to be ignored.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from wengert.ops.losses import reduced
from wengert.ops.record import Kind, Op, defop
from wengert.ops.reduce import add_reduce


def _places(x_shape: tuple[int, ...], target: Any) -> tuple[Any, ...]:
    """Index the target's class along the class axis, and every place along the others."""
    if target.ndim < 2:
        return (target,) if len(x_shape) == 1 else (np.arange(target.size), target)
    grid = np.ogrid[tuple(slice(n) for n in target.shape)]
    return (grid[0], target, *grid[1:])


def _nll(x: Any, target: Any, share: Any, *, reduction: str) -> Any:
    rows = np.asarray(x)[_places(x.shape, target)] * -share
    if not np.all(share):  # an ignored row counts nothing, whatever its entry: 0 * inf would be nan
        rows = np.where(share == 0, x.dtype.type(0), rows)
    if reduction == "none":
        return rows
    total = add_reduce(rows, dim=None, keepdim=False)
    return total / add_reduce(share, dim=None, keepdim=False) if reduction == "mean" else total


def _per_row(xp: Any, g: Any, share: Any, reduction: str) -> Any:
    rows = g * share
    return rows / xp.sum(share, dim=None, keepdim=False) if reduction == "mean" else rows


def _spread(rows: Any, target: Any, *, shape: tuple[int, ...]) -> Any:
    out = np.zeros(shape, rows.dtype)
    out[_places(shape, target)] = rows
    return out


def _nll_vjp(xp: Any, g: Any, y: Any, x: Any, target: Any, share: Any, *, reduction: str) -> Any:
    return xp.class_spread(-_per_row(xp, g, share, reduction), target, shape=x.shape)


def _plain_nll(x: Any, target: Any, *, reduction: str) -> Any:
    return reduced(-np.asarray(x)[_places(x.shape, target)], reduction)


def _plain_nll_vjp(xp: Any, g: Any, y: Any, x: Any, target: Any, *, reduction: str) -> Any:
    rows = -g / (1.0 * prod(target.shape) or float("nan")) if reduction == "mean" else -g
    return xp.class_spread(rows, target, shape=x.shape)


# --- for a whole batch: the classes lie along one axis, so it is a gather there ---


def _class_axis(x_shape: tuple[int, ...]) -> int:
    return 0 if len(x_shape) == 1 else 1


def _pick_batch(xp: Any, x: Any, target: Any) -> Any:
    dim = _class_axis(x.shape)
    return xp.squeeze(xp.gather(x, xp.unsqueeze(target, dim=dim), dim=dim), dims=(dim,))


def _spread_batch(xp: Any, rows: Any, target: Any, *, shape: tuple[int, ...]) -> Any:
    dim = _class_axis(shape)
    rows = xp.expand(rows, shape=target.shape) if rows.shape != target.shape else rows
    return xp.gather_backward(xp.unsqueeze(rows, dim=dim), xp.unsqueeze(target, dim=dim), shape=shape, dim=dim)


def _plain_nll_batch(xp: Any, x: Any, target: Any, *, reduction: str) -> Any:
    rows = -_pick_batch(xp, x, target)
    return rows if reduction == "none" else getattr(xp, reduction)(rows, dim=None, keepdim=False)


def _nll_batch(xp: Any, x: Any, target: Any, share: Any, *, reduction: str) -> Any:
    rows = xp.where(xp.eq(share, 0), 0.0, -(_pick_batch(xp, x, target) * share))
    if reduction == "none":
        return rows
    total = xp.sum(rows, dim=None, keepdim=False)
    return total / xp.sum(share, dim=None, keepdim=False) if reduction == "mean" else total


def _nll_records(suffix: str, node: str) -> tuple[Op, Op]:
    """Define the loss without weights, and with them."""
    plain = defop(
        f"nll_loss{suffix}",
        _plain_nll,
        Kind.INDEXING,
        batch=_plain_nll_batch,
        vjp=(_plain_nll_vjp, None),
        args=("self", "target"),
        node=node,
        linear=(0,),
        formula="-x_t",
        doc="Minus the entry of each row at its target class.",
    )
    weighted = defop(
        f"nll_loss{suffix}_weighted",
        _nll,
        Kind.INDEXING,
        batch=_nll_batch,
        vjp=(_nll_vjp, None, None),
        args=("self", "target", "weight"),
        node=node,
        linear=(0,),
        formula="-w_t x_t",
        doc="Minus the entry of each row at its target class, weighted.",
    )
    return plain, weighted


NLL_LOSS = _nll_records("", "NllLossBackward0")
NLL_LOSS2D = _nll_records("2d", "NllLoss2DBackward0")

SHARE = defop(
    "share",
    lambda x, *, count: x / (count or float("nan")),
    Kind.ELEMENTWISE,
    vjp=(lambda xp, g, y, x, *, count: xp.share(g, count=count),),
    node="DivBackward1",
    linear=(0,),
    formula="x / n",
    doc="The input divided by a number of rows.",
)
CLASS_SPREAD = defop(
    "class_spread",
    _spread,
    Kind.INDEXING,
    batch=_spread_batch,
    vjp=(lambda xp, g, y, rows, target, *, shape: xp.class_pick(g, target), None),
    args=("self", "target"),
    linear=(0,),
    formula="y[i, target_i] = x_i, else 0",
    doc="Zeros with one number of each row at its target class.",
)
CLASS_PICK = defop(
    "class_pick",
    lambda x, target: np.asarray(x)[_places(x.shape, target)],
    Kind.INDEXING,
    batch=_pick_batch,
    vjp=(lambda xp, g, y, x, target: xp.class_spread(g, target, shape=x.shape), None),
    args=("self", "target"),
    linear=(0,),
    formula="y_i = x[i, target_i]",
    doc="The entry of each row at its target class.",
)
