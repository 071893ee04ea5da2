"""Whether two results are the same to rounding."""

from __future__ import annotations

from typing import Any

import numpy as np
from translate import array_of, is_tensor, leaves_of

# (relative, absolute) by the precision of the numbers, as PyTorch's own comparisons have them.
_TOLERANCES = {2: (1e-3, 1e-3), 4: (1e-5, 1e-5), 8: (1e-7, 1e-7)}


class DifferentError(Exception):
    """Two results are not the same; the text says where."""


def same(ours: Any, theirs: Any, *, values: bool = True, scale: float = 1.0) -> None:
    """Raise DifferentError unless two results have the same structure, shapes, dtypes and (if asked) values."""
    a, b = leaves_of(ours), leaves_of(theirs)
    if len(a) != len(b):
        raise DifferentError(f"{len(a)} results, not {len(b)}")
    for position, (x, y) in enumerate(zip(a, b, strict=True)):
        where = f"result {position}: " if len(a) > 1 else ""
        if is_tensor(x) is not is_tensor(y):
            raise DifferentError(f"{where}{type(x).__name__}, not {type(y).__name__}")
        if is_tensor(x):
            _same_tensor(x, y, where, values, scale)
        elif values and x != y and not (x != x and y != y) and not np.allclose(x, y):
            raise DifferentError(f"{where}{x!r}, not {y!r}")


def _same_tensor(x: Any, y: Any, where: str, values: bool, scale: float) -> None:
    ours, theirs = array_of(x), array_of(y)
    if ours.shape != theirs.shape:
        raise DifferentError(f"{where}shape {ours.shape}, not {theirs.shape}")
    if ours.dtype != theirs.dtype:
        raise DifferentError(f"{where}{ours.dtype}, not {theirs.dtype}")
    if values:
        close(ours, theirs, where, scale)


def close(ours: Any, theirs: Any, where: str = "", scale: float = 1.0) -> None:
    """Raise DifferentError unless two arrays agree to rounding; NaN equals NaN."""
    if theirs.dtype.kind not in "fc":
        if not np.array_equal(ours, theirs):
            raise DifferentError(f"{where}{_first(ours, theirs, ours != theirs)}")
        return
    size = theirs.dtype.itemsize // (2 if theirs.dtype.kind == "c" else 1)
    relative, absolute = _TOLERANCES[size]
    with np.errstate(all="ignore"):
        wrong = ~np.isclose(ours, theirs, rtol=relative * scale, atol=absolute * scale, equal_nan=True)
    if wrong.any():
        raise DifferentError(f"{where}{_first(ours, theirs, wrong)}")


def _first(ours: Any, theirs: Any, wrong: Any) -> str:
    index = tuple(int(i) for i in np.argwhere(np.atleast_1d(wrong))[0])
    place = f" at {list(index)}" if theirs.ndim else ""
    x, y = np.atleast_1d(ours)[index], np.atleast_1d(theirs)[index]
    return f"{x} instead of {y}{place} ({int(np.sum(wrong))} of {np.size(wrong)} differ)"
