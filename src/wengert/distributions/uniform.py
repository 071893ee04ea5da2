"""The uniform distribution."""

from __future__ import annotations

import math
from typing import Any

from wengert.distributions import constraints
from wengert.distributions.distribution import Distribution
from wengert.distributions.utils import all_true, broadcast_all
from wengert.functions.random import rand

__all__ = ["Uniform"]


class Uniform(Distribution):
    """``p(x) = 1 / (high - low)`` in ``[low, high)``.

    Raises:
        ValueError: a ``low`` that is not less than ``high``.

    >>> import wengert as torch
    >>> torch.distributions.Uniform(0.0, 2.0).log_prob(torch.tensor(1.0)).exp()
    tensor(0.5000)
    """

    has_rsample = True
    _parameters = ("low", "high")

    def __init__(self, low: Any, high: Any, validate_args: bool | None = None) -> None:
        self.low, self.high = broadcast_all(low, high)
        super().__init__(self.low.shape, validate_args=validate_args)
        if self._validate_args and not all_true(self.low < self.high):
            raise ValueError("Uniform is not defined when low >= high")

    @property
    def arg_constraints(self) -> Any:
        """Both are real numbers, or at least comparable."""
        return {
            "low": constraints.dependent(is_discrete=False, event_dim=0),
            "high": constraints.dependent(is_discrete=False, event_dim=0),
        }

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self) -> Any:
        """``[low, high]``."""
        return constraints.interval(self.low, self.high)

    @property
    def mean(self) -> Any:
        """``(low + high) / 2``."""
        return (self.high + self.low) / 2

    @property
    def mode(self) -> Any:
        """NaN: no value is more probable than the others."""
        return math.nan * self.high

    @property
    def variance(self) -> Any:
        """``(high - low)^2 / 12``."""
        return (self.high - self.low).square() / 12

    @property
    def stddev(self) -> Any:
        """``(high - low) / sqrt(12)``."""
        return (self.high - self.low) / math.sqrt(12)

    def rsample(self, sample_shape: Any = ()) -> Any:
        """``low + u (high - low)``."""
        u = rand(self._extended_shape(sample_shape), dtype=self.low.dtype)
        return self.low + u * (self.high - self.low)

    def log_prob(self, value: Any) -> Any:
        """``-log(high - low)``, minus infinity outside."""
        if self._validate_args:
            self._validate_sample(value)
        inside = (self.low <= value) & (self.high > value)
        return inside.to(self.low.dtype).log() - (self.high - self.low).log()

    def cdf(self, value: Any) -> Any:
        """``(x - low) / (high - low)``, between 0 and 1."""
        if self._validate_args:
            self._validate_sample(value)
        return ((value - self.low) / (self.high - self.low)).clamp(min=0, max=1)

    def icdf(self, value: Any) -> Any:
        """``low + u (high - low)``."""
        return value * (self.high - self.low) + self.low

    def entropy(self) -> Any:
        """``log(high - low)``."""
        return (self.high - self.low).log()
