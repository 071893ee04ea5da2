"""The half-normal distribution."""

from __future__ import annotations

import math
from typing import Any

from wengert.distributions._halved import Halved
from wengert.distributions.normal import Normal

__all__ = ["HalfNormal"]


class HalfNormal(Halved):
    """``|x|`` with ``x`` of ``Normal(0, scale)``.

    Raises:
        ValueError: a scale that is not positive.

    >>> import wengert as torch
    >>> torch.distributions.HalfNormal(1.0).mean
    tensor(0.7979)
    """

    def __init__(self, scale: Any, validate_args: bool | None = None) -> None:
        super().__init__(Normal(0, scale, validate_args=False), validate_args)

    @property
    def mean(self) -> Any:
        """``scale sqrt(2 / pi)``."""
        return self.scale * math.sqrt(2 / math.pi)

    @property
    def variance(self) -> Any:
        """``scale^2 (1 - 2 / pi)``."""
        return self.scale.square() * (1 - 2 / math.pi)
