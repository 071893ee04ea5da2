"""Inputs and tables that test modules have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

Function = Callable[..., Any]


def r(*shape: int, dtype: str = "float64") -> np.ndarray:
    """Normal numbers, the same for each shape in every run; complex ones for a complex dtype."""
    rng = np.random.default_rng([1, *shape])
    x = rng.standard_normal(shape)
    return np.asarray(x + 1j * rng.standard_normal(shape) if dtype.startswith("complex") else x).astype(dtype)


def table(cases: dict[str, Any]) -> Any:
    """Run a test for each case, by its name, as the argument ``f``."""
    return pytest.mark.parametrize("f", cases.values(), ids=cases)
