"""The Cauchy distribution."""

from __future__ import annotations

import math
from typing import Any

from wengert.distributions import constraints
from wengert.distributions.distribution import Distribution
from wengert.distributions.utils import broadcast_all, uniform_inside
from wengert.functions.likes import full_like

__all__ = ["Cauchy"]


class Cauchy(Distribution):
    """``p(x) = 1 / (pi scale (1 + ((x - loc) / scale)^2))``; it has no mean.

    Raises:
        ValueError: a scale that is not positive.

    >>> import wengert as torch
    >>> torch.distributions.Cauchy(0.0, 1.0).cdf(torch.tensor(1.0))
    tensor(0.7500)
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
        """NaN: there is none."""
        return full_like(self.loc, math.nan)

    @property
    def mode(self) -> Any:
        """``loc``."""
        return self.loc

    @property
    def variance(self) -> Any:
        """Infinite."""
        return full_like(self.loc, math.inf)

    def rsample(self, sample_shape: Any = ()) -> Any:
        """``loc + scale tan(pi (u - 1/2))`` with uniform ``u``."""
        return self.icdf(uniform_inside(self._extended_shape(sample_shape), self.loc))

    def log_prob(self, value: Any) -> Any:
        """``-log(pi) - log(scale) - log(1 + ((x - loc) / scale)^2)``."""
        if self._validate_args:
            self._validate_sample(value)
        return -math.log(math.pi) - self.scale.log() - ((value - self.loc) / self.scale).square().log1p()

    def cdf(self, value: Any) -> Any:
        """``atan((x - loc) / scale) / pi + 1/2``."""
        if self._validate_args:
            self._validate_sample(value)
        return ((value - self.loc) / self.scale).atan() / math.pi + 0.5

    def icdf(self, value: Any) -> Any:
        """``loc + scale tan(pi (u - 1/2))``."""
        return (math.pi * (value - 0.5)).tan() * self.scale + self.loc

    def entropy(self) -> Any:
        """``log(4 pi scale)``."""
        return math.log(4 * math.pi) + self.scale.log()
