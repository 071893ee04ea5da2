"""Systems with triangular matrices and what stands on diagonals, by machine code: as NumPy has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as torch
from wengert import _tree
from wengert.func import grad, grad_and_value

pytest.importorskip("llvmlite")

from wengert.compile.eager.triangles import triangle_kernel
from wengert.compile.nest_check import check_kernel
from wengert.ops.machine import MACHINE
from wengert.ops.triangles import _solve_triangular


def normal(seed: int, *shape: int, dtype: str = "f8") -> Any:
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def triangle(n: int, dtype: str, *, upper: bool) -> Any:
    """With numbers in the other triangle that nothing may read."""
    a = normal(0, n, n, dtype=dtype) / np.sqrt(n, dtype=dtype) + 2 * np.eye(n, dtype=dtype)
    a[np.tril_indices(n, -1) if upper else np.triu_indices(n, 1)] = np.nan
    return a


@pytest.mark.parametrize("which", ["lower", "upper"])
@pytest.mark.parametrize("is_vector", [False, True])
def test_kernels_are_well_formed(which: str, is_vector: bool) -> None:
    check_kernel(triangle_kernel(which, "f4", is_vector=is_vector))


@pytest.mark.parametrize("upper", [False, True])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("n", [1, 2, 17, 64, 65, 130, 200, 391])
def test_solutions(n: int, dtype: str, upper: bool) -> None:
    a = triangle(n, dtype, upper=upper)
    whole = np.nan_to_num(a).astype("f8")
    for m in (1, 2, 30):
        b = normal(1, n, m, dtype=dtype)
        want = np.linalg.solve(whole, b.astype("f8"))
        tolerance = 50 * np.finfo(dtype).eps * np.abs(want).max()
        for matrix, columns in (
            (a, b),
            (np.asfortranarray(a), b[:, ::-1].copy()[:, ::-1]),
            (a.T.copy().T, b.repeat(2, 1)[:, ::2]),
        ):
            x = _solve_triangular(matrix, columns, upper=upper, unitriangular=False)
            assert (x.shape, x.dtype) == (b.shape, b.dtype)
            np.testing.assert_allclose(x, want, rtol=0, atol=tolerance)


@pytest.mark.parametrize("upper", [False, True])
def test_without_machine_code(upper: bool) -> None:
    find = MACHINE.find
    for n in (5, 100, 250):
        a, b = triangle(n, "f8", upper=upper), normal(1, n, 7)
        got = _solve_triangular(a, b, upper=upper, unitriangular=False)
        try:
            MACHINE.bind(None)
            want = _solve_triangular(a, b, upper=upper, unitriangular=False)
        finally:
            MACHINE.bind(find)
        np.testing.assert_allclose(got, want, rtol=0, atol=1e-13 * np.abs(want).max())


def test_a_zero_on_the_diagonal_gives_infinities() -> None:
    a, b = np.array([[2.0, 0.0, 0.0], [1.0, 0.0, 0.0], [1.0, 1.0, 1.0]]), np.array([[2.0], [3.0], [1.0]])
    x = _solve_triangular(a, b, upper=False, unitriangular=False)
    np.testing.assert_array_equal(x, [[1.0], [np.inf], [-np.inf]])
    x = _solve_triangular(a, np.hstack([b, b]), upper=False, unitriangular=False)
    np.testing.assert_array_equal(x[:, 1], [1.0, np.inf, -np.inf])


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "triangles": lambda a: (
        torch.tril(a * 2, 1) + 1,
        torch.triu(a, -2).exp(),
        (torch.tril(a) * torch.triu(a, 1)).sum(0),
    ),
    "diagonals": lambda a: (a.diagonal(1) * 2, torch.diagonal(a * a, -1, 1, 0).exp(), a.diagonal().sum()),
    "gradients": grad(lambda a: (a.diagonal(-1) ** 2).sum() + torch.tril(a, 2).exp().sum() + a.trace() ** 3),
    "embedded": lambda a: (torch.diag_embed(a * 2).sum(1), torch.diag_embed(a[0], 1).cos(), torch.diag(a[1])),
    "products": lambda a: (
        torch.diag(a[:, 0]) @ a,
        torch.tril(a) @ torch.triu(a.T),
        a.diagonal().diag() @ a[: min(a.shape)],
    ),
    "integers": lambda a: (torch.tril((a * 9).long()), torch.triu(a > 0, 1), (a > 0).diagonal()),
}


@pytest.mark.parametrize("shape", [(2, 3), (5, 4), (40, 30), (30, 70)])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_diagonals(name: str, shape: tuple[int, int]) -> None:
    f, a = FUNCTIONS[name], torch.tensor(normal(0, *shape))
    got, want = _tree.flatten(torch.compile(f)(a))[0], _tree.flatten(f(a))[0]
    for x, y in zip(got, want, strict=True):
        assert x.dtype == y.dtype
        np.testing.assert_allclose(x, y, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("n", [3, 12, 300])
def test_diagonals_of_stacks(n: int) -> None:
    a = torch.tensor(normal(0, n, 3, 3))
    f = grad(lambda a: (a.diagonal(0, 1, 2).prod(1)).sum() + (torch.triu(a, 1) @ torch.diag_embed(a[:, 0])).sum())
    np.testing.assert_allclose(torch.compile(f)(a), f(a), rtol=1e-12, atol=1e-12)
    g = torch.vmap(lambda q: torch.tril(q) @ torch.diag(q.diagonal()))
    np.testing.assert_allclose(torch.compile(g)(a), g(a), rtol=1e-12, atol=1e-12)


def test_triangles_are_no_calls() -> None:
    f = torch.compile(lambda a: (torch.tril(a).sum() + a.diagonal().prod(), torch.diag_embed(a)))
    f(torch.ones(20, 20))
    assert "calls of NumPy" not in f.explain()


def test_what_lies_in_another_order_is_copied() -> None:
    """A call gives a view, and the kernel after it takes what is in order."""
    f = torch.compile(lambda a: torch.linalg.cholesky(a @ a.T + torch.eye(40, dtype=a.dtype), upper=True).exp())
    a = torch.tensor(normal(0, 40, 40))
    want = torch.linalg.cholesky(a @ a.T + torch.eye(40, dtype=a.dtype), upper=True).exp()
    np.testing.assert_allclose(f(a), want, rtol=1e-10)


def test_the_likelihood_of_a_gaussian_process() -> None:
    def f(x: Any, y: Any) -> Any:
        k = (-((x[:, None] - x[None, :]) ** 2)).exp() + 0.1 * torch.eye(len(x), dtype=x.dtype)
        lower = torch.linalg.cholesky(k)
        return (
            torch.linalg.solve_triangular(lower, y[:, None], upper=False).square().sum() + lower.diagonal().log().sum()
        )

    derivatives = grad_and_value(f, (0, 1))
    for n in (20, 150):
        x, y = torch.tensor(normal(0, n)), torch.tensor(normal(1, n))
        got, want = _tree.flatten(torch.compile(derivatives)(x, y))[0], _tree.flatten(derivatives(x, y))[0]
        for a, b in zip(got, want, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)
