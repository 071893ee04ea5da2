"""Gradients against finite differences: which elements differ, and in which simple way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from wengert.testing._numeric import derivative, directions, inner, moved

_STEP = 2e-3  # for float64; the rounding errors of coarser types ask for larger steps
_TOLERANCE = 2e-8
_ELEMENTS = 64  # inputs with more elements move as a whole, along random directions

Loss = Callable[[Any], Any]


def against_differences(
    loss: Loss, x: Any, gradient: Any, eps: float, scale: float
) -> Iterator[tuple[Any, float, float]]:
    """Triples of where, the gradient there and what finite differences say, where the two differ.

    Args:
        loss: the function of ``x`` that ``gradient`` belongs to.
        x: the value to move.
        gradient: the gradient to judge.
        eps: the rounding error of the results that the loss is made of.
        scale: how large the terms of the loss are.
    """
    step = _STEP * (eps / 2.2e-16) ** 0.25
    tolerance = _TOLERANCE * (eps / 2.2e-16) ** 0.5
    noise = 100 * eps * scale / step
    for where, move, said in _moves(x, gradient):
        found = derivative(lambda h, move=move: loss(move(h)), step)  # type: ignore[misc]
        if found != found:  # the function itself is nan there
            continue
        if not abs(said - found) <= tolerance * max(abs(found), abs(said), 1.0) + noise:
            yield where, float(said), float(found)


def _moved_at(x: Any, index: Any, unit: complex, h: float) -> Any:
    return moved(x, index, h * unit)


def _moves(x: Any, gradient: Any) -> Iterator[tuple[Any, Callable[[float], Any], Any]]:
    if x.size <= _ELEMENTS:
        for index, unit in directions(x):
            yield (index, unit), partial(_moved_at, x, index, unit), inner(gradient[index], unit)
        return
    rng = np.random.default_rng(x.size)
    for number in range(3):
        d = rng.standard_normal(x.shape) + (1j * rng.standard_normal(x.shape) if x.dtype.kind == "c" else 0.0)
        yield f"random direction {number}", lambda h, d=d: x + h * d, inner(gradient, d)  # type: ignore[misc]


def described(wrong: Sequence[tuple[Any, float, float]]) -> str:
    """Words for the differences that :func:`against_differences` found in one input."""
    where, said, found = max(wrong, key=lambda one: abs(one[1] - one[2]))
    text = f"{_place(where)} is {said:.10g}, finite differences give {found:.10g} ({len(wrong)} differ{_hint(wrong)})"
    return text.replace("np.float64", "")


def _place(where: Any) -> str:
    if isinstance(where, str):
        return f"along {where}"
    index, unit = where
    part = ", imaginary part," if unit == 1.0j else ""
    return f"at {list(index)}{part}" if index else f"of the 0-d value{part}"


def _hint(wrong: Sequence[tuple[Any, float, float]]) -> str:
    if all(said == 0 for _, said, _ in wrong):
        return ": all are zero, as when a rule uses raw data or a constant"
    if all(isinstance(where, tuple) and where[1] == 1.0j and abs(said + found) < 1e-6 for where, said, found in wrong):
        return ": only the imaginary parts, by their sign, as when a conjugate is missing"
    factors = [said / found for _, said, found in wrong if found]
    if len(factors) > 1 and max(factors) - min(factors) < 1e-6 * abs(factors[0]):
        return f": all by the factor {factors[0]:.6g}"
    return ""
