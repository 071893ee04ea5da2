"""The gamma distribution."""

from __future__ import annotations

from typing import Any

from wengert._finfo import finfo
from wengert.distributions import constraints
from wengert.distributions._gamma_draws import standard_gamma
from wengert.distributions.distribution import Distribution
from wengert.distributions.utils import broadcast_all
from wengert.functions.specials import igamma

__all__ = ["Gamma"]


class Gamma(Distribution):
    """``p(x) = rate^a x^(a-1) exp(-rate x) / Gamma(a)`` with ``a = concentration``.

    Draws are differentiable by both parameters, by ``concentration`` through implicit reparameterisation (Figurnov,
    Mohamed and Mnih, 2018).

    Raises:
        ValueError: a parameter that is not positive.

    >>> import wengert as torch
    >>> torch.distributions.Gamma(2.0, 4.0).mean
    tensor(0.5000)
    """

    arg_constraints = {"concentration": constraints.positive, "rate": constraints.positive}  # noqa: RUF012
    support = constraints.nonnegative
    has_rsample = True
    _parameters = ("concentration", "rate")

    def __init__(self, concentration: Any, rate: Any, validate_args: bool | None = None) -> None:
        self.concentration, self.rate = broadcast_all(concentration, rate)
        super().__init__(self.concentration.shape, validate_args=validate_args)

    @property
    def mean(self) -> Any:
        """``a / rate``."""
        return self.concentration / self.rate

    @property
    def mode(self) -> Any:
        """``(a - 1) / rate``, or 0."""
        return ((self.concentration - 1) / self.rate).clamp(min=0)

    @property
    def variance(self) -> Any:
        """``a / rate^2``."""
        return self.concentration / self.rate.square()

    def rsample(self, sample_shape: Any = ()) -> Any:
        """``g / rate`` with ``g`` of rate 1."""
        shape = self._extended_shape(sample_shape)
        value = standard_gamma(self.concentration.expand(shape)) / self.rate.expand(shape)
        return value.clamp(min=finfo(value.dtype).tiny)

    def log_prob(self, value: Any) -> Any:
        """``a log(rate) + (a - 1) log(x) - rate x - log Gamma(a)``."""
        if self._validate_args:
            self._validate_sample(value)
        a = self.concentration
        return a.xlogy(self.rate) + (a - 1).xlogy(value) - self.rate * value - a.lgamma()

    def cdf(self, value: Any) -> Any:
        """``P(a, rate x)``."""
        if self._validate_args:
            self._validate_sample(value)
        return igamma(self.concentration, self.rate * value)

    def entropy(self) -> Any:
        """``a - log(rate) + log Gamma(a) + (1 - a) psi(a)``."""
        a = self.concentration
        return a - self.rate.log() + a.lgamma() + (1.0 - a) * a.digamma()
