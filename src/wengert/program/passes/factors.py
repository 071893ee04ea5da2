"""One factorisation for all that is asked of a matrix: solutions, those with its transpose, inverse, determinant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from wengert.ops import lapack
from wengert.ops.record import TABLE
from wengert.program.passes.cleaning import without_dead_code
from wengert.program.passes.expansion import Emitter, giving
from wengert.program.program import Equation, Program
from wengert.program.values import Value

_USERS: Final = frozenset({"linalg_solve", "inv", "linalg_slogdet"})
_LEAST_ROWS: Final = 7  # smaller ones are written out


def with_shared_factors(program: Program) -> Program:
    """With what several equations find out about a matrix found from its LU factorisation."""
    users = [equation for equation in program.equations if equation.op.name in _USERS]
    if len(users) < 2:
        return program
    makers = {x: equation for equation in program.equations for x in equation.results}
    bases = {equation: _base(equation, makers) for equation in users}
    count = Counter([base for base, _ in filter(None, bases.values())])
    shared = _Shared(program)
    for equation in program.equations:
        found = bases.get(equation)
        if found is not None and count[found[0]] > 1:
            shared.write(equation, *found)
        else:
            shared.equations.append(equation)
    return without_dead_code(Program(program.inputs, tuple(shared.equations), program.outputs, shared.constants))


def _base(equation: Equation, makers: dict[Value, Equation]) -> tuple[Value, bool] | None:
    """The matrix that an equation asks about, and whether it is the transpose of that; None if it cannot be shared."""
    a, *others = equation.values
    fits = a.ndim == 2 and a.shape[0] >= _LEAST_ROWS and a.dtype.char in "fd" and lapack.has(a.dtype.char)
    if not fits or any([b.ndim != 2 or not b.size or b.dtype != a.dtype for b in others]):
        return None
    base, labels = Emitter(None, makers).as_it_lies(a, (0, 1))
    return base, labels == (1, 0)


class _Shared:
    """A program being written anew."""

    def __init__(self, program: Program) -> None:
        self.equations: list[Equation] = []
        self.constants = dict(program.constants)
        self._factors: dict[Value, Sequence[Value]] = {}

    def write(self, equation: Equation, base: Value, turned: bool) -> None:
        """What an equation gives, from the factors of the matrix."""
        xp = Emitter(equation.where)
        if base not in self._factors:
            xp.linalg_lu_factor(base)
            self._factors[base] = xp.equations[-1].results
        lu, pivots = self._factors[base]
        made: tuple[Value, ...]
        if equation.op.name == "linalg_slogdet":
            made = self._slogdet(xp, lu, pivots)
        else:
            b = equation.values[1] if len(equation.values) > 1 else self._constant(np.eye(lu.shape[0], dtype=lu.dtype))
            made = (Value(b.dtype, b.shape),)
            xp.equations.append(Equation(TABLE["lu_solved"], (lu, pivots, b), {"turned": turned}, made, equation.where))
        self.equations += giving(xp.equations, dict(zip(made, equation.results, strict=True)))

    def _slogdet(self, xp: Any, lu: Value, pivots: Value) -> tuple[Value, Value]:
        along = xp.diagonal(lu, offset=0, dim1=0, dim2=1)
        stayed = xp.eq(pivots, self._constant(np.arange(1, lu.shape[0] + 1, dtype=pivots.dtype)))
        signs = xp.sign(along)
        sign = xp.prod(xp.where(stayed, signs, xp.neg(signs)), dim=None, keepdim=False)
        return sign, xp.sum(xp.log(xp.abs(along)), dim=None, keepdim=False)

    def _constant(self, array: Any) -> Value:
        value = Value(array.dtype, array.shape)
        self.constants[value] = array
        return value


__all__ = ["with_shared_factors"]
