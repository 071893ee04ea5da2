"""The numbers of a seed are PyTorch's, and after any of these draws both go on with the same ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert

torch = pytest.importorskip("torch")

COUNTS = (0, 1, 5, 15, 16, 17, 40, 1000, 20_000)
FLOATS = ("float16", "float32", "float64")


def drawn_from_both(draw: Callable[[Any], Any], absolute: float = 0.0) -> None:
    """``draw`` gives the same tensors in both libraries, to ``absolute``, and so does what is drawn after it."""
    torch.manual_seed(7)
    expected = _arrays(draw(torch))
    after = torch.rand(1).item()
    wengert.manual_seed(7)
    got = _arrays(draw(wengert))
    assert wengert.rand(1).item() == after
    for a, b in zip(got, expected, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=absolute, atol=absolute)


def _arrays(found: Any) -> list[Any]:
    tensors = [found] if hasattr(found, "detach") else list(found)
    return [np.asarray(t.detach().numpy()) for t in tensors]


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("dtype", [*FLOATS, "complex64", "complex128"])
def test_tensors_of_random_numbers(dtype: str, count: int) -> None:
    drawn_from_both(lambda t: t.rand(count, dtype=getattr(t, dtype)))
    rounding = {"float16": 2e-3, "float32": 1e-6, "complex64": 1e-6}.get(dtype, 1e-14)
    drawn_from_both(lambda t: t.randn(count, dtype=getattr(t, dtype)), rounding)


FILLS: dict[str, tuple[Any, ...]] = {
    "uniform_": (-3, 2),
    "normal_": (1, 2),
    "log_normal_": (),
    "exponential_": (1.5,),
    "geometric_": (0.3,),
    "bernoulli_": (0.3,),
    "random_": (),
}


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("fill", FILLS)
def test_fills(fill: str, dtype: str, count: int) -> None:
    rounding = {"float16": 4e-3, "float32": 1e-6}.get(dtype, 1e-14)
    if fill == "uniform_" and dtype == "float32":
        rounding = 0.0
    drawn_from_both(
        lambda t: getattr(t.empty(count, dtype=getattr(t, dtype)), fill)(*FILLS[fill]),
        rounding,
    )


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int8", "int16", "int32", "int64"])
def test_all_integers_of_a_dtype(dtype: str) -> None:
    drawn_from_both(lambda t: t.empty(9, dtype=getattr(t, dtype)).random_())


@pytest.mark.parametrize(
    ("low", "high"), [(0, 10), (-5, 5), (0, 2**28 - 1), (0, 2**28), (-(2**62), 2**62), (-(2**63), 2**63 - 1)]
)
def test_integers(low: int, high: int) -> None:
    drawn_from_both(lambda t: t.randint(low, high, (9,)))


@pytest.mark.parametrize("count", [0, 1, 2, 30, 1000])
def test_permutations(count: int) -> None:
    drawn_from_both(lambda t: t.randperm(count))


@pytest.mark.parametrize("replacement", [False, True])
@pytest.mark.parametrize("count", [1, 2, 4])
def test_choices(count: int, replacement: bool) -> None:
    weights = [[0.1, 0.9, 0.0, 0.7, 3.0, 0.6], [5.0, 0.0, 1.0, 2.0, 0.1, 9.0]]
    drawn_from_both(lambda t: t.multinomial(t.tensor(weights), count, replacement))
    drawn_from_both(lambda t: t.multinomial(t.tensor(weights[0], dtype=t.float64), count, replacement))


SAMPLES: dict[str, Callable[[Any], Any]] = {
    "normal around": lambda t: t.normal(t.arange(20.0), t.ones(20)),
    "normal broadcast": lambda t: t.normal(t.arange(5.0)[:, None], t.ones(4)),
    "bernoulli of each": lambda t: t.bernoulli(t.linspace(0, 1, 30)),
    "dropout": lambda t: t.nn.functional.dropout(t.arange(50.0), 0.3),
    "dropout of channels": lambda t: t.nn.functional.dropout2d(t.ones(3, 5, 2, 2), 0.3),
    "alpha dropout": lambda t: t.nn.functional.alpha_dropout(t.arange(50.0), 0.3, True),
    "gumbel_softmax": lambda t: t.nn.functional.gumbel_softmax(t.arange(9.0)),
    "of the kind of another": lambda t: (t.rand_like(t.ones(3)), t.randn_like(t.ones(30))),
    "truncated": lambda t: t.nn.init.trunc_normal_(t.empty(60, 5), 1.0, 2.0, -1.0, 2.0),
    "truncated far out": lambda t: t.nn.init.trunc_normal_(t.empty(60, 5), 0.0, 1.0, 1.5, 3.0),
    "orthogonal": lambda t: t.nn.init.orthogonal_(t.empty(6, 5)),
    "sparse": lambda t: t.nn.init.sparse_(t.empty(6, 5), 0.5),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_samples(name: str) -> None:
    drawn_from_both(SAMPLES[name], 2e-6)


MEMORY: dict[str, Callable[[Any], Any]] = {
    "transposed": lambda t: t.ones(3, 4, 5).transpose(0, 2),
    "permuted": lambda t: t.ones(3, 4, 5).permute(1, 2, 0),
    "rows of a transposed matrix": lambda t: t.ones(6, 8)[::2].t(),
    "every other column": lambda t: t.ones(6, 8)[:, ::2],
    "few": lambda t: t.ones(3, 2).t(),
}


@pytest.mark.parametrize("layout", MEMORY)
def test_memory_is_filled_from_front_to_back(layout: str) -> None:
    memory = MEMORY[layout]
    for fill, settings in FILLS.items():
        drawn_from_both(lambda t, fill=fill, settings=settings: getattr(memory(t), fill)(*settings), 2e-6)
    drawn_from_both(lambda t: t.nn.functional.dropout(memory(t), 0.5))
    drawn_from_both(lambda t: t.nn.functional.alpha_dropout(memory(t), 0.5, True), 2e-6)
    drawn_from_both(lambda t: (t.rand_like(memory(t)), t.randn_like(memory(t)), t.randint_like(memory(t), 9)), 2e-6)
    drawn_from_both(lambda t: (t.bernoulli(memory(t) * 0.5), t.normal(memory(t), 1.0)), 2e-6)


def test_what_is_repeated_in_memory_is_drawn_in_order() -> None:
    drawn_from_both(lambda t: t.nn.functional.dropout(t.ones(5).expand(4, 5), 0.5))
    drawn_from_both(lambda t: t.rand_like(t.ones(4, 1).expand(4, 5).t()))


def test_a_transformer_with_dropout_drops_the_same() -> None:
    def trained(t: Any) -> Any:
        layer = t.nn.TransformerEncoderLayer(8, 2, 16, dropout=0.3, batch_first=True, norm_first=True)
        return layer(t.randn(4, 5, 8))

    drawn_from_both(trained, 2e-6)


BATCHES: dict[str, Callable[[Any, Any], Any]] = {
    "rand": lambda t, x: t.rand(2),
    "randperm": lambda t, x: t.randperm(5),
    "rand_like": lambda t, x: t.rand_like(x),
    "dropout": lambda t, x: t.nn.functional.dropout(x),
    "gumbel_softmax": lambda t, x: t.nn.functional.gumbel_softmax(x),
    "bernoulli": lambda t, x: t.bernoulli(x * 0.5),
    "multinomial": lambda t, x: t.multinomial(x, 2),
    "multinomial of rows": lambda t, x: t.multinomial(x.reshape(2, 2), 2, replacement=True),
    "multinomial of what members share": lambda t, x: t.multinomial(t.ones(3), 2),
}


@pytest.mark.parametrize("name", BATCHES)
def test_members_of_a_batch_draw_the_same(name: str) -> None:
    def draw(t: Any) -> Any:
        return t.func.vmap(lambda x: BATCHES[name](t, x), randomness="different")(t.ones(3, 4))

    drawn_from_both(draw, 2e-6)


LAYERS: dict[str, Callable[[Any], Any]] = {
    "Linear": lambda nn: nn.Linear(7, 5),
    "Bilinear": lambda nn: nn.Bilinear(3, 4, 5),
    "Conv2d": lambda nn: nn.Conv2d(4, 6, 3, groups=2),
    "ConvTranspose2d": lambda nn: nn.ConvTranspose2d(4, 6, 3),
    "Embedding": lambda nn: nn.Embedding(9, 4, padding_idx=1),
    "LSTM": lambda nn: nn.LSTM(3, 4, 2, bidirectional=True),
    "GRUCell": lambda nn: nn.GRUCell(3, 4),
    "MultiheadAttention": lambda nn: nn.MultiheadAttention(8, 2, kdim=4, vdim=6, add_bias_kv=True),
    "TransformerEncoder": lambda nn: nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 2),
    "Transformer": lambda nn: nn.Transformer(8, 2, 1, 1, 16, batch_first=True),
    "Sequential": lambda nn: nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)),
    "spectral_norm": lambda nn: nn.utils.parametrizations.spectral_norm(nn.Linear(3, 4)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_layers_begin_with_the_same_weights(name: str) -> None:
    drawn_from_both(lambda t: list(LAYERS[name](t.nn).state_dict().values()), 2e-6)


def _two_passes(t: Any, generator: Any = None) -> Any:
    data = t.utils.data.TensorDataset(t.arange(23))
    loader = t.utils.data.DataLoader(data, batch_size=5, shuffle=True, generator=generator)
    return t.cat([batch for _ in range(2) for (batch,) in loader])


ORDERS: dict[str, Callable[[Any], Any]] = {
    "a shuffling loader": _two_passes,
    "a shuffling loader with a generator": lambda t: _two_passes(t, t.Generator().manual_seed(3)),
    "random_split": lambda t: t.tensor(
        [*t.utils.data.random_split(range(20), [0.7, 0.3], generator=t.Generator().manual_seed(42))[0]]
    ),
    "WeightedRandomSampler": lambda t: t.tensor([*t.utils.data.WeightedRandomSampler([0.1, 0.9, 0.4], 6)]),
    "RandomSampler": lambda t: t.tensor([*t.utils.data.RandomSampler(range(50), replacement=True)]),
}


@pytest.mark.parametrize("name", ORDERS)
def test_orders_of_data(name: str) -> None:
    drawn_from_both(ORDERS[name])


@pytest.mark.parametrize("used", [0, 3, 624, 1000])
def test_a_state_goes_from_one_library_to_the_other(used: int) -> None:
    torch.manual_seed(2**40 + 3)
    torch.rand(used), torch.randn(3)  # half a pair of normal numbers is left
    wengert.set_rng_state(wengert.from_numpy(torch.get_rng_state().numpy()))
    assert wengert.initial_seed() == 2**40 + 3
    state = torch.from_numpy(wengert.get_rng_state().numpy())
    expected = torch.randn(4)
    np.testing.assert_allclose(wengert.randn(4).numpy(), expected.numpy(), rtol=1e-6)
    torch.set_rng_state(state)
    assert torch.equal(torch.randn(4), expected)
