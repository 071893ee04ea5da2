"""Factors of symmetric and Hermitian matrices, beside PyTorch's: both are LAPACK's, so they are the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("scipy")
import wengert

CASES = [
    (shape, dtype, hermitian)
    for shape in [(4, 4), (2, 3, 5, 5), (0, 0), (0, 3, 3), (1, 1)]
    for dtype in ("float32", "float64", "complex64", "complex128")
    for hermitian in (False, True)
]


def _matrix(shape: tuple[int, ...], dtype: str, hermitian: bool) -> Any:
    rng = np.random.default_rng(0)
    a = rng.standard_normal(shape)
    if dtype.startswith("complex"):
        a = a + 1j * rng.standard_normal(shape)
    turned = np.swapaxes(a, -1, -2)
    return (a + (turned.conj() if hermitian else turned)).astype(dtype)


@pytest.mark.parametrize(("shape", "dtype", "hermitian"), CASES)
def test_factors_and_solutions(shape: tuple[int, ...], dtype: str, hermitian: bool) -> None:
    a = _matrix(shape, dtype, hermitian)
    ours = wengert.linalg.ldl_factor_ex(wengert.tensor(a), hermitian=hermitian)
    theirs = torch.linalg.ldl_factor_ex(torch.tensor(a), hermitian=hermitian)
    tolerance = 1e-4 if dtype in ("float32", "complex64") else 1e-11
    for mine, wanted in zip(ours, theirs, strict=True):
        assert str(mine.dtype) == str(wanted.dtype)
        np.testing.assert_allclose(mine.numpy(), wanted.numpy(), rtol=tolerance, atol=tolerance)
    b = _matrix((*shape[:-2], shape[-1], shape[-1]), dtype, False)[..., :2]
    x = wengert.linalg.ldl_solve(ours.LD, ours.pivots, wengert.tensor(b), hermitian=hermitian).numpy()
    assert x.dtype == b.dtype
    np.testing.assert_allclose(a @ x, b, rtol=100 * tolerance, atol=100 * tolerance)


def test_right_sides_of_other_batches() -> None:
    a, b = _matrix((3, 3), "float64", False), _matrix((4, 3, 3), "float64", False)
    factors = wengert.linalg.ldl_factor(wengert.tensor(a))
    np.testing.assert_allclose(a @ wengert.linalg.ldl_solve(*factors, wengert.tensor(b)).numpy(), b, atol=1e-12)


def _complaints() -> list[Any]:
    return [
        lambda lib: lib.linalg.ldl_factor(lib.ones(2, 3)),
        lambda lib: lib.linalg.ldl_factor(lib.ones(3)),
        lambda lib: lib.linalg.ldl_factor(lib.ones(2, 2, dtype=lib.int64)),
        lambda lib: lib.linalg.ldl_factor(lib.zeros(2, 2)),
        lambda lib: lib.linalg.ldl_solve(lib.eye(2), lib.ones(3, dtype=lib.int32), lib.eye(2)),
        lambda lib: lib.linalg.ldl_solve(lib.eye(2), lib.ones(2), lib.eye(2)),
        lambda lib: lib.linalg.ldl_solve(lib.eye(2), lib.ones(2, dtype=lib.int32), lib.ones(3, 2)),
        lambda lib: lib.linalg.ldl_solve(lib.eye(2), lib.ones(2, dtype=lib.int32), lib.ones(2, 2, dtype=lib.float64)),
    ]


@pytest.mark.parametrize("complaint", _complaints())
def test_what_does_not_fit(complaint: Any) -> None:
    for lib in (torch, wengert):
        with pytest.raises(RuntimeError):
            complaint(lib)


def test_derivatives_are_missing_as_in_pytorch() -> None:
    for lib in (torch, wengert):
        a = lib.eye(2, requires_grad=True)
        factors = lib.linalg.ldl_factor(a)
        with pytest.raises(RuntimeError, match=r"not implemented|derivative"):
            factors[0].sum().backward()
