"""Random programs for random nestings: pieces that index, reduce, write in place, solve and choose, in a row.

Each piece makes a vector of one. PyTorch has no ``cond`` and no ``scan`` that its transforms go through, so there both
are what they mean: a choice between two results, and a loop.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from nestings import MATRIX, OURS, Function, Library

PLACES = np.array([2, 0, 0])
POSITIVE = MATRIX @ MATRIX.T + 3 * np.eye(3)


class Ours(Library):
    """wengert with its own control flow."""

    def cond(self, condition: Any, f: Function, g: Function, x: Any) -> Any:
        return self.func.cond(condition, f, g, (x,))

    def scan(self, step: Callable[[Any, Any], Any], carry: Any, xs: Any) -> Any:
        return self.func.scan(lambda c, x: (step(c, x), None), carry, xs, checkpoint=False)[0]

    def checkpointed(self, step: Callable[[Any, Any], Any], carry: Any, xs: Any) -> Any:
        return self.func.scan(lambda c, x: (step(c, x), None), carry, xs, checkpoint=True)[0]

    def recomputed(self, f: Function, x: Any) -> Any:
        return self.names.utils.checkpoint.checkpoint(f, x, use_reentrant=False)


class Unrolled(Library):
    """A library in which control flow is what it means."""

    def cond(self, condition: Any, f: Function, g: Function, x: Any) -> Any:
        return self.names.where(condition, f(x), g(x))

    def scan(self, step: Callable[[Any, Any], Any], carry: Any, xs: Any) -> Any:
        for x in xs:
            carry = step(carry, x)
        return carry

    checkpointed = scan

    def recomputed(self, f: Function, x: Any) -> Any:
        return f(x)


def _written(lib: Any, x: Any) -> Any:
    z = x.clone()
    z[0] = x[1] * x[2]
    z[1:] += x[:-1]
    z.mul_(x + 0.5)
    return z


def _written_row(lib: Any, x: Any) -> Any:
    rows = x[:, None] * x
    rows[1].sin_()
    rows[:, 0] *= 0.5
    return rows.sum(1)


def _put(lib: Any, x: Any) -> Any:
    return (x * 1.5).index_put((lib.array(PLACES),), x.cos(), accumulate=True)


def _scattered(lib: Any, x: Any) -> Any:
    return lib.names.zeros_like(x).scatter_add(0, lib.array(PLACES), x * x) + x


def _sorted(lib: Any, x: Any) -> Any:
    values, order = lib.names.sort(x * x, descending=True)
    return values + x[order].cumsum(0)


def _solved(lib: Any, x: Any) -> Any:
    return lib.names.linalg.solve(lib.array(POSITIVE) + lib.names.diag_embed(x * x), x)


def _factored(lib: Any, x: Any) -> Any:
    return lib.names.linalg.cholesky(lib.array(POSITIVE) + x[:, None] * x).sum(0)


def _convolved(lib: Any, x: Any) -> Any:
    return lib.names.nn.functional.conv1d(x[None, None], (x * 0.5)[None, None], padding=1)[0, 0]


PIECES: dict[str, Callable[[Any, Any], Any]] = {
    "index": lambda lib, x: x[lib.array(PLACES)] * x.flip(0),
    "slices": lambda lib, x: lib.names.cat([x[1:] * x[:-1], x[:1].sin()]),
    "select": lambda lib, x: lib.names.stack([x[2], x[0] * x[1], x[-1] ** 2]),
    "put": _put,
    "scattered": _scattered,
    "gathered": lambda lib, x: x.gather(0, lib.array(PLACES)).exp() * 0.3,
    "sums": lambda lib, x: (x[:, None] * x.sin()).sum(0) - (x[:, None] - x).square().mean(1),
    "products": lambda lib, x: (x[:, None] + x).prod(0) * 0.2,
    "softmax": lambda lib, x: lib.names.softmax(x[:, None] * x, 1).sum(0) + lib.names.logsumexp(x, 0),
    "largest": lambda lib, x: (x[:, None] * lib.array(MATRIX)).amax(1) + x.max(),
    "deviation": lambda lib, x: (x - x.mean()) / (x.var(0, keepdim=True) + 0.5).sqrt(),
    "norm": lambda lib, x: x / lib.names.linalg.vector_norm(x[:, None] + x, dim=0),
    "where": lambda lib, x: lib.names.where(x > 0.6, x.sin(), x * x),
    "clamped": lambda lib, x: x.clamp(0.35, 0.9) * x,
    "masked": lambda lib, x: x.masked_fill(x > 0.8, 0.1) + x,
    "sorted": _sorted,
    "solved": _solved,
    "factored": _factored,
    "determinant": lambda lib, x: lib.names.linalg.slogdet(lib.array(POSITIVE) + x[:, None] * x)[1] * x,
    "inverse": lambda lib, x: lib.names.linalg.inv(lib.array(POSITIVE) * x.sum())[1],
    "convolved": _convolved,
    "einsum": lambda lib, x: lib.names.einsum("i,ij,j->j", x, lib.array(MATRIX), x),
    "batched product": lambda lib, x: (lib.array(np.stack([MATRIX] * 2)) @ x[:, None]).sum((0, 2)),
    "written": _written,
    "written row": _written_row,
    "cond": lambda lib, x: lib.cond(x.sum() > 1.8, lambda x: x.sin() * x, lambda x: x**2 + x[0], x),
    "scan": lambda lib, x: lib.scan(lambda c, row: (c * row).tanh() + x * 0.1, x, lib.array(MATRIX)),
    "checkpointed scan": lambda lib, x: lib.checkpointed(
        lambda c, row: (c * row).sin() + x * 0.1, x, lib.array(MATRIX)
    ),
    "scan over x": lambda lib, x: lib.scan(lambda c, one: c * one.cos() + one, x, x),
    "recomputed": lambda lib, x: lib.recomputed(lambda y: (y * x).tanh() * y, x),
    "complex": lambda lib, x: (lib.names.complex(x, x.flip(0)) ** 2).abs() * 0.5,
    "spectrum": lambda lib, x: lib.names.fft.rfft(x * x, n=4).abs().square(),
}

OURS_WITH_CONTROL = Ours(OURS.names, OURS.func, OURS.array)


def program(lib: Any, pieces: list[str]) -> Function:
    """The pieces one after the other, each kept small enough that four derivatives stay so."""

    def f(x: Any) -> Any:
        for name in pieces:
            x = PIECES[name](lib, x).tanh() + 0.6
        return x

    return f
