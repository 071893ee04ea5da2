"""Distributions around 0, folded there."""

from __future__ import annotations

import math
from typing import Any

from wengert.distributions import constraints
from wengert.distributions.distribution import Distribution
from wengert.distributions.transformed_distribution import TransformedDistribution, of_base
from wengert.distributions.transforms import AbsTransform


class Halved(TransformedDistribution):
    """``|x|`` with ``x`` of a distribution ``F`` that is symmetric around 0."""

    arg_constraints = {"scale": constraints.positive}  # noqa: RUF012
    support = constraints.nonnegative
    has_rsample = True

    def __init__(self, whole: Distribution, validate_args: bool | None) -> None:
        super().__init__(whole, AbsTransform(), validate_args=validate_args)

    scale = of_base("scale", "The scale of the whole distribution.")

    @property
    def mode(self) -> Any:
        """0."""
        return self.scale * 0

    def log_prob(self, value: Any) -> Any:
        """That of the whole distribution plus ``log 2``; minus infinity for negative numbers."""
        if self._validate_args:
            self._validate_sample(value)
        return (self.base_dist.log_prob(value) + math.log(2)).where(value >= 0, -math.inf)

    def cdf(self, value: Any) -> Any:
        """``2 F(x) - 1``."""
        if self._validate_args:
            self._validate_sample(value)
        return 2 * self.base_dist.cdf(value) - 1

    def icdf(self, value: Any) -> Any:
        """``F^-1((u + 1) / 2)``."""
        return self.base_dist.icdf((value + 1) / 2)

    def entropy(self) -> Any:
        """That of the whole distribution less ``log 2``."""
        return self.base_dist.entropy() - math.log(2)
