"""Pruning beside PyTorch's: masks, what is trained, state dicts, several methods on one parameter."""

from typing import Any

import numpy as np
import pytest

import wengert

torch = pytest.importorskip("torch")
pytest.importorskip("torch.nn.utils.prune")


def layers(shape: tuple[int, int] = (4, 3)) -> tuple[Any, Any]:
    """The same layer in both."""
    rng = np.random.default_rng(0)
    weight = rng.standard_normal(shape[::-1]).astype(np.float32)
    made = []
    for lib in (wengert, torch):
        layer = lib.nn.Linear(*shape)
        with lib.no_grad():
            layer.weight.copy_(lib.tensor(weight))
            layer.bias.zero_()
        made.append(layer)
    return made[0], made[1]


PROGRAMS = [
    lambda p, m: p.l1_unstructured(m, "weight", 5),
    lambda p, m: p.l1_unstructured(m, "weight", 0.4),
    lambda p, m: p.l1_unstructured(m, "weight", 0),
    lambda p, m: p.ln_structured(m, "weight", 1, n=2, dim=0),
    lambda p, m: p.ln_structured(m, "weight", 0.5, n=1, dim=-1),
    lambda p, m: p.ln_structured(m, "weight", 1, n=float("inf"), dim=1),
    lambda p, m: p.ln_structured(p.l1_unstructured(m, "weight", 5), "weight", 1, n=2, dim=0),
    lambda p, m: p.l1_unstructured(p.ln_structured(m, "weight", 1, n=2, dim=0), "weight", 3),
    lambda p, m: p.ln_structured(p.ln_structured(m, "weight", 1, n=2, dim=0), "weight", 1, n=2, dim=0),
    lambda p, m: p.identity(m, "bias"),
    lambda p, m: p.global_unstructured([(m, "weight"), (m, "bias")], p.L1Unstructured, amount=7) or m,
]


@pytest.mark.parametrize("program", PROGRAMS, ids=range(len(PROGRAMS)))
def test_masks_gradients_and_states(program: Any) -> None:
    ours, theirs = layers()
    for lib, layer in ((wengert, ours), (torch, theirs)):
        program(lib.nn.utils.prune, layer)
        (layer(lib.ones(2, 4)) ** 2).sum().backward()
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for name, value in theirs.state_dict().items():
        np.testing.assert_allclose(ours.state_dict()[name].numpy(), value.numpy(), rtol=1e-6, err_msg=name)
    for (name, a), (other, b) in zip(ours.named_parameters(), theirs.named_parameters(), strict=True):
        assert name == other
        np.testing.assert_allclose(a.grad.numpy(), b.grad.numpy(), rtol=1e-5, err_msg=name)
    assert wengert.nn.utils.prune.is_pruned(ours)


def test_removal_makes_the_pruning_final() -> None:
    ours, theirs = layers()
    for lib, layer in ((wengert, ours), (torch, theirs)):
        lib.nn.utils.prune.l1_unstructured(layer, "weight", 5)
        lib.nn.utils.prune.remove(layer, "weight")
        assert not lib.nn.utils.prune.is_pruned(layer)
        assert set(dict(layer.named_parameters())) == {"bias", "weight"}
    np.testing.assert_array_equal(ours.weight.detach().numpy(), theirs.weight.detach().numpy())
    with pytest.raises(ValueError, match="has to be pruned"):
        wengert.nn.utils.prune.remove(ours, "weight")


def test_training_goes_on_under_the_mask() -> None:
    layer, _ = layers()
    wengert.nn.utils.prune.l1_unstructured(layer, "weight", 5)
    optimizer = wengert.optim.SGD(layer.parameters(), lr=0.1)
    before = layer.weight_orig.detach().clone()
    (layer(wengert.ones(2, 4)) ** 2).sum().backward()
    optimizer.step()
    layer(wengert.ones(2, 4))
    assert ((layer.weight == 0) == (layer.weight_mask == 0)).all()
    assert not wengert.equal(before, layer.weight_orig)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda p, m: p.l1_unstructured(m, "weight", 13), ValueError),
        (lambda p, m: p.l1_unstructured(m, "weight", 1.5), ValueError),
        (lambda p, m: p.l1_unstructured(m, "weight", -1), ValueError),
        (lambda p, m: p.l1_unstructured(m, "weight", "all"), TypeError),
        (lambda p, m: p.ln_structured(m, "bias", 1, n=2, dim=0), ValueError),
        (lambda p, m: p.ln_structured(m, "weight", 1, n=2, dim=2), IndexError),
        (lambda p, m: p.global_unstructured([(m, "weight")], p.LnStructured, amount=1, n=2), TypeError),
        (lambda p, m: p.l1_unstructured(m, "gone", 1), AttributeError),
    ],
)
def test_errors_leave_the_module_as_it_was(call: Any, error: type[Exception]) -> None:
    ours, theirs = layers()
    with pytest.raises(error):
        call(torch.nn.utils.prune, theirs)
    with pytest.raises(error):
        call(wengert.nn.utils.prune, ours)
    assert list(ours.state_dict()) == ["weight", "bias"]
    assert ours(wengert.ones(1, 4)).shape == (1, 3)
