"""Operations written out as elementwise ones and reductions, of which a kernel can be made.

Only for machine code: NumPy runs the operation's own implementation, which takes fewer passes over memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import numpy as np

from wengert.ops.record import TABLE
from wengert.program.infer import result_types
from wengert.program.passes.cleaning import without_dead_code
from wengert.program.passes.contraction import CONTRACTIONS
from wengert.program.passes.small_matrices import SMALL_MATRICES
from wengert.program.program import Equation, Program
from wengert.program.values import Value


class _Softmax(NamedTuple):
    """The exponentials of elements, less the largest of their row, and the sums of rows, which keep their axes."""

    x: Value
    e: Value
    total: Value


class Emitter:
    """The namespace of a program under construction: ``emitter.exp(x)`` is the result of a new equation.

    ``is_repeated`` says that it is the step of a loop.
    """

    def __init__(
        self, where: Any, makers: Mapping[Value, Equation] = MappingProxyType({}), *, is_repeated: bool = False
    ) -> None:
        self.is_repeated = is_repeated
        self.equations: list[Equation] = []
        self.softmax: _Softmax | None = None  # what the operation has computed of it
        self._where = where
        self._makers = makers

    def __getattr__(self, name: str) -> Callable[..., Any]:
        op = TABLE[name]

        def emit(*inputs: Any, **meta: Any) -> Any:
            results = tuple([Value(*each) for each in result_types(op, inputs, meta)])
            self.equations.append(Equation(op, inputs, meta, results, self._where))
            return results[0]

        return emit

    def as_it_lies(self, x: Value, labels: tuple[int, ...]) -> tuple[Value, tuple[int, ...]]:
        """What a value shows with its axes in another order, and the labels of the axes of that."""
        maker = self._makers.get(x)
        while maker is not None and maker.op.name in ("transpose", "permute", "t"):
            (x,) = maker.values
            order = list(range(x.ndim))
            if maker.op.name == "permute":
                order = [dim % x.ndim for dim in maker.meta["dims"]]
            elif x.ndim > 1:
                i, j = maker.meta.get("dim0", 0), maker.meta.get("dim1", 1)
                order[i], order[j] = order[j], order[i]
            labels = tuple([labels[order.index(axis)] for axis in range(x.ndim)])
            maker = self._makers.get(x)
        return x, labels


def _without_overflow(xp: Any, x: Value, dim: Any) -> tuple[Value, Value]:
    """The largest element of each row, or the finite number next to it, and what is left of the elements.

    So the exponentials of finite elements beside an infinite one are 0, as are those of a row that is all -inf.
    """
    most = float(np.finfo(x.dtype).max)
    top = xp.clamp(xp.amax(x, dim=dim, keepdim=True), min=-most, max=most)
    return top, xp.sub(x, top)


def _logsumexp(xp: Any, x: Value, *, dim: Any, keepdim: bool) -> Value:
    top, rest = _without_overflow(xp, x, dim)
    xp.softmax = _Softmax(x, e := xp.exp(rest), xp.sum(e, dim=dim, keepdim=True))
    y = xp.add(xp.log(xp.softmax.total), top)
    shape = tuple([n for axis, n in enumerate(x.shape) if dim is not None and axis not in dim])
    return y if keepdim else xp.reshape(y, shape=shape)  # type: ignore[no-any-return]


def _softmax(xp: Any, x: Value, *, dim: int) -> Value:
    e = xp.exp(xp.sub(x, xp.amax(x, dim=(dim,), keepdim=True)))
    return xp.mul(e, xp.reciprocal(xp.sum(e, dim=(dim,), keepdim=True)))  # type: ignore[no-any-return]


def _log_softmax(xp: Any, x: Value, *, dim: int) -> Value:
    z = xp.sub(x, xp.amax(x, dim=(dim,), keepdim=True))
    xp.softmax = _Softmax(x, e := xp.exp(z), xp.sum(e, dim=(dim,), keepdim=True))
    return xp.sub(z, xp.log(xp.softmax.total))  # type: ignore[no-any-return]


def _cross(xp: Any, a: Value, b: Value, *, dim: int) -> Value:
    ax, ay, az = [xp.select(a, dim=dim, index=k) for k in range(3)]
    bx, by, bz = [xp.select(b, dim=dim, index=k) for k in range(3)]

    def minus(p: Any, q: Any, r: Any, s: Any) -> Value:
        return xp.sub(xp.mul(p, q), xp.mul(r, s))  # type: ignore[no-any-return]

    return xp.stack(minus(ay, bz, az, by), minus(az, bx, ax, bz), minus(ax, by, ay, bx), dim=dim)  # type: ignore[no-any-return]


def _roll(xp: Any, x: Value, *, shifts: tuple[int, ...], dims: tuple[int, ...] | None) -> Value | None:
    y = x
    for shift, dim in zip(shifts, dims or (), strict=dims is not None):
        n = x.shape[dim]
        start = -shift % n
        if start:
            end, front = (xp.slice(y, dim=dim, start=i, stop=j, step=1) for i, j in ((start, n), (0, start)))
            y = xp.cat(end, front, dim=dim, sizes=(n - start, start))
    return None if y is x else y


_FEW_EDGES: Final = 128  # so many comparisons take as long as a search


def _searchsorted(xp: Any, edges: Value, values: Value, *, right: bool, dtype: Any) -> Value | None:
    """How many edges are before a value; NaN is after all numbers."""
    if edges.ndim != 1 or edges.size > _FEW_EDGES:
        return None
    x = xp.unsqueeze(values, dim=values.ndim)
    if right:
        before = xp.logical_or(xp.le(edges, x), xp.ne(x, x))
    else:
        before = xp.logical_or(xp.lt(edges, x), xp.logical_and(xp.eq(edges, edges), xp.ne(x, x)))
    count = xp.count_nonzero(before, dim=(values.ndim,), keepdim=False)
    return count if count.dtype == dtype else xp.cast(count, dtype=dtype)  # type: ignore[no-any-return]


def _gather_backward(xp: Any, g: Value, index: Value, *, shape: tuple[int, ...], dim: int) -> Value | None:
    """One element of each row."""
    if len(shape) != 2 or dim != 1 or index.shape != (shape[0], 1) or g.shape != index.shape:
        return None
    return xp.class_spread(xp.select(g, dim=1, index=0), xp.select(index, dim=1, index=0), shape=shape)  # type: ignore[no-any-return]


def _nll(xp: Any, x: Value, target: Value, *, reduction: str) -> Value | None:
    rows = _picked(xp, x, target)
    return None if rows is None else _reduced(xp, xp.neg(rows), reduction)


def _nll_weighted(xp: Any, x: Value, target: Value, share: Value, *, reduction: str) -> Value | None:
    rows = _picked(xp, x, target)
    if rows is None:
        return None
    rows = xp.where(xp.eq(share, 0), 0.0, xp.neg(xp.mul(rows, share)))
    if reduction != "mean":
        return _reduced(xp, rows, reduction)
    total = xp.sum(rows, dim=None, keepdim=False)
    return xp.div(total, xp.sum(share, dim=None, keepdim=False))  # type: ignore[no-any-return]


def _vector_norm(xp: Any, x: Value, *, ord: float, dim: Any, keepdim: bool) -> Any:
    if ord != 2.0:
        return None
    return xp.sqrt(xp.sum(xp.mul(x, x), dim=dim, keepdim=keepdim))


def _mse_loss(xp: Any, a: Value, b: Value, *, reduction: str) -> Value:
    rest = xp.sub(a, b)
    return _reduced(xp, xp.mul(rest, rest), reduction)


def _cross_entropy_of_logits(
    xp: Any, x: Value, t: Value, *weights: Value, reduction: str, weighted: bool, pos_weighted: bool
) -> Any:
    if weights:
        return None
    del weighted, pos_weighted
    v = xp.sub(xp.log1p(xp.exp(xp.neg(xp.abs(x)))), xp.minimum(x, 0.0))
    return _reduced(xp, xp.add(v, xp.mul(xp.sub(1.0, t), x)), reduction)


def _normalized(xp: Any, x: Value, *affine: Value, dims: tuple[int, ...], eps: float) -> tuple[Value, ...]:
    mean = xp.mean(x, dim=dims, keepdim=True)
    rest = xp.sub(x, mean)
    variance = xp.mean(xp.mul(rest, rest), dim=dims, keepdim=True)
    scale = xp.reciprocal(xp.sqrt(xp.add(variance, eps)))
    y = xp.mul(rest, scale)
    if affine:
        y = xp.mul(y, affine[0])
    return xp.add(y, affine[1]) if len(affine) > 1 else y, mean, scale


def _rms_norm(xp: Any, x: Value, *, dims: tuple[int, ...], eps: float) -> tuple[Value, Value]:
    square = xp.mean(xp.mul(x, x), dim=dims, keepdim=True)
    scale = xp.reciprocal(xp.sqrt(xp.add(square, eps)))
    return xp.mul(x, scale), scale


_NORMALIZATIONS: Final = [
    f"{of}_norm{suffix}" for of in ("layer", "group", "batch") for suffix in ("", "_weight", "_affine")
]


def _picked(xp: Any, x: Value, target: Value) -> Value | None:
    """Each row's entry at its class: a sum of which the others are left out, as the rows are read anyway."""
    if x.ndim != 2 or target.ndim != 1:
        return None
    one = xp.ones_like(xp.select(x, dim=1, index=0))
    here = xp.ne(xp.class_spread(one, target, shape=x.shape), 0)
    return xp.sum(xp.where(here, x, 0.0), dim=(1,), keepdim=False)  # type: ignore[no-any-return]


def _reduced(xp: Any, rows: Value, reduction: str) -> Value:
    return rows if reduction == "none" else getattr(xp, reduction)(rows, dim=None, keepdim=False)


_LIKELIHOODS: Final[dict[str, Callable[..., Value | None]]] = {"nll_loss": _nll, "nll_loss_weighted": _nll_weighted}
_CHOOSING: Final = frozenset({*_LIKELIHOODS, "gather_backward"})  # by integers, their second input
EXPANSIONS: Final[dict[str, Callable[..., Any]]] = {
    **CONTRACTIONS,
    **SMALL_MATRICES,
    **_LIKELIHOODS,
    "logsumexp": _logsumexp,
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "cross": _cross,
    "roll": _roll,
    "searchsorted": _searchsorted,
    "gather_backward": _gather_backward,
    "linalg_vector_norm": _vector_norm,
    "mse_loss": _mse_loss,
    "binary_cross_entropy_with_logits": _cross_entropy_of_logits,
    **dict.fromkeys(_NORMALIZATIONS, _normalized),
    "rms_norm": _rms_norm,
}


def expanded(program: Program, *, is_repeated: bool = False) -> Program:
    """With these operations, of float32 and float64, written out where that makes kernels of them.

    ``is_repeated`` says that the program is the step of a loop.
    """
    if not any([equation.op.name in EXPANSIONS for equation in program.equations]):
        return program
    equations: list[Equation] = []
    makers = {x: equation for equation in program.equations for x in equation.results}
    shares = _Shares()
    for equation in program.equations:
        rule = EXPANSIONS.get(equation.op.name)
        xp = Emitter(equation.where, makers, is_repeated=is_repeated)
        if rule is not None and _has_kernel(equation):
            made = rule(xp, *equation.inputs, **equation.meta)
        else:
            made = shares.share(xp, equation)
        if made is None:
            equations.append(equation)
            continue
        if xp.softmax is not None:
            shares.begin(equation, xp.softmax)
        made = made if isinstance(made, tuple) else (made,)
        equations += giving(xp.equations, dict(zip(made, equation.results, strict=True)))
    return without_dead_code(program.replaced(equations=equations))


class _Shares:
    """Gradients ask for exp(x - logsumexp(x)) and exp(log_softmax(x)): exponentials that are there, over their sum."""

    def __init__(self) -> None:
        self._sums: dict[Value, _Softmax] = {}  # by what is logsumexp(x)
        self._logarithms: dict[Value, _Softmax] = {}  # by what is log_softmax(x)

    def begin(self, equation: Equation, softmax: _Softmax) -> None:
        """Note the result of an operation that has computed the exponentials."""
        known = self._sums if equation.op.name == "logsumexp" else self._logarithms
        known[equation.results[0]] = softmax

    def share(self, xp: Any, equation: Equation) -> Value | None:
        """The result of an equation if it is such an exponential; what leads to one is noted."""
        name, values = equation.op.name, list(equation.values)
        if len(values) != len(equation.inputs):
            return None
        if name == "exp" and values[0] in self._logarithms:
            softmax = self._logarithms[values[0]]
            return xp.mul(softmax.e, xp.reciprocal(softmax.total))  # type: ignore[no-any-return]
        if name == "reshape" and values[0] in self._sums:
            self._sums[equation.results[0]] = self._sums[values[0]]
        elif name == "sub" and values[1] in self._sums:
            x, y = values
            softmax = self._sums[y]
            if x is softmax.x and (1,) * (x.ndim - y.ndim) + y.shape == softmax.total.shape:
                self._logarithms[equation.results[0]] = softmax
        return None


def giving(equations: Sequence[Equation], results: Mapping[Value, Value]) -> Iterator[Equation]:
    """The equations, with the values that take the place of some of those that they make."""
    for each in equations:
        inputs = [results.get(x, x) if isinstance(x, Value) else x for x in each.inputs]
        yield Equation(each.op, tuple(inputs), each.meta, tuple([results.get(x, x) for x in each.results]), each.where)


def _has_kernel(equation: Equation) -> bool:
    """Whether the inputs are arrays with elements, all (but for classes) of float32 or all of float64."""
    values = list(equation.values)
    if equation.op.name == "searchsorted" and len(values) == 2:
        return {x.dtype.char for x in values} in ({"f"}, {"d"}) and all([x.size for x in values])
    if equation.op.name in _CHOOSING and len(values) == len(equation.inputs):
        del values[1]
        return {x.dtype.char for x in values} in ({"f"}, {"d"}) and all([x.size for x in values])
    dtypes = {x.dtype.char for x in (*values, *equation.results)}
    return (
        len(values) == len(equation.inputs)
        and dtypes in ({"f"}, {"d"})
        and all([x.size and (x.ndim or len(values) > 1) for x in values])
    )


__all__ = ["EXPANSIONS", "Emitter", "expanded", "giving"]
