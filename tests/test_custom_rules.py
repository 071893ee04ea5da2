"""custom_vjp and custom_jvp: the rule is what counts, in both modes, at every order, in batches and compiled."""

import numpy as np
import pytest

import wengert as torch
from wengert.func import custom_jvp, custom_vjp, grad, hessian, jacrev, jvp, vjp, vmap

F64 = torch.float64
P = torch.tensor(0.7, dtype=F64)
ONE = torch.ones((), dtype=F64)
BATCH = torch.tensor([0.3, 0.7, 1.1], dtype=F64)


def exact(x):
    return x.exp() * x.sin()


@custom_vjp
def by_vjp(x):
    return exact(x)


def _fwd(x):
    e = x.exp()
    y = e * x.sin()
    return y, (x, e, y, "label")


def _bwd(kept, g):
    x, e, y, label = kept
    assert label == "label"
    return (g * (y + e * x.cos()),)


by_vjp.defvjp(_fwd, _bwd)


@custom_jvp
def by_jvp(x):
    return exact(x)


@by_jvp.defjvp
def _(primals, tangents):
    (x,), (t,) = primals, tangents
    return by_jvp(x), t * x.exp() * (x.sin() + x.cos())


@custom_jvp
def by_jvps(x):
    return exact(x)


by_jvps.defjvps(lambda t, y, x: t * (y + x.exp() * x.cos()))


class ByFunction(torch.autograd.Function):
    """The same with all that a Function can have."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x):
        return exact(x)

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(inputs[0], output)
        ctx.save_for_forward(inputs[0], output)

    @staticmethod
    def backward(ctx, g):
        x, y = ctx.saved_tensors
        return g * (y + x.exp() * x.cos())

    @staticmethod
    def jvp(ctx, t):
        x, y = ctx.saved_tensors
        return t * (y + x.exp() * x.cos())


class ByOwnVmap(ByFunction):
    generate_vmap_rule = False

    @staticmethod
    def vmap(info, in_dims, x):
        assert info.batch_size == 3
        return ByOwnVmap.apply(x.movedim(in_dims[0], 0)), 0


def along(f):
    return lambda x: jvp(f, (x,), (ONE,))[1]


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
FUNCTIONS = {
    "custom_vjp": by_vjp,
    "custom_jvp": by_jvp,
    "custom_jvp by argument": by_jvps,
    "Function": ByFunction.apply,
    "Function with vmap": ByOwnVmap.apply,
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_mode_gives_the_derivative(name: str, mode: str) -> None:
    transform, point = MODES[mode]
    got, want = transform(FUNCTIONS[name])(point), transform(exact)(point)
    np.testing.assert_allclose(got.numpy(), want.numpy(), rtol=1e-10)


def test_the_rule_is_what_counts() -> None:
    @custom_vjp
    def rounded(x):
        return x.round()

    rounded.defvjp(lambda x: (x.round(), None), lambda _, g: (g,))
    assert grad(rounded)(P).item() == 1
    assert jvp(rounded, (P,), (3 * ONE,))[1].item() == 3
    x = P.clone().requires_grad_()
    y = rounded(x)
    assert y.grad_fn.name() == "roundedBackward"
    y.backward()
    assert x.grad.item() == 1


def test_nested_containers_fixed_arguments_and_keywords() -> None:
    def f(n, tree, x=P):
        return {"a": tree["u"] ** n * x, "b": [tree["v"].sum()]}

    ours = custom_vjp(f, nondiff_argnums=(0,))

    def fwd(n, tree, x):
        return f(n, tree, x), (tree, x)

    def bwd(n, kept, g):
        tree, x = kept
        u = tree["u"]
        return {"u": g["a"] * n * u ** (n - 1) * x, "v": g["b"][0] * torch.ones_like(tree["v"])}, g["a"] * u**n

    ours.defvjp(fwd, bwd)
    forward = custom_jvp(f, nondiff_argnums=(0,))
    forward.defjvp(lambda n, ps, ts: (f(n, *ps), jvp(lambda *a: f(n, *a), ps, ts)[1]))
    tree = {"u": torch.tensor(1.5, dtype=F64), "v": torch.tensor([1.0, 2.0], dtype=F64)}

    def loss(h):
        def run(tree, x):
            y = h(3, tree, x=x)
            return (y["a"] * y["b"][0]).sin()

        return run

    for h in (ours, forward):
        got, want = grad(loss(h), (0, 1))(tree, P), grad(loss(f), (0, 1))(tree, P)
        np.testing.assert_allclose(got[0]["u"].numpy(), want[0]["u"].numpy(), rtol=1e-12)
        np.testing.assert_allclose(got[0]["v"].numpy(), want[0]["v"].numpy(), rtol=1e-12)
        np.testing.assert_allclose(got[1].numpy(), want[1].numpy(), rtol=1e-12)


def test_vectors() -> None:
    x = torch.linspace(0.1, 1, 4, dtype=F64)
    for f in (by_vjp, by_jvp):
        np.testing.assert_allclose(jacrev(f)(x).numpy(), jacrev(exact)(x).numpy(), rtol=1e-12)
        second = hessian(lambda x, f=f: f(x).prod())(x).numpy()
        np.testing.assert_allclose(second, hessian(lambda x: exact(x).prod())(x).numpy(), rtol=1e-10)


def _with(fwd, bwd):
    f = custom_vjp(lambda x: x * 2)
    f.defvjp(fwd, bwd)
    return f


def test_what_is_refused() -> None:
    with pytest.raises(AttributeError, match="using defvjp"):
        grad(custom_vjp(lambda x: x))(P)
    with pytest.raises(AttributeError, match="using defjvp"):
        grad(custom_jvp(lambda x: x))(P)
    assert custom_vjp(lambda x: 2 * x)(P).item() == 1.4
    keep = lambda x: (x * 2, x)
    with pytest.raises(RuntimeError, match=r"shape \[2\] for tensor 0"):
        grad(_with(keep, lambda x, g: (torch.stack([g, g]),)))(P)
    with pytest.raises(RuntimeError, match="tuple of 1 gradients"):
        grad(_with(keep, lambda x, g: (g, g)))(P)
    with pytest.raises(RuntimeError, match="other containers"):
        grad(_with(keep, lambda x, g: ([g],)))(P)
    with pytest.raises(TypeError, match=r"\(output, residuals\)"):
        grad(_with(lambda x: x, lambda x, g: (g,)))(P)
    w = torch.tensor(2.0, dtype=F64, requires_grad=True)
    with pytest.raises(RuntimeError, match="none of its arguments"):
        grad(_with(lambda x: (x * w, x), lambda x, g: (g,)))(P)
    clipped = _with(keep, lambda x, g: ((2 * g).clamp(-1, 1),))
    assert grad(clipped)(P).item() == 1
    with pytest.raises(RuntimeError, match="not linear"):
        jvp(clipped, (P,), (ONE,))
    wrong = custom_jvp(lambda x: x * 2)
    wrong.defjvp(lambda p, t: (2 * p[0], torch.stack([t[0], t[0]])))
    with pytest.raises(RuntimeError, match=r"tangent of shape \[2\]"):
        jvp(wrong, (P,), (ONE,))
    fixed = custom_vjp(lambda n, x: n * x, nondiff_argnums=(0,))
    fixed.defvjp(lambda n, x: (n * x, None), lambda n, _, g: (n * g,))
    with pytest.raises(RuntimeError, match="nondiff_argnums"):
        grad(lambda p: fixed(p, p))(P)


def test_a_residual_that_is_written_is_noticed() -> None:
    kept = []

    def fwd(x):
        e = x.exp()
        c = torch.ones_like(x)
        kept[:] = [e, c]
        return x * 2, (e, c)

    f = _with(fwd, lambda res, g: (g * res[0] * res[1],))
    for which in (0, 1):
        x = torch.tensor([1.0, 2.0], requires_grad=True)
        y = f(x)
        with torch.no_grad():
            kept[which].add_(1)
        with pytest.raises(RuntimeError, match=r"in.?place"):
            y.sum().backward()


def test_compiled() -> None:
    for f in (by_vjp, by_jvp):
        compiled = torch.compile(grad(lambda x, f=f: f(x).sum()))
        for x in (BATCH, BATCH + 1):
            np.testing.assert_allclose(compiled(x).numpy(), grad(lambda x: exact(x).sum())(x).numpy(), rtol=1e-10)


def test_pulling_twice() -> None:
    _, pull = vjp(by_vjp, BATCH)
    first, second = pull(torch.ones(3, dtype=F64))[0], pull(2 * torch.ones(3, dtype=F64))[0]
    np.testing.assert_allclose(2 * first.numpy(), second.numpy())


def test_a_fwd_that_calls_the_function_and_keeps_its_value() -> None:
    @custom_vjp
    def f(x):
        return (1 + x.exp()).log()

    def fwd(x):
        y = f(x)
        return y, (x, y)

    f.defvjp(fwd, lambda kept, g: (g * (kept[0] - kept[1]).exp(),))
    softplus = torch.nn.functional.softplus
    for x in (P, 10 * P):
        for transform in (grad, along, lambda f: grad(grad(f)), lambda f: along(grad(f)), lambda f: along(along(f))):
            np.testing.assert_allclose(transform(f)(x).item(), transform(softplus)(x).item(), rtol=1e-8, atol=1e-12)
