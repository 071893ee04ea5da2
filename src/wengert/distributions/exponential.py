"""The exponential distribution."""

from __future__ import annotations

from typing import Any

from wengert.distributions import constraints
from wengert.distributions.distribution import Distribution
from wengert.distributions.utils import broadcast_all
from wengert.functions.creation import empty
from wengert.functions.likes import zeros_like

__all__ = ["Exponential"]


class Exponential(Distribution):
    """``p(x) = rate exp(-rate x)`` for ``x >= 0``.

    Raises:
        ValueError: a rate that is not positive.

    >>> import wengert as torch
    >>> torch.distributions.Exponential(2.0).mean
    tensor(0.5000)
    """

    arg_constraints = {"rate": constraints.positive}  # noqa: RUF012
    support = constraints.nonnegative
    has_rsample = True
    _parameters = ("rate",)

    def __init__(self, rate: Any, validate_args: bool | None = None) -> None:
        (self.rate,) = broadcast_all(rate)
        super().__init__(self.rate.shape, validate_args=validate_args)

    @property
    def mean(self) -> Any:
        """``1 / rate``."""
        return self.rate.reciprocal()

    @property
    def mode(self) -> Any:
        """0."""
        return zeros_like(self.rate)

    @property
    def stddev(self) -> Any:
        """``1 / rate``."""
        return self.rate.reciprocal()

    @property
    def variance(self) -> Any:
        """``1 / rate^2``."""
        return self.rate.square().reciprocal()

    def rsample(self, sample_shape: Any = ()) -> Any:
        """``e / rate`` with ``e`` of rate 1."""
        return empty(self._extended_shape(sample_shape), dtype=self.rate.dtype).exponential_() / self.rate

    def log_prob(self, value: Any) -> Any:
        """``log(rate) - rate x``."""
        if self._validate_args:
            self._validate_sample(value)
        return self.rate.log() - self.rate * value

    def cdf(self, value: Any) -> Any:
        """``1 - exp(-rate x)``."""
        if self._validate_args:
            self._validate_sample(value)
        return 1 - (-self.rate * value).exp()

    def icdf(self, value: Any) -> Any:
        """``-log1p(-u) / rate``."""
        return -(-value).log1p() / self.rate

    def entropy(self) -> Any:
        """``1 - log(rate)``."""
        return 1.0 - self.rate.log()
