"""`compile(..., fast_math=True)`: machine code that may fuse products with sums; without it none does."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

import wengert

pytest.importorskip("llvmlite")

N = 1000


def _near_one(dtype: Any = wengert.float64) -> Any:
    return 1 + wengert.from_numpy(np.random.default_rng(0).random(N) * 1e-5).to(dtype)


@pytest.mark.parametrize("dtype", [wengert.float32, wengert.float64])
def test_each_operation_is_rounded_unless_asked_otherwise(dtype: Any) -> None:
    x = _near_one(dtype)

    def square(x: Any) -> Any:
        return x * x - 1

    exact = x.double().numpy() ** 2 - 1
    strict, fast = wengert.compile(square)(x), wengert.compile(square, fast_math=True)(x)
    assert wengert.equal(strict, square(x))
    error_strict = np.abs(strict.double().numpy() - exact).max()
    error_fast = np.abs(fast.double().numpy() - exact).max()
    if dtype is wengert.float32:  # the exact square is a float64
        assert error_fast < error_strict / 10
    np.testing.assert_allclose(fast.numpy(), strict.numpy(), atol=4 * float(wengert.finfo(dtype).eps))


def test_the_decorator_and_the_code_say_so() -> None:
    @wengert.compile(fast_math=True)
    def f(x: Any) -> Any:
        return (x * x - 1).sum()

    x = _near_one()
    assert "contract" in f.llvm(x)
    assert "contract" not in wengert.compile(f._function).llvm(x)
    assert "contract" in copy.copy(f).llvm(x)


def test_gradients_of_any_order_have_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    from wengert.compile import machine

    seen = []
    build = machine.build
    monkeypatch.setattr(machine, "build", lambda *a, **k: seen.append(k["fast_math"]) or build(*a, **k))

    def f(x: Any) -> Any:
        return (x * x * x * 1.25 - x * 0.75).sum()  # numbers that no other test takes

    x = _near_one().requires_grad_()
    (g,) = wengert.autograd.grad(wengert.compile(f, fast_math=True)(x), x, create_graph=True)
    (h,) = wengert.autograd.grad(g.sum(), x)
    assert len(seen) >= 2
    assert all(seen)
    np.testing.assert_allclose(h.numpy(), 7.5 * x.detach().numpy(), rtol=1e-14)


@pytest.mark.parametrize("value", [0.0, -0.0, np.inf, -np.inf, np.nan, 1e-310, 1e308])
def test_special_values_are_kept(value: float) -> None:
    def f(x: Any) -> Any:
        return wengert.exp(x) * x + wengert.tanh(x) / (x + 1)

    x = wengert.full((N,), value, dtype=wengert.float64)
    np.testing.assert_allclose(wengert.compile(f, fast_math=True)(x).numpy(), f(x).numpy(), rtol=1e-14, atol=0)


def test_modules() -> None:
    net = wengert.nn.Sequential(wengert.nn.Tanh(), wengert.nn.Softplus())
    fast = wengert.compile(net, fast_math=True)
    x = _near_one()
    wengert.testing.assert_close(fast(x), net(x))
    assert "contract" in fast.llvm(x)
    assert "contract" in copy.deepcopy(fast).llvm(x)
    net.compile(fast_math=True)
    wengert.testing.assert_close(net(x), fast(x))
