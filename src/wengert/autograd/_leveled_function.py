"""A user's Function on dual and batched tensors: its ``jvp`` and its ``vmap``."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np

from wengert._batched import BatchAxis, Batched
from wengert.engine.base import TensorBase, wrap
from wengert.engine.batch_scope import leave_batch
from wengert.engine.leveled import Level, become_dual, dual, innermost, opened, split
from wengert.engine.state import STATE
from wengert.spaces.tensors import TENSOR


class VmapInfo(NamedTuple):
    """What a Function's ``vmap`` is told: how many members the batch has, and what random functions are to do."""

    batch_size: int
    randomness: str


def apply_to_leveled(cls: Any, args: tuple[Any, ...]) -> Any:
    """``cls.apply(*args)`` where an argument is batched or dual."""
    return _call(cls, args)[1]


def _call(cls: Any, args: tuple[Any, ...], *, push: bool = False) -> tuple[Any, Any]:
    batched = [x._data.axes[-1] for x in args if isinstance(x, TensorBase) and x._data.__class__ is Batched]
    by_user = bool(batched) and not cls.generate_vmap_rule
    level = innermost(args)
    if level is not None and not (by_user and _has_vmap(cls)):
        return _pushed(cls, args, level, push=push)
    args = tuple([opened(x) for x in args])
    if not by_user:
        return cls._run(args, push=push)  # type: ignore[no-any-return]
    if not _has_vmap(cls):
        raise RuntimeError(
            f"You tried to vmap over {cls.__name__}, but it does not have vmap support. Please override and implement "
            "the vmap staticmethod or set generate_vmap_rule=True (its forward and backward are then applied to the "
            "whole batch, which is right where they use operations on tensors only)."
        )
    return None, _mapped(cls, args, max(batched))


def _has_vmap(cls: Any) -> bool:
    return any(["vmap" in parent.__dict__ for parent in cls.__mro__[:-2]])


# --- forward mode ----------------------------------------------------------------------------------------------------


def _pushed(cls: Any, args: tuple[Any, ...], level: Level, *, push: bool) -> tuple[Any, Any]:
    """Run the Function on the primals, and its ``jvp`` on the tangents; with ``push`` an inner level's follows."""
    primals, tangents = zip(*[split(x, level) for x in args], strict=True)
    ctx, output = _call(cls, primals, push=True)
    outputs = output if isinstance(output, tuple) else (output,)
    if ctx is None:
        raise RuntimeError(
            f"{cls.__name__}: forward mode inside its own vmap staticmethod needs jvp to be called there: call "
            f"{cls.__name__}.apply in vmap on tensors that carry their tangents"
        )
    given = [_materialized(x, t) if ctx._materialize else t for x, t in zip(primals, tangents, strict=True)]
    saved = ctx._pushed
    try:
        got = cls.jvp(ctx, *given)
    finally:
        ctx._pushed = None
    pushed = got if isinstance(got, tuple) else (got,)
    if len(pushed) != len(outputs):
        raise RuntimeError(
            f"{cls.__name__}.jvp returned {len(pushed)} tangents, expected {len(outputs)}: one for each output"
        )
    results = [
        _with_tangent(cls, args, primals, level, y, t, i) for i, (y, t) in enumerate(zip(outputs, pushed, strict=True))
    ]
    if push:
        ctx._pushed = tuple([_seen_inside(cls, t, (*primals, *outputs), (*args, *results)) for t in saved])
    return ctx, tuple(results) if isinstance(output, tuple) else results[0]


def _seen_inside(cls: Any, t: Any, below: tuple[Any, ...], here: tuple[Any, ...]) -> Any:
    """A saved tensor with the tangent that it has at a level, for the ``jvp`` of a level inside it."""
    for plain, leveled in zip(below, here, strict=True):
        if t is plain:
            return leveled
    if t is not None and t._data.dtype.kind in "fc":
        warnings.warn(
            f"{cls.__name__}: nested forward mode takes a saved tensor that is neither an input nor an output of "
            "forward for a constant, so the second derivative is incomplete. Save inputs and outputs, and compute the "
            "rest in jvp",
            UserWarning,
            stacklevel=2,
        )
    return t


def _materialized(x: Any, t: Any) -> Any:
    if t is not None or not isinstance(x, TensorBase) or x._data.dtype.kind not in "fc":
        return t
    return wrap(np.zeros(x._data.shape, x._data.dtype))


def _with_tangent(
    cls: Any, args: tuple[Any, ...], primals: tuple[Any, ...], level: Level, y: Any, t: Any, index: int
) -> Any:
    if t is None or not isinstance(y, TensorBase) or y._data.dtype.kind not in "fc":
        return y
    if not isinstance(t, TensorBase):
        raise TypeError(f"{cls.__name__}.jvp returned {type(t).__name__} for output {index}, expected a tensor or None")
    if t._data.shape != y._data.shape:
        raise RuntimeError(
            f"{cls.__name__}.jvp returned a tangent of shape {list(t._data.shape)} for output {index}, expected shape "
            f"{list(y._data.shape)}"
        )
    if t._data.dtype is not y._data.dtype:
        t = TENSOR.cast(t, dtype=y._data.dtype)
    for x, p in zip(args, primals, strict=True):
        if y is p:  # written in place
            become_dual(x, level, t)
            return x
    return dual(level, y, t)


# --- batches ---------------------------------------------------------------------------------------------------------


def _mapped(cls: Any, args: tuple[Any, ...], axis: BatchAxis) -> Any:
    """Hand the user's ``vmap`` tensors without the innermost batch axis, and batch what it returns."""
    place = STATE.axes.index(axis) if axis in STATE.axes else -1
    randomness = STATE.randomness[place] if place >= 0 else "error"
    in_dims = tuple([0 if _has_axis(x, axis) else None for x in args])
    unbatched = [x if dim is None else leave_batch(x, axis, 0) for x, dim in zip(args, in_dims, strict=True)]
    before = STATE.axes, STATE.randomness
    if place >= 0:
        STATE.axes, STATE.randomness = before[0][:place], before[1][:place]
    try:
        got = cls.vmap(VmapInfo(axis.size, randomness), in_dims, *unbatched)
    finally:
        STATE.axes, STATE.randomness = before
    if not (isinstance(got, tuple) and len(got) == 2):
        raise RuntimeError(f"{cls.__name__}.vmap must return (output, out_dims), and it returned {type(got).__name__}")
    output, out_dims = got
    if not isinstance(output, tuple):
        return _entered(output, axis, out_dims)
    dims = out_dims if isinstance(out_dims, tuple) else (out_dims,) * len(output)
    return tuple([_entered(y, axis, dim) for y, dim in zip(output, dims, strict=True)])


def _has_axis(x: Any, axis: BatchAxis) -> bool:
    return isinstance(x, TensorBase) and x._data.__class__ is Batched and axis in x._data.axes


def _entered(y: Any, axis: BatchAxis, dim: Any) -> Any:
    return y if dim is None else TENSOR.enter_batch(y, axis=axis, dim=dim % max(y._data.ndim, 1))
