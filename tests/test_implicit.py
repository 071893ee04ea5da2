"""Derivatives of what equations define: against the solutions in closed form, in every mode and order, in batches."""

import importlib

import numpy as np
import pytest

import wengert as torch
from wengert.func import grad, hessian, jacfwd, jacrev, jvp, scan, vjp, vmap
from wengert.implicit import (
    conjugate_gradient,
    custom_fixed_point,
    custom_linear_solve,
    custom_root,
    dense_solve,
    iterate,
    minimize,
    newton,
    root,
    solve,
)

F64 = torch.float64
ONE = torch.ones((), dtype=F64)
P = torch.tensor(1.7, dtype=F64)
BATCH = torch.tensor([1.2, 1.7, 2.6], dtype=F64)


def cube_root(p):
    return custom_root(lambda x: x**3 - p * p, torch.tensor(1.0, dtype=F64), newton)


def square_root(p):
    return custom_fixed_point(lambda x: (x + p / x) / 2, torch.tensor(1.0, dtype=F64), iterate)


def quotient(p):  # both sides depend on p, the one through the other
    square = p * p
    return custom_linear_solve(lambda x: square * x, square * p.sin() * p, dense_solve, dense_solve)


def by_scipy_root(p):
    return root(lambda x, p: x**3 - p * p, torch.tensor(1.0, dtype=F64), (p,))


def by_scipy_minimize(p):
    return minimize(lambda x: x**4 / 4 - p * p * x, torch.tensor(1.0, dtype=F64))


def by_scipy_solve(p):
    return solve(lambda x: p * p * x, (p**3 * p.sin()).reshape(1)).squeeze(0)


CASES = {
    "root": (cube_root, lambda p: p ** (2 / 3)),
    "fixed point": (square_root, lambda p: p**0.5),
    "linear": (quotient, lambda p: p * p.sin()),
    "scipy root": (by_scipy_root, lambda p: p ** (2 / 3)),
    "scipy minimize": (by_scipy_minimize, lambda p: p ** (2 / 3)),
    "scipy solve": (by_scipy_solve, lambda p: p * p.sin()),
}


def along(f):
    return lambda p: jvp(f, (p,), (ONE,))[1]


MODES = {
    "value": (lambda f: f, P),
    "reverse": (grad, P),
    "forward": (along, P),
    "reverse twice": (lambda f: grad(grad(f)), P),
    "forward over reverse": (lambda f: along(grad(f)), P),
    "reverse over forward": (lambda f: grad(along(f)), P),
    "forward twice": (lambda f: along(along(f)), P),
    "reverse three times": (lambda f: grad(grad(grad(f))), P),
    "mixed three times": (lambda f: along(grad(along(f))), P),
    "batch": (vmap, BATCH),
    "batch of gradients": (lambda f: vmap(grad(f)), BATCH),
    "gradient of a batch": (lambda f: grad(lambda b: vmap(f)(b).sum()), BATCH),
    "batch of forward over reverse": (lambda f: vmap(along(grad(f))), BATCH),
    "what a batch shares": (lambda f: grad(lambda p: vmap(lambda b: f(p) * b)(BATCH).sum()), P),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", CASES)
def test_every_mode_gives_what_the_closed_form_gives(name: str, mode: str) -> None:
    if name.startswith("scipy"):
        pytest.importorskip("scipy")
    ours, exact = CASES[name]
    transform, point = MODES[mode]
    np.testing.assert_allclose(transform(ours)(point).numpy(), transform(exact)(point).numpy(), rtol=1e-9)


def test_nested_containers_and_finite_differences() -> None:
    def f(p):
        def residual(x):
            u, v = x["u"], x["v"][0]
            return {"u": u**3 + v.sum() - p["a"], "v": [v * u.exp() - p["b"]]}

        guess = {"u": torch.tensor(0.5, dtype=F64), "v": [torch.ones(2, dtype=F64)]}
        x = custom_root(residual, guess, newton)
        return (x["u"] * x["v"][0]).sin().sum()

    p = {"a": torch.tensor(2.0, dtype=F64), "b": torch.tensor([1.0, 1.5], dtype=F64)}
    gradient = grad(f)(p)
    h = 1e-6
    for name, change in (("a", 1.0), ("b", np.array([1.0, 0.0])), ("b", np.array([0.0, 1.0]))):
        change = torch.tensor(change, dtype=F64)
        difference = (f({**p, name: p[name] + h * change}) - f({**p, name: p[name] - h * change})) / (2 * h)
        np.testing.assert_allclose((gradient[name] * change).sum().item(), difference.item(), rtol=1e-7)
    second = hessian(lambda b: f({**p, "b": b}))(p["b"]).numpy()
    np.testing.assert_allclose(second, second.T, rtol=1e-10)
    by_reverse = jacrev(grad(lambda b: f({**p, "b": b})))(p["b"])
    np.testing.assert_allclose(second, by_reverse.numpy(), rtol=1e-9)


def test_backward_fills_grad_and_second_derivatives_of_a_linear_solve() -> None:
    rng = np.random.default_rng(0)
    a = torch.tensor(rng.standard_normal((4, 4)) + 4 * np.eye(4), requires_grad=True)
    b = torch.tensor(rng.standard_normal(4), requires_grad=True)
    ours = lambda a, b: custom_linear_solve(lambda x: a @ x, b, dense_solve, dense_solve).pow(2).sum()
    theirs = lambda a, b: torch.linalg.solve(a, b).pow(2).sum()
    ours(a, b).backward()
    wanted = grad(theirs, (0, 1))(a.detach(), b.detach())
    np.testing.assert_allclose(a.grad.numpy(), wanted[0].numpy(), rtol=1e-10)
    np.testing.assert_allclose(b.grad.numpy(), wanted[1].numpy(), rtol=1e-10)
    for got, want in zip(hessian(ours)(a.detach(), b.detach()), hessian(theirs)(a.detach(), b.detach()), strict=True):
        np.testing.assert_allclose(got.numpy(), want.numpy(), rtol=1e-8, atol=1e-12)


def test_complex_matrices() -> None:
    rng = np.random.default_rng(1)
    a = torch.tensor(rng.standard_normal((3, 3)) + 1j * rng.standard_normal((3, 3)) + 3 * np.eye(3))
    b = torch.tensor(rng.standard_normal(3) + 1j * rng.standard_normal(3))
    ours = lambda a, b: custom_linear_solve(lambda x: a @ x, b, dense_solve, dense_solve).abs().pow(2).sum()
    theirs = lambda a, b: torch.linalg.solve(a, b).abs().pow(2).sum()
    for got, want in zip(grad(ours, (0, 1))(a, b), grad(theirs, (0, 1))(a, b), strict=True):
        np.testing.assert_allclose(got.numpy(), want.numpy(), rtol=1e-10)


def test_conjugate_gradient_without_a_matrix() -> None:
    n = 60
    b = torch.linspace(0, 1, n, dtype=F64)

    def stencil(k):
        def product(x):
            y = (2 + k) * x
            return y - torch.nn.functional.pad(x[1:], (0, 1)) - torch.nn.functional.pad(x[:-1], (1, 0))

        return product

    ours = lambda k: custom_linear_solve(stencil(k), b, conjugate_gradient, symmetric=True).sum()
    theirs = lambda k: torch.linalg.solve(vmap(stencil(k))(torch.eye(n, dtype=F64)).mT, b).sum()
    k = torch.tensor(0.3, dtype=F64)
    for order in (lambda f: f, grad, lambda f: grad(grad(f))):
        np.testing.assert_allclose(order(ours)(k).numpy(), order(theirs)(k).numpy(), rtol=1e-9)


def test_a_least_squares_fit_by_its_data() -> None:
    pytest.importorskip("scipy")
    t = torch.linspace(0, 1, 8, dtype=F64)

    def fit(data):
        loss = lambda x, data: ((x["rate"] * t).exp() * x["size"] - data).pow(2).sum()
        start = {"rate": torch.tensor(0.0, dtype=F64), "size": torch.tensor(1.0, dtype=F64)}
        return torch.stack(list(minimize(loss, start, (data,)).values()))

    data = (t * -0.7).exp() * 2 + 0.1 * torch.sin(9 * t)
    slopes = jacrev(fit)(data)
    np.testing.assert_allclose(jacfwd(fit)(data).numpy(), slopes.numpy(), rtol=1e-8)
    e = torch.zeros(8, dtype=F64)
    e[3] = 1e-5
    np.testing.assert_allclose(((fit(data + e) - fit(data - e)) / 2e-5).numpy(), slopes[:, 3].numpy(), rtol=1e-6)


def test_what_is_refused() -> None:
    one_way = lambda p: custom_linear_solve(lambda x: p * x, ONE, dense_solve)
    np.testing.assert_allclose(jvp(one_way, (P,), (ONE,))[1].item(), -1 / 1.7**2)
    with pytest.raises(NotImplementedError, match="transpose_solve"):
        grad(one_way)(P)
    with pytest.raises(RuntimeError, match=r"shape \[2\], expected the shape \[\]"):
        custom_root(lambda x: torch.stack([x, x]), ONE, newton)
    with pytest.raises(RuntimeError, match="solver returned shape"):
        custom_root(lambda x: x - P, ONE, lambda f, x: torch.ones(3, dtype=F64))
    with pytest.raises(RuntimeError, match="containers"):
        custom_root(lambda x: (x, x), ONE, newton)
    with pytest.raises(RuntimeError, match="not converged after 7 steps"):
        newton(lambda x: x * x + 1, P, max_steps=7)


def test_scipy_that_does_not_converge_or_is_missing(monkeypatch) -> None:
    pytest.importorskip("scipy")
    with pytest.raises(RuntimeError, match="has not converged"):
        root(lambda x: x * x + 1, ONE)

    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    for call in (lambda: root(lambda x: x, ONE), lambda: minimize(lambda x: x, ONE), lambda: solve(lambda x: x, ONE)):
        with pytest.raises(ImportError, match=r"wengert\[scipy\]"):
            call()


def test_nothing_is_recorded_without_parameters() -> None:
    assert not custom_root(lambda x: x * x - 2, ONE, newton).requires_grad
    p = P.clone().requires_grad_()
    with torch.no_grad():
        assert not cube_root(p).requires_grad
    value, pull = vjp(cube_root, P)
    np.testing.assert_allclose(pull(ONE)[0].item(), 2 / 3 * 1.7 ** (-1 / 3))
    assert not value.requires_grad


def test_a_checkpointed_loop_that_uses_a_value_and_what_it_comes_from() -> None:
    def f(a, checkpoint):
        b = a * a
        return scan(lambda c, _: (c * a * 0.1 + b, None), ONE, length=50, checkpoint=checkpoint)[0]

    for order in (grad, lambda f: grad(grad(f))):
        kept, again = (order(lambda a, c=c: f(a, c))(P).item() for c in (False, True))
        np.testing.assert_allclose(again, kept, rtol=1e-12)


# --- within bounds ---------------------------------------------------------------------------------------------------

BOUNDS = [(0.0, 0.5), (None, None)]
METHODS_WITHIN_BOUNDS = (None, "L-BFGS-B", "TNC", "SLSQP", "trust-constr", "Nelder-Mead", "Powell")


def quartic(a):
    return lambda x: ((x - a) ** 2).sum() + 0.1 * (x**4).sum()


@pytest.mark.parametrize("method", METHODS_WITHIN_BOUNDS)
def test_an_element_at_its_bound_stays_there_and_the_others_follow(method):
    a, start = torch.tensor([1.0, 2.0], dtype=F64), torch.zeros(2, dtype=F64)

    def best(a):
        return minimize(quartic(a), start, bounds=BOUNDS, method=method)

    second = best(a)[1]
    slope = 2 / (2 + 1.2 * second**2)  # of the root of 2 (x - a) + 0.4 x^3
    wanted = torch.tensor([[0.0, 0.0], [0.0, slope]], dtype=F64)
    assert torch.allclose(best(a)[0], torch.tensor(0.5, dtype=F64))
    for whole in (torch.func.jacrev(best)(a), torch.func.jacfwd(best)(a)):
        assert torch.allclose(whole, wanted, atol=1e-8)


def test_a_bound_may_be_a_tensor_and_orders_and_batches_go_through():
    a, start = torch.tensor([1.0, 2.0], dtype=F64), torch.zeros(2, dtype=F64)

    def total(u):
        return minimize(quartic(a), start, bounds=[(None, u), (None, 3 * u)]).sum()

    assert torch.func.grad(total)(torch.tensor(0.4, dtype=F64)).item() == pytest.approx(4)

    def best(a):
        return minimize(quartic(a), start, bounds=BOUNDS)

    free = torch.func.hessian(lambda b: minimize(quartic(b), torch.zeros((), dtype=F64)))(a[1])
    wanted = torch.tensor([[0.0, 0.0], [0.0, free.item()]], dtype=F64)
    assert torch.allclose(torch.func.hessian(lambda a: best(a).sum())(a), wanted, atol=1e-8)
    several = torch.stack([a, a * 0.1])
    looped = torch.stack([torch.func.jacrev(best)(row) for row in several])
    assert torch.allclose(torch.vmap(torch.func.jacrev(best))(several), looped)


def test_bounds_that_do_not_fit_and_minima_that_are_not_unique_are_refused():
    start = torch.zeros(2, dtype=F64)
    with pytest.raises(ValueError, match="BFGS takes no bounds"):
        minimize(quartic(1.0), start, bounds=BOUNDS, method="BFGS")
    with pytest.raises(ValueError, match="each of the 2 elements"):
        minimize(quartic(1.0), start, bounds=BOUNDS[:1])
    with pytest.raises(RuntimeError, match="not unique"):
        minimize(lambda x: (x.sum() - 1) ** 2, start)
    with pytest.raises(RuntimeError, match="the solution is not unique"):
        torch.func.grad(lambda a: custom_root(lambda x: (x - a).sum() + x * 0, start, lambda f, x: x + a / 2).sum())(
            torch.ones((), dtype=F64)
        )
