"""What the functions of ``torch.linalg`` ask of their matrices, with PyTorch's words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from wengert.functions.operands import same_dtype
from wengert.functions.options import require_tensor, type_name

__all__ = ["LinAlgError", "accurate", "floats", "matrices", "second_operand", "singular", "square_matrices"]


class LinAlgError(RuntimeError):
    """A matrix for which there is no answer: singular, or not positive definite; or an iteration that did not end."""


def matrices(function: str, value: Any, name: str = "A", *, said: str = "linalg.") -> Any:
    """The raw value of a tensor of matrices.

    Raises:
        TypeError: no tensor.
        RuntimeError: fewer than two dimensions.
    """
    raw = require_tensor(f"{said.replace('.', '_')}{function}", value, name)._data
    if raw.ndim < 2:
        raise RuntimeError(f"{said}{function}: The input tensor {name} must have at least 2 dimensions.")
    return raw


def second_operand(function: str, a: Any, B: Any, name: str = "B") -> Any:  # noqa: N803
    """The raw value of what stands beside matrices in an equation.

    Raises:
        TypeError: no tensor.
        RuntimeError: another dtype, or no dimensions.
    """
    b = getattr(B, "_data", None)
    if b is None:
        raise TypeError(f"linalg_{function}(): argument '{name}' must be Tensor, not {type(B).__name__}")
    said = "to have the same dtype, but found A of type {} and"
    same_dtype(f"linalg.{function}: Expected A and {name} {said} {name} of type {{}} instead", a, b)
    if b.ndim == 0:
        raise RuntimeError(f"linalg.{function}: {name} must have at least 1 dimension")
    return b


def floats(function: str, raw: Any, *, said: str = "linalg.") -> None:
    """Raise unless the dtype is floating point or complex, and not of half precision, which LAPACK does not have."""
    if raw.dtype.kind not in "fc":
        raise RuntimeError(
            f"{said}{function}: Expected a floating point or complex tensor as input. Got {type_name(raw.dtype)}; "
            "convert it, for example with .to(torch.float32)"
        )
    accurate(function, raw, said=said)


def accurate(function: str, raw: Any, *, said: str = "linalg.") -> None:
    """Raise for half precision, in which no factorisation is computed."""
    if raw.dtype.char == "e":
        raise RuntimeError(f"{said}{function}: Low precision dtypes not supported. Got Half; use .float()")


def square_matrices(function: str, value: Any, name: str = "A", *, said: str = "linalg.") -> Any:
    """As :func:`matrices`, of square floating-point or complex matrices."""
    raw = matrices(function, value, name, said=said)
    floats(function, raw, said=said)
    if raw.shape[-1] != raw.shape[-2]:
        raise RuntimeError(
            f"{said}{function}: {name} must be batches of square matrices, but they are {raw.shape[-2]} by "
            f"{raw.shape[-1]} matrices"
        )
    return raw


@contextmanager
def singular(text: str) -> Iterator[None]:
    """Turn NumPy's error of a matrix for which there is no answer into PyTorch's."""
    try:
        yield
    except np.linalg.LinAlgError:
        raise LinAlgError(text) from None
