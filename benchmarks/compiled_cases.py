"""Problems whose value and gradient are timed compiled: each once, written for wengert, PyTorch and JAX alike.

A problem is a function of :class:`Library`; it gives the function to differentiate, the arrays that it takes, and
by which of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np


class Library(NamedTuple):
    """What the libraries call by different names."""

    m: Any  # the module with the elementwise functions and reductions
    logsumexp: Callable[..., Any]  # (array, axis)
    sigmoid: Callable[..., Any]
    scan: Callable[..., Any]  # (step, init, rows) -> (last carry, stacked results)
    cross: Callable[..., Any]
    jacobians: Callable[..., Any]  # (function, by) -> the Jacobians of each member of a batch


class Problem(NamedTuple):
    """The function, its arguments, and by which of them it is differentiated; by none if it gives derivatives."""

    function: Callable[..., Any]
    arrays: tuple[Any, ...]
    by: tuple[int, ...]


def _normal(seed: int, *shape: int, dtype: str = "f8") -> Any:
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def neuron(lib: Library) -> Problem:
    """A sigmoid and binary cross-entropy, with `clamp`."""
    m = lib.m

    def f(x: Any, w: Any, b: Any) -> Any:
        p = m.clip(lib.sigmoid(w * x + b), 1e-8, 1 - 1e-8)
        return -m.log(1 - p)

    return Problem(f, tuple([np.array(v, "f4") for v in (6.7, 1.0, 0.0)]), (0, 1, 2))


def chain(lib: Library, size: int) -> Problem:
    """Transcendental operations one after the other, summed."""
    m = lib.m

    def f(x: Any) -> Any:
        return m.sum(m.log1p(m.exp(m.sin(x) * m.exp(-x * x) + m.tanh(x))))

    return Problem(f, (_normal(0, size, dtype="f4"),), (0,))


def broadcast_reduce(lib: Library, size: int) -> Problem:
    """A matrix with a row and a column broadcast against it, summed in both ways."""
    m = lib.m
    columns = 10 if size < 10**4 else 100

    def f(x: Any, row: Any, column: Any) -> Any:
        y = m.tanh(x * row + column)
        return m.sum(m.sum(y * x, 0) ** 2) + m.sum(m.sum(y, 1) ** 2)

    rows = size // columns
    arrays = (_normal(0, rows, columns, dtype="f4"), _normal(1, columns, dtype="f4"), _normal(2, rows, 1, dtype="f4"))
    return Problem(f, arrays, (0, 1, 2))


def mixture(lib: Library, d: int, k: int, n: int = 1000) -> Problem:
    """The log-likelihood of a Gaussian mixture with full covariances; all its quadratic forms by one product."""
    m = lib.m

    def f(alphas: Any, means: Any, diagonals: Any, lower: Any, x: Any) -> Any:
        factors = lower * m.exp(diagonals)[:, None, :]  # (k, d, d)
        turned = m.reshape(factors, (k * d, d)).T
        moved = m.reshape(x @ turned, (n, k, d)) - m.sum(factors * means[:, None, :], 2)
        inner = alphas + m.sum(diagonals, 1) - 0.5 * m.sum(moved * moved, 2)
        return m.sum(lib.logsumexp(inner, 1)) - n * lib.logsumexp(alphas, 0)

    lower = np.tril(_normal(3, k, d, d)) / d
    arrays = (_normal(0, k), _normal(1, k, d), 0.1 * _normal(2, k, d), lower, _normal(4, n, d))
    return Problem(f, arrays, (0, 1, 2, 3))


def logsumexp(lib: Library, size: int) -> Problem:
    return Problem(lambda x: lib.logsumexp(x, 0), (_normal(0, size),), (0,))


LAYERS, WIDTH = 6, 14


def lstm(lib: Library, steps: int) -> Problem:
    """An LSTM with elementwise weights: six layers, and softmax of the last one's output against the next row."""
    m = lib.m

    def f(main: Any, extra: Any, state: Any, rows: Any) -> Any:
        def step(carry: Any, row: Any) -> Any:
            x, y = row
            x = x * extra[0]
            new = []
            for layer, (before, memory) in enumerate(carry):
                w, b = main[layer, :4], main[layer, 4:]
                forget, keep = lib.sigmoid(x * w[0] + b[0]), lib.sigmoid(before * w[1] + b[1])
                out, change = lib.sigmoid(x * w[2] + b[2]), m.tanh(before * w[3] + b[3])
                c = memory * forget + keep * change
                x = out * m.tanh(c)
                new.append((x, c))
            p = x * extra[1] + extra[2]
            return new, m.sum(y * (p - m.log(m.sum(m.exp(p)) + 2)))

        init = [(state[layer, 0], state[layer, 1]) for layer in range(LAYERS)]
        return -m.sum(lib.scan(step, init, (rows[:-1], rows[1:]))[1]) / ((steps - 1) * WIDTH)

    rows = (np.random.default_rng(3).random((steps, WIDTH)) < 0.3).astype("f8")
    arrays = (0.5 * _normal(0, LAYERS, 8, WIDTH), 0.5 * _normal(1, 3, WIDTH), 0.5 * _normal(2, LAYERS, 2, WIDTH), rows)
    return Problem(f, arrays, (0, 1))


def bundle_adjustment(lib: Library, observations: int) -> Problem:
    """How the error of each observation depends on its camera, point and weight: 30 derivatives an observation."""
    m = lib.m

    def turned(rotation: Any, x: Any) -> Any:  # Rodrigues' formula
        square = m.sum(rotation * rotation)
        angle = m.sqrt(m.where(square > 1e-20, square, 1.0))
        w, cos = rotation / angle, m.cos(angle)
        y = x * cos + lib.cross(w, x) * m.sin(angle) + w * (m.sum(w * x) * (1 - cos))
        return m.where(square > 1e-20, y, x + lib.cross(rotation, x))

    def error(camera: Any, point: Any, weight: Any, feature: Any) -> Any:
        seen = turned(camera[:3], point - camera[3:6])
        flat = seen[:2] / seen[2]
        n = m.sum(flat * flat)
        distorted = flat * (1 + n * (camera[9] + n * camera[10]))
        return weight * (distorted * camera[6] + camera[7:9] - feature)

    def f(cameras: Any, points: Any, weights: Any, features: Any, of_camera: Any, of_point: Any) -> Any:
        return lib.jacobians(error, (0, 1, 2))(cameras[of_camera], points[of_point], weights, features)

    random = np.random.default_rng(0)
    cameras, points = max(20, observations // 2000), observations // 5
    numbers = [0.3 * _normal(1, cameras, 3), 0.1 * _normal(2, cameras, 3), random.uniform(0.5, 1.5, (cameras, 5))]
    where = _normal(3, points, 3) + np.array([0.0, 0.0, 10.0])
    of_camera, of_point = random.integers(0, cameras, observations), random.integers(0, points, observations)
    weights, features = random.uniform(0.5, 1.5, observations), _normal(4, observations, 2)
    return Problem(f, (np.concatenate(numbers, 1), where, weights, features, of_camera, of_point), ())


def perceptron(lib: Library, batch: int) -> Problem:
    """The loss of a 784-256-10 perceptron: its gradient is what a training step takes."""
    m = lib.m

    def f(w1: Any, b1: Any, w2: Any, b2: Any, x: Any, hot: Any) -> Any:
        hidden = m.clip(x @ w1 + b1, 0, None)
        scores = hidden @ w2 + b2
        return m.sum(lib.logsumexp(scores, 1) - m.sum(scores * hot, 1)) / batch

    hot = np.eye(10, dtype="f4")[np.arange(batch) % 10]
    w1, w2 = 0.05 * _normal(0, 784, 256, dtype="f4"), 0.05 * _normal(1, 256, 10, dtype="f4")
    x = _normal(2, batch, 784, dtype="f4")
    return Problem(f, (w1, np.zeros(256, "f4"), w2, np.zeros(10, "f4"), x, hot), (0, 1, 2, 3))


@dataclass(frozen=True)
class Case:
    """A problem with its name, and how far ahead of the best peer it should be."""

    name: str
    problem: Callable[[Library], Problem]
    wanted: float
    tolerance: float = 1e-4  # of the largest value: float32 in another order
    without: tuple[str, ...] = ()  # peers that would take minutes
    trains: bool = False  # the arrays are updated by their gradients, in place


def _powers(name: str, problem: Callable[..., Problem], exponents: tuple[int, ...], wanted: float) -> list[Case]:
    return [Case(f"{name}, 10^{e}", partial(problem, size=10**e), wanted) for e in exponents]


CASES = [
    Case("neuron", neuron, 8.0),
    *_powers("transcendental chain", chain, (3, 5, 7), 4.0),
    *_powers("broadcast and reduce", broadcast_reduce, (3, 5, 7), 4.0),
    *[
        Case(f"Gaussian mixture, d={d}, k={k}", partial(mixture, d=d, k=k), 1.0, 1e-9)
        for d, k in ((10, 5), (10, 100), (64, 5), (64, 100))
    ],
    *_powers("logsumexp", logsumexp, (3, 4, 5, 6), 3.0),
    *[
        Case(
            f"LSTM, {n:,} steps",
            partial(lstm, steps=n),
            0.67,
            1e-9,
            ("torch", "torch.compile") if n > 1000 else ("torch.compile",),
        )
        for n in (1000, 8192)
    ],
    *[
        Case(f"bundle adjustment, {n:,} observations", partial(bundle_adjustment, observations=n), 0.67, 1e-9)
        for n in (10_000, 100_000, 500_000)
    ],
    *[Case(f"perceptron, batch {n}", partial(perceptron, batch=n), 3.0 if n == 32 else 1.0) for n in (32, 256)],
    *[
        Case(f"training step of it, batch {n}", partial(perceptron, batch=n), 3.0 if n == 32 else 1.0, trains=True)
        for n in (32, 256)
    ],
]
