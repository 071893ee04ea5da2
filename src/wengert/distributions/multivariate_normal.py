"""The multivariate normal distribution."""

from __future__ import annotations

import math
from typing import Any

from wengert.distributions import constraints
from wengert.distributions.distribution import Distribution
from wengert.distributions.utils import lazy_property
from wengert.functions.creation import eye
from wengert.functions.movement import broadcast_shapes
from wengert.functions.random import randn
from wengert.linalg import cholesky, inv, solve_triangular

__all__ = ["MultivariateNormal"]


class MultivariateNormal(Distribution):
    """``x = loc + L e`` with standard normal ``e``; of ``L L^T`` the covariance, its inverse or ``L`` itself is given.

    Raises:
        ValueError: not exactly one of the three matrices, or one that is not positive definite.

    >>> import wengert as torch
    >>> torch.distributions.MultivariateNormal(torch.zeros(2), torch.eye(2)).log_prob(torch.zeros(2))
    tensor(-1.8379)
    """

    arg_constraints = {  # noqa: RUF012
        "loc": constraints.real_vector,
        "covariance_matrix": constraints.positive_definite,
        "precision_matrix": constraints.positive_definite,
        "scale_tril": constraints.lower_cholesky,
    }
    support = constraints.real_vector
    has_rsample = True
    _parameters = ("loc", "covariance_matrix", "precision_matrix", "scale_tril")

    def __init__(
        self,
        loc: Any,
        covariance_matrix: Any = None,
        precision_matrix: Any = None,
        scale_tril: Any = None,
        validate_args: bool | None = None,
    ) -> None:
        if loc.dim() < 1:
            raise ValueError("loc must be at least one-dimensional.")
        given = {"covariance_matrix": covariance_matrix, "precision_matrix": precision_matrix, "scale_tril": scale_tril}
        named = [(name, matrix) for name, matrix in given.items() if matrix is not None]
        if len(named) != 1:
            raise ValueError("Exactly one of covariance_matrix or precision_matrix or scale_tril may be specified.")
        ((name, matrix),) = named
        if matrix.dim() < 2:
            raise ValueError(f"{name} must be at least two-dimensional, with optional leading batch dimensions")
        batch_shape = broadcast_shapes(matrix.shape[:-2], loc.shape[:-1])
        self.loc = loc.expand((*batch_shape, loc.shape[-1]))
        self.__dict__[name] = matrix.expand((*batch_shape, *matrix.shape[-2:]))
        super().__init__(batch_shape, self.loc.shape[-1:], validate_args=validate_args)
        self._root = scale_tril if scale_tril is not None else _root_of(covariance_matrix, precision_matrix)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        """The same with another batch shape."""
        new = self._expanded(_instance, batch_shape)
        new._root = self._root
        return new

    def _batch_root(self) -> Any:
        n = self._event_shape[0]
        return self._root.expand((*self._batch_shape, n, n))

    @lazy_property
    def scale_tril(self) -> Any:
        """``L``."""
        return self._batch_root()

    @lazy_property
    def covariance_matrix(self) -> Any:
        """``L L^T``."""
        root = self._batch_root()
        return root @ root.mT

    @lazy_property
    def precision_matrix(self) -> Any:
        """The inverse of the covariance."""
        return inv(self.covariance_matrix)

    @property
    def mean(self) -> Any:
        """``loc``."""
        return self.loc

    mode = mean

    @property
    def variance(self) -> Any:
        """The diagonal of the covariance."""
        return self._root.square().sum(-1).expand((*self._batch_shape, *self._event_shape))

    def rsample(self, sample_shape: Any = ()) -> Any:
        """``loc + L e``."""
        e = randn(self._extended_shape(sample_shape), dtype=self.loc.dtype)
        return self.loc + (self._root @ e.unsqueeze(-1)).squeeze(-1)

    def log_prob(self, value: Any) -> Any:
        """``-(k log(2 pi) + |L^-1 (x - loc)|^2) / 2 - log det L``."""
        if self._validate_args:
            self._validate_sample(value)
        lengths = squared_distance(self._root, value - self.loc)
        return -0.5 * (self._event_shape[0] * math.log(2 * math.pi) + lengths) - _half_log_det(self._root)

    def entropy(self) -> Any:
        """``k (1 + log(2 pi)) / 2 + log det L``."""
        entropy = 0.5 * self._event_shape[0] * (1.0 + math.log(2 * math.pi)) + _half_log_det(self._root)
        return entropy.expand(self._batch_shape)


def _root_of(covariance: Any, precision: Any) -> Any:
    """The Cholesky factor of the covariance, or of the inverse of the precision."""
    if covariance is not None:
        return cholesky(covariance)
    # the precision in reverse order has a factor whose inverse, turned around, is that of the covariance
    turned = cholesky(precision.flip((-2, -1))).flip((-2, -1)).mT
    return solve_triangular(turned, eye(precision.shape[-1], dtype=precision.dtype), upper=False)


def _half_log_det(root: Any) -> Any:
    return root.diagonal(dim1=-2, dim2=-1).log().sum(-1)


def squared_distance(root: Any, difference: Any) -> Any:
    """``|L^-1 d|^2`` with broadcast batches."""
    return solve_triangular(root, difference.unsqueeze(-1), upper=False).square().sum((-2, -1))
