"""Random nestings of transforms, as programs that any library of transforms can run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

import wengert

N = 3
RNG = np.random.default_rng(0)
X, V, W = (RNG.uniform(0.3, 1.2, N) for _ in range(3))
MATRIX = RNG.uniform(-1, 1, (N, N))

# Every transform makes a function of vectors that gives vectors of one.
Function = Callable[[Any], Any]


class Library:
    """What the programs below need of a library."""

    def __init__(self, names: Any, func: Any, array: Callable[[Any], Any]) -> None:
        self.names, self.func, self.array = names, func, array

    def sum(self, x: Any) -> Any:
        return x.sum()

    def sum_rows(self, f: Function, x: Any) -> Any:
        """A batch of points that depend on x, and of factors that members share."""
        return self.func.vmap(lambda row, w: f(row * x) * w)(self.array(MATRIX + 1.5), x).sum(0)

    def jvp(self, f: Function, x: Any, t: Any) -> Any:
        return self.func.jvp(f, (x,), (t,))[1]

    def two_vjps(self, f: Function, x: Any, t: Any) -> Any:
        """The jvp: the derivative of the vjp by its cotangent, in which it is linear."""
        y, pull = self.func.vjp(f, x)
        return self.func.vjp(lambda g: pull(g)[0], self.names.zeros_like(y))[1](t)[0]


OURS = Library(wengert, wengert.func, wengert.tensor)

BASES: dict[str, Callable[[Library], Function]] = {
    "tanh of a product": lambda lib: lambda x: lib.names.tanh(lib.array(MATRIX) @ x) * x,
    "powers": lambda lib: lambda x: x**3 * lib.sum(x) / (1 + x * x),
    "exponentials": lambda lib: lambda x: lib.names.exp(x - x[0]) * lib.names.sin(x * x),
    "parts": lambda lib: lambda x: lib.names.stack([x[0] * x[1], lib.names.cos(x[2]) * x[0], x[1] ** 2]),
}
TRANSFORMS: dict[str, Callable[[Library, Function], Function]] = {
    "grad": lambda lib, f: lib.func.grad(lambda x: lib.sum(f(x) * lib.array(W))),
    "jvp": lambda lib, f: lambda x: lib.jvp(f, x, lib.array(V)),
    "jvp along x": lambda lib, f: lambda x: lib.jvp(f, x, x),
    "vjp": lambda lib, f: lambda x: lib.func.vjp(f, x)[1](lib.array(V))[0],
    "two vjps": lambda lib, f: lambda x: lib.two_vjps(f, x, lib.array(V)),
    "vjp of itself": lambda lib, f: lambda x: lib.func.vjp(f, x)[1](f(x))[0],
    "vmap": lambda lib, f: lambda x: lib.sum_rows(f, x),
    "jacrev": lambda lib, f: lambda x: lib.func.jacrev(f)(x) @ x,
    "jacfwd": lambda lib, f: lambda x: lib.func.jacfwd(f)(x).T @ x,
    "linearize": lambda lib, f: lambda x: lib.func.linearize(f, x)[1](lib.array(V)),
    "captured": lambda lib, f: lambda x: lib.func.grad(lambda y: lib.sum(f(y) * x))(x * 0.5),
}


def built(lib: Library, base: str, nesting: list[str]) -> Function:
    return nested(lib, BASES[base](lib), nesting)


def nested(lib: Library, f: Function, nesting: list[str]) -> Function:
    """The transforms of these names applied to a function, the first one innermost."""
    for name in nesting:
        f = TRANSFORMS[name](lib, f)
    return f


NESTINGS = st.lists(st.sampled_from(sorted(TRANSFORMS)), min_size=1, max_size=4)


def close(ours: Any, theirs: Any) -> None:
    theirs = np.asarray(theirs)
    np.testing.assert_allclose(ours.numpy(), theirs, rtol=1e-8, atol=1e-9 * (1 + np.max(np.abs(theirs))))
