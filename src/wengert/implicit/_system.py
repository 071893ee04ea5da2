"""Solutions of equations as values that can be differentiated, without looking into how they were found.

If ``F(x, p) = 0`` and ``A`` is the derivative of ``F`` by ``x`` at the solution, then ``x' = -A^-1 F'`` where ``F'`` is
the change of ``F`` with ``p`` alone (the implicit function theorem). A residual is a function of ``x`` only, and ``p``
is all that it uses from outside: dual numbers tell it in their own way, the graph in its, and a batch is a batch. Both
rules solve a linear system, which is a system of the same kind again, so derivatives of every order follow.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from wengert.autograd.function import Function
from wengert.engine.backward import partial_gradients
from wengert.engine.base import TensorBase, zeros_like
from wengert.engine.leveled import Level, dual, innermost, split
from wengert.engine.state import STATE
from wengert.func._captured import captured
from wengert.func._forward import linearize
from wengert.func._levels import ReverseLevel
from wengert.spaces.tensors import TENSOR

Leaves = list[Any]
Residual = Callable[[Leaves], Leaves]
LinearSolver = Callable[[Residual, Leaves], Leaves]


class System:
    """Equations for flat lists of tensors: a residual that is to be zero, and how linear systems are solved.

    Attributes:
        residual: as many tensors as unknowns, of the same shapes.
        start: tensors like the unknowns.
        solve: ``solve(product, b)`` solves ``A x = b`` for the derivative A of the residual.
        transposed: the same for the conjugate transpose of A; None if nobody has said how.
    """

    def __init__(self, residual: Residual, start: Leaves, solve: LinearSolver, transposed: LinearSolver | None) -> None:
        self.residual = residual
        self.start = [plain(x) for x in start]
        self.solve = solve
        self.transposed = transposed

    def found(self) -> Leaves:
        """The solution as values alone."""
        raise NotImplementedError

    def at_primals(self, level: Level) -> System:
        """The same equations without the tangents of one level."""
        raise NotImplementedError

    def derivative(self, xs: Leaves) -> Residual:
        """The product with the derivative of the residual at ``xs``."""
        raise NotImplementedError


class Nonlinear(System):
    """Equations ``f(x) = 0`` whose solution ``find(f, start)`` gives."""

    def __init__(self, f: Residual, start: Leaves, find: Callable[[Residual, Leaves], Leaves], solve: LinearSolver):
        super().__init__(f, start, solve, solve)
        self.find = find

    def found(self) -> Leaves:
        """See :meth:`System.found`."""
        return self.find(self.residual, self.start)

    def at_primals(self, level: Level) -> System:
        """See :meth:`System.at_primals`."""
        return Nonlinear(_primals(self.residual, level), self.start, self.find, self.solve)

    def derivative(self, xs: Leaves) -> Residual:
        """See :meth:`System.derivative`."""
        push = linearize(lambda *ts: self.residual(list(ts)), *xs)[1]
        return lambda ts: push(*ts)


class Linear(System):
    """Equations ``A x = b``, where ``product`` is ``x -> A x``."""

    def __init__(self, product: Residual, b: Leaves, solve: LinearSolver, transposed: LinearSolver | None) -> None:
        super().__init__(
            lambda xs: [TENSOR.sub(y, v) for y, v in zip(product(xs), b, strict=True)],
            [zeros_like(v) for v in b],
            solve,
            transposed,
        )
        self.product = product
        self.b = b

    def found(self) -> Leaves:
        """See :meth:`System.found`."""
        return self.solve(self.product, self.b)

    def at_primals(self, level: Level) -> System:
        """See :meth:`System.at_primals`."""
        b = [split(v, level)[0] for v in self.b]
        return Linear(_primals(self.product, level), b, self.solve, self.transposed)

    def derivative(self, xs: Leaves) -> Residual:
        """See :meth:`System.derivative`."""
        return self.product


def plain(x: Any) -> Any:
    """The values of a tensor, without graph and tangents."""
    while x._dual is not None:
        x = x._dual[1]
    return x.detach()


def _primals(f: Residual, level: Level) -> Residual:
    return lambda xs: [split(y, level)[0] for y in f(xs)]


def solution(system: System) -> Leaves:
    """The solution, connected to all that the residual uses from outside."""
    level = _innermost_level(system)
    if level is None:
        return _recorded(system)
    primals = system.at_primals(level)
    xs = solution(primals)
    moved = [split(r, level)[1] for r in system.residual(xs)]
    if all([t is None for t in moved]):
        return xs
    b = [zeros_like(x) if t is None else TENSOR.neg(t) for t, x in zip(moved, xs, strict=True)]
    ts = solution(Linear(primals.derivative(xs), b, system.solve, system.transposed))
    return [dual(level, x, t) for x, t in zip(xs, ts, strict=True)]


def _innermost_level(system: System) -> Level | None:
    if not STATE.duals:
        return None
    tracked, STATE.grad_enabled = STATE.grad_enabled, False
    try:
        return innermost(system.residual(system.start))
    finally:
        STATE.grad_enabled = tracked


def _recorded(system: System) -> Leaves:
    """The solution as one node of the graph, if the residual depends on something tracked."""
    tracked, STATE.grad_enabled = STATE.grad_enabled, False
    try:
        xs = [x.detach() for x in _fitting(system.found(), system.start)]
    finally:
        STATE.grad_enabled = tracked
    if not tracked:
        return xs
    with ReverseLevel() as level:
        residual = system.residual(xs)
    outside = captured(residual, (), level.start)
    if not outside:
        return xs
    got = _Solution.apply(system, xs, *outside)
    return list(got) if isinstance(got, tuple) else [got]


def _fitting(xs: Sequence[Any], like: Leaves) -> Leaves:
    for i, (x, wanted) in enumerate(zip(xs, like, strict=True)):
        if not isinstance(x, TensorBase) or x._data.shape != wanted._data.shape:
            got = f"shape {list(x._data.shape)}" if isinstance(x, TensorBase) else type(x).__name__
            raise RuntimeError(
                f"the solver returned {got} for part {i} of the solution, expected a tensor of shape "
                f"{list(wanted._data.shape)}, that of the equations"
            )
    return list(xs)


class _Solution(Function):
    """The solution as a function of what the residual uses from outside."""

    generate_vmap_rule = True

    @staticmethod
    def forward(ctx: Any, system: System, xs: Leaves, *outside: Any) -> Any:
        ctx.system, ctx.outside = system, outside
        results = [TENSOR.clone(x) for x in xs]
        ctx.save_for_backward(*results)
        return tuple(results)

    @staticmethod
    def backward(ctx: Any, *gs: Any) -> Any:
        system = ctx.system
        if system.transposed is None:
            raise NotImplementedError(
                "custom_linear_solve: reverse mode solves a system with the conjugate transpose of the matrix, and "
                "nobody said how: give transpose_solve(vecmat, b), or symmetric=True where A^H = A"
            )
        with ReverseLevel() as level:
            xs = [level.fresh(x) for x in ctx.saved_tensors]
            residual = system.residual(xs)

        def pulled(vs: Leaves) -> Leaves:
            found = level.pull(residual, vs, retain_graph=True)
            return [zeros_like(x) if g is None else g for g, x in zip(found, xs, strict=True)]

        us = solution(Linear(pulled, list(gs), system.transposed, system.solve))
        found = partial_gradients(
            residual,
            ctx.outside,
            [TENSOR.neg(u) for u in us],
            constants=xs,
            retain_graph=True,
            create_graph=STATE.grad_enabled,
        )
        return (None, None, *found)


__all__ = ["Leaves", "Linear", "LinearSolver", "Nonlinear", "Residual", "solution"]
