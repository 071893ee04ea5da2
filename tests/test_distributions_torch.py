"""``distributions`` beside PyTorch's: values, gradients, shapes, divergences, transforms and errors."""

from typing import Any

import numpy as np
import pytest

import wengert
from wengert.distributions import kl

torch = pytest.importorskip("torch")

P, Q = "probs", "logits"
ROOT, SPREAD, WEIGHTS = [[1.0, 0.0], [0.5, 2.0]], [[2.0, 0.3], [0.3, 1.0]], [0.2, 0.3, 0.5]
# name -> parameters (positional, named) of one or two sets, and values to ask for
TABLE: dict[str, tuple[Any, ...]] = {
    "Bernoulli": (((), {P: [0.2, 0.9]}), ((), {Q: [0.3, -1.0]}), [0.0, 1.0]),
    "Beta": ((([0.5, 2.0], [1.5, 3.0]), {}), (([2.5, 1.0], [0.5, 2.0]), {}), [0.3, 0.8]),
    "Binomial": (((5,), {P: [0.2, 0.9]}), ((5,), {Q: [0.3, -1.0]}), [2.0, 5.0]),
    "Categorical": (((), {P: [WEIGHTS, [1.0, 1.0, 2.0]]}), ((), {Q: [[0.1, 0.0, 2.0], [1.0, 2.0, 3.0]]}), [2, 0]),
    "Cauchy": ((([0.5, -1.0], [1.0, 2.0]), {}), (([0.0, 1.0], [0.5, 3.0]), {}), [0.3, 4.0]),
    "Chi2": ((([3.0, 0.7],), {}), (([5.0, 2.0],), {}), [0.5, 3.0]),
    "ContinuousBernoulli": (((), {P: [0.2, 0.5002]}), ((), {Q: [0.3, -1.0]}), [0.3, 0.7]),
    "Dirichlet": ((([[0.5, 2.0, 1.5], [1.0, 3.0, 2.0]],), {}), (([[2.0, 2.0, 0.5], [1.0] * 3],), {}), WEIGHTS),
    "Exponential": ((([0.5, 2.0],), {}), (([1.5, 3.0],), {}), [0.3, 4.0]),
    "FisherSnedecor": ((([3.0, 5.0], [6.0, 7.0]), {}), None, [0.5, 2.0]),
    "Gamma": ((([0.5, 2.0], [1.5, 3.0]), {}), (([2.5, 1.0], [0.5, 2.0]), {}), [0.3, 4.0]),
    "Geometric": (((), {P: [0.2, 0.9]}), ((), {Q: [0.3, -1.0]}), [0.0, 3.0]),
    "Gumbel": ((([0.5, -1.0], [1.0, 2.0]), {}), (([0.0, 1.0], [0.5, 3.0]), {}), [0.3, 4.0]),
    "HalfCauchy": ((([1.0, 2.0],), {}), None, [0.3, 4.0]),
    "HalfNormal": ((([1.0, 2.0],), {}), (([0.5, 3.0],), {}), [0.3, 4.0]),
    "InverseGamma": ((([0.5, 4.0], [1.5, 3.0]), {}), (([2.5, 1.0], [0.5, 2.0]), {}), [0.3, 4.0]),
    "Kumaraswamy": ((([1.5, 2.0], [1.5, 3.0]), {}), None, [0.3, 0.8]),
    "Laplace": ((([0.5, -1.0], [1.0, 2.0]), {}), (([0.0, 1.0], [0.5, 3.0]), {}), [0.3, 4.0]),
    "LogNormal": ((([0.5, -1.0], [1.0, 2.0]), {}), (([0.0, 1.0], [0.5, 3.0]), {}), [0.3, 4.0]),
    "LogisticNormal": ((([0.5, -1.0], [1.0, 2.0]), {}), None, [0.2, 0.3, 0.5]),
    "Multinomial": (((3,), {P: [0.2, 0.3, 0.5]}), None, [1.0, 0.0, 2.0]),
    "MultivariateNormal": (  # one of the three matrices
        (([0.5, -1.0],), {"scale_tril": ROOT}), (([0, 1.0],), {"covariance_matrix": SPREAD}), [0.3, 4]),
    "NegativeBinomial": ((([3.0, 5.0],), {P: [0.2, 0.9]}), None, [2.0, 5.0]),
    "Normal": ((([0.5, -1.0], [1.0, 2.0]), {}), (([0.0, 1.0], [0.5, 3.0]), {}), [0.3, 4.0]),
    "OneHotCategorical": (((), {P: [0.2, 0.3, 0.5]}), ((), {Q: [0.1, 0.0, 2.0]}), [0.0, 1.0, 0.0]),
    "Pareto": ((([0.1, 2.0], [1.5, 3.0]), {}), (([0.1, 1.0], [0.5, 2.0]), {}), [2.3, 4.0]),
    "Poisson": ((([0.5, 2.0],), {}), (([1.5, 3.0],), {}), [0.0, 3.0]),
    "RelaxedBernoulli": (((0.7,), {P: [0.2, 0.9]}), None, [0.3, 0.8]),
    "RelaxedOneHotCategorical": (((0.7,), {P: [0.2, 0.3, 0.5]}), None, [0.2, 0.3, 0.5]),
    "StudentT": ((([3.0, 1.5], [0.5, -1.0], [1.0, 2.0]), {}), None, [0.3, 4.0]),
    "Uniform": ((([0.1, 0.2], [0.6, 0.9]), {}), (([0.0, 0.3], [1.0, 3.0]), {}), [0.3, 0.5]),
    "VonMises": ((([0.1, 0.2], [0.6, 0.9]), {}), None, [0.3, 0.5]),
    "Weibull": ((([1.0, 2.0], [1.5, 3.0]), {}), None, [0.3, 4.0]),
}  # fmt: skip
MEASURES = ("mean", "variance", "stddev", "mode", "entropy")


def made(lib: Any, name: str, parameters: Any) -> tuple[Any, list[Any]]:
    """A distribution, and its parameters as float64 leaves."""
    leaves = []

    def leaf(value: Any) -> Any:
        if isinstance(value, int):
            return value
        leaves.append(lib.tensor(value, dtype=lib.float64, requires_grad=True))
        return leaves[-1]

    positional, named = parameters
    positional = [leaf(value) for value in positional]
    named = {key: leaf(value) for key, value in named.items()}
    return getattr(lib.distributions, name)(*positional, **named), leaves


def array(t: Any) -> Any:
    return t.detach().numpy()


def outcome(call: Any) -> Any:
    try:
        return call()
    except (NotImplementedError, ValueError) as error:
        return type(error)


def check_same(ours: Any, theirs: Any, our_leaves: Any, their_leaves: Any, what: str) -> None:
    if isinstance(theirs, type):
        assert ours is theirs, what
        return
    np.testing.assert_allclose(array(ours), array(theirs), rtol=2e-6, atol=1e-9, err_msg=what)
    assert tuple(ours.shape) == tuple(theirs.shape)
    assert str(ours.dtype).split(".")[-1] == str(theirs.dtype).split(".")[-1]
    if theirs.requires_grad and np.isfinite(array(theirs)).all():
        assert ours.requires_grad, what
        own = wengert.autograd.grad(ours.sum(), our_leaves, retain_graph=True, allow_unused=True)
        other = torch.autograd.grad(theirs.sum(), their_leaves, retain_graph=True, allow_unused=True)
        for a, b in zip(own, other, strict=True):
            expected = np.zeros(1) if b is None else array(b)
            got = np.zeros(expected.shape) if a is None else array(a)
            np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-8, err_msg=f"gradient of {what}")


def sets() -> list[Any]:
    return [
        pytest.param(name, i, id=f"{name}-{i}") for name, row in TABLE.items() for i in (0, 1) if row[i] is not None
    ]


@pytest.mark.parametrize(("name", "number"), sets())
def test_measures_and_their_gradients(name: str, number: int) -> None:
    row = TABLE[name]
    (ours, our_leaves), (theirs, their_leaves) = made(wengert, name, row[number]), made(torch, name, row[number])
    assert (tuple(ours.batch_shape), tuple(ours.event_shape)) == (tuple(theirs.batch_shape), tuple(theirs.event_shape))
    assert ours.has_rsample == theirs.has_rsample
    assert ours.has_enumerate_support == theirs.has_enumerate_support

    def measured(d: Any, measure: str) -> Any:
        return d.entropy() if measure == "entropy" else getattr(d, measure)

    for measure in MEASURES:
        expected = outcome(lambda measure=measure: measured(theirs, measure))
        got = outcome(lambda measure=measure: measured(ours, measure))
        if (isinstance(expected, type) and not isinstance(got, type)) or (name, measure) == ("Kumaraswamy", "mode"):
            continue  # we have more; PyTorch takes logarithms of negative numbers for the mode
        check_same(got, expected, our_leaves, their_leaves, f"{name}.{measure}")


@pytest.mark.parametrize(("name", "number"), sets())
def test_probabilities_and_their_gradients(name: str, number: int) -> None:
    row = TABLE[name]
    (ours, our_leaves), (theirs, their_leaves) = made(wengert, name, row[number]), made(torch, name, row[number])
    dtype = "int64" if isinstance(row[2][0], int) else "float64"
    a = wengert.tensor(row[2], dtype=getattr(wengert, dtype), requires_grad=dtype == "float64")
    b = torch.tensor(row[2], dtype=getattr(torch, dtype), requires_grad=dtype == "float64")
    our_leaves, their_leaves = (
        ([*our_leaves, a], [*their_leaves, b]) if dtype == "float64" else (our_leaves, their_leaves)
    )
    for method in ("log_prob", "cdf"):
        expected = outcome(lambda method=method: getattr(theirs, method)(b))
        got = outcome(lambda method=method: getattr(ours, method)(a))
        if isinstance(expected, type) and not isinstance(got, type):
            continue
        if (name, method) in {("Gamma", "cdf"), ("Chi2", "cdf"), ("InverseGamma", "cdf")}:  # PyTorch has no gradient
            np.testing.assert_allclose(array(got), array(expected), rtol=1e-9)
            continue
        check_same(got, expected, our_leaves, their_leaves, f"{name}.{method}")
    heights = [0.2, 0.7][: max(1, len(row[2]))]
    expected = outcome(lambda: theirs.icdf(torch.tensor(heights, dtype=torch.float64)))
    if not isinstance(expected, type):
        got = ours.icdf(wengert.tensor(heights, dtype=wengert.float64))
        check_same(got, expected, our_leaves, their_leaves, f"{name}.icdf")


@pytest.mark.parametrize("name", list(TABLE))
def test_expanding_supports_and_enumerations(name: str) -> None:
    row = TABLE[name]
    (ours, _), (theirs, _) = made(wengert, name, row[0]), made(torch, name, row[0])
    shape = (3, *theirs.batch_shape)
    wide, other = ours.expand(shape), theirs.expand(shape)
    assert (tuple(wide.batch_shape), tuple(wide.event_shape)) == (tuple(other.batch_shape), tuple(other.event_shape))
    np.testing.assert_allclose(
        array(wide.log_prob(wengert.tensor(row[2]).to(wengert.float64))),
        array(other.log_prob(torch.tensor(row[2]).to(torch.float64))),
        rtol=1e-6,
    )
    assert tuple(wide.sample((2,)).shape) == tuple(other.sample((2,)).shape)
    assert ours.sample().dtype == getattr(wengert, str(theirs.sample().dtype).split(".")[-1])
    assert ours.support.event_dim == theirs.support.event_dim
    assert ours.support.is_discrete == theirs.support.is_discrete
    assert wide.support.check(wide.sample()).all()
    if theirs.has_enumerate_support:
        for flag in (True, False):
            np.testing.assert_array_equal(
                array(ours.enumerate_support(flag)), array(theirs.enumerate_support(flag)), err_msg=name
            )


@pytest.mark.parametrize(
    ("p", "q"),
    [pair for pair in [(a.__name__, b.__name__) for a, b in kl._FORMULAS] if pair[0] in TABLE and pair[1] in TABLE],
)
def test_divergences_and_their_gradients(p: str, q: str) -> None:
    for first, second in ((0, 1), (0, 0)):
        second = second if TABLE[q][second] is not None else 0
        (a, our), (b, more) = made(wengert, p, TABLE[p][first]), made(wengert, q, TABLE[q][second])
        (c, their), (d, further) = made(torch, p, TABLE[p][first]), made(torch, q, TABLE[q][second])
        if (p, q) == ("ContinuousBernoulli", "Uniform"):
            continue  # PyTorch's is infinite for uniform distributions that do cover [0, 1]
        expected = torch.distributions.kl_divergence(c, d)
        check_same(wengert.distributions.kl_divergence(a, b), expected, our + more, their + further, f"KL({p}, {q})")


def test_all_of_pytorchs_divergences_are_there() -> None:
    have = {(a.__name__, b.__name__) for a, b in kl._FORMULAS}
    want = {(a.__name__, b.__name__) for a, b in torch.distributions.kl._KL_REGISTRY}
    lacking = {pair for pair in want - have if not {"LowRankMultivariateNormal", "ExponentialFamily"} & set(pair)}
    assert not lacking


TRANSFORMS: list[tuple[str, tuple[Any, ...], Any]] = [
    ("ExpTransform", (), [0.3, -1.0]),
    ("AbsTransform", (), [0.3, -1.0]),
    ("PowerTransform", (2.0,), [0.3, 1.5]),
    ("SigmoidTransform", (), [0.3, -1.0]),
    ("TanhTransform", (), [0.3, -1.0]),
    ("SoftplusTransform", (), [0.3, -1.0]),
    ("AffineTransform", (1.0, -2.0), [0.3, -1.0]),
    ("AffineTransform", (1.0, 2.0, 1), [0.3, -1.0]),
    ("SoftmaxTransform", (), [0.3, -1.0, 2.0]),
    ("StickBreakingTransform", (), [0.3, -1.0, 2.0]),
    ("LowerCholeskyTransform", (), [[0.3, 7.0], [-1.0, 2.0]]),
    ("PositiveDefiniteTransform", (), [[0.3, 7.0], [-1.0, 2.0]]),
    ("CorrCholeskyTransform", (), [0.3, -1.0, 0.5]),
    ("ReshapeTransform", ((4,), (2, 2)), [0.3, -1.0, 2.0, 1.0]),
]


@pytest.mark.parametrize(("name", "arguments", "value"), TRANSFORMS, ids=[f"{row[0]}{row[1]}" for row in TRANSFORMS])
def test_transforms(name: str, arguments: Any, value: Any) -> None:
    ours, theirs = (getattr(lib.distributions, name)(*arguments) for lib in (wengert, torch))
    x = wengert.tensor(value, dtype=wengert.float64, requires_grad=True)
    z = torch.tensor(value, dtype=torch.float64, requires_grad=True)
    y, w = ours(x), theirs(z)
    check_same(y, w, [x], [z], name)
    check_same(ours.inv(y), theirs.inv(w), [x], [z], name + ".inv")
    expected = outcome(lambda: theirs.log_abs_det_jacobian(z, w))
    check_same(outcome(lambda: ours.log_abs_det_jacobian(x, y)), expected, [x], [z], name + ".log_abs_det_jacobian")
    assert ours.domain.event_dim == theirs.domain.event_dim
    assert ours.codomain.event_dim == theirs.codomain.event_dim
    assert ours.bijective == theirs.bijective
    assert repr(ours) == repr(theirs)
    assert tuple(ours.forward_shape(x.shape)) == tuple(theirs.forward_shape(z.shape))
    assert ours.inv.inv is ours
    assert (ours == ours.with_cache()) == (theirs == theirs.with_cache())


def test_composed_transforms() -> None:
    def built(lib: Any) -> Any:
        d = lib.distributions
        parts = [
            d.AffineTransform(1.0, 2.0),
            d.IndependentTransform(d.SigmoidTransform(), 1),
            d.AffineTransform(0.0, 3.0),
        ]
        return d.ComposeTransform(parts)

    ours, theirs = built(wengert), built(torch)
    x = wengert.tensor([[0.1, 0.4], [-1.0, 2.0]], dtype=wengert.float64, requires_grad=True)
    z = torch.tensor([[0.1, 0.4], [-1.0, 2.0]], dtype=torch.float64, requires_grad=True)
    check_same(ours(x), theirs(z), [x], [z], "composed")
    check_same(
        ours.log_abs_det_jacobian(x, ours(x)), theirs.log_abs_det_jacobian(z, theirs(z)), [x], [z], "its determinant"
    )
    check_same(ours.inv(ours(x)), theirs.inv(theirs(z)), [x], [z], "its inverse")
    for cat, axis in (("CatTransform", 0), ("StackTransform", 0)):

        def joined(lib: Any, cat: str = cat, axis: int = axis) -> Any:
            d = lib.distributions
            return getattr(d, cat)([d.ExpTransform(), d.AffineTransform(1.0, 2.0)], axis)

        a, b = joined(wengert), joined(torch)
        check_same(a(x), b(z), [x], [z], cat)
        check_same(a.log_abs_det_jacobian(x, a(x)), b.log_abs_det_jacobian(z, b(z)), [x], [z], cat)


@pytest.mark.parametrize(
    ("constraint", "arguments"),
    [
        *[(name, None) for name in ("real", "positive", "nonnegative", "unit_interval", "simplex", "real_vector")],
        *[(name, None) for name in ("lower_cholesky", "corr_cholesky", "positive_definite")],
        *[
            ("greater_than", (1.0,)),
            ("less_than", (1.0,)),
            ("interval", (1.0, 3.0)),
            ("half_open_interval", (-1.0, 3.0)),
        ],
    ],
)
@pytest.mark.parametrize("registry", ["biject_to", "transform_to"])
def test_transforms_onto_constraints(constraint: str, arguments: Any, registry: str) -> None:
    def built(lib: Any) -> Any:
        found = getattr(lib.distributions.constraints, constraint)
        found = found if arguments is None else found(*arguments)
        return getattr(lib.distributions, registry)(found), found

    if registry == "biject_to" and constraint in ("lower_cholesky", "positive_definite"):
        with pytest.raises(NotImplementedError):
            built(wengert)
        return
    (ours, inside), (theirs, _) = built(wengert), built(torch)
    square = constraint in ("lower_cholesky", "positive_definite")
    value = [[0.3, -1.0], [0.5, 2.0]] if square else [0.3, -1.0, 0.5]
    x, z = wengert.tensor(value, dtype=wengert.float64), torch.tensor(value, dtype=torch.float64)
    np.testing.assert_allclose(array(ours(x)), array(theirs(z)), rtol=1e-9)
    assert inside.check(ours(x)).all()
    assert repr(ours) == repr(theirs)


ERRORS = [
    lambda d, t: d.Normal(0.0, -1.0),
    lambda d, t: d.Normal(0.0, 1.0).log_prob(t.tensor(float("nan"))),
    lambda d, t: d.Uniform(1.0, 0.0),
    lambda d, t: d.Uniform(0.0, 1.0).log_prob(t.tensor(2.0)),
    lambda d, t: d.Bernoulli(0.5, 0.5),
    lambda d, t: d.Bernoulli(),
    lambda d, t: d.Bernoulli(1.5),
    lambda d, t: d.Categorical(t.tensor(0.5)),
    lambda d, t: d.Categorical(t.ones(3)).log_prob(t.tensor(3)),
    lambda d, t: d.Normal(t.zeros(2), 1.0).log_prob(t.zeros(3)),
    lambda d, t: d.Normal(0.0, 1.0).log_prob(0.5),
    lambda d, t: d.MultivariateNormal(t.zeros(2), -t.eye(2)),
    lambda d, t: d.MultivariateNormal(t.zeros(2)),
    lambda d, t: d.MultivariateNormal(t.tensor(0.0), t.eye(2)),
    lambda d, t: d.Poisson(1.0).rsample(),
    lambda d, t: d.Independent(d.Normal(t.zeros(2), 1.0), 2),
    lambda d, t: d.TransformedDistribution(d.Normal(0.0, 1.0), [3]),
    lambda d, t: d.MixtureSameFamily(d.Normal(0.0, 1.0), d.Normal(t.zeros(2), 1.0)),
    lambda d, t: d.MixtureSameFamily(d.Categorical(t.ones(3)), d.Normal(t.zeros(2), 1.0)),
    lambda d, t: d.Binomial(-1, t.tensor(0.5)),
    lambda d, t: d.kl_divergence(d.Normal(0.0, 1.0), d.Poisson(1.0)),
    lambda d, t: d.biject_to(d.constraints.boolean),
    lambda d, t: d.constraints.dependent.check(t.zeros(1)),
    lambda d, t: d.ReshapeTransform((2,), (3,)),
    lambda d, t: d.Distribution.set_default_validate_args(3),
    lambda d, t: d.Dirichlet(t.tensor(1.0)),
]


@pytest.mark.parametrize("call", ERRORS, ids=range(len(ERRORS)))
def test_errors(call: Any) -> None:
    with pytest.raises(Exception) as theirs:  # noqa: PT011
        call(torch.distributions, torch)
    with pytest.raises(type(theirs.value)):
        call(wengert.distributions, wengert)


def test_texts() -> None:
    for call in (
        lambda d, t: d.Normal(0.0, 1.0),
        lambda d, t: d.Normal(t.zeros(2), 1.0),
        lambda d, t: d.Categorical(t.ones(3)),
        lambda d, t: d.Independent(d.Normal(t.zeros(3), 1.0), 1),
        lambda d, t: d.MultivariateNormal(t.zeros(2), t.eye(2)),
        lambda d, t: d.Gamma(1.0, 2.0),
        lambda d, t: d.ExpTransform().inv,
        lambda d, t: d.constraints.positive,
        lambda d, t: d.constraints.interval(0, 1),
        lambda d, t: d.constraints.independent(d.constraints.real, 1),
        lambda d, t: d.constraints.simplex,
    ):
        assert repr(call(wengert.distributions, wengert)) == repr(call(torch.distributions, torch))
