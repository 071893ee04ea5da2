"""Operations on matrices of a few rows, which machine code writes out: the same as eager ones, of singular ones too."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

import wengert as torch
from wengert.func import grad, scan

L = torch.linalg


def _eye(a: Any) -> Any:
    return torch.eye(a.shape[-1], dtype=a.dtype)


OF_ONE: dict[str, Callable[..., Any]] = {
    "inv": L.inv,
    "det": L.det,
    "slogdet": lambda a: L.slogdet(a)[0] * L.slogdet(a)[1],
    "cholesky": lambda a: L.cholesky(a @ a.mT + _eye(a)),
    "cholesky, upper": lambda a: L.cholesky(a @ a.mT + _eye(a), upper=True),
}
OF_TWO: dict[str, Callable[..., Any]] = {
    "solve": L.solve,
    "solve, right": lambda a, b: L.solve(a, b.mT, left=False),
    "lower": lambda a, b: L.solve_triangular(a, b, upper=False),
    "upper": lambda a, b: L.solve_triangular(a, b, upper=True),
    "unit": lambda a, b: L.solve_triangular(a, b, upper=False, unitriangular=True),
}
FUNCTIONS = {**{name: (lambda a, _, f=f: f(a)) for name, f in OF_ONE.items()}, **OF_TWO}
BATCHES = [(), (3,), (40,), (2, 3)]


def _arrays(n: int, batch: tuple[int, ...], dtype: Any = torch.float64) -> tuple[Any, Any]:
    random = np.random.default_rng(n)
    a = random.standard_normal((*batch, n, n)) + 2 * np.eye(n)
    return torch.tensor(a, dtype=dtype), torch.tensor(random.standard_normal((*batch, n, 2)), dtype=dtype)


def _same(got: Any, want: Any, tolerance: float = 1e-9) -> None:
    assert (got.dtype, got.shape) == (want.dtype, want.shape)
    np.testing.assert_allclose(got.numpy(), want.numpy(), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("batch", BATCHES)
@pytest.mark.parametrize("n", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_values_and_gradients(name: str, n: int, batch: tuple[int, ...]) -> None:
    f, arrays = FUNCTIONS[name], _arrays(n, batch)
    _same(torch.compile(f)(*arrays), f(*arrays))
    places = (0, 1) if name in OF_TWO else (0,)
    gradient = grad(lambda a, b: (f(a, b) ** 2).sum(), places)
    for got, want in zip(torch.compile(gradient)(*arrays), gradient(*arrays), strict=True):
        _same(got, want, 1e-7)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_other_layouts_and_float32(name: str) -> None:
    f, (a, b) = FUNCTIONS[name], _arrays(3, (4,))
    turned = a.mT.contiguous().mT[::2], b.flip(0)[::2]
    _same(torch.compile(f)(*turned), f(*turned))
    single = a.float(), b.float()
    _same(torch.compile(f)(*single), f(*single), 1e-4)


@pytest.mark.parametrize("name", ["inv", "det", "slogdet", "cholesky", "solve", "lower"])
def test_second_order(name: str) -> None:
    f, arrays = FUNCTIONS[name], _arrays(3, ())
    second = grad(lambda a, b: (grad(lambda a: (f(a, b) ** 2).sum())(a) ** 2).sum())
    _same(torch.compile(second)(*arrays), second(*arrays), 1e-6)


@pytest.mark.parametrize("n", [5, 6])
def test_many_of_a_few_more_rows(n: int) -> None:
    a, b = _arrays(n, (40,))
    f = lambda a, b: (L.solve(a, b) ** 2).sum() + L.det(a).sum()
    for got, want in zip(torch.compile(grad(f, (0, 1)))(a, b), grad(f, (0, 1))(a, b), strict=True):
        _same(got, want, 1e-7)


SINGULAR = [np.zeros((3, 3)), np.ones((3, 3)), np.diag([1.0, 0, 2]), np.diag([1.0, 2, 0]), np.diag([-1.0, 2, 3])]


@pytest.mark.parametrize("name", ["det", "cofactors", "slogdet"])
def test_singular_matrices_have_determinants(name: str) -> None:
    a = torch.tensor(np.array(SINGULAR))
    f = {
        "det": L.det,
        "cofactors": grad(lambda a: L.det(a).sum()),
        "slogdet": lambda a: torch.stack(tuple(L.slogdet(a))),
    }[name]
    _same(torch.compile(f)(a), f(a))


@pytest.mark.parametrize("f", [L.inv, lambda a: L.solve(a, a[..., :1])])
def test_singular_matrices_give_nan(f: Callable[..., Any]) -> None:
    a = torch.tensor(np.array(SINGULAR))
    found = torch.compile(f)(a)
    assert found.isnan().flatten(1).all(1).tolist() == [True, True, True, True, False]
    _same(found[4], f(a[4]))


def test_a_matrix_that_is_not_positive_definite_gives_nan() -> None:
    a = torch.tensor(np.array([np.diag([1.0, -1]), np.diag([0.0, 1]), np.diag([4.0, 9])]))
    found = torch.compile(L.cholesky)(a)
    assert found.diagonal(dim1=-2, dim2=-1).isnan().tolist() == [[True, True], [True, True], [False, False]]
    _same(found[2], L.cholesky(a[2]))


def test_the_steps_of_a_loop() -> None:
    a, b = _arrays(4, ())
    rows = torch.tensor(np.random.default_rng(0).standard_normal((20, 4)))

    def f(a: Any, b: Any, rows: Any) -> Any:
        def step(p: Any, x: Any) -> tuple[Any, Any]:
            s = p @ p.T + _eye(p)
            q = L.solve(s, b) @ b.T + 0.1 * torch.outer(x, x) + 0.1 * L.inv(s)
            return q, L.slogdet(s)[1] + L.cholesky(s).sum()

        return scan(step, a, rows)[1].sum()

    compiled = torch.compile(grad(f, (0, 1, 2)))
    for got, want in zip(compiled(a, b, rows), grad(f, (0, 1, 2))(a, b, rows), strict=True):
        _same(got, want, 1e-8)
    if find_spec("llvmlite") is not None:
        assert "one step after the other" not in compiled.explain()


def test_gradients_of_determinants_where_some_matrices_are_nearly_singular() -> None:
    matrices = [np.random.default_rng(i).standard_normal((5, 5)) for i in range(3)]
    matrices[1][0] = matrices[1][1] * (1 + 1e-13)
    matrices[2][0] = matrices[2][1]
    a = torch.tensor(np.array(matrices))
    found = grad(lambda a: L.det(a).sum())(a).numpy()
    for matrix, cofactors in zip(matrices, found, strict=True):
        for i, j in np.ndindex(5, 5):
            minor = np.delete(np.delete(matrix, i, 0), j, 1)
            assert abs(cofactors[i, j] - (-1) ** (i + j) * np.linalg.det(minor)) < 1e-10


def test_gradients_of_logarithms_of_determinants_of_singular_matrices_are_nan() -> None:
    assert grad(lambda a: L.slogdet(a)[1])(torch.zeros(2, 2)).isnan().all()
