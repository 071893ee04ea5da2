"""The log-normal distribution."""

from __future__ import annotations

from typing import Any

from wengert.distributions import constraints
from wengert.distributions.normal import Normal
from wengert.distributions.transformed_distribution import TransformedDistribution, of_base
from wengert.distributions.transforms import ExpTransform

__all__ = ["LogNormal"]


class LogNormal(TransformedDistribution):
    """``exp(x)`` with ``x`` of ``Normal(loc, scale)``.

    Raises:
        ValueError: a scale that is not positive.

    >>> import wengert as torch
    >>> torch.distributions.LogNormal(0.0, 1.0).mode
    tensor(0.3679)
    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}  # noqa: RUF012
    support = constraints.positive
    has_rsample = True
    base_dist: Normal

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        super().__init__(Normal(loc, scale, validate_args=validate_args), ExpTransform(), validate_args=validate_args)

    loc = of_base("loc", "The mean of the logarithm.")
    scale = of_base("scale", "The deviation of the logarithm.")

    @property
    def mean(self) -> Any:
        """``exp(loc + scale^2 / 2)``."""
        return (self.loc + self.scale.square() / 2).exp()

    @property
    def mode(self) -> Any:
        """``exp(loc - scale^2)``."""
        return (self.loc - self.scale.square()).exp()

    @property
    def variance(self) -> Any:
        """``(exp(scale^2) - 1) exp(2 loc + scale^2)``."""
        return self.scale.square().expm1() * (2 * self.loc + self.scale.square()).exp()

    def entropy(self) -> Any:
        """That of the normal distribution, plus ``loc``."""
        return self.base_dist.entropy() + self.loc
