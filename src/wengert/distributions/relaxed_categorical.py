"""The relaxed categorical (concrete) distribution."""

from __future__ import annotations

import math
from typing import Any

from wengert.distributions import constraints
from wengert.distributions._of_classes import OfClasses
from wengert.distributions.categorical import Categorical
from wengert.distributions.transformed_distribution import TransformedDistribution, of_base
from wengert.distributions.transforms import ExpTransform
from wengert.distributions.utils import clamp_probs, uniform_inside
from wengert.functions.data import as_tensor

__all__ = ["ExpRelaxedCategorical", "RelaxedOneHotCategorical"]


class ExpRelaxedCategorical(OfClasses):
    """The logarithms of :class:`RelaxedOneHotCategorical` (Maddison et al., 2017).

    Raises:
        ValueError: negative weights, or both parameters.

    >>> import wengert as torch
    >>> d = torch.distributions.relaxed_categorical.ExpRelaxedCategorical(torch.tensor(1.0), torch.ones(2))
    >>> d.rsample().shape
    torch.Size([2])
    """

    support = constraints.real_vector
    has_rsample = True

    def __init__(
        self, temperature: Any, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        self.temperature = temperature
        super().__init__(Categorical(probs, logits), validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        """The same with another batch shape."""
        new = super().expand(batch_shape, _instance)
        new.temperature = self.temperature
        return new

    def rsample(self, sample_shape: Any = ()) -> Any:
        """Logits with Gumbel noise, divided by the temperature, as logarithms of probabilities."""
        u = clamp_probs(uniform_inside(self._extended_shape(sample_shape), self.logits))
        scores = (self.logits - (-(u.log())).log()) / self.temperature
        return scores - scores.logsumexp(-1, keepdim=True)

    def log_prob(self, value: Any) -> Any:
        """``log((k-1)!) + (k - 1) log(t) + sum(s) - k logsumexp(s)`` with ``s = logits - t x``."""
        if self._validate_args:
            self._validate_sample(value)
        k = self._categorical._num_events
        scores = self.logits - value * self.temperature
        scores = (scores - scores.logsumexp(-1, keepdim=True)).sum(-1)
        return scores + math.lgamma(k) + (k - 1) * as_tensor(self.temperature, dtype=scores.dtype).log()


class RelaxedOneHotCategorical(TransformedDistribution):
    """A one-hot draw made smooth: a vector that adds up to 1, differentiable by its parameters (Gumbel-softmax).

    Raises:
        ValueError: negative weights, or both parameters.

    >>> import wengert as torch
    >>> torch.distributions.RelaxedOneHotCategorical(torch.tensor(0.5), torch.ones(3)).rsample().shape
    torch.Size([3])
    """

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}  # noqa: RUF012
    support = constraints.simplex
    has_rsample = True
    base_dist: ExpRelaxedCategorical

    def __init__(
        self, temperature: Any, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        base = ExpRelaxedCategorical(temperature, probs, logits, validate_args=validate_args)
        super().__init__(base, ExpTransform(), validate_args=validate_args)

    temperature = of_base("temperature", "How smooth.")
    logits = of_base("logits", "Logarithms of the probabilities.")
    probs = of_base("probs", "Probabilities.")
