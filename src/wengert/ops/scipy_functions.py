"""The special functions that SciPy computes; it is loaded when one of them is first called."""

from __future__ import annotations

from functools import cache
from typing import Any

from wengert._scipy import scipy_module


@cache
def _function(name: str) -> Any:
    return getattr(scipy_module("special", f"{name} as wengert has it"), name)


def by_scipy(name: str) -> Any:
    """The function of ``scipy.special``, which keeps float32; float16 is computed in float32."""

    def compute(*inputs: Any) -> Any:
        half = any([getattr(x, "dtype", None) is not None and x.dtype.char == "e" for x in inputs])
        y = _function(name)(*[x.astype("f") if half and hasattr(x, "astype") else x for x in inputs])
        return y.astype("e") if half else y

    return compute
