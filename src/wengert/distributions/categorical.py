"""The categorical distribution."""

from __future__ import annotations

from typing import Any

from wengert._finfo import finfo
from wengert._size import Size
from wengert.autograd.grad_mode import no_grad
from wengert.distributions import constraints
from wengert.distributions._odds import Odds
from wengert.functions.likes import full_like
from wengert.functions.movement import broadcast_tensors
from wengert.functions.ranges import arange
from wengert.functions.sampling import multinomial

__all__ = ["Categorical"]


class Categorical(Odds):
    """One of the classes ``0 ... k-1``, with ``probs`` (weights of any sum) or ``logits`` along the last dimension.

    Raises:
        ValueError: negative weights, a number in place of a vector, or both parameters.

    >>> import wengert as torch
    >>> d = torch.distributions.Categorical(torch.tensor([0.25, 0.75]))
    >>> d.log_prob(torch.tensor(1)), d.entropy()
    (tensor(-0.2877), tensor(0.5623))
    """

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}  # noqa: RUF012
    has_enumerate_support = True
    is_binary = False

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None) -> None:
        self._take(probs, logits)
        self._num_events = self._param.size(-1)
        super().__init__(self._param.shape[:-1], validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        """The same with another batch shape."""
        new = self._expanded(_instance, batch_shape)
        new._num_events = self._num_events
        return new

    @constraints.dependent_property(is_discrete=True, event_dim=0)
    def support(self) -> Any:
        """The numbers of the classes."""
        return constraints.integer_interval(0, self._num_events - 1)

    @property
    def mean(self) -> Any:
        """NaN: the classes are no numbers."""
        return full_like(self.probs.select(-1, 0), float("nan"))

    variance = mean

    @property
    def mode(self) -> Any:
        """The most probable class."""
        return self.probs.argmax(dim=-1)

    def sample(self, sample_shape: Any = ()) -> Any:
        """Numbers of classes, int64."""
        shape = Size(sample_shape)
        with no_grad():
            rows = multinomial(self.probs.reshape(-1, self._num_events), shape.numel(), True)
            return rows.T.reshape(self._extended_shape(shape))

    def log_prob(self, value: Any) -> Any:
        """The logarithm of the class's probability."""
        if self._validate_args:
            self._validate_sample(value)
        chosen = value.long().unsqueeze(-1)
        chosen, log_pmf = broadcast_tensors(chosen, self.logits)
        return log_pmf.gather(-1, chosen[..., :1]).squeeze(-1)

    def entropy(self) -> Any:
        """``-sum(p log(p))``."""
        logits = self.logits.clamp(min=finfo(self.logits.dtype).min)
        return -(logits * self.probs).sum(-1)

    def enumerate_support(self, expand: bool = True) -> Any:
        """All classes."""
        values = arange(self._num_events).reshape((-1,) + (1,) * len(self._batch_shape))
        return values.expand((-1, *self._batch_shape)) if expand else values
