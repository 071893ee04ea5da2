"""SciPy's solvers as functions that can be differentiated: SciPy finds the solution, the equations give derivatives."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from wengert import _tree
from wengert._batched import Axes, Batched, merged
from wengert._scipy import ROOTS_WITH_JACOBIAN, WITHOUT_GRADIENT, scipy_module
from wengert.engine.base import TensorBase, wrap
from wengert.func._jacobians import jacfwd
from wengert.func._reverse import grad
from wengert.implicit._custom import Solver, Tree, TreeMap, custom_linear_solve, custom_root
from wengert.implicit._solvers import dense_solve, flat_function, parts_of_vector, vector_of
from wengert.implicit._system import plain
from wengert.spaces.tensors import TENSOR

Array = np.ndarray[Any, Any]
_USER = "wengert.implicit"
_WITH_HESSIAN = frozenset({"newton-cg", "dogleg", "trust-ncg", "trust-krylov", "trust-exact"})
_WITHIN_BOUNDS = frozenset({"nelder-mead", "l-bfgs-b", "tnc", "slsqp", "powell", "trust-constr", "cobyla", "cobyqa"})


def root(
    f: Callable[..., Tree],
    x0: Tree,
    args: tuple[Any, ...] = (),
    *,
    method: str = "hybr",
    tol: float | None = None,
    options: dict[str, Any] | None = None,
    tangent_solve: Solver = dense_solve,
) -> Tree:
    """The root of ``f(x, *args)`` by ``scipy.optimize.root``, differentiable in ``args`` and all else that ``f`` uses.

    Args:
        f: a function of a real tensor or nested container (and ``args``) which gives one like it.
        x0: where the search begins; no derivative flows to it.
        args: further arguments of ``f``.
        method: as SciPy's. ``hybr`` and ``lm`` get the exact Jacobian.
        tol: as SciPy's.
        options: as SciPy's.
        tangent_solve: see :func:`custom_root`.

    Raises:
        ImportError: SciPy is not installed.
        RuntimeError: SciPy has not converged.

    >>> import wengert as torch
    >>> from wengert.implicit import root
    >>> p = torch.tensor([4.0, 9.0], dtype=torch.float64)
    >>> torch.func.jacrev(lambda p: root(lambda x: x**2 - p, torch.ones(2, dtype=torch.float64)))(p)
    tensor([[0.2500, 0.0000],
            [0.0000, 0.1667]], dtype=torch.float64)
    """
    optimize = scipy_module("optimize", _USER)

    def find(residual: TreeMap, start: Tree) -> Tree:
        def one(function: Callable[[Any], Any], x: Array, at: Callable[[Any], Array]) -> Array:
            slopes = jacfwd(function) if method in ROOTS_WITH_JACOBIAN else None
            got = optimize.root(
                lambda v: at(function(_like(v, x))),
                x.astype(np.float64),
                jac=None if slopes is None else lambda v: at(slopes(_like(v, x))),
                method=method,
                tol=tol,
                options=options,
            )
            return _converged(got, "root", method)

        return _each_member(one, residual, start)

    return custom_root(lambda x: f(x, *args), x0, find, tangent_solve)


def minimize(
    f: Callable[..., Any],
    x0: Tree,
    args: tuple[Any, ...] = (),
    *,
    method: str | None = None,
    bounds: Any = None,
    tol: float | None = None,
    options: dict[str, Any] | None = None,
    tangent_solve: Solver = dense_solve,
) -> Tree:
    """Where ``f(x, *args)`` is least, by ``scipy.optimize.minimize``, differentiable in ``args`` and all else in ``f``.

    The minimum is a root of the gradient, so derivatives come from the Hessian there: it must be regular. Within bounds
    it is a root of ``x - clip(x - gradient, lower, upper)``: an element at its bound follows the bound, the others
    have the derivatives of the minimum over them alone. As a search ends near the minimum only, two steps of Newton's
    method follow.

    Args:
        f: a function of a real tensor or nested container (and ``args``) which gives one number.
        x0: where the search begins; no derivative flows to it.
        args: further arguments of ``f``.
        method: as SciPy's (BFGS, or L-BFGS-B within bounds); it gets the exact gradient and Hessian where it can use
            them.
        bounds: a pair ``(lower, upper)`` for each element of ``x``, of numbers, 0-d tensors (through which derivatives
            flow) or None; or a ``scipy.optimize.Bounds``.
        tol: as SciPy's.
        options: as SciPy's.
        tangent_solve: see :func:`custom_root`.

    Raises:
        ImportError: SciPy is not installed.
        ValueError: the method takes no bounds, or there is not one pair for each element.
        RuntimeError: SciPy has not converged; the minimum is not unique, as the Hessian there is singular.

    >>> import wengert as torch
    >>> from wengert.implicit import minimize
    >>> p = torch.tensor([1.0, 2.0], dtype=torch.float64)
    >>> best = lambda p: minimize(lambda x: ((x - p**2) ** 2).sum(), torch.zeros(2, dtype=torch.float64))
    >>> best(p), torch.func.jvp(best, (p,), (p,))[1]
    (tensor([1., 4.], dtype=torch.float64), tensor([2., 8.], dtype=torch.float64))
    """
    optimize = scipy_module("optimize", _USER)
    slope = grad(lambda x: f(x, *args))
    chosen = method or ("BFGS" if bounds is None else "L-BFGS-B")
    name = chosen.lower()
    if bounds is not None and name not in _WITHIN_BOUNDS:
        raise ValueError(f"minimize: SciPy's {chosen} takes no bounds; {', '.join(sorted(_WITHIN_BOUNDS))} do")
    limits = None if bounds is None else _limits(bounds, vector_of(_tree.flatten(x0)[0]))

    def residual(x: Tree) -> Tree:
        return slope(x) if limits is None else _projected(x, slope(x), *limits)

    def find(equation: TreeMap, start: Tree) -> Tree:
        leaves, form = _tree.flatten(start)

        def value(x: Any) -> Any:
            return plain(f(_tree.unflatten(form, parts_of_vector(x, leaves)), *args))

        def gradient(x: Any) -> Any:
            return plain(vector_of(_tree.flatten(slope(_tree.unflatten(form, parts_of_vector(x, leaves))))[0]))

        def one(function: Callable[[Any], Any], x: Array, at: Callable[[Any], Array]) -> Array:
            second = jacfwd(function)
            given: dict[str, Any] = {}
            if limits is not None:
                low, high = (at(plain(limit)) for limit in limits)
                given["bounds"] = list(zip(low, high, strict=True))
            if name not in WITHOUT_GRADIENT:
                given["jac"] = lambda v: at(gradient(_like(v, x)))
            if name in _WITH_HESSIAN:
                given["hess"] = lambda v: at(second(_like(v, x)))
            got = optimize.minimize(
                lambda v: float(at(value(_like(v, x)))),
                x.astype(np.float64),
                method=chosen,
                tol=tol,
                options=options,
                **given,
            )
            # Status 2 of BFGS and CG: the value cannot fall further in this precision.
            v = got.x if got.status == 2 and name in ("bfgs", "cg") else _converged(got, "minimize", chosen)
            for _ in range(2):
                v = v - _newton_step(at(second(_like(v, x))), at(function(_like(v, x))))
            return np.asarray(v)

        return _each_member(one, equation, start)

    return custom_root(residual, x0, find, tangent_solve)


def _limits(bounds: Any, x: Any) -> tuple[Any, Any]:
    """The lower and the upper bounds as vectors like ``x``."""
    count = x._data.shape[0]
    if hasattr(bounds, "lb"):
        return _like(np.broadcast_to(bounds.lb, count), x._data), _like(np.broadcast_to(bounds.ub, count), x._data)
    pairs = list(bounds)
    if len(pairs) != count or any([len(pair) != 2 for pair in pairs]):
        raise ValueError(f"minimize: bounds must be a pair (lower, upper) for each of the {count} elements of x")
    lower, upper = zip(*pairs, strict=True) if pairs else ((), ())
    return _stacked(lower, -np.inf, x._data), _stacked(upper, np.inf, x._data)


def _stacked(limits: tuple[Any, ...], missing: float, x: Array) -> Any:
    parts = [
        limit if isinstance(limit, TensorBase) else wrap(np.array(missing if limit is None else limit, x.dtype))
        for limit in limits
    ]
    return TENSOR.stack(*[TENSOR.cast(part, dtype=x.dtype) for part in parts], dim=0) if parts else wrap(x)


def _projected(x: Tree, slope: Tree, lower: Any, upper: Any) -> Tree:
    """``x - clip(x - slope, lower, upper)``."""
    leaves, form = _tree.flatten(x)
    at = vector_of(leaves)
    down = TENSOR.sub(at, vector_of(_tree.flatten(slope)[0]))
    within = TENSOR.where(TENSOR.lt(down, lower), lower, TENSOR.where(TENSOR.gt(down, upper), upper, down))
    return _tree.unflatten(form, parts_of_vector(TENSOR.sub(at, within), leaves))


def _newton_step(second: Array, first: Array) -> Array:
    try:
        return np.linalg.solve(second, first)
    except np.linalg.LinAlgError:
        raise RuntimeError(
            "minimize: the Hessian at the minimum is singular, so the minimum is not unique, or flat, and has no "
            "derivatives. Add what makes it unique, such as a small multiple of the square of x"
        ) from None


def solve(
    a: Any,
    b: Tree,
    *,
    method: str = "gmres",
    rtol: float | None = None,
    options: dict[str, Any] | None = None,
    symmetric: bool = False,
) -> Tree:
    """The solution of ``A x = b`` by an iterative solver of ``scipy.sparse.linalg``, differentiable in ``A`` and ``b``.

    Args:
        a: a matrix, or a linear function ``x -> A x``; the matrix is never made of it.
        b: the right side, a tensor or nested container.
        method: ``gmres``, ``lgmres``, ``bicgstab``, ``bicg``, ``cgs``, ``cg``, ``minres``, ...
        rtol: the wanted relative residual; by default ten times the dtype's precision.
        options: further arguments of the solver.
        symmetric: ``A^H = A``.

    Raises:
        ImportError: SciPy is not installed.
        RuntimeError: the solver has not converged.

    >>> import wengert as torch
    >>> a = torch.tensor([[4.0, 1.0], [0.0, 2.0]], dtype=torch.float64)
    >>> torch.implicit.solve(a, torch.tensor([6.0, 4.0], dtype=torch.float64))
    tensor([1.0000, 2.0000], dtype=torch.float64)
    """
    linalg = scipy_module("sparse.linalg", _USER)
    solver = getattr(linalg, method)

    def run(matvec: TreeMap, right: Tree) -> Tree:
        def one(function: Callable[[Any], Any], v: Array, at: Callable[[Any], Array]) -> Array:
            tolerance = 10 * float(np.finfo(v.dtype).eps) if rtol is None else rtol
            operator = linalg.LinearOperator(
                (v.size, v.size), matvec=lambda x: at(function(_like(x.reshape(-1), v))), dtype=v.dtype
            )
            x, info = solver(operator, v, rtol=tolerance, **(options or {}))
            if info:
                raise RuntimeError(f"solve: scipy's {method} has not converged (info={info}); give rtol, or a method")
            return np.asarray(x)

        return _each_member(one, matvec, right)

    matvec = (lambda x: a @ x) if isinstance(a, TensorBase) else a
    return custom_linear_solve(matvec, b, run, run, symmetric)


# --- between SciPy's vectors and tensors -----------------------------------------------------------------------------


def _like(v: Array, x: Array) -> Any:
    return wrap(np.array(v, x.dtype))


def _converged(got: Any, name: str, method: str) -> Array:
    if not got.success:
        raise RuntimeError(
            f"{name}: SciPy's {method} has not converged: {got.message}. Begin nearer to the solution, or give another "
            "method, tol or options"
        )
    return np.asarray(got.x)


def _each_member(run: Callable[..., Array], f: TreeMap, start: Tree) -> Tree:
    """``run(function, x, at)`` for each member of a batch by itself.

    ``function`` takes a plain vector and gives what a whole batch has for it, and ``at`` picks the member's values.
    """
    leaves, form = _tree.flatten(start)
    flat = vector_of(leaves)

    function = flat_function(f, leaves, form)
    axes = merged([_axes(flat), _axes(function(flat))])
    members = []
    if not flat._data.shape[0]:
        return start
    for place in product(*[range(axis.size) for axis in axes]):
        at = partial(_member, dict(zip(axes, place, strict=True)))
        members.append(run(function, at(flat), at))
    whole: Any = np.stack(members).reshape((*[axis.size for axis in axes], -1)).astype(flat._data.dtype)
    found = wrap(Batched(whole, axes) if axes else whole)
    return _tree.unflatten(form, parts_of_vector(found, leaves))


def _axes(t: Any) -> Axes:
    return t._data.axes if t._data.__class__ is Batched else ()


def _member(place: dict[Any, int], t: Any) -> Array:
    """The values of one member of a batch."""
    raw = t.detach()._data
    return np.asarray(raw.array[tuple([place[axis] for axis in raw.axes])] if raw.__class__ is Batched else raw)


__all__ = ["minimize", "root", "solve"]
