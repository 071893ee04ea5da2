"""Writes to parts of batched tensors, and what batching rules do, inside of a traced function: as eager."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as torch
from wengert._tree import flatten
from wengert.func import grad, jacrev, vmap

F = torch.nn.functional


def random(seed: int, *shape: int) -> Any:
    return torch.tensor(np.random.default_rng(seed).standard_normal(shape))


def to_a_row(a: Any) -> Any:
    y = torch.zeros_like(a)
    y[0] = a[1] * 2
    y[2:4] = a[4:] ** 2
    return y


def to_a_clone(a: Any) -> Any:
    y = a.clone()
    y[2] = a.sum()
    y[0] += 3.0
    y[-1] *= 2
    return y


def to_views_of_views(a: Any) -> Any:
    y = a * 1
    square = y.reshape(2, 3)
    square[1, 1] = 7.0
    square.t()[0] += a[0]
    kept = y.clone()
    kept[0] = 5.0
    return y, kept, y[1:]


def in_place(a: Any) -> Any:
    y = a * 2
    y += a
    y.mul_(2).clamp_(-1, 1)
    y[[3, 4]] = y[[4, 3]]
    return y


def fills(a: Any) -> Any:
    y = torch.ones_like(a)
    y.fill_(2.0)
    y[1] = 0
    y[2:] = a.sum()
    return y * a


def known_before(a: Any) -> Any:
    return torch.zeros_like(a) + a, torch.ones_like(a) * a, torch.arange(6) * a


def places(a: Any) -> Any:
    return a[a.argmax()], a.reshape(2, 3).argmin(1), a.reshape(2, 3).argmax(0, keepdim=True), a.argmin()


def classes(a: Any) -> Any:
    return F.one_hot(a.argmax(), 6), F.one_hot(a.argmax(), 6) * a


def diagonals(a: Any) -> Any:
    m = torch.outer(a, a) + 5 * torch.eye(6, dtype=a.dtype)
    return torch.trace(m) * a, torch.linalg.inv(m), torch.linalg.solve(m, a), torch.diag(a) @ a, a[a.argmax()]


def gradient_of_a_determinant(a: Any) -> Any:
    m = torch.outer(a, a) + 5 * torch.eye(6, dtype=a.dtype)
    return grad(lambda m: torch.linalg.slogdet(m)[1] + torch.trace(m @ m))(m)


FUNCTIONS = (
    to_a_row,
    to_a_clone,
    to_views_of_views,
    in_place,
    fills,
    known_before,
    places,
    classes,
    diagonals,
    gradient_of_a_determinant,
)


def agree(got: Any, want: Any) -> None:
    (a, structure), (b, expected) = flatten(got), flatten(want)
    assert structure == expected
    for x, y in zip(a, b, strict=True):
        assert (x.dtype, x.shape) == (y.dtype, y.shape)
        np.testing.assert_allclose(x.detach(), y.detach(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__name__)
def test_as_eager(function: Callable[..., Any]) -> None:
    f = vmap(function)
    compiled = torch.compile(f)
    for n in (5, 5, 30):
        agree(compiled(random(n, n, 6)), f(random(n, n, 6)))


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__name__)
def test_gradients_as_eager(function: Callable[..., Any]) -> None:
    def loss(x: Any) -> Any:
        parts = flatten(vmap(function)(x))[0]
        return sum([(y * y.detach().cos()).sum() for y in parts if y.is_floating_point()])

    x, y = random(0, 5, 6).requires_grad_(), random(0, 5, 6).requires_grad_()
    if not loss(x).requires_grad:
        return
    loss(x).backward()
    torch.compile(loss)(y).backward()
    agree(y.grad, x.grad)
    agree(torch.compile(grad(loss))(random(0, 5, 6)), x.grad)


def test_batched_jacobians_of_writes() -> None:
    f = vmap(jacrev(to_a_row))
    agree(torch.compile(f)(random(0, 5, 6)), f(random(0, 5, 6)))


def test_a_batched_tensor_from_outside_is_read_at_each_call() -> None:
    w, b = random(1, 5, 6), random(2, 6)

    def f(x: Any) -> Any:
        return vmap(lambda row, other: (row * other + b).sum())(x, w), vmap(lambda other: other * x[0])(w)

    compiled = torch.compile(f)
    for seed in range(3):
        agree(compiled(random(seed, 5, 6)), f(random(seed, 5, 6)))
        w.mul_(2)
        b.add_(1)


def test_batched_and_other_dtypes() -> None:
    wide = random(3, 6)

    def f(x: Any) -> Any:
        return vmap(lambda a: a.float() * wide + a.long() * wide.float())(x)

    agree(torch.compile(f)(random(0, 5, 6)), f(random(0, 5, 6)))


def test_a_gather_from_a_view_that_others_read_too() -> None:
    def f(x: Any) -> Any:
        flat = x.t().reshape(-1)
        return flat[x.argmax(1)], (flat * 2).sum() + (x.t() * 3).sum(0)

    x = random(0, 40, 6)
    agree(torch.compile(f)(x), f(x))


def test_checkpoint_inside() -> None:
    def f(x: Any) -> Any:
        return torch.utils.checkpoint.checkpoint(lambda v: v.exp().sin(), x, use_reentrant=False).sum()

    x = random(0, 5, 6)
    agree(torch.compile(f)(x), f(x))
    agree(torch.compile(grad(f))(x), grad(f)(x))


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("weighted", [False, True])
def test_smoothed_cross_entropy_of_traced_classes(reduction: str, weighted: bool) -> None:
    weight = random(1, 6).abs() if weighted else None

    def f(x: Any, k: Any) -> Any:
        return F.cross_entropy(x, k, weight, reduction=reduction, label_smoothing=0.1, ignore_index=2)

    x, k = random(0, 12, 6), torch.arange(12) % 6
    agree(torch.compile(f)(x, k), f(x, k))
