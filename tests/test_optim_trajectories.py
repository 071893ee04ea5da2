"""Optimizers walk the way that PyTorch's walk: the same losses and parameters, step by step, from the same weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import wengert

torch = pytest.importorskip("torch")

STEPS = 200

# (optimizer, settings): each kind of branch that the update has
CASES: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {"lr": 0.05}),
    ("SGD", {"lr": 0.05, "momentum": 0.9}),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "dampening": 0.5}),
    ("SGD", {"lr": 1e-4, "maximize": True}),
    ("Adam", {"lr": 0.01}),
    ("Adam", {"lr": 0.01, "amsgrad": True, "weight_decay": 0.1}),
    ("Adam", {"lr": 0.002, "betas": (0.3, 0.99), "eps": 1e-3}),
    ("Adam", {"lr": 0.001, "maximize": True, "decoupled_weight_decay": True, "weight_decay": 0.1}),
    ("AdamW", {"lr": 0.01}),
    ("AdamW", {"lr": 0.01, "amsgrad": True, "weight_decay": 0.3}),
    ("RMSprop", {"lr": 0.002}),
    ("RMSprop", {"lr": 0.002, "momentum": 0.5, "centered": True, "weight_decay": 0.01, "eps": 0.1}),
    ("RMSprop", {"lr": 0.002, "centered": True, "alpha": 0.9}),
    ("Adagrad", {"lr": 0.05}),
    ("Adagrad", {"lr": 0.05, "lr_decay": 0.01, "weight_decay": 0.01, "initial_accumulator_value": 0.1}),
    ("Adadelta", {"lr": 1.0}),
    ("Adadelta", {"lr": 0.5, "rho": 0.8, "weight_decay": 0.01}),
    ("Adamax", {"lr": 0.01}),
    ("Adamax", {"lr": 0.01, "weight_decay": 0.01, "betas": (0.5, 0.9)}),
    ("NAdam", {"lr": 0.005}),
    ("NAdam", {"lr": 0.005, "weight_decay": 0.01, "decoupled_weight_decay": True}),
    ("NAdam", {"lr": 0.005, "weight_decay": 0.01, "momentum_decay": 0.1}),
    ("RAdam", {"lr": 0.005}),
    ("RAdam", {"lr": 0.005, "weight_decay": 0.01}),
    ("RAdam", {"lr": 0.005, "weight_decay": 0.01, "decoupled_weight_decay": True}),
    ("Rprop", {"lr": 0.001}),
    ("Rprop", {"lr": 0.001, "etas": (0.4, 1.1), "step_sizes": (1e-4, 0.1)}),
    ("Adafactor", {"lr": 0.01}),
    ("Adafactor", {"lr": 0.02, "eps": (1e-3, 1e-2), "d": 2.0, "weight_decay": 0.1, "beta2_decay": -0.5}),
    ("Adafactor", {"lr": 1e-4, "maximize": True}),
    ("ASGD", {"lr": 0.05, "t0": 50.0}),
    ("ASGD", {"lr": 0.05, "lambd": 0.01, "weight_decay": 0.01}),
]


@pytest.fixture(autouse=True)
def _one_thread() -> Any:
    """PyTorch's threads wait for each other for long where there are other processes."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def _ids(case: tuple[str, dict[str, Any]]) -> str:
    return "-".join([case[0], *[f"{k}={v}" for k, v in case[1].items()]])


def _data(moved: bool = False) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    weights = {
        "0.weight": rng.standard_normal((8, 4)) / 2,
        "0.bias": rng.standard_normal(8) / 2,
        "2.weight": rng.standard_normal((1, 8)) / 2,
        "2.bias": rng.standard_normal(1) / 2,
    }
    if moved:  # by one unit in the last place
        weights["0.weight"] = np.nextafter(weights["0.weight"], 10)
    x = rng.standard_normal((32, 4))
    return weights, x, np.sin(x.sum(1, keepdims=True))


def walk(
    lib: Any, name: str, settings: dict[str, Any], steps: int, make: Any = None, moved: bool = False
) -> tuple[list[float], Any, Any]:
    """The losses on the way, the network and the optimizer after ``steps`` steps."""
    weights, x, y = _data(moved)
    net = lib.nn.Sequential(lib.nn.Linear(4, 8), lib.nn.Tanh(), lib.nn.Linear(8, 1)).to(lib.float64)
    net.load_state_dict({k: lib.from_numpy(v.copy()) for k, v in weights.items()})
    x, y = lib.from_numpy(x), lib.from_numpy(y)
    scale = lib.nn.Parameter(lib.tensor(1.5, dtype=lib.float64))  # no dimensions
    optimizer = getattr(lib.optim, name)([*net.parameters(), scale], **settings)
    scheduler = make(lib, optimizer) if make is not None else None
    losses = []

    def closure() -> Any:
        optimizer.zero_grad()
        loss = lib.nn.functional.mse_loss(net(x) * scale, y)
        loss.backward()
        return loss

    for _ in range(steps):
        losses.append(optimizer.step(closure).item())
        if scheduler is not None:
            scheduler.step()
    return losses, net, optimizer


def same(got: Any, want: Any, what: str, rtol: float = 1e-9) -> None:
    np.testing.assert_allclose(np.asarray(got), np.asarray(want), rtol=rtol, atol=1e-11, err_msg=what)


@pytest.mark.parametrize("case", CASES, ids=_ids)
def test_the_same_way(case: tuple[str, dict[str, Any]]) -> None:
    """To 1e-9, until the way is so unstable that PyTorch itself, moved by one unit in the last place, leaves it."""
    losses, net, optimizer = walk(wengert, *case, STEPS)
    expected, their_net, theirs = walk(torch, *case, STEPS)
    others, _, _ = walk(torch, *case, STEPS, moved=True)
    assert len(set(losses)) > STEPS / 2
    want = np.array(expected)
    spread = np.maximum.accumulate(np.abs(np.array(others) / want - 1))
    stable = int(np.searchsorted(spread, 1e-12))
    assert stable >= 40
    same(losses[:stable], want[:stable], "losses")
    assert (np.abs(np.array(losses) / want - 1)[stable:] <= 1e3 * spread[stable:]).all()
    assert str(optimizer) == str(theirs)
    if stable == STEPS:
        for (name, p), q in zip(net.named_parameters(), their_net.parameters(), strict=True):
            same(p.detach().numpy(), q.detach().numpy(), name)
        _same_state(optimizer.state_dict(), theirs.state_dict())


def _same_state(got: dict[str, Any], want: dict[str, Any]) -> None:
    assert got["param_groups"] == want["param_groups"]
    assert list(got["state"]) == list(want["state"])
    for number, state in want["state"].items():
        assert set(got["state"][number]) == {k for k, v in state.items() if v is not None}
        for key, value in state.items():
            if isinstance(value, torch.Tensor):
                mine = got["state"][number][key]
                assert str(mine.dtype) == str(value.dtype), key
                same(mine.detach().numpy(), value.detach().numpy(), key, 1e-6 if value.dtype == torch.float32 else 1e-9)


@pytest.mark.parametrize("name", [*sorted({name for name, _ in CASES}), "LBFGS"])
def test_settings_and_their_order_are_pytorchs(name: str) -> None:
    import inspect

    mine = inspect.signature(getattr(wengert.optim, name).__init__).parameters.values()
    theirs = inspect.signature(getattr(torch.optim, name).__init__).parameters.values()
    assert [(p.name, p.kind, p.default) for p in mine] == [(p.name, p.kind, p.default) for p in theirs]


@pytest.mark.parametrize("name", sorted({name for name, _ in CASES}))
def test_going_on_from_a_state_dict(name: str) -> None:
    settings = next(settings for n, settings in CASES if n == name)
    whole, _, _ = walk(wengert, name, settings, 20)
    _, x, y = _data()
    x, y = wengert.from_numpy(x), wengert.from_numpy(y)
    _, net, optimizer = walk(wengert, name, settings, 10)
    scale = optimizer.param_groups[0]["params"][-1].detach().clone().requires_grad_()
    again = getattr(wengert.optim, name)([*net.parameters(), scale], lr=123.0)
    again.load_state_dict(optimizer.state_dict())
    losses = []
    for _ in range(10):
        again.zero_grad()
        loss = wengert.nn.functional.mse_loss(net(x) * scale, y)
        loss.backward()
        again.step()
        losses.append(loss.item())
    assert losses == whole[10:]


@pytest.mark.parametrize("name", sorted({name for name, _ in CASES}))
@pytest.mark.parametrize("shape", [(300, 400), (3,), ()], ids=str)
@pytest.mark.parametrize("dtype", ["float32", "complex64", "complex128"])
def test_large_small_and_complex_parameters(name: str, shape: tuple[int, ...], dtype: str) -> None:
    """Tiles and threads change nothing, a transposed parameter neither; complex ones move like pairs of real ones."""
    if name == "Adafactor" and dtype[0] == "c":
        return  # refused, as by PyTorch
    rng = np.random.default_rng(2)

    def drawn() -> np.ndarray:
        a = rng.standard_normal(shape)
        return np.asarray(a + 1j * rng.standard_normal(shape) if dtype[0] == "c" else a).astype(dtype)

    start, gradients = drawn(), [drawn() for _ in range(3)]
    settings = next(settings for n, settings in CASES if n == name)

    def moved(lib: Any, transposed: bool) -> np.ndarray:
        t = lib.tensor(start.item(), dtype=getattr(lib, dtype)) if shape == () else lib.from_numpy(start.copy())
        p = lib.nn.Parameter(t.t().contiguous().t() if transposed else t)
        optimizer = getattr(lib.optim, name)([p], **settings)
        for g in gradients:
            p.grad = lib.from_numpy(g.copy()) if shape else lib.tensor(g.item(), dtype=getattr(lib, dtype))
            optimizer.step()
        return np.asarray(p.detach().resolve_conj().numpy())

    want = moved(torch, transposed=False)
    for transposed in (False, True) if len(shape) == 2 else (False,):
        got = moved(wengert, transposed)
        assert got.dtype == want.dtype
        rtol = 1e-4 if dtype != "complex128" else 1e-9
        np.testing.assert_allclose(got, want, rtol=rtol, atol=rtol / 10)


# --- L-BFGS ---


def _logistic(lib: Any, settings: dict[str, Any], steps: int) -> tuple[list[float], Any]:
    rng = np.random.default_rng(3)
    x = lib.from_numpy(rng.standard_normal((50, 6)))
    y = lib.from_numpy((rng.standard_normal(50) > 0).astype(float))
    net = lib.nn.Linear(6, 1).to(lib.float64)
    net.load_state_dict({"weight": lib.ones(1, 6, dtype=lib.float64), "bias": lib.zeros(1, dtype=lib.float64)})
    optimizer = lib.optim.LBFGS(net.parameters(), **settings)
    losses = []

    def closure() -> Any:
        optimizer.zero_grad()
        loss = lib.nn.functional.binary_cross_entropy_with_logits(net(x)[:, 0], y)
        loss.backward()
        losses.append(loss.item())
        return loss

    for _ in range(steps):
        optimizer.step(closure)
    return losses, optimizer


LBFGS = [
    ({"lr": 0.5, "max_iter": 1}, 12),
    ({"lr": 0.9, "max_iter": 5, "history_size": 3}, 3),
    ({"line_search_fn": "strong_wolfe", "max_iter": 4}, 4),
    ({"line_search_fn": "strong_wolfe", "lr": 20.0, "max_iter": 6}, 2),
    ({"line_search_fn": "strong_wolfe", "lr": 1e-3, "max_iter": 3, "max_eval": 9}, 3),
    ({"line_search_fn": "strong_wolfe"}, 3),
]


@pytest.mark.parametrize(("settings", "steps"), LBFGS, ids=lambda v: str(v))
def test_lbfgs_evaluates_at_the_same_points(settings: dict[str, Any], steps: int) -> None:
    losses, optimizer = _logistic(wengert, settings, steps)
    expected, theirs = _logistic(torch, settings, steps)
    assert len(losses) == len(expected)
    same(losses, expected, "losses", 1e-9)
    assert str(optimizer) == str(theirs)
    got, want = optimizer.state_dict()["state"][0], theirs.state_dict()["state"][0]
    assert set(got) == set(want) - {"al"}  # scratch memory
    assert (got["func_evals"], got["n_iter"], len(got["ro"])) == (want["func_evals"], want["n_iter"], len(want["ro"]))
    same(got["d"].numpy(), want["d"].numpy(), "direction", 1e-5)


@pytest.mark.parametrize("name", ["Rosenbrock", "Himmelblau"])
def test_lbfgs_walks_through_valleys(name: str) -> None:
    def run(lib: Any) -> list[float]:
        p = lib.nn.Parameter(lib.tensor([-1.2, 1.0], dtype=lib.float64))
        optimizer = lib.optim.LBFGS([p], line_search_fn="strong_wolfe", max_iter=40)
        losses = []

        def closure() -> Any:
            optimizer.zero_grad()
            x, y = p[0], p[1]
            if name == "Rosenbrock":
                loss = (1 - x) ** 2 + 100 * (y - x**2) ** 2
            else:
                loss = (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2
            loss.backward()
            losses.append(loss.item())
            return loss

        optimizer.step(closure)
        return losses

    got, want = run(wengert), run(torch)
    assert len(got) == len(want)
    assert min(got) < 1e-9
    np.testing.assert_allclose(got, want, rtol=1e-6, atol=1e-12)


def test_lbfgs_refuses() -> None:
    p = wengert.nn.Parameter(wengert.ones(1))
    q = wengert.nn.Parameter(wengert.ones(1))
    with pytest.raises(ValueError, match="parameter groups"):
        wengert.optim.LBFGS([{"params": p}, {"params": q}])
    with pytest.raises(RuntimeError, match="only 'strong_wolfe' is supported"):
        wengert.optim.LBFGS([p], line_search_fn="golden").step(lambda: p.sum())
    with pytest.raises(TypeError, match="needs a closure"):
        wengert.optim.LBFGS([p]).step()


@pytest.mark.parametrize(
    "settings",
    [
        {"lr": 0.02},
        {"lr": 0.02, "nesterov": False, "weight_decay": 0.0, "ns_steps": 3},
        {"lr": 0.01, "adjust_lr_fn": "match_rms_adamw", "momentum": 0.5},
    ],
    ids=str,
)
def test_muon_is_pytorchs_but_for_bfloat16(settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.Tensor, "bfloat16", lambda t: t.clone())
    rng = np.random.default_rng(7)
    starts, x = [rng.standard_normal((4, 7)), rng.standard_normal((5, 4))], rng.standard_normal((7, 6))
    ends = []
    for lib in (wengert, torch):
        ps = [lib.nn.Parameter(lib.tensor(start)) for start in starts]
        optimizer = lib.optim.Muon(ps, **settings)
        for _ in range(30):
            optimizer.zero_grad()
            ((ps[1] @ lib.tanh(ps[0] @ lib.tensor(x))) ** 2).mean().backward()
            optimizer.step()
        ends.append([p.detach().numpy() for p in ps] + [optimizer.state[ps[0]]["momentum_buffer"].numpy()])
    for got, want in zip(*ends, strict=True):
        same(got, want, "after 30 steps", 1e-8)
    with pytest.raises(ValueError, match="Muon only supports 2D parameters"):
        wengert.optim.Muon([wengert.nn.Parameter(wengert.ones(3))])


def test_sparse_adam_refuses_dense_gradients_as_pytorch_does() -> None:
    for lib in (wengert, torch):
        w = lib.nn.Parameter(lib.ones(2))
        optimizer = lib.optim.SparseAdam([w])
        optimizer.step()
        w.sum().backward()
        with pytest.raises(RuntimeError, match="does not support dense gradients, please consider Adam instead"):
            optimizer.step()
