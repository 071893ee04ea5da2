"""Optimizers change large parameters by machine code to the bits that their NumPy functions give."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import wengert as torch
from wengert.engine.kernels import KERNELS
from wengert.optim import _machine_updates

pytest.importorskip("llvmlite")

LONG = 9000  # more than the plainest update needs, and no multiple of a register
MADE: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {}),
    ("SGD", {"weight_decay": 0.1, "maximize": True}),
    ("SGD", {"momentum": 0.9, "dampening": 0.1}),
    ("SGD", {"momentum": 0.8, "nesterov": True}),
    ("Adam", {}),
    ("Adam", {"amsgrad": True, "weight_decay": 0.1}),
    ("AdamW", {"betas": (0.4, 0.99)}),
    ("NAdam", {}),
    ("RAdam", {}),
    ("Adamax", {}),
    ("RMSprop", {"momentum": 0.5, "centered": True}),
    ("RMSprop", {}),
    ("Adagrad", {"lr_decay": 0.1}),
    ("Adadelta", {}),
    ("Rprop", {}),
    ("ASGD", {}),
]


def run(name: str, settings: dict[str, Any], dtype: Any, *shape: int, steps: int = 4) -> list[Any]:
    rng = np.random.default_rng(0)
    p = torch.nn.Parameter(torch.tensor(rng.standard_normal(shape).astype(dtype)))
    optimizer = getattr(torch.optim, name)([p], **settings)
    for _ in range(steps):
        p.grad = torch.tensor(rng.standard_normal(shape).astype(dtype))
        optimizer.step()
    state = [t.numpy() for t in optimizer.state[p].values() if isinstance(t, torch.Tensor)]
    return [p.detach().numpy(), *state]


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> dict[Any, Any]:
    """What is known of updates, beginning with nothing."""
    updates = _machine_updates._Updates()
    monkeypatch.setattr(_machine_updates, "_UPDATES", updates)
    return updates.known


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("name", "settings"), MADE)
def test_both_ways_give_the_same_bits(
    name: str, settings: dict[str, Any], dtype: Any, found: dict[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    by_machine = run(name, settings, dtype, 3, LONG // 3)
    assert found
    monkeypatch.setattr(KERNELS, "is_on", False)
    by_numpy = run(name, settings, dtype, 3, LONG // 3)
    for mine, numpys in zip(by_machine, by_numpy, strict=True):
        np.testing.assert_array_equal(mine, numpys)


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "NAdam"])
def test_the_usual_optimizers_have_machine_code(name: str, found: dict[Any, Any]) -> None:
    run(name, {}, np.float32, LONG)
    assert [kernel for kernel in found.values() if kernel is not None]


def test_small_parameters_ask_for_nothing(found: dict[Any, Any]) -> None:
    run("Adam", {}, np.float32, 100)
    run("SGD", {}, np.float32, 1000)
    assert not found


def test_a_schedule_of_settings_makes_no_code_for_each(found: dict[Any, Any]) -> None:
    p = torch.nn.Parameter(torch.ones(LONG))
    optimizer = torch.optim.Adam([p])
    for step in range(20):
        optimizer.param_groups[0]["betas"] = (0.5 + step / 100, 0.999)
        p.grad = torch.ones(LONG)
        optimizer.step()
    assert len(found) <= 8
    assert float(p.detach().max()) == float(p.detach().min())


def test_a_gradient_in_the_memory_of_its_parameter(monkeypatch: pytest.MonkeyPatch) -> None:
    def moved() -> Any:
        p = torch.nn.Parameter(torch.linspace(-1, 1, LONG))
        optimizer = torch.optim.AdamW([p], lr=0.1, weight_decay=0.5)
        p.grad = p.detach()
        optimizer.step()
        return p.detach().numpy()

    by_machine = moved()
    monkeypatch.setattr(KERNELS, "is_on", False)
    np.testing.assert_array_equal(by_machine, moved())


def test_parameters_in_another_order_of_memory_and_complex_ones() -> None:
    p = torch.nn.Parameter(torch.ones(100, 100).t())
    z = torch.nn.Parameter(torch.ones(LONG, dtype=torch.complex64))
    for each in (p, z):
        each.grad = torch.full_like(each, 2)
    optimizer = torch.optim.Adam([p, z], lr=0.25)
    optimizer.step()
    assert torch.allclose(p, torch.full((100, 100), 0.75))
    assert torch.allclose(z.real, torch.full((LONG,), 0.75))
