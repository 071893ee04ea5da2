"""The inverse gamma distribution."""

from __future__ import annotations

import math
from typing import Any

from wengert.distributions import constraints
from wengert.distributions.gamma import Gamma
from wengert.distributions.transformed_distribution import TransformedDistribution, of_base
from wengert.distributions.transforms import PowerTransform

__all__ = ["InverseGamma"]


class InverseGamma(TransformedDistribution):
    """``1 / x`` with ``x`` of ``Gamma(concentration, rate)``.

    Raises:
        ValueError: a parameter that is not positive.

    >>> import wengert as torch
    >>> torch.distributions.InverseGamma(3.0, 4.0).mean
    tensor(2.)
    """

    arg_constraints = {"concentration": constraints.positive, "rate": constraints.positive}  # noqa: RUF012
    support = constraints.positive
    has_rsample = True
    base_dist: Gamma

    def __init__(self, concentration: Any, rate: Any, validate_args: bool | None = None) -> None:
        base = Gamma(concentration, rate, validate_args=validate_args)
        super().__init__(base, PowerTransform(-base.rate.new_ones(())), validate_args=validate_args)

    concentration = of_base("concentration", "The shape of the gamma distribution.")
    rate = of_base("rate", "The rate of the gamma distribution.")

    @property
    def mean(self) -> Any:
        """``rate / (a - 1)``; infinite for ``a <= 1``."""
        result = self.rate / (self.concentration - 1)
        return result.where(self.concentration > 1, math.inf)

    @property
    def mode(self) -> Any:
        """``rate / (a + 1)``."""
        return self.rate / (self.concentration + 1)

    @property
    def variance(self) -> Any:
        """``rate^2 / ((a - 1)^2 (a - 2))``; infinite for ``a <= 2``."""
        a = self.concentration
        return (self.rate.square() / ((a - 1).square() * (a - 2))).where(a > 2, math.inf)

    def entropy(self) -> Any:
        """``a + log(rate) + log Gamma(a) - (1 + a) psi(a)``."""
        a = self.concentration
        return a + self.rate.log() + a.lgamma() - (1 + a) * a.digamma()
