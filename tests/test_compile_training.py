"""A whole training step in one compiled call: gradients, optimizers, random numbers; the same as eager."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as torch
from wengert import nn

O = torch.optim  # noqa: E741 - short for a table
F = nn.functional

OPTIMIZERS: dict[str, Callable[[Any], Any]] = {
    "sgd": lambda p: O.SGD(p, 0.1),
    "momentum": lambda p: O.SGD(p, 0.1, momentum=0.9, weight_decay=0.01),
    "dampening": lambda p: O.SGD(p, 0.1, momentum=0.9, dampening=0.3, maximize=True),
    "nesterov": lambda p: O.SGD(p, 0.1, momentum=0.9, nesterov=True),
    "adam": lambda p: O.Adam(p, 0.01),
    "amsgrad": lambda p: O.Adam(p, 0.01, amsgrad=True, weight_decay=0.1),
    "adamw": lambda p: O.AdamW(p, 0.01),
    "adamw, up": lambda p: O.AdamW(p, 0.01, maximize=True, betas=(0.4, 0.9)),
    "adadelta": lambda p: O.Adadelta(p),
    "adagrad": lambda p: O.Adagrad(p, 0.1, lr_decay=0.1),
    "adamax": lambda p: O.Adamax(p),
    "asgd": lambda p: O.ASGD(p, t0=2),
    "nadam": lambda p: O.NAdam(p, decoupled_weight_decay=True, weight_decay=0.1),
    "radam": lambda p: O.RAdam(p, 0.1),
    "rmsprop": lambda p: O.RMSprop(p, momentum=0.5, centered=True),
    "rprop": lambda p: O.Rprop(p),
}


class Run:
    """A model with dropout, its optimizer and a scheduler, trained for some steps, compiled or not."""

    def __init__(self, make: Callable[[Any], Any], *, compiled: bool, dtype: Any = torch.float64) -> None:
        torch.manual_seed(0)
        self.dtype = dtype
        self.model = nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Dropout(0.2), nn.Linear(7, 3)).to(dtype)
        self.optimizer = make(self.model.parameters())
        self.scheduler = O.lr_scheduler.StepLR(self.optimizer, 3, 0.5)
        self.python = 0
        self.step = torch.compile(self.eager) if compiled else self.eager

    def eager(self, x: Any, y: Any) -> Any:
        self.python += 1
        self.optimizer.zero_grad()
        loss = F.cross_entropy(self.model(x), y)
        loss.backward()
        self.optimizer.step()
        return loss

    def train(self, steps: int = 8) -> list[Any]:
        torch.manual_seed(1)
        losses = []
        for _ in range(steps):
            x, y = torch.randn(4, 5, dtype=self.dtype), torch.randint(0, 3, (4,))
            losses.append(self.step(x, y).item())
            self.scheduler.step()
        return losses

    def everything(self) -> list[Any]:
        parameters = list(self.model.parameters())
        state = [v for s in self.optimizer.state.values() for v in s.values()]
        return [t.detach().numpy() for t in (*parameters, *[p.grad for p in parameters], *state)]


def assert_same(got: Run, want: Run, rtol: float = 1e-11) -> None:
    for a, b in zip(got.everything(), want.everything(), strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol / 10)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_each_optimizer_moves_as_it_does_eagerly(name: str) -> None:
    eager, compiled = (Run(OPTIMIZERS[name], compiled=c) for c in (False, True))
    np.testing.assert_allclose(compiled.train(), eager.train(), rtol=1e-11)
    assert_same(compiled, eager)
    assert compiled.python <= 3  # without gradients, with them, and where a rule changes after some steps
    assert [list(s) for s in compiled.optimizer.state.values()] == [list(s) for s in eager.optimizer.state.values()]


@pytest.mark.parametrize("name", ["sgd", "momentum", "adam", "adamw"])
def test_in_single_precision(name: str) -> None:
    eager, compiled = (Run(OPTIMIZERS[name], compiled=c, dtype=torch.float32) for c in (False, True))
    np.testing.assert_allclose(compiled.train(), eager.train(), rtol=1e-5)
    assert_same(compiled, eager, 2e-4)


@pytest.mark.parametrize("name", ["momentum", "adam"])
def test_a_state_dict_loaded_in_between(name: str) -> None:
    eager, compiled = (Run(OPTIMIZERS[name], compiled=c) for c in (False, True))
    for run in (eager, compiled):
        run.train(2)
        kept = run.optimizer.state_dict()
        run.optimizer.load_state_dict(kept)
        run.train(2)
    assert_same(compiled, eager)


def test_two_steps_in_one_function() -> None:
    def train(compiled: bool) -> tuple[list[float], int]:
        w = torch.tensor([1.0, -2.0], dtype=torch.float64, requires_grad=True)
        opt = O.Adam([w], 0.1)

        def twice(x: Any) -> None:
            for _ in range(2):
                opt.zero_grad()
                ((w - x) ** 2).sum().backward()
                opt.step()

        f = torch.compile(twice) if compiled else twice
        for k in range(3):
            f(torch.tensor([float(k), 1.0], dtype=torch.float64))
        return w.tolist(), int(opt.state[w]["step"])

    (got, steps), (want, _) = train(True), train(False)
    assert steps == 6
    np.testing.assert_allclose(got, want, rtol=1e-13)


@pytest.mark.parametrize("value", [2.0, 1.0 + 2.0j])
def test_parameters_of_one_number_and_complex_ones(value: complex) -> None:
    def train(compiled: bool) -> Any:
        w = torch.tensor(value, dtype=torch.complex128 if isinstance(value, complex) else torch.float64)
        w.requires_grad_()
        opt = O.AdamW([w], 0.1)

        def step(x: Any) -> None:
            opt.zero_grad()
            ((w * x).abs() ** 2).sum().backward()
            opt.step()

        f = torch.compile(step) if compiled else step
        for _ in range(3):
            f(torch.ones(3, dtype=torch.float64))
        return w.detach().numpy()

    np.testing.assert_allclose(train(True), train(False), rtol=1e-13)


def test_a_step_that_fails_to_trace_moves_nothing() -> None:
    w = torch.tensor([1.0], requires_grad=True)
    opt = O.Adam([w], 0.1)

    def step(x: Any) -> None:
        (w * x).sum().backward()
        opt.step()
        float(x)

    with pytest.raises(RuntimeError, match="needs the values"):
        torch.compile(step)(torch.ones(1))
    assert w.tolist() == [1.0]
    assert w.grad is None
    assert not opt.state


def test_a_group_that_joins_is_moved_too() -> None:
    a, b = (torch.tensor([1.0], requires_grad=True) for _ in range(2))
    opt = O.SGD([a], 0.5)

    @torch.compile
    def step() -> None:
        opt.zero_grad()
        (a * b).sum().backward()
        opt.step()

    step()
    opt.add_param_group({"params": [b], "lr": 0.25})
    b.grad = None
    step()
    assert a.tolist() == [0.0]
    assert b.tolist() == [1 - 0.25 * 0.5]


def test_a_scheduler_inside_is_refused() -> None:
    w = torch.tensor([1.0], requires_grad=True)
    scheduler = O.lr_scheduler.StepLR(O.SGD([w], 0.5), 1)
    with pytest.raises(RuntimeError, match="scheduler"):
        torch.compile(lambda x: scheduler.step())(torch.ones(1))


class TestRandomNumbers:
    FUNCTIONS: dict[str, Callable[[Any], Any]] = {  # noqa: RUF012 - a table
        "rand": lambda x: x * torch.rand(3, 4),
        "rand of none": lambda x: x * torch.rand(()),
        "rand half": lambda x: x * torch.rand(3, 4, dtype=torch.float16),
        "rand complex": lambda x: x * torch.rand(3, 4, dtype=torch.complex64).real,
        "rand_like": lambda x: x * torch.rand_like(x) - torch.randn_like(x),
        "randint": lambda x: x * torch.randint(0, 5, (3, 4)) + torch.randint_like(x, 3),
        "randperm": lambda x: x[torch.randperm(3)],
        "normal": lambda x: torch.normal(0.0, 2.0, (3, 4)) * x,
        "bernoulli": lambda x: torch.bernoulli(x.detach().sigmoid()) * x,
        "bernoulli_": lambda x: torch.zeros(3, 4).bernoulli_(0.3) * x,
        "uniform_": lambda x: x * torch.empty(3, 4).uniform_(1, 2),
        "normal_": lambda x: x * torch.empty(3, 4).normal_(),
        "exponential_": lambda x: x * torch.empty(3, 4).exponential_(),
        "geometric_": lambda x: x * torch.empty(3, 4).geometric_(0.3),
        "cauchy_": lambda x: x * torch.empty(3, 4).cauchy_(),
        "log_normal_": lambda x: x * torch.empty(3, 4, dtype=torch.float64).log_normal_(),
        "random_": lambda x: x * torch.empty(3, 4).random_(0, 9),
        "dropout": lambda x: F.dropout(x, 0.3) * x,
        "alpha_dropout": lambda x: F.alpha_dropout(x, 0.3) * x,
        "dropout1d": lambda x: F.dropout1d(x, 0.5) * x,
        "rrelu": lambda x: F.rrelu(x, training=True) ** 2,
        "gumbel_softmax": lambda x: F.gumbel_softmax(x),
        "gumbel_softmax hard": lambda x: F.gumbel_softmax(x, hard=True),
        "vmap, same": lambda x: torch.vmap(lambda r: r * torch.rand(4), randomness="same")(x),
        "vmap, different": lambda x: torch.vmap(lambda r: r * torch.rand(4), randomness="different")(x),
    }

    @pytest.mark.parametrize("name", FUNCTIONS)
    def test_drawn_as_eagerly_also_for_gradients(self, name: str) -> None:
        f = self.FUNCTIONS[name]
        found = []
        for g in (f, torch.compile(f)):
            torch.manual_seed(3)
            x = torch.tensor(np.random.default_rng(0).standard_normal((3, 4)), dtype=torch.float64)
            for _ in range(2):
                x = x.clone().requires_grad_()
                y = g(x)
                (first,) = torch.autograd.grad((y**2).sum(), x, create_graph=True)
                (second,) = torch.autograd.grad((first**2).sum(), x)
                found.append([y.detach().numpy(), first.detach().numpy(), second.numpy()])
        half = len(found) // 2
        for got, want in zip(found[half:], found[:half], strict=True):
            for a, b in zip(got, want, strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14)

    def test_a_generator_of_its_own_goes_on(self) -> None:
        g = torch.Generator().manual_seed(5)
        f = torch.compile(lambda x: x + torch.rand(2, generator=g))
        got = [f(torch.zeros(2)).tolist() for _ in range(2)]
        g.manual_seed(5)
        assert got == [torch.rand(2, generator=g).tolist() for _ in range(2)]

    def test_seeding_inside_is_refused(self) -> None:
        with pytest.raises(RuntimeError, match="seed generators"):
            torch.compile(lambda x: torch.manual_seed(0) and x)(torch.ones(1))

    def test_distributions_that_values_decide_are_refused(self) -> None:
        for f in (torch.poisson, lambda x: torch.multinomial(x, 1)):
            with pytest.raises(RuntimeError, match=r"random stream|needs the values"):
                torch.compile(f)(torch.ones(2))


def test_a_step_that_returns_its_loss_copies_no_parameters() -> None:
    """Nobody can ask for the gradients of that loss: its graph is gone."""
    w = torch.ones(400, 500, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=1e-3)

    @torch.compile
    def step(x: Any) -> Any:
        optimizer.zero_grad()
        loss = (x @ w).square().mean()
        loss.backward()
        optimizer.step()
        return loss

    x = torch.ones(2, 400)
    for _ in range(3):
        step(x)
    tracemalloc.start()
    loss = step(x)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert loss.requires_grad
    assert peak < w.nbytes * 1.5  # its gradient is one
    with pytest.raises(RuntimeError, match=r"second time|freed"):
        loss.backward()
