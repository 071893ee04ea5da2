"""The Laplace distribution."""

from __future__ import annotations

import math
from typing import Any

from wengert.distributions import constraints
from wengert.distributions.distribution import Distribution
from wengert.distributions.utils import broadcast_all, uniform_inside

__all__ = ["Laplace"]


class Laplace(Distribution):
    """``p(x) = exp(-|x - loc| / scale) / (2 scale)``.

    Raises:
        ValueError: a scale that is not positive.

    >>> import wengert as torch
    >>> torch.distributions.Laplace(0.0, 1.0).log_prob(torch.tensor(0.0))
    tensor(-0.6931)
    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}  # noqa: RUF012
    support = constraints.real
    has_rsample = True
    _parameters = ("loc", "scale")

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        self.loc, self.scale = broadcast_all(loc, scale)
        super().__init__(self.loc.shape, validate_args=validate_args)

    @property
    def mean(self) -> Any:
        """``loc``."""
        return self.loc

    mode = mean

    @property
    def variance(self) -> Any:
        """``2 scale^2``."""
        return 2 * self.scale.square()

    @property
    def stddev(self) -> Any:
        """``sqrt(2) scale``."""
        return math.sqrt(2) * self.scale

    def rsample(self, sample_shape: Any = ()) -> Any:
        """The inverse of the distribution function at uniform numbers."""
        u = 2 * uniform_inside(self._extended_shape(sample_shape), self.loc) - 1
        return self.loc - self.scale * u.sign() * (-u.abs()).log1p()

    def log_prob(self, value: Any) -> Any:
        """``-log(2 scale) - |x - loc| / scale``."""
        if self._validate_args:
            self._validate_sample(value)
        return -(2 * self.scale).log() - (value - self.loc).abs() / self.scale

    def cdf(self, value: Any) -> Any:
        """``1/2 - sign(x - loc) expm1(-|x - loc| / scale) / 2``."""
        if self._validate_args:
            self._validate_sample(value)
        return 0.5 - 0.5 * (value - self.loc).sign() * (-(value - self.loc).abs() / self.scale).expm1()

    def icdf(self, value: Any) -> Any:
        """``loc - scale sign(u - 1/2) log1p(-2 |u - 1/2|)``."""
        term = value - 0.5
        return self.loc - self.scale * term.sign() * (-2 * term.abs()).log1p()

    def entropy(self) -> Any:
        """``1 + log(2 scale)``."""
        return 1 + (2 * self.scale).log()
