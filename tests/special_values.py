"""Running an operation's public function on wengert and on PyTorch, with values that make trouble."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

import wengert
from op_cases import by_name, cases
from samples import Sample
from wengert.ops.record import TABLE, Kind

SPECIAL = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 0.5, -2.0, 3.0, 1e30, -1e-30])


class NoCounterpartError(Exception):
    """The libraries have no function of this name that takes these arguments."""


def run(lib: Any, name: str, case: Sample) -> tuple[list[np.ndarray], list[np.ndarray | None]]:
    """The results of the public function on a case, and the gradients of its tracked inputs for fixed cotangents."""
    function = by_name(lib, name)
    if function is None:
        raise NoCounterpartError
    tensors = [tensor(lib, x) for x in case.inputs]
    leaves = [
        t
        for t, x in zip(tensors, case.inputs, strict=True)
        if isinstance(x, (np.ndarray, np.generic)) and x.dtype.kind in "fc"
    ]
    for leaf in leaves:
        leaf.requires_grad_()
    try:
        results = function(*tensors, **case.meta)
    except TypeError:
        raise NoCounterpartError from None
    results = [results] if hasattr(results, "requires_grad") else list(results)
    tracked = [y for y in results if y.requires_grad]
    rng = np.random.default_rng(3)
    gs = [tensor(lib, _like(rng, array(y))) for y in tracked]
    grads = lib.autograd.grad(tracked, leaves, gs, allow_unused=True) if tracked else []
    return [array(y) for y in results], [None if g is None else array(g) for g in grads]


def tensor(lib: Any, x: Any) -> Any:
    """A tensor of a raw value; a Python number stays one."""
    if not isinstance(x, (np.ndarray, np.generic)):
        return x
    x = np.asarray(x)
    return lib.tensor(x.tolist(), dtype=getattr(lib, x.dtype.name)).reshape(x.shape)


def array(t: Any) -> np.ndarray:
    """The values of a tensor of either library."""
    t = t.detach()
    return np.array(t.resolve_conj().resolve_neg().numpy(force=True) if hasattr(t, "resolve_neg") else t.numpy())


def _like(rng: np.random.Generator, y: np.ndarray) -> np.ndarray:
    g = rng.uniform(0.5, 1.5, y.shape)
    return np.asarray(g + 1j * rng.uniform(0.5, 1.5, y.shape) if y.dtype.kind == "c" else g).astype(y.dtype)


def troubled(name: str) -> Iterator[Sample]:
    """Cases with NaN, infinities, zeros, large and small values in the float inputs."""
    op = TABLE[name]
    for case in cases(name):
        floats = [i for i, x in enumerate(case.inputs) if isinstance(x, np.ndarray) and x.dtype.kind == "f" and x.size]
        if op.kind is Kind.ELEMENTWISE and len(floats) == len(case.inputs):
            grids = np.meshgrid(*[SPECIAL] * len(floats), indexing="ij")
            yield Sample(*[grid.reshape(-1) for grid in grids], **case.meta)
            return
        for i, value in itertools.product(floats, (np.nan, np.inf, -np.inf, 0.0)):
            inputs = list(case.inputs)
            x = inputs[i] = np.array(inputs[i])
            x.reshape(-1)[x.size // 2] = value
            yield Sample(*inputs, **case.meta)


def libraries_agree(torch: Any, name: str, case: Sample, rtol: float = 1e-8) -> list[str]:
    """What the two libraries disagree about on one case, value by value."""
    ours, theirs = run(wengert, name, case), run(torch, name, case)
    found = []
    for what, mine, other in (("result", ours[0], theirs[0]), ("gradient of input", ours[1], theirs[1])):
        if len(mine) != len(other):
            found.append(f"{what}: {len(mine)} here, {len(other)} there")
            continue
        for k, (a, b) in enumerate(zip(mine, other, strict=True)):
            if a is None or b is None:
                if not (a is None or not a.any()) or not (b is None or not b.any()):
                    found.append(f"{what} {k}: {a} here, {b} there")
            elif a.dtype != b.dtype or a.shape != b.shape:
                found.append(f"{what} {k}: {a.dtype}{a.shape} here, {b.dtype}{b.shape} there")
            else:
                with np.errstate(all="ignore"):
                    wrong = ~np.isclose(a, b, rtol=rtol, atol=1e-11, equal_nan=True)
                found += [
                    f"{what} {k} at {_at(case, j)}: {a[tuple(j)]} here, {b[tuple(j)]} there" for j in np.argwhere(wrong)
                ]
    return found


def _at(case: Sample, j: np.ndarray) -> str:
    values = [
        x[tuple(j)]
        if isinstance(x, np.ndarray) and x.ndim == len(j) and all(n < m for n, m in zip(j, x.shape, strict=True))
        else "?"
        for x in case.inputs
    ]
    return f"{[int(n) for n in j]}, where the inputs are {[str(v) for v in values]}"
