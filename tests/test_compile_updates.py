"""Products that are added to a matrix in place: part of the product, with the result of doing one after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as torch

pytest.importorskip("llvmlite")


def normal(seed: int, *shape: int, dtype: str = "f4") -> Any:
    return torch.tensor(np.random.default_rng(seed).standard_normal(shape).astype(dtype))


UPDATES: dict[str, Callable[[Any, Any, Any, Any], Any]] = {
    "subtracted": lambda w, x, g, rate: w.sub_((x.T @ g) * 0.1),
    "added": lambda w, x, g, rate: w.add_(x.T @ g),
    "times a tensor": lambda w, x, g, rate: w.sub_(rate * (x.T @ g)),
    "with alpha": lambda w, x, g, rate: w.add_(x.T @ g, alpha=-0.5),
    "by a copy": lambda w, x, g, rate: w.copy_(x.T @ g + w),
}


def read_too(w: Any, x: Any, g: Any, rate: Any) -> Any:
    d = x.T @ g
    w.sub_(d * rate)
    return d.sum()


def a_result(w: Any, x: Any, g: Any, rate: Any) -> Any:
    d = x.T @ g
    w.sub_(d * rate)
    return d


OTHERS: dict[str, Callable[[Any, Any, Any, Any], Any]] = {
    "the product is read, too": read_too,
    "the product is a result": a_result,
    "the matrix is a factor": lambda w, x, g, rate: w.sub_((w @ (g.T @ g)) * 0.01),
    "what is written is read": lambda w, x, g, rate: w.sub_((x.T @ g) * 0.1).sum(),
    "times itself": lambda w, x, g, rate: w.mul_(x.T @ g),
    "from the other side": lambda w, x, g, rate: w.copy_((x.T @ g) - w),
}


def compare(f: Callable[..., Any], rows: int, dtype: str) -> str:
    """Run a function eagerly and compiled, on small and larger sizes; its loops."""
    w, x, g = normal(0, 70, 50, dtype=dtype), normal(1, rows, 70, dtype=dtype), normal(2, rows, 50, dtype=dtype)
    rate = torch.tensor(np.array(0.25, dtype))
    eager, compiled = w.clone(), torch.compile(f)
    want = f(eager, x, g, rate)
    text = compiled.loops(w, x, g, rate)
    got = compiled(w, x, g, rate)
    tolerance = 60 * np.finfo(dtype).eps
    np.testing.assert_allclose(w, eager, rtol=tolerance, atol=40 * tolerance)
    if isinstance(want, torch.Tensor):
        np.testing.assert_allclose(got, want, rtol=100 * tolerance, atol=100 * tolerance)
    return str(text)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("name", UPDATES)
def test_part_of_the_product(name: str, dtype: str) -> None:
    text = compare(UPDATES[name], 40, dtype)
    assert "+= " in text
    assert "for " not in text


@pytest.mark.parametrize("name", OTHERS)
def test_not_part_of_it(name: str) -> None:
    assert "+= " not in compare(OTHERS[name], 40, "f8")


def test_long_sums_are_not_added_piece_by_piece() -> None:
    assert "+= " not in compare(UPDATES["subtracted"], 400, "f4")


def test_a_step_of_two_layers_moves_as_the_eager_one() -> None:
    def step(w: Any, v: Any, x: Any) -> Any:
        gradients, value = torch.func.grad_and_value(lambda w, v: ((x @ w).tanh() @ v).square().mean(), (0, 1))(w, v)
        for p, g in zip((w, v), gradients, strict=True):
            p.sub_(g * 0.01)
        return value

    start = normal(0, 70, 50, dtype="f8"), normal(1, 50, 30, dtype="f8")
    x = normal(2, 64, 70, dtype="f8")
    ends = []
    for f in (step, torch.compile(step)):
        w, v = (p.clone() for p in start)
        ends.append([f(w, v, x), f(w, v, x), w, v])
    for a, b in zip(*ends, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-11)
    assert torch.compile(step).loops(*start, x).count("+= ") == 2
