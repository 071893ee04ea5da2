"""Values of a graph in few words: a number, a short list, or shape and statistics."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from wengert.see.notation import Writer
from wengert.see.numerals import short_number

_SHORT: Final = 6  # elements that are written out


def value_text(raw: Any) -> str:
    """A number, the elements of a short vector, or shape, range and mean of anything larger."""
    array = np.asarray(raw)
    if not array.ndim:
        return short_number(array[()])
    if array.ndim <= 2 and 0 < array.size <= _SHORT:
        return _listed(array)
    return f"{array.dtype}{list(array.shape)}{_statistics(array)}"


def _listed(array: Any) -> str:
    parts = [_listed(part) if part.ndim else short_number(part) for part in array]
    return f"[{', '.join(parts)}]"


def _statistics(array: Any) -> str:
    if array.dtype.kind not in "fiu" or not array.size:
        return ""
    finite = array[np.isfinite(array)] if array.dtype.kind == "f" else array
    if not finite.size:
        return ", none finite"
    low, high, mean = finite.min(), finite.max(), finite.mean(dtype=np.float64)
    text = f", {short_number(low)} to {short_number(high)}, mean {short_number(mean)}"
    bad = array.size - finite.size
    return f"{text}, {bad} not finite" if bad else text


def side_of(raw: Any) -> Any:
    """A value as a side of an equation."""
    text = value_text(raw)
    is_words = "mean" in text or "finite" in text

    def side(writer: Writer) -> str:
        return writer.prose(text) if is_words else writer.constant(text)

    return side


__all__ = ["side_of", "value_text"]
