"""Kullback-Leibler divergences between distributions of different kinds.

``KL(p || q) = -H(p) - E_p[log q]``, so a pair needs the entropy of the one and the mean of the other's logarithm;
where ``q`` is zero somewhere in the support of ``p``, it is infinite.
"""

from __future__ import annotations

import math
from typing import Any

from wengert.distributions.bernoulli import Bernoulli
from wengert.distributions.beta import Beta
from wengert.distributions.binomial import Binomial
from wengert.distributions.continuous_bernoulli import ContinuousBernoulli
from wengert.distributions.exponential import Exponential
from wengert.distributions.gamma import Gamma
from wengert.distributions.gumbel import Gumbel
from wengert.distributions.kl import register_kl
from wengert.distributions.laplace import Laplace
from wengert.distributions.normal import Normal
from wengert.distributions.pareto import Pareto
from wengert.distributions.poisson import Poisson
from wengert.distributions.uniform import Uniform
from wengert.distributions.utils import EULER
from wengert.functions.likes import full_like

# pairs where p reaches beyond the support of q
_BEYOND = {
    Beta: (Pareto,),
    ContinuousBernoulli: (Pareto,),
    Exponential: (Beta, ContinuousBernoulli, Pareto, Uniform),
    Gamma: (Beta, ContinuousBernoulli, Pareto, Uniform),
    Gumbel: (Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform),
    Laplace: (Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform),
    Normal: (Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform),
    Pareto: (Beta, ContinuousBernoulli, Uniform),
    Poisson: (Bernoulli, Binomial),
}


def _infinite(p: Any, q: Any) -> Any:
    return full_like(p.mean + q.mean * 0, math.inf)


for _kind, _others in _BEYOND.items():
    for _other in _others:
        register_kl(_kind, _other)(_infinite)


# --- E_p[log q], where p lies within the support of q ---------------------------------------------------------------


def _log_normal_mean(p: Any, q: Any) -> Any:
    """``E_p[log q]`` of a normal ``q``: from the mean and the variance of ``p``."""
    apart = p.variance + (p.mean - q.loc).square()
    return -0.5 * (apart / q.scale.square() + math.log(2 * math.pi)) - q.scale.log()


def _over_normal(p: Any, q: Any) -> Any:
    return -p.entropy() - _log_normal_mean(p, q)


for _kind in (Beta, ContinuousBernoulli, Exponential, Gamma, Gumbel, Uniform, Laplace):
    register_kl(_kind, Normal)(_over_normal)


def _over_exponential(p: Any, q: Any) -> Any:
    return -p.entropy() - q.rate.log() + q.rate * p.mean


for _kind in (Beta, ContinuousBernoulli, Gamma, Pareto):
    register_kl(_kind, Exponential)(_over_exponential)


@register_kl(Pareto, Normal)
def _pareto_normal(p: Any, q: Any) -> Any:
    return _over_normal(p, q).where(p.alpha > 2, math.inf)


def _over_gamma(p: Any, q: Any, mean_of_log: Any) -> Any:
    a = q.concentration
    return -p.entropy() - (a * q.rate.log() + (a - 1) * mean_of_log - q.rate * p.mean - a.lgamma())


@register_kl(Beta, Gamma)
def _beta_gamma(p: Any, q: Any) -> Any:
    mean_of_log = p.concentration1.digamma() - (p.concentration1 + p.concentration0).digamma()
    return _over_gamma(p, q, mean_of_log)


@register_kl(Exponential, Gamma)
def _exponential_gamma(p: Any, q: Any) -> Any:
    return _over_gamma(p, q, -p.rate.log() - EULER)


@register_kl(Pareto, Gamma)
def _pareto_gamma(p: Any, q: Any) -> Any:
    return _over_gamma(p, q, p.scale.log() + p.alpha.reciprocal()).where(p.alpha > 1, math.inf)


def _over_gumbel(p: Any, q: Any, mean_of_exp: Any) -> Any:
    """``mean_of_exp`` is ``E_p[exp(-x / scale)]``."""
    return -p.entropy() + (p.mean - q.loc) / q.scale + (q.loc / q.scale).exp() * mean_of_exp + q.scale.log()


@register_kl(Exponential, Gumbel)
def _exponential_gumbel(p: Any, q: Any) -> Any:
    return _over_gumbel(p, q, p.rate / (p.rate + 1 / q.scale))


@register_kl(Gamma, Gumbel)
def _gamma_gumbel(p: Any, q: Any) -> Any:
    return _over_gumbel(p, q, (-p.concentration * (1 / (q.scale * p.rate)).log1p()).exp())


@register_kl(Normal, Gumbel)
def _normal_gumbel(p: Any, q: Any) -> Any:
    return _over_gumbel(p, q, (-p.loc / q.scale + 0.5 * (p.scale / q.scale).square()).exp())


@register_kl(Uniform, Gumbel)
def _uniform_gumbel(p: Any, q: Any) -> Any:
    ends = (-p.low / q.scale).exp() - (-p.high / q.scale).exp()
    return _over_gumbel(p, q, q.scale * ends / (p.high - p.low))


@register_kl(Normal, Laplace)
def _normal_laplace(p: Any, q: Any) -> Any:
    y = (p.loc - q.loc) / p.scale
    mean_of_distance = p.scale * (math.sqrt(2 / math.pi) * (-0.5 * y.square()).exp() + y * (y / math.sqrt(2)).erf())
    return -p.entropy() + (2 * q.scale).log() + mean_of_distance / q.scale


def _over_uniform(p: Any, q: Any) -> Any:
    inside = (q.low <= 0) & (q.high >= 1)
    return (-p.entropy() + (q.high - q.low).log()).where(inside, math.inf)


for _kind in (Beta, ContinuousBernoulli):
    register_kl(_kind, Uniform)(_over_uniform)


@register_kl(Beta, ContinuousBernoulli)
def _beta_continuous_bernoulli(p: Any, q: Any) -> Any:
    return -p.entropy() - p.mean * q.logits - (-q.probs).log1p() - q._log_norm()


@register_kl(Bernoulli, Poisson)
def _bernoulli_poisson(p: Any, q: Any) -> Any:
    return -p.entropy() - (p.probs * q.rate.log() - q.rate)


@register_kl(Uniform, Beta)
def _uniform_beta(p: Any, q: Any) -> Any:
    a, b = q.concentration1, q.concentration0
    width = p.high - p.low
    near = (_x_log_x(p.high) - _x_log_x(p.low) - width) / width
    far = (_x_log_x(1 - p.high) - _x_log_x(1 - p.low) + width) / width
    t = -width.log() - (a - 1) * near + (b - 1) * far + a.lgamma() + b.lgamma() - (a + b).lgamma()
    return t.where((p.low >= 0) & (p.high <= 1), math.inf)


def _x_log_x(x: Any) -> Any:
    return x.xlogy(x)


@register_kl(Uniform, ContinuousBernoulli)
def _uniform_continuous_bernoulli(p: Any, q: Any) -> Any:
    t = -p.entropy() - p.mean * q.logits - (-q.probs).log1p() - q._log_norm()
    return t.where((p.low >= 0) & (p.high <= 1), math.inf)


@register_kl(Uniform, Exponential)
def _uniform_exponential(p: Any, q: Any) -> Any:
    return _over_exponential(p, q).where(p.low >= 0, math.inf)


@register_kl(Uniform, Gamma)
def _uniform_gamma(p: Any, q: Any) -> Any:
    mean_of_log = (_x_log_x(p.high) - _x_log_x(p.low)) / (p.high - p.low) - 1
    return _over_gamma(p, q, mean_of_log).where(p.low >= 0, math.inf)


@register_kl(Uniform, Pareto)
def _uniform_pareto(p: Any, q: Any) -> Any:
    mean_of_log = (_x_log_x(p.high) - _x_log_x(p.low)) / (p.high - p.low) - 1
    t = -p.entropy() - q.alpha.log() - q.alpha * q.scale.log() + (q.alpha + 1) * mean_of_log
    return t.where(p.low >= q.scale, math.inf)
