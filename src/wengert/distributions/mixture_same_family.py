"""Mixtures of distributions of one family."""

from __future__ import annotations

from typing import Any

from wengert.autograd.grad_mode import no_grad
from wengert.distributions import constraints
from wengert.distributions.categorical import Categorical
from wengert.distributions.constraints import _MixtureSupport
from wengert.distributions.distribution import Distribution
from wengert.functions.activations import log_softmax

__all__ = ["MixtureSameFamily"]


class MixtureSameFamily(Distribution):
    """One of the components along the last batch dimension, chosen by a :class:`Categorical`.

    Raises:
        ValueError: the mixture is no Categorical, or the shapes do not fit.

    >>> import wengert as torch
    >>> D = torch.distributions
    >>> D.MixtureSameFamily(D.Categorical(torch.ones(2)), D.Normal(torch.tensor([-1.0, 3.0]), 1.0)).mean
    tensor(1.)
    """

    arg_constraints = {}  # noqa: RUF012

    def __init__(
        self, mixture_distribution: Any, component_distribution: Any, validate_args: bool | None = None
    ) -> None:
        if not isinstance(mixture_distribution, Categorical):
            raise ValueError(" The Mixture distribution needs to be an  instance of torch.distributions.Categorical")
        if not isinstance(component_distribution, Distribution):
            raise ValueError("The Component distribution need to be an instance of torch.distributions.Distribution")
        own, components = mixture_distribution.batch_shape, component_distribution.batch_shape
        for n, m in zip(reversed(own), reversed(components[:-1]), strict=False):
            if 1 not in (n, m) and n != m:
                raise ValueError(
                    f"`mixture_distribution.batch_shape` ({own}) is not compatible with "
                    f"`component_distribution.batch_shape`({components[:-1]})"
                )
        count = mixture_distribution.param_shape[-1]
        if components[-1] != count:
            raise ValueError(
                f"`mixture_distribution component` ({count}) does not equal "
                f"`component_distribution.batch_shape[-1]` ({components[-1]})"
            )
        self._mixture_distribution, self._component_distribution = mixture_distribution, component_distribution
        self._num_component = count
        super().__init__(components[:-1], component_distribution.event_shape, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        """The same with another batch shape."""
        new = self._expanded(_instance, batch_shape)
        new._component_distribution = self._component_distribution.expand((*batch_shape, self._num_component))
        new._mixture_distribution = self._mixture_distribution.expand(batch_shape)
        new._num_component = self._num_component
        return new

    @constraints.dependent_property
    def support(self) -> Any:
        """That of the components."""
        return _MixtureSupport(self._component_distribution.support)

    @property
    def mixture_distribution(self) -> Any:
        """What chooses."""
        return self._mixture_distribution

    @property
    def component_distribution(self) -> Any:
        """The components, along the last batch dimension."""
        return self._component_distribution

    def _weights(self) -> Any:
        """The probabilities of the components, with the dimensions of an event behind."""
        probs = self._mixture_distribution.probs
        return probs.reshape(probs.shape + (1,) * len(self._event_shape))

    @property
    def _axis(self) -> int:
        return -1 - len(self._event_shape)

    @property
    def mean(self) -> Any:
        """The mean of the components' means."""
        return (self._weights() * self._component_distribution.mean).sum(self._axis)

    @property
    def variance(self) -> Any:
        """The mean of the variances and the variance of the means."""
        within = (self._weights() * self._component_distribution.variance).sum(self._axis)
        apart = self._component_distribution.mean - self.mean.unsqueeze(self._axis)
        return within + (self._weights() * apart.square()).sum(self._axis)

    def cdf(self, value: Any) -> Any:
        """The mean of the components'."""
        return (self._component_distribution.cdf(value.unsqueeze(self._axis)) * self._mixture_distribution.probs).sum(
            -1
        )

    def log_prob(self, value: Any) -> Any:
        """``log sum_k w_k p_k(x)``."""
        if self._validate_args:
            self._validate_sample(value)
        each = self._component_distribution.log_prob(value.unsqueeze(self._axis))
        return (each + log_softmax(self._mixture_distribution.logits, -1)).logsumexp(-1)

    def sample(self, sample_shape: Any = ()) -> Any:
        """Draws of one component each."""
        with no_grad():
            chosen = self._mixture_distribution.sample(sample_shape)
            drawn = self._component_distribution.sample(sample_shape)
            axis = chosen.dim()
            index = chosen.reshape(chosen.shape + (1,) * (len(self._event_shape) + 1))
            return drawn.gather(axis, index.expand((*chosen.shape, 1, *self._event_shape))).squeeze(axis)

    def __repr__(self) -> str:
        return f"MixtureSameFamily(\n  {self._mixture_distribution},\n  {self._component_distribution})"
