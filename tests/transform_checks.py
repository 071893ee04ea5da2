"""What an operation of the table is to fulfil under transforms, for one trial of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from op_cases import trials
from wengert.engine.apply import apply
from wengert.engine.base import wrap
from wengert.func import grad, jacfwd, jacrev, jvp, vjp, vmap
from wengert.ops.record import Kind
from wengert.spaces.tensors import TENSOR
from wengert.testing._numeric import derivative
from wengert.testing._trial import Trial, is_array, random_like

HERMITIAN = {"linalg_eigh", "linalg_cholesky"}  # reads one triangle and answers for the Hermitian matrix
PHASES = {"linalg_eigh", "linalg_eig", "linalg_svd"}  # vectors that are known up to a phase, which LAPACK chooses anew
FEW = 6  # trials of one operation

Function = Callable[..., Any]


def small_trials(name: str) -> list[Trial]:
    """Trials in double precision with few elements, complex and real ones in turn."""
    chosen = [trial for trial in trials(name) if trial.given and trial.tracked]
    chosen = [trial for trial in chosen if all(y.dtype.itemsize >= 8 for y in trial.results if y.dtype.kind in "fc")]
    chosen = [trial for trial in chosen if all(trial.inputs[i].dtype.itemsize >= 8 for i in trial.tracked)]
    few = [trial for trial in chosen if elements_of(trial) <= 60]
    chosen = few or sorted(chosen, key=elements_of)[:1]
    return chosen[: FEW - 1] + [trial for trial in chosen[FEW - 1 :] if is_complex(trial)][:1]


def elements_of(trial: Trial) -> int:
    return sum(np.size(x) for x in trial.inputs if is_array(x))


def is_complex(trial: Trial) -> bool:
    return any(np.asarray(trial.inputs[i]).dtype.kind == "c" for i in trial.tracked)


def value_of(trial: Trial, several: bool = False, phases: bool = True) -> Function:
    """The operation as a function of its tracked inputs; as one number, or all results that carry derivatives."""
    constants = [wrap(np.array(x)) if is_array(x) else x for x in trial.inputs]
    gs = [None if g is None else wrap(np.array(g)) for g in trial.cotangents]

    def outputs(*xs: Any) -> tuple[Any, ...]:
        given = list(constants)
        for i, x in zip(trial.tracked, xs, strict=True):
            given[i] = (x + x.mT.conj()) / 2 if trial.op.name in HERMITIAN else x
        y = apply(trial.op, *given, **trial.meta)
        return tuple(
            part for part, g in zip(y if isinstance(y, tuple) else (y,), trial.cotangents, strict=True) if g is not None
        )

    results = outputs if phases else without_phases(trial, outputs)

    def number(*xs: Any) -> Any:
        total = 0.0
        for y, g in zip(results(*xs), [g for g in gs if g is not None], strict=True):
            total = total + (g.conj() * y).real.sum()
        return total

    return results if several else number


def without_phases(trial: Trial, f: Function) -> Function:
    """The results without what no derivative can know of them, the phases of complex vectors."""
    if trial.op.name not in PHASES:
        return f
    return lambda *xs: tuple(y.abs() if y._data.dtype.kind == "c" else y for y in f(*xs))


def in_reals(f: Function, like: tuple[Any, ...]) -> tuple[Function, tuple[Any, ...]]:
    """A function of complex tensors as one of real ones that gives real ones, and its arguments."""
    are_complex = [x._data.dtype.kind == "c" for x in like]

    def real(*xs: Any) -> tuple[Any, ...]:
        given = [TENSOR.view_as_complex(x) if c else x for x, c in zip(xs, are_complex, strict=True)]
        return tuple(TENSOR.view_as_real(y) if y._data.dtype.kind == "c" else y for y in f(*given))

    return real, tuple(TENSOR.view_as_real(x) if c else x for x, c in zip(like, are_complex, strict=True))


def primals(trial: Trial) -> tuple[Any, ...]:
    return tuple(wrap(np.array(trial.inputs[i])) for i in trial.tracked)


def directions(trial: Trial, seed: int) -> tuple[Any, ...]:
    rng = np.random.default_rng(seed)
    return tuple(wrap(np.array(random_like(rng, trial.inputs[i]))) for i in trial.tracked)


def inner(a: Any, b: Any) -> float:
    return float(np.sum((np.conj(a._data) * b._data).real))


def raw(t: Any) -> Any:
    return np.asarray(t._data)


def close(a: Any, b: Any, rtol: float = 1e-9) -> bool:
    atol = rtol * (1 + np.max(np.abs(raw(b)), initial=0.0))
    return np.allclose(raw(a), raw(b), rtol=rtol, atol=atol, equal_nan=True)


# --- modes -----------------------------------------------------------------------------------------------------------


def forward_is_the_transpose_of_reverse(trial: Trial) -> None:
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


def forward_is_the_limit_of_differences(trial: Trial) -> None:
    f, xs, ts = value_of(trial, several=True, phases=False), primals(trial), directions(trial, 3)
    pushed = jvp(f, xs, ts)[1]
    for k, t in enumerate(pushed):

        def along(h: float, k: int = k) -> Any:
            return raw(f(*[wrap(np.asarray(raw(x) + h * raw(d))) for x, d in zip(xs, ts, strict=True)])[k])

        slope = wrap(np.asarray(derivative(along, 1e-2)))
        assert close(t, slope, 1e-7), f"{trial}: result {k}: jvp gives {raw(t)}, differences {raw(slope)}"


def jacobians_agree(trial: Trial) -> None:
    """``jacrev`` is ``jacfwd``; of complex numbers as pairs of real ones, where both are the same matrix."""
    f, xs = in_reals(value_of(trial, several=True), primals(trial))
    argnums = tuple(range(len(xs)))
    rows, columns = jacrev(f, argnums)(*xs), jacfwd(f, argnums)(*xs)
    for of_rows, of_columns in zip(rows, columns, strict=True):
        for a, b in zip(of_rows, of_columns, strict=True):
            assert a.shape == b.shape
            assert close(a, b), f"{trial}: jacrev gives {raw(a)}, jacfwd {raw(b)}"


def second_derivatives_agree(trial: Trial) -> None:
    """Forward over reverse, reverse over forward, reverse over reverse, forward over forward."""
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


def hessians_are_symmetric(trial: Trial) -> None:
    f, xs = value_of(trial, phases=False), primals(trial)
    t, s = directions(trial, 3), directions(trial, 4)
    first = grad(f, tuple(range(len(xs))))
    one, other = (
        wrap(np.array(sum(inner(h, b) for h, b in zip(jvp(first, xs, along)[1], across, strict=True))))
        for along, across in ((t, s), (s, t))
    )
    assert close(one, other), f"{trial}: <s, H t> = {raw(one)}, <t, H s> = {raw(other)}"


def third_derivatives_agree(trial: Trial) -> None:
    """Order 3 by reverse mode alone, by forward mode alone, and mixed."""
    f, xs = value_of(trial), primals(trial)
    t, argnums = directions(trial, 3), tuple(range(len(xs)))

    def along(g: Function) -> Function:
        return lambda *xs: sum((d.conj() * v).real.sum() for d, v in zip(grad(g, argnums)(*xs), t, strict=True))

    def push(g: Function) -> Function:
        return lambda *xs: jvp(g, xs, t)[1]

    reverse = along(along(along(f)))(*xs)
    forward = push(push(push(f)))(*xs)
    mixed = along(push(along(f)))(*xs)
    assert close(forward, reverse, 1e-8), f"{trial}: forward {raw(forward)}, reverse {raw(reverse)}"
    assert close(mixed, reverse, 1e-8), f"{trial}: mixed {raw(mixed)}, reverse {raw(reverse)}"


# --- batches ---------------------------------------------------------------------------------------------------------


def batch_of(trial: Trial) -> tuple[Any, ...]:
    """Three members: the values of the trial in another order, or (where they have a structure) scaled."""
    if trial.op.kind is Kind.ELEMENTWISE:
        rolled = [
            [np.roll(np.reshape(x._data, -1), k).reshape(x._data.shape) for k in range(3)] for x in primals(trial)
        ]
        return tuple(wrap(np.stack(members)) for members in rolled)
    steps = [
        (i + 1) / 64 for i in range(len(trial.tracked))
    ]  # others for each input: b / a stays the same if both grow
    return tuple(
        wrap(np.stack([x._data * (1 - k * step) for k in range(3)]))
        for x, step in zip(primals(trial), steps, strict=True)
    )


def batches_are_loops(trial: Trial) -> None:
    f, batch = value_of(trial, several=True), batch_of(trial)
    looped = [f(*[wrap(raw(b)[k]) for b in batch]) for k in range(3)]
    for position, mapped in enumerate(vmap(f)(*batch)):
        wanted = wrap(np.stack([raw(ys[position]) for ys in looped]))
        assert close(mapped, wanted), f"{trial}: vmap gives {raw(mapped)}, a loop {raw(wanted)}"


def batches_of_gradients_are_loops(trial: Trial) -> None:
    """``vmap`` of ``grad``, ``grad`` of ``vmap`` and ``vmap`` of forward over reverse are what a loop gives."""
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
