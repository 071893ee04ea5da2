"""The special functions that SciPy computes: the one place that loads it, when one of them is first called."""

from __future__ import annotations

import importlib
from functools import cache
from typing import Any


@cache
def _function(name: str) -> Any:
    try:
        module = importlib.import_module("scipy.special")
    except ImportError:
        raise ImportError(
            f"this function is computed by scipy.special.{name}, and SciPy is not installed: run "
            "pip install 'wengert[scipy]'"
        ) from None
    return getattr(module, name)


def by_scipy(name: str) -> Any:
    """The function of ``scipy.special``, which keeps float32; float16 is computed in float32."""

    def compute(*inputs: Any) -> Any:
        half = any([getattr(x, "dtype", None) is not None and x.dtype.char == "e" for x in inputs])
        y = _function(name)(*[x.astype("f") if half and hasattr(x, "astype") else x for x in inputs])
        return y.astype("e") if half else y

    return compute
