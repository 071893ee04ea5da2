"""Solvers that run on tensors and branch on none, so they work inside ``vmap`` and need nothing but wengert."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from wengert import _tree
from wengert.engine.base import TensorBase, zeros_like
from wengert.func._control import while_loop
from wengert.func._jacobians import basis, jacfwd
from wengert.func._vmap import vmap
from wengert.functions.data import tensor
from wengert.functions.linalg_checks import LinAlgError
from wengert.linalg import solve as _solve
from wengert.spaces.tensors import TENSOR

Tree = Any
TreeMap = Callable[[Tree], Tree]


def dense_solve(matvec: TreeMap, b: Tree) -> Tree:
    """Solve ``matvec(x) = b`` by making the matrix and factorizing it: n products in one batch, n^3 operations.

    >>> import wengert as torch
    >>> a = torch.tensor([[2.0, 1.0], [0.0, 4.0]])
    >>> torch.implicit.dense_solve(lambda x: a @ x, torch.tensor([4.0, 8.0]))
    tensor([1., 2.])
    """
    leaves, form = _tree.flatten(b)
    n = sum([prod(v._data.shape) for v in leaves])

    def column(*vs: Any) -> Any:
        return vector_of(_tree.flatten(matvec(_tree.unflatten(form, vs)))[0])

    rows = vmap(column)(*basis(leaves, 0, n))
    try:
        solution = _solve(rows.mT, vector_of(leaves))
    except LinAlgError as error:
        raise LinAlgError(
            f"dense_solve: the {n} linear equations are singular. Where they are those of a derivative, the solution "
            f"is not unique, or no differentiable function of what it depends on ({error})"
        ) from None
    return _tree.unflatten(form, parts_of_vector(solution, leaves))


def newton(f: TreeMap, x0: Tree, *, tol: float | None = None, max_steps: int = 50) -> Tree:
    """A root of ``f`` by Newton's method with the whole Jacobian: a solver for :func:`custom_root`.

    Args:
        f: a function of a tensor or nested container which gives one like it.
        x0: where it begins.
        tol: done when the step is at most ``tol (1 + |x|)``; by default the square root of the dtype's precision, after
            which one more step is made, so that the error is about its square.
        max_steps: how many steps it may take.

    Raises:
        RuntimeError: there is no root after ``max_steps`` steps.

    >>> import wengert as torch
    >>> torch.implicit.newton(lambda x: x**2 - 2, torch.tensor(1.0))
    tensor(1.4142)
    """
    leaves, form = _tree.flatten(x0)

    residual = flat_function(f, leaves, form)
    slopes = jacfwd(residual)

    def step(x: Any) -> Any:
        return x - _solve(slopes(x), residual(x))

    x = step(_repeated(step, vector_of(leaves), tol, max_steps, "newton"))
    return _tree.unflatten(form, parts_of_vector(x, leaves))


def iterate(f: TreeMap, x0: Tree, *, tol: float | None = None, max_steps: int = 10_000) -> Tree:
    """The fixed point of ``f`` by applying it again and again: a solver for :func:`custom_fixed_point`.

    Args:
        f: a function of a tensor or nested container which gives one like it.
        x0: where it begins.
        tol: done when the change is at most ``tol (1 + |x|)``; by default four times the dtype's precision.
        max_steps: how often it may be applied.

    Raises:
        RuntimeError: it still changes after ``max_steps`` steps.

    >>> import wengert as torch
    >>> torch.implicit.iterate(torch.cos, torch.tensor(1.0))
    tensor(0.7391)
    """
    leaves, form = _tree.flatten(x0)

    step = flat_function(f, leaves, form)
    start = vector_of(leaves)
    x = _repeated(step, start, 4 * _precision(start) if tol is None else tol, max_steps, "iterate")
    return _tree.unflatten(form, parts_of_vector(x, leaves))


def conjugate_gradient(matvec: TreeMap, b: Tree, *, tol: float | None = None, max_steps: int | None = None) -> Tree:
    """Solve ``matvec(x) = b`` for a positive definite matrix by conjugate gradients, with products only.

    Args:
        matvec: ``x -> A x`` with ``A^H = A > 0``.
        b: what it should give.
        tol: done when the residual is at most ``tol |b|``; by default ten times the dtype's precision.
        max_steps: how many products it may take; by default ten times the number of unknowns.

    Raises:
        RuntimeError: it has not converged after ``max_steps`` steps.

    >>> import wengert as torch
    >>> torch.implicit.conjugate_gradient(lambda x: torch.tensor([2.0, 4.0]) * x, torch.tensor([2.0, 8.0]))
    tensor([1., 2.])
    """
    leaves, form = _tree.flatten(b)
    right = vector_of(leaves)
    limit = 10 * right.shape[0] + 10 if max_steps is None else max_steps
    small = _square(right) * (10 * _precision(right) if tol is None else tol) ** 2

    product = flat_function(matvec, leaves, form)

    def step(k: Any, x: Any, r: Any, p: Any, rr: Any) -> Any:
        ap = product(p)
        length = rr / (p.conj() * ap).sum().real
        x, r = x + length * p, r - length * ap
        new = _square(r)
        return k + 1, x, r, r + (new / rr) * p, new

    carried = (tensor(0), zeros_like(right), right, right, _square(right))
    steps, x, _, _, rr = while_loop(lambda k, _x, _r, _p, rr: (rr > small) & (k < limit), step, carried)
    _check_converged(rr > small, steps, "conjugate_gradient")
    return _tree.unflatten(form, parts_of_vector(x, leaves))


# --- parts of them ---------------------------------------------------------------------------------------------------


def _repeated(step: Callable[[Any], Any], x: Any, tol: float | None, max_steps: int, name: str) -> Any:
    """``step`` until it changes hardly anything."""
    limit = _precision(x) ** 0.5 if tol is None else tol

    def still(k: Any, x: Any, change: Any) -> Any:
        return (change > limit * (1 + x.abs().amax())) & (k < max_steps)

    def go(k: Any, x: Any, change: Any) -> Any:  # noqa: ARG001 - the loop carries it
        new = step(x)
        return k + 1, new, (new - x).abs().amax()

    k, x, change = while_loop(still, go, (tensor(0), x, x.abs().amax().detach() * 0 + float("inf")))
    _check_converged(~(change <= limit * (1 + x.abs().amax())), k, name)
    return x


def _check_converged(failed: Any, steps: Any, name: str) -> None:
    """Raise if it failed for any member of the batch."""
    bad, count = getattr(failed._data, "array", failed._data), getattr(steps._data, "array", steps._data)
    if bad.any():
        raise RuntimeError(
            f"{name}: not converged after {int(count.max())} steps; begin nearer to the solution, give max_steps or a "
            "larger tol, or use another solver"
        )


def _precision(x: Any) -> float:
    from_dtype = x._data.dtype.itemsize // (2 if x._data.dtype.kind == "c" else 1)
    return {2: 1e-3, 4: 1.2e-7}.get(from_dtype, 2.3e-16)


def _square(x: Any) -> Any:
    return (x.conj() * x).sum().real


def vector_of(leaves: list[Any]) -> Any:
    """All elements of all tensors, one after the other."""
    flat = [TENSOR.reshape(v, shape=(prod(v._data.shape),)) for v in leaves]
    return TENSOR.cat(*flat, dim=0, sizes=tuple([v._data.shape[0] for v in flat])) if len(flat) > 1 else flat[0]


def parts_of_vector(x: Any, like: list[Any]) -> list[Any]:
    """A vector as tensors of the shapes and dtypes of ``like``."""
    parts, offset = [], 0
    for v in like:
        n, shape = prod(v._data.shape), v._data.shape
        part = TENSOR.slice(x, dim=0, start=offset, stop=offset + n, step=1) if len(like) > 1 else x
        part = TENSOR.reshape(part, shape=shape)
        assert isinstance(part, TensorBase)
        parts.append(part if part._data.dtype is v._data.dtype else TENSOR.cast(part, dtype=v._data.dtype))
        offset += n
    return parts


def flat_function(f: TreeMap, leaves: list[Any], form: Any) -> Callable[[Any], Any]:
    """A function of containers of ``form``, with leaves like ``leaves``, as one of vectors."""

    def flat(x: Any) -> Any:
        return vector_of(_tree.flatten(f(_tree.unflatten(form, parts_of_vector(x, leaves))))[0])

    return flat


__all__ = ["conjugate_gradient", "dense_solve", "flat_function", "iterate", "newton", "parts_of_vector", "vector_of"]
