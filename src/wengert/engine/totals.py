"""Sums of cotangents in memory of their own: what arrives later is added there, and that of a part only to the part.

The transpose of taking a part of a value (``x[1:]``, ``x.diagonal()``) puts a cotangent among zeros. Where a total
exists already, the same is to add it to that part of the total, which spares the zeros and a sum of whole values. Which
part is said by the operation itself, applied to the total.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert._batched import Batched
from wengert._fpenv import run_by_rows
from wengert.ops.record import Op
from wengert.spaces.batching import evaluate


def is_own(x: Any, g: Any) -> bool:
    """Whether a cotangent that the rule of a view operation made of ``g`` has memory that nobody else knows.

    Such a rule saves no values, so what is not in the memory of ``g`` is new.
    """
    array, given = getattr(x, "array", x), getattr(g, "array", g)
    return array is not given and array.__class__ is np.ndarray and array.base is None and array.flags.writeable


def added(total: Any, x: Any) -> bool:
    """Whether ``x`` could be added to ``total`` in place, and so was."""
    if total.__class__ is not x.__class__ or total.shape != x.shape or total.dtype != x.dtype:
        return False
    if total.__class__ is Batched:
        if total.axes != x.axes:
            return False
        total, x = total.array, x.array
    elif total.__class__ is not np.ndarray:
        return False
    np.add(total, x, out=total)
    return True


def added_to_part(op: Op, total: Any, g: Any, meta: dict[str, Any]) -> bool:
    """Whether ``g``, the cotangent of the part that ``op`` takes of a value, could be added to the total, and was."""
    if total.__class__ is not g.__class__:
        return False
    part = evaluate(op, (total,), meta)
    if part.__class__ is Batched:
        if part.axes != g.axes:
            return False
        total, part, g = total.array, part.array, g.array
    if part.base is not total or part.shape != g.shape or part.dtype != g.dtype or not names_each_once(part):
        return False
    run_by_rows(np.add, part, g, out=part)
    return True


def names_each_once(view: Any) -> bool:
    """Whether no two elements of a view are known to be one in memory: each stride steps over all that is finer."""
    reach = 0
    for stride, n in sorted([(abs(stride), n) for stride, n in zip(view.strides, view.shape, strict=True) if n > 1]):
        if stride <= reach:
            return False
        reach += stride * (n - 1)
    return True


__all__ = ["added", "added_to_part", "is_own", "names_each_once"]
