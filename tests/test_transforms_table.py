"""Every differentiable operation of the table under transforms: each mode against the others, batches against loops."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from op_cases import DIFFERENTIABLE, ELEMENTWISE, trials
from wengert.engine.apply import apply
from wengert.engine.base import wrap
from wengert.func import grad, jacfwd, jacrev, jvp, vjp, vmap
from wengert.ops.record import Kind
from wengert.testing._trial import is_array, random_like

# One node of the engine stands for a write through a view; it is never applied.
NAMES = [name for name in DIFFERENTIABLE if name != "view_write"]
HERMITIAN = {"linalg_eigh"}  # reads one triangle and answers for the Hermitian matrix
FEW = 6  # cases of one operation


def small_trials(name):
    chosen = [trial for trial in trials(name) if trial.given and trial.tracked]
    chosen = [trial for trial in chosen if all(y.dtype.itemsize >= 8 for y in trial.results if y.dtype.kind in "fc")]
    return [trial for trial in chosen if sum(np.size(x) for x in trial.inputs if is_array(x)) <= 60][:FEW]


def value_of(trial, several=False):
    """The operation as a function of its tracked inputs; as one number, or all results that carry derivatives."""
    constants = [wrap(np.array(x)) if is_array(x) else x for x in trial.inputs]
    gs = [None if g is None else wrap(np.array(g)) for g in trial.cotangents]

    def outputs(*xs):
        given = list(constants)
        for i, x in zip(trial.tracked, xs, strict=True):
            given[i] = (x + x.mT.conj()) / 2 if trial.op.name in HERMITIAN else x
        y = apply(trial.op, *given, **trial.meta)
        return tuple(
            part for part, g in zip(y if isinstance(y, tuple) else (y,), trial.cotangents, strict=True) if g is not None
        )

    def number(*xs):
        total = 0.0
        for y, g in zip(outputs(*xs), [g for g in gs if g is not None], strict=True):
            total = total + (g.conj() * y).real.sum()
        return total

    return outputs if several else number


def primals(trial):
    return tuple(wrap(np.array(trial.inputs[i])) for i in trial.tracked)


def directions(trial, seed):
    rng = np.random.default_rng(seed)
    return tuple(wrap(np.array(random_like(rng, trial.inputs[i]))) for i in trial.tracked)


def inner(a, b):
    return float(np.sum((np.conj(a._data) * b._data).real))


def raw(t):
    return np.asarray(t._data)


def close(a, b, rtol=1e-9):
    return np.allclose(raw(a), raw(b), rtol=rtol, atol=1e-9 * (1 + np.max(np.abs(raw(b)), initial=0.0)), equal_nan=True)


@pytest.fixture(autouse=True)
def _quiet():
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "vmap: .* has no batching rule")
        yield


@pytest.mark.parametrize("name", NAMES)
def test_forward_mode_is_the_transpose_of_reverse_mode(name: str) -> None:
    for trial in small_trials(name):
        f, xs, ts = value_of(trial, several=True), primals(trial), directions(trial, 3)
        ys, pushed = jvp(f, xs, ts)
        _, pull = vjp(f, *xs)
        gs = tuple(wrap(np.array(random_like(np.random.default_rng(5), y._data))) for y in ys)
        pulled = pull(gs)
        left = sum(inner(g, t) for g, t in zip(gs, pushed, strict=True))
        right = sum(inner(g, t) for g, t in zip(pulled, ts, strict=True))
        size = sum(abs(inner(g, g)) ** 0.5 * abs(inner(t, t)) ** 0.5 for g, t in zip(gs, pushed, strict=True))
        if left == left:
            assert abs(left - right) <= 1e-10 * (1 + size), f"{trial}: <g, J t> = {left}, <J^T g, t> = {right}"


def _check_second_derivatives_agree_in_every_mode(trial):
    f, xs = value_of(trial), primals(trial)
    t, s = directions(trial, 3), directions(trial, 4)
    argnums = tuple(range(len(xs)))
    first = grad(f, argnums)
    forward_reverse = jvp(first, xs, t)[1]
    reverse_forward = grad(lambda *xs: jvp(f, xs, t)[1], argnums)(*xs)
    reverse_reverse = grad(
        lambda *xs: sum((g.conj() * v).real.sum() for g, v in zip(first(*xs), t, strict=True)), argnums
    )(*xs)
    for a, b, c in zip(forward_reverse, reverse_forward, reverse_reverse, strict=True):
        assert close(a, b), f"{trial}: forward over reverse {raw(a)}, reverse over forward {raw(b)}"
        assert close(a, c), f"{trial}: forward over reverse {raw(a)}, reverse over reverse {raw(c)}"
    twice = jvp(lambda *xs: jvp(f, xs, t)[1], xs, s)[1]
    once = wrap(np.array(sum(inner(h, v) for h, v in zip(forward_reverse, s, strict=True))))
    assert close(twice, once), f"{trial}: forward over forward {raw(twice)}, forward over reverse {raw(once)}"


@pytest.mark.parametrize("name", NAMES)
def test_second_derivatives_agree_in_every_mode(name: str) -> None:
    """Forward over reverse, reverse over forward, reverse over reverse, forward over forward."""
    for trial in small_trials(name):
        _check_second_derivatives_agree_in_every_mode(trial)


@pytest.mark.parametrize("name", NAMES)
def test_jacobians_agree_in_both_modes(name: str) -> None:
    for trial in small_trials(name)[:3]:
        f, xs = value_of(trial, several=True), primals(trial)
        if any(x._data.dtype.kind == "c" for x in xs) or any(y._data.dtype.kind == "c" for y in f(*xs)):
            continue
        argnums = tuple(range(len(xs)))
        rows, columns = jacrev(f, argnums)(*xs), jacfwd(f, argnums)(*xs)
        for of_rows, of_columns in zip(rows, columns, strict=True):
            for a, b in zip(of_rows, of_columns, strict=True):
                assert a.shape == b.shape
                assert close(a, b), f"{trial}: jacrev gives {raw(a)}, jacfwd {raw(b)}"


def batch_of(trial):
    """Three members: the values of the trial in another order, or (where they have a structure) scaled."""
    if trial.op.kind is Kind.ELEMENTWISE:
        rolled = [
            [np.roll(np.reshape(x._data, -1), k).reshape(x._data.shape) for k in range(3)] for x in primals(trial)
        ]
        return tuple(wrap(np.stack(members)) for members in rolled)
    return tuple(wrap(np.stack([x._data * factor for factor in (1.0, 0.96875, 0.9375)])) for x in primals(trial))


def _check_batches_of_gradients(trial):
    f, batch, t = value_of(trial), batch_of(trial), directions(trial, 3)
    argnums = tuple(range(len(batch)))
    first = grad(f, argnums)
    members = [tuple(wrap(raw(b)[k]) for b in batch) for k in range(3)]
    looped = [first(*xs) for xs in members]
    mapped = vmap(first)(*batch)
    through = grad(lambda *bs: vmap(f)(*bs).sum(), argnums)(*batch)
    shared = grad(lambda *xs: vmap(lambda _: f(*xs))(wrap(np.zeros(3))).sum(), argnums)(*members[0])
    second = vmap(lambda *xs: jvp(first, xs, t)[1])(*batch)
    seconds = [jvp(first, xs, t)[1] for xs in members]
    for i in argnums:
        wanted = wrap(np.stack([raw(g[i]) for g in looped]))
        assert close(mapped[i], wanted), f"{trial}: vmap of grad"
        assert close(through[i], wanted), f"{trial}: grad of vmap"
        assert close(shared[i], wrap(3 * raw(looped[0][i]))), f"{trial}: grad of what a batch shares"
        assert close(second[i], wrap(np.stack([raw(h[i]) for h in seconds]))), f"{trial}: vmap of jvp of grad"


@pytest.mark.parametrize("name", NAMES)
def test_batches_of_gradients(name: str) -> None:
    """vmap of grad, grad of vmap and vmap of forward over reverse are what a loop gives."""
    for trial in small_trials(name)[:3]:
        _check_batches_of_gradients(trial)


def _check_third_derivatives_of_elementwise_operations(trial):
    f, xs = value_of(trial), primals(trial)
    t, argnums = directions(trial, 3), tuple(range(len(xs)))

    def along(g):
        return lambda *xs: sum((d.conj() * v).real.sum() for d, v in zip(grad(g, argnums)(*xs), t, strict=True))

    def push(g):
        return lambda *xs: jvp(g, xs, t)[1]

    reverse = along(along(along(f)))(*xs)
    forward = push(push(push(f)))(*xs)
    mixed = along(push(along(f)))(*xs)
    assert close(forward, reverse, 1e-8), f"{trial}: forward {raw(forward)}, reverse {raw(reverse)}"
    assert close(mixed, reverse, 1e-8), f"{trial}: mixed {raw(mixed)}, reverse {raw(reverse)}"


@pytest.mark.parametrize("name", [name for name in ELEMENTWISE if name in NAMES])
def test_third_derivatives_of_elementwise_operations(name: str) -> None:
    """Order 3 by reverse mode alone, by forward mode alone, and mixed."""
    for trial in small_trials(name)[:3]:
        _check_third_derivatives_of_elementwise_operations(trial)
