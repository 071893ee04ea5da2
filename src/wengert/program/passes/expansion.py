"""Operations written out as elementwise ones and reductions, of which a kernel can be made.

Only for machine code: NumPy runs the operation's own implementation, which takes fewer passes over memory.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from wengert.ops.record import TABLE
from wengert.program.infer import result_types
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


EXPANSIONS: Final[dict[str, Callable[..., Value]]] = {
    "logsumexp": _logsumexp,
    "softmax": _softmax,
    "log_softmax": _log_softmax,
}


def expanded(program: Program) -> Program:
    """With these operations, of float32 and float64, written out."""
    if not any([equation.op.name in EXPANSIONS for equation in program.equations]):
        return program
    equations: list[Equation] = []
    for equation in program.equations:
        rule = EXPANSIONS.get(equation.op.name)
        x = equation.inputs[0] if equation.inputs else None
        if rule is None or not isinstance(x, Value) or x.dtype.char not in "fd" or not (x.size and x.ndim):
            equations.append(equation)
            continue
        xp = Emitter(equation.where)
        rule(xp, x, **equation.meta)
        last = xp.equations[-1]
        equations += xp.equations[:-1]
        equations.append(Equation(last.op, last.inputs, last.meta, equation.results, equation.where))
    return program.replaced(equations=equations)


__all__ = ["EXPANSIONS", "expanded"]
