"""Transforms of functions against torch.func, in float64."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import wengert
from wengert._tree import flatten

pytestmark = pytest.mark.filterwarnings(
    "ignore:.*torch.jit.script:DeprecationWarning", "ignore:Attempted to insert a get_attr Node:UserWarning"
)

rng = np.random.default_rng(0)
X, A, B, W = (rng.standard_normal(shape) for shape in ((3,), (3, 4), (5, 3), (4, 3)))
INDEX = np.array([2, 0, 1, 1, 0])


def same(call, *arrays):
    theirs = torch.utils._pytree.tree_leaves(call(torch, *[torch.tensor(a) for a in arrays]))
    ours = flatten(call(wengert, *[wengert.tensor(a) for a in arrays]))[0]
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        assert tuple(a.shape) == tuple(b.shape)
        np.testing.assert_allclose(np.asarray(a.detach().numpy()), b.detach().numpy(), rtol=1e-10, atol=1e-12)
        assert a.requires_grad == b.requires_grad


def scalar(lib):
    return lambda x: lib.sin(x).sum() * x.prod()


def vector(lib):
    return lambda x: lib.tanh(x) * x.sum()


def loss(lib):
    return lambda w, x: lib.tanh(w @ x).pow(2).sum()


def writing(lib):
    def f(x):
        y = x * 1
        y.mul_(x)
        y[0] = x[1] ** 2
        y[1:] += x[1:].sin()
        return y.sum() * y[0]

    return f


def buffered(lib):
    def f(x):
        b = lib.zeros(3, dtype=lib.float64)
        b[0] = x[0] * 2
        b[1:] = x[1:].exp()
        view = b[1]
        b.mul_(x)
        return b * view

    return f


CASES = {
    "grad": lambda lib, x: lib.func.grad(scalar(lib))(x),
    "grad of grad": lambda lib, x: lib.func.grad(lambda x: lib.func.grad(scalar(lib))(x).pow(2).sum())(x),
    "grad has_aux": lambda lib, x: lib.func.grad(lambda x: (scalar(lib)(x), {"a": x * 2}), has_aux=True)(x),
    "grad_and_value": lambda lib, x: lib.func.grad_and_value(scalar(lib))(x),
    "argnums": lambda lib, x: lib.func.grad(lambda a, b, c: (a * b * c).sum(), argnums=(2, 0))(x, x + 1, x + 2),
    "dict": lambda lib, x: lib.func.grad(lambda d: (d["a"] * d["b"][0]).sum())({"a": x, "b": [x + 1]}),
    "no dependence": lambda lib, x: lib.func.grad(lambda x: lib.ones((), dtype=lib.float64))(x),
    "vjp": lambda lib, x: lib.func.vjp(vector(lib), x)[1](x),
    "vjp of several": lambda lib, x: lib.func.vjp(lambda a, b: (a * b, {"s": a.sum()}), x, x + 1)[1](
        (x, {"s": x.sum()})
    ),
    "vjp has_aux": lambda lib, x: lib.func.vjp(lambda x: (x.sin(), x * 2), x, has_aux=True)[::2],
    "jvp": lambda lib, x: lib.func.jvp(vector(lib), (x,), (x * 2,)),
    "jvp has_aux": lambda lib, x: lib.func.jvp(lambda x: (x.sin(), x * 2), (x,), (x,), has_aux=True),
    "jvp of grad": lambda lib, x: lib.func.jvp(lib.func.grad(scalar(lib)), (x,), (x * 2,)),
    "grad of jvp": lambda lib, x: lib.func.grad(lambda x: lib.func.jvp(scalar(lib), (x,), (x * 2,))[1])(x),
    "jvp of jvp": lambda lib, x: lib.func.jvp(lambda y: lib.func.jvp(vector(lib), (y,), (x,))[1], (x,), (x + 1,)),
    "levels stay apart": lambda lib, x: lib.func.jvp(
        lambda s: lib.func.jvp(lambda x: x.prod() * s.sum(), (x,), (s,))[1], (x,), (lib.ones_like(x),)
    ),
    "grad levels stay apart": lambda lib, x: lib.func.grad(
        lambda s: s.sum() * lib.func.grad(lambda y: (y * s).sum())(x).sum()
    )(x),
    "vmap": lambda lib, x: lib.vmap(scalar(lib))(_b(lib)),
    "vmap of grad": lambda lib, x: lib.vmap(lib.func.grad(scalar(lib)))(_b(lib)),
    "grad of vmap": lambda lib, x: lib.func.grad(lambda b: lib.vmap(scalar(lib))(b).sum())(_b(lib)),
    "per-sample gradients": lambda lib, x: lib.vmap(lib.func.grad(loss(lib)), (None, 0))(_w(lib), _b(lib)),
    "shared gradient": lambda lib, x: lib.func.grad(lambda w: lib.vmap(loss(lib), (None, 0))(w, _b(lib)).sum())(
        _w(lib)
    ),
    "hessian through vmap": lambda lib, x: lib.func.hessian(lambda w: lib.vmap(loss(lib), (None, 0))(w, _b(lib)).sum())(
        _w(lib)
    ),
    "vmap of hessian": lambda lib, x: lib.vmap(lib.func.hessian(loss(lib), argnums=(0, 1)), (None, 0))(
        _w(lib), _b(lib)
    ),
    "vmap of vmap": lambda lib, x: lib.vmap(lib.vmap(lambda x: x * 2 + x.sum(), in_dims=0), in_dims=1, out_dims=1)(
        _a(lib)
    ),
    "out_dims": lambda lib, x: lib.vmap(lambda x: (x, x.sum()), out_dims=(1, 0))(_b(lib)),
    "in_dims nested": lambda lib, x: lib.vmap(lambda d: d["a"] * d["b"][0], in_dims=({"a": 0, "b": [None]},))(
        {"a": _b(lib), "b": [x]}
    ),
    "chunks": lambda lib, x: lib.vmap(lambda x: x.sin().sum(), chunk_size=2)(_b(lib)),
    "shared result": lambda lib, x: lib.vmap(lambda y: x * 2)(_b(lib)),
    "jacrev": lambda lib, x: lib.func.jacrev(vector(lib))(x),
    "jacfwd": lambda lib, x: lib.func.jacfwd(vector(lib))(x),
    "jacrev in chunks": lambda lib, x: lib.func.jacrev(vector(lib), chunk_size=2)(x),
    "jacrev of a tree": lambda lib, x: lib.func.jacrev(lambda a, b: {"p": a * b, "s": a.sum()}, argnums=(0, 1))(
        x, x + 1
    ),
    "jacfwd of a tree": lambda lib, x: lib.func.jacfwd(lambda a, b: {"p": a * b, "s": a.sum()}, argnums=(0, 1))(
        x, x + 1
    ),
    "hessian": lambda lib, x: lib.func.hessian(scalar(lib))(x),
    "jacrev of jacrev": lambda lib, x: lib.func.jacrev(lib.func.jacrev(scalar(lib)))(x),
    "order four": lambda lib, x: lib.func.jacrev(lib.func.jacfwd(lib.func.hessian(scalar(lib))))(x),
    "linearize": lambda lib, x: lib.func.linearize(vector(lib), x)[1](x * 3),
    "in place": lambda lib, x: lib.func.grad(writing(lib))(x),
    "in place, forward": lambda lib, x: lib.func.jvp(writing(lib), (x,), (x + 1,)),
    "in place, batch": lambda lib, x: lib.vmap(writing(lib))(_b(lib)),
    "in place, per sample": lambda lib, x: lib.vmap(lib.func.grad(writing(lib)))(_b(lib)),
    "in place, hessian": lambda lib, x: lib.func.hessian(writing(lib))(x),
    "into a buffer": lambda lib, x: lib.func.jacrev(buffered(lib))(x),
    "into a buffer, forward": lambda lib, x: lib.func.jvp(buffered(lib), (x,), (x + 1,)),
    "into a buffer, jacfwd": lambda lib, x: lib.func.jacfwd(lambda x: buffered(lib)(x) * 1)(x),
    "batched index": lambda lib, x: lib.vmap(lambda x, i: x[i] * 2)(_b(lib), lib.tensor(INDEX)),
    "shared index": lambda lib, x: lib.vmap(lambda x: x[lib.tensor(INDEX)] * 2)(_b(lib)),
    "index into what is shared": lambda lib, x: lib.vmap(lambda i: lib.eye(3, dtype=lib.float64)[i])(lib.tensor(INDEX)),
    "gradient through an index": lambda lib, x: lib.func.grad(
        lambda b: lib.vmap(lambda x, i: x[i] ** 2)(b, lib.tensor(INDEX)).sum()
    )(_b(lib)),
    "closure over a tracked tensor": lambda lib, x: closed_over(lib, x.requires_grad_()),
    "no_grad inside": lambda lib, x: lib.func.grad(lambda x: (x * constant(lib, x)).sum())(x),
    "is_grads_batched": lambda lib, x: lib.autograd.grad(
        vector(lib)(x.requires_grad_()), x, lib.eye(3, dtype=lib.float64), is_grads_batched=True
    ),
    "jacobian": lambda lib, x: lib.autograd.functional.jacobian(lambda a, b: (a * b, a.sum() * b), (x, x + 1)),
    "hessian, old style": lambda lib, x: lib.autograd.functional.hessian(lambda a, b: (a * b).sin().sum(), (x, x + 1)),
    "vjp, old style": lambda lib, x: lib.autograd.functional.vjp(vector(lib), x, x + 1),
    "jvp, old style": lambda lib, x: lib.autograd.functional.jvp(vector(lib), x, x + 1),
    "vhp": lambda lib, x: lib.autograd.functional.vhp(scalar(lib), x, x + 1),
    "hvp": lambda lib, x: lib.autograd.functional.hvp(scalar(lib), x, x + 1),
}


def closed_over(lib, w):
    return lib.autograd.grad(lib.func.grad(lambda y: (y**2 * w).sum())(w.detach() + 1).sum(), w)


def constant(lib, x):
    with lib.no_grad():
        return x * 2


def _a(lib):
    return lib.tensor(A)


def _b(lib):
    return lib.tensor(B)


def _w(lib):
    return lib.tensor(W)


@pytest.mark.parametrize("name", CASES)
def test_as_in_pytorch(name):
    same(CASES[name], X)


def test_no_grad_outside_detaches_and_does_not_stop():
    def call(lib, x):
        x.requires_grad_()
        with lib.no_grad():
            return lib.func.grad(scalar(lib))(x)

    same(call, X)


class TestWhatOnlyWengertHas:
    def test_hvp_is_the_hessian_times_the_vector(self):
        x, v = wengert.tensor(X), wengert.tensor(X + 1)
        product = wengert.func.hvp(scalar(wengert), (x,), (v,))
        np.testing.assert_allclose(product.numpy(), (wengert.func.hessian(scalar(wengert))(x) @ v).numpy(), rtol=1e-10)

    def test_linear_transpose(self):
        a = wengert.tensor(A) + 1j * wengert.tensor(A + 1)
        v = wengert.tensor(X) + 0j
        (pulled,) = wengert.func.linear_transpose(lambda x: a @ x, wengert.zeros(4, dtype=wengert.complex128))(v)
        np.testing.assert_allclose(pulled.numpy(), a.numpy().T @ v.numpy(), rtol=1e-12)

    def test_value_and_grad_is_in_jaxs_order(self):
        value, gradient = wengert.func.value_and_grad(lambda x: (x**2).sum())(wengert.tensor([1.0, 2.0]))
        assert value.item() == 5.0
        assert gradient.tolist() == [2.0, 4.0]

    def test_chunked_hessian(self):
        x = wengert.tensor(X)
        whole = wengert.func.hessian(scalar(wengert))(x)
        np.testing.assert_allclose(wengert.func.hessian(scalar(wengert), chunk_size=2)(x).numpy(), whole.numpy())


class TestRandomness:
    def test_error_is_the_default(self):
        with pytest.raises(RuntimeError, match="randomness error mode"):
            wengert.vmap(lambda x: x + wengert.rand(3))(wengert.zeros(4, 3))

    @pytest.mark.parametrize(
        "draw",
        [
            lambda x: wengert.rand(3),
            lambda x: wengert.randn(3),
            lambda x: wengert.rand_like(x),
            lambda x: wengert.randint(0, 1000, (3,)),
            lambda x: wengert.randperm(50)[:3],
            lambda x: wengert.nn.functional.dropout(wengert.ones(50)).sum(),
            lambda x: x.clone().uniform_(),
            lambda x: x.clone().normal_(),
            lambda x: wengert.nn.functional.gumbel_softmax(wengert.zeros(9)),
            lambda x: wengert.bernoulli(wengert.full((50,), 0.5)),
            lambda x: wengert.poisson(wengert.full((9,), 50.0)),
            lambda x: wengert.binomial(wengert.full((9,), 50.0), wengert.tensor(0.5)),
            lambda x: wengert.multinomial(wengert.ones(50), 9),
            lambda x: wengert.distributions.Gamma(wengert.ones(9), 1.0).rsample(),
        ],
    )
    def test_same_and_different(self, draw):
        x = wengert.zeros(4, 3)
        same_numbers = wengert.vmap(draw, randomness="same")(x).reshape(4, -1)
        assert bool((same_numbers == same_numbers[0]).all())
        different = wengert.vmap(draw, randomness="different")(x).reshape(4, -1)
        assert len({tuple(row) for row in different.tolist()}) > 1

    @pytest.mark.parametrize(
        "draw",
        [
            lambda x: wengert.poisson(x),
            lambda x: wengert.binomial(x, wengert.tensor([0.5])),
            lambda x: wengert.binomial(wengert.full((5, 1), 99.0), x / 1000),
            lambda x: wengert.multinomial(x, 2).float(),
            lambda x: wengert.distributions.Gamma(x, 1.0).rsample(),
        ],
    )
    def test_parameters_that_differ_between_members(self, draw):
        x = wengert.tensor([[100.0, 200.0], [400.0, 300.0], [500.0, 600.0]])
        several = wengert.vmap(draw, randomness="different")(x)
        assert several.shape == wengert.stack([draw(row) for row in x]).shape
        with pytest.raises(RuntimeError, match="the same for all members"):
            wengert.vmap(draw, randomness="same")(x)

    def test_each_member_draws_from_its_own(self):
        rates = wengert.tensor([0.0, 1e6])
        assert wengert.vmap(wengert.poisson, randomness="different")(rates).gt(1e5).tolist() == [False, True]
        weights = wengert.tensor([[1.0, 0.0], [0.0, 1.0]])
        drawn = wengert.vmap(lambda w: wengert.multinomial(w, 3, replacement=True), randomness="different")(weights)
        assert drawn.tolist() == [[0, 0, 0], [1, 1, 1]]

    def test_probabilities_of_all_members_are_checked(self):
        with pytest.raises(RuntimeError, match=r"one of them is 2\.0"):
            wengert.vmap(wengert.bernoulli, randomness="different")(wengert.tensor([0.0, 2.0]))


class TestErrors:
    def test_a_branch_names_the_line_and_the_way_out(self):
        with pytest.raises(RuntimeError, match=r"data-dependent control flow.*test_func.py.*torch.where"):
            wengert.vmap(lambda x: x if x.sum() > 0 else -x)(wengert.ones(2, 3))

    def test_item(self):
        with pytest.raises(RuntimeError, match=r"\.item\(\)"):
            wengert.vmap(lambda x: x * x.sum().item())(wengert.ones(2, 3))

    @pytest.mark.parametrize(
        ("call", "kind"),
        [
            (lambda lib: lib.vmap(lib.sin)(lib.tensor(1.0)), ValueError),
            (lambda lib: lib.vmap(lib.add)(lib.ones(2), lib.ones(3)), ValueError),
            (lambda lib: lib.vmap(lib.sin, in_dims=(0, 0))(lib.ones(2)), ValueError),
            (lambda lib: lib.vmap(lib.sin, in_dims=3)(lib.ones(2)), ValueError),
            (lambda lib: lib.vmap(lib.sin, in_dims=None)(lib.ones(2)), ValueError),
            (lambda lib: lib.vmap(lambda x: 3)(lib.ones(2)), ValueError),
            (lambda lib: lib.vmap(lib.sin, randomness="other")(lib.ones(2)), RuntimeError),
            (lambda lib: lib.vmap(lib.sin, chunk_size=0)(lib.ones(2)), ValueError),
            (lambda lib: lib.vmap(lambda x: lib.ones(3).add_(x))(lib.ones(2, 3)), RuntimeError),
            (lambda lib: lib.func.grad(lib.sin)(lib.ones(2)), RuntimeError),
            (lambda lib: lib.func.grad(lambda x: 3)(lib.ones(2)), RuntimeError),
            (lambda lib: lib.func.grad(lib.sin, argnums=1)(lib.ones(())), RuntimeError),
            (lambda lib: lib.func.grad(lib.sin, argnums=(0, 0))(lib.ones(())), RuntimeError),
            (lambda lib: lib.func.jvp(lib.sin, (lib.ones(2),), (lib.ones(3),)), RuntimeError),
            (lambda lib: lib.func.jvp(lib.sin, lib.ones(2), (lib.ones(2),)), RuntimeError),
        ],
    )
    def test_kinds_are_pytorchs(self, call, kind):
        with pytest.raises(kind):
            call(torch)
        with pytest.raises(kind):
            call(wengert)


class TestModules:
    def models(self, lib):
        lib.manual_seed(0)
        model = lib.nn.Sequential(lib.nn.Linear(3, 4), lib.nn.Tanh(), lib.nn.Linear(4, 2)).double()
        values = np.random.default_rng(1)
        return model, {name: lib.tensor(values.standard_normal(tuple(p.shape))) for name, p in model.named_parameters()}

    def test_functional_call(self):
        def call(lib, b):
            model, params = self.models(lib)
            return lib.func.functional_call(model, params, (b,))

        same(call, B)

    def test_per_sample_gradients_of_a_module(self):
        def call(lib, b):
            model, params = self.models(lib)

            def loss(params, x):
                return lib.func.functional_call(model, params, (x,)).pow(2).sum()

            return lib.vmap(lib.func.grad(loss), (None, 0))(params, b)

        same(call, B)

    def test_an_ensemble(self):
        def call(lib, b):
            models = [self.models(lib)[0] for _ in range(3)]
            for k, model in enumerate(models):
                for p in model.parameters():
                    p.data.fill_(0.1 * (k + 1))
            params, buffers = lib.func.stack_module_state(models)
            run = lambda p, q, x: lib.func.functional_call(models[0], (p, q), (x,))
            return lib.vmap(run, in_dims=(0, 0, None))(params, buffers, b).detach()

        same(call, B)

    def test_names_are_checked_when_strict(self):
        for lib in (torch, wengert):
            model, params = self.models(lib)
            params["other"] = params["0.bias"]
            with pytest.raises(RuntimeError):
                lib.func.functional_call(model, params, (lib.tensor(B),), strict=True)


def test_backward_inside_vmap_does_not_leave_a_batch_in_grad() -> None:
    w = wengert.tensor(2.0, requires_grad=True)

    def shared(x):
        y = (w * x).sin()
        y.backward()
        return y.detach()

    def own(x):
        leaf = x.detach().requires_grad_()
        leaf.sin().backward()
        return leaf.grad

    with pytest.raises(RuntimeError, match="inside vmap"):
        wengert.vmap(shared)(wengert.ones(3))
    assert w.grad is None
    np.testing.assert_allclose(wengert.vmap(own)(wengert.tensor([0.0, 1.0])).numpy(), np.cos([0.0, 1.0]), rtol=1e-6)


def test_a_vjp_fn_inside_another_transform_is_a_function_of_its_cotangent() -> None:
    """The derivative of a vjp by its cotangent is the jvp, also where nothing else is tracked."""
    x, t = wengert.tensor([0.3, 0.5]), wengert.tensor([1.0, 2.0])
    y, pull = wengert.func.vjp(wengert.sin, x)
    assert wengert.allclose(wengert.func.vjp(lambda g: pull(g)[0], wengert.zeros(2))[1](t)[0], x.cos() * t)
    assert wengert.equal(wengert.func.grad(lambda g: (pull(g)[0] * t).sum())(wengert.ones(2)), x.cos() * t)
    assert not y.requires_grad


@pytest.mark.parametrize("nested", ["jvp of jvp", "outer written through a view of an inner dual"])
def test_writes_through_views_of_nested_duals(nested: str) -> None:
    x = wengert.tensor([0.3, 0.5, 0.7], dtype=wengert.float64)

    def written(x, by):
        z = x * 1.5
        z[0] = by[1] * by[2]
        z[1:] += z[:-1] * by[0]
        return z

    def plain(x, by):
        first = by[1] * by[2]
        second = x[1] * 1.5 + first * by[0]
        return wengert.stack([first, second, x[2] * 1.5 + x[1] * 1.5 * by[0]])

    def twice(f):
        if nested == "jvp of jvp":
            return wengert.func.jacfwd(wengert.func.jacfwd(lambda x: f(x, x)))(x)
        return wengert.func.jacfwd(lambda x: wengert.func.jacfwd(lambda by: f(x, by))(x))(x)

    assert wengert.allclose(twice(written), twice(plain))


def test_keyword_arguments_of_vmap_are_the_same_for_all_members() -> None:
    x, k = np.arange(6.0).reshape(2, 3), np.array([1.0, 2.0, 3.0])
    ours, theirs = (
        lib.vmap(lambda x, k, f: f(x * k), in_dims=0)(lib.tensor(x), k=lib.tensor(k), f=lambda y: y.sum())
        for lib in (wengert, torch)
    )
    assert ours.tolist() == theirs.tolist()
    with pytest.raises(RuntimeError, match=r"size of tensor a \(3\) must match the size of tensor b \(2\)"):
        wengert.vmap(lambda x, k: x * k)(wengert.tensor(x), k=wengert.ones(2))


def test_modules_of_different_sizes_are_not_stacked() -> None:
    with pytest.raises(RuntimeError, match=r"'weight' of the same size, got \[2, 2\], \[2, 3\]"):
        wengert.func.stack_module_state([wengert.nn.Linear(2, 2), wengert.nn.Linear(3, 2)])


def test_tangents_of_another_dtype() -> None:
    """A tangent takes the dtype of its primal, and stays connected; dtypes without derivatives are refused."""
    single = wengert.ones(3, requires_grad=True)
    x = wengert.tensor(X)
    pushed = wengert.func.jvp(wengert.sin, (x,), (single,))[1]
    assert pushed.dtype == wengert.float64
    pushed.sum().backward()
    np.testing.assert_allclose(single.grad.numpy(), np.cos(X), rtol=1e-6)
    for lib in (torch, wengert):
        whole = lib.tensor([1, 2, 3])
        for primal, tangent in ((lib.tensor(X), whole), (whole, lib.tensor(X))):
            with pytest.raises(ValueError, match="to be floating point or complex"):
                lib.func.jvp(lib.sin, (primal,), (tangent,))
    with pytest.raises(RuntimeError, match="complex128 for a Tensor of dtype"):
        wengert.func.jvp(wengert.sin, (x,), (x + 0j,))
