"""Jacobians of functions of tensors, by differences and by backward, for `gradcheck`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from wengert.autograd.api import grad
from wengert.autograd.forward_ad import dual_level, make_dual, unpack_dual
from wengert.engine.base import TensorBase, array_of, wrap, zeros_like
from wengert.engine.batch_scope import batch_axis, leave_batch
from wengert.engine.totals import names_each_once
from wengert.spaces.tensors import TENSOR

Array = np.ndarray[Any, Any]


def as_tuple(x: Any) -> tuple[Any, ...]:
    """A tensor alone, or a sequence, as a tuple."""
    return tuple(x) if isinstance(x, (tuple, list)) else (x,)


def is_tracked(x: Any) -> bool:
    """Whether ``x`` is a tensor that requires grad."""
    return isinstance(x, TensorBase) and bool(x.requires_grad)  # type: ignore[attr-defined]


class Function:
    """A function of tensors, its inputs, and those of its results whose derivatives are looked at (``chosen``)."""

    def __init__(self, fn: Callable[..., Any], inputs: Sequence[Any]) -> None:
        self.fn = fn
        self.inputs = tuple(inputs)
        outputs = as_tuple(fn(*self.inputs))
        self.chosen = [k for k, y in enumerate(outputs) if is_tracked(y)]
        self.outputs = [outputs[k] for k in self.chosen]
        self.tracked = [i for i, x in enumerate(inputs) if is_tracked(x)]
        self._numbers = [k for k, y in enumerate(outputs) if isinstance(y, TensorBase) and y._data.dtype.kind in "fc"]

    def choose_all(self) -> None:
        """Look at all results that are float or complex tensors, tracked or not."""
        self.chosen = self._numbers

    def difference(self, i: int, change: Array, eps: float) -> list[Array]:
        """``(f(x + eps change) - f(x - eps change)) / (2 eps)`` for each chosen result, where ``x`` is input ``i``."""
        above, below = self._values(i, eps * change), self._values(i, -eps * change)
        with np.errstate(all="ignore"):
            return [(a - b) / (2 * eps) for a, b in zip(above, below, strict=True)]

    def _values(self, i: int, change: Array) -> list[Array]:
        """The chosen results with input ``i`` changed.

        The input's own memory is changed meanwhile, so that a function sees it that reads the tensor elsewhere
        (``lambda *parameters: module(x)``).
        """
        x = array_of(self.inputs[i])
        if not x.flags.writeable or not names_each_once(x):
            copy = wrap((x + change).astype(x.dtype)).requires_grad_()
            return self._values_of([*self.inputs[:i], copy, *self.inputs[i + 1 :]])
        before = x.copy()
        try:
            x += change
            return self._values_of(self.inputs)
        finally:
            x[...] = before

    def _values_of(self, inputs: Sequence[Any]) -> list[Array]:
        outputs = as_tuple(self.fn(*inputs))
        return [np.array(outputs[k]._data) for k in self.chosen]

    # --- Jacobians: a row for each element of the input, and for a complex one further rows for the imaginary parts --

    def directions(self, i: int) -> Iterator[Array]:
        """The changes of input ``i`` that the rows of its Jacobian stand for."""
        return unit_values(array_of(self.inputs[i]))

    def by_differences(self, i: int, eps: float) -> list[Array]:
        """The Jacobians of the chosen results for input ``i``."""
        rows = [[d.reshape(-1) for d in self.difference(i, change, eps)] for change in self.directions(i)]
        if not rows:
            return [np.zeros((0, y._data.size)) for y in self.outputs]
        return [np.stack(columns) for columns in zip(*rows, strict=True)]

    def by_forward(self, i: int) -> list[Array]:
        """The Jacobians of the chosen results for input ``i``: a run in forward mode for each direction of it."""
        rows = [[t.reshape(-1) for t in self.pushed(i, change)] for change in self.directions(i)]
        if not rows:
            return [np.zeros((0, y._data.size)) for y in self.outputs]
        return [np.stack(columns) for columns in zip(*rows, strict=True)]

    def pushed(self, i: int, change: Array) -> list[Array]:
        """The tangents of the chosen results for the tangent ``change`` of input ``i``."""
        return [np.array(t._data) for t in self._tangents(i, wrap(change))]

    def pushed_batch(self, i: int, changes: Array) -> list[Array]:
        """The same for several tangents at once, which run as a batch."""
        with batch_axis(len(changes), "error") as axis:
            tangents = self._tangents(i, TENSOR.enter_batch(wrap(changes), axis=axis, dim=0))
        return [np.array(leave_batch(t, axis, 0)._data) for t in tangents]

    def _tangents(self, i: int, change: Any) -> list[Any]:
        with dual_level():
            inputs = list(self.inputs)
            inputs[i] = make_dual(inputs[i], change)
            outputs = as_tuple(self.fn(*inputs))
            found = [(outputs[k], unpack_dual(outputs[k]).tangent) for k in self.chosen]
        return [zeros_like(y) if t is None else t.detach() for y, t in found]

    def by_backward(self, i: int, output: Any) -> Array:
        """The Jacobian of one result: a backward pass for each element, and each imaginary part, of the result.

        The cotangent 1 of an element gives the changes of its real part, the cotangent i those of its imaginary part.
        """
        x, y = self.inputs[i], array_of(output)
        columns = [_parts(pulled(output, x, g)) for g in unit_values(y)]
        if not columns:
            return np.zeros((_parts(array_of(x)).size, 0))
        if y.dtype.kind != "c":
            return np.stack(columns, axis=1)
        return np.stack(columns[: y.size], axis=1) + 1j * np.stack(columns[y.size :], axis=1)


def unit_values(x: Array) -> Iterator[Array]:
    """Values like ``x`` that are 1 at one element, then, for complex ``x``, those that are i there."""
    for unit in (1.0, 1.0j) if x.dtype.kind == "c" else (1.0,):
        for index in np.ndindex(x.shape):
            e = np.zeros(x.shape, x.dtype)
            e[index] = unit
            yield e


def pulled(output: Any, x: Any, g: Array) -> Array:
    """The gradient of ``x`` for the cotangent ``g`` of the result; zeros where nothing reaches it."""
    (found,) = grad(output, x, wrap(g), retain_graph=True, allow_unused=True)
    return np.zeros(x._data.shape, x._data.dtype) if found is None else np.array(found._data)


def _parts(x: Array) -> Array:
    flat = x.reshape(-1)
    return np.concatenate([flat.real, flat.imag]) if x.dtype.kind == "c" else flat


def random_like(x: Array, seed: int) -> Array:
    """Random values between -1 and 1 of the shape and dtype of ``x``."""
    rng = np.random.default_rng(seed)
    made = rng.uniform(-1, 1, x.shape) + (1j * rng.uniform(-1, 1, x.shape) if x.dtype.kind == "c" else 0.0)
    return np.asarray(made).astype(x.dtype)
