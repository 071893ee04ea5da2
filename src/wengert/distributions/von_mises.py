"""The von Mises distribution."""

from __future__ import annotations

import math
from typing import Any

from wengert._dtypes import float64
from wengert.autograd.grad_mode import no_grad
from wengert.distributions import constraints
from wengert.distributions.distribution import Distribution
from wengert.distributions.utils import broadcast_all
from wengert.engine.base import wrap
from wengert.functions.generators import stream_of
from wengert.special import i0e, i1e

__all__ = ["VonMises"]


class VonMises(Distribution):
    """``p(x) = exp(concentration cos(x - loc)) / (2 pi I0(concentration))`` on the circle.

    Raises:
        ValueError: a concentration that is not positive.

    >>> import wengert as torch
    >>> torch.distributions.VonMises(torch.tensor(0.0), torch.tensor(1.0)).variance
    tensor(0.5536)
    """

    arg_constraints = {"loc": constraints.real, "concentration": constraints.positive}  # noqa: RUF012
    support = constraints.real
    _parameters = ("loc", "concentration")

    def __init__(self, loc: Any, concentration: Any, validate_args: bool | None = None) -> None:
        self.loc, self.concentration = broadcast_all(loc, concentration)
        super().__init__(self.loc.shape, validate_args=validate_args)

    @property
    def mean(self) -> Any:
        """The mean direction, ``loc``."""
        return self.loc

    mode = mean

    @property
    def variance(self) -> Any:
        """The circular variance ``1 - I1(k) / I0(k)``."""
        return 1 - i1e(self.concentration) / i0e(self.concentration)

    def sample(self, sample_shape: Any = ()) -> Any:
        """Angles from -pi to pi."""
        with no_grad():
            loc, k = self.loc.to(float64)._data, self.concentration.to(float64)._data
            drawn = stream_of("von_mises", None).numpy.vonmises(loc, k, self._extended_shape(sample_shape))
            return wrap(drawn).to(self.loc.dtype)

    def log_prob(self, value: Any) -> Any:
        """``k cos(x - loc) - log(2 pi) - log(I0(k))``."""
        if self._validate_args:
            self._validate_sample(value)
        k = self.concentration
        return k * ((value - self.loc).cos() - 1) - math.log(2 * math.pi) - i0e(k).log()
