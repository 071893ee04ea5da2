"""How the values of a trace would lie in memory, had the engine computed them.

A program's values have no order in memory, but what a function does may depend on it: whether ``reshape`` gives a view
or a copy, which random number of a seed an element gets, what ``stride()`` says. So where a function asks, the order is
worked out from that of the inputs, as the engine's results have it, and the program holds for inputs that lie so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from wengert.engine.kernels import evaluated
from wengert.ops.record import Kind
from wengert.program.infer import is_large, shortened, stand_in
from wengert.program.loops import LOOPS
from wengert.program.program import Equation
from wengert.program.values import Value

Lying = np.ndarray[Any, Any] | None  # an array whose elements are never read; None for C order
Strides = tuple[int, ...] | None  # in bytes; None for C order

# Operations whose results lie in C order whatever their inputs do.
# fmt: off
IN_ORDER: Final = frozenset(
    {
        "adaptive_max_pool", "addbmm", "addmm", "addr", "avg_pool", "baddbmm", "batch_norm",
        "batch_norm_affine", "batch_norm_weight", "bmm", "cat", "constant_pad", "contiguous", "conv", "conv_input",
        "conv_weight", "embedding", "gather", "gru", "index", "index_select", "layer_norm",
        "layer_norm_affine", "layer_norm_weight", "linear", "linear_bias", "lstm", "matmul", "max_pool", "mm",
        "stack", "tensordot", "view_write",
    }
)
# Operations that may give another order for inputs in C order. All others give C order for these.
REORDERING: Final = frozenset(
    {
        "avg_pool_backward", "channels_last", "cofactors", "col2im", "copy", "einsum", "im2col", "linalg_cholesky",
        "linalg_lu_factor", "linalg_solve_triangular", "lu_solved", "rot90", "topk",
    }
)
# fmt: on


class Layouts:
    """The order in memory of the values of one trace, as far as somebody asked.

    Args:
        made_by: the equation that computes a value; None for an input.
    """

    def __init__(self, made_by: Mapping[Value, Equation | None]) -> None:
        self._made_by = made_by
        self._given: dict[Value, Strides] = {}
        self._like: dict[Value, Value] = {}
        self._known: dict[Value, Lying] = {}
        self.asked: dict[Value, Strides] = {}  # the inputs on whose order something depends

    def give(self, value: Value, raw: Any) -> None:
        """An input lies as this raw value."""
        self._given[value] = strides_of(raw)

    def write(self, value: Value, before: Value) -> None:
        """A value is written where another one was."""
        self._like[value] = before

    def of(self, value: Value) -> Lying:
        """An array that lies as the value would."""
        pending = [value]
        while pending:
            x = pending[-1]
            needed = [] if x in self._known else [y for y in self._origins(x) if y not in self._known]
            if needed:
                pending += needed
            else:
                pending.pop()
                if x not in self._known:
                    self._known[x] = self._found(x)
        return self._known[value]

    def _origins(self, x: Value) -> Sequence[Value]:
        """The values whose order says how this one lies."""
        if x in self._like:
            return (self._like[x],)
        equation = self._made_by.get(x)
        if equation is None or equation.op.name in LOOPS or equation.op.name in IN_ORDER:
            return ()
        if not equation.op.view and equation.op.kind is Kind.ELEMENTWISE and _is_line(x):
            return ()
        return equation.values

    def _found(self, x: Value) -> Lying:
        origins = self._origins(x)
        if x in self._like:
            return self._known[origins[0]]
        if x in self._given:
            strides = self.asked[x] = self._given[x]
            return None if strides is None else lying(x.shape, x.dtype, strides)
        equation = self._made_by.get(x)
        if equation is None or not origins:
            return None
        is_plain = equation.op.name not in REORDERING and not equation.op.view
        if is_plain and all([self._known[y] is None for y in origins]):
            return None
        found = self._computed(equation, equation.results.index(x))
        return None if found is None or found.flags.c_contiguous else found

    def _computed(self, equation: Equation, place: int) -> Lying:
        """How the operation's implementation lets one of its results lie."""
        inputs = [self._array(y) if isinstance(y, Value) else y for y in equation.inputs]
        if equation.op.view:
            part: np.ndarray[Any, Any] = _chosen(equation.op.impl(*inputs, **equation.meta), place)
            return part
        if equation.op.ufunc is not None:
            return _of_elements(equation, inputs)
        return _of_trial(equation, inputs, place)

    def _array(self, y: Value) -> np.ndarray[Any, Any]:
        known = self._known[y]
        return np.empty(y.shape, y.dtype) if known is None else known


def strides_of(raw: Any) -> Strides:
    """Where the elements of a raw value lie."""
    if raw.__class__ is not np.ndarray or raw.flags.c_contiguous:
        return None
    strides: tuple[int, ...] = raw.strides
    return strides


def lying(shape: tuple[int, ...], dtype: Any, strides: tuple[int, ...]) -> np.ndarray[Any, Any]:
    """An array with these strides. Its memory is never touched, and takes none."""
    ends = [(n - 1) * step for n, step in zip(shape, strides, strict=True)]
    first = -sum([end for end in ends if end < 0])
    memory = np.empty(first + sum([end for end in ends if end > 0]) + dtype.itemsize, np.uint8)
    return np.ndarray(shape, dtype, memory, first, strides)


def _is_line(x: Value) -> bool:
    """Whether a new array of this shape has only one order."""
    return sum([n != 1 for n in x.shape]) < 2


def _chosen(results: Any, place: int) -> Any:
    return results[place] if isinstance(results, (tuple, list)) else results


def _of_elements(equation: Equation, inputs: Sequence[Any]) -> Lying:
    """The order in which NumPy's own elementwise functions make their results."""
    arrays = [x for x in inputs if isinstance(x, np.ndarray)]
    flags: list[Any] = [*[["readonly"] for _ in arrays], ["writeonly", "allocate"]]
    dtypes = [*[x.dtype for x in arrays], equation.results[0].dtype]
    made = np.nditer([*arrays, None], ["zerosize_ok"], flags, dtypes, order="K", casting="unsafe").operands
    return made[-1]


def _of_trial(equation: Equation, inputs: Sequence[Any], place: int) -> Lying:
    """The order that the engine gives, for short axes where they are long."""
    y, meta = equation.results[place], equation.meta
    short = shortened(equation.inputs, meta) if is_large(equation.inputs) else {}
    if short is None:
        return None
    given = [_filled(x, short) if isinstance(x, np.ndarray) else x for x in inputs]
    try:
        found = _chosen(evaluated(equation.op, given, dict(meta)), place)
    except Exception:  # noqa: BLE001 - of these lengths or values it gives nothing; what it gives then lies in C order
        return None
    if not isinstance(found, np.ndarray) or found.ndim != y.ndim or found.flags.c_contiguous:
        return None
    if found.shape == y.shape:
        return found
    order = sorted(range(y.ndim), key=lambda axis: -abs(found.strides[axis]))
    back = np.argsort(order).tolist()
    return np.empty([y.shape[axis] for axis in order], y.dtype).transpose(back)


def _filled(x: np.ndarray[Any, Any], short: Mapping[int, int]) -> np.ndarray[Any, Any]:
    """A small array that lies as ``x``."""
    shape = tuple([short.get(n, n) for n in x.shape])
    order = sorted(range(x.ndim), key=lambda axis: -abs(x.strides[axis]))
    made = np.empty([shape[axis] for axis in order], x.dtype).transpose(np.argsort(order).tolist())
    made[...] = stand_in(Value(x.dtype, shape))
    return made


__all__ = ["IN_ORDER", "REORDERING", "Layouts", "lying", "strides_of"]
