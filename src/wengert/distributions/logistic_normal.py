"""The logistic normal distribution."""

from __future__ import annotations

from typing import Any

from wengert.distributions import constraints
from wengert.distributions.normal import Normal
from wengert.distributions.transformed_distribution import TransformedDistribution, of_base
from wengert.distributions.transforms import StickBreakingTransform

__all__ = ["LogisticNormal"]


class LogisticNormal(TransformedDistribution):
    """Normal numbers that break a stick: vectors that add up to 1.

    Raises:
        ValueError: a scale that is not positive.

    >>> import wengert as torch
    >>> torch.distributions.LogisticNormal(torch.zeros(2), torch.ones(2)).sample().shape
    torch.Size([3])
    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}  # noqa: RUF012
    support = constraints.simplex
    has_rsample = True

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        base = Normal(loc, scale, validate_args=validate_args)
        if not base.batch_shape:
            base = base.expand([1])
        super().__init__(base, StickBreakingTransform(), validate_args=validate_args)

    loc = of_base("base_dist.loc", "The means.")
    scale = of_base("base_dist.scale", "The deviations.")
