"""Small kernels for the tests of machine code, and how far results are from exact ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import mpmath
import numpy as np

from wengert.compile.nest import Buffer, Compute, Kernel, Load, Loop, Role, Store, at
from wengert.compile.runtime.build import CompiledKernel, build

EXACT_BITS = 160
FINITE = {"f4": np.float32, "f8": np.float64}


def pointwise(op: str, dtype: str, inputs: int = 1, result: str | None = None, **meta: Any) -> CompiledKernel:
    """The kernel ``y[i] = op(x0[i], x1[i], ...)``."""
    result = result or dtype
    names = [f"x{k}" for k in range(inputs)]
    body = (
        *[Load(f"v{k}", name, (at("i"),)) for k, name in enumerate(names)],
        Compute("r", op, tuple(f"v{k}" for k in range(inputs)), result, tuple(meta.items())),
        Store("y", (at("i"),), "r"),
    )
    buffers = [Buffer(name, dtype, ("n",), Role.IN) for name in names] + [Buffer("y", result, ("n",), Role.OUT)]
    return build(Kernel(op, tuple(buffers), (Loop("i", "n", body),)))


def errors(got: Sequence[Any], exact: Sequence[Any], dtype: str) -> np.ndarray[Any, Any]:
    """The distances of results from exact values (mpmath numbers), in units in the last place of these.

    What overflows in the dtype may be infinite or the largest number; NaN where a number should be counts as infinite.
    """
    kind = FINITE[dtype]
    result = np.zeros(len(got))
    for i, (y, e) in enumerate(zip(got, exact, strict=True)):
        e = e if abs(e) > mpmath.mpf("1e-400") else mpmath.mpf(0)
        rounded = (
            kind(float(e)) if abs(e) < float(np.finfo(kind).max) * (1 + 1e-9) else kind(np.copysign(np.inf, float(e)))
        )
        if np.isinf(rounded):
            largest = abs(y) == np.finfo(kind).max
            result[i] = 0.0 if y == rounded or (largest and np.sign(y) == np.sign(rounded)) else np.inf
        elif not np.isfinite(y):
            result[i] = np.inf
        else:
            result[i] = float(abs(mpmath.mpf(float(y)) - e) / mpmath.mpf(float(np.spacing(np.abs(rounded)))))
    return result


def exact_values(function: Callable[[Any], Any], x: np.ndarray[Any, Any]) -> list[Any]:
    """The function of each element at 160 bits."""
    with mpmath.workprec(EXACT_BITS):
        return [function(mpmath.mpf(float(v))) for v in x]
