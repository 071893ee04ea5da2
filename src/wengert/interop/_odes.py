"""Solutions of differential equations on the graph: SciPy solves, and the adjoint equation gives the gradients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert._scipy import scipy_module
from wengert.autograd import Function, enable_grad
from wengert.autograd import grad as gradient_of
from wengert.engine.base import TensorBase, is_tracking
from wengert.functions.data import as_tensor, from_numpy, tensor
from wengert.functions.joining import stack

__all__ = ["odeint"]

_IMPLICIT = frozenset({"radau", "bdf", "lsoda"})


class _Equation:
    """``y' = fun(t, y, *args)`` with ``y`` flat, in NumPy's terms."""

    def __init__(self, fun: Callable[..., Any], shape: tuple[int, ...], args: Sequence[Any], where: list[int]) -> None:
        self.fun = fun
        self.shape = shape
        self.args = list(args)
        self.where = where  # the arguments that gradients are wanted for

    def __call__(self, t: float, y: Any) -> Any:
        found = self.fun(tensor(np.float64(t)), from_numpy(np.array(y)).reshape(self.shape), *self.args)
        return _one_tensor(found).detach().numpy().reshape(-1)

    def pulled(self, t: float, y: Any, cotangents: Any) -> list[Any]:
        """``a^T df/dy`` and ``a^T df/dp`` for each wanted argument, for each row ``a``."""
        with enable_grad():
            leaf = from_numpy(np.array(y)).reshape(self.shape).requires_grad_()
            args = list(self.args)
            for k in self.where:
                args[k] = args[k].detach().requires_grad_()
            found = _one_tensor(self.fun(tensor(np.float64(t)), leaf, *args)).reshape(-1)
            inputs = [leaf, *[args[k] for k in self.where]]
            rows = []
            for a in cotangents:
                grads = gradient_of(
                    found, inputs, from_numpy(np.array(a)), retain_graph=True, allow_unused=True, materialize_grads=True
                )
                rows.append(np.concatenate([g.numpy().reshape(-1) for g in grads]))
        return rows

    def jacobian(self, t: float, y: Any) -> Any:
        """``df/d(y, p)``, row by row."""
        return np.stack(self.pulled(t, y, np.eye(y.size)))


def _one_tensor(found: Any) -> Any:
    return found if isinstance(found, TensorBase) else stack([as_tensor(part) for part in found])


def _solved(rhs: Any, span: tuple[float, float], start: Any, settings: dict[str, Any], **more: Any) -> Any:
    result = scipy_module("integrate", "wengert.interop.scipy").solve_ivp(rhs, span, start, **settings, **more)
    if not result.success:
        raise RuntimeError(f"odeint(): SciPy's solver stopped at t={result.t[-1]:g}: {result.message}")
    return result


class _Solution(Function):
    """The states at some times; its backward solves the adjoint equation, from the last time to the first."""

    @staticmethod
    def forward(ctx: Any, equation: Any, times: Any, settings: Any, y0: Any, *args: Any) -> Any:
        start = np.array(y0.detach().numpy(), np.float64).reshape(-1)
        more = {"jac": lambda t, y: equation.jacobian(t, y)[:, : y.size]} if _is_implicit(settings) else {}
        result = _solved(equation, (times[0], times[-1]), start, settings, t_eval=times, dense_output=True, **more)
        ctx.equation, ctx.times, ctx.settings, ctx.between = equation, times, settings, result.sol
        ctx.kinds = [y0, *args]
        return from_numpy(np.ascontiguousarray(result.y.T).reshape(len(times), *equation.shape))

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        equation, times, between = ctx.equation, ctx.times, ctx.between
        jumps = grad.detach().numpy().reshape(len(times), -1)
        n = jumps.shape[1]
        wanted = [equation.args[k] for k in equation.where]
        state = np.zeros(n + sum([t.numel() for t in wanted]))

        def rhs(t: float, state: Any) -> Any:
            return -equation.pulled(t, between(t), [state[:n]])[0]

        def jacobian(t: float, state: Any) -> Any:
            whole = np.zeros((state.size, state.size))
            whole[:, :n] = -equation.jacobian(t, between(t)).T
            return whole

        more = {"jac": jacobian} if _is_implicit(ctx.settings) else {}
        for later in range(len(times) - 1, 0, -1):
            state[:n] += jumps[later]
            state = _solved(rhs, (times[later], times[later - 1]), state, ctx.settings, **more).y[:, -1]
        state[:n] += jumps[0]
        shares = np.split(state[n:], np.cumsum([t.numel() for t in wanted])[:-1]) if wanted else []
        found: list[Any] = [None] * len(equation.args)
        for k, t, share in zip(equation.where, wanted, shares, strict=True):
            found[k] = from_numpy(share.copy()).reshape(t.shape).to(t.dtype)
        y0 = ctx.kinds[0]
        return None, None, None, from_numpy(state[:n].copy()).reshape(y0.shape).to(y0.dtype), *found


def _is_implicit(settings: dict[str, Any]) -> bool:
    method = settings.get("method", "RK45")
    return (method if isinstance(method, str) else method.__name__).lower() in _IMPLICIT


def odeint(
    fun: Callable[..., Any],
    y0: Any,
    t: Any,
    *,
    args: Any = (),
    method: Any = "RK45",
    rtol: float = 1e-7,
    atol: float = 1e-9,
    **options: Any,
) -> Any:
    """The solution of ``y' = fun(t, y, *args)``, ``y(t[0]) = y0``, at times ``t``: gradients by ``y0`` and ``args``.

    The result is a float64 tensor ``[len(t), *y0.shape]``. ``scipy.integrate.solve_ivp`` finds it; backward solves the
    adjoint equation ``a' = -a^T df/dy`` from the last time to the first with the same method and tolerances, on the
    solver's own interpolation of ``y``, and ``-a^T df/dp`` beside it. So gradients are as accurate as the tolerances,
    and cost about as much as the solution for any number of parameters. Implicit methods (Radau, BDF, LSODA) are given
    their Jacobians. There is no second derivative; the times have none.

    Args:
        fun: gets ``t`` without dimensions and ``y`` of ``y0``'s shape, both float64; returns a tensor of that shape, or
            a sequence of numbers and tensors. It may use other tensors, but only those in ``args`` get gradients.
        y0: where it begins.
        t: at least two times in order, rising or falling.
        args: what ``fun`` gets besides; tensors among them that require a gradient get one.
        method: one of SciPy's.
        rtol: relative tolerance.
        atol: absolute tolerance.
        options: further settings of ``solve_ivp``.

    Raises:
        ValueError: times that are fewer than two or not in order.
        RuntimeError: the solver gives up.
        ImportError: SciPy is not installed.

    Example:
        With SciPy installed::

            rate = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
            y = odeint(lambda t, y, k: -k * y, torch.ones(1), [0.0, 2.0], args=(rate,))
            y[-1].sum().backward()
            rate.grad  # -2 exp(-1) = -0.7358
    """
    times = np.asarray(as_tensor(t).detach().numpy(), np.float64).reshape(-1)
    steps = np.diff(times)
    if times.size < 2 or not ((steps > 0).all() or (steps < 0).all()):
        raise ValueError(f"odeint(): t must be at least two times, rising or falling, and is {times.tolist()}")
    given: tuple[Any, ...] = args if isinstance(args, tuple) else (args,)
    start: Any = as_tensor(y0)
    where = [k for k, arg in enumerate(given) if isinstance(arg, TensorBase) and is_tracking(arg)]
    held: list[Any] = list(given)
    for k in where:
        held[k] = held[k].detach()
    equation = _Equation(fun, tuple(start.shape), held, where)
    settings = {"method": method, "rtol": rtol, "atol": atol, **options}
    return _Solution.apply(equation, times, settings, start, *given)
