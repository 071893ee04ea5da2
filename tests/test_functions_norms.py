"""Norms, distances and renorm against PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any

import numpy as np
import pytest

import wengert
import wengert.linalg

torch = pytest.importorskip("torch")

from torch_pairs import compare, same_error


def r(*shape: int, dtype: str = "float64", seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng([seed, *shape])
    x = rng.standard_normal(shape)
    return np.asarray(x + 1j * rng.standard_normal(shape) if dtype.startswith("complex") else x).astype(dtype)


ORDERS = [0, 0.5, 1, 1.5, 2, 3, inf, -inf, -1, -2, "fro"]


@pytest.mark.parametrize("p", ORDERS)
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
@pytest.mark.parametrize("meta", [{}, {"dim": 0}, {"dim": (0, 1), "keepdim": True}, {"dim": -1, "keepdim": True}])
def test_norms(meta: dict[str, Any], dtype: str, p: Any) -> None:
    compare(lambda lib, x: lib.norm(x, p, **meta), r(3, 4, dtype=dtype), scale=20)


@pytest.mark.parametrize("p", ORDERS[:-1])
def test_norms_at_and_next_to_zero(p: Any) -> None:
    for x in ([0.0, 0.0, 0.0], [0.0, 3.0, -3.0, 1.0], [-2.0], [3.0, 3.0, -3.0]):
        compare(lambda lib, x: lib.norm(x, p), np.array(x), order=1)


@pytest.mark.parametrize("p", [1, 1.5, 2, 3])
def test_second_derivative_of_a_norm_at_zero_is_finite(p: float) -> None:
    x = wengert.zeros(3, dtype=wengert.float64, requires_grad=True)
    (g,) = wengert.autograd.grad(x.norm(p), x, create_graph=True)
    if g.requires_grad:
        (h,) = wengert.autograd.grad(g.sum(), x)
        assert h.tolist() == [0, 0, 0]


def test_norm_forms() -> None:
    x = r(3, 4)
    compare(lambda lib, x: lib.norm(x), x)
    compare(lambda lib, x: x.norm(3, 1), x)
    compare(lambda lib, x: x.norm(dtype=lib.float64), x.astype("float32"))
    compare(lambda lib, x: x.norm(lib.tensor(3.0)), x)
    compare(lambda lib, x: lib.linalg.vector_norm(x, 3, dim=0), x)


@pytest.mark.parametrize("p", [0, 1, 2, 3, inf, -inf])
def test_dist(p: float) -> None:
    compare(lambda lib, x, y: lib.dist(x, y, p), r(3, 4), r(4, seed=1), order=2 if p else 0)
    compare(lambda lib, x, y: lib.dist(x, y, p), r(3), r(3), order=1 if p else 0)


def test_renorm() -> None:
    x = np.array([[3.0, 4.0, 1.0], [0.1, 0.2, 0.3], [-1.0, 2.0, 0.0]])
    for p, dim, limit in ((2, 0, 1.0), (1, 1, 2.0), (3, 0, 0.5), (inf, -1, 1.0)):
        compare(lambda lib, x, p=p, dim=dim, limit=limit: lib.renorm(x, p, dim, limit), x, scale=100)
    compare(lambda lib, x: (x * 1).renorm_(2, 0, 1.0), x)
    compare(lambda lib, x: lib.renorm(x, 2, 0, 1.0), r(3, 2, dtype="complex128"), order=1)


@pytest.mark.parametrize("order", ["fro", 1, -1, inf, -inf])
@pytest.mark.parametrize("meta", [{}, {"dim": (0, 1)}, {"dim": (2, 0)}, {"dim": (-1, 1), "keepdim": True}])
def test_matrix_norms(meta: dict[str, Any], order: Any) -> None:
    compare(lambda lib, x: lib.linalg.matrix_norm(x, order, **meta), r(2, 3, 4))
    if meta:
        compare(lambda lib, x: lib.linalg.norm(x, order, **meta), r(2, 3, 4, dtype="complex128"), scale=10)


def test_norms_of_vectors_or_matrices() -> None:
    for f in (
        lambda lib, x: lib.linalg.norm(x),
        lambda lib, x: lib.linalg.norm(x, 1),
        lambda lib, x: lib.linalg.norm(x[0], 3),
        lambda lib, x: lib.linalg.norm(x, dim=0),
        lambda lib, x: lib.linalg.norm(x, 3, dim=(1,)),
        lambda lib, x: lib.linalg.norm(x, dim=(0, 1), keepdim=True),
        lambda lib, x: lib.linalg.norm(x, inf, keepdim=True),
        lambda lib, x: lib.linalg.norm(x, 0, dim=-1),
        lambda lib, x: lib.linalg.matrix_norm(x[:0], 1),
    ):
        compare(f, r(3, 4))
    compare(lambda lib, x: lib.linalg.norm(x, 1, dtype=lib.float64), r(3, 4, dtype="float32"))
    compare(lambda lib, x: lib.linalg.norm(x), r(2, 3, 4))


LINALG_ERRORS: dict[str, tuple[Callable[..., Any], int | None]] = {
    "an order for a stack": (lambda lib, x: lib.linalg.norm(x[None], 1), None),
    "an order for a number": (lambda lib, x: lib.linalg.norm(x[0, 0], 1), None),
    "fro of a vector": (lambda lib, x: lib.linalg.norm(x[0], "fro"), None),
    "fro along one axis": (lambda lib, x: lib.linalg.norm(x, "fro", dim=0), 40),
    "three axes": (lambda lib, x: lib.linalg.norm(x[None], dim=(0, 1, 2)), None),
    "a vector": (lambda lib, x: lib.linalg.matrix_norm(x[0]), None),
    "integers": (lambda lib, x: lib.linalg.matrix_norm(x.long()), None),
    "order 3": (lambda lib, x: lib.linalg.matrix_norm(x, 3), None),
    "order 0": (lambda lib, x: lib.linalg.norm(x, 0), None),
    "unknown order": (lambda lib, x: lib.linalg.norm(x, "foo"), None),
    "one axis twice": (lambda lib, x: lib.linalg.matrix_norm(x, 1, dim=(0, 0)), None),
    "order in words": (lambda lib, x: lib.linalg.vector_norm(x, "a"), None),
}


@pytest.mark.parametrize(("run", "beginning"), LINALG_ERRORS.values(), ids=LINALG_ERRORS)
def test_linalg_errors(run: Callable[..., Any], beginning: int | None) -> None:
    assert len(same_error(run, r(2, 3), beginning=beginning)) > 20


@pytest.mark.parametrize(("order", "value"), [(2, 4.0), (-2, 3.0), ("nuc", 7.0)])
def test_norms_of_singular_values(order: Any, value: float) -> None:
    matrix = wengert.tensor([[0.0, -4.0], [3.0, 0.0]])
    assert wengert.linalg.matrix_norm(matrix, order).item() == pytest.approx(value)
    stack = wengert.stack([matrix, matrix], 1)
    assert wengert.linalg.matrix_norm(stack, order, (0, 2), keepdim=True).shape == (1, 2, 1)
    if order == "nuc":
        assert wengert.norm(matrix, "nuc").item() == pytest.approx(value)
