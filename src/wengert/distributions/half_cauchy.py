"""The half-Cauchy distribution."""

from __future__ import annotations

import math
from typing import Any

from wengert.distributions._halved import Halved
from wengert.distributions.cauchy import Cauchy
from wengert.functions.likes import full_like

__all__ = ["HalfCauchy"]


class HalfCauchy(Halved):
    """``|x|`` with ``x`` of ``Cauchy(0, scale)``.

    Raises:
        ValueError: a scale that is not positive.

    >>> import wengert as torch
    >>> torch.distributions.HalfCauchy(1.0).cdf(torch.tensor(1.0))
    tensor(0.5000)
    """

    def __init__(self, scale: Any, validate_args: bool | None = None) -> None:
        super().__init__(Cauchy(0, scale, validate_args=False), validate_args)

    @property
    def mean(self) -> Any:
        """Infinite."""
        return full_like(self.scale, math.inf)

    @property
    def variance(self) -> Any:
        """Infinite."""
        return self.base_dist.variance
