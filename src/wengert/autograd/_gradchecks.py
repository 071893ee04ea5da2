"""The single checks that `gradcheck` is made of; each raises :class:`GradcheckError`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from wengert.autograd._jacobians import Array, Function, pulled, random_like
from wengert.autograd._mismatch import GradcheckError, close, mismatch
from wengert.autograd.api import grad
from wengert.engine.base import array_of, wrap


@dataclass(frozen=True)
class Settings:
    """Step, tolerances, and which checks to make."""

    eps: float
    atol: float
    rtol: float
    nondet_tol: float
    fast_mode: bool
    undefined: bool
    dtypes: bool
    batched: bool
    forward: bool
    batched_forward: bool
    backward: bool


def check_all(function: Function, settings: Settings) -> None:
    """All checks that are asked for."""
    if not function.outputs:
        check_constant(function, settings.eps)
        return
    check = check_at_random if settings.fast_mode else check_every_element
    if settings.forward:
        check_forward(function, settings)
    if settings.batched_forward:
        check_batched_forward(function)
    if not settings.backward:
        return
    check(function, settings)
    check_zero_cotangent(function)
    if settings.undefined:
        check_undefined(function)
    if settings.dtypes:
        check_dtypes(function)
    if settings.batched:
        check_batched(function)


def check_every_element(function: Function, settings: Settings) -> None:
    """All elements of all Jacobians, and that a second pass gives the same."""
    for i in function.tracked:
        for k, n in enumerate(function.by_differences(i, settings.eps)):
            _check_jacobian(function, i, k, n, settings)


def _check_jacobian(function: Function, i: int, k: int, n: Array, settings: Settings) -> None:
    a = function.by_backward(i, function.outputs[k])
    wrong = ~close(a, n, settings.atol, settings.rtol)
    if wrong.any():
        raise mismatch(function, i, k, a, n, wrong)
    again = function.by_backward(i, function.outputs[k])
    if np.abs(again - a).max(initial=0.0) > settings.nondet_tol:
        raise _not_reentrant(function, i, k, np.abs(again - a).max(), settings)


def _not_reentrant(function: Function, i: int, k: int, difference: Any, settings: Settings) -> GradcheckError:
    return GradcheckError(
        "Backward is not reentrant, i.e., running backward with same input and grad_output multiple times gives "
        f"different values, although analytical gradient matches numerical gradient. Output {function.chosen[k]} and "
        f"input {i}: the largest difference is {float(difference):.3g}, and nondet_tol is {settings.nondet_tol}."
    )


def check_at_random(function: Function, settings: Settings) -> None:
    """One random combination of the elements of each Jacobian; where that is wrong, all elements."""
    for i in function.tracked:
        x = array_of(function.inputs[i])
        u = random_like(x, seed=i)
        for k, (output, slope) in enumerate(
            zip(function.outputs, function.difference(i, u, settings.eps), strict=True)
        ):
            v = random_like(array_of(output), seed=100 + k)
            n = np.sum((np.conj(v) * slope).real)
            first, second = [np.sum((np.conj(pulled(output, function.inputs[i], v)) * u).real) for _ in range(2)]
            if not close(first, n, settings.atol, settings.rtol):
                _check_jacobian(function, i, k, function.by_differences(i, settings.eps)[k], settings)
                raise GradcheckError(
                    f"Jacobian mismatch for output {function.chosen[k]} with respect to input {i},\nnumerical:{n}\n"
                    f"analytical:{first}\nThese are random combinations of the elements (fast mode), of which each by "
                    "itself is within the tolerances."
                )
            if abs(second - first) > settings.nondet_tol:
                raise _not_reentrant(function, i, k, abs(second - first), settings)


def check_forward(function: Function, settings: Settings) -> None:
    """Forward mode against differences: all elements, or (in fast mode) one random direction of each input."""
    for i in function.tracked:
        if settings.fast_mode:
            u = random_like(array_of(function.inputs[i]), seed=i)
            pairs = zip(function.pushed(i, u), function.difference(i, u, settings.eps), strict=True)
            if all([close(a, n, settings.atol, settings.rtol).all() for a, n in pairs]):
                continue
        found = zip(function.by_forward(i), function.by_differences(i, settings.eps), strict=True)
        for k, (a, n) in enumerate(found):
            wrong = ~close(a, n, settings.atol, settings.rtol)
            if wrong.any():
                raise mismatch(function, i, k, a, n, wrong, mode="forward")


def check_batched_forward(function: Function) -> None:
    """Several tangents at once give what single ones give."""
    for i in function.tracked:
        x = array_of(function.inputs[i])
        changes = [random_like(x, seed) for seed in (1, 2)]
        single = [np.stack(parts) for parts in zip(*[function.pushed(i, t) for t in changes], strict=True)]
        for k, (batch, one) in enumerate(zip(function.pushed_batch(i, np.stack(changes)), single, strict=True)):
            if not np.allclose(batch, one, equal_nan=True):
                raise GradcheckError(
                    f"Batched tangents of output {function.chosen[k]} for input {i} are {wrap(batch)}, one by one they "
                    f"are {wrap(one)}: vmap of forward mode is wrong"
                )


def check_zero_cotangent(function: Function) -> None:
    """No gradient where there is no cotangent: backward must be linear in it."""
    for k, output in enumerate(function.outputs):
        for i in function.tracked:
            g = pulled(output, function.inputs[i], np.zeros_like(array_of(output)))
            if g.any():
                raise GradcheckError(
                    f"backward not multiplied by grad_output: a cotangent of zeros for output {function.chosen[k]} "
                    f"gives the gradient {wrap(g)} for input {i}"
                )


def check_undefined(function: Function) -> None:
    """A result without a cotangent counts as one with a cotangent of zeros."""
    if len(function.outputs) < 2:
        return
    xs = [function.inputs[i] for i in function.tracked]
    for k, output in enumerate(function.outputs):
        gs = [
            random_like(array_of(y), seed=j) if j == k else np.zeros_like(array_of(y))
            for j, y in enumerate(function.outputs)
        ]
        with_zeros = _pull_all(function.outputs, xs, gs)
        without = _pull_all([output], xs, [gs[k]])
        for i, a, b in zip(function.tracked, with_zeros, without, strict=True):
            if not np.array_equal(a, b, equal_nan=True):
                raise GradcheckError(
                    "Expected backward function to handle undefined output grads: with a cotangent for output "
                    f"{function.chosen[k]} alone the gradient of input {i} is {wrap(b)}, with zeros for the others "
                    f"{wrap(a)}"
                )


def _pull_all(outputs: Sequence[Any], xs: Sequence[Any], gs: Sequence[Array]) -> list[Array]:
    found = grad(outputs, xs, [wrap(g) for g in gs], retain_graph=True, allow_unused=True)
    return [np.zeros_like(array_of(x)) if g is None else array_of(g) for g, x in zip(found, xs, strict=True)]


def check_dtypes(function: Function) -> None:
    """Gradients have the dtype of their input."""
    for output in function.outputs:
        for i in function.tracked:
            x = function.inputs[i]
            (g,) = grad(output, x, wrap(np.ones_like(array_of(output))), retain_graph=True, allow_unused=True)
            if g is not None and g.dtype is not x.dtype:
                raise GradcheckError(f"Gradient has the dtype {g.dtype} for input {i}, whose dtype is {x.dtype}")


def check_batched(function: Function) -> None:
    """``is_grads_batched`` gives what single passes give."""
    for k, output in enumerate(function.outputs):
        gs = [random_like(array_of(output), seed) for seed in (1, 2)]
        for i in function.tracked:
            x = function.inputs[i]
            (batch,) = grad(output, x, wrap(np.stack(gs)), retain_graph=True, allow_unused=True, is_grads_batched=True)
            single = np.stack([pulled(output, x, g) for g in gs])
            if batch is not None and not np.allclose(array_of(batch), single):
                raise GradcheckError(
                    f"Batched gradients of output {function.chosen[k]} for input {i} are {batch}, one by one they are "
                    f"{wrap(single)}"
                )


def check_constant(function: Function, eps: float) -> None:
    """Results that are not tracked do not depend on tracked inputs."""
    function.choose_all()
    for i in function.tracked:
        for number, change in enumerate(function.directions(i)):
            for k, slope in zip(function.chosen, function.difference(i, change, eps), strict=True):
                if slope.any():
                    raise GradcheckError(
                        f"Numerical gradient for function expected to be zero: output {k} does not require grad, and "
                        f"it changes with element {number} of input {i}. Is something detached on the way?"
                    )
