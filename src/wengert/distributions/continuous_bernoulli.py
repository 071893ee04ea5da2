"""The continuous Bernoulli distribution."""

from __future__ import annotations

import math
from typing import Any

from wengert.distributions import constraints
from wengert.distributions._odds import Odds
from wengert.distributions.utils import clamp_probs, uniform_inside
from wengert.nn.functional import binary_cross_entropy_with_logits

__all__ = ["ContinuousBernoulli"]


class ContinuousBernoulli(Odds):
    """``p(x) = C(p) p^x (1 - p)^(1 - x)`` on [0, 1] (Loaiza-Ganem and Cunningham, 2019).

    ``lims`` is where ``p`` is so near to 1/2 that Taylor series take the place of the formulas.

    Raises:
        ValueError: a probability outside [0, 1], or both parameters.

    >>> import wengert as torch
    >>> torch.distributions.ContinuousBernoulli(torch.tensor(0.5)).mean
    tensor(0.5000)
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}  # noqa: RUF012
    support = constraints.unit_interval
    has_rsample = True

    def __init__(
        self,
        probs: Any = None,
        logits: Any = None,
        lims: tuple[float, float] = (0.499, 0.501),
        validate_args: bool | None = None,
    ) -> None:
        self._take(probs, logits)
        self._lims = lims
        super().__init__(self._param.shape, validate_args=validate_args)
        if "probs" in self.__dict__:
            self.probs = clamp_probs(self.probs)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        """The same with another batch shape."""
        new = self._expanded(_instance, batch_shape)
        new._lims = self._lims
        return new

    def _outside(self) -> Any:
        return (self.probs <= self._lims[0]) | (self.probs > self._lims[1])

    def _cut(self) -> Any:
        """The probabilities, moved to the edge where series take over."""
        return self.probs.where(self._outside(), self._lims[0])

    def _log_norm(self) -> Any:
        """``log C(p)``, with ``C = 2 atanh(1 - 2 p) / (1 - 2 p)``; a series around 1/2."""
        p, x = self._cut(), self.probs - 0.5
        below = p.clamp(max=0.5)
        above = p.clamp(min=0.5)
        width = (-2.0 * below).log1p().where(p <= 0.5, (2.0 * above - 1.0).log())
        norm = ((-p).log1p() - p.log()).abs().log() - width
        series = math.log(2.0) + (4.0 / 3.0 + 104.0 / 45.0 * x.square()) * x.square()
        return norm.where(self._outside(), series)

    @property
    def mean(self) -> Any:
        """``p / (2 p - 1) + 1 / (2 atanh(1 - 2 p))``."""
        p, x = self._cut(), self.probs - 0.5
        mean = p / (2.0 * p - 1.0) + 1.0 / ((-p).log1p() - p.log())
        return mean.where(self._outside(), 0.5 + (1.0 / 3.0 + 16.0 / 45.0 * x.square()) * x)

    @property
    def variance(self) -> Any:
        """``p (p - 1) / (1 - 2 p)^2 + 1 / (2 atanh(1 - 2 p))^2``."""
        p, x = self._cut(), (self.probs - 0.5).square()
        variance = p * (p - 1.0) / (1.0 - 2.0 * p).square() + 1.0 / ((-p).log1p() - p.log()).square()
        return variance.where(self._outside(), 1.0 / 12.0 - (1.0 / 15.0 - 128.0 / 945.0 * x) * x)

    def rsample(self, sample_shape: Any = ()) -> Any:
        """The inverse of the distribution function at uniform numbers."""
        return self.icdf(uniform_inside(self._extended_shape(sample_shape), self.probs))

    def log_prob(self, value: Any) -> Any:
        """``x log(p) + (1 - x) log(1 - p) + log C(p)``."""
        if self._validate_args:
            self._validate_sample(value)
        shape = (value + self.logits).shape
        cross = binary_cross_entropy_with_logits(self.logits.expand(shape), value.expand(shape), reduction="none")
        return self._log_norm() - cross

    def cdf(self, value: Any) -> Any:
        """``(p^x (1 - p)^(1 - x) + p - 1) / (2 p - 1)``."""
        if self._validate_args:
            self._validate_sample(value)
        p = self._cut()
        cdf = (p.pow(value) * (1.0 - p).pow(1.0 - value) + p - 1.0) / (2.0 * p - 1.0)
        return cdf.where(self._outside(), value).where(value > 0, 0.0).where(value < 1, 1.0)

    def icdf(self, value: Any) -> Any:
        """The inverse of :meth:`cdf`."""
        p = self._cut()
        height = (-p + value * (2.0 * p - 1.0)).log1p() - (-p).log1p()
        return (height / (p.log() - (-p).log1p())).where(self._outside(), value)

    def entropy(self) -> Any:
        """``mean (log(1 - p) - log(p)) - log C(p) - log(1 - p)``."""
        low = (-self.probs).log1p()
        return self.mean * (low - self.probs.log()) - self._log_norm() - low
