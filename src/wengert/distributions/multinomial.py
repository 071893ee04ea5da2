"""The multinomial distribution."""

from __future__ import annotations

from typing import Any

from wengert._size import Size
from wengert.autograd.grad_mode import no_grad
from wengert.distributions import constraints
from wengert.distributions._of_classes import OfClasses
from wengert.distributions.binomial import Binomial
from wengert.distributions.categorical import Categorical
from wengert.functions.creation import zeros
from wengert.functions.likes import ones_like
from wengert.functions.movement import broadcast_tensors

__all__ = ["Multinomial"]


class Multinomial(OfClasses):
    """How often each class came in ``total_count`` draws from a :class:`Categorical`.

    Raises:
        NotImplementedError: several counts.
        ValueError: negative weights, or both parameters.

    >>> import wengert as torch
    >>> torch.distributions.Multinomial(4, torch.tensor([1.0, 3.0])).mean
    tensor([1., 3.])
    """

    def __init__(
        self, total_count: int = 1, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        if not isinstance(total_count, int):
            raise NotImplementedError("inhomogeneous total_count is not supported")
        self.total_count = total_count
        categorical = Categorical(probs, logits, validate_args=validate_args)
        self._binomial = Binomial(total_count, probs=categorical.probs, validate_args=False)
        super().__init__(categorical, validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        """The same with another batch shape."""
        new = super().expand(batch_shape, _instance)
        new.total_count = self.total_count
        new._binomial = Binomial(self.total_count, probs=new._categorical.probs, validate_args=False)
        return new

    @constraints.dependent_property(is_discrete=True, event_dim=1)
    def support(self) -> Any:
        """Counts that add up to at most ``total_count``."""
        return constraints.multinomial(self.total_count)

    @property
    def mean(self) -> Any:
        """``n p``."""
        return self.probs * self.total_count

    @property
    def variance(self) -> Any:
        """``n p (1 - p)``."""
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape: Any = ()) -> Any:
        """Vectors of counts."""
        with no_grad():
            drawn = self._categorical.sample(Size((self.total_count, *sample_shape)))
            drawn = drawn.movedim(0, -1)
            counts = zeros(self._extended_shape(sample_shape), dtype=self.probs.dtype)
            return counts.scatter_add(-1, drawn, ones_like(drawn).to(counts.dtype))

    def log_prob(self, value: Any) -> Any:
        """``log(n!) - sum(log(k!)) + sum(k log(p))``."""
        if self._validate_args:
            self._validate_sample(value)
        logits, value = broadcast_tensors(self.logits, value)
        logits = logits.masked_fill((value == 0) & (logits == -float("inf")), 0.0)
        choices = (value.sum(-1) + 1).lgamma() - (value + 1).lgamma().sum(-1)
        return choices + (logits * value).sum(-1)

    def entropy(self) -> Any:
        """``n H(p) - log(n!) + sum over classes and counts of p(k) log(k!)``."""
        n = self.total_count
        counts = self._binomial.enumerate_support(expand=False)[1:]
        weights = self._binomial.log_prob(counts).exp()
        rest = (weights * (counts + 1).lgamma()).sum((0, -1))
        return n * self._categorical.entropy() - (self._binomial.total_count.flatten()[0] + 1).lgamma() + rest
