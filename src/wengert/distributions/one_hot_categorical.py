"""The categorical distribution, with its values as vectors that are 1 in one place."""

from __future__ import annotations

from typing import Any

from wengert.autograd.grad_mode import no_grad
from wengert.distributions import constraints
from wengert.distributions._of_classes import OfClasses
from wengert.distributions.categorical import Categorical
from wengert.functions.creation import eye
from wengert.nn.functional import one_hot

__all__ = ["OneHotCategorical", "OneHotCategoricalStraightThrough"]


class OneHotCategorical(OfClasses):
    """As :class:`Categorical`; a draw is a vector with a 1 at the class.

    Raises:
        ValueError: negative weights, a number in place of a vector, or both parameters.

    >>> import wengert as torch
    >>> torch.distributions.OneHotCategorical(torch.tensor([0.0, 1.0])).sample()
    tensor([0., 1.])
    """

    support = constraints.one_hot
    has_enumerate_support = True

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None) -> None:
        super().__init__(Categorical(probs, logits, validate_args=validate_args), validate_args)

    @property
    def mean(self) -> Any:
        """``probs``."""
        return self.probs

    @property
    def mode(self) -> Any:
        """The most probable class."""
        return one_hot(self.probs.argmax(-1), self._event_shape[0]).to(self.probs.dtype)

    @property
    def variance(self) -> Any:
        """``p (1 - p)``."""
        return self.probs * (1 - self.probs)

    def sample(self, sample_shape: Any = ()) -> Any:
        """Vectors with one 1."""
        with no_grad():
            drawn = self._categorical.sample(sample_shape)
            return one_hot(drawn, self._event_shape[0]).to(self.probs.dtype)

    def log_prob(self, value: Any) -> Any:
        """The logarithm of the class's probability."""
        if self._validate_args:
            self._validate_sample(value)
        return self._categorical.log_prob(value.argmax(-1))

    def entropy(self) -> Any:
        """That of the class."""
        return self._categorical.entropy()

    def enumerate_support(self, expand: bool = True) -> Any:
        """All classes."""
        n = self._event_shape[0]
        values = eye(n, dtype=self.probs.dtype).reshape((n,) + (1,) * len(self._batch_shape) + (n,))
        return values.expand((n, *self._batch_shape, n)) if expand else values


class OneHotCategoricalStraightThrough(OneHotCategorical):
    """As :class:`OneHotCategorical`, with the gradient of the probabilities for that of draws (Bengio et al., 2013).

    >>> import wengert as torch
    >>> p = torch.tensor([0.0, 1.0], requires_grad=True)
    >>> torch.distributions.OneHotCategoricalStraightThrough(p).rsample().requires_grad
    True
    """

    has_rsample = True

    def rsample(self, sample_shape: Any = ()) -> Any:
        """A draw with the gradient of ``probs``."""
        return self.sample(sample_shape) + (self.probs - self.probs.detach())
