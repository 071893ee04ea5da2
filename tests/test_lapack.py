"""Elimination by LAPACK, in eager factorizations and shared in compiled programs."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

import wengert as torch
from wengert.func import grad
from wengert.ops import factorizations, lapack

L = torch.linalg


def _matrix(n: int, dtype: Any = np.float64, *batch: int) -> Any:
    a = np.random.default_rng(n).standard_normal((*batch, n, n))
    return (a + 1j * a[..., ::-1, :] if np.dtype(dtype).kind == "c" else a).astype(dtype)


@pytest.mark.parametrize("char", "fdFD")
@pytest.mark.parametrize("shape", [(1, 1), (20, 20), (20, 12), (12, 20), (2, 3, 9, 9), (0, 3, 3), (3, 0)])
def test_factors_are_those_of_numpys_steps(shape: tuple[int, ...], char: str, monkeypatch: Any) -> None:
    a = np.random.default_rng(0).standard_normal(shape).astype(char)
    found = L.lu_factor(torch.tensor(a))
    monkeypatch.setattr(lapack, "has", lambda _: False)
    want = L.lu_factor(torch.tensor(a))
    assert found.pivots.tolist() == want.pivots.tolist()
    assert found.LU.dtype == want.LU.dtype
    np.testing.assert_allclose(found.LU.numpy(), want.LU.numpy(), rtol=1e-3 if char in "fF" else 1e-9, atol=1e-5)


def test_a_singular_matrix_has_factors() -> None:
    a = torch.tensor([[0.0, 1.0, 2.0], [0.0, 3.0, 4.0], [0.0, 5.0, 7.0]])
    p, low, up = torch.lu_unpack(*L.lu_factor(a))
    torch.testing.assert_close(p @ low @ up, a)
    assert L.lu_factor_ex(a).info.item() == 1


@pytest.mark.parametrize("has_lapack", [True, False])
@pytest.mark.parametrize("turned", [True, False])
def test_solutions(turned: bool, has_lapack: bool, monkeypatch: Any) -> None:
    a, b = _matrix(9), np.random.default_rng(1).standard_normal((9, 3))
    lu, pivots = factorizations.LU_FACTOR.impl(a)
    if not has_lapack:
        monkeypatch.setattr(lapack, "has", lambda _: False)
    x = factorizations.LU_SOLVED.impl(lu, pivots, b, turned=turned)
    np.testing.assert_allclose((a.T if turned else a) @ x, b, atol=1e-12)
    lu = np.triu(lu)
    lu[4, 4] = 0
    assert np.isnan(factorizations.LU_SOLVED.impl(lu, pivots, b, turned=turned)).all()


def _everything(a: Any, b: Any) -> Any:
    return (
        (L.solve(a, b) ** 2).sum() + L.slogdet(a)[1] * L.slogdet(a.T)[0] + (L.inv(a) @ b).sum() + L.solve(a.T, b).sum()
    )


@pytest.mark.parametrize("n", [2, 7, 30])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_compiled_programs(n: int, dtype: Any) -> None:
    a, b = torch.tensor(_matrix(n)) + n * torch.eye(n), torch.randn(n, 3)
    a, b = a.to(dtype), b.to(dtype)
    tolerance = 1e-3 if dtype == torch.float32 else 1e-9
    pairs: list[tuple[Callable[..., Any], Any]] = [(_everything, (a, b)), (grad(_everything, (0, 1)), (a, b))]
    for f, arrays in pairs:
        got, want = torch.compile(f)(*arrays), f(*arrays)
        for x, y in zip(
            got if isinstance(got, tuple) else (got,), want if isinstance(want, tuple) else (want,), strict=True
        ):
            np.testing.assert_allclose(x.numpy(), y.numpy(), rtol=tolerance, atol=tolerance)


def test_a_matrix_is_factorised_once() -> None:
    if find_spec("llvmlite") is None or not lapack.has("d"):
        pytest.skip("needs llvmlite, and LAPACK's names in the library of NumPy")
    a, b = torch.tensor(_matrix(20)), torch.ones(20, 2, dtype=torch.float64)
    compiled = torch.compile(grad(_everything, (0, 1)))
    compiled(a, b)
    assert compiled.loops(a, b).count("linalg_lu_factor") == 1
    assert "linalg_solve" not in compiled.loops(a, b)


def test_singular_matrices_give_nan_and_no_determinant() -> None:
    a = torch.ones(8, 8, dtype=torch.float64)
    f = lambda a: (L.solve(a, a), *L.slogdet(a))
    x, sign, logarithm = torch.compile(f)(a)
    assert x.isnan().all()
    assert (sign.item(), logarithm.item()) == (0.0, -np.inf)
