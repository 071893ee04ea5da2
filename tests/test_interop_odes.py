"""Gradients of solutions of differential equations: by the adjoint equation, against closed forms and differences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("scipy.integrate")

import wengert as torch
from wengert.interop.scipy import odeint

TRUE = {"method": "DOP853", "rtol": 1e-12, "atol": 1e-12}


def _f64(values: Any) -> Any:
    return torch.tensor(values, dtype=torch.float64, requires_grad=True)


def prey(t: Any, y: Any, p: Any) -> Any:
    return [p[0] * y[0] - p[1] * y[0] * y[1], p[2] * y[0] * y[1] - p[3] * y[1]]


def misfit(p: Any, y0: Any, **settings: Any) -> Any:
    return ((odeint(prey, y0, np.linspace(0, 3, 7), args=(p,), **settings) - 1.0) ** 2).sum()


def test_decay_has_the_closed_form() -> None:
    k, y0 = _f64(0.5), _f64([1.0, 2.0])
    y = odeint(lambda t, y, k: -k * y, y0, [0.0, 1.0, 2.0], args=(k,))
    np.testing.assert_allclose(y.detach().numpy(), np.outer(np.exp([0, -0.5, -1]), [1, 2]), rtol=1e-6)
    y[1:].sum().backward()
    np.testing.assert_allclose(k.grad.item(), -3 * np.exp(-0.5) - 6 * np.exp(-1), rtol=1e-6)
    np.testing.assert_allclose(y0.grad.numpy(), [np.exp(-0.5) + np.exp(-1)] * 2, rtol=1e-6)


@pytest.mark.parametrize(
    "method", ["RK45", "DOP853", "RK23", "LSODA", "BDF", pytest.param("Radau", marks=pytest.mark.slow)]
)
def test_gradients_are_those_of_differences(method: str) -> None:
    p, y0 = _f64([1.5, 1.0, 1.0, 3.0]), _f64([1.0, 1.2])
    tolerances = {"rtol": 1e-5, "atol": 1e-7} if method == "RK23" else {}
    found = torch.autograd.grad(misfit(p, y0, method=method, **tolerances), [p, y0])
    with torch.no_grad():
        for given, g in zip((p, y0), found, strict=True):
            want = []
            for i in range(given.numel()):
                step = torch.zeros(given.numel(), dtype=torch.float64)
                step[i] = 1e-5
                ends = [(given + step, given - step)[k] for k in (0, 1)]
                values = [misfit(e, y0, **TRUE) if given is p else misfit(p, e, **TRUE) for e in ends]
                want.append(((values[0] - values[1]) / 2e-5).item())
            np.testing.assert_allclose(g.numpy(), want, rtol=1e-3 if method == "RK23" else 2e-5, atol=1e-4)


def test_backwards_in_time_shapes_and_float32() -> None:
    w = torch.eye(2, requires_grad=True)
    y0 = torch.ones(2, 3, requires_grad=True)
    y = odeint(lambda t, y, w: w.double() @ y * t, y0, torch.tensor([1.0, 0.0]), args=(w,))
    assert y.shape == (2, 2, 3)
    assert y.dtype == torch.float64
    y[-1].sum().backward()
    assert w.grad.dtype == y0.grad.dtype == torch.float32
    np.testing.assert_allclose(y0.grad.numpy(), np.full((2, 3), np.exp(-0.5)), rtol=1e-5)


def test_what_is_not_differentiated_and_what_is_refused() -> None:
    k, other = _f64(0.5), torch.tensor(2.0, dtype=torch.float64)
    assert not odeint(lambda t, y, k: -k * y, [1.0], [0.0, 1.0], args=(other,)).requires_grad
    y = odeint(lambda t, y, k, text, n: -k * y * n, [1.0], [0.0, 1.0], args=(k, "text", other))
    (g,) = torch.autograd.grad(y[-1].sum(), k)
    np.testing.assert_allclose(g.item(), -2 * np.exp(-1), rtol=1e-6)
    for times in ([0.0], [0.0, 1.0, 0.5], [0.0, 0.0]):
        with pytest.raises(ValueError, match="rising or falling"):
            odeint(lambda t, y: y, [1.0], times)
    with pytest.raises(RuntimeError, match=r"solver stopped at t="):
        odeint(lambda t, y: y**2, [1.0], [0.0, 2.0], max_step=0.5)


@pytest.mark.slow
def test_a_stiff_equation() -> None:
    mu = _f64(100.0)

    def end(mu: Any, **settings: Any) -> Any:
        rates = lambda t, y, mu: [y[1], mu * (1 - y[0] ** 2) * y[1] - y[0]]
        return odeint(rates, [2.0, 0.0], [0.0, 40.0], args=(mu,), method="Radau", **settings)[-1].sum()

    (g,) = torch.autograd.grad(end(mu), mu)
    with torch.no_grad():
        fine = {"rtol": 1e-11, "atol": 1e-12}
        want = (end(mu + 1e-2, **fine) - end(mu - 1e-2, **fine)) / 2e-2
    np.testing.assert_allclose(g.item(), want.item(), rtol=1e-4)
