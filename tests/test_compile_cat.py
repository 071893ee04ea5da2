"""Arrays one after the other along a long axis, and arrays rolled around, in kernels: the same as eager ones."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

import wengert as torch
from wengert.func import grad, scan

RANDOM = np.random.default_rng(0)
X = torch.tensor(RANDOM.standard_normal((200, 150)))
V = torch.tensor(RANDOM.standard_normal(500))
W = torch.tensor(RANDOM.standard_normal(40))
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "roll": lambda x, v, w: torch.roll(x, 3, 0) * 2 + torch.roll(x, -5, 1),
    "roll of two axes": lambda x, v, w: torch.roll(x, (3, 7), (0, 1)).sin(),
    "roll of all": lambda x, v, w: torch.roll(x, 1000).sin(),
    "roll by nothing": lambda x, v, w: torch.roll(x, 200, 0) + torch.roll(v, 0, 0).sum(),
    "computed parts": lambda x, v, w: torch.cat([v.sin(), w, v[3:90]]) * 2,
    "one element": lambda x, v, w: torch.cat([v[-1:], v[:-1]]) - torch.cat([v[1:], v.new_zeros(1)]),
    "other order": lambda x, v, w: torch.cat([v.flip(0), w.expand(3, 40).reshape(-1), v[::2]]),
    "turned": lambda x, v, w: torch.cat([x.T, x[:4].T.contiguous().T[:, :150].T], 1).sum(0),
    "one in another": lambda x, v, w: torch.cat([torch.cat([v, w.exp()]) * 3, w]).cumsum(0),
    "many parts": lambda x, v, w: torch.cat([v, w, v, w, v, w]) + 1,
    "a sum of parts": lambda x, v, w: torch.cat([x, x.cos()], 0).sum(1),
    "of rows": lambda x, v, w: (torch.cat([x, x * 2], 1) ** 2).sum(0),
    "constants": lambda x, v, w: torch.cat([torch.ones(60, dtype=v.dtype), v, torch.zeros(90, dtype=v.dtype)]),
    "a computed number": lambda x, v, w: torch.cat([(w.sum() * 3).expand(60), v, (v[:1] * 2).expand(70)]) * 2,
    "a matrix's number": lambda x, v, w: torch.cat([x, (w.exp().sum() * v[0]).reshape(1, 1).expand(3, 150)]) + 1,
    "integers": lambda x, v, w: torch.cat([(v > 0).long(), torch.arange(90)]) + 1,
    "bools": lambda x, v, w: torch.cat([v > 0, w > 0]).logical_not(),
    "softmax": lambda x, v, w: torch.softmax(torch.cat([x, x[:, 3:80]], 1), 1),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_values_and_gradients(name: str) -> None:
    f = FUNCTIONS[name]
    got, want = torch.compile(f)(X, V, W), f(X, V, W)
    assert (got.dtype, got.shape) == (want.dtype, want.shape)
    np.testing.assert_allclose(got.numpy(), want.numpy(), rtol=1e-12, atol=1e-12)
    if not want.is_floating_point():
        return
    gradient = grad(lambda x, v, w: (f(x, v, w) * torch.arange(want.numel()).reshape(want.shape)).sum(), (0, 1, 2))
    for got, want in zip(torch.compile(gradient)(X, V, W), gradient(X, V, W), strict=True):
        np.testing.assert_allclose(got.numpy(), want.numpy(), rtol=1e-9, atol=1e-9)


def test_what_stands_beside_a_place_does_not_reach_it() -> None:
    x = X.clone()
    x[3, 4], x[199, 149], x[0, 0] = np.nan, np.inf, -np.inf
    f = lambda x: torch.cat([torch.roll(x, 1, 0), torch.roll(x, -1, 1)], 1)
    np.testing.assert_array_equal(torch.compile(f)(x).numpy(), f(x).numpy())


def test_other_lengths_take_other_places() -> None:
    compiled = torch.compile(lambda v: torch.roll(v, 3, 0) + v)
    for n in (100, 101, 300, 5, 2):
        v = torch.arange(float(n))
        np.testing.assert_array_equal(compiled(v).numpy(), (torch.roll(v, 3, 0) + v).numpy())


def test_it_is_one_kernel() -> None:
    if find_spec("llvmlite") is None:
        pytest.skip("needs llvmlite")
    compiled = torch.compile(FUNCTIONS["roll"])
    compiled(X, V, W)
    assert "calls of NumPy" not in compiled.explain()


@pytest.mark.parametrize(
    "step",
    [
        lambda c, x, w: torch.roll(c, 1, 0) * 0.5 + x,
        lambda c, x, w: torch.cat([x[:1], c[:-1] * w[0]]),
        lambda c, x, w: torch.tanh(torch.mv(w.outer(w), c) + x),
        lambda c, x, w: torch.logsumexp(c[:, None] + w.outer(w), 0) + x,
        lambda c, x, w: torch.softmax(c, 0) * x,
    ],
)
def test_steps_of_loops(step: Callable[..., Any]) -> None:
    rows = torch.tensor(RANDOM.standard_normal((9, 40)))
    f = lambda w, rows: (scan(lambda c, x: (step(c, x, w), c), rows[0], rows)[1] ** 2).sum()
    compiled = torch.compile(grad(f, (0, 1)))
    for got, want in zip(compiled(W, rows), grad(f, (0, 1))(W, rows), strict=True):
        np.testing.assert_allclose(got.numpy(), want.numpy(), rtol=1e-9, atol=1e-9)
    if find_spec("llvmlite") is not None:
        assert "one step after the other" not in compiled.explain()
