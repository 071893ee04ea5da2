"""The Kumaraswamy distribution."""

from __future__ import annotations

import math
from typing import Any

from wengert._finfo import finfo
from wengert.distributions import constraints
from wengert.distributions.transformed_distribution import TransformedDistribution
from wengert.distributions.transforms import AffineTransform, PowerTransform
from wengert.distributions.uniform import Uniform
from wengert.distributions.utils import EULER, broadcast_all
from wengert.functions.likes import full_like

__all__ = ["Kumaraswamy"]


class Kumaraswamy(TransformedDistribution):
    """``F(x) = 1 - (1 - x^a)^b`` on (0, 1).

    Raises:
        ValueError: a concentration that is not positive.

    >>> import wengert as torch
    >>> torch.distributions.Kumaraswamy(1.0, 1.0).mean
    tensor(0.5000)
    """

    arg_constraints = {"concentration1": constraints.positive, "concentration0": constraints.positive}  # noqa: RUF012
    support = constraints.unit_interval

    def __init__(self, concentration1: Any, concentration0: Any, validate_args: bool | None = None) -> None:
        self.concentration1, self.concentration0 = broadcast_all(concentration1, concentration0)
        zero = full_like(self.concentration0, 0)
        base = Uniform(zero, zero + 1 - finfo(zero.dtype).eps / 2, validate_args=validate_args)
        transforms = [
            PowerTransform(self.concentration0.reciprocal()),
            AffineTransform(1.0, -1.0),
            PowerTransform(self.concentration1.reciprocal()),
        ]
        super().__init__(base, transforms, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        """The same with another batch shape."""
        both = self.concentration1.expand(batch_shape), self.concentration0.expand(batch_shape)
        return type(self)(*both, validate_args=False)

    def _moment(self, n: int) -> Any:
        b = self.concentration0
        arg = 1 + n / self.concentration1
        return b * (arg.lgamma() + b.lgamma() - (arg + b).lgamma()).exp()

    @property
    def mean(self) -> Any:
        """``b B(1 + 1/a, b)``."""
        return self._moment(1)

    @property
    def mode(self) -> Any:
        """``((a - 1) / (a b - 1))^(1/a)``, NaN where there is none inside."""
        a, b = self.concentration1, self.concentration0
        mode = ((a - 1) / (a * b - 1)) ** a.reciprocal()
        return mode.masked_fill((a < 1) | (b < 1), math.nan)

    @property
    def variance(self) -> Any:
        """From the first two moments."""
        return self._moment(2) - self.mean.square()

    def entropy(self) -> Any:
        """``(1 - 1/a) + (1 - 1/b) H_b - log(a b)`` with ``H_b = psi(b + 1) + gamma``."""
        a, b = self.concentration1, self.concentration0
        return (1 - b.reciprocal()) + (1 - a.reciprocal()) * ((b + 1).digamma() + EULER) - a.log() - b.log()
