"""Fit a cotangent to the value it belongs to: un-broadcast, real part for a real value, cast, check the shape."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert._batched import Axes, Batched
from wengert.engine import messages
from wengert.engine.node import Node
from wengert.engine.state import STATE
from wengert.spaces.batching import BATCHED
from wengert.spaces.tensors import TENSOR


def fit_raw(x: Any, to: Node, source: Node) -> Any:
    """A raw cotangent with the shape and dtype of the value whose node is ``to``."""
    if to.axes or x.__class__ is Batched:
        return _fit_batched(x, to, source)
    return _fit_plain(x, to, source)


def suits(x: Batched, to: Node) -> bool:
    """Whether a batched cotangent is known to need nothing of :func:`fit_raw`."""
    axes, array = x.axes, x.array
    return (
        array.dtype is to.dtype
        and array.shape[len(axes) :] == to.shape
        and (axes == to.axes or (not to.axes and axes == STATE.axes))
    )


def _fit_plain(x: Any, to: Node, source: Node) -> Any:
    if not isinstance(x, (np.ndarray, np.generic)):
        x = np.asarray(x)
    shape = to.shape
    if x.shape != shape:
        axes = summed_axes(x.shape, shape)
        if axes is None:
            x = np.broadcast_to(x, _expandable(x.shape, to, source))
        elif len(axes) == x.ndim - len(shape):
            x = np.add.reduce(x, axis=axes)
        else:
            x = np.add.reduce(x, axis=axes, keepdims=True).reshape(shape)
    dtype = to.dtype
    if x.dtype is not dtype:
        if x.dtype.kind == "c" and dtype.kind != "c":
            x = x.real
        x = x.astype(dtype)
    return x


def fit_tensor(x: Any, to: Node, source: Node) -> Any:
    """A tensor cotangent with the shape and dtype of the value whose node is ``to``; what it does is recorded."""
    if to.axes or x._data.__class__ is Batched:
        x = in_batch(x, x._data, to.axes, TENSOR)
    got, shape = x._data.shape, to.shape
    if len(got) != len(shape) or got != shape:
        axes = summed_axes(got, shape)
        if axes is None:
            x = TENSOR.expand(x, shape=_expandable(got, to, source))
        else:
            leading = len(axes) == len(got) - len(shape)
            x = TENSOR.sum(x, dim=axes, keepdim=not leading)
            if x._data.shape != shape:
                x = TENSOR.reshape(x, shape=shape)
    dtype = to.dtype
    if x._data.dtype is not dtype:
        if x._data.dtype.kind == "c" and dtype.kind != "c":
            x = TENSOR.real(x)
        if x._data.dtype is not dtype:
            x = TENSOR.cast(x, dtype=dtype)
    return x


def in_batch(x: Any, raw: Any, axes: Axes, xp: Any) -> Any:
    """A cotangent (its raw value is ``raw``) with the batch axes of the value that it belongs to.

    A value that a whole batch shares gets the sum over the batch, and one of a batch gets its own share of a cotangent
    that all have in common. Within the ``vmap`` of a batch, each member is by itself and nothing is summed.
    """
    own = raw.axes if raw.__class__ is Batched else ()
    if own == axes:
        return x
    held = STATE.axes
    summed = tuple([axis for axis in own if axis not in axes and axis not in held])
    if summed:
        x = xp.add_up_batch(x, axes=summed)
    lacking = tuple([axis for axis in axes if axis not in own and axis not in held])
    return xp.repeat_batch(x, axes=lacking) if lacking else x


def _fit_batched(x: Any, to: Node, source: Node) -> Any:
    x = in_batch(x, x, to.axes, BATCHED)
    if x.__class__ is not Batched:
        return _fit_plain(x, to, source)
    got, shape = x.shape, to.shape
    if got != shape:
        axes = summed_axes(got, shape)
        if axes is None:
            x = BATCHED.expand(x, shape=_expandable(got, to, source))
        else:
            x = BATCHED.reshape(BATCHED.sum(x, dim=axes, keepdim=False), shape=shape)
    dtype = to.dtype
    if x.dtype is not dtype:
        x = (x.real if x.dtype.kind == "c" and dtype.kind != "c" else x).astype(dtype)
    return x


def summed_axes(got: tuple[int, ...], want: tuple[int, ...]) -> tuple[int, ...] | None:
    """The axes to sum so that ``got`` becomes ``want``, leading ones first; None if ``want`` does not broadcast to it.

    >>> summed_axes((5, 3, 4), (3, 1))
    (0, 2)
    """
    extra = len(got) - len(want)
    if extra < 0:
        return None
    axes = list(range(extra))
    for axis, (n, w) in enumerate(zip(got[extra:], want, strict=True), start=extra):
        if w != n:
            if w != 1:
                return None
            axes.append(axis)
    return tuple(axes)


def _expandable(got: tuple[int, ...], to: Node, source: Node) -> tuple[int, ...]:
    """The shape of ``to``, if ``got`` broadcasts to it: a rule's cotangent may be the same along an axis."""
    want: tuple[int, ...] = to.shape
    pairs = zip(reversed(got), reversed(want), strict=False)
    if len(got) > len(want) or any([n not in (1, w) for n, w in pairs]):
        raise RuntimeError(messages.wrong_gradient_shape(source, source.next.index(to), got, want))
    return want
