"""Draws of ``distributions``: their moments, their gradients, and what they are in other worlds."""

import math
from typing import Any

import numpy as np
import pytest

import wengert as torch
from wengert import distributions as D
from wengert.distributions import kl
from wengert.distributions._gamma_draws import gamma_slope

COUNT = 20_000
t = torch.tensor

DRAWN = [
    D.Bernoulli(t([0.2, 0.9])),
    D.Beta(t([0.5, 2.0]), t([1.5, 3.0])),
    D.Binomial(5, t([0.2, 0.9])),
    D.Chi2(t([3.0, 0.7])),
    D.ContinuousBernoulli(t([0.2, 0.5002])),
    D.Dirichlet(t([0.5, 2.0, 1.5])),
    D.Exponential(t([0.5, 2.0])),
    D.FisherSnedecor(t([3.0, 5.0]), t([12.0, 15.0])),
    D.Gamma(t([0.5, 2.0]), t([1.5, 3.0])),
    D.Geometric(t([0.2, 0.9])),
    D.Gumbel(t([0.5, -1.0]), t([1.0, 2.0])),
    D.HalfNormal(t([1.0, 2.0])),
    D.InverseGamma(t([6.0, 8.0]), t([1.5, 3.0])),
    D.Kumaraswamy(t([1.5, 2.0]), t([1.5, 3.0])),
    D.Laplace(t([0.5, -1.0]), t([1.0, 2.0])),
    D.LogNormal(t([0.5, -1.0]), t([0.3, 0.5])),
    D.Multinomial(3, t([0.2, 0.3, 0.5])),
    D.MultivariateNormal(t([0.5, -1.0]), t([[2.0, 0.3], [0.3, 1.0]])),
    D.NegativeBinomial(t([3.0, 5.0]), t([0.2, 0.6])),
    D.Normal(t([0.5, -1.0]), t([1.0, 2.0])),
    D.OneHotCategorical(t([0.2, 0.3, 0.5])),
    D.Pareto(t([0.1, 2.0]), t([6.0, 8.0])),
    D.Poisson(t([0.5, 20.0])),
    D.StudentT(t([8.0, 9.5]), t([0.5, -1.0]), t([1.0, 2.0])),
    D.Uniform(t([0.1, 0.2]), t([0.6, 0.9])),
    D.Weibull(t([1.0, 2.0]), t([1.5, 3.0])),
    D.MixtureSameFamily(D.Categorical(t([1.0, 3.0])), D.Normal(t([-1.0, 3.0]), t([0.5, 1.0]))),
]


@pytest.mark.parametrize("d", DRAWN, ids=lambda d: type(d).__name__)
def test_draws_have_the_mean_and_the_variance_that_the_distribution_says(d: Any) -> None:
    torch.manual_seed(0)
    drawn = d.sample((COUNT,))
    assert not drawn.requires_grad
    error = (drawn.mean(0) - d.mean).abs() / (d.variance / COUNT).sqrt()
    assert (error < 5).all()
    assert ((drawn.var(0) / d.variance - 1).abs() < 0.25).all()


REPARAMETERISED = [
    (lambda p: D.Gamma(p, 2.0), [0.3, 0.9, 5.0]),
    (lambda p: D.Gamma(2.0, p), [0.3, 0.9, 5.0]),
    (lambda p: D.Beta(p, 2.0), [0.5, 0.9, 5.0]),
    (lambda p: D.Beta(2.0, p), [0.5, 0.9, 5.0]),
    (lambda p: D.Dirichlet(p), [0.5, 0.9, 5.0]),
    (lambda p: D.Chi2(p), [0.7, 2.0, 9.0]),
    (lambda p: D.Normal(p, p.exp()), [0.5, -0.9]),
    (lambda p: D.Laplace(p, p.exp()), [0.5, -0.9]),
    (lambda p: D.Exponential(p), [0.5, 2.0]),
    (lambda p: D.Uniform(p, 3 * p), [0.5, 2.0]),
    (lambda p: D.Weibull(p, 2 * p), [1.5, 2.0]),
    (lambda p: D.InverseGamma(p, 2.0), [6.0, 8.0]),
    (lambda p: D.Kumaraswamy(p, 2 * p), [1.5, 2.0]),
    (lambda p: D.LogNormal(p, 0.3), [0.5, -0.9]),
    (lambda p: D.ContinuousBernoulli(p), [0.2, 0.7]),
]


@pytest.mark.parametrize(("build", "value"), REPARAMETERISED, ids=range(len(REPARAMETERISED)))
def test_the_gradient_of_draws_is_that_of_their_mean(build: Any, value: Any) -> None:
    """``d E[x] / dp`` by the draws' gradients and by the formula of the mean."""
    torch.manual_seed(0)
    p = torch.tensor(value, dtype=torch.float64, requires_grad=True)
    mean = build(p).mean
    weights = torch.arange(1.0, mean.shape[-1] + 1, dtype=torch.float64)
    (expected,) = torch.autograd.grad((mean * weights).sum(), p)
    blocks = p.detach().expand(20, -1).clone().requires_grad_()  # a gradient for each of 20 blocks of draws
    drawn = build(blocks).rsample((200,))
    (slopes,) = torch.autograd.grad((drawn.mean(0) * weights).sum(), blocks)
    spread = slopes.std(0) / math.sqrt(20)
    assert ((slopes.mean(0) - expected).abs() < 5 * spread + 1e-6).all()


def test_the_slope_of_gamma_draws() -> None:
    """By central differences of the inverse of the distribution function."""
    scipy_special = pytest.importorskip("scipy.special")
    for a in (0.05, 0.7, 1.0, 3.0, 40.0, 1e4):
        heights = np.array([0.01, 0.2, 0.5, 0.9, 0.999])
        h = a * 1e-5
        x = scipy_special.gammaincinv(a, heights)
        expected = (scipy_special.gammaincinv(a + h, heights) - scipy_special.gammaincinv(a - h, heights)) / (2 * h)
        np.testing.assert_allclose(gamma_slope(x, np.full(5, a)), expected, rtol=1e-6)


def test_a_second_derivative_of_a_gamma_draw_is_refused() -> None:
    a = torch.tensor(2.0, requires_grad=True)
    (slope,) = torch.autograd.grad(D.Gamma(a, 1.0).rsample(), a, create_graph=True)
    with pytest.raises(NotImplementedError, match="a first derivative only"):
        slope.backward()


def test_divergences_are_means_of_differences_of_logarithms() -> None:
    """Pairs of one support, by the mean over many draws; those of others are infinite."""
    torch.manual_seed(0)
    like = {type(d): d for d in DRAWN}
    checked = 0
    for first, second in kl._FORMULAS:
        if first not in like or second not in like:
            continue
        p, q = like[first], like[second]
        if tuple(p.batch_shape) != tuple(q.batch_shape) or first in (D.Binomial, D.Independent):
            continue
        x = p.sample((COUNT,))
        try:
            terms = p.log_prob(x) - q.log_prob(x)
        except ValueError:  # outside of the support
            terms = torch.full((COUNT, *p.batch_shape), math.inf)
        got = D.kl_divergence(p, q)
        for index in np.ndindex(*got.shape):
            if math.isfinite(got[index].item()):
                own = terms[(slice(None), *index)]
                if torch.isfinite(own).all():
                    assert abs(own.mean().item() - got[index].item()) < 6 * own.std().item() / COUNT**0.5 + 1e-5, (p, q)
                    checked += 1
    assert checked > 60


def test_a_subclass_takes_the_formula_of_its_base() -> None:
    class Mine(D.Normal):
        pass

    assert D.kl_divergence(Mine(1.0, 1.0), D.Normal(0.0, 1.0)).item() == 0.5


def test_numbers_and_draws_in_vmap() -> None:
    means = torch.arange(3.0)
    got = torch.vmap(lambda m: D.Normal(m, 1.0).log_prob(torch.tensor(0.5)))(means)
    np.testing.assert_allclose(got.numpy(), D.Normal(means, 1.0).log_prob(torch.tensor(0.5)).numpy(), rtol=1e-6)
    drawn = torch.vmap(lambda m: D.Normal(m, 1e-3).rsample(), randomness="different")(means)
    assert (drawn - means).abs().max() < 0.01


def test_log_prob_compiles() -> None:
    def loss(mean: Any, x: Any) -> Any:
        return D.Normal(mean, 2.0).log_prob(x).sum()

    mean, x = torch.tensor(0.5), torch.arange(4.0)
    assert torch.allclose(torch.compile(loss)(mean, x), loss(mean, x))


def test_recorded_operations_name_the_users_line() -> None:
    mean = torch.tensor(0.5, requires_grad=True)
    y = D.Normal(mean, 1.0).log_prob(torch.tensor(0.1))
    assert y.grad_fn.code.co_filename == __file__


def test_a_seed_gives_the_same_draws() -> None:
    def drawn() -> list[Any]:
        torch.manual_seed(3)
        return [d.sample((4,)) for d in DRAWN]

    for a, b in zip(drawn(), drawn(), strict=True):
        assert torch.equal(a, b)


def test_checks_can_be_switched_off() -> None:
    assert D.Normal(0.0, -1.0, validate_args=False).scale.item() == -1
    D.Distribution.set_default_validate_args(False)
    try:
        D.Normal(0.0, -1.0)
    finally:
        D.Distribution.set_default_validate_args(True)


def test_a_cache_gives_back_what_went_in() -> None:
    transform = D.TanhTransform(cache_size=1)
    x = torch.tensor(20.0)
    assert transform.inv(transform(x)) is x
    assert not math.isfinite(D.TanhTransform().inv(transform(x)).item())
