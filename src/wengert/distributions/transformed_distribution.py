"""Distributions of what transforms make of draws."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

from wengert._size import Size
from wengert.autograd.grad_mode import no_grad
from wengert.distributions import constraints
from wengert.distributions.distribution import Distribution
from wengert.distributions.independent import Independent
from wengert.distributions.transforms import ComposeTransform, Transform
from wengert.distributions.utils import sum_rightmost

__all__ = ["TransformedDistribution"]


def of_base(name: str, doc: str) -> Any:
    """A property: an attribute of the base."""
    return property(attrgetter("base_dist." + name), doc=doc)


class TransformedDistribution(Distribution):
    """``y = f(x)`` with ``x`` drawn from a base: ``log p(y) = log p(f^-1(y)) - log |det dy/dx|``.

    Raises:
        ValueError: something that is no transform, or events of too few dimensions.

    >>> import wengert as torch
    >>> D = torch.distributions
    >>> D.TransformedDistribution(D.Normal(0.0, 1.0), D.ExpTransform()).log_prob(torch.tensor(1.0))
    tensor(-0.9189)
    """

    arg_constraints = {}  # noqa: RUF012

    def __init__(self, base_distribution: Any, transforms: Any, validate_args: bool | None = None) -> None:
        given = [transforms] if isinstance(transforms, Transform) else transforms
        if not isinstance(given, (list, tuple)) or not all([isinstance(t, Transform) for t in given]):
            raise ValueError(f"transforms must be a Transform or list, but was {transforms}")
        self.transforms = list(given)
        base_shape = base_distribution.batch_shape + base_distribution.event_shape
        event_dim = len(base_distribution.event_shape)
        transform = ComposeTransform(self.transforms)
        if len(base_shape) < transform.domain.event_dim:
            raise ValueError(
                f"base_distribution needs to have shape with size at least {transform.domain.event_dim}, but got "
                f"{base_shape}."
            )
        shape = transform.forward_shape(base_shape)
        expanded = transform.inverse_shape(shape)
        if tuple(base_shape) != tuple(expanded):
            base_distribution = base_distribution.expand(expanded[: len(expanded) - event_dim])
        extra = transform.domain.event_dim - event_dim
        self.base_dist = Independent(base_distribution, extra) if extra > 0 else base_distribution
        codomain_dim = transform.codomain.event_dim
        own_dim = codomain_dim + max(event_dim - transform.domain.event_dim, 0)
        cut = len(shape) - own_dim
        super().__init__(shape[:cut], shape[cut:], validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        """The same with another batch shape."""
        new = self._expanded(_instance, batch_shape)
        new.transforms = self.transforms
        shape = ComposeTransform(self.transforms).inverse_shape(Size((*batch_shape, *self.event_shape)))
        new.base_dist = self.base_dist.expand(shape[: len(shape) - len(self.base_dist.event_shape)])
        return new

    @constraints.dependent_property(is_discrete=False)
    def support(self) -> Any:
        """Where the last transform leads."""
        if not self.transforms:
            return self.base_dist.support
        support = self.transforms[-1].codomain
        extra = len(self.event_shape) - support.event_dim
        return constraints.independent(support, extra) if extra > 0 else support

    @property
    def has_rsample(self) -> bool:
        """As the base."""
        return bool(self.base_dist.has_rsample)

    def sample(self, sample_shape: Any = ()) -> Any:
        """Transformed draws, without gradients."""
        with no_grad():
            return self._through(self.base_dist.sample(sample_shape))

    def rsample(self, sample_shape: Any = ()) -> Any:
        """Transformed draws."""
        return self._through(self.base_dist.rsample(sample_shape))

    def _through(self, x: Any) -> Any:
        for transform in self.transforms:
            x = transform(x)
        return x

    def log_prob(self, value: Any) -> Any:
        """That of the base, less the logarithms of the determinants."""
        if self._validate_args:
            self._validate_sample(value)
        event_dim, y, total = len(self.event_shape), value, 0.0
        for transform in reversed(self.transforms):
            x = transform.inv(y)
            event_dim += transform.domain.event_dim - transform.codomain.event_dim
            jacobian = transform.log_abs_det_jacobian(x, y)
            total = total - sum_rightmost(jacobian, event_dim - transform.domain.event_dim)
            y = x
        return total + sum_rightmost(self.base_dist.log_prob(y), event_dim - len(self.base_dist.event_shape))

    def _turned(self, height: Any) -> Any:
        """The height from the other end where the transforms fall."""
        sign: Any = 1
        for transform in self.transforms:
            sign = sign * transform.sign
        return height if isinstance(sign, int) and sign == 1 else sign * (height - 0.5) + 0.5

    def cdf(self, value: Any) -> Any:
        """That of the base at the inverse."""
        for transform in reversed(self.transforms):
            value = transform.inv(value)
        if self.base_dist._validate_args:
            self.base_dist._validate_sample(value)
        return self._turned(self.base_dist.cdf(value))

    def icdf(self, value: Any) -> Any:
        """The transform of the base's."""
        return self._through(self.base_dist.icdf(self._turned(value)))
