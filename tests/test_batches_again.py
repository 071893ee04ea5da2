"""User code that runs again in the reverse pass, after its vmap is over, takes derivatives of each member by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert
from wengert.func import custom_vjp, grad, jacfwd, jacrev, scan, vjp
from wengert.implicit import custom_root, newton
from wengert.utils.checkpoint import checkpoint

Function = Callable[[Any, Any], Any]
F64 = wengert.float64
W = wengert.tensor([0.7, 1.1], dtype=F64)
XS = wengert.tensor([[0.3, 0.5], [0.9, 1.4], [0.2, 0.1]], dtype=F64)


def _by_grad(w: Any, x: Any) -> Any:
    return grad(lambda y: (y * w).sin().sum() * y.sum())(x)


def _by_vjp(w: Any, x: Any) -> Any:
    return vjp(lambda y: (y * w).sin(), w * 2)[1](x)[0]


def _looped(f: Function, **options: Any) -> Function:
    return lambda w, x: scan(lambda c, _: (f(w, c), None), x, length=3, **options)[0]


def _of_a_function(f: Function) -> Function:
    class Own(wengert.autograd.Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(w, x):
            return f(w, x)

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(*inputs)

        @staticmethod
        def backward(ctx, g):
            return vjp(f, *ctx.saved_tensors)[1](g)

    return Own.apply


def _with_a_rule(f: Function) -> Function:
    own = custom_vjp(lambda w, x: f(w, x))
    own.defvjp(lambda w, x: (f(w, x), (w, x)), lambda saved, g: vjp(f, *saved)[1](g))
    return own


WRAPPED: dict[str, tuple[Callable[[Function], Function], Callable[[Function], Function]]] = {
    "checkpoint": (lambda f: lambda w, x: checkpoint(f, w, x, use_reentrant=False), lambda f: f),
    "checkpointed loop": (lambda f: _looped(f, checkpoint=True), _looped),
    "Function": (_of_a_function, lambda f: f),
    "custom_vjp": (_with_a_rule, lambda f: f),
}


@pytest.mark.parametrize("inner", [_by_grad, _by_vjp])
@pytest.mark.parametrize("name", WRAPPED)
def test_against_a_loop_over_the_members(name: str, inner: Function) -> None:
    wrapped, plain = (wrap(inner) for wrap in WRAPPED[name])
    batched = lambda w, xs: wengert.vmap(wrapped, (None, 0))(w, xs)
    members = lambda w, xs: wengert.stack([plain(w, x) for x in xs])
    for transform in (
        lambda f: jacrev(lambda w: f(w, XS))(W),
        lambda f: jacrev(jacrev(lambda w: f(w, XS)))(W),
        lambda f: grad(lambda xs: (f(W, xs) ** 2).sum())(XS),
    ):
        np.testing.assert_allclose(transform(batched).numpy(), transform(members).numpy(), rtol=1e-9, atol=1e-12)
    w = W.clone().requires_grad_()
    (batched(w, XS) ** 2).sum().backward()
    np.testing.assert_allclose(w.grad.numpy(), grad(lambda w: (members(w, XS) ** 2).sum())(W).numpy(), rtol=1e-9)


def test_second_derivatives_of_several_unknowns() -> None:
    """Of x^3 + p x = 1 for each element by itself nothing is off the diagonal."""
    root = lambda p: custom_root(lambda x: x**3 + p * x - 1, wengert.ones(2, dtype=F64), newton)
    p = wengert.tensor([1.3, 0.7], dtype=F64)
    x = root(p).numpy()
    slope = -x / (3 * x**2 + p.numpy())
    second = -(6 * x * slope**2 + 2 * slope) / (3 * x**2 + p.numpy())
    wanted = np.zeros((2, 2, 2))
    wanted[[0, 1], [0, 1], [0, 1]] = second
    for outer in (jacfwd, jacrev):
        for inner in (jacfwd, jacrev):
            np.testing.assert_allclose(outer(inner(root))(p).numpy(), wanted, rtol=1e-9, atol=1e-12)


def test_random_numbers_of_a_member_in_the_reverse_pass() -> None:
    """What `backward` draws inside of a vmap is for each member, as its randomness says."""

    class Noisy(wengert.autograd.Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(x):
            return x * 1

        @staticmethod
        def setup_context(ctx, inputs, output):
            pass

        @staticmethod
        def backward(ctx, g):
            return g * wengert.rand(2, dtype=F64)

    for randomness, count in (("different", 3), ("same", 1)):
        f = lambda xs, mode=randomness: wengert.vmap(Noisy.apply, randomness=mode)(xs).sum()
        rows = grad(f)(XS).numpy()
        assert len({tuple(row) for row in rows.tolist()}) == count
    with pytest.raises(RuntimeError, match="random"):
        grad(lambda xs: wengert.vmap(Noisy.apply)(xs).sum())(XS)


def _by_shared_weights(y: Any) -> Callable[[Any], Any]:
    def hook(g: Any) -> Any:
        with wengert.enable_grad():
            w = wengert.ones(2, requires_grad=True)  # what all members share
            return wengert.autograd.grad((w * g).sum(), w)[0] * 2

    return hook


def _by_own_values(y: Any) -> Callable[[Any], Any]:
    def hook(g: Any) -> Any:
        with wengert.enable_grad():
            z = y.detach().clone().requires_grad_()
            return g + wengert.autograd.grad((z**3).sum(), z)[0]

    return hook


@pytest.mark.parametrize("make", [_by_shared_weights, _by_own_values])
@pytest.mark.parametrize(
    "hang",
    [
        lambda y, hook: y.register_hook(hook),
        lambda y, hook: y.grad_fn.register_prehook(lambda outs: (hook(outs[0]),)),
        lambda y, hook: y.grad_fn.register_hook(lambda ins, outs: (hook(ins[0]), *ins[1:])),
    ],
)
def test_hooks_that_take_derivatives_take_those_of_each_member(make: Any, hang: Any) -> None:
    def f(x: Any) -> Any:
        y = x * 2
        hang(y, make(y))
        return (y**2).sum()

    rows = wengert.tensor([[1.0, 2.0], [3.0, 4.0]])
    x, one_by_one = rows.clone().requires_grad_(), rows.clone().requires_grad_()
    wengert.vmap(f)(x).sum().backward()
    for row in one_by_one:
        f(row).backward()
    assert x.grad.tolist() == one_by_one.grad.tolist()
