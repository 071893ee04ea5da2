"""SciPy, which the extra ``[scipy]`` brings: the one place that loads it. Knows its methods by their names only."""

from __future__ import annotations

import importlib
from typing import Any, Final

__all__ = ["ROOTS_WITH_JACOBIAN", "WITHOUT_GRADIENT", "scipy_module"]

# Of scipy.optimize: methods of minimize that take no gradient, methods of root that take a Jacobian.
WITHOUT_GRADIENT: Final = frozenset({"nelder-mead", "powell", "cobyla", "cobyqa"})
ROOTS_WITH_JACOBIAN: Final = frozenset({"hybr", "lm"})


def scipy_module(name: str, user: str) -> Any:
    """The module ``scipy.<name>``; ``user`` says who needs it.

    Raises:
        ImportError: SciPy is not installed.
    """
    try:
        return importlib.import_module(f"scipy.{name}")
    except ImportError as error:
        raise ImportError(
            f"{user} needs scipy.{name}, and SciPy is not installed: run pip install 'wengert[scipy]'"
        ) from error
