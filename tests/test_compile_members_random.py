"""Random programs on rows of a few numbers: compiled equals eager, value and gradient."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as torch

pytest.importorskip("llvmlite")

Step = Callable[[Any, Any, Any], Any]  # of two arrays of rows with one number of columns, and of an index for each row

STEPS: dict[str, Step] = {
    "mul": lambda x, y, i: x * y,
    "add": lambda x, y, i: x + y,
    "sin": lambda x, y, i: x.sin(),
    "exp": lambda x, y, i: (x * 0.1).exp(),
    "where": lambda x, y, i: torch.where(x > y, x, y * 0.5),
    "sum": lambda x, y, i: x.sum(1, keepdim=True) * y,
    "mean": lambda x, y, i: x * y.mean(1, keepdim=True),
    "of all rows": lambda x, y, i: x * y.mean(0),
    "amax": lambda x, y, i: x - y.amax(1, keepdim=True),
    "softmax": lambda x, y, i: torch.softmax(x, 1),
    "logsumexp": lambda x, y, i: x + torch.logsumexp(y, 1, keepdim=True),
    "cross": lambda x, y, i: torch.linalg.cross(x[:, :3], y[:, -3:]) if x.shape[1] > 2 else x,
    "stack": lambda x, y, i: torch.stack([x[:, 0], y[:, -1] * 2, x.sum(1)], 1),
    "cat": lambda x, y, i: torch.cat([x, y], 1)[:, :5],
    "slice": lambda x, y, i: x[:, 1:] if x.shape[1] > 1 else x,
    "flip": lambda x, y, i: x.flip(1),
    "flip of rows": lambda x, y, i: x.flip(0),
    "shift of rows": lambda x, y, i: torch.cat([x[1:], y[:1]], 0),
    "one row": lambda x, y, i: x * y[2],
    "gather": lambda x, y, i: x[i],
    "gather of few": lambda x, y, i: y[:7][i % 7] * x,
    "product": lambda x, y, i: (torch.einsum("ni,nj->nij", x, y) @ y[:, :, None])[:, :, 0],
    "outer": lambda x, y, i: (x[:, :, None] * y[:, None, :]).sum(1),
    "reshape": lambda x, y, i: (x[:, :, None] * y[:, None, :]).reshape(x.shape[0], -1)[:, :4],
}


def program(seed: int) -> Callable[..., Any]:
    """A function of two arrays of three columns and an index: the last one or two of what it computes."""
    choose = random.Random(seed)
    steps = [(STEPS[choose.choice(list(STEPS))], choose.random(), choose.random()) for _ in range(choose.randint(3, 9))]
    results = choose.randint(1, 2)

    def run(a: Any, b: Any, i: Any) -> Any:
        known = [a, b, a * b]
        for step, one, other in steps:
            x, y = known[int(one * len(known))], known[int(other * len(known))]
            width = min(x.shape[1], y.shape[1])
            known.append(step(x[:, :width], y[:, :width], i))
        return tuple(known[-results:])

    return run


def check(seed: int) -> None:
    f = program(seed)
    r = np.random.default_rng(seed)
    n = (17, 20, 33, 70)[seed % 4]
    a, b = [torch.tensor(r.standard_normal((n, 3))) for _ in range(2)]
    i = torch.tensor(r.integers(0, n, n))
    gradient = torch.func.grad(lambda a, b: sum([(v * v).mean() for v in f(a, b, i)]), (0, 1))
    for g in (lambda a, b: f(a, b, i), gradient):
        for got, want in zip(torch.compile(g)(a, b), g(a, b), strict=True):
            limit = 1e-11 * max(1.0, want.abs().amax().item())
            np.testing.assert_allclose(got.numpy(), want.numpy(), rtol=1e-9, atol=limit)


@pytest.mark.parametrize("seed", range(6))
def test_programs(seed: int) -> None:
    check(seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6, 60))
def test_many_programs(seed: int) -> None:
    check(seed)
