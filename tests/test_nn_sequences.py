"""Recurrent layers over whole sequences: one operation each, the same derivatives of any order as torch's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import wengert
from wengert.nn.modules import _recurrence

torch = pytest.importorskip("torch")

R = np.random.default_rng(5)
LAYERS = [
    ("LSTM", {}),
    ("LSTM", {"num_layers": 2, "bidirectional": True}),
    ("LSTM", {"bias": False}),
    ("GRU", {}),
    ("GRU", {"num_layers": 2, "bidirectional": True}),
    ("GRU", {"bias": False}),
]


def _pair(kind: str, settings: dict[str, Any]) -> tuple[Any, Any]:
    theirs = getattr(torch.nn, kind)(3, 4, **settings).double()
    ours = getattr(wengert.nn, kind)(3, 4, **settings).double()
    ours.load_state_dict({name: wengert.tensor(value.numpy()) for name, value in theirs.state_dict().items()})
    return theirs, ours


def _twice(lib: Any, net: Any, kind: str, x: np.ndarray, states: list[np.ndarray]) -> list[Any]:
    """Results, gradients, and the gradients of a function of these."""
    given = lib.tensor(x, requires_grad=True)
    first = [lib.tensor(s, requires_grad=True) for s in states]
    y, last = net(given, tuple(first)) if kind == "LSTM" else net(given, first[0])
    ends = list(last) if kind == "LSTM" else [last]
    loss = (y**2).sum() + sum((end**3).sum() for end in ends)
    inputs = [given, *first, *net.parameters()]
    grads = lib.autograd.grad(loss, inputs, create_graph=True)
    seconds = lib.autograd.grad(sum((g**2).sum() for g in grads), inputs)
    return [t.detach().numpy() for t in (y, *ends, *grads, *seconds)]


@pytest.mark.parametrize(("kind", "settings"), LAYERS, ids=str)
@pytest.mark.parametrize("steps", [1, 5])
def test_sequences_have_derivatives_of_two_orders(kind: str, settings: dict[str, Any], steps: int) -> None:
    theirs, ours = _pair(kind, settings)
    layers = settings.get("num_layers", 1) * (1 + settings.get("bidirectional", False))
    x, states = (
        R.standard_normal((steps, 2, 3)),
        [R.standard_normal((layers, 2, 4)) for _ in range(1 + (kind == "LSTM"))],
    )
    for want, got in zip(_twice(torch, theirs, kind, x, states), _twice(wengert, ours, kind, x, states), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(("kind", "settings"), LAYERS, ids=str)
def test_a_sequence_at_once_is_its_steps_one_by_one(
    kind: str, settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, net = _pair(kind, settings)
    x = wengert.tensor(R.standard_normal((6, 2, 3)), requires_grad=True)

    def results() -> list[Any]:
        y, _ = net(x)
        return [y.detach(), *wengert.autograd.grad((y**3).sum(), [x, *net.parameters()])]

    at_once = results()
    monkeypatch.setattr(_recurrence, "_is_one_operation", lambda *_: False)
    for a, b in zip(at_once, results(), strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_an_ensemble_of_recurrent_layers(kind: str) -> None:
    """Members with weights of their own, and gradients per sample of one network."""
    nets = [getattr(wengert.nn, kind)(3, 4).double() for _ in range(3)]
    stacked, buffers = wengert.func.stack_module_state(nets)
    x = wengert.tensor(R.standard_normal((5, 2, 3)))

    def loss(parameters: Any, x: Any) -> Any:
        y, _ = wengert.func.functional_call(nets[0], (parameters, buffers), (x,))
        return (y**2).sum()

    together = wengert.func.vmap(wengert.func.grad(loss), (0, None))(stacked, x)
    samples = wengert.func.vmap(wengert.func.grad(loss), (None, 1))(dict(nets[0].named_parameters()), x.unsqueeze(2))
    for i, net in enumerate(nets):
        one = wengert.func.grad(loss)(dict(net.named_parameters()), x)
        for name, g in one.items():
            np.testing.assert_allclose(together[name][i].detach().numpy(), g.detach().numpy(), rtol=1e-11, atol=1e-13)
            if i == 0:
                np.testing.assert_allclose(samples[name].sum(0).detach().numpy(), g.detach().numpy(), rtol=1e-11)


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_forward_mode_through_sequences(kind: str) -> None:
    net = getattr(wengert.nn, kind)(2, 3).double()
    x = wengert.tensor(R.standard_normal((4, 1, 2)))

    def f(x: Any) -> Any:
        return net(x)[0]

    forwards, backwards = wengert.func.jacfwd(f)(x), wengert.func.jacrev(f)(x)
    np.testing.assert_allclose(forwards.detach().numpy(), backwards.detach().numpy(), rtol=1e-11, atol=1e-14)


def test_only_what_is_needed_is_computed() -> None:
    """Weights that are frozen get no gradient, and the others the same as before."""
    net = wengert.nn.LSTM(3, 4).double()
    x = wengert.tensor(R.standard_normal((5, 2, 3)))
    (net(x)[0] ** 2).sum().backward()
    whole = net.weight_ih_l0.grad.clone()
    net.zero_grad()
    net.weight_hh_l0.requires_grad_(False)
    (net(x)[0] ** 2).sum().backward()
    assert net.weight_hh_l0.grad is None
    assert wengert.equal(net.weight_ih_l0.grad, whole)
