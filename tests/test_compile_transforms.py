"""compile() and the transforms of functions, in both orders."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as torch
from wengert import func


def scalar(x: Any) -> Any:
    return (torch.sin(x) * x).sum()


def vector(x: Any) -> Any:
    return x.sin() * x / (1 + x * x)


def with_matrix(x: Any) -> Any:
    m = torch.tensor([[1.0, 2.0, 0.5], [0.3, -1.0, 2.0]], dtype=torch.float64)
    return torch.tanh(m @ x).softmax(0)


TRANSFORMS: dict[str, Callable[[Any], Any]] = {
    "grad": func.grad,
    "grad of grad": lambda f: func.grad(lambda x: func.grad(f)(x).sum()),
    "hessian": func.hessian,
    "jvp": lambda f: lambda x: func.jvp(f, (x,), (torch.ones_like(x),))[1],
    "vjp": lambda f: lambda x: func.vjp(f, x)[1](torch.ones((), dtype=torch.float64))[0],
}
JACOBIANS: dict[str, Callable[[Any], Any]] = {"jacrev": func.jacrev, "jacfwd": func.jacfwd}
BATCHES: dict[str, Callable[[Any], Any]] = {
    "vmap": func.vmap,
    "vmap of grad": lambda f: func.vmap(func.grad(lambda x: f(x).sum())),
    "grad of vmap": lambda f: func.grad(lambda x: func.vmap(f)(x).sum()),
    "jacobian of each": lambda f: func.vmap(func.jacrev(f)),
}
CASES = [
    *[pytest.param(t, scalar, (3,), id=f"{name}") for name, t in TRANSFORMS.items()],
    *[
        pytest.param(t, f, (3,), id=f"{name} {f.__name__}")
        for name, t in JACOBIANS.items()
        for f in (vector, with_matrix)
    ],
    *[
        pytest.param(t, f, (4, 3), id=f"{name} {f.__name__}")
        for name, t in BATCHES.items()
        for f in (vector, with_matrix)
    ],
]


def _point(shape: tuple[int, ...], seed: int) -> Any:
    return torch.tensor(np.random.default_rng(seed).standard_normal(shape))


@pytest.mark.parametrize(("transform", "f", "shape"), CASES)
def test_compiled_transform(transform: Any, f: Any, shape: tuple[int, ...]) -> None:
    runs = []

    def counted(x: Any) -> Any:
        runs.append(1)
        return f(x)

    compiled = torch.compile(transform(counted))
    after_first = 0
    for seed in range(3):
        x = _point(shape, seed)
        np.testing.assert_allclose(compiled(x).numpy(), transform(f)(x).numpy(), rtol=1e-10, atol=1e-12)
        after_first = after_first or len(runs)
        assert len(runs) == after_first > 0


@pytest.mark.parametrize(("transform", "f", "shape"), CASES)
def test_transform_of_compiled(transform: Any, f: Any, shape: tuple[int, ...]) -> None:
    of_compiled = transform(torch.compile(f))
    for seed in range(2):
        x = _point(shape, seed)
        np.testing.assert_allclose(of_compiled(x).numpy(), transform(f)(x).numpy(), rtol=1e-10, atol=1e-12)


def test_a_batching_rule_without_operations_is_refused() -> None:
    x = _point((3, 4), 0)
    compiled = torch.compile(func.vmap(lambda row: torch.searchsorted(row, row)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that it goes one member after the other
        with pytest.raises(RuntimeError):
            compiled(x)
    assert (torch.ones(2) + 1).tolist() == [2, 2]


ROWS, COLUMNS = torch.tensor([0, 2, 2]), torch.tensor([[0, 2], [1, 1], [2, 0]])


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x[ROWS],
        lambda x: x[:, COLUMNS],
        lambda x: x[ROWS[:, None], COLUMNS],
        lambda x: x.transpose(0, 1).reshape(-1),
    ],
)
@pytest.mark.parametrize("dim", [0, 1])
def test_places_of_a_batch(f: Callable[..., Any], dim: int) -> None:
    x = _point((4, 3, 3), 0).transpose(0, dim)
    for g in (f, lambda x: func.jvp(f, (x,), (x * x,))[1]):
        mapped = func.vmap(g, in_dims=dim)
        np.testing.assert_allclose(torch.compile(mapped)(x).numpy(), mapped(x).numpy(), rtol=1e-13)
