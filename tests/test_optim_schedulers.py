"""Schedules of the learning rate: the rates of PyTorch's, epoch by epoch."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

import wengert

torch = pytest.importorskip("torch")

CASES = {
    "LambdaLR": lambda s, o: s.LambdaLR(o, lambda epoch: 0.9**epoch),
    "LambdaLR for each group": lambda s, o: s.LambdaLR(o, [lambda epoch: 1 / (1 + epoch), lambda epoch: 0.5]),
    "MultiplicativeLR": lambda s, o: s.MultiplicativeLR(o, lambda epoch: 0.95),
    "StepLR": lambda s, o: s.StepLR(o, 3, gamma=0.5),
    "MultiStepLR": lambda s, o: s.MultiStepLR(o, [2, 5, 5, 9], gamma=0.5),
    "ConstantLR": lambda s, o: s.ConstantLR(o),
    "LinearLR": lambda s, o: s.LinearLR(o, 0.25, 0.75, total_iters=6),
    "ExponentialLR": lambda s, o: s.ExponentialLR(o, 0.9),
    "PolynomialLR": lambda s, o: s.PolynomialLR(o, total_iters=7, power=2.0),
    "CosineAnnealingLR": lambda s, o: s.CosineAnnealingLR(o, T_max=5, eta_min=0.01),
    "CosineAnnealingWarmRestarts": lambda s, o: s.CosineAnnealingWarmRestarts(o, T_0=3, T_mult=2, eta_min=0.01),
    "CyclicLR": lambda s, o: s.CyclicLR(o, 0.01, 0.1, step_size_up=3, step_size_down=5),
    "CyclicLR triangular2": lambda s, o: s.CyclicLR(o, 0.01, [0.1, 0.2], step_size_up=4, mode="triangular2"),
    "CyclicLR exp_range": lambda s, o: s.CyclicLR(o, 0.01, 0.1, step_size_up=4, mode="exp_range", gamma=0.9),
    "OneCycleLR": lambda s, o: s.OneCycleLR(o, 0.3, total_steps=24),
    "OneCycleLR three phases": lambda s, o: s.OneCycleLR(
        o, [0.3, 0.2], epochs=6, steps_per_epoch=4, three_phase=True, anneal_strategy="linear", pct_start=0.4
    ),
    "SequentialLR": lambda s, o: s.SequentialLR(
        o, [s.LinearLR(o, 0.1, total_iters=4), s.ExponentialLR(o, 0.9), s.StepLR(o, 2)], [5, 11]
    ),
    "ChainedScheduler": lambda s, o: s.ChainedScheduler([s.ConstantLR(o, 0.1, 4), s.ExponentialLR(o, 0.9)]),
}


def _optimizer(lib: Any) -> Any:
    groups = [{"params": [lib.nn.Parameter(lib.ones(1))]}, {"params": [lib.nn.Parameter(lib.ones(1))], "lr": 0.02}]
    return lib.optim.SGD(groups, lr=0.1, momentum=0.9)


def _rates(lib: Any, make: Any, steps: int = 22) -> tuple[list[Any], Any]:
    optimizer = _optimizer(lib)
    schedule = make(lib.optim.lr_scheduler, optimizer)
    rates = []
    for _ in range(steps):
        rates.append([(group["lr"], group["momentum"]) for group in optimizer.param_groups])
        assert schedule.get_last_lr() == [group["lr"] for group in optimizer.param_groups]
        optimizer.step()
        schedule.step()
    return rates, schedule


@pytest.mark.parametrize("name", CASES)
def test_the_same_rates(name: str) -> None:
    got, mine = _rates(wengert, CASES[name])
    want, theirs = _rates(torch, CASES[name])
    assert len({str(rates) for rates in want}) > 1
    np.testing.assert_allclose(got, want, rtol=1e-12)
    if "Lambda" not in name:
        assert set(mine.state_dict()) == set(theirs.state_dict())


@pytest.mark.parametrize("name", [name for name in CASES if name not in ("SequentialLR", "ChainedScheduler")])
def test_going_on_from_a_state_dict(name: str) -> None:
    whole, _ = _rates(wengert, CASES[name])
    optimizer = _optimizer(wengert)
    schedule = CASES[name](wengert.optim.lr_scheduler, optimizer)
    for _ in range(8):
        optimizer.step()
        schedule.step()
    saved = pickle.dumps((optimizer.state_dict(), schedule.state_dict()))
    again = _optimizer(wengert)
    other = CASES[name](wengert.optim.lr_scheduler, again)
    first, second = pickle.loads(saved)
    again.load_state_dict(first)
    other.load_state_dict(second)
    rates = []
    for _ in range(14):
        rates.append([(group["lr"], group["momentum"]) for group in again.param_groups])
        again.step()
        other.step()
    np.testing.assert_allclose(rates, whole[8:], rtol=1e-12)


def test_plateaus() -> None:
    metrics = [5.0, 4.0, 4.0, 4.0, 4.0, 3.9999, 3.0, 3.1, 3.1, 3.1, 3.1, 3.1, 3.1, 3.1]
    for settings in (
        {"patience": 1},
        {"patience": 0, "cooldown": 2, "min_lr": 0.001},
        {"mode": "max", "patience": 2, "threshold_mode": "abs", "threshold": 0.5},
    ):

        def run(lib: Any, settings: dict[str, Any] = settings) -> list[Any]:
            optimizer = _optimizer(lib)
            schedule = lib.optim.lr_scheduler.ReduceLROnPlateau(optimizer, **settings)
            found = []
            for metric in metrics:
                schedule.step(metric)
                found.append(schedule.get_last_lr())
            return found

        np.testing.assert_allclose(run(wengert), run(torch), rtol=1e-12)


def test_orders_and_questions_that_are_warned_of() -> None:
    optimizer = _optimizer(wengert)
    schedule = wengert.optim.lr_scheduler.StepLR(optimizer, 1)
    with pytest.warns(UserWarning, match=r"`lr_scheduler.step\(\)` before `optimizer.step\(\)`"):
        schedule.step()
    with pytest.warns(UserWarning, match="please use `get_last_lr"):
        schedule.get_lr()


def test_what_is_refused() -> None:
    s, optimizer = wengert.optim.lr_scheduler, _optimizer(wengert)
    with pytest.raises(TypeError, match="is not an Optimizer"):
        s.StepLR(3, 1)
    with pytest.raises(KeyError, match="initial_lr"):
        s.StepLR(optimizer, 1, last_epoch=3)
    with pytest.raises(ValueError, match="Expected 2 lr_lambdas, but got 1"):
        s.LambdaLR(optimizer, [lambda epoch: 1.0])
    with pytest.raises(ValueError, match="between 0 and 1"):
        s.ConstantLR(optimizer, factor=2.0)
    with pytest.raises(ValueError, match="total_steps OR"):
        s.OneCycleLR(optimizer, 0.1)
    with pytest.raises(ValueError, match="number of milestone points"):
        s.SequentialLR(optimizer, [s.ExponentialLR(optimizer, 0.9)], [1])
    with pytest.raises(ValueError, match="must support momentum"):
        s.CyclicLR(wengert.optim.Adagrad([wengert.nn.Parameter(wengert.ones(1))]), 0.1, 0.2)
