"""The exponential of a matrix and its changes, over norms for which different degrees and squarings are chosen."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import wengert as torch
from wengert.autograd import gradcheck, gradgradcheck
from wengert.func import jvp, vmap

mpmath = pytest.importorskip("mpmath")


def _exact(a: Any, t: Any) -> tuple[Any, Any]:
    """By the blocks of the exponential of [[a, t], [0, a]], with sixty digits."""
    n = len(a)
    with mpmath.workdps(60):
        whole = mpmath.expm(mpmath.matrix(np.block([[a, t], [np.zeros_like(a), a]]).tolist()))
    found = np.array(whole.tolist()).astype(complex if a.dtype.kind == "c" else float)
    return found[:n, :n], found[:n, n:]


@pytest.mark.parametrize("norm", [0.0, 1e-12, 1e-3, 0.1, 0.5, 1.0, 3.0, 5.0, 30.0])
@pytest.mark.parametrize("is_complex", [False, True])
def test_values_and_changes(norm: float, is_complex: bool) -> None:
    random = np.random.default_rng(0)
    a, t = random.standard_normal((2, 3, 3))
    if is_complex:
        a, t = a + 1j * random.standard_normal((3, 3)), t + 1j * random.standard_normal((3, 3))
    a *= norm / np.abs(a).sum(0).max()
    found = jvp(torch.linalg.matrix_exp, (torch.tensor(a),), (torch.tensor(t),))
    for got, want in zip(found, _exact(a, t), strict=True):
        assert np.abs(got.numpy() - want).max() < 2e-14 * np.abs(want).max()


def test_matrices_of_a_stack_are_scaled_each_for_itself() -> None:
    stack = np.random.default_rng(0).standard_normal((3, 2, 4, 4)) * np.array([30, 1, 1e-9])[:, None, None, None]
    found = torch.linalg.matrix_exp(torch.tensor(stack)).numpy()
    for index in np.ndindex(3, 2):
        alone = torch.linalg.matrix_exp(torch.tensor(stack[index])).numpy()
        np.testing.assert_allclose(found[index], alone, rtol=1e-11, atol=1e-11 * np.abs(alone).max())


@pytest.mark.parametrize("dtype", [torch.float64, torch.complex128])
def test_derivatives_of_both_orders(dtype: Any) -> None:
    a = torch.randn(2, 3, 3, dtype=dtype, generator=torch.Generator().manual_seed(0), requires_grad=True)
    assert gradcheck(torch.linalg.matrix_exp, (a,), check_forward_ad=True)
    assert gradgradcheck(torch.linalg.matrix_exp, (a,))


def test_changes_of_one_matrix_along_many() -> None:
    random = np.random.default_rng(0)
    a, ts = torch.tensor(random.standard_normal((3, 3))), torch.tensor(random.standard_normal((5, 3, 3)))
    along = lambda t: jvp(torch.linalg.matrix_exp, (a,), (t,))[1]
    for got, t in zip(vmap(along)(ts), ts, strict=True):
        np.testing.assert_allclose(got.numpy(), along(t).numpy(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_what_is_not_finite_gives_nan(number: float) -> None:
    assert torch.linalg.matrix_exp(torch.tensor([[number, 0.0], [0.0, 1.0]])).isnan().all()


def test_no_matrix() -> None:
    a = torch.zeros(0, 3, 3, requires_grad=True)
    torch.linalg.matrix_exp(a).sum().backward()
    assert a.grad.shape == (0, 3, 3)
