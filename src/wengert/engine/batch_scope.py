"""The time during which batch axes are those of ``vmap`` calls that run, and the way out of one."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from wengert._batched import Axes, BatchAxis, Batched, new_axis
from wengert.engine.state import STATE
from wengert.spaces.tensors import TENSOR


@contextmanager
def batch_axis(size: int, randomness: str) -> Iterator[BatchAxis]:
    """A new innermost batch axis for the time of a block."""
    axis = new_axis(size)
    before = STATE.axes, STATE.randomness
    STATE.axes, STATE.randomness = (*before[0], axis), (*before[1], randomness)
    try:
        yield axis
    finally:
        STATE.axes, STATE.randomness = before


@contextmanager
def batches_again(axes: Axes, randomness: tuple[str, ...]) -> Iterator[None]:
    """A block in which the ``vmap`` calls of these axes run too, for user code that goes on with values of theirs.

    Otherwise what it differentiates would be summed over their members, as it is where a batch has been left.
    """
    before = STATE.axes, STATE.randomness
    modes = dict(zip(axes, randomness, strict=True)) | dict(zip(*before, strict=True))
    STATE.axes = tuple(sorted(modes))
    STATE.randomness = tuple([modes[axis] for axis in STATE.axes])
    try:
        yield
    finally:
        STATE.axes, STATE.randomness = before


def held(hook: Callable[..., Any]) -> Callable[..., Any]:
    """A hook that is run within the ``vmap`` calls in which it is registered, also when these are over."""
    axes, randomness = STATE.axes, STATE.randomness
    if not axes:
        return hook

    @functools.wraps(hook)
    def within(*args: Any) -> Any:
        with batches_again(axes, randomness):
            return hook(*args)

    return within


def leave_batch(y: Any, axis: BatchAxis, dim: int) -> Any:
    """A tensor with the batch as its dimension ``dim``; repeated there if all members are the same."""
    if any([part._data.__class__ is Batched and axis in part._data.axes for part in parts_of(y)]):
        return TENSOR.leave_batch(y, axis=axis, dim=dim)
    shape = y._data.shape
    return TENSOR.expand(TENSOR.unsqueeze(y, dim=dim), shape=(*shape[:dim], axis.size, *shape[dim:]))


def parts_of(t: Any) -> list[Any]:
    """The plain tensors that a dual is made of, or the tensor itself."""
    if t._dual is None:
        return [t]
    return [*parts_of(t._dual[1]), *parts_of(t._dual[2])]


__all__ = ["batch_axis", "batches_again", "held", "leave_batch", "parts_of"]
