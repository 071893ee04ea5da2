"""SciPy's solvers with derivatives supplied: the same answers as with differences, for fewer evaluations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

optimize = pytest.importorskip("scipy.optimize")
integrate = pytest.importorskip("scipy.integrate")

import wengert as torch
from wengert.interop import scipy as solvers


def rosenbrock(x: Any) -> Any:
    return (100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2).sum()


def test_rosenbrock_with_a_thousand_variables() -> None:
    x0 = 1.0 + 0.05 * np.sin(np.arange(1000.0))  # from near, or the differences take minutes
    options = {"maxfun": 10_000_000}
    mine = solvers.minimize(rosenbrock, x0, method="L-BFGS-B", options=options)
    theirs = optimize.minimize(rosenbrock, x0, method="L-BFGS-B", options=options)
    assert mine.success
    np.testing.assert_allclose(mine.x, theirs.x, atol=1e-3)
    assert mine.nfev * 500 < theirs.nfev


def test_rosenbrock_from_afar() -> None:
    found = solvers.minimize(rosenbrock, np.zeros(1000), method="L-BFGS-B", options={"maxiter": 5000}, tol=1e-12)
    assert found.success
    np.testing.assert_allclose(found.x, np.ones(1000), atol=1e-3)


@pytest.mark.parametrize(
    "method",
    ["BFGS", "CG", "Newton-CG", "L-BFGS-B", "TNC", "SLSQP", "trust-ncg", "trust-krylov", "trust-exact", "dogleg",
     "trust-constr", "Nelder-Mead", "Powell"]
)  # fmt: skip
def test_every_method(method: str) -> None:
    x0 = np.array([0.97, 0.95, 0.9])  # where the Hessian is positive definite, as dogleg needs it
    mine = solvers.minimize(rosenbrock, x0, method=method, tol=1e-8)
    np.testing.assert_allclose(mine.x, np.ones(3), atol=1e-3)
    assert type(mine) is optimize.OptimizeResult
    assert isinstance(mine.x, np.ndarray)
    assert isinstance(mine.fun, float)


def test_the_derivatives_given_are_used() -> None:
    calls = []

    def jac(x: Any) -> Any:
        calls.append(x)
        return 2 * (x - 3)

    found = solvers.minimize(lambda x: ((x - 3) ** 2).sum(), torch.zeros(2, dtype=torch.float64), jac=jac)
    np.testing.assert_allclose(found.x, [3, 3])
    assert calls


@pytest.mark.parametrize("method", ["SLSQP", "trust-constr"])
def test_constraints(method: str) -> None:
    circle: Any = {"type": "eq", "fun": lambda x: (x * x).sum() - 2.0}
    if method == "trust-constr":
        circle = optimize.NonlinearConstraint(lambda x: (x * x).sum(), 2.0, 2.0)
    found = solvers.minimize(lambda x: x.sum(), [-0.5, -1.5], method=method, constraints=[circle])
    np.testing.assert_allclose(found.x, [-1, -1], atol=1e-4)


def decay(p: Any, t: Any, y: Any) -> Any:
    return p[0] * torch.exp(-p[1] * t) + p[2] - y


@pytest.mark.parametrize("method", ["trf", "dogbox", "lm"])
def test_least_squares(method: str) -> None:
    t = torch.linspace(0, 4, 50, dtype=torch.float64)
    y = 2.5 * torch.exp(-1.3 * t) + 0.5 + 0.01 * torch.sin(40 * t)
    mine = solvers.least_squares(decay, [1.0, 1.0, 0.0], args=(t, y), method=method)
    evaluations = 0

    def counted(p: Any) -> Any:
        nonlocal evaluations
        evaluations += 1
        return decay(torch.from_numpy(p.copy()), t, y).numpy()

    theirs = optimize.least_squares(counted, [1.0, 1.0, 0.0], method=method)
    np.testing.assert_allclose(mine.x, theirs.x, rtol=1e-5)
    np.testing.assert_allclose(mine.cost, theirs.cost, rtol=1e-8)
    assert mine.nfev + (mine.njev or 0) < evaluations


def test_root() -> None:
    def system(x: Any) -> Any:
        return torch.stack([x[0] + 0.5 * (x[0] - x[1]) ** 3 - 1.0, 0.5 * (x[1] - x[0]) ** 3 + x[1]])

    for method in ("hybr", "lm"):
        mine = solvers.root(system, [0.0, 0.0], method=method)
        assert mine.success
        np.testing.assert_allclose(system(torch.from_numpy(mine.x)).numpy(), 0, atol=1e-12)
        np.testing.assert_allclose(mine.x, [0.8411639, 0.1588361], rtol=1e-6)
    assert solvers.root(system, [0.8, 0.2], method="krylov").success
    as_list = solvers.root(lambda x: [x[0] - 1.0, x[1] * x[0] - 2.0], [0.5, 0.5])
    np.testing.assert_allclose(as_list.x, [1, 2])


def robertson(t: Any, y: Any) -> Any:
    a, b, c = y
    slow, fast = 0.04 * a - 1e4 * b * c, 3e7 * b * b
    return torch.stack([-slow, slow - fast, fast])


@pytest.mark.parametrize("method", ["BDF", "Radau"])
def test_a_stiff_equation(method: str) -> None:
    evaluations = 0

    def counted(t: Any, y: Any) -> Any:
        nonlocal evaluations
        evaluations += 1
        return robertson(t, torch.from_numpy(y.copy())).numpy()

    options = {"rtol": 1e-6, "atol": 1e-10}
    mine = solvers.solve_ivp(robertson, (0, 1e4), [1.0, 0.0, 0.0], method=method, **options)
    theirs = integrate.solve_ivp(counted, (0, 1e4), [1.0, 0.0, 0.0], method=method, **options)
    assert mine.success
    np.testing.assert_allclose(mine.y[:, -1], theirs.y[:, -1], rtol=1e-4)
    assert mine.nfev < evaluations


def test_quad() -> None:
    value, error = solvers.quad(torch.exp, 0, 1)
    assert type(value) is float
    assert value == pytest.approx(np.e - 1, rel=1e-12)
    assert error < 1e-10
    assert solvers.quad(lambda x, k: torch.exp(-k * x), 0, np.inf, args=(2.0,))[0] == pytest.approx(0.5)


def test_what_is_refused() -> None:
    with pytest.raises(RuntimeError, match="no gradient path"):
        solvers.minimize(lambda x: x.detach().sum(), [1.0])
    with pytest.raises(TypeError, match="returned float"):
        solvers.minimize(lambda x: float(x.sum()), [1.0])
    with pytest.raises(ValueError, match="one number"):
        solvers.minimize(lambda x: x * 2, [1.0, 2.0])
    with pytest.raises(ValueError, match="Unknown solver"):
        solvers.minimize(rosenbrock, [1.0, 2.0], method="no such method")
