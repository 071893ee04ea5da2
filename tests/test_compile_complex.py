"""Complex arithmetic, which machine code does by real and imaginary parts: the same as eager."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

import wengert as torch
from wengert.func import grad

RANDOM = np.random.default_rng(0)
Z = torch.tensor(RANDOM.standard_normal((6, 40)) + 1j * RANDOM.standard_normal((6, 40)))
W = torch.tensor(RANDOM.standard_normal(40) + 1j * RANDOM.standard_normal(40))
X = torch.tensor(RANDOM.standard_normal((6, 40)))
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "arithmetic": lambda z, w, x: (z * w - x) * 2 + (1 - 2j) * w - z.conj() + x * 1j,
    "numbers": lambda z, w, x: (z + 1) * (2 - z) - 3j,
    "sizes": lambda z, w, x: z.abs() + w.abs() ** 2 + torch.sgn(z).real,
    "exponentials": lambda z, w, x: torch.exp(1j * x) * torch.exp(-w * 0.1),
    "parts": lambda z, w, x: z.real * w.imag + torch.complex(x, 2 * x).imag - torch.polar(x.abs(), x).real,
    "casts": lambda z, w, x: x.to(torch.complex128) * w + z.to(torch.complex64),
    "sums": lambda z, w, x: (z.sum(0) * w).mean() + z.sum((0, 1), keepdim=True) * x,
    "movement": lambda z, w, x: torch.stack([z.T.reshape(6, 40), z.flip(1)], 1)[:, :, 3:9].permute(2, 0, 1) * 1j,
    "joined": lambda z, w, x: torch.cat([z, z * w], 1).roll(3, 1) + torch.cat([x, x], 1),
    "where": lambda z, w, x: torch.where(x > 0, z, w) * torch.where(x > 0.5, z * w, 0.0),
    "products": lambda z, w, x: (z @ z.mH) @ z + z @ torch.outer(w, w.conj()),
    "vector": lambda z, w, x: torch.mv(z, w) + torch.dot(w, w),
    "broadcast": lambda z, w, x: (x[:, :1] + 0j) + w * 1.0,
    "norms": lambda z, w, x: torch.linalg.vector_norm(z, 2, 1) + torch.linalg.vector_norm(z, float("inf"), 1),
    "calls between": lambda z, w, x: torch.fft.ifft(torch.fft.fft(z * w) * torch.exp(-x)) * 2,
    "a filter": lambda z, w, x: (
        torch.fft.irfft(torch.fft.rfft(x) * w[:21], n=40) + torch.fft.irfft(z[:, :20], n=39).sum()
    ),
    "a quotient": lambda z, w, x: (z / w + z) * w,
    "given back": lambda z, w, x: (z * 1, z, w + 0),
}
ALL = (Z, W, X)


def _same(got: Any, want: Any, tolerance: float = 1e-11) -> None:
    assert (got.dtype, got.shape) == (want.dtype, want.shape)
    np.testing.assert_allclose(got.numpy(), want.numpy(), rtol=tolerance, atol=tolerance)


def _tuple(y: Any) -> tuple[Any, ...]:
    return y if isinstance(y, tuple) else (y,)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_values(name: str) -> None:
    f = FUNCTIONS[name]
    compiled = torch.compile(f)
    for _ in range(2):
        for got, want in zip(_tuple(compiled(*ALL)), _tuple(f(*ALL)), strict=True):
            _same(got, want, 1e-6 if name == "casts" else 1e-11)


def _loss(f: Callable[..., Any]) -> Callable[..., Any]:
    def loss(*arrays: Any) -> Any:
        y = _tuple(f(*arrays))[0]
        y = torch.view_as_real(y) if y.is_complex() else y
        return (y * torch.arange(1.0, y.numel() + 1, dtype=torch.float64).reshape(y.shape)).sum()

    return loss


@pytest.mark.parametrize("name", FUNCTIONS)
def test_gradients(name: str) -> None:
    gradient = grad(_loss(FUNCTIONS[name]), (0, 1, 2))
    for got, want in zip(torch.compile(gradient)(*ALL), gradient(*ALL), strict=True):
        _same(got, want, 1e-2 if name == "casts" else 1e-8)


@pytest.mark.parametrize("name", ["arithmetic", "sizes", "exponentials", "calls between", "products"])
def test_second_order(name: str) -> None:
    first = grad(_loss(FUNCTIONS[name]))
    second = grad(lambda z, w, x: (first(z, w, x).abs() ** 2).sum() * 1e-4, (0, 1))
    for got, want in zip(torch.compile(second)(*ALL), second(*ALL), strict=True):
        _same(got, want, 1e-8)


@pytest.mark.parametrize("name", ["arithmetic", "exponentials", "sums", "movement", "calls between"])
def test_other_layouts_and_complex64(name: str) -> None:
    f = FUNCTIONS[name]
    turned = Z.T.contiguous().T, W.flip(0)[:], X.repeat(1, 2)[:, ::2]
    _same(_tuple(torch.compile(f)(*turned))[0], _tuple(f(*turned))[0])
    single = Z.to(torch.complex64), W.to(torch.complex64), X.float()
    _same(_tuple(torch.compile(f)(*single))[0], _tuple(f(*single))[0], 1e-3)


def square(z: Any) -> Any:
    return z * z


@pytest.mark.parametrize(
    "f",
    [
        square,
        lambda z: z * 2.0,
        lambda z: z.abs(),
        torch.sgn,
        lambda z: z.conj() + 1,
        torch.exp,
    ],
)
def test_special_values(f: Callable[..., Any]) -> None:
    special = [0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, 1e-200]
    special += [1e-310] * (f is not torch.sgn)  # of which NumPy's quotient is NaN
    special += [1e200] * (f is not square)  # overflow in NumPy's product is as the processor has it
    z = torch.tensor(np.array([complex(a, b) for a in special for b in special]))
    with np.errstate(all="ignore"):
        got, want = torch.compile(f)(z).numpy(), f(z).numpy()
    for a, b in ((got.real, want.real), (got.imag, want.imag)):
        np.testing.assert_allclose(a, b, rtol=1e-14)


@pytest.mark.parametrize("shape", [(), (1,), (0,), (3, 0)])
def test_shapes(shape: tuple[int, ...]) -> None:
    z = torch.ones(shape, dtype=torch.complex128) * (1 + 2j)
    _same(torch.compile(lambda z: z * z + 1j)(z), z * z + 1j)


def test_results_have_memory_of_their_own() -> None:
    z = Z.clone()
    y, again = torch.compile(lambda z: (z * 1, z.conj()))(z)
    y += 1
    _same(z, Z)
    _same(again, Z.conj())


def test_arithmetic_is_one_kernel() -> None:
    if find_spec("llvmlite") is None:
        pytest.skip("needs llvmlite")
    compiled = torch.compile(grad(lambda x: torch.exp(1j * x).sum().abs()))
    compiled(X)
    assert "calls of NumPy" not in compiled.explain()
