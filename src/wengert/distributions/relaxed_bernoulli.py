"""The relaxed Bernoulli (binary concrete) distribution."""

from __future__ import annotations

from typing import Any

from wengert.distributions import constraints
from wengert.distributions._odds import Odds
from wengert.distributions.transformed_distribution import TransformedDistribution, of_base
from wengert.distributions.transforms import SigmoidTransform
from wengert.distributions.utils import clamp_probs, uniform_inside
from wengert.functions.data import as_tensor

__all__ = ["LogitRelaxedBernoulli", "RelaxedBernoulli"]


class LogitRelaxedBernoulli(Odds):
    """The logits of :class:`RelaxedBernoulli`: ``(log(u / (1 - u)) + logits) / temperature`` (Maddison et al., 2017).

    Raises:
        ValueError: a probability outside [0, 1], or both parameters.

    >>> import wengert as torch
    >>> d = torch.distributions.relaxed_bernoulli.LogitRelaxedBernoulli(torch.tensor(1.0), torch.tensor(0.5))
    >>> d.log_prob(torch.tensor(0.0))
    tensor(-1.3863)
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}  # noqa: RUF012
    support = constraints.real
    has_rsample = True

    def __init__(
        self, temperature: Any, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        self.temperature = temperature
        self._take(probs, logits)
        super().__init__(self._param.shape, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        """The same with another batch shape."""
        new = self._expanded(_instance, batch_shape)
        new.temperature = self.temperature
        return new

    def rsample(self, sample_shape: Any = ()) -> Any:
        """Logistic numbers around the logits, divided by the temperature."""
        shape = self._extended_shape(sample_shape)
        p = clamp_probs(self.probs.expand(shape))
        u = clamp_probs(uniform_inside(shape, p))
        return (u.log() - (-u).log1p() + p.log() - (-p).log1p()) / self.temperature

    def log_prob(self, value: Any) -> Any:
        """``log(t) + d - 2 log(1 + exp(d))`` with ``d = logits - t x``."""
        if self._validate_args:
            self._validate_sample(value)
        d = self.logits - value * self.temperature
        return as_tensor(self.temperature, dtype=d.dtype).log() + d - 2 * d.exp().log1p()


class RelaxedBernoulli(TransformedDistribution):
    """A Bernoulli draw made smooth: in (0, 1), near to 0 or 1 at low temperatures, differentiable by its parameters.

    Raises:
        ValueError: a probability outside [0, 1], or both parameters.

    >>> import wengert as torch
    >>> torch.distributions.RelaxedBernoulli(torch.tensor(0.5), torch.tensor([0.3, 0.9])).rsample().shape
    torch.Size([2])
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}  # noqa: RUF012
    support = constraints.unit_interval
    has_rsample = True
    base_dist: LogitRelaxedBernoulli

    def __init__(
        self, temperature: Any, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        super().__init__(
            LogitRelaxedBernoulli(temperature, probs, logits), SigmoidTransform(), validate_args=validate_args
        )

    temperature = of_base("temperature", "How smooth.")
    logits = of_base("logits", "Log odds.")
    probs = of_base("probs", "Probabilities.")
