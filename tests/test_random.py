"""Random numbers: the distributions by their statistics, seeds and states literally, errors as in PyTorch."""

from __future__ import annotations

import copy
import math
import pickle
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import wengert
from expressions import answer, lines

N = 40_000


@pytest.fixture(autouse=True)
def _seeded() -> Iterator[None]:
    with wengert.random.fork_rng():
        wengert.manual_seed(1234)
        yield


# --- shapes, dtypes, graphs and errors, as in PyTorch ----------------------------------------------------------------

KNOWN = """
torch.manual_seed(-1) and torch.initial_seed()
torch.manual_seed(2**64 - 1) and torch.initial_seed()
torch.manual_seed(-2**63) and torch.initial_seed()
torch.manual_seed(np.int64(3)) and torch.initial_seed()
torch.manual_seed(torch.tensor(3)) and torch.initial_seed()
torch.manual_seed(2**64)
torch.manual_seed(-2**63 - 1)
torch.manual_seed('a')
torch.Generator('cpu').device
torch.Generator().initial_seed()
torch.Generator().manual_seed(3).initial_seed()
torch.Generator().set_state(torch.zeros(3))
torch.get_rng_state().dtype
torch.rand(2, 3).shape
torch.rand((2,)).shape
torch.rand(()).shape
torch.rand(size=(3,)).shape
torch.rand(2, dtype=torch.float64).dtype
torch.rand(2, dtype=torch.complex64).dtype
torch.rand(2, dtype=torch.int64)
torch.rand(2, requires_grad=True).is_leaf
torch.rand(2, out=floats) is floats
torch.rand(-1)
torch.rand(2.5)
torch.randn(2, 3).shape
torch.randn(2, dtype=torch.complex64).dtype
torch.randn(2, dtype=torch.int64)
torch.randint(5, (2,)).dtype
torch.randint(5, 7, (2,)).shape
torch.randint(5, 6, (2,))
torch.randint(high=5, size=(2,)).dtype
torch.randint(low=4, high=5, size=(2,))
torch.randint(4, high=5, size=(2,))
torch.randint(5, (2,), dtype=torch.float32).dtype
torch.randint(256, (2,), dtype=torch.uint8).dtype
torch.randint(2, (2,), dtype=torch.bool).dtype
torch.randint(5, ()).shape
torch.randint(5, 2)
torch.randint(0, (2,))
torch.randint(5, 3, (2,))
torch.randint(300, (2,), dtype=torch.uint8)
torch.randint(5.5, (2,))
torch.randint(0, 2, (2,), requires_grad=True)
torch.randperm(4).sort()[0]
torch.randperm(0)
torch.randperm(3, dtype=torch.float32).dtype
torch.randperm(300, dtype=torch.uint8)
torch.randperm(3.)
torch.rand_like(floats).shape
torch.rand_like(counts, dtype=torch.float32).shape
torch.rand_like(counts)
torch.randn_like(floats, requires_grad=True).requires_grad
torch.randn_like(counts.t(), dtype=torch.float32).stride()
torch.randint_like(counts, 3).dtype
torch.randint_like(floats, 3).dtype
torch.randint_like(floats, 3, 4)
torch.normal(0., 1., (2,)).dtype
torch.normal(0, 1, (2,)).dtype
torch.normal(mean=0., std=1., size=(2,)).shape
torch.normal(5., 0., (2,))
torch.normal(floats, 0.)
torch.normal(floats, torch.zeros(3, 1))
torch.normal(7., torch.zeros(2))
torch.normal(floats, torch.zeros(2, dtype=torch.float64)).dtype
torch.normal(floats, 0., out=torch.zeros(2))
torch.normal(leaf, 2.).grad_fn
torch.normal(2., leaf).grad_fn
torch.normal(leaf, leaf).grad_fn
torch.autograd.grad(torch.normal(leaf, leaf).sum(), leaf)
torch.autograd.grad(torch.normal(leaf, torch.ones(3, 1)).sum(), leaf)
torch.normal(0., 1.)
torch.normal(0., -1., (2,))
torch.normal(floats, -1.)
torch.normal(floats, -floats)
torch.normal(floats, torch.ones(3))
torch.normal(counts, 1.)
torch.bernoulli(floats)
torch.bernoulli(floats, 0.)
torch.bernoulli(floats, p=1.)
torch.bernoulli(leaf).grad_fn
torch.autograd.grad(torch.bernoulli(leaf).sum(), leaf)
floats.bernoulli(0.)
counts.bernoulli(1.)
torch.bernoulli(floats * 2)
torch.bernoulli(counts)
torch.bernoulli(floats, p=2.)
torch.bernoulli(torch.tensor([float('nan')]))
torch.multinomial(floats, 2).shape
torch.multinomial(floats, 3, True).shape
torch.multinomial(torch.tensor([0., 1.]), 1)
torch.multinomial(torch.tensor([0., 1.]), 2)
torch.multinomial(torch.tensor([0., 1.]), 3, replacement=True)
torch.multinomial(torch.ones(2, 3), 2).shape
torch.multinomial(torch.ones(2, 3), 4, replacement=True).shape
torch.multinomial(leaf, 1).requires_grad
floats.multinomial(2).dtype
torch.multinomial(floats, 3)
torch.multinomial(torch.tensor([0., 0.]), 1)
torch.multinomial(torch.tensor([-1., 1.]), 1)
torch.multinomial(torch.tensor([float('inf'), 1.]), 1)
torch.multinomial(torch.tensor([float('nan'), 1.]), 1)
torch.multinomial(counts, 1)
torch.multinomial(torch.ones(2, 3, 4), 2)
torch.multinomial(torch.tensor(1.), 1)
torch.multinomial(floats, 0)
torch.poisson(torch.zeros(2))
torch.poisson(floats).dtype
torch.poisson(leaf).grad_fn
torch.poisson(-floats)
torch.poisson(counts)
floats.uniform_(2, 2)
floats.uniform_(to=0)
floats.uniform_(**{'from': 1, 'to': 1})
floats.uniform_() is floats
floats.uniform_(3, 2)
floats.uniform_(0, float('inf'))
floats.uniform_(to_=1)
counts.uniform_()
leaf.uniform_()
result.uniform_().grad_fn
result.normal_().grad_fn
result.random_().grad_fn
result.random_(3).grad_fn
result.random_(1, 3).grad_fn
result.exponential_().grad_fn
result.bernoulli_(0.5).grad_fn
result.bernoulli_(floats).grad_fn
result.log_normal_().grad_fn
result.cauchy_().grad_fn
result.geometric_(0.5).grad_fn
torch.autograd.grad((leaf * 2).normal_().sum(), leaf)
floats.normal_(2, 0)
floats.normal_(0, -1)
counts.normal_()
torch.zeros(2, dtype=torch.complex64).normal_().dtype
floats.exponential_(float('inf'))
floats.exponential_(0)
floats.exponential_(-1)
counts.exponential_()
floats.geometric_(0)
floats.geometric_(1)
counts.geometric_(0.5).dtype
floats.log_normal_(0, 0)
counts.log_normal_()
floats.cauchy_(0, 0)
counts.cauchy_()
floats.random_(1)
floats.random_(3, 4)
floats.random_(0)
floats.random_(5, 4)
torch.zeros(3, dtype=torch.uint8).random_(300)
torch.zeros(3, dtype=torch.bool).random_(1)
torch.zeros(3, dtype=torch.uint8).random_(0, 256).dtype
floats.bernoulli_(1.)
floats.bernoulli_(torch.ones(2))
counts.bernoulli_(torch.zeros(3))
torch.zeros(2, dtype=torch.bool).bernoulli_(1.)
floats.bernoulli_(2.)
torch.tensor(0.).uniform_(3, 3)
counts[0].random_(7, 8)
(counts[:, 1].random_(7, 8), counts)[1]
"""


@pytest.mark.conformance
@pytest.mark.parametrize("expression", lines(KNOWN))
def test_what_is_not_random_is_as_in_torch(torch: ModuleType, expression: str) -> None:
    ours, theirs = answer(expression, wengert), answer(expression, torch)
    assert ours[0] == theirs[0]
    assert theirs[1].rstrip(". ")[:25] in ours[1]


# --- distributions ---------------------------------------------------------------------------------------------------

SAMPLES: dict[str, tuple[Callable[..., Any], float, float]] = {
    "rand": (lambda **o: wengert.rand(N, **o), 1 / 2, 1 / 12),
    "uniform_": (lambda **o: wengert.empty(N, **o).uniform_(-1, 3), 1, 16 / 12),
    "randn": (lambda **o: wengert.randn(N, **o), 0, 1),
    "normal_": (lambda **o: wengert.empty(N, **o).normal_(2, 3), 2, 9),
    "exponential_": (lambda **o: wengert.empty(N, **o).exponential_(2), 1 / 2, 1 / 4),
    "log_normal_": (
        lambda **o: wengert.empty(N, **o).log_normal_(0.5, 0.25),
        math.exp(0.5 + 0.25**2 / 2),
        (math.exp(0.25**2) - 1) * math.exp(1 + 0.25**2),
    ),
    "geometric_": (lambda **o: wengert.empty(N, **o).geometric_(0.25), 4, 12),
    "bernoulli_": (lambda **o: wengert.empty(N, **o).bernoulli_(0.3), 0.3, 0.21),
    "bernoulli": (lambda **o: wengert.bernoulli(wengert.full((N,), 0.3, **o)), 0.3, 0.21),
    "poisson": (lambda **o: wengert.poisson(wengert.full((N,), 3.5, **o)), 3.5, 3.5),
    "randint": (lambda **o: wengert.randint(2, 12, (N,), **o), 6.5, 99 / 12),
    "random_": (lambda **o: wengert.empty(N, **o).random_(10), 4.5, 99 / 12),
    "normal of tensors": (
        lambda **o: wengert.normal(wengert.full((N,), 2.0, **o), wengert.full((1,), 0.5, **o)),
        2,
        0.25,
    ),
    "normal with size": (lambda **o: wengert.normal(2.0, 0.5, (N,), **o), 2, 0.25),
}


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("name", SAMPLES)
def test_mean_and_variance(name: str, dtype: str) -> None:
    draw, mean, variance = SAMPLES[name]
    t = draw(dtype=getattr(wengert, dtype))
    assert t.dtype is getattr(wengert, dtype)
    values = t.numpy().astype(float)
    off = abs(values.mean() - mean) / math.sqrt(variance / N)
    assert off < 5, f"{off} standard errors"
    assert values.var() == pytest.approx(variance, rel=0.1)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_uniform_numbers_stay_below_the_end(dtype: str) -> None:
    kind = getattr(wengert, dtype)
    r = wengert.rand(200_000, dtype=kind)
    assert r.min().item() >= 0
    assert r.max().item() < 1
    # One step of the dtype wide: half of all draws would be rounded up to the end.
    step = np.nextafter(np.ones((), kind.np), np.full((), 2, kind.np)).item()
    narrow = wengert.empty(1000, dtype=kind).uniform_(1.0, step)
    assert set(narrow.tolist()) == {1.0}


def _kolmogorov_distance(values: np.ndarray, distribution: Callable[[np.ndarray], np.ndarray]) -> float:
    x = np.sort(values)
    heights = np.arange(len(x) + 1) / len(x)
    expected = distribution(x)
    return float(max(abs(heights[1:] - expected).max(), abs(heights[:-1] - expected).max()))


@pytest.mark.parametrize(
    ("draw", "distribution"),
    [
        (lambda: wengert.rand(N), lambda x: x),
        (lambda: wengert.randn(N), np.vectorize(lambda x: (1 + math.erf(x / math.sqrt(2))) / 2)),
        (lambda: wengert.empty(N).exponential_(), lambda x: 1 - np.exp(-x)),
        (lambda: wengert.empty(N).cauchy_(1, 2), lambda x: 0.5 + np.arctan((x - 1) / 2) / np.pi),
    ],
    ids=["rand", "randn", "exponential_", "cauchy_"],
)
def test_distribution_functions(draw: Callable[[], Any], distribution: Callable[[np.ndarray], np.ndarray]) -> None:
    assert _kolmogorov_distance(draw().numpy().astype(float), distribution) < 2.0 / math.sqrt(N)


def test_complex_numbers_have_variance_one_and_independent_parts() -> None:
    z = wengert.randn(N, dtype=wengert.complex64).numpy()
    assert z.dtype == np.complex64
    assert z.real.var() == pytest.approx(0.5, rel=0.05)
    assert z.imag.var() == pytest.approx(0.5, rel=0.05)
    assert abs((z.real * z.imag).mean()) < 0.02


def test_integers_are_equally_likely() -> None:
    counts = np.bincount(wengert.randint(3, 9, (N,)).numpy(), minlength=9)
    assert counts[:3].tolist() == [0, 0, 0]
    expected = N / 6
    assert ((counts[3:] - expected) ** 2 / expected).sum() < 30  # chi-square with 5 degrees of freedom


@pytest.mark.parametrize(("dtype", "top"), [("float16", 2**11), ("float32", 2**24), ("float64", 2**53), ("int8", 127)])
def test_random_counts_as_far_as_the_dtype_does(dtype: str, top: int) -> None:
    values = wengert.empty(N, dtype=getattr(wengert, dtype)).random_().numpy().astype(float)
    assert values.min() >= 0
    assert 0.99 * top - 2 <= values.max() <= top
    assert (values == np.round(values)).all()


@pytest.mark.parametrize("dtype", ["uint64", "int64"])
def test_the_widest_ranges(dtype: str) -> None:
    kind = getattr(wengert, dtype)
    limits = wengert.iinfo(kind) if dtype == "int64" else np.iinfo(np.uint64)
    values = wengert.randint(int(limits.min), int(limits.max), (1000,), dtype=kind).numpy()
    assert values.dtype == dtype
    assert values.max() > limits.max // 2 + limits.max // 3


def test_permutations_are_equally_likely() -> None:
    seen: dict[tuple[int, ...], int] = {}
    for _ in range(3000):
        order = tuple(wengert.randperm(3).tolist())
        seen[order] = seen.get(order, 0) + 1
    assert len(seen) == 6
    assert min(seen.values()) > 400


def test_multinomial_follows_the_weights() -> None:
    weights = wengert.tensor([1.0, 0.0, 2.0, 5.0])
    drawn = wengert.multinomial(weights, N, replacement=True).numpy()
    shares = np.bincount(drawn, minlength=4) / N
    np.testing.assert_allclose(shares, [1 / 8, 0, 2 / 8, 5 / 8], atol=0.012)
    firsts = np.array([wengert.multinomial(weights, 3).tolist() for _ in range(3000)])
    assert (np.sort(firsts, 1) == [0, 2, 3]).all()
    np.testing.assert_allclose(np.bincount(firsts[:, 0], minlength=4) / 3000, [1 / 8, 0, 2 / 8, 5 / 8], atol=0.04)


def test_multinomial_draws_rows_on_their_own() -> None:
    weights = wengert.tensor([[1.0, 0.0], [0.0, 3.0]])
    assert wengert.multinomial(weights, 3, replacement=True).tolist() == [[0, 0, 0], [1, 1, 1]]


# --- seeds and states ------------------------------------------------------------------------------------------------


def test_a_seed_gives_the_same_numbers_again_in_every_release() -> None:
    wengert.manual_seed(0)
    first = wengert.rand(3, dtype=wengert.float64).tolist()
    wengert.manual_seed(0)
    assert wengert.rand(3, dtype=wengert.float64).tolist() == first
    # NumPy promises the words of the Mersenne twister.
    words = np.random.RandomState(0).randint(0, 2**32, 6, np.uint32).astype(object)
    assert first == [(high * 2**32 + low) % 2**53 / 2**53 for high, low in words.reshape(3, 2)]


def test_manual_seed_returns_the_generator() -> None:
    assert wengert.manual_seed(5) is wengert.default_generator
    assert wengert.initial_seed() == 5
    assert wengert.seed() == wengert.initial_seed() != 5


def test_states_are_saved_and_restored() -> None:
    wengert.randint(5, (3,))  # leaves half a word in the generator
    wengert.rand(1)
    state = wengert.get_rng_state()
    first = [wengert.rand(3), wengert.randn(3), wengert.randint(100, (3,))]
    wengert.set_rng_state(state)
    second = [wengert.rand(3), wengert.randn(3), wengert.randint(100, (3,))]
    assert [a.tolist() for a in first] == [b.tolist() for b in second]


def test_a_restored_state_remembers_its_seed() -> None:
    state = wengert.Generator().manual_seed(42).get_state()
    g = wengert.Generator()
    g.set_state(state)
    assert g.initial_seed() == 42


def test_foreign_states_are_refused() -> None:
    with pytest.raises(TypeError, match=r"RNG state must be a torch\.ByteTensor"):
        wengert.set_rng_state(wengert.zeros(48))
    with pytest.raises(RuntimeError, match="5056 bytes, but got 48"):
        wengert.set_rng_state(wengert.zeros(48, dtype=wengert.uint8))
    with pytest.raises(RuntimeError, match="not the state of a Mersenne twister"):
        wengert.set_rng_state(wengert.zeros(5056, dtype=wengert.uint8))


def test_fork_rng_restores_also_after_an_error() -> None:
    before = wengert.get_rng_state().tolist()
    with pytest.raises(TypeError), wengert.random.fork_rng():
        wengert.rand(wengert.rand(10))
    assert wengert.get_rng_state().tolist() == before
    with wengert.random.fork_rng(enabled=False):
        wengert.rand(10)
    assert wengert.get_rng_state().tolist() != before


def test_generators_are_independent_and_can_be_copied() -> None:
    a, b = wengert.Generator().manual_seed(1), wengert.Generator().manual_seed(1)
    before = wengert.get_rng_state().tolist()
    assert wengert.rand(3, generator=a).tolist() == wengert.rand(3, generator=b).tolist()
    assert wengert.get_rng_state().tolist() == before
    twins = [a, copy.deepcopy(a), pickle.loads(pickle.dumps(a)), a.clone_state()]
    drawn = [wengert.rand(3, generator=g).tolist() for g in twins]
    assert drawn == [drawn[0]] * 4


def test_every_function_takes_a_generator() -> None:
    half = wengert.full((4,), 0.5)
    draws: list[Callable[[Any], Any]] = [
        lambda g: wengert.rand(4, generator=g),
        lambda g: wengert.randn(4, generator=g),
        lambda g: wengert.randint(1000, (4,), generator=g),
        lambda g: wengert.randperm(50, generator=g),
        lambda g: wengert.rand_like(half, generator=g),
        lambda g: wengert.normal(half, half, generator=g),
        lambda g: wengert.bernoulli(wengert.full((64,), 0.5), generator=g),
        lambda g: wengert.multinomial(wengert.ones(50), 5, generator=g),
        lambda g: wengert.poisson(half * 100, generator=g),
        lambda g: wengert.zeros(4).uniform_(generator=g),
        lambda g: wengert.zeros(4).normal_(generator=g),
        lambda g: wengert.zeros(4).exponential_(generator=g),
        lambda g: wengert.zeros(4).random_(generator=g),
        lambda g: wengert.zeros(4).cauchy_(generator=g),
        lambda g: wengert.zeros(4).log_normal_(generator=g),
        lambda g: wengert.zeros(64).geometric_(0.1, generator=g),
        lambda g: wengert.zeros(64).bernoulli_(0.5, generator=g),
    ]
    for draw in draws:
        seeded = [draw(wengert.Generator().manual_seed(seed)).tolist() for seed in (1, 1, 2)]
        assert seeded[0] == seeded[1] != seeded[2]
    with pytest.raises(TypeError, match=r"'generator' must be a torch\.Generator, not int"):
        wengert.rand(2, generator=3)


# --- threads and graphs ----------------------------------------------------------------------------------------------


def test_threads_share_the_generator_without_drawing_a_number_twice() -> None:
    barrier = threading.Barrier(8)

    def draw(_: int) -> list[float]:
        barrier.wait()
        return [x for _ in range(50) for x in wengert.rand(20, dtype=wengert.float64).tolist()]

    with ThreadPoolExecutor(8) as pool:
        drawn = [x for part in pool.map(draw, range(8)) for x in part]
    assert len(set(drawn)) == 8 * 50 * 20
    wengert.manual_seed(1234)
    assert sorted(drawn) == sorted(wengert.rand(8 * 50 * 20, dtype=wengert.float64).tolist())


def test_filling_a_tracked_leaf_is_refused_and_changes_nothing() -> None:
    w = wengert.ones(3, requires_grad=True)
    with pytest.raises(RuntimeError, match="leaf"):
        w.uniform_()
    assert w.tolist() == [1.0] * 3
    with wengert.no_grad():
        w.uniform_(2, 3)
    assert w.requires_grad
    assert w.min().item() >= 2


def test_filling_is_a_write_that_backward_notices() -> None:
    w = wengert.ones(3, requires_grad=True)
    y = w.exp()
    y.detach().normal_()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_a_draw_has_a_zero_gradient() -> None:
    mean = wengert.zeros(2, 1, requires_grad=True)
    std = wengert.ones(3, requires_grad=True)
    wengert.normal(mean, std).sum().backward()
    assert mean.grad.tolist() == [[0.0], [0.0]]
    assert std.grad.tolist() == [0.0] * 3
    x = wengert.ones(3, requires_grad=True)
    y = x * 2
    y.exponential_()
    y.sum().backward()
    assert x.grad.tolist() == [0.0] * 3
