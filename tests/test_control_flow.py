"""Branches and loops as functions, in every mode."""

import tracemalloc
from functools import partial

import numpy as np
import pytest

import wengert
from wengert.func import associative_scan, cond, fori_loop, grad, hessian, jvp, scan, switch, while_loop

A = wengert.tensor(0.9, dtype=wengert.float64)
X0 = wengert.tensor([0.3, 0.2], dtype=wengert.float64)
XS = wengert.linspace(0, 1, 200, dtype=wengert.float64)
WEIGHTS = wengert.linspace(-1, 1, 200, dtype=wengert.float64)


def loop(a, x0, xs, **options):
    carry, ys = scan(lambda c, x: ((c * a).sin() + x * 0.01, (c * x).sum()), x0, xs, **options)
    return carry.sum() + (ys * WEIGHTS).sum()


def by_hand(a, x0, xs, reverse=False):
    total, c = 0.0, x0
    for i in range(200)[:: -1 if reverse else 1]:
        total = total + (c * xs[i]).sum() * WEIGHTS[i]
        c = (c * a).sin() + xs[i] * 0.01
    return c.sum() + total


class TestScan:
    @pytest.mark.parametrize("reverse", [False, True])
    @pytest.mark.parametrize("checkpoint", [False, True])
    def test_values_and_gradients_are_those_of_a_loop(self, reverse, checkpoint):
        f = lambda *args: loop(*args, reverse=reverse, checkpoint=checkpoint)
        g = lambda *args: by_hand(*args, reverse=reverse)
        np.testing.assert_allclose(f(A, X0, XS).numpy(), g(A, X0, XS).numpy(), rtol=1e-13)
        for got, want in zip(grad(f, (0, 1, 2))(A, X0, XS), grad(g, (0, 1, 2))(A, X0, XS), strict=True):
            np.testing.assert_allclose(got.numpy(), want.numpy(), rtol=1e-10, atol=1e-14)

    def test_second_order_forward_and_batches_through_a_checkpointed_loop(self):
        f = lambda a, checkpoint: loop(a, X0, XS, checkpoint=checkpoint)
        twice = [grad(grad(lambda a, c=c: f(a, c)))(A).numpy() for c in (True, False)]
        np.testing.assert_allclose(*twice, rtol=1e-9)
        whole = [hessian(lambda x, c=c: loop(A, x, XS, checkpoint=c))(X0).numpy() for c in (True, False)]
        np.testing.assert_allclose(*whole, rtol=1e-9, atol=1e-14)
        pushed = [jvp(lambda a, c=c: f(a, c), (A,), (A,))[1].numpy() for c in (True, False)]
        np.testing.assert_allclose(*pushed, rtol=1e-12)
        batch = wengert.tensor([0.9, 0.8], dtype=wengert.float64)
        mapped = [wengert.vmap(grad(lambda a, c=c: f(a, c)))(batch).numpy() for c in (True, False)]
        np.testing.assert_allclose(*mapped, rtol=1e-10)

    def test_steps_are_computed_again_as_few_times_as_can_be(self):
        counts = {}
        for length in (32, 1000, 5000):
            calls = 0

            def step(c, _):
                nonlocal calls
                calls += 1
                return (c * 0.99).sin(), None

            grad(lambda c, n=length: scan(step, c, length=n, checkpoint=True)[0])(wengert.tensor(0.5))
            counts[length] = (calls - 1) / length  # one finds what a step captures
        assert counts[32] == 2  # forward, and recorded
        assert counts[1000] < 2.4
        assert counts[5000] < 3

    def test_a_checkpointed_loop_keeps_hardly_more_for_many_more_steps(self):
        def peak(length):
            x = wengert.tensor(0.5, dtype=wengert.float64, requires_grad=True)
            tracemalloc.start()
            carry, _ = scan(lambda c, _: (c * 0.999 + 0.001 * c * c, None), x, length=length, checkpoint=True)
            carry.backward()
            kept = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            return kept

        peak(100)
        assert peak(4000) < 3 * peak(250)  # 16 times as many steps, one more level of splitting

    def test_containers_and_lengths(self):
        carry, ys = scan(lambda c, x: ({"n": c["n"] + 1}, [c["n"], x["a"]]), {"n": X0}, {"a": XS[:3]})
        assert carry["n"].tolist() == [3.3, 3.2]
        assert [y.shape[0] for y in ys] == [3, 3]
        assert scan(lambda c, x: (c, None), X0, length=4)[1] is None
        for checkpoint in (False, True):
            carry, (outer, number) = scan(
                lambda c, x: (c * x, (wengert.outer(c, c), x)), X0, XS[:0], checkpoint=checkpoint
            )
            assert carry is X0
            assert (outer.shape, number.shape, number.dtype) == ((0, 2, 2), (0,), XS.dtype)
        with pytest.raises(ValueError, match="length"):
            scan(lambda c, x: (c, None), X0)
        with pytest.raises(RuntimeError, match="shape and dtype"):
            scan(lambda c, x: (c[:1], None), X0, XS)
        with pytest.raises(RuntimeError, match=r"\(carry, y\)"):
            scan(lambda c, x: c, X0, XS)


class TestBranches:
    def test_cond_takes_one_branch(self):
        calls = []
        cond(True, lambda: calls.append("yes"), lambda: calls.append("no"))
        assert calls == ["yes"]
        with pytest.raises(RuntimeError, match="one bool"):
            cond(wengert.tensor([True, False]), wengert.sin, wengert.cos, (X0,))
        for call in (partial(cond, True, wengert.sin, wengert.cos), partial(switch, 0, [wengert.sin])):
            with pytest.raises(RuntimeError, match=r"write \(x,\)"):
                call(X0)

    def test_cond_and_switch_in_a_batch(self):
        x = wengert.tensor([-2.0, 0.5, 3.0], dtype=wengert.float64)
        f = lambda x: cond(x > 0, lambda x: x**2, lambda x: -x, (x,))
        np.testing.assert_allclose(wengert.vmap(grad(f))(x).numpy(), [-1.0, 1.0, 6.0])
        np.testing.assert_allclose(grad(lambda x: wengert.vmap(f)(x).sum())(x).numpy(), [-1.0, 1.0, 6.0])
        pick = lambda i, x: switch(i, [wengert.sin, wengert.cos, wengert.exp], (x,))
        i = wengert.tensor([-1, 1, 7])
        want = [np.sin(-2.0), np.cos(0.5), np.exp(3.0)]
        np.testing.assert_allclose(wengert.vmap(pick)(i, x).numpy(), want)
        np.testing.assert_allclose([pick(int(k), t).item() for k, t in zip(i, x, strict=True)], want)
        with pytest.raises(RuntimeError, match="same containers"):
            wengert.vmap(lambda x: cond(x > 0, lambda: x, lambda: (x, x)))(x)


class TestLoops:
    def test_while_loop(self):
        f = lambda x: while_loop(lambda i, x: i < 5, lambda i, x: (i + 1, x * x.cos()), (wengert.tensor(0), x))[1]
        g = lambda x: f(x).sum()
        x, got = X0, grad(g)(X0)
        for _ in range(5):
            x = x * x.cos()
        np.testing.assert_allclose(f(X0).numpy(), x.numpy())
        np.testing.assert_allclose(jvp(g, (X0,), (X0,))[1].numpy(), (got * X0).sum().numpy(), rtol=1e-12)

    def test_members_of_a_batch_end_by_themselves(self):
        def halvings(x):
            return while_loop(lambda n, x: x > 1, lambda n, x: (n + 1, x / 2), (wengert.tensor(0), x))

        n, x = wengert.vmap(halvings)(wengert.tensor([0.5, 3.0, 100.0]))
        assert n.tolist() == [0, 2, 7]
        np.testing.assert_allclose(x.numpy(), [0.5, 0.75, 100 / 128])

    def test_fori_loop(self):
        power = lambda n, x: fori_loop(0, n, lambda i, y: y * x, wengert.ones(()))
        assert power(3, wengert.tensor(2.0)).item() == 8.0
        got = wengert.vmap(power)(wengert.tensor([0, 1, 5]), wengert.tensor([3.0, 3.0, 2.0]))
        assert got.tolist() == [1.0, 3.0, 32.0]


class TestAssociativeScan:
    @pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 8, 13])
    @pytest.mark.parametrize("reverse", [False, True])
    def test_sums_and_affine_maps(self, n, reverse):
        rng = np.random.default_rng(n)
        a, b = rng.standard_normal((2, 3, n))
        compose = lambda f, g: (f[0] * g[0], g[0] * f[1] + g[1])
        got = associative_scan(compose, (wengert.tensor(a), wengert.tensor(b)), dim=1, reverse=reverse)
        order = range(n)[:: -1 if reverse else 1]
        state, want = np.zeros(3), np.zeros((3, n))
        for i in order:
            state = a[:, i] * state + b[:, i]
            want[:, i] = state
        np.testing.assert_allclose(got[1].numpy(), want, rtol=1e-12, atol=1e-14)

    def test_gradient(self):
        x = wengert.tensor([1.5, 2.0, 0.5, 3.0, 1.0], dtype=wengert.float64)
        f = lambda x: (associative_scan(lambda a, b: a * b, x) * wengert.arange(1.0, 6.0)).sum()
        g = lambda x: (x.cumprod(0) * wengert.arange(1.0, 6.0)).sum()
        np.testing.assert_allclose(grad(f)(x).numpy(), grad(g)(x).numpy(), rtol=1e-12)
