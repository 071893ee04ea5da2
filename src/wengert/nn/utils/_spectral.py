"""What both forms of spectral normalisation need of a weight. Knows no module's parameters and no hooks."""

from __future__ import annotations

from typing import Any

from wengert.nn import functional as F
from wengert.nn.modules.conv import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d

__all__ = ["as_rows", "check_iterations", "output_dim", "unit_vector"]


def check_iterations(number: int) -> None:
    """Raise unless there are power iterations.

    Raises:
        ValueError: there are none.
    """
    if number <= 0:
        raise ValueError(f"Expected n_power_iterations to be positive, but got n_power_iterations={number}")


def output_dim(module: Any, dim: int | None) -> int:
    """The dimension of the weight that counts a layer's outputs, unless another is given."""
    if dim is not None:
        return dim
    return 1 if isinstance(module, (ConvTranspose1d, ConvTranspose2d, ConvTranspose3d)) else 0


def as_rows(weight: Any, dim: int) -> Any:
    """The weight as a matrix, with ``dim`` for its rows."""
    return weight.movedim(dim, 0).flatten(1)


def unit_vector(matrix: Any, size: int, eps: float) -> Any:
    """A random vector of length 1, of the matrix's dtype."""
    return F.normalize(matrix.new_empty(size).normal_(0, 1), dim=0, eps=eps)
