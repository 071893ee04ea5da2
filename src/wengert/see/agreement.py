"""How the `.grad` that a tensor holds compares with a gradient that was worked out."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.see.graph import Value
from wengert.see.values import value_text


def disagreement(label: str, value: Value, gradient: Any) -> str | None:
    """What `.grad` of a value says, unless it is the gradient that was worked out."""
    held = value.gradient
    if held is None:
        if value.is_leaf:
            return f"{label}.grad is None: backward() has not been called."
        return f"{label}.grad is None: {label} is no leaf, and retain_grad() was not called."
    if gradient is None:
        return f"{label}.grad = {value_text(held)}."
    a, b = np.asarray(held), np.asarray(gradient)
    if close(a, b):
        return None
    for times in range(2, 10):
        if close(a, times * b):
            return f"{label}.grad = {value_text(held)} is {times} times that: {times} backward passes have added to it."
    return f"{label}.grad = {value_text(held)}: other backward passes have added to it, or it has been changed."


def close(a: Any, b: Any) -> bool:
    """Whether two gradients are one to rounding."""
    if a.shape != b.shape:
        return False
    eps = float(np.finfo(b.dtype).eps) if b.dtype.kind in "fc" else 0.0
    largest = float(np.max(np.abs(b), initial=0.0, where=np.isfinite(b)))
    return bool(np.allclose(a, b, rtol=1e3 * eps, atol=1e2 * eps * largest, equal_nan=True))


__all__ = ["close", "disagreement"]
