"""Programs of transforms: written once, run on both libraries; the peer is ``torch.func``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Step = Callable[[], tuple[Any, ...]]


def _rosenbrock(x: Any) -> Any:
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def _vector(torch: Any, size: int, seed: int = 0) -> Any:
    return torch.tensor(np.random.default_rng(seed).standard_normal(size))


def hessian_vector(torch: Any) -> Step:
    x, v = _vector(torch, 200), _vector(torch, 200, 1)
    first = torch.func.grad(_rosenbrock)
    return lambda: (torch.func.jvp(first, (x,), (v,))[1],)


def whole_hessian(torch: Any) -> Step:
    x, second = _vector(torch, 200), torch.func.hessian(_rosenbrock)
    return lambda: (second(x),)


def per_sample_gradients(torch: Any) -> Step:
    random = np.random.default_rng(0)
    parameters = {
        "w1": torch.tensor(random.standard_normal((64, 32)) * 0.1),
        "b1": torch.zeros(64, dtype=torch.float64),
        "w2": torch.tensor(random.standard_normal((10, 64)) * 0.1),
        "b2": torch.zeros(10, dtype=torch.float64),
    }
    rows, labels = torch.tensor(random.standard_normal((128, 32))), torch.tensor(random.integers(0, 10, 128))
    functional = torch.nn.functional

    def loss(p: dict[str, Any], x: Any, label: Any) -> Any:
        hidden = torch.tanh(functional.linear(x, p["w1"], p["b1"]))
        return functional.cross_entropy(functional.linear(hidden, p["w2"], p["b2"])[None], label[None])

    each = torch.vmap(torch.func.grad(loss), in_dims=(None, 0, 0))
    return lambda: tuple(each(parameters, rows, labels).values())


def stencil_jacobian(torch: Any) -> Step:
    x = _vector(torch, 400)
    rows = torch.func.jacrev(lambda x: x[2:] - 2 * x[1:-1] + x[:-2] + torch.sin(x[1:-1]))
    return lambda: (rows(x),)
