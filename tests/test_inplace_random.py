"""Random programs of views and writes: after each step every tensor's state is PyTorch's, and so are the gradients."""

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert

torch = pytest.importorskip("torch")

Pool = list[Any]
Step = Callable[[Any, Any, Any], Any]  # (library, a tensor, another tensor) -> a new tensor or None

UNARY = ("exp", "sin", "square", "sqrt", "sigmoid", "tanh", "neg", "abs", "clone", "detach")
BINARY = ("add", "mul", "sub", "div")
IN_PLACE = ("exp_", "sin_", "sqrt_", "sigmoid_", "neg_", "square_", "zero_")
IN_PLACE_WITH = ("add_", "mul_", "copy_", "sub_", "div_")


def _method(name: str) -> Step:
    return lambda lib, x, y: getattr(x, name)()


def _method_with(name: str) -> Step:
    return lambda lib, x, y: getattr(x, name)(y)


def _set(key: Any, value: Any = None) -> Step:
    def step(lib: Any, x: Any, y: Any) -> None:
        x[key] = y if value is None else value

    return step


def _untracked(step: Step) -> Step:
    def wrapped(lib: Any, x: Any, y: Any) -> Any:
        with lib.no_grad():
            return step(lib, x, y)

    return wrapped


VIEWS: dict[str, Step] = {
    "unsqueeze": lambda lib, x, y: x.unsqueeze(0),
    "flat": lambda lib, x, y: x.reshape(-1),
    "alias": lambda lib, x, y: x[...],
    "first": lambda lib, x, y: x[0],
    "rest": lambda lib, x, y: x[1:],
    "every other": lambda lib, x, y: x[..., ::2],
    "transposed": lambda lib, x, y: x.transpose(0, -1),
    "diagonal": lambda lib, x, y: x.diagonal(),
    "expanded": lambda lib, x, y: x.unsqueeze(0).expand(2, *x.shape),
    "last of unbind": lambda lib, x, y: x.unbind(0)[-1],
    "last of chunk": lambda lib, x, y: x.chunk(2)[-1],
}
NEW: dict[str, Step] = {name: _method(name) for name in UNARY} | {name: _method_with(name) for name in BINARY} | VIEWS
WRITES: dict[str, Step] = {
    **{name: _method(name) for name in IN_PLACE},
    **{name: _method_with(name) for name in IN_PLACE_WITH},
    "set all": _set(...),
    "set first": _set(0),
    "set column": _set((..., 0), 2.0),
}
UNTRACKED: dict[str, Step] = {f"untracked {name}": _untracked(step) for name, step in WRITES.items()}
FLAGS: dict[str, Step] = {"requires_grad_": lambda lib, x, y: None if x._is_view() else x.requires_grad_()}
# views twice: they are what this is about
ALL = [NEW, VIEWS, VIEWS, WRITES, WRITES, UNTRACKED, FLAGS]


def _values(t: Any) -> np.ndarray:
    return np.array(t.detach().numpy())


def _pools(seed: int) -> tuple[Pool, Pool]:
    rng = np.random.default_rng(seed)
    pools: tuple[Pool, Pool] = ([], [])
    for shape in ((3,), (2, 3), (), (3, 2)):
        values = rng.uniform(0.5, 1.5, shape).tolist()
        for lib, pool in zip((wengert, torch), pools, strict=True):
            leaf = lib.tensor(values, dtype=lib.float64, requires_grad=True)
            pool += [leaf, lib.tensor(values, dtype=lib.float64), leaf * 1]
    return pools


def _tried(step: Callable[[], Any]) -> tuple[Any, str | None]:
    try:
        return step(), None
    except (RuntimeError, IndexError) as error:
        return None, f"{type(error).__name__}: {error}"


def _state(t: Any) -> tuple[Any, ...]:
    where, _ = _tried(lambda: (t.is_leaf, t.output_nr))  # an error for a view that cannot follow its base
    return t.requires_grad, t._version, where, tuple(t.shape)


def _total(lib: Any, pool: Pool) -> Any:
    total = lib.zeros((), dtype=lib.float64)
    for position, t in enumerate(pool):
        term, error = _tried(lambda t=t, position=position: (t * (1 + position % 3)).sum())
        if error is None and t.requires_grad:
            total = total + term
    return total


def _run(seed: int, length: int = 16) -> None:
    choose = random.Random(seed)
    ours, theirs = _pools(seed)
    leaves = [(a, b) for a, b in zip(ours, theirs, strict=True) if b.requires_grad and b.is_leaf]
    done: list[str] = []
    for _ in range(length):
        i, j = choose.randrange(len(ours)), choose.randrange(len(ours))
        name, step = choose.choice(list(choose.choice(ALL).items()))
        x, y = theirs[i], theirs[j]
        if step not in NEW.values() and x.untyped_storage().data_ptr() == y.untyped_storage().data_ptr():
            continue  # PyTorch reads what it has written already, or refuses
        if name.endswith(("zero_", "set column")) and 0 in x.stride():
            continue  # PyTorch allows one number for all places of an expanded tensor
        done.append(f"{len(ours)} = {name}({i}, {j})")
        new, error = _tried(lambda i=i, j=j, step=step: step(wengert, ours[i], ours[j]))
        want, want_error = _tried(lambda x=x, y=y, step=step: step(torch, x, y))
        assert (error is None) == (want_error is None), (done, error, want_error)
        if error is None and step in NEW.values():
            ours.append(new)
            theirs.append(want)
        for a, b in zip(ours, theirs, strict=True):
            assert _state(a) == _state(b), done
            np.testing.assert_allclose(_values(a), _values(b), rtol=1e-9, err_msg=str(done))
    _, error = _tried(_total(wengert, ours).backward)
    _, want_error = _tried(_total(torch, theirs).backward)
    assert (error is None) == (want_error is None), (done, error, want_error)
    for a, b in leaves:
        assert (a.grad is None) == (b.grad is None), done
        if b.grad is not None:
            np.testing.assert_allclose(_values(a.grad), _values(b.grad), rtol=1e-7, atol=1e-9, err_msg=str(done))


@pytest.mark.parametrize("seed", range(200))
def test_views_and_writes_as_in_pytorch(seed: int) -> None:
    _run(seed)
