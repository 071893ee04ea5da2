"""What random programs found in eager operations: dtypes of large arrays, rules beside integers, copies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as torch

F = torch.nn.functional
MANY = 600_000
REAL = (torch.float16, torch.float32, torch.float64)
DTYPES = (*REAL, torch.uint8, torch.int32, torch.int64, torch.bool, torch.complex64)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("source", [torch.float32, torch.float64])
def test_large_arrays_are_cast_to_what_was_asked_for(source: Any, threads: int) -> None:
    torch.set_num_threads(threads)
    x = torch.linspace(0, 100, MANY, dtype=source)
    for dtype in DTYPES:
        y = x.to(dtype)
        assert y.dtype == dtype
        np.testing.assert_array_equal(y.numpy(), x.numpy().astype(y.numpy().dtype))
    assert (x * torch.ones(MANY, dtype=torch.float64)).dtype == torch.float64
    assert torch.float_power(x, 2).dtype == torch.float64
    z = torch.complex(x, x)
    assert z.dtype == (torch.complex64 if source == torch.float32 else torch.complex128)
    assert torch.equal(z.imag, x)
    t = x.clone().requires_grad_()
    t.to(torch.float64).mul(2).sum().backward()
    assert t.grad.dtype == source
    assert (t.grad == 2).all()


TWO: dict[str, Callable[..., Any]] = {
    "atan2": torch.atan2,
    "pow": torch.pow,
    "logaddexp": torch.logaddexp,
    "logaddexp2": torch.logaddexp2,
    "hypot": torch.hypot,
    "xlogy": torch.xlogy,
    "mul": torch.mul,
    "div": torch.div,
    "huber_loss": F.huber_loss,
    "smooth_l1_loss": F.smooth_l1_loss,
    "mse_loss": F.mse_loss,
    "addcdiv": lambda a, b: torch.addcdiv(a, b, a),
}


@pytest.mark.parametrize("name", TWO)
@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8, torch.int8, torch.int64], ids=str)
def test_rules_see_integers_as_floats(name: str, dtype: Any) -> None:
    f = TWO[name]
    whole = torch.tensor([1, 3, 2, 200, 1]).to(dtype)
    for order in (lambda a, b: f(a, b), lambda a, b: f(b, a)):
        found = []
        for other in (whole, whole.double()):
            x = torch.linspace(0.5, 2.5, 5, dtype=torch.float64).requires_grad_()
            y = order(x, other)
            (g,) = torch.autograd.grad(y, x, torch.ones_like(y), create_graph=True)
            h = torch.autograd.grad(g.sum(), x)[0] if g.requires_grad else g
            found.append([v.detach().numpy() for v in (y, g, h)])
        for got, wanted in zip(*found, strict=True):
            np.testing.assert_allclose(got, wanted, rtol=1e-12)


def test_a_complex_exponent_of_a_negative_number() -> None:
    for shape in ((), (3,)):
        a = torch.full(shape, -2.0, dtype=torch.float64)
        p = torch.full(shape, 1 - 1j, dtype=torch.complex128, requires_grad=True)
        y = a**p
        y.sum().real.backward()
        wanted = np.conj(y.detach().numpy() * np.log(-2 + 0j))
        np.testing.assert_allclose(p.grad.numpy(), wanted, rtol=1e-12)


@pytest.mark.parametrize("name", ["softplus", "elu", "celu", "leaky_relu", "hardtanh", "gelu", "threshold"])
def test_rules_with_metadata_in_half_precision(name: str) -> None:
    f = getattr(F, name)
    more = (0.5, 0.25) if name == "threshold" else ()
    gradients = []
    for dtype in (torch.float16, torch.float64):
        x = torch.linspace(-2, 2, 600).to(dtype).requires_grad_()
        f(x, *more).sum().backward()
        gradients.append(x.grad.double().numpy())
    np.testing.assert_allclose(*gradients, rtol=5e-3, atol=5e-3)


@pytest.mark.parametrize("mode", ["constant", "replicate", "reflect", "circular"])
def test_padding_by_nothing_is_a_copy(mode: str) -> None:
    x = torch.ones(2, 3)
    F.pad(x, (0, 0), mode=mode).mul_(2)
    assert (x == 1).all()


def test_hardshrink_of_one_number_is_a_copy() -> None:
    x = torch.ones(1).reshape(())
    F.hardshrink(x).mul_(2)
    assert x.item() == 1


def test_convolution_without_channels_has_gradients() -> None:
    x = torch.zeros(2, 0, 16, 5, requires_grad=True)
    y = F.conv2d(x, torch.zeros(3, 0, 2, 2), stride=(2, 1), padding=1, dilation=(1, 2))
    y.sum().backward()
    assert x.grad.shape == x.shape
