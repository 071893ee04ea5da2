"""Parametrizations, lazy modules, the adaptive softmax and averages of weights, beside PyTorch's."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

import wengert
from torch_pairs import close, torch

BOTH = (wengert, torch)


def drawn(lib: Any, net: Any, seed: int = 0) -> Any:
    """The same numbers for the parameters and buffers of both libraries."""
    rng = np.random.default_rng(seed)
    with lib.no_grad():
        for _, value in sorted(net.state_dict(keep_vars=True).items()):
            if value.is_floating_point():
                value.copy_(lib.from_numpy(rng.standard_normal(tuple(value.shape))))
    return net


def numbers(lib: Any, *shape: int) -> Any:
    return lib.from_numpy(np.random.default_rng(3).standard_normal(shape))


def same(results: list[list[Any]]) -> None:
    for mine, theirs in zip(*results, strict=True):
        close(mine.detach().numpy(), theirs.detach().numpy(), "")


@pytest.mark.parametrize("kind", ["weight_norm", "spectral_norm"])
@pytest.mark.parametrize("settings", [{}, {"dim": 1}], ids=str)
@pytest.mark.parametrize("layer", [("Linear", (4, 3)), ("Conv1d", (4, 3, 2)), ("ConvTranspose1d", (4, 3, 2))], ids=str)
def test_norms_of_weights(kind: str, settings: dict[str, Any], layer: tuple[str, tuple[int, ...]]) -> None:
    results, states = [], []
    for lib in BOTH:
        net = getattr(lib.nn, layer[0])(*layer[1]).double()
        net = drawn(lib, getattr(lib.nn.utils.parametrizations, kind)(net, **settings))
        x = numbers(lib, 2, 4) if layer[0] == "Linear" else numbers(lib, 2, 4, 5)
        found = []
        for training in (True, True, False):
            net.train(training)
            net.zero_grad()
            y = net(x)
            (y * y).sum().backward()
            found += [y, net.weight, *[p.grad for _, p in sorted(net.named_parameters())]]
        results.append(found)
        states.append({k: tuple(v.shape) for k, v in net.state_dict().items()})
        again = copy.deepcopy(net)
        close(again(x).detach().numpy(), net(x).detach().numpy(), "a copy")
        value = net.weight.detach().clone()
        lib.nn.utils.parametrize.remove_parametrizations(net, "weight")
        assert type(net) is getattr(lib.nn, layer[0])
        close(net.weight.detach().numpy(), value.numpy(), "removed")
        assert again.state_dict().keys() == states[-1].keys()
    same(results)
    assert states[0] == states[1]


def test_a_parametrization_of_ones_own() -> None:
    for lib in BOTH:

        class Positive(lib.nn.Module):
            def forward(self, x: Any) -> Any:
                return x.exp()

            def right_inverse(self, y: Any) -> Any:
                return y.log()

        parametrize = lib.nn.utils.parametrize
        layer = lib.nn.Linear(2, 2).double()
        with lib.no_grad():
            layer.weight.abs_()
        before = layer.weight.detach().clone()
        parametrize.register_parametrization(layer, "weight", Positive())
        close(layer.weight.detach().numpy(), before.numpy(), "begins where it was")
        layer.weight = lib.full((2, 2), 3.0, dtype=lib.float64)
        close(layer.parametrizations.weight.original.detach().numpy(), np.full((2, 2), np.log(3)), "assigned")
        assert parametrize.is_parametrized(layer, "weight")
        assert not parametrize.is_parametrized(layer, "bias")
        assert type(layer).__name__ == "ParametrizedLinear"
        assert parametrize.type_before_parametrizations(layer) is lib.nn.Linear
        with parametrize.cached():
            assert layer.weight is layer.weight
        assert layer.weight is not layer.weight
        parametrize.remove_parametrizations(layer, "weight", leave_parametrized=False)
        close(layer.weight.detach().numpy(), np.full((2, 2), np.log(3)), "the original")
        with pytest.raises(ValueError, match="does not have a parameter"):
            parametrize.register_parametrization(layer, "nothing", Positive())

        class Longer(lib.nn.Module):
            def forward(self, x: Any) -> Any:
                return x.repeat(2, 1)

        with pytest.raises(ValueError, match=r"unless .*`unsafe`"):
            parametrize.register_parametrization(layer, "weight", Longer())
        assert not parametrize.is_parametrized(layer)
        assert isinstance(layer.weight, lib.nn.Parameter)


LAZY: list[tuple[str, tuple[Any, ...], dict[str, Any], tuple[int, ...]]] = [
    ("LazyLinear", (3,), {}, (2, 5)),
    ("LazyLinear", (3,), {"bias": False}, (5,)),
    *[(f"LazyConv{n}d", (6, 2), {"groups": 2}, (2, 4, *[5] * n)) for n in (1, 2, 3)],
    *[(f"LazyConvTranspose{n}d", (6, 2), {"stride": 2}, (2, 4, *[3] * n)) for n in (1, 2, 3)],
    *[(f"LazyBatchNorm{n}d", (), {}, (2, 4, *[5] * n)) for n in (1, 2, 3)],
    *[(f"LazyInstanceNorm{n}d", (), {"affine": True}, (2, 4, *[5] * n)) for n in (1, 2, 3)],
]


@pytest.mark.parametrize("case", LAZY, ids=str)
@pytest.mark.filterwarnings("ignore:Lazy modules are a new feature")
def test_lazy_modules(case: tuple[str, tuple[Any, ...], dict[str, Any], tuple[int, ...]]) -> None:
    name, args, settings, shape = case
    results, texts = [], []
    for lib in BOTH:
        net = getattr(lib.nn, name)(*args, **settings)
        assert net.has_uninitialized_params()
        with pytest.raises(RuntimeError, match="Can't access the shape"):
            _ = net.weight.shape
        weight = net.weight
        net(numbers(lib, *shape).float())
        assert net.weight is weight  # what an optimizer already holds
        assert type(net.weight) is lib.nn.Parameter
        texts.append((repr(net), type(net).__name__))
        usual = drawn(lib, net.double())
        fresh = getattr(lib.nn, name)(*args, **settings, dtype=lib.float64)
        fresh.load_state_dict(usual.state_dict())
        assert not fresh.has_uninitialized_params()
        x = numbers(lib, *shape)
        y = usual(x)
        if not (lib is torch and "InstanceNorm" in name):  # where PyTorch forgets the number of features
            close(fresh(x).detach().numpy(), y.detach().numpy(), name)
            assert type(fresh) is type(usual)
        (y * y * y).sum().backward()
        results.append([y, *[p.grad for p in usual.parameters()]])
    same(results)
    assert texts[0] == texts[1]


@pytest.mark.parametrize("single", [False, True])
def test_adaptive_softmax(single: bool) -> None:
    results, texts = [], []
    for lib in BOTH:
        net = drawn(lib, lib.nn.AdaptiveLogSoftmaxWithLoss(6, 12, [3, 7, 9], div_value=1.5, head_bias=True).double())
        x = numbers(lib, 6) if single else numbers(lib, 12, 6)
        target = lib.tensor(8) if single else lib.arange(12)
        output, loss = net(x, target)
        loss.backward()
        whole = net.log_prob(x.reshape(-1, 6))
        assert net(x, target)._fields == ("output", "loss")
        results.append(
            [
                output,
                loss,
                whole,
                net.predict(x.reshape(-1, 6)),
                *[p.grad for p in net.parameters() if p.grad is not None],
            ]
        )
        texts.append(repr(net))
        for wrong in ([12, 3], [-1, 2]):
            with pytest.raises(RuntimeError, match="Target values should be in"):
                net(numbers(lib, 2, 6), lib.tensor(wrong))
        with pytest.raises(ValueError, match="cutoffs should be"):
            lib.nn.AdaptiveLogSoftmaxWithLoss(6, 12, [7, 3])
    same(results)
    assert texts[0] == texts[1]


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
def test_bags_that_are_empty_or_of_padding(mode: str) -> None:
    results = []
    for lib in BOTH:
        table = numbers(lib, 6, 3).requires_grad_()
        index, offsets = lib.tensor([1, 2, 2, 5, 0]), lib.tensor([0, 0, 2, 3, 5])
        y = lib.nn.functional.embedding_bag(index, table, offsets, mode=mode, padding_idx=2)
        (y * y).sum().backward()
        results.append([y, table.grad])
    same(results)


def test_bags_with_weights() -> None:
    results = []
    for lib in BOTH:
        table, weights = numbers(lib, 6, 3).requires_grad_(), numbers(lib, 2, 4).requires_grad_()
        index = lib.tensor([[0, 1, 1, 5], [3, 3, 2, 0]])
        bag = lib.nn.functional.embedding_bag
        y = bag(index, table, mode="sum", per_sample_weights=weights)
        (y * y).sum().backward()
        results.append([y, table.grad, weights.grad])
        with pytest.raises(NotImplementedError, match="only supported for mode='sum'"):
            bag(index, table, per_sample_weights=weights)
        with pytest.raises(ValueError, match="offsets has to be None"):
            bag(index, table, lib.tensor([0]))
    same(results)


@pytest.mark.parametrize("ema", [False, True])
def test_averages_of_weights(ema: bool) -> None:
    results = []
    for lib in BOTH:
        net = lib.nn.Sequential(lib.nn.Linear(3, 4), lib.nn.BatchNorm1d(4), lib.nn.Linear(4, 1)).double()
        swa = lib.optim.swa_utils
        average = swa.AveragedModel(net, avg_fn=swa.get_ema_avg_fn(0.9) if ema else None)
        for seed in range(4):
            drawn(lib, net, seed)
            average.update_parameters(net)
        swa.update_bn([(numbers(lib, 8, 3),), (numbers(lib, 4, 3) + 1,)], average)
        average.eval()
        results.append([average(numbers(lib, 2, 3)), *average.state_dict().values()])
    same(results)


@pytest.mark.parametrize(
    "settings", [{"anneal_epochs": 4}, {"anneal_epochs": 3, "anneal_strategy": "linear"}, {"anneal_epochs": 0}], ids=str
)
def test_rates_for_averages(settings: dict[str, Any]) -> None:
    rates = []
    for lib in BOTH:
        parameters = [{"params": [lib.nn.Parameter(lib.ones(1))], "lr": lr} for lr in (1.0, 0.3)]
        optimizer = lib.optim.SGD(parameters)
        schedule = lib.optim.swa_utils.SWALR(optimizer, swa_lr=0.05, **settings)
        found = []
        for _ in range(7):
            optimizer.step()
            schedule.step()
            found += schedule.get_last_lr()
        rates.append(found)
    np.testing.assert_allclose(*rates, rtol=1e-12)
