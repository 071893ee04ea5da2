"""The Dirichlet distribution."""

from __future__ import annotations

from typing import Any

from wengert._finfo import finfo
from wengert.distributions import constraints
from wengert.distributions._gamma_draws import standard_gamma
from wengert.distributions.distribution import Distribution
from wengert.nn.functional import one_hot

__all__ = ["Dirichlet"]


class Dirichlet(Distribution):
    """``p(x) = prod_i x_i^(a_i - 1) / B(a)`` on vectors that are not negative and add up to 1.

    A draw is a vector of independent gamma draws divided by its sum, and differentiable through these (implicit
    reparameterisation; Figurnov, Mohamed and Mnih, 2018). PyTorch differentiates along another of the many paths that
    keep the distribution: single gradients differ from its own, their expectations do not.

    Raises:
        ValueError: a concentration that is not positive, or a number in place of a vector.

    >>> import wengert as torch
    >>> torch.distributions.Dirichlet(torch.tensor([1.0, 3.0])).mean
    tensor([0.2500, 0.7500])
    """

    arg_constraints = {"concentration": constraints.independent(constraints.positive, 1)}  # noqa: RUF012
    support = constraints.simplex
    has_rsample = True
    _parameters = ("concentration",)

    def __init__(self, concentration: Any, validate_args: bool | None = None) -> None:
        if concentration.dim() < 1:
            raise ValueError("`concentration` parameter must be at least one-dimensional.")
        self.concentration = concentration
        super().__init__(concentration.shape[:-1], concentration.shape[-1:], validate_args=validate_args)

    @property
    def mean(self) -> Any:
        """``a / sum(a)``."""
        return self.concentration / self.concentration.sum(-1, True)

    @property
    def mode(self) -> Any:
        """``(a - 1) / sum(a - 1)`` where that is positive, else the corner with the largest ``a``."""
        above = (self.concentration - 1).clamp(min=0.0)
        mode = above / above.sum(-1, True)
        corners = (self.concentration < 1).all(-1, True)
        corner = one_hot(self.concentration.argmax(-1), self._event_shape[0]).to(mode.dtype)
        return corner.where(corners, mode)

    @property
    def variance(self) -> Any:
        """``a (A - a) / (A^2 (A + 1))`` with ``A = sum(a)``."""
        total = self.concentration.sum(-1, True)
        return self.concentration * (total - self.concentration) / (total.square() * (total + 1))

    def rsample(self, sample_shape: Any = ()) -> Any:
        """Gamma draws divided by their sum."""
        gammas = standard_gamma(self.concentration.expand(self._extended_shape(sample_shape)))
        gammas = gammas.clamp(min=finfo(gammas.dtype).tiny)
        info = finfo(gammas.dtype)
        return (gammas / gammas.sum(-1, True)).clamp(min=info.tiny, max=1 - info.eps / 2)

    def log_prob(self, value: Any) -> Any:
        """``sum((a - 1) log(x)) + log Gamma(A) - sum(log Gamma(a))``."""
        if self._validate_args:
            self._validate_sample(value)
        a = self.concentration
        return (a - 1.0).xlogy(value).sum(-1) + a.sum(-1).lgamma() - a.lgamma().sum(-1)

    def entropy(self) -> Any:
        """``log B(a) - (k - A) psi(A) - sum((a - 1) psi(a))``."""
        a = self.concentration
        total, k = a.sum(-1), a.size(-1)
        return a.lgamma().sum(-1) - total.lgamma() - (k - total) * total.digamma() - ((a - 1.0) * a.digamma()).sum(-1)
