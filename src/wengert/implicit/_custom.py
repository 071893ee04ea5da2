"""Roots, fixed points and linear systems: you say how to solve them, derivatives follow from the equations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wengert import _tree
from wengert.engine.base import TensorBase
from wengert.func._levels import require_tensor
from wengert.implicit._solvers import dense_solve
from wengert.implicit._system import Leaves, Linear, LinearSolver, Nonlinear, solution
from wengert.spaces.tensors import TENSOR

Tree = Any
TreeMap = Callable[[Tree], Tree]
Solver = Callable[[TreeMap, Tree], Tree]


def custom_root(f: TreeMap, initial_guess: Tree, solve: Solver, tangent_solve: Solver = dense_solve) -> Tree:
    """The root of ``f`` that ``solve(f, initial_guess)`` finds, differentiable with respect to all that ``f`` uses.

    With ``f(x, p) = 0`` and ``A`` the derivative of ``f`` by ``x``: ``dx/dp = -A^-1 df/dp``, in every mode and order,
    for each member of a batch. ``solve`` is not looked into: it may be of any kind, and run untracked.

    Args:
        f: a function of one tensor or nested container of tensors which gives one like it. What it uses from outside
            (parameters) are ordinary tensors.
        initial_guess: where ``solve`` begins; no derivative flows to it.
        solve: gives the root of the function it gets. Inside ``vmap`` it gets batched tensors, so it must
            not branch on them (:func:`newton` does not).
        tangent_solve: ``tangent_solve(matvec, b)`` solves ``matvec(x) = b`` for a linear function; it gets the
            derivative of ``f`` at the root, and its conjugate transpose.

    Raises:
        RuntimeError: ``f`` or ``solve`` gives other containers or shapes than the guess.

    >>> import wengert as torch
    >>> from wengert.implicit import custom_root, newton
    >>> cube_root = lambda p: custom_root(lambda x: x**3 - p, torch.tensor(1.0), newton)
    >>> p = torch.tensor(8.0)
    >>> cube_root(p), torch.func.grad(cube_root)(p), torch.func.grad(torch.func.grad(cube_root))(p)
    (tensor(2.), tensor(0.0833), tensor(-0.0069))
    """
    start, form = _leaves(initial_guess, "the initial guess")
    flat = _flattened(f, start, form, "f")

    def find(g: Any, xs: Leaves) -> Leaves:
        return _flat(solve(_nested(g, form), _tree.unflatten(form, xs)), form, "solve")

    return _tree.unflatten(form, solution(Nonlinear(flat, start, find, _flat_solver(tangent_solve, form))))


def custom_fixed_point(f: TreeMap, initial_guess: Tree, solve: Solver, tangent_solve: Solver = dense_solve) -> Tree:
    """The fixed point ``x = f(x)`` that ``solve(f, initial_guess)`` finds, differentiable as in :func:`custom_root`.

    Args:
        f: a function of one tensor or nested container which gives one like it.
        initial_guess: where ``solve`` begins.
        solve: gives the fixed point of the function it gets; :func:`iterate` applies it until nothing changes.
        tangent_solve: solves linear systems with ``df/dx - 1`` and its conjugate transpose.

    Raises:
        RuntimeError: ``f`` or ``solve`` gives other containers or shapes than the guess.

    >>> import wengert as torch
    >>> from wengert.implicit import custom_fixed_point, iterate
    >>> root = lambda a: custom_fixed_point(lambda x: (x + a / x) / 2, torch.tensor(1.0), iterate)
    >>> root(torch.tensor(9.0)), torch.func.grad(root)(torch.tensor(9.0))
    (tensor(3.), tensor(0.1667))
    """
    start, form = _leaves(initial_guess, "the initial guess")
    apply = _flattened(f, start, form, "f")

    def residual(xs: Leaves) -> Leaves:
        return [TENSOR.sub(y, x) for y, x in zip(apply(xs), xs, strict=True)]

    def find(g: Any, xs: Leaves) -> Leaves:
        def again(ts: Leaves) -> Leaves:  # g may lack tangents that f has
            return [TENSOR.add(r, t) for r, t in zip(g(ts), ts, strict=True)]

        return _flat(solve(_nested(again, form), _tree.unflatten(form, xs)), form, "solve")

    return _tree.unflatten(form, solution(Nonlinear(residual, start, find, _flat_solver(tangent_solve, form))))


def custom_linear_solve(
    matvec: TreeMap, b: Tree, solve: Solver, transpose_solve: Solver | None = None, symmetric: bool = False
) -> Tree:
    """The solution of ``matvec(x) = b`` that ``solve(matvec, b)`` finds, differentiable in ``b`` and in the matrix.

    ``x' = A^-1 (b' - A' x)``; the cotangent of ``b`` is ``u = A^-H g``, that of the matrix ``-u x^H``.

    Args:
        matvec: a linear function ``x -> A x`` of tensors or nested containers; the parameters of A are tensors from
            outside.
        b: what it should give.
        solve: any solver; run untracked.
        transpose_solve: ``transpose_solve(vecmat, b)`` solves ``A^H x = b``; reverse mode needs it.
        symmetric: ``A^H = A``: then ``solve`` is taken for both.

    Raises:
        NotImplementedError: reverse mode, with neither ``transpose_solve`` nor ``symmetric``.
        RuntimeError: ``matvec`` or ``solve`` gives other containers or shapes than ``b``.

    >>> import wengert as torch
    >>> from wengert.implicit import conjugate_gradient, custom_linear_solve
    >>> def energy(d):
    ...     b = torch.tensor([1.0, 2.0])
    ...     return (custom_linear_solve(lambda x: d * x, b, conjugate_gradient, symmetric=True) * b).sum()
    >>> torch.func.grad(energy)(torch.tensor([2.0, 4.0]))
    tensor([-0.2500, -0.2500])
    """
    right, form = _leaves(b, "b")
    forward = _flat_solver(solve, form)
    backward = None if transpose_solve is None else _flat_solver(transpose_solve, form)
    system = Linear(_flattened(matvec, right, form, "matvec"), right, forward, forward if symmetric else backward)
    return _tree.unflatten(form, solution(system))


# --- nested containers outside, flat lists inside --------------------------------------------------------------------


def _leaves(tree: Tree, what: str) -> tuple[Leaves, Any]:
    leaves, form = _tree.flatten(tree)
    if not leaves:
        raise RuntimeError(f"{what} holds no tensor, so there is nothing to solve for")
    return [require_tensor(leaf, what) for leaf in leaves], form


def _flat(tree: Tree, form: Any, name: str) -> Leaves:
    leaves, got = _tree.flatten(tree)
    if got != form:
        raise RuntimeError(
            f"{name} must return what the unknowns are, in the same containers ({_tree.count(form)} tensors), and it "
            f"returned {type(tree).__name__} with {len(leaves)} parts"
        )
    return leaves


def _flattened(f: TreeMap, like: Leaves, form: Any, name: str) -> Callable[[Leaves], Leaves]:
    shapes = [x._data.shape for x in like]

    def flat(xs: Leaves) -> Leaves:
        ys = _flat(f(_tree.unflatten(form, xs)), form, name)
        for i, (y, shape) in enumerate(zip(ys, shapes, strict=True)):
            if not isinstance(y, TensorBase) or y._data.shape != shape:
                got = f"the shape {list(y._data.shape)}" if isinstance(y, TensorBase) else type(y).__name__
                raise RuntimeError(
                    f"{name} must give a tensor of the shape of each unknown: for part {i} it gave {got}, expected "
                    f"the shape {list(shape)}"
                )
        return ys

    return flat


def _nested(f: Callable[[Leaves], Leaves], form: Any) -> TreeMap:
    return lambda tree: _tree.unflatten(form, f(_flat(tree, form, "the argument")))


def _flat_solver(solver: Solver, form: Any) -> LinearSolver:
    def solve(product: Any, b: Leaves) -> Leaves:
        return _flat(solver(_nested(product, form), _tree.unflatten(form, b)), form, "the linear solver")

    return solve


__all__ = ["custom_fixed_point", "custom_linear_solve", "custom_root"]
