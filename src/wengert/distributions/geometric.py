"""The geometric distribution."""

from __future__ import annotations

from typing import Any

from wengert.autograd.grad_mode import no_grad
from wengert.distributions import constraints
from wengert.distributions._odds import Odds
from wengert.distributions.utils import all_true, uniform_inside
from wengert.functions.likes import zeros_like
from wengert.nn.functional import binary_cross_entropy_with_logits

__all__ = ["Geometric"]


class Geometric(Odds):
    """The number of failures before the first success: ``p(k) = (1 - p)^k p``.

    Raises:
        ValueError: a probability that is 0 or outside [0, 1], or both parameters.

    >>> import wengert as torch
    >>> torch.distributions.Geometric(torch.tensor([0.25])).mean
    tensor([3.])
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}  # noqa: RUF012
    support = constraints.nonnegative_integer

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None) -> None:
        self._take(probs, logits)
        super().__init__(self._param.shape, validate_args=validate_args)
        if self._validate_args and probs is not None and not all_true(self.probs > 0):
            raise ValueError(
                f"Expected parameter probs of distribution {self!r} to be positive but found invalid values:\n"
                f"{self.probs}"
            )

    @property
    def mean(self) -> Any:
        """``1 / p - 1``."""
        return 1.0 / self.probs - 1.0

    @property
    def mode(self) -> Any:
        """0."""
        return zeros_like(self.probs)

    @property
    def variance(self) -> Any:
        """``(1 / p - 1) / p``."""
        return (1.0 / self.probs - 1.0) / self.probs

    def sample(self, sample_shape: Any = ()) -> Any:
        """Counts: ``floor(log(u) / log(1 - p))``."""
        with no_grad():
            u = uniform_inside(self._extended_shape(sample_shape), self.probs)
            return (u.log() / (-self.probs).log1p()).floor()

    def log_prob(self, value: Any) -> Any:
        """``k log(1 - p) + log(p)``."""
        if self._validate_args:
            self._validate_sample(value)
        # (1 - p)^k with p = 1 and k = 0 is 1
        failure = (-self.probs).where((self.probs != 1) | (value != 0), 0.0)
        return value * failure.log1p() + self.probs.log()

    def entropy(self) -> Any:
        """That of one trial, divided by ``p``."""
        return binary_cross_entropy_with_logits(self.logits, self.probs, reduction="none") / self.probs
