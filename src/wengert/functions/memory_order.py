"""Random numbers in the order in which PyTorch draws them: memory is filled from front to back.

Which number of a seed an element gets depends on its place in memory, so for a transposed tensor and the like the
numbers are drawn for the axes in the order of their steps. (Inside ``vmap`` they follow the indices.)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert._dtypes import NumpyDtype
from wengert._traced import Traced, layout_of

_FRACTIONS = np.dtype(np.float64)


def is_reordered(raw: Any) -> bool:
    """Whether the elements of ``raw`` lie in memory in another order than that of their indices."""
    if isinstance(raw, Traced):
        raw = layout_of(raw)
    if raw.__class__ is not np.ndarray or raw.flags.c_contiguous:
        return False
    return all([step or size == 1 for step, size in zip(raw.strides, raw.shape, strict=True)])  # is none repeated?


def laid_out(raw: Any, draw: Callable[[tuple[int, ...]], Any]) -> Any:
    """What ``draw`` gives for the shape of ``raw``, in the order of its memory."""
    if not is_reordered(raw):
        return draw(raw.shape)
    lying: Any = layout_of(raw)
    strides = lying.strides
    order = sorted(range(raw.ndim), key=lambda dim: -abs(strides[dim]))
    return draw(tuple([raw.shape[dim] for dim in order])).transpose(np.argsort(order).tolist())


def fractions_like(raw: Any, stream: Any) -> Any:
    """Numbers in [0, 1), in double precision."""
    return laid_out(raw, lambda shape: stream.uniform(shape, _FRACTIONS))


def normals_like(raw: Any, stream: Any, dtype: NumpyDtype) -> Any:
    """Standard normal numbers: in PyTorch, groups of sixteen where they lie in order and pairs where they do not."""
    if not is_reordered(raw) or dtype.kind == "c":
        return laid_out(raw, lambda shape: stream.normal(shape, dtype))
    return laid_out(raw, stream.normal_pairs).astype(dtype)
