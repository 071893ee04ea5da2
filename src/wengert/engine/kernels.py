"""Where machine code does the work of an elementwise operation or of its rules: on many elements, if it can be had.

The engine asks here from so many elements on. What makes machine code is loaded at the first such call, and stands
below the engine, so it is known by name only. Whether an operation runs as machine code follows from the operation,
its metadata, the dtypes and memory layout of its inputs, and their number of elements: never from what ran before.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final, Protocol

import numpy as np
from numpy import ndarray

from wengert._fpenv import has_wide_rows, run_by_rows, run_silently
from wengert.engine.node import save_plan
from wengert.engine.tiles import LARGE, computes, large
from wengert.ops.arithmetic import ADD
from wengert.ops.correlation import CORRELATIONS, Correlation
from wengert.ops.machine import MACHINE
from wengert.ops.reads import Read
from wengert.ops.record import MISSING, TABLE, EachInput, Kind, Op
from wengert.spaces.raw import RAW, REAL

MANY: Final = 512  # elements from which a call of machine code is quicker than one of NumPy
FEW: Final = 64  # ... than the several calls that an operation along axes takes
_F32: Final[np.dtype[Any]] = np.dtype(np.float32)
_F64: Final[np.dtype[Any]] = np.dtype(np.float64)
_VARIABLE: Final = "WENGERT_EAGER_KERNELS"

Kernel = Callable[..., Any]

# Operations whose second input may be a number that says what is to be computed, and operations of which one input is
# a mask: which.
_NUMBER_IN_CODE: Final = frozenset({"pow_number"})
_MASK: Final = {"where": 0, "zero_where": 1, "masked_fill": 1}
_TOTALS: Final = frozenset({"sum", "mean"})  # reductions that may run over all elements
# Elementwise operations that are many calls of NumPy, for which machine code pays from `FEW` elements on.
_COSTLY: Final = frozenset(
    [
        "sigmoid",
        "silu",
        "mish",
        "softplus",
        "logsigmoid",
        "elu",
        "celu",
        "gelu",
        "gelu_tanh",
        "hardsigmoid",
        "hardswish",
        "logit",
        "erf",
        "erfc",
        "erfinv",
        "normal_cdf",
        "ndtr",
        "lgamma",
        "digamma",
        "sinc",
        "xlogy",
        "xlog1py",
        "entr",
    ]
)
_BY_ROWS: Final = frozenset(
    [
        *("avg_pool", "max_pool", "cumsum", "cumprod", "linear_recurrence", "flip"),
        *("mse_loss", "binary_cross_entropy_with_logits"),
        *("sum", "mean", "amax", "amin", "linalg_vector_norm", "logsumexp", "softmax", "log_softmax"),
        *[f"{of}_norm{suffix}" for of in ("layer", "group", "batch") for suffix in ("", "_weight", "_affine")],
    ]
)
_COMBINED_BY_ROWS: Final = frozenset(
    [
        "scaled_difference",
        "logits_pull",
        "cumsum_reversed",
        "softmax_pull",
        "log_softmax_pull",
        "normalization_pull",
        "normalization_pull_weight",
    ]
)
_RAW: Final[frozenset[Any]] = frozenset([ndarray, np.float32, np.float64])
_MOST_SHAPES: Final = 1024  # for which kernels are remembered
_MOST_NUMBERS: Final = 64  # for which it is remembered that there is no machine code


class Maker(Protocol):
    """What makes kernels (:mod:`wengert.compile.eager.kernels`); None says that NumPy is to do it.

    The arguments are given as dtypes, "" for what nothing reads, or numbers that are written into the code.
    """

    def forward(self, op: Op, arguments: tuple[Any, ...], meta: dict[str, Any], otherwise: Kernel) -> Kernel | None:
        """The operation; ``otherwise`` is called for what machine code does not take."""
        ...

    def backward(
        self, op: Op, arguments: tuple[Any, ...], meta: dict[str, Any], needed: tuple[int, ...]
    ) -> Kernel | None:
        """The cotangents of the ``needed`` inputs, from that of the result, the result and the inputs.

        Calls of it give NotImplemented for what machine code does not take.
        """
        ...

    def rows(
        self, name: str, dtype: str, shapes: tuple[tuple[int, ...], ...], meta: dict[str, Any], otherwise: Kernel
    ) -> Kernel | None:
        """An operation along axes, or a fused combination of that name, on arrays of exactly these shapes.

        It calls ``otherwise`` with what is no array of this dtype.
        """
        ...

    def update(self, update: Kernel, arrays: int, numbers: int, settings: tuple[Any, ...], dtype: str) -> Kernel | None:
        """``update(*arrays, *numbers, *settings)``, which changes arrays in place, as a function of the first two."""
        ...

    def asked_for(self, name: str, dtype: str) -> Kernel | None:
        """What implementations ask for themselves (:mod:`wengert.ops.machine`)."""
        ...

    def correlation(self, what: Correlation) -> Kernel | None:
        """What computes a correlation, of addresses (:mod:`wengert.ops.correlation`)."""
        ...


class _Kernels:
    """Whether machine code is used, from how many elements on, and who keeps kernels."""

    __slots__ = ("elements", "few", "is_on", "keepers", "maker")

    def __init__(self) -> None:
        self.maker: Maker | None = None
        self.keepers: list[Operation | Rules | Rows] = []
        self.turn(on=os.environ.get(_VARIABLE, "1").lower() not in ("0", "off", "false", "no"))

    def turn(self, *, on: bool) -> None:
        """Use machine code or not."""
        self.is_on = on
        self.elements = MANY if on else LARGE
        self.few = FEW if on else LARGE
        MACHINE.bind(self._asked_for if on else None)
        CORRELATIONS.bind(self._correlation if on else None)
        for keeper in self.keepers:
            keeper.forget()

    def _asked_for(self, name: str, dtype: str) -> Kernel | None:
        maker = self.find_maker()
        return None if maker is None else maker.asked_for(name, dtype)

    def _correlation(self, what: Correlation) -> Kernel | None:
        maker = self.find_maker()
        return None if maker is None else maker.correlation(what)

    def find_maker(self) -> Maker | None:
        """What makes kernels, loaded now; None, and nobody asks again, if it cannot be had here."""
        if self.is_on and self.maker is None:
            if find_spec("llvmlite") is not None:
                self.maker = import_module("wengert.compile.eager.kernels").maker(FEW)
            if self.maker is None:
                self.turn(on=False)
        return self.maker if self.is_on else None


KERNELS: Final = _Kernels()


# --- operations -------------------------------------------------------------------------------------------------------


class Operation:
    """An elementwise operation on many elements of one float type.

    ``single`` and ``double`` are functions of its inputs (arrays and Python numbers, the first one an array of float32
    or float64): machine code, or NumPy's way.
    """

    __slots__ = ("double", "least", "op", "single", "with_meta")

    def __init__(self, op: Op) -> None:
        self.op = op
        self.forget()
        KERNELS.keepers.append(self)

    def forget(self) -> None:
        """Look for kernels anew."""
        self.least = KERNELS.few if self.op.name in _COSTLY or self.op.name in _BY_ROWS else KERNELS.elements
        self.single: Kernel = self._first_single
        self.double: Kernel = self._first_double
        self.with_meta: dict[Any, Kernel | None] = {}

    def _first_single(self, *inputs: Any) -> Any:
        self.single = self._found("f4", len(inputs), {})
        return self.single(*inputs)

    def _first_double(self, *inputs: Any) -> Any:
        self.double = self._found("f8", len(inputs), {})
        return self.double(*inputs)

    def with_metadata(self, inputs: Sequence[Any], dtype: Any, meta: dict[str, Any]) -> Any:
        """The operation with metadata."""
        try:
            kernel = self.with_meta[(dtype is _F32, *meta.items())]
        except (KeyError, TypeError):
            kernel = None
        if kernel is None:
            kernel = _remembered(
                self.with_meta, (dtype is _F32,), meta, lambda: self._found(dtype.str[1:], len(inputs), meta)
            )
        return kernel(*inputs)

    def _found(self, dtype: str, count: int, meta: dict[str, Any]) -> Kernel:
        otherwise = self._numpys(meta)
        maker = KERNELS.find_maker()
        if maker is None:
            return otherwise
        if self.op.name in _NUMBER_IN_CODE:
            return _by_number(lambda number, other: maker.forward(self.op, (dtype, number), meta, other), otherwise)
        mask = _MASK.get(self.op.name)
        arguments = tuple(["b1" if i == mask else dtype for i in range(count)])
        return maker.forward(self.op, arguments, meta, otherwise) or otherwise

    def _numpys(self, meta: dict[str, Any]) -> Kernel:
        """NumPy's way, tile by tile where that pays."""
        op = self.op
        is_elementwise = op.kind is Kind.ELEMENTWISE

        def otherwise(*inputs: Any) -> Any:
            first = inputs[0]
            if first.__class__ is ndarray and first.size >= LARGE:
                return run_silently(large, op, inputs, meta)
            run = run_by_rows if is_elementwise and has_wide_rows(inputs) else run_silently
            return run(op.impl, *inputs, **meta)

        return otherwise


def _remembered(
    kept: dict[Any, Kernel | None], which: tuple[Any, ...], meta: dict[str, Any], make: Callable[[], Kernel]
) -> Kernel:
    """The kernel for some metadata, made if there is none yet.

    Zeros of either sign are equal as keys, and the code for one is not that for the other: metadata with a zero are
    remembered by their text, and None under the metadata themselves says so.
    """
    try:
        hash(tuple(meta.values()))
    except TypeError:  # as text it is not known to be whole
        return make()
    key: Any = (*which, *meta.items())
    if any([x.__class__ is not bool and isinstance(x, (int, float)) and x == 0 for x in meta.values()]):
        kept[key] = None
        key = (*which, repr(meta))
    found = kept.get(key)
    if found is None:
        found = kept[key] = make()
    return found


def _by_number(make: Callable[[Any, Kernel], Kernel | None], otherwise: Kernel) -> Kernel:
    """A kernel for each number that comes last among the arguments."""
    known: dict[Any, Kernel] = {}

    def by_number(*inputs: Any) -> Any:
        number = inputs[-1]
        if number.__class__ is not int and number.__class__ is not float:
            return otherwise(*inputs)
        kernel = known.get(number)
        if kernel is None:
            kernel = make(number, otherwise) or otherwise
            if kernel is not otherwise or len(known) < _MOST_NUMBERS:
                known[number] = kernel
        return kernel(*inputs)

    return by_number


# --- along axes -------------------------------------------------------------------------------------------------------


class Rows:
    """An operation along axes, or a combination of such that rules name, on arrays of one float type.

    Its kernels are for shapes; whatever else comes, small arrays too, is for ``otherwise``.
    """

    __slots__ = ("kernels", "name", "otherwise")

    def __init__(self, name: str, otherwise: Kernel) -> None:
        self.name = name
        self.otherwise = otherwise
        self.forget()
        KERNELS.keepers.append(self)

    def forget(self) -> None:
        """Look for kernels anew."""
        self.kernels: dict[Any, Kernel | None] = {}

    def __call__(self, *xs: Any, **meta: Any) -> Any:
        """What it gives for raw values of any kind."""
        try:
            key = (xs[0].dtype.char, *[x.shape for x in xs], *meta.values())
        except AttributeError:  # a Python number among them
            return self.otherwise(*xs, **meta)
        try:
            kernel = self.kernels[key]
        except KeyError:
            kernel = self._found(key, xs, meta)
        return self.otherwise(*xs, **meta) if kernel is None else kernel(*xs)

    def _found(self, key: Any, xs: tuple[Any, ...], meta: dict[str, Any]) -> Kernel | None:
        dtype = xs[0].dtype
        kernel = None
        if any([x.__class__ not in _RAW or x.dtype is not dtype for x in xs]):
            return None  # without a word of it: others of these shapes may come
        if (dtype is _F32 or dtype is _F64) and max([x.size for x in xs]) >= KERNELS.few and KERNELS.is_on:
            maker = KERNELS.find_maker()
            if maker is not None:
                otherwise = partial(self.otherwise, **meta)
                kernel = maker.rows(self.name, dtype.str[1:], tuple([x.shape for x in xs]), meta, otherwise)
        if len(self.kernels) >= _MOST_SHAPES:
            self.kernels.clear()
        self.kernels[key] = kernel
        return kernel


class RowOperation(Operation):
    """An operation along axes; one over all elements may be a sum or mean, for which any shape is as good."""

    __slots__ = ("rows",)

    def __init__(self, op: Op) -> None:
        self.rows = Rows(op.name, op.impl)
        super().__init__(op)

    def with_metadata(self, inputs: Sequence[Any], dtype: Any, meta: dict[str, Any]) -> Any:
        """The operation with metadata."""
        if self.op.name in _TOTALS and meta["dim"] is None and inputs[0].size >= KERNELS.elements:
            return super().with_metadata(inputs, dtype, meta)
        return run_silently(self.rows, *inputs, **meta)


def _numpys(name: str) -> Kernel:
    """NumPy's way of a fused combination, which may be defined later."""

    def otherwise(*xs: Any, **meta: Any) -> Any:
        return TABLE.fused[name].impl(*xs, **meta)

    return otherwise


# What rules on raw values find under the names of these combinations.
_combinations: Final[dict[str, Rows]] = {name: Rows(name, _numpys(name)) for name in sorted(_COMBINED_BY_ROWS)}
for _space in (RAW, REAL):
    vars(_space).update(_combinations)


_operations: Final[dict[Op, Operation | None]] = {}


def operation(op: Op) -> Operation | RowOperation | None:
    """What computes an operation on many elements; None if it goes along no axis, or carries no derivative."""
    try:
        return _operations[op]
    except KeyError:
        if op.name in _BY_ROWS:
            return _operations.setdefault(op, RowOperation(op))
        fuses = op.kind is Kind.ELEMENTWISE and op.differentiable and op.outputs == 1 and not op.view
        return _operations.setdefault(op, Operation(op) if fuses or op.name in _TOTALS else None)


def evaluated(op: Op, inputs: Sequence[Any], meta: dict[str, Any]) -> Any:
    """``op.impl(*inputs, **meta)`` on raw values of any kind, without NumPy's warnings."""
    for x in inputs:
        if x.__class__ is ndarray and x.size >= KERNELS.few:
            dtype = x.dtype
            if dtype is _F32 or dtype is _F64:
                many = operation(op)
                if many is None:
                    break
                if x.size < many.least:
                    continue
                if meta:
                    return many.with_metadata(inputs, dtype, meta)
                return many.single(*inputs) if dtype is _F32 else many.double(*inputs)
    return run_silently(op.impl, *inputs, **meta)


_ADD: Final = Operation(ADD)
_operations[ADD] = _ADD


def sum_of(a: Any, b: ndarray[Any, Any]) -> Any:
    """The sum of two cotangents of one dtype."""
    dtype = b.dtype
    if b.size < KERNELS.elements or (dtype is not _F32 and dtype is not _F64):
        return a + b
    return _ADD.single(a, b) if dtype is _F32 else _ADD.double(a, b)


# --- rules ------------------------------------------------------------------------------------------------------------


class Rules:
    """The derivative rules of an elementwise operation on many elements of one float type.

    ``single[needed]`` and ``double[needed]`` (bit i: the cotangent of input i is wanted) are functions of the result's
    cotangent, the result and the inputs. They give the un-reduced cotangents, a tuple where several are needed, or
    NotImplemented where there is no machine code.
    """

    __slots__ = ("double", "least", "op", "single", "with_meta")

    def __init__(self, op: Op) -> None:
        self.op = op
        self.forget()
        KERNELS.keepers.append(self)

    def forget(self) -> None:
        """Look for kernels anew."""
        self.least = KERNELS.few if self.op.name in _COSTLY else KERNELS.elements
        count = 1 << len(self.op.vjp)  # type: ignore[arg-type]
        self.single: list[Kernel] = [self._first("f4", needed) for needed in range(count)]
        self.double: list[Kernel] = [self._first("f8", needed) for needed in range(count)]
        self.with_meta: dict[Any, Kernel | None] = {}

    def _first(self, dtype: str, needed: int) -> Kernel:
        def first(*values: Any) -> Any:
            kernel = self._found(dtype, needed, {})
            (self.single if dtype == "f4" else self.double)[needed] = kernel
            return kernel(*values)

        return first

    def with_metadata(self, needed: int, values: tuple[Any, ...], meta: dict[str, Any]) -> Any:
        """The rules with metadata; the first value, the cotangent, says the dtype."""
        dtype = values[0].dtype
        if dtype is not _F32 and dtype is not _F64:
            return NotImplemented
        try:
            kernel = self.with_meta[(dtype is _F32, needed, *meta.items())]
        except (KeyError, TypeError):
            kernel = None
        if kernel is None:
            kernel = _remembered(
                self.with_meta, (dtype is _F32, needed), meta, lambda: self._found(dtype.str[1:], needed, meta)
            )
        return kernel(*values)

    def _found(self, dtype: str, mask: int, meta: dict[str, Any]) -> Kernel:
        op = self.op
        rules: Any = op.vjp
        needed = tuple([i for i in range(len(rules)) if mask >> i & 1])
        if not all([callable(rules[i]) and rules[i] is not MISSING and computes(rules[i]) for i in needed]):
            return _not_implemented
        maker = KERNELS.find_maker()
        if maker is None:
            return _not_implemented
        plan = save_plan(op, mask, len(rules))
        masked = _MASK.get(op.name, -2) + 1
        kinds = ["b1" if i == masked else dtype for i in range(len(plan))]
        arguments = (dtype, *[kind if read is Read.VALUES else "" for kind, read in zip(kinds, plan, strict=True)])
        if op.name in _NUMBER_IN_CODE:
            return _by_number(
                lambda number, _: maker.backward(op, (*arguments[:-1], number), meta, needed), _not_implemented
            )
        return maker.backward(op, arguments, meta, needed) or _not_implemented


def _not_implemented(*_: Any) -> Any:
    return NotImplemented


_rules: Final[dict[Op, Rules]] = {}


def rules_of(op: Op) -> Rules | None:
    """What runs an operation's rules on many elements; None if it is not elementwise, or its rules compute nothing."""
    if operation(op) is None or op.kind is not Kind.ELEMENTWISE or isinstance(op.vjp, EachInput):
        return None
    if not any([callable(rule) and rule is not MISSING and computes(rule) for rule in op.vjp]):
        return None
    found = _rules.get(op)
    return _rules.setdefault(op, Rules(op)) if found is None else found


def pulled(rules: Rules, g: Any, needs: Sequence[bool], saved: tuple[Any, ...], meta: dict[str, Any] | None) -> Any:
    """The un-reduced cotangents of a node's inputs, None for those not needed; NotImplemented if there is no kernel."""
    mask = sum([1 << i for i, need in enumerate(needs) if need])
    if meta:
        x = rules.with_metadata(mask, (g, *saved), meta)
    else:
        x = (rules.single if g.dtype is _F32 else rules.double)[mask](g, *saved)
    if x is NotImplemented:
        return x
    parts = iter(x if x.__class__ is tuple else (x,))
    return [next(parts) if need else None for need in needs]
