"""The programs of :mod:`benchmarks.transforms` in JAX: each operation by itself, and compiled as a whole (``jit``)."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np

Step = Callable[[], tuple[Any, ...]]
Program = Callable[[Any], tuple[Callable[..., Any], tuple[Any, ...]]]


def installed() -> bool:
    """Whether there is a JAX to time."""
    return importlib.util.find_spec("jax") is not None


def steps(program: Program) -> dict[str, Step]:
    """The steps of a program, by the way in which JAX runs it; with 64 bits, which the other libraries have anyway."""
    jax = importlib.import_module("jax")
    jax.config.update("jax_enable_x64", True)
    function, arguments = program(jax)

    def step(function: Callable[..., Any]) -> Step:
        return lambda: tuple(jax.tree.leaves(jax.block_until_ready(function(*arguments))))

    return {"JAX": step(function), "JAX, jit": step(jax.jit(function))}


def _vector(jax: Any, size: int, seed: int = 0) -> Any:
    return jax.numpy.asarray(np.random.default_rng(seed).standard_normal(size))


def _rosenbrock(x: Any) -> Any:
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def hessian_vector(jax: Any) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    return lambda x, v: jax.jvp(jax.grad(_rosenbrock), (x,), (v,))[1], (_vector(jax, 200), _vector(jax, 200, 1))


def whole_hessian(jax: Any) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    return jax.hessian(_rosenbrock), (_vector(jax, 200),)


def per_sample_gradients(jax: Any) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    random, numpy = np.random.default_rng(0), jax.numpy
    # JAX gives the leaves of a dict in the order of its keys, the others in that of the dict: hence a tuple.
    w1, b1 = numpy.asarray(random.standard_normal((64, 32)) * 0.1), numpy.zeros(64)
    w2, b2 = numpy.asarray(random.standard_normal((10, 64)) * 0.1), numpy.zeros(10)
    rows, labels = numpy.asarray(random.standard_normal((128, 32))), numpy.asarray(random.integers(0, 10, 128))

    def loss(p: tuple[Any, ...], x: Any, label: Any) -> Any:
        return -jax.nn.log_softmax(p[2] @ numpy.tanh(p[0] @ x + p[1]) + p[3])[label]

    return jax.vmap(jax.grad(loss), in_axes=(None, 0, 0)), ((w1, b1, w2, b2), rows, labels)


def stencil_jacobian(jax: Any) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    rows = jax.jacrev(lambda x: x[2:] - 2 * x[1:-1] + x[:-2] + jax.numpy.sin(x[1:-1]))
    return rows, (_vector(jax, 400),)
