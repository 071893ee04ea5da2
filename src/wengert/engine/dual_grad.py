"""Gradients of dual tensors: reverse mode inside forward mode.

The gradient of ``<v, y>`` by ``x`` is a function of what ``x`` stands for, so it has a tangent: the gradient of
``<v, y'>`` plus that of ``<v', y>``, where a prime marks a tangent. Both come out of one more sweep, over the graph
that computing the tangents has recorded. So no rule has to run on duals, and without ``create_graph`` none on tensors.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.engine.backward import run_grad
from wengert.engine.base import is_tracking, wrap
from wengert.engine.leveled import dual, innermost, split


def gradients(
    outputs: Sequence[Any],
    inputs: Sequence[Any],
    cotangents: Sequence[Any],
    *,
    retain_graph: bool,
    create_graph: bool,
    allow_unused: bool,
) -> list[Any]:
    """:func:`wengert.engine.backward.run_grad`, for tensors any of which may be dual."""
    level = innermost([*outputs, *inputs, *cotangents])
    if level is None:
        return run_grad(
            outputs,
            inputs,
            cotangents,
            retain_graph=retain_graph,
            create_graph=create_graph,
            allow_unused=allow_unused,
        )
    ys = [split(y, level) for y in outputs]
    vs = [split(v, level) for v in cotangents]
    xs = [split(x, level)[0] for x in inputs]
    options: dict[str, Any] = {"create_graph": create_graph}
    plain = gradients(
        [y for y, _ in ys], xs, [v for v, _ in vs], retain_graph=True, allow_unused=allow_unused, **options
    )
    roots = []
    for (y, ty), (v, tv) in zip(ys, vs, strict=True):
        if ty is not None and is_tracking(ty):
            roots.append((ty, _ones(y) if v is None else v))
        if tv is not None and is_tracking(y):
            roots.append((y, tv))
    if not roots:
        return plain
    tangents = gradients(
        [y for y, _ in roots], xs, [v for _, v in roots], retain_graph=retain_graph, allow_unused=True, **options
    )
    return [g if g is None or t is None else dual(level, g, t) for g, t in zip(plain, tangents, strict=True)]


def _ones(y: Any) -> Any:
    return wrap(np.ones(y._data.shape, y._data.dtype))
