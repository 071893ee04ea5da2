"""The Poisson distribution."""

from __future__ import annotations

from typing import Any

from wengert.autograd.grad_mode import no_grad
from wengert.distributions import constraints
from wengert.distributions.distribution import Distribution
from wengert.distributions.utils import broadcast_all
from wengert.functions.sampling import poisson

__all__ = ["Poisson"]


class Poisson(Distribution):
    """``p(k) = rate^k exp(-rate) / k!``.

    Raises:
        ValueError: a negative rate.

    >>> import wengert as torch
    >>> torch.distributions.Poisson(2.0).log_prob(torch.tensor(0.0))
    tensor(-2.)
    """

    arg_constraints = {"rate": constraints.nonnegative}  # noqa: RUF012
    support = constraints.nonnegative_integer
    _parameters = ("rate",)

    def __init__(self, rate: Any, validate_args: bool | None = None) -> None:
        (self.rate,) = broadcast_all(rate)
        super().__init__(self.rate.shape, validate_args=validate_args)

    @property
    def mean(self) -> Any:
        """``rate``."""
        return self.rate

    variance = mean

    @property
    def mode(self) -> Any:
        """``floor(rate)``."""
        return self.rate.floor()

    def sample(self, sample_shape: Any = ()) -> Any:
        """Counts."""
        with no_grad():
            return poisson(self.rate.expand(self._extended_shape(sample_shape)))

    def log_prob(self, value: Any) -> Any:
        """``k log(rate) - rate - log(k!)``."""
        if self._validate_args:
            self._validate_sample(value)
        return value.xlogy(self.rate) - self.rate - (value + 1).lgamma()
