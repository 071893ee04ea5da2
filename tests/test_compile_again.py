"""Higher and batched derivatives of compiled functions that write: these run again, which nobody must notice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import wengert


class _Averaged:
    """Something with a buffer that each call moves, and that the result depends on."""

    def __init__(self) -> None:
        self.mean, self.count = wengert.zeros(3), wengert.tensor(0)

    def __call__(self, x: Any, seen: Any) -> Any:
        with wengert.no_grad():
            self.mean.mul_(0.5).add_(x.detach(), alpha=0.5)
            self.count += 1
            seen.add_(1)
        return ((x - self.mean) * x * x).sin() / (1 + self.count)

    def state(self) -> Any:
        return self.mean.tolist(), self.count.item()


def _higher(f: Callable[..., Any], x: Any, seen: Any) -> Any:
    y = f(x, seen)
    (first,) = wengert.autograd.grad(y.sum(), x, create_graph=True)
    (second,) = wengert.autograd.grad((first**2).sum(), x, create_graph=True)
    (third,) = wengert.autograd.grad((second**2).sum(), x)
    return first, second, third


def _batched(f: Callable[..., Any], x: Any, seen: Any) -> Any:
    y = f(x, seen)
    return wengert.autograd.grad(y, x, wengert.eye(3), is_grads_batched=True)


def _batched_twice(f: Callable[..., Any], x: Any, seen: Any) -> Any:
    (first,) = wengert.autograd.grad(f(x, seen).sum(), x, create_graph=True)
    return wengert.autograd.grad(first, x, wengert.eye(3), is_grads_batched=True)


def _two_calls(f: Callable[..., Any], x: Any, seen: Any) -> Any:
    a, b = f(x, seen), f(x * 2, seen)
    return wengert.autograd.grad((a * b).sum(), x, create_graph=True)


@pytest.mark.parametrize("question", [_higher, _batched, _batched_twice, _two_calls])
def test_what_was_written_stays_as_it_is(question: Callable[..., Any]) -> None:
    outcomes = []
    for wrap in (lambda f: f, wengert.compile):
        averaged = _Averaged()
        f = wrap(averaged)
        x = wengert.tensor([0.5, 1.0, -0.25], dtype=wengert.float64, requires_grad=True)
        seen = wengert.zeros(1)
        found = []
        for _ in range(3):
            found += [*question(f, x, seen), averaged.mean.clone(), averaged.count.clone(), seen.clone()]
        outcomes.append(found)
    for a, b in zip(*outcomes, strict=True):
        wengert.testing.assert_close(b, a)


def test_a_gradient_penalty_through_batch_norm() -> None:
    outcomes = []
    for wrap in (lambda f: f, wengert.compile):
        wengert.manual_seed(0)
        net = wengert.nn.Sequential(wengert.nn.Linear(3, 4), wengert.nn.BatchNorm1d(4), wengert.nn.Tanh())
        f = wrap(net)
        for _ in range(2):
            x = wengert.linspace(-1, 2, 12).reshape(4, 3).requires_grad_()
            (g,) = wengert.autograd.grad(f(x).sum(), x, create_graph=True)
            net.zero_grad()
            ((g.norm(dim=1) - 1) ** 2).mean().backward()
        outcomes.append([g.detach(), net[0].weight.grad, net[1].running_mean, net[1].num_batches_tracked])
    for a, b in zip(*outcomes, strict=True):
        wengert.testing.assert_close(b, a, rtol=1e-4, atol=1e-6)


def test_running_a_backward_pass_again_is_refused() -> None:
    w = wengert.ones(3, requires_grad=True)

    @wengert.compile
    def f(x: Any) -> Any:
        (w * w).sum().backward()
        return x * x

    x = wengert.ones(3, requires_grad=True)
    y = f(x)
    with pytest.raises(NotImplementedError, match="would happen twice"):
        wengert.autograd.grad(y, x, wengert.eye(3), is_grads_batched=True)
    assert w.grad is not None
    assert w.grad.tolist() == [2.0, 2.0, 2.0]


def test_a_leaf_keeps_its_gradient() -> None:
    @wengert.compile
    def f(w: Any) -> Any:
        return w * w * (2 if w.grad is None else 3)

    w = wengert.ones(2, requires_grad=True)
    w.grad = wengert.zeros(2)
    (g,) = wengert.autograd.grad(f(w).sum(), w, create_graph=True)
    assert g.tolist() == [6.0, 6.0]
    w.grad = wengert.ones(2)
    assert wengert.autograd.grad(g.sum(), w)[0].tolist() == [6.0, 6.0]
    assert w.grad.tolist() == [1.0, 1.0]
