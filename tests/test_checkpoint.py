"""Checkpointing: the same gradients from less memory."""

import gc
import weakref
from functools import partial

import numpy as np
import pytest

import wengert
from both import both
from wengert.utils.checkpoint import (
    CheckpointError,
    CheckpointPolicy,
    checkpoint,
    checkpoint_sequential,
    create_selective_checkpoint_contexts,
    saved_report,
    set_checkpoint_early_stop,
)


def x(*shape):
    return wengert.linspace(0.1, 0.9, int(np.prod(shape)), dtype=wengert.float64).reshape(shape).requires_grad_()


def body(a, w):
    return ((a @ w).sin() * a).exp()


def gradients(f, *leaves, create_graph=False):
    return [g.numpy() for g in wengert.autograd.grad(f(*leaves).sum(), leaves, create_graph=create_graph)]


def test_gradients_are_those_of_the_plain_function():
    a, w = x(3, 3), x(3, 3)
    for got, want in zip(gradients(lambda a, w: checkpoint(body, a, w), a, w), gradients(body, a, w), strict=True):
        np.testing.assert_array_equal(got, want)


def test_tensors_from_outside_get_theirs():
    a, w = x(3, 3), x(3, 3)
    checkpoint(lambda a: body(a, w), a).sum().backward()
    np.testing.assert_array_equal(w.grad.numpy(), gradients(body, a, w)[1])


def test_only_the_places_are_kept_and_the_report_says_so():
    a, w = x(30, 30), x(30, 30)
    plain, dropped = body(a, w), checkpoint(body, a, w)
    assert saved_report(plain).bytes >= 4 * 7200
    report = saved_report(dropped)
    assert report.bytes == 0
    assert all(kept.recomputed for kept in report.values)
    assert "computed again" in str(report)


def test_nothing_that_was_computed_lives_until_backward():
    seen = []

    def f(a):
        y = a.sin()
        seen.append(weakref.ref(y))
        return y.exp()

    z = checkpoint(f, x(3))
    assert seen[0]() is None
    z.sum().backward()
    assert len(seen) == 2


def test_nested():
    a, w = x(3, 3), x(3, 3)

    def outer(a, w):
        return checkpoint(body, checkpoint(body, a, w), w)

    for got, want in zip(
        gradients(lambda a, w: checkpoint(outer, a, w), a, w),
        gradients(lambda a, w: body(body(a, w), w), a, w),
        strict=True,
    ):
        np.testing.assert_allclose(got, want, rtol=1e-14)


def test_the_same_random_numbers_both_times():
    a = x(100)
    mask = []
    checkpoint(lambda a: mask.append(wengert.rand(100)) or a * mask[-1] * a, a).sum().backward()
    assert bool((mask[0] == mask[1]).all())


def test_second_derivatives_and_retained_graphs():
    a = x(4)
    y = checkpoint(lambda a: (a**3).sin(), a).sum()
    (first,) = wengert.autograd.grad(y, a, create_graph=True)
    (second,) = wengert.autograd.grad(first.sum(), a)
    (g,) = wengert.autograd.grad((a**3).sin().sum(), a, create_graph=True)
    np.testing.assert_allclose(second.numpy(), wengert.autograd.grad(g.sum(), a)[0].numpy(), rtol=1e-12)


def test_forward_mode_and_batches():
    a = x(3).detach()
    f = lambda a: (a**3).sin().sum()
    g = lambda a: checkpoint(f, a)
    np.testing.assert_allclose(wengert.func.hessian(g)(a).numpy(), wengert.func.hessian(f)(a).numpy(), rtol=1e-12)
    batch = wengert.stack([a, a + 1])
    mapped = wengert.vmap(wengert.func.grad(g))(batch)
    np.testing.assert_allclose(mapped.numpy(), wengert.vmap(wengert.func.grad(f))(batch).numpy(), rtol=1e-12)


def keeps_products(name, value):
    return CheckpointPolicy.PREFER_SAVE if name == "mm" else CheckpointPolicy.PREFER_RECOMPUTE


@pytest.mark.parametrize("policy", [["matmul", "mm"], keeps_products])
def test_a_policy_keeps_results_of_named_operations(policy):
    a, w = x(3, 3), x(3, 3)
    keep = partial(create_selective_checkpoint_contexts, policy)
    y = checkpoint(body, a, w, context_fn=keep)
    assert 0 < saved_report(y).bytes < saved_report(body(a, w)).bytes
    np.testing.assert_array_equal(
        gradients(lambda a, w: checkpoint(body, a, w, policy=policy), a, w)[1], gradients(body, a, w)[1]
    )


def test_a_function_that_does_something_else_the_second_time_is_told():
    calls = []

    def f(a):
        calls.append(1)
        return a.sin() if len(calls) == 1 else a[:2].sin()

    with pytest.raises(CheckpointError, match="different metadata"):
        checkpoint(f, x(3)).sum().backward()
    calls.clear()

    def shorter(a):
        calls.append(1)
        return a.sin().exp().sin() if len(calls) == 1 else a * 1.0

    with pytest.raises(CheckpointError, match="different number"):
        checkpoint(shorter, x(3)).sum().backward()


def test_early_stop():
    ends = []

    def f(a):
        y = a.sin().exp()
        z = y * 1.0
        ends.append(1)
        return z

    checkpoint(f, x(3)).sum().backward()
    assert len(ends) == 1
    with set_checkpoint_early_stop(False):
        checkpoint(f, x(3)).sum().backward()
    assert len(ends) == 3


def test_sequential():
    a = x(3)
    functions = [wengert.sin, wengert.exp, wengert.cos, wengert.tanh]
    got = gradients(lambda a: checkpoint_sequential(functions, 2, a), a)[0]
    np.testing.assert_array_equal(got, gradients(lambda a: a.sin().exp().cos().tanh(), a)[0])


def test_freed_with_the_graph():
    a = x(3)
    y = checkpoint(lambda a: a.sin().exp(), a)
    node = weakref.ref(y.grad_fn)
    gc.disable()
    try:
        del y
        assert node() is None
    finally:
        gc.enable()


@both
def test_running_again_draws_nothing_from_the_callers_numbers(torch):
    """
    True
    True True
    """
    checkpoint = torch.utils.checkpoint.checkpoint
    x = torch.ones(6, requires_grad=True)

    def after(run):
        torch.manual_seed(3)
        y = run(lambda t: torch.nn.functional.dropout(t * t, 0.5).sin())
        drawn = torch.rand(3)
        x.grad = None
        y.sum().backward()
        return x.grad, torch.cat([drawn, torch.rand(3)])

    plain, drawn = after(lambda f: f(x))
    print(len(set(drawn.tolist())) == 6)
    again, drawn_again = after(lambda f: checkpoint(f, x, use_reentrant=False))
    print(torch.equal(plain, again), torch.equal(drawn, drawn_again))


def test_an_argument_that_is_written_to_afterwards_is_an_error():
    """PyTorch's second run takes the new values for the old ones."""
    x = wengert.tensor([1.5], requires_grad=True)
    y = x * 1
    z = wengert.utils.checkpoint.checkpoint(wengert.tanh, y, use_reentrant=False)
    y.add_(1)
    with pytest.raises(RuntimeError, match=r"changed in place at test_checkpoint\.py:\d+ since"):
        z.sum().backward()
    y = x * 1
    wengert.utils.checkpoint.checkpoint(wengert.tanh, y.clone(), use_reentrant=False).sum().backward()
    wengert.testing.assert_close(x.grad, 1 - wengert.tanh(x.detach()) ** 2)


def test_a_function_that_writes_to_its_own_arguments_runs_again():
    x = wengert.randn(4, 3, dtype=wengert.float64, requires_grad=True)
    means, variances = wengert.zeros(3, dtype=wengert.float64), wengert.ones(3, dtype=wengert.float64)
    norm = wengert.nn.functional.batch_norm
    y = wengert.utils.checkpoint.checkpoint(norm, x, means, variances, training=True, use_reentrant=False)
    (again,) = wengert.autograd.grad((y**3).sum(), x)
    (plain,) = wengert.autograd.grad((norm(x, None, None, training=True) ** 3).sum(), x)
    wengert.testing.assert_close(again, plain)
