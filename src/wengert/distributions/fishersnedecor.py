"""The Fisher-Snedecor distribution."""

from __future__ import annotations

import math
from typing import Any

from wengert._finfo import finfo
from wengert.distributions import constraints
from wengert.distributions.distribution import Distribution
from wengert.distributions.gamma import Gamma
from wengert.distributions.utils import broadcast_all

__all__ = ["FisherSnedecor"]


class FisherSnedecor(Distribution):
    """The ratio of two mean squares with ``df1`` and ``df2`` degrees of freedom: the F distribution.

    Raises:
        ValueError: degrees of freedom that are not positive.

    >>> import wengert as torch
    >>> torch.distributions.FisherSnedecor(1.0, 4.0).mean
    tensor(2.)
    """

    arg_constraints = {"df1": constraints.positive, "df2": constraints.positive}  # noqa: RUF012
    support = constraints.positive
    has_rsample = True
    _parameters = ("df1", "df2")

    def __init__(self, df1: Any, df2: Any, validate_args: bool | None = None) -> None:
        self.df1, self.df2 = broadcast_all(df1, df2)
        self._gamma1, self._gamma2 = Gamma(self.df1 * 0.5, self.df1), Gamma(self.df2 * 0.5, self.df2)
        super().__init__(self.df1.shape, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        """The same with another batch shape."""
        new = self._expanded(_instance, batch_shape)
        new._gamma1, new._gamma2 = self._gamma1.expand(batch_shape), self._gamma2.expand(batch_shape)
        return new

    @property
    def mean(self) -> Any:
        """``df2 / (df2 - 2)``; NaN for ``df2 <= 2``."""
        df2 = self.df2.where(self.df2 > 2, math.nan)
        return df2 / (df2 - 2)

    @property
    def mode(self) -> Any:
        """``(df1 - 2) df2 / (df1 (df2 + 2))``; NaN for ``df1 <= 2``."""
        mode = (self.df1 - 2) / self.df1 * self.df2 / (self.df2 + 2)
        return mode.where(self.df1 > 2, math.nan)

    @property
    def variance(self) -> Any:
        """``2 df2^2 (df1 + df2 - 2) / (df1 (df2 - 2)^2 (df2 - 4))``; NaN for ``df2 <= 4``."""
        df2 = self.df2.where(self.df2 > 4, math.nan)
        return 2 * df2.square() * (self.df1 + df2 - 2) / (self.df1 * (df2 - 2).square() * (df2 - 4))

    def rsample(self, sample_shape: Any = ()) -> Any:
        """The ratio of two gamma draws."""
        above, below = self._gamma1.rsample(sample_shape), self._gamma2.rsample(sample_shape)
        return above / below.clamp(min=finfo(below.dtype).tiny)

    def log_prob(self, value: Any) -> Any:
        """With ``r = df1 / df2``: ``log(r^(df1/2) x^(df1/2 - 1) (1 + r x)^(-(df1 + df2)/2) / B(df1/2, df2/2))``."""
        if self._validate_args:
            self._validate_sample(value)
        a, b, r = self.df1 * 0.5, self.df2 * 0.5, self.df1 / self.df2
        log_beta = a.lgamma() + b.lgamma() - (a + b).lgamma()
        return a * r.log() + (a - 1) * value.log() - (a + b) * (r * value).log1p() - log_beta
