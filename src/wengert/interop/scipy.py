"""SciPy's solvers on functions of tensors, with the derivatives they ask for supplied by automatic differentiation.

The functions take what SciPy's take, and return what SciPy's return: an ``OptimizeResult`` of NumPy values, the same
errors, the same options. What is solved is a function written with tensors; it is called with float64 tensors, and
SciPy is given its gradient, Jacobian, Hessian or Hessian-vector product, whichever the method uses, so that nothing is
estimated from differences. Derivatives given by the caller are used as they are.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from wengert._scipy import ROOTS_WITH_JACOBIAN, WITHOUT_GRADIENT, scipy_module
from wengert.autograd import grad as gradient_of
from wengert.engine.base import TensorBase, array_of, is_tracking
from wengert.func import hessian, hvp, jacfwd, jacrev
from wengert.functions.data import from_numpy, tensor
from wengert.interop._odes import odeint

__all__ = ["least_squares", "minimize", "odeint", "quad", "root", "solve_ivp"]

_WITH_PRODUCTS: Final = frozenset({"newton-cg", "trust-ncg", "trust-krylov", "trust-constr"})
_WITH_HESSIAN: Final = frozenset({"dogleg", "trust-exact"})
_IMPLICIT: Final = frozenset({"radau", "bdf", "lsoda"})


def _scipy(module: str) -> Any:
    return scipy_module(module, "wengert.interop.scipy")


def _point(x: Any) -> Any:
    """SciPy's point as a tensor of its own memory."""
    return from_numpy(np.array(x, dtype=np.float64))


def _start(x0: Any) -> Any:
    """The start as SciPy wants it: a tensor's values, off its graph."""
    return np.array(array_of(x0), dtype=np.float64) if isinstance(x0, TensorBase) else np.asarray(x0, dtype=np.float64)


def _values(y: Any) -> Any:
    """The values of what a function returned: a tensor, a number, or a sequence of these."""
    if isinstance(y, TensorBase):
        return array_of(y)
    if isinstance(y, (list, tuple)):
        return np.array([_values(part) for part in y])
    return np.asarray(y)


def _number(y: Any, name: str) -> float:
    values = _values(y)
    if values.size != 1:
        raise ValueError(
            f"{name}(): the function to minimise must return one number, and it returned shape {list(values.shape)}. "
            "Reduce it, for example with .sum(), or use least_squares for residuals"
        )
    return float(values.reshape(()))


def _tensor_result(y: Any, name: str) -> Any:
    """What a function returned as one tensor on the graph."""
    if isinstance(y, (list, tuple)):
        y = _stacked(y)
    if not isinstance(y, TensorBase):
        raise TypeError(
            f"{name}(): the function returned {type(y).__name__}, which has no derivative: return a tensor computed "
            "from the argument, without float(), .item() or .numpy() on the way"
        )
    return y


def _stacked(parts: Sequence[Any]) -> Any:
    return importlib.import_module("wengert.array_api").asarray(list(parts))


def _with_gradient(fun: Callable[..., Any], args: tuple[Any, ...]) -> Callable[[Any], tuple[float, Any]]:
    def value_and_gradient(x: Any) -> tuple[float, Any]:
        leaf = _point(x).requires_grad_()
        y = _tensor_result(fun(leaf, *args), "minimize")
        value = _number(y, "minimize")
        if not is_tracking(y):
            raise RuntimeError(
                "minimize(): the value of the function has no gradient path to its argument: it is constant, or the "
                "graph was cut, for example by .detach(), torch.tensor(...) or no_grad. wengert.diagnose(y) shows where"
            )
        (gradient,) = gradient_of(y.reshape(()), leaf, materialize_grads=True)
        return value, gradient.numpy()

    return value_and_gradient


def _jacobian(fun: Callable[..., Any], name: str, outputs: int | None = None) -> Callable[[Any], Any]:
    """The Jacobian of a function of one tensor, forwards for few inputs, else backwards."""

    def checked(x: Any) -> Any:
        return _tensor_result(fun(x), name)

    forwards, backwards = jacfwd(checked), jacrev(checked)
    rows = [] if outputs is None else [outputs]

    def jacobian(x: Any) -> Any:
        point = _point(x)
        if not rows:
            rows.append(_values(checked(point)).size)
        matrix = (forwards if point.numel() <= rows[0] else backwards)(point)
        return matrix.detach().numpy().reshape(rows[0], point.numel())

    return jacobian


def _bound(fun: Callable[..., Any], args: tuple[Any, ...]) -> Callable[[Any], Any]:
    return lambda x: fun(x, *args)


def _as_tuple(args: Any) -> tuple[Any, ...]:
    return args if isinstance(args, tuple) else (args,)


def _numeric(fun: Callable[..., Any]) -> Callable[..., Any]:
    """A function of tensors as one of NumPy arrays."""
    return lambda x, *args: _values(fun(_point(x), *args))


def minimize(
    fun: Callable[..., Any],
    x0: Any,
    args: Any = (),
    method: str | Callable[..., Any] | None = None,
    jac: Any = None,
    hess: Any = None,
    hessp: Any = None,
    bounds: Any = None,
    constraints: Any = (),
    tol: float | None = None,
    callback: Any = None,
    options: Any = None,
) -> Any:
    """``scipy.optimize.minimize`` with gradients, Hessians and Hessian-vector products, constraints' too, supplied.

    ``fun(x, *args)`` gets a float64 tensor and returns one number. ``jac``, ``hess``, ``hessp`` given are SciPy's own.

    Raises:
        RuntimeError: the value does not depend on the argument through a graph.
        TypeError, ValueError: the function returns no tensor, or not one number.
        ImportError: SciPy is not installed.

    Example:
        With SciPy installed::

            found = minimize(lambda x: ((x - 3) ** 2).sum(), [0.0, 0.0])
            found.x  # array([3., 3.])
    """
    args = _as_tuple(args)
    chosen = method.lower() if isinstance(method, str) else method
    objective: Any = lambda x: _number(fun(_point(x), *args), "minimize")  # noqa: E731 - replaced below
    if jac is None and chosen not in WITHOUT_GRADIENT:
        objective, jac = _with_gradient(fun, args), True
    bound = _bound(fun, args)
    if hess is None and hessp is None and chosen in _WITH_PRODUCTS:
        hessp = _hessian_product(bound)
    if hess is None and hessp is None and chosen in _WITH_HESSIAN:
        second = hessian(lambda x: _tensor_result(bound(x), "minimize").reshape(()))
        hess = lambda x: second(_point(x)).detach().numpy()  # noqa: E731 - SciPy calls it
    return _scipy("optimize").minimize(
        objective,
        _start(x0),
        method=method,
        jac=jac,
        hess=hess,
        hessp=hessp,
        bounds=bounds,
        constraints=_constraints(constraints),
        tol=tol,
        callback=callback,
        options=options,
    )


def _hessian_product(fun: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    def product(x: Any, direction: Any) -> Any:
        scalar = lambda z: _tensor_result(fun(z), "minimize").reshape(())  # noqa: E731 - hvp wants a function
        return hvp(scalar, (_point(x),), (_point(direction),)).detach().numpy()

    return product


def _constraints(constraints: Any) -> Any:
    """Constraints with their Jacobians, and Hessians where the form has them, supplied."""
    if isinstance(constraints, (list, tuple)):
        return type(constraints)([_constraint(one) for one in constraints])
    return _constraint(constraints)


def _constraint(one: Any) -> Any:
    if isinstance(one, Mapping):
        fun, args = one["fun"], _as_tuple(one.get("args", ()))
        supplied = {"jac": _jacobian(_bound(fun, args), "constraint"), **one}
        return {**supplied, "fun": lambda x, *_: _values(fun(_point(x), *args)), "args": ()}
    optimize = _scipy("optimize")
    if not isinstance(one, optimize.NonlinearConstraint):
        return one
    if callable(one.jac):
        return one
    curvature = hessian(lambda x, v: (_tensor_result(one.fun(x), "constraint").reshape(-1) * v).sum())
    return optimize.NonlinearConstraint(
        _numeric(one.fun),
        one.lb,
        one.ub,
        jac=_jacobian(one.fun, "constraint"),
        hess=lambda x, v: curvature(_point(x), _point(v)).detach().numpy(),
        keep_feasible=one.keep_feasible,
    )


def least_squares(
    fun: Callable[..., Any], x0: Any, jac: Any = None, *, args: Any = (), kwargs: Any = None, **options: Any
) -> Any:
    """``scipy.optimize.least_squares`` with the Jacobian of the residuals supplied.

    ``fun(x, *args, **kwargs)`` gets a float64 tensor and returns the residuals, a tensor of one dimension.

    Raises:
        TypeError: the function returns no tensor.
        ImportError: SciPy is not installed.

    Example:
        With SciPy installed::

            t, y = torch.linspace(0, 1, 20), ...
            least_squares(lambda p: p[0] * torch.exp(-p[1] * t) - y, [1.0, 1.0]).x
    """
    args, kwargs = _as_tuple(args), {} if kwargs is None else kwargs
    bound = lambda x: fun(x, *args, **kwargs)  # noqa: E731 - a closure over the arguments
    jac = _jacobian(bound, "least_squares") if jac is None else jac
    return _scipy("optimize").least_squares(_numeric(bound), _start(x0), jac, **options)


def root(
    fun: Callable[..., Any], x0: Any, args: Any = (), method: str = "hybr", jac: Any = None, **options: Any
) -> Any:
    """``scipy.optimize.root`` with the Jacobian supplied to the methods that use one (hybr, lm).

    Raises:
        TypeError: the function returns no tensor.
        ImportError: SciPy is not installed.

    Example:
        With SciPy installed::

            root(lambda x: x**3 - torch.tensor([1.0, 8.0]), [1.0, 1.0]).x  # array([1., 2.])
    """
    bound = _bound(fun, _as_tuple(args))
    if jac is None and method.lower() in ROOTS_WITH_JACOBIAN:
        jac = _jacobian(bound, "root")
    return _scipy("optimize").root(_numeric(bound), _start(x0), method=method, jac=jac, **options)


def solve_ivp(
    fun: Callable[..., Any], t_span: Any, y0: Any, method: Any = "RK45", *, args: Any = (), **options: Any
) -> Any:
    """``scipy.integrate.solve_ivp`` with the Jacobian by ``y`` supplied to the implicit methods (Radau, BDF, LSODA).

    ``fun(t, y, *args)`` gets ``t`` as a tensor without dimensions and ``y`` as one of one dimension, both float64, and
    returns the derivatives: a tensor, or a sequence of numbers and tensors. ``args`` are handed on as they are.

    Raises:
        TypeError: the function returns no tensor.
        ImportError: SciPy is not installed.

    Example:
        With SciPy installed::

            solve_ivp(lambda t, y: -1000 * (y - torch.cos(t)), (0, 1), [0.0], method="BDF").y
    """
    extra = _as_tuple(args) if args is not None else ()

    def derivatives(t: float, y: Any) -> Any:
        return _values(fun(_time(t), _point(y), *extra))

    name = method.lower() if isinstance(method, str) else getattr(method, "__name__", "").lower()
    if "jac" not in options and name in _IMPLICIT and not options.get("vectorized"):
        options["jac"] = lambda t, y: _jacobian(lambda z: fun(_time(t), z, *extra), "solve_ivp", y.size)(y)
    return _scipy("integrate").solve_ivp(derivatives, t_span, _start(y0), method, **options)


def _time(t: float) -> Any:
    return tensor(np.float64(t))


def quad(fun: Callable[..., Any], a: float, b: float, args: Any = (), **options: Any) -> Any:
    """``scipy.integrate.quad`` of a function of a tensor: the integral and an estimate of its error, as floats.

    Raises:
        ValueError: the function returns more than one number.
        ImportError: SciPy is not installed.

    Example:
        With SciPy installed::

            quad(torch.exp, 0, 1)  # (1.718281828459045, 1.9e-14)
    """
    extra = _as_tuple(args)
    return _scipy("integrate").quad(lambda x: _number(fun(_time(x), *extra), "quad"), float(a), float(b), **options)
