"""The Gumbel distribution."""

from __future__ import annotations

import math
from typing import Any

from wengert._finfo import finfo
from wengert.distributions import constraints
from wengert.distributions.transformed_distribution import TransformedDistribution
from wengert.distributions.transforms import AffineTransform, ExpTransform
from wengert.distributions.uniform import Uniform
from wengert.distributions.utils import EULER, broadcast_all
from wengert.functions.likes import full_like, ones_like

__all__ = ["Gumbel"]


class Gumbel(TransformedDistribution):
    """``F(x) = exp(-exp(-(x - loc) / scale))``: the largest of many.

    Raises:
        ValueError: a scale that is not positive.

    >>> import wengert as torch
    >>> torch.distributions.Gumbel(0.0, 1.0).mean
    tensor(0.5772)
    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}  # noqa: RUF012
    support = constraints.real

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        self.loc, self.scale = broadcast_all(loc, scale)
        info = finfo(self.loc.dtype)
        base = Uniform(full_like(self.loc, info.tiny), full_like(self.loc, 1 - info.eps), validate_args=False)
        transforms = [
            ExpTransform().inv,
            AffineTransform(0, -ones_like(self.scale)),
            ExpTransform().inv,
            AffineTransform(self.loc, -self.scale),
        ]
        super().__init__(base, transforms, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        """The same with another batch shape."""
        return type(self)(self.loc.expand(batch_shape), self.scale.expand(batch_shape), validate_args=False)

    @property
    def mean(self) -> Any:
        """``loc + gamma scale`` with Euler's constant."""
        return self.loc + self.scale * EULER

    @property
    def mode(self) -> Any:
        """``loc``."""
        return self.loc

    @property
    def stddev(self) -> Any:
        """``pi scale / sqrt(6)``."""
        return math.pi / math.sqrt(6) * self.scale

    @property
    def variance(self) -> Any:
        """``pi^2 scale^2 / 6``."""
        return self.stddev.square()

    def log_prob(self, value: Any) -> Any:
        """``y - exp(y) - log(scale)`` with ``y = (loc - x) / scale``."""
        if self._validate_args:
            self._validate_sample(value)
        y = (self.loc - value) / self.scale
        return y - y.exp() - self.scale.log()

    def entropy(self) -> Any:
        """``log(scale) + 1 + gamma``."""
        return self.scale.log() + (1 + EULER)
