"""Operations written out as elementwise ones and reductions, of which a kernel can be made.

Only for machine code: NumPy runs the operation's own implementation, which takes fewer passes over memory.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from wengert.ops.record import TABLE
from wengert.program.infer import result_types
from wengert.program.passes.contraction import CONTRACTIONS
from wengert.program.program import Equation, Program
from wengert.program.values import Value


class Emitter:
    """The namespace of a program under construction: ``emitter.exp(x)`` is the result of a new equation."""

    def __init__(self, where: Any) -> None:
        self.equations: list[Equation] = []
        self._where = where

    def __getattr__(self, name: str) -> Callable[..., Any]:
        op = TABLE[name]

        def emit(*inputs: Any, **meta: Any) -> Any:
            results = tuple([Value(*each) for each in result_types(op, inputs, meta)])
            self.equations.append(Equation(op, inputs, meta, results, self._where))
            return results[0]

        return emit


def _without_overflow(xp: Any, x: Value, dim: Any) -> tuple[Value, Value]:
    """The largest element of each row, 0 where that is infinite, and what is left of the elements."""
    top = xp.amax(x, dim=dim, keepdim=True)
    top = xp.where(xp.isinf(top), 0.0, top)
    return top, xp.sub(x, top)


def _logsumexp(xp: Any, x: Value, *, dim: Any, keepdim: bool) -> Value:
    top, rest = _without_overflow(xp, x, dim)
    total = xp.log(xp.sum(xp.exp(rest), dim=dim, keepdim=keepdim))
    return xp.add(total, top if keepdim else xp.reshape(top, shape=total.shape))  # type: ignore[no-any-return]


def _softmax(xp: Any, x: Value, *, dim: int) -> Value:
    e = xp.exp(xp.sub(x, xp.amax(x, dim=(dim,), keepdim=True)))
    return xp.div(e, xp.sum(e, dim=(dim,), keepdim=True))  # type: ignore[no-any-return]


def _log_softmax(xp: Any, x: Value, *, dim: int) -> Value:
    z = xp.sub(x, xp.amax(x, dim=(dim,), keepdim=True))
    return xp.sub(z, xp.log(xp.sum(xp.exp(z), dim=(dim,), keepdim=True)))  # type: ignore[no-any-return]


def _cross(xp: Any, a: Value, b: Value, *, dim: int) -> Value:
    ax, ay, az = [xp.select(a, dim=dim, index=k) for k in range(3)]
    bx, by, bz = [xp.select(b, dim=dim, index=k) for k in range(3)]

    def minus(p: Any, q: Any, r: Any, s: Any) -> Value:
        return xp.sub(xp.mul(p, q), xp.mul(r, s))  # type: ignore[no-any-return]

    return xp.stack(minus(ay, bz, az, by), minus(az, bx, ax, bz), minus(ax, by, ay, bx), dim=dim)  # type: ignore[no-any-return]


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
EXPANSIONS: Final[dict[str, Callable[..., Value | None]]] = {
    **CONTRACTIONS,
    **_LIKELIHOODS,
    "logsumexp": _logsumexp,
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "cross": _cross,
}


def expanded(program: Program) -> Program:
    """With these operations, of float32 and float64, written out where that makes kernels of them."""
    if not any([equation.op.name in EXPANSIONS for equation in program.equations]):
        return program
    equations: list[Equation] = []
    for equation in program.equations:
        rule = EXPANSIONS.get(equation.op.name)
        xp = Emitter(equation.where)
        if rule is None or not _has_kernel(equation) or rule(xp, *equation.inputs, **equation.meta) is None:
            equations.append(equation)
            continue
        last = xp.equations[-1]
        equations += xp.equations[:-1]
        equations.append(Equation(last.op, last.inputs, last.meta, equation.results, equation.where))
    return program.replaced(equations=equations)


def _has_kernel(equation: Equation) -> bool:
    """Whether the inputs are arrays with elements, all (but for classes) of float32 or all of float64."""
    values = list(equation.values)
    if equation.op.name in _LIKELIHOODS and len(values) == len(equation.inputs):
        del values[1]
        return {x.dtype.char for x in values} in ({"f"}, {"d"}) and all([x.size for x in values])
    dtypes = {x.dtype.char for x in (*values, *equation.results)}
    return (
        len(values) == len(equation.inputs)
        and dtypes in ({"f"}, {"d"})
        and all([x.size and (x.ndim or len(values) > 1) for x in values])
    )


__all__ = ["EXPANSIONS", "expanded"]
