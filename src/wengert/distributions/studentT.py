"""Student's t distribution."""

from __future__ import annotations

import math
from typing import Any

from wengert.distributions import constraints
from wengert.distributions.chi2 import Chi2
from wengert.distributions.distribution import Distribution
from wengert.distributions.utils import broadcast_all
from wengert.functions.random import randn

__all__ = ["StudentT"]


class StudentT(Distribution):
    """``loc + scale n / sqrt(c / df)`` with ``n`` standard normal and ``c`` of :class:`Chi2` with ``df``.

    Raises:
        ValueError: ``df`` or a scale that is not positive.

    >>> import wengert as torch
    >>> torch.distributions.StudentT(3.0).variance
    tensor(3.)
    """

    arg_constraints = {"df": constraints.positive, "loc": constraints.real, "scale": constraints.positive}  # noqa: RUF012
    support = constraints.real
    has_rsample = True
    _parameters = ("df", "loc", "scale")

    def __init__(self, df: Any, loc: Any = 0.0, scale: Any = 1.0, validate_args: bool | None = None) -> None:
        self.df, self.loc, self.scale = broadcast_all(df, loc, scale)
        self._chi2 = Chi2(self.df)
        super().__init__(self.df.shape, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        """The same with another batch shape."""
        new = self._expanded(_instance, batch_shape)
        new._chi2 = self._chi2.expand(batch_shape)
        return new

    @property
    def mean(self) -> Any:
        """``loc`` if ``df > 1``, else NaN."""
        return self.loc.where(self.df > 1, math.nan)

    @property
    def mode(self) -> Any:
        """``loc``."""
        return self.loc

    @property
    def variance(self) -> Any:
        """``scale^2 df / (df - 2)``; infinite for ``df <= 2``, NaN for ``df <= 1``."""
        large = self.df > 2
        finite = self.scale.square() * self.df / (self.df - 2).where(large, 1.0)
        return finite.where(large, math.inf).where(self.df > 1, math.nan)

    def rsample(self, sample_shape: Any = ()) -> Any:
        """A normal draw divided by the root of a mean square."""
        normal = randn(self._extended_shape(sample_shape), dtype=self.df.dtype)
        return self.loc + self.scale * normal * (self._chi2.rsample(sample_shape) / self.df).rsqrt()

    def log_prob(self, value: Any) -> Any:
        """``-(df + 1)/2 log(1 + y^2/df) - log(scale) - log(sqrt(df) B(1/2, df/2))``, ``y = (x - loc)/scale``."""
        if self._validate_args:
            self._validate_sample(value)
        y = (value - self.loc) / self.scale
        norm = self.scale.log() + 0.5 * (self.df.log() + math.log(math.pi))
        norm = norm + (0.5 * self.df).lgamma() - (0.5 * (self.df + 1.0)).lgamma()
        return -0.5 * (self.df + 1.0) * (y.square() / self.df).log1p() - norm

    def entropy(self) -> Any:
        """``log(scale) + (df + 1) / 2 (psi((df + 1) / 2) - psi(df / 2)) + log(sqrt(df) B(1/2, df/2))``."""
        half, next_half = 0.5 * self.df, 0.5 * (self.df + 1)
        log_beta = half.lgamma() + math.lgamma(0.5) - next_half.lgamma()
        return self.scale.log() + next_half * (next_half.digamma() - half.digamma()) + 0.5 * self.df.log() + log_beta
