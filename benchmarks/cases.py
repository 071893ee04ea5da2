"""The programs that are timed, each written once and run on both libraries.

A program is a function of ``torch``, the library, that makes what it needs and returns a step: the part that is timed.
A step returns the tensors by which the libraries are compared, and clears the gradients that the step before it left.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from benchmarks import jax_transforms, networks, transforms

Step = Callable[[], tuple[Any, ...]]


@dataclass(frozen=True)
class Case:
    """A program to time.

    ``wanted`` is the least ratio (torch time / wengert time) that the project asks of itself; ``in_jax`` the same
    program in JAX, which is timed beside them where it is installed.
    """

    name: str
    prepare: Callable[[Any], Step]
    wanted: float | None = None
    in_jax: jax_transforms.Program | None = None


def _binary_loss(torch: Any, prediction: Any, target: Any) -> Any:
    epsilon = 1e-8
    prediction = torch.clamp(prediction, epsilon, 1 - epsilon)
    return -(target * torch.log(prediction) + (1 - target) * torch.log(1 - prediction))


def neuron(torch: Any) -> Step:
    def step() -> tuple[Any, ...]:
        x = torch.tensor(6.7)
        y = torch.tensor(0.0)
        w = torch.tensor(1.0, requires_grad=True)
        b = torch.tensor(0.0, requires_grad=True)
        z = w * x + b
        loss = _binary_loss(torch, torch.sigmoid(z), y)
        loss.backward()
        return loss, w.grad, b.grad

    return step


def neuron_made_before(torch: Any) -> Step:
    x = torch.tensor(6.7)
    y = torch.tensor(0.0)
    w = torch.tensor(1.0, requires_grad=True)
    b = torch.tensor(0.0, requires_grad=True)

    def step() -> tuple[Any, ...]:
        w.grad = None
        b.grad = None
        z = w * x + b
        loss = _binary_loss(torch, torch.sigmoid(z), y)
        loss.backward()
        return loss, w.grad, b.grad

    return step


def scalar_chain(torch: Any) -> Step:
    x = torch.tensor(0.5, requires_grad=True)

    def step() -> tuple[Any, ...]:
        x.grad = None
        y = x
        for _ in range(1000):
            y = y * 1.0001 + 0.001
        y.backward()
        return y, x.grad

    return step


def mixed_chain(torch: Any) -> Step:
    x = torch.tensor(0.5, requires_grad=True)
    w = torch.tensor(0.7, requires_grad=True)

    def step() -> tuple[Any, ...]:
        x.grad = None
        w.grad = None
        y = x
        # y moves round and round the sine, so its derivative neither dies out nor blows up: 333 * 6 + 2 operations.
        for _ in range(333):
            y = y + torch.tanh(torch.exp(torch.sin(y * w) - 1.0))
        y = y * w - 1.0
        y.backward()
        return y, x.grad, w.grad

    return step


def mean_square(torch: Any, size: int) -> Step:
    x = torch.tensor(np.random.default_rng(0).standard_normal(size, dtype=np.float32), requires_grad=True)

    def step() -> tuple[Any, ...]:
        x.grad = None
        loss = (x**2).mean()
        loss.backward()
        return loss, x.grad

    return step


def transcendental(torch: Any, size: int) -> Step:
    softplus = torch.nn.functional.softplus
    x = torch.tensor(np.random.default_rng(0).standard_normal(size, dtype=np.float32), requires_grad=True)

    def step() -> tuple[Any, ...]:
        x.grad = None
        loss = softplus(torch.sin(x) * torch.exp(-x * x) + torch.tanh(x)).sum()
        loss.backward()
        return loss, x.grad

    return step


def perceptron(torch: Any, batch: int) -> Step:
    cross_entropy, relu = torch.nn.functional.cross_entropy, torch.relu
    random = np.random.default_rng(0)
    images = torch.tensor(random.random((batch, 784), dtype=np.float32))
    labels = torch.tensor(random.integers(0, 10, batch))
    w1 = torch.tensor(random.standard_normal((784, 256), dtype=np.float32) * 0.05, requires_grad=True)
    b1 = torch.zeros(256, requires_grad=True)
    w2 = torch.tensor(random.standard_normal((256, 10), dtype=np.float32) * 0.05, requires_grad=True)
    b2 = torch.zeros(10, requires_grad=True)
    parameters = (w1, b1, w2, b2)

    def step() -> tuple[Any, ...]:
        loss = cross_entropy(relu(images @ w1 + b1) @ w2 + b2, labels)
        loss.backward()
        with torch.no_grad():
            for parameter in parameters:
                parameter -= 0.01 * parameter.grad  # noqa: PLW2901  # in place, as training loops are written
                parameter.grad = None
        return loss, *parameters

    return step


CASES = (
    Case("neuron", neuron, 3.0),
    Case("neuron, tensors made before", neuron_made_before, 3.0),
    Case("chain of 2,000 scalar operations, Python numbers", scalar_chain, 2.0),
    Case("chain of 2,000 scalar operations, mixed", mixed_chain, 2.0),
    Case("(x**2).mean(), 10^3", partial(mean_square, size=10**3), 1.5),
    Case("(x**2).mean(), 10^5", partial(mean_square, size=10**5), 1.0),
    Case("(x**2).mean(), 10^7", partial(mean_square, size=10**7), 1.0),
    Case("five transcendental operations, 10^3", partial(transcendental, size=10**3), 1.5),
    Case("five transcendental operations, 10^5", partial(transcendental, size=10**5), 1.0),
    Case("five transcendental operations, 10^7", partial(transcendental, size=10**7), 1.0),
    Case("784-256-10 perceptron, batch 256", partial(perceptron, batch=256), 1.0),
    Case("784-256-10 perceptron, batch 32", partial(perceptron, batch=32)),
    Case("Hessian times vector, 200 variables", transforms.hessian_vector, 1.0, jax_transforms.hessian_vector),
    Case("Hessian, 200 variables", transforms.whole_hessian, 1.0, jax_transforms.whole_hessian),
    Case(
        "per-sample gradients, 32-64-10 perceptron, batch 128",
        transforms.per_sample_gradients,
        1.0,
        jax_transforms.per_sample_gradients,
    ),
    Case("Jacobian of a stencil, 400 points", transforms.stencil_jacobian, 1.0, jax_transforms.stencil_jacobian),
    Case("training step: placement example", partial(networks.example_step, name="placement"), 1.0),
    Case("training step: breast cancer example", partial(networks.example_step, name="breast_cancer"), 1.0),
    Case("training step: digits example", partial(networks.example_step, name="digits"), 1.0),
    Case("training step: characters example", partial(networks.example_step, name="characters", batch=128), 1.0),
    Case(
        "LSTM 64-128, 35 steps, batch 32",
        partial(networks.recurrent, kind="LSTM", steps=35, batch=32, inputs=64, hidden=128),
    ),
    Case(
        "LSTM 32-64, 32 steps, batch 16",
        partial(networks.recurrent, kind="LSTM", steps=32, batch=16, inputs=32, hidden=64),
    ),
    Case(
        "GRU 64-128, 35 steps, batch 32",
        partial(networks.recurrent, kind="GRU", steps=35, batch=32, inputs=64, hidden=128),
    ),
    Case(
        "Transformer layer 64, 4 heads, 32 steps, batch 16",
        partial(networks.transformer, steps=32, batch=16, features=64, heads=4, inner=256),
    ),
    Case(
        "Transformer layer 128, 8 heads, 128 steps, batch 8",
        partial(networks.transformer, steps=128, batch=8, features=128, heads=8, inner=512),
    ),
)
