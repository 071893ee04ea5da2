"""Whether raw values are finite, and where they are not.

Knows arrays and numbers. Knows no graph.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def first_bad(raw: Any) -> tuple[int, ...] | None:
    """The index of the first element that is NaN, or else infinite; None if all are finite."""
    array = np.asarray(raw)
    if array.dtype.kind not in "fc" or np.isfinite(array).all():
        return None
    wrong = np.isnan(array)
    if not wrong.any():
        wrong = ~np.isfinite(array)
    return tuple([int(i) for i in np.unravel_index(int(np.argmax(wrong)), wrong.shape)])


def is_bad(raw: Any) -> bool:
    """Whether a raw value has an element that is NaN or infinite."""
    if isinstance(raw, (float, np.floating)):  # most of a graph of 0-d values, quickly; a NumPy float64 is a float
        return not math.isfinite(raw)
    if isinstance(raw, np.ndarray):
        return raw.dtype.kind in "fc" and not np.isfinite(raw).all()
    return raw is not None and first_bad(raw) is not None


__all__ = ["first_bad", "is_bad"]
