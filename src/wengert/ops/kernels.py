"""Checks of dtypes in the words of PyTorch's kernels, and float16 computed in float32."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import numpy as np

from wengert.ops.checks import Check, category, type_name


def takes(kernel: str, kinds: str = "f") -> Check:
    """Make a check that raises unless the highest category among the inputs is one of ``kinds`` (of ``i f c``)."""
    taken = ["bifc".index(kind) for kind in kinds]

    def check(name: str, raws: Sequence[Any]) -> None:
        highest = max(raws, key=category)
        if category(highest) not in taken:
            raise NotImplementedError(
                f"\"{kernel}\" not implemented for '{type_name(highest)}': {name} needs a floating-point tensor. "
                "Convert the input first, for example with .float()"
            )

    return check


def in_float32(impl: Callable[..., Any]) -> Callable[..., Any]:
    """Make an implementation compute float16 in float32, as PyTorch's kernels do."""

    @wraps(impl)
    def computed(x: Any, *others: Any, **meta: Any) -> Any:
        if x.dtype.char != "e":
            return impl(x, *others, **meta)
        wide = [a.astype(np.float32) if getattr(a, "dtype", None) == np.float16 else a for a in others]
        return impl(x.astype(np.float32), *wide, **meta).astype(np.float16)

    return computed
